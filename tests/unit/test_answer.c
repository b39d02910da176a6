// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol-layout's answers: above all the order of reading, making stable and granting.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/layout/answer.h"
#include "fake_kernel.h"
#include "test.h"
#include "wrap.h"

/* ---- file systems that are played, and the order of what is done to them ---- */

static char journal[4096];

__attribute__((format(printf, 1, 2)))
static void note(const char *format, ...)
{
	size_t used = strlen(journal);
	va_list args;

	va_start(args, format);
	vsnprintf(journal + used, sizeof(journal) - used, format, args);
	va_end(args);
}

/* Extents of 4 KiB, every second one a hole. */
#define UNIT	4096

static int read_error, sync_error, bad_fd;

int __wrap_covol_layout_read(int fd, uint64_t offset, uint64_t length, covol_extent_fn fn,
			     void *data)
{
	struct covol_extent extent;
	uint64_t at;
	int result;

	note("read %d; ", fd);
	if (read_error && fd == bad_fd)
		return read_error;
	for (at = offset; at < offset + length; at += UNIT) {
		extent = (struct covol_extent) {
			.offset = at, .length = UNIT,
			.state = at / UNIT % 2 ? COVOL_EXTENT_STATE_HOLE :
						 COVOL_EXTENT_STATE_DATA,
			.place = at / UNIT % 2 ? 0 : at + 1000 * UNIT,
		};
		result = fn(&extent, data);
		if (result)
			return result;
	}
	return 0;
}

int __wrap_fsync(int fd)
{
	note("sync %d; ", fd);
	if (!sync_error || fd != bad_fd)
		return 0;
	errno = -sync_error;
	return -1;
}

static struct image images[] = {
	{ .id = 1, .path = "a.img", .fd = 101 },
	{ .id = 2, .path = "b.img", .fd = 102 },
};

static struct helper helper;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	journal[0] = '\0';
	read_error = 0;
	sync_error = 0;
	bad_fd = 101;
	helper = (struct helper) { .uuid = fake_uuid, .images = images, .count = 2 };
	return covol_open(&helper.c);
}

static int teardown(void **state)
{
	(void)state;
	queue_clear(&helper.queue);
	covol_close(helper.c);
	fake_reset();
	return 0;
}

static struct covol_event wanted(uint64_t object, uint32_t peer, uint64_t seq, uint64_t offset,
				 uint64_t length)
{
	return (struct covol_event) {
		.type = COVOL_CMD_LAYOUT_WANTED,
		.present = 1U << COVOL_A_EVENT_UUID | 1U << COVOL_A_EVENT_OBJECT |
			   1U << COVOL_A_EVENT_PEER | 1U << COVOL_A_EVENT_SEQ |
			   1U << COVOL_A_EVENT_OFFSET | 1U << COVOL_A_EVENT_LENGTH,
		.uuid = fake_uuid, .object = object, .peer = peer, .seq = seq,
		.offset = offset, .length = length,
	};
}

static void want(uint64_t object, uint32_t peer, uint64_t seq, uint64_t offset, uint64_t length)
{
	struct covol_event event = wanted(object, peer, seq, offset, length);

	assert_int_equal(take_event(&event, &helper), 0);
}

static void assert_set(size_t request, uint64_t object, uint32_t peer, uint64_t seq,
		       uint64_t offset, uint64_t length)
{
	struct nlattr **sent = fake_request(request, COVOL_CMD_MAP_SET);

	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OBJECT]), object);
	assert_int_equal(nla_get_u32(sent[COVOL_A_MAP_PEER]), peer);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_SEQ]), seq);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OFFSET]), offset);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_LENGTH]), length);
}

/* I2: FIEMAP, then fsync, then the grant. Nothing is granted before the last fsync. */
static void test_order(void **state)
{
	(void)state;
	want(1, 2, 5, 0, 4 * UNIT);
	want(2, 3, 6, 8 * UNIT, UNIT);
	assert_int_equal(answer_queued(&helper), 0);
	assert_string_equal(journal, "read 101; read 102; sync 101; sync 102; ");
	assert_int_equal(fake_requests(), 2);
	assert_set(0, 1, 2, 5, 0, 4 * UNIT);
	assert_set(1, 2, 3, 6, 8 * UNIT, UNIT);
	assert_int_equal(helper.answered, 2);
	assert_null(helper.queue.first);
}

