// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks: allocation in an image's file. See chunk.h.
 *
 * All offsets here are bytes in the image.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "blocks.h"
#include "chunk.h"
#include "coordinator.h"
#include "file.h"
#include "fill.h"
#include "layout.h"
#include "range.h"
#include "session.h"
#include "trace.h"
#include "volume.h"
#include "wire.h"

/* Extents of a chunk that are granted at once. */
#define GRANT_EXTENTS	16

/* Chunks that are prepared ahead of a writer: 4, 8, ... of them as it goes on.
 * The service does not see the writes that go direct, so the first number must
 * be enough to keep the writer busy until it is back.
 */
#define AHEAD_MIN	4u
#define AHEAD_MAX	64u

/* So many of them at once, and with the write itself, where the device writes
 * zeroes by itself. Else an eighth of them, while that is not too much to wait
 * for: each change of the map has its price.
 */
#define AHEAD_STEP	8u
#define AHEAD_SENT	(4ull << 20)

/* A writer has several chunks under way, which come in any order. */
#define AHEAD_SLACK	4u

/* A file system above writes in several places at once: data here, metadata
 * there. So many of them are followed.
 */
#define STREAMS		4

#define FOLIO_MAX	((u64)PMD_SIZE)	/* of the page cache */

/**
 * struct stream - one place where a writer goes on
 * @first: where it began with what was prepared last
 * @next: where it would come next: behind what is, or will be, prepared
 * @ahead: chunks that were prepared ahead the last time
 * @todo: of what is to be prepared, first byte that is not yet; up to @next
 * @peer: for whom
 */
struct stream {
	u64		first;
	u64		next;
	unsigned int	ahead;
	u64		todo;
	u32		peer;
};

/*
 * Is the image being shared? While it is, nobody holds a layout of it, and from
 * SHARING_BEGUN on its ranges are closed.
 */
enum sharing {
	SHARING_NO,
	SHARING_BEGINS,
	SHARING_BEGUN,
	SHARING_ENDS,
};

/**
 * struct covol_chunks - ranges of one image in use by the service
 * @obj: the image
 * @shared: the change of all of it, unless it is SHARING_NO
 * @ranges: those that are in use
 * @lock: protects the rest
 * @sharing: by covol_chunks_share_begin()
 * @stopped: nothing is prepared ahead any more, or shared
 * @streams: where writers go on
 * @victim: the stream that a new place takes
 * @work: prepares ahead
 */
struct covol_chunks {
	struct covol_object	*obj;
	struct covol_change	shared;
	struct covol_ranges	ranges;

	/* protects all below */
	spinlock_t		lock;
	enum sharing		sharing;
	bool			stopped;
	struct stream		streams[STREAMS];
	unsigned int		victim;
	struct work_struct	work;
};

/* ---- ranges ----------------------------------------------------------- */

/* -ENOENT: the asker's session ended meanwhile. Who has the range may be waiting
 * for its next one. Or the file is being taken away.
 */
static int lock_range(struct covol_chunks *chunks, struct covol_range *range,
		      u64 start, u64 end, bool shared,
		      const struct covol_asker *asker)
{
	struct covol_ranges *ranges = &chunks->ranges;

	covol_range_join(ranges, range, start, end, shared);
	wait_event_idle(ranges->wait,
			covol_range_try(ranges, range) ||
			covol_file_gives_up(chunks->obj, asker));
	if (range->locked)
		return 0;
	covol_range_leave(ranges, range);
	return -ENOENT;
}

/* For an I/O up to @must: not past the end, which may have come nearer since it
 * was accepted; the file would grow again. The same goes for what is locked
 * beyond the I/O: @end is no more than the size afterwards.
 */
static int enter_range(struct covol_chunks *chunks, struct covol_range *range,
		       u64 start, u64 *end, u64 must, bool shared,
		       const struct covol_asker *asker)
{
	int err = lock_range(chunks, range, start, *end, shared, asker);
	u64 size;

	if (err)
		return err;
	size = READ_ONCE(chunks->obj->size);
	*end = min(*end, size);
	if (must <= size)
		return 0;
	covol_range_leave(&chunks->ranges, range);
	return -ERANGE;
}

/* ---- preparing -------------------------------------------------------- */

static u64 chunk_start(struct covol_object *obj, u64 pos)
{
	return round_down(pos, (u64)READ_ONCE(obj->vol->chunk_size));
}

