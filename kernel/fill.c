// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filling ranges of an image's file. See fill.h.
 */
#include <linux/bio.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/fileattr.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/statfs.h>
#include <linux/uio.h>

#include "blocks.h"
#include "compat.h"
#include "coordinator.h"
#include "fill.h"
#include "pages.h"
#include "volume.h"
#include "wire.h"

/* ---- what the file has ------------------------------------------------ */

/*
 * Where the next data is, at most @end. SEEK_DATA passes over what is unwritten,
 * unless somebody has read it through the page cache: see is_written().
 *
 * Before Linux 6.9, XFS passes over data as well, from a hole on, where it has
 * blocks ready for copies: its xfs_seek_iomap_begin() takes the end of a range
 * for the length. Data at the very place that it is asked for it finds. So
 * with @copies each block is asked for.
 */
static loff_t find_data(struct file *file, u64 at, u64 end, bool copies)
{
	u64 block = i_blocksize(file_inode(file));
	loff_t pos = vfs_llseek(file, at, SEEK_DATA);

	if (pos == -ENXIO)
		pos = end;
	if (!copies || pos < 0)
		return pos;
	for (; at < min_t(u64, pos, end); at = round_up(at + 1, block))
		if (vfs_llseek(file, at, SEEK_DATA) == at)
			return at;
	return pos;
}

/*
 * Is there data at @at, and up to where (at most @end) is it the same? @copies:
 * the file may share blocks.
 */
static int find_run(struct file *file, u64 at, u64 end, bool copies,
		    u64 *run_end, bool *data)
{
	loff_t pos = find_data(file, at, end, copies);

	if (pos < 0)
		return pos;
	*data = pos == at;
	if (*data)
		pos = vfs_llseek(file, at, SEEK_HOLE);
	if (pos < 0)
		return pos;
	*run_end = min_t(u64, pos, end);
	return 0;
}

/* Only what is written has one. In a file that may share blocks nothing has. */
static bool has_place(struct inode *inode, u64 at)
{
	sector_t block = at >> inode->i_blkbits;

	return !bmap(inode, &block) && block;
}

/*
 * Is what SEEK_DATA takes for data at @at written? Unwritten blocks that are in
 * the page cache, because somebody has read them, are data to it. Up to where,
 * at most @end, is it the same? In a file that shares no blocks.
 */
static bool is_written(struct inode *inode, u64 at, u64 *end)
{
	u64 block = i_blocksize(inode), pos = round_down(at, block) + block;
	bool written = has_place(inode, at);

	while (pos < *end && has_place(inode, pos) == written)
		pos += block;
	*end = min(*end, pos);
	return written;
}

/**
 * covol_fill_moves() - may a write to data in the file move it?
 * @obj: an image that is served here
 *
 * It does where the file shares blocks with another. The file system does not
 * tell the kernel for which blocks this is so. But bmap(), which is there for
 * swap files, has no place to give for a file that is written by copying.
 *
 * It may be true of a file that shares nothing as long as unwritten blocks before
 * its first data are in the page cache. So what belongs together asks once.
 *
 * Return: whether some of the file may be shared; true also on an error.
 */
bool covol_fill_moves(struct covol_object *obj)
{
	struct inode *inode = file_inode(obj->file);
	loff_t pos = vfs_llseek(obj->file, 0, SEEK_DATA);

	/* find_data() says why there may be some for all that */
	if (pos == -ENXIO)
		return inode->i_blocks;
	if (pos < 0)
		return true;
	return !has_place(inode, pos);
}

/* ---- what stays where it is ------------------------------------------- */

/*
 * For the copy of a shared block XFS makes others ready all around it, 32 of
 * them unless the file has a hint. What is written there later goes into those,
 * shared or not: data of this file alone would move, and who holds a layout of
 * it would read and write where it was. With hints of one block only what is
 * copied is made ready, so that what has been copied stays.
 */
