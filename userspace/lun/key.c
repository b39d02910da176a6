// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "key.h"

#define PART	20
#define MASK	((1u << PART) - 1)

uint16_t lun_cluster_id(const char *name)
{
	uint32_t crc = lun_crc32c(name, strlen(name));
	uint16_t id = crc ^ crc >> 16;

	return id ? id : 1;
}

uint64_t lun_key_make(uint16_t cluster, unsigned int node, uint64_t incarnation)
{
	uint64_t view = incarnation >> 32 & MASK, number = incarnation & MASK;

	if (!cluster || !node || node > UINT8_MAX)
		abort(); /* the callers know their nodes and their cluster */
	return (uint64_t)cluster << 48 | (uint64_t)node << 40 | view << PART | number;
}

bool lun_key_parse(uint64_t key, struct lun_key *parts)
{
	struct lun_key found = {
		.cluster = key >> 48,
		.node = key >> 40,
		.incarnation = (key >> PART & MASK) << 32 | (key & MASK),
	};

	if (!found.cluster || !found.node)
		return false;
	*parts = found;
	return true;
}

const char *lun_key_format(uint64_t key, uint16_t cluster, char text[LUN_KEY_TEXT_LEN])
{
	struct lun_key parts;
	int length = snprintf(text, LUN_KEY_TEXT_LEN, "0x%016" PRIx64, key);

	if (!lun_key_parse(key, &parts) || (cluster && parts.cluster != cluster))
		snprintf(text + length, LUN_KEY_TEXT_LEN - length, " (not of this cluster)");
	else
		snprintf(text + length, LUN_KEY_TEXT_LEN - length,
			 " (node %u, incarnation %" PRIu64 ".%" PRIu64 ")", parts.node,
			 parts.incarnation >> 32, parts.incarnation & UINT32_MAX);
	return text;
}