static u64 chunk_end(struct covol_object *obj, u64 pos)
{
	return min(round_up(pos, (u64)READ_ONCE(obj->vol->chunk_size)),
		   READ_ONCE(obj->size));
}

/* Without room for all: only the blocks that must be written. */
static int fill_blocks(struct covol_object *obj, struct covol_source *src,
		       bool moves, rwf_t flags)
{
	u64 block = i_blocksize(file_inode(obj->file));

	return covol_fill(obj, src, moves, round_down(src->start, block),
			  min(round_up(src->end, block), obj->size), flags);
}

/* Change the map of the chunks from @start to @end, whose range is locked. */
static int prepare_locked(struct covol_object *obj, struct covol_source *src,
			  u64 start, u64 end, const struct covol_asker *asker,
			  rwf_t flags)
{
	bool moves = covol_fill_moves(obj);
	struct covol_source again = *src;
	struct covol_change change;
	int err;

	covol_layout_begin(obj, &change, start >> SECTOR_SHIFT,
			   (end - start) >> SECTOR_SHIFT);
	/* I5: who reads zeroes or shared blocks in the range must stop before
	 * the write is acknowledged. So must the writer, in all of the range:
	 * when the change has ended others write there without a recall, maybe
	 * before it has its grant. Blocks that move are taken back from it, too.
	 */
	err = covol_layout_recall(obj, &change, asker, !moves);
	if (!err)
		err = covol_fill(obj, src, moves, start, end, flags);
	if (err == -ENOSPC && src->start < src->end)
		err = fill_blocks(obj, &again, moves, flags);
	covol_layout_end(obj, &change);
	trace_covol_chunk_prepared(obj, asker->peer, start >> SECTOR_SHIFT,
				   (end - start) >> SECTOR_SHIFT, change.seq,
				   err);
	return err;
}

/*
 * Grant what was prepared, which is stable (I2), to @peer. User space is asked
 * where the file system does not tell the kernel.
 */
static void grant(struct covol_object *obj, u64 start, u64 end, u32 peer)
{
	u64 seq = covol_layout_seq(obj);
	u64 at = start >> SECTOR_SHIFT, len = (end - start) >> SECTOR_SHIFT;
	struct covol_extent ext[GRANT_EXTENTS];
	int nr = -EOPNOTSUPP;

	if (!covol_fill_moves(obj) && covol_blocks_known(obj))
		nr = covol_blocks_read(obj, start, end, ext, GRANT_EXTENTS);
	if (nr <= 0 || covol_layout_grant(obj, peer, seq, at, len, ext, nr))
		covol_layout_want(obj, peer, at, len);
}

/*
 * Prepare the chunks from @start to @end with the source's data in them, for
 * @asker. Of several writes that came for one chunk at the same time the first
 * prepares it; the others find data when they get the lock. Returns 1 if the
 * map was changed, 0 if it was not, or a negative errno.
 */
static int prepare(struct covol_object *obj, struct covol_source *src, u64 start,
		   u64 end, const struct covol_asker *asker, rwf_t flags)
{
	bool own = src->start < src->end;
	struct covol_range range;
	bool plain;
	int err;

	err = enter_range(obj->chunks, &range, start, &end,
			  own ? src->end : start + 1, false, asker);
	if (err)
		return err;
	plain = own ? covol_fill_in_place(obj, src->start, src->end, start, end) :
		      covol_fill_done(obj, start, end);
	if (!plain)
		err = prepare_locked(obj, src, start, end, asker, flags);
	else
		err = own ? covol_fill_write(obj, src, flags) : 0;
	covol_range_leave(&obj->chunks->ranges, &range);
	if (err || plain)
		return err;
	grant(obj, start, end, asker->peer);
	return 1;
}

/* ---- ahead of a sequential writer ------------------------------------- */

static bool zeroes_fast(struct covol_object *obj)
{
	return !covol_fill_moves(obj) && covol_blocks_zero_fast(obj);
}

/* Bytes that are prepared at once. */
static u64 ahead_step(const struct stream *stream, u64 chunk, bool fast)
{
	if (fast)
		return AHEAD_STEP * chunk;
	return clamp(stream->ahead / 8 * chunk, chunk, max(chunk, AHEAD_SENT));
}