static bool copies_exactly(const struct fileattr *fa, u32 block)
{
	return fa->fsx_xflags & FS_XFLAG_COWEXTSIZE &&
	       fa->fsx_cowextsize == block &&
	       (!(fa->fsx_xflags & FS_XFLAG_EXTSIZE) || fa->fsx_extsize <= block);
}

/**
 * covol_fill_settle() - what is copied in a file shall stay where it is then
 * @file: that is going to be an image's
 *
 * A file system that has no such hint, or refuses it, is no error: see
 * covol_fill_in_place().
 *
 * Context: sleeps, also while the file system is frozen.
 */
void covol_fill_settle(struct file *file)
{
	u32 block = i_blocksize(file_inode(file));
	struct fileattr fa = { };

	if (vfs_fileattr_get(file_dentry(file), &fa) || !fa.fsx_valid ||
	    copies_exactly(&fa, block) || mnt_want_write_file(file))
		return;
	fa.fsx_xflags |= FS_XFLAG_COWEXTSIZE;
	fa.fsx_cowextsize = block;
	covol_fileattr_set(file, &fa);
	mnt_drop_write_file(file);
}

static bool stays(struct file *file)
{
	struct fileattr fa = { };

	return !vfs_fileattr_get(file_dentry(file), &fa) &&
	       copies_exactly(&fa, i_blocksize(file_inode(file)));
}

/* What obj->plain says of data of this file alone: where it is, in this state,
 * or not, where the file system does not tell the kernel.
 */
#define PLAIN_PLACED	COVOL_EXTENT_STATE_DATA
#define PLAIN_ANYWHERE	COVOL_EXTENT_STATE_UNWRITTEN

/* Extents that are read at once. */
#define PLACES		16

/* Is all of [start, end) known to be data of this file alone? */
static bool is_plain(struct covol_object *obj, u64 start, u64 end)
{
	u64 at = start >> SECTOR_SHIFT, stop = end >> SECTOR_SHIFT;
	struct covol_extent ext;

	while (at < stop && covol_map_next(&obj->plain, at, &ext) &&
	       ext.start <= at)
		at = ext.start + ext.len;
	return at >= stop;
}

/* Read where [start, end) is, which is data of this file alone. Returns where
 * what is not known begins.
 */
static u64 set_places(struct covol_object *obj, u64 start, u64 end)
{
	struct covol_extent ext[PLACES];
	int nr, i;

	if (covol_fill_moves(obj) || !covol_blocks_known(obj))
		return start;
	while (start < end) {
		nr = covol_blocks_read(obj, start, end, ext, PLACES);
		for (i = 0; i < nr && ext[i].state == PLAIN_PLACED; i++) {
			covol_map_set(&obj->plain, &ext[i]);
			start = (ext[i].start + ext[i].len) << SECTOR_SHIFT;
		}
		if (!i || i < nr)
			break;
	}
	return start;
}

static void set_anywhere(struct covol_object *obj, u64 start, u64 end)
{
	struct covol_extent ext = {
		.start = start >> SECTOR_SHIFT,
		.len = (end - start) >> SECTOR_SHIFT,
		.state = PLAIN_ANYWHERE,
	};

	/* without memory it is found out, or copied, once more */
	if (ext.len)
		covol_map_set(&obj->plain, &ext);
}

/* Is [start, end) of a file that shares no blocks all data? Then it is known to be. */
static bool is_data(struct covol_object *obj, u64 start, u64 end)
{
	u64 at, run_end;
	bool data;

	if (find_run(obj->file, start, end, false, &run_end, &data) || !data ||
	    run_end < end)
		return false;
	at = set_places(obj, start, end);
	if (at < end &&
	    (!is_written(file_inode(obj->file), at, &run_end) || run_end < end))
		return false;
	set_anywhere(obj, at, end);
	return true;
}

/**
 * covol_fill_done() - is there nothing to fill in a range?
 * @obj: an image that is served here
 * @start: first byte
 * @end: first behind it
 *
 * Context: nobody changes the map of the range.
 *
 * Return: whether all of it is data; false also on an error.
 */
