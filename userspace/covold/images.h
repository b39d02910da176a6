/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The images of a volume, as files: in its directory "images", each called "ID.NAME". The id is the
 * number by which the kernels know the image; none is used twice, also after its image is gone.
 *
 * All of it may wait for the disk; for workers.
 */
#ifndef COVOLD_IMAGES_H
#define COVOLD_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGES_NAME	32
#define IMAGES_ERROR	200
#define IMAGES_FILE_LEN	64
/* Of a volume. */
#define IMAGES_MAX	4096

/**
 * struct image_entry - an image
 * @id: from 1
 * @size: bytes; in sectors
 * @used: bytes that its file has on the disk
 * @name: of the image
 */
struct image_entry {
	uint64_t id;
	uint64_t size;
	uint64_t used;
	char name[IMAGES_NAME];
};

struct image_list {
	struct image_entry *entry;	/* by name */
	size_t count;
};

/* "ID.NAME". Returns @file. */
const char *images_file(const struct image_entry *entry, char file[IMAGES_FILE_LEN]);
/* Its id and name; false: not the name of an image's file. */
bool images_parse(const char *file, struct image_entry *entry);

/*
 * The functions below return 0, or a descriptor, or a negative errno with a sentence in @error. The
 * directory is one from images_open().
 */

/**
 * images_open() - Open the directory of a volume's images.
 * @mount_point: of the volume's file system
 * @device: major and minor of what has to be mounted there
 * @make: if there is none
 * @error: why not
 *
 * As long as it is open the file system is not unmounted. Return: a descriptor.
 */
int images_open(const char *mount_point, uint64_t device, bool make, char error[IMAGES_ERROR]);

/* What there is; free() list->entry. What is no image's file is passed over. */
int images_read(int directory, struct image_list *list, char error[IMAGES_ERROR]);
/* -ENOENT: there is none of that name. */
int images_find(int directory, const char *name, struct image_entry *entry,
		char error[IMAGES_ERROR]);
/*
 * The file, read-write, past the page cache. A descriptor.
 */
int images_open_file(int directory, const struct image_entry *entry, char error[IMAGES_ERROR]);

/**
 * images_create() - Make a thin image.
 * @directory: where
 * @name: a valid one
 * @size: bytes, in sectors
 * @entry: what it is
 * @error: why not
 *
 * It is there whole or not at all, whatever happens meanwhile. -EEXIST. Only one may be made at a
 * time.
 */
int images_create(int directory, const char *name, uint64_t size, struct image_entry *entry,
		  char error[IMAGES_ERROR]);
/* Its blocks are free when nobody has the file open. */
int images_remove(int directory, const struct image_entry *entry, char error[IMAGES_ERROR]);

#endif
