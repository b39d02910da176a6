/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner: gives the machine its events, in the order in which the group has them, and has its
 * actions carried out, as far as they are for this node.
 *
 *	group --event--> machine --action--> tasks of a volume --> worker --answer--> group
 *
 * All of it runs in the loop but the driver's tasks. A task begins only when the view that it is of
 * is on this node's disk: serial numbers, and so keys, begin with the number of the view, and none
 * may come twice.
 */
#ifndef COVOLD_RUNNER_H
#define COVOLD_RUNNER_H

#include "driver.h"
#include "exchange.h"
#include "store.h"

struct runner;

/**
 * struct runner_setup - what a runner works with
 * @event: the loop
 * @pool: for tasks
 * @driver: who carries them out
 * @driver_data: for @driver
 * @state_directory: where the state is kept
 * @changed: called when a volume's state has changed, or may have; may be NULL
 * @changed_data: for @changed
 */
struct runner_setup {
	sd_event *event;
	struct pool *pool;
	const struct driver_ops *driver;
	void *driver_data;
	const char *state_directory;
	void (*changed)(void *data);
	void *changed_data;
};

/* Reads the state from the disk. 0 or a negative errno, after a message. */
int runner_create(struct runner **runner, const struct runner_setup *setup);
void runner_destroy(struct runner *runner);

/* What the exchange tells; its data is the runner. */
void runner_view(struct runner *runner, const struct own_event *view);
void runner_event(struct runner *runner, unsigned int from, uint64_t request,
		  const struct own_event *event);
/* Which node this is, and by what events are announced. Before anything is told. */
void runner_attach(struct runner *runner, struct exchange *exchange);

/* A node has not returned a layout: one that is not here has to be fenced. In the loop. */
void runner_stuck(struct runner *runner, const uint8_t uuid[16], unsigned int node);

/* What the driver knows of a volume is not what it was. */
void runner_fact(struct runner *runner, const uint8_t uuid[16]);

/**
 * runner_request() - Announce what an administrator wants.
 * @runner: by whom
 * @event: it
 * @done: called, once, when all have applied it, or it was refused. @error: 0 or a negative errno;
 *	  -ENOTCONN: the group is gone, it may have been applied or not
 * @data: for @done
 */
void runner_request(struct runner *runner, const struct own_event *event,
		    void (*done)(void *data, int error), void *data);

/* The state that all have. Good until the loop goes on. */
struct ownership *runner_state(struct runner *runner);

/*
 * What a volume is on a node, as all know it; on this node with what its kernel has met and the
 * others may not know: that its key is gone.
 */
struct own_status runner_status(struct runner *runner, const struct own_volume *vol,
				unsigned int node);

/* Since when a volume is in its state on a node, in microseconds since 1970; 0: no such volume. */
uint64_t runner_since(const struct runner *runner, const uint8_t uuid[16], unsigned int node);

#endif
