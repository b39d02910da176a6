// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's extent map (kernel/extent.c): examples, and random operations against an array that
 * holds a state for each sector.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "extent.h"
#include "test.h"

#define UNKNOWN		COVOL_EXTENT_STATE_UNKNOWN
#define HOLE		COVOL_EXTENT_STATE_HOLE
#define UNWRITTEN	COVOL_EXTENT_STATE_UNWRITTEN
#define SHARED		COVOL_EXTENT_STATE_SHARED
#define DATA		COVOL_EXTENT_STATE_DATA

static struct covol_map map;

static int setup(void **state)
{
	(void)state;
	shim_store_fails = -1;
	covol_map_init(&map);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	covol_map_exit(&map);
	return shim_rcu_depth;
}

static int set(u64 start, u64 len, u32 extent_state, u64 place)
{
	const struct covol_extent ext = {
		.start = start, .len = len, .state = extent_state, .place = place,
	};

	assert_true(covol_extent_valid(&ext));
	return covol_map_set(&map, &ext);
}

static struct covol_extent look(u64 sector, u64 max_len)
{
	struct covol_extent ext;

	rcu_read_lock();
	covol_map_lookup(&map, sector, max_len, &ext);
	rcu_read_unlock();
	return ext;
}

static void assert_extent(struct covol_extent ext, u64 start, u64 len, u32 extent_state, u64 place)
{
	assert_int_equal(ext.start, start);
	assert_int_equal(ext.len, len);
	assert_int_equal(ext.state, extent_state);
	assert_int_equal(ext.place, place);
}

static void test_empty(void **state)
{
	struct covol_extent ext;

	(void)state;
	assert_extent(look(0, 1), 0, 1, UNKNOWN, 0);
	assert_extent(look(1000, 5000), 1000, 5000, UNKNOWN, 0);
	assert_false(covol_map_next(&map, 0, &ext));
	covol_map_forget(&map, 0, 100);
	covol_map_forget_zeroes(&map, 0, 100);
	assert_int_equal(map.count, 0);
}

/* From within an extent; cut at what the caller wants; at the gap before one; behind the last. */
static void test_lookup(void **state)
{
	(void)state;
	assert_int_equal(set(100, 50, DATA, 1000), 0);
	assert_extent(look(100, 1000), 100, 50, DATA, 1000);
	assert_extent(look(120, 1000), 120, 30, DATA, 1020);
	assert_extent(look(120, 10), 120, 10, DATA, 1020);
	assert_extent(look(149, 1), 149, 1, DATA, 1049);
	assert_extent(look(90, 1000), 90, 10, UNKNOWN, 0);
	assert_extent(look(150, 1000), 150, 1000, UNKNOWN, 0);
}

static void test_states(void **state)
{
	(void)state;
	set(0, 10, HOLE, 0);
	set(10, 10, UNWRITTEN, 0);
	set(20, 10, SHARED, 500);
	set(30, 10, DATA, 510); /* goes on where the shared one ends, but is another state */
	assert_int_equal(map.count, 4);
	assert_extent(look(0, 100), 0, 10, HOLE, 0);
	assert_extent(look(15, 100), 15, 5, UNWRITTEN, 0);
	assert_extent(look(20, 100), 20, 10, SHARED, 500);
	assert_extent(look(35, 100), 35, 5, DATA, 515);
}

static void test_split(void **state)
{
	(void)state;
	set(0, 100, DATA, 1000);
	set(40, 20, HOLE, 0);
	assert_int_equal(map.count, 3);
	assert_extent(look(0, 100), 0, 40, DATA, 1000);
	assert_extent(look(40, 100), 40, 20, HOLE, 0);
	assert_extent(look(60, 100), 60, 40, DATA, 1060);
	/* And whole again. */
	set(40, 20, DATA, 1040);
	assert_int_equal(map.count, 1);
	assert_extent(look(0, 1000), 0, 100, DATA, 1000);
	/* A piece that lies elsewhere does not become part of it. */
	set(40, 20, DATA, 5000);
	assert_int_equal(map.count, 3);
}

