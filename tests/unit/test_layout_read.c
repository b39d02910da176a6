// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIEMAP into extents: against a file system that is played, and against a real file.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/lib/layout.h"
#include "test.h"

#define MAX_EXTENTS	4096
#define KIB		1024ULL
#define MIB		(1024 * KIB)

/* ---- a file system that is played ---- */

struct file {
	struct fiemap_extent extent[MAX_EXTENTS];
	uint32_t count;
	unsigned int calls;
	uint32_t at_most;	/* extents a call; 0: as many as asked for */
	int error;
	bool stuck;		/* gives the first extents again and again */
};

static void add(struct file *file, uint64_t offset, uint64_t length, uint64_t place, uint32_t flags)
{
	file->extent[file->count++] = (struct fiemap_extent) {
		.fe_logical = offset, .fe_length = length, .fe_physical = place, .fe_flags = flags,
	};
}

static int play_fiemap(struct fiemap *map, void *data)
{
	struct file *file = data;
	uint64_t end = map->fm_start + map->fm_length;
	uint32_t i;

	file->calls++;
	assert_true(file->calls < 1000);
	assert_int_equal(map->fm_flags, 0);	/* above all not SYNC: see answer.c */
	if (file->error)
		return file->error;
	for (i = 0; i < file->count; i++) {
		const struct fiemap_extent *extent = &file->extent[i];

		if (!file->stuck && extent->fe_logical + extent->fe_length <= map->fm_start)
			continue;
		if (extent->fe_logical >= end || map->fm_mapped_extents == map->fm_extent_count)
			break;
		map->fm_extents[map->fm_mapped_extents++] = *extent;
	}
	return 0;
}

struct found {
	struct covol_extent extent[MAX_EXTENTS];
	size_t count;
	int stop_after;
};

static int keep(const struct covol_extent *extent, void *data)
{
	struct found *found = data;

	assert_true(found->count < MAX_EXTENTS);
	found->extent[found->count++] = *extent;
	return found->stop_after && found->count == (size_t)found->stop_after ? 77 : 0;
}

static struct file file;
static struct found found;

static int setup(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memset(&found, 0, sizeof(found));
	return 0;
}

static int read_file(uint64_t offset, uint64_t length)
{
	return covol_layout_read_with(play_fiemap, &file, offset, length, keep, &found);
}

static void assert_extent(size_t i, uint32_t state, uint64_t offset, uint64_t length,
			  uint64_t place)
{
	assert_true(i < found.count);
	assert_int_equal(found.extent[i].state, state);
	assert_int_equal(found.extent[i].offset, offset);
	assert_int_equal(found.extent[i].length, length);
	assert_int_equal(found.extent[i].place, place);
}

static void test_empty_file(void **state)
{
	(void)state;
	assert_int_equal(read_file(0, MIB), 0);
	assert_int_equal(found.count, 1);
	assert_extent(0, COVOL_EXTENT_STATE_HOLE, 0, MIB, 0);
}

static void test_no_length(void **state)
{
	(void)state;
	assert_int_equal(read_file(MIB, 0), 0);
	assert_int_equal(found.count, 0);
	assert_int_equal(file.calls, 0);
}

