// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated cluster as a whole: what may happen to it, and that it comes to rest.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Steps within which a cluster that is left alone has to come to rest, for each node and volume. */
#define SETTLE_STEPS 300
/* The same, and then nothing more changes, if some get no session. */
#define UNREACHED_STEPS 200
#define UNREACHED_NODES 8

void sim_violated(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (sim->violation[0])
		return;
	sim->kind = format;
	va_start(args, format);
	vsnprintf(sim->violation, sizeof(sim->violation), format, args);
	va_end(args);
}

/* Of the choice that is being carried out: the same whenever it is repeated in the same state. */
unsigned int sim_random(struct sim *sim, unsigned int below)
{
	sim->salt = sim->salt * 1664525 + 1013904223;
	return (sim->salt >> 8) % below;
}

struct sim_local *sim_local(struct sim *sim, unsigned int node, unsigned int volume)
{
	return &sim->node[node].local[volume];
}

static void add_volumes(struct sim *sim, struct ownership *own)
{
	struct own_event event = { .type = OWN_EV_VIEW, .nodes = 1, .up = 1, .quorate = true };
	struct own_actions actions = { 0 };
	uint32_t id;

	ownership_init(own, sim->two_node);
	ownership_step(own, &event, &actions);
	for (id = 1; id <= sim->volumes; id++) {
		event = (struct own_event){ .type = OWN_EV_ADD, .uuid = { id } };
		snprintf(event.name, sizeof(event.name), "vol%u", id);
		ownership_step(own, &event, &actions);
		event = (struct own_event){ .type = OWN_EV_START, .volume = id };
		ownership_step(own, &event, &actions);
	}
	free(actions.list);
	ownership_restart(own);
}

void sim_init(struct sim *sim, unsigned int nodes, unsigned int volumes, bool two_node)
{
	struct ownership own;
	unsigned int node, volume;

	memset(sim, 0, sizeof(*sim));
	sim->nodes = nodes;
	sim->volumes = volumes;
	sim->two_node = two_node;
	sim->drain = true;
	sim->node = calloc(nodes + 1, sizeof(*sim->node));
	sim->lun = calloc(volumes + 1, sizeof(*sim->lun));
	add_volumes(sim, &own);
	for (node = 1; node <= nodes; node++) {
		ownership_copy(&sim->node[node].own, &own);
		sim->node[node].alive = true;
		sim->node[node].local = calloc(volumes + 1, sizeof(struct sim_local));
		for (volume = 1; volume <= volumes; volume++)
			sim_local(sim, node, volume)->path = true;
		agent_start(sim, node);
	}
	ownership_exit(&own);
	group_changed(sim);
}

void sim_exit(struct sim *sim)
{
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++) {
		group_leave(sim, node);
		ownership_exit(&sim->node[node].own);
		free(sim->node[node].actions.list);
		free(sim->node[node].local);
	}
	free(sim->node);
	free(sim->lun);
}

bool sim_crash(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	struct sim_local *local;
	unsigned int volume;
	bool path;

	if (!self->alive)
		return false;
	if (self->running)
		agent_stop(sim, node);
	self->alive = false;
	self->frozen = false;
	self->life++;
	for (volume = 1; volume <= sim->volumes; volume++) {
		local = sim_local(sim, node, volume);
		path = local->path;
		memset(local, 0, sizeof(*local));
		local->path = path;
	}
	group_changed(sim);
	return true;
}

static bool boot(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];

	if (self->alive)
		return false;
	self->alive = true;
	agent_start(sim, node);
	group_changed(sim);
	return true;
}

static bool agent(struct sim *sim, unsigned int node, bool run)
{
	struct sim_node *self = &sim->node[node];

	if (!self->alive || self->frozen || self->running == run)
		return false;
	if (run)
		agent_start(sim, node);
	else
		agent_stop(sim, node);
	group_changed(sim);
	return true;
}

/* An upgrade, say. */
static bool kill_all(struct sim *sim)
{
	bool any = false;
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++)
		any |= agent(sim, node, false);
	return any;
}

static bool freeze(struct sim *sim, unsigned int node, bool frozen)
{
	struct sim_node *self = &sim->node[node];

	if (!self->alive || self->frozen == frozen)
		return false;
	self->frozen = frozen;
	group_changed(sim);
	return true;
}

