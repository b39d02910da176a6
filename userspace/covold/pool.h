/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads for whatever may wait for a disk or a peer. The event loop gives them work and is told,
 * through an eventfd, when it has ended; it never waits for them.
 *
 * There are as many threads as there is work at once, up to a limit: one that waits for a LUN that
 * is out of reach keeps nobody else's work.
 */
#ifndef COVOLD_POOL_H
#define COVOLD_POOL_H

#include <systemd/sd-event.h>

struct pool;

/**
 * pool_create() - Make a pool.
 * @pool: where to put it
 * @event: whose loop is told
 * @spare: threads that are there from the beginning, and stay
 * @limit: how many there may be
 *
 * Return: 0 or a negative errno.
 */
int pool_create(struct pool **pool, sd_event *event, unsigned int spare, unsigned int limit);

/**
 * pool_submit() - Have something done.
 * @pool: by whom
 * @work: runs in a thread of the pool; must not use anything of the loop
 * @done: runs in the loop, when @work has ended
 * @data: for both; belongs to @work until @done is called
 *
 * What is submitted while all threads are busy waits its turn.
 */
void pool_submit(struct pool *pool, void (*work)(void *data), void (*done)(void *data), void *data);

/* How much has been submitted whose done() has not been called. */
unsigned int pool_busy(const struct pool *pool);

/* Waits for what runs, and drops what waits; done() is called for neither. */
void pool_destroy(struct pool *pool);

#endif
