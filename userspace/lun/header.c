// SPDX-License-Identifier: GPL-2.0-only
/*
 * The header's bytes, in and out. No I/O: header_io.c has that.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "header.h"

static const uint8_t magic[8] = { 'C', 'O', 'V', 'O', 'L', 'H', 'D', 'R' };

/*
 * Offsets of the fields. Up to the generation they are the same in every version, and so is the
 * checksum over the whole copy: an old covol must be able to say that a header is a newer one.
 */
enum {
	AT_MAGIC	= 0,
	AT_VERSION	= 8,	/* u32 */
	AT_CRC		= 12,	/* u32, of the copy with zero here */
	AT_GENERATION	= 16,	/* u64 */
	AT_PLACE	= 24,	/* u64: of this copy */
	AT_COMPATIBLE	= 32,	/* u32 */
	AT_RO_COMPATIBLE = 36,	/* u32 */
	AT_INCOMPATIBLE	= 40,	/* u32 */
	AT_FS		= 44,	/* u32 */
	AT_UUID		= 48,	/* 16 bytes */
	AT_EPOCH	= 64,	/* u64 */
	AT_DATA_OFFSET	= 72,	/* u64 */
	AT_DATA_SIZE	= 80,	/* u64 */
	AT_CREATED	= 88,	/* u64 */
	AT_COORDINATOR	= 96,	/* u32 */
	AT_DRAIN	= 100,	/* u32 */
	AT_WAIT		= 104,	/* u32 */
	AT_QUALIFIED	= 108,	/* u32: 0 or 1 */
	AT_QUALIFIED_AT	= 112,	/* u64 */
	AT_NAME		= 128,	/* text */
	AT_CLUSTER	= 192,	/* text */
	AT_WWID		= 256,	/* text */
	AT_PRODUCT	= 512,	/* text */
	AT_REST		= 1024,
};

_Static_assert(AT_NAME + LUN_NAME_LEN <= AT_CLUSTER, "fields overlap");
_Static_assert(AT_CLUSTER + LUN_CLUSTER_LEN <= AT_WWID, "fields overlap");
_Static_assert(AT_WWID + LUN_WWID_LEN <= AT_PRODUCT, "fields overlap");
_Static_assert(AT_PRODUCT + LUN_PRODUCT_LEN <= AT_REST, "fields overlap");
_Static_assert(LUN_HEADER_COPY_1 + LUN_HEADER_SIZE <= LUN_DATA_OFFSET, "a copy lies in the data");

static const char *const fs_names[LUN_FS_KINDS] = { "none", "xfs", "ext4" };
static const char *const drain_names[LUN_DRAINS] = { "lun-reset", "abort", "wait", "none" };

uint64_t lun_header_place(unsigned int copy)
{
	return copy ? LUN_HEADER_COPY_1 : LUN_HEADER_COPY_0;
}

