// SPDX-License-Identifier: GPL-2.0-only
/*
 * An unmount that fails is tried again: what it has ended before must not be in its way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/covold/kernel.h"
#include "../../userspace/covold/log.h"
#include "fake_kernel.h"
#include "given_up_wrap.h"
#include "test.h"

static struct {
	struct kernel kernel;
	struct config config;
	struct kernel_volume *vol;
	enum own_result recall;		/* how it ends */
	int unmount;			/* the same */
	int remove;
	unsigned int recalls, unmounts;
} rig;

int __wrap_covol_volume_get(struct covol *c, const struct covol_uuid *uuid,
			    struct covol_volume *volume)
{
	(void)c;
	(void)uuid;
	(void)volume;
	return -ENOENT;
}

int __wrap_device_is_mounted(const uint8_t uuid[COVOL_UUID_LEN], const char *directory)
{
	(void)uuid;
	(void)directory;
	return 0;
}

int __wrap_device_remove(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR])
{
	(void)uuid;
	strcpy(error, "busy");
	return rig.remove;
}

int __wrap_device_unmount(const uint8_t uuid[COVOL_UUID_LEN], const char *directory, bool broken,
			  char error[DEVICE_ERROR])
{
	(void)uuid;
	(void)directory;
	assert_false(broken);
	rig.unmounts++;
	strcpy(error, "busy");
	return rig.unmount;
}

enum own_result __wrap_kernel_images_recall(struct kernel_task *t)
{
	(void)t;
	rig.recalls++;
	return rig.recall;
}

enum own_result __wrap_kernel_images_release(struct kernel_task *t)
{
	(void)t;
	return OWN_OK;
}

enum own_result __wrap_kernel_check_key(struct kernel_task *t)
{
	return t->task->action.task == OWN_TASK_MOUNT ? OWN_FAILED : OWN_OK;
}

static int setup(void **state)
{
	(void)state;
	log_init(LOG_ERR - 1);
	fake_reset();
	memset(&rig, 0, sizeof(rig));
	rig.config.runtime_directory = "/nonexistent";
	rig.config.mount_directory = "/nonexistent";
	rig.kernel.config = &rig.config;
	rig.kernel.node = 1;
	pthread_mutex_init(&rig.kernel.lock, NULL);
	rig.vol = kernel_volume_get(&rig.kernel, fake_uuid.bytes);
	rig.vol->known = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(rig.vol);
	fake_reset();
	return 0;
}

static enum own_result told(enum own_task what, bool recall)
{
	struct driver_task task = { .action = { .task = what, .node = 1, .recall = recall } };
	struct driver_answer answer = { 0 };

	memcpy(task.uuid, fake_uuid.bytes, sizeof(task.uuid));
	kernel_driver.run(&rig.kernel, &task, &answer);
	return answer.result;
}

static void assert_tried(unsigned int recalls, unsigned int unmounts)
{
	assert_int_equal(rig.recalls, recalls);
	assert_int_equal(rig.unmounts, unmounts);
}

/* For maintenance, layouts are taken back until that has succeeded, and then not again. */
static void test_recall_once(void **state)
{
	(void)state;
	rig.recall = OWN_FAILED;
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_FAILED);
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_FAILED);
	assert_tried(2, 0);
	rig.recall = OWN_OK;
	rig.unmount = -EBUSY;
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_FAILED);
	assert_tried(3, 1);
	/* It has ended the sessions by which members were asked. */
	rig.recall = OWN_FAILED;
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_FAILED);
	assert_tried(3, 2);
	rig.unmount = 0;
	rig.remove = -EBUSY;
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_FAILED);
	rig.remove = 0;
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_OK);
	assert_tried(3, 4);
}

/* I2: one that has not taken them back says nothing of them. */
static void test_no_recall(void **state)
{
	(void)state;
	rig.unmount = -EBUSY;
	assert_int_equal(told(OWN_TASK_UNMOUNT, false), OWN_FAILED);
	assert_tried(0, 1);
	rig.unmount = 0;
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_OK);
	assert_tried(1, 2);
}

/* I2: members get layouts again of who has mounted, or serves, or has tried to. */
static void test_recall_again(void **state)
{
	static const enum own_task tasks[] = { OWN_TASK_MOUNT, OWN_TASK_SERVE };
	size_t i;

	(void)state;
	rig.unmount = -EBUSY;
	for (i = 0; i < sizeof(tasks) / sizeof(*tasks); i++) {
		assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_FAILED);
		assert_int_equal(rig.recalls, i + 1);
		assert_int_equal(told(tasks[i], false), OWN_FAILED);
	}
	assert_int_equal(told(OWN_TASK_UNMOUNT, true), OWN_FAILED);
	assert_int_equal(rig.recalls, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_recall_once),
		TEST(test_no_recall),
		TEST(test_recall_again),
	};

	return cmocka_run_group_tests_name("unmount", tests, NULL, NULL);
}
