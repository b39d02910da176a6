// SPDX-License-Identifier: GPL-2.0-only
/*
 * The phases of a volume. own_volume_advance() looks at the state as it is after each event,
 * whatever the event was, so that nothing depends on which of two things came first.
 *
 *	start, or coordinator lost:  FENCE, BARRIER, MOUNT, EPOCH, SERVE, CONNECT, RELEASE, ONLINE
 *	move:                        HOLD, UNMOUNT, BARRIER, MOUNT ...
 *	stop:                        HOLD, UNMOUNT, CLOSE, STOPPED
 *	maintenance:                 HOLD, UNMOUNT, MAINTENANCE, UNMOUNT, BARRIER, MOUNT ...
 */
#include "internal.h"

#define TRIES_MAX 3

bool own_serving(const struct own_volume *vol)
{
	return vol->phase >= OWN_CONNECT && vol->phase <= OWN_HOLD;
}

/* The coordinator has the file system, or may have. */
bool own_mounted(const struct own_volume *vol)
{
	return vol->phase >= OWN_MOUNT && vol->phase <= OWN_MAINTENANCE;
}

/* Whoever is coordinator is it no longer, as far as it depends on us: first of all it is fenced. */
void own_change_begin(struct own_volume *vol)
{
	if (vol->coordinator && vol->member[vol->coordinator - 1].access != OWN_ACCESS_NONE)
		vol->evict |= own_bit(vol->coordinator);
	vol->phase = OWN_FENCE;
	vol->checked = false;
	vol->tries = 0;
	vol->retry = 0;
	vol->avoid = 0;
}

/* The coordinator has a task that waits for the LUN; its kernel waits for a route. */
static bool on_lun(uint8_t phase)
{
	return phase == OWN_MOUNT || phase == OWN_EPOCH || phase == OWN_SERVE ||
	       phase == OWN_UNMOUNT;
}

bool ownership_needs_path(const struct own_volume *vol, unsigned int node)
{
	return vol->member[node - 1].route != OWN_ROUTE_NONE ||
	       (node == vol->coordinator && on_lun(vol->phase));
}

static bool lost(const struct ownership *own, const struct own_volume *vol)
{
	unsigned int node = vol->coordinator;
	const struct own_member *member = &vol->member[node - 1];

	if (!node)
		return true;
	if (!((own->present | own->absent) & own_bit(node)) || vol->evict & own_bit(node) ||
	    member->access != OWN_ACCESS_REGISTERED)
		return true;
	/*
	 * Without a path it cannot unmount: what it has under way would never end. If there is
	 * nobody else it stays, and what it has been told and waits for the path is begun anew.
	 */
	return member->no_path && (own_candidates(own, vol) || on_lun(vol->phase));
}

/* Tell the coordinator, once. true: it has been told, or is about to be. */
static void coordinator_task(struct own_step *step, struct own_volume *vol, enum own_task task)
{
	struct own_member *member = own_member(vol, vol->coordinator);

	if (member->task == task || vol->retry || (member->task && member->task != OWN_TASK_ROUTE))
		return;
	/* A route that has not been answered is set again when the volume serves. */
	own_task_start(step, vol, vol->coordinator, task);
}

/* Who has something of the volume that it has to give up. */
static own_nodes to_close(const struct ownership *own, const struct own_volume *vol)
{
	own_nodes open = 0;
	unsigned int node;

	own_for_each(node, own->present | own->absent)
		if (vol->member[node - 1].open || vol->member[node - 1].access != OWN_ACCESS_NONE)
			open |= own_bit(node);
	return open;
}

static void advance_stopped(struct own_step *step, struct own_volume *vol)
{
	if (vol->wanted != OWN_WANT_STOPPED)
		own_change_begin(vol);
	else if (to_close(step->own, vol))
		vol->phase = OWN_CLOSE;
}

