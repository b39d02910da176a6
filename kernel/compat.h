/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place with tests of the kernel's version. The module is written
 * for the newest kernel; what an older one lacks is filled in here. Each
 * entry says what changed and when.
 */
#ifndef COVOL_COMPAT_H
#define COVOL_COMPAT_H

#include <linux/device-mapper.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <net/sock.h>

/*
 * 6.5: vfs_iter_write() took over the protection against a frozen file
 * system from its callers.
 */
static inline ssize_t covol_vfs_iter_write(struct file *file,
					   struct iov_iter *iter, loff_t *pos,
					   rwf_t flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	ssize_t ret;

	file_start_write(file);
	ret = vfs_iter_write(file, iter, pos, flags);
	file_end_write(file);
	return ret;
#else
	return vfs_iter_write(file, iter, pos, flags);
#endif
}

/*
 * 6.3: what maps the ids of a mount has a type of its own.
 */
static inline int covol_fileattr_set(struct file *file, struct fileattr *fa)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	return vfs_fileattr_set(file_mnt_user_ns(file), file_dentry(file), fa);
#else
	return vfs_fileattr_set(file_mnt_idmap(file), file_dentry(file), fa);
#endif
}

/*
 * 6.5: MSG_SPLICE_PAGES replaced kernel_sendpage(). Debian's 6.1 defines the
 * flag without the behaviour, so only the version tells. A page of slab may
 * go neither way: sendpage_ok().
 *
 * Sends from @iter (bvecs) without a copy, as much as goes without waiting.
 * Returns bytes sent, or a negative errno.
 */
static inline int covol_sock_splice(struct socket *sock,
				    const struct iov_iter *iter,
				    unsigned int flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	const struct bio_vec *bv = iter->bvec;
	size_t skip = iter->iov_offset, left = iov_iter_count(iter);
	int sent = 0;

	while (left) {
		size_t at = bv->bv_offset + skip;
		size_t n = min3(left, bv->bv_len - skip,
				PAGE_SIZE - offset_in_page(at));
		int more = n < left ? MSG_MORE | MSG_SENDPAGE_NOTLAST : 0;
		int ret = kernel_sendpage(sock, bv->bv_page + at / PAGE_SIZE,
					  offset_in_page(at), n, flags | more);

		if (ret <= 0)
			return sent ?: ret;
		sent += ret;
		left -= ret;
		skip += ret;
		if (ret < n)
			break;
		if (skip == bv->bv_len) {
			bv++;
			skip = 0;
		}
	}
	return sent;
#else
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };

	msg.msg_iter = *iter;
	return sock_sendmsg(sock, &msg);
#endif
}

/*
 * 6.12, or not long before it: device mapper waits for memory with REQ_NOWAIT
 * no more.
 */
static inline bool covol_dm_nowait(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0);
}

/*
 * 6.2: what is called around commands is given a struct genl_split_ops.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define covol_genl_op genl_ops
#else
#define covol_genl_op genl_split_ops
#endif

/*
 * 6.6: struct genl_info became part of struct genl_dumpit_info.
 */
static inline struct nlattr **covol_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

/*
 * 6.11: that a device's pages must not change during a write became a feature
 * of its limits; before, the target said so itself.
 */
static inline void covol_target_stable_writes(struct dm_target *ti)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	ti->needs_stable_writes = true;
#endif
}

static inline void covol_limits_stable_writes(struct queue_limits *limits)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	limits->features |= BLK_FEAT_STABLE_WRITES;
#endif
}

#endif /* COVOL_COMPAT_H */
