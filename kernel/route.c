// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router. See route.h.
 *
 * The direct path takes no lock and writes to no shared cache line: it reads
 * the route, enters obj->direct (per CPU), looks the extent up, and remaps.
 * Route and reference are taken in one RCU section: covol_route_set() changes
 * the route before it drains, and a drain ends no earlier than the sections
 * that began before it. So who saw the old route has been waited for (I3).
 *
 * A bio that has to wait for the coordinator is held only if nothing was
 * released since it looked (io->release): else the event that it waits for
 * may just have passed.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "event.h"
#include "fault.h"
#include "fence.h"
#include "hold.h"
#include "initiator.h"
#include "io.h"
#include "log.h"
#include "lost.h"
#include "route.h"
#include "trace.h"
#include "volume.h"

static const char * const route_names[] = {
	[COVOL_ROUTE_DIRECT]		= "direct",
	[COVOL_ROUTE_FS_REDIRECTED]	= "fs-redirected",
	[COVOL_ROUTE_BLOCK_REDIRECTED]	= "block-redirected",
	[COVOL_ROUTE_HELD]		= "held",
	[COVOL_ROUTE_MAINTENANCE]	= "maintenance",
	[COVOL_ROUTE_UNAVAILABLE]	= "unavailable",
};

static const char * const reason_names[] = {
	"admin", "no-disk-path", "coordinator-lost", "stale-epoch", "moving",
	"fenced",
};

/**
 * covol_route_name() - a route in the words that every surface uses
 * @route: the route
 *
 * Return: its name.
 */
const char *covol_route_name(enum covol_route route)
{
	return route_names[route];
}

/**
 * covol_reason_name() - a reason in the words that every surface uses
 * @bit: number of the bit in the reasons
 *
 * Return: its name, or NULL above the last.
 */
const char *covol_reason_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(reason_names) ? reason_names[bit] : NULL;
}

/* ---- holding ---------------------------------------------------------- */

/* Give up what counts the I/O as under way. */
static inline void leave(struct covol_io *io)
{
	if (io->relies)
		covol_drain_leave(&io->obj->direct);
	if (io->redirected)
		covol_drain_leave(&io->obj->vol->redirected);
	io->relies = false;
	io->redirected = false;
}

/* Back to what the bio was when it came. */
static void rewind(struct covol_io *io, struct bio *bio)
{
	bio->bi_iter = io->iter;
	bio->bi_status = BLK_STS_OK;
	atomic_set(&bio->__bi_remaining, 1);
}

/* Hold because of the route; false if that has changed meanwhile. */
static bool hold(struct covol_io *io, struct bio *bio)
{
	struct covol_volume *vol = io->obj->vol;
	unsigned long flags;
	bool held;

	spin_lock_irqsave(&vol->hold_lock, flags);
	held = vol->route == COVOL_ROUTE_HELD;
	if (held)
		covol_hold_add(io, bio);
	spin_unlock_irqrestore(&vol->hold_lock, flags);
	return held;
}

/* Hold until the coordinator can be asked; false: try again at once. */
static bool hold_for_peer(struct covol_io *io, struct bio *bio)
{
	struct covol_volume *vol = io->obj->vol;
	unsigned long flags;
	bool held;

	leave(io);
	rewind(io, bio);
	spin_lock_irqsave(&vol->hold_lock, flags);
	held = vol->releases == io->release;
	if (held)
		covol_hold_add(io, bio);
	spin_unlock_irqrestore(&vol->hold_lock, flags);
	return held;
}

/* ---- classification --------------------------------------------------- */

static int zero_fill(struct covol_io *io, struct bio *bio, u32 state)
{
	trace_covol_route(io, bio, COVOL_WAY_ZERO_FILLED, state);
	io->way = COVOL_WAY_ZERO_FILLED;
	covol_stats_count(io->obj->stats, io->way, REQ_OP_READ,
			  bio->bi_iter.bi_size);
	zero_fill_bio(bio);
	bio_endio(bio);		/* end_io leaves obj->direct */
	return DM_MAPIO_SUBMITTED;
}

static int remap(struct covol_io *io, struct bio *bio, u64 place)
{
	struct covol_volume *vol = io->obj->vol;

	io->way = COVOL_WAY_DIRECT;
	covol_stats_count(io->obj->stats, io->way, bio_op(bio),
			  bio->bi_iter.bi_size);
	bio_set_dev(bio, vol->lun);
	bio->bi_iter.bi_sector = (vol->lun_offset >> SECTOR_SHIFT) + place;
	return DM_MAPIO_REMAPPED;
}