bool covol_fill_done(struct covol_object *obj, u64 start, u64 end)
{
	u64 run_end;
	bool data;

	if (!covol_fill_moves(obj))
		return is_data(obj, start, end);
	return !find_run(obj->file, start, end, false, &run_end, &data) && data &&
	       run_end == end;
}

/**
 * covol_fill_forget() - a range of the file is going to change
 * @obj: an image that is served here
 * @start: first sector
 * @len: sectors
 *
 * Context: nobody else writes there meanwhile.
 */
void covol_fill_forget(struct covol_object *obj, u64 start, u64 len)
{
	covol_map_forget(&obj->plain, start, len);
}

/**
 * covol_fill_in_place() - may a range be written without a change of the map?
 * @obj: an image that is served here
 * @start: first byte
 * @end: first behind it
 * @around: first byte of a larger range that nobody changes now
 * @around_end: first behind that
 *
 * The larger range is what is asked of the file system, and remembered.
 *
 * Return: whether it is data of this file alone. In a file that shares blocks
 * only whole blocks are written in place, as XFS would take others through the
 * page cache (I11), and nothing where it could move (I2).
 */
bool covol_fill_in_place(struct covol_object *obj, u64 start, u64 end,
			 u64 around, u64 around_end)
{
	u64 block = i_blocksize(file_inode(obj->file));

	if (is_plain(obj, start, end))
		return (!((start | end) & (block - 1)) && stays(obj->file)) ||
		       !covol_fill_moves(obj);
	return !covol_fill_moves(obj) && (is_data(obj, around, around_end) ||
					  is_data(obj, start, end));
}

/* ---- requests ---------------------------------------------------------- */

/**
 * covol_source_init() - take a request as the source
 * @src: filled in
 * @req: the request: a write, or zeroes; or a read, whose pages are to be filled
 */
void covol_source_init(struct covol_source *src, const struct covol_req *req)
{
	src->bvec = req->bvec;
	src->nr = req->nr;
	src->start = req->offset;
	src->end = req->offset + req->length;
	src->at = (struct bvec_iter){ .bi_size = req->length + req->skip };
	if (req->bvec)
		bvec_iter_advance(req->bvec, &src->at, req->skip);
}

/* ---- past the file system --------------------------------------------- */

static void look_up(struct covol_object *obj, u64 at, u64 len,
		    struct covol_extent *ext)
{
	rcu_read_lock();
	covol_map_lookup(&obj->plain, at, len, ext);
	rcu_read_unlock();
}

/**
 * covol_fill_place() - is the data of a request known to lie in one piece?
 * @req: op READ or WRITE, for an image that is served here
 * @place: set to where it begins on the volume's device
 *
 * Context: any; does not sleep; nobody changes the map of the range.
 *
 * Return: whether it is.
 */
bool covol_fill_place(const struct covol_req *req, sector_t *place)
{
	u64 len = req->length >> SECTOR_SHIFT;
	struct covol_extent ext;

	look_up(req->obj, req->offset >> SECTOR_SHIFT, len, &ext);
	*place = ext.place;
	return ext.state == PLAIN_PLACED && ext.len == len;
}

/**
 * covol_fill_placed() - read or write data where it lies
 * @req: op READ or WRITE, for an image that is served here
 *
 * Context: sleeps; nobody changes the map of the range.
 *
 * Return: 0; -ENXIO: it is not all known to be data, or not where, and a part
 * of it may have been done; or a negative errno.
 */
