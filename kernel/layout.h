/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layouts: the extents that a node has been granted, and how they are taken
 * back.
 *
 * On the coordinator every image has a sequence. Whatever changes the map of
 * a range (allocation, discard) is a *change*: it takes a sequence when it
 * begins, recalls the range from those who hold layouts of the image, does
 * its work, and takes another when it ends. User space reads extents at some
 * sequence; a grant is cut by all changes that are under way or ended later
 * (I6). So what a node holds is never older than the file system's map.
 *
 * On the node that holds a layout a recall first forgets the range, then
 * drains the I/O that relied on it.
 */
#ifndef COVOL_LAYOUT_H
#define COVOL_LAYOUT_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "extent.h"

struct covol_object;
struct covol_session;
struct covol_volume;

/* Ended changes that are remembered; grants read before the oldest of them
 * are refused as a whole.
 */
#define COVOL_CHANGES	256

/* Sectors: all of an object, also if it grows meanwhile. In bytes it can be
 * sent (see wire.c).
 */
#define COVOL_LAYOUT_ALL	(COVOL_SECTOR_MAX / 2)

/**
 * struct covol_change - a range whose map is changing or has changed
 * @entry: in covol_layout.open
 * @start: first sector
 * @len: sectors
 * @seq: of its end; U64_MAX while it is under way
 * @since: when it began, jiffies
 */
struct covol_change {
	struct list_head	entry;
	u64			start;
	u64			len;
	u64			seq;
	unsigned long		since;
};

/**
 * struct covol_asker - for whom a map is changed
 * @peer: the node; this node's own id for this node; 0 for nobody
 * @s: over which it has asked, or NULL. When that has ended, waiting for others
 *     is given up (covol_session_closing())
 */
struct covol_asker {
	u32				peer;
	const struct covol_session	*s;
};

/**
 * struct covol_layout - what an image's coordinator knows of its holders
 * @lock: protects the rest, and keeps grants in order
 * @seq: of the last change
 * @open: changes under way
 * @past: changes that have ended, a ring
 * @next: where the next one goes in @past
 * @floor: grants read at a lower sequence are refused
 * @holders: nodes that may hold a layout
 */
struct covol_layout {
	/* protects the rest, and keeps grants in order */
	struct mutex		lock;
	u64			seq;
	struct list_head	open;
	struct covol_change	past[COVOL_CHANGES];
	unsigned int		next;
	u64			floor;
	struct list_head	holders;
};

/**
 * struct covol_asked - the last layout that this node asked for
 * @lock: protects the rest
 * @window: which part of the object
 * @when: jiffies; 0 never
 */
struct covol_asked {
	/* protects the rest */
	spinlock_t		lock;
	u64			window;
	unsigned long		when;
};

void covol_layout_init(struct covol_layout *layout);
void covol_layout_exit(struct covol_layout *layout);

void covol_layout_begin(struct covol_object *obj, struct covol_change *change,
			u64 start, u64 len);
int covol_layout_recall(struct covol_object *obj, struct covol_change *change,
			const struct covol_asker *asker, bool zeroes);
int covol_layout_recall_all(struct covol_object *obj,
			    struct covol_change *change);
int covol_layout_serve(struct covol_object *obj, const u32 *holders,
		       unsigned int nr);
void covol_layout_leave(struct covol_object *obj);
void covol_layout_end(struct covol_object *obj, struct covol_change *change);
u64 covol_layout_seq(struct covol_object *obj);
void covol_layout_want(struct covol_object *obj, u32 peer, u64 start, u64 len);
int covol_layout_grant(struct covol_object *obj, u32 peer, u64 seq, u64 start,
		       u64 len, const struct covol_extent *ext, unsigned int nr);

void covol_layout_ask(struct covol_object *obj, u64 sector);
int covol_layout_install(struct covol_object *obj,
			 const struct covol_extent *ext, unsigned int nr);
int covol_layout_replace(struct covol_object *obj, u64 start, u64 len,
			 const struct covol_extent *ext, unsigned int nr);
unsigned int covol_layout_clip(struct covol_object *obj, u64 start, u64 *len,
			       struct covol_extent *ext, unsigned int nr);
const char *covol_layout_check(struct covol_object *obj, u64 start, u64 len,
			       const struct covol_extent *ext, unsigned int nr);

#endif /* COVOL_LAYOUT_H */
