// SPDX-License-Identifier: GPL-2.0-only
/*
 * A layout is granted in three steps, and their order is what keeps data safe: read the extents
 * (FIEMAP), make the file system's journal hold that mapping (fsync), grant what was read. To fsync
 * first would let a newer mapping, that a crash of this node takes back, slip into the grant.
 *
 * A round reads all ranges that are queued before its one fsync of each file, so that many requests
 * share what is dear.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"

/* Extents that a round may hold in memory; a range with more is answered in several rounds. */
#define ROUND_EXTENTS	65536
#define ROUND_RANGES	1024

/* A range of this round: what was wanted, and what was found there. */
struct found {
	struct wanted *wanted;
	struct image *image;
	size_t begin;		/* of its extents in the round's */
	size_t count;
	bool failed;
};

struct round {
	struct found *found;
	size_t count;
	struct covol_extent *extents;
	size_t used;
};

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "covol-layout: ");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static struct image *find_image(const struct helper *helper, uint64_t id)
{
	size_t i;

	for (i = 0; i < helper->count; i++)
		if (helper->images[i].id == id)
			return &helper->images[i];
	return NULL;
}

static bool has_all(const struct covol_event *event)
{
	return covol_event_has(event, COVOL_A_EVENT_OBJECT) &&
	       covol_event_has(event, COVOL_A_EVENT_PEER) &&
	       covol_event_has(event, COVOL_A_EVENT_SEQ) &&
	       covol_event_has(event, COVOL_A_EVENT_OFFSET) &&
	       covol_event_has(event, COVOL_A_EVENT_LENGTH);
}

int take_event(const struct covol_event *event, void *data)
{
	struct helper *helper = data;
	struct wanted wanted;
	int error;

	if (event->type != COVOL_CMD_LAYOUT_WANTED || !has_all(event) ||
	    memcmp(&event->uuid, &helper->uuid, sizeof(helper->uuid)) ||
	    !find_image(helper, event->object))
		return 0;

	wanted = (struct wanted) {
		.object	= event->object,
		.peer	= event->peer,
		.seq	= event->seq,
		.offset	= event->offset,
		.end	= event->offset + event->length,
	};
	error = queue_add(&helper->queue, &wanted);
	if (error == -EINVAL) {
		say("image %" PRIu64 ", node %" PRIu32 ", offset %" PRIu64 ", length %" PRIu64
		    " is wanted, which is no range",
		    event->object, event->peer, event->offset, event->length);
		return 0;
	}
	return error;
}

static void complain(const struct found *found, const char *step, int error)
{
	say("%s (image %" PRIu64 ", node %" PRIu32 ", offset %" PRIu64 ", length %" PRIu64
	    "): %s: %s", found->image->path, found->wanted->object, found->wanted->peer,
	    found->wanted->offset, found->wanted->end - found->wanted->offset, step,
	    strerror(-error));
}

static int keep_extent(const struct covol_extent *extent, void *data)
{
	struct round *round = data;

	if (round->used == ROUND_EXTENTS)
		return 1;
	round->extents[round->used++] = *extent;
	return 0;
}

/* The round is full: what of the range was read is answered, the rest goes back to the queue. */
static int put_back_rest(struct helper *helper, const struct round *round, struct found *found)
{
	const struct covol_extent *last = &round->extents[round->used - 1];
	struct wanted rest = *found->wanted;

	if (round->used > found->begin) {
		rest.offset = last->offset + last->length;
		found->wanted->end = rest.offset;
	} else {
		found->failed = true; /* nothing of it was read: all of it goes back */
	}
	return queue_add(&helper->queue, &rest);
}

static int read_range(struct helper *helper, struct round *round, struct found *found)
{
	const struct wanted *wanted = found->wanted;
	int result;

	found->image = find_image(helper, wanted->object);
	found->begin = round->used;
	/* It was wanted when it was still an image of ours. */
	if (!found->image) {
		found->failed = true;
		helper->answered++;
		return 0;
	}
	result = covol_layout_read(found->image->fd, wanted->offset, wanted->end - wanted->offset,
				   keep_extent, round);
	if (result > 0) {
		result = put_back_rest(helper, round, found);
		if (result)
			return result;
	} else if (result < 0) {
		complain(found, "FIEMAP", result);
		found->failed = true;
		helper->answered++;
	}
	found->count = round->used - found->begin;
	return 0;
}

static int read_all(struct helper *helper, struct round *round)
{
	/* What a range gives back must wait for the next round. */
	size_t queued = helper->queue.length;
	struct wanted *wanted;
	int error = 0;

	while (!error && queued-- && round->count < ROUND_RANGES && round->used < ROUND_EXTENTS) {
		wanted = queue_take(&helper->queue);
		if (!wanted)
			break; /* a rest has merged with what was queued */
		round->found[round->count] = (struct found) { .wanted = wanted };
		error = read_range(helper, round, &round->found[round->count]);
		round->count++;
	}
	return error;
}

static bool has_read(const struct round *round, const struct image *image)
{
	size_t i;

	for (i = 0; i < round->count; i++)
		if (round->found[i].image == image && !round->found[i].failed)
			return true;
	return false;
}

/* A file that cannot be made stable gets no grant at all. */
static void give_up_image(struct helper *helper, struct round *round, const struct image *image,
			  int error)
{
	size_t i;

	for (i = 0; i < round->count; i++) {
		if (round->found[i].image != image || round->found[i].failed)
			continue;
		complain(&round->found[i], "fsync", error);
		round->found[i].failed = true;
		helper->answered++;
	}
}

static void make_stable(struct helper *helper, struct round *round)
{
	size_t i;

	for (i = 0; i < helper->count; i++)
		if (has_read(round, &helper->images[i]) && fsync(helper->images[i].fd))
			give_up_image(helper, round, &helper->images[i], -errno);
}

static void set_range(struct helper *helper, const struct round *round, const struct found *found)
{
	struct covol_map map = {
		.uuid		= helper->uuid,
		.object		= found->wanted->object,
		.peer		= found->wanted->peer,
		.seq		= found->wanted->seq,
		.with_seq	= true,
		.offset		= found->wanted->offset,
		.length		= found->wanted->end - found->wanted->offset,
		.extents	= round->extents + found->begin,
		.count		= found->count,
	};

	helper->answered++;
	if (covol_map_set(helper->c, &map))
		say("%s: %s", found->image->path, covol_error(helper->c));
	else if (helper->verbose)
		say("%s (image %" PRIu64 ", node %" PRIu32 ", offset %" PRIu64 ", length %" PRIu64
		    ", seq %" PRIu64 "): extents: %zu", found->image->path, map.object, map.peer,
		    map.offset, map.length, map.seq, map.count);
}

static void set_all(struct helper *helper, const struct round *round)
{
	size_t i;

	for (i = 0; i < round->count; i++)
		if (!round->found[i].failed)
			set_range(helper, round, &round->found[i]);
}

static void free_round(struct round *round)
{
	size_t i;

	for (i = 0; i < round->count; i++)
		free(round->found[i].wanted);
	free(round->found);
	free(round->extents);
}

int answer_queued(struct helper *helper)
{
	struct round round = {
		.found = calloc(ROUND_RANGES, sizeof(*round.found)),
		.extents = calloc(ROUND_EXTENTS, sizeof(*round.extents)),
	};
	int error = round.found && round.extents ? 0 : -ENOMEM;

	if (!error)
		error = read_all(helper, &round);
	if (!error) {
		make_stable(helper, &round);
		set_all(helper, &round);
	}
	free_round(&round);
	return error;
}
