// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is told to whom. A node has at most one task of a volume at a time; it stays in the state
 * until it is answered, so that whoever joins, or comes back, can be told again. Serials make
 * answers and timers that are out of date recognizable.
 */
#include <stdlib.h>

#include "internal.h"

#define RETRY_MS 250
#define RETRY_SHIFT 7
#define DAMP_MS 1000
#define DAMP_SHIFT 8
#define QUIET_MS 600000
#define GRACE_MS 10000

/*
 * An agent that left an event out would no longer have the state of the others. It ends instead;
 * the kernel goes on, and the agent comes back to a state from another node.
 */
void *own_alloc(void *old, size_t size)
{
	void *new = realloc(old, size);

	if (!new)
		abort();
	return new;
}

static void append(struct own_step *step, const struct own_action *action)
{
	struct own_actions *actions = step->actions;

	if (actions->count == actions->room) {
		actions->room = actions->room ? 2 * actions->room : 16;
		actions->list = own_alloc(actions->list, actions->room * sizeof(*actions->list));
	}
	actions->list[actions->count++] = *action;
}

/*
 * Two parts of a cluster that has come apart may both go on for an event or two; a number is not
 * given twice for all that, as who goes on for longer does so in a later view.
 */
static uint64_t next_serial(const struct ownership *own, uint64_t *serial)
{
	uint64_t first = (uint64_t)own->view << 32;

	if (*serial < first)
		*serial = first;
	return ++*serial;
}

bool own_task_idle(const struct own_volume *vol, unsigned int node)
{
	return vol->member[node - 1].task == OWN_TASK_NONE && !vol->member[node - 1].retry;
}

own_nodes ownership_holders(const struct ownership *own, const struct own_volume *vol)
{
	own_nodes nodes = own->present | own->absent;
	unsigned int node;

	for (node = 1; node <= OWN_NODES; node++)
		if (vol->member[node - 1].access != OWN_ACCESS_NONE)
			nodes |= own_bit(node);
	return nodes;
}

own_nodes ownership_given_up(const struct own_volume *vol)
{
	own_nodes nodes = 0;
	unsigned int node;

	for (node = 1; node <= OWN_NODES; node++)
		if (vol->member[node - 1].expelled == OWN_EXPELLED)
			nodes |= own_bit(node);
	return nodes;
}

/* Here, and without a session: they have given everything back. */
static own_nodes without_layouts(const struct own_volume *vol)
{
	own_nodes nodes = 0;
	unsigned int node;

	for (node = 1; node <= OWN_NODES; node++)
		if (own_member_holds_nothing(vol, node))
			nodes |= own_bit(node);
	return nodes;
}

static void tell(struct own_step *step, struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);
	struct own_action action = {
		.type = OWN_ACT_TASK,
		.node = node,
		.volume = vol->id,
		.serial = member->serial,
		.task = member->task,
		.epoch = vol->epoch,
		.other = vol->coordinator,
		.incarnation = member->incarnation,
		.fenced = member->access != OWN_ACCESS_REGISTERED,
	};

	if (member->task == OWN_TASK_FENCE)
		action.nodes = vol->keep;
	if (member->task == OWN_TASK_SERVE || member->task == OWN_TASK_RELEASE ||
	    member->task == OWN_TASK_UNMOUNT)
		action.nodes = ownership_holders(step->own, vol);
	/* Whoever repairs the file system may move blocks. */
	if (member->task == OWN_TASK_UNMOUNT)
		action.recall = vol->wanted == OWN_WANT_MAINTENANCE;
	if (member->task == OWN_TASK_REGISTER || member->task == OWN_TASK_BARRIER)
		action.expelled = member->expelled;
	if (member->task == OWN_TASK_WRITE_EPOCH)
		action.epoch++;
	if (member->task == OWN_TASK_ROUTE)
		action.route = member->asked;
	if (member->task == OWN_TASK_CLOSE)
		action.fenced = member->access == OWN_ACCESS_NONE;
	if (member->task == OWN_TASK_BARRIER)
		action.apart = member->apart;
	if (member->task == OWN_TASK_RELEASE || action.recall)
		action.nodes &= ~without_layouts(vol);
	append(step, &action);
}

