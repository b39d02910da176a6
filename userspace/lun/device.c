// SPDX-License-Identifier: GPL-2.0-only
/*
 * What device a LUN is, by ioctls and /sys.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fs.h>

#include "device.h"

/* A stack of dm devices deeper than this is a mistake. */
#define DEPTH	4

int lun_fail(struct lun *lun, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(lun->error, sizeof(lun->error), format, args);
	va_end(args);
	return error;
}

/* A file's first line, without blanks around it; "": there is none. */
static void first_line(const char *path, char *value, size_t len)
{
	FILE *file = fopen(path, "re");
	size_t length;
	char *begin;

	value[0] = '\0';
	if (!file)
		return;
	if (!fgets(value, len, file))
		value[0] = '\0';
	fclose(file);
	length = strcspn(value, "\n");
	while (length && value[length - 1] == ' ')
		length--;
	value[length] = '\0';
	begin = value + strspn(value, " ");
	memmove(value, begin, strlen(begin) + 1);
}

void lun_attribute(const char *sysfs, const char *disk, const char *name, char *value, size_t len)
{
	char path[PATH_MAX];

	value[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/class/block/%s/%s", sysfs, disk, name) <
	    (int)sizeof(path))
		first_line(path, value, len);
}

void lun_session_attribute(const char *sysfs, const char *disk, const char *name, char *value,
			   size_t len)
{
	char path[PATH_MAX], place[PATH_MAX], *session = NULL;

	value[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/class/block/%s/device", sysfs, disk) <
		    (int)sizeof(path) &&
	    realpath(path, place))
		session = strstr(place, "/session");
	if (session && snprintf(path, sizeof(path), "%s/class/iscsi_session/%.*s/%s", sysfs,
				(int)strcspn(session + 1, "/"), session + 1, name) <
			       (int)sizeof(path))
		first_line(path, value, len);
}

static bool has(const char *sysfs, const char *disk, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/class/block/%s/%s", sysfs, disk, name) <
		       (int)sizeof(path) &&
	       !access(path, F_OK);
}

static enum lun_transport transport_of(const char *sysfs, const char *disk)
{
	if (has(sysfs, disk, "device/scsi_level"))
		return LUN_SCSI;
	if (!strncmp(disk, "nvme", 4))
		return LUN_NVME;
	return LUN_OTHER;
}

static void wwid_of(const char *sysfs, const char *disk, char wwid[LUN_WWID_LEN])
{
	char serial[LUN_WWID_LEN - 8];

	lun_attribute(sysfs, disk, "device/wwid", wwid, LUN_WWID_LEN);
	if (!wwid[0])
		lun_attribute(sysfs, disk, "wwid", wwid, LUN_WWID_LEN);
	if (wwid[0])
		return;
	/* virtio-blk */
	lun_attribute(sysfs, disk, "serial", serial, sizeof(serial));
	if (serial[0])
		snprintf(wwid, LUN_WWID_LEN, "serial.%s", serial);
}

static int add_path(struct lun *lun, const char *sysfs, const char *disk)
{
	enum lun_transport transport = transport_of(sysfs, disk);
	char wwid[LUN_WWID_LEN], number[24];
	struct lun_path *path;

	if (lun->paths == LUN_PATHS)
		return lun_fail(lun, -ENXIO, "%s has more than %d paths", lun->device, LUN_PATHS);
	if (strlen(disk) >= sizeof(lun->path[0].name))
		return lun_fail(lun, -ENXIO, "%s: \"%s\" is too long a name", lun->device, disk);
	wwid_of(sysfs, disk, wwid);
	if (lun->paths && (transport != lun->transport || strcmp(wwid, lun->wwid)))
		return lun_fail(lun, -ENXIO,
				"%s: its paths lead to different LUNs: %s is \"%s\", %s is \"%s\"",
				lun->device, lun->path[0].name, lun->wwid, disk, wwid);
	lun->transport = transport;
	memcpy(lun->wwid, wwid, sizeof(wwid));
	lun_attribute(sysfs, disk, "diskseq", number, sizeof(number));
	path = &lun->path[lun->paths++];
	*path = (struct lun_path) { .disk = strtoull(number, NULL, 10) };
	strcpy(path->name, disk);
	return 0;
}