static void test_merge(void **state)
{
	(void)state;
	set(10, 10, DATA, 1000);
	set(30, 10, DATA, 1020);
	set(20, 10, DATA, 1010);
	assert_int_equal(map.count, 1);
	assert_extent(look(10, 100), 10, 30, DATA, 1000);
	set(0, 10, DATA, 989); /* one sector off */
	assert_int_equal(map.count, 2);
	set(40, 5, HOLE, 0);
	set(45, 5, HOLE, 0);
	assert_int_equal(map.count, 3);
}

static void test_forget(void **state)
{
	(void)state;
	set(0, 100, DATA, 1000);
	covol_map_forget(&map, 20, 30);
	assert_int_equal(map.count, 2);
	assert_extent(look(20, 1000), 20, 30, UNKNOWN, 0);
	assert_extent(look(50, 1000), 50, 50, DATA, 1050);
	covol_map_forget(&map, 0, 1000);
	assert_int_equal(map.count, 0);
	assert_extent(look(0, 10), 0, 10, UNKNOWN, 0);
}

/* Only what reads as zeroes, and only within the range. */
static void test_forget_zeroes(void **state)
{
	(void)state;
	set(0, 20, HOLE, 0);
	set(20, 20, DATA, 1000);
	set(40, 20, SHARED, 2000);
	set(60, 20, UNWRITTEN, 0);
	covol_map_forget_zeroes(&map, 10, 60);
	assert_extent(look(0, 100), 0, 10, HOLE, 0);
	assert_extent(look(10, 100), 10, 10, UNKNOWN, 0);
	assert_extent(look(20, 100), 20, 20, DATA, 1000);
	assert_extent(look(40, 100), 40, 20, SHARED, 2000);
	assert_extent(look(60, 100), 60, 10, UNKNOWN, 0);
	assert_extent(look(70, 100), 70, 10, UNWRITTEN, 0);
	assert_int_equal(map.count, 4);
}

/*
 * Without memory to split an extent all is forgotten: a map that knows less is right. What is
 * stored after that is as safe for lock-free readers as before (the tree is still in RCU mode).
 */
static void test_no_memory(void **state)
{
	(void)state;
	set(0, 100, DATA, 1000);
	set(200, 100, HOLE, 0);

	shim_store_fails = 0;
	assert_int_equal(set(10, 10, HOLE, 0), -ENOMEM);
	assert_int_equal(map.count, 2);
	assert_extent(look(0, 100), 0, 100, DATA, 1000);

	covol_map_forget(&map, 10, 10);
	assert_int_equal(map.count, 0);
	assert_extent(look(0, 1000), 0, 1000, UNKNOWN, 0);

	shim_store_fails = -1;
	assert_int_equal(set(0, 100, UNWRITTEN, 0), 0);
	assert_int_equal(map.count, 1);
	shim_store_fails = 0;
	covol_map_forget_zeroes(&map, 10, 10);
	assert_int_equal(map.count, 0);
	shim_store_fails = -1;
	assert_int_equal(set(0, 100, DATA, 0), 0);
}

#define MANY	5000

/* Extents that do not continue each other. */
static void set_many(void)
{
	u64 i;

	for (i = 0; i < MANY; i++)
		assert_int_equal(set(i * 8, 8, DATA, (i ^ 1) * 8), 0);
	assert_int_equal(map.count, MANY);
	shim_store_most = 0;
	shim_rescheds = 0;
}

