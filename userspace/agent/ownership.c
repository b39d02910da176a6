// SPDX-License-Identifier: GPL-2.0-only
/*
 * The events. See ownership.h, and Documentation/cluster.rst.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void ownership_init(struct ownership *own, bool two_node)
{
	memset(own, 0, sizeof(*own));
	own->two_node = two_node;
	own->next_id = 1;
}

void ownership_exit(struct ownership *own)
{
	size_t i;

	for (i = 0; i < own->count; i++)
		free(own->volumes[i]);
	free(own->volumes);
	memset(own, 0, sizeof(*own));
}

void ownership_copy(struct ownership *to, const struct ownership *from)
{
	size_t i;

	*to = *from;
	to->room = from->count;
	to->volumes = from->count ? own_alloc(NULL, from->count * sizeof(*to->volumes)) : NULL;
	for (i = 0; i < from->count; i++) {
		to->volumes[i] = own_alloc(NULL, sizeof(struct own_volume));
		*to->volumes[i] = *from->volumes[i];
	}
}

struct own_volume *ownership_volume(const struct ownership *own, uint32_t id)
{
	size_t i;

	for (i = 0; i < own->count; i++)
		if (own->volumes[i]->id == id)
			return own->volumes[i];
	return NULL;
}

void ownership_restart(struct ownership *own)
{
	struct own_volume *vol, old;
	size_t i;

	for (i = 0; i < own->count; i++) {
		vol = own->volumes[i];
		old = *vol;
		memset(vol, 0, sizeof(*vol));
		vol->id = old.id;
		memcpy(vol->uuid, old.uuid, sizeof(vol->uuid));
		memcpy(vol->name, old.name, sizeof(vol->name));
		vol->wanted = old.wanted;
		vol->redirect = old.redirect;
		vol->preferred = old.preferred;
		vol->excluded = old.excluded;
		vol->epoch = old.epoch;
		vol->serial = old.serial;
		vol->term = old.term;
	}
	own->restarted = true;
	own->seq = 0;
	own->quorate = false;
	own->present = 0;
	own->absent = 0;
	own->unreached = 0;
}

static void advance_all(struct own_step *step)
{
	size_t i;

	for (i = 0; i < step->own->count; i++)
		own_volume_advance(step, step->own->volumes[i]);
}

static void left(struct own_step *step, own_nodes nodes)
{
	unsigned int node;
	size_t i;

	for (i = 0; i < step->own->count; i++)
		own_for_each(node, nodes)
			own_member_left(step->own->volumes[i], node);
}

/*
 * Who has booted since the state heard of it last, whoever heard of it meanwhile. Whatever becomes
 * of this state, what is to be done about it stands in it, or is told to it anew.
 */
static own_nodes booted(struct ownership *own, const struct own_event *event)
{
	own_nodes nodes = 0;
	unsigned int node;

	own_for_each(node, event->boots ? event->nodes : 0) {
		if (own->boots[node - 1] != event->boots[node - 1])
			nodes |= own_bit(node);
		own->boots[node - 1] = event->boots[node - 1];
	}
	return nodes;
}

/* Their agents have been started, or can be heard again: what was wrong with them may be over. */
static void arrived(struct ownership *own, own_nodes nodes)
{
	struct own_volume *vol;
	size_t i;

	own->unreached &= ~nodes;
	for (i = 0; i < own->count; i++) {
		vol = own->volumes[i];
		vol->tried &= ~nodes;
		own_members_connect_anew(vol, nodes & own_bit(vol->coordinator) ? ~0ULL : nodes);
	}
}

static int on_view(struct own_step *step, const struct own_event *event)
{
	struct ownership *own = step->own;
	own_nodes before = own->present | own->absent;
	own_nodes agents = own->present & ~event->nodes & event->up;
	own_nodes anew = booted(own, event);
	unsigned int node;
	size_t i;

	arrived(own, (event->nodes & ~own->present) | anew);
	own->present = event->nodes;
	own->absent = (own->absent | agents) & event->up & ~event->nodes;
	own->quorate = event->quorate;
	if (own->quorate) {
		own->view++;
		own->restarted = false;
		own->seq = 0;
	}
	/* Who has booted has been away, noticed or not. */
	left(step, (before & ~(own->present | own->absent)) | anew);
	own_for_each(node, agents & own->absent)
		own_timer_agent(step, node);
	for (i = 0; i < own->count; i++) {
		own_for_each(node, anew)
			own_member_booted(own->volumes[i], node);
		/* Together again: who lost the race knows it, and so does who won. */
		if (own->present & (own->present - 1))
			own_for_each(node, own->present)
				own_member(own->volumes[i], node)->locked_out = false;
	}
	if (!own->quorate)
		return 0;
	own_timer_agents_again(step);
	for (i = 0; i < own->count; i++) {
		own_volume_view(own->volumes[i]);
		own_task_again(step, own->volumes[i]);
	}
	advance_all(step);
	return 0;
}

