// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "device.h"
#include "dm.h"

#define SECTOR	512
#define LINKS	"/dev/covol"

__attribute__((format(printf, 3, 4)))
static int wrong(char error[ATTACH_ERROR], int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, ATTACH_ERROR, format, args);
	va_end(args);
	return code;
}

const char *attach_name(const uint8_t uuid[COVOL_UUID_LEN], uint64_t id, char name[ATTACH_NAME])
{
	char volume[DEVICE_NAME_LEN];

	snprintf(name, ATTACH_NAME, "%s-%" PRIu64, device_name(uuid, volume), id);
	return name;
}

bool attach_parse(const char *name, const uint8_t uuid[COVOL_UUID_LEN], uint64_t *id)
{
	char volume[DEVICE_NAME_LEN], *end;
	size_t length = strlen(device_name(uuid, volume));

	if (strncmp(name, volume, length) || name[length] != '-')
		return false;
	errno = 0;
	*id = strtoull(name + length + 1, &end, 10);
	return !errno && name[length + 1] >= '1' && name[length + 1] <= '9' && !*end;
}

const char *attach_path(const char *volume, const char *image, char path[ATTACH_PATH])
{
	snprintf(path, ATTACH_PATH, LINKS "/%s/%s", volume, image);
	return path;
}

int attach_make(const struct covol_volume *volume, uint64_t id, uint64_t size,
		char error[ATTACH_ERROR])
{
	char table[200], text[COVOL_UUID_TEXT_LEN], lun[32] = "-", name[ATTACH_NAME];
	uint64_t offset = 0;
	int result;

	if (volume->lun_major || volume->lun_minor) {
		snprintf(lun, sizeof(lun), "%u:%u", volume->lun_major, volume->lun_minor);
		offset = volume->lun_offset / SECTOR;
	}
	snprintf(table, sizeof(table), "%s image:%" PRIu64 " %s %" PRIu64,
		 covol_uuid_format(&volume->uuid, text), id, lun, offset);
	result = device_make(attach_name(volume->uuid.bytes, id, name), size / SECTOR, "covol",
			     table);
	if (!result)
		return 0;
	return wrong(error, result, "the device cannot be made: %s", strerror(-result));
}

int attach_remove(const uint8_t uuid[COVOL_UUID_LEN], uint64_t id, char error[ATTACH_ERROR])
{
	char name[ATTACH_NAME];
	int result = dm_remove(attach_name(uuid, id, name));

	if (!result || result == -ENXIO)
		return 0;
	return wrong(error, result, "the device cannot be removed: %s",
		     result == -EBUSY ? "it is in use" : strerror(-result));
}

bool attach_exists(const uint8_t uuid[COVOL_UUID_LEN], uint64_t id)
{
	char name[ATTACH_NAME];
	uint64_t sectors;
	dev_t number;

	return !dm_look(attach_name(uuid, id, name), &number, &sectors);
}

/* ---- links ---- */

int attach_link(const char *volume, const char *image, const uint8_t uuid[COVOL_UUID_LEN],
		uint64_t id, char error[ATTACH_ERROR])
{
	char name[ATTACH_NAME], path[ATTACH_PATH], target[DM_PATH_LEN];
	uint64_t sectors;
	dev_t number;
	int result = dm_look(attach_name(uuid, id, name), &number, &sectors);

	if (result)
		return wrong(error, result, "the device is gone");
	mkdir(LINKS, 0755);
	snprintf(path, sizeof(path), LINKS "/%s", volume);
	mkdir(path, 0755);
	attach_path(volume, image, path);
	unlink(path);
	if (symlink(dm_path(number, target), path))
		return wrong(error, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

void attach_unlink(const char *volume, const char *image)
{
	char path[ATTACH_PATH];

	unlink(attach_path(volume, image, path));
	snprintf(path, sizeof(path), LINKS "/%s", volume);
	rmdir(path);	/* if it was the last */
}

/* What device mapper calls the device of a link; false: it is no device of its. */
static bool name_of(const char *path, char name[ATTACH_NAME])
{
	char target[DM_PATH_LEN], file[64];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	FILE *stream;
	bool read;

	if (length < 0)
		return false;
	target[length] = 0;
	if (strncmp(target, "/dev/dm-", 8))
		return false;
	snprintf(file, sizeof(file), "/sys/block/%.20s/dm/name", target + 5);
	stream = fopen(file, "re");
	if (!stream)
		return false;
	read = fgets(name, ATTACH_NAME, stream);
	fclose(stream);
	if (read)
		name[strcspn(name, "\n")] = 0;
	return read;
}

int attach_look(const char *volume, const char *image, const uint8_t uuid[COVOL_UUID_LEN],
		uint64_t *id, char error[ATTACH_ERROR])
{
	char path[ATTACH_PATH], name[ATTACH_NAME];

	if (name_of(attach_path(volume, image, path), name) && attach_parse(name, uuid, id))
		return 0;
	return wrong(error, -ENOENT, "image %s is not attached on this node", image);
}

void attach_sweep(const char *volume)
{
	char path[ATTACH_PATH], name[ATTACH_NAME];
	const struct dirent *found;
	DIR *dir;

	snprintf(path, sizeof(path), LINKS "/%s", volume);
	dir = opendir(path);
	if (!dir)
		return;
	while ((found = readdir(dir))) {
		if (*found->d_name == '.' || strlen(found->d_name) > 32)
			continue;
		if (!name_of(attach_path(volume, found->d_name, path), name))
			unlink(path);
	}
	closedir(dir);
	snprintf(path, sizeof(path), LINKS "/%s", volume);
	rmdir(path);
}
