// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: what all commands share, and the commands for
 * volumes. Those for images and maps are in netlink_object.c, those for
 * sessions in netlink_session.c.
 *
 * Every refusal says in the extended ack what is wrong.
 */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/sched/mm.h>
#include <net/sock.h>

#include "chunk.h"
#include "compat.h"
#include "genl.h"
#include "log.h"
#include "netlink.h"
#include "route.h"
#include "serve.h"
#include "session.h"
#include "volume.h"

/* ---- shared ----------------------------------------------------------- */

/**
 * covol_nl_volume() - the volume that a request names
 * @info: the request
 * @attr: its uuid attribute
 *
 * Return: the volume with a reference, or an error with its ack set.
 */
struct covol_volume *covol_nl_volume(struct genl_info *info,
				     struct nlattr *attr)
{
	struct covol_volume *vol;
	uuid_t uuid;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "uuid: missing");
		return ERR_PTR(-EINVAL);
	}
	import_uuid(&uuid, nla_data(attr));
	vol = covol_volume_find(genl_info_net(info), &uuid);
	if (!vol) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "uuid: unknown volume");
		return ERR_PTR(-ENOENT);
	}
	return vol;
}

/**
 * covol_nl_put_uuid() - add a volume's uuid to a message
 * @skb: the message
 * @attr: which attribute
 * @vol: the volume
 *
 * Return: 0 or -EMSGSIZE.
 */
int covol_nl_put_uuid(struct sk_buff *skb, int attr,
		      const struct covol_volume *vol)
{
	return nla_put(skb, attr, COVOL_UUID_LEN, vol->uuid.b);
}

/**
 * covol_nl_reply() - answer a request with one object
 * @info: the request
 * @cmd: the answer's command
 * @fill: puts the attributes
 * @what: for @fill
 *
 * Return: 0 or a negative errno.
 */
int covol_nl_reply(struct genl_info *info, u8 cmd,
		   int (*fill)(struct sk_buff *skb, const void *what),
		   const void *what)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *hdr;
	int err;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &covol_nl_family, 0, cmd);
	err = hdr ? fill(skb, what) : -EMSGSIZE;
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/**
 * covol_nl_dump_next() - go through the volumes that a dump is about
 * @cb: the dump
 * @uuid: its uuid attribute: only this volume; NULL: all
 * @prev: the last one, whose reference is dropped; NULL to begin
 *
 * Return: the next one with a reference, or NULL.
 */
struct covol_volume *covol_nl_dump_next(struct netlink_callback *cb,
					struct nlattr *uuid,
					struct covol_volume *prev)
{
	uuid_t one;

	if (!uuid)
		return covol_volume_next(sock_net(cb->skb->sk), prev);
	if (prev) {
		covol_volume_put(prev);
		return NULL;
	}
	import_uuid(&one, nla_data(uuid));
	return covol_volume_find(sock_net(cb->skb->sk), &one);
}

/**
 * covol_nl_dump_one() - add one object to a dump
 * @skb: the message
 * @cb: the dump
 * @cmd: its command
 * @fill: puts the attributes
 * @what: for @fill
 *
 * Return: 0 or -EMSGSIZE: the message is full.
 */
int covol_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		      int (*fill)(struct sk_buff *skb, const void *what),
		      const void *what)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &covol_nl_family,
				NLM_F_MULTI, cmd);

	if (!hdr)
		return -EMSGSIZE;
	if (fill(skb, what)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* ---- volumes ---------------------------------------------------------- */

/* The whole of a new volume's data must lie on the LUN. */
static int check_lun(struct genl_info *info, struct file *file, u64 offset,
		     u64 size)
{
	struct nlattr *attr = info->attrs[COVOL_A_VOLUME_LUN_FD];
	u64 lun;

	if (!S_ISBLK(file_inode(file)->i_mode)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "lun-fd: not a block device");
		return -ENOTBLK;
	}
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) !=
	    (FMODE_READ | FMODE_WRITE)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "lun-fd: not open for reading and writing");
		return -EBADF;
	}
	lun = bdev_nr_bytes(I_BDEV(file->f_mapping->host));
	if (offset > lun || size > lun - offset) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "size: the volume ends past the LUN");
		return -ERANGE;
	}
	return 0;
}