/* What has very many extents is replaced piece by piece, and others get the CPU in between. */
static void test_many(void **state)
{
	(void)state;
	set_many();
	covol_map_forget(&map, 4, MANY * 8 - 8);
	assert_int_equal(map.count, 2);
	assert_extent(look(4, MANY * 8), 4, MANY * 8 - 8, UNKNOWN, 0);
	assert_in_range(shim_store_most, 100, 1100);
	assert_in_range(shim_rescheds, 5, 50);

	set_many();
	assert_int_equal(set(0, MANY * 8, HOLE, 0), 0);
	assert_int_equal(map.count, 1);
	assert_extent(look(0, MANY * 8), 0, MANY * 8, HOLE, 0);
	assert_in_range(shim_store_most, 100, 1100);
	assert_in_range(shim_rescheds, 4, 50);

	/* without memory for the last piece it is unknown, not partly the old and partly the new */
	set_many();
	shim_store_fails = 5;
	assert_int_equal(set(0, MANY * 8, HOLE, 0), -ENOMEM);
	assert_extent(look(0, MANY * 8), 0, MANY * 8, UNKNOWN, 0);
	shim_store_fails = -1;

	set_many();
	covol_map_exit(&map);
	assert_in_range(shim_store_most, 100, 1100);
	covol_map_init(&map);
}

/* The ends of the world: nothing overflows, and places before and after the sector itself fit. */
static void test_limits(void **state)
{
	const u64 end = COVOL_SECTOR_MAX;

	(void)state;
	assert_int_equal(set(end - 10, 10, DATA, 0), 0);
	assert_extent(look(end - 5, 1), end - 5, 1, DATA, 5);
	assert_int_equal(set(0, 10, DATA, end - 10), 0);
	assert_extent(look(9, 1), 9, 1, DATA, end - 1);
	assert_int_equal(set(0, end, HOLE, 0), 0);
	assert_int_equal(map.count, 1);
	assert_extent(look(0, end), 0, end, HOLE, 0);
	covol_map_forget(&map, 0, end);
	assert_int_equal(map.count, 0);
}

static void test_valid(void **state)
{
	const u64 end = COVOL_SECTOR_MAX;
	static const struct {
		struct covol_extent ext;
		bool valid;
	} cases[] = {
		{ { 0, 1, 0, HOLE }, true },
		{ { 0, 1, 0, DATA }, true },
		{ { COVOL_SECTOR_MAX - 1, 1, COVOL_SECTOR_MAX - 1, SHARED }, true },
		{ { 0, COVOL_SECTOR_MAX, 0, DATA }, true },
		{ { 0, 1, 0, UNKNOWN }, false },
		{ { 0, 1, 0, DATA + 1 }, false },
		{ { 0, 1, 0, UINT32_MAX }, false },
		{ { 0, 0, 0, HOLE }, false },
		{ { 0, COVOL_SECTOR_MAX + 1, 0, HOLE }, false },
		{ { 0, UINT64_MAX, 0, HOLE }, false },
		{ { COVOL_SECTOR_MAX, 1, 0, HOLE }, false },
		{ { UINT64_MAX, 2, 0, HOLE }, false },
		{ { 0, 1, 1, HOLE }, false },
		{ { 0, 1, 1, UNWRITTEN }, false },
		{ { 0, 1, COVOL_SECTOR_MAX, DATA }, false },
		{ { 0, 2, UINT64_MAX, DATA }, false },
	};
	size_t i;

	(void)state;
	assert_true(end + end > end);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (covol_extent_valid(&cases[i].ext) != cases[i].valid)
			fail_msg("case %zu", i);
}

/* ---- random operations ---- */

#define SECTORS	200

struct model {
	u32 state[SECTORS];
	u64 place[SECTORS];
};

static bool goes_on(const struct model *model, u64 sector)
{
	return sector && model->state[sector] == model->state[sector - 1] &&
	       (!covol_state_mapped(model->state[sector]) ||
		model->place[sector] == model->place[sector - 1] + 1);
}

static void model_set(struct model *model, u64 start, u64 len, u32 extent_state, u64 place)
{
	u64 i;

	for (i = 0; i < len; i++) {
		model->state[start + i] = extent_state;
		model->place[start + i] = covol_state_mapped(extent_state) ? place + i : 0;
	}
}

