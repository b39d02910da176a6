// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a volume keeps of a late-write test. test_lun_check.c has the test itself.
 */
#include "../../userspace/lun/check.h"
#include "test.h"

/* A test with that drain, of three rounds. */
static struct lun_late tested(enum lun_drain drain, uint32_t wait, unsigned int done,
			      unsigned int loaded, unsigned int seen)
{
	return (struct lun_late) { .drain = drain, .wait = wait, .rounds = 3, .done = done,
				   .loaded = loaded, .late = seen };
}

static void assert_array(const struct lun_array *array, enum lun_drain drain, uint32_t wait,
			 bool qualified, uint64_t at)
{
	assert_int_equal(array->drain, drain);
	assert_int_equal(array->wait, wait);
	assert_int_equal(array->qualified, qualified);
	assert_int_equal(array->qualified_at, at);
}

static void test_late_keep(void **state)
{
	struct lun_array array = { LUN_DRAIN_RESET };
	struct lun_late late = tested(LUN_DRAIN_RESET, 0, 3, 3, 0);

	(void)state;
	assert_true(lun_late_keep(&array, &late, "disk 1", 100));
	assert_array(&array, LUN_DRAIN_RESET, 0, true, 100);
	assert_string_equal(array.product, "disk 1");
	assert_true(lun_array_shown(&array, "disk 1"));
	/* Another that is not enough, or of which too little is known, changes nothing. */
	late = tested(LUN_DRAIN_WAIT, 5, 3, 3, 1);
	assert_false(lun_late_keep(&array, &late, "disk 1", 101));
	late = tested(LUN_DRAIN_ABORT, 0, 3, 2, 0);
	assert_false(lun_late_keep(&array, &late, "disk 1", 101));
	late = tested(LUN_DRAIN_ABORT, 0, 2, 2, 0);
	assert_false(lun_late_keep(&array, &late, "disk 1", 101));
	late = tested(LUN_DRAIN_ABORT, 0, 0, 0, 0);
	assert_false(lun_late_keep(&array, &late, "disk 1", 101));
	assert_array(&array, LUN_DRAIN_RESET, 0, true, 100);
	/* One that is enough is taken. */
	late = tested(LUN_DRAIN_WAIT, 5, 3, 3, 0);
	assert_true(lun_late_keep(&array, &late, "disk 1", 102));
	assert_array(&array, LUN_DRAIN_WAIT, 5, true, 102);
	/* It was not shown again; nor was a longer one tried. */
	late = tested(LUN_DRAIN_WAIT, 6, 3, 3, 1);
	assert_false(lun_late_keep(&array, &late, "disk 1", 103));
	late = tested(LUN_DRAIN_WAIT, 5, 3, 2, 0);
	assert_true(lun_late_keep(&array, &late, "disk 1", 103));
	assert_array(&array, LUN_DRAIN_WAIT, 5, false, 103);
	/* Now it was shown not to be enough, if only in the one round that there was. */
	late = tested(LUN_DRAIN_WAIT, 5, 1, 1, 1);
	assert_true(lun_late_keep(&array, &late, "disk 1", 104));
	assert_array(&array, LUN_DRAIN_RESET, 0, false, 104);
	assert_false(lun_array_shown(&array, "disk 1"));
	array = (struct lun_array) { LUN_DRAIN_ABORT, 0, true, 1 };
	late = tested(LUN_DRAIN_ABORT, 0, 3, 3, 2);
	assert_true(lun_late_keep(&array, &late, "disk 1", 105));
	assert_array(&array, LUN_DRAIN_RESET, 0, false, 105);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_keep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
