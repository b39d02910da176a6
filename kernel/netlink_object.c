// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink commands for images and extent maps. See netlink.c.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "chunk.h"
#include "compat.h"
#include "genl.h"
#include "layout.h"
#include "netlink.h"
#include "volume.h"
#include "wire.h"

/* What one map-set may bring; changes may cut extents in two. */
#define EXTENTS_MAX	(COVOL_WIRE_EXTENTS_MAX / 2)

/**
 * covol_nl_object() - the object that a request names
 * @info: the request
 * @uuid: its uuid attribute
 * @id: its object attribute
 *
 * Return: the object with a reference, and with one to its volume, both for
 * put_object(); or an error with its ack set.
 */
struct covol_object *covol_nl_object(struct genl_info *info,
				     struct nlattr *uuid, struct nlattr *id)
{
	struct covol_volume *vol = covol_nl_volume(info, uuid);
	struct covol_object *obj;

	if (IS_ERR(vol))
		return ERR_CAST(vol);
	if (!id) {
		NL_SET_ERR_MSG(info->extack, "object: missing");
		covol_volume_put(vol);
		return ERR_PTR(-EINVAL);
	}
	obj = covol_object_find(vol, nla_get_u64(id));
	if (!obj) {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "object: unknown in this volume");
		covol_volume_put(vol);
		return ERR_PTR(-ENOENT);
	}
	return obj;
}

static void put_object(struct covol_object *obj)
{
	struct covol_volume *vol = obj->vol;

	covol_object_put(obj);
	covol_volume_put(vol);
}

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

static int new_image(struct genl_info *info, struct covol_volume *vol)
{
	struct nlattr **a = info->attrs;
	struct file *file = NULL;
	const char *why;
	int err;

	err = check_new_image(info, vol);
	if (err)
		return err;
	if (a[COVOL_A_IMAGE_FD]) {
		file = fget(nla_get_s32(a[COVOL_A_IMAGE_FD]));
		if (!file) {
			NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_IMAGE_FD],
					    "fd: not an open descriptor");
			return -EBADF;
		}
	}
	mutex_lock(&vol->lock);
	err = covol_object_add(vol, nla_get_u64(a[COVOL_A_IMAGE_ID]),
			       nla_get_u64(a[COVOL_A_IMAGE_SIZE]), file, &why);
	mutex_unlock(&vol->lock);
	if (err)
		covol_nl_why(info, why);
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

static int set_image(struct genl_info *info, struct covol_object *obj)
{
	struct nlattr *size = info->attrs[COVOL_A_IMAGE_SIZE];
	const char *why;
	int err;

	if (!obj->id) {
		NL_SET_ERR_MSG(info->extack, "id: 0 is the volume itself");
		return -EINVAL;
	}
	if (!size) {
		NL_SET_ERR_MSG(info->extack, "size: missing");
		return -EINVAL;
	}
	err = check_image_size(info);
	if (err)
		return err;
	err = covol_object_resize(obj, nla_get_u64(size), &why);
	if (err)
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
	put_object(obj);
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
	put_object(obj);
	return err;
}

/* ---- all of an image's layout ----------------------------------------- */

/* An image that is served here, for put_object(); or an error with its ack. */
static struct covol_object *served_image(struct genl_info *info)
{
	struct covol_object *obj;

	obj = covol_nl_object(info, info->attrs[COVOL_A_IMAGE_UUID],
			      info->attrs[COVOL_A_IMAGE_ID]);
	if (IS_ERR(obj) || obj->file)
		return obj;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[COVOL_A_IMAGE_ID],
			    "id: not an image that this node serves");
	put_object(obj);
	return ERR_PTR(-EINVAL);
}

int covol_nl_image_recall_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_object *obj = served_image(info);
	struct covol_change change;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	covol_layout_begin(obj, &change, 0, COVOL_LAYOUT_ALL);
	covol_layout_recall_all(obj, &change);
	covol_layout_end(obj, &change);
	put_object(obj);
	return 0;
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
	put_object(obj);
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
	       (obj->file ? nla_put_flag(skb, COVOL_A_IMAGE_SERVED) : 0) ?:
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
	put_object(obj);
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

/* ---- maps ------------------------------------------------------------- */

/* offset and length of a request, in sectors. */
static int get_range(struct genl_info *info, struct covol_object *obj,
		     u64 *start, u64 *len)
{
	struct nlattr **a = info->attrs;
	u64 offset, length;

	if (!a[COVOL_A_MAP_OFFSET] || !a[COVOL_A_MAP_LENGTH]) {
		NL_SET_ERR_MSG(info->extack, "offset or length: missing");
		return -EINVAL;
	}
	offset = nla_get_u64(a[COVOL_A_MAP_OFFSET]);
	length = nla_get_u64(a[COVOL_A_MAP_LENGTH]);
	if ((offset | length) % SECTOR_SIZE || !length || offset > obj->size ||
	    length > obj->size - offset) {
		NL_SET_ERR_MSG(info->extack,
			       "offset and length: not in sectors, or past the object's end");
		return -EINVAL;
	}
	*start = offset >> SECTOR_SHIFT;
	*len = length >> SECTOR_SHIFT;
	return 0;
}

