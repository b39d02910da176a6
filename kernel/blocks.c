// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blocks of an image's file. See blocks.h.
 *
 * All offsets here are bytes in the image.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/iomap.h>

#include "blocks.h"
#include "pages.h"
#include "volume.h"

/* Not those of who does I/O on the LUN for peers: what is done here may have to
 * go through one of them.
 */
static struct bio_set block_bios;

static const struct export_operations *block_ops(struct covol_object *obj)
{
	return file_inode(obj->file)->i_sb->s_export_op;
}

/**
 * covol_blocks_known() - does the file system tell where its blocks are?
 * @obj: an image that is served here, and that shares no blocks
 *
 * Return: whether the other functions here can be used.
 */
bool covol_blocks_known(struct covol_object *obj)
{
	const struct export_operations *ops = block_ops(obj);

	return ops && ops->map_blocks && ops->commit_blocks;
}

/* The blocks at @at, up to @end: what they are and where. */
static int map_blocks(struct covol_object *obj, u64 at, u64 end,
		      struct iomap *map, u64 *run_end)
{
	struct inode *inode = file_inode(obj->file);
	u32 generation;
	int err;

	err = block_ops(obj)->map_blocks(inode, at, end - at, map, false,
					 &generation);
	if (err)
		return err;
	*run_end = min(end, map->offset + map->length);
	if (*run_end <= at)
		return -EIO;
	return map->bdev == inode->i_sb->s_bdev ? 0 : -ENXIO;
}

/**
 * covol_blocks_zero() - write zeroes to the unwritten blocks of a range
 * @obj: an image that is served here, covol_blocks_known()
 * @start: first byte, at a block's start
 * @end: first behind it, at a block's end
 *
 * By the device's own means if it has any: nothing is sent then. The file
 * system still has the blocks as unwritten.
 *
 * Context: sleeps. Nobody else allocates or writes there.
 *
 * Return: 0 or a negative errno; -ENODATA: there is a hole.
 */
int covol_blocks_zero(struct covol_object *obj, u64 start, u64 end)
{
	struct iomap map;
	u64 at, run_end;
	int err;

	for (at = start; at < end; at = run_end) {
		err = map_blocks(obj, at, end, &map, &run_end);
		if (!err && map.type == IOMAP_HOLE)
			err = -ENODATA;
		if (!err && map.type == IOMAP_UNWRITTEN)
			err = blkdev_issue_zeroout(map.bdev,
						   (map.addr + at - map.offset) >>
						   SECTOR_SHIFT,
						   (run_end - at) >> SECTOR_SHIFT,
						   GFP_NOIO, 0);
		if (err)
			return err;
	}
	return 0;
}

/**
 * covol_blocks_zero_fast() - does the device write zeroes by itself?
 * @obj: an image that is served here
 *
 * Return: whether covol_blocks_zero() sends no data.
 */
bool covol_blocks_zero_fast(struct covol_object *obj)
{
	struct block_device *bdev = file_inode(obj->file)->i_sb->s_bdev;

	return covol_blocks_known(obj) && bdev_write_zeroes_sectors(bdev);
}

/**
 * covol_blocks_commit() - make data of the unwritten blocks of a range
 * @obj: an image that is served here, covol_blocks_known()
 * @start: first byte, at a block's start
 * @end: first behind it, at a block's end or the file's
 *
 * Context: sleeps.
 *
 * Return: 0: the map is stable, and all that was written to the range before
 * (the transaction is synchronous, and its log write flushes the device); or a
 * negative errno.
 */
int covol_blocks_commit(struct covol_object *obj, u64 start, u64 end)
{
	struct inode *inode = file_inode(obj->file);
	struct iomap map = {
		.offset = start,
		.length = end - start,
	};
	struct iattr times = {
		.ia_valid = ATTR_MTIME | ATTR_CTIME,
		.ia_mtime = current_time(inode),
	};

	times.ia_ctime = times.ia_mtime;
	return block_ops(obj)->commit_blocks(inode, &map, 1, &times);
}

static u32 state_of(const struct iomap *map)
{
	switch (map->type) {
	case IOMAP_HOLE:
		return COVOL_EXTENT_STATE_HOLE;
	case IOMAP_UNWRITTEN:
		return COVOL_EXTENT_STATE_UNWRITTEN;
	case IOMAP_MAPPED:
		return map->flags & IOMAP_F_SHARED ?
		       COVOL_EXTENT_STATE_SHARED : COVOL_EXTENT_STATE_DATA;
	default:
		return COVOL_EXTENT_STATE_UNKNOWN;	/* there is no other */
	}
}

/**
 * covol_blocks_read() - read the extents of a range
 * @obj: an image that is served here, covol_blocks_known()
 * @start: first byte
 * @end: first behind it
 * @ext: filled in
 * @max: how many there is room for; what does not fit is left out
 *
 * Context: sleeps.
 *
 * Return: how many, or a negative errno.
 */
int covol_blocks_read(struct covol_object *obj, u64 start, u64 end,
		      struct covol_extent *ext, unsigned int max)
{
	struct iomap map;
	unsigned int nr;
	u64 at, run_end;
	int err;

	for (at = start, nr = 0; at < end && nr < max; at = run_end, nr++) {
		err = map_blocks(obj, at, end, &map, &run_end);
		if (err)
			return err;
		ext[nr].start = at >> SECTOR_SHIFT;
		ext[nr].len = (run_end - at) >> SECTOR_SHIFT;
		ext[nr].state = state_of(&map);
		ext[nr].place = 0;
		if (ext[nr].state == COVOL_EXTENT_STATE_UNKNOWN)
			return -ENODATA;
		if (covol_state_mapped(ext[nr].state))
			ext[nr].place = (map.addr + at - map.offset) >>
					SECTOR_SHIFT;
	}
	return nr;
}

/**
 * covol_blocks_transfer() - read or write blocks, past the file system
 * @obj: an image that is served here
 * @opf: REQ_OP_READ or REQ_OP_WRITE, and flags
 * @place: first sector on the volume's device
 * @bvec: table of the payload
 * @nr: entries in @bvec, at most BIO_MAX_VECS
 * @at: where in @bvec the payload begins, and how much it is
 *
 * With memory of its own (I8). A file system takes bios for direct I/O from a
 * reserve that all in the system share, and so from the very I/O that waits for
 * this one.
 *
 * Context: sleeps. The blocks are data, and nobody frees or moves them.
 *
 * Return: 0: done, what was written is stable after the next flush; -EINVAL: not
 * whole sectors of the device, nothing was done; or a negative errno.
 */
int covol_blocks_transfer(struct covol_object *obj, blk_opf_t opf, u64 place,
			  const struct bio_vec *bvec, unsigned int nr,
			  struct bvec_iter at)
{
	struct block_device *bdev = file_inode(obj->file)->i_sb->s_bdev;
	u64 mask = bdev_logical_block_size(bdev) - 1;
	struct bio *bio;
	int err;

	if ((place << SECTOR_SHIFT | at.bi_size) & mask)
		return -EINVAL;
	bio = bio_alloc_bioset(bdev, nr, opf, GFP_NOIO, &block_bios);
	bio->bi_iter.bi_sector = place;
	covol_pages_to_bio(bio, bvec, at);
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

int covol_blocks_init(void)
{
	return bioset_init(&block_bios, 16, 0, BIOSET_NEED_BVECS);
}

void covol_blocks_exit(void)
{
	bioset_exit(&block_bios);
}
