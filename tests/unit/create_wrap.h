/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions that test_create.c answers itself, beside those of
 * lun_wrap.h.
 */
#ifndef COVOL_TEST_CREATE_WRAP_H
#define COVOL_TEST_CREATE_WRAP_H

#include "../../userspace/lun/device.h"

int __wrap_lun_open(struct lun *lun, const char *device);
void __wrap_lun_close(struct lun *lun);
int __wrap_lun_header_replace(struct lun *lun, struct lun_header *header);
int __wrap_lun_header_init(struct lun *lun, const char *name, const char *cluster, enum lun_fs fs,
			   struct lun_header *header);
int __wrap_lun_wipe(struct lun *lun);
int __wrap_lun_mkfs(const char *device, enum lun_fs fs, unsigned int seconds, char *text,
		    size_t len);

#endif
