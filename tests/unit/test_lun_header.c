// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol's header on a LUN: its bytes, and its two copies over a LUN that is played, whose power may
 * fail in the middle of a write.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/lun/bytes.h"
#include "../../userspace/lun/device.h"
#include "../../userspace/lun/header.h"
#include "lun_wrap.h"
#include "test.h"

#define SECTOR	512
#define SIZE	(64ULL << 20)

/* ---- a LUN ---- */

#define FD	1000

static struct {
	uint8_t bytes[LUN_DATA_OFFSET];
	int sectors;		/* that can still be written before the power fails; -1: all */
	bool dead;
	int read_error, write_error;
	bool forgets;		/* what it is given */
	dev_t number;
	int opens, flags;
} disk;

int __wrap_open64(const char *path, int flags, ...)
{
	assert_string_equal(path, "/dev/fake");
	assert_true(flags & O_DIRECT);
	assert_true(flags & O_CLOEXEC);
	disk.opens++;
	disk.flags = flags;
	return FD;
}

int __wrap_close(int fd)
{
	assert_int_equal(fd, FD);
	disk.opens--;
	return 0;
}

int __wrap_fstat64(int fd, struct stat *st)
{
	assert_int_equal(fd, FD);
	*st = (struct stat) { .st_mode = S_IFBLK, .st_rdev = disk.number };
	return 0;
}

/* As O_DIRECT on a LUN with blocks of 4096 bytes. */
static void assert_aligned(const void *buffer, size_t length, off_t place)
{
	assert_int_equal((uintptr_t)buffer % 4096, 0);
	assert_int_equal(length % 4096, 0);
	assert_int_equal(place % 4096, 0);
	assert_true(place + length <= sizeof(disk.bytes));
}

ssize_t __wrap_pread64(int fd, void *buffer, size_t length, off_t place)
{
	assert_int_equal(fd, FD);
	assert_aligned(buffer, length, place);
	if (disk.dead || disk.read_error) {
		errno = disk.dead ? EIO : disk.read_error;
		return -1;
	}
	memcpy(buffer, disk.bytes + place, length);
	return length;
}

ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t length, off_t place)
{
	size_t at;

	assert_int_equal(fd, FD);
	assert_true(disk.flags & O_DSYNC);
	assert_aligned(buffer, length, place);
	if (disk.dead || disk.write_error) {
		errno = disk.dead ? EIO : disk.write_error;
		return -1;
	}
	if (disk.forgets)
		return length;
	for (at = 0; at < length; at += SECTOR) {
		if (!disk.sectors) {
			disk.dead = true;
			errno = EIO;
			return -1;
		}
		if (disk.sectors > 0)
			disk.sectors--;
		memcpy(disk.bytes + place + at, (const uint8_t *)buffer + at, SECTOR);
	}
	return length;
}

static struct lun lun;

static int setup(void **state)
{
	(void)state;
	memset(&disk, 0, sizeof(disk));
	disk.sectors = -1;
	disk.number = 5;
	lun = (struct lun) { .device = "/dev/fake", .fd = -1, .number = 5, .size = SIZE,
			     .wwid = "naa.6001" };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(disk.opens, 0);
	return 0;
}

static struct lun_header sample(void)
{
	struct lun_header header = {
		.uuid = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
		.name = "vol-1", .cluster = "blue", .wwid = "naa.6001", .epoch = 7,
		.coordinator = 3, .fs = LUN_FS_XFS, .data_offset = LUN_DATA_OFFSET,
		.data_size = SIZE - LUN_DATA_OFFSET, .created = 1700000000,
		.array = { LUN_DRAIN_WAIT, 30, true, 1700000001, "ACME disk0 1.2" },
	};

	header.generation = 1;
	header.rest[0] = 0xab;
	header.rest[sizeof(header.rest) - 1] = 0xcd;
	return header;
}

