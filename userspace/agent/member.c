// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each node does for a volume: its key on the LUN, its session with the coordinator, its
 * route.
 */
#include "internal.h"

#define CONNECT_TRIES 3
#define DAMPING_MAX 8

/*
 * A node's key is of no use before its path is back for good, and dangerous while it has an old
 * mount.
 */
static bool may_register(const struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];

	return member->access != OWN_ACCESS_REGISTERED && !member->no_path && !member->damped &&
	       !member->locked_out && !(vol->evict & own_bit(node)) && node != vol->coordinator &&
	       own_task_idle(vol, node);
}

/* Not while a fence is under way: it would take the new key for one that must go. */
void own_members_register(struct own_step *step, struct own_volume *vol)
{
	struct own_member *member;
	unsigned int node;

	if (vol->fencer)
		return;
	own_for_each(node, step->own->present) {
		if (!may_register(vol, node))
			continue;
		member = own_member(vol, node);
		member->access = OWN_ACCESS_MAYBE;
		/* It ends what it did before, its session too, and holds. */
		member->connected = 0;
		member->route = OWN_ROUTE_NONE;
		own_task_start(step, vol, node, OWN_TASK_REGISTER);
	}
}

static enum own_route route_for(const struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];

	/* Whatever it is told, its file system would only meet the lost path again. */
	if (node == vol->coordinator && member->no_path)
		return OWN_ROUTE_NONE;
	if (vol->redirect)
		return OWN_ROUTE_FS;
	if (node == vol->coordinator)
		return OWN_ROUTE_DIRECT;
	/* Between the two it is fenced, or registers: the kernel holds what it has no path for. */
	if (member->access == OWN_ACCESS_NONE)
		return OWN_ROUTE_BLOCK;
	return member->access == OWN_ACCESS_REGISTERED && !member->damped ? OWN_ROUTE_DIRECT :
									    OWN_ROUTE_NONE;
}

/*
 * Who has no key may be redirected, or is told so next, and with a fence there is one more of them;
 * who has one again is not direct at once.
 */
bool ownership_redirects(const struct ownership *own, const struct own_volume *vol,
			 unsigned int node)
{
	own_nodes others = (own->present | own->absent) & ~own_bit(node);
	const struct own_member *member;
	unsigned int other;

	if (vol->coordinator != node)
		return false;
	if (vol->fencer)
		return true;
	own_for_each(other, others) {
		member = &vol->member[other - 1];
		if (member->access == OWN_ACCESS_NONE || member->route == OWN_ROUTE_BLOCK ||
		    member->asked == OWN_ROUTE_BLOCK)
			return true;
	}
	return false;
}

static bool settled(const struct own_volume *vol, unsigned int node)
{
	return route_for(vol, node) != OWN_ROUTE_NONE && !(vol->evict & own_bit(node));
}

void own_member_serve(struct own_step *step, struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);
	enum own_route route = route_for(vol, node);

	if (!own_task_idle(vol, node) || !settled(vol, node))
		return;
	if (node != vol->coordinator && member->barrier != vol->term) {
		/* It was away: it may believe that it is coordinator itself. */
		own_task_start(step, vol, node, OWN_TASK_BARRIER);
	} else if (member->apart && vol->phase == OWN_CONNECT) {
		/* What it is granted must not be forgotten: when RELEASE has been done. */
		return;
	} else if (node != vol->coordinator && member->connected != vol->epoch) {
		member->apart = false;
		member->connected = 0;
		own_task_start(step, vol, node, OWN_TASK_CONNECT);
	} else if (member->route != route) {
		member->route = OWN_ROUTE_NONE;
		member->asked = route;
		own_task_start(step, vol, node, OWN_TASK_ROUTE);
	}
}

void own_members_serve(struct own_step *step, struct own_volume *vol)
{
	unsigned int node;

	own_for_each(node, step->own->present)
		own_member_serve(step, vol, node);
}

/* It has given everything back. */
bool own_member_holds_nothing(const struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];

	return member->apart && member->barrier == vol->term && !(vol->evict & own_bit(node));
}

/* All who are here have said which layouts they hold. */
bool own_members_connected(const struct ownership *own, const struct own_volume *vol)
{
	unsigned int node;

	own_for_each(node, own->present | own->absent)
		if (node != vol->coordinator && vol->member[node - 1].connected != vol->epoch &&
		    !own_member_holds_nothing(vol, node))
			return false;
	return true;
}

