// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink commands for images. See netlink.c.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "chunk.h"
#include "compat.h"
#include "file.h"
#include "genl.h"
#include "holder.h"
#include "layout.h"
#include "netlink.h"
#include "volume.h"
#include "wire.h"

/* ---- images ----------------------------------------------------------- */

static int check_image_size(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[COVOL_A_IMAGE_SIZE];
	u64 size = nla_get_u64(attr);

	if (size && !(size % SECTOR_SIZE) &&
	    size >> SECTOR_SHIFT <= COVOL_SECTOR_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "size: zero, too large, or not in sectors of 512 bytes");
	return -EINVAL;
}

static int check_new_image(struct genl_info *info, struct covol_volume *vol)
{
	struct nlattr **a = info->attrs;
	int err;
	u64 id;

	if (!a[COVOL_A_IMAGE_ID] || !a[COVOL_A_IMAGE_SIZE]) {
		NL_SET_ERR_MSG(info->extack, "id or size: missing");
		return -EINVAL;
	}
	id = nla_get_u64(a[COVOL_A_IMAGE_ID]);
	if (!id || id > S64_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_IMAGE_ID],
				    "id: not from 1 to 2^63 - 1");
		return -EINVAL;
	}
	err = check_image_size(info);
	if (err)
		return err;
	if (covol_volume_serves(vol) && !a[COVOL_A_IMAGE_FD]) {
		NL_SET_ERR_MSG(info->extack,
			       "fd: missing; the coordinator needs the image's file");
		return -EINVAL;
	}
	return 0;
}

/* A file that a request names, settled, for fput(); NULL without one; or an
 * error with its ack.
 */
static struct file *get_file_of(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[COVOL_A_IMAGE_FD];
	const char *why;
	struct file *file;
	int err;

	if (!attr)
		return NULL;
	file = fget(nla_get_s32(attr));
	if (!file) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "fd: not an open descriptor");
		return ERR_PTR(-EBADF);
	}
	err = covol_file_settle(file, &why);
	if (!err)
		return file;
	covol_nl_why(info, why);
	fput(file);
	return ERR_PTR(err);
}

/* The holders that a request names, for kvfree(). */
static u32 *get_holders(struct genl_info *info, unsigned int *nr)
{
	const struct nlattr *attr;
	unsigned int all = 0;
	u32 *holders;
	int rem;

	*nr = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		all += nla_type(attr) == COVOL_A_IMAGE_HOLDER;
	holders = kvmalloc_array(all + 1, sizeof(*holders), GFP_KERNEL);
	if (!holders)
		return NULL;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(attr) == COVOL_A_IMAGE_HOLDER)
			holders[(*nr)++] = nla_get_u32(attr);
	return holders;
}

static int new_image(struct genl_info *info, struct covol_volume *vol)
{
	struct nlattr **a = info->attrs;
	const char *why = NULL;
	struct file *file;
	unsigned int nr;
	u32 *holders;
	int err;

	err = check_new_image(info, vol);
	if (err)
		return err;
	file = get_file_of(info);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = -ENOMEM;
	holders = get_holders(info, &nr);
	if (holders) {
		mutex_lock(&vol->lock);
		err = covol_object_add(vol, nla_get_u64(a[COVOL_A_IMAGE_ID]),
				       nla_get_u64(a[COVOL_A_IMAGE_SIZE]),
				       file, holders, nr, &why);
		mutex_unlock(&vol->lock);
	}
	if (err)
		covol_nl_why(info, why);
	kvfree(holders);
	if (file)
		fput(file);
	return err;
}

int covol_nl_image_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_volume *vol;
	int err;

	vol = covol_nl_volume(info, info->attrs[COVOL_A_IMAGE_UUID]);
	if (IS_ERR(vol))
		return PTR_ERR(vol);
	err = new_image(info, vol);
	covol_volume_put(vol);
	return err;
}