static void advance_fence(struct own_step *step, struct own_volume *vol)
{
	if (vol->wanted == OWN_WANT_STOPPED && !vol->coordinator) {
		vol->phase = OWN_CLOSE;
		return;
	}
	own_fence_pump(step, vol);
	if (!vol->checked || vol->fencer || own_fence_needed(step->own, vol))
		return;
	vol->coordinator = 0;
	vol->phase = OWN_BARRIER;
}

/* What may be broken off: it is about a coordinator that there is no more. */
static bool superseded(const struct own_member *member)
{
	return member->task == OWN_TASK_NONE || member->task == OWN_TASK_CONNECT ||
	       member->task == OWN_TASK_ROUTE || member->task == OWN_TASK_RELEASE ||
	       member->task == OWN_TASK_SERVE;
}

static bool barriers(struct own_step *step, struct own_volume *vol)
{
	struct own_member *member;
	bool all = true;
	unsigned int node;

	own_for_each(node, step->own->present | step->own->absent) {
		member = own_member(vol, node);
		if (member->barrier == vol->term)
			continue;
		all = false;
		member->connected = 0;
		if (superseded(member) && !member->retry)
			own_task_start(step, vol, node, OWN_TASK_BARRIER);
	}
	return all;
}

static void advance_barrier(struct own_step *step, struct own_volume *vol)
{
	if (!barriers(step, vol))
		return;
	if (vol->wanted == OWN_WANT_STOPPED) {
		vol->phase = OWN_CLOSE;
		return;
	}
	if (vol->retry)
		return;
	vol->coordinator = own_spread_target(step->own, vol);
	if (!vol->coordinator)
		return;
	vol->target = 0;
	vol->phase = vol->wanted == OWN_WANT_MAINTENANCE ? OWN_MAINTENANCE : OWN_MOUNT;
}

static void advance_mount(struct own_step *step, struct own_volume *vol)
{
	/* To mount, its kernel goes direct. */
	if (own_member(vol, vol->coordinator)->route != OWN_ROUTE_DIRECT)
		own_member(vol, vol->coordinator)->route = OWN_ROUTE_NONE;
	coordinator_task(step, vol, OWN_TASK_MOUNT);
}

static void advance_epoch(struct own_step *step, struct own_volume *vol)
{
	coordinator_task(step, vol, OWN_TASK_WRITE_EPOCH);
}

static void advance_serve(struct own_step *step, struct own_volume *vol)
{
	/* Who came meanwhile may still listen to the old one. */
	if (!barriers(step, vol))
		return;
	coordinator_task(step, vol, OWN_TASK_SERVE);
}

/*
 * Nobody gets a session with the coordinator: it is at fault, or all others are. Another one is
 * tried, none for the second time; so this ends.
 */
static bool hand_over(struct own_step *step, struct own_volume *vol)
{
	unsigned int next;

	step->own->unreached |= own_bit(vol->coordinator);
	vol->tried |= own_bit(vol->coordinator);
	next = own_spread_untried(step->own, vol);
	if (!next)
		return false;
	own_members_connect_anew(vol, ~0ULL);
	vol->target = next;
	return true;
}

/* true: it hands over. If it stays, those who get no session do not keep the others waiting. */
static bool unreached(struct own_step *step, struct own_volume *vol)
{
	unsigned int node;
	own_nodes out;
	bool nobody;

	out = own_members_shut_out(step->own, vol, &nobody);
	if (out && nobody && hand_over(step, vol))
		return true;
	own_for_each(node, out)
		own_member_set_apart(vol, node);
	return false;
}

/*
 * Who was at fault when it began to serve still is. Not so for newcomers alone: it may be theirs,
 * and who works on without them is left to it.
 */
static bool still_unreached(struct own_step *step, struct own_volume *vol)
{
	bool nobody;

	return vol->tried & own_bit(vol->coordinator) &&
	       own_members_shut_out(step->own, vol, &nobody) && nobody && hand_over(step, vol);
}