static void test_states(void **state)
{
	(void)state;
	add(&file, 64 * KIB, 64 * KIB, 10 * MIB, 0);
	add(&file, 128 * KIB, 64 * KIB, 20 * MIB, FIEMAP_EXTENT_UNWRITTEN);
	add(&file, 192 * KIB, 64 * KIB, 30 * MIB, FIEMAP_EXTENT_SHARED);
	add(&file, 256 * KIB, 64 * KIB, 40 * MIB, FIEMAP_EXTENT_SHARED | FIEMAP_EXTENT_UNWRITTEN);
	add(&file, 384 * KIB, 64 * KIB, 50 * MIB, FIEMAP_EXTENT_MERGED | FIEMAP_EXTENT_LAST);
	assert_int_equal(read_file(0, MIB), 0);

	assert_int_equal(found.count, 8);
	assert_extent(0, COVOL_EXTENT_STATE_HOLE, 0, 64 * KIB, 0);
	assert_extent(1, COVOL_EXTENT_STATE_DATA, 64 * KIB, 64 * KIB, 10 * MIB);
	assert_extent(2, COVOL_EXTENT_STATE_UNWRITTEN, 128 * KIB, 64 * KIB, 0);
	assert_extent(3, COVOL_EXTENT_STATE_SHARED, 192 * KIB, 64 * KIB, 30 * MIB);
	/* A shared unwritten one reads as zeroes and is written by the coordinator. */
	assert_extent(4, COVOL_EXTENT_STATE_UNWRITTEN, 256 * KIB, 64 * KIB, 0);
	assert_extent(5, COVOL_EXTENT_STATE_HOLE, 320 * KIB, 64 * KIB, 0);
	assert_extent(6, COVOL_EXTENT_STATE_DATA, 384 * KIB, 64 * KIB, 50 * MIB);
	assert_extent(7, COVOL_EXTENT_STATE_HOLE, 448 * KIB, MIB - 448 * KIB, 0);
}

/* What the file system cannot vouch for is neither data nor a hole. */
static void test_left_out(void **state)
{
	static const uint32_t flags[] = {
		FIEMAP_EXTENT_UNKNOWN, FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN,
		FIEMAP_EXTENT_ENCODED, FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_ENCODED,
		FIEMAP_EXTENT_NOT_ALIGNED, FIEMAP_EXTENT_DATA_INLINE, FIEMAP_EXTENT_DATA_TAIL,
		FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNWRITTEN,
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		setup(state);
		add(&file, 64 * KIB, 64 * KIB, 10 * MIB, flags[i] | FIEMAP_EXTENT_LAST);
		assert_int_equal(read_file(0, 256 * KIB), 0);
		assert_int_equal(found.count, 2);
		assert_extent(0, COVOL_EXTENT_STATE_HOLE, 0, 64 * KIB, 0);
		assert_extent(1, COVOL_EXTENT_STATE_HOLE, 128 * KIB, 128 * KIB, 0);
	}
}

/* The sectors that an unaligned extent touches are no holes either. */
static void test_unaligned(void **state)
{
	(void)state;
	add(&file, 1000, 600, 10 * MIB, 0);
	add(&file, 4096, 512, 10 * MIB + 1, 0);
	assert_int_equal(read_file(0, 8192), 0);
	assert_int_equal(found.count, 3);
	assert_extent(0, COVOL_EXTENT_STATE_HOLE, 0, 512, 0);
	assert_extent(1, COVOL_EXTENT_STATE_HOLE, 2048, 2048, 0);
	assert_extent(2, COVOL_EXTENT_STATE_HOLE, 4608, 8192 - 4608, 0);
}

/* An extent that sticks out of the range is cut, and its place moves along. */
static void test_cut(void **state)
{
	(void)state;
	add(&file, 0, MIB, 10 * MIB, 0);
	assert_int_equal(read_file(4096, 8192), 0);
	assert_int_equal(found.count, 1);
	assert_extent(0, COVOL_EXTENT_STATE_DATA, 4096, 8192, 10 * MIB + 4096);
}

static void test_merge(void **state)
{
	(void)state;
	add(&file, 0, 4096, 10 * MIB, 0);
	add(&file, 4096, 4096, 10 * MIB + 4096, 0);	/* goes on */
	add(&file, 8192, 4096, 50 * MIB, 0);		/* elsewhere */
	add(&file, 12288, 4096, 50 * MIB + 4096, FIEMAP_EXTENT_SHARED);
	add(&file, 16384, 4096, 1 * MIB, FIEMAP_EXTENT_UNWRITTEN);
	add(&file, 20480, 4096, 2 * MIB, FIEMAP_EXTENT_UNWRITTEN);
	assert_int_equal(read_file(0, 24576), 0);
	assert_int_equal(found.count, 4);
	assert_extent(0, COVOL_EXTENT_STATE_DATA, 0, 8192, 10 * MIB);
	assert_extent(1, COVOL_EXTENT_STATE_DATA, 8192, 4096, 50 * MIB);
	assert_extent(2, COVOL_EXTENT_STATE_SHARED, 12288, 4096, 50 * MIB + 4096);
	assert_extent(3, COVOL_EXTENT_STATE_UNWRITTEN, 16384, 8192, 0);
}

