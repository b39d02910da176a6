// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-device.h>

#include "find.h"

#define SYS_BLOCK	"/sys/block"

/*
 * 1: it is that volume's, and stays open; 0: not; or what is wrong with it, and it is closed.
 * @wwid: of the volume's LUN, if it is known.
 */
static int look(struct lun *lun, struct lun_header *header, const uint8_t uuid[COVOL_UUID_LEN],
		const char *wwid, const char *device)
{
	int result = lun_open(lun, device);

	if (result)
		return 0;
	if (*wwid && strcmp(lun->wwid, wwid)) {
		lun_close(lun);
		return 0;
	}
	result = lun_header_read(lun, header, NULL);
	/* With these the header is set: it is the one, and cannot be used. */
	if (result && result != -EROFS && result != -EXDEV && result != -ERANGE) {
		lun_close(lun);
		return 0;
	}
	if (!memcmp(header->uuid.bytes, uuid, COVOL_UUID_LEN)) {
		if (!result)
			return 1;
		lun_close(lun);
		return result;
	}
	lun_close(lun);
	return 0;
}

/* Whether an attribute begins so. */
static bool begins(const char *block, const char *name, const char *attribute, const char *with)
{
	char path[PATH_MAX], text[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.64s/%s", block, name, attribute);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return !strncmp(text, with, strlen(with));
}

/* One of the devices in a directory of @name's is such. */
static bool any(const char *block, const char *name, const char *directory,
		bool (*is)(const char *block, const char *name))
{
	const struct dirent *entry;
	char path[PATH_MAX];
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%.64s/%s", block, name, directory);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.' && is(block, entry->d_name);
	closedir(dir);
	return found;
}

/* "mpath-..." is what multipathd calls its own. */
static bool is_multipath(const char *block, const char *name)
{
	return begins(block, name, "dm/uuid", "mpath-");
}

/* "covol-..." is a volume or an image, and what has one below it is made of it. */
static bool is_ours(const char *block, const char *name)
{
	return begins(block, name, "dm/name", "covol-") || any(block, name, "slaves", is_ours);
}

/* What udev knows, as all that looks at disks asks it: multipathd need not have made its device. */
static bool is_claimed(const char *name)
{
	const char *value;
	sd_device *device;
	bool claimed;

	if (sd_device_new_from_subsystem_sysname(&device, "block", name) < 0)
		return false;
	claimed = sd_device_get_property_value(device, "DM_MULTIPATH_DEVICE_PATH", &value) >= 0 &&
		  !strcmp(value, "1");
	sd_device_unref(device);
	return claimed;
}

bool find_may_be(const char *block, const char *name)
{
	/* Nobody shares a loop device, and its file may lie anywhere. */
	return name[0] != '.' && strncmp(name, "loop", 4) &&
	       !any(block, name, "holders", is_multipath) && !is_claimed(name) &&
	       !is_ours(block, name);
}

int find_lun(struct lun *lun, struct lun_header *header, const uint8_t uuid[COVOL_UUID_LEN],
	     char *device, char error[LUN_ERROR_LEN])
{
	struct lun_header found;	/* of whatever volume */
	int result = 0, wrong = -ENOLINK;
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *directory;

	snprintf(error, LUN_ERROR_LEN, "no disk of this node is the volume's LUN");
	/* Where it was there may be a path of a multipath device by now. */
	if (*device && find_may_be(SYS_BLOCK, basename(device)))
		result = look(lun, &found, uuid, header->wwid, device);
	directory = result > 0 ? NULL : opendir(SYS_BLOCK);
	while (directory && result <= 0 && (entry = readdir(directory))) {
		if (!find_may_be(SYS_BLOCK, entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		result = look(lun, &found, uuid, header->wwid, path);
		if (result > 0)
			strcpy(device, path);
		/* A copy, say: the volume itself may be beside it. */
		if (result >= 0)
			continue;
		wrong = result;
		snprintf(error, LUN_ERROR_LEN, "%s", lun->error);
	}
	if (directory)
		closedir(directory);
	if (result <= 0)
		return wrong;
	*header = found;
	return 0;
}