void lun_product(const struct lun *lun, const char *sysfs, char text[LUN_PRODUCT_LEN])
{
	const char *disk = lun->path[0].name;
	char vendor[64], model[64], revision[64], *at;

	text[0] = '\0';
	if (!lun->paths)
		return;
	lun_attribute(sysfs, disk, "device/vendor", vendor, sizeof(vendor));
	lun_attribute(sysfs, disk, "device/model", model, sizeof(model));
	lun_attribute(sysfs, disk, "device/rev", revision, sizeof(revision));
	if (!revision[0])
		lun_attribute(sysfs, disk, "device/firmware_rev", revision, sizeof(revision));
	if (!model[0] || !revision[0] ||
	    snprintf(text, LUN_PRODUCT_LEN, "%s%s%s %s", vendor, vendor[0] ? " " : "", model,
		     revision) >= LUN_PRODUCT_LEN)
		text[0] = '\0';
	for (at = text; *at; at++)
		if (!isprint((unsigned char)*at))
			*at = '?';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dot(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The disks below a device: itself, or those that dm has it made of. */
static int add_paths(struct lun *lun, const char *sysfs, const char *disk, int depth)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int count, i, error = 0;

	if (snprintf(path, sizeof(path), "%s/class/block/%s/slaves", sysfs, disk) >=
	    (int)sizeof(path))
		return lun_fail(lun, -ENXIO, "%s: too long a name", disk);
	count = scandir(path, &entries, no_dot, by_name);
	if (count <= 0) {
		if (!count)
			free(entries);
		return add_path(lun, sysfs, disk);
	}
	if (!depth)
		error = lun_fail(lun, -ENXIO, "%s: too many devices on top of each other", disk);
	for (i = 0; i < count; i++) {
		if (!error)
			error = add_paths(lun, sysfs, entries[i]->d_name, depth - 1);
		free(entries[i]);
	}
	free(entries);
	return error;
}

int lun_identify(struct lun *lun, const char *sysfs)
{
	char uuid[LUN_WWID_LEN];
	int error;

	lun->paths = 0;
	lun->wwid[0] = '\0';
	lun->transport = LUN_OTHER;
	lun_attribute(sysfs, lun->name, "dm/uuid", uuid, sizeof(uuid));
	lun->multipath = !strncmp(uuid, "mpath-", 6);
	error = add_paths(lun, sysfs, lun->name, DEPTH);
	if (!error && lun->paths > 1 && !lun->multipath)
		return lun_fail(lun, -ENXIO,
				"%s is made of %zu disks, and is not multipath: it is no LUN",
				lun->device, lun->paths);
	return error;
}

static bool has_path(const struct lun *lun, const char *name)
{
	size_t i;

	for (i = 0; i < lun->paths; i++)
		if (!strcmp(lun->path[i].name, name))
			return true;
	return false;
}

/* A disk, the same LUN, that no other device is made of. */
static bool is_other(const struct lun *lun, const char *sysfs, const char *disk)
{
	char wwid[LUN_WWID_LEN], path[PATH_MAX];
	struct dirent *entry;
	bool held = false;
	DIR *holders;

	if (transport_of(sysfs, disk) != lun->transport)
		return false;
	wwid_of(sysfs, disk, wwid);
	if (strcmp(wwid, lun->wwid) || has_path(lun, disk) ||
	    snprintf(path, sizeof(path), "%s/class/block/%s/holders", sysfs, disk) >=
		    (int)sizeof(path))
		return false;
	holders = opendir(path);
	while (holders && !held && (entry = readdir(holders)))
		held = no_dot(entry);
	if (holders)
		closedir(holders);
	return !held;
}

int lun_add_others(struct lun *lun, const char *sysfs)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int count, i, error = 0;

	/* Without a WWID nobody knows. */
	if (!lun->wwid[0] || snprintf(path, sizeof(path), "%s/class/block", sysfs) >=
				     (int)sizeof(path))
		return 0;
	count = scandir(path, &entries, no_dot, by_name);
	for (i = 0; i < count; i++) {
		if (!error && is_other(lun, sysfs, entries[i]->d_name))
			error = add_path(lun, sysfs, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return error;
}

bool lun_path_ready(const struct lun_path *path, const char *sysfs)
{
	char state[32];

	/* SCSI: running, blocked, transport-offline, ...; NVMe: live, connecting, ... */
	lun_attribute(sysfs, path->name, "device/state", state, sizeof(state));
	return !state[0] || !strcmp(state, "running") || !strcmp(state, "live");
}

/* The kernel's name of a disk. */
static int name_of(struct lun *lun)
{
	char path[64], target[PATH_MAX];
	const char *name;
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(lun->number),
		 minor(lun->number));
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return lun_fail(lun, -errno, "%s: %s: %s", lun->device, path, strerror(errno));
	target[length] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= sizeof(lun->name))
		return lun_fail(lun, -ENXIO, "%s: \"%s\" is too long a name", lun->device, name);
	strcpy(lun->name, name);
	if (has("/sys", name, "partition"))
		return lun_fail(lun, -ENOTBLK, "%s is a partition: a volume needs a whole LUN",
				lun->device);
	return 0;
}

