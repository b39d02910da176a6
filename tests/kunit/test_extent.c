// SPDX-License-Identifier: GPL-2.0-only
/*
 * The extent map against a model of one byte a sector, at its limits, at a
 * million extents, and with readers that interrupt the writer.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "extent.h"

#define UNKNOWN		COVOL_EXTENT_STATE_UNKNOWN
#define HOLE		COVOL_EXTENT_STATE_HOLE
#define UNWRITTEN	COVOL_EXTENT_STATE_UNWRITTEN
#define SHARED		COVOL_EXTENT_STATE_SHARED
#define DATA		COVOL_EXTENT_STATE_DATA
#define SECTOR_END	COVOL_SECTOR_MAX

static int set(struct covol_map *map, u64 start, u64 len, u32 state, u64 place)
{
	return covol_map_set(map, &(struct covol_extent){
		.start = start, .len = len, .place = place, .state = state,
	});
}

static void look(struct covol_map *map, u64 sector, u64 max_len,
		 struct covol_extent *ext)
{
	rcu_read_lock();
	covol_map_lookup(map, sector, max_len, ext);
	rcu_read_unlock();
}

static void expect_extent(struct kunit *test, const struct covol_extent *ext,
			  u64 start, u64 len, u32 state, u64 place)
{
	KUNIT_EXPECT_EQ(test, ext->start, start);
	KUNIT_EXPECT_EQ_MSG(test, ext->len, len, "at %llu", start);
	KUNIT_EXPECT_EQ_MSG(test, ext->state, state, "at %llu", start);
	KUNIT_EXPECT_EQ_MSG(test, ext->place, place, "at %llu", start);
}

/* ---- the map of a test ------------------------------------------------ */

static int map_init(struct kunit *test)
{
	struct covol_map *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);

	if (!map)
		return -ENOMEM;
	covol_map_init(map);
	test->priv = map;
	return 0;
}

static void map_exit(struct kunit *test)
{
	if (test->priv)
		covol_map_exit(test->priv);
}

/* ---- validity --------------------------------------------------------- */

static const struct valid_case {
	const char		*name;
	struct covol_extent	ext;
	bool			valid;
} valids[] = {
	{ "data", { 0, 8, 100, DATA }, true },
	{ "shared", { 8, 8, 0, SHARED }, true },
	{ "hole", { 0, 1, 0, HOLE }, true },
	{ "unwritten", { 0, 1, 0, UNWRITTEN }, true },
	{ "all", { 0, SECTOR_END, 0, DATA }, true },
	{ "last sector", { SECTOR_END - 1, 1, SECTOR_END - 1, DATA }, true },
	{ "unknown", { 0, 8, 0, UNKNOWN }, false },
	{ "no such state", { 0, 8, 0, DATA + 1 }, false },
	{ "no length", { 0, 0, 0, DATA }, false },
	{ "hole with a place", { 0, 8, 1, HOLE }, false },
	{ "unwritten with a place", { 0, 8, 1, UNWRITTEN }, false },
	{ "too long", { 0, SECTOR_END + 1, 0, HOLE }, false },
	{ "starts past the end", { SECTOR_END, 1, 0, HOLE }, false },
	{ "ends past the end", { SECTOR_END - 7, 8, 0, HOLE }, false },
	{ "place past the end", { 0, 1, SECTOR_END, DATA }, false },
	{ "place ends past the end", { 0, 8, SECTOR_END - 7, DATA }, false },
	{ "length wraps around", { 8, U64_MAX - 4, 0, HOLE }, false },
	{ "start wraps around", { U64_MAX, 8, 0, HOLE }, false },
	{ "place wraps around", { 0, 8, U64_MAX - 4, DATA }, false },
};

static void valid_desc(const struct valid_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(valids, valids, valid_desc);

static void valid(struct kunit *test)
{
	const struct valid_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, covol_extent_valid(&c->ext), c->valid);
}

/* ---- by hand ---------------------------------------------------------- */