static void assert_same(const struct lun_header *a, const struct lun_header *b)
{
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->compatible, b->compatible);
	assert_int_equal(a->ro_compatible, b->ro_compatible);
	assert_int_equal(a->incompatible, b->incompatible);
	assert_memory_equal(&a->uuid, &b->uuid, sizeof(a->uuid));
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->cluster, b->cluster);
	assert_string_equal(a->wwid, b->wwid);
	assert_int_equal(a->epoch, b->epoch);
	assert_int_equal(a->coordinator, b->coordinator);
	assert_int_equal(a->fs, b->fs);
	assert_int_equal(a->data_offset, b->data_offset);
	assert_int_equal(a->data_size, b->data_size);
	assert_int_equal(a->created, b->created);
	assert_int_equal(a->array.drain, b->array.drain);
	assert_int_equal(a->array.wait, b->array.wait);
	assert_int_equal(a->array.qualified, b->array.qualified);
	assert_int_equal(a->array.qualified_at, b->array.qualified_at);
	assert_string_equal(a->array.product, b->array.product);
	assert_memory_equal(a->rest, b->rest, sizeof(a->rest));
}

/* ---- bytes ---- */

static void test_checksum(void **state)
{
	(void)state;
	/* RFC 3720 B.4: 32 bytes of zeroes; the check value of the Castagnoli polynomial. */
	static const uint8_t zeroes[32];

	assert_int_equal(lun_crc32c(zeroes, sizeof(zeroes)), 0x8a9136aa);
	assert_int_equal(lun_crc32c("123456789", 9), 0xe3069283);
}

/* The layout of Documentation/ondisk.rst, byte for byte. */
static void test_layout(void **state)
{
	static uint8_t bytes[LUN_HEADER_SIZE], again[LUN_HEADER_SIZE];
	struct lun_header header = sample();

	(void)state;
	header.compatible = 0x11;
	header.ro_compatible = 0x22;
	lun_header_encode(&header, 1, bytes);
	assert_memory_equal(bytes, "COVOLHDR", 8);
	assert_int_equal(get_le32(bytes + 8), 1);
	assert_int_equal(get_le64(bytes + 16), 1);
	assert_int_equal(get_le64(bytes + 24), 704 * 1024);
	assert_int_equal(get_le32(bytes + 32), 0x11);
	assert_int_equal(get_le32(bytes + 36), 0x22);
	assert_int_equal(get_le32(bytes + 40), 0);
	assert_int_equal(get_le32(bytes + 44), 1);
	assert_memory_equal(bytes + 48, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20", 16);
	assert_int_equal(get_le64(bytes + 64), 7);
	assert_int_equal(get_le64(bytes + 72), 1 << 20);
	assert_int_equal(get_le64(bytes + 80), 63 << 20);
	assert_int_equal(get_le64(bytes + 88), 1700000000);
	assert_int_equal(get_le32(bytes + 96), 3);
	assert_int_equal(get_le32(bytes + 100), 2);
	assert_int_equal(get_le32(bytes + 104), 30);
	assert_int_equal(get_le32(bytes + 108), 1);
	assert_int_equal(get_le64(bytes + 112), 1700000001);
	assert_string_equal((char *)bytes + 128, "vol-1");
	assert_string_equal((char *)bytes + 192, "blue");
	assert_string_equal((char *)bytes + 256, "naa.6001");
	assert_string_equal((char *)bytes + 512, "ACME disk0 1.2");
	assert_int_equal(bytes[1024], 0xab);
	assert_int_equal(bytes[4095], 0xcd);
	memcpy(again, bytes, sizeof(again));
	memset(again + 12, 0, 4);
	assert_int_equal(get_le32(bytes + 12), lun_crc32c(again, sizeof(again)));
}

static void test_round(void **state)
{
	static uint8_t bytes[LUN_HEADER_SIZE];
	struct lun_header header = sample(), found;
	struct lun_copy copy;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		lun_header_encode(&header, i, bytes);
		copy = lun_header_decode(bytes, i, &found);
		assert_int_equal(copy.state, LUN_COPY_GOOD);
		assert_null(copy.why);
		assert_same(&header, &found);
		/* It is no copy for the other place. */
		copy = lun_header_decode(bytes, !i, &found);
		assert_int_equal(copy.state, LUN_COPY_DAMAGED);
	}
}

