/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COVOL_SHIM_XARRAY_H
#define COVOL_SHIM_XARRAY_H

#include <linux/build_bug.h>
#include <limits.h>

static inline void *xa_mk_value(unsigned long value)
{
	assert(value <= LONG_MAX);
	return (void *)(value << 1 | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

#endif