static bool split(struct sim *sim, unsigned int node, unsigned int part)
{
	if (sim->node[node].part == part)
		return false;
	sim->node[node].part = part;
	group_changed(sim);
	return true;
}

static bool heal(struct sim *sim)
{
	bool split_up = false;
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++) {
		split_up |= sim->node[node].part != 0;
		sim->node[node].part = 0;
	}
	if (split_up)
		group_changed(sim);
	return split_up;
}

static bool path(struct sim *sim, unsigned int node, unsigned int volume, bool good)
{
	struct sim_local *local = sim_local(sim, node, volume);

	if (local->path == good)
		return false;
	local->path = good;
	if (!good)
		waits_key_lost(sim, node, volume);
	if (!good && (local->route == OWN_ROUTE_DIRECT || local->mounted)) {
		local->held = true;
		local->route = OWN_ROUTE_NONE;
	}
	agent_fact(sim, node, volume);
	return true;
}

static own_nodes some_nodes(const struct sim *sim, uint32_t arg)
{
	return own_bit(1 + arg % sim->nodes) | own_bit(1 + (arg >> 8) % sim->nodes);
}

/* The administrator, on some node. */
static bool command(struct sim *sim, unsigned int node, unsigned int volume, uint32_t arg)
{
	struct own_event event = { .volume = volume, .on = arg & 16 };

	arg >>= 5;
	switch (arg % 11) {
	case 0:
	case 1:
	case 2:
		event.type = OWN_EV_MOVE;
		event.node = 1 + (arg >> 8) % sim->nodes;
		break;
	case 3:
		event.type = OWN_EV_STOP;
		break;
	case 4:
	case 5:
		event.type = OWN_EV_START;
		break;
	case 6:
		event.type = OWN_EV_REDIRECT;
		break;
	case 7:
		event.type = OWN_EV_MAINTENANCE;
		break;
	case 8:
		event.type = OWN_EV_PREFER;
		event.nodes = event.on ? some_nodes(sim, arg >> 8) : 0;
		break;
	case 9:
		event.type = OWN_EV_FENCE_ALWAYS;
		break;
	default:
		event.type = OWN_EV_FENCE_WANTED;
		event.node = 1 + (arg >> 8) % sim->nodes;
		break;
	}
	group_say(sim, node, &event);
	return true;
}

static bool deliver(struct sim *sim, unsigned int node, unsigned int most)
{
	bool any = false;

	while (most-- && group_deliver(sim, node)) {
		any = true;
		sim->steps++;
	}
	/* The last is counted like any other step. */
	if (any)
		sim->steps--;
	return any;
}

static bool trouble(struct sim *sim, unsigned int node, unsigned int volume)
{
	sim_local(sim, node, volume)->trouble = true;
	return true;
}

static bool deafen(struct sim *sim, unsigned int node, own_nodes deaf)
{
	if (sim->node[node].deaf == deaf)
		return false;
	sim->node[node].deaf = deaf;
	return true;
}

static bool act(struct sim *sim, const struct sim_choice *choice, unsigned int node,
		unsigned int volume)
{
	switch (choice->kind) {
	case SIM_DELIVER:
		return deliver(sim, node, 1 + choice->arg % 16);
	case SIM_WORK:
		return work_go_on(sim, node, volume);
	case SIM_LAND:
		return lun_land(sim, volume, choice->arg);
	case SIM_WRITE:
		return lun_write(sim, node, volume, choice->arg & 1);
	case SIM_WAIT:
		return waits_begin(sim, node, volume);
	case SIM_TIMER:
		return agent_timer(sim, node, choice->arg);
	case SIM_CRASH:
		return sim_crash(sim, node);
	case SIM_BOOT:
		return boot(sim, node);
	case SIM_KILL:
		return agent(sim, node, false);
	case SIM_KILL_ALL:
		return kill_all(sim);
	case SIM_SPAWN:
		return agent(sim, node, true);
	case SIM_FREEZE:
		return freeze(sim, node, true);
	case SIM_THAW:
		return freeze(sim, node, false);
	case SIM_SPLIT:
		return split(sim, node, choice->arg % 3);
	case SIM_HEAL:
		return heal(sim);
	case SIM_CUT:
		return path(sim, node, volume, false);
	case SIM_MEND:
		return path(sim, node, volume, true);
	case SIM_TROUBLE:
		return trouble(sim, node, volume);
	case SIM_DEAF:
		return deafen(sim, node, choice->arg & 1 ? ~0ULL : choice->arg >> 1);
	case SIM_HEAR:
		return deafen(sim, node, 0);
	default:
		return command(sim, node, volume, choice->arg);
	}
}

