// SPDX-License-Identifier: GPL-2.0-only
/*
 * Volumes and objects: lookup and lifetime. See volume.h.
 *
 * A volume lives from volume-new to volume-del, and longer while a session or
 * a request still has a reference. Its objects are in an xarray that is read
 * under RCU; the reference that the xarray stands for is dropped when the
 * object is taken out.
 *
 * A node is a network namespace: each has volumes of its own, and two of them
 * in one kernel can be two nodes of one volume.
 */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "chunk.h"
#include "debugfs.h"
#include "file.h"
#include "holder.h"
#include "io.h"
#include "log.h"
#include "route.h"
#include "session.h"
#include "volume.h"
#include "wire.h"

#define CHUNK_SIZE	0x100000u	/* 1 MiB */

static DEFINE_MUTEX(covol_volumes_lock);
static LIST_HEAD(volumes);		/* covol_volumes_lock */

/* ---- objects ---------------------------------------------------------- */

static void object_free(struct kref *ref)
{
	struct covol_object *obj = container_of(ref, struct covol_object, ref);

	kfree(obj->chunks);
	covol_layout_exit(&obj->layout);
	covol_drain_exit(&obj->direct);
	covol_drain_exit(&obj->file_users);
	covol_map_exit(&obj->map);
	covol_map_exit(&obj->plain);
	free_percpu(obj->stats);
	if (obj->file)
		fput(obj->file);
	mutex_destroy(&obj->resize_lock);
	kfree_rcu(obj, rcu);
}

/**
 * covol_object_put() - drop a reference
 * @obj: the object
 *
 * Context: process context; may sleep.
 */
void covol_object_put(struct covol_object *obj)
{
	kref_put(&obj->ref, object_free);
}

/**
 * covol_object_find() - look an object up
 * @vol: the volume
 * @id: 0 the volume itself, else an image
 *
 * Return: the object with a reference, or NULL.
 */
struct covol_object *covol_object_find(struct covol_volume *vol, u64 id)
{
	struct covol_object *obj;

	rcu_read_lock();
	obj = xa_load(&vol->objects, id);
	if (obj && !kref_get_unless_zero(&obj->ref))
		obj = NULL;
	rcu_read_unlock();
	return obj;
}

/**
 * covol_object_next() - go through the objects of a volume
 * @vol: the volume
 * @prev: the last one, whose reference is dropped; NULL to begin
 *
 * Return: the next one in the order of ids, with a reference, or NULL.
 */
struct covol_object *covol_object_next(struct covol_volume *vol,
				       struct covol_object *prev)
{
	unsigned long id = prev ? prev->id + 1 : 0;
	struct covol_object *obj;

	rcu_read_lock();
	do {
		obj = xa_find(&vol->objects, &id, ULONG_MAX, XA_PRESENT);
	} while (obj && !kref_get_unless_zero(&obj->ref) && ++id);
	rcu_read_unlock();
	if (prev)
		covol_object_put(prev);
	return obj;
}

static struct covol_object *object_create(struct covol_volume *vol, u64 id,
					  u64 size)
{
	struct covol_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return NULL;
	obj->vol = vol;
	obj->id = id;
	obj->size = size;
	mutex_init(&obj->resize_lock);
	INIT_LIST_HEAD(&obj->lines);
	kref_init(&obj->ref);
	spin_lock_init(&obj->asked.lock);
	obj->stats = alloc_percpu(struct covol_stats);
	if (!obj->stats)
		goto err_free;
	if (covol_drain_init(&obj->direct))
		goto err_stats;
	if (covol_drain_init(&obj->file_users))
		goto err_direct;
	covol_map_init(&obj->map);
	covol_map_init(&obj->plain);
	covol_layout_init(&obj->layout);
	return obj;

err_direct:
	covol_drain_exit(&obj->direct);
err_stats:
	free_percpu(obj->stats);
err_free:
	kfree(obj);
	return NULL;
}

