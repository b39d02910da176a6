// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device-mapper target "covol": one object of one volume as a device.
 * Documentation/target.rst is its user page.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "hold.h"
#include "io.h"
#include "route.h"
#include "target.h"
#include "volume.h"
#include "wire.h"

#define DM_MSG_PREFIX "covol"

/* A redirected bio is one request; this also keeps bios within a chunk. */
#define MAX_IO_SECTORS	(COVOL_WIRE_IO_MAX >> SECTOR_SHIFT)

/* One discard or write-zeroes at most, and what it is worth doing one for. */
#define MAX_DISCARD	((256u << 20) >> SECTOR_SHIFT)
#define DISCARD_UNIT	4096

/* Longest hold_timeout: a day. */
#define HOLD_TIMEOUT_MAX	86400000u

/* ---- the table -------------------------------------------------------- */

static int parse_volume(struct covol_device *t, const char *arg, char **error)
{
	uuid_t uuid;

	if (!arg || uuid_parse(arg, &uuid)) {
		*error = "volume-uuid: not a UUID";
		return -EINVAL;
	}
	t->vol = covol_volume_find(current->nsproxy->net_ns, &uuid);
	if (!t->vol) {
		*error = "volume-uuid: unknown volume";
		return -ENODEV;
	}
	return 0;
}

static int parse_object(struct covol_device *t, const char *arg, char **error)
{
	unsigned long long id = 0;

	if (!arg || (strcmp(arg, "volume") &&
		     (strncmp(arg, "image:", 6) ||
		      kstrtoull(arg + 6, 10, &id) || !id))) {
		*error = "object: neither volume nor image:<id>";
		return -EINVAL;
	}
	t->obj = covol_object_find(t->vol, id);
	if (!t->obj) {
		*error = "object: the volume has no such image";
		return -ENODEV;
	}
	return 0;
}

static int parse_lun(struct dm_target *ti, struct covol_device *t, const char *path,
		     const char *offset)
{
	unsigned long long sector;
	int err;

	if (!path || !strcmp(path, "-") != !t->vol->lun) {
		ti->error = t->vol->lun ? "lun-dev: the volume has a LUN here" :
					  "lun-dev: the volume has no LUN here";
		return -EINVAL;
	}
	if (!offset || kstrtoull(offset, 10, &sector) ||
	    sector != t->vol->lun_offset >> SECTOR_SHIFT) {
		ti->error = "lun-offset: not where the volume begins";
		return -EINVAL;
	}
	if (!t->vol->lun)
		return 0;
	err = dm_get_device(ti, path, dm_table_get_mode(ti->table), &t->lun);
	if (err) {
		t->lun = NULL;
		ti->error = "lun-dev: cannot be opened";
		return err;
	}
	if (t->lun->bdev->bd_dev != t->vol->lun->bd_dev) {
		ti->error = "lun-dev: not the volume's LUN";
		return -EINVAL;
	}
	if (bdev_nr_sectors(t->lun->bdev) < sector ||
	    bdev_nr_sectors(t->lun->bdev) - sector <
	    t->vol->size >> SECTOR_SHIFT) {
		ti->error = "lun-dev: smaller than the volume";
		return -EINVAL;
	}
	return 0;
}

static int parse_meta_policy(struct covol_device *t, const char *arg, char **error)
{
	if (arg && !strcmp(arg, "forward")) {
		t->meta_forward = true;
	} else if (!arg || strcmp(arg, "refuse")) {
		*error = "meta_policy: neither forward nor refuse";
		return -EINVAL;
	}
	return 0;
}

static int parse_features(struct covol_device *t, struct dm_arg_set *as,
			  char **error)
{
	static const struct dm_arg count = {
		0, 5, "#features: not a number of features"
	};
	unsigned int nr;
	int err;

	if (!as->argc)
		return 0;
	err = dm_read_arg_group(&count, as, &nr, error);
	while (!err && nr) {
		const char *name = dm_shift_arg(as);

		nr--;
		if (!strcmp(name, "data_digest")) {
			t->digest = true;
		} else if (!strcmp(name, "hold_timeout") && nr) {
			nr--;
			err = kstrtouint(dm_shift_arg(as), 10,
					 &t->hold_timeout);
			if (err || t->hold_timeout > HOLD_TIMEOUT_MAX) {
				*error = "hold_timeout: not a number of ms, or over a day";
				err = -EINVAL;
			}
		} else if (!strcmp(name, "meta_policy") && nr) {
			nr--;
			err = parse_meta_policy(t, dm_shift_arg(as), error);
		} else {
			*error = "feature: unknown, or without its value";
			err = -EINVAL;
		}
	}
	if (!err && as->argc) {
		*error = "words after the last feature";
		err = -EINVAL;
	}
	return err;
}

/* A device may be shorter than its object: made so before that shrinks, not
 * made longer yet after it grew.
 */