static int set_size(struct genl_info *info, struct covol_object *obj,
		    const char **why)
{
	int err = check_image_size(info);

	if (err)
		return err;
	return covol_object_resize(obj,
				   nla_get_u64(info->attrs[COVOL_A_IMAGE_SIZE]),
				   why);
}

static int set_file(struct genl_info *info, struct covol_object *obj,
		    const char **why)
{
	struct file *file = get_file_of(info);
	unsigned int nr;
	u32 *holders;
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	holders = get_holders(info, &nr);
	err = holders ? covol_file_give(obj, file, holders, nr, why) : -ENOMEM;
	kvfree(holders);
	fput(file);
	return err;
}

static int set_no_file(struct genl_info *info, struct covol_object *obj,
		       const char **why)
{
	bool wait = !info->attrs[COVOL_A_IMAGE_NO_WAIT];

	return covol_file_take(obj, info->attrs[COVOL_A_IMAGE_KEEP_LAYOUTS] ||
			       !wait, wait, why);
}

/* What only one of the three changes takes. */
static int check_set(struct genl_info *info, struct covol_object *obj)
{
	struct nlattr **a = info->attrs;

	if (!obj->id) {
		NL_SET_ERR_MSG(info->extack, "id: 0 is the volume itself");
		return -EINVAL;
	}
	if (!!a[COVOL_A_IMAGE_SIZE] + !!a[COVOL_A_IMAGE_FD] +
	    !!a[COVOL_A_IMAGE_NO_FILE] != 1) {
		NL_SET_ERR_MSG(info->extack,
			       "size, fd or no-file: one of them, and no other");
		return -EINVAL;
	}
	if ((a[COVOL_A_IMAGE_HOLDER] && !a[COVOL_A_IMAGE_FD]) ||
	    ((a[COVOL_A_IMAGE_KEEP_LAYOUTS] || a[COVOL_A_IMAGE_NO_WAIT]) &&
	     !a[COVOL_A_IMAGE_NO_FILE])) {
		NL_SET_ERR_MSG(info->extack,
			       "holder belongs to fd; keep-layouts and no-wait to no-file");
		return -EINVAL;
	}
	return 0;
}

static int set_image(struct genl_info *info, struct covol_object *obj)
{
	const char *why = NULL;
	int err = check_set(info, obj);

	if (err)
		return err;
	if (info->attrs[COVOL_A_IMAGE_SIZE])
		err = set_size(info, obj, &why);
	else if (info->attrs[COVOL_A_IMAGE_FD])
		err = set_file(info, obj, &why);
	else
		err = set_no_file(info, obj, &why);
	if (err && why)
		covol_nl_why(info, why);
	return err;
}

int covol_nl_image_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_object *obj;
	int err;

	obj = covol_nl_object(info, info->attrs[COVOL_A_IMAGE_UUID],
			      info->attrs[COVOL_A_IMAGE_ID]);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = set_image(info, obj);
	covol_nl_object_put(obj);
	return err;
}

int covol_nl_image_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_object *obj;
	const char *why;
	int err;

	obj = covol_nl_object(info, info->attrs[COVOL_A_IMAGE_UUID],
			      info->attrs[COVOL_A_IMAGE_ID]);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	mutex_lock(&obj->vol->lock);
	if (obj->id) {
		err = covol_object_remove(obj, &why);
	} else {
		err = -EINVAL;
		why = "id: 0 is the volume itself";
	}
	mutex_unlock(&obj->vol->lock);
	if (err)
		covol_nl_why(info, why);
	covol_nl_object_put(obj);
	return err;
}

/* ---- all of an image's layout ----------------------------------------- */

/* An image that is served here and stays so, for put_served(); or an error with
 * its ack.
 */
static struct covol_object *served_image(struct genl_info *info)
{
	struct covol_object *obj;

