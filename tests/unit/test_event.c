// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events, as libcovol hands them on.
 */
#include <errno.h>
#include <string.h>

#include "fake_kernel.h"
#include "test.h"

static struct covol *c;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return covol_open(&c);
}

static int teardown(void **state)
{
	(void)state;
	covol_close(c);
	fake_reset();
	return 0;
}

struct events {
	struct covol_event event[16];
	size_t count;
	size_t stop_at;
};

static int keep(const struct covol_event *event, void *data)
{
	struct events *events = data;

	events->event[events->count++] = *event;
	return events->count == events->stop_at ? 9 : 0;
}

static struct nl_msg *event_message(uint8_t command)
{
	struct nl_msg *message = fake_message(command, 0);

	nla_put(message, COVOL_A_EVENT_UUID, sizeof(fake_uuid), &fake_uuid);
	return message;
}

static void test_not_subscribed(void **state)
{
	struct events events = { .count = 0 };

	(void)state;
	assert_int_equal(covol_event_fd(c), -ENOTCONN);
	assert_int_equal(covol_event_receive(c, keep, &events), -ENOTCONN);
	assert_string_equal(covol_error(c), "events: not subscribed");
}

static void test_receive(void **state)
{
	struct events events = { .count = 0 };
	struct nl_msg *message = event_message(COVOL_CMD_LAYOUT_WANTED);

	(void)state;
	assert_int_equal(covol_event_subscribe(c), 0);
	assert_true(covol_event_fd(c) >= 0);
	assert_int_equal(covol_event_receive(c, keep, &events), 0);
	assert_int_equal(events.count, 0);

	nla_put_u64(message, COVOL_A_EVENT_OBJECT, 3);
	nla_put_u32(message, COVOL_A_EVENT_PEER, 2);
	nla_put_u64(message, COVOL_A_EVENT_SEQ, 17);
	nla_put_u64(message, COVOL_A_EVENT_OFFSET, 4096);
	nla_put_u64(message, COVOL_A_EVENT_LENGTH, 8192);
	fake_event(message);
	message = event_message(COVOL_CMD_PATH_LOST);
	nla_put_s32(message, COVOL_A_EVENT_ERROR, -ENOLINK);
	fake_event(message);
	assert_int_equal(covol_event_receive(c, keep, &events), 0);

	assert_int_equal(events.count, 2);
	assert_int_equal(events.event[0].type, COVOL_CMD_LAYOUT_WANTED);
	assert_memory_equal(&events.event[0].uuid, &fake_uuid, sizeof(fake_uuid));
	assert_int_equal(events.event[0].object, 3);
	assert_int_equal(events.event[0].peer, 2);
	assert_int_equal(events.event[0].seq, 17);
	assert_int_equal(events.event[0].offset, 4096);
	assert_int_equal(events.event[0].length, 8192);
	assert_true(covol_event_has(&events.event[0], COVOL_A_EVENT_SEQ));
	assert_false(covol_event_has(&events.event[0], COVOL_A_EVENT_ERROR));
	assert_int_equal(events.event[1].error, -ENOLINK);
	assert_false(covol_event_has(&events.event[1], COVOL_A_EVENT_OBJECT));
}

/* What makes no sense is passed over, and what comes after it is not lost. */
static void test_malformed(void **state)
{
	struct events events = { .count = 0 };
	struct nl_msg *message;

	(void)state;
	covol_event_subscribe(c);
	fake_event(fake_message(COVOL_CMD_PATH_LOST, 0)); /* no uuid */
	message = fake_message(COVOL_CMD_PATH_LOST, 0);
	nla_put(message, COVOL_A_EVENT_UUID, 3, "abc");
	fake_event(message);
	message = event_message(COVOL_CMD_PATH_LOST);
	nla_put(message, COVOL_A_EVENT_OBJECT, 3, "abc");
	fake_event(message);
	message = event_message(COVOL_CMD_PATH_LOST);
	nlmsg_hdr(message)->nlmsg_type = FAKE_FAMILY + 1;
	fake_event(message);
	message = event_message(COVOL_CMD_PATH_LOST);
	nlmsg_hdr(message)->nlmsg_len = NLMSG_HDRLEN; /* not even a generic header */
	fake_event(message);
	fake_event(event_message(COVOL_CMD_SESSION_LOST));
	assert_int_equal(covol_event_receive(c, keep, &events), 0);
	assert_int_equal(events.count, 1);
	assert_int_equal(events.event[0].type, COVOL_CMD_SESSION_LOST);
}

static void test_lost(void **state)
{
	struct events events = { .count = 0 };

	(void)state;
	covol_event_subscribe(c);
	fake_event_fail(-ENOBUFS);
	fake_event(event_message(COVOL_CMD_SESSION_LOST));
	assert_int_equal(covol_event_receive(c, keep, &events), -ENOBUFS);
	assert_int_equal(events.count, 0);
	assert_int_equal(covol_event_receive(c, keep, &events), 0);
	assert_int_equal(events.count, 1);
}

static void test_stop(void **state)
{
	struct events events = { .stop_at = 1 };

	(void)state;
	covol_event_subscribe(c);
	fake_event(event_message(COVOL_CMD_SESSION_LOST));
	fake_event(event_message(COVOL_CMD_PATH_LOST));
	assert_int_equal(covol_event_receive(c, keep, &events), 9);
	assert_int_equal(covol_event_receive(c, keep, &events), 0);
	assert_int_equal(events.count, 2);
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_not_subscribed),
		TEST(test_receive),
		TEST(test_malformed),
		TEST(test_lost),
		TEST(test_stop),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
