// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <libmount.h>

#include "device.h"
#include "dm.h"

#define SECTOR	512

__attribute__((format(printf, 3, 4)))
static int wrong(char error[DEVICE_ERROR], int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, DEVICE_ERROR, format, args);
	va_end(args);
	return code;
}

const char *device_name(const uint8_t uuid[COVOL_UUID_LEN], char name[DEVICE_NAME_LEN])
{
	char text[COVOL_UUID_TEXT_LEN];
	struct covol_uuid id;

	memcpy(id.bytes, uuid, sizeof(id.bytes));
	snprintf(name, DEVICE_NAME_LEN, "covol-%s", covol_uuid_format(&id, text));
	return name;
}

int device_make(const char *name, uint64_t sectors, const char *target, const char *params)
{
	int result = dm_make(name, sectors, target, params);
	uint64_t there;
	dev_t number;

	if (result != -EBUSY)
		return result;
	result = dm_look(name, &number, &there);
	if (result || there)
		return result;
	result = dm_remove(name);
	return result ? result : dm_make(name, sectors, target, params);
}

int device_create(const struct covol_volume *volume, char error[DEVICE_ERROR])
{
	char table[200], text[COVOL_UUID_TEXT_LEN], name[DEVICE_NAME_LEN];
	int result;

	snprintf(table, sizeof(table), "%s volume %u:%u %llu",
		 covol_uuid_format(&volume->uuid, text), volume->lun_major, volume->lun_minor,
		 (unsigned long long)(volume->lun_offset / SECTOR));
	result = device_make(device_name(volume->uuid.bytes, name), volume->size / SECTOR, "covol",
			     table);
	if (!result)
		return 0;
	return wrong(error, result, "the device cannot be made: %s", strerror(-result));
}

int device_remove(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR])
{
	char name[DEVICE_NAME_LEN];
	int result = dm_remove(device_name(uuid, name));

	if (!result || result == -ENXIO)
		return 0;
	return wrong(error, result, "the device cannot be removed: %s", strerror(-result));
}

/* What is held goes back to device mapper, and from there to the new table (target.rst). */
int device_break(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR])
{
	char name[DEVICE_NAME_LEN];
	uint64_t sectors;
	dev_t number;
	int result = dm_look(device_name(uuid, name), &number, &sectors);

	if (!result)
		result = dm_replace(name, sectors, "error", "");
	if (!result || result == -ENXIO)
		return 0;
	return wrong(error, result, "the device cannot be made to fail: %s", strerror(-result));
}

/* ---- the file system ---- */

int device_is_mounted(const uint8_t uuid[COVOL_UUID_LEN], const char *directory)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	char name[DEVICE_NAME_LEN];
	struct libmnt_fs *fs = NULL;
	uint64_t sectors;
	dev_t number = 0;
	int result = 0;
	bool made;

	if (!table)
		return -EIO;
	made = !dm_look(device_name(uuid, name), &number, &sectors);
	if (directory)
		fs = mnt_table_find_target(table, directory, MNT_ITER_BACKWARD);
	else if (made)
		fs = mnt_table_find_devno(table, number, MNT_ITER_BACKWARD);
	if (fs)
		result = made && mnt_fs_get_devno(fs) == number ? 1 : -EBUSY;
	mnt_unref_table(table);
	return result;
}

int device_where(const uint8_t uuid[COVOL_UUID_LEN], char directory[PATH_MAX], dev_t *number)
{
	struct libmnt_table *table;
	char name[DEVICE_NAME_LEN];
	struct libmnt_fs *fs;
	uint64_t sectors;
	int result = dm_look(device_name(uuid, name), number, &sectors);

	if (result)
		return result == -ENXIO ? -ENOENT : result;
	table = mnt_new_table_from_file("/proc/self/mountinfo");
	if (!table)
		return -EIO;
	fs = mnt_table_find_devno(table, *number, MNT_ITER_BACKWARD);
	if (fs)
		snprintf(directory, PATH_MAX, "%s", mnt_fs_get_target(fs));
	else
		result = -ENOENT;
	mnt_unref_table(table);
	return result;
}

/*
 * The parent is for root alone: anybody else's working directory in the file system would hinder
 * its unmount, and with it a planned move.
 */
static int make_directory(const char *directory, char error[DEVICE_ERROR])
{
	char parent[PATH_MAX], *end;

	snprintf(parent, sizeof(parent), "%s", directory);
	end = strrchr(parent, '/');
	if (end && end != parent) {
		*end = 0;
		mkdir(parent, 0700);
		if (chmod(parent, 0700))
			return wrong(error, -errno, "%.100s: cannot be made, or kept to root: %s",
				     parent, strerror(errno));
	}
	if (mkdir(directory, 0755) && errno != EEXIST)
		return wrong(error, -errno, "%.100s: cannot be made: %s", directory,
			     strerror(errno));
	return 0;
}

int device_mount(const uint8_t uuid[COVOL_UUID_LEN], const char *type, const char *directory,
		 char error[DEVICE_ERROR])
{
	struct libmnt_context *context;
	char path[DM_PATH_LEN], name[DEVICE_NAME_LEN], why[DEVICE_ERROR / 2];
	int result = device_is_mounted(uuid, directory);
	uint64_t sectors;
	dev_t number;

	if (result > 0)
		return 0;
	if (result < 0)
		return wrong(error, result, "%.100s: something else is mounted there", directory);
	result = make_directory(directory, error);
	if (result)
		return result;
	result = dm_look(device_name(uuid, name), &number, &sectors);
	if (result)
		return wrong(error, result, "the volume has no device: %s", strerror(-result));
	context = mnt_new_context();
	if (!context || mnt_context_set_source(context, dm_path(number, path)) ||
	    mnt_context_set_target(context, directory) || mnt_context_set_fstype(context, type)) {
		mnt_free_context(context);
		return wrong(error, -ENOMEM, "out of memory");
	}
	result = mnt_context_mount(context);
	if (mnt_context_get_excode(context, result, why, sizeof(why)))
		result = wrong(error, -EIO, "%.80s: cannot be mounted: %s", directory, why);
	mnt_free_context(context);
	return result;
}

int device_unmount(const uint8_t uuid[COVOL_UUID_LEN], const char *directory, bool broken,
		   char error[DEVICE_ERROR])
{
	int result = device_is_mounted(uuid, directory);

	if (result <= 0)
		return result == -EBUSY ? 0 : result;
	if (!umount2(directory, 0))
		return 0;
	/* Nothing of it reaches the LUN any more. */
	if (errno == EBUSY && broken && !umount2(directory, MNT_DETACH))
		return 0;
	return wrong(error, -errno, "%.100s: cannot be unmounted: %s", directory, strerror(errno));
}
