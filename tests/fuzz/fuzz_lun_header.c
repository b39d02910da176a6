// SPDX-License-Identifier: GPL-2.0-only
/*
 * Anything as the fields of both copies of a header on a LUN: as it is, and with magic, place and
 * checksum made right, as few inputs get past these. What is taken may stand in a header, is the
 * newest, and is the same when it is written again.
 */
#include <errno.h>
#include <string.h>

#include "../../userspace/lun/bytes.h"
#include "../../userspace/lun/header.h"
#include "fuzz.h"

/* All fields, and some of what is behind them. */
#define FIELDS	1040

static uint8_t copies[LUN_HEADER_COPIES][LUN_HEADER_SIZE];

static void make_right(unsigned int copy, uint8_t how)
{
	uint8_t *bytes = copies[copy];

	if (!(how & 1))
		return;
	memcpy(bytes, "COVOLHDR", 8);
	if (how & 2)
		put_le32(bytes + 8, LUN_HEADER_VERSION);
	if (how & 4)
		put_le64(bytes + 24, lun_header_place(copy));
	if (how & 8)
		put_le64(bytes + 72, LUN_DATA_OFFSET);
	put_le32(bytes + 12, 0);
	put_le32(bytes + 12, lun_crc32c(bytes, LUN_HEADER_SIZE));
}

static void check_good(const struct lun_header *header, unsigned int copy)
{
	static uint8_t again[LUN_HEADER_SIZE], third[LUN_HEADER_SIZE];
	static struct lun_header same;

	if (header->incompatible & ~LUN_KNOWN_INCOMPATIBLE)
		return;
	must(!lun_header_check(header));
	must(strlen(header->name) < LUN_NAME_LEN && lun_name_valid(header->name));
	must(strlen(header->cluster) < LUN_CLUSTER_LEN);
	must(strlen(header->wwid) < LUN_WWID_LEN);
	must(header->data_offset + header->data_size <= INT64_MAX);
	lun_header_encode(header, copy, again);
	must(lun_header_decode(again, copy, &same).state == LUN_COPY_GOOD);
	lun_header_encode(&same, copy, third);
	must(!memcmp(again, third, sizeof(again)));
	must(!memcmp(again + 1024, copies[copy] + 1024, LUN_HEADER_SIZE - 1024));
}

static void check_choice(void)
{
	static struct lun_header header;
	const struct lun_copy *copy;
	struct lun_copies found;
	char why[512] = "";
	int error = lun_header_choose((const uint8_t (*)[LUN_HEADER_SIZE])copies, &header, &found,
				      why, sizeof(why));

	must(error == 0 || error == -ENODATA || error == -EBADMSG ||
	     error == -EPROTONOSUPPORT || error == -EROFS);
	must(!error == !why[0]);
	if (error && error != -EROFS)
		return;
	copy = &found.copy[found.newest];
	must(copy->state == LUN_COPY_GOOD && copy->generation == header.generation);
	copy = &found.copy[!found.newest];
	must(copy->state == LUN_COPY_NONE || copy->state == LUN_COPY_DAMAGED ||
	     copy->generation <= header.generation);
	check_good(&header, found.newest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how = size ? data[0] : 0;
	size_t i, part;

	memset(copies, 0, sizeof(copies));
	if (size) {
		data++;
		size--;
	}
	for (i = 0; i < LUN_HEADER_COPIES; i++) {
		part = size < FIELDS ? size : FIELDS;
		memcpy(copies[i], data, part);
		data += part;
		size -= part;
		make_right(i, how >> 4 * i);
	}
	check_choice();
	return 0;
}