static int measure(struct lun *lun)
{
	int block;

	if (ioctl(lun->fd, BLKGETSIZE64, &lun->size) || ioctl(lun->fd, BLKSSZGET, &block))
		return lun_fail(lun, -errno, "%s: its size cannot be read: %s", lun->device,
				strerror(errno));
	lun->block = block;
	if (lun->block > LUN_HEADER_SIZE)
		return lun_fail(lun, -ENXIO, "%s has blocks of %u bytes; at most 4096 will do",
				lun->device, lun->block);
	if (lun->size < LUN_DATA_OFFSET)
		return lun_fail(lun, -ENXIO, "%s has only %llu bytes: it is no LUN for a volume",
				lun->device, (unsigned long long)lun->size);
	return 0;
}

static int look_at(struct lun *lun)
{
	struct stat st;
	int error;

	if (fstat(lun->fd, &st))
		return lun_fail(lun, -errno, "%s: %s", lun->device, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return lun_fail(lun, -ENOTBLK, "%s is no block device", lun->device);
	lun->number = st.st_rdev;
	error = name_of(lun);
	if (!error)
		error = measure(lun);
	return error ? error : lun_identify(lun, "/sys");
}

int lun_open(struct lun *lun, const char *device)
{
	int error;

	*lun = (struct lun) { .fd = -1 };
	if (snprintf(lun->device, sizeof(lun->device), "%s", device) >= (int)sizeof(lun->device))
		return lun_fail(lun, -ENAMETOOLONG, "\"%.64s...\" is too long a path", device);
	lun->fd = open(device, O_RDONLY | O_CLOEXEC);
	if (lun->fd < 0) {
		error = errno == ENXIO || errno == ENODEV ? ENOLINK : errno;
		return lun_fail(lun, -error, "%s cannot be opened: %s", device, strerror(errno));
	}
	error = look_at(lun);
	if (error)
		lun_close(lun);
	return error;
}

void lun_close(struct lun *lun)
{
	if (lun->fd >= 0)
		close(lun->fd);
	lun->fd = -1;
}

int lun_path_open(struct lun *lun, size_t path)
{
	return lun_path_open_as(lun, path, O_RDONLY);
}

int lun_path_open_as(struct lun *lun, size_t path, int flags)
{
	char node[48], *at;
	int fd;

	snprintf(node, sizeof(node), "/dev/%s", lun->path[path].name);
	/* As the kernel writes slashes in /sys. */
	for (at = node; *at; at++)
		if (*at == '!')
			*at = '/';
	fd = open(node, flags | O_CLOEXEC);
	if (fd < 0)
		return lun_fail(lun, -errno, "%s: its path %s cannot be opened: %s", lun->device,
				node, strerror(errno));
	return fd;
}