static int check_new_volume(struct genl_info *info)
{
	static const struct {
		int attr;
		const char *missing;
	} needed[] = {
		{ COVOL_A_VOLUME_UUID, "uuid: missing" },
		{ COVOL_A_VOLUME_NODE, "node: missing" },
		{ COVOL_A_VOLUME_EPOCH, "epoch: missing" },
		{ COVOL_A_VOLUME_COORDINATOR, "coordinator: missing" },
		{ COVOL_A_VOLUME_SIZE, "size: missing" },
	};
	struct nlattr **a = info->attrs;
	unsigned int i;
	u64 size, offset = 0;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (a[needed[i].attr])
			continue;
		covol_nl_why(info, needed[i].missing);
		return -EINVAL;
	}
	if (!a[COVOL_A_VOLUME_LUN_FD] != !a[COVOL_A_VOLUME_LUN_OFFSET]) {
		NL_SET_ERR_MSG(info->extack,
			       "lun-fd and lun-offset belong together");
		return -EINVAL;
	}
	size = nla_get_u64(a[COVOL_A_VOLUME_SIZE]);
	if (a[COVOL_A_VOLUME_LUN_OFFSET])
		offset = nla_get_u64(a[COVOL_A_VOLUME_LUN_OFFSET]);
	if (!size || (size | offset) % SECTOR_SIZE || size > S64_MAX ||
	    offset > S64_MAX) {
		NL_SET_ERR_MSG(info->extack,
			       "size or lun-offset: zero, too large, or not in sectors of 512 bytes");
		return -EINVAL;
	}
	return 0;
}

static int check_role(struct genl_info *info, u32 node, u32 coordinator)
{
	struct nlattr *attr = info->attrs[COVOL_A_VOLUME_ROLE];

	u32 role = node == coordinator ? COVOL_ROLE_COORDINATOR :
					 COVOL_ROLE_MEMBER;

	if (!attr || nla_get_u32(attr) == role)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "role: does not fit node and coordinator");
	return -EINVAL;
}

static int check_chunk_size(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[COVOL_A_VOLUME_CHUNK_SIZE];
	u32 size = attr ? nla_get_u32(attr) : COVOL_CHUNK_MIN;

	if (is_power_of_2(size) && size >= COVOL_CHUNK_MIN &&
	    size <= COVOL_CHUNK_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "chunk-size: not a power of two from 64 KiB to 16 MiB");
	return -EINVAL;
}

static int new_volume(struct genl_info *info, struct file *lun)
{
	struct nlattr **a = info->attrs;
	u64 size = nla_get_u64(a[COVOL_A_VOLUME_SIZE]), offset = 0;
	struct covol_volume *vol;
	uuid_t uuid;
	int err;

	if (lun) {
		offset = nla_get_u64(a[COVOL_A_VOLUME_LUN_OFFSET]);
		err = check_lun(info, lun, offset, size);
		if (err)
			return err;
	}
	import_uuid(&uuid, nla_data(a[COVOL_A_VOLUME_UUID]));
	err = covol_volume_create(genl_info_net(info), &uuid,
				  nla_get_u32(a[COVOL_A_VOLUME_NODE]), size,
				  lun, offset, &vol);
	if (err)
		return err;
	vol->epoch = nla_get_u64(a[COVOL_A_VOLUME_EPOCH]);
	vol->coordinator = nla_get_u32(a[COVOL_A_VOLUME_COORDINATOR]);
	vol->plaintext = a[COVOL_A_VOLUME_PLAINTEXT];
	if (a[COVOL_A_VOLUME_CHUNK_SIZE])
		vol->chunk_size = nla_get_u32(a[COVOL_A_VOLUME_CHUNK_SIZE]);
	err = covol_volume_add(vol);
	if (!err)
		covol_route_check(vol);
	else
		NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_VOLUME_UUID],
				    "uuid: this volume is known already");
	covol_volume_put(vol);
	return err;
}

