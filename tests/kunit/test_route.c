// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router: which way each bio takes. The tables say what the design says;
 * nothing in them is computed.
 */
#include <kunit/test.h>

#include "route.h"
#include "route_rig.h"

static const char * const object_names[] = {
	"volume on its coordinator", "volume on a member",
	"volume on a member, forward", "image on a member",
	"image on the coordinator",
};

/* ---- the classification ----------------------------------------------- */

#define ROUTES	5
#define STATES	5

static const char * const states[STATES] = {
	"data", "unwritten", "shared", "hole", "unknown",
};

/* For each route what becomes of a bio in an extent that is data, unwritten,
 * shared, a hole, unknown; a flush has no place.
 */
static const struct class_case {
	enum rig_object	object;
	enum rig_op	op;
	/* direct, fs-redirected, block-redirected, held, unavailable */
	const char	*ways[ROUTES];
} classes[] = {
	{ SELF, READ_PLAIN, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, READ_META, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, READ_NOWAIT, { "LLLLL", "LLLLL", "AAAAA", "AAAAA", "AAAAA" } },
	{ SELF, READ_POLLED, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, WRITE_PLAIN, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, WRITE_FUA, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, WRITE_PREFLUSH, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, WRITE_META, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, WRITE_NOWAIT, { "LLLLL", "LLLLL", "AAAAA", "AAAAA", "AAAAA" } },
	{ SELF, WRITE_POLLED, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, FLUSH, { "L", "L", "B", "H", "X" } },
	{ SELF, DISCARD, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, ZEROES, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },
	{ SELF, ZEROES_FUA, { "LLLLL", "LLLLL", "BBBBB", "HHHHH", "XXXXX" } },

	{ MEMBER, READ_PLAIN, { "L0L0F", "FFFFF", "B0B0F", "HHHHH", "XXXXX" } },
	{ MEMBER, READ_META, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },
	{ MEMBER, READ_NOWAIT, { "L0L0A", "AAAAA", "AAAAA", "AAAAA", "AAAAA" } },
	{ MEMBER, READ_POLLED, { "L0L0F", "FFFFF", "B0B0F", "HHHHH", "XXXXX" } },
	{ MEMBER, WRITE_PLAIN, { "LEEEE", "FEEEE", "BEEEE", "HHHHH", "XXXXX" } },
	{ MEMBER, WRITE_FUA, { "LEEEE", "FEEEE", "BEEEE", "HHHHH", "XXXXX" } },
	{ MEMBER, WRITE_PREFLUSH, { "LEEEE", "FEEEE", "BEEEE", "HHHHH", "XXXXX" } },
	{ MEMBER, WRITE_META, { "EEEEE", "EEEEE", "EEEEE", "HHHHH", "XXXXX" } },
	{ MEMBER, WRITE_NOWAIT, { "LAAAA", "AAAAA", "AAAAA", "AAAAA", "AAAAA" } },
	{ MEMBER, WRITE_POLLED, { "LEEEE", "FEEEE", "BEEEE", "HHHHH", "XXXXX" } },
	{ MEMBER, FLUSH, { "L", "F", "B", "H", "X" } },
	{ MEMBER, DISCARD, { "EEEEE", "EEEEE", "EEEEE", "HHHHH", "XXXXX" } },
	{ MEMBER, ZEROES, { "EEEEE", "EEEEE", "EEEEE", "HHHHH", "XXXXX" } },
	{ MEMBER, ZEROES_FUA, { "EEEEE", "EEEEE", "EEEEE", "HHHHH", "XXXXX" } },

	{ FORWARD, WRITE_PLAIN, { "LFFFF", "FFFFF", "BFFFF", "HHHHH", "XXXXX" } },
	{ FORWARD, WRITE_META, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },
	{ FORWARD, DISCARD, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },
	{ FORWARD, ZEROES, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },

	{ IMAGE, READ_PLAIN, { "L0L0f", "FFFFF", "B0B0f", "HHHHH", "XXXXX" } },
	{ IMAGE, READ_META, { "L0L0f", "FFFFF", "B0B0f", "HHHHH", "XXXXX" } },
	{ IMAGE, READ_NOWAIT, { "L0L0A", "AAAAA", "AAAAA", "AAAAA", "AAAAA" } },
	{ IMAGE, READ_POLLED, { "L0L0f", "FFFFF", "B0B0f", "HHHHH", "XXXXX" } },
	{ IMAGE, WRITE_PLAIN, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ IMAGE, WRITE_FUA, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ IMAGE, WRITE_PREFLUSH, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ IMAGE, WRITE_META, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ IMAGE, WRITE_NOWAIT, { "LAAAA", "AAAAA", "AAAAA", "AAAAA", "AAAAA" } },
	{ IMAGE, WRITE_POLLED, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ IMAGE, FLUSH, { "L", "F", "B", "H", "X" } },
	{ IMAGE, DISCARD, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },
	{ IMAGE, ZEROES, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },
	{ IMAGE, ZEROES_FUA, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },

	{ HERE, READ_PLAIN, { "L0L0f", "FFFFF", "B0B0f", "HHHHH", "XXXXX" } },
	{ HERE, READ_NOWAIT, { "L0L0A", "AAAAA", "AAAAA", "AAAAA", "AAAAA" } },
	{ HERE, READ_POLLED, { "L0L0f", "FFFFF", "B0B0f", "HHHHH", "XXXXX" } },
	{ HERE, WRITE_PLAIN, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ HERE, WRITE_FUA, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ HERE, WRITE_NOWAIT, { "LAAAA", "AAAAA", "AAAAA", "AAAAA", "AAAAA" } },
	{ HERE, WRITE_POLLED, { "LFFFf", "FFFFF", "BFFFf", "HHHHH", "XXXXX" } },
	{ HERE, FLUSH, { "L", "F", "B", "H", "X" } },
	{ HERE, DISCARD, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },
	{ HERE, ZEROES_FUA, { "FFFFF", "FFFFF", "FFFFF", "HHHHH", "XXXXX" } },
};

