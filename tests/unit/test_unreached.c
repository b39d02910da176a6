// SPDX-License-Identifier: GPL-2.0-only
/*
 * Members that get no session with the coordinator. If nobody does another node is tried as
 * coordinator; else they are left aside. Nobody is fenced for it.
 */
#include <string.h>

#include "rig.h"
#include "test.h"

#define N1 1
#define N2 2
#define N3 4
#define ALL (N1 | N2 | N3)

#define TRIES 3

static void assert_direct(struct rig *rig, unsigned int node)
{
	struct own_status status = ownership_status(&rig->own, rig_vol(rig), node);

	assert_int_equal(status.state, OWN_STATE_DIRECT);
	assert_int_equal(status.reasons, 0);
}

static void assert_waits(struct rig *rig, unsigned int node)
{
	struct own_status status = ownership_status(&rig->own, rig_vol(rig), node);

	assert_int_equal(status.state, OWN_STATE_HELD);
	assert_int_equal(status.reasons, OWN_REASON_COORDINATOR_LOST);
}

static void assert_online(struct rig *rig, unsigned int coordinator)
{
	assert_int_equal(rig_vol(rig)->phase, OWN_ONLINE);
	assert_int_equal(rig_vol(rig)->coordinator, coordinator);
}

static void assert_not_fenced(struct rig *rig)
{
	assert_null(strstr(rig->log, "fence:"));
	assert_null(strstr(rig->log, "register:"));
}

/*
 * It gives back what it holds before the others may go on, and is told to connect only after the
 * coordinator has been told so.
 */
static void test_one_left_aside(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.answer[OWN_TASK_CONNECT][2] = OWN_FAILED;
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	rig_retry(&rig, 1);
	assert_int_equal(rig_vol(&rig)->phase, OWN_CONNECT);
	rig.silent[OWN_TASK_BARRIER][2] = true;
	rig_retry(&rig, 1);
	assert_int_equal(rig_vol(&rig)->phase, OWN_CONNECT);
	assert_int_equal(rig.apart, N2);
	assert_int_equal(rig.expelled, 0);
	rig_clear(&rig);
	rig.silent[OWN_TASK_BARRIER][2] = false;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "barrier:2 release:3 connect:2");
	assert_int_equal(rig.holders, N1 | N3);
	assert_online(&rig, 3);
	assert_direct(&rig, 1);
	assert_waits(&rig, 2);
	rig.answer[OWN_TASK_CONNECT][2] = OWN_OK;
	rig_retry(&rig, 1);
	assert_direct(&rig, 2);
	assert_not_fenced(&rig);
	rig_exit(&rig);
}

/* Who was left aside is told by the next coordinator like anybody else. */
static void test_aside_and_moved(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.answer[OWN_TASK_CONNECT][2] = OWN_FAILED;
	rig.silent[OWN_TASK_RELEASE][3] = true;
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	rig_retry(&rig, TRIES - 1);
	assert_int_equal(rig_vol(&rig)->phase, OWN_RELEASE);
	rig_clear(&rig);
	rig.answer[OWN_TASK_CONNECT][2] = OWN_OK;
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	assert_online(&rig, 1);
	assert_int_equal(rig.served, N1 | N2);
	assert_direct(&rig, 2);
	rig_exit(&rig);
}

/* It has no session by which it could be asked for layouts, and none to return. */
static void test_aside_and_maintenance(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.answer[OWN_TASK_CONNECT][2] = OWN_FAILED;
	rig.silent[OWN_TASK_RELEASE][3] = true;
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	rig_retry(&rig, 2);
	assert_int_equal(rig_vol(&rig)->phase, OWN_RELEASE);
	assert_int_equal(rig.apart, N2);
	rig_simple(&rig, OWN_EV_MAINTENANCE, 0, true);
	rig_clear(&rig);
	rig.silent[OWN_TASK_RELEASE][3] = false;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "release:3 unmount:3");
	assert_true(rig.recalled);
	assert_int_equal(rig.holders, N1 | N3);
	assert_int_equal(rig_vol(&rig)->phase, OWN_MAINTENANCE);
	rig_exit(&rig);
}

/* By a planned move, when nobody gets a session and none is left of whom it is not known. */
static void test_coordinator_replaced(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.deaf = N3;
	rig.silent[OWN_TASK_CONNECT][2] = true;
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	rig_retry(&rig, 2 * TRIES);
	assert_int_equal(rig_vol(&rig)->phase, OWN_CONNECT);
	rig.silent[OWN_TASK_CONNECT][2] = false;
	rig_clear(&rig);
	rig_view(&rig, ALL, ALL, 0, true);
	rig_retry(&rig, TRIES - 1);
	assert_non_null(strstr(rig.log, "unmount:3 barrier:1 barrier:2 barrier:3 mount:1"));
	assert_online(&rig, 1);
	assert_direct(&rig, 2);
	assert_direct(&rig, 3);
	assert_not_fenced(&rig);
	assert_int_equal(rig.apart, 0);
	/* There the operator has put it; not again before there is a reason. */
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_REDIRECT, 0, false);
	rig_retry(&rig, TRIES);
	assert_string_equal(rig.log, "");
	rig.deaf = 0;
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	assert_online(&rig, 3);
	assert_int_equal(rig.own.unreached, 0);
	rig_exit(&rig);
}

