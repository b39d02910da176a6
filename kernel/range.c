// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of an image that are in use. See range.h.
 */
#include <linux/jiffies.h>
#include <linux/seq_file.h>

#include "range.h"

/**
 * covol_ranges_init() - no range is in use
 * @ranges: what to initialise
 */
void covol_ranges_init(struct covol_ranges *ranges)
{
	init_waitqueue_head(&ranges->wait);
	spin_lock_init(&ranges->lock);
	INIT_LIST_HEAD(&ranges->list);
	ranges->locked = 0;
	ranges->closed = false;
}

static void set_closed(struct covol_ranges *ranges, bool closed)
{
	spin_lock(&ranges->lock);
	ranges->closed = closed;
	spin_unlock(&ranges->lock);
}

static bool none_locked(struct covol_ranges *ranges)
{
	bool none;

	spin_lock(&ranges->lock);
	none = !ranges->locked;
	spin_unlock(&ranges->lock);
	return none;
}

/**
 * covol_ranges_close() - let nobody have a range
 * @ranges: the ranges of an image
 *
 * Context: sleeps until those that are locked have been left. Who wants one
 * then waits for covol_ranges_open().
 */
void covol_ranges_close(struct covol_ranges *ranges)
{
	set_closed(ranges, true);
	wait_event_idle(ranges->wait, none_locked(ranges));
}

/**
 * covol_ranges_open() - let them have ranges again
 * @ranges: the ranges of an image
 */
void covol_ranges_open(struct covol_ranges *ranges)
{
	set_closed(ranges, false);
	wake_up_all(&ranges->wait);
}

/**
 * covol_ranges_show() - print the ranges that are in use
 * @ranges: the ranges of an image
 * @m: where to
 * @id: of the image
 */
void covol_ranges_show(struct covol_ranges *ranges, struct seq_file *m, u64 id)
{
	struct covol_range *range;

	spin_lock(&ranges->lock);
	list_for_each_entry(range, &ranges->list, entry)
		seq_printf(m, "%s image %llu offset %llu length %llu %s age-ms %u\n",
			   range->locked ? "range" : "range-wanted", id,
			   range->start, range->end - range->start,
			   range->shared ? "shared" : "exclusive",
			   jiffies_to_msecs(jiffies - range->since));
	spin_unlock(&ranges->lock);
}

/**
 * covol_range_join() - want a range
 * @ranges: the ranges of an image
 * @range: filled in; to be given to covol_range_leave() in any case
 * @start: first byte
 * @end: first behind it
 * @shared: with others who share it
 *
 * Who came first goes first: writers that share a range must not keep away for
 * ever who wants it alone.
 */
void covol_range_join(struct covol_ranges *ranges, struct covol_range *range,
		      u64 start, u64 end, bool shared)
{
	range->start = start;
	range->end = end;
	range->shared = shared;
	range->locked = false;
	range->since = jiffies;
	spin_lock(&ranges->lock);
	list_add_tail(&range->entry, &ranges->list);
	spin_unlock(&ranges->lock);
}

static bool conflict(const struct covol_range *a, const struct covol_range *b)
{
	return a->start < b->end && b->start < a->end &&
	       !(a->shared && b->shared);
}

/**
 * covol_range_try() - lock a range that nobody is in the way of
 * @ranges: the ranges of an image
 * @range: from covol_range_join()
 *
 * Return: whether it is locked now; if not, it may be after a wake-up of
 * covol_ranges.wait.
 */
bool covol_range_try(struct covol_ranges *ranges, struct covol_range *range)
{
	struct covol_range *other = range;
	bool free;

	spin_lock(&ranges->lock);
	free = !ranges->closed;
	list_for_each_entry_continue_reverse(other, &ranges->list, entry)
		if (conflict(other, range))
			free = false;
	if (free) {
		range->locked = true;
		ranges->locked++;
	}
	spin_unlock(&ranges->lock);
	return free;
}

/**
 * covol_range_leave() - a range is not wanted any more
 * @ranges: the ranges of an image
 * @range: from covol_range_join(), locked or not
 */
void covol_range_leave(struct covol_ranges *ranges, struct covol_range *range)
{
	spin_lock(&ranges->lock);
	list_del(&range->entry);
	if (range->locked)
		ranges->locked--;
	spin_unlock(&ranges->lock);
	if (wq_has_sleeper(&ranges->wait))
		wake_up_all(&ranges->wait);
}
