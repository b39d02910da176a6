// SPDX-License-Identifier: GPL-2.0-only
#include "bytes.h"

/* A header has 4 KiB: bit by bit is fast enough. */
uint32_t lun_crc32c(const void *data, size_t length)
{
	const uint8_t *byte = data;
	uint32_t crc = ~0u;
	int bit;

	while (length--) {
		crc ^= *byte++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}
