/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tasks of one volume on this node: what "What a driver owes the machine" in
 * Documentation/cluster.rst says about them. Pure.
 */
#ifndef COVOLD_JOBS_H
#define COVOLD_JOBS_H

#include "../agent/ownership.h"

/**
 * struct jobs - the tasks of a volume
 * @running: given to a worker; task NONE: nothing is
 * @next: waits for that to end; task NONE: nothing does
 * @answered: serial of the task that was answered last
 * @answer: what was said then
 * @broken: what runs has been broken off, and nobody waits for its answer
 */
struct jobs {
	struct own_action running;
	struct own_action next;
	uint64_t answered;
	struct own_event answer;
	bool broken;
};

enum jobs_told {
	JOBS_KNOWN,		/* nothing is to be done */
	JOBS_AGAIN,		/* say @answer again */
	JOBS_WAITS,
	JOBS_BREAK_OFF,		/* it waits, and what runs must be made to end */
	JOBS_START,		/* see jobs_start() */
};

/* The machine says that something is to be done. */
enum jobs_told jobs_told(struct jobs *jobs, const struct own_action *action);

/* What is to run now; it counts as running then. NULL: something runs, or there is nothing. */
const struct own_action *jobs_start(struct jobs *jobs);

/* Whether anything runs or waits; whether that changes this node's key. */
bool jobs_busy(const struct jobs *jobs);
bool jobs_change_key(const struct jobs *jobs);

/*
 * What ran has ended. The answer to be said, or NULL: something newer has been told, and nobody
 * waits for it. jobs_start() then gives what comes next.
 */
const struct own_event *jobs_ended(struct jobs *jobs, enum own_result result, uint64_t epoch);

#endif
