// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving an image its file, and taking it away. See file.h.
 */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "chunk.h"
#include "file.h"
#include "fill.h"
#include "hold.h"
#include "session.h"
#include "volume.h"

/* ---- giving ----------------------------------------------------------- */

/**
 * covol_file_settle() - look at a file that is to be an image's, and settle it
 * @file: the file
 * @why: on failure: what is wrong
 *
 * What was written to it before is stable then, as it must be before anything
 * is granted (I1, I2), and the page cache holds nothing of it (I11). What is
 * copied in it stays where it is from then on, see covol_fill_settle().
 *
 * Context: sleeps; without locks, as the file system's I/O may be held.
 *
 * Return: 0; -EINVAL; an error of writing out the file.
 */
int covol_file_settle(struct file *file, const char **why)
{
	int err;

	*why = NULL;
	if (!S_ISREG(file_inode(file)->i_mode))
		*why = "fd: an image is a regular file";
	else if (!(file->f_flags & O_DIRECT) || !(file->f_mode & FMODE_WRITE) ||
		 !(file->f_mode & FMODE_READ))
		*why = "fd: must be open for reading and writing with O_DIRECT";
	if (*why)
		return -EINVAL;
	covol_fill_settle(file);
	err = vfs_fsync(file, 0);
	if (!err)
		err = invalidate_inode_pages2(file->f_mapping);
	if (err)
		*why = "fd: the file's page cache could not be written out";
	return err;
}

/*
 * Is the file's place on its device its place in the volume? The blocks of any
 * other file would be overwritten where they are not.
 */
static bool on_volume(struct covol_volume *vol, const struct inode *inode)
{
	struct covol_object *self = xa_load(&vol->objects, 0);
	struct block_device *bdev = inode->i_sb->s_bdev;

	lockdep_assert_held(&vol->lock);
	return bdev && self->device && bdev->bd_dev == self->device;
}

/**
 * covol_file_adopt() - serve an image from now on
 * @obj: the image, without a file; its volume's lock is held
 * @file: its file, settled
 * @holders: nodes that may hold layouts of it
 * @nr: how many
 * @why: on failure: what is wrong, or NULL
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int covol_file_adopt(struct covol_object *obj, struct file *file,
		     const u32 *holders, unsigned int nr, const char **why)
{
	struct inode *inode = file_inode(file);
	int err;

	lockdep_assert_held(&obj->vol->lock);
	*why = NULL;
	if (i_size_read(inode) < obj->size)
		*why = "fd: the file is smaller than the image";
	else if (!on_volume(obj->vol, inode))
		*why = "fd: not on a file system that lies on the volume's own device";
	if (*why)
		return -EINVAL;
	if (!obj->chunks)
		/* they stay until the object goes; pairs with who only looks
		 * at them, by the pointer
		 */
		smp_store_release(&obj->chunks, covol_chunks_create(obj));
	if (!obj->chunks)
		return -ENOMEM;
	err = covol_layout_serve(obj, holders, nr);
	if (err)
		return err;
	covol_chunks_start(obj->chunks);
	obj->file = get_file(file);
	/* pairs with covol_file_enter() */
	smp_store_release(&obj->file_state, COVOL_FILE_SERVED);
	return 0;
}

/* Those who have a session, and this node, which may have been a member; after
 * the @nr that there are. Returns how many there are then, at most @max.
 */
static unsigned int add_peers(struct covol_volume *vol, u32 *holders,
			      unsigned int nr, unsigned int max)
{
	struct covol_session *s;
	unsigned long peer;

	holders[nr++] = vol->node;
	rcu_read_lock();
	xa_for_each(&vol->sessions, peer, s)
		if (nr < max)
			holders[nr++] = peer;
	rcu_read_unlock();
	return nr;
}

static unsigned int count_sessions(struct covol_volume *vol)
{
	unsigned long peer;
	unsigned int nr = 0;
	void *s;

	xa_for_each(&vol->sessions, peer, s)
		nr++;
	return nr;
}

static int give_locked(struct covol_object *obj, struct file *file,
		       const u32 *holders, unsigned int nr, const char **why)
{
	struct covol_volume *vol = obj->vol;

	lockdep_assert_held(&vol->lock);
	if (xa_load(&vol->objects, obj->id) != obj)
		return -ENOENT;
	if (obj->file) {
		*why = "image: it has a file";
		return -EBUSY;
	}
	if (!covol_volume_serves(vol)) {
		*why = "fd: this node is not the volume's coordinator";
		return -EINVAL;
	}
	return covol_file_adopt(obj, file, holders, nr, why);
}