/* The volume object on its coordinator is the LUN itself. */
static bool is_identity(const struct covol_object *obj)
{
	return !obj->id && covol_volume_serves(obj->vol);
}

static bool map_applies(const struct bio *bio)
{
	return (bio_op(bio) == REQ_OP_READ || bio_op(bio) == REQ_OP_WRITE) &&
	       !covol_bio_is_flush(bio);
}

static void look_up(struct covol_object *obj, struct bio *bio,
		    struct covol_extent *ext)
{
	u64 sector = bio->bi_iter.bi_sector;

	if (is_identity(obj)) {
		ext->start = sector;
		ext->place = sector;
		ext->len = bio_sectors(bio);
		ext->state = COVOL_EXTENT_STATE_DATA;
	} else if (!obj->id && bio->bi_opf & REQ_META) {
		ext->len = bio_sectors(bio);
		ext->state = COVOL_EXTENT_STATE_UNKNOWN;
	} else {
		covol_map_lookup(&obj->map, sector, bio_sectors(bio), ext);
	}
}

/* May the bio use an extent in this state where it lies? */
static bool goes_direct(const struct bio *bio, u32 state)
{
	if (bio_op(bio) == REQ_OP_READ)
		return covol_state_mapped(state);
	return state == COVOL_EXTENT_STATE_DATA;
}

/* Is all of the bio in extents that it may use where they lie? */
static bool all_direct(struct covol_object *obj, struct bio *bio)
{
	u64 at = bio->bi_iter.bi_sector, end = bio_end_sector(bio);
	struct covol_extent ext;

	if (!map_applies(bio) || bio->bi_opf & REQ_META)
		return false;
	rcu_read_lock();
	do {
		covol_map_lookup(&obj->map, at, end - at, &ext);
		at += ext.len;
	} while (at < end && goes_direct(bio, ext.state));
	rcu_read_unlock();
	return goes_direct(bio, ext.state);
}

/* What the coordinator may be asked to change: a member that formats or
 * mounts the LUN by mistake must not reach it.
 */
static bool refused(struct covol_io *io, struct bio *bio)
{
	return !io->obj->id && op_is_write(bio_op(bio)) &&
	       !covol_bio_is_flush(bio) && !io->dev->meta_forward &&
	       !is_identity(io->obj) && !all_direct(io->obj, bio);
}

