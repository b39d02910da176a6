// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O that a node's kernel holds: it has begun and can go nowhere. When others go on in the node's
 * place it is given up, and must never be done (I3). Nor must it fail if nobody may have given it
 * up (I7).
 */
#include "sim.h"

static bool key_there(const struct sim *sim, const struct sim_local *local, unsigned int node,
		      unsigned int volume)
{
	return local->told && sim->lun[volume].keys[node] == local->told;
}

/* Something is sent that has to wait for a session or a route. */
bool waits_begin(struct sim *sim, unsigned int node, unsigned int volume)
{
	struct sim_local *local = sim_local(sim, node, volume);

	if (!sim->node[node].alive || sim->node[node].frozen || !local->incarnation ||
	    local->conflict || local->mounted)
		return false;
	if (local->route != OWN_ROUTE_NONE && local->session)
		return false;
	local->waits = true;
	/* Who has no key may have been given up, whatever it lost it for; and who cannot see it. */
	local->lost_key |= !key_there(sim, local, node, volume) || !local->path;
	return true;
}

static void nothing(struct sim_local *local)
{
	local->waits = false;
	local->lost_key = false;
	local->given_up = 0;
}

/* Its kernel met a conflict, was told to close, or the state knows that it was given up. */
void waits_fail(struct sim *sim, unsigned int node, unsigned int volume)
{
	nothing(sim_local(sim, node, volume));
}

/* Nobody knows whether it was given up. */
void waits_look(struct sim *sim, unsigned int node, unsigned int volume)
{
	struct sim_local *local = sim_local(sim, node, volume);

	if (sim->command || key_there(sim, local, node, volume))
		return;
	if (local->waits && !local->lost_key)
		sim_violated(sim, "volume %u: what waits on node %u fails, which was never fenced",
			     volume, node);
	nothing(local);
}

/*
 * Who is here and was here then, too, knows of it, or was not in that quorum and may not
 * (Documentation/cluster.rst, "Given up").
 */
static bool all_restarted(const struct sim *sim, unsigned long since)
{
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++)
		if (sim->node[node].running && sim->node[node].began < since)
			return false;
	return true;
}

/* It goes on, through node @by: which gets nowhere itself without a key. */
void waits_go_on(struct sim *sim, unsigned int node, unsigned int volume, unsigned int by)
{
	struct sim_local *local = sim_local(sim, node, volume);

	if (!by || sim->lun[volume].keys[by] != sim_local(sim, by, volume)->incarnation)
		return;
	if (local->given_up && all_restarted(sim, local->given_up))
		sim_violated(sim, "volume %u: what waited on node %u is done after it was given up",
			     volume, node);
	nothing(local);
}

/* The LUN has no key of it any more, or it cannot see whether it has one. */
void waits_key_lost(struct sim *sim, unsigned int node, unsigned int volume)
{
	struct sim_local *local = sim_local(sim, node, volume);

	local->lost_key |= local->waits;
}

/* It has not begun anew since: with another key, or if there are none with another boot. */
static bool is_gone(const struct sim *sim, const struct own_volume *vol, unsigned int node)
{
	const struct sim_local *local = &sim->node[node].local[vol->id];

	return sim->command ? local->incarnation == vol->member[node - 1].incarnation :
			      !sim->lun[vol->id].keys[node];
}

/*
 * @node may change maps, and those who are not named hold nothing any more: others go on in their
 * place, and their sessions end.
 */
void waits_release(struct sim *sim, unsigned int node, unsigned int volume, own_nodes nodes)
{
	const struct ownership *own = &sim->node[node].own;
	const struct own_volume *vol = ownership_volume(own, volume);
	struct sim_local *local;
	unsigned int other;

	for (other = 1; other <= sim->nodes; other++) {
		if ((nodes | own->present | own->absent) & own_bit(other))
			continue;
		local = sim_local(sim, other, volume);
		if (is_gone(sim, vol, other) && local->waits)
			local->given_up = ++sim->clock;
		if (local->session == node) {
			local->session = 0;
			local->session_epoch = 0;
		}
	}
}