static void class_desc(const struct class_case *k, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s: %s", object_names[k->object],
		 covol_rig_ops[k->op].name);
}

KUNIT_ARRAY_PARAM(classes, classes, class_desc);

static void classify(struct kunit *test)
{
	static const enum covol_route routes[ROUTES] = {
		DIRECT, BY_FS, BY_BLOCK, HELD, UNAVAILABLE,
	};
	static const u64 places[STATES] = { 1020, 0, 2020 };
	const struct class_case *k = test->param_value;
	bool flush = k->op == FLUSH;
	unsigned int route, state;
	struct clone *c;
	char what[64];

	covol_rig_choose(test, k->object);
	for (route = 0; route < ROUTES; route++) {
		covol_rig_route(test, routes[route]);
		for (state = 0; k->ways[route][state]; state++) {
			u64 start = flush ? 0 : state * 100 + 20;
			u64 place = flush || k->object == SELF ? start :
				    places[state];

			snprintf(what, sizeof(what), "%s, %s",
				 covol_route_name(routes[route]),
				 flush ? "-" : states[state]);
			c = covol_clone_new(test, k->op, start, flush ? 0 : 8);
			covol_clone_map(c);
			if (!covol_expect_way(test, c, k->ways[route][state],
					      place, flush ? 0 : 8, what))
				return;
		}
	}
}

/* ---- bios across extents ---------------------------------------------- */

/* Of a bio at @start of 20 sectors @sectors go to where @way and @place say;
 * device mapper sends the rest again.
 */
