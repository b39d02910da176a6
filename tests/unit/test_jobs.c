// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tasks of a volume: what a driver owes the machine.
 */
#include <string.h>

#include "../../userspace/covold/jobs.h"
#include "test.h"

static enum jobs_told tell(struct jobs *jobs, enum own_task task, uint64_t serial)
{
	struct own_action action = {
		.type = OWN_ACT_TASK, .node = 3, .volume = 9, .task = task, .serial = serial,
	};

	return jobs_told(jobs, &action);
}

static void assert_starts(struct jobs *jobs, enum own_task task, uint64_t serial)
{
	const struct own_action *action = jobs_start(jobs);

	assert_non_null(action);
	assert_int_equal(action->task, task);
	assert_true(action->serial == serial);
	assert_null(jobs_start(jobs));
}

static void test_one(void **state)
{
	struct jobs jobs = { 0 };
	const struct own_event *answer;

	(void)state;
	assert_null(jobs_start(&jobs));
	assert_false(jobs_busy(&jobs));
	assert_int_equal(tell(&jobs, OWN_TASK_MOUNT, 1), JOBS_START);
	/* Nothing was given to a worker yet: told again it is still to be started, once. */
	assert_int_equal(tell(&jobs, OWN_TASK_MOUNT, 1), JOBS_KNOWN);
	assert_starts(&jobs, OWN_TASK_MOUNT, 1);
	assert_int_equal(tell(&jobs, OWN_TASK_MOUNT, 1), JOBS_KNOWN);
	assert_true(jobs_busy(&jobs));
	assert_false(jobs_change_key(&jobs));
	answer = jobs_ended(&jobs, OWN_NO_PATH, 5);
	assert_false(jobs_busy(&jobs));
	assert_non_null(answer);
	assert_int_equal(answer->type, OWN_EV_DONE);
	assert_int_equal(answer->node, 3);
	assert_int_equal(answer->volume, 9);
	assert_true(answer->serial == 1);
	assert_int_equal(answer->result, OWN_NO_PATH);
	assert_true(answer->epoch == 5);
	/* Answered again, not done again. */
	assert_int_equal(tell(&jobs, OWN_TASK_MOUNT, 1), JOBS_AGAIN);
	assert_null(jobs_start(&jobs));
	assert_int_equal(jobs.answer.result, OWN_NO_PATH);
}

/* A newer one waits for what runs, and takes the place of what waits; nobody hears of the older. */
static void test_newer(void **state)
{
	struct jobs jobs = { 0 };

	(void)state;
	tell(&jobs, OWN_TASK_CONNECT, 1);
	assert_starts(&jobs, OWN_TASK_CONNECT, 1);
	assert_int_equal(tell(&jobs, OWN_TASK_ROUTE, 2), JOBS_WAITS);
	assert_int_equal(tell(&jobs, OWN_TASK_ROUTE, 2), JOBS_KNOWN);
	assert_int_equal(tell(&jobs, OWN_TASK_RELEASE, 3), JOBS_WAITS);
	assert_null(jobs_start(&jobs));
	assert_null(jobs_ended(&jobs, OWN_OK, 0));
	assert_starts(&jobs, OWN_TASK_RELEASE, 3);
	assert_non_null(jobs_ended(&jobs, OWN_OK, 0));
	assert_int_equal(tell(&jobs, OWN_TASK_RELEASE, 3), JOBS_AGAIN);
}

static void test_break_off(void **state)
{
	static const enum own_task breaking[] = {
		OWN_TASK_REGISTER, OWN_TASK_BARRIER, OWN_TASK_CLOSE,
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(breaking) / sizeof(breaking[0]); i++) {
		struct jobs jobs = { 0 };

		tell(&jobs, OWN_TASK_UNMOUNT, 1);
		jobs_start(&jobs);
		assert_int_equal(tell(&jobs, breaking[i], 2), JOBS_BREAK_OFF);
		/* Once is enough. */
		assert_int_equal(tell(&jobs, breaking[i], 3), JOBS_WAITS);
		assert_null(jobs_ended(&jobs, OWN_FAILED, 0));
		assert_starts(&jobs, breaking[i], 3);
	}
}

/*
 * States that were merged may go back to what was told before. What came in between may have
 * undone it, so that its old answer is no longer true.
 */
static void test_back(void **state)
{
	struct jobs jobs = { 0 };

	(void)state;
	tell(&jobs, OWN_TASK_MOUNT, 1);
	jobs_start(&jobs);
	assert_non_null(jobs_ended(&jobs, OWN_OK, 0));
	tell(&jobs, OWN_TASK_BARRIER, 2);
	assert_starts(&jobs, OWN_TASK_BARRIER, 2);
	assert_int_equal(tell(&jobs, OWN_TASK_MOUNT, 1), JOBS_WAITS);
	assert_null(jobs_ended(&jobs, OWN_OK, 0));
	assert_starts(&jobs, OWN_TASK_MOUNT, 1);
	/* What runs is told again, after something newer: it is not lost. */
	assert_int_equal(tell(&jobs, OWN_TASK_UNMOUNT, 3), JOBS_WAITS);
	assert_int_equal(tell(&jobs, OWN_TASK_MOUNT, 1), JOBS_WAITS);
	assert_null(jobs_ended(&jobs, OWN_OK, 0));
	assert_starts(&jobs, OWN_TASK_MOUNT, 1);
	assert_non_null(jobs_ended(&jobs, OWN_OK, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),	  cmocka_unit_test(test_newer),
		cmocka_unit_test(test_break_off), cmocka_unit_test(test_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
