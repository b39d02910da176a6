// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which connections make a session together.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../userspace/covold/lanes.h"
#include "test.h"

#define NUMBER	0x1234567890abcdefULL
#define OTHER	(NUMBER + 1)
#define SECOND	1000000ULL

static struct lanes lanes;
static struct lanes_set whole;
static uint64_t accepted;

static int setup(void **state)
{
	(void)state;
	memset(&lanes, 0, sizeof(lanes));
	memset(&whole, 0, sizeof(whole));
	accepted = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lanes_free(&lanes);
	return 0;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int connection(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/*
 * A lane comes as @offer says, which was accepted after all others unless @offer says otherwise; if
 * it is taken its descriptor is in *kept.
 */
static enum lanes_result come(struct lanes_offer offer, uint64_t now, int *kept)
{
	int fd = connection();
	enum lanes_result result;

	if (!offer.accepted)
		offer.accepted = ++accepted;
	result = lanes_put(&lanes, &offer, fd, now, &whole);
	assert_true(is_open(fd));
	if (result == LANES_WAIT || result == LANES_WHOLE) {
		assert_string_equal(lanes_word(result), "");
		if (kept)
			*kept = fd;
	} else {
		assert_true(*lanes_word(result));
		close(fd);
	}
	return result;
}

static enum lanes_result lane(uint64_t number, unsigned int count, unsigned int place, int *kept)
{
	return come((struct lanes_offer) { 2, 7, number, count, place }, 0, kept);
}

/* One that was accepted as the first of all. */
static enum lanes_result late(uint64_t number, unsigned int count, unsigned int place)
{
	return come((struct lanes_offer) { 2, 7, number, count, place, 1 }, 0, NULL);
}

static void close_whole(void)
{
	unsigned int i;

	for (i = 0; i < whole.count; i++)
		assert_int_equal(close(whole.fd[i]), 0);
}

/* Alone, it waits for nobody. */
static void test_one(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(lane(NUMBER, 1, 0, &fd), LANES_WHOLE);
	assert_int_equal(whole.count, 1);
	assert_int_equal(whole.fd[0], fd);
	assert_true(lanes_wanted(&lanes, 2, NUMBER));
	assert_false(lanes_wanted(&lanes, 2, OTHER));
	assert_false(lanes_wanted(&lanes, 3, NUMBER));
	/* It is the caller's. */
	lanes_free(&lanes);
	assert_true(is_open(fd));
	close_whole();
}

/* In whatever order they come, they are handed out in their own. */
static void test_order(void **state)
{
	static const unsigned int orders[][4] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 2, 0, 3, 1 }, { 1, 3, 0, 2 },
	};
	size_t i, j;
	int fd[4];

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		for (j = 0; j < 4; j++) {
			assert_false(lanes_wanted(&lanes, 2, NUMBER + i));
			assert_int_equal(lane(NUMBER + i, 4, orders[i][j], &fd[orders[i][j]]),
					 j < 3 ? LANES_WAIT : LANES_WHOLE);
		}
		assert_int_equal(whole.count, 4);
		assert_memory_equal(whole.fd, fd, sizeof(fd));
		assert_true(lanes_wanted(&lanes, 2, NUMBER + i));
		close_whole();
	}
}

static void test_most(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < COVOL_LANES_MAX; i++)
		assert_int_equal(lane(NUMBER, COVOL_LANES_MAX, i, NULL),
				 i < COVOL_LANES_MAX - 1 ? LANES_WAIT : LANES_WHOLE);
	assert_int_equal(whole.count, COVOL_LANES_MAX);
	close_whole();
}

static void test_no_such(void **state)
{
	(void)state;
	assert_int_equal(lane(NUMBER, 0, 0, NULL), LANES_WRONG);
	assert_int_equal(lane(NUMBER, 1, 1, NULL), LANES_WRONG);
	assert_int_equal(lane(NUMBER, 4, 4, NULL), LANES_WRONG);
	assert_int_equal(lane(NUMBER, 4, UINT16_MAX, NULL), LANES_WRONG);
	assert_int_equal(lane(NUMBER, COVOL_LANES_MAX + 1, 0, NULL), LANES_WRONG);
	assert_int_equal(lane(NUMBER, UINT16_MAX, 0, NULL), LANES_WRONG);
	/* Which is what nothing has. */
	assert_int_equal(lane(0, 1, 0, NULL), LANES_OVER);
}

