// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who must no longer be able to write, and who sees to it.
 *
 * A fence names those who keep their keys, not those who lose them: a key that nobody remembers,
 * of an earlier life of the cluster, goes with the others. One task removes, drains and verifies;
 * if it has not succeeded, nothing is taken from anybody.
 */
#include "internal.h"

static own_nodes gone(const struct ownership *own)
{
	return ~(own->present | own->absent);
}

/* A member, present or not, that must lose its key. */
static bool must_lose(const struct ownership *own, const struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];
	own_nodes bit = own_bit(node);

	if (member->access == OWN_ACCESS_NONE)
		return false;
	if (vol->evict & bit)
		return true;
	/*
	 * In a change all who have left: what they have heard last is not known, one of them may
	 * have been told to mount. Else a node that has only lost the cluster may go on with what
	 * it holds.
	 */
	if (gone(own) & bit)
		return own->fence_always || vol->phase != OWN_ONLINE;
	/* The coordinator hands over first, if there is anybody to hand over to. */
	if (node == vol->coordinator)
		return false;
	return member->no_path || member->damped;
}

own_nodes own_fence_needed(const struct ownership *own, const struct own_volume *vol)
{
	own_nodes needed = 0;
	unsigned int node;

	if (vol->phase == OWN_STOPPED || vol->phase == OWN_CLOSE)
		return 0;
	own_for_each(node, ~0ULL)
		if (must_lose(own, vol, node))
			needed |= own_bit(node);
	return needed;
}

static bool able(const struct ownership *own, const struct own_volume *vol, unsigned int node,
		 own_nodes victims)
{
	const struct own_member *member = &vol->member[node - 1];

	return own->present & ~victims & own_bit(node) && member->access == OWN_ACCESS_REGISTERED &&
	       !member->no_path && own_task_idle(vol, node);
}

static bool pathless(const struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];

	return member->no_path || member->damped;
}

/*
 * A node that has only lost its path does not wait for anybody, and nobody for it: while the
 * coordinator stays its fence is one of its own, so that where it cannot be done it is not in the
 * way of one that must be.
 */
static own_nodes urgent(const struct ownership *own, const struct own_volume *vol,
			own_nodes victims)
{
	own_nodes first = 0;
	unsigned int node;

	if (vol->phase != OWN_ONLINE)
		return victims;
	own_for_each(node, victims)
		if (vol->evict & own_bit(node) || !(own->present & own_bit(node)) ||
		    !pathless(vol, node))
			first |= own_bit(node);
	return first ? first : victims;
}

/* The coordinator, or the first that can; who has failed at it last. */
static unsigned int pick(const struct ownership *own, struct own_volume *vol, own_nodes victims)
{
	unsigned int node, first = 0;

	if (vol->coordinator && !(vol->avoid & own_bit(vol->coordinator)) &&
	    able(own, vol, vol->coordinator, victims))
		return vol->coordinator;
	own_for_each(node, own->present) {
		if (!able(own, vol, node, victims))
			continue;
		if (!(vol->avoid & own_bit(node)))
			return node;
		if (!first)
			first = node;
	}
	vol->avoid = 0;
	return first;
}

static own_nodes keepers(const struct own_volume *vol, own_nodes victims)
{
	own_nodes keep = 0;
	unsigned int node;

	own_for_each(node, ~victims)
		if (vol->member[node - 1].access != OWN_ACCESS_NONE)
			keep |= own_bit(node);
	return keep;
}

/* It has a key, or will have, with which it can fence. */
static bool hopeful(const struct ownership *own, const struct own_volume *vol, own_nodes victims)
{
	unsigned int node;

	own_for_each(node, own->present & ~victims)
		if (vol->member[node - 1].access != OWN_ACCESS_NONE)
			return true;
	return false;
}

/*
 * All who have a key must lose it: all have booted, say. One of them gives up everything that it
 * had and registers anew; its fence drains what it had sent itself before, too.
 */
static void fence_anew(struct own_step *step, struct own_volume *vol, own_nodes victims)
{
	const struct own_member *member;
	unsigned int node;

	if (vol->phase != OWN_FENCE || hopeful(step->own, vol, victims))
		return;
	own_for_each(node, step->own->present & victims) {
		member = &vol->member[node - 1];
		if (member->no_path || member->damped || member->locked_out)
			continue;
		vol->checked = false;
		own_member_fenced(vol, node);
		own_members_register(step, vol);
		return;
	}
}