	obj = covol_nl_object(info, info->attrs[COVOL_A_IMAGE_UUID],
			      info->attrs[COVOL_A_IMAGE_ID]);
	if (IS_ERR(obj) || covol_file_enter(obj))
		return obj;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[COVOL_A_IMAGE_ID],
			    "id: not an image that this node serves");
	covol_nl_object_put(obj);
	return ERR_PTR(-EINVAL);
}

static void put_served(struct covol_object *obj)
{
	covol_file_leave(obj);
	covol_nl_object_put(obj);
}

int covol_nl_image_recall_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_object *obj = served_image(info);
	struct covol_change change;
	int err;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	covol_layout_begin(obj, &change, 0, COVOL_LAYOUT_ALL);
	err = covol_layout_recall_all(obj, &change);
	covol_layout_end(obj, &change);
	if (err)
		NL_SET_ERR_MSG(info->extack,
			       "image: its file is being taken away");
	put_served(obj);
	return err;
}

static int change_sharing(struct genl_info *info,
			  int (*change)(struct covol_object *obj,
					const char **why))
{
	struct covol_object *obj = served_image(info);
	const char *why = NULL;
	int err;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = change(obj, &why);
	if (err)
		covol_nl_why(info, why);
	put_served(obj);
	return err;
}

int covol_nl_image_share_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_sharing(info, covol_chunks_share_begin);
}

int covol_nl_image_share_end_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_sharing(info, covol_chunks_share_end);
}

/* ---- what is told of images ------------------------------------------- */

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, COVOL_A_IMAGE_PAD);
}

static int put_stat(struct sk_buff *skb, int attr,
		    const struct covol_io_stat *stat)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, COVOL_A_IO_STAT_READS, stat->reads,
			      COVOL_A_IO_STAT_PAD) ||
	    nla_put_u64_64bit(skb, COVOL_A_IO_STAT_READ_BYTES,
			      stat->read_bytes, COVOL_A_IO_STAT_PAD) ||
	    nla_put_u64_64bit(skb, COVOL_A_IO_STAT_WRITES, stat->writes,
			      COVOL_A_IO_STAT_PAD) ||
	    nla_put_u64_64bit(skb, COVOL_A_IO_STAT_WRITE_BYTES,
			      stat->write_bytes, COVOL_A_IO_STAT_PAD) ||
	    nla_put_u64_64bit(skb, COVOL_A_IO_STAT_OTHERS, stat->others,
			      COVOL_A_IO_STAT_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_latency(struct sk_buff *skb, int attr,
		       const struct covol_latency *latency)
{
	const u64 value[] = {
		[COVOL_A_LATENCY_READS]		= latency->reads,
		[COVOL_A_LATENCY_READ_NS]	= latency->read_ns,
		[COVOL_A_LATENCY_WRITES]	= latency->writes,
		[COVOL_A_LATENCY_WRITE_NS]	= latency->write_ns,
		[COVOL_A_LATENCY_OTHERS]	= latency->others,
		[COVOL_A_LATENCY_OTHER_NS]	= latency->other_ns,
	};
	struct nlattr *nest = nla_nest_start(skb, attr);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = COVOL_A_LATENCY_READS; i < ARRAY_SIZE(value); i++) {
		if (nla_put_u64_64bit(skb, i, value[i], COVOL_A_LATENCY_PAD)) {
			nla_nest_cancel(skb, nest);
			return -EMSGSIZE;
		}
	}
	nla_nest_end(skb, nest);
	return 0;
}

static_assert(COVOL_A_IMAGE_RECALLS_RECEIVED - COVOL_A_IMAGE_GRANTS_SENT ==
	      COVOL_RECALLS_RECEIVED);

