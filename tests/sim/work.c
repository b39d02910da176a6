// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks on a node: its kernel, its mount, its key. A task takes a few steps, between which anything
 * may happen.
 */
#include <string.h>

#include "sim.h"

/* -1 in place of a result: not yet. */
#define NOT_YET -1

struct work {
	struct sim *sim;
	unsigned int node;
	unsigned int volume;
	struct sim_node *self;
	struct sim_local *local;
	struct sim_lun *lun;
	struct sim_job *job;
	uint64_t epoch; /* that it reports */
};

static bool has_key(const struct work *work)
{
	return work->local->incarnation && work->lun->keys[work->node] == work->local->incarnation;
}

/* End everything that this node's kernel does with the volume. */
static void abandon(struct work *work)
{
	work->local->mounted = false;
	work->local->serving = 0;
	work->local->changes = false;
	work->local->session = 0;
	work->local->session_epoch = 0;
	work->local->route = OWN_ROUTE_NONE;
	work->local->held = false;
}

static bool own_in_flight(const struct work *work, bool metadata)
{
	const struct sim_write *write;
	unsigned int i;

	for (i = 0; i < work->lun->count; i++) {
		write = &work->lun->writes[i];
		if (write->node == work->node && write->life == work->self->life &&
		    (!metadata || write->metadata))
			return true;
	}
	return false;
}

/* Result if the LUN cannot be written; OWN_OK. */
static int writable(struct work *work)
{
	if (!work->local->path)
		return OWN_NO_PATH;
	if (has_key(work))
		return OWN_OK;
	work->local->conflict = true;
	return OWN_CONFLICT;
}

static int do_register(struct work *work)
{
	if (!work->job->stage++) {
		abandon(work);
		return NOT_YET;
	}
	if (own_in_flight(work, false))
		return NOT_YET;
	if (work->job->action.expelled == OWN_EXPELLED)
		waits_fail(work->sim, work->node, work->volume);
	work->local->incarnation = work->job->action.incarnation;
	if (!work->local->path)
		return OWN_NO_PATH;
	if (work->job->action.expelled)
		waits_look(work->sim, work->node, work->volume);
	work->local->conflict = false;
	/* The new one says nothing before it is told to go on with it. */
	waits_key_lost(work->sim, work->node, work->volume);
	work->lun->keys[work->node] = work->local->incarnation;
	return OWN_OK;
}

/* By the key: a node that is kept may have another than this one knows of. */
static bool kept(const struct work *work, unsigned int node)
{
	const struct sim_job *job = work->job;

	return job->action.nodes & own_bit(node) && job->incarnation[node] == work->lun->keys[node];
}

static void remove_keys(struct work *work)
{
	unsigned int node;

	for (node = 1; node <= work->sim->nodes; node++) {
		if (kept(work, node))
			continue;
		work->lun->keys[node] = 0;
		waits_key_lost(work->sim, node, work->volume);
	}
}

static int verify_keys(struct work *work)
{
	unsigned int node;

	for (node = 1; node <= work->sim->nodes; node++)
		if (work->lun->keys[node] && !kept(work, node))
			return OWN_FAILED;
	lun_fenced(work->lun, ~work->job->action.nodes);
	work->epoch = work->lun->header;
	return OWN_OK;
}

/* By a program: whoever has to be off is. */
static int switch_off(struct work *work)
{
	const struct ownership *own = &work->self->own;
	const struct own_volume *vol = ownership_volume(own, work->volume);
	struct own_victims victims = ownership_victims(own, vol, &work->job->action);
	own_nodes off = victims.off | victims.forgotten;
	unsigned int node;

	if (!victims.current || victims.spared)
		return OWN_FAILED;
	if (off & own_bit(work->node))
		sim_violated(work->sim, "volume %u: node %u switches itself off", work->volume,
			     work->node);
	own_for_each(node, off)
		if (node <= work->sim->nodes)
			sim_crash(work->sim, node);
	lun_drain(work->lun);
	work->job->off = off;
	work->job->stage++;
	return NOT_YET;
}

static int fence_by_command(struct work *work)
{
	if (!work->local->path)
		return OWN_NO_PATH;
	switch (work->job->stage) {
	case 0:
		return switch_off(work);
	case 1:
		if (!work->sim->drain || !lun_draining(work->lun))
			work->job->stage++;
		return NOT_YET;
	default:
		lun_fenced(work->lun, work->job->off);
		work->epoch = work->lun->header;
		return OWN_OK;
	}
}

static int do_fence(struct work *work)
{
	int result = writable(work);

	if (work->sim->command)
		return fence_by_command(work);
	if (result != OWN_OK)
		return result;
	switch (work->job->stage) {
	case 0:
		remove_keys(work);
		lun_drain(work->lun);
		work->job->stage++;
		return NOT_YET;
	case 1:
		if (!work->sim->drain || !lun_draining(work->lun))
			work->job->stage++;
		return NOT_YET;
	default:
		return verify_keys(work);
	}
}