static void test_flipped_bits(void **state)
{
	static uint8_t bytes[LUN_HEADER_SIZE];
	struct lun_header header = sample(), found;
	struct lun_copy copy;
	size_t bit;

	(void)state;
	lun_header_encode(&header, 0, bytes);
	/* All of the fields, some of the rest. */
	for (bit = 0; bit < 8 * LUN_HEADER_SIZE; bit += bit < 8 * 128 ? 1 : 61) {
		bytes[bit / 8] ^= 1 << bit % 8;
		copy = lun_header_decode(bytes, 0, &found);
		assert_int_equal(copy.state, bit < 64 ? LUN_COPY_NONE : LUN_COPY_DAMAGED);
		assert_non_null(copy.why);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
}

/* What must not be in a header, although the checksum is right. */
static void test_impossible(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		int length;
		const char *why;
	} cases[] = {
		{ 16, 0, 8, "generation" },
		{ 8, 0, 4, "version is 0" },
		{ 44, 0, 4, "neither xfs nor ext4" },
		{ 44, 3, 4, "neither xfs nor ext4" },
		{ 44, 0xffffffff, 4, "neither xfs nor ext4" },
		{ 72, 0, 8, "1 MiB" },
		{ 72, UINT64_MAX, 8, "1 MiB" },
		{ 80, 0, 8, "size" },
		{ 80, (64 << 20) + 512, 8, "size" },
		{ 80, UINT64_MAX - 4095, 8, "beyond" },
		{ 100, 4, 4, "drain" },
		{ 100, 0, 4, "seconds" },
		{ 104, 0, 4, "seconds" },
		{ 128, 0, 1, "name" },
		{ 128, '.', 1, "name" },
		{ 128, '/', 1, "name" },
		{ 130, ' ', 1, "name" },
		{ 192, 0, 1, "cluster" },
		{ 192, 7, 1, "cluster" },
		{ 256, 0x80, 1, "WWID" },
		{ 520, 7, 1, "product" },
	};
	static uint8_t bytes[LUN_HEADER_SIZE];
	struct lun_header header = sample(), found;
	struct lun_copy copy;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lun_header_encode(&header, 0, bytes);
		memcpy(bytes + cases[i].at, &cases[i].value, cases[i].length);
		memset(bytes + 12, 0, 4);
		put_le32(bytes + 12, lun_crc32c(bytes, sizeof(bytes)));
		copy = lun_header_decode(bytes, 0, &found);
		assert_int_equal(copy.state, LUN_COPY_DAMAGED);
		if (!strstr(copy.why, cases[i].why))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].why, copy.why);
	}
	/* Texts that do not end. */
	for (i = 0; i < 4; i++) {
		static const size_t at[] = { 128, 192, 256, 512 }, room[] = { 32, 64, 256, 128 };

		lun_header_encode(&header, 0, bytes);
		memset(bytes + at[i], 'x', room[i]);
		memset(bytes + 12, 0, 4);
		put_le32(bytes + 12, lun_crc32c(bytes, sizeof(bytes)));
		assert_int_equal(lun_header_decode(bytes, 0, &found).state, LUN_COPY_DAMAGED);
	}
}

/* A result counts for that product and revision, and for nothing else. */
static void test_array_shown(void **state)
{
	struct lun_array array = { LUN_DRAIN_ABORT, 0, true, 1700000001, "ACME disk0 1.2" };

	(void)state;
	assert_true(lun_array_shown(&array, "ACME disk0 1.2"));
	assert_false(lun_array_shown(&array, "ACME disk0 1.3"));
	assert_false(lun_array_shown(&array, "ACME disk0 1.2b"));
	assert_false(lun_array_shown(&array, "ACME disk0"));
	assert_false(lun_array_shown(&array, ""));
	array.qualified = false;
	assert_false(lun_array_shown(&array, "ACME disk0 1.2"));
	/* Nothing is known of either. */
	array = (struct lun_array) { LUN_DRAIN_ABORT, 0, true, 1700000001 };
	assert_false(lun_array_shown(&array, ""));
	assert_false(lun_array_shown(&array, "ACME disk0 1.2"));
}

