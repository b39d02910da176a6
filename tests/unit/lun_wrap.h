/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions that the tests of userspace/lun answer themselves.
 */
#ifndef COVOL_TEST_LUN_WRAP_H
#define COVOL_TEST_LUN_WRAP_H

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "../../userspace/lun/contents.h"
#include "../../userspace/lun/reservation.h"

int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_fstat64(int fd, struct stat *st);
ssize_t __wrap_pread64(int fd, void *buffer, size_t length, off_t place);
ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t length, off_t place);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_lun_path_open(struct lun *lun, size_t path);
int __wrap_lun_pr_read(struct lun *lun, struct lun_pr *pr);
int __wrap_lun_pr_capabilities(struct lun *lun, struct lun_pr_capabilities *can);
int __wrap_lun_pr_register(struct lun *lun, uint64_t key);
int __wrap_lun_pr_unregister(struct lun *lun, uint64_t key);
int __wrap_lun_pr_reserve(struct lun *lun, uint64_t key);
int __wrap_lun_pr_preempt(struct lun *lun, uint64_t key, uint64_t victim);
int __wrap_lun_reset(struct lun *lun);
int __wrap_lun_scratch_open(struct lun *lun);
int __wrap_lun_scratch_write(int fd, const uint8_t *bytes);
int __wrap_lun_scratch_read(int fd, uint8_t *bytes);
int __wrap_lun_contents(struct lun *lun, char text[LUN_CONTENTS_LEN]);
int __wrap_lun_header_read(struct lun *lun, struct lun_header *header, struct lun_copies *copies);
int __wrap_lun_identify(struct lun *lun, const char *sysfs);
int __wrap_lun_add_others(struct lun *lun, const char *sysfs);
bool __wrap_lun_path_ready(const struct lun_path *path, const char *sysfs);
int __wrap_lun_pr_probe(struct lun *lun, size_t path, uint64_t key);
int __wrap_lun_pr_extend(struct lun *lun, size_t path, uint64_t key);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);

#endif