/*
 * Who has failed to connect so often that it is said to get no session. If others have one the
 * coordinator does answer. If @nobody has, it may be at fault itself; that is said when nobody is
 * left of whom it is not known yet. While its agent is away nothing is: that is the reason then.
 */
own_nodes own_members_shut_out(const struct ownership *own, const struct own_volume *vol,
			       bool *nobody)
{
	const struct own_member *member;
	own_nodes out = 0;
	bool open = false;
	unsigned int node;

	*nobody = true;
	if (!(own->present & own_bit(vol->coordinator)))
		return 0;
	own_for_each(node, own->present | own->absent) {
		member = &vol->member[node - 1];
		if (node == vol->coordinator || member->apart)
			continue;
		if (member->connected == vol->epoch)
			*nobody = false;
		else if (!settled(vol, node))
			continue;
		/* What it was told before that has succeeded. */
		else if (member->barrier == vol->term && member->tries >= CONNECT_TRIES)
			out |= own_bit(node);
		else
			open = true;
	}
	return *nobody && open ? 0 : out;
}

static void forget_failures(struct own_member *member)
{
	member->tries = 0;
	member->retry = 0;
}

/* Something is other than before: who has failed to connect may not do so now. */
void own_members_connect_anew(struct own_volume *vol, own_nodes nodes)
{
	struct own_member *member;
	unsigned int node;

	if (!own_serving(vol))
		return;
	own_for_each(node, nodes) {
		member = own_member(vol, node);
		if (node != vol->coordinator && member->task == OWN_TASK_NONE &&
		    member->barrier == vol->term && member->connected != vol->epoch)
			forget_failures(member);
	}
}

/* Another coordinator: all are told to connect again. */
void own_members_rejoin(struct own_volume *vol)
{
	unsigned int node;

	own_for_each(node, ~0ULL)
		own_member(vol, node)->apart = false;
}

/*
 * One that does not get a session must not keep the others waiting. Its agent does what it is told:
 * it gives back all that it holds, and its I/O waits.
 */
void own_member_set_apart(struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	forget_failures(member);
	member->apart = true;
	member->task = OWN_TASK_NONE;
	member->barrier = 0;
	member->route = OWN_ROUTE_NONE;
}

/* To be fenced for what it is, not only for what it was. */
void own_evict(struct own_volume *vol, unsigned int node)
{
	vol->evict |= own_bit(node);
	vol->booted &= ~own_bit(node);
}

/*
 * I3: others go on in its place, and may do again what it has begun. What waits in its kernel, for
 * a coordinator say, has met no conflict and would be done when it comes back; it fails before.
 * Not so for one that is here and has only lost its path: nobody takes its place.
 */
void own_member_expelled(struct own_volume *vol, unsigned int node)
{
	own_member(vol, node)->expelled = OWN_EXPELLED;
}

/*
 * I3: this state has never heard of a key of it: all agents have been restarted since it got one,
 * say, and it may have been given up before that. Whoever has done so has taken the key away.
 */
void own_member_unknown(struct own_member *member)
{
	if (!member->incarnation && member->expelled == OWN_NOT_EXPELLED)
		member->expelled = OWN_EXPELLED_UNKNOWN;
}

/* It can no longer write, and knows it or will. */
void own_member_fenced(struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	/* What it was told it was told as a registered node. */
	if (member->task == OWN_TASK_FENCE)
		vol->fencer = 0;
	member->access = OWN_ACCESS_NONE;
	member->task = OWN_TASK_NONE;
	member->connected = 0;
	member->route = OWN_ROUTE_NONE;
	member->retry = 0;
	member->tries = 0;
	vol->evict &= ~own_bit(node);
	vol->booted &= ~own_bit(node);
	if (vol->placed == node)
		vol->placed = 0;
	if (vol->coordinator != node)
		return;
	vol->coordinator = 0;
	if (vol->phase != OWN_FENCE)
		own_change_begin(vol);
}

/*
 * It has found its key gone. What it sent before may still be on its way, and so it has to be
 * fenced like any other. Where two halves are both quorate that was the end of a race:
 * registering again would only begin another one.
 */
void own_member_conflict(const struct ownership *own, struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	member->locked_out = own->two_node && own->present == own_bit(node);
	if (member->access != OWN_ACCESS_NONE)
		own_evict(vol, node);
}

