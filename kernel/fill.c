// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filling ranges of an image's file. See fill.h.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/math64.h>
#include <linux/mm.h>
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
 * Is there data at @at, and up to where (at most @end) is it the same?
 * Unwritten counts as a hole: SEEK_DATA passes over it, as nothing of an image
 * is ever in the page cache.
 */
static int find_run(struct file *file, u64 at, u64 end, u64 *run_end,
		    bool *data)
{
	loff_t pos = vfs_llseek(file, at, SEEK_DATA);

	if (pos == -ENXIO)
		pos = end;
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

/**
 * covol_fill_done() - is there nothing to fill in a range?
 * @obj: an image that is served here
 * @start: first byte
 * @end: first behind it
 *
 * Return: whether all of it is data; false also on an error.
 */
bool covol_fill_done(struct covol_object *obj, u64 start, u64 end)
{
	u64 run_end;
	bool data;

	return !find_run(obj->file, start, end, &run_end, &data) && data &&
	       run_end == end;
}

/**
 * covol_fill_moves() - may a write to data in the file move it?
 * @obj: an image that is served here
 *
 * It does where the file shares blocks with another. The file system does not
 * tell the kernel for which blocks this is so. But bmap(), which is there for
 * swap files, has no place to give for a file that is written by copying.
 *
 * Return: whether some of the file may be shared; true also on an error.
 */
bool covol_fill_moves(struct covol_object *obj)
{
	struct inode *inode = file_inode(obj->file);
	loff_t pos = vfs_llseek(obj->file, 0, SEEK_DATA);
	sector_t block;

	if (pos == -ENXIO)
		return false;
	if (pos < 0)
		return true;
	block = pos >> inode->i_blkbits;
	return bmap(inode, &block) || !block;
}

/* Was all of [start, end) unshared already? */
static bool is_unshared(struct covol_object *obj, u64 start, u64 end)
{
	u64 at = start >> SECTOR_SHIFT, stop = end >> SECTOR_SHIFT;
	struct covol_extent ext;

	return covol_map_next(&obj->unshared, at, &ext) && ext.start <= at &&
	       ext.start + ext.len >= stop;
}

static void set_unshared(struct covol_object *obj, u64 start, u64 end)
{
	struct covol_extent ext = {
		.start = start >> SECTOR_SHIFT,
		.len = (end - start) >> SECTOR_SHIFT,
		.place = start >> SECTOR_SHIFT,	/* so that neighbours merge */
		.state = COVOL_EXTENT_STATE_DATA,
	};

	/* without memory it is copied once more */
	covol_map_set(&obj->unshared, &ext);
}

/**
 * covol_fill_in_place() - may a range be written without a change of the map?
 * @obj: an image that is served here
 * @start: first byte
 * @end: first behind it
 *
 * Return: whether it is data of this file alone. In a file that shares blocks
 * only whole blocks are written in place: XFS would take others through the
 * page cache (I11).
 */
bool covol_fill_in_place(struct covol_object *obj, u64 start, u64 end)
{
	u64 block = i_blocksize(file_inode(obj->file));

	if (!covol_fill_done(obj, start, end))
		return false;
	return !covol_fill_moves(obj) ||
	       (is_unshared(obj, start, end) && !((start | end) % block));
}

/* ---- writing ---------------------------------------------------------- */

/**
 * covol_source_init() - take a request as the source
 * @src: filled in
 * @req: the request: a write, or zeroes
 */
void covol_source_init(struct covol_source *src, const struct covol_req *req)
{
	src->bvec = req->bvec;
	src->start = req->offset;
	src->end = req->offset + req->length;
	src->at = (struct bvec_iter){ .bi_size = req->length + req->skip };
	if (req->bvec)
		bvec_iter_advance(req->bvec, &src->at, req->skip);
}

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

static int write_bvec(struct file *file, const struct bio_vec *bvec,
		      unsigned int nr, u64 pos, size_t len, rwf_t flags)
{
	struct iov_iter iter;
	loff_t at = pos;
	ssize_t ret;

	iov_iter_bvec(&iter, ITER_SOURCE, bvec, nr, len);
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
		err = write_bvec(file, table.bvec, nr, start, pos - start,
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
	return write_run(obj->file, src, src->start, src->end, flags);
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
			err = write_bvec(file, pages.bvec, pages.nr, start, n,
					 0);
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
	if (is_unshared(obj, start, end)) {
		start = max(start, round_down(src->start, block));
		end = min(end, round_up(src->end, block));
	}
	return start < end ? copy_run(obj->file, src, start, end) : 0;
}

/*
 * All in [start, end) is on disk and in blocks of this file alone. A part of a
 * block at the file's end went through the page cache.
 */
static int settle_unshared(struct covol_object *obj, u64 start, u64 end)
{
	int err = vfs_fsync(obj->file, 1);

	if (!err)
		err = invalidate_inode_pages2_range(obj->file->f_mapping,
						    start >> PAGE_SHIFT,
						    (end - 1) >> PAGE_SHIFT);
	return err;
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
		err = find_run(obj->file, at, end, &run_end, &data);
		if (err)
			return err;
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
int covol_fill(struct covol_object *obj, struct covol_source *src, u64 start,
	       u64 end, rwf_t flags)
{
	u64 block = i_blocksize(file_inode(obj->file));
	bool moves = covol_fill_moves(obj);
	int err;

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
	err = move_runs(obj, src, start, end);
	if (!err)
		err = settle_unshared(obj, start, end);
	if (!err)
		set_unshared(obj, start, end);
	return err;
}