static void test_names(void **state)
{
	uint32_t wait;

	(void)state;
	assert_true(lun_name_valid("a"));
	assert_true(lun_name_valid("Vol_1.b-c"));
	assert_true(lun_name_valid("1234567890123456789012345678901"));
	assert_false(lun_name_valid("12345678901234567890123456789012"));
	assert_false(lun_name_valid(""));
	assert_false(lun_name_valid("."));
	assert_false(lun_name_valid(".."));
	assert_false(lun_name_valid("-a"));
	assert_false(lun_name_valid("a/b"));
	assert_false(lun_name_valid("\xc3\xa4"));

	assert_int_equal(lun_fs_parse("xfs"), LUN_FS_XFS);
	assert_int_equal(lun_fs_parse("ext4"), LUN_FS_EXT4);
	assert_int_equal(lun_fs_parse("none"), -1);
	assert_int_equal(lun_fs_parse("btrfs"), -1);
	assert_string_equal(lun_fs_name(LUN_FS_EXT4), "ext4");
	assert_string_equal(lun_fs_name(17), "?");
	assert_int_equal(lun_drain_parse("lun-reset", &wait), LUN_DRAIN_RESET);
	assert_int_equal(lun_drain_parse("abort", &wait), LUN_DRAIN_ABORT);
	assert_int_equal(lun_drain_parse("none", &wait), LUN_DRAIN_NONE);
	assert_int_equal(wait, 0);
	assert_int_equal(lun_drain_parse("wait 30", &wait), LUN_DRAIN_WAIT);
	assert_int_equal(wait, 30);
	assert_int_equal(lun_drain_parse("wait", &wait), -1);
	assert_int_equal(lun_drain_parse("wait 0", &wait), -1);
	assert_int_equal(lun_drain_parse("wait -1", &wait), -1);
	assert_int_equal(lun_drain_parse("wait 5s", &wait), -1);
	assert_int_equal(lun_drain_parse("reset", &wait), -1);
	assert_string_equal(lun_drain_name(LUN_DRAIN_WAIT), "wait");
}

/* ---- two copies ---- */

static void assert_error(int error, int expected, const char *says)
{
	assert_int_equal(error, expected);
	if (!strstr(lun.error, says))
		fail_msg("\"%s\" is not in \"%s\"", says, lun.error);
}

/* A LUN with this header. */
static void make(struct lun_header *header)
{
	assert_int_equal(lun_header_replace(&lun, header), 0);
}

static void test_none(void **state)
{
	struct lun_header header, other = sample();
	struct lun_copies copies;

	(void)state;
	assert_error(lun_header_read(&lun, &header, &copies), -ENODATA, "no volume");
	assert_int_equal(copies.copy[0].state, LUN_COPY_NONE);
	assert_int_equal(copies.copy[1].state, LUN_COPY_NONE);
	/* Nothing that is there could be written further. */
	assert_error(lun_header_write(&lun, &other), -ENODATA, "no volume");
	memset(disk.bytes, 0xff, sizeof(disk.bytes));
	assert_error(lun_header_read(&lun, &header, NULL), -ENODATA, "no volume");
}

static void test_make(void **state)
{
	struct lun_header header = sample(), found;
	struct lun_copies copies;

	(void)state;
	header.generation = 0;
	make(&header);
	assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
	assert_same(&header, &found);
	assert_int_equal(found.generation, 2);
	assert_int_equal(copies.copy[0].state, LUN_COPY_GOOD);
	assert_int_equal(copies.copy[1].state, LUN_COPY_GOOD);
	/* Nothing else is touched. */
	assert_int_equal(disk.bytes[0] | disk.bytes[LUN_HEADER_COPY_0 - 1] |
			 disk.bytes[LUN_HEADER_COPY_0 + 4096] |
			 disk.bytes[LUN_HEADER_COPY_1 - 1] |
			 disk.bytes[LUN_HEADER_COPY_1 + 4096], 0);
}

static void test_in_turn(void **state)
{
	struct lun_header header = sample(), found;
	struct lun_copies copies;
	unsigned int last;
	int i;

	(void)state;
	make(&header);
	assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
	for (i = 0; i < 5; i++) {
		last = copies.newest;
		header.epoch++;
		assert_int_equal(lun_header_write(&lun, &header), 0);
		assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
		assert_int_not_equal(copies.newest, last);
		assert_same(&header, &found);
		assert_int_equal(copies.copy[last].generation, found.generation - 1);
	}
}

