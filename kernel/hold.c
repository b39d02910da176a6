// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O that waits. See hold.h.
 *
 * Held bios are in three lists, which one after the other are their order:
 *
 *	again	tried in the release under way, and held once more
 *	todo	to be tried in it
 *	new	came since it began
 *
 * When it ends all are new.
 *
 * While the route is held nothing is tried again. So what is lost with a peer no
 * more is found out here, too: by who would fail it, or give it back.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "hold.h"
#include "io.h"
#include "log.h"
#include "lost.h"
#include "route.h"
#include "trace.h"
#include "volume.h"

/* How often what waits for the coordinator is tried again, and deadlines are
 * looked at.
 */
#define RETRY	HZ

/*
 * How long after the beginning of a suspend device mapper gets bios back. Until
 * it has stopped its own queue, which comes next but for which there is no
 * hook, it would send each again at once, and mix up their order.
 */
#define GIVE_BACK	(HZ / 10)

/* So many are given to the devices and peers below at once. */
#define BATCH	32

struct workqueue_struct *covol_hold_wq;

static struct covol_io *io_of(struct bio *bio)
{
	return dm_per_bio_data(bio, sizeof(struct covol_io));
}

static void end_with(struct bio *bio, blk_status_t status)
{
	bio->bi_status = status;
	bio_endio(bio);
}

/* ---- holding ---------------------------------------------------------- */

/**
 * covol_hold_add() - a bio has to wait
 * @io: with the bio
 * @bio: as it came, see covol_io.iter; the volume's hold_lock is held
 *
 * Context: any.
 */
void covol_hold_add(struct covol_io *io, struct bio *bio)
{
	struct covol_volume *vol = io->obj->vol;
	bool again = bio == vol->trying;

	lockdep_assert_held(&vol->hold_lock);
	/* nothing on the direct path has set it */
	if (io->way == COVOL_WAYS || io->way == COVOL_WAY_DIRECT ||
	    !io->held_since)
		io->held_since = ktime_get_ns();
	if (io->way != COVOL_WAY_HELD) {
		covol_stats_count(io->obj->stats, COVOL_WAY_HELD, bio_op(bio),
				  bio->bi_iter.bi_size);
		vol->nr_holds++;
	}
	io->way = COVOL_WAY_HELD;
	/* it has waited: nobody is served by an -EAGAIN now */
	covol_bio_detach(bio);
	bio_list_add(&vol->held[again ? COVOL_HELD_AGAIN : COVOL_HELD_NEW],
		     bio);
	vol->nr_held++;
	if (io->deadline)
		vol->nr_deadlines++;
	trace_covol_hold(io, bio);
	queue_delayed_work(covol_hold_wq, &vol->release_work,
			   io->dev->suspending ? GIVE_BACK : RETRY);
}

/* It is in no list any more. */
static void removed(struct covol_volume *vol, struct bio *bio)
{
	lockdep_assert_held(&vol->hold_lock);
	vol->nr_held--;
	if (io_of(bio)->deadline)
		vol->nr_deadlines--;
}

/* ---- taking out ------------------------------------------------------- */

/* Does device mapper take it back? Only while it suspends without a flush. */
static bool goes_back(struct covol_io *io)
{
	return io->dev->suspending && dm_noflush_suspending(io->dev->ti) &&
	       !covol_lost_check(io);
}

/* Take out what goes back. The newest is the first in @out. */
static void take_back(struct covol_volume *vol, struct bio_list *out)
{
	unsigned int list;
	struct bio *bio;

	lockdep_assert_held(&vol->hold_lock);
	for (list = 0; list < COVOL_HELD_LISTS; list++) {
		struct bio_list keep = BIO_EMPTY_LIST;

		while ((bio = bio_list_pop(&vol->held[list]))) {
			if (!goes_back(io_of(bio))) {
				bio_list_add(&keep, bio);
				continue;
			}
			removed(vol, bio);
			bio_list_add_head(out, bio);
		}
		vol->held[list] = keep;
	}
}

/* The suspend was interrupted: back to their places. */
static void put_back(struct covol_volume *vol, struct bio_list *out)
{
	struct bio *bio;

	spin_lock_irq(&vol->hold_lock);
	while ((bio = bio_list_pop(out))) {
		bio_list_add_head(&vol->held[COVOL_HELD_AGAIN], bio);
		vol->nr_held++;
		if (io_of(bio)->deadline)
			vol->nr_deadlines++;
	}
	bio_list_merge_head(&vol->held[COVOL_HELD_NEW],
			    &vol->held[COVOL_HELD_AGAIN]);
	bio_list_init(&vol->held[COVOL_HELD_AGAIN]);
	spin_unlock_irq(&vol->hold_lock);
}