/**
 * covol_object_add() - make an image known
 * @vol: the volume; its lock is held
 * @id: the image's id, from 1
 * @size: bytes, in sectors
 * @file: its file, settled, if this node is to serve it; else NULL
 * @holders: with @file: nodes that may hold layouts of it
 * @nr: how many
 * @why: on failure: what is wrong, or NULL
 *
 * Return: 0; -EEXIST; -EINVAL; -ENOMEM.
 */
int covol_object_add(struct covol_volume *vol, u64 id, u64 size,
		     struct file *file, const u32 *holders, unsigned int nr,
		     const char **why)
{
	struct covol_object *obj;
	int err;

	lockdep_assert_held(&vol->lock);
	*why = NULL;
	if (vol->dead)
		return -ENOENT;
	obj = object_create(vol, id, size);
	if (!obj)
		return -ENOMEM;
	err = file ? covol_file_adopt(obj, file, holders, nr, why) : 0;
	if (!err)
		err = xa_insert(&vol->objects, id, obj, GFP_KERNEL);
	if (err == -EBUSY) {
		*why = "id: the volume has this image already";
		err = -EEXIST;
	}
	if (err)
		covol_object_put(obj);
	return err;
}

/**
 * covol_object_remove() - forget an image
 * @obj: the image; its volume's lock is held
 * @why: on failure: what is wrong
 *
 * Return: 0; -EBUSY.
 */
int covol_object_remove(struct covol_object *obj, const char **why)
{
	struct covol_volume *vol = obj->vol;

	lockdep_assert_held(&vol->lock);
	*why = NULL;
	if (obj->devices) {
		*why = "image: a device uses it";
		return -EBUSY;
	}
	if (covol_layout_others(obj)) {
		*why = "image: other nodes may hold its layouts; remove it there, then forget them";
		return -EBUSY;
	}
	if (!mutex_trylock(&obj->resize_lock)) {
		*why = "image: its size is being changed";
		return -EBUSY;
	}
	if (covol_chunks_stop(obj->chunks, true)) {
		mutex_unlock(&obj->resize_lock);
		*why = "image: it is being shared; end that first";
		return -EBUSY;
	}
	xa_erase(&vol->objects, obj->id);
	mutex_unlock(&obj->resize_lock);
	covol_object_put(obj);
	return 0;
}

/* ---- size ------------------------------------------------------------- */

/* What devices of this node have, bytes. */
static u64 longest_device(struct covol_object *obj)
{
	struct covol_device *dev;
	u64 longest = 0;

	lockdep_assert_held(&obj->vol->lock);
	list_for_each_entry(dev, &obj->lines, entry)
		longest = max(longest, (u64)dev->ti->len << SECTOR_SHIFT);
	return longest;
}

/* From now on nothing begins beyond the new end, if that is before the old. */
static int resize_begin(struct covol_object *obj, u64 size, const char **why)
{
	struct covol_volume *vol = obj->vol;
	int err = 0;

	mutex_lock(&vol->lock);
	if (xa_load(&vol->objects, obj->id) != obj) {
		err = -ENOENT;
	} else if (size < longest_device(obj)) {
		*why = "size: a device of this node is longer; give that a shorter table first";
		err = -EBUSY;
	} else if (size < obj->size) {
		WRITE_ONCE(obj->size, size);
	}
	mutex_unlock(&vol->lock);
	return err;
}

static void resize_end(struct covol_object *obj, u64 size)
{
	mutex_lock(&obj->vol->lock);
	WRITE_ONCE(obj->size, size);
	mutex_unlock(&obj->vol->lock);
}

/**
 * covol_object_resize() - change the size of an image on this node
 * @obj: the image
 * @size: bytes, in sectors
 * @why: on failure: what is wrong, or NULL
 *
 * Where it is served its file becomes as long.
 *
 * Context: sleeps; not with the volume's lock, which who releases held I/O
 * needs, while this may wait for that.
 *
 * Return: 0; -EBUSY; -ENOENT; an error of the file system.
 */