/* The power fails after each number of sectors: the old header is there, or the new one. */
static void test_torn_write(void **state)
{
	struct lun_header header = sample(), found;
	struct lun_copies copies;
	int sectors, error;
	uint64_t epoch;

	(void)state;
	make(&header);
	for (sectors = 0; sectors <= 8; sectors++) {
		epoch = header.epoch;
		disk.sectors = sectors;
		header.epoch++;
		memset(header.rest, sectors, sizeof(header.rest));
		error = lun_header_write(&lun, &header);
		assert_int_equal(error, sectors < 8 ? -ENOLINK : 0);
		disk.dead = false;
		disk.sectors = -1;
		assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
		assert_int_equal(found.epoch, sectors < 8 ? epoch : epoch + 1);
		if (sectors > 0 && sectors < 8)
			assert_int_equal(copies.copy[!copies.newest].state, LUN_COPY_DAMAGED);
		header = found;
		/* The torn copy is the one that is written next. */
		assert_int_equal(lun_header_write(&lun, &header), 0);
		assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
		assert_same(&header, &found);
	}
}

/* The same when a LUN gets a new identity: never none, never a mixture. */
static void test_torn_replace(void **state)
{
	struct lun_header old = sample(), new, found;
	int sectors;

	(void)state;
	for (sectors = 0; sectors <= 16; sectors++) {
		old = sample();
		make(&old);
		new = sample();
		new.uuid.bytes[0] = 99;
		strcpy(new.name, "other");
		memset(new.rest, 1, sizeof(new.rest));
		disk.sectors = sectors;
		assert_int_equal(lun_header_replace(&lun, &new), sectors < 16 ? -ENOLINK : 0);
		disk.dead = false;
		disk.sectors = -1;
		assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
		assert_string_equal(found.name, sectors < 8 ? "vol-1" : "other");
	}
}

static void test_damaged(void **state)
{
	struct lun_header header = sample(), found;
	struct lun_copies copies;
	unsigned int newest;

	(void)state;
	make(&header);
	assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
	newest = copies.newest;
	disk.bytes[lun_header_place(newest) + 2000] ^= 4;
	assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
	assert_int_equal(copies.newest, !newest);
	assert_int_equal(copies.copy[newest].state, LUN_COPY_DAMAGED);
	assert_int_equal(found.generation, 1);
	memset(disk.bytes + lun_header_place(!newest), 0, 4096);
	assert_error(lun_header_read(&lun, &found, &copies), -EBADMSG,
		     "the checksum is wrong");
	assert_non_null(strstr(lun.error, "there is no header"));
	assert_error(lun_header_write(&lun, &header), -EBADMSG, "lost");
	/* That is for who means it. */
	make(&header);
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
}

/* Put a field into both copies, or only the newest. */
static void patch(size_t at, uint32_t value, bool both)
{
	struct lun_header found;
	struct lun_copies copies;
	unsigned int i;
	uint8_t *bytes;

	assert_int_equal(lun_header_read(&lun, &found, &copies), 0);
	for (i = 0; i < 2; i++) {
		if (!both && i != copies.newest)
			continue;
		bytes = disk.bytes + lun_header_place(i);
		put_le32(bytes + at, value);
		put_le32(bytes + 12, 0);
		put_le32(bytes + 12, lun_crc32c(bytes, LUN_HEADER_SIZE));
	}
}

static void test_newer(void **state)
{
	struct lun_header header = sample(), found;

	(void)state;
	make(&header);
	/* An older copy that could be read is not what the volume is now. */
	patch(8, 2, false);
	assert_error(lun_header_read(&lun, &found, NULL), -EPROTONOSUPPORT, "format 2");
	assert_error(lun_header_write(&lun, &header), -EPROTONOSUPPORT, "format 2");
	/* What replaces it must count for more. */
	make(&header);
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	assert_int_equal(found.generation, 4);
}

static void test_features(void **state)
{
	struct lun_header header = sample(), found;

	(void)state;
	make(&header);
	patch(32, 0x80000000, true);
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	assert_int_equal(found.compatible, 0x80000000);
	assert_int_equal(lun_header_write(&lun, &found), 0);
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	assert_int_equal(found.compatible, 0x80000000);
	patch(36, 2, true);
	assert_error(lun_header_read(&lun, &found, NULL), -EROFS, "0x2");
	assert_string_equal(found.name, "vol-1");
	assert_error(lun_header_write(&lun, &found), -EROFS, "must not write");
	make(&header);
	patch(40, 4, true);
	assert_error(lun_header_read(&lun, &found, NULL), -EPROTONOSUPPORT, "0x4");
	assert_error(lun_header_write(&lun, &header), -EPROTONOSUPPORT, "0x4");
}