/* false: there was nothing to do. */
bool sim_apply(struct sim *sim, const struct sim_choice *choice)
{
	unsigned int node = 1 + choice->node % sim->nodes;
	unsigned int volume = 1 + choice->volume % sim->volumes;

	sim->salt = choice->arg;
	if (!act(sim, choice, node, volume))
		return false;
	sim->steps++;
	lun_check(sim, volume);
	return true;
}

static void repair(struct sim *sim)
{
	unsigned int node, volume;

	heal(sim);
	for (node = 1; node <= sim->nodes; node++) {
		freeze(sim, node, false);
		deafen(sim, node, 0);
		boot(sim, node);
		agent(sim, node, true);
		for (volume = 1; volume <= sim->volumes; volume++) {
			sim_local(sim, node, volume)->trouble = false;
			path(sim, node, volume, true);
		}
	}
}

/* All that can be done but for waiting for a timer. */
static bool progress(struct sim *sim)
{
	struct sim_choice choice = { 0 };
	bool any = false;
	unsigned int node, volume;

	for (volume = 0; volume < sim->volumes; volume++) {
		choice = (struct sim_choice){ .kind = SIM_LAND, .volume = volume };
		while (sim_apply(sim, &choice))
			any = true;
	}
	for (node = 0; node < sim->nodes; node++) {
		choice = (struct sim_choice){ .kind = SIM_DELIVER, .node = node, .arg = 15 };
		while (sim_apply(sim, &choice))
			any = true;
		choice.kind = SIM_WORK;
		for (volume = 0; volume < sim->volumes; volume++) {
			choice.volume = volume;
			any |= sim_apply(sim, &choice);
		}
	}
	return any;
}

static bool timers(struct sim *sim)
{
	struct sim_choice choice = { .kind = SIM_TIMER };
	bool any = false;

	for (choice.node = 0; choice.node < sim->nodes; choice.node++)
		any |= sim_apply(sim, &choice);
	return any;
}

/* Who was switched off meanwhile is switched on. */
static bool power(struct sim *sim)
{
	bool any = false;
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++)
		any |= boot(sim, node);
	return any;
}

static void check_node(struct sim *sim, struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = own_member(vol, node);
	const struct sim_local *local = sim_local(sim, node, vol->id);
	enum own_route route = vol->redirect ? OWN_ROUTE_FS : OWN_ROUTE_DIRECT;

	if (member->route != route || local->route != route)
		sim_violated(sim, "volume %u: at rest, and node %u has route %u (%u)", vol->id,
			     node, local->route, member->route);
	if (member->incarnation != local->incarnation)
		sim_violated(sim, "volume %u: at rest, and node %u has another key", vol->id, node);
	if (node != vol->coordinator && local->session != vol->coordinator)
		sim_violated(sim, "volume %u: at rest, and node %u has no session", vol->id, node);
}

static void check_stopped(struct sim *sim, const struct own_volume *vol)
{
	const struct sim_local *local;
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++) {
		local = sim_local(sim, node, vol->id);
		if (local->incarnation || local->mounted || local->session || local->route)
			sim_violated(sim, "volume %u: stopped, and node %u has it", vol->id, node);
	}
}

static void check_volume(struct sim *sim, struct own_volume *vol, own_nodes here)
{
	const struct sim_local *local;
	unsigned int node;

	if (vol->phase == OWN_STOPPED)
		check_stopped(sim, vol);
	if (vol->wanted != OWN_WANT_STARTED) {
		if (vol->phase != (vol->wanted ? OWN_MAINTENANCE : OWN_STOPPED))
			sim_violated(sim, "volume %u: at rest in phase %s", vol->id,
				     own_phase_name(vol->phase));
		return;
	}
	if (vol->phase != OWN_ONLINE) {
		sim_violated(sim, "volume %u: at rest in phase %s, and nobody serves", vol->id,
			     own_phase_name(vol->phase));
		return;
	}
	local = sim_local(sim, vol->coordinator, vol->id);
	if (!local->mounted || local->serving != vol->epoch)
		sim_violated(sim, "volume %u: node %u is coordinator and does not serve", vol->id,
			     vol->coordinator);
	own_for_each(node, here)
		check_node(sim, vol, node);
}