int covol_object_resize(struct covol_object *obj, u64 size, const char **why)
{
	u64 old;
	int err;

	*why = NULL;
	mutex_lock(&obj->resize_lock);
	old = obj->size;
	err = resize_begin(obj, size, why);
	if (err)
		goto unlock;
	if (obj->file && size != old) {
		err = covol_chunks_resize(obj, old, size);
	} else if (size < old) {
		covol_map_forget(&obj->map, size >> SECTOR_SHIFT,
				 (old - size) >> SECTOR_SHIFT);
		covol_object_drain(obj);
	}
	resize_end(obj, err ? old : size);
unlock:
	mutex_unlock(&obj->resize_lock);
	return err;
}

/**
 * covol_volume_resize() - the volume has grown
 * @vol: the volume; its lock is held
 * @size: bytes of its data, in sectors
 * @why: on failure: what is wrong
 *
 * It does not shrink: no file system that it may have does.
 *
 * Return: 0; -EINVAL; -ERANGE.
 */
int covol_volume_resize(struct covol_volume *vol, u64 size, const char **why)
{
	struct covol_object *self = xa_load(&vol->objects, 0);
	u64 lun = vol->lun ? bdev_nr_bytes(vol->lun) : U64_MAX;

	lockdep_assert_held(&vol->lock);
	if (size < vol->size) {
		*why = "size: a volume does not shrink";
		return -EINVAL;
	}
	if (vol->lun_offset > lun || size > lun - vol->lun_offset) {
		*why = "size: the volume ends past the LUN";
		return -ERANGE;
	}
	WRITE_ONCE(vol->size, size);
	WRITE_ONCE(self->size, size);
	return 0;
}

/* ---- volumes ---------------------------------------------------------- */

static void volume_free(struct kref *ref)
{
	struct covol_volume *vol = container_of(ref, struct covol_volume, ref);
	struct covol_object *obj;
	unsigned long id;

	covol_route_exit(vol);
	xa_for_each(&vol->objects, id, obj) {
		covol_chunks_stop(obj->chunks, true);
		covol_object_put(obj);
	}
	xa_destroy(&vol->objects);
	xa_destroy(&vol->sessions);
	xa_destroy(&vol->forgotten);
	covol_drain_exit(&vol->redirected);
	if (vol->lun_file)
		fput(vol->lun_file);
	mutex_destroy(&vol->lock);
	mutex_destroy(&vol->session_lock);
	put_net(vol->net);
	kfree(vol);
	module_put(THIS_MODULE);
}

/**
 * covol_volume_put() - drop a reference
 * @vol: the volume
 *
 * Context: process context; may sleep.
 */
void covol_volume_put(struct covol_volume *vol)
{
	kref_put(&vol->ref, volume_free);
}

/**
 * covol_volume_create() - make a volume that nobody knows yet
 * @net: the node's network namespace
 * @uuid: its identity
 * @node: this node's id
 * @size: bytes of its data, in sectors
 * @lun: the LUN's open device, or NULL without a path; the volume takes a
 *	 reference of its own
 * @lun_offset: where the data begins on the LUN, bytes, in sectors
 * @volp: the volume, with a reference for the caller
 *
 * The module stays loaded as long as the volume lives.
 *
 * Return: 0 or -ENOMEM.
 */
int covol_volume_create(struct net *net, const uuid_t *uuid, u32 node,
			u64 size, struct file *lun, u64 lun_offset,
			struct covol_volume **volp)
{
	struct covol_volume *vol = kzalloc(sizeof(*vol), GFP_KERNEL);
	struct covol_object *self;

	if (!vol)
		return -ENOMEM;
	if (covol_drain_init(&vol->redirected)) {
		kfree(vol);
		return -ENOMEM;
	}
	__module_get(THIS_MODULE);
	vol->net = get_net(net);
	uuid_copy(&vol->uuid, uuid);
	vol->node = node;
	vol->size = size;
	vol->lun_offset = lun_offset;
	vol->chunk_size = CHUNK_SIZE;
	if (lun) {
		vol->lun_file = get_file(lun);
		vol->lun = I_BDEV(lun->f_mapping->host);
	}
	kref_init(&vol->ref);
	INIT_LIST_HEAD(&vol->entry);
	mutex_init(&vol->lock);
	mutex_init(&vol->session_lock);
	xa_init(&vol->objects);
	xa_init(&vol->sessions);
	xa_init(&vol->forgotten);
	init_waitqueue_head(&vol->session_wait);
	covol_route_init(vol);
	self = object_create(vol, 0, size);
	if (!self || xa_insert(&vol->objects, 0, self, GFP_KERNEL)) {
		if (self)
			covol_object_put(self);
		covol_volume_put(vol);
		return -ENOMEM;
	}
	*volp = vol;
	return 0;
}

