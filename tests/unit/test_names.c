// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and uuids.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <covol/libcovol.h>

#include "test.h"

/* Every value has a name, and the name leads back to it. */
static void test_round_trips(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i <= COVOL_ROLE_COORDINATOR; i++)
		assert_int_equal(covol_role_parse(covol_role_name(i)), i);
	for (i = 0; i <= COVOL_ROUTE_UNAVAILABLE; i++)
		assert_int_equal(covol_route_parse(covol_route_name(i)), i);
	for (i = 0; i <= COVOL_EXTENT_STATE_DATA; i++)
		assert_int_equal(covol_extent_state_parse(covol_extent_state_name(i)), i);
}

/* The words are part of the interface: scripts compare them. */
static void test_words(void **state)
{
	(void)state;
	assert_string_equal(covol_role_name(COVOL_ROLE_COORDINATOR), "coordinator");
	assert_string_equal(covol_route_name(COVOL_ROUTE_FS_REDIRECTED), "fs-redirected");
	assert_string_equal(covol_route_name(COVOL_ROUTE_BLOCK_REDIRECTED), "block-redirected");
	assert_string_equal(covol_extent_state_name(COVOL_EXTENT_STATE_UNWRITTEN), "unwritten");
	assert_string_equal(covol_session_state_name(COVOL_SESSION_STATE_LIVE), "live");
	assert_string_equal(covol_session_state_name(COVOL_SESSION_STATE_CLOSING), "closing");
	assert_string_equal(covol_reason_name(COVOL_REASON_NO_DISK_PATH), "no-disk-path");
	assert_string_equal(covol_event_name(COVOL_CMD_LAYOUT_WANTED), "layout-wanted");
	assert_string_equal(covol_event_name(COVOL_CMD_PATH_LOST), "path-lost");
	assert_string_equal(covol_event_name(COVOL_CMD_SESSION_LOST), "session-lost");
	assert_string_equal(covol_event_name(COVOL_CMD_RECALL_TIMEOUT), "recall-timeout");
	assert_string_equal(covol_event_name(COVOL_CMD_ROUTE_CHANGED), "route-changed");
}

static void test_unknown(void **state)
{
	(void)state;
	assert_string_equal(covol_route_name(COVOL_ROUTE_UNAVAILABLE + 1), "?");
	assert_string_equal(covol_route_name(UINT32_MAX), "?");
	assert_string_equal(covol_event_name(COVOL_CMD_VOLUME_NEW), "?");
	assert_string_equal(covol_reason_name(0), "?");
	assert_string_equal(covol_reason_name(COVOL_REASON_ADMIN | COVOL_REASON_MOVING), "?");
	assert_int_equal(covol_route_parse(""), -EINVAL);
	assert_int_equal(covol_route_parse("Direct"), -EINVAL);
	assert_int_equal(covol_route_parse("?"), -EINVAL);
}

static void test_reasons(void **state)
{
	char text[128], small[8];

	(void)state;
	assert_string_equal(covol_reasons_format(0, ",", text, sizeof(text)), "");
	assert_string_equal(covol_reasons_format(COVOL_REASON_ADMIN, ",", text, sizeof(text)),
			    "admin");
	assert_string_equal(covol_reasons_format(COVOL_REASON_ADMIN | COVOL_REASON_STALE_EPOCH |
						 0x80000000, ", ", text, sizeof(text)),
			    "admin, stale-epoch, 0x80000000");
	/* All of them fit where the header says that they do. */
	covol_reasons_format(UINT32_MAX, ", ", text, sizeof(text));
	assert_non_null(strstr(text, "fenced, 0xffffffc0"));
	/* What does not fit is cut, and terminated. */
	covol_reasons_format(UINT32_MAX, ", ", small, sizeof(small));
	assert_string_equal(small, "admin, ");
}

static void test_uuid_round_trip(void **state)
{
	struct covol_uuid uuid;
	char text[COVOL_UUID_TEXT_LEN];

	(void)state;
	assert_int_equal(covol_uuid_parse("01234567-89aB-CDEF-0011-2233445566fF", &uuid), 0);
	assert_int_equal(uuid.bytes[0], 0x01);
	assert_int_equal(uuid.bytes[3], 0x67);
	assert_int_equal(uuid.bytes[6], 0xcd);
	assert_int_equal(uuid.bytes[15], 0xff);
	assert_string_equal(covol_uuid_format(&uuid, text), "01234567-89ab-cdef-0011-2233445566ff");
}

static void test_uuid_malformed(void **state)
{
	static const char *const words[] = {
		"", "0", "01234567-89ab-cdef-0011-2233445566f",
		"01234567-89ab-cdef-0011-2233445566fff", "01234567089ab-cdef-0011-2233445566ff",
		"01234567-89ab-cdef-0011-2233445566fg", "0123456-789ab-cdef-0011-2233445566ff",
		" 1234567-89ab-cdef-0011-2233445566ff", "{1234567-89ab-cdef-0011-2233445566f}",
		"01234567-89ab-cdef-0011-2233445566f-",
	};
	struct covol_uuid uuid, before;
	size_t i;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		uuid = before;
		assert_int_equal(covol_uuid_parse(words[i], &uuid), -EINVAL);
		assert_memory_equal(&uuid, &before, sizeof(uuid));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_uuid_round_trip),
		cmocka_unit_test(test_uuid_malformed),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