/* One of the two is at fault, and the other way round it may work. */
static void test_two_nodes(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig.deaf = N1;
	rig_volume(&rig, 1);
	rig_clear(&rig);
	rig_retry(&rig, TRIES - 1);
	assert_online(&rig, 2);
	assert_direct(&rig, 1);
	assert_direct(&rig, 2);
	assert_not_fenced(&rig);
	rig_exit(&rig);
}

/* Each is tried once. The last has it, works alone, and the others come when they can. */
static void test_nobody_reaches_anybody(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.deaf = ALL;
	rig_simple(&rig, OWN_EV_MOVE, 2, false);
	rig_retry(&rig, 3 * TRIES);
	assert_online(&rig, 3);
	assert_int_equal(rig_vol(&rig)->epoch, 4);
	assert_direct(&rig, 3);
	assert_waits(&rig, 1);
	assert_waits(&rig, 2);
	rig_retry(&rig, 10 * TRIES);
	assert_int_equal(rig_vol(&rig)->epoch, 4);
	assert_int_equal(rig_vol(&rig)->tried, ALL);
	/* One whose agent is started anew may be better. */
	rig.deaf = N2 | N3;
	rig_view(&rig, N2 | N3, ALL, 0, true);
	rig_view(&rig, ALL, ALL, 0, true);
	rig_clear(&rig);
	rig_retry(&rig, 2 * TRIES);
	assert_online(&rig, 1);
	assert_direct(&rig, 2);
	assert_direct(&rig, 3);
	assert_int_equal(rig_vol(&rig)->tried, 0);
	assert_not_fenced(&rig);
	rig_exit(&rig);
}

/* Who works on without them keeps the volume: the fault may be theirs. */
static void test_newcomers(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1);
	rig.deaf = N1;
	rig_view(&rig, ALL, ALL, N2 | N3, true);
	rig_clear(&rig);
	rig_retry(&rig, 2 * TRIES);
	assert_online(&rig, 1);
	assert_direct(&rig, 1);
	assert_waits(&rig, 2);
	rig_exit(&rig);
}

/* Its agent is away: that is why nobody reaches it. When it is back they begin to count anew. */
static void test_agent_away(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.deaf = N3;
	rig.silent[OWN_TASK_CONNECT][1] = true;
	rig.silent[OWN_TASK_CONNECT][2] = true;
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	rig.silent[OWN_TASK_CONNECT][1] = false;
	rig.silent[OWN_TASK_CONNECT][2] = false;
	rig_view(&rig, N1 | N2, ALL, 0, true);
	rig_clear(&rig);
	rig_retry(&rig, 2 * TRIES);
	assert_int_equal(rig_vol(&rig)->phase, OWN_CONNECT);
	rig.deaf = 0;
	rig_view(&rig, ALL, ALL, 0, true);
	assert_online(&rig, 3);
	assert_direct(&rig, 1);
	assert_direct(&rig, 2);
	assert_not_fenced(&rig);
	rig_exit(&rig);
}

/* It does not even hand over: now it is fenced. */
static void test_unmount_fails(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.deaf = N3;
	rig.answer[OWN_TASK_UNMOUNT][3] = OWN_FAILED;
	rig_simple(&rig, OWN_EV_MOVE, 3, false);
	rig_retry(&rig, TRIES - 1);
	assert_int_equal(rig_vol(&rig)->phase, OWN_UNMOUNT);
	rig_retry(&rig, TRIES);
	assert_int_equal(rig.kept, N1 | N2);
	assert_online(&rig, 1);
	assert_direct(&rig, 2);
	assert_direct(&rig, 3);
	rig_exit(&rig);
}

/* What is spread evenly does not bring another volume to it. */
static void test_spread(void **state)
{
	struct rig rig;
	unsigned int id;

	(void)state;
	rig_init(&rig, ALL);
	rig.deaf = N1;
	for (id = 1; id <= 6; id++) {
		rig_volume(&rig, id);
		rig_retry(&rig, TRIES);
	}
	for (id = 1; id <= 6; id++) {
		assert_int_equal(ownership_volume(&rig.own, id)->phase, OWN_ONLINE);
		assert_int_not_equal(ownership_volume(&rig.own, id)->coordinator, 1);
		/* The first has been there. */
		assert_int_equal(ownership_volume(&rig.own, id)->term, id == 1 ? 2 : 1);
	}
	rig_exit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_left_aside),
		cmocka_unit_test(test_aside_and_moved),
		cmocka_unit_test(test_aside_and_maintenance),
		cmocka_unit_test(test_coordinator_replaced),
		cmocka_unit_test(test_two_nodes),
		cmocka_unit_test(test_nobody_reaches_anybody),
		cmocka_unit_test(test_newcomers),
		cmocka_unit_test(test_agent_away),
		cmocka_unit_test(test_unmount_fails),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests_name("unreached", tests, NULL, NULL);
}
