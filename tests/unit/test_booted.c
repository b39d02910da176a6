// SPDX-License-Identifier: GPL-2.0-only
/*
 * A node has booted: it is fenced for what its earlier life has sent, whichever state wins, and the
 * state says that it is only for that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "test.h"

#define N1 1
#define N2 2
#define N3 4
#define ALL (N1 | N2 | N3)

/* The state becomes @old, as if those who know better had all ended. */
static void forget(struct rig *rig, const struct ownership *old)
{
	ownership_exit(&rig->own);
	ownership_copy(&rig->own, old);
	rig_clear(rig);
}

/* Fenced once, however many views there are. */
static void test_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "");
	rig_view(&rig, ALL, ALL, N3, true);
	assert_string_equal(rig.log, "fence:1 register:3 release:1 barrier:3 connect:3 route:3");
	assert_int_equal(rig.kept, N1 | N2);
	rig_clear(&rig);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "");
	rig_exit(&rig);
}

/* A state that is older than the boot wins after the others had dealt with it. */
static void test_boot_stale(void **state)
{
	struct ownership old;
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	ownership_copy(&old, &rig.own);
	rig_view(&rig, ALL, ALL, N3, true);
	assert_non_null(strstr(rig.log, "fence:1 register:3"));
	forget(&rig, &old);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "fence:1 register:3 release:1 barrier:3 connect:3 route:3");
	ownership_exit(&old);
	rig_exit(&rig);

	/* By the old one it has no key; of what it has registered since that knows nothing. */
	rig_started(&rig, ALL);
	rig_simple(&rig, OWN_EV_PATH_LOST, 3, false);
	assert_int_equal(rig_member(&rig, 3)->access, OWN_ACCESS_NONE);
	ownership_copy(&old, &rig.own);
	rig_view(&rig, ALL, ALL, N3, true);
	forget(&rig, &old);
	rig_view(&rig, ALL, ALL, 0, true);
	assert_non_null(strstr(rig.log, "fence:1"));
	assert_int_equal(rig.kept, N1 | N2);
	ownership_exit(&old);
	rig_exit(&rig);
}

/* Nobody acts without a quorum, and nobody forgets for that. */
static void test_no_quorum(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig_view(&rig, N2, N2, 0, false);
	rig_view(&rig, N2 | N3, N2 | N3, N3, false);
	assert_string_equal(rig.log, "");
	rig_view(&rig, ALL, ALL, 0, true);
	assert_non_null(strstr(rig.log, "fence:1 register:3"));
	rig_exit(&rig);
}

/* All agents were restarted: the disk knows the boots, and a volume that is stopped needs none. */
static void test_restart(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	ownership_restart(&rig.own);
	rig_view(&rig, N1 | N2, N1 | N2, N1, true);
	assert_int_equal(rig_vol(&rig)->phase, OWN_ONLINE);
	assert_int_equal(rig_vol(&rig)->evict, 0);
	rig_clear(&rig);
	/* It has not booted, and has no key by now. */
	rig_view(&rig, ALL, ALL, 0, true);
	assert_string_equal(rig.log, "register:3 barrier:3 connect:3 route:3");
	rig_exit(&rig);
}

