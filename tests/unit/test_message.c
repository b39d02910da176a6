// SPDX-License-Identifier: GPL-2.0-only
/*
 * What agents tell each other, as bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/covold/message.h"
#include "test.h"

#define BOOT	0xfedcba9876543210

static const struct message an_event = {
	.type = MESSAGE_EVENT,
	.round = 0x1122334455667788,
	.request = 77,
	.event = {
		.type = OWN_EV_ADD,
		.node = 64,
		.volume = 0xfedcba98,
		.serial = UINT64_MAX,
		.result = OWN_CONFLICT,
		.timer = OWN_TIMER_AGENT,
		.incarnation = 5,
		.epoch = 6,
		.nodes = 7,
		.excluded = 1ULL << 63,
		.on = true,
		.uuid = { 1, 2, 3 },
		.name = "thirty-one characters long name",
	},
};

static void test_event(void **state)
{
	uint8_t bytes[MESSAGE_MAX];
	struct message read;
	size_t length = message_encode(&an_event, bytes), cut;

	(void)state;
	assert_int_equal(message_decode(&read, bytes, length), 0);
	assert_int_equal(read.type, an_event.type);
	assert_true(read.round == an_event.round);
	assert_true(read.request == an_event.request);
	assert_memory_equal(&read.event, &an_event.event, sizeof(read.event));
	for (cut = 0; cut < length; cut++)
		assert_int_equal(message_decode(&read, bytes, cut), -EBADMSG);
	assert_int_equal(message_decode(&read, bytes, length + 1), -EBADMSG);
}

static void test_begin(void **state)
{
	struct message begin = { .type = MESSAGE_BEGIN, .round = 9 }, read;
	uint8_t bytes[MESSAGE_MAX];
	size_t length = message_encode(&begin, bytes);

	(void)state;
	assert_int_equal(message_decode(&read, bytes, length), 0);
	assert_int_equal(read.type, MESSAGE_BEGIN);
	assert_true(read.round == 9);
	/* No round has the number 0. */
	begin.round = 0;
	length = message_encode(&begin, bytes);
	assert_int_equal(message_decode(&read, bytes, length), -EBADMSG);
}

static int offer(uint64_t boot, uint32_t total, uint32_t offset, size_t length,
		 struct message *read)
{
	static uint8_t piece[MESSAGE_PIECE], bytes[MESSAGE_MAX];
	struct message message = {
		.type = MESSAGE_OFFER, .round = 3, .boot = boot, .stayed = 5,
		.total = total, .offset = offset, .piece = piece, .length = length,
	};

	memset(piece, 0xab, sizeof(piece));
	return message_decode(read, bytes, message_encode(&message, bytes));
}

static void test_offer(void **state)
{
	struct message read;

	(void)state;
	assert_int_equal(offer(BOOT, MESSAGE_PIECE + 10, 10, MESSAGE_PIECE, &read), 0);
	assert_true(read.boot == BOOT);
	assert_false(read.quorate);
	assert_true(read.stayed == 5);
	assert_int_equal(read.total, MESSAGE_PIECE + 10);
	assert_int_equal(read.offset, 10);
	assert_int_equal(read.length, MESSAGE_PIECE);
	assert_int_equal(read.piece[MESSAGE_PIECE - 1], 0xab);
	/* No boot. */
	assert_int_equal(offer(0, 10, 0, 10, &read), -EBADMSG);
	/* Nothing, beyond the end, and more than any state. */
	assert_int_equal(offer(BOOT, 10, 0, 0, &read), -EBADMSG);
	assert_int_equal(offer(BOOT, 10, 0, 11, &read), -EBADMSG);
	assert_int_equal(offer(BOOT, 10, 5, 6, &read), -EBADMSG);
	assert_int_equal(offer(BOOT, 10, 11, 1, &read), -EBADMSG);
	assert_int_equal(offer(BOOT, UINT32_MAX, UINT32_MAX - 5, 6, &read), -EBADMSG);
}

static int changed(size_t at, uint8_t value)
{
	uint8_t bytes[MESSAGE_MAX];
	struct message read;
	size_t length = message_encode(&an_event, bytes);

	bytes[at] = value;
	return message_decode(&read, bytes, length);
}

static void test_refused(void **state)
{
	enum { VERSION = 4, TYPE = 6, EVENT = 24, RESULT, TIMER, NODE, ON };

	(void)state;
	assert_int_equal(changed(0, 0), -EBADMSG);
	assert_int_equal(changed(VERSION, 99), -EPROTO);
	/* The one before: its agents know nothing of boot ids. */
	assert_int_equal(changed(VERSION, 3), -EPROTO);
	assert_int_equal(changed(TYPE, 0), -EBADMSG);
	assert_int_equal(changed(TYPE, 4), -EBADMSG);
	assert_int_equal(changed(EVENT, OWN_EVENTS), -EBADMSG);
	assert_int_equal(changed(RESULT, OWN_RESULTS), -EBADMSG);
	assert_int_equal(changed(TIMER, OWN_TIMERS), -EBADMSG);
	assert_int_equal(changed(NODE, OWN_NODES + 1), -EBADMSG);
	assert_int_equal(changed(ON, 2), -EBADMSG);
	/* Who is here is not for a member to say. */
	assert_int_equal(changed(EVENT, OWN_EV_VIEW), -EBADMSG);
	/* A name that does not end. */
	assert_int_equal(changed(24 + 5 + 4 + 5 * 8 + 16 + 31, 'x'), -EBADMSG);
	assert_int_equal(changed(24 + 5 + 4 + 5 * 8 + 16, 'x'), 0);
}

static void test_noise(void **state)
{
	uint8_t bytes[200];
	struct message read;
	size_t i;
	int round;

	(void)state;
	srandom(7);
	for (round = 0; round < 20000; round++) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = random();
		/* With a good head, so that the rest is looked at. */
		memcpy(bytes, "COVD\4\0", 6);
		bytes[6] = random() % 5;
		bytes[7] = 0;
		message_decode(&read, bytes, random() % sizeof(bytes));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event), cmocka_unit_test(test_begin),
		cmocka_unit_test(test_offer), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