int covol_fill_placed(const struct covol_req *req)
{
	u64 at = req->offset >> SECTOR_SHIFT;
	u64 end = (req->offset + req->length) >> SECTOR_SHIFT;
	blk_opf_t opf = req->op == COVOL_OP_READ ? REQ_OP_READ :
			REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
	struct covol_source src;
	struct covol_extent ext;
	struct bvec_iter piece;
	int err = 0;

	covol_source_init(&src, req);
	for (; at < end && !err; at += ext.len) {
		look_up(req->obj, at, end - at, &ext);
		if (ext.state != PLAIN_PLACED)
			return -ENXIO;
		piece = src.at;
		piece.bi_size = ext.len << SECTOR_SHIFT;
		err = covol_blocks_transfer(req->obj, opf, ext.place, src.bvec,
					    src.nr, piece);
		bvec_iter_advance(src.bvec, &src.at, piece.bi_size);
	}
	return err;
}

/* ---- writing ---------------------------------------------------------- */

/* Pass over what lies before @pos. */
static void source_seek(struct covol_source *src, u64 pos)
{
	u64 at = src->end - src->at.bi_size;

	if (src->bvec && pos > at && pos <= src->end)
		bvec_iter_advance(src->bvec, &src->at, pos - at);
}

/* One piece for [pos, end), without going on. */
static void source_get(struct covol_source *src, u64 pos, u64 end, struct bio_vec *bv)
{
	if (src->bvec && pos >= src->start && pos < src->end) {
		*bv = mp_bvec_iter_bvec(src->bvec, src->at);
		bv->bv_len = min_t(u64, bv->bv_len, end - pos);
		return;
	}
	if (src->bvec && pos < src->start)
		end = min(end, src->start);
	bvec_set_page(bv, ZERO_PAGE(0), min_t(u64, end - pos, PAGE_SIZE), 0);
}

/* @skip: bytes to skip in the first entry */
static int write_bvec(struct file *file, const struct bio_vec *bvec,
		      unsigned int nr, unsigned int skip, u64 pos, size_t len,
		      rwf_t flags)
{
	struct iov_iter iter;
	loff_t at = pos;
	ssize_t ret;

	iov_iter_bvec(&iter, ITER_SOURCE, bvec, nr, len + skip);
	iov_iter_advance(&iter, skip);
	while (iov_iter_count(&iter)) {
		ret = covol_vfs_iter_write(file, &iter, &at, flags);
		if (ret < 0)
			return ret;
		if (!ret)
			return -EIO;
	}
	return 0;
}

/* Write [start, end) of the source to the file. */
static int write_run(struct file *file, struct covol_source *src, u64 start, u64 end,
		     rwf_t flags)
{
	struct covol_pages table;
	int err = 0;

	covol_pages_scratch(&table, 0);
	source_seek(src, start);
	while (start < end && !err) {
		unsigned int nr = 0;
		u64 pos = start;

		while (pos < end && nr < COVOL_PAGES_MAX) {
			source_get(src, pos, end, &table.bvec[nr]);
			pos += table.bvec[nr++].bv_len;
			source_seek(src, pos);
		}
		err = write_bvec(file, table.bvec, nr, 0, start, pos - start,
				 flags);
		start = pos;
	}
	covol_pages_free(&table);
	return err;
}

/**
 * covol_fill_write() - write a source in place
 * @obj: an image that is served here
 * @src: the source
 * @flags: RWF_DSYNC or 0
 *
 * Return: 0 or a negative errno of the file system.
 */
int covol_fill_write(struct covol_object *obj, struct covol_source *src,
		     rwf_t flags)
{
	const struct bvec_iter *at = &src->at;

	if (!src->bvec)
		return write_run(obj->file, src, src->start, src->end, flags);
	return write_bvec(obj->file, src->bvec + at->bi_idx,
			  src->nr - at->bi_idx, at->bi_bvec_done, src->start,
			  at->bi_size, flags);
}

/* ---- copying ---------------------------------------------------------- */

static int read_bvec(struct file *file, const struct bio_vec *bvec,
		     unsigned int nr, u64 pos, size_t len)
{
	struct iov_iter iter;
	loff_t at = pos;
	ssize_t ret;

	iov_iter_bvec(&iter, ITER_DEST, bvec, nr, len);
	while (iov_iter_count(&iter)) {
		ret = vfs_iter_read(file, &iter, &at, 0);
		if (ret < 0)
			return ret;
		if (!ret)
			return -EIO;	/* the file was cut */
	}
	return 0;
}