/*
 * Device mapper puts each bio that comes back in front of those it has, so
 * that the newest must be the first. It fails those that come back when a
 * suspend has just been interrupted, so that each is looked at again.
 */
static void give_back(struct covol_volume *vol)
{
	struct bio_list out = BIO_EMPTY_LIST;
	struct bio *bio;

	spin_lock_irq(&vol->hold_lock);
	/* what is to fail must not come again after a resume */
	if (vol->nr_suspending && vol->route != COVOL_ROUTE_UNAVAILABLE)
		take_back(vol, &out);
	spin_unlock_irq(&vol->hold_lock);
	while ((bio = bio_list_peek(&out)) &&
	       dm_noflush_suspending(io_of(bio)->dev->ti)) {
		bio_list_pop(&out);
		end_with(bio, BLK_STS_DM_REQUEUE);
	}
	put_back(vol, &out);
}

/**
 * covol_hold_suspend() - device mapper suspends a device without a flush
 * @dev: the device
 *
 * It gets back what is held of it, soon, and until covol_hold_resume() what
 * would be.
 *
 * Context: process context.
 */
void covol_hold_suspend(struct covol_device *dev)
{
	struct covol_volume *vol = dev->vol;

	spin_lock_irq(&vol->hold_lock);
	vol->nr_suspending += !dev->suspending;
	dev->suspending = true;
	spin_unlock_irq(&vol->hold_lock);
	mod_delayed_work(covol_hold_wq, &vol->release_work, GIVE_BACK);
}

/**
 * covol_hold_resume() - it is suspended, or it will not be
 * @dev: the device, whether covol_hold_suspend() was called for it or not
 */
void covol_hold_resume(struct covol_device *dev)
{
	struct covol_volume *vol = dev->vol;

	spin_lock_irq(&vol->hold_lock);
	vol->nr_suspending -= dev->suspending;
	dev->suspending = false;
	spin_unlock_irq(&vol->hold_lock);
}

/**
 * covol_hold_fail() - the administrator gives up what is held of a device
 * @dev: the device
 *
 * But for what is lost with a peer (lost.h), which may be doing it still: that
 * stays until the peer is forgotten.
 *
 * Context: process context.
 */
void covol_hold_fail(struct covol_device *dev)
{
	struct bio_list out = BIO_EMPTY_LIST;
	struct covol_volume *vol = dev->vol;
	unsigned int list;
	struct bio *bio;

	spin_lock_irq(&vol->hold_lock);
	for (list = 0; list < COVOL_HELD_LISTS; list++) {
		struct bio_list keep = BIO_EMPTY_LIST;

		while ((bio = bio_list_pop(&vol->held[list]))) {
			bool fails = io_of(bio)->dev == dev &&
				     !covol_lost_check(io_of(bio));

			bio_list_add(fails ? &out : &keep, bio);
			if (fails)
				removed(vol, bio);
		}
		vol->held[list] = keep;
	}
	spin_unlock_irq(&vol->hold_lock);
	while ((bio = bio_list_pop(&out)))
		end_with(bio, BLK_STS_IOERR);
}

/* ---- trying again ----------------------------------------------------- */

static bool expired(struct covol_io *io)
{
	return io->deadline && time_after(jiffies, io->deadline) &&
	       !covol_lost_check(io);
}

/* False: none of what is held can go on. */
static bool begin(struct covol_volume *vol)
{
	bool any;

	spin_lock_irq(&vol->hold_lock);
	any = vol->nr_held &&
	      (vol->route != COVOL_ROUTE_HELD || vol->nr_deadlines);
	if (any) {
		vol->held[COVOL_HELD_TODO] = vol->held[COVOL_HELD_NEW];
		bio_list_init(&vol->held[COVOL_HELD_NEW]);
	}
	spin_unlock_irq(&vol->hold_lock);
	return any;
}

/* The next one, in order: it goes on, fails (@late), or stays. Returns NULL
 * with @more if it stays, without when there are no more.
 */