/* More than one call brings; without LAST, as when the range ends before the file. */
static void test_many(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 2000; i++)
		add(&file, i * 8192, 4096, MIB + i * 4096, 0);
	assert_int_equal(read_file(0, 2000 * 8192), 0);
	assert_int_equal(found.count, 4000);
	for (i = 0; i < 2000; i++) {
		assert_extent(2 * i, COVOL_EXTENT_STATE_DATA, i * 8192, 4096, MIB + i * 4096);
		assert_extent(2 * i + 1, COVOL_EXTENT_STATE_HOLE, i * 8192 + 4096, 4096, 0);
	}
	assert_true(file.calls > 1);
}

static void test_stop(void **state)
{
	(void)state;
	add(&file, 0, 4096, MIB, 0);
	add(&file, 8192, 4096, 2 * MIB, 0);
	found.stop_after = 2;
	assert_int_equal(read_file(0, 16384), 77);
	assert_int_equal(found.count, 2);
}

static void test_errors(void **state)
{
	(void)state;
	assert_int_equal(read_file(1, 512), -EINVAL);
	assert_int_equal(read_file(0, 513), -EINVAL);
	assert_int_equal(read_file((uint64_t)INT64_MAX + 1, 512), -EINVAL);
	assert_int_equal(read_file(512, (uint64_t)INT64_MAX + 1), -EINVAL);
	assert_int_equal(read_file(1ULL << 63, 1ULL << 63), -EINVAL);
	assert_int_equal(file.calls, 0);
	file.error = -EOPNOTSUPP;
	assert_int_equal(read_file(0, 512), -EOPNOTSUPP);
	assert_int_equal(found.count, 0);
}

/* Neither an endless loop nor a hole where there may be data. */
static void test_stuck(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		add(&file, i * 4096, 4096, (2000 - i) * 4096, 0);
	file.stuck = true;
	assert_int_equal(read_file(0, 1000 * 4096), -EIO);
}

/* ---- random files, against a plain array of sectors ---- */

#define SECTORS	512

struct sector {
	uint32_t state;
	uint64_t place;
};

static uint32_t random_flags(void)
{
	static const uint32_t flags[] = {
		0, 0, FIEMAP_EXTENT_UNWRITTEN, FIEMAP_EXTENT_SHARED, FIEMAP_EXTENT_DELALLOC,
	};

	return flags[rand() % 5];
}

static uint32_t expected_state(uint32_t flags)
{
	switch (flags) {
	case FIEMAP_EXTENT_UNWRITTEN:
		return COVOL_EXTENT_STATE_UNWRITTEN;
	case FIEMAP_EXTENT_SHARED:
		return COVOL_EXTENT_STATE_SHARED;
	case FIEMAP_EXTENT_DELALLOC:
		return COVOL_EXTENT_STATE_UNKNOWN;
	default:
		return COVOL_EXTENT_STATE_DATA;
	}
}

static void random_file(struct sector *sectors)
{
	uint64_t at = rand() % 8, length, place, i;
	uint32_t flags;

	for (i = 0; i < SECTORS; i++)
		sectors[i] = (struct sector) { COVOL_EXTENT_STATE_HOLE, 0 };
	while (at < SECTORS) {
		length = 1 + rand() % 8;
		if (at + length > SECTORS)
			length = SECTORS - at;
		place = rand() % 100000;
		flags = random_flags();
		add(&file, at * 512, length * 512, place * 512, flags);
		for (i = 0; i < length; i++)
			sectors[at + i] = (struct sector) { expected_state(flags), place + i };
		at += length + rand() % 4;
	}
	if (file.count && rand() % 2)
		file.extent[file.count - 1].fe_flags |= FIEMAP_EXTENT_LAST;
}