static int on_done(struct own_step *step, const struct own_event *event)
{
	struct own_volume *vol = ownership_volume(step->own, event->volume);
	struct own_member *member;
	enum own_task task;

	if (!vol)
		return 0;
	member = own_member(vol, event->node);
	task = member->task;
	if (!task || member->serial != event->serial)
		return 0;
	member->task = OWN_TASK_NONE;
	own_volume_done(step, vol, event->node, task, event);
	own_volume_advance(step, vol);
	return 0;
}

static void on_agent_timer(struct own_step *step, const struct own_event *event)
{
	struct ownership *own = step->own;
	own_nodes bit = own_bit(event->node);

	if (!(own->absent & bit) || own->grace[event->node - 1] != event->serial)
		return;
	own->absent &= ~bit;
	left(step, bit);
	advance_all(step);
}

static int on_timer(struct own_step *step, const struct own_event *event)
{
	struct own_volume *vol = ownership_volume(step->own, event->volume);

	if (event->timer == OWN_TIMER_AGENT) {
		on_agent_timer(step, event);
		return 0;
	}
	if (!vol || !event->serial)
		return 0;
	if (event->timer == OWN_TIMER_VOLUME && vol->retry == event->serial)
		vol->retry = 0;
	else if (event->timer == OWN_TIMER_MEMBER &&
		 own_member(vol, event->node)->retry == event->serial)
		own_member(vol, event->node)->retry = 0;
	else if (event->timer == OWN_TIMER_PATH &&
		 own_member(vol, event->node)->path_timer == event->serial)
		own_member_path_timer(step, vol, event->node);
	else
		return 0;
	own_volume_advance(step, vol);
	return 0;
}

static int on_path(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	own_member_path(step, vol, event->node, event->type == OWN_EV_PATH_LOST);
	return 0;
}

/* One that was to lose its key knows it now; an older key than the present one says nothing. */
static int on_fenced(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	struct own_member *member = own_member(vol, event->node);

	if (member->access == OWN_ACCESS_REGISTERED && member->incarnation == event->incarnation)
		own_member_conflict(step->own, vol, event->node);
	return 0;
}

static int on_differs(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	(void)step;
	own_member_differs(vol, event->node, event);
	return 0;
}

static int on_fence_wanted(struct own_step *step, struct own_volume *vol,
			   const struct own_event *event)
{
	(void)step;
	if (own_member(vol, event->node)->access == OWN_ACCESS_NONE)
		return 0;
	own_evict(vol, event->node);
	own_member_expelled(vol, event->node);
	return 0;
}

static int on_start(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	(void)step;
	(void)event;
	if (vol->wanted == OWN_WANT_MAINTENANCE)
		return -EBUSY;
	vol->wanted = OWN_WANT_STARTED;
	return 0;
}

static int on_stop(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	(void)step;
	(void)event;
	vol->wanted = OWN_WANT_STOPPED;
	return 0;
}

static int on_move(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	if (vol->phase != OWN_ONLINE)
		return -EBUSY;
	if (!own_fit(step->own, vol, event->node))
		return -ENODEV;
	vol->placed = event->node;
	vol->target = event->node;
	return 0;
}

static int on_redirect(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	(void)step;
	vol->redirect = event->on;
	return 0;
}

static int on_maintenance(struct own_step *step, struct own_volume *vol,
			  const struct own_event *event)
{
	(void)step;
	if (vol->wanted != (event->on ? OWN_WANT_STARTED : OWN_WANT_MAINTENANCE))
		return -EBUSY;
	vol->wanted = event->on ? OWN_WANT_MAINTENANCE : OWN_WANT_STARTED;
	return 0;
}

static int on_prefer(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	(void)step;
	if (event->nodes & event->excluded)
		return -EINVAL;
	vol->preferred = event->nodes;
	vol->excluded = event->excluded;
	vol->placed = 0;
	return 0;
}

static void volume_insert(struct ownership *own, struct own_volume *vol)
{
	if (own->count == own->room) {
		own->room = own->room ? 2 * own->room : 8;
		own->volumes = own_alloc(own->volumes, own->room * sizeof(*own->volumes));
	}
	own->volumes[own->count++] = vol;
}

