// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

#define FILE_MAX	(1024 * 1024)
#define OLD		".old"
#define TEMPLATE	".XXXXXX"
/* Behind a path there is room for one of the two. */
#define PATH_ROOM	(PATH_MAX - 16)

/* A file on its way. */
struct pending {
	char path[PATH_MAX];
	char made[PATH_MAX];	/* under another name; "": not, or not any more */
	bool same;		/* nothing is to be done */
	bool is_new;		/* there was none before, and is now */
};

static int wrong(char error[CLUSTER_ERROR], int code, const char *path)
{
	snprintf(error, CLUSTER_ERROR, "%.400s: %s", path,
		 code == -EEXIST ? "is there already, with something else in it" :
		 code == -EFBIG	 ? "has more than 1 MiB" :
		 code == -EILSEQ ? "is no text" :
				   strerror(-code));
	return code;
}

/* false: too long. */
static bool full_path(char path[PATH_MAX], const char *root, const char *name)
{
	return snprintf(path, PATH_MAX, "%s%s", root, name) < PATH_ROOM;
}

static int read_all(int fd, char **bytes, size_t *length)
{
	ssize_t got = 0;

	*bytes = malloc(FILE_MAX + 1);
	if (!*bytes)
		return -ENOMEM;
	for (*length = 0; *length <= FILE_MAX; *length += got) {
		got = read(fd, *bytes + *length, FILE_MAX + 1 - *length);
		if (got <= 0)
			break;
	}
	if (got >= 0 && *length <= FILE_MAX) {
		(*bytes)[*length] = 0;
		return 0;
	}
	free(*bytes);
	*bytes = NULL;
	return got < 0 ? -errno : -EFBIG;
}

static int read_path(const char *path, char **bytes, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;

	if (fd < 0)
		return -errno;
	result = read_all(fd, bytes, length);
	close(fd);
	return result;
}

int files_read(const char *root, const char *path, char **bytes, size_t *length,
	       char error[CLUSTER_ERROR])
{
	char full[PATH_MAX];
	size_t found = 0;
	int result;

	*bytes = NULL;
	result = full_path(full, root, path) ? read_path(full, bytes, &found) : -ENAMETOOLONG;
	if (result)
		return wrong(error, result, full);
	if (length) {
		*length = found;
	} else if (strlen(*bytes) != found) {
		free(*bytes);
		*bytes = NULL;
		return wrong(error, -EILSEQ, full);
	}
	return 0;
}

/* The directories above a file. */
static int make_directories(const char *path)
{
	char part[PATH_MAX], *slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/* A name is on the disk when its directory is. */
static int sync_directory(const char *path)
{
	char directory[PATH_MAX], *slash;
	int fd, result = 0;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (slash)
		slash[1] = 0;
	fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		result = -errno;
	close(fd);
	return result;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	ssize_t done;

	for (; length; bytes += done, length -= done) {
		done = write(fd, bytes, length);
		if (done < 0)
			return -errno;
	}
	return fsync(fd) ? -errno : 0;
}

/* Under another name, in the same directory: 0600 until all of it is there. */
static int make(struct pending *pending, const struct cluster_file *file)
{
	int result = make_directories(pending->path), fd;

	if (result)
		return result;
	snprintf(pending->made, sizeof(pending->made), "%.*s" TEMPLATE, (int)PATH_ROOM,
		 pending->path);
	fd = mkostemp(pending->made, O_CLOEXEC);
	if (fd < 0) {
		pending->made[0] = 0;
		return -errno;
	}
	result = write_all(fd, file->bytes, file->length);
	if (!result && fchmod(fd, file->mode))
		result = -errno;
	close(fd);
	return result;
}

/* -EEXIST: something else is there. */
static int compare(struct pending *pending, const struct cluster_file *file)
{
	size_t length = 0;
	char *bytes = NULL;
	int result = read_path(pending->path, &bytes, &length);

	if (result == -ENOENT)
		return 0;
	if (result && result != -EFBIG)
		return result;
	pending->same = !result && length == file->length && !memcmp(bytes, file->bytes, length);
	free(bytes);
	return pending->same ? 0 : -EEXIST;
}

/* Two that come at once do not both win. */
static int put(struct pending *pending)
{
	if (link(pending->made, pending->path))
		return -errno;
	pending->is_new = true;
	unlink(pending->made);
	pending->made[0] = 0;
	return 0;
}

/* At no time is there none. */
static int put_over(struct pending *pending)
{
	char old[PATH_MAX];

	snprintf(old, sizeof(old), "%.*s" OLD, (int)PATH_ROOM, pending->path);
	if (unlink(old) && errno != ENOENT)
		return -errno;
	if (link(pending->path, old))
		return errno == ENOENT ? put(pending) : -errno;
	if (rename(pending->made, pending->path))
		return -errno;
	pending->made[0] = 0;
	return 0;
}

static int look(struct pending *pending, const struct cluster_file *file, const char *root,
		bool replace)
{
	int result;

	if (!full_path(pending->path, root, file->path))
		return -ENAMETOOLONG;
	result = compare(pending, file);
	return result == -EEXIST && replace ? 0 : result;
}

static void undo(struct pending *pending, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (pending[i].is_new)
			unlink(pending[i].path);
		if (*pending[i].made)
			unlink(pending[i].made);
	}
}

static int place(struct pending *pending, bool replace)
{
	int result;

	if (!*pending->made)
		return 0;
	result = replace ? put_over(pending) : put(pending);
	return result ? result : sync_directory(pending->path);
}

int files_write(const char *root, const struct cluster_file *files, size_t count, bool replace,
		char error[CLUSTER_ERROR])
{
	struct pending *pending = calloc(count, sizeof(*pending));
	int result = pending ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < count && !result; i++)
		if (files[i].bytes)
			result = look(&pending[i], &files[i], root, replace);
	/* All that can fail for want of room or rights comes before the first has its name. */
	if (!result)
		for (i = 0; i < count && !result; i++)
			if (files[i].bytes && !pending[i].same)
				result = make(&pending[i], &files[i]);
	if (!result)
		for (i = 0; i < count && !result; i++)
			result = place(&pending[i], replace);
	if (result) {
		wrong(error, result, pending && i ? pending[i - 1].path : root);
		if (pending)
			undo(pending, count);
	}
	free(pending);
	return result;
}