static bool has_place(uint32_t state)
{
	return state == COVOL_EXTENT_STATE_DATA || state == COVOL_EXTENT_STATE_SHARED;
}

/* Each sector of the range is told once, in order, as the array has it; unknown ones are not. */
static void check_against(const struct sector *sectors, uint64_t begin, uint64_t end)
{
	uint64_t at = begin, sector;
	size_t i;

	for (i = 0; i < found.count; i++) {
		const struct covol_extent *extent = &found.extent[i];

		assert_true(extent->length > 0);
		for (; at < extent->offset / 512; at++)
			assert_int_equal(sectors[at].state, COVOL_EXTENT_STATE_UNKNOWN);
		for (; at < (extent->offset + extent->length) / 512; at++) {
			assert_true(at < end);
			sector = at - extent->offset / 512;
			assert_int_equal(extent->state, sectors[at].state);
			if (has_place(extent->state))
				assert_int_equal(extent->place / 512 + sector, sectors[at].place);
		}
	}
	for (; at < end; at++)
		assert_int_equal(sectors[at].state, COVOL_EXTENT_STATE_UNKNOWN);
}

static void test_random(void **state)
{
	struct sector sectors[SECTORS];
	uint64_t begin, end;
	int round;

	for (round = 0; round < 3000; round++) {
		srand(round);
		setup(state);
		random_file(sectors);
		begin = rand() % SECTORS;
		end = begin + rand() % (SECTORS - begin + 1);
		assert_int_equal(read_file(begin * 512, (end - begin) * 512), 0);
		check_against(sectors, begin, end);
	}
}

/* ---- a real file ---- */

static void test_real_file(void **state)
{
	char path[] = "/tmp/covol-test-XXXXXX", data[65536];
	int fd = mkstemp(path), result;
	size_t i, data_bytes = 0;
	uint64_t end = 0;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	memset(data, 0x5a, sizeof(data));
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	assert_int_equal(pwrite(fd, data, sizeof(data), MIB), sizeof(data));
	assert_int_equal(fsync(fd), 0);

	result = covol_layout_read(fd, 0, 4 * MIB, keep, &found);
	close(fd);
	if (result == -EOPNOTSUPP || result == -ENOTTY)
		skip(); /* no FIEMAP there: tmpfs */
	assert_int_equal(result, 0);
	for (i = 0; i < found.count; i++) {
		assert_int_equal(found.extent[i].offset, end);
		end = found.extent[i].offset + found.extent[i].length;
		if (found.extent[i].state == COVOL_EXTENT_STATE_DATA) {
			assert_true(found.extent[i].offset >= MIB);
			assert_true(found.extent[i].place > 0);
			data_bytes += found.extent[i].length;
		} else {
			assert_int_equal(found.extent[i].state, COVOL_EXTENT_STATE_HOLE);
		}
	}
	assert_int_equal(end, 4 * MIB);
	assert_int_equal(data_bytes, sizeof(data));
}

static void test_bad_fd(void **state)
{
	(void)state;
	assert_int_equal(covol_layout_read(-1, 0, 512, keep, &found), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty_file, setup),
		cmocka_unit_test_setup(test_no_length, setup),
		cmocka_unit_test_setup(test_states, setup),
		cmocka_unit_test_setup(test_left_out, setup),
		cmocka_unit_test_setup(test_unaligned, setup),
		cmocka_unit_test_setup(test_cut, setup),
		cmocka_unit_test_setup(test_merge, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_stop, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_stuck, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_real_file, setup),
		cmocka_unit_test_setup(test_bad_fd, setup),
	};

	return cmocka_run_group_tests_name("layout_read", tests, NULL, NULL);
}
