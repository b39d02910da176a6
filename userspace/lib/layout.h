/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COVOL_LIB_LAYOUT_H
#define COVOL_LIB_LAYOUT_H

#include <covol/libcovol.h>

struct fiemap;

/* ioctl(FS_IOC_FIEMAP), or a test that plays a file system. Returns 0 or a negative errno. */
typedef int (*covol_fiemap_fn)(struct fiemap *map, void *file);

int covol_layout_read_with(covol_fiemap_fn fiemap, void *file, uint64_t offset, uint64_t length,
			   covol_extent_fn fn, void *data);

#endif
