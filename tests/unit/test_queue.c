// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue of wanted layouts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/layout/queue.h"
#include "test.h"

static int add(struct queue *queue, uint64_t object, uint32_t peer, uint64_t seq, uint64_t offset,
	       uint64_t end)
{
	struct wanted wanted = {
		.object = object, .peer = peer, .seq = seq, .offset = offset, .end = end,
	};

	return queue_add(queue, &wanted);
}

static void assert_next(struct queue *queue, uint64_t object, uint32_t peer, uint64_t seq,
			uint64_t offset, uint64_t end)
{
	struct wanted *wanted = queue_take(queue);

	assert_non_null(wanted);
	assert_int_equal(wanted->object, object);
	assert_int_equal(wanted->peer, peer);
	assert_int_equal(wanted->seq, seq);
	assert_int_equal(wanted->offset, offset);
	assert_int_equal(wanted->end, end);
	free(wanted);
}

static void assert_empty(struct queue *queue)
{
	assert_int_equal(queue->length, 0);
	assert_null(queue_take(queue));
}

static void test_order(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	assert_empty(&queue);
	assert_int_equal(add(&queue, 1, 2, 5, 1000, 2000), 0);
	assert_int_equal(add(&queue, 1, 2, 6, 5000, 6000), 0);
	assert_int_equal(add(&queue, 1, 2, 7, 0, 500), 0);
	assert_next(&queue, 1, 2, 5, 1000, 2000);
	assert_next(&queue, 1, 2, 6, 5000, 6000);
	assert_next(&queue, 1, 2, 7, 0, 500);
	assert_empty(&queue);
}

/* What touches or overlaps is one, with the lowest sequence. */
static void test_merge(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	add(&queue, 1, 2, 9, 1000, 2000);
	add(&queue, 1, 2, 7, 2000, 3000);
	add(&queue, 1, 2, 8, 500, 1500);
	assert_int_equal(queue.length, 1);
	add(&queue, 1, 2, 12, 600, 700);
	assert_int_equal(queue.length, 1);
	assert_next(&queue, 1, 2, 7, 500, 3000);
	assert_empty(&queue);
}

/* Another image or another node is another matter. */
static void test_apart(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	add(&queue, 1, 2, 1, 0, 1000);
	add(&queue, 1, 3, 2, 0, 1000);
	add(&queue, 2, 2, 3, 0, 1000);
	add(&queue, 1, 2, 4, 1001, 2000);
	assert_int_equal(queue.length, 4);
	queue_clear(&queue);
	assert_empty(&queue);
}

/* One that joins two: they become one, at the place of the older. */
static void test_bridge(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	add(&queue, 1, 2, 10, 0, 1000);
	add(&queue, 5, 2, 1, 0, 1000);
	add(&queue, 1, 2, 8, 2000, 3000);
	add(&queue, 1, 2, 12, 4000, 5000);
	add(&queue, 1, 2, 11, 500, 4000);
	assert_int_equal(queue.length, 2);
	assert_next(&queue, 1, 2, 8, 0, 5000);
	assert_next(&queue, 5, 2, 1, 0, 1000);
	assert_empty(&queue);
}

static void test_senseless(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	assert_int_equal(add(&queue, 1, 2, 1, 1000, 1000), -EINVAL);
	assert_int_equal(add(&queue, 1, 2, 1, 1000, 999), -EINVAL);
	assert_empty(&queue);
}

/* Random ranges against an array: what was wanted is covered, with no later sequence than given. */
#define UNITS	64

static void check_random(struct queue *queue, const uint64_t lowest[2][UNITS])
{
	bool covered[2][UNITS] = { 0 };
	struct wanted *wanted;
	uint64_t at;

	while ((wanted = queue_take(queue))) {
		for (at = wanted->offset; at < wanted->end; at++) {
			assert_true(lowest[wanted->peer][at] != UINT64_MAX);
			assert_true(wanted->seq <= lowest[wanted->peer][at]);
			assert_false(covered[wanted->peer][at]);
			covered[wanted->peer][at] = true;
		}
		/* Nothing that it could have been merged with is left beside it. */
		assert_true(wanted->end == UNITS || !covered[wanted->peer][wanted->end]);
		assert_true(!wanted->offset || !covered[wanted->peer][wanted->offset - 1]);
		free(wanted);
	}
	for (at = 0; at < 2 * UNITS; at++)
		assert_int_equal(covered[at / UNITS][at % UNITS],
				 lowest[at / UNITS][at % UNITS] != UINT64_MAX);
}

static void test_random(void **state)
{
	struct queue queue = { 0 };
	uint64_t lowest[2][UNITS], begin, end, seq, at;
	int round, i;
	uint32_t peer;

	(void)state;
	for (round = 0; round < 2000; round++) {
		srand(round);
		memset(lowest, 0xff, sizeof(lowest));
		for (i = rand() % 30; i; i--) {
			peer = rand() % 2;
			seq = rand() % 100;
			begin = rand() % UNITS;
			end = begin + 1 + rand() % 6;
			if (end > UNITS)
				end = UNITS;
			assert_int_equal(add(&queue, 7, peer, seq, begin, end), 0);
			for (at = begin; at < end; at++)
				if (seq < lowest[peer][at])
					lowest[peer][at] = seq;
		}
		check_random(&queue, (const uint64_t (*)[UNITS])lowest);
		assert_empty(&queue);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_senseless),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