static void model_forget_zeroes(struct model *model, u64 start, u64 len)
{
	u64 i;

	for (i = start; i < start + len; i++)
		if (covol_state_zero(model->state[i]))
			model->state[i] = UNKNOWN;
}

static bool has_zeroes(const struct model *model, u64 start, u64 len)
{
	u64 i;

	for (i = start; i < start + len; i++)
		if (covol_state_zero(model->state[i]))
			return true;
	return false;
}

/* Every sector by itself, as a bio would ask. */
static void check_lookups(const struct model *model)
{
	struct covol_extent ext;
	u64 sector, i;

	for (sector = 0; sector < SECTORS; sector++) {
		ext = look(sector, SECTORS - sector);
		assert_int_equal(ext.start, sector);
		assert_true(ext.len >= 1);
		assert_true(ext.len <= SECTORS - sector);
		for (i = 0; i < ext.len; i++) {
			assert_int_equal(ext.state, model->state[sector + i]);
			if (covol_state_mapped(ext.state))
				assert_int_equal(ext.place + i, model->place[sector + i]);
		}
		/* As long as it can be: nothing that goes on is a second extent. */
		if (ext.state != UNKNOWN && sector + ext.len < SECTORS)
			assert_false(goes_on(model, sector + ext.len));
	}
}

/* All extents, as a dump goes through them; and there are as many as the map counts. */
static void check_walk(const struct model *model)
{
	struct covol_extent ext;
	u64 at = 0, count = 0;

	while (covol_map_next(&map, at, &ext)) {
		for (; at < ext.start; at++)
			assert_int_equal(model->state[at], UNKNOWN);
		assert_false(goes_on(model, ext.start));
		at = ext.start + ext.len;
		assert_true(at <= SECTORS);
		count++;
	}
	for (; at < SECTORS; at++)
		assert_int_equal(model->state[at], UNKNOWN);
	assert_int_equal(count, map.count);
}

static void random_operation(struct model *model)
{
	u64 start = rand() % SECTORS, len = 1 + rand() % 20;
	bool fails = rand() % 20 == 0;
	u32 extent_state = HOLE + rand() % 4;
	/* Often one that continues what may be there. */
	u64 place = covol_state_mapped(extent_state) ?
		    start + 1000 * (1 + rand() % 2) : 0;

	if (len > SECTORS - start)
		len = SECTORS - start;
	shim_store_fails = fails ? 0 : -1;
	switch (rand() % 4) {
	case 0:
		covol_map_forget(&map, start, len);
		model_set(model, fails ? 0 : start, fails ? SECTORS : len, UNKNOWN, 0);
		break;
	case 1:
		covol_map_forget_zeroes(&map, start, len);
		if (fails && has_zeroes(model, start, len))
			model_set(model, 0, SECTORS, UNKNOWN, 0);
		else
			model_forget_zeroes(model, start, len);
		break;
	default:
		assert_int_equal(set(start, len, extent_state, place), fails ? -ENOMEM : 0);
		if (!fails)
			model_set(model, start, len, extent_state, place);
	}
	shim_store_fails = -1;
}

static void test_random(void **state)
{
	struct model model;
	int round, i;

	for (round = 0; round < 200; round++) {
		srand(round);
		memset(&model, 0, sizeof(model));
		setup(state);
		for (i = 0; i < 60; i++) {
			random_operation(&model);
			check_lookups(&model);
			check_walk(&model);
		}
		covol_map_exit(&map);
	}
	setup(state);
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_lookup),
		TEST(test_states),
		TEST(test_split),
		TEST(test_merge),
		TEST(test_forget),
		TEST(test_forget_zeroes),
		TEST(test_no_memory),
		TEST(test_many),
		TEST(test_limits),
		TEST(test_valid),
		TEST(test_random),
	};

	return cmocka_run_group_tests_name("extent", tests, NULL, NULL);
}
