// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices are looked at for a LUN, and which of them it is.
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

/* ---- LUNs ---- */

static const uint8_t uuid[COVOL_UUID_LEN] = { 7 };
static char looks[200];		/* whose headers were read */

DIR *__wrap_opendir(const char *path)
{
	char own[PATH_MAX];

	if (strncmp(path, "/sys/block", 10))
		return __real_opendir(path);
	snprintf(own, sizeof(own), "%s%s", block, path + 10);
	return __real_opendir(own);
}

/* test-N has the WWID naa.N; "test-copy" is a copy of test-1. */
int __wrap_lun_open(struct lun *lun, const char *device)
{
	*lun = (struct lun) { .fd = -1 };
	assert_false(strncmp(device, "/dev/test-", 10));
	snprintf(lun->device, sizeof(lun->device), "%s", device);
	snprintf(lun->wwid, sizeof(lun->wwid), "naa.%s", device + 10);
	return 0;
}

int __wrap_lun_header_read(struct lun *lun, struct lun_header *header, struct lun_copies *copies)
{
	(void)copies;
	strcat(looks, lun->wwid + 4);
	strcat(looks, " ");
	*header = (struct lun_header) { .uuid.bytes[0] = lun->wwid[4] == '1' ? 7 : 9 };
	strcpy(header->wwid, lun->wwid);
	if (strcmp(lun->wwid, "naa.copy"))
		return 0;
	header->uuid.bytes[0] = 7;
	return lun_fail(lun, -EXDEV, "a copy");
}

static int begin(void **state)
{
	(void)state;
	looks[0] = 0;
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

/* What is not the LUN may not answer at all. */
static void test_known(void **state)
{
	struct lun_header header = { .wwid = "naa.1" };
	char error[LUN_ERROR_LEN], device[PATH_MAX] = "";
	struct lun lun;

	(void)state;
	disk("test-0");
	disk("test-1");
	disk("test-2");
	disk("test-copy");
	assert_int_equal(find_lun(&lun, &header, uuid, device, error), 0);
	assert_string_equal(looks, "1 ");
	assert_string_equal(device, "/dev/test-1");
	assert_int_equal(header.uuid.bytes[0], 7);
	run("rm -r test-1");
	strcpy(device, "/dev/test-2");
	assert_int_equal(find_lun(&lun, &header, uuid, device, error), -ENOLINK);
	assert_string_equal(looks, "1 ");
	assert_string_equal(error, "no disk of this node is the volume's LUN");
	assert_string_equal(header.wwid, "naa.1");
}

/* A copy does not hide the volume, in whatever order they come. */
static void test_copy(void **state)
{
	struct lun_header header = { 0 };
	char error[LUN_ERROR_LEN], device[PATH_MAX] = "/dev/test-copy";
	struct lun lun;

	(void)state;
	disk("test-0");
	disk("test-copy");
	assert_int_equal(find_lun(&lun, &header, uuid, device, error), -EXDEV);
	assert_string_equal(error, "a copy");
	disk("test-1");
	assert_int_equal(find_lun(&lun, &header, uuid, device, error), 0);
	assert_string_equal(device, "/dev/test-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disks, begin, end),
		cmocka_unit_test_setup_teardown(test_multipath, begin, end),
		cmocka_unit_test_setup_teardown(test_claimed, begin, end),
		cmocka_unit_test_setup_teardown(test_ours, begin, end),
		cmocka_unit_test_setup_teardown(test_known, begin, end),
		cmocka_unit_test_setup_teardown(test_copy, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