/* Who looks for its own key, to know whether it was given up, must not lose it before that. */
static bool looks(const struct ownership *own, const struct own_volume *vol)
{
	unsigned int node;

	own_for_each(node, own->present | own->absent)
		if (vol->member[node - 1].task == OWN_TASK_REGISTER &&
		    vol->member[node - 1].expelled == OWN_EXPELLED_UNKNOWN)
			return true;
	return false;
}

void own_fence_pump(struct own_step *step, struct own_volume *vol)
{
	own_nodes victims = urgent(step->own, vol, own_fence_needed(step->own, vol));
	bool look = vol->phase == OWN_FENCE && !vol->checked;
	unsigned int node;

	if (vol->fencer || vol->retry || (!victims && !look))
		return;
	if (vol->phase == OWN_FENCE && looks(step->own, vol))
		return;
	node = pick(step->own, vol, victims);
	if (!node) {
		fence_anew(step, vol, victims);
		return;
	}
	vol->fencer = node;
	vol->keep = vol->distrust ? own_bit(node) : keepers(vol, victims);
	own_task_start(step, vol, node, OWN_TASK_FENCE);
}

static void fenced(const struct ownership *own, struct own_volume *vol)
{
	unsigned int node;

	own_for_each(node, ~vol->keep) {
		if (vol->member[node - 1].access == OWN_ACCESS_NONE)
			continue;
		if (gone(own) & own_bit(node))
			own_member_expelled(vol, node);
		own_member_fenced(vol, node);
	}
	vol->evict &= vol->keep;
	vol->booted &= vol->keep;
	vol->fence_failed = false;
	vol->tries = 0;
	/* The coordinator need not wait for what they held. */
	if (vol->phase == OWN_ONLINE)
		vol->phase = OWN_RELEASE;
	if (vol->phase != OWN_FENCE)
		return;
	vol->checked = true;
	vol->distrust = false;
	vol->term++;
}

void own_fence_done(struct own_step *step, struct own_volume *vol, const struct own_event *event)
{
	vol->fencer = 0;
	if (event->result != OWN_OK) {
		vol->fence_failed = true;
		vol->avoid |= own_bit(event->node);
		own_timer_volume(step, vol);
		return;
	}
	/* Somebody has served at an epoch that we have not heard of, and may be doing so. */
	if (event->epoch > vol->epoch) {
		vol->epoch = event->epoch;
		if (vol->phase == OWN_FENCE && vol->keep != own_bit(event->node)) {
			vol->distrust = true;
			return;
		}
	}
	fenced(step->own, vol);
}

/* In a takeover. It gives up what it had before anybody mounts: all who are here are asked to. */
static bool cooperates(const struct ownership *own, const struct own_volume *vol,
		       unsigned int node)
{
	return vol->phase == OWN_FENCE && own->present & own_bit(node) && !pathless(vol, node);
}

static bool only_pathless(const struct ownership *own, const struct own_volume *vol,
			  unsigned int node)
{
	return vol->phase == OWN_ONLINE && own->present & own_bit(node) &&
	       !(vol->evict & own_bit(node)) && pathless(vol, node);
}

/* Nothing is left of it but what it had sent, which every fence drains. */
static bool only_booted(const struct ownership *own, const struct own_volume *vol,
			unsigned int node)
{
	return vol->booted & own->present & own_bit(node);
}

/*
 * Whoever may write and is not kept has to be off, but for:
 *
 * - who has booted: what it did before has ended with that;
 * - in a takeover, who is here. It confirms in BARRIER that it has given everything up, before
 *   which nobody mounts; if it goes away instead the takeover begins anew, and it is off by then;
 * - who is here and has only lost its path, while the coordinator stays. What it does is held in
 *   its kernel: that is better than off.
 *
 * Where there are keys a takeover takes those away, too, that the state knows nothing of. Without
 * them, whoever is not here may have been told by a state that is lost.
 */
struct own_victims ownership_victims(const struct ownership *own, const struct own_volume *vol,
				     const struct own_action *fence)
{
	const struct own_member *fencer = &vol->member[fence->node - 1];
	struct own_victims victims = {
		.current = fencer->task == OWN_TASK_FENCE && fencer->serial == fence->serial,
	};
	unsigned int node;

	own_for_each(node, ~(fence->nodes | own_bit(fence->node))) {
		if (only_booted(own, vol, node) || cooperates(own, vol, node))
			continue;
		if (vol->member[node - 1].access == OWN_ACCESS_NONE) {
			if (vol->phase == OWN_FENCE && !(own->present & own_bit(node)))
				victims.forgotten |= own_bit(node);
		} else if (only_pathless(own, vol, node)) {
			victims.spared |= own_bit(node);
		} else {
			victims.off |= own_bit(node);
		}
	}
	return victims;
}
