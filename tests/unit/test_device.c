// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices of volumes and images, when one of that name is there already; and who can reach a
 * volume's files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../../userspace/covold/attach.h"
#include "../../userspace/covold/device.h"
#include "dm_wrap.h"
#include "test.h"

static struct {
	bool there;
	uint64_t sectors;	/* of its table; 0: it has none */
	int make_error, remove_error;
	unsigned int made, removed;
} rig;

int __wrap_dm_make(const char *name, uint64_t sectors, const char *target, const char *params)
{
	(void)params;
	assert_memory_equal(name, "covol-", 6);
	assert_string_equal(target, "covol");
	if (rig.make_error)
		return rig.make_error;
	if (rig.there)
		return -EBUSY;
	rig.there = true;
	rig.sectors = sectors;
	rig.made++;
	return 0;
}

int __wrap_dm_look(const char *name, dev_t *number, uint64_t *sectors)
{
	(void)name;
	*number = makedev(253, 3);
	*sectors = rig.sectors;
	return rig.there ? 0 : -ENXIO;
}

int __wrap_dm_remove(const char *name)
{
	(void)name;
	if (rig.remove_error)
		return rig.remove_error;
	rig.there = false;
	rig.removed++;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	return 0;
}

static const struct covol_volume volume = {
	.uuid = { { 1 } }, .lun_major = 8, .lun_minor = 16, .size = 1 << 20,
};

static int image(char error[ATTACH_ERROR])
{
	return attach_make(&volume, 7, 1 << 20, error);
}

static int whole(char error[ATTACH_ERROR])
{
	return device_create(&volume, error);
}

static void tried(int (*make)(char error[ATTACH_ERROR]))
{
	char error[ATTACH_ERROR + DEVICE_ERROR];

	assert_int_equal(make(error), 0);
	assert_int_equal(rig.sectors, 2048);
	/* It stays. */
	assert_int_equal(make(error), 0);
	assert_int_equal(rig.made, 1);
	assert_int_equal(rig.removed, 0);
	/* Who made it was killed before it had a table. */
	rig.sectors = 0;
	assert_int_equal(make(error), 0);
	assert_int_equal(rig.sectors, 2048);
	assert_int_equal(rig.made, 2);
	assert_int_equal(rig.removed, 1);
	rig.sectors = 0;
	rig.remove_error = -EBUSY;
	assert_int_equal(make(error), -EBUSY);
	assert_non_null(strstr(error, "cannot be made"));
	rig.make_error = -ENOMEM;
	assert_int_equal(make(error), -ENOMEM);
}

static void test_image(void **state)
{
	(void)state;
	tried(image);
}

static void test_volume(void **state)
{
	(void)state;
	tried(whole);
}

static unsigned int mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

/* Without a device it comes as far as the directory. */
static void mounts(const char *directory)
{
	char error[DEVICE_ERROR];

	assert_int_equal(device_mount(volume.uuid.bytes, "xfs", directory, error), -ENXIO);
	assert_non_null(strstr(error, "has no device"));
}

/* Nobody else can be in the file system, and so hinder that it is unmounted. */
static void test_private(void **state)
{
	char base[] = "/tmp/covold-device-XXXXXX", parent[60], directory[60];

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(parent, sizeof(parent), "%s/volumes", base);
	snprintf(directory, sizeof(directory), "%s/volumes/vol", base);
	mounts(directory);
	assert_int_equal(mode_of(parent), 0700);
	/* An older agent has made it. */
	assert_int_equal(chmod(parent, 0755), 0);
	mounts(directory);
	assert_int_equal(mode_of(parent), 0700);
	assert_int_equal(rmdir(directory) | rmdir(parent) | rmdir(base), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_image, setup),
		cmocka_unit_test_setup(test_volume, setup),
		cmocka_unit_test_setup(test_private, setup),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
