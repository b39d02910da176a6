// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state as bytes: what a joiner gets is what the others have, and nothing that comes is
 * believed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "test.h"

/* A state in the middle of all kinds of things. */
static void busy(struct rig *rig)
{
	uint32_t id;

	rig_init(rig, 0x1f);
	for (id = 1; id <= 5; id++)
		rig_volume(rig, id);
	rig_simple(rig, OWN_EV_PATH_LOST, 3, false);
	rig->silent[OWN_TASK_MOUNT][2] = true;
	rig->silent[OWN_TASK_MOUNT][3] = true;
	rig->silent[OWN_TASK_UNMOUNT][4] = true;
	rig_simple(rig, OWN_EV_MAINTENANCE, 0, true);
	rig_view(rig, 0x1e, 0x1f, 0, true);
	rig_view(rig, 0x0e, 0x1e, 0, true);
}

static void test_same(void **state)
{
	struct ownership copy;
	uint8_t *bytes, *again;
	size_t length, length2;
	static struct rig rig;

	(void)state;
	busy(&rig);
	bytes = ownership_encode(&rig.own, &length);
	assert_int_equal(ownership_decode(&copy, bytes, length), 0);
	assert_int_equal(copy.count, 5);
	assert_memory_equal(copy.volumes[0], rig.own.volumes[0], sizeof(struct own_volume));
	assert_memory_equal(copy.volumes[4], rig.own.volumes[4], sizeof(struct own_volume));
	again = ownership_encode(&copy, &length2);
	assert_int_equal(length, length2);
	assert_memory_equal(bytes, again, length);
	free(again);
	free(bytes);
	ownership_exit(&copy);
	rig_exit(&rig);
}

static void test_cut(void **state)
{
	struct ownership copy;
	uint8_t *bytes, *part;
	static struct rig rig;
	size_t length, i;

	(void)state;
	busy(&rig);
	bytes = ownership_encode(&rig.own, &length);
	for (i = 0; i < length; i++) {
		/* In memory of its own: a byte too far is noticed. */
		part = malloc(i ? i : 1);
		memcpy(part, bytes, i);
		assert_int_equal(ownership_decode(&copy, part, i), -EBADMSG);
		free(part);
	}
	bytes = realloc(bytes, length + 1);
	bytes[length] = 0;
	assert_int_equal(ownership_decode(&copy, bytes, length + 1), -EBADMSG);
	free(bytes);
	rig_exit(&rig);
}

static void test_version(void **state)
{
	struct ownership copy;
	uint8_t *bytes;
	static struct rig rig;
	size_t length;

	(void)state;
	rig_init(&rig, 1);
	bytes = ownership_encode(&rig.own, &length);
	bytes[4]++;
	assert_int_equal(ownership_decode(&copy, bytes, length), -EPROTO);
	bytes[0]++;
	assert_int_equal(ownership_decode(&copy, bytes, length), -EBADMSG);
	free(bytes);
	rig_exit(&rig);
}

/* Whatever is let in does no harm: it is stepped through, under the sanitizers. */
static void try_bytes(const uint8_t *bytes, size_t length)
{
	struct own_event event = { .type = OWN_EV_VIEW, .nodes = 7, .up = 7, .quorate = true };
	struct own_actions actions = { 0 };
	struct ownership copy;

	if (ownership_decode(&copy, bytes, length))
		return;
	ownership_step(&copy, &event, &actions);
	event = (struct own_event){ .type = OWN_EV_VIEW, .nodes = 2, .up = 2, .quorate = true };
	ownership_step(&copy, &event, &actions);
	free(actions.list);
	ownership_exit(&copy);
}

static void test_garbage(void **state)
{
	uint8_t *bytes, *broken;
	static struct rig rig;
	size_t length, i;
	int round;

	(void)state;
	busy(&rig);
	bytes = ownership_encode(&rig.own, &length);
	broken = malloc(length);
	srand(1);
	for (round = 0; round < 20000; round++) {
		memcpy(broken, bytes, length);
		for (i = 1 + rand() % 4; i; i--)
			broken[rand() % length] = rand();
		try_bytes(broken, length);
	}
	free(broken);
	free(bytes);
	rig_exit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
