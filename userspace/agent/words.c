// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a volume is on a node, and the names of things.
 */
#include "internal.h"

static struct own_status unavailable(unsigned int reasons)
{
	return (struct own_status){ .state = OWN_STATE_UNAVAILABLE, .reasons = reasons };
}

/* Why there is nobody who serves metadata. 0: there is. */
static unsigned int coordinator_reasons(const struct ownership *own, const struct own_volume *vol)
{
	unsigned int reasons = 0;

	if (vol->phase == OWN_ONLINE)
		return 0;
	if (vol->wanted != OWN_WANT_STARTED)
		return OWN_REASON_ADMIN;
	if (vol->phase == OWN_HOLD || vol->phase == OWN_UNMOUNT || vol->target)
		reasons |= OWN_REASON_MOVING;
	else
		reasons |= OWN_REASON_COORDINATOR_LOST;
	if (vol->fence_failed)
		reasons |= OWN_REASON_FENCE_FAILED;
	if (!vol->coordinator && !own_candidates(own, vol))
		reasons |= OWN_REASON_NO_DISK_PATH;
	return reasons;
}

/* The others have one. */
static bool without_session(const struct own_volume *vol, unsigned int node)
{
	return vol->phase == OWN_ONLINE && node != vol->coordinator &&
	       vol->member[node - 1].connected != vol->epoch;
}

static struct own_status routed(const struct own_member *member, unsigned int reasons)
{
	struct own_status status = { .reasons = reasons };

	switch (member->route) {
	case OWN_ROUTE_DIRECT:
		status.state = OWN_STATE_DIRECT;
		break;
	case OWN_ROUTE_FS:
		status.state = OWN_STATE_FS_REDIRECTED;
		status.reasons |= OWN_REASON_ADMIN;
		break;
	case OWN_ROUTE_BLOCK:
		status.state = OWN_STATE_BLOCK_REDIRECTED;
		status.reasons |= OWN_REASON_NO_DISK_PATH;
		break;
	default:
		/* Until it is told one. Its kernel holds what the lost path cannot take. */
		status.state = OWN_STATE_HELD;
		break;
	}
	if (status.state == OWN_STATE_HELD && (member->no_path || member->damped))
		status.reasons |= OWN_REASON_NO_DISK_PATH;
	return status;
}

/*
 * Data goes on while there is no coordinator: a node that is direct stays it, with the reason why
 * its metadata waits.
 */
struct own_status ownership_status(const struct ownership *own, const struct own_volume *vol,
				   unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];
	unsigned int reasons;

	if (vol->phase == OWN_STOPPED || vol->phase == OWN_CLOSE)
		return unavailable(OWN_REASON_ADMIN);
	if (!((own->present | own->absent) & own_bit(node)))
		return unavailable(OWN_REASON_NODE_LOST);
	if (member->locked_out)
		return unavailable(OWN_REASON_FENCED);
	if (vol->phase == OWN_MAINTENANCE)
		return (struct own_status){ .state = OWN_STATE_MAINTENANCE,
					    .reasons = OWN_REASON_ADMIN };
	reasons = coordinator_reasons(own, vol);
	if (without_session(vol, node))
		reasons |= OWN_REASON_COORDINATOR_LOST;
	if (!own->quorate)
		reasons |= OWN_REASON_NO_QUORUM;
	return routed(member, reasons);
}

static const char *name_of(const char *const *names, size_t count, size_t value)
{
	return value < count && names[value] ? names[value] : "?";
}

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof((names)[0]), value)

const char *own_state_name(enum own_state state)
{
	static const char *const names[OWN_STATES] = {
		"direct", "fs-redirected", "block-redirected", "held", "maintenance", "unavailable",
	};

	return NAME_OF(names, state);
}

const char *own_reason_name(unsigned int bit)
{
	static const char *const names[] = {
		"admin",     "no-disk-path", "coordinator-lost", "moving",
		"no-quorum", "fence-failed", "fenced",		 "node-lost",
	};

	return NAME_OF(names, bit);
}

const char *own_phase_name(enum own_phase phase)
{
	static const char *const names[OWN_PHASES] = {
		"stopped", "fence",  "barrier", "mount",   "epoch",	  "serve", "connect",
		"release", "online", "hold",	"unmount", "maintenance", "close",
	};

	return NAME_OF(names, phase);
}

const char *own_task_name(enum own_task task)
{
	static const char *const names[OWN_TASKS] = {
		"none",	   "register", "fence", "barrier", "mount", "write-epoch", "serve",
		"connect", "release",  "unmount", "route", "close",
	};

	return NAME_OF(names, task);
}

const char *own_event_name(enum own_event_type type)
{
	static const char *const names[OWN_EVENTS] = {
		"view",		"done",	       "timer",	 "path-lost",	 "path-back", "fenced",
		"differs",	"fence-wanted", "add",	 "forget",	 "start",     "stop",
		"move",		"redirect",    "maintenance", "prefer",	 "fence-always",
	};

	return NAME_OF(names, type);
}
