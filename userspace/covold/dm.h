/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device mapper, by its ioctls: libdevmapper has state of the process, and so could not be used by
 * several threads; one of which may wait for a LUN that is out of reach.
 *
 * All return 0 or a negative errno.
 */
#ifndef COVOLD_DM_H
#define COVOLD_DM_H

#include <stdint.h>
#include <sys/types.h>

#define DM_PATH_LEN	32

/* Make a device with a table of one target. -EBUSY: there is one of that name. */
int dm_make(const char *name, uint64_t sectors, const char *target, const char *params);
/* Which it is, and of how many sectors. -ENXIO: there is none of that name. */
int dm_look(const char *name, dev_t *number, uint64_t *sectors);
/* -ENXIO: there is none; -EBUSY: something has it open. */
int dm_remove(const char *name);
/*
 * Another table, in the midst of I/O: what is held meets the new one. Returns when what was sent by
 * the old one has ended.
 */
int dm_replace(const char *name, uint64_t sectors, const char *target, const char *params);

/* "/dev/dm-3", which the kernel makes. Returns @path. */
const char *dm_path(dev_t number, char path[DM_PATH_LEN]);

#endif
