// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink commands for extent maps. See netlink.c.
 */
#include <linux/slab.h>

#include "compat.h"
#include "file.h"
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
 * covol_nl_object_put(); or an error with its ack set.
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

/**
 * covol_nl_object_put() - drop the references of covol_nl_object()
 * @obj: the object
 */
void covol_nl_object_put(struct covol_object *obj)
{
	struct covol_volume *vol = obj->vol;

	covol_object_put(obj);
	covol_volume_put(vol);
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

/* It is this node's map. Who gives a sequence has read the extents when the image
 * was served here: that is no more so, and what they were worth is not known.
 */
static int apply_here(struct genl_info *info, struct covol_object *obj,
		      u32 peer, u64 start, u64 len,
		      const struct covol_extent *ext, unsigned int nr)
{
	struct nlattr **a = info->attrs;

	if (peer != obj->vol->node) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_MAP_PEER],
				    "peer: only who serves the image can grant");
		return -EPERM;
	}
	if (obj->id && a[COVOL_A_MAP_SEQ]) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_MAP_SEQ],
				    "seq: this node does not serve the image");
		return -EPERM;
	}
	return covol_layout_replace(obj, start, len, ext, nr);
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
	if (!covol_file_enter(obj))
		return apply_here(info, obj, peer, start, len, ext, nr);
	if (!a[COVOL_A_MAP_SEQ]) {
		covol_file_leave(obj);
		NL_SET_ERR_MSG(info->extack,
			       "seq: missing; a grant needs the sequence at which the extents were read");
		return -EINVAL;
	}
	err = covol_layout_grant(obj, peer, nla_get_u64(a[COVOL_A_MAP_SEQ]),
				 start, len, ext, nr);
	covol_file_leave(obj);
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
	covol_nl_object_put(obj);
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
	covol_nl_object_put(obj);
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
	covol_nl_object_put(found.obj);
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
	covol_nl_object_put(found.obj);
	return skb->len;
}