static const struct split_case {
	enum rig_object		object;
	enum covol_route	route;
	enum rig_op		op;
	u64			start;
	char			way;
	unsigned int		sectors;
	u64			place;
} splits[] = {
	{ IMAGE, DIRECT, READ_PLAIN, 80, 'L', 20, 1080 },
	{ IMAGE, DIRECT, READ_PLAIN, 81, 'L', 19, 1081 },
	{ IMAGE, DIRECT, READ_PLAIN, 99, 'L', 1, 1099 },
	{ IMAGE, DIRECT, READ_PLAIN, 190, '0', 10 },
	{ IMAGE, DIRECT, READ_PLAIN, 290, 'L', 10, 2090 },
	{ IMAGE, DIRECT, READ_PLAIN, 390, '0', 10 },
	{ IMAGE, DIRECT, READ_PLAIN, 490, 'f', 10 },
	{ IMAGE, DIRECT, READ_PLAIN, 590, 'L', 10, 3090 },
	{ IMAGE, DIRECT, WRITE_PLAIN, 90, 'L', 10, 1090 },
	{ IMAGE, DIRECT, WRITE_PLAIN, 190, 'F', 10 },
	{ IMAGE, DIRECT, WRITE_PLAIN, 290, 'F', 10 },
	{ IMAGE, DIRECT, WRITE_PLAIN, 390, 'F', 10 },
	{ IMAGE, DIRECT, WRITE_PLAIN, 490, 'f', 10 },
	{ IMAGE, DIRECT, WRITE_FUA, 590, 'L', 10, 3090 },
	{ HERE, DIRECT, WRITE_FUA, 190, 'F', 10 },

	{ IMAGE, BY_BLOCK, READ_PLAIN, 90, 'B', 10, 1090 },
	{ IMAGE, BY_BLOCK, READ_PLAIN, 190, '0', 10 },
	{ IMAGE, BY_BLOCK, WRITE_FUA, 590, 'B', 10, 3090 },

	/* the map has no say */
	{ IMAGE, DIRECT, DISCARD, 90, 'F', 20 },
	{ IMAGE, DIRECT, ZEROES, 590, 'F', 20 },
	{ IMAGE, BY_FS, READ_PLAIN, 190, 'F', 20 },
	{ IMAGE, BY_FS, WRITE_PLAIN, 90, 'F', 20 },
	{ IMAGE, HELD, WRITE_PLAIN, 90, 'H', 20 },
	{ SELF, DIRECT, WRITE_PLAIN, 90, 'L', 20, 90 },
	{ SELF, BY_FS, READ_PLAIN, 390, 'L', 20, 390 },

	/* in parts some would have to wait */
	{ IMAGE, DIRECT, READ_NOWAIT, 80, 'L', 20, 1080 },
	{ IMAGE, DIRECT, READ_NOWAIT, 90, 'A', 20 },
	{ IMAGE, DIRECT, WRITE_NOWAIT, 590, 'A', 20 },
	/* those who poll wait for each part */
	{ IMAGE, DIRECT, READ_POLLED, 90, 'L', 10, 1090 },
	{ IMAGE, DIRECT, READ_POLLED, 190, '0', 10 },
	{ IMAGE, DIRECT, WRITE_POLLED, 590, 'L', 10, 3090 },

	/* refused is what is not all data */
	{ MEMBER, DIRECT, WRITE_PLAIN, 90, 'L', 10, 1090 },
	{ MEMBER, DIRECT, WRITE_PLAIN, 190, 'E', 10 },
	{ MEMBER, BY_FS, WRITE_PLAIN, 80, 'F', 20 },
	{ MEMBER, BY_FS, WRITE_PLAIN, 590, 'F', 20 },
	{ MEMBER, BY_FS, WRITE_PLAIN, 90, 'E', 20 },
	{ MEMBER, BY_FS, WRITE_PLAIN, 490, 'E', 20 },
	{ MEMBER, BY_FS, WRITE_META, 590, 'E', 20 },
	{ MEMBER, BY_FS, READ_PLAIN, 490, 'F', 20 },
};

static void split_desc(const struct split_case *k, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, %s: %s at %llu",
		 object_names[k->object], covol_route_name(k->route),
		 covol_rig_ops[k->op].name, k->start);
}

KUNIT_ARRAY_PARAM(splits, splits, split_desc);

static void split(struct kunit *test)
{
	const struct split_case *k = test->param_value;
	struct clone *c;

	covol_rig_choose(test, k->object);
	covol_rig_route(test, k->route);
	c = covol_clone_new(test, k->op, k->start, 20);
	covol_clone_map(c);
	covol_expect_way(test, c, k->way, k->place, k->sectors, "bio");
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(classify, classes_gen_params),
	KUNIT_CASE_PARAM(split, splits_gen_params),
	{ }
};

static struct kunit_suite suite = {
	.name = "covol_route",
	.init = covol_rig_init,
	.exit = covol_rig_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
