// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has to be off before a fence is done, where nodes are switched off instead of losing keys.
 */
#include <string.h>

#include "rig.h"
#include "test.h"

#define N1 1
#define N2 2
#define N3 4
#define ALL (N1 | N2 | N3)
#define OTHERS (~(own_nodes)ALL)

/* The fence that is under way, which nobody answers. */
static struct own_victims victims_of(struct rig *rig)
{
	struct own_volume *vol = rig_vol(rig);
	struct own_action fence = { .task = OWN_TASK_FENCE, .node = vol->fencer,
				    .nodes = vol->keep };

	assert_int_not_equal(vol->fencer, 0);
	fence.serial = own_member(vol, vol->fencer)->serial;
	return ownership_victims(&rig->own, vol, &fence);
}

static void silence(struct rig *rig)
{
	unsigned int node;

	for (node = 1; node <= 3; node++)
		rig->silent[OWN_TASK_FENCE][node] = true;
}

/* The coordinator is gone: it is switched off, and nobody who is here. */
static void test_gone(void **state)
{
	struct own_action other = { .node = 2, .nodes = N3, .serial = 1 };
	struct own_victims victims;
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	silence(&rig);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	victims = victims_of(&rig);
	assert_true(victims.current);
	assert_int_equal(victims.off, N1);
	/* Whoever else there may be is not here, and nothing is known of it. */
	assert_int_equal(victims.forgotten, OTHERS);
	assert_int_equal(victims.spared, 0);
	/* A fence that was told before this one. */
	assert_false(ownership_victims(&rig.own, rig_vol(&rig), &other).current);
	rig_exit(&rig);
}

/* It has booted: no need to switch it off; and when it is gone again, there is. */
static void test_booted(void **state)
{
	struct own_victims victims;
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	silence(&rig);
	rig_view(&rig, ALL, ALL, N3, true);
	victims = victims_of(&rig);
	assert_int_equal(victims.off | victims.forgotten | victims.spared, 0);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	victims = victims_of(&rig);
	assert_int_equal(victims.off, N3);
	rig_exit(&rig);
}

/* It is here and is not what the state says: in a volume that is served it is switched off. */
static void test_evicted(void **state)
{
	struct own_victims victims;
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	silence(&rig);
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	victims = victims_of(&rig);
	assert_int_equal(victims.off, N3);
	assert_int_equal(victims.forgotten, 0);
	rig_exit(&rig);
}

/* Without a path it is held as long as there is a coordinator; a takeover switches it off. */
static void test_pathless(void **state)
{
	struct own_victims victims;
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	silence(&rig);
	rig_simple(&rig, OWN_EV_PATH_LOST, 3, false);
	victims = victims_of(&rig);
	assert_int_equal(victims.off, 0);
	assert_int_equal(victims.spared, N3);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	victims = victims_of(&rig);
	assert_int_equal(victims.off, N1 | N3);
	assert_int_equal(victims.spared, 0);
	rig_exit(&rig);
}

/* Who is gone and is needed is not kept waiting by one that has only no path. */
static void test_urgent(void **state)
{
	struct own_victims victims;
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig.answer[OWN_TASK_FENCE][1] = OWN_FAILED;
	rig.answer[OWN_TASK_FENCE][2] = OWN_FAILED;
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	silence(&rig);
	rig_fire(&rig);
	victims = victims_of(&rig);
	assert_int_equal(victims.off, N3);
	assert_int_equal(victims.spared, 0);
	assert_int_equal(rig_vol(&rig)->keep, N1 | N2);
	rig_exit(&rig);
}

/* Fenced once and still away: in each takeover, for nobody knows what it was told since. */
static void test_forgotten(void **state)
{
	struct own_victims victims;
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_int_equal(rig_vol(&rig)->phase, OWN_ONLINE);
	assert_int_equal(rig_member(&rig, 1)->access, OWN_ACCESS_NONE);
	silence(&rig);
	/* Not for its own sake, while the volume is served. */
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	assert_int_equal(victims_of(&rig).forgotten, 0);
	rig_exit(&rig);

	rig_started(&rig, ALL);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	silence(&rig);
	rig_view(&rig, N3, N3, 0, true);
	victims = victims_of(&rig);
	assert_int_equal(victims.off, N2);
	assert_int_equal(victims.forgotten, N1 | OTHERS);
	rig_exit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gone),	 cmocka_unit_test(test_booted),
		cmocka_unit_test(test_evicted),	 cmocka_unit_test(test_pathless),
		cmocka_unit_test(test_urgent),	 cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