/* One fsync of a file serves all that were read before it. */
static void test_shared_sync(void **state)
{
	(void)state;
	want(1, 2, 5, 0, UNIT);
	want(1, 3, 6, 0, UNIT);
	want(1, 2, 7, 100 * UNIT, UNIT);
	assert_int_equal(answer_queued(&helper), 0);
	assert_string_equal(journal, "read 101; read 101; read 101; sync 101; ");
	assert_int_equal(fake_requests(), 3);
}

/* What was merged is granted with the lowest sequence. */
static void test_merged(void **state)
{
	(void)state;
	want(1, 2, 9, 0, UNIT);
	want(1, 2, 7, UNIT, UNIT);
	assert_int_equal(answer_queued(&helper), 0);
	assert_int_equal(fake_requests(), 1);
	assert_set(0, 1, 2, 7, 0, 2 * UNIT);
}

/* Without a stable mapping there is no grant; other files are not disturbed. */
static void test_sync_fails(void **state)
{
	(void)state;
	sync_error = -EIO;
	want(1, 2, 5, 0, UNIT);
	want(2, 2, 5, 0, UNIT);
	assert_int_equal(answer_queued(&helper), 0);
	assert_int_equal(fake_requests(), 1);
	assert_set(0, 2, 2, 5, 0, UNIT);
	assert_int_equal(helper.answered, 2);
}

static void test_read_fails(void **state)
{
	(void)state;
	read_error = -EOPNOTSUPP;
	want(1, 2, 5, 0, UNIT);
	want(2, 2, 5, 0, UNIT);
	assert_int_equal(answer_queued(&helper), 0);
	assert_string_equal(journal, "read 101; read 102; sync 102; ");
	assert_int_equal(fake_requests(), 1);
	assert_set(0, 2, 2, 5, 0, UNIT);
}

/* A peer that has gone meanwhile does not keep the others from their grants. */
static void test_set_refused(void **state)
{
	(void)state;
	want(1, 2, 5, 0, UNIT);
	want(1, 3, 5, 0, UNIT);
	fake_refuse(-ENOTCONN, "peer: no session with this node", 0, 0);
	assert_int_equal(answer_queued(&helper), 0);
	assert_int_equal(fake_requests(), 2);
	assert_int_equal(helper.answered, 2);
}

/* Events of others, of other kinds, and those that lack something. */
static void test_not_ours(void **state)
{
	struct covol_event event = wanted(1, 2, 5, 0, UNIT);

	(void)state;
	event.type = COVOL_CMD_RECALL_TIMEOUT;
	assert_int_equal(take_event(&event, &helper), 0);
	event = wanted(1, 2, 5, 0, UNIT);
	event.uuid.bytes[0] ^= 1;
	assert_int_equal(take_event(&event, &helper), 0);
	want(3, 2, 5, 0, UNIT);
	event = wanted(1, 2, 5, 0, UNIT);
	event.present &= ~(1U << COVOL_A_EVENT_SEQ);
	assert_int_equal(take_event(&event, &helper), 0);
	want(1, 2, 5, 0, 0);
	want(1, 2, 5, UINT64_MAX - 10, 20);
	assert_null(helper.queue.first);
}

/*
 * More extents than a round may hold: the range is granted piece by piece, in several rounds,
 * without a gap, each with the sequence that was given.
 */
static void test_huge_range(void **state)
{
	const uint64_t length = 200000ULL * UNIT;
	uint64_t at = 0;
	struct nlattr **sent;
	size_t i, rounds = 0, before;

	(void)state;
	want(1, 2, 5, 0, length);
	want(2, 2, 6, 0, UNIT);
	while (helper.queue.first) {
		before = strlen(journal);
		assert_int_equal(answer_queued(&helper), 0);
		assert_non_null(strstr(journal + before, "sync"));
		assert_true(++rounds < 20);
	}
	assert_true(rounds > 1);
	for (i = 0; i < fake_requests(); i++) {
		sent = fake_request(i, COVOL_CMD_MAP_SET);
		if (nla_get_u64(sent[COVOL_A_MAP_OBJECT]) != 1)
			continue;
		assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_SEQ]), 5);
		assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OFFSET]), at);
		at += nla_get_u64(sent[COVOL_A_MAP_LENGTH]);
	}
	assert_int_equal(at, length);
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_shared_sync),
		TEST(test_merged),
		TEST(test_sync_fails),
		TEST(test_read_fails),
		TEST(test_set_refused),
		TEST(test_not_ours),
		TEST(test_huge_range),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
