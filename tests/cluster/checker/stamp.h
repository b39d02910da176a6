/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a sector holds: who wrote it, as the how-manieth operation, and where. A sector that was
 * never written, or was zeroed, is all zeroes.
 */
#ifndef STAMP_H
#define STAMP_H

#include <stddef.h>
#include <stdint.h>

#define SECTOR	512
#define IO_MAX	(256 << 10)

/* What stamp_read() returns beside a sequence, which is from 1 to 0xfffffffe. */
#define STAMP_ZERO	0
#define STAMP_BAD	UINT32_MAX

struct stamp {
	uint32_t seq;
	uint32_t writer;
	uint64_t offset; /* in the image, bytes */
};

void stamp_write(void *sector, const struct stamp *stamp);
uint32_t stamp_read(const void *sector, uint64_t offset);
void stamp_describe(const void *sector, uint64_t offset, char *text, size_t size);

#endif