static int get_extent(struct genl_info *info, const struct nlattr *nest,
		      struct covol_extent *ext)
{
	struct nlattr *a[COVOL_A_EXTENT_MAX + 1];
	u64 offset, length, place = 0;
	int err;

	err = nla_parse_nested(a, COVOL_A_EXTENT_PAD, nest,
			       covol_extent_nl_policy, info->extack);
	if (err)
		return err;
	if (!a[COVOL_A_EXTENT_OFFSET] || !a[COVOL_A_EXTENT_LENGTH] ||
	    !a[COVOL_A_EXTENT_STATE]) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "extent: without offset, length or state");
		return -EINVAL;
	}
	offset = nla_get_u64(a[COVOL_A_EXTENT_OFFSET]);
	length = nla_get_u64(a[COVOL_A_EXTENT_LENGTH]);
	ext->state = nla_get_u32(a[COVOL_A_EXTENT_STATE]);
	if (!a[COVOL_A_EXTENT_PLACE] == covol_state_mapped(ext->state)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "extent: place belongs to the states shared and data, and to no other");
		return -EINVAL;
	}
	if (a[COVOL_A_EXTENT_PLACE])
		place = nla_get_u64(a[COVOL_A_EXTENT_PLACE]);
	if ((offset | length | place) % SECTOR_SIZE) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "extent: not in sectors of 512 bytes");
		return -EINVAL;
	}
	ext->start = offset >> SECTOR_SHIFT;
	ext->len = length >> SECTOR_SHIFT;
	ext->place = place >> SECTOR_SHIFT;
	return 0;
}

static int get_extents(struct genl_info *info, struct covol_extent *ext,
		       unsigned int *nr)
{
	const struct nlattr *attr;
	int rem, err = 0;

	*nr = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != COVOL_A_MAP_EXTENT)
			continue;
		if (*nr == EXTENTS_MAX) {
			NL_SET_ERR_MSG(info->extack,
				       "extent: more than 256 in one request");
			return -E2BIG;
		}
		err = get_extent(info, attr, &ext[(*nr)++]);
		if (err)
			return err;
	}
	return 0;
}

/* On an image that is served here it is a grant, else it is this node's map. */
static int apply_map(struct genl_info *info, struct covol_object *obj,
		     u64 start, u64 len, const struct covol_extent *ext,
		     unsigned int nr)
{
	struct nlattr **a = info->attrs;
	u32 peer = obj->vol->node;
	int err;

	if (a[COVOL_A_MAP_PEER])
		peer = nla_get_u32(a[COVOL_A_MAP_PEER]);
	if (!obj->file) {
		if (peer == obj->vol->node)
			return covol_layout_install(obj, start, len, ext, nr);
		NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_MAP_PEER],
				    "peer: only who serves the image can grant");
		return -EPERM;
	}
	if (!a[COVOL_A_MAP_SEQ]) {
		NL_SET_ERR_MSG(info->extack,
			       "seq: missing; a grant needs the sequence at which the extents were read");
		return -EINVAL;
	}
	err = covol_layout_grant(obj, peer, nla_get_u64(a[COVOL_A_MAP_SEQ]),
				 start, len, ext, nr);
	if (err == -ESTALE)
		NL_SET_ERR_MSG(info->extack,
			       "seq: too much has changed since; read the extents again");
	else if (err == -ENOTCONN)
		NL_SET_ERR_MSG(info->extack, "peer: no session with this node");
	return err;
}

static int set_map(struct genl_info *info, struct covol_object *obj)
{
	struct covol_extent *ext;
	const char *why = NULL;
	u64 start = 0, len = 0;
	unsigned int nr;
	int err;

	err = get_range(info, obj, &start, &len);
	if (err)
		return err;
	ext = kvmalloc_array(EXTENTS_MAX, sizeof(*ext), GFP_KERNEL);
	if (!ext)
		return -ENOMEM;
	err = get_extents(info, ext, &nr);
	if (!err)
		why = covol_layout_check(obj, start, len, ext, nr);
	if (why) {
		covol_nl_why(info, why);
		err = -EINVAL;
	}
	if (!err)
		err = apply_map(info, obj, start, len, ext, nr);
	kvfree(ext);
	return err;
}

