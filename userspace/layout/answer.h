/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers to layout-wanted events.
 */
#ifndef COVOL_LAYOUT_ANSWER_H
#define COVOL_LAYOUT_ANSWER_H

#include <covol/libcovol.h>

#include "queue.h"

/**
 * struct image - an image that is answered for
 * @id: its id in the volume
 * @path: its file, for messages
 * @fd: its file
 */
struct image {
	uint64_t id;
	const char *path;
	int fd;
};

/**
 * struct helper - what the program knows
 * @c: libcovol
 * @uuid: the volume
 * @images: those that are answered for
 * @count: how many
 * @queue: what is wanted and not yet answered
 * @verbose: a line for each answer
 * @answered: ranges that were answered so far, or given up with an error line
 */
struct helper {
	struct covol *c;
	struct covol_uuid uuid;
	struct image *images;
	size_t count;
	struct queue queue;
	bool verbose;
	uint64_t answered;
};

/* Queues what an event wants, if it is for us. For covol_event_receive(); data: struct helper. */
int take_event(const struct covol_event *event, void *data);

/*
 * Answers what is queued: reads all of it, makes each file stable once, then sets all that was
 * read. What is too much for one round stays in the queue. A range that fails gets a line on stderr
 * and is dropped: the kernel asks again when it needs it again. -ENOMEM when nothing can go on.
 */
int answer_queued(struct helper *helper);

/* "covol-layout: ..." to stderr. */
__attribute__((format(printf, 1, 2)))
void say(const char *format, ...);

#endif