static void empty(struct kunit *test)
{
	struct covol_map *map = test->priv;
	struct covol_extent ext;

	look(map, 0, 1, &ext);
	expect_extent(test, &ext, 0, 1, UNKNOWN, 0);
	look(map, 4711, SECTOR_END - 4711, &ext);
	expect_extent(test, &ext, 4711, SECTOR_END - 4711, UNKNOWN, 0);
	KUNIT_EXPECT_FALSE(test, covol_map_next(map, 0, &ext));
	covol_map_forget(map, 0, SECTOR_END);
	covol_map_forget_zeroes(map, 0, SECTOR_END);
	KUNIT_EXPECT_EQ(test, map->count, 0);
}

static void merge(struct kunit *test)
{
	struct covol_map *map = test->priv;
	struct covol_extent ext;

	KUNIT_ASSERT_EQ(test, set(map, 0, 8, DATA, 100), 0);
	KUNIT_ASSERT_EQ(test, set(map, 16, 8, DATA, 116), 0);
	KUNIT_EXPECT_EQ(test, map->count, 2);
	KUNIT_ASSERT_EQ(test, set(map, 8, 8, DATA, 108), 0);
	KUNIT_EXPECT_EQ(test, map->count, 1);
	KUNIT_ASSERT_TRUE(test, covol_map_next(map, 0, &ext));
	expect_extent(test, &ext, 0, 24, DATA, 100);

	/* neighbours that do not continue it: another place, another state */
	KUNIT_ASSERT_EQ(test, set(map, 24, 8, DATA, 125), 0);
	KUNIT_ASSERT_EQ(test, set(map, 32, 8, SHARED, 133), 0);
	KUNIT_EXPECT_EQ(test, map->count, 3);

	/* holes have no place: all that touch are one */
	KUNIT_ASSERT_EQ(test, set(map, 100, 8, HOLE, 0), 0);
	KUNIT_ASSERT_EQ(test, set(map, 116, 8, HOLE, 0), 0);
	KUNIT_ASSERT_EQ(test, set(map, 104, 14, HOLE, 0), 0);
	KUNIT_EXPECT_EQ(test, map->count, 4);
	look(map, 100, 100, &ext);
	expect_extent(test, &ext, 100, 24, HOLE, 0);
	KUNIT_ASSERT_EQ(test, set(map, 124, 8, UNWRITTEN, 0), 0);
	KUNIT_EXPECT_EQ(test, map->count, 5);
}

static void split(struct kunit *test)
{
	struct covol_map *map = test->priv;
	struct covol_extent ext;

	KUNIT_ASSERT_EQ(test, set(map, 1000, 100, DATA, 5000), 0);
	covol_map_forget(map, 1040, 20);
	KUNIT_EXPECT_EQ(test, map->count, 2);
	look(map, 1039, 100, &ext);
	expect_extent(test, &ext, 1039, 1, DATA, 5039);
	look(map, 1040, 100, &ext);
	expect_extent(test, &ext, 1040, 20, UNKNOWN, 0);
	look(map, 1060, 100, &ext);
	expect_extent(test, &ext, 1060, 40, DATA, 5060);

	KUNIT_ASSERT_EQ(test, set(map, 1080, 1, HOLE, 0), 0);
	KUNIT_EXPECT_EQ(test, map->count, 4);
	KUNIT_ASSERT_TRUE(test, covol_map_next(map, 1081, &ext));
	expect_extent(test, &ext, 1081, 19, DATA, 5081);

	/* what was cut in pieces and comes back is whole again */
	KUNIT_ASSERT_EQ(test, set(map, 1040, 41, DATA, 5040), 0);
	KUNIT_EXPECT_EQ(test, map->count, 1);
}