static int count_device(struct dm_target *ti, struct covol_device *t, char **error)
{
	int err = 0;

	mutex_lock(&t->vol->lock);
	if (t->vol->dead) {
		*error = "volume-uuid: the volume is being removed";
		err = -ENODEV;
	} else if (ti->begin || ti->len > t->obj->size >> SECTOR_SHIFT) {
		*error = "start or length: not 0, or past the object's end";
		err = -EINVAL;
	} else {
		list_add(&t->entry, &t->obj->lines);
		t->vol->devices++;
		t->obj->devices++;
		t->obj->device = disk_devt(dm_disk(dm_table_get_md(ti->table)));
	}
	mutex_unlock(&t->vol->lock);
	return err;
}

static void set_limits(struct dm_target *ti, struct covol_device *t)
{
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	/* discards and write-zeroes change the map: the coordinator does
	 * them. Discards whatever the LUN can; device mapper offers
	 * write-zeroes only if the LUN has them, too, else zeroes are written.
	 */
	ti->num_discard_bios = 1;
	ti->discards_supported = true;
	ti->num_write_zeroes_bios = 1;
	ti->per_io_data_size = sizeof(struct covol_io);
	if (t->digest)
		covol_target_stable_writes(ti);
}

static void target_free(struct dm_target *ti, struct covol_device *t)
{
	if (t->lun)
		dm_put_device(ti, t->lun);
	if (t->obj)
		covol_object_put(t->obj);
	if (t->vol)
		covol_volume_put(t->vol);
	kfree(t);
}

static int covol_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	const char *path, *offset;
	struct covol_device *t;
	int err;

	if (argc < 4) {
		ti->error = "too few words: volume-uuid, object, lun-dev, lun-offset";
		return -EINVAL;
	}
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		ti->error = "out of memory";
		return -ENOMEM;
	}
	t->ti = ti;
	err = parse_volume(t, dm_shift_arg(&as), &ti->error);
	if (err)
		goto bad;
	err = parse_object(t, dm_shift_arg(&as), &ti->error);
	if (err)
		goto bad;
	path = dm_shift_arg(&as);
	offset = dm_shift_arg(&as);
	err = parse_lun(ti, t, path, offset);
	if (err)
		goto bad;
	err = parse_features(t, &as, &ti->error);
	if (err)
		goto bad;
	err = dm_set_target_max_io_len(ti, MAX_IO_SECTORS);
	if (err)
		goto bad;
	err = count_device(ti, t, &ti->error);
	if (err)
		goto bad;
	set_limits(ti, t);
	ti->private = t;
	return 0;

bad:
	target_free(ti, t);
	return err;
}

static void covol_dtr(struct dm_target *ti)
{
	struct covol_device *t = ti->private;

	mutex_lock(&t->vol->lock);
	list_del(&t->entry);
	t->vol->devices--;
	if (!--t->obj->devices)
		t->obj->device = 0;
	mutex_unlock(&t->vol->lock);
	target_free(ti, t);
}

/* ---- I/O -------------------------------------------------------------- */

static int covol_map(struct dm_target *ti, struct bio *bio)
{
	struct covol_io *io = dm_per_bio_data(bio, sizeof(*io));
	struct covol_device *t = ti->private;

	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	io->dev = t;
	io->obj = t->obj;
	io->deadline = 0;
	if (unlikely(t->hold_timeout))
		io->deadline = (jiffies + msecs_to_jiffies(t->hold_timeout)) | 1;
	return covol_route_map(io, bio);
}

static int covol_end_io(struct dm_target *ti, struct bio *bio,
			blk_status_t *error)
{
	return covol_route_end_io(dm_per_bio_data(bio, sizeof(struct covol_io)),
				  bio, error);
}

/* ---- status ----------------------------------------------------------- */

static unsigned int emit_reasons(u32 reasons, char *result, unsigned int maxlen,
				 unsigned int sz)
{
	const char *comma = "";
	unsigned int bit;

	if (!reasons)
		DMEMIT(" -");
	else
		DMEMIT(" ");
	for (bit = 0; reasons && covol_reason_name(bit); bit++) {
		if (!(reasons & BIT(bit)))
			continue;
		DMEMIT("%s%s", comma, covol_reason_name(bit));
		comma = ",";
	}
	return sz;
}

static void emit_info(struct covol_device *t, char *result, unsigned int maxlen)
{
	struct covol_stats sum;
	unsigned int sz = 0;
	int way;

	DMEMIT("%s %s", covol_volume_serves(t->vol) ? "coordinator" : "member",
	       covol_route_name(READ_ONCE(t->vol->route)));
	sz = emit_reasons(READ_ONCE(t->vol->reasons), result, maxlen, sz);
	DMEMIT(" %llu %llu", READ_ONCE(t->vol->epoch),
	       READ_ONCE(t->obj->map.count));
	covol_stats_sum(t->obj->stats, &sum);
	for (way = 0; way < COVOL_WAYS; way++)
		DMEMIT(" %llu %llu %llu %llu %llu", sum.way[way].reads,
		       sum.way[way].read_bytes, sum.way[way].writes,
		       sum.way[way].write_bytes, sum.way[way].others);
}