static int do_barrier(struct work *work)
{
	work->local->session = 0;
	work->local->session_epoch = 0;
	work->local->mounted = false;
	work->local->serving = 0;
	work->local->changes = false;
	/* Without layouts nothing is direct. */
	if ((work->sim->command && work->job->action.fenced) || work->job->action.apart)
		work->local->route = OWN_ROUTE_NONE;
	if (work->job->action.expelled)
		work->local->route = OWN_ROUTE_NONE;
	if (own_in_flight(work, work->local->route != OWN_ROUTE_NONE))
		return NOT_YET;
	if (work->job->action.expelled)
		waits_fail(work->sim, work->node, work->volume);
	return OWN_OK;
}

static int do_mount(struct work *work)
{
	int result = writable(work);

	if (result != OWN_OK)
		return result;
	waits_go_on(work->sim, work->node, work->volume, work->node);
	work->local->mounted = true;
	work->local->route = OWN_ROUTE_DIRECT;
	work->local->held = false;
	work->lun->owner = work->node;
	return OWN_OK;
}

static int do_epoch(struct work *work)
{
	uint64_t epoch = work->job->action.epoch;
	int result = writable(work);

	if (result != OWN_OK)
		return result;
	if (!work->local->mounted)
		return OWN_FAILED;
	if (epoch <= work->lun->header)
		epoch = work->lun->header + 1;
	work->lun->header = epoch;
	work->epoch = epoch;
	return OWN_OK;
}

/* Whoever was here when it was told to serve must have left the old coordinator. */
static void check_listeners(struct work *work)
{
	const struct sim_local *local;
	unsigned int node;

	own_for_each(node, work->job->present) {
		local = sim_local(work->sim, node, work->volume);
		if (node != work->node && local->session && local->session != work->node)
			sim_violated(work->sim, "volume %u: node %u serves while %u listens to %u",
				     work->volume, work->node, node, local->session);
	}
}

static int do_serve(struct work *work)
{
	uint64_t epoch = work->job->action.epoch;

	if (!work->local->mounted)
		return OWN_FAILED;
	if (work->local->serving == epoch)
		return OWN_OK;
	/* One that has been fenced in its sleep does no harm. */
	if (has_key(work))
		check_listeners(work);
	if (epoch <= work->lun->served && has_key(work))
		sim_violated(work->sim, "volume %u: node %u serves at epoch %llu after %llu",
			     work->volume, work->node, (unsigned long long)epoch,
			     (unsigned long long)work->lun->served);
	if (epoch > work->lun->served)
		work->lun->served = epoch;
	work->local->serving = epoch;
	return OWN_OK;
}

static int do_connect(struct work *work)
{
	const struct own_action *action = &work->job->action;
	struct sim_node *other = &work->sim->node[action->other];

	if (action->other == work->node || !other->alive || other->frozen ||
	    other->deaf & own_bit(work->node) ||
	    other->part != work->self->part ||
	    sim_local(work->sim, action->other, work->volume)->serving != action->epoch)
		return OWN_FAILED;
	if (work->local->mounted)
		sim_violated(work->sim, "volume %u: node %u connects, and has it mounted",
			     work->volume, work->node);
	waits_go_on(work->sim, work->node, work->volume, action->other);
	work->local->session = action->other;
	work->local->session_epoch = action->epoch;
	return OWN_OK;
}

/* From here on the map may be changed under whoever the coordinator does not know of. */
static int do_release(struct work *work)
{
	const struct sim_local *local;
	unsigned int node;

	if (!work->local->serving)
		return OWN_FAILED;
	if (has_key(work))
		waits_release(work->sim, work->node, work->volume, work->job->action.nodes);
	if (work->local->changes)
		return OWN_OK;
	for (node = 1; node <= work->sim->nodes && has_key(work); node++) {
		local = sim_local(work->sim, node, work->volume);
		if (node == work->node || !local->incarnation || local->route != OWN_ROUTE_DIRECT ||
		    work->lun->keys[node] != local->incarnation)
			continue;
		if (local->session != work->node || local->session_epoch != work->local->serving)
			sim_violated(work->sim, "volume %u: %u changes maps, %u has not reported",
				     work->volume, work->node, node);
	}
	work->local->changes = true;
	return OWN_OK;
}

static int do_unmount(struct work *work)
{
	if (!work->local->mounted)
		return OWN_OK;
	if (own_in_flight(work, true) || !work->local->path || work->local->held)
		return NOT_YET;
	if (!has_key(work)) {
		abandon(work);
		work->local->conflict = true;
		return OWN_CONFLICT;
	}
	work->local->mounted = false;
	work->local->serving = 0;
	work->local->changes = false;
	return OWN_OK;
}