int covol_nl_volume_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	struct file *lun = NULL;
	int err;

	err = check_new_volume(info) ?:
	      check_chunk_size(info) ?:
	      check_role(info, nla_get_u32(a[COVOL_A_VOLUME_NODE]),
			 nla_get_u32(a[COVOL_A_VOLUME_COORDINATOR]));
	if (err)
		return err;
	if (a[COVOL_A_VOLUME_LUN_FD]) {
		lun = fget(nla_get_s32(a[COVOL_A_VOLUME_LUN_FD]));
		if (!lun) {
			NL_SET_ERR_MSG_ATTR(info->extack,
					    a[COVOL_A_VOLUME_LUN_FD],
					    "lun-fd: not an open descriptor");
			return -EBADF;
		}
	}
	err = new_volume(info, lun);
	if (lun)
		fput(lun);
	return err;
}

static int check_route(struct genl_info *info, struct covol_volume *vol)
{
	struct nlattr *attr = info->attrs[COVOL_A_VOLUME_ROUTE];
	struct nlattr *peer = info->attrs[COVOL_A_VOLUME_REDIRECT_PEER];
	u32 via = peer ? nla_get_u32(peer) : vol->redirect_peer;

	if (peer && nla_get_u32(peer) == vol->node) {
		NL_SET_ERR_MSG_ATTR(info->extack, peer,
				    "redirect-peer: is this node");
		return -EINVAL;
	}
	switch (attr ? nla_get_u32(attr) : COVOL_ROUTE_HELD) {
	case COVOL_ROUTE_DIRECT:
		if (vol->lun)
			return 0;
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "route: direct needs a path to the LUN, and this node has none");
		return -ENOLINK;
	case COVOL_ROUTE_BLOCK_REDIRECTED:
		if (via)
			return 0;
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "route: block-redirected needs a redirect-peer");
		return -EINVAL;
	case COVOL_ROUTE_FS_REDIRECTED:
	case COVOL_ROUTE_HELD:
	case COVOL_ROUTE_UNAVAILABLE:
		return 0;
	default:
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "route: maintenance cannot be set");
		return -EINVAL;
	}
}

static int set_size(struct genl_info *info, struct covol_volume *vol)
{
	struct nlattr *attr = info->attrs[COVOL_A_VOLUME_SIZE];
	u64 size = nla_get_u64(attr);
	const char *why;
	int err;

	if (size % SECTOR_SIZE || size > S64_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "size: too large, or not in sectors of 512 bytes");
		return -EINVAL;
	}
	err = covol_volume_resize(vol, size, &why);
	if (err)
		covol_nl_why(info, why);
	return err;
}