bool lun_name_valid(const char *name)
{
	size_t i;

	if (name[0] == '.' || name[0] == '-')
		return false;
	for (i = 0; i < LUN_NAME_LEN && name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return i > 0 && i < LUN_NAME_LEN;
}

/* Printable, and ends within its room. */
static bool text_valid(const char *text, size_t room)
{
	size_t i;

	for (i = 0; i < room && text[i]; i++)
		if (!isprint((unsigned char)text[i]))
			return false;
	return i < room;
}

static const char *check_array(const struct lun_array *array)
{
	if (array->drain >= LUN_DRAINS)
		return "the drain method is none that there is";
	if (array->drain == LUN_DRAIN_WAIT ? !array->wait : array->wait)
		return "the drain method \"wait\", and no other, needs a number of seconds";
	if (!text_valid(array->product, sizeof(array->product)))
		return "the array's product is no text";
	return NULL;
}

bool lun_array_shown(const struct lun_array *array, const char *product)
{
	return array->qualified && product[0] && !strcmp(array->product, product);
}

static const char *check_data(const struct lun_header *header)
{
	if (header->data_offset != LUN_DATA_OFFSET)
		return "the data does not begin at 1 MiB";
	if (header->data_size < LUN_DATA_MIN || header->data_size % LUN_HEADER_SIZE)
		return "the data's size is less than 16 MiB or no multiple of 4 KiB";
	if (header->data_size > INT64_MAX - header->data_offset)
		return "the data ends beyond what a device can have";
	return NULL;
}

const char *lun_header_check(const struct lun_header *header)
{
	static const struct covol_uuid none;
	const char *why;

	if (!memcmp(&header->uuid, &none, sizeof(none)))
		return "the uuid is zero";
	if (!lun_name_valid(header->name))
		return "the name is not 1 to 31 letters, digits, dots, dashes and underscores";
	if (!text_valid(header->cluster, sizeof(header->cluster)) || !header->cluster[0])
		return "the cluster's name is empty, too long or not printable";
	if (!text_valid(header->wwid, sizeof(header->wwid)))
		return "the WWID is too long or not printable";
	if (header->fs == LUN_FS_NONE || header->fs >= LUN_FS_KINDS)
		return "the file system is neither xfs nor ext4";
	why = check_data(header);
	return why ? why : check_array(&header->array);
}

static uint32_t checksum(const uint8_t bytes[LUN_HEADER_SIZE])
{
	uint8_t copy[LUN_HEADER_SIZE];

	memcpy(copy, bytes, sizeof(copy));
	put_le32(copy + AT_CRC, 0);
	return lun_crc32c(copy, sizeof(copy));
}

void lun_header_encode(const struct lun_header *header, unsigned int copy,
		       uint8_t bytes[LUN_HEADER_SIZE])
{
	memset(bytes, 0, AT_REST);
	memcpy(bytes + AT_MAGIC, magic, sizeof(magic));
	put_le32(bytes + AT_VERSION, LUN_HEADER_VERSION);
	put_le64(bytes + AT_GENERATION, header->generation);
	put_le64(bytes + AT_PLACE, lun_header_place(copy));
	put_le32(bytes + AT_COMPATIBLE, header->compatible);
	put_le32(bytes + AT_RO_COMPATIBLE, header->ro_compatible);
	put_le32(bytes + AT_INCOMPATIBLE, header->incompatible);
	put_le32(bytes + AT_FS, header->fs);
	memcpy(bytes + AT_UUID, &header->uuid, sizeof(header->uuid));
	put_le64(bytes + AT_EPOCH, header->epoch);
	put_le64(bytes + AT_DATA_OFFSET, header->data_offset);
	put_le64(bytes + AT_DATA_SIZE, header->data_size);
	put_le64(bytes + AT_CREATED, header->created);
	put_le32(bytes + AT_COORDINATOR, header->coordinator);
	put_le32(bytes + AT_DRAIN, header->array.drain);
	put_le32(bytes + AT_WAIT, header->array.wait);
	put_le32(bytes + AT_QUALIFIED, header->array.qualified);
	put_le64(bytes + AT_QUALIFIED_AT, header->array.qualified_at);
	memcpy(bytes + AT_NAME, header->name, strlen(header->name));
	memcpy(bytes + AT_CLUSTER, header->cluster, strlen(header->cluster));
	memcpy(bytes + AT_WWID, header->wwid, strlen(header->wwid));
	memcpy(bytes + AT_PRODUCT, header->array.product, strlen(header->array.product));
	memcpy(bytes + AT_REST, header->rest, sizeof(header->rest));
	put_le32(bytes + AT_CRC, checksum(bytes));
}

static void take_fields(const uint8_t *bytes, struct lun_header *header)
{
	*header = (struct lun_header) {
		.generation = get_le64(bytes + AT_GENERATION),
		.compatible = get_le32(bytes + AT_COMPATIBLE),
		.ro_compatible = get_le32(bytes + AT_RO_COMPATIBLE),
		.incompatible = get_le32(bytes + AT_INCOMPATIBLE),
		.fs = get_le32(bytes + AT_FS),
		.epoch = get_le64(bytes + AT_EPOCH),
		.data_offset = get_le64(bytes + AT_DATA_OFFSET),
		.data_size = get_le64(bytes + AT_DATA_SIZE),
		.created = get_le64(bytes + AT_CREATED),
		.coordinator = get_le32(bytes + AT_COORDINATOR),
		.array.drain = get_le32(bytes + AT_DRAIN),
		.array.wait = get_le32(bytes + AT_WAIT),
		.array.qualified = get_le32(bytes + AT_QUALIFIED) == 1,
		.array.qualified_at = get_le64(bytes + AT_QUALIFIED_AT),
	};
	memcpy(&header->uuid, bytes + AT_UUID, sizeof(header->uuid));
	memcpy(header->name, bytes + AT_NAME, sizeof(header->name));
	memcpy(header->cluster, bytes + AT_CLUSTER, sizeof(header->cluster));
	memcpy(header->wwid, bytes + AT_WWID, sizeof(header->wwid));
	memcpy(header->array.product, bytes + AT_PRODUCT, sizeof(header->array.product));
	memcpy(header->rest, bytes + AT_REST, sizeof(header->rest));
}

static struct lun_copy bad(enum lun_copy_state state, const char *why)
{
	return (struct lun_copy) { .state = state, .why = why };
}

struct lun_copy lun_header_decode(const uint8_t bytes[LUN_HEADER_SIZE], unsigned int copy,
				  struct lun_header *header)
{
	struct lun_copy found = { LUN_COPY_GOOD };
	struct lun_header fields;

	if (memcmp(bytes + AT_MAGIC, magic, sizeof(magic)))
		return bad(LUN_COPY_NONE, "there is no header");
	if (get_le32(bytes + AT_CRC) != checksum(bytes))
		return bad(LUN_COPY_DAMAGED, "the checksum is wrong");
	found.generation = get_le64(bytes + AT_GENERATION);
	found.version = get_le32(bytes + AT_VERSION);
	if (get_le64(bytes + AT_PLACE) != lun_header_place(copy))
		return bad(LUN_COPY_DAMAGED, "it was written for another place on a LUN");
	if (!found.generation)
		return bad(LUN_COPY_DAMAGED, "the generation is 0");
	if (!found.version)
		return bad(LUN_COPY_DAMAGED, "the format version is 0");
	if (found.version > LUN_HEADER_VERSION) {
		found.state = LUN_COPY_NEWER;
		found.why = "it has a newer format";
		return found;
	}
	take_fields(bytes, &fields);
	/* With features that are not known, what the fields may hold is not known either. */
	if (!(fields.incompatible & ~LUN_KNOWN_INCOMPATIBLE))
		found.why = lun_header_check(&fields);
	if (found.why)
		return bad(LUN_COPY_DAMAGED, found.why);
	*header = fields;
	return found;
}

/* No copy is to be used: what is wrong with them. */
static int none_good(const struct lun_copies *copies, char *why, size_t why_len)
{
	const struct lun_copy *copy = copies->copy;

	if (copy[0].state == LUN_COPY_NONE && copy[1].state == LUN_COPY_NONE) {
		snprintf(why, why_len, "there is no volume of covol on it");
		return -ENODATA;
	}
	snprintf(why, why_len,
		 "both copies of covol's header are lost (the first: %s; the second: %s)",
		 copy[0].why, copy[1].why);
	return -EBADMSG;
}

static int check_features(const struct lun_header *header, char *why, size_t why_len)
{
	uint32_t unknown = header->incompatible & ~LUN_KNOWN_INCOMPATIBLE;

	if (unknown) {
		snprintf(why, why_len,
			 "the volume has features that this version of covol does not know (incompatible 0x%x): use the version that made it, or a later one",
			 unknown);
		return -EPROTONOSUPPORT;
	}
	unknown = header->ro_compatible & ~LUN_KNOWN_RO_COMPATIBLE;
	if (unknown) {
		snprintf(why, why_len,
			 "the volume has features with which this version of covol must not write to it (read-only compatible 0x%x): use the version that made it, or a later one",
			 unknown);
		return -EROFS;
	}
	return 0;
}

static bool counts(const struct lun_copy *copy)
{
	return copy->state == LUN_COPY_GOOD || copy->state == LUN_COPY_NEWER;
}

int lun_header_choose(const uint8_t bytes[LUN_HEADER_COPIES][LUN_HEADER_SIZE],
		      struct lun_header *header, struct lun_copies *copies, char *why,
		      size_t why_len)
{
	struct lun_header found[LUN_HEADER_COPIES];
	const struct lun_copy *copy = copies->copy;
	unsigned int i;

	for (i = 0; i < LUN_HEADER_COPIES; i++)
		copies->copy[i] = lun_header_decode(bytes[i], i, &found[i]);
	if (!counts(&copy[0]) && !counts(&copy[1]))
		return none_good(copies, why, why_len);
	copies->newest = !counts(&copy[0]) ||
			 (counts(&copy[1]) && copy[1].generation > copy[0].generation);
	copy += copies->newest;
	if (copy->state == LUN_COPY_NEWER) {
		snprintf(why, why_len,
			 "covol's header has format %u, this version of covol knows %d: use a later one",
			 copy->version, LUN_HEADER_VERSION);
		return -EPROTONOSUPPORT;
	}
	*header = found[copies->newest];
	return check_features(header, why, why_len);
}

const char *lun_fs_name(enum lun_fs fs)
{
	return fs < LUN_FS_KINDS ? fs_names[fs] : "?";
}

int lun_fs_parse(const char *name)
{
	int fs;

	for (fs = LUN_FS_XFS; fs < LUN_FS_KINDS; fs++)
		if (!strcmp(name, fs_names[fs]))
			return fs;
	return -1;
}

const char *lun_drain_name(enum lun_drain drain)
{
	return drain < LUN_DRAINS ? drain_names[drain] : "?";
}

int lun_drain_parse(const char *text, uint32_t *wait)
{
	unsigned long seconds;
	int drain;
	char *end;

	*wait = 0;
	for (drain = 0; drain < LUN_DRAINS; drain++)
		if (!strcmp(text, drain_names[drain]) && drain != LUN_DRAIN_WAIT)
			return drain;
	if (strncmp(text, "wait ", 5) || !isdigit((unsigned char)text[5]))
		return -1;
	seconds = strtoul(text + 5, &end, 10);
	if (*end || !seconds || seconds > 86400)
		return -1;
	*wait = seconds;
	return LUN_DRAIN_WAIT;
}
