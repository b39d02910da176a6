// SPDX-License-Identifier: GPL-2.0-only
/*
 * The coordinator's service. See coordinator.h.
 *
 * Images are read and written by O_DIRECT only, so that the page cache never
 * holds anything of them (I11): other nodes write their blocks without this
 * node's knowledge. Work items run under memalloc_noio (I8).
 *
 * There are queues for what must not wait for each other when there is no
 * memory for workers and only a queue's rescuer is left. Requests to the LUN
 * never wait for a recall, while a recall may wait for them. Data that can be
 * read and written past the file system waits neither for recalls nor for what
 * the file system needs memory for, as that may be what it frees.
 *
 * What a peer reads and writes of such data, or of the LUN, needs no queue if the
 * device takes it at once.
 */
#include <linux/bio.h>
#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>

#include "chunk.h"
#include "compat.h"
#include "coordinator.h"
#include "fault.h"
#include "file.h"
#include "pages.h"
#include "session.h"
#include "volume.h"
#include "wire.h"

/* How long to wait for memory. */
#define MEMORY_AGAIN	max(HZ / 10, 1)

static struct workqueue_struct *image_wq;
static struct workqueue_struct *placed_wq;
static struct workqueue_struct *lun_wq;
static struct bio_set lun_bios;

/* ---- images ----------------------------------------------------------- */

static int image_read(struct covol_req *req)
{
	loff_t pos = req->offset;
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_bvec(&iter, ITER_DEST, req->bvec, req->nr,
		      req->length + req->skip);
	iov_iter_advance(&iter, req->skip);
	while (iov_iter_count(&iter)) {
		ret = vfs_iter_read(req->obj->file, &iter, &pos, 0);
		if (ret < 0)
			return ret;
		if (!ret)
			return -EIO;	/* the file is shorter than the image */
	}
	return 0;
}

static int image_execute(struct covol_req *req)
{
	switch (req->op) {
	case COVOL_OP_READ:
		return image_read(req);
	case COVOL_OP_WRITE:
		return covol_chunk_write(req);
	case COVOL_OP_FLUSH:
		return vfs_fsync(req->obj->file, 0);
	case COVOL_OP_DISCARD:
		return covol_chunk_discard(req);
	case COVOL_OP_WRITE_ZEROES:
		return covol_chunk_zero(req);
	default:
		return -EOPNOTSUPP;
	}
}

/* ---- the LUN ---------------------------------------------------------- */