static void advance_connect(struct own_step *step, struct own_volume *vol)
{
	if (vol->wanted != OWN_WANT_STARTED || unreached(step, vol)) {
		vol->phase = OWN_HOLD;
		return;
	}
	own_fence_pump(step, vol);
	own_members_serve(step, vol);
	/* Until then nothing is known of what those hold who have not said it. */
	if (own_members_connected(step->own, vol) && !own_fence_needed(step->own, vol))
		vol->phase = OWN_RELEASE;
}

static void advance_release(struct own_step *step, struct own_volume *vol)
{
	coordinator_task(step, vol, OWN_TASK_RELEASE);
}

static void advance_online(struct own_step *step, struct own_volume *vol)
{
	own_fence_pump(step, vol);
	if (vol->wanted != OWN_WANT_STARTED || (vol->target && vol->target != vol->coordinator) ||
	    still_unreached(step, vol)) {
		vol->phase = OWN_HOLD;
		return;
	}
	vol->target = 0;
	own_members_serve(step, vol);
}

static void advance_hold(struct own_step *step, struct own_volume *vol)
{
	/* Its kernel may hold, for a path that was lost, what an unmount needs. */
	if (own_member(vol, vol->coordinator)->route == OWN_ROUTE_NONE) {
		own_member_serve(step, vol, vol->coordinator);
		return;
	}
	/* For maintenance all layouts have to come back: from who is gone by a fence. */
	if (vol->wanted == OWN_WANT_MAINTENANCE) {
		own_fence_pump(step, vol);
		if (own_fence_needed(step->own, vol))
			return;
	}
	vol->phase = OWN_UNMOUNT;
}

static void advance_unmount(struct own_step *step, struct own_volume *vol)
{
	coordinator_task(step, vol, OWN_TASK_UNMOUNT);
}

static void advance_maintenance(struct own_step *step, struct own_volume *vol)
{
	own_fence_pump(step, vol);
	if (vol->wanted != OWN_WANT_MAINTENANCE)
		vol->phase = OWN_UNMOUNT;
}

static void advance_close(struct own_step *step, struct own_volume *vol)
{
	own_nodes open = to_close(step->own, vol);
	unsigned int node;

	own_for_each(node, open)
		if (own_task_idle(vol, node))
			own_task_start(step, vol, node, OWN_TASK_CLOSE);
	if (open)
		return;
	vol->target = 0;
	vol->phase = OWN_STOPPED;
}

static void (*const advance[OWN_PHASES])(struct own_step *step, struct own_volume *vol) = {
	[OWN_STOPPED] = advance_stopped, [OWN_FENCE] = advance_fence,
	[OWN_BARRIER] = advance_barrier, [OWN_MOUNT] = advance_mount,
	[OWN_EPOCH] = advance_epoch,	 [OWN_SERVE] = advance_serve,
	[OWN_CONNECT] = advance_connect, [OWN_RELEASE] = advance_release,
	[OWN_ONLINE] = advance_online,	 [OWN_HOLD] = advance_hold,
	[OWN_UNMOUNT] = advance_unmount, [OWN_MAINTENANCE] = advance_maintenance,
	[OWN_CLOSE] = advance_close,
};

/* Without quorum nothing new is begun. */
void own_volume_advance(struct own_step *step, struct own_volume *vol)
{
	uint8_t phase;

	if (!step->own->quorate)
		return;
	do {
		phase = vol->phase;
		if (own_mounted(vol) && lost(step->own, vol))
			own_change_begin(vol);
		/*
		 * Somebody left while nobody was coordinator: it may have heard that it is to be.
		 */
		if (phase == OWN_BARRIER && own_fence_needed(step->own, vol))
			own_change_begin(vol);
		if (phase != OWN_STOPPED && phase != OWN_CLOSE)
			own_members_register(step, vol);
		advance[vol->phase](step, vol);
	} while (vol->phase != phase);
}

