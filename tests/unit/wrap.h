/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions that test_answer.c answers itself.
 */
#ifndef COVOL_TEST_WRAP_H
#define COVOL_TEST_WRAP_H

#include <covol/libcovol.h>

int __wrap_covol_layout_read(int fd, uint64_t offset, uint64_t length, covol_extent_fn fn,
			     void *data);
int __wrap_fsync(int fd);

#endif
