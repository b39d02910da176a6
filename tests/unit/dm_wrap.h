/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of device mapper, for tests that play it.
 */
#ifndef COVOL_TEST_DM_WRAP_H
#define COVOL_TEST_DM_WRAP_H

#include "../../userspace/covold/dm.h"

int __wrap_dm_make(const char *name, uint64_t sectors, const char *target, const char *params);
int __wrap_dm_look(const char *name, dev_t *number, uint64_t *sectors);
int __wrap_dm_remove(const char *name);

#endif
