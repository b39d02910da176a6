/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions that test_ready.c answers itself.
 */
#ifndef COVOL_TEST_READY_WRAP_H
#define COVOL_TEST_READY_WRAP_H

#include <sys/socket.h>

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
long __wrap_syscall(long number, ...);

#endif