static int do_route(struct work *work)
{
	enum own_route route = work->job->action.route;

	/* That is for another key than it has. */
	if (route == OWN_ROUTE_BLOCK && work->local->incarnation &&
	    work->local->incarnation != work->job->action.incarnation)
		return OWN_FAILED;
	if (route == OWN_ROUTE_BLOCK && lun_in_flight(work->lun, work->node))
		sim_violated(work->sim, "volume %u: node %u is redirected with writes under way",
			     work->volume, work->node);
	waits_go_on(work->sim, work->node, work->volume,
		    route == OWN_ROUTE_DIRECT ? work->node : work->local->session);
	work->local->route = route;
	work->local->held = false;
	return OWN_OK;
}

static int do_close(struct work *work)
{
	if (!work->job->stage++) {
		abandon(work);
		return NOT_YET;
	}
	if (own_in_flight(work, false))
		return NOT_YET;
	if (!work->local->path)
		return OWN_NO_PATH;
	waits_fail(work->sim, work->node, work->volume);
	work->lun->keys[work->node] = 0;
	work->local->incarnation = 0;
	work->local->told = 0;
	work->local->conflict = false;
	return OWN_OK;
}

static int (*const tasks[OWN_TASKS])(struct work *work) = {
	[OWN_TASK_REGISTER] = do_register, [OWN_TASK_FENCE] = do_fence,
	[OWN_TASK_BARRIER] = do_barrier,   [OWN_TASK_MOUNT] = do_mount,
	[OWN_TASK_WRITE_EPOCH] = do_epoch, [OWN_TASK_SERVE] = do_serve,
	[OWN_TASK_CONNECT] = do_connect,   [OWN_TASK_RELEASE] = do_release,
	[OWN_TASK_UNMOUNT] = do_unmount,
	[OWN_TASK_ROUTE] = do_route,	   [OWN_TASK_CLOSE] = do_close,
};

static void begin_next(struct sim_local *local)
{
	local->job = local->next;
	memset(&local->next, 0, sizeof(local->next));
}

static void answer(struct work *work, enum own_result result)
{
	struct sim_local *local = work->local;

	local->answered = work->job->serial;
	local->answer = (struct own_event){
		.type = OWN_EV_DONE,
		.node = work->node,
		.volume = work->volume,
		.serial = work->job->serial,
		.result = result,
		.epoch = work->epoch,
	};
	memset(&local->job, 0, sizeof(local->job));
	/* Nobody waits for it when something newer has been told. */
	if (local->next.task)
		begin_next(local);
	else
		group_say(work->sim, work->node, &local->answer);
}

/* See kernel_told(). */
static void told(struct sim_local *local)
{
	const struct own_action *action = &local->job.action;

	if (action->task != OWN_TASK_REGISTER && action->task != OWN_TASK_CLOSE &&
	    !action->fenced && action->incarnation == local->incarnation)
		local->told = local->incarnation;
}

bool work_go_on(struct sim *sim, unsigned int node, unsigned int volume)
{
	struct sim_node *self = &sim->node[node];
	struct sim_local *local = sim_local(sim, node, volume);
	struct work work = {
		.sim = sim,
		.node = node,
		.volume = volume,
		.self = self,
		.local = local,
		.lun = &sim->lun[volume],
		.job = &local->job,
	};
	unsigned int stage = local->job.stage;
	int result;

	if (!self->alive || self->frozen || !self->running || !local->job.task)
		return false;
	if (local->trouble && (stage || local->job.task != OWN_TASK_FENCE)) {
		local->trouble = false;
		answer(&work, OWN_FAILED);
		return true;
	}
	told(local);
	result = tasks[local->job.task](&work);
	if (result == NOT_YET)
		return local->job.stage != stage;
	answer(&work, result);
	return true;
}

/* These make the kernel fail what waits for the LUN. */
static bool breaks_off(enum own_task task)
{
	return task == OWN_TASK_REGISTER || task == OWN_TASK_BARRIER || task == OWN_TASK_CLOSE;
}

void work_told(struct sim *sim, unsigned int node, const struct own_action *action)
{
	struct own_volume *vol = ownership_volume(&sim->node[node].own, action->volume);
	struct sim_local *local = sim_local(sim, node, action->volume);
	unsigned int member;

	if ((local->job.task && local->job.serial == action->serial) ||
	    (local->next.task && local->next.serial == action->serial))
		return;
	if (local->answered == action->serial) {
		group_say(sim, node, &local->answer);
		return;
	}
	local->next = (struct sim_job){
		.task = action->task,
		.serial = action->serial,
		.action = *action,
		.present = sim->node[node].own.present,
	};
	own_for_each(member, action->task == OWN_TASK_FENCE ? action->nodes : 0)
		local->next.incarnation[member] = own_member(vol, member)->incarnation;
	if (!local->job.task || breaks_off(action->task))
		begin_next(local);
}

/* The agent has ended, and everything that it did. */
void work_stop(struct sim_local *local)
{
	memset(&local->job, 0, sizeof(local->job));
	memset(&local->next, 0, sizeof(local->next));
	local->answered = 0;
	local->trouble = false;
}
