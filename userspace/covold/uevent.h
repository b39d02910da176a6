/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks that come, as the kernel says it: earlier than udev, whose rules and those who wait for
 * them come after.
 */
#ifndef COVOLD_UEVENT_H
#define COVOLD_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

/* A descriptor that can be read when something has come; or a negative errno. */
int uevent_open(void);

/* Reads all that is there: whether a disk has come, or may have. */
bool uevent_disk_came(int fd);

/* Pure: whether a message says that. */
bool uevent_is_disk(const char *message, size_t length);

#endif