/* Not what waits by the time of a fence that is still to come. */
static void what_waited_failed(struct own_volume *vol, unsigned int node)
{
	if (!(vol->evict & own_bit(node)))
		own_member(vol, node)->expelled = OWN_NOT_EXPELLED;
}

void own_member_done(struct own_step *step, struct own_volume *vol, unsigned int node,
		     enum own_task task, const struct own_event *event)
{
	struct own_member *member = own_member(vol, node);

	if (event->result != OWN_OK) {
		own_timer_member(step, vol, node);
		return;
	}
	member->tries = 0;
	switch (task) {
	case OWN_TASK_REGISTER:
		member->access = OWN_ACCESS_REGISTERED;
		what_waited_failed(vol, node);
		break;
	case OWN_TASK_BARRIER:
		member->barrier = vol->term;
		what_waited_failed(vol, node);
		break;
	case OWN_TASK_CONNECT:
		member->connected = vol->epoch;
		vol->tried = 0;
		step->own->unreached &= ~own_bit(vol->coordinator);
		/* It goes through the coordinator, which may be another now. */
		if (member->route == OWN_ROUTE_BLOCK)
			member->route = OWN_ROUTE_NONE;
		break;
	case OWN_TASK_ROUTE:
		member->route = member->asked;
		break;
	case OWN_TASK_CLOSE:
		own_member_fenced(vol, node);
		member->open = false;
		break;
	default:
		break;
	}
}

/*
 * The kernel holds what its path was lost for until it is told a route, the same again or another.
 * What it is being told it may have done before the loss.
 */
static void route_lost(struct own_member *member)
{
	if (member->route != OWN_ROUTE_BLOCK)
		member->route = OWN_ROUTE_NONE;
	if (member->task == OWN_TASK_ROUTE && member->asked != OWN_ROUTE_BLOCK)
		member->task = OWN_TASK_NONE;
}

/*
 * A path that comes and goes costs a fence and a registration each time. So it has to stay for a
 * while before it is used, for longer each time.
 */
void own_member_path(struct own_step *step, struct own_volume *vol, unsigned int node, bool lost)
{
	struct own_member *member = own_member(vol, node);

	if (member->no_path == lost)
		return;
	member->no_path = lost;
	member->path_timer = 0;
	if (lost) {
		route_lost(member);
		member->damped = true;
		if (member->damping < DAMPING_MAX)
			member->damping++;
	} else {
		own_timer_path(step, vol, node);
	}
}

void own_member_path_timer(struct own_step *step, struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	member->path_timer = 0;
	if (member->damped) {
		member->damped = false;
		own_timer_path(step, vol, node);
	} else {
		member->damping = 0;
	}
}

/*
 * Nothing of what it knew is in its kernel; what it sent before may still be on its way to the
 * LUN. With which key, and told by whom, only its earlier life has known. In a volume that is
 * stopped nobody writes before there was a fence. What it is to be fenced for else is over: it was
 * of the earlier life, too.
 */
void own_member_booted(struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	member->open = false;
	if (member->access == OWN_ACCESS_NONE) {
		if (vol->phase == OWN_STOPPED || vol->phase == OWN_CLOSE)
			return;
		member->access = OWN_ACCESS_MAYBE;
	}
	vol->evict |= own_bit(node);
	vol->booted |= own_bit(node);
}

/* Its agent and its node are no longer here; what it may write is another matter. */
void own_member_left(struct own_volume *vol, unsigned int node)
{
	struct own_member *member = own_member(vol, node);

	if (vol->fencer == node)
		vol->fencer = 0;
	/* There is nothing left to take from it: it counts as fenced from now on. */
	if (member->access == OWN_ACCESS_NONE && member->open)
		own_member_expelled(vol, node);
	/* One that was fenced while it was here may have held layouts until now. */
	if (vol->phase == OWN_ONLINE && member->access == OWN_ACCESS_NONE && member->open)
		vol->phase = OWN_RELEASE;
	vol->booted &= ~own_bit(node);
	member->task = OWN_TASK_NONE;
	member->retry = 0;
	member->tries = 0;
	member->connected = 0;
	member->barrier = 0;
	member->apart = false;
	member->route = OWN_ROUTE_NONE;
	if (vol->placed == node)
		vol->placed = 0;
	if (vol->target == node)
		vol->target = 0;
}