/* Where nobody has said anything about where volumes should be. */
static void check_spread(struct sim *sim, const struct ownership *own, own_nodes here)
{
	unsigned int counts[OWN_NODES + 1] = { 0 }, node, most = 0, least = OWN_VOLUMES;
	size_t i;

	for (i = 0; i < own->count; i++) {
		if (own->volumes[i]->preferred || own->volumes[i]->placed ||
		    own->volumes[i]->phase != OWN_ONLINE)
			return;
		counts[own->volumes[i]->coordinator]++;
	}
	own_for_each(node, here) {
		if (counts[node] > most)
			most = counts[node];
		/* Who was reached by nobody is given nothing. */
		if (counts[node] < least && !(own->unreached & own_bit(node)))
			least = counts[node];
	}
	if (most > least + 1)
		sim_violated(sim, "at rest, and one node has %u volumes, another %u", most, least);
}

static own_nodes alive(const struct sim *sim)
{
	own_nodes nodes = 0;
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++)
		if (sim->node[node].alive)
			nodes |= own_bit(node);
	return nodes;
}

static void check_rest(struct sim *sim)
{
	own_nodes here = alive(sim);
	const struct ownership *own = &sim->node[own_first(here)].own;
	unsigned int node;
	size_t i;

	own_for_each(node, here)
		if (!sim->node[node].synced || !sim->node[node].own.quorate)
			sim_violated(sim, "at rest, and node %u is not in sync", node);
	for (i = 0; i < own->count; i++)
		check_volume(sim, own->volumes[i], here);
	check_spread(sim, own, here);
}

static void come_to_rest(struct sim *sim, bool (*go_on)(struct sim *sim))
{
	unsigned long limit =
		sim->steps + (unsigned long)SETTLE_STEPS * sim->nodes * (sim->nodes + sim->volumes);

	while (!sim->violation[0] && go_on(sim))
		if (sim->steps > limit)
			sim_violated(sim, "does not come to rest");
	if (!sim->violation[0])
		check_rest(sim);
}

static bool anything(struct sim *sim)
{
	return progress(sim) || timers(sim) || power(sim);
}

/* All is well again, and nothing more happens: every volume has to be served in the end. */
void sim_settle(struct sim *sim)
{
	sim->salt = 0;
	repair(sim);
	come_to_rest(sim, anything);
}

/* The same among those who are alive, without a repair, and before any timer ends. */
void sim_rest(struct sim *sim)
{
	sim->salt = 0;
	come_to_rest(sim, progress);
}

/* Nobody has lost a key and not noticed it: it would be fenced when it does. */
static bool keys_good(const struct sim *sim)
{
	unsigned int node, volume;

	for (node = 1; node <= sim->nodes; node++)
		for (volume = 1; volume <= sim->volumes; volume++)
			if (sim->lun[volume].keys[node] !=
			    sim->node[node].local[volume].incarnation)
				return false;
	return true;
}

/* To all, but for one that hears everybody. One of those who do not. */
static unsigned int deafen_some(struct sim *sim)
{
	unsigned int first = 1 + sim_random(sim, sim->nodes), node;
	unsigned int hears = 1 + (first + sim_random(sim, sim->nodes - 1)) % sim->nodes;

	for (node = 1; node <= sim->nodes; node++)
		if (node != hears && (node == first || sim_random(sim, 3) == 0))
			deafen(sim, node, ~0ULL);
	return first;
}

/* To anybody, up to all to all. */
static unsigned int deafen_any(struct sim *sim)
{
	own_nodes either = sim_random(sim, 3) ? 0 : ~0ULL;
	unsigned int node;

	for (node = 1; node <= sim->nodes; node++)
		deafen(sim, node, either | sim_random(sim, 1 << 16));
	return 1 + sim_random(sim, sim->nodes);
}

static uint64_t keys_of(const struct sim *sim)
{
	unsigned int node, volume;
	uint64_t sum = 0;

	for (node = 1; node <= sim->nodes; node++)
		for (volume = 1; volume <= sim->volumes; volume++)
			sum += sim->node[node].local[volume].incarnation;
	return sum;
}

static void move(struct sim *sim, unsigned int node)
{
	struct own_event event = { .type = OWN_EV_MOVE, .node = node };

	event.volume = 1 + sim_random(sim, sim->volumes);
	group_say(sim, node, &event);
}