static void emit_table(struct covol_device *t, char *result, unsigned int maxlen)
{
	unsigned int sz = 0, nr;

	DMEMIT("%pUb ", &t->vol->uuid);
	if (t->obj->id)
		DMEMIT("image:%llu", t->obj->id);
	else
		DMEMIT("volume");
	DMEMIT(" %s %llu", t->lun ? t->lun->name : "-",
	       t->vol->lun_offset >> SECTOR_SHIFT);
	nr = t->digest + 2 * !!t->hold_timeout + 2 * t->meta_forward;
	if (nr)
		DMEMIT(" %u", nr);
	if (t->digest)
		DMEMIT(" data_digest");
	if (t->hold_timeout)
		DMEMIT(" hold_timeout %u", t->hold_timeout);
	if (t->meta_forward)
		DMEMIT(" meta_policy forward");
}

static void covol_status(struct dm_target *ti, status_type_t type,
			 unsigned int flags, char *result, unsigned int maxlen)
{
	switch (type) {
	case STATUSTYPE_INFO:
		emit_info(ti->private, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		emit_table(ti->private, result, maxlen);
		break;
	case STATUSTYPE_IMA:
		*result = '\0';
		break;
	}
}

/*
 * "forget_layout": drop the extent map; I/O asks the coordinator again.
 * "fail_held": what is held of this device fails, now.
 */
static int covol_message(struct dm_target *ti, unsigned int argc, char **argv,
			 char *result, unsigned int maxlen)
{
	struct covol_device *t = ti->private;

	if (argc == 1 && !strcasecmp(argv[0], "forget_layout")) {
		covol_map_forget(&t->obj->map, 0, t->obj->size >> SECTOR_SHIFT);
		covol_object_drain(t->obj);
	} else if (argc == 1 && !strcasecmp(argv[0], "fail_held")) {
		covol_hold_fail(t);
	} else {
		DMERR("unknown message: there are only forget_layout and fail_held");
		return -EINVAL;
	}
	return 0;
}

/* ---- suspending ------------------------------------------------------- */

/*
 * A suspend without a flush ends although I/O is held: device mapper takes it
 * back, and sends it again when the device is resumed, perhaps with another
 * table. One with a flush promises that all I/O has ended: it waits. To fail
 * what is held, as queue_if_no_path does in multipath, would lose data for a
 * command that often comes by itself (a reload); who wants that says fail_held.
 */
static void covol_presuspend(struct dm_target *ti)
{
	if (dm_noflush_suspending(ti))
		covol_hold_suspend(ti->private);
}

/* Interrupted. */
static void covol_presuspend_undo(struct dm_target *ti)
{
	covol_hold_resume(ti->private);
}

static void covol_postsuspend(struct dm_target *ti)
{
	covol_hold_resume(ti->private);
}

/* ---- the devices below ------------------------------------------------ */

/* Ioctls of the volume's device reach the LUN; those of an image must not. */
static int covol_prepare_ioctl(struct dm_target *ti, struct block_device **bdev)
{
	struct covol_device *t = ti->private;

	if (t->obj->id || !t->lun)
		return -ENOTTY;
	*bdev = t->lun->bdev;
	/* only root may, unless the device is the LUN from end to end */
	return t->vol->lun_offset ||
	       ti->len != bdev_nr_sectors(t->lun->bdev);
}

static int covol_iterate_devices(struct dm_target *ti,
				 iterate_devices_callout_fn fn, void *data)
{
	struct covol_device *t = ti->private;

	if (!t->lun)
		return 0;
	return fn(ti, t->lun, t->vol->lun_offset >> SECTOR_SHIFT,
		  t->vol->size >> SECTOR_SHIFT, data);
}

static void covol_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct covol_device *t = ti->private;

	limits->discard_granularity = max_t(unsigned int, DISCARD_UNIT,
					    limits->logical_block_size);
	limits->max_hw_discard_sectors = MAX_DISCARD;
	limits->max_discard_sectors = MAX_DISCARD;
	limits->max_write_zeroes_sectors = MAX_DISCARD;
	if (t->digest)
		covol_limits_stable_writes(limits);
	/* what a first write allocates */
	limits->io_opt = READ_ONCE(t->vol->chunk_size);
}

static struct target_type covol_target = {
	.name			= "covol",
	.version		= {1, 1, 0},
	.features		= DM_TARGET_NOWAIT,
	.module			= THIS_MODULE,
	.ctr			= covol_ctr,
	.dtr			= covol_dtr,
	.map			= covol_map,
	.end_io			= covol_end_io,
	.presuspend		= covol_presuspend,
	.presuspend_undo	= covol_presuspend_undo,
	.postsuspend		= covol_postsuspend,
	.status			= covol_status,
	.message		= covol_message,
	.prepare_ioctl		= covol_prepare_ioctl,
	.iterate_devices	= covol_iterate_devices,
	.io_hints		= covol_io_hints,
};

int covol_target_init(void)
{
	return dm_register_target(&covol_target);
}

void covol_target_exit(void)
{
	dm_unregister_target(&covol_target);
}
