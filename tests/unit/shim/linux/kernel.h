/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COVOL_SHIM_KERNEL_H
#define COVOL_SHIM_KERNEL_H

#include_next <linux/kernel.h>
#include <limits.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define S64_MAX		INT64_MAX
#define U64_MAX		UINT64_MAX
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#endif