/* What came first stays, and the session can still become whole. */
static void test_twice(void **state)
{
	int first, second;

	(void)state;
	assert_int_equal(lane(NUMBER, 2, 1, &first), LANES_WAIT);
	assert_int_equal(lane(NUMBER, 2, 1, NULL), LANES_TWICE);
	assert_int_equal(lane(NUMBER, 2, 0, &second), LANES_WHOLE);
	assert_int_equal(whole.fd[0], second);
	assert_int_equal(whole.fd[1], first);
	/* Too many. */
	assert_int_equal(lane(NUMBER, 2, 0, NULL), LANES_OVER);
	assert_int_equal(lane(NUMBER, 2, 1, NULL), LANES_OVER);
	assert_true(lanes_wanted(&lanes, 2, NUMBER));
	close_whole();
}

/* The same number of another node is another session. */
static void test_other_node(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(lane(NUMBER, 2, 0, &fd[0]), LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { 3, 7, NUMBER, 2, 1 }, 0, NULL), LANES_WAIT);
	assert_int_equal(lane(NUMBER, 2, 1, &fd[1]), LANES_WHOLE);
	assert_memory_equal(whole.fd, fd, sizeof(fd));
	assert_false(lanes_wanted(&lanes, 3, NUMBER));
	close_whole();
}

static void test_other_words(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(lane(NUMBER, 2, 0, &fd[0]), LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { 2, 8, NUMBER, 2, 1 }, 0, NULL), LANES_OTHER);
	assert_int_equal(come((struct lanes_offer) { 2, 6, NUMBER, 2, 1 }, 0, NULL), LANES_OTHER);
	assert_int_equal(lane(NUMBER, 3, 2, NULL), LANES_OTHER);
	assert_int_equal(lane(NUMBER, 3, 1, NULL), LANES_OTHER);
	assert_int_equal(lane(NUMBER, 1, 0, NULL), LANES_OTHER);
	assert_int_equal(lane(NUMBER, 2, 1, &fd[1]), LANES_WHOLE);
	assert_memory_equal(whole.fd, fd, sizeof(fd));
	close_whole();
}

/* Half of one, then another: of the first nothing is left, and what comes late is refused. */
static void test_another(void **state)
{
	int old[2], fd[3];

	(void)state;
	assert_int_equal(lane(NUMBER, 3, 0, &old[0]), LANES_WAIT);
	assert_int_equal(lane(NUMBER, 3, 2, &old[1]), LANES_WAIT);
	assert_int_equal(lane(OTHER, 3, 1, &fd[1]), LANES_WAIT);
	assert_false(is_open(old[0]) || is_open(old[1]));
	assert_int_equal(late(NUMBER, 3, 1), LANES_OVER);
	assert_int_equal(lane(NUMBER, 3, 1, NULL), LANES_OVER);
	assert_int_equal(lane(OTHER, 3, 0, &fd[0]), LANES_WAIT);
	assert_int_equal(lane(OTHER, 3, 2, &fd[2]), LANES_WHOLE);
	assert_memory_equal(whole.fd, fd, sizeof(fd));
	assert_int_equal(late(NUMBER, 3, 1), LANES_OVER);
	assert_true(lanes_wanted(&lanes, 2, OTHER));
	close_whole();
}

/* However many have begun since: one that comes late replaces none of them (I3). */
static void test_much_later(void **state)
{
	(void)state;
	assert_int_equal(lane(NUMBER + 1, 2, 0, NULL), LANES_WAIT);
	assert_int_equal(lane(NUMBER + 2, 1, 0, NULL), LANES_WHOLE);
	close_whole();
	assert_int_equal(late(NUMBER, 1, 0), LANES_OVER);
	assert_int_equal(late(NUMBER + 1, 2, 1), LANES_OVER);
	assert_true(lanes_wanted(&lanes, 2, NUMBER + 2));
	/* Nor when that is over. */
	lanes_drop(&lanes, own_bit(2));
	assert_int_equal(late(NUMBER, 1, 0), LANES_OVER);
}

/* One that is whole, and not yet a session, is no longer wanted when another begins. */
static void test_older(void **state)
{
	(void)state;
	assert_int_equal(lane(NUMBER, 1, 0, NULL), LANES_WHOLE);
	close_whole();
	assert_int_equal(lane(OTHER, 2, 0, NULL), LANES_WAIT);
	assert_false(lanes_wanted(&lanes, 2, NUMBER));
	assert_false(lanes_wanted(&lanes, 2, OTHER));
	assert_int_equal(lane(OTHER, 2, 1, NULL), LANES_WHOLE);
	assert_true(lanes_wanted(&lanes, 2, OTHER));
	close_whole();
}