/* What is to be prepared next, for whom. */
static bool next_ahead(struct covol_chunks *chunks, u64 *start, u64 *end,
		       u32 *peer)
{
	struct covol_object *obj = chunks->obj;
	u64 chunk = READ_ONCE(obj->vol->chunk_size);
	struct stream *stream = chunks->streams;
	bool fast = zeroes_fast(obj), found;

	spin_lock(&chunks->lock);
	while (stream < chunks->streams + STREAMS &&
	       stream->todo >= stream->next)
		stream++;
	found = stream < chunks->streams + STREAMS && !chunks->stopped;
	if (found) {
		*start = stream->todo;
		*end = min(*start + ahead_step(stream, chunk, fast),
			   stream->next);
		*peer = stream->peer;
		stream->todo = *end;
	}
	spin_unlock(&chunks->lock);
	return found;
}

static void ahead_work(struct work_struct *work)
{
	struct covol_chunks *chunks = container_of(work, struct covol_chunks,
						   work);
	unsigned int noio = memalloc_noio_save();
	struct covol_asker asker = { };
	struct covol_source none = { };
	u64 start, end;
	int err = 0;

	/* without room there is nothing to prepare, and no error */
	while (err >= 0 && next_ahead(chunks, &start, &end, &asker.peer))
		err = prepare(chunks->obj, &none, start, end, &asker, 0);
	memalloc_noio_restore(noio);
}

/* The stream that a write at @start belongs to; a new one if to none. */
static struct stream *find_stream(struct covol_chunks *chunks, u64 start,
				  u64 end, u64 slack)
{
	struct stream *stream;
	unsigned int i;

	for (i = 0; i < STREAMS; i++) {
		stream = &chunks->streams[i];
		if (start >= stream->first && start <= stream->next + slack)
			return stream;
	}
	stream = &chunks->streams[chunks->victim++ % STREAMS];
	stream->first = start;
	stream->next = end;
	stream->todo = end;
	stream->ahead = 0;
	return stream;
}

/*
 * The chunks from @start to @end must be allocated for a write. Does the writer
 * go on from before? Then more are prepared, some of them at once: returns the
 * end of those.
 */
static u64 note_writer(struct covol_object *obj, u64 start, u64 end, u32 peer)
{
	u64 chunk = READ_ONCE(obj->vol->chunk_size);
	struct covol_chunks *chunks = obj->chunks;
	bool fast = zeroes_fast(obj);
	struct stream *stream;

	spin_lock(&chunks->lock);
	stream = find_stream(chunks, start, end, AHEAD_SLACK * chunk);
	if (start >= stream->next) {
		stream->ahead = clamp(2 * stream->ahead, AHEAD_MIN, AHEAD_MAX);
		stream->first = start;
		stream->next = min(end + stream->ahead * chunk, obj->size);
		stream->peer = peer;
		if (fast)
			end = min(end + AHEAD_STEP * chunk, stream->next);
		stream->todo = end;
	} else if (start <= stream->todo) {
		/* it may have overtaken the work */
		stream->todo = max(stream->todo, end);
	}
	if (stream->todo < stream->next && !chunks->stopped)
		queue_work(system_unbound_wq, &chunks->work);
	spin_unlock(&chunks->lock);
	return end;
}

/* ---- requests --------------------------------------------------------- */

/* Nobody changes the map of the request's range from now on. */
static bool use_range(struct covol_req *req)
{
	struct covol_ranges *ranges = &req->obj->chunks->ranges;

	covol_range_join(ranges, &req->range, req->offset,
			 req->offset + req->length, true);
	return covol_range_try(ranges, &req->range);
}

/**
 * covol_chunk_leave() - the data of a request is not used any more
 * @req: as given to covol_chunk_enter()
 *
 * Context: process context.
 */
void covol_chunk_leave(struct covol_req *req)
{
	covol_range_leave(&req->obj->chunks->ranges, &req->range);
}

/**
 * covol_chunk_enter() - use the data of a request where it lies
 * @req: op READ or WRITE
 * @place: set to where it begins
 *
 * Context: process context, does not sleep.
 *
 * Return: the device, and the data stays there until covol_chunk_leave(); NULL:
 * it is not known to be data in one piece, or its map is being changed.
 */
struct block_device *covol_chunk_enter(struct covol_req *req, sector_t *place)
{
	if (use_range(req) && covol_fill_place(req, place))
		return file_inode(req->obj->file)->i_sb->s_bdev;
	covol_chunk_leave(req);
	return NULL;
}

