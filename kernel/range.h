/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of an image that the service uses: shared by those who write what is
 * there, alone for who changes the file's map.
 *
 * All offsets here are bytes in the image.
 */
#ifndef COVOL_RANGE_H
#define COVOL_RANGE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct seq_file;

/**
 * struct covol_ranges - the ranges of one image
 * @wait: for a range, or for all to be left
 * @lock: protects the rest
 * @list: ranges that are locked or waited for, in the order in which they came
 * @locked: how many are locked
 * @closed: none is locked any more
 */
struct covol_ranges {
	wait_queue_head_t	wait;

	/* protects the rest */
	spinlock_t		lock;
	struct list_head	list;
	unsigned int		locked;
	bool			closed;
};

/**
 * struct covol_range - one of them, from when somebody wants it
 * @entry: in covol_ranges.list
 * @start: first byte
 * @end: first behind it
 * @shared: others who share it may have it, too
 * @locked: whoever wants it has it
 * @since: when it came, jiffies
 */
struct covol_range {
	struct list_head	entry;
	u64			start;
	u64			end;
	bool			shared;
	bool			locked;
	unsigned long		since;
};

void covol_ranges_init(struct covol_ranges *ranges);
void covol_ranges_close(struct covol_ranges *ranges);
void covol_ranges_open(struct covol_ranges *ranges);
void covol_ranges_show(struct covol_ranges *ranges, struct seq_file *m, u64 id);
void covol_range_join(struct covol_ranges *ranges, struct covol_range *range,
		      u64 start, u64 end, bool shared);
bool covol_range_try(struct covol_ranges *ranges, struct covol_range *range);
void covol_range_leave(struct covol_ranges *ranges, struct covol_range *range);

#endif /* COVOL_RANGE_H */
