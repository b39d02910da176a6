// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dm.h"

/* Any answer that is asked for here is shorter. */
union message {
	struct dm_ioctl head;
	char bytes[4096];
};

static void begin(union message *message, const char *name, uint32_t flags)
{
	memset(message, 0, sizeof(*message));
	message->head.version[0] = DM_VERSION_MAJOR;
	message->head.data_size = sizeof(*message);
	message->head.data_start = sizeof(message->head);
	message->head.flags = flags;
	snprintf(message->head.name, sizeof(message->head.name), "%s", name);
}

static int call(unsigned long request, union message *message)
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, request, message))
		result = -errno;
	close(fd);
	return result;
}

static int load(const char *name, uint64_t sectors, const char *target, const char *params)
{
	union message message;
	struct dm_target_spec *spec;
	size_t room = sizeof(message) - sizeof(message.head) - sizeof(*spec);

	if (strlen(params) >= room)
		return -E2BIG;
	begin(&message, name, 0);
	spec = (struct dm_target_spec *)(message.bytes + message.head.data_start);
	spec->length = sectors;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", target);
	strcpy((char *)(spec + 1), params);
	message.head.target_count = 1;
	return call(DM_TABLE_LOAD, &message);
}

static int simple(unsigned long request, const char *name, uint32_t flags)
{
	union message message;

	begin(&message, name, flags);
	return call(request, &message);
}

int dm_make(const char *name, uint64_t sectors, const char *target, const char *params)
{
	int result = simple(DM_DEV_CREATE, name, 0);

	if (result)
		return result;
	result = load(name, sectors, target, params);
	if (!result)
		result = simple(DM_DEV_SUSPEND, name, 0); /* resumes: without the flag */
	if (result)
		simple(DM_DEV_REMOVE, name, 0);
	return result;
}

int dm_look(const char *name, dev_t *number, uint64_t *sectors)
{
	const struct dm_target_spec *spec;
	union message message;
	int result;

	begin(&message, name, DM_STATUS_TABLE_FLAG);
	result = call(DM_TABLE_STATUS, &message);
	if (result)
		return result;
	*number = message.head.dev;
	*sectors = 0;
	spec = (struct dm_target_spec *)(message.bytes + message.head.data_start);
	if (message.head.target_count)
		*sectors = spec->length;
	return 0;
}

int dm_remove(const char *name)
{
	return simple(DM_DEV_REMOVE, name, 0);
}

int dm_replace(const char *name, uint64_t sectors, const char *target, const char *params)
{
	int result = load(name, sectors, target, params);

	if (!result)
		result = simple(DM_DEV_SUSPEND, name,
				DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG);
	if (!result)
		result = simple(DM_DEV_SUSPEND, name, 0);
	return result;
}

const char *dm_path(dev_t number, char path[DM_PATH_LEN])
{
	snprintf(path, DM_PATH_LEN, "/dev/dm-%u", minor(number));
	return path;
}