/**
 * covol_chunk_placed() - read or write data of an image past the file system
 * @req: op READ or WRITE
 *
 * Waits for nothing but the volume's device, and has memory for that (I8).
 *
 * Context: sleeps.
 *
 * Return: 0: done, what was written is stable after the next flush; -ENXIO: it
 * must go through the file system, and a part of it may have been done; or a
 * negative errno.
 */
int covol_chunk_placed(struct covol_req *req)
{
	int err = -ENXIO;

	/* the map may have to be made stable as well */
	if (req->flags & COVOL_WIRE_FUA)
		return err;
	if (use_range(req))
		err = covol_fill_placed(req);
	covol_chunk_leave(req);
	return err;
}

/* I8: what was not known to be data, or where, may be by now. The range is
 * ours, or shared with others who write in place.
 */
static int write_in_place(struct covol_req *req, struct covol_source *src,
			  rwf_t flags)
{
	int err = flags || !src->bvec ? -ENXIO : covol_fill_placed(req);

	if (err == -ENXIO || err == -ENOMEM)
		err = covol_fill_write(req->obj, src, flags);
	return err;
}

/**
 * covol_chunk_write() - write to an image
 * @req: op WRITE
 *
 * Context: sleeps; may wait for recalls.
 *
 * Return: 0: written, and stable if it allocated or FUA is set; or a negative
 * errno of the file system.
 */
int covol_chunk_write(struct covol_req *req)
{
	rwf_t flags = req->flags & COVOL_WIRE_FUA ? RWF_DSYNC : 0;
	struct covol_object *obj = req->obj;
	u64 start = chunk_start(obj, req->offset), end;
	struct covol_source src;
	struct covol_range range;
	bool plain;
	int err;

	covol_source_init(&src, req);
	end = chunk_end(obj, src.end);
	err = enter_range(obj->chunks, &range, start, &end, src.end, true,
			  &req->asker);
	if (err)
		return err;
	plain = covol_fill_in_place(obj, src.start, src.end, start, end);
	if (plain)
		err = write_in_place(req, &src, flags);
	covol_range_leave(&obj->chunks->ranges, &range);
	if (plain)
		return err;
	end = note_writer(obj, start, end, req->asker.peer);
	err = prepare(obj, &src, start, end, &req->asker, flags);
	return min(err, 0);
}

/* Deallocate the whole blocks in a range. Their edges are left alone: the
 * file system would zero those through the page cache (I11).
 */
static int punch(struct covol_req *req, u64 *start, u64 *end)
{
	struct covol_object *obj = req->obj;
	u64 block = i_blocksize(file_inode(obj->file));
	struct covol_change change;
	struct covol_range range;
	int err;

	*start = round_up(req->offset, block);
	*end = round_down(req->offset + req->length, block);
	if (*start >= *end) {
		*start = *end = req->offset + req->length;
		return 0;
	}
	err = enter_range(obj->chunks, &range, *start, end, *end, false,
			  &req->asker);
	if (err)
		return err;
	covol_layout_begin(obj, &change, *start >> SECTOR_SHIFT,
			   (*end - *start) >> SECTOR_SHIFT);
	covol_fill_forget(obj, *start >> SECTOR_SHIFT,
			  (*end - *start) >> SECTOR_SHIFT);
	/* I2: nobody may write to the blocks when they are freed */
	err = covol_layout_recall(obj, &change, &req->asker, false);
	if (!err)
		err = vfs_fallocate(obj->file,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    *start, *end - *start);
	covol_layout_end(obj, &change);
	covol_range_leave(&obj->chunks->ranges, &range);
	return err;
}

/**
 * covol_chunk_discard() - deallocate a range of an image
 * @req: op DISCARD
 *
 * Whole blocks of the file system only; the edges keep what they have.
 *
 * Context: sleeps; waits until all who hold the range have returned it.
 *
 * Return: 0 or a negative errno of the file system.
 */
int covol_chunk_discard(struct covol_req *req)
{
	u64 start, end;

	return punch(req, &start, &end);
}

static int zero_part(struct covol_req *req, u64 start, u64 end)
{
	struct covol_req part = *req;

	if (start >= end)
		return 0;
	part.bvec = NULL;
	part.skip = 0;
	part.offset = start;
	part.length = end - start;
	return covol_chunk_write(&part);
}

