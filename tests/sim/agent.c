// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drives the machine on a node: what the agent will be, as far as the order of things goes.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void keep_timer(struct sim_node *self, const struct own_action *action)
{
	struct own_action *timer;
	unsigned int i;

	for (i = 0; i < self->timer_count; i++) {
		timer = &self->timers[i];
		if (timer->timer == action->timer && timer->volume == action->volume &&
		    timer->subject == action->subject) {
			*timer = *action;
			return;
		}
	}
	if (self->timer_count < SIM_TIMERS)
		self->timers[self->timer_count++] = *action;
}

static void carry_out(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	const struct own_action *action;
	size_t i;

	for (i = 0; i < self->actions.count; i++) {
		action = &self->actions.list[i];
		if (action->node != node)
			continue;
		if (action->type == OWN_ACT_TIMER)
			keep_timer(self, action);
		else
			work_told(sim, node, action);
	}
	self->actions.count = 0;
}

void agent_step(struct sim *sim, unsigned int node, const struct own_event *event)
{
	struct sim_node *self = &sim->node[node];

	ownership_step(&self->own, event, &self->actions);
	carry_out(sim, node);
	/* What has been said of this node may be wrong by now. */
	if (event->node == node && event->volume)
		agent_fact(sim, node, event->volume);
}

static bool changes_key(enum own_task task)
{
	return task == OWN_TASK_REGISTER || task == OWN_TASK_CLOSE;
}

/* Say what is so, and not as the state has it. */
void agent_fact(struct sim *sim, unsigned int node, unsigned int volume)
{
	struct sim_node *self = &sim->node[node];
	const struct sim_local *local = sim_local(sim, node, volume);
	struct own_facts facts = {
		.path = local->path,
		.held = local->held,
		.conflict = local->conflict,
		.busy = local->job.task || local->next.task,
		.changing_key = changes_key(local->job.task) || changes_key(local->next.task),
		.incarnation = local->incarnation,
		.mounted = local->mounted,
		.serving = local->serving,
		.session_epoch = local->session_epoch,
		.route = local->route,
	};
	struct own_event events[OWN_DIFFERS];
	unsigned int i, count;

	if (!self->running || !self->synced || !self->own.quorate)
		return;
	count = ownership_differs(ownership_volume(&self->own, volume), node, &facts, events);
	for (i = 0; i < count; i++)
		group_say(sim, node, &events[i]);
}

/*
 * All states are merged: the view is the first event. Timers of the old one are armed again by
 * it.
 */
void agent_synced(struct sim *sim, unsigned int node, const struct own_event *view)
{
	unsigned int volume;

	sim->node[node].timer_count = 0;
	agent_step(sim, node, view);
	for (volume = 1; volume <= sim->volumes; volume++)
		agent_fact(sim, node, volume);
}

bool agent_timer(struct sim *sim, unsigned int node, uint32_t which)
{
	struct sim_node *self = &sim->node[node];
	struct own_event event = { .type = OWN_EV_TIMER };
	struct own_action action;

	if (!self->alive || self->frozen || !self->running || !self->synced || self->pendings ||
	    !self->timer_count)
		return false;
	which %= self->timer_count;
	action = self->timers[which];
	/* In their order: number 0 is the oldest, and so each has its turn in the end. */
	memmove(&self->timers[which], &self->timers[which + 1],
		(--self->timer_count - which) * sizeof(*self->timers));
	event.timer = action.timer;
	event.volume = action.volume;
	event.node = action.subject;
	event.serial = action.serial;
	group_say(sim, node, &event);
	return true;
}

/* What it has on its own disk: which volumes there are. */
void agent_start(struct sim *sim, unsigned int node)
{
	sim->node[node].running = true;
	sim->node[node].began = ++sim->clock;
}

void agent_stop(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	unsigned int volume;

	self->running = false;
	self->timer_count = 0;
	ownership_restart(&self->own);
	for (volume = 1; volume <= sim->volumes; volume++)
		work_stop(sim_local(sim, node, volume));
	group_leave(sim, node);
}
