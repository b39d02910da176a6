/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layouts that are wanted and not yet answered, oldest first. Ranges of the same object and node
 * that overlap or touch are one: it is read, made stable and granted once.
 */
#ifndef COVOL_LAYOUT_QUEUE_H
#define COVOL_LAYOUT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct wanted - a range whose extents a node wants
 * @next: younger
 * @object: image id
 * @peer: the node
 * @seq: of the object's map when the node asked; the lowest one of those that became this range, so
 *       that every change that any of them did not know of is left out of the grant
 * @offset: where it begins
 * @end: where it ends; more than @offset
 */
struct wanted {
	struct wanted *next;
	uint64_t object;
	uint32_t peer;
	uint64_t seq;
	uint64_t offset;
	uint64_t end;
};

struct queue {
	struct wanted *first;
	size_t length;
};

/* 0 or -ENOMEM; -EINVAL for a range that is empty or overflows. Merges what can be merged. */
int queue_add(struct queue *queue, const struct wanted *wanted);
/* The oldest, taken out; free() it. NULL: the queue is empty. */
struct wanted *queue_take(struct queue *queue);
void queue_clear(struct queue *queue);

#endif