/* I5: only what reads as zeroes goes, and only in the range. */
static void forget_zeroes(struct kunit *test)
{
	struct covol_map *map = test->priv;
	struct covol_extent ext;

	KUNIT_ASSERT_EQ(test, set(map, 0, 10, HOLE, 0), 0);
	KUNIT_ASSERT_EQ(test, set(map, 10, 10, DATA, 110), 0);
	KUNIT_ASSERT_EQ(test, set(map, 20, 10, UNWRITTEN, 0), 0);
	KUNIT_ASSERT_EQ(test, set(map, 30, 10, SHARED, 130), 0);
	KUNIT_ASSERT_EQ(test, set(map, 40, 10, HOLE, 0), 0);
	covol_map_forget_zeroes(map, 5, 40);

	look(map, 0, 100, &ext);
	expect_extent(test, &ext, 0, 5, HOLE, 0);
	look(map, 5, 100, &ext);
	expect_extent(test, &ext, 5, 5, UNKNOWN, 0);
	look(map, 10, 100, &ext);
	expect_extent(test, &ext, 10, 10, DATA, 110);
	look(map, 20, 100, &ext);
	expect_extent(test, &ext, 20, 10, UNKNOWN, 0);
	look(map, 30, 100, &ext);
	expect_extent(test, &ext, 30, 10, SHARED, 130);
	look(map, 40, 100, &ext);
	expect_extent(test, &ext, 40, 5, UNKNOWN, 0);
	look(map, 45, 100, &ext);
	expect_extent(test, &ext, 45, 5, HOLE, 0);
	KUNIT_EXPECT_EQ(test, map->count, 4);
}

static void limits(struct kunit *test)
{
	struct covol_map *map = test->priv;
	struct covol_extent ext;

	/* the largest and the smallest distance between sector and place */
	KUNIT_ASSERT_EQ(test, set(map, 0, 1, DATA, SECTOR_END - 1), 0);
	KUNIT_ASSERT_EQ(test, set(map, SECTOR_END - 1, 1, SHARED, 0), 0);
	look(map, 0, SECTOR_END, &ext);
	expect_extent(test, &ext, 0, 1, DATA, SECTOR_END - 1);
	look(map, 1, SECTOR_END - 1, &ext);
	expect_extent(test, &ext, 1, SECTOR_END - 2, UNKNOWN, 0);
	look(map, SECTOR_END - 1, 1, &ext);
	expect_extent(test, &ext, SECTOR_END - 1, 1, SHARED, 0);
	KUNIT_ASSERT_TRUE(test, covol_map_next(map, 1, &ext));
	expect_extent(test, &ext, SECTOR_END - 1, 1, SHARED, 0);

	KUNIT_ASSERT_EQ(test, set(map, 0, SECTOR_END, DATA, 0), 0);
	KUNIT_EXPECT_EQ(test, map->count, 1);
	look(map, SECTOR_END / 2, SECTOR_END / 2, &ext);
	expect_extent(test, &ext, SECTOR_END / 2, SECTOR_END / 2, DATA, SECTOR_END / 2);
	covol_map_forget(map, 0, SECTOR_END);
	KUNIT_EXPECT_EQ(test, map->count, 0);

	/* one sector alone at 0, which a maple tree keeps without a node */
	KUNIT_ASSERT_EQ(test, set(map, 0, 1, HOLE, 0), 0);
	KUNIT_EXPECT_EQ(test, map->count, 1);
	look(map, 0, 8, &ext);
	expect_extent(test, &ext, 0, 1, HOLE, 0);
	look(map, 1, 8, &ext);
	expect_extent(test, &ext, 1, 8, UNKNOWN, 0);
	KUNIT_EXPECT_FALSE(test, covol_map_next(map, 1, &ext));
	covol_map_forget_zeroes(map, 0, 8);
	KUNIT_EXPECT_EQ(test, map->count, 0);
}

/* ---- against a model -------------------------------------------------- */

#define SECTORS	256

/* What each sector of [base, base + SECTORS) is. */
struct model {
	u64	base;
	u8	state[SECTORS];
	u64	place[SECTORS];
};

static bool continues(const struct model *model, unsigned int i)
{
	if (model->state[i] != model->state[i - 1])
		return false;
	return !covol_state_mapped(model->state[i]) ||
	       model->place[i] == model->place[i - 1] + 1;
}

static unsigned int run_length(const struct model *model, unsigned int i)
{
	unsigned int end = i + 1;

	while (end < SECTORS && continues(model, end))
		end++;
	return end - i;
}

static void model_set(struct model *model, unsigned int at, unsigned int len,
		      const struct covol_extent *ext)
{
	unsigned int i;

	for (i = 0; i < len; i++) {
		model->state[at + i] = ext->state;
		model->place[at + i] = covol_state_mapped(ext->state) ?
				       ext->place + i : 0;
	}
}

