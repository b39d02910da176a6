// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is fenced while it is away, or for somebody else, is given up: what waits there fails before
 * the node comes back (I3).
 */
#include <string.h>

#include "rig.h"
#include "test.h"

#define N1 1
#define N2 2
#define N3 4
#define ALL (N1 | N2 | N3)

static void assert_direct(struct rig *rig, unsigned int node)
{
	struct own_status status = ownership_status(&rig->own, rig_vol(rig), node);

	assert_int_equal(status.state, OWN_STATE_DIRECT);
	assert_int_equal(status.reasons, 0);
}

/* In a takeover. Told until it has done it, and not again. */
static void test_taken_over(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	assert_int_equal(rig.expelled, 0);
	rig_clear(&rig);
	rig.silent[OWN_TASK_REGISTER][1] = true;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_int_equal(rig.expelled, N1);
	rig_clear(&rig);
	rig.silent[OWN_TASK_REGISTER][1] = false;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "register:1 barrier:1 connect:1 route:1");
	assert_int_equal(rig.expelled, N1);
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	assert_int_equal(rig.expelled, 0);
	rig_exit(&rig);
}

static void test_not_needed(void **state)
{
	struct rig rig;

	(void)state;
	/* Nobody has needed what it has: it goes on. */
	rig_started(&rig, ALL);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_int_equal(rig.expelled, 0);
	/* It is here: nobody goes on in its place. */
	rig_simple(&rig, OWN_EV_PATH_LOST, 3, false);
	rig_simple(&rig, OWN_EV_PATH_BACK, 3, false);
	rig_fire(&rig);
	assert_direct(&rig, 3);
	assert_int_equal(rig.expelled, 0);
	/* But if somebody wants to. */
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	assert_direct(&rig, 3);
	assert_int_equal(rig.expelled, N3);
	rig_exit(&rig);
}

/* Until it has begun anew it gets no session: it would be let in at the same epoch. */
static void test_shut_out(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	assert_int_equal(ownership_given_up(rig_vol(&rig)), 0);
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	assert_int_equal(ownership_given_up(rig_vol(&rig)), N3);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_direct(&rig, 3);
	assert_int_equal(ownership_given_up(rig_vol(&rig)), 0);
	rig_exit(&rig);
}

/* It had lost its key already when it went: it does not register when it comes. */
static void test_keyless(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_simple(&rig, OWN_EV_PATH_LOST, 3, false);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig_clear(&rig);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "barrier:3 connect:3 route:3");
	assert_int_equal(rig.expelled, N3);
	rig_exit(&rig);
}

/* All agents end and begin; @nodes of them are here again. */
static void restart(struct rig *rig, own_nodes nodes)
{
	ownership_restart(&rig->own);
	rig_clear(rig);
	rig_view(rig, nodes, ALL, 0, true);
}

/* Nobody remembers who was given up: each has to look, whenever it comes; and not again. */
static void test_all_restarted(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	restart(&rig, N1 | N2);
	assert_non_null(strstr(rig.log, "register:1 register:2 fence:1"));
	assert_int_equal(rig.unknown, N1 | N2);
	assert_int_equal(rig.expelled, N1 | N2);
	rig_clear(&rig);
	rig.silent[OWN_TASK_REGISTER][3] = true;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_int_equal(rig.unknown, N3);
	/* It is told the same again, though by then it has been told of a key. */
	rig_clear(&rig);
	rig.silent[OWN_TASK_REGISTER][3] = false;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "register:3 barrier:3 connect:3 route:3");
	assert_int_equal(rig.unknown, N3);
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_PATH_LOST, 3, false);
	rig_simple(&rig, OWN_EV_PATH_BACK, 3, false);
	rig_fire(&rig);
	assert_direct(&rig, 3);
	assert_int_equal(rig.expelled, 0);
	rig_exit(&rig);
}

/* Whatever was going on before: also one that is not told to register at once. */
static void test_unknown_key(void **state)
{
	struct own_event event = { .type = OWN_EV_DIFFERS, .node = 3, .volume = 1,
				   .incarnation = 77, .on = true };
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	restart(&rig, N1 | N2);
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 2, false);
	assert_int_equal(rig_vol(&rig)->fencer, 1);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_int_equal(rig_member(&rig, 3)->task, OWN_TASK_NONE);
	assert_int_equal(rig_event(&rig, &event), 0);
	assert_true(rig_member(&rig, 3)->incarnation == 77);
	assert_int_equal(rig_member(&rig, 3)->expelled, OWN_EXPELLED_UNKNOWN);
	rig_exit(&rig);
}

/* Without a path it cannot look. */
static void test_restarted_pathless(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	ownership_restart(&rig.own);
	rig_clear(&rig);
	rig.answer[OWN_TASK_REGISTER][3] = OWN_NO_PATH;
	rig.silent[OWN_TASK_BARRIER][3] = true;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_int_equal(rig_member(&rig, 3)->task, OWN_TASK_BARRIER);
	assert_int_equal(rig_member(&rig, 3)->expelled, OWN_EXPELLED_UNKNOWN);
	rig_clear(&rig);
	rig.silent[OWN_TASK_BARRIER][3] = false;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_int_equal(rig.unknown, N3);
	assert_int_equal(rig_member(&rig, 3)->expelled, OWN_NOT_EXPELLED);
	rig_exit(&rig);
}

/* Who is looking for its key must not lose it to a fence before it has seen it. */
static void test_looks_first(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	ownership_restart(&rig.own);
	rig_clear(&rig);
	rig.silent[OWN_TASK_REGISTER][2] = true;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "register:1 register:2 register:3");
	rig_clear(&rig);
	rig.silent[OWN_TASK_REGISTER][2] = false;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_non_null(strstr(rig.log, "register:2 fence:1"));
	assert_int_equal(rig.kept, ALL);
	/* One that cannot say it keeps nobody waiting. */
	ownership_restart(&rig.own);
	rig_clear(&rig);
	rig.answer[OWN_TASK_REGISTER][2] = OWN_FAILED;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_non_null(strstr(rig.log, "fence:"));
	rig_exit(&rig);
}

/* What it has answered was before it was given up. */
static void test_wanted_meanwhile(void **state)
{
	struct own_event done = { .type = OWN_EV_DONE, .node = 3, .volume = 1 };
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.silent[OWN_TASK_BARRIER][3] = true;
	rig_simple(&rig, OWN_EV_MOVE, 2, false);
	assert_int_equal(own_member(rig_vol(&rig), 3)->task, OWN_TASK_BARRIER);
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig.silent[OWN_TASK_FENCE][2] = true;
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	done.serial = own_member(rig_vol(&rig), 3)->serial;
	assert_int_equal(rig_event(&rig, &done), 0);
	assert_true(own_member(rig_vol(&rig), 3)->expelled);
	rig_exit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_not_needed),
		cmocka_unit_test(test_shut_out),
		cmocka_unit_test(test_keyless),
		cmocka_unit_test(test_all_restarted),
		cmocka_unit_test(test_unknown_key),
		cmocka_unit_test(test_restarted_pathless),
		cmocka_unit_test(test_looks_first),
		cmocka_unit_test(test_wanted_meanwhile),
	};

	return cmocka_run_group_tests_name("expelled", tests, NULL, NULL);
}