static int set_volume(struct genl_info *info, struct covol_volume *vol)
{
	struct nlattr **a = info->attrs;
	u32 coordinator = vol->coordinator;
	u32 reasons = 0, route;
	int err;

	lockdep_assert_held(&vol->lock);
	if (a[COVOL_A_VOLUME_COORDINATOR])
		coordinator = nla_get_u32(a[COVOL_A_VOLUME_COORDINATOR]);
	err = check_chunk_size(info) ?: check_role(info, vol->node, coordinator) ?:
	      check_route(info, vol);
	if (err)
		return err;
	if (a[COVOL_A_VOLUME_EPOCH] &&
	    nla_get_u64(a[COVOL_A_VOLUME_EPOCH]) < vol->epoch) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_VOLUME_EPOCH],
				    "epoch: must not become smaller");
		return -EINVAL;
	}
	/* the last that may be refused */
	err = a[COVOL_A_VOLUME_SIZE] ? set_size(info, vol) : 0;
	if (err)
		return err;
	if (a[COVOL_A_VOLUME_EPOCH])
		WRITE_ONCE(vol->epoch, nla_get_u64(a[COVOL_A_VOLUME_EPOCH]));
	WRITE_ONCE(vol->coordinator, coordinator);
	if (a[COVOL_A_VOLUME_REDIRECT_PEER])
		WRITE_ONCE(vol->redirect_peer,
			   nla_get_u32(a[COVOL_A_VOLUME_REDIRECT_PEER]));
	if (a[COVOL_A_VOLUME_CHUNK_SIZE])
		WRITE_ONCE(vol->chunk_size,
			   nla_get_u32(a[COVOL_A_VOLUME_CHUNK_SIZE]));
	covol_route_check(vol);
	if (!a[COVOL_A_VOLUME_ROUTE])
		return 0;
	route = nla_get_u32(a[COVOL_A_VOLUME_ROUTE]);
	if (route != COVOL_ROUTE_DIRECT)
		reasons |= COVOL_REASON_ADMIN;
	if (!vol->lun)
		reasons |= COVOL_REASON_NO_DISK_PATH;
	covol_route_set(vol, route, reasons);
	return 0;
}

int covol_nl_volume_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_volume *vol;
	int err;

	vol = covol_nl_volume(info, info->attrs[COVOL_A_VOLUME_UUID]);
	if (IS_ERR(vol))
		return PTR_ERR(vol);
	mutex_lock(&vol->lock);
	err = set_volume(info, vol);
	mutex_unlock(&vol->lock);
	covol_volume_put(vol);
	return err;
}

int covol_nl_volume_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_volume *vol;
	const char *why;
	int err;

	vol = covol_nl_volume(info, info->attrs[COVOL_A_VOLUME_UUID]);
	if (IS_ERR(vol))
		return PTR_ERR(vol);
	err = covol_volume_remove(vol, &why);
	if (err)
		covol_nl_why(info, why);
	covol_volume_put(vol);
	return err;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, COVOL_A_VOLUME_PAD);
}

static int put_lun(struct sk_buff *skb, const struct covol_volume *vol)
{
	dev_t dev;

	if (!vol->lun)
		return 0;
	dev = vol->lun->bd_dev;
	return nla_put_u32(skb, COVOL_A_VOLUME_LUN_MAJOR, MAJOR(dev)) ?:
	       nla_put_u32(skb, COVOL_A_VOLUME_LUN_MINOR, MINOR(dev)) ?:
	       put_u64(skb, COVOL_A_VOLUME_LUN_OFFSET, vol->lun_offset);
}

static u32 count_entries(const struct xarray *xa, unsigned long first)
{
	unsigned long id = first;
	u32 nr = 0;
	void *entry;

	xa_for_each_start((struct xarray *)xa, id, entry, first)
		nr++;
	return nr;
}

static int put_counters(struct sk_buff *skb, const struct covol_volume *vol)
{
	return put_u64(skb, COVOL_A_VOLUME_HOLDS, READ_ONCE(vol->nr_holds)) ?:
	       put_u64(skb, COVOL_A_VOLUME_RELEASES,
		       READ_ONCE(vol->nr_releases)) ?:
	       put_u64(skb, COVOL_A_VOLUME_REPLAYS,
		       atomic64_read(&vol->replays)) ?:
	       put_u64(skb, COVOL_A_VOLUME_SESSIONS_LOST,
		       atomic64_read(&vol->sessions_lost));
}

