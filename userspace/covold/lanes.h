/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections of sessions, their lanes, on a coordinator, until all of a session have come. Who
 * brings one has proved to be the node that it says; here it is about which belong together.
 *
 * A node has one session at most that is not whole yet. A lane of another one says that the node
 * has given it up: what has come of it is closed, and what comes of it later is refused. Which of
 * two is the later one is seen by when their connections were accepted: a node does not connect for
 * the next before it has given up the last, and how long each then takes to get here is up to
 * threads that know nothing of each other.
 *
 *	over --- a lane of another session ---> gathering --- the last lane ---> whole
 *	  ^                                         |                              |
 *	  +--- lanes_drop(), lanes_expire() --------+------- lanes_drop() ---------+
 *
 * and from gathering and whole to gathering, with a lane of another session. Nothing here is
 * locked, and nothing waits.
 */
#ifndef COVOLD_LANES_H
#define COVOLD_LANES_H

#include <linux/covol.h>
#include <stdbool.h>
#include <stdint.h>

#include "../agent/ownership.h"

struct lanes_node;

/* Of a volume. All 0: nothing has come. */
struct lanes {
	struct lanes_node *first;
};

/**
 * struct lanes_offer - what a connection is
 * @node: of whom
 * @epoch: of which coordinator
 * @number: of which session; random
 * @count: how many lanes that has
 * @lane: which of them this is, from 0
 * @accepted: how many connections had been accepted before
 */
struct lanes_offer {
	unsigned int node;
	uint64_t epoch;
	uint64_t number;
	unsigned int count;
	unsigned int lane;
	uint64_t accepted;
};

/**
 * struct lanes_set - all lanes of a session, in their order
 * @count: how many
 * @fd: the connections
 */
struct lanes_set {
	unsigned int count;
	int fd[COVOL_LANES_MAX];
};

enum lanes_result {
	LANES_WAIT,	/* taken; others have to come */
	LANES_WHOLE,	/* taken, and that was the last */
	LANES_WRONG,	/* there is no such lane */
	LANES_OTHER,	/* the lanes of this session before said another epoch or count */
	LANES_TWICE,	/* has come already */
	LANES_OVER,	/* of a session that was given up, or is whole */
};

/**
 * lanes_put() - A lane has come.
 * @lanes: of the volume
 * @offer: what it is
 * @fd: the connection; stays the caller's unless it is taken
 * @now: in us
 * @whole: LANES_WHOLE: the session; its connections are the caller's
 *
 * Return: what became of it.
 */
enum lanes_result lanes_put(struct lanes *lanes, const struct lanes_offer *offer, int fd,
			    uint64_t now, struct lanes_set *whole);

/* Of a connection that was not taken: why. */
const char *lanes_word(enum lanes_result result);

/*
 * Whether a session that became whole is still the last of its node, and wanted. What an older one
 * brings may have been given up, and done over the newer one.
 */
bool lanes_wanted(const struct lanes *lanes, unsigned int node, uint64_t number);

/* Nothing that these nodes have begun is wanted any more. */
void lanes_drop(struct lanes *lanes, own_nodes nodes);

/* Nor what was begun so many us ago and is not whole. How many sessions that were. */
unsigned int lanes_expire(struct lanes *lanes, uint64_t now, uint64_t limit);

void lanes_free(struct lanes *lanes);

#endif
