// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is so on a node, and what the state says of it. They part when what a node has been told and
 * has done is forgotten: it booted, or who knew it is gone, and those who come together go on from
 * an older state.
 */
#include "internal.h"

/* A loss that nobody was told of, though the path is back, too: the kernel waits for a route. */
static bool path_differs(const struct own_volume *vol, unsigned int node,
			 const struct own_facts *facts)
{
	if (vol->member[node - 1].no_path)
		return facts->path;
	return !facts->path || (facts->held && ownership_needs_path(vol, node));
}

static bool has_anything(const struct own_facts *facts)
{
	return facts->incarnation || facts->mounted || facts->session_epoch ||
	       facts->route != OWN_ROUTE_NONE;
}

/*
 * The key that it has is not the one that the state knows of. It is seen while a task is under way,
 * too, unless that is about the key: what it is told is for the other one. Who has lost its key by
 * the state need not know it yet; it is then still that one.
 */
static bool key_differs(const struct own_volume *vol, unsigned int node, uint64_t incarnation)
{
	const struct own_member *member = &vol->member[node - 1];

	if (member->access == OWN_ACCESS_MAYBE || member->task == OWN_TASK_REGISTER ||
	    member->task == OWN_TASK_CLOSE || vol->evict & own_bit(node))
		return false;
	if (member->access == OWN_ACCESS_NONE && !incarnation)
		return false;
	return incarnation != member->incarnation;
}

static bool role_differs(const struct own_volume *vol, unsigned int node,
			 const struct own_facts *facts)
{
	const struct own_member *member = &vol->member[node - 1];

	if (own_serving(vol) && node == vol->coordinator)
		return !facts->mounted || facts->serving != vol->epoch;
	if (own_serving(vol) && member->connected == vol->epoch)
		return facts->mounted || facts->session_epoch != vol->epoch;
	if (node == vol->coordinator || member->barrier != vol->term)
		return false;
	/* Since its barrier it has had nobody to listen to before there is somebody who serves. */
	return facts->mounted ||
	       (facts->session_epoch && vol->phase >= OWN_BARRIER && vol->phase <= OWN_SERVE);
}

/* What it is told to do it may have done, and what is about to begin anew may be as it likes. */
static bool settled(const struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];

	return member->task == OWN_TASK_NONE && member->access != OWN_ACCESS_MAYBE &&
	       !(vol->evict & own_bit(node));
}

static bool stopped(const struct own_volume *vol)
{
	return vol->phase == OWN_STOPPED || vol->phase == OWN_CLOSE;
}

static bool all_differs(const struct own_volume *vol, unsigned int node,
			const struct own_facts *facts)
{
	/* What is under way was not told by this state, and may never end. */
	if (stopped(vol))
		return !vol->member[node - 1].open && has_anything(facts);
	if (!facts->changing_key && key_differs(vol, node, facts->incarnation))
		return true;
	return !facts->busy && settled(vol, node) && role_differs(vol, node, facts);
}

static bool route_differs(const struct own_volume *vol, unsigned int node,
			  const struct own_facts *facts)
{
	const struct own_member *member = &vol->member[node - 1];

	return !stopped(vol) && !facts->busy && settled(vol, node) &&
	       !path_differs(vol, node, facts) && member->route != OWN_ROUTE_NONE &&
	       member->route != facts->route;
}

static bool path_event(const struct own_volume *vol, unsigned int node,
		       const struct own_facts *facts, struct own_event *event)
{
	event->type = vol->member[node - 1].no_path ? OWN_EV_PATH_BACK : OWN_EV_PATH_LOST;
	return path_differs(vol, node, facts);
}

static bool fenced_event(const struct own_volume *vol, unsigned int node,
			 const struct own_facts *facts, struct own_event *event)
{
	const struct own_member *member = &vol->member[node - 1];

	event->type = OWN_EV_FENCED;
	event->incarnation = facts->incarnation;
	return facts->conflict && member->access == OWN_ACCESS_REGISTERED &&
	       facts->incarnation == member->incarnation && !(vol->evict & own_bit(node));
}

static bool differs_event(const struct own_volume *vol, unsigned int node,
			  const struct own_facts *facts, struct own_event *event)
{
	event->type = OWN_EV_DIFFERS;
	event->serial = vol->member[node - 1].serial;
	event->incarnation = facts->incarnation;
	event->on = all_differs(vol, node, facts);
	return event->on || route_differs(vol, node, facts);
}

unsigned int ownership_differs(const struct own_volume *vol, unsigned int node,
			       const struct own_facts *facts, struct own_event events[OWN_DIFFERS])
{
	static bool (*const looks[OWN_DIFFERS])(const struct own_volume *vol, unsigned int node,
						const struct own_facts *facts,
						struct own_event *event) = {
		path_event, fenced_event, differs_event,
	};
	unsigned int i, count = 0;

	for (i = 0; i < OWN_DIFFERS; i++) {
		events[count] = (struct own_event){ .node = node, .volume = vol->id };
		if (looks[i](vol, node, facts, &events[count]))
			count++;
	}
	return count;
}

/*
 * It loses the key that it has, whichever that is, and what it had under way is drained, before it
 * registers again.
 */
static void begin_anew(struct own_volume *vol, unsigned int node, uint64_t incarnation)
{
	struct own_member *member = own_member(vol, node);

	own_member_unknown(member);
	member->open = true;
	member->incarnation = incarnation;
	member->access = OWN_ACCESS_MAYBE;
	/* It may listen to another coordinator, or be one. */
	member->barrier = 0;
	member->connected = 0;
	if (!stopped(vol))
		own_evict(vol, node);
}

/* The kernel has not what the state says. If that is only the route, it is told one again. */
void own_member_differs(struct own_volume *vol, unsigned int node, const struct own_event *event)
{
	struct own_member *member = own_member(vol, node);
	bool now = member->serial == event->serial && settled(vol, node);

	if (stopped(vol) ? !member->open : key_differs(vol, node, event->incarnation))
		begin_anew(vol, node, event->incarnation);
	else if (now && event->on)
		begin_anew(vol, node, event->incarnation);
	else if (now)
		member->route = OWN_ROUTE_NONE;
}
