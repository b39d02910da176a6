/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration files: written as a whole or not at all, and never over what somebody else wrote.
 */
#ifndef COVOL_CLUSTER_FILES_H
#define COVOL_CLUSTER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "certificate.h"

/**
 * struct cluster_file - a file to be written
 * @path: of it; its directory is made if it is not there
 * @mode: of it
 * @bytes: what is to be in it; NULL: there is to be no such file, and nothing is done
 * @length: of @bytes
 */
struct cluster_file {
	const char *path;
	mode_t mode;
	const void *bytes;
	size_t length;
};

/**
 * files_write() - Write some files: all of them, or none.
 * @root: the directory that paths begin in; "" for the system's own
 * @files: the files
 * @count: how many
 * @replace: what is there goes to a file with ".old" behind its name
 * @error: which of them cannot be written, and why
 *
 * A file that is there with these bytes stays as it is. Each appears at once, with all of its bytes
 * on the disk. If one fails after it has taken the place of another, that is in the ".old".
 *
 * Return: 0, or a negative errno: -EEXIST: one is there with other bytes, and @replace is not set.
 */
int files_write(const char *root, const struct cluster_file *files, size_t count, bool replace,
		char error[CLUSTER_ERROR]);

/**
 * files_read() - Read a file.
 * @root: the directory that the path begins in; "" for the system's own
 * @path: of it
 * @bytes: result, to be freed, a 0 follows them; NULL on an error
 * @length: of @bytes; NULL: it has to be text
 * @error: why not
 *
 * Return: 0, or a negative errno: -ENOENT: there is none; -EFBIG: it has more than 1 MiB.
 */
int files_read(const char *root, const char *path, char **bytes, size_t *length,
	       char error[CLUSTER_ERROR]);

#endif