int covol_nl_map_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_object *obj;
	int err;

	obj = covol_nl_object(info, info->attrs[COVOL_A_MAP_UUID],
			      info->attrs[COVOL_A_MAP_OBJECT]);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = set_map(info, obj);
	put_object(obj);
	return err;
}

int covol_nl_map_clear_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_object *obj;
	u64 start, len;
	int err;

	obj = covol_nl_object(info, info->attrs[COVOL_A_MAP_UUID],
			      info->attrs[COVOL_A_MAP_OBJECT]);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = get_range(info, obj, &start, &len);
	if (!err) {
		covol_map_forget(&obj->map, start, len);
		covol_object_drain(obj);
	}
	put_object(obj);
	return err;
}

/* An extent of an object, for fill_extent(). */
struct found {
	struct covol_object	*obj;
	struct covol_extent	ext;
};

static int fill_extent(struct sk_buff *skb, const void *what)
{
	const struct found *found = what;
	const struct covol_extent *ext = &found->ext;
	struct nlattr *nest;

	if (covol_nl_put_uuid(skb, COVOL_A_MAP_UUID, found->obj->vol) ||
	    nla_put_u64_64bit(skb, COVOL_A_MAP_OBJECT, found->obj->id,
			      COVOL_A_MAP_PAD))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, COVOL_A_MAP_EXTENT);
	if (!nest ||
	    nla_put_u64_64bit(skb, COVOL_A_EXTENT_OFFSET,
			      ext->start << SECTOR_SHIFT,
			      COVOL_A_EXTENT_PAD) ||
	    nla_put_u64_64bit(skb, COVOL_A_EXTENT_LENGTH,
			      ext->len << SECTOR_SHIFT, COVOL_A_EXTENT_PAD) ||
	    nla_put_u32(skb, COVOL_A_EXTENT_STATE, ext->state))
		return -EMSGSIZE;
	if (covol_state_mapped(ext->state) &&
	    nla_put_u64_64bit(skb, COVOL_A_EXTENT_PLACE,
			      ext->place << SECTOR_SHIFT, COVOL_A_EXTENT_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int covol_nl_map_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *offset = info->attrs[COVOL_A_MAP_OFFSET];
	struct found found;
	int err = -EINVAL;

	found.obj = covol_nl_object(info, info->attrs[COVOL_A_MAP_UUID],
				    info->attrs[COVOL_A_MAP_OBJECT]);
	if (IS_ERR(found.obj))
		return PTR_ERR(found.obj);
	if (!offset || nla_get_u64(offset) >= found.obj->size) {
		NL_SET_ERR_MSG(info->extack,
			       "offset: missing, or past the object's end");
	} else {
		u64 sector = nla_get_u64(offset) >> SECTOR_SHIFT;

		rcu_read_lock();
		covol_map_lookup(&found.obj->map, sector,
				 (found.obj->size >> SECTOR_SHIFT) - sector,
				 &found.ext);
		rcu_read_unlock();
		err = covol_nl_reply(info, COVOL_CMD_MAP_GET, fill_extent,
				     &found);
	}
	put_object(found.obj);
	return err;
}

static struct covol_object *dump_object(struct netlink_callback *cb)
{
	struct nlattr **a = covol_dump_attrs(cb);
	struct covol_object *obj;
	struct covol_volume *vol;
	uuid_t uuid;

	if (!a[COVOL_A_MAP_UUID] || !a[COVOL_A_MAP_OBJECT]) {
		NL_SET_ERR_MSG(cb->extack, "uuid or object: missing");
		return ERR_PTR(-EINVAL);
	}
	import_uuid(&uuid, nla_data(a[COVOL_A_MAP_UUID]));
	vol = covol_volume_find(sock_net(cb->skb->sk), &uuid);
	if (!vol) {
		NL_SET_ERR_MSG(cb->extack, "uuid: unknown volume");
		return ERR_PTR(-ENOENT);
	}
	obj = covol_object_find(vol, nla_get_u64(a[COVOL_A_MAP_OBJECT]));
	if (!obj) {
		NL_SET_ERR_MSG(cb->extack, "object: unknown in this volume");
		covol_volume_put(vol);
		return ERR_PTR(-ENOENT);
	}
	return obj;
}

/* cb->args[0]: sector to go on at */
int covol_nl_map_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct found found = { .obj = dump_object(cb) };

	if (IS_ERR(found.obj))
		return PTR_ERR(found.obj);
	while (covol_map_next(&found.obj->map, cb->args[0], &found.ext)) {
		if (covol_nl_dump_one(skb, cb, COVOL_CMD_MAP_GET, fill_extent,
				      &found))
			break;
		cb->args[0] = found.ext.start + found.ext.len;
	}
	put_object(found.obj);
	return skb->len;
}