/* Who is to be fenced only for having booted, and who also for what it does now. */
static void test_only_booted(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, ALL);
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 2, false);
	assert_int_equal(rig_vol(&rig)->evict, N2);
	assert_int_equal(rig_vol(&rig)->booted, 0);
	/* What was wanted is of the life that is over. */
	rig_view(&rig, ALL, ALL, N2 | N3, true);
	assert_int_equal(rig_vol(&rig)->evict, N2 | N3);
	assert_int_equal(rig_vol(&rig)->booted, N2 | N3);
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	assert_int_equal(rig_vol(&rig)->evict, N2 | N3);
	assert_int_equal(rig_vol(&rig)->booted, N2);
	/* It goes again. */
	rig_view(&rig, N1 | N3, N1 | N3, 0, true);
	assert_int_equal(rig_vol(&rig)->evict, N2 | N3);
	assert_int_equal(rig_vol(&rig)->booted, 0);
	rig_exit(&rig);

	/* The fence ends both. */
	rig_started(&rig, ALL);
	rig.silent[OWN_TASK_REGISTER][3] = true;
	rig_view(&rig, ALL, ALL, N3, true);
	assert_int_equal(rig_vol(&rig)->evict, 0);
	assert_int_equal(rig_vol(&rig)->booted, 0);
	rig_exit(&rig);

	/* The coordinator: it is fenced for nothing else, though a takeover begins. */
	rig_started(&rig, ALL);
	rig.silent[OWN_TASK_FENCE][2] = true;
	rig_view(&rig, ALL, ALL, N1, true);
	assert_int_equal(rig_vol(&rig)->phase, OWN_FENCE);
	assert_int_equal(rig_vol(&rig)->booted, N1);
	rig_exit(&rig);

	/* One that is away, and has not booted that anybody knows. */
	rig_started(&rig, ALL);
	rig.silent[OWN_TASK_FENCE][2] = true;
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_int_equal(rig_vol(&rig)->evict, N1);
	assert_int_equal(rig_vol(&rig)->booted, 0);
	rig_exit(&rig);
}

/* Two nodes: a volume that is taken from the half that knows nothing of the boot. */
static void test_boot_merge(void **state)
{
	struct ownership knows, not;
	struct rig rig;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig_volume(&rig, 1);
	rig.own.two_node = true;
	ownership_copy(&not, &rig.own);
	not.volumes[0]->term++;
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig_view(&rig, N1 | N2, N1 | N2, N2, true);
	ownership_copy(&knows, &rig.own);
	ownership_merge(&knows, &not);
	assert_int_equal(knows.volumes[0]->term, not.volumes[0]->term);
	assert_int_equal(knows.volumes[0]->evict, N2);
	assert_int_equal(knows.volumes[0]->booted, N2);
	/* One that knows of the same boots is taken as it is. */
	not.boots[1] = knows.boots[1];
	not.volumes[0]->term++;
	ownership_merge(&knows, &not);
	assert_int_equal(knows.volumes[0]->term, not.volumes[0]->term);
	assert_int_equal(knows.volumes[0]->evict, 0);
	ownership_exit(&knows);
	ownership_exit(&not);
	rig_exit(&rig);
}

/* It is in what a joiner gets. */
static void test_boot_transfer(void **state)
{
	struct ownership copy;
	struct rig rig;
	uint8_t *bytes;
	size_t length;

	(void)state;
	rig_started(&rig, ALL);
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig.silent[OWN_TASK_FENCE][2] = true;
	rig_view(&rig, ALL, ALL, N3, true);
	rig.boots[0] = 0xfedcba9876543210;
	rig_view(&rig, ALL, ALL, 0, true);
	bytes = ownership_encode(&rig.own, &length);
	assert_int_equal(ownership_decode(&copy, bytes, length), 0);
	assert_memory_equal(copy.boots, rig.own.boots, sizeof(copy.boots));
	assert_true(copy.boots[0] == 0xfedcba9876543210);
	assert_int_equal(copy.volumes[0]->booted, N1 | N3);
	free(bytes);
	ownership_exit(&copy);
	/* For having booted nobody is fenced who is not fenced. */
	rig_vol(&rig)->evict = 0;
	bytes = ownership_encode(&rig.own, &length);
	assert_int_equal(ownership_decode(&copy, bytes, length), -EBADMSG);
	free(bytes);
	rig_exit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),	   cmocka_unit_test(test_boot_stale),
		cmocka_unit_test(test_no_quorum),  cmocka_unit_test(test_restart),
		cmocka_unit_test(test_only_booted),	   cmocka_unit_test(test_boot_merge),
		cmocka_unit_test(test_boot_transfer),
	};

	return cmocka_run_group_tests_name("booted", tests, NULL, NULL);
}