static int on_add(struct own_step *step, const struct own_event *event)
{
	struct ownership *own = step->own;
	struct own_volume *vol;
	size_t i;

	if (own->count >= OWN_VOLUMES)
		return -ENOSPC;
	if (!event->name[0] || !memchr(event->name, 0, OWN_NAME))
		return -EINVAL;
	for (i = 0; i < own->count; i++)
		if (!memcmp(own->volumes[i]->uuid, event->uuid, sizeof(event->uuid)) ||
		    !strcmp(own->volumes[i]->name, event->name))
			return -EEXIST;
	vol = own_alloc(NULL, sizeof(*vol));
	memset(vol, 0, sizeof(*vol));
	vol->id = own->next_id++;
	vol->epoch = event->epoch;
	/* It may have been here before: no key of a node is like one that it had then. */
	vol->serial = own->serial;
	memcpy(vol->uuid, event->uuid, sizeof(vol->uuid));
	strcpy(vol->name, event->name);
	volume_insert(own, vol);
	return 0;
}

static int on_forget(struct own_step *step, const struct own_event *event)
{
	struct ownership *own = step->own;
	size_t i;

	for (i = 0; i < own->count; i++)
		if (own->volumes[i]->id == event->volume)
			break;
	if (i == own->count)
		return -ENOENT;
	if (own->volumes[i]->phase != OWN_STOPPED || own->volumes[i]->wanted != OWN_WANT_STOPPED)
		return -EBUSY;
	if (own->serial < own->volumes[i]->serial)
		own->serial = own->volumes[i]->serial;
	free(own->volumes[i]);
	own->count--;
	memmove(&own->volumes[i], &own->volumes[i + 1], (own->count - i) * sizeof(*own->volumes));
	return 0;
}

static int on_fence_always(struct own_step *step, const struct own_event *event)
{
	step->own->fence_always = event->on;
	advance_all(step);
	return 0;
}

typedef int (*global_event)(struct own_step *step, const struct own_event *event);
typedef int (*volume_event)(struct own_step *step, struct own_volume *vol,
			    const struct own_event *event);

static const global_event global_events[OWN_EVENTS] = {
	[OWN_EV_VIEW] = on_view,     [OWN_EV_DONE] = on_done,
	[OWN_EV_TIMER] = on_timer,   [OWN_EV_ADD] = on_add,
	[OWN_EV_FORGET] = on_forget, [OWN_EV_FENCE_ALWAYS] = on_fence_always,
};

static const volume_event volume_events[OWN_EVENTS] = {
	[OWN_EV_PATH_LOST] = on_path,
	[OWN_EV_PATH_BACK] = on_path,
	[OWN_EV_FENCED] = on_fenced,
	[OWN_EV_DIFFERS] = on_differs,
	[OWN_EV_FENCE_WANTED] = on_fence_wanted,
	[OWN_EV_START] = on_start,
	[OWN_EV_STOP] = on_stop,
	[OWN_EV_MOVE] = on_move,
	[OWN_EV_REDIRECT] = on_redirect,
	[OWN_EV_MAINTENANCE] = on_maintenance,
	[OWN_EV_PREFER] = on_prefer,
};

/* Numbers of nodes come from the wire, too. */
static bool node_valid(const struct own_event *event)
{
	switch (event->type) {
	case OWN_EV_DONE:
	case OWN_EV_PATH_LOST:
	case OWN_EV_PATH_BACK:
	case OWN_EV_FENCED:
	case OWN_EV_DIFFERS:
	case OWN_EV_FENCE_WANTED:
	case OWN_EV_MOVE:
		return event->node >= 1 && event->node <= OWN_NODES;
	case OWN_EV_TIMER:
		if (event->timer == OWN_TIMER_VOLUME)
			return true;
		return event->node >= 1 && event->node <= OWN_NODES;
	default:
		return true;
	}
}

static int on_volume(struct own_step *step, const struct own_event *event)
{
	struct own_volume *vol = ownership_volume(step->own, event->volume);
	int err;

	if (!vol)
		return -ENOENT;
	err = volume_events[event->type](step, vol, event);
	if (!err)
		own_volume_advance(step, vol);
	return err;
}

int ownership_step(struct ownership *own, const struct own_event *event,
		   struct own_actions *actions)
{
	struct own_step step = { .own = own, .actions = actions };
	int err;

	if ((unsigned int)event->type >= OWN_EVENTS || !node_valid(event))
		return -EINVAL;
	/* A node that is alone with its wishes waits until it can be heard. */
	if (event->type != OWN_EV_VIEW && !own->quorate)
		return -EAGAIN;
	own->seq++;
	err = global_events[event->type] ? global_events[event->type](&step, event) :
					   on_volume(&step, event);
	if (!err)
		own_spread_pump(&step);
	return err;
}