static void model_forget_zeroes(struct model *model, unsigned int at,
				unsigned int len)
{
	for (; len; at++, len--)
		if (covol_state_zero(model->state[at]))
			model->state[at] = UNKNOWN;
}

/* The whole extents, one after the other, and their number. */
static void check_all(struct kunit *test, struct covol_map *map,
		      const struct model *model, const char *when)
{
	u64 count = 0, at = model->base;
	struct covol_extent ext;
	unsigned int i, len;

	for (i = 0; i < SECTORS; i += len) {
		len = run_length(model, i);
		if (model->state[i] == UNKNOWN)
			continue;
		KUNIT_ASSERT_TRUE_MSG(test, covol_map_next(map, at, &ext),
				      "%s: none after %llu", when, at);
		KUNIT_ASSERT_EQ_MSG(test, ext.start, model->base + i, "%s",
				    when);
		KUNIT_ASSERT_EQ_MSG(test, ext.len, len, "%s", when);
		KUNIT_ASSERT_EQ_MSG(test, ext.state, model->state[i], "%s",
				    when);
		KUNIT_ASSERT_EQ_MSG(test, ext.place, model->place[i], "%s",
				    when);
		at = ext.start + ext.len;
		count++;
	}
	KUNIT_ASSERT_FALSE_MSG(test, covol_map_next(map, at, &ext), "%s",
			       when);
	KUNIT_ASSERT_EQ_MSG(test, map->count, count, "%s", when);
}

static void check_lookup(struct kunit *test, struct covol_map *map,
			 const struct model *model, unsigned int at,
			 u64 max_len, const char *when)
{
	u64 len = run_length(model, at);
	struct covol_extent ext;

	/* what lies behind the model is unknown too */
	if (model->state[at] == UNKNOWN && at + len == SECTORS)
		len = max_len;
	look(map, model->base + at, max_len, &ext);
	KUNIT_ASSERT_EQ_MSG(test, ext.start, model->base + at, "%s", when);
	KUNIT_ASSERT_EQ_MSG(test, ext.len, min(len, max_len), "%s", when);
	KUNIT_ASSERT_EQ_MSG(test, ext.state, model->state[at], "%s", when);
	KUNIT_ASSERT_EQ_MSG(test, ext.place, model->place[at], "%s", when);
}

static u32 below(struct rnd_state *rnd, u32 bound)
{
	return prandom_u32_state(rnd) % bound;
}

static const struct random_case {
	const char	*name;
	u32		seed;
	u64		base;
} randoms[] = {
	{ "seed 1 at 0", 1, 0 },
	{ "seed 2 at 0", 2, 0 },
	{ "seed 3 at 2^40", 3, 1ull << 40 },
	{ "seed 4 at the end", 4, SECTOR_END - SECTORS },
	{ "seed 5 at the end", 5, SECTOR_END - SECTORS },
};

