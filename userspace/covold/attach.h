/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices of images on this node: "covol-UUID-ID" for device mapper, /dev/covol/VOLUME/IMAGE
 * for people. They are all that is known of them: a restarted agent finds them as they were.
 *
 * All of it may wait for the disk; for workers.
 */
#ifndef COVOLD_ATTACH_H
#define COVOLD_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include <covol/libcovol.h>

#define ATTACH_NAME	96
#define ATTACH_PATH	128
#define ATTACH_ERROR	200

/* "covol-UUID-ID". Returns @name. */
const char *attach_name(const uint8_t uuid[COVOL_UUID_LEN], uint64_t id, char name[ATTACH_NAME]);
/* The id of a device of that volume; false: it is no such. */
bool attach_parse(const char *name, const uint8_t uuid[COVOL_UUID_LEN], uint64_t *id);
/* "/dev/covol/VOLUME/IMAGE". Returns @path. */
const char *attach_path(const char *volume, const char *image, char path[ATTACH_PATH]);

/* The functions below return 0 or a negative errno, with a sentence in @error. */

/**
 * attach_make() - Make the device of an image that the kernel knows.
 * @volume: as the kernel has it
 * @id: the image
 * @size: its size, bytes
 * @error: why not
 *
 * One that is there already is left as it is.
 */
int attach_make(const struct covol_volume *volume, uint64_t id, uint64_t size,
		char error[ATTACH_ERROR]);
/* That there is none is no error. -EBUSY: something has it open. */
int attach_remove(const uint8_t uuid[COVOL_UUID_LEN], uint64_t id, char error[ATTACH_ERROR]);

bool attach_exists(const uint8_t uuid[COVOL_UUID_LEN], uint64_t id);

/* The link to the device. */
int attach_link(const char *volume, const char *image, const uint8_t uuid[COVOL_UUID_LEN],
		uint64_t id, char error[ATTACH_ERROR]);
void attach_unlink(const char *volume, const char *image);
/* Which image a link leads to. -ENOENT: there is none, or its device is gone. */
int attach_look(const char *volume, const char *image, const uint8_t uuid[COVOL_UUID_LEN],
		uint64_t *id, char error[ATTACH_ERROR]);
/* All links of a volume that lead nowhere any more. */
void attach_sweep(const char *volume);

#endif