static int put_stats(struct sk_buff *skb, const struct covol_object *obj)
{
	static const int attr[COVOL_WAYS] = {
		[COVOL_WAY_DIRECT]		= COVOL_A_IMAGE_DIRECT,
		[COVOL_WAY_FS_REDIRECTED]	= COVOL_A_IMAGE_FS_REDIRECTED,
		[COVOL_WAY_BLOCK_REDIRECTED]	= COVOL_A_IMAGE_BLOCK_REDIRECTED,
		[COVOL_WAY_ZERO_FILLED]		= COVOL_A_IMAGE_ZERO_FILLED,
		[COVOL_WAY_HELD]		= COVOL_A_IMAGE_HELD,
	};
	static const int timed[COVOL_TIMED] = {
		[COVOL_TIMED_FS]	= COVOL_A_IMAGE_FS_REDIRECTED_LATENCY,
		[COVOL_TIMED_BLOCK]	= COVOL_A_IMAGE_BLOCK_REDIRECTED_LATENCY,
		[COVOL_TIMED_SERVED]	= COVOL_A_IMAGE_SERVED_LATENCY,
	};
	struct covol_stats sum;
	int way, what, err = 0;

	covol_stats_sum(obj->stats, &sum);
	for (way = 0; way < COVOL_WAYS && !err; way++)
		err = put_stat(skb, attr[way], &sum.way[way]);
	for (what = 0; what < COVOL_TIMED && !err; what++)
		err = put_latency(skb, timed[what], &sum.latency[what]);
	for (what = 0; what < COVOL_LAYOUT_MESSAGES && !err; what++)
		err = put_u64(skb, COVOL_A_IMAGE_GRANTS_SENT + what,
			      sum.layout[what]);
	return err;
}

static int fill_image(struct sk_buff *skb, const void *what)
{
	struct covol_object *obj = (struct covol_object *)what;

	return covol_nl_put_uuid(skb, COVOL_A_IMAGE_UUID, obj->vol) ?:
	       put_u64(skb, COVOL_A_IMAGE_ID, obj->id) ?:
	       put_u64(skb, COVOL_A_IMAGE_SIZE, obj->size) ?:
	       (covol_object_served(obj) ?
		nla_put_flag(skb, COVOL_A_IMAGE_SERVED) : 0) ?:
	       (covol_chunks_sharing(obj) ?
		nla_put_flag(skb, COVOL_A_IMAGE_SHARING) : 0) ?:
	       put_u64(skb, COVOL_A_IMAGE_EXTENTS,
		       READ_ONCE(obj->map.count)) ?:
	       put_u64(skb, COVOL_A_IMAGE_LAYOUT_SEQ,
		       READ_ONCE(obj->layout.seq)) ?:
	       nla_put_u32(skb, COVOL_A_IMAGE_HOLDERS,
			   covol_layout_holders(obj)) ?:
	       nla_put_u32(skb, COVOL_A_IMAGE_DEVICES,
			   READ_ONCE(obj->devices)) ?:
	       put_stats(skb, obj);
}

int covol_nl_image_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_object *obj;
	int err;

	obj = covol_nl_object(info, info->attrs[COVOL_A_IMAGE_UUID],
			      info->attrs[COVOL_A_IMAGE_ID]);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = covol_nl_reply(info, COVOL_CMD_IMAGE_GET, fill_image, obj);
	covol_nl_object_put(obj);
	return err;
}

/* cb->args[0]: volumes that were dumped whole; [1]: object to go on at */
int covol_nl_image_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *uuid = covol_dump_attrs(cb)[COVOL_A_IMAGE_UUID];
	struct covol_volume *vol = NULL;
	long at = 0;

	while ((vol = covol_nl_dump_next(cb, uuid, vol))) {
		struct covol_object *obj = NULL;

		if (at++ < cb->args[0])
			continue;
		while ((obj = covol_object_next(vol, obj))) {
			if (obj->id < cb->args[1])
				continue;
			cb->args[1] = obj->id;
			if (covol_nl_dump_one(skb, cb, COVOL_CMD_IMAGE_GET,
					      fill_image, obj)) {
				covol_object_put(obj);
				covol_volume_put(vol);
				return skb->len;
			}
		}
		cb->args[0] = at;
		cb->args[1] = 0;
	}
	return skb->len;
}