/* Put what the source has for [start, end) into pages that begin at @start. */
static void overlay(struct covol_source *src, const struct covol_pages *pages,
		    u64 start, u64 end)
{
	u64 pos = max(start, src->start);
	struct bio_vec bv;

	end = min(end, src->end);
	while (pos < end) {
		unsigned int off = pos - start;
		unsigned int in_page = offset_in_page(off);
		unsigned int n;

		source_seek(src, pos);
		source_get(src, pos, end, &bv);
		n = min_t(unsigned int, bv.bv_len, PAGE_SIZE - in_page);
		memcpy(bvec_virt(&pages->bvec[off >> PAGE_SHIFT]) + in_page,
		       bvec_virt(&bv), n);
		pos += n;
	}
}

/* Write [start, end), which is data, with the source's part in it, so that the
 * file system gives it blocks of its own where it had shared ones.
 */
static int copy_run(struct file *file, struct covol_source *src, u64 start,
		    u64 end)
{
	struct covol_pages pages;
	u64 n;
	int err = 0;

	for (; start < end && !err; start += n) {
		n = min_t(u64, end - start, COVOL_SCRATCH_MAX);
		covol_pages_scratch(&pages, n);
		if (start < src->start || start + n > src->end)
			err = read_bvec(file, pages.bvec, pages.nr, start, n);
		if (!err) {
			overlay(src, &pages, start, start + n);
			err = write_bvec(file, pages.bvec, pages.nr, 0, start,
					 n, 0);
		}
		covol_pages_free(&pages);
	}
	return err;
}

/* A run of data in a file that may share blocks. */
static int unshare_run(struct covol_object *obj, struct covol_source *src,
		       u64 start, u64 end)
{
	u64 block = i_blocksize(file_inode(obj->file));

	if (src->start >= src->end)
		return 0;
	if (is_plain(obj, start, end)) {
		start = max(start, round_down(src->start, block));
		end = min(end, round_up(src->end, block));
	}
	return start < end ? copy_run(obj->file, src, start, end) : 0;
}

static int forget_cached(struct covol_object *obj, u64 start, u64 end)
{
	return invalidate_inode_pages2_range(obj->file->f_mapping,
					     start >> PAGE_SHIFT,
					     (end - 1) >> PAGE_SHIFT);
}

/*
 * All in [start, end) is on disk and in blocks of this file alone. A part of a
 * block at the file's end went through the page cache.
 */
static int settle_unshared(struct covol_object *obj, u64 start, u64 end)
{
	return vfs_fsync(obj->file, 1) ?: forget_cached(obj, start, end);
}

/* ---- filling ---------------------------------------------------------- */

/* Without the page cache and without blocks of others: write what is not data,
 * and of the rest the source's own part.
 */
