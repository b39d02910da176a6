/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of this node's disks is a volume's LUN.
 */
#ifndef COVOLD_FIND_H
#define COVOLD_FIND_H

#include <stdbool.h>

#include "../lun/device.h"
#include "../lun/header.h"

/**
 * find_lun() - Open a volume's LUN and read its header. Waits for disks; for workers.
 * @lun: result; to be closed after 0
 * @header: as it was read last, or all 0; result, left as it is if there is none
 * @uuid: of the volume
 * @device: PATH_MAX bytes: where it was last; tried first, and set to where it is. May be ""
 * @error: why not
 *
 * All disks are looked at when it is not where it was, but for those that find_may_be() excludes.
 * Only such are read as have the WWID that is in the header, if that has been read before: others
 * may be LUNs of other volumes, out of reach, and keep the reader for long; or copies of this one.
 *
 * Return: 0; -ENOLINK: no disk of this node has it, or it cannot be read; or what
 * lun_header_read() says of it.
 */
int find_lun(struct lun *lun, struct lun_header *header, const uint8_t uuid[COVOL_UUID_LEN],
	     char *device, char error[LUN_ERROR_LEN]);

/**
 * find_may_be() - Whether a device may be a LUN, by what sysfs says of it.
 * @block: the directory /sys/block
 * @name: the device's name there
 *
 * Of a LUN with several paths the multipath device is to be used, never one of the paths; nor while
 * there is no such device yet, if udev says that this is to be a path of one. What covol itself has
 * made, and what is made of that, must not be read: its I/O may be held, and wait for the path that
 * is looked for here.
 */
bool find_may_be(const char *block, const char *name);

#endif