/* A node is given up, or this one ends to serve. */
static void test_drop(void **state)
{
	int two, three;

	(void)state;
	assert_int_equal(lane(NUMBER, 2, 0, &two), LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { 3, 7, OTHER, 2, 0 }, 0, &three), LANES_WAIT);
	lanes_drop(&lanes, own_bit(2) | own_bit(4));
	assert_false(is_open(two));
	assert_true(is_open(three));
	assert_int_equal(lane(NUMBER, 2, 1, NULL), LANES_OVER);
	assert_int_equal(lane(NUMBER, 2, 0, NULL), LANES_OVER);
	/* It begins anew. */
	assert_int_equal(lane(OTHER, 2, 0, &two), LANES_WAIT);
	lanes_drop(&lanes, ~(own_nodes)0);
	assert_false(is_open(two));
	assert_false(is_open(three));
	assert_int_equal(come((struct lanes_offer) { 3, 7, OTHER, 2, 1 }, 0, NULL), LANES_OVER);
	/* Also if it was whole. */
	assert_int_equal(lane(NUMBER + 2, 1, 0, NULL), LANES_WHOLE);
	close_whole();
	lanes_drop(&lanes, own_bit(3));
	assert_true(lanes_wanted(&lanes, 2, NUMBER + 2));
	lanes_drop(&lanes, own_bit(2));
	assert_false(lanes_wanted(&lanes, 2, NUMBER + 2));
	assert_int_equal(lane(NUMBER + 2, 1, 0, NULL), LANES_OVER);
}

/* Time counts from the first of a session's; what is whole does not grow old. */
static void test_expire(void **state)
{
	int fd[2], three;

	(void)state;
	assert_int_equal(come((struct lanes_offer) { 2, 7, NUMBER, 3, 0 }, 5 * SECOND, &fd[0]),
			 LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { 2, 7, NUMBER, 3, 1 }, 12 * SECOND, &fd[1]),
			 LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { 3, 7, NUMBER, 2, 0 }, 6 * SECOND, &three),
			 LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { 4, 7, NUMBER, 1, 0 }, 1 * SECOND, NULL),
			 LANES_WHOLE);
	close_whole();
	assert_int_equal(lanes_expire(&lanes, 15 * SECOND - 1, 10 * SECOND), 0);
	assert_true(is_open(fd[0]) && is_open(fd[1]) && is_open(three));
	assert_int_equal(lanes_expire(&lanes, 15 * SECOND, 10 * SECOND), 1);
	assert_false(is_open(fd[0]) || is_open(fd[1]));
	assert_true(is_open(three));
	assert_int_equal(lane(NUMBER, 3, 2, NULL), LANES_OVER);
	assert_int_equal(lanes_expire(&lanes, 99 * SECOND, 10 * SECOND), 1);
	assert_false(is_open(three));
	assert_int_equal(lanes_expire(&lanes, 99 * SECOND, 10 * SECOND), 0);
	assert_true(lanes_wanted(&lanes, 4, NUMBER));
}

/* The first and the last node; and nothing is left open at the end. */
static void test_end(void **state)
{
	int fd[3];

	(void)state;
	assert_int_equal(come((struct lanes_offer) { 1, 7, NUMBER, 2, 0 }, 0, &fd[0]), LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { OWN_NODES, 7, NUMBER, 2, 0 }, 0, &fd[1]),
			 LANES_WAIT);
	assert_int_equal(come((struct lanes_offer) { 33, 7, NUMBER, 2, 1 }, 0, &fd[2]), LANES_WAIT);
	lanes_drop(&lanes, own_bit(OWN_NODES));
	assert_false(is_open(fd[1]));
	lanes_free(&lanes);
	assert_false(is_open(fd[0]) || is_open(fd[2]));
	assert_null(lanes.first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one),	       TEST(test_order),      TEST(test_most),
		TEST(test_no_such),    TEST(test_twice),      TEST(test_other_node),
		TEST(test_other_words), TEST(test_another),   TEST(test_older),
		TEST(test_much_later), TEST(test_drop),       TEST(test_expire),
		TEST(test_end),
	};

	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
