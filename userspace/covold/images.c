// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../lun/header.h"
#include "images.h"

#define DIRECTORY	"images"
#define SECTOR		512
#define ID_MAX		INT64_MAX

_Static_assert(IMAGES_NAME == LUN_NAME_LEN, "names of images and of volumes are alike");

__attribute__((format(printf, 3, 4)))
static int wrong(char error[IMAGES_ERROR], int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, IMAGES_ERROR, format, args);
	va_end(args);
	return code;
}

const char *images_file(const struct image_entry *entry, char file[IMAGES_FILE_LEN])
{
	snprintf(file, IMAGES_FILE_LEN, "%" PRIu64 ".%s", entry->id, entry->name);
	return file;
}

bool images_parse(const char *file, struct image_entry *entry)
{
	char *end;

	if (*file < '1' || *file > '9')
		return false;
	errno = 0;
	entry->id = strtoull(file, &end, 10);
	if (errno || entry->id > ID_MAX || *end != '.' || !lun_name_valid(end + 1))
		return false;
	snprintf(entry->name, sizeof(entry->name), "%s", end + 1);
	return true;
}

int images_open(const char *mount_point, uint64_t device, bool make, char error[IMAGES_ERROR])
{
	int top = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct stat stat;

	if (top < 0)
		return wrong(error, -errno, "%.100s: %s", mount_point, strerror(errno));
	if (fstat(top, &stat) || stat.st_dev != device) {
		close(top);
		return wrong(error, -ENXIO, "%.100s: the volume is not mounted there", mount_point);
	}
	if (make)
		mkdirat(top, DIRECTORY, 0700);
	fd = openat(top, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fd = wrong(error, -errno, "%.100s/" DIRECTORY ": %s", mount_point, strerror(errno));
	close(top);
	return fd;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct image_entry *)a)->name, ((const struct image_entry *)b)->name);
}

static int append(struct image_list *list, const struct image_entry *entry)
{
	struct image_entry *more;

	if (list->count == IMAGES_MAX)
		return -ENOSPC;
	more = realloc(list->entry, (list->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->entry = more;
	list->entry[list->count++] = *entry;
	return 0;
}

static int look(int directory, const char *file, struct image_list *list)
{
	struct image_entry entry;
	struct stat stat;

	if (!images_parse(file, &entry))
		return 0;
	if (fstatat(directory, file, &stat, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	entry.size = stat.st_size / SECTOR * SECTOR;
	entry.used = stat.st_blocks * (uint64_t)SECTOR;
	return S_ISREG(stat.st_mode) && entry.size ? append(list, &entry) : 0;
}

int images_read(int directory, struct image_list *list, char error[IMAGES_ERROR])
{
	/* Of its own, so that it begins at the beginning. */
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *found;

	memset(list, 0, sizeof(*list));
	if (!dir) {
		result = wrong(error, -errno, "the directory of images: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return result;
	}
	do {
		errno = 0;
		found = readdir(dir);
		result = found ? look(directory, found->d_name, list) : -errno;
	} while (found && !result);
	closedir(dir);
	if (!result) {
		if (list->count)
			qsort(list->entry, list->count, sizeof(*list->entry), by_name);
		return 0;
	}
	free(list->entry);
	memset(list, 0, sizeof(*list));
	return wrong(error, result, "the directory of images: %s", strerror(-result));
}

static const struct image_entry *find(const struct image_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!strcmp(list->entry[i].name, name))
			return &list->entry[i];
	return NULL;
}

int images_find(int directory, const char *name, struct image_entry *entry,
		char error[IMAGES_ERROR])
{
	const struct image_entry *found;
	struct image_list list;
	int result = images_read(directory, &list, error);

	if (result)
		return result;
	found = find(&list, name);
	if (found)
		*entry = *found;
	else
		result = wrong(error, -ENOENT, "there is no image %s", name);
	free(list.entry);
	return result;
}

int images_open_file(int directory, const struct image_entry *entry, char error[IMAGES_ERROR])
{
	char file[IMAGES_FILE_LEN];
	int fd = openat(directory, images_file(entry, file),
			O_RDWR | O_DIRECT | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? wrong(error, -errno, "image %s: %s", entry->name, strerror(errno)) : fd;
}

/* Later than any that there was, and than any that there is. */
static uint64_t next_id(const struct image_list *list)
{
	struct timespec now;
	uint64_t id;
	size_t i;

	clock_gettime(CLOCK_REALTIME, &now);
	id = now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
	for (i = 0; i < list->count; i++)
		if (list->entry[i].id >= id)
			id = list->entry[i].id + 1;
	return id;
}

/* Who moves blocks about must leave it alone: other nodes write to them. */
static void mark(int fd)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes))
		return;
	attributes.fsx_xflags |= FS_XFLAG_NODEFRAG;
	ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
}

/* A file without a name gets one when all of it is there. */
static int make(int directory, const struct image_entry *entry)
{
	char file[IMAGES_FILE_LEN], path[32];
	int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), result = 0;

	if (fd < 0)
		return -errno;
	mark(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ftruncate(fd, entry->size) || fsync(fd) ||
	    linkat(AT_FDCWD, path, directory, images_file(entry, file), AT_SYMLINK_FOLLOW) ||
	    fsync(directory))
		result = -errno;
	close(fd);
	return result;
}

int images_create(int directory, const char *name, uint64_t size, struct image_entry *entry,
		  char error[IMAGES_ERROR])
{
	struct image_list list;
	int result = images_read(directory, &list, error);

	if (result)
		return result;
	*entry = (struct image_entry){ .id = next_id(&list), .size = size };
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	if (find(&list, name))
		result = wrong(error, -EEXIST, "there is an image %s", name);
	else if (list.count == IMAGES_MAX)
		result = wrong(error, -ENOSPC, "there are as many images as there can be");
	free(list.entry);
	if (result)
		return result;
	result = make(directory, entry);
	return result ? wrong(error, result, "image %s: %s", name, strerror(-result)) : 0;
}

int images_remove(int directory, const struct image_entry *entry, char error[IMAGES_ERROR])
{
	char file[IMAGES_FILE_LEN];

	if (unlinkat(directory, images_file(entry, file), 0) || fsync(directory))
		return wrong(error, -errno, "image %s: %s", entry->name, strerror(errno));
	return 0;
}
