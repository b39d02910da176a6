/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COVOL_SHIM_CRC32C_H
#define COVOL_SHIM_CRC32C_H

#include <linux/types.h>

u32 crc32c(u32 crc, const void *data, unsigned int length);

#endif
