/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state that an agent keeps on its disk, so that it knows which volumes there are when it
 * starts, and in which view it was last. Written in a worker; never half.
 */
#ifndef COVOLD_STORE_H
#define COVOLD_STORE_H

#include "../agent/ownership.h"
#include "pool.h"

struct store;

/**
 * store_open() - Begin.
 * @store: where to put it
 * @pool: who writes
 * @directory: of the file "state"; made if it is not there
 * @saved: called in the loop each time that the state given last, or a later one, is on the disk.
 *	   @view: number of its view; @error: 0, or a negative errno: it is not
 * @data: for @saved
 *
 * Return: 0 or a negative errno, after a message.
 */
int store_open(struct store **store, struct pool *pool, const char *directory,
	       void (*saved)(void *data, uint32_t view, int error), void *data);

/**
 * store_load() - Read the state. May wait for the disk: before the loop only.
 * @store: from where
 * @own: what was saved last; what it was made of when nothing has been
 *
 * Return: 1: there is one; 0: none has been saved; or a negative errno, after a message: the file
 * cannot be read, or is damaged.
 */
int store_load(struct store *store, struct ownership *own);

/**
 * store_save() - Have the state saved.
 * @store: where
 * @own: copied before this returns. While another is being written this one waits, and a later one
 *	 takes its place
 */
void store_save(struct store *store, const struct ownership *own);

void store_close(struct store *store);

#endif
