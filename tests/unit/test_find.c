// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices are looked at for a LUN.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/covold/find.h"
#include "find_wrap.h"
#include "test.h"

static char block[64];
static const char *claimed;	/* what udev takes for a path */

/* ---- udev ---- */

int __wrap_sd_device_new_from_subsystem_sysname(struct sd_device **device, const char *subsystem,
						const char *name)
{
	assert_string_equal(subsystem, "block");
	*device = (sd_device *)name;
	return claimed ? 0 : -ENODEV;
}

int __wrap_sd_device_get_property_value(sd_device *device, const char *name, const char **value)
{
	assert_string_equal(name, "DM_MULTIPATH_DEVICE_PATH");
	if (!strcmp((const char *)device, "sdx"))
		return -ENOENT;
	*value = strcmp((const char *)device, claimed) ? "0" : "1";
	return 0;
}

sd_device *__wrap_sd_device_unref(sd_device *device)
{
	(void)device;
	return NULL;
}

/* ---- sysfs ---- */

__attribute__((format(printf, 1, 2)))
static void run(const char *format, ...)
{
	char command[400];
	va_list args;
	int length = snprintf(command, sizeof(command), "cd %s && ", block);

	va_start(args, format);
	vsnprintf(command + length, sizeof(command) - length, format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static void disk(const char *name)
{
	run("mkdir -p %s/holders %s/slaves", name, name);
}

/* What device mapper says of it, as "name" or "uuid". */
static void mapped(const char *name, const char *attribute, const char *text)
{
	disk(name);
	run("mkdir -p %s/dm && echo %s >%s/dm/%s", name, text, name, attribute);
}

static void stacked(const char *upper, const char *lower)
{
	run("mkdir -p %s/slaves/%s %s/holders/%s", upper, lower, lower, upper);
}

static int begin(void **state)
{
	(void)state;
	strcpy(block, "/tmp/covol-find-XXXXXX");
	return !mkdtemp(block);
}

static int end(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", block);
	return system(command);
}

static void test_disks(void **state)
{
	(void)state;
	disk("sda");
	disk("nvme0n1");
	disk("loop0");
	assert_true(find_may_be(block, "sda"));
	assert_true(find_may_be(block, "nvme0n1"));
	assert_false(find_may_be(block, "loop0"));
	assert_false(find_may_be(block, "."));
	assert_false(find_may_be(block, ".."));
}

static void test_multipath(void **state)
{
	(void)state;
	disk("sda");
	disk("sdb");
	mapped("dm-0", "uuid", "mpath-3600140500000000");
	stacked("dm-0", "sda");
	mapped("dm-1", "uuid", "CRYPT-LUKS2-0");
	stacked("dm-1", "sdb");
	assert_false(find_may_be(block, "sda"));
	assert_true(find_may_be(block, "dm-0"));
	assert_true(find_may_be(block, "sdb"));
	assert_true(find_may_be(block, "dm-1"));
}

/* multipathd has not made its device yet, or cannot. */
static void test_claimed(void **state)
{
	(void)state;
	disk("sda");
	disk("sdb");
	disk("sdx");
	claimed = "sdb";
	assert_true(find_may_be(block, "sda"));
	assert_false(find_may_be(block, "sdb"));
	assert_true(find_may_be(block, "sdx"));
	claimed = NULL;
	assert_true(find_may_be(block, "sdb"));
}

/* To read what covol has made would wait for what is looked for. */
static void test_ours(void **state)
{
	(void)state;
	disk("sda");
	mapped("dm-0", "name", "covol-00000000-0000-0000-0000-000000000000-1");
	stacked("dm-0", "sda");
	mapped("dm-1", "name", "guests-root");
	stacked("dm-1", "dm-0");
	mapped("dm-2", "name", "guests-snapshot");
	stacked("dm-2", "dm-1");
	mapped("dm-3", "name", "other");
	assert_true(find_may_be(block, "sda"));
	assert_false(find_may_be(block, "dm-0"));
	assert_false(find_may_be(block, "dm-1"));
	assert_false(find_may_be(block, "dm-2"));
	assert_true(find_may_be(block, "dm-3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disks, begin, end),
		cmocka_unit_test_setup_teardown(test_multipath, begin, end),
		cmocka_unit_test_setup_teardown(test_claimed, begin, end),
		cmocka_unit_test_setup_teardown(test_ours, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