/*
 * Another quorum may have been there between the last view and this one, of which nobody who is
 * here knows any more: nodes count for it whose agents do not run. What was found on the LUN before
 * says nothing now; a coordinator that has been chosen would meet a conflict. And who comes with
 * the view may still listen to the old one: if the new one has not said yet that it serves, it is
 * told once more, and not before that.
 */
void own_volume_view(struct own_volume *vol)
{
	if (vol->phase == OWN_FENCE || vol->phase == OWN_BARRIER) {
		if (vol->fencer)
			own_member(vol, vol->fencer)->task = OWN_TASK_NONE;
		vol->fencer = 0;
		own_change_begin(vol);
	} else if (vol->phase == OWN_SERVE &&
		   own_member(vol, vol->coordinator)->task == OWN_TASK_SERVE) {
		own_member(vol, vol->coordinator)->task = OWN_TASK_NONE;
	}
}

static void unmounted(struct own_volume *vol)
{
	if (vol->wanted == OWN_WANT_MAINTENANCE) {
		vol->phase = OWN_MAINTENANCE;
		return;
	}
	vol->coordinator = 0;
	vol->term++;
	vol->phase = OWN_BARRIER;
}

static void coordinator_failed(struct own_step *step, struct own_volume *vol, enum own_task task)
{
	own_nodes bit = own_bit(vol->coordinator);

	own_timer_volume(step, vol);
	if (task == OWN_TASK_MOUNT) {
		/*
		 * Another one may try; but not before this one has dropped what it may have mounted
		 * when it was told for the first time, if its agent has been away since.
		 */
		own_member(vol, vol->coordinator)->barrier = 0;
		vol->avoid |= bit;
		vol->coordinator = 0;
		vol->phase = OWN_BARRIER;
	} else if ((task != OWN_TASK_UNMOUNT || vol->tried & bit) && vol->tries >= TRIES_MAX) {
		/* An unmount is waited for, but not if nobody has a session anyway. */
		own_change_begin(vol);
		vol->avoid |= bit;
	}
}

static void coordinator_done(struct own_step *step, struct own_volume *vol, enum own_task task,
			     const struct own_event *event)
{
	if (event->result != OWN_OK) {
		coordinator_failed(step, vol, task);
		return;
	}
	vol->tries = 0;
	if (task == OWN_TASK_MOUNT && vol->phase == OWN_MOUNT) {
		vol->phase = OWN_EPOCH;
	} else if (task == OWN_TASK_WRITE_EPOCH && vol->phase == OWN_EPOCH) {
		if (event->epoch > vol->epoch)
			vol->epoch = event->epoch;
		vol->phase = OWN_SERVE;
	} else if (task == OWN_TASK_SERVE && vol->phase == OWN_SERVE) {
		own_members_rejoin(vol);
		vol->phase = OWN_CONNECT;
	} else if (task == OWN_TASK_RELEASE && vol->phase == OWN_RELEASE) {
		vol->avoid = 0;
		vol->phase = OWN_ONLINE;
	} else if (task == OWN_TASK_UNMOUNT && vol->phase == OWN_UNMOUNT) {
		unmounted(vol);
	}
}

/* A task has been answered; it is no longer in the state. */
void own_volume_done(struct own_step *step, struct own_volume *vol, unsigned int node,
		     enum own_task task, const struct own_event *event)
{
	if (event->result == OWN_NO_PATH)
		own_member_path(step, vol, node, true);

	switch (task) {
	case OWN_TASK_FENCE:
		own_fence_done(step, vol, event);
		break;
	case OWN_TASK_MOUNT:
	case OWN_TASK_WRITE_EPOCH:
	case OWN_TASK_SERVE:
	case OWN_TASK_RELEASE:
	case OWN_TASK_UNMOUNT:
		if (node == vol->coordinator)
			coordinator_done(step, vol, task, event);
		break;
	default:
		own_member_done(step, vol, node, task, event);
		break;
	}
	if (event->result == OWN_CONFLICT)
		own_member_conflict(step->own, vol, node);
}