static int fill_volume(struct sk_buff *skb, const void *what)
{
	const struct covol_volume *vol = what;
	u32 role = covol_volume_serves(vol) ? COVOL_ROLE_COORDINATOR :
					      COVOL_ROLE_MEMBER;
	int err;

	err = covol_nl_put_uuid(skb, COVOL_A_VOLUME_UUID, vol) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_NODE, vol->node) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_ROLE, role) ?:
	      put_u64(skb, COVOL_A_VOLUME_EPOCH, READ_ONCE(vol->epoch)) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_ROUTE, READ_ONCE(vol->route)) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_REASONS,
			  READ_ONCE(vol->reasons)) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_COORDINATOR,
			  READ_ONCE(vol->coordinator)) ?:
	      put_lun(skb, vol) ?:
	      put_u64(skb, COVOL_A_VOLUME_SIZE, vol->size) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_CHUNK_SIZE,
			  READ_ONCE(vol->chunk_size)) ?:
	      put_u64(skb, COVOL_A_VOLUME_HELD, READ_ONCE(vol->nr_held)) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_IMAGES,
			  count_entries(&vol->objects, 1)) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_SESSIONS,
			  count_entries(&vol->sessions, 0)) ?:
	      nla_put_u32(skb, COVOL_A_VOLUME_DEVICES, READ_ONCE(vol->devices));
	if (!err)
		err = put_counters(skb, vol);
	if (!err && vol->plaintext)
		err = nla_put_flag(skb, COVOL_A_VOLUME_PLAINTEXT);
	if (!err && vol->redirect_peer)
		err = nla_put_u32(skb, COVOL_A_VOLUME_REDIRECT_PEER,
				  vol->redirect_peer);
	return err;
}

int covol_nl_volume_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_volume *vol;
	int err;

	vol = covol_nl_volume(info, info->attrs[COVOL_A_VOLUME_UUID]);
	if (IS_ERR(vol))
		return PTR_ERR(vol);
	err = covol_nl_reply(info, COVOL_CMD_VOLUME_GET, fill_volume, vol);
	covol_volume_put(vol);
	return err;
}

/* cb->args[0]: volumes that were dumped before */
int covol_nl_volume_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *uuid = covol_dump_attrs(cb)[COVOL_A_VOLUME_UUID];
	struct covol_volume *vol = NULL;
	long at = 0;

	while ((vol = covol_nl_dump_next(cb, uuid, vol))) {
		if (at++ < cb->args[0])
			continue;
		if (covol_nl_dump_one(skb, cb, COVOL_CMD_VOLUME_GET,
				      fill_volume, vol)) {
			covol_volume_put(vol);
			break;
		}
		cb->args[0] = at;
	}
	return skb->len;
}

/* ---- the family ------------------------------------------------------- */

static const struct genl_multicast_group mcgrps[] = {
	[COVOL_NLGRP_EVENTS] = { .name = COVOL_MCGRP_EVENTS },
};

/* I8: memory is perhaps got by I/O that waits for just this command. */
static int begin_noio(const struct covol_genl_op *op, struct sk_buff *skb,
		      struct genl_info *info)
{
	info->user_ptr[0] = (void *)(unsigned long)memalloc_noio_save();
	return 0;
}

static void end_noio(const struct covol_genl_op *op, struct sk_buff *skb,
		     struct genl_info *info)
{
	memalloc_noio_restore((unsigned long)info->user_ptr[0]);
}

struct genl_family covol_nl_family __ro_after_init = {
	.name		= COVOL_GENL_NAME,
	.version	= COVOL_GENL_VERSION,
	.module		= THIS_MODULE,
	.netnsok	= true,
	.parallel_ops	= true,		/* a change of route may wait long */
	.pre_doit	= begin_noio,
	.post_doit	= end_noio,
	.ops		= covol_nl_ops,
	.n_ops		= ARRAY_SIZE(covol_nl_ops),
	.mcgrps		= mcgrps,
	.n_mcgrps	= ARRAY_SIZE(mcgrps),
};

int covol_netlink_init(void)
{
	return genl_register_family(&covol_nl_family);
}

void covol_netlink_exit(void)
{
	genl_unregister_family(&covol_nl_family);
}