/**
 * covol_chunk_zero() - make a range of an image read as zeroes
 * @req: op WRITE_ZEROES; with COVOL_WIRE_NOUNMAP it ends up allocated
 *
 * Context: sleeps; waits until all who hold the range have returned it.
 *
 * Return: 0: done and stable; or a negative errno of the file system.
 */
int covol_chunk_zero(struct covol_req *req)
{
	u64 chunk = READ_ONCE(req->obj->vol->chunk_size);
	u64 at = req->offset, end = at + req->length, start = at, stop = at;
	int err = 0;

	if (!(req->flags & COVOL_WIRE_NOUNMAP)) {
		err = punch(req, &start, &stop);
		if (!err)
			err = zero_part(req, at, start);
		at = stop;
	}
	for (; at < end && !err; at = stop) {
		stop = min(end, round_down(at, chunk) + chunk);
		err = zero_part(req, at, stop);
		cond_resched();
	}
	/* I1: a hole that is not on disk would show the old data again */
	return err ?: vfs_fsync(req->obj->file, 1);
}

/* ---- size ------------------------------------------------------------- */

static int set_length(struct covol_object *obj, u64 old, u64 size)
{
	loff_t length = i_size_read(file_inode(obj->file));
	/* I11: the rest of a block is zeroed through the page cache, where what
	 * somebody has read may be older than what nodes have written
	 */
	int err = invalidate_inode_pages2(obj->file->f_mapping);

	/* one that is longer than the image stays so when that grows */
	if (!err && (size < old ? size < length : size > length))
		err = vfs_truncate(&obj->file->f_path, size);
	if (!err)
		err = vfs_fsync(obj->file, 0);
	return err ?: invalidate_inode_pages2(obj->file->f_mapping);
}

/**
 * covol_chunks_resize() - change the length of an image's file
 * @obj: the image; its size is the smaller of the two, so that no I/O begins
 *	 beyond it
 * @old: its size until now, bytes
 * @size: what it is to be
 *
 * Context: sleeps; waits until all who hold what lies beyond the end have
 * returned it (I2), and the folio in which it lies.
 *
 * Return: 0; -ENOENT: the file is being taken away; or a negative errno of the
 * file system.
 */
int covol_chunks_resize(struct covol_object *obj, u64 old, u64 size)
{
	u64 start = round_down(min(old, size), FOLIO_MAX), end = max(old, size);
	struct covol_asker nobody = { };
	struct covol_change change;
	struct covol_range range;
	int err;

	err = lock_range(obj->chunks, &range, start, end, false, &nobody);
	if (err)
		return err;
	covol_layout_begin(obj, &change, start >> SECTOR_SHIFT,
			   (end - start) >> SECTOR_SHIFT);
	covol_fill_forget(obj, start >> SECTOR_SHIFT,
			  (end - start) >> SECTOR_SHIFT);
	err = covol_layout_recall(obj, &change, &nobody, false);
	if (!err)
		err = set_length(obj, old, size);
	covol_layout_end(obj, &change);
	covol_range_leave(&obj->chunks->ranges, &range);
	return err;
}

/* ---- sharing all of an image ------------------------------------------ */

static void set_sharing(struct covol_chunks *chunks, enum sharing sharing)
{
	spin_lock(&chunks->lock);
	chunks->sharing = sharing;
	spin_unlock(&chunks->lock);
}

/* From one state to the next, or say why not. */
static int change_sharing(struct covol_chunks *chunks, enum sharing from,
			  enum sharing to, const char **why)
{
	int err = 0;

	spin_lock(&chunks->lock);
	*why = NULL;
	if (chunks->stopped)
		*why = "image: it is being removed";
	else if (from == SHARING_NO && chunks->sharing != from)
		*why = "image: it is being shared already";
	else if (chunks->sharing == SHARING_NO && chunks->sharing != from)
		*why = "image: it is not being shared";
	else if (chunks->sharing != from)
		*why = "image: the begin of its sharing has not ended yet";
	if (*why)
		err = -EBUSY;
	else
		chunks->sharing = to;
	spin_unlock(&chunks->lock);
	return err;
}

