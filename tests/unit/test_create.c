// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adopting a volume: what is written to its header, and when that is refused. Making one where an
 * agent was killed that did so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../../userspace/covold/create.h"
#include "create_wrap.h"
#include "dm_wrap.h"
#include "lun_wrap.h"
#include "test.h"

static struct {
	struct lun_header header;	/* on the LUN */
	int header_error;
	size_t keys;
	int keys_error;
	unsigned int written;
	bool window;			/* the device for mkfs is there, and keeps the LUN */
	int window_error;		/* of its removal */
	unsigned int formatted;
	struct create create;
} rig;

int __wrap_lun_open(struct lun *lun, const char *device)
{
	memset(lun, 0, sizeof(*lun));
	assert_string_equal(device, "/dev/fake");
	lun->size = 64 << 20;
	strcpy(lun->wwid, "naa.6002");
	return 0;
}

void __wrap_lun_close(struct lun *lun)
{
	(void)lun;
}

int __wrap_lun_pr_read(struct lun *lun, struct lun_pr *pr)
{
	memset(pr, 0, sizeof(*pr));
	if (rig.keys_error) {
		strcpy(lun->error, "its keys cannot be read");
		return rig.keys_error;
	}
	pr->keys = calloc(rig.keys + 1, sizeof(*pr->keys));
	pr->count = rig.keys;
	return 0;
}

int __wrap_lun_header_read(struct lun *lun, struct lun_header *header, struct lun_copies *copies)
{
	(void)copies;
	strcpy(lun->error, "it is a copy");
	*header = rig.header;
	return rig.header_error;
}

int __wrap_lun_header_replace(struct lun *lun, struct lun_header *header)
{
	(void)lun;
	rig.header = *header;
	rig.written++;
	return 0;
}

int __wrap_lun_header_init(struct lun *lun, const char *name, const char *cluster, enum lun_fs fs,
			   struct lun_header *header)
{
	(void)lun;
	*header = (struct lun_header){ .uuid = { { 2 } }, .fs = fs };
	strcpy(header->name, name);
	strcpy(header->cluster, cluster);
	return 0;
}

int __wrap_lun_contents(struct lun *lun, char text[LUN_CONTENTS_LEN])
{
	(void)lun;
	(void)text;
	return LUN_HOLDS_NOTHING;
}

int __wrap_lun_wipe(struct lun *lun)
{
	strcpy(lun->error, "it is in use");
	return rig.window ? -EBUSY : 0;
}

int __wrap_lun_mkfs(const char *device, enum lun_fs fs, unsigned int seconds, char *text,
		    size_t len)
{
	(void)fs;
	(void)seconds;
	(void)text;
	(void)len;
	assert_string_equal(device, "/dev/dm-3");
	assert_true(rig.window);
	rig.formatted++;
	return 0;
}

int __wrap_dm_make(const char *name, uint64_t sectors, const char *target, const char *params)
{
	(void)sectors;
	(void)params;
	assert_string_equal(name, "covol-make-vol");
	assert_string_equal(target, "linear");
	if (rig.window)
		return -EBUSY;
	rig.window = true;
	return 0;
}

int __wrap_dm_look(const char *name, dev_t *number, uint64_t *sectors)
{
	assert_string_equal(name, "covol-make-vol");
	*number = makedev(253, 3);
	*sectors = 8;
	return rig.window ? 0 : -ENXIO;
}

int __wrap_dm_remove(const char *name)
{
	assert_string_equal(name, "covol-make-vol");
	if (!rig.window)
		return -ENXIO;
	if (!rig.window_error)
		rig.window = false;
	return rig.window_error;
}

static int setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.header = (struct lun_header){ .uuid = { { 1 } }, .name = "vol", .cluster = "blue",
					  .wwid = "naa.6002", .epoch = 7 };
	return 0;
}

static int adopts(const char *name, bool force)
{
	rig.create = (struct create){ .device = "/dev/fake", .cluster = "blue", .force = force };
	strcpy(rig.create.name, name);
	create_adopt(&rig.create);
	return rig.create.result;
}

static void assert_refused(const char *name, int error, const char *says)
{
	assert_int_equal(adopts(name, false), error);
	if (!strstr(rig.create.error, says))
		fail_msg("\"%s\" is not in \"%s\"", says, rig.create.error);
	assert_int_equal(rig.written, 0);
}

static void test_adopt(void **state)
{
	(void)state;
	/* As it is: nothing is written, whoever uses it. */
	rig.keys = 2;
	assert_int_equal(adopts("", false), 0);
	assert_int_equal(rig.written, 0);
	assert_string_equal(rig.create.header.name, "vol");
	rig.keys = 0;
	assert_int_equal(adopts("other", false), 0);
	assert_int_equal(rig.written, 1);
	assert_string_equal(rig.header.name, "other");
	assert_int_equal(rig.header.epoch, 7);
}

/* Its coordinator may write the header at any time. */
static void test_in_use(void **state)
{
	(void)state;
	rig.keys = 2;
	assert_refused("other", -EBUSY, "/dev/fake is in use: 2 keys are registered");
	/* Nobody knows. */
	rig.keys_error = -ENOLINK;
	assert_refused("other", -ENOLINK, "its keys cannot be read");
	/* There are none where there can be none. */
	rig.keys_error = -EOPNOTSUPP;
	assert_int_equal(adopts("other", false), 0);
	assert_int_equal(rig.written, 1);
	rig.keys_error = 0;
	assert_int_equal(adopts("third", true), 0);
	assert_int_equal(rig.written, 2);
	assert_string_equal(rig.header.name, "third");
}

static void test_force(void **state)
{
	(void)state;
	strcpy(rig.header.cluster, "red");
	assert_refused("", -EEXIST, "cluster red");
	assert_int_equal(adopts("", true), 0);
	assert_string_equal(rig.header.cluster, "blue");
	assert_int_equal(rig.header.uuid.bytes[0], 1);
	rig.written = 0;
	rig.header_error = -EXDEV;
	assert_refused("", -EXDEV, "it is a copy");
}

static int makes(void)
{
	rig.create = (struct create){ .device = "/dev/fake", .name = "vol", .cluster = "blue",
				      .fs = LUN_FS_XFS };
	create_volume(&rig.create);
	return rig.create.result;
}

/* What an agent has left that was killed while it made a file system. */
static void test_left_behind(void **state)
{
	(void)state;
	assert_int_equal(makes(), 0);
	assert_false(rig.window);
	rig.window = true;
	assert_int_equal(makes(), 0);
	assert_int_equal(rig.formatted, 2);
	assert_int_equal(rig.written, 2);
	assert_false(rig.window);
	/* Its mkfs runs still. */
	rig.window = true;
	rig.window_error = -EBUSY;
	assert_int_equal(makes(), -EBUSY);
	assert_non_null(strstr(rig.create.error, "covol-make-vol, of an earlier try"));
	assert_int_equal(rig.written, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_adopt, setup),
		cmocka_unit_test_setup(test_in_use, setup),
		cmocka_unit_test_setup(test_force, setup),
		cmocka_unit_test_setup(test_left_behind, setup),
	};

	return cmocka_run_group_tests_name("create", tests, NULL, NULL);
}
