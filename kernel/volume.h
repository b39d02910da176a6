/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Volumes and their objects: what this node knows of them, and how long each
 * lives. Policy is not made here: user space says by netlink what shall be.
 */
#ifndef COVOL_VOLUME_H
#define COVOL_VOLUME_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <uapi/linux/covol.h>

#include "drain.h"
#include "extent.h"
#include "layout.h"
#include "session.h"
#include "stats.h"

struct covol_chunks;
struct dentry;
struct file;
struct net;

/* Lists of held bios, in their order; see hold.c */
enum covol_held {
	COVOL_HELD_AGAIN,
	COVOL_HELD_TODO,
	COVOL_HELD_NEW,
	COVOL_HELD_LISTS
};

/* See file.h */
enum covol_file_state {
	COVOL_FILE_NONE,
	COVOL_FILE_SERVED,
	COVOL_FILE_LEAVING,
};

/* A volume on this node */
struct covol_volume {
	/* set once at create */
	struct net		*net;		/* a node is a network namespace */
	uuid_t			uuid;
	u32			node;		/* this node's id */
	struct file		*lun_file;	/* NULL without a path */
	struct block_device	*lun;
	u64			lun_offset;	/* bytes */
	bool			plaintext;	/* sessions need no TLS */
	struct kref		ref;
	struct list_head	entry;		/* covol_volumes_lock */

	/* serialises who begins and ends sessions */
	struct mutex		session_lock;

	/* serialises changes by user space: route, coordinator, objects */
	struct mutex		lock;
	bool			dead;		/* taken out of the list */
	u32			devices;	/* dm devices, all objects */
	struct dentry		*debugfs;

	/* written under lock, read by I/O */
	u64			size;		/* bytes */
	u64			epoch;
	u32			coordinator;
	u32			redirect_peer;
	u32			chunk_size;	/* bytes */

	/* protects what follows; route and reasons are also read by I/O */
	spinlock_t		hold_lock;
	enum covol_route	route;
	u32			reasons;
	struct bio_list		held[COVOL_HELD_LISTS];
	struct bio		*trying;	/* see hold.c */
	u64			nr_held;
	u64			nr_deadlines;	/* of them; may fail */
	u32			nr_suspending;	/* devices */
	u64			nr_holds;	/* so far */
	u64			nr_releases;	/* so far */
	u32			releases;
	struct delayed_work	release_work;
	struct work_struct	report_work;
	u64			lost_object;	/* for the event path-lost */
	int			lost_error;
	struct work_struct	fence_work;

	struct covol_drain	redirected;	/* I/O that peers do for us */
	struct xarray		objects;	/* by id; object 0 is the volume */
	struct xarray		sessions;	/* by peer; RCU */
	wait_queue_head_t	session_wait;	/* one came or went */
	atomic_t		forgets;	/* holders that were forgotten */
	struct xarray		forgotten;	/* by peer: forgets, the last time */

	/* counters */
	atomic64_t		replays;	/* calls asked again */
	atomic64_t		sessions_lost;
};

/* The volume itself or an image, on this node */
struct covol_object {
	/* set once at create */
	struct covol_volume	*vol;		/* outlives its objects */
	u64			id;
	struct covol_stats __percpu *stats;
	struct kref		ref;
	struct rcu_head		rcu;

	/* serialises changes of the size and of the file */
	struct mutex		resize_lock;

	/* vol->lock */
	u64			size;		/* bytes; also read by I/O */
	struct list_head	lines;		/* of tables: covol_device */
	u32			devices;
	dev_t			device;		/* the last of them; 0 none */

	struct covol_map	map;
	struct covol_drain	direct;		/* I/O that relies on the map */
	atomic_t		lost;		/* peers may do it, see route.c */
	struct covol_asked	asked;		/* layouts we asked for */

	/* of an image that is served here: see file.h */
	struct file		*file;		/* while it is entered */
	enum covol_file_state	file_state;
	struct covol_drain	file_users;
	struct covol_layout	layout;
	struct covol_chunks	*chunks;
	struct covol_map	plain;		/* see fill.c */
};

int covol_volume_create(struct net *net, const uuid_t *uuid, u32 node,
			u64 size, struct file *lun, u64 lun_offset,
			struct covol_volume **volp);
int covol_volume_add(struct covol_volume *vol);
int covol_volume_remove(struct covol_volume *vol, const char **why);
struct covol_volume *covol_volume_find(struct net *net, const uuid_t *uuid);
struct covol_volume *covol_volume_next(struct net *net,
				       struct covol_volume *prev);
void covol_volume_put(struct covol_volume *vol);

int covol_object_add(struct covol_volume *vol, u64 id, u64 size,
		     struct file *file, const u32 *holders, unsigned int nr,
		     const char **why);
int covol_object_remove(struct covol_object *obj, const char **why);
int covol_object_resize(struct covol_object *obj, u64 size, const char **why);
int covol_volume_resize(struct covol_volume *vol, u64 size, const char **why);
struct covol_object *covol_object_find(struct covol_volume *vol, u64 id);
struct covol_object *covol_object_next(struct covol_volume *vol,
				       struct covol_object *prev);
void covol_object_put(struct covol_object *obj);

/* Has this node the image's file, and is it to serve it? */
static inline bool covol_object_served(const struct covol_object *obj)
{
	return READ_ONCE(obj->file_state) == COVOL_FILE_SERVED;
}

static inline bool covol_volume_serves(const struct covol_volume *vol)
{
	return READ_ONCE(vol->coordinator) == vol->node;
}

/* Is a range within the object? Bytes. */
static inline bool covol_object_has(const struct covol_object *obj, u64 offset,
				    u64 length)
{
	u64 size = READ_ONCE(obj->size);

	return offset <= size && length <= size - offset;
}

/*
 * Until no I/O relies any more on what the map was, here or at a peer; or until
 * a session has ended (NULL: none). Sleeps.
 */
static inline void covol_object_drain_for(struct covol_object *obj,
					  const struct covol_session *s)
{
	covol_drain_wait(&obj->direct);
	___wait_var_event(&obj->lost,
			  !atomic_read(&obj->lost) || covol_session_closing(s),
			  TASK_IDLE, 0, 0, schedule());
}

static inline void covol_object_drain(struct covol_object *obj)
{
	covol_object_drain_for(obj, NULL);
}

#endif /* COVOL_VOLUME_H */
