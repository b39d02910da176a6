// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of the command line: sizes, numbers, objects, extents.
 */
#include <stdio.h>
#include <string.h>

#include "../../userspace/cli/cli.h"
#include "test.h"

struct size_case {
	const char *text;
	bool fine;
	uint64_t bytes;
};

static void test_sizes(void **state)
{
	static const struct size_case cases[] = {
		{ "0", true, 0 },
		{ "513", true, 513 },
		{ "1K", true, 1024 },
		{ "1k", true, 1024 },
		{ "64KiB", true, 65536 },
		{ "10M", true, 10 << 20 },
		{ "3GiB", true, 3ULL << 30 },
		{ "16T", true, 16ULL << 40 },
		{ "16383P", true, 16383ULL << 50 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false },
		{ "16384P", false },
		{ "18014398509481984K", false },
		{ "", false },
		{ "K", false },
		{ "-1", false },
		{ "+1", false },
		{ " 1", false },
		{ "1 ", false },
		{ "1KB", false },	/* 1000 or 1024? */
		{ "1Kib", false },
		{ "1KiBs", false },
		{ "1.5G", false },
		{ "0x10", false },
		{ "1E", false },
	};
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (parse_size(cases[i].text, &bytes) != cases[i].fine)
			fail_msg("\"%s\"", cases[i].text);
		if (cases[i].fine)
			assert_int_equal(bytes, cases[i].bytes);
	}
}

/* What is printed can be read again, and is the same number. */
static void test_size_round_trip(void **state)
{
	uint64_t bytes, again, i;
	char text[SIZE_TEXT_LEN];

	(void)state;
	for (i = 0; i < 64; i++) {
		bytes = 1ULL << i;
		assert_true(parse_size(format_size(bytes, text), &again));
		assert_int_equal(again, bytes);
		assert_true(parse_size(format_size(bytes - 1, text), &again));
		assert_int_equal(again, bytes - 1);
	}
	assert_string_equal(format_size(0, text), "0");
	assert_string_equal(format_size(1536, text), "1536");
	assert_string_equal(format_size(1025 * 1024, text), "1025K");
	assert_string_equal(format_size(UINT64_MAX, text), "18446744073709551615");
}

static void test_amounts(void **state)
{
	char text[SIZE_TEXT_LEN];

	(void)state;
	assert_string_equal(format_amount(0, text), "0");
	assert_string_equal(format_amount(1023, text), "1023");
	assert_string_equal(format_amount(1024, text), "1.0K");
	assert_string_equal(format_amount((1 << 20) - 1, text), "1.0M");
	assert_string_equal(format_amount(1610612736, text), "1.5G");
	assert_string_equal(format_amount(UINT64_MAX, text), "16384.0P");
}

static void test_numbers(void **state)
{
	uint64_t number;
	uint32_t node;

	(void)state;
	assert_null(parse_value(ARG_NODE, "1", &node));
	assert_int_equal(node, 1);
	assert_null(parse_value(ARG_NODE, "4294967295", &node));
	assert_int_equal(node, UINT32_MAX);
	assert_non_null(parse_value(ARG_NODE, "0", &node));
	assert_non_null(parse_value(ARG_NODE, "4294967296", &node));
	assert_non_null(parse_value(ARG_NODE, "1x", &node));
	assert_non_null(parse_value(ARG_NODE, "-1", &node));
	assert_non_null(parse_value(ARG_NODE, "", &node));
	assert_null(parse_value(ARG_NUMBER, "18446744073709551615", &number));
	assert_int_equal(number, UINT64_MAX);
	assert_non_null(parse_value(ARG_NUMBER, "18446744073709551616", &number));
	assert_non_null(parse_value(ARG_IMAGE, "0", &number));
	assert_null(parse_value(ARG_IMAGE, "1", &number));
	assert_non_null(parse_value(ARG_COUNT, "0", &node));
}

static void test_seconds(void **state)
{
	unsigned int ms;

	(void)state;
	assert_null(parse_value(ARG_SECONDS, "0", &ms));
	assert_int_equal(ms, 0);
	assert_null(parse_value(ARG_SECONDS, "0.25", &ms));
	assert_int_equal(ms, 250);
	assert_null(parse_value(ARG_SECONDS, "2592000", &ms));
	assert_int_equal(ms, 2592000000u);
	assert_non_null(parse_value(ARG_SECONDS, "2592001", &ms));
	assert_non_null(parse_value(ARG_SECONDS, "-1", &ms));
	assert_non_null(parse_value(ARG_SECONDS, "nan", &ms));
	assert_non_null(parse_value(ARG_SECONDS, "1s", &ms));
	assert_non_null(parse_value(ARG_SECONDS, "1e99", &ms));
}

static void test_objects(void **state)
{
	uint64_t object;
	char text[SIZE_TEXT_LEN];

	(void)state;
	assert_null(parse_value(ARG_OBJECT, "volume", &object));
	assert_int_equal(object, 0);
	assert_string_equal(format_object(object, text), "volume");
	assert_null(parse_value(ARG_OBJECT, "image:7", &object));
	assert_int_equal(object, 7);
	assert_string_equal(format_object(object, text), "image:7");
	assert_null(parse_value(ARG_OBJECT, "7", &object));
	assert_int_equal(object, 7);
	assert_null(parse_value(ARG_OBJECT, "0", &object));
	assert_int_equal(object, 0);
	assert_non_null(parse_value(ARG_OBJECT, "image:0", &object));
	assert_non_null(parse_value(ARG_OBJECT, "image:", &object));
	assert_non_null(parse_value(ARG_OBJECT, "volume:1", &object));
	assert_non_null(parse_value(ARG_OBJECT, "", &object));
}

static void test_extents(void **state)
{
	struct covol_extent extent;

	(void)state;
	assert_null(parse_extent("data:1M:64K:2G", &extent));
	assert_int_equal(extent.state, COVOL_EXTENT_STATE_DATA);
	assert_int_equal(extent.offset, 1 << 20);
	assert_int_equal(extent.length, 65536);
	assert_int_equal(extent.place, 2ULL << 30);
	assert_null(parse_extent("shared:0:1:2", &extent));
	assert_null(parse_extent("hole:0:512", &extent));
	assert_int_equal(extent.state, COVOL_EXTENT_STATE_HOLE);
	assert_int_equal(extent.place, 0);
	assert_null(parse_extent("unwritten:512:512", &extent));
}

static void test_malformed_extents(void **state)
{
	static const char *const words[] = {
		"", ":", "data", "data:0", "data:0:1", "data:0:1:2:3", "data:0:1:2:", "hole:0:1:2",
		"hole:0:1:", "hole::1", "hole:0:", "Hole:0:1", "frob:0:1", "hole:0:x", "hole:-1:1",
	};
	char longest[300];
	struct covol_extent extent;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!parse_extent(words[i], &extent))
			fail_msg("\"%s\" was taken", words[i]);

	/* A number may have zeroes in front, but not without end. */
	snprintf(longest, sizeof(longest), "data:0:1:%0250d", 0);
	assert_non_null(parse_extent(longest, &extent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_size_round_trip),
		cmocka_unit_test(test_amounts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_malformed_extents),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