static int refuse(struct covol_io *io, struct bio *bio)
{
	covol_warn(io->obj->vol,
		   "metadata write at sector %llu of the volume refused: only the coordinator may (meta_policy)\n",
		   (u64)bio->bi_iter.bi_sector);
	io->way = COVOL_WAY_FS_REDIRECTED;
	bio->bi_status = BLK_STS_IOERR;	/* there is none for EROFS */
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

/* ---- the ways --------------------------------------------------------- */

/* Answers that say "not now": the I/O waits, it does not fail. */
static bool is_transient(int err)
{
	return err == -ENOTCONN || err == -ECONNRESET || err == -ESTALE ||
	       err == -ENOENT || err == -ENOLINK;
}

/* A redirect could not begin. True: the bio is taken care of. */
static bool not_begun(struct covol_io *io, struct bio *bio, int err)
{
	if (is_transient(err))
		return hold_for_peer(io, bio);
	leave(io);
	bio->bi_status = errno_to_blk_status(err);
	bio_endio(bio);
	return true;
}

static void redirect_begins(struct covol_io *io, struct bio *bio,
			    enum covol_way way)
{
	if (io->way == COVOL_WAYS)
		io->held_since = 0;
	io->since = ktime_get_ns();
	io->way = way;
	covol_stats_count(io->obj->stats, way, bio_op(bio),
			  bio->bi_iter.bi_size);
}

/* What is lost goes to its peer on every route on which I/O is done at all. */
static bool may_ask(const struct covol_io *io, enum covol_route route)
{
	return route != COVOL_ROUTE_HELD &&
	       (route != COVOL_ROUTE_UNAVAILABLE || io->lost);
}

/*
 * To the coordinator's file system, which is right on every route but held and
 * unavailable. False: look at the route again.
 *
 * Here on the coordinator itself the request is not counted in
 * vol->redirected: it ends only when the file system's own I/O on the volume
 * object does, and that may be held by the very change of route that drains.
 */
static bool to_fs(struct covol_io *io, struct bio *bio, u32 state)
{
	struct covol_object *obj = io->obj;
	struct covol_volume *vol = obj->vol;
	bool here = covol_volume_serves(vol), go;
	int err;

	rcu_read_lock();
	go = may_ask(io, READ_ONCE(vol->route)) &&
	     (here || covol_drain_enter(&vol->redirected));
	rcu_read_unlock();
	if (!go)
		return false;
	io->redirected = !here;
	trace_covol_route(io, bio, COVOL_WAY_FS_REDIRECTED, state);
	redirect_begins(io, bio, COVOL_WAY_FS_REDIRECTED);
	covol_lost_peer(io, READ_ONCE(vol->coordinator));
	err = covol_initiator_fs(io);
	return !err || not_begun(io, bio, err);
}

/* To the LUN through another node; obj->direct has been entered. */
static bool to_block(struct covol_io *io, struct bio *bio, u64 place)
{
	int err;

	redirect_begins(io, bio, COVOL_WAY_BLOCK_REDIRECTED);
	covol_lost_peer(io, READ_ONCE(io->obj->vol->redirect_peer));
	io->place = place;
	err = covol_initiator_block(io);
	return !err || not_begun(io, bio, err);
}

static enum covol_way lun_way(enum covol_route route)
{
	return route == COVOL_ROUTE_BLOCK_REDIRECTED ?
	       COVOL_WAY_BLOCK_REDIRECTED : COVOL_WAY_DIRECT;
}

static int to_lun(struct covol_io *io, struct bio *bio, u64 place,
		  enum covol_route route)
{
	if (route != COVOL_ROUTE_BLOCK_REDIRECTED)
		return remap(io, bio, place);
	return to_block(io, bio, place) ? DM_MAPIO_SUBMITTED : -EAGAIN;
}

/*
 * By the map and no other way; @route is direct or block-redirected, or it is
 * fs-redirected and the bio is the file system's own. Returns DM_MAPIO_*;
 * -EAGAIN: look at the route again; or -ENXIO: the map has no place for it.
 */
static int by_map_only(struct covol_io *io, struct bio *bio,
		       enum covol_route route, bool split, u32 *state)
{
	unsigned int sectors = bio_sectors(bio);
	struct covol_object *obj = io->obj;
	struct covol_extent ext;

	*state = COVOL_EXTENT_STATE_UNKNOWN;
	rcu_read_lock();
	if (READ_ONCE(obj->vol->route) != route) {
		rcu_read_unlock();
		return -EAGAIN;
	}
	if (!covol_drain_enter(&obj->direct)) {
		rcu_read_unlock();
		return -ENXIO;	/* a recall is draining */
	}
	io->relies = true;
	if (map_applies(bio)) {
		look_up(obj, bio, &ext);
		rcu_read_unlock();
		if (ext.len < sectors) {
			if (!split)
				goto leave;	/* the coordinator takes it whole */
			dm_accept_partial_bio(bio, ext.len);
			io->iter = bio->bi_iter;
		}
		if (!goes_direct(bio, ext.state)) {
			*state = ext.state;
			if (bio_op(bio) == REQ_OP_READ &&
			    covol_state_zero(ext.state))
				return zero_fill(io, bio, ext.state);
			goto leave;
		}
	} else {
		rcu_read_unlock();
		if (!covol_bio_is_flush(bio) && !is_identity(obj))
			goto leave;
		ext.place = bio->bi_iter.bi_sector;
		ext.state = COVOL_EXTENT_STATE_UNKNOWN;
	}
	trace_covol_route(io, bio, lun_way(route), ext.state);
	return to_lun(io, bio, ext.place, route);
leave:
	leave(io);
	return -ENXIO;
}

/* By the map, or else to the coordinator. -EAGAIN: look at the route again. */
static int by_map(struct covol_io *io, struct bio *bio, enum covol_route route,
		  bool split)
{
	u32 state;
	int ret = by_map_only(io, bio, route, split, &state);

	if (ret != -ENXIO)
		return ret;
	if (map_applies(bio) && state == COVOL_EXTENT_STATE_UNKNOWN &&
	    io->obj->id)
		covol_layout_ask(io->obj, bio->bi_iter.bi_sector);
	if (refused(io, bio))
		return refuse(io, bio);
	return to_fs(io, bio, state) ? DM_MAPIO_SUBMITTED : -EAGAIN;
}

/* To the same peer in the same way; -EAGAIN as by_map(). */
static int ask_again(struct covol_io *io, struct bio *bio,
		     enum covol_route route)
{
	bool taken;

	if (route == COVOL_ROUTE_HELD)
		taken = hold(io, bio);
	else if (io->lost_block)
		taken = to_block(io, bio, io->place);
	else
		taken = to_fs(io, bio, COVOL_EXTENT_STATE_UNKNOWN);
	return taken ? DM_MAPIO_SUBMITTED : -EAGAIN;
}

/* Does data go to the LUN? On fs-redirected the file system's own does: it is
 * not redirected through itself.
 */
static bool is_direct(enum covol_route route, const struct covol_object *obj)
{
	return route == COVOL_ROUTE_DIRECT ||
	       (route == COVOL_ROUTE_FS_REDIRECTED && is_identity(obj));
}

static int one_try(struct covol_io *io, struct bio *bio, bool split)
{
	struct covol_volume *vol = io->obj->vol;
	enum covol_route route = READ_ONCE(vol->route);

	io->release = READ_ONCE(vol->releases);
	if (covol_lost_check(io))
		return ask_again(io, bio, route);
	switch (route) {
	case COVOL_ROUTE_FS_REDIRECTED:
		if (!is_direct(route, io->obj)) {
			if (refused(io, bio))
				return refuse(io, bio);
			return to_fs(io, bio, COVOL_EXTENT_STATE_UNKNOWN) ?
				DM_MAPIO_SUBMITTED : -EAGAIN;
		}
		fallthrough;
	case COVOL_ROUTE_DIRECT:
	case COVOL_ROUTE_BLOCK_REDIRECTED:
		return by_map(io, bio, route, split);
	case COVOL_ROUTE_UNAVAILABLE:
		covol_fence_fail(io, bio);
		return DM_MAPIO_SUBMITTED;
	default:
		return hold(io, bio) ? DM_MAPIO_SUBMITTED : -EAGAIN;
	}
}

/* Not in line twice: so what it calls is, which the direct path shows. */
static noinline int route_bio(struct covol_io *io, struct bio *bio, bool split)
{
	int ret;

	do {
		ret = one_try(io, bio, split);
		if (ret == -EAGAIN) {
			leave(io);
			cpu_relax();
		}
	} while (ret == -EAGAIN);
	return ret;
}

/*
 * Now or not at all: what cannot go to the LUN at once is for the submitter to
 * try again where it may wait.
 *
 * Not for one who polls: what is refused device mapper sends once more, by a
 * work item and with REQ_NOWAIT, and then who polls gets an -EAGAIN that comes
 * too late to be understood (I7). So a polled bio takes the way that it has:
 * none waits for more than memory, see covol_call.msg.here; and what the LUN
 * does not take at once a work item gives it, see go_on_later().
 */
static int map_nowait(struct covol_io *io, struct bio *bio)
{
	enum covol_route route = READ_ONCE(io->obj->vol->route);
	int ret = -EAGAIN;
	u32 state;

	if (is_direct(route, io->obj))
		ret = by_map_only(io, bio, route, false, &state);
	if (ret >= 0)
		return ret;
	bio_wouldblock_error(bio);
	return DM_MAPIO_SUBMITTED;
}

/**
 * covol_route_map() - a bio comes in
 * @io: with the bio; dev, obj and deadline are set
 * @bio: the bio; bi_sector is in the object
 *
 * Return: DM_MAPIO_REMAPPED or DM_MAPIO_SUBMITTED.
 */
int covol_route_map(struct covol_io *io, struct bio *bio)
{
	io->iter = bio->bi_iter;
	io->way = COVOL_WAYS;
	io->relies = false;
	io->redirected = false;
	io->polled = bio->bi_opf & REQ_POLLED;
	io->replay = false;
	io->lost = false;
	if (unlikely(bio->bi_opf & REQ_NOWAIT) && !io->polled)
		return map_nowait(io, bio);
	return route_bio(io, bio, true);
}

/* ---- ends ------------------------------------------------------------- */

/* A path error: hold this bio and all that come. After a conflict only this
 * one has another way to go.
 */
static void path_lost(struct covol_io *io, struct bio *bio, int err)
{
	struct covol_volume *vol = io->obj->vol;
	unsigned long flags;
	bool held;

	leave(io);
	rewind(io, bio);
	spin_lock_irqsave(&vol->hold_lock, flags);
	if (is_direct(vol->route, io->obj) && err != COVOL_FENCE_ERRNO) {
		vol->route = COVOL_ROUTE_HELD;
		/* what was set for the route before is not why */
		vol->reasons &= ~COVOL_REASON_ADMIN;
		vol->reasons |= COVOL_REASON_NO_DISK_PATH;
		vol->lost_object = io->obj->id;
		vol->lost_error = err;
		trace_covol_route_changed(vol, vol->route, vol->reasons);
		queue_work(covol_hold_wq, &vol->report_work);
	}
	covol_hold_add(io, bio);
	held = vol->route == COVOL_ROUTE_HELD;
	spin_unlock_irqrestore(&vol->hold_lock, flags);
	if (!held)
		covol_hold_release(vol);
}

/* The LUN does not take it at once, and its submitter cannot be told: see
 * map_nowait().
 */
static void go_on_later(struct covol_io *io, struct bio *bio)
{
	struct covol_volume *vol = io->obj->vol;
	unsigned long flags;

	leave(io);
	rewind(io, bio);
	spin_lock_irqsave(&vol->hold_lock, flags);
	covol_hold_add(io, bio);
	spin_unlock_irqrestore(&vol->hold_lock, flags);
	covol_hold_release(vol);
}

static void report_work(struct work_struct *work)
{
	struct covol_volume *vol = container_of(work, struct covol_volume,
						report_work);

	covol_warn(vol, "path to the LUN lost (%d): I/O is held\n",
		   vol->lost_error);
	covol_event_path_lost(vol, vol->lost_object, vol->lost_error);
	covol_event_route_changed(vol);
}

static bool is_path_error(blk_status_t status)
{
	return status != BLK_STS_AGAIN && status != BLK_STS_DM_REQUEUE &&
	       blk_path_error(status);
}

/**
 * covol_route_end_io() - a bio has ended, by whatever way
 * @io: with the bio
 * @bio: the bio
 * @status: how it ended
 *
 * Context: any.
 *
 * Return: DM_ENDIO_DONE, or DM_ENDIO_INCOMPLETE: the bio is held, or goes on.
 */
int covol_route_end_io(struct covol_io *io, struct bio *bio,
		       blk_status_t *status)
{
	if (io->way == COVOL_WAY_DIRECT && covol_fault(COVOL_FAULT_FAIL_DIRECT))
		*status = BLK_STS_TRANSPORT;
	if (unlikely(*status) && io->way == COVOL_WAY_DIRECT) {
		int err = blk_status_to_errno(*status);

		if (is_path_error(*status) ||
		    (err == COVOL_FENCE_ERRNO &&
		     !covol_fence_conflict(io->obj->vol))) {
			path_lost(io, bio, err);
			return DM_ENDIO_INCOMPLETE;
		}
		if (io->polled && err == -EAGAIN &&
		    bio->bi_opf & REQ_NOWAIT) {
			go_on_later(io, bio);
			return DM_ENDIO_INCOMPLETE;
		}
	}
	leave(io);
	return DM_ENDIO_DONE;
}

/**
 * covol_route_direct_now() - would a redirected I/O go direct by now?
 * @io: an I/O that waits to be sent to the coordinator
 *
 * While it waited a grant may have come: a fast writer queues many writes
 * before the first has been answered.
 *
 * Context: any; does not sleep.
 *
 * Return: whether it would.
 */
bool covol_route_direct_now(struct covol_io *io)
{
	enum covol_route route = READ_ONCE(io->obj->vol->route);
	struct bio *bio = covol_io_bio(io);
	struct covol_extent ext;

	if (io->lost || !map_applies(bio) ||
	    (route != COVOL_ROUTE_DIRECT &&
	     route != COVOL_ROUTE_BLOCK_REDIRECTED))
		return false;
	rcu_read_lock();
	covol_map_lookup(&io->obj->map, bio->bi_iter.bi_sector,
			 bio_sectors(bio), &ext);
	rcu_read_unlock();
	return ext.len == bio_sectors(bio) && goes_direct(bio, ext.state);
}

/**
 * covol_route_redirect_done() - a redirected I/O has ended
 * @io: as given to the initiator
 * @err: 0 or a negative errno, see struct covol_call; -EAGAIN: choose again
 *
 * Context: process context.
 */
void covol_route_redirect_done(struct covol_io *io, int err)
{
	struct bio *bio = covol_io_bio(io);
	struct covol_object *obj = io->obj;

	if (err == -ECONNRESET)
		covol_lost_begin(io);
	else if (err != -EAGAIN)
		covol_lost_end(io);
	if (err == -EAGAIN) {
		leave(io);
		rewind(io, bio);
		covol_route_again(bio);
		return;
	}
	if (is_transient(err)) {
		if (err == -ESTALE)
			covol_route_reasons(obj->vol, COVOL_REASON_STALE_EPOCH,
					    0);
		if (!hold_for_peer(io, bio))
			covol_route_again(bio);
		return;
	}
	/* I5: the coordinator has filled the holes of this range; this node's
	 * own reads must not make zeroes of them any more.
	 */
	if (!err && obj->id && bio_op(bio) == REQ_OP_WRITE && bio_sectors(bio))
		covol_map_forget_zeroes(&obj->map, io->iter.bi_sector,
					bio_sectors(bio));
	covol_stats_took(obj->stats, io->way == COVOL_WAY_BLOCK_REDIRECTED ?
			 COVOL_TIMED_BLOCK : COVOL_TIMED_FS,
			 covol_bio_opcode(bio), ktime_get_ns() - io->since);
	bio->bi_status = errno_to_blk_status(err);
	bio_endio(bio);
}

/**
 * covol_route_again() - choose the way of a bio once more
 * @bio: the bio, as it came
 *
 * Context: process context, may sleep where the device below lets it wait.
 */
void covol_route_again(struct bio *bio)
{
	struct covol_io *io = dm_per_bio_data(bio, sizeof(*io));

	covol_bio_detach(bio);
	if (route_bio(io, bio, false) == DM_MAPIO_REMAPPED)
		submit_bio_noacct(bio);
}

/* ---- changes ---------------------------------------------------------- */

static void set_route(struct covol_volume *vol, enum covol_route route,
		      u32 set, u32 clear)
{
	spin_lock_irq(&vol->hold_lock);
	vol->route = route;
	vol->reasons = (vol->reasons & ~clear) | set;
	trace_covol_route_changed(vol, vol->route, vol->reasons);
	spin_unlock_irq(&vol->hold_lock);
}

/**
 * covol_route_set() - change a volume's route
 * @vol: the volume; its lock is held
 * @route: one of direct, fs-redirected, block-redirected, held, unavailable
 * @reasons: why; reasons that were set by user space before are cleared
 *
 * Context: sleeps until all I/O of the old route has ended or is held; on
 * unavailable until what was held has ended, too, but for what is lost (lost.h).
 */
void covol_route_set(struct covol_volume *vol, enum covol_route route,
		     u32 reasons)
{
	u32 given = COVOL_REASON_ADMIN | COVOL_REASON_NO_DISK_PATH |
		    COVOL_REASON_MOVING | COVOL_REASON_FENCED;
	struct covol_object *obj;
	unsigned long id;

	lockdep_assert_held(&vol->lock);
	set_route(vol, COVOL_ROUTE_HELD, COVOL_REASON_MOVING, 0);
	xa_for_each(&vol->objects, id, obj)
		covol_drain_wait(&obj->direct);
	covol_drain_wait(&vol->redirected);
	set_route(vol, route, reasons, given);
	/* I3: what is to fail must not meet the route that comes next */
	if (route == COVOL_ROUTE_UNAVAILABLE)
		covol_hold_release_wait(vol);
	else
		covol_hold_release(vol);
	covol_event_route_changed(vol);
}

/* ---- lifetime --------------------------------------------------------- */

/**
 * covol_route_init() - a new volume: held, reason admin
 * @vol: the volume
 */
void covol_route_init(struct covol_volume *vol)
{
	spin_lock_init(&vol->hold_lock);
	covol_hold_init(vol);
	INIT_WORK(&vol->report_work, report_work);
	covol_fence_init(vol);
	vol->route = COVOL_ROUTE_HELD;
	vol->reasons = COVOL_REASON_ADMIN;
}

/**
 * covol_route_exit() - the volume goes; no device uses it any more
 * @vol: the volume
 */
void covol_route_exit(struct covol_volume *vol)
{
	covol_fence_exit(vol);
	covol_hold_exit(vol);
	cancel_work_sync(&vol->report_work);
}
