// SPDX-License-Identifier: GPL-2.0-only
/*
 * Volumes are spread evenly, and do not move without need.
 */
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "test.h"

#define ALL(n) (~0ULL >> (64 - (n)))

/* "4 3 3": of each node that is here. */
static const char *spread(struct rig *rig, char text[256])
{
	unsigned int counts[OWN_NODES + 1] = { 0 }, node;
	size_t i, used = 0;

	for (i = 0; i < rig->own.count; i++) {
		assert_int_equal(rig->own.volumes[i]->phase, OWN_ONLINE);
		counts[rig->own.volumes[i]->coordinator]++;
	}
	text[0] = '\0';
	own_for_each(node, rig->own.present)
		used += sprintf(text + used, "%s%u", used ? " " : "", counts[node]);
	return text;
}

static unsigned int moved(struct rig *rig, const unsigned int before[])
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < rig->own.count; i++)
		if (rig->own.volumes[i]->coordinator != before[i])
			count++;
	return count;
}

static void remember(struct rig *rig, unsigned int before[])
{
	size_t i;

	for (i = 0; i < rig->own.count; i++)
		before[i] = rig->own.volumes[i]->coordinator;
}

/* Volumes are made on @before, then these are @after; so many change their coordinator. */
static const struct {
	unsigned int volumes;
	own_nodes before;
	own_nodes after;
	const char *spread;
	unsigned int moved;
} tables[] = {
	{ 10, ALL(5), ALL(5), "2 2 2 2 2", 0 }, { 10, ALL(3), ALL(3), "4 3 3", 0 },
	{ 10, ALL(5), ALL(3), "4 3 3", 4 },	{ 10, ALL(5), 0x16, "4 3 3", 4 },
	{ 10, ALL(3), ALL(5), "2 2 2 2 2", 4 }, { 10, ALL(1), ALL(2), "5 5", 5 },
	{ 4, ALL(3), ALL(4), "1 1 1 1", 1 },	{ 3, ALL(2), ALL(3), "1 1 1", 1 },
	{ 3, ALL(3), ALL(4), "1 1 1 0", 0 },	{ 1, ALL(3), ALL(64), NULL, 0 },
	{ 256, ALL(64), ALL(64), NULL, 0 },
};

static void test_even(void **state)
{
	unsigned int before[OWN_VOLUMES], node;
	static struct rig rig;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		rig_init(&rig, tables[i].before);
		for (node = 1; node <= tables[i].volumes; node++) {
			rig.log[0] = '\0';
			rig_volume(&rig, node);
		}
		remember(&rig, before);
		rig.log[0] = '\0';
		rig_view(&rig, tables[i].after, tables[i].after,
			 tables[i].after & ~tables[i].before, true);
		if (tables[i].spread)
			assert_string_equal(spread(&rig, text), tables[i].spread);
		assert_int_equal(moved(&rig, before), tables[i].moved);
		rig_exit(&rig);
	}
}

/* What the operator has put somewhere stays there, as long as that node does. */
static void test_placed(void **state)
{
	struct own_event event = { .type = OWN_EV_MOVE, .node = 2 };
	static struct rig rig;
	char text[256];

	(void)state;
	rig_init(&rig, ALL(2));
	for (event.volume = 1; event.volume <= 4; event.volume++)
		rig_volume(&rig, event.volume);
	assert_string_equal(spread(&rig, text), "2 2");
	event.volume = 1;
	assert_int_equal(rig_event(&rig, &event), 0);
	event.volume = 3;
	assert_int_equal(rig_event(&rig, &event), 0);
	/* The other two make up for it. */
	assert_string_equal(spread(&rig, text), "2 2");
	assert_int_equal(ownership_volume(&rig.own, 1)->coordinator, 2);
	assert_int_equal(ownership_volume(&rig.own, 3)->coordinator, 2);
	rig.log[0] = '\0';
	rig_view(&rig, 1, 1, 0, true);
	assert_string_equal(spread(&rig, text), "4");
	rig_view(&rig, 3, 3, 2, true);
	assert_string_equal(spread(&rig, text), "2 2");
	rig_exit(&rig);
}

static void test_preferred(void **state)
{
	struct own_event event = { .type = OWN_EV_PREFER, .nodes = 2, .excluded = 4 };
	static struct rig rig;

	(void)state;
	rig_init(&rig, ALL(3));
	for (event.volume = 1; event.volume <= 6; event.volume++)
		rig_volume(&rig, event.volume);
	event.volume = 1;
	assert_int_equal(rig_event(&rig, &event), 0);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	/* Gone: anybody but those that are excluded. */
	rig.log[0] = '\0';
	rig_view(&rig, 5, 5, 0, true);
	assert_int_equal(rig_vol(&rig)->coordinator, 1);
	/* And home again. */
	rig_view(&rig, 7, 7, 2, true);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	rig_exit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_placed),
		cmocka_unit_test(test_preferred),
	};

	return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