static int lun_transfer(struct covol_req *req)
{
	struct covol_volume *vol = req->obj->vol;
	blk_opf_t opf = req->op == COVOL_OP_READ ? REQ_OP_READ :
			REQ_OP_WRITE | REQ_SYNC;
	struct bvec_iter at = {
		.bi_size = req->length + req->skip,
	};
	struct bio *bio;
	int err;

	if (req->flags & COVOL_WIRE_FUA)
		opf |= REQ_FUA;
	bvec_iter_advance(req->bvec, &at, req->skip);
	bio = bio_alloc_bioset(vol->lun, req->nr, opf, GFP_NOIO, &lun_bios);
	bio->bi_iter.bi_sector = (vol->lun_offset + req->offset) >>
				 SECTOR_SHIFT;
	covol_pages_to_bio(bio, req->bvec, at);
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

/* I1: what writes zeroes takes no FUA. */
static int lun_zero(struct covol_req *req)
{
	struct covol_volume *vol = req->obj->vol;
	int err;

	err = blkdev_issue_zeroout(vol->lun,
				   (vol->lun_offset + req->offset) >> SECTOR_SHIFT,
				   req->length >> SECTOR_SHIFT, GFP_NOIO,
				   req->flags & COVOL_WIRE_NOUNMAP ?
				   BLKDEV_ZERO_NOUNMAP : 0);
	if (!err && req->flags & COVOL_WIRE_FUA)
		err = blkdev_issue_flush(vol->lun);
	return err;
}

/* A broken path is this node's own: who asked is told that there is none, and
 * does not take it for an error of the LUN.
 */
static int path_errno(int err)
{
	switch (err) {
	case -EIO:
	case -ENODEV:
	case -ETIMEDOUT:
		return -ENOLINK;
	default:
		return err;
	}
}

/* Misaligned it would be an I/O error, too, but one of who asked. */
static bool lun_aligned(const struct covol_req *req)
{
	struct covol_volume *vol = req->obj->vol;
	u64 start = vol->lun_offset + req->offset;

	return !((start | req->length) &
		 (bdev_logical_block_size(vol->lun) - 1));
}

static int lun_execute(struct covol_req *req)
{
	struct covol_volume *vol = req->obj->vol;
	sector_t sector = (vol->lun_offset + req->offset) >> SECTOR_SHIFT;
	sector_t nr = req->length >> SECTOR_SHIFT;

	if (!vol->lun)
		return -ENOLINK;
	if (!lun_aligned(req))
		return -EINVAL;
	switch (req->op) {
	case COVOL_OP_READ:
	case COVOL_OP_WRITE:
		return lun_transfer(req);
	case COVOL_OP_FLUSH:
		return blkdev_issue_flush(vol->lun);
	case COVOL_OP_DISCARD:
		return blkdev_issue_discard(vol->lun, sector, nr, GFP_NOIO);
	case COVOL_OP_WRITE_ZEROES:
		return lun_zero(req);
	default:
		return -EOPNOTSUPP;
	}
}

/* ---- the queue -------------------------------------------------------- */

static int execute(struct covol_req *req)
{
	return req->obj->id ? image_execute(req) : path_errno(lun_execute(req));
}

static void finish(struct covol_req *req, int err)
{
	struct covol_object *obj = req->obj;

	if (obj->id) {
		err = covol_file_errno(obj, err);
		covol_file_leave(obj);
	}
	req->done(req, err);
}

static void req_work(struct work_struct *work)
{
	struct covol_req *req = container_of(work, struct covol_req, work);
	unsigned int noio = memalloc_noio_save();
	int err;

	/* I7: that there is no memory now is no reason to fail. What was begun
	 * can be done again: nobody has been told that it was done.
	 */
	while ((err = execute(req)) == -ENOMEM &&
	       !covol_file_gives_up(req->obj, &req->asker))
		schedule_timeout_idle(MEMORY_AGAIN);
	memalloc_noio_restore(noio);
	finish(req, err);
}

static void placed_work(struct work_struct *work)
{
	struct covol_req *req = container_of(work, struct covol_req, work);
	unsigned int noio = memalloc_noio_save();
	int err = covol_chunk_placed(req);

	memalloc_noio_restore(noio);
	if (err != -ENXIO && err != -ENOMEM) {
		finish(req, err);
		return;
	}
	INIT_WORK(&req->work, req_work);
	queue_work(image_wq, &req->work);
}

static bool moves_data(const struct covol_req *req)
{
	return req->op == COVOL_OP_READ || req->op == COVOL_OP_WRITE;
}

static void enqueue(struct covol_req *req)
{
	if (req->obj->id && moves_data(req)) {
		INIT_WORK(&req->work, placed_work);
		queue_work(placed_wq, &req->work);
	} else {
		INIT_WORK(&req->work, req_work);
		queue_work(req->obj->id ? image_wq : lun_wq, &req->work);
	}
}

/* ---- at once ---------------------------------------------------------- */

/* Whatever was wrong, its queue finds it out once more, and waits if need be. */
static void bio_done(struct covol_req *req)
{
	blk_status_t status = req->bio.bi_status;

	bio_uninit(&req->bio);
	if (req->obj->id)
		covol_chunk_leave(req);
	if (status)
		enqueue(req);
	else
		finish(req, 0);
}

static void bio_work(struct work_struct *work)
{
	bio_done(container_of(work, struct covol_req, work));
}

static void bio_end(struct bio *bio)
{
	struct covol_req *req = container_of(bio, struct covol_req, bio);

	if (!atomic_dec_and_test(&req->pending))
		return;		/* who submits it is still there */
	INIT_WORK(&req->work, bio_work);
	queue_work(lun_wq, &req->work);
}

static void submit(struct covol_req *req, struct block_device *bdev,
		   sector_t sector)
{
	blk_opf_t opf = req->op == COVOL_OP_READ ? REQ_OP_READ :
			REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;

	/* nobody writes to the table */
	bio_init(&req->bio, bdev, (struct bio_vec *)req->bvec, req->nr,
		 opf | REQ_NOWAIT);
	req->bio.bi_vcnt = req->nr;
	req->bio.bi_iter.bi_sector = sector;
	req->bio.bi_iter.bi_size = req->length;
	req->bio.bi_end_io = bio_end;
	atomic_set(&req->pending, 2);
	submit_bio(&req->bio);
	if (atomic_dec_and_test(&req->pending))
		bio_done(req);
}

/* Where the data lies, in use until bio_done(). NULL: it takes more to do it. */
static struct block_device *find_data(struct covol_req *req, sector_t *sector)
{
	struct covol_volume *vol = req->obj->vol;

	if (req->obj->id)
		return covol_dm_nowait() ? covol_chunk_enter(req, sector) :
					   NULL;
	*sector = (vol->lun_offset + req->offset) >> SECTOR_SHIFT;
	return vol->lun;
}

/* Checksums of its own need memory that is waited for. */
static bool fits(const struct covol_req *req, struct block_device *bdev,
		 sector_t sector)
{
	struct covol_volume *vol = req->obj->vol;

	return vol->lun && !bdev_get_integrity(vol->lun) && bdev_nowait(bdev) &&
	       !((sector << SECTOR_SHIFT | req->length) &
		 (bdev_logical_block_size(bdev) - 1));
}

/*
 * The work item that receives does it by itself: a switch of processes costs
 * more than the rest. But the answer to a recall may come behind it (I8). So the
 * device must not make it wait, not even for memory.
 */
static bool do_at_once(struct covol_req *req)
{
	struct block_device *bdev;
	sector_t sector;

	if (!req->asker.s || !moves_data(req) || req->flags & COVOL_WIRE_FUA ||
	    covol_fault_set(COVOL_FAULT_DELAY_REPLY))
		return false;
	bdev = find_data(req, &sector);
	if (!bdev)
		return false;
	if (fits(req, bdev, sector)) {
		submit(req, bdev, sector);
		return true;
	}
	if (req->obj->id)
		covol_chunk_leave(req);
	return false;
}

/**
 * covol_coordinator_submit() - execute a request
 * @req: what to do; a peer's has its data at the beginning of its pages
 *
 * Context: process context, does not sleep.
 *
 * Return: 0, and done() will be called; -ENOENT, and it will not: an image that
 * is not served here.
 */
int covol_coordinator_submit(struct covol_req *req)
{
	if (req->obj->id && !covol_file_enter(req->obj))
		return -ENOENT;
	if (!do_at_once(req))
		enqueue(req);
	return 0;
}

int covol_coordinator_init(void)
{
	int err = bioset_init(&lun_bios, 16, 0, BIOSET_NEED_BVECS);

	if (err)
		return err;
	image_wq = alloc_workqueue("covol_image", WQ_MEM_RECLAIM | WQ_UNBOUND,
				   0);
	placed_wq = alloc_workqueue("covol_placed",
				    WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	lun_wq = alloc_workqueue("covol_lun", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (image_wq && placed_wq && lun_wq)
		return 0;
	covol_coordinator_exit();
	return -ENOMEM;
}

void covol_coordinator_exit(void)
{
	if (lun_wq)
		destroy_workqueue(lun_wq);
	/* before the one that it hands over to */
	if (placed_wq)
		destroy_workqueue(placed_wq);
	if (image_wq)
		destroy_workqueue(image_wq);
	bioset_exit(&lun_bios);
}
