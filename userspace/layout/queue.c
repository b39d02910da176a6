// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "queue.h"

static bool mergeable(const struct wanted *a, const struct wanted *b)
{
	return a->object == b->object && a->peer == b->peer && a->offset <= b->end &&
	       b->offset <= a->end;
}

static void merge(struct wanted *into, const struct wanted *other)
{
	if (other->seq < into->seq)
		into->seq = other->seq;
	if (other->offset < into->offset)
		into->offset = other->offset;
	if (other->end > into->end)
		into->end = other->end;
}

static void take_out(struct queue *queue, struct wanted **link)
{
	struct wanted *wanted = *link;

	*link = wanted->next;
	queue->length--;
	free(wanted);
}

/*
 * kept has grown: what it reaches now becomes part of it. One pass from link on is enough: no two
 * of the queue could be merged before, so whatever can be now touches the range that kept grew by.
 */
static void absorb(struct queue *queue, struct wanted *kept, struct wanted **link)
{
	while (*link) {
		if (mergeable(kept, *link)) {
			merge(kept, *link);
			take_out(queue, link);
		} else {
			link = &(*link)->next;
		}
	}
}

static int append(struct queue *queue, struct wanted **last, const struct wanted *wanted)
{
	struct wanted *new = malloc(sizeof(*new));

	if (!new)
		return -ENOMEM;
	*new = *wanted;
	new->next = NULL;
	*last = new;
	queue->length++;
	return 0;
}

int queue_add(struct queue *queue, const struct wanted *wanted)
{
	struct wanted **link;

	if (wanted->end <= wanted->offset)
		return -EINVAL;

	/* The oldest that it fits keeps its turn. */
	for (link = &queue->first; *link; link = &(*link)->next)
		if (mergeable(*link, wanted))
			break;
	if (!*link)
		return append(queue, link, wanted);

	merge(*link, wanted);
	absorb(queue, *link, &(*link)->next);
	return 0;
}

struct wanted *queue_take(struct queue *queue)
{
	struct wanted *wanted = queue->first;

	if (wanted) {
		queue->first = wanted->next;
		queue->length--;
	}
	return wanted;
}

void queue_clear(struct queue *queue)
{
	while (queue->first)
		take_out(queue, &queue->first);
}