/**
 * covol_file_give() - serve an image that devices may use
 * @obj: the image
 * @file: its file, settled
 * @holders: nodes that may hold layouts of it
 * @nr: how many
 * @why: on failure: what is wrong, or NULL
 *
 * Those who have a session are added to @holders, and this node.
 *
 * Context: sleeps.
 *
 * Return: 0; -EBUSY: it has a file; -EINVAL; -ENOENT; -ENOMEM.
 */
int covol_file_give(struct covol_object *obj, struct file *file,
		    const u32 *holders, unsigned int nr, const char **why)
{
	struct covol_volume *vol = obj->vol;
	unsigned int max;
	u32 *all;
	int err;

	*why = NULL;
	mutex_lock(&obj->resize_lock);
	/* no session comes meanwhile that would be missed */
	mutex_lock(&vol->session_lock);
	max = nr + 1 + count_sessions(vol);
	all = kvmalloc_array(max, sizeof(*all), GFP_KERNEL);
	if (all) {
		memcpy(all, holders, nr * sizeof(*all));
		nr = add_peers(vol, all, nr, max);
		mutex_lock(&vol->lock);
		err = give_locked(obj, file, all, nr, why);
		mutex_unlock(&vol->lock);
	} else {
		err = -ENOMEM;
	}
	mutex_unlock(&vol->session_lock);
	mutex_unlock(&obj->resize_lock);
	kvfree(all);
	if (!err)
		covol_hold_release(vol);
	return err;
}

/* ---- taking ----------------------------------------------------------- */

static bool is_leaving(const struct covol_object *obj)
{
	return READ_ONCE(obj->file_state) == COVOL_FILE_LEAVING;
}

/* From now on nothing begins, and what waits for holders or ranges gives up. */
static void begin_leaving(struct covol_object *obj)
{
	/* a full barrier: it is seen by who begins to wait now */
	cmpxchg(&obj->file_state, COVOL_FILE_SERVED, COVOL_FILE_LEAVING);
	covol_chunks_wake(obj);
	wake_up_all(&obj->vol->session_wait);
}

/* When what had begun has ended (I3). */
static void end_leaving(struct covol_object *obj)
{
	struct file *file;

	mutex_lock(&obj->resize_lock);
	/* somebody else has, and it may have a file again */
	if (!is_leaving(obj)) {
		mutex_unlock(&obj->resize_lock);
		return;
	}
	covol_drain_wait(&obj->file_users);
	covol_chunks_stop(obj->chunks, true);
	/* another coordinator may share what is this file's own now */
	covol_map_forget(&obj->plain, 0, COVOL_LAYOUT_ALL);
	covol_layout_leave(obj);
	file = obj->file;
	obj->file = NULL;
	WRITE_ONCE(obj->file_state, COVOL_FILE_NONE);
	mutex_unlock(&obj->resize_lock);
	if (file)
		fput(file);
}

/**
 * covol_file_take() - serve an image no longer
 * @obj: the image; one that has no file stays so
 * @keep: who holds layouts keeps them; else they are taken back first
 * @wait: for what is being served; else it is to be called again, with @keep
 * @why: on failure: what is wrong
 *
 * I/O of this node's devices that needs the file waits from then on. Who serves
 * the image next has to know who keeps layouts (covol_file_give()).
 *
 * Context: sleeps; without locks.
 *
 * Return: 0: with @wait the file is not used any more; -EBUSY.
 */
int covol_file_take(struct covol_object *obj, bool keep, bool wait,
		    const char **why)
{
	struct covol_change change;
	int err = 0;

	*why = NULL;
	if (READ_ONCE(obj->file_state) == COVOL_FILE_NONE)
		return 0;
	if (covol_chunks_stop(obj->chunks, false)) {
		*why = "image: it is being shared; end that first";
		return -EBUSY;
	}
	/* nothing is granted any more that might be kept, or not come back */
	covol_layout_begin(obj, &change, 0, COVOL_LAYOUT_ALL);
	if (!keep)
		err = is_leaving(obj) ? -EBUSY :
					covol_layout_recall_all(obj, &change);
	if (err) {
		*why = "image: its file is being taken away, and layouts are kept";
		err = -EBUSY;
	} else {
		begin_leaving(obj);
		if (wait)
			end_leaving(obj);
	}
	covol_layout_end(obj, &change);
	return err;
}
