// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "uevent.h"

/* Group of the kernel's own messages; udev's have another. */
#define GROUP	1

int uevent_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = GROUP };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT), error;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* "add@/devices/...", then "NAME=value", each with a zero behind it. */
bool uevent_is_disk(const char *message, size_t length)
{
	static const char *const needed[] = { "ACTION=add", "SUBSYSTEM=block", "DEVTYPE=disk" };
	const char *word = message, *end = message + length;
	unsigned int found = 0, i;
	size_t size;

	for (; word < end; word += size + 1) {
		size = strnlen(word, end - word);
		for (i = 0; i < sizeof(needed) / sizeof(*needed); i++)
			if (size == strlen(needed[i]) && !memcmp(word, needed[i], size))
				found |= 1U << i;
	}
	return found == (1U << sizeof(needed) / sizeof(*needed)) - 1;
}

bool uevent_disk_came(int fd)
{
	struct sockaddr_nl from;
	char message[4096];
	bool came = false;
	socklen_t size;
	ssize_t length;

	for (;;) {
		size = sizeof(from);
		length = recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *)&from,
				  &size);
		if (length < 0 && errno != ENOBUFS)
			return came;
		/* Some were lost; or it is the kernel's, which has no number. */
		came |= length < 0 ||
			(!from.nl_pid && uevent_is_disk(message, length));
	}
}
