// SPDX-License-Identifier: GPL-2.0-only
/*
 * A LUN: keys, a header, and writes that it has accepted and that land when they like. What must
 * never happen is looked for here.
 */
#include "sim.h"

/* This node tries to write: what the LUN has accepted is under way. */
bool lun_write(struct sim *sim, unsigned int node, unsigned int volume, bool metadata)
{
	struct sim_local *local = sim_local(sim, node, volume);
	struct sim_lun *lun = &sim->lun[volume];
	struct sim_node *self = &sim->node[node];

	if (!self->alive || self->frozen || !local->path || lun->count == SIM_WRITES)
		return false;
	if (metadata ? !local->mounted || local->held : local->route != OWN_ROUTE_DIRECT)
		return false;
	if (!local->incarnation || lun->keys[node] != local->incarnation) {
		/* A reservation conflict: it has been fenced, and stops. */
		local->conflict = true;
		waits_fail(sim, node, volume);
		local->mounted = false;
		local->serving = 0;
		local->changes = false;
		local->route = OWN_ROUTE_NONE;
		agent_fact(sim, node, volume);
		return true;
	}
	lun->writes[lun->count++] = (struct sim_write){
		.node = node,
		.metadata = metadata,
		.life = self->life,
		.incarnation = local->incarnation,
	};
	return true;
}

/* It uses the volume again. */
static bool works(struct sim *sim, unsigned int volume, unsigned int node)
{
	const struct sim_local *local = sim_local(sim, node, volume);

	return local->mounted || local->route != OWN_ROUTE_NONE;
}

bool lun_land(struct sim *sim, unsigned int volume, uint32_t which)
{
	struct sim_lun *lun = &sim->lun[volume];
	struct sim_write write;

	if (!lun->count)
		return false;
	which %= lun->count;
	write = lun->writes[which];
	lun->writes[which] = lun->writes[--lun->count];
	if (write.doomed)
		sim_violated(sim, "volume %u: a write of node %u lands after its fence", volume,
			     write.node);
	if (write.metadata && write.node != lun->owner)
		sim_violated(sim, "volume %u: metadata of node %u lands, which node %u has mounted",
			     volume, write.node, lun->owner);
	if (lun->keys[write.node] && lun->keys[write.node] != write.incarnation &&
	    works(sim, volume, write.node))
		sim_violated(sim, "volume %u: a write of an earlier life of node %u lands", volume,
			     write.node);
	return true;
}

bool lun_in_flight(const struct sim_lun *lun, unsigned int node)
{
	unsigned int i;

	for (i = 0; i < lun->count; i++)
		if (lun->writes[i].node == node)
			return true;
	return false;
}

/* A reset ends when all has ended that was under way, whoever sent it. */
void lun_drain(struct sim_lun *lun)
{
	unsigned int i;

	for (i = 0; i < lun->count; i++)
		lun->writes[i].draining = true;
}

bool lun_draining(const struct sim_lun *lun)
{
	unsigned int i;

	for (i = 0; i < lun->count; i++)
		if (lun->writes[i].draining)
			return true;
	return false;
}

/*
 * From here on nothing of these nodes may land. What is left of an earlier life of the others was
 * sent after the drain had begun: they have crashed since, and another fence is for that.
 */
void lun_fenced(struct sim_lun *lun, own_nodes nodes)
{
	unsigned int i;

	for (i = 0; i < lun->count; i++)
		if (nodes & own_bit(lun->writes[i].node))
			lun->writes[i].doomed = true;
}

/* At most one node may write metadata. */
void lun_check(struct sim *sim, unsigned int volume)
{
	unsigned int node, writer = 0;
	struct sim_local *local;

	for (node = 1; node <= sim->nodes; node++) {
		local = sim_local(sim, node, volume);
		if (!local->mounted || sim->lun[volume].keys[node] != local->incarnation)
			continue;
		if (writer)
			sim_violated(sim, "volume %u: nodes %u and %u may both write metadata",
				     volume, writer, node);
		writer = node;
	}
}
