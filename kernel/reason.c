// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a volume is on its route. See route.h.
 */
#include <linux/spinlock.h>

#include "event.h"
#include "hold.h"
#include "route.h"
#include "session.h"
#include "trace.h"
#include "volume.h"

/**
 * covol_route_reasons() - change the reasons for a volume's route
 * @vol: the volume
 * @set: reasons that there are now
 * @clear: reasons that there are no more
 *
 * Context: process context, may sleep for memory.
 */
void covol_route_reasons(struct covol_volume *vol, u32 set, u32 clear)
{
	u32 before, after;

	spin_lock_irq(&vol->hold_lock);
	before = vol->reasons;
	vol->reasons = (before & ~clear) | set;
	after = vol->reasons;
	if (before != after)
		trace_covol_route_changed(vol, vol->route, after);
	spin_unlock_irq(&vol->hold_lock);
	if (before != after)
		covol_event_route_changed(vol);
}

/**
 * covol_route_check() - a session came or went, or the coordinator or the
 *			 epoch changed
 * @vol: the volume
 *
 * Brings the reasons up to date, and lets what waits for the coordinator try
 * again.
 *
 * Context: process context, may sleep for memory.
 */
void covol_route_check(struct covol_volume *vol)
{
	u32 lost = COVOL_REASON_COORDINATOR_LOST;

	if (covol_volume_serves(vol) ||
	    covol_session_live(vol, READ_ONCE(vol->coordinator)))
		covol_route_reasons(vol, 0, lost | COVOL_REASON_STALE_EPOCH);
	else
		covol_route_reasons(vol, lost, COVOL_REASON_STALE_EPOCH);
	covol_hold_release(vol);
}