/**
 * covol_chunks_share_begin() - all of an image is going to be shared
 * @obj: an image that is served here
 * @why: on failure: what is wrong
 *
 * When it returns nobody holds any of the image's layout (I2), nobody is
 * writing to its file, and what is known to be data of its own is forgotten. It stays
 * so until covol_chunks_share_end(): all I/O comes here, reads are served, and
 * writes wait. In between somebody may have the file share its blocks, with
 * FICLONE. Writes go on while layouts are recalled.
 *
 * Context: sleeps until all holders have returned their layouts, and writes
 * under way have ended.
 *
 * Return: 0; -EBUSY.
 */
int covol_chunks_share_begin(struct covol_object *obj, const char **why)
{
	struct covol_chunks *chunks = obj->chunks;
	int err;

	err = change_sharing(chunks, SHARING_NO, SHARING_BEGINS, why);
	if (err)
		return err;
	covol_layout_begin(obj, &chunks->shared, 0, COVOL_LAYOUT_ALL);
	/* the file cannot be taken away meanwhile */
	covol_layout_recall_all(obj, &chunks->shared);
	covol_ranges_close(&chunks->ranges);
	covol_fill_forget(obj, 0, COVOL_LAYOUT_ALL);
	set_sharing(chunks, SHARING_BEGUN);
	return 0;
}

/**
 * covol_chunks_share_end() - all of an image has been shared, or not
 * @obj: the image
 * @why: on failure: what is wrong
 *
 * Return: 0; -EBUSY.
 */
int covol_chunks_share_end(struct covol_object *obj, const char **why)
{
	struct covol_chunks *chunks = obj->chunks;
	int err;

	/* a change that ends later must not begin to use @shared before */
	err = change_sharing(chunks, SHARING_BEGUN, SHARING_ENDS, why);
	if (err)
		return err;
	covol_layout_end(obj, &chunks->shared);
	covol_ranges_open(&chunks->ranges);
	set_sharing(chunks, SHARING_NO);
	return 0;
}

/**
 * covol_chunks_sharing() - is all of an image being shared?
 * @obj: the image
 *
 * Return: whether covol_chunks_share_begin() was called, and its end was not.
 */
bool covol_chunks_sharing(struct covol_object *obj)
{
	return obj->chunks && READ_ONCE(obj->chunks->sharing) != SHARING_NO;
}

/* ---- lifetime --------------------------------------------------------- */

/**
 * covol_chunks_create() - prepare to serve an image
 * @obj: the image, with its file
 *
 * Return: what belongs into obj->chunks, or NULL without memory.
 */
struct covol_chunks *covol_chunks_create(struct covol_object *obj)
{
	struct covol_chunks *chunks = kzalloc(sizeof(*chunks), GFP_KERNEL);

	if (!chunks)
		return NULL;
	chunks->obj = obj;
	spin_lock_init(&chunks->lock);
	covol_ranges_init(&chunks->ranges);
	INIT_WORK(&chunks->work, ahead_work);
	return chunks;
}

/**
 * covol_chunks_start() - the image is served from now on
 * @chunks: as made, or stopped
 */
void covol_chunks_start(struct covol_chunks *chunks)
{
	spin_lock(&chunks->lock);
	memset(chunks->streams, 0, sizeof(chunks->streams));
	chunks->stopped = false;
	spin_unlock(&chunks->lock);
}

/**
 * covol_chunks_stop() - prepare nothing ahead any more, and let nobody share
 * @chunks: as made, or NULL
 * @wait: until what is under way has ended
 *
 * Context: sleeps with @wait.
 *
 * Return: 0; -EBUSY: the image is being shared, and nothing was done.
 */
int covol_chunks_stop(struct covol_chunks *chunks, bool wait)
{
	int err = 0;

	if (!chunks)
		return 0;
	spin_lock(&chunks->lock);
	if (chunks->sharing == SHARING_NO)
		chunks->stopped = true;
	else
		err = -EBUSY;
	spin_unlock(&chunks->lock);
	if (!err && wait)
		cancel_work_sync(&chunks->work);
	return err;
}

/**
 * covol_chunks_wake() - a session has ended
 * @obj: an object of its volume
 *
 * What waits for a range on behalf of its peer gives up.
 */
void covol_chunks_wake(struct covol_object *obj)
{
	if (obj->chunks)
		wake_up_all(&obj->chunks->ranges.wait);
}

/**
 * covol_chunks_show() - print the ranges of an image that are in use
 * @m: where to
 * @obj: an image that is served here
 */
void covol_chunks_show(struct seq_file *m, struct covol_object *obj)
{
	covol_ranges_show(&obj->chunks->ranges, m, obj->id);
}