static struct bio *next(struct covol_volume *vol, bool *late, bool *more)
{
	struct bio *bio;

	spin_lock_irq(&vol->hold_lock);
	bio = bio_list_pop(&vol->held[COVOL_HELD_TODO]);
	*more = bio;
	*late = bio && expired(io_of(bio));
	if (bio && !*late && vol->route == COVOL_ROUTE_HELD) {
		bio_list_add(&vol->held[COVOL_HELD_AGAIN], bio);
		bio = NULL;
	}
	if (bio) {
		removed(vol, bio);
		vol->nr_releases += !*late;
	}
	vol->trying = bio;
	spin_unlock_irq(&vol->hold_lock);
	return bio;
}

static void end(struct covol_volume *vol)
{
	spin_lock_irq(&vol->hold_lock);
	vol->trying = NULL;
	bio_list_merge_head(&vol->held[COVOL_HELD_NEW],
			    &vol->held[COVOL_HELD_AGAIN]);
	bio_list_init(&vol->held[COVOL_HELD_AGAIN]);
	if (vol->nr_held && (vol->route != COVOL_ROUTE_HELD ||
			     vol->nr_deadlines))
		queue_delayed_work(covol_hold_wq, &vol->release_work, RETRY);
	spin_unlock_irq(&vol->hold_lock);
}

static void expire(struct bio *bio)
{
	struct covol_io *io = io_of(bio);

	covol_warn(io->obj->vol, "held I/O failed after hold_timeout\n");
	end_with(bio, BLK_STS_TIMEOUT);
}

static void try_again(struct bio *bio)
{
	struct covol_io *io = io_of(bio);

	if (trace_covol_release_enabled())
		trace_covol_release(io, bio, ktime_get_ns() - io->held_since);
	covol_route_again(bio);
}

/* A batch is plugged: the device below gets neighbours as one request, and
 * makes us wait when its queue is full. False: there are no more.
 */
static bool batch(struct covol_volume *vol)
{
	bool late, more = true;
	struct blk_plug plug;
	unsigned int nr;
	struct bio *bio;

	blk_start_plug(&plug);
	for (nr = 0; more && nr < BATCH; nr++) {
		bio = next(vol, &late, &more);
		if (bio && late)
			expire(bio);
		else if (bio)
			try_again(bio);
	}
	blk_finish_plug(&plug);
	return more;
}

static void release_work(struct work_struct *work)
{
	struct covol_volume *vol = container_of(to_delayed_work(work),
						struct covol_volume,
						release_work);

	give_back(vol);
	if (!begin(vol))
		return;
	while (batch(vol))
		cond_resched();
	end(vol);
}

/**
 * covol_hold_release() - let what is held try again
 * @vol: the volume
 *
 * For whoever changed something that a held I/O may wait for.
 *
 * Context: any.
 */
void covol_hold_release(struct covol_volume *vol)
{
	unsigned long flags;

	spin_lock_irqsave(&vol->hold_lock, flags);
	vol->releases++;
	spin_unlock_irqrestore(&vol->hold_lock, flags);
	mod_delayed_work(covol_hold_wq, &vol->release_work, 0);
}

/**
 * covol_hold_release_wait() - let what is held try again, and wait until it has
 * @vol: the volume
 *
 * Context: process context, sleeps.
 */
void covol_hold_release_wait(struct covol_volume *vol)
{
	covol_hold_release(vol);
	flush_delayed_work(&vol->release_work);
}

/* ---- lifetime --------------------------------------------------------- */

/**
 * covol_hold_init() - a new volume: nothing is held
 * @vol: the volume
 */
void covol_hold_init(struct covol_volume *vol)
{
	unsigned int list;

	for (list = 0; list < COVOL_HELD_LISTS; list++)
		bio_list_init(&vol->held[list]);
	INIT_DELAYED_WORK(&vol->release_work, release_work);
}

/**
 * covol_hold_exit() - the volume goes; no device uses it any more
 * @vol: the volume
 */
void covol_hold_exit(struct covol_volume *vol)
{
	cancel_delayed_work_sync(&vol->release_work);
}

int covol_hold_start(void)
{
	covol_hold_wq = alloc_workqueue("covol_route", WQ_MEM_RECLAIM, 0);
	return covol_hold_wq ? 0 : -ENOMEM;
}

void covol_hold_stop(void)
{
	destroy_workqueue(covol_hold_wq);
}