static void test_other_lun(void **state)
{
	struct lun_header header = sample(), found;

	(void)state;
	make(&header);
	strcpy(lun.wwid, "naa.6002");
	assert_error(lun_header_read(&lun, &found, NULL), -EXDEV, "naa.6001");
	assert_string_equal(found.wwid, "naa.6001");
	assert_error(lun_header_write(&lun, &header), -EXDEV, "copy");
	/* A LUN that does not say who it is cannot be known to be the one. */
	lun.wwid[0] = '\0';
	assert_error(lun_header_read(&lun, &found, NULL), -EXDEV, "naa.6001");
	/* One that never had a WWID is not asked for it. */
	header.wwid[0] = '\0';
	make(&header);
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	strcpy(lun.wwid, "naa.6002");
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	lun.size = SIZE - 512;
	assert_error(lun_header_read(&lun, &found, NULL), -ERANGE, "smaller");
}

static void test_successor(void **state)
{
	struct lun_header header = sample(), other = sample(), found;

	(void)state;
	make(&header);
	other.epoch = header.epoch - 1;
	assert_error(lun_header_write(&lun, &other), -ESTALE, "epoch 7");
	other = sample();
	other.uuid.bytes[5]++;
	assert_error(lun_header_write(&lun, &other), -EEXIST, "another volume");
	other = sample();
	other.fs = LUN_FS_NONE;
	assert_error(lun_header_write(&lun, &other), -EINVAL, "neither xfs nor ext4");
	other = sample();
	other.data_size += 4096;
	assert_error(lun_header_write(&lun, &other), -ERANGE, "smaller");
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	assert_same(&header, &found);
}

/* I4: nor does a volume's epoch go back when its header is replaced; another volume has its own. */
static void test_replace_epoch(void **state)
{
	struct lun_header header = sample(), other = sample(), found;

	(void)state;
	make(&header);
	other.epoch = header.epoch - 1;
	strcpy(other.name, "other");
	assert_error(lun_header_replace(&lun, &other), -ESTALE, "epoch 7");
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	assert_same(&header, &found);
	/* One good copy is enough to know it by. */
	disk.bytes[LUN_HEADER_COPY_0 + 2000] ^= 4;
	assert_error(lun_header_replace(&lun, &other), -ESTALE, "epoch 7");
	other.uuid.bytes[5]++;
	make(&other);
	assert_int_equal(lun_header_read(&lun, &found, NULL), 0);
	assert_string_equal(found.name, "other");
}

static void test_io_errors(void **state)
{
	static const struct {
		int error, result;
		const char *says;
	} cases[] = {
		{ EBADE, -EBADE, "fenced" },
		{ EIO, -ENOLINK, "" },
		{ ENOLINK, -ENOLINK, "" },
		{ ENODEV, -ENOLINK, "" },
		{ ETIMEDOUT, -ENOLINK, "" },
		{ EREMOTEIO, -EIO, "" },
		{ ENODATA, -EIO, "" },
		{ EILSEQ, -EIO, "" },
	};
	struct lun_header header = sample(), found;
	size_t i;

	(void)state;
	make(&header);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		disk.read_error = cases[i].error;
		assert_error(lun_header_read(&lun, &found, NULL), cases[i].result, "read");
		disk.read_error = 0;
		disk.write_error = cases[i].error;
		assert_error(lun_header_write(&lun, &header), cases[i].result, cases[i].says);
		assert_non_null(strstr(lun.error, "/dev/fake"));
		disk.write_error = 0;
	}
	disk.forgets = true;
	assert_error(lun_header_write(&lun, &header), -EIO, "not what was written");
	disk.forgets = false;
	/* Another device has its name now. */
	disk.number++;
	assert_error(lun_header_read(&lun, &found, NULL), -ENOLINK, "another device");
}

static void test_erase(void **state)
{
	struct lun_header header = sample(), found;

	(void)state;
	make(&header);
	assert_int_equal(lun_header_erase(&lun), 0);
	assert_error(lun_header_read(&lun, &found, NULL), -ENODATA, "no volume");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_array_shown),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_make, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_lun, setup, teardown),
		cmocka_unit_test_setup_teardown(test_successor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace_epoch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_io_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_erase, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
