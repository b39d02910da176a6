/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions that test_register.c answers itself, beside those of
 * lun_wrap.h.
 */
#ifndef COVOL_TEST_REGISTER_WRAP_H
#define COVOL_TEST_REGISTER_WRAP_H

#include "../../userspace/covold/find.h"
#include "../../userspace/covold/kernel.h"
#include "../../userspace/lun/fence.h"

int __wrap_find_lun(struct lun *lun, struct lun_header *header, const uint8_t uuid[16],
		    char *device, char *error);
void __wrap_lun_close(struct lun *lun);
int __wrap_lun_fence(struct lun *lun, const struct lun_fence *fence,
		     struct lun_fence_report *report);
int __wrap_lun_drain(struct lun *lun, const struct lun_fence *fence,
		     struct lun_fence_report *report);
enum own_result __wrap_kernel_route_fail(struct kernel_task *t);
int __wrap_ready_file_system(const char *type);

#endif