static int fill_runs(struct covol_object *obj, struct covol_source *src,
		     u64 start, u64 end, bool moves, rwf_t flags)
{
	u64 at, run_end, from, to;
	bool data;
	int err;

	for (at = start; at < end; at = run_end) {
		err = find_run(obj->file, at, end, moves, &run_end, &data);
		if (err)
			return err;
		if (data && !moves)
			data = is_written(file_inode(obj->file), at, &run_end);
		from = data ? max(at, src->start) : at;
		to = data ? min(run_end, src->end) : run_end;
		if (data && moves)
			err = unshare_run(obj, src, at, run_end);
		else if (from < to)
			err = write_run(obj->file, src, from, to,
					data ? flags : flags | RWF_DSYNC);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Is there room for all of a range? Where the file system takes it bit by bit,
 * a chunk that cannot be filled would take the room of those who come later.
 */
static bool has_room(struct covol_object *obj, u64 bytes)
{
	struct kstatfs stat;

	return vfs_statfs(&obj->file->f_path, &stat) ||
	       stat.f_bavail > div64_u64(bytes, stat.f_bsize);
}

/*
 * The same for a source that has something: its own blocks first, so that the
 * rest cannot take the room that they need.
 */
static int fill_reserved(struct covol_object *obj, struct covol_source *src,
			 u64 start, u64 end, rwf_t flags)
{
	u64 block = i_blocksize(file_inode(obj->file));
	u64 own = round_down(src->start, block);
	int err;

	err = vfs_fallocate(obj->file, FALLOC_FL_KEEP_SIZE, own,
			    round_up(src->end, block) - own);
	if (err && err != -EOPNOTSUPP)
		return err;
	return fill_runs(obj, src, start, end, false, flags);
}

/* The same in a file that shares blocks: what is not the source's is copied
 * after what is.
 */
static int move_runs(struct covol_object *obj, struct covol_source *src,
		     u64 start, u64 end)
{
	u64 block = i_blocksize(file_inode(obj->file));
	u64 own_start = round_down(src->start, block);
	u64 own_end = min(round_up(src->end, block), end);
	int err;

	err = fill_runs(obj, src, own_start, own_end, true, 0);
	if (!err)
		err = fill_runs(obj, src, start, own_start, true, 0);
	if (!err)
		err = fill_runs(obj, src, own_end, end, true, 0);
	return err;
}

/*
 * The same where the file system tells of its blocks: allocate all, have the
 * device write the zeroes, and write the source's part only.
 */
static int fill_blocks(struct covol_object *obj, struct covol_source *src,
		       u64 start, u64 end)
{
	u64 block = i_blocksize(file_inode(obj->file));
	bool own = src->start < src->end;
	u64 own_start = own ? round_down(src->start, block) : end;
	u64 own_end = own ? round_up(src->end, block) : end;
	int err;

	err = vfs_fallocate(obj->file, FALLOC_FL_KEEP_SIZE, start, end - start);
	if (!err)
		err = covol_blocks_zero(obj, start,
					round_up(own_start, block));
	if (!err)
		err = covol_blocks_zero(obj, own_end, round_up(end, block));
	if (!err && own)
		err = write_run(obj->file, src, src->start, src->end, 0);
	return err ?: covol_blocks_commit(obj, start, end);
}

/**
 * covol_fill() - make a range data, with a source's bytes in it
 * @obj: an image that is served here
 * @src: the source, all of it in the range; or nothing
 * @moves: covol_fill_moves(), as it was when layouts were taken back
 * @start: first byte, at a block's start
 * @end: first behind it, at a block's end or the image's
 * @flags: for what is written in place: RWF_DSYNC or 0
 *
 * What is data of this file alone is touched only by the source's own part:
 * another node may be writing the rest of it. What is shared is copied if the
 * source has something; then no node may hold a layout of the range.
 *
 * Context: sleeps. The range is locked and its change begun.
 *
 * Return: 0: done, and stable where blocks were allocated (I1); or a negative
 * errno of the file system.
 */
int covol_fill(struct covol_object *obj, struct covol_source *src, bool moves,
	       u64 start, u64 end, rwf_t flags)
{
	u64 block = i_blocksize(file_inode(obj->file));
	int err = 0;
	u64 at;

	if (!moves && covol_blocks_known(obj))
		return fill_blocks(obj, src, start, end);
	/* the source's own blocks may be the last */
	if ((start < round_down(src->start, block) ||
	     end > round_up(src->end, block)) && !has_room(obj, end - start))
		return -ENOSPC;
	if (src->start >= src->end)
		return fill_runs(obj, src, start, end, moves, flags);
	if (!moves)
		return fill_reserved(obj, src, start, end, flags);
	/* I11: what is cached of the file's last block may be older */
	if (end & (block - 1))
		err = forget_cached(obj, start, end);
	if (!err)
		err = move_runs(obj, src, start, end);
	if (!err)
		err = settle_unshared(obj, start, end);
	if (err)
		return err;
	at = set_places(obj, start, end);
	set_anywhere(obj, at, end);
	return 0;
}