void own_task_start(struct own_step *step, struct own_volume *vol, unsigned int node,
		    enum own_task task)
{
	struct own_member *member = own_member(vol, node);

	member->task = task;
	member->serial = next_serial(step->own, &vol->serial);
	member->retry = 0;
	member->open = true;
	if (task == OWN_TASK_REGISTER || task == OWN_TASK_BARRIER)
		own_member_unknown(member);
	/* No two keys of a node are the same. */
	if (task == OWN_TASK_REGISTER)
		member->incarnation = member->serial;
	/* To one whose agent is away when that is back. */
	if (step->own->present & own_bit(node))
		tell(step, vol, node);
}

static void timer(struct own_step *step, uint32_t volume, enum own_timer type, unsigned int subject,
		  uint64_t serial, uint32_t ms)
{
	struct own_action action = {
		.type = OWN_ACT_TIMER,
		.node = own_first(step->own->present),
		.volume = volume,
		.serial = serial,
		.timer = type,
		.subject = subject,
		.ms = ms,
	};

	append(step, &action);
}

static uint32_t backoff(uint32_t base, unsigned int tries, unsigned int most)
{
	return base << (tries < most ? tries : most);
}

static void tell_volume_timer(struct own_step *step, struct own_volume *vol)
{
	timer(step, vol->id, OWN_TIMER_VOLUME, 0, vol->retry,
	      backoff(RETRY_MS, vol->tries, RETRY_SHIFT));
}

void own_timer_volume(struct own_step *step, struct own_volume *vol)
{
	vol->retry = next_serial(step->own, &vol->serial);
	tell_volume_timer(step, vol);
	if (vol->tries < RETRY_SHIFT)
		vol->tries++;
}

static void tell_member_timer(struct own_step *step, struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	timer(step, vol->id, OWN_TIMER_MEMBER, node, member->retry,
	      backoff(RETRY_MS, member->tries, RETRY_SHIFT));
}

void own_timer_member(struct own_step *step, struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	member->retry = next_serial(step->own, &vol->serial);
	tell_member_timer(step, vol, node);
	if (member->tries < RETRY_SHIFT)
		member->tries++;
}

/* Damped: until the path is trusted again. Not: until what it did is forgotten. */
static void tell_path_timer(struct own_step *step, struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	timer(step, vol->id, OWN_TIMER_PATH, node, member->path_timer,
	      member->damped ? backoff(DAMP_MS, member->damping, DAMP_SHIFT) : QUIET_MS);
}

void own_timer_path(struct own_step *step, struct own_volume *vol, unsigned int node)
{
	own_member(vol, node)->path_timer = next_serial(step->own, &vol->serial);
	tell_path_timer(step, vol, node);
}

static void tell_agent_timer(struct own_step *step, unsigned int node)
{
	timer(step, 0, OWN_TIMER_AGENT, node, step->own->grace[node - 1], GRACE_MS);
}

void own_timer_agent(struct own_step *step, unsigned int node)
{
	step->own->grace[node - 1] = next_serial(step->own, &step->own->serial);
	tell_agent_timer(step, node);
}

void own_timer_agents_again(struct own_step *step)
{
	unsigned int node;

	own_for_each(node, step->own->absent)
		tell_agent_timer(step, node);
}

/* The view has changed: tell everything again. Who is doing it already knows it by its serial. */
void own_task_again(struct own_step *step, struct own_volume *vol)
{
	struct own_member *member;
	unsigned int node;

	if (vol->retry)
		tell_volume_timer(step, vol);
	own_for_each(node, ~0ULL) {
		member = own_member(vol, node);
		if (member->path_timer)
			tell_path_timer(step, vol, node);
		if (member->retry)
			tell_member_timer(step, vol, node);
		if (member->task && step->own->present & own_bit(node))
			tell(step, vol, node);
	}
}
