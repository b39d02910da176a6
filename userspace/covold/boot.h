/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an agent has to know of its node: which boot of it this is, which keys it has registered,
 * and whether the agent before has ended, threads that wait in the kernel included.
 */
#ifndef COVOLD_BOOT_H
#define COVOLD_BOOT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * boot_lock() - Take the place of the agent on this node.
 * @directory: made if it is not there; lost at a boot
 *
 * The lock ends with the last thread and child of the agent that has it.
 *
 * Return: a descriptor to be kept; -EAGAIN: another has it; or another negative errno.
 */
int boot_lock(const char *directory);

/**
 * boot_id() - What this boot of the kernel differs in from all others.
 * @id: the first half of the kernel's boot id, a random UUID; never 0
 *
 * Return: 0 or a negative errno.
 */
int boot_id(uint64_t *id);

/*
 * The incarnation of the key that this node has registered for a volume since it booted; 0: none,
 * or that cannot be told.
 */
uint64_t boot_key(const char *directory, const uint8_t uuid[16]);

/* To be called before that one is registered; 0: none is. 0 or a negative errno. */
int boot_key_mark(const char *directory, const uint8_t uuid[16], uint64_t incarnation);

/*
 * The last of them with which the cluster has told this node to go on; 0: none, or that cannot be
 * told. Who gives the node up after that takes this key away.
 */
uint64_t boot_key_told(const char *directory, const uint8_t uuid[16]);
int boot_key_mark_told(const char *directory, const uint8_t uuid[16], uint64_t incarnation);

#endif
