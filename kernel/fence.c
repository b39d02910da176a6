// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens when this node has been fenced. See fence.h.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/spinlock.h>

#include "event.h"
#include "fence.h"
#include "hold.h"
#include "io.h"
#include "log.h"
#include "trace.h"
#include "volume.h"

static void fence_work(struct work_struct *work)
{
	struct covol_volume *vol = container_of(work, struct covol_volume,
						fence_work);

	covol_warn(vol, "fenced: the LUN has refused a write of this node (reservation conflict); the volume is unavailable\n");
	/* what is held fails now */
	covol_hold_release(vol);
	covol_event_route_changed(vol);
}

/**
 * covol_fence_init() - a new volume
 * @vol: the volume
 */
void covol_fence_init(struct covol_volume *vol)
{
	INIT_WORK(&vol->fence_work, fence_work);
}

/**
 * covol_fence_exit() - the volume goes; no device uses it any more
 * @vol: the volume
 */
void covol_fence_exit(struct covol_volume *vol)
{
	cancel_work_sync(&vol->fence_work);
}

/**
 * covol_fence_conflict() - the LUN has refused an I/O of this node
 * @vol: the volume
 *
 * Context: any.
 *
 * Return: whether the volume is unavailable now; if not, its route is being
 * changed, or is another one already.
 */
bool covol_fence_conflict(struct covol_volume *vol)
{
	unsigned long flags;
	bool gone;

	spin_lock_irqsave(&vol->hold_lock, flags);
	/* on fs-redirected the file system's own I/O is direct */
	if (vol->route == COVOL_ROUTE_DIRECT ||
	    vol->route == COVOL_ROUTE_FS_REDIRECTED) {
		vol->route = COVOL_ROUTE_UNAVAILABLE;
		vol->reasons &= ~COVOL_REASON_ADMIN;
		vol->reasons |= COVOL_REASON_FENCED;
		trace_covol_route_changed(vol, vol->route, vol->reasons);
		schedule_work(&vol->fence_work);
	}
	gone = vol->route == COVOL_ROUTE_UNAVAILABLE;
	spin_unlock_irqrestore(&vol->hold_lock, flags);
	return gone;
}

/**
 * covol_fence_fail() - end an I/O of a volume that is unavailable
 * @io: with the bio; no peer may be doing it
 * @bio: the bio
 */
void covol_fence_fail(struct covol_io *io, struct bio *bio)
{
	bool fenced = READ_ONCE(io->obj->vol->reasons) & COVOL_REASON_FENCED;

	io->way = COVOL_WAY_HELD;	/* it has gone nowhere */
	bio->bi_status = fenced ? errno_to_blk_status(COVOL_FENCE_ERRNO) :
				  BLK_STS_IOERR;
	bio_endio(bio);
}

/**
 * covol_fence_errno() - how a request that was executed here is answered
 * @vol: the volume
 * @err: how it ended
 *
 * What fails on a node whose volume is unavailable says nothing about the LUN:
 * who asked is told that there is no path here, and holds the I/O.
 *
 * Context: process context.
 *
 * Return: the error to answer with.
 */
int covol_fence_errno(struct covol_volume *vol, int err)
{
	if (err == COVOL_FENCE_ERRNO)
		covol_fence_conflict(vol);
	if (err == COVOL_FENCE_ERRNO ||
	    (err && READ_ONCE(vol->route) == COVOL_ROUTE_UNAVAILABLE))
		return -ENOLINK;
	return err;
}
