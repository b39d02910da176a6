/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device of a volume on its coordinator, and the file system on it. All of it may wait for the
 * disk; for workers.
 */
#ifndef COVOLD_DEVICE_H
#define COVOLD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include <covol/libcovol.h>

#define DEVICE_NAME_LEN	64
#define DEVICE_ERROR	200

/* "covol-UUID": what device mapper calls it; /dev/mapper/covol-UUID. Returns @name. */
const char *device_name(const uint8_t uuid[COVOL_UUID_LEN], char name[DEVICE_NAME_LEN]);

/*
 * A device with that table. One that is there already is left as it is, unless it has no table: who
 * made it was killed before that. 0 or a negative errno.
 */
int device_make(const char *name, uint64_t sectors, const char *target, const char *params);

/* The functions below return 0 or a negative errno, with a sentence in @error. */

/**
 * device_create() - Make the device of a volume that the kernel knows.
 * @volume: as the kernel has it
 * @error: why not
 *
 * One that is there already is left as it is.
 */
int device_create(const struct covol_volume *volume, char error[DEVICE_ERROR]);

/* Take the device away; that there is none is no error. -EBUSY: something has it open. */
int device_remove(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR]);

/*
 * From now on all I/O of the device fails, what is held in it, too. Returns when what it had sent
 * has ended. That there is none is no error.
 */
int device_break(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR]);

/**
 * device_mount() - Mount the file system of a volume, with log recovery.
 * @uuid: the volume
 * @type: "xfs", "ext4"
 * @directory: where; made if it is not there, in one that is made root's alone
 * @error: why not
 *
 * Mounted there already: fine.
 */
int device_mount(const uint8_t uuid[COVOL_UUID_LEN], const char *type, const char *directory,
		 char error[DEVICE_ERROR]);

/*
 * Sync and unmount. That it is not mounted is no error. -EBUSY: files of it are open. @broken: the
 * device fails all I/O, so that there is nothing to be synced; whoever has files open keeps them.
 */
int device_unmount(const uint8_t uuid[COVOL_UUID_LEN], const char *directory, bool broken,
		   char error[DEVICE_ERROR]);

/*
 * Where the volume's file system is mounted, and the number of its device. -ENOENT: nowhere.
 */
int device_where(const uint8_t uuid[COVOL_UUID_LEN], char directory[PATH_MAX], dev_t *number);

/* 1: the volume's device is mounted there; 0: not; or a negative errno. NULL: anywhere. */
int device_is_mounted(const uint8_t uuid[COVOL_UUID_LEN], const char *directory);

#endif