static void random_desc(const struct random_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(randoms, randoms, random_desc);

/* A random change of both; mostly short ranges, few places: much to merge. */
static void change_both(struct kunit *test, struct rnd_state *rnd,
			struct covol_map *map, struct model *model)
{
	static const u64 places[] = { 0, 5000, SECTOR_END - SECTORS };
	unsigned int at = below(rnd, SECTORS);
	unsigned int len = 1 + below(rnd, below(rnd, 4) ? 16 : SECTORS);
	struct covol_extent ext = { .start = model->base + at };

	len = min(len, SECTORS - at);
	ext.len = len;
	switch (below(rnd, 8)) {
	case 0:
		covol_map_forget(map, ext.start, len);
		model_set(model, at, len, &ext);
		return;
	case 1:
		covol_map_forget_zeroes(map, ext.start, len);
		model_forget_zeroes(model, at, len);
		return;
	default:
		ext.state = HOLE + below(rnd, 4);
		if (covol_state_mapped(ext.state))
			ext.place = places[below(rnd, ARRAY_SIZE(places))] + at;
		KUNIT_ASSERT_EQ(test, covol_map_set(map, &ext), 0);
		model_set(model, at, len, &ext);
	}
}

static void random_changes(struct kunit *test)
{
	const struct random_case *c = test->param_value;
	const unsigned int rounds = 6000;
	struct covol_map *map = test->priv;
	struct rnd_state rnd;
	struct model *model;
	unsigned int i;
	char when[48];

	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	model->base = c->base;
	prandom_seed_state(&rnd, c->seed);
	kunit_info(test, "seed %u, %u changes\n", c->seed, rounds);
	for (i = 0; i < rounds; i++) {
		snprintf(when, sizeof(when), "seed %u change %u", c->seed, i);
		change_both(test, &rnd, map, model);
		check_all(test, map, model, when);
		check_lookup(test, map, model, below(&rnd, SECTORS),
			     1 + below(&rnd, 2 * SECTORS), when);
	}
}

/* ---- a million -------------------------------------------------------- */

#define NODE_SIZE	256	/* a maple tree's, on every 64-bit kernel */
#define EXTENT_SECTORS	8

static const struct many_case {
	const char	*name;
	u32		nr;		/* a power of two */
	u32		stride;		/* odd: the order in which they come */
} manys[] = {
	{ "2^20 in order", 1 << 20, 1 },
	{ "2^17 in no order", 1 << 17, 0x9e3779b1 },
};

static void many_desc(const struct many_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(manys, manys, many_desc);

/* Where extent @i lies: never where its neighbour would be continued. */
static u64 many_place(u64 i)
{
	return (i ^ 1) * EXTENT_SECTORS;
}

/* KASAN lets go of freed nodes only when somebody allocates who may sleep; the
 * tree itself first tries without.
 */
static void breathe(void)
{
	kfree(kmalloc(8, GFP_KERNEL));
	cond_resched();
}

static void many_set(struct kunit *test, const struct many_case *c)
{
	struct covol_map *map = test->priv;
	u32 i, n;

	for (n = 0; n < c->nr; n++) {
		i = n * c->stride % c->nr;
		KUNIT_ASSERT_EQ(test, set(map, (u64)i * EXTENT_SECTORS,
					  EXTENT_SECTORS, DATA, many_place(i)),
				0);
		if (n % 256 == 0)
			breathe();
	}
	KUNIT_ASSERT_EQ(test, map->count, c->nr);
}

/* Go through them all; returns the number of the tree's leaves. */
static u64 many_leaves(struct kunit *test, struct covol_map *map, u64 nr)
{
	MA_STATE(mas, &map->tree, 0, 0);
	void *entry, *leaf = NULL;
	u64 leaves = 0, seen = 0;

	/* nobody writes: the nodes stay where they are */
	rcu_read_lock();
	mas_for_each(&mas, entry, ULONG_MAX) {
		leaves += (void *)mas.node != leaf;
		leaf = mas.node;
		seen++;
	}
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, seen, nr);
	return leaves;
}

static void many(struct kunit *test)
{
	const struct many_case *c = test->param_value;
	struct covol_map *map = test->priv;
	struct covol_extent ext;
	struct rnd_state rnd;
	ktime_t begin = ktime_get(), set_done, end;
	u64 leaves, bytes;
	u32 n, i;

	many_set(test, c);
	set_done = ktime_get();
	prandom_seed_state(&rnd, 6);
	for (n = 0; n < 10000; n++) {
		i = below(&rnd, c->nr);
		look(map, (u64)i * EXTENT_SECTORS + 3, 100, &ext);
		KUNIT_ASSERT_EQ(test, ext.len, EXTENT_SECTORS - 3);
		KUNIT_ASSERT_EQ(test, ext.place, many_place(i) + 3);
	}
	end = ktime_get();
	leaves = many_leaves(test, map, c->nr);
	/* a node above them has at least 8 children: a seventh more at most */
	bytes = leaves * NODE_SIZE * 8 / 7 * 10 / c->nr;
	kunit_info(test, "%u extents: %llu leaves, at most %llu.%llu bytes an extent; %lld ns a set, %lld ns a lookup (debug kernel)\n",
		   c->nr, leaves, bytes / 10, bytes % 10,
		   ktime_to_ns(ktime_sub(set_done, begin)) / c->nr,
		   ktime_to_ns(ktime_sub(end, set_done)) / 10000);
	KUNIT_EXPECT_LE(test, bytes, 640);
	covol_map_forget(map, 0, SECTOR_END);
	KUNIT_EXPECT_EQ(test, map->count, 0);
}

/* ---- readers beside a writer ------------------------------------------ */

/*
 * Sectors [0, SPAN) change all the time but for [KEPT, KEPT + KEPT_LEN): they
 * are what they are although the extent around them grows and shrinks. Data
 * lies an even number of STEPs on, shared an odd one.
 */
#define SPAN		4096u
#define STEP		0x100000ull
#define KEPT		2000u
#define KEPT_LEN	8u
#define KEPT_SHIFT	(4 * STEP)
#define WATCH_TIME	(2 * HZ)
#define WATCH_TICK_LOOKS 500

struct watch {
	struct covol_map	map;
	struct timer_list	timer;
	struct task_struct	*task;
	struct rnd_state	timer_rnd;
	struct rnd_state	task_rnd;
	bool			writing;
	atomic_t		looks;
	atomic_t		interrupted;	/* looks in midst of a change */
	atomic_t		wrong;
	struct covol_extent	bad;		/* the first of them */
	u64			bad_sector;
};

static bool right(const struct covol_extent *ext, u64 sector, u64 max_len)
{
	u64 end = ext->start + ext->len, shift = ext->place - ext->start;
	bool kept = sector < KEPT + KEPT_LEN && end > KEPT;

	if (ext->start != sector || !ext->len || ext->len > max_len)
		return false;
	if (kept)
		return ext->state == DATA && shift == KEPT_SHIFT;
	if (!covol_state_mapped(ext->state))
		return ext->state <= UNWRITTEN && !ext->place;
	return end <= SPAN && shift < 8 * STEP && shift % STEP == 0 &&
	       (shift / STEP % 2 == 0) == (ext->state == DATA);
}

static void watch_look(struct watch *watch, struct rnd_state *rnd)
{
	u64 sector = below(rnd, 4) ? below(rnd, SPAN) :
		     KEPT - 4 + below(rnd, KEPT_LEN + 8);
	u64 max_len = 1 + below(rnd, SPAN);
	struct covol_extent ext;

	look(&watch->map, sector, max_len, &ext);
	atomic_inc(&watch->looks);
	if (right(&ext, sector, max_len) || atomic_inc_return(&watch->wrong) > 1)
		return;
	watch->bad = ext;
	watch->bad_sector = sector;
}

/*
 * A softirq interrupts the writer anywhere, also where kernels do not preempt.
 * Not within the maple tree itself: until 6.4 a reader tries again until the
 * writer that it has interrupted goes on. Nor has the map such readers.
 */
static void watch_tick(struct timer_list *timer)
{
	struct watch *watch = container_of(timer, struct watch, timer);
	unsigned int i;

	/* out of step with how the writer and the reader take turns */
	mod_timer(timer, jiffies + 1 + below(&watch->timer_rnd, 3));
	if (raw_spin_is_locked(spinlock_check(&watch->map.tree.ma_lock)))
		return;
	for (i = 0; i < WATCH_TICK_LOOKS; i++)
		watch_look(watch, &watch->timer_rnd);
	if (READ_ONCE(watch->writing))
		atomic_add(i, &watch->interrupted);
}

static int watch_task(void *data)
{
	struct watch *watch = data;

	while (!kthread_should_stop()) {
		watch_look(watch, &watch->task_rnd);
		cond_resched();
	}
	return 0;
}

static int watch_init(struct kunit *test)
{
	struct watch *watch = kunit_kzalloc(test, sizeof(*watch), GFP_KERNEL);

	if (!watch)
		return -ENOMEM;
	covol_map_init(&watch->map);
	timer_setup(&watch->timer, watch_tick, 0);
	prandom_seed_state(&watch->timer_rnd, 7);
	prandom_seed_state(&watch->task_rnd, 8);
	test->priv = watch;
	return 0;
}

static void watch_stop(struct watch *watch)
{
	if (watch->task)
		kthread_stop(watch->task);
	watch->task = NULL;
	del_timer_sync(&watch->timer);
}

static void watch_exit(struct kunit *test)
{
	struct watch *watch = test->priv;

	if (!watch)
		return;
	watch_stop(watch);
	covol_map_exit(&watch->map);
}

/* A range of what changes: before the kept sectors or after them. */
static void pick_range(struct rnd_state *rnd, u64 *start, u64 *len)
{
	bool before = below(rnd, 2);
	u64 from = before ? 0 : KEPT + KEPT_LEN, to = before ? KEPT : SPAN;

	*start = from + below(rnd, to - from);
	*len = min_t(u64, 1 + below(rnd, below(rnd, 8) ? 32 : SPAN),
		     to - *start);
}

static int write_once(struct covol_map *map, struct rnd_state *rnd)
{
	u64 start, len, shift = below(rnd, 8);
	u32 state;

	pick_range(rnd, &start, &len);
	switch (below(rnd, 6)) {
	case 0:
		covol_map_forget(map, start, len);
		return 0;
	case 1:
		covol_map_forget_zeroes(map, start, len);
		return 0;
	case 2:
		return set(map, start, len, HOLE + below(rnd, 2), 0);
	case 3:		/* the extent around what is kept grows ... */
		start = KEPT - below(rnd, 64);
		len = KEPT - start + KEPT_LEN + below(rnd, 64);
		return set(map, start, len, DATA, start + KEPT_SHIFT);
	case 4:		/* ... and shrinks */
		covol_map_forget(map, KEPT - 64, 64);
		covol_map_forget(map, KEPT + KEPT_LEN, 64);
		return 0;
	default:
		state = shift % 2 ? SHARED : DATA;
		return set(map, start, len, state, start + shift * STEP);
	}
}

static void readers(struct kunit *test)
{
	struct watch *watch = test->priv;
	unsigned long end = jiffies + WATCH_TIME;
	struct rnd_state rnd;
	u32 changes = 0;
	int err;

	prandom_seed_state(&rnd, 9);
	KUNIT_ASSERT_EQ(test, set(&watch->map, KEPT, KEPT_LEN, DATA,
				  KEPT + KEPT_SHIFT), 0);
	watch->task = kthread_run(watch_task, watch, "covol_watch");
	if (IS_ERR(watch->task))
		watch->task = NULL;
	KUNIT_ASSERT_NOT_NULL(test, watch->task);
	mod_timer(&watch->timer, jiffies + 1);
	while (time_before(jiffies, end)) {
		WRITE_ONCE(watch->writing, true);
		err = write_once(&watch->map, &rnd);
		WRITE_ONCE(watch->writing, false);
		KUNIT_ASSERT_EQ(test, err, 0);
		if (++changes % 16 == 0)
			cond_resched();
	}
	watch_stop(watch);
	kunit_info(test, "seeds 7 8 9: %u changes, %d lookups, %d of them in midst of a change\n",
		   changes, atomic_read(&watch->looks),
		   atomic_read(&watch->interrupted));
	KUNIT_EXPECT_GT(test, atomic_read(&watch->interrupted), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&watch->looks),
			atomic_read(&watch->interrupted));
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&watch->wrong), 0,
			    "at %llu: extent from %llu, length %llu, state %u, place %llu",
			    watch->bad_sector, watch->bad.start, watch->bad.len,
			    watch->bad.state, watch->bad.place);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(valid, valids_gen_params),
	KUNIT_CASE(empty),
	KUNIT_CASE(merge),
	KUNIT_CASE(split),
	KUNIT_CASE(forget_zeroes),
	KUNIT_CASE(limits),
	KUNIT_CASE_PARAM(random_changes, randoms_gen_params),
	KUNIT_CASE_PARAM(many, manys_gen_params),
	{ }
};

static struct kunit_suite suite = {
	.name = "covol_extent",
	.init = map_init,
	.exit = map_exit,
	.test_cases = cases,
};

static struct kunit_case watch_cases[] = {
	KUNIT_CASE(readers),
	{ }
};

static struct kunit_suite watch_suite = {
	.name = "covol_extent_readers",
	.init = watch_init,
	.exit = watch_exit,
	.test_cases = watch_cases,
};

kunit_test_suites(&suite, &watch_suite);