/* Who gets no session tries again without end: there is no rest. */
static void go_on(struct sim *sim)
{
	const struct ownership *own = &sim->node[1].own;
	unsigned long limit = sim->steps + (unsigned long)UNREACHED_STEPS * sim->nodes *
						   (sim->nodes + sim->volumes);
	size_t i;

	while (!sim->violation[0] && sim->steps < limit && anything(sim))
		;
	for (i = 0; i < own->count && !sim->violation[0]; i++)
		if (own->volumes[i]->wanted == OWN_WANT_STARTED &&
		    own->volumes[i]->phase != OWN_ONLINE)
			sim_violated(sim, "volume %u: in phase %s, and goes to and fro",
				     own->volumes[i]->id,
				     own_phase_name(own->volumes[i]->phase));
}

/*
 * All are well, but that some nodes give a session to nobody, and a volume moves to one of them:
 * somebody else has it in the end, and everybody a session. Then, that some do not give one to
 * some: each volume is served in the end, and everybody has a session as soon as he gets one. And
 * nobody is fenced for it: the keys that a node registers only grow.
 */
void sim_unreached(struct sim *sim)
{
	uint64_t keys;

	if (sim->nodes < 2 || !keys_good(sim))
		return;
	keys = keys_of(sim);
	sim->salt = sim->steps;
	move(sim, deafen_some(sim));
	come_to_rest(sim, anything);
	if (sim->nodes <= UNREACHED_NODES) {
		sim->salt = sim->steps;
		move(sim, deafen_any(sim));
		go_on(sim);
		repair(sim);
		come_to_rest(sim, anything);
	}
	if (!sim->violation[0] && keys_of(sim) != keys)
		sim_violated(sim, "somebody is fenced because he gets no session");
}

void sim_print(const struct sim *sim, const struct sim_choice *choice)
{
	static const char *const names[SIM_KINDS] = {
		"deliver",     "work",	     "land",	    "write",  "wait",  "timer",
		"crash",       "boot",	     "kill-agent",  "kill-agents",
		"start-agent", "freeze",     "thaw",	    "split",  "heal",  "cut-path",
		"mend-path",   "trouble",    "deaf",	    "hear",   "command",
	};

	printf("# %-11s node %-2u volume %u (%u)\n", names[choice->kind],
	       1 + choice->node % sim->nodes, 1 + choice->volume % sim->volumes, choice->arg);
}

static void dump_member(const struct own_member *member, const struct sim_local *local,
			unsigned int node)
{
	static const char *const accesses[OWN_ACCESSES] = { "-", "maybe", "key" };

	printf("#   node %-2u %-5s route %u task %s%s%s%s%s%s | key %llx, session %u%s%s%s, %s\n",
	       node, accesses[member->access], member->route, own_task_name(member->task),
	       member->retry ? " waits" : "", member->no_path ? " no-path" : "",
	       member->damped ? " damped" : "", member->path_timer ? " path-timer" : "",
	       member->locked_out ? " locked-out" : "",
	       (unsigned long long)local->incarnation, local->session,
	       local->mounted ? " mounted" : "", local->conflict ? " conflict" : "",
	       local->path ? "" : " no-path", own_task_name(local->job.task));
}

/* How each volume stands, as each node that knows something else than the one before sees it. */
void sim_dump(struct sim *sim)
{
	struct own_volume *vol;
	struct ownership *own;
	unsigned int viewer, node;
	size_t i;

	for (viewer = 1; viewer <= sim->nodes; viewer++) {
		own = &sim->node[viewer].own;
		printf("# node %u: view %u.%llu%s%s\n", viewer, own->view,
		       (unsigned long long)own->seq, own->quorate ? "" : ", no quorum",
		       sim->node[viewer].synced ? "" : ", not in sync");
		for (i = 0; i < own->count; i++) {
			vol = own->volumes[i];
			printf("#  volume %u: %s, wanted %u, by %u, to %u, epoch %llu%s%s%s%s\n",
			       vol->id, own_phase_name(vol->phase), vol->wanted, vol->coordinator,
			       vol->target, (unsigned long long)vol->epoch,
			       vol->retry ? ", waits" : "", vol->fencer ? ", fences" : "",
			       vol->evict ? ", evicts" : "",
			       vol->booted ? ", some for having booted" : "");
			for (node = 1; node <= sim->nodes && sim->nodes < 8; node++)
				dump_member(own_member(vol, node), sim_local(sim, node, vol->id),
					    node);
		}
	}
}
