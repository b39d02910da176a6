/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions that find disks, and that tests answer themselves.
 */
#ifndef COVOL_TEST_FIND_WRAP_H
#define COVOL_TEST_FIND_WRAP_H

#include <dirent.h>

#include <systemd/sd-device.h>

#include "../../userspace/covold/find.h"

int __wrap_sd_device_new_from_subsystem_sysname(struct sd_device **device, const char *subsystem,
						const char *name);
int __wrap_sd_device_get_property_value(sd_device *device, const char *name, const char **value);
sd_device *__wrap_sd_device_unref(sd_device *device);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
int __wrap_lun_open(struct lun *lun, const char *device);
int __wrap_lun_header_read(struct lun *lun, struct lun_header *header, struct lun_copies *copies);
int __wrap_find_lun(struct lun *lun, struct lun_header *header, const uint8_t *uuid, char *device,
		    char *error);

#endif
