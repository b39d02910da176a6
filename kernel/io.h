/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the target keeps with each bio, from map to end.
 */
#ifndef COVOL_IO_H
#define COVOL_IO_H

#include <linux/bio.h>
#include <linux/blk_types.h>
#include <linux/device-mapper.h>

#include "coordinator.h"
#include "session.h"
#include "stats.h"

struct covol_object;
struct covol_volume;

/**
 * struct covol_device - a line of a table
 * @entry: in obj->lines
 * @ti: it, for device mapper
 * @vol: the volume, with a reference
 * @obj: the object, with a reference; counted in its devices
 * @lun: the LUN, or NULL without a path
 * @hold_timeout: ms after which a held I/O fails; 0 never
 * @digest: checksums for data on the wire
 * @meta_forward: a member's metadata writes of the volume are forwarded
 * @suspending: what is held goes back to device mapper; vol->hold_lock
 */
struct covol_device {
	struct list_head	entry;
	struct dm_target	*ti;
	struct covol_volume	*vol;
	struct covol_object	*obj;
	struct dm_dev		*lun;
	unsigned int		hold_timeout;
	bool			digest;
	bool			meta_forward;
	bool			suspending;
};

/**
 * struct covol_io - a bio on its way
 * @dev: the device that it came to
 * @obj: the object that it is for
 * @iter: the bio as it came, in sectors of the object; for another try
 * @deadline: when to give up holding it, jiffies; 0 never
 * @way: the way that was chosen
 * @relies: it relies on the map: counted in obj->direct
 * @redirected: a peer or the service has it: counted in vol->redirected
 * @polled: it came with REQ_POLLED, which block layer and LUN may clear
 * @release: count of releases when it was classified, see route.c
 * @replay: a peer was asked for it over a session that is gone
 * @held_since: when it first had to wait on its way, ns; 0 not yet
 * @since: when it was redirected the last time, ns
 * @lost: a session ended before @peer answered, which may be doing it still
 * @lost_block: so on the LUN, at @place; counted in obj->lost
 * @peer: to whom it was redirected
 * @forgets: vol->forgets at that time
 * @place: on the LUN, sectors of the volume's data
 * @call: while a peer has it
 * @req: while this node's own service has it
 */
struct covol_io {
	struct covol_device	*dev;
	struct covol_object	*obj;
	struct bvec_iter	iter;
	unsigned long		deadline;
	u8			way;
	bool			relies;
	bool			redirected;
	bool			polled;
	bool			replay;
	u32			release;
	u64			held_since;
	u64			since;
	bool			lost;
	bool			lost_block;
	u32			peer;
	u32			forgets;
	u64			place;
	union {
		struct covol_call	call;
		struct covol_req	req;
	};
};

static inline struct bio *covol_io_bio(struct covol_io *io)
{
	return dm_bio_from_per_bio_data(io, sizeof(*io));
}

/*
 * From here on a work item submits the bio, if anyone does: one that may wait,
 * and whose requests nobody may have to poll for. Else those of a process that
 * does not poll could take all of the LUN's tags, and with them the work item
 * from all else that is held (I8). Who polls for the bio finds nothing to poll
 * below it any more, as after a failover in NVMe multipath, and its end here.
 */
static inline void covol_bio_detach(struct bio *bio)
{
	bio->bi_opf &= ~REQ_NOWAIT;
	bio_clear_polled(bio);
	WRITE_ONCE(bio->bi_cookie, BLK_QC_T_NONE);
}

/* Has the bio no data and only asks for a flush? */
static inline bool covol_bio_is_flush(const struct bio *bio)
{
	return bio->bi_opf & REQ_PREFLUSH && !bio->bi_iter.bi_size;
}

/* What a bio asks for, in the words of the wire protocol; 0: it has none. */
static inline u8 covol_bio_opcode(const struct bio *bio)
{
	if (covol_bio_is_flush(bio))
		return COVOL_OP_FLUSH;
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return COVOL_OP_READ;
	case REQ_OP_WRITE:
		return COVOL_OP_WRITE;
	case REQ_OP_DISCARD:
		return COVOL_OP_DISCARD;
	case REQ_OP_WRITE_ZEROES:
		return COVOL_OP_WRITE_ZEROES;
	default:
		return 0;
	}
}

#endif /* COVOL_IO_H */