static struct covol_volume *find_locked(struct net *net, const uuid_t *uuid)
{
	struct covol_volume *vol;

	lockdep_assert_held(&covol_volumes_lock);
	list_for_each_entry(vol, &volumes, entry)
		if (vol->net == net && uuid_equal(&vol->uuid, uuid))
			return vol;
	return NULL;
}

/**
 * covol_volume_add() - make a volume known
 * @vol: a new volume; on success the list has a reference of its own
 *
 * Return: 0 or -EEXIST.
 */
int covol_volume_add(struct covol_volume *vol)
{
	int err = -EEXIST;

	mutex_lock(&covol_volumes_lock);
	if (!find_locked(vol->net, &vol->uuid)) {
		kref_get(&vol->ref);
		list_add_tail(&vol->entry, &volumes);
		err = 0;
	}
	mutex_unlock(&covol_volumes_lock);
	if (!err)
		covol_debugfs_add(vol);
	return err;
}

static bool has_images(struct covol_volume *vol)
{
	unsigned long id = 1;

	return xa_find(&vol->objects, &id, ULONG_MAX, XA_PRESENT);
}

/**
 * covol_volume_remove() - forget a volume
 * @vol: the volume
 * @why: on failure: what is wrong
 *
 * Return: 0; -EBUSY.
 */
int covol_volume_remove(struct covol_volume *vol, const char **why)
{
	*why = NULL;
	mutex_lock(&vol->session_lock);
	mutex_lock(&vol->lock);
	if (vol->devices)
		*why = "volume: a device uses it";
	else if (has_images(vol))
		*why = "volume: it has images";
	else if (!xa_empty(&vol->sessions))
		*why = "volume: it has sessions";
	else if (vol->dead)
		*why = "volume: it is being removed";
	else
		vol->dead = true;
	mutex_unlock(&vol->lock);
	mutex_unlock(&vol->session_lock);
	if (*why)
		return -EBUSY;
	/* before another one of this name can be added */
	covol_debugfs_remove(vol);
	mutex_lock(&covol_volumes_lock);
	list_del_init(&vol->entry);
	mutex_unlock(&covol_volumes_lock);
	covol_volume_put(vol);
	return 0;
}

/**
 * covol_volume_find() - look a volume up
 * @net: the node's network namespace
 * @uuid: its identity
 *
 * Return: the volume with a reference, or NULL.
 */
struct covol_volume *covol_volume_find(struct net *net, const uuid_t *uuid)
{
	struct covol_volume *vol;

	mutex_lock(&covol_volumes_lock);
	vol = find_locked(net, uuid);
	if (vol)
		kref_get(&vol->ref);
	mutex_unlock(&covol_volumes_lock);
	return vol;
}

/**
 * covol_volume_next() - go through the volumes of a node
 * @net: the node's network namespace
 * @prev: the last one, whose reference is dropped; NULL to begin
 *
 * If @prev has been removed meanwhile the walk ends.
 *
 * Return: the next one with a reference, or NULL.
 */
struct covol_volume *covol_volume_next(struct net *net,
				       struct covol_volume *prev)
{
	struct covol_volume *at = prev, *vol = NULL;

	mutex_lock(&covol_volumes_lock);
	if (!at)
		at = list_entry(&volumes, struct covol_volume, entry);
	if (!prev || !list_empty(&prev->entry)) {
		list_for_each_entry_continue(at, &volumes, entry) {
			if (at->net != net)
				continue;
			kref_get(&at->ref);
			vol = at;
			break;
		}
	}
	mutex_unlock(&covol_volumes_lock);
	if (prev)
		covol_volume_put(prev);
	return vol;
}
