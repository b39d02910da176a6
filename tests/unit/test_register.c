// SPDX-License-Identifier: GPL-2.0-only
/*
 * Before a node registers a new key it looks for the one that it had: if nobody knows whether it
 * was given up, that tells (I3). And a fence waits for those who are about to look.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/covold/boot.h"
#include "../../userspace/covold/kernel.h"
#include "../../userspace/covold/log.h"
#include "../../userspace/lun/fence.h"
#include "lun_wrap.h"
#include "register_wrap.h"
#include "test.h"

#define NODE	3
#define CLUSTER	"a cluster"

static struct {
	struct kernel kernel;
	struct config config;
	struct kernel_volume *vol;
	char directory[32];
	uint64_t keys[8];	/* on the LUN */
	size_t count;
	int find_error, read_error, register_error;
	unsigned int failed;	/* how often what waited was made to fail */
	uint64_t when;		/* the key that it had on the LUN by then */
	unsigned int fences;
	unsigned int slept;
	unsigned int comes;	/* an agent, at that sleep; 0: none */
	unsigned int loaded;	/* how often the file system was */
	int load_error;
	unsigned int drains;	/* after all were off */
	char reason[256];	/* why a fence has failed */
} rig;

/* ---- the LUN, and the kernel ---- */

int __wrap_find_lun(struct lun *lun, struct lun_header *header, const uint8_t uuid[16],
		    char *device, char *error)
{
	(void)uuid;
	(void)device;
	memset(lun, 0, sizeof(*lun));
	memset(header, 0, sizeof(*header));
	header->fs = LUN_FS_XFS;
	strcpy(error, "no LUN");
	return rig.find_error;
}

void __wrap_lun_close(struct lun *lun)
{
	(void)lun;
}

int __wrap_lun_pr_read(struct lun *lun, struct lun_pr *pr)
{
	(void)lun;
	memset(pr, 0, sizeof(*pr));
	if (rig.read_error)
		return rig.read_error;
	pr->keys = malloc(sizeof(rig.keys));
	memcpy(pr->keys, rig.keys, sizeof(rig.keys));
	pr->count = rig.count;
	return 0;
}

int __wrap_lun_pr_register(struct lun *lun, uint64_t key)
{
	(void)lun;
	if (rig.register_error)
		return rig.register_error;
	rig.keys[0] = key;
	rig.count = 1;
	return 0;
}

int __wrap_lun_pr_reserve(struct lun *lun, uint64_t key)
{
	(void)lun;
	(void)key;
	return 0;
}

int __wrap_lun_fence(struct lun *lun, const struct lun_fence *fence,
		     struct lun_fence_report *report)
{
	(void)lun;
	(void)fence;
	memset(report, 0, sizeof(*report));
	rig.fences++;
	return 0;
}

int __wrap_lun_drain(struct lun *lun, const struct lun_fence *fence,
		     struct lun_fence_report *report)
{
	(void)lun;
	(void)fence;
	memset(report, 0, sizeof(*report));
	rig.drains++;
	return 0;
}

int __wrap_lun_header_read(struct lun *lun, struct lun_header *header,
			   struct lun_copies *copies)
{
	(void)lun;
	(void)copies;
	header->epoch = 5;
	return 0;
}

enum own_result __wrap_kernel_route_fail(struct kernel_task *t)
{
	(void)t;
	rig.failed++;
	rig.when = rig.keys[0];
	return OWN_OK;
}

int __wrap_ready_file_system(const char *type)
{
	assert_string_equal(type, "xfs");
	rig.loaded++;
	return rig.load_error;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)pause;
	(void)left;
	rig.slept++;
	if (rig.slept == rig.comes)
		rig.kernel.views++;
	return 0;
}

static int setup(void **state)
{
	static const uint8_t uuid[16] = { 1 };

	(void)state;
	log_init(LOG_ERR - 1);
	memset(&rig, 0, sizeof(rig));
	strcpy(rig.directory, "/tmp/covold-register-XXXXXX");
	assert_non_null(mkdtemp(rig.directory));
	rig.config.runtime_directory = rig.directory;
	rig.kernel.config = &rig.config;
	strcpy(rig.kernel.cluster, CLUSTER);
	strcpy(rig.kernel.names[1], "node1");
	strcpy(rig.kernel.names[2], "node2");
	strcpy(rig.kernel.names[NODE], "node3");
	pthread_mutex_init(&rig.kernel.lock, NULL);
	rig.vol = kernel_volume_get(&rig.kernel, uuid);
	return 0;
}

static int teardown(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", rig.directory);
	assert_int_equal(system(command), 0);
	free(rig.vol);
	return 0;
}

static uint64_t key(unsigned int node, uint64_t incarnation)
{
	return lun_key_make(lun_cluster_id(CLUSTER), node, incarnation);
}

static void on_lun(uint64_t one)
{
	rig.keys[0] = key(1, 1);
	rig.keys[1] = one;
	rig.count = 2;
}

/* The agent is started again. */
static void restart(void)
{
	rig.vol->told = 0;
}

static enum own_result registers(uint64_t incarnation, enum own_expelled expelled)
{
	struct driver_task task = {
		.action = { .task = OWN_TASK_REGISTER, .node = NODE, .incarnation = incarnation,
			    .expelled = expelled, .fenced = true },
	};
	struct driver_answer answer = { 0 };
	struct kernel_task t = { .vol = rig.vol, .task = &task, .answer = &answer };

	kernel_told(&t);
	return kernel_register(&t);
}

static void told(enum own_task what, uint64_t incarnation, bool fenced)
{
	struct driver_task task = {
		.action = { .task = what, .node = NODE, .incarnation = incarnation,
			    .fenced = fenced },
	};
	struct driver_answer answer = { 0 };
	struct kernel_task t = { .vol = rig.vol, .task = &task, .answer = &answer };

	kernel_told(&t);
}

static uint64_t marked(void)
{
	return boot_key_told(rig.directory, rig.vol->uuid);
}

/* It has a key, and goes on with it. */
static void has(uint64_t incarnation)
{
	assert_int_equal(registers(incarnation, OWN_NOT_EXPELLED), OWN_OK);
	told(OWN_TASK_ROUTE, incarnation, false);
	assert_true(marked() == incarnation);
	assert_int_equal(rig.failed, 0);
	restart();
}

/* ---- who registers ---- */

static void test_told(void **state)
{
	(void)state;
	assert_int_equal(registers(7, OWN_NOT_EXPELLED), OWN_OK);
	assert_true(rig.keys[0] == key(NODE, 7));
	assert_true(marked() == 0);
	/* With another key than it has, or one that is known to be gone. */
	told(OWN_TASK_ROUTE, 6, false);
	told(OWN_TASK_BARRIER, 7, true);
	told(OWN_TASK_CLOSE, 7, false);
	assert_true(marked() == 0);
	told(OWN_TASK_BARRIER, 7, false);
	assert_true(marked() == 7);
	/* It stays until the next one counts. */
	assert_int_equal(registers(8, OWN_NOT_EXPELLED), OWN_OK);
	assert_true(marked() == 7);
	told(OWN_TASK_MOUNT, 8, false);
	assert_true(marked() == 8);
}

/* Not when it is to be mounted: others wait then. Who cannot mount it may write all the same. */
static void test_file_system(void **state)
{
	(void)state;
	assert_int_equal(registers(7, OWN_NOT_EXPELLED), OWN_OK);
	assert_int_equal(rig.loaded, 1);
	rig.load_error = -ENODEV;
	assert_int_equal(registers(8, OWN_NOT_EXPELLED), OWN_OK);
	assert_int_equal(rig.loaded, 2);
	rig.register_error = -EIO;
	assert_int_equal(registers(9, OWN_NOT_EXPELLED), OWN_FAILED);
	assert_int_equal(rig.loaded, 2);
}

/* It is there, and so was not taken away. */
static void test_key_there(void **state)
{
	(void)state;
	has(7);
	on_lun(key(NODE, 7));
	assert_int_equal(registers(8, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_int_equal(rig.failed, 0);
	assert_true(rig.keys[0] == key(NODE, 8));
}

/* It was fenced, by whoever it was; what waits fails before there is a new one. */
static void test_key_gone(void **state)
{
	(void)state;
	has(7);
	on_lun(key(NODE + 1, 7));
	assert_int_equal(registers(8, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_int_equal(rig.failed, 1);
	assert_true(rig.when == key(1, 1));
	assert_true(rig.keys[0] == key(NODE, 8));
	/* If somebody remembers there is nothing to look for. */
	on_lun(key(NODE + 1, 7));
	assert_int_equal(registers(9, OWN_NOT_EXPELLED), OWN_OK);
	assert_int_equal(rig.failed, 1);
}

/* It may have been registered after the fence by a node that had slept: it says nothing. */
static void test_key_late(void **state)
{
	(void)state;
	has(7);
	assert_int_equal(registers(8, OWN_NOT_EXPELLED), OWN_OK);
	restart();
	on_lun(key(NODE, 8));
	assert_int_equal(registers(9, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_int_equal(rig.failed, 1);
}

/* It has never had one. */
static void test_no_key(void **state)
{
	(void)state;
	on_lun(key(NODE, 0));
	assert_int_equal(registers(7, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_int_equal(rig.failed, 1);
}

/* What does not succeed takes nothing from what is known, and does not make up anything. */
static void test_again(void **state)
{
	(void)state;
	has(7);
	on_lun(key(NODE, 7));
	rig.find_error = -ENOLINK;
	assert_int_equal(registers(8, OWN_EXPELLED_UNKNOWN), OWN_NO_PATH);
	rig.find_error = 0;
	rig.read_error = -EIO;
	assert_int_equal(registers(9, OWN_EXPELLED_UNKNOWN), OWN_FAILED);
	assert_true(rig.keys[1] == key(NODE, 7));
	rig.read_error = 0;
	rig.register_error = -EIO;
	assert_int_equal(registers(10, OWN_EXPELLED_UNKNOWN), OWN_FAILED);
	rig.register_error = 0;
	assert_int_equal(registers(11, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_int_equal(rig.failed, 0);
}

/* Where nodes are switched off there is nothing to look for. */
static void test_command(void **state)
{
	(void)state;
	rig.config.fence_method = LUN_METHOD_COMMAND;
	assert_int_equal(registers(7, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_int_equal(rig.failed, 0);
}

/* Its key would be one that all others take for a stranger's. */
static void test_no_cluster(void **state)
{
	(void)state;
	rig.kernel.cluster[0] = 0;
	assert_int_equal(registers(7, OWN_NOT_EXPELLED), OWN_FAILED);
	rig.config.fence_method = LUN_METHOD_COMMAND;
	assert_int_equal(registers(8, OWN_NOT_EXPELLED), OWN_FAILED);
	assert_int_equal(rig.count, 0);
	assert_true(rig.vol->key == 0);
}

/* ---- who fences ---- */

static enum own_result fences_also(own_nodes off, own_nodes forgotten)
{
	struct driver_task task = {
		.action = { .task = OWN_TASK_FENCE, .node = 1, .nodes = own_bit(1) },
		.victims = { .current = true, .off = off, .forgotten = forgotten },
	};
	struct driver_answer answer = { 0 };
	struct kernel_task t = { .vol = rig.vol, .task = &task, .answer = &answer };
	enum own_result result;

	rig.slept = 0;
	result = kernel_fence(&t);
	snprintf(rig.reason, sizeof(rig.reason), "%s", answer.reason);
	return result;
}

static enum own_result fences(own_nodes forgotten)
{
	return fences_also(0, forgotten);
}

static void young(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	rig.kernel.began = now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

/* The first of all agents that were started again waits for the others. */
static void test_await(void **state)
{
	(void)state;
	young();
	on_lun(key(NODE, 7));
	rig.comes = 3;
	assert_int_equal(fences(own_bit(2) | own_bit(NODE)), OWN_FAILED);
	assert_int_equal(rig.slept, 3);
	assert_int_equal(rig.fences, 0);
	/* Nobody comes. */
	rig.comes = 0;
	assert_int_equal(fences(own_bit(2) | own_bit(NODE)), OWN_OK);
	assert_in_range(rig.slept, 50, 100);
	assert_int_equal(rig.fences, 1);
}

static void test_await_nobody(void **state)
{
	(void)state;
	young();
	on_lun(key(NODE, 7));
	/* Its key is gone, it is here or known, or in no list; or this agent has been here long. */
	assert_int_equal(fences(own_bit(2)), OWN_OK);
	assert_int_equal(fences(0), OWN_OK);
	on_lun(key(NODE + 1, 7));
	assert_int_equal(fences(own_bit(NODE + 1)), OWN_OK);
	on_lun(key(NODE, 7) ^ 1ULL << 48);
	assert_int_equal(fences(own_bit(NODE)), OWN_OK);
	on_lun(key(NODE, 7));
	rig.kernel.began -= 11000000;
	assert_int_equal(fences(own_bit(NODE)), OWN_OK);
	assert_int_equal(rig.slept, 0);
	assert_int_equal(rig.fences, 5);
	rig.read_error = -EIO;
	young();
	assert_int_equal(fences(own_bit(NODE)), OWN_FAILED);
	assert_int_equal(rig.fences, 5);
}

/* Keys are kept by their cluster's number: with that of no name all would go. */
static void test_fence_no_cluster(void **state)
{
	(void)state;
	rig.kernel.cluster[0] = 0;
	assert_int_equal(fences(0), OWN_FAILED);
	assert_non_null(strstr(rig.reason, "cluster_name"));
	rig.config.fence_method = LUN_METHOD_COMMAND;
	assert_int_equal(fences(0), OWN_FAILED);
	assert_int_equal(rig.fences + rig.drains, 0);
}

/* Who has no name cannot be switched off, and so is not fenced. */
static void test_nameless(void **state)
{
	(void)state;
	rig.config.fence_method = LUN_METHOD_COMMAND;
	assert_int_equal(fences_also(own_bit(NODE + 1), 0), OWN_FAILED);
	assert_non_null(strstr(rig.reason, "node 4 is not in the list of nodes"));
	/* Numbers that no node has are nothing to be fenced. */
	assert_int_equal(fences(own_bit(NODE + 1)), OWN_OK);
	assert_int_equal(rig.drains, 1);
	/* There is no list: nobody knows who there is. */
	memset(rig.kernel.names, 0, sizeof(rig.kernel.names));
	assert_int_equal(fences(~own_bit(1)), OWN_FAILED);
	assert_non_null(strstr(rig.reason, "this node is not in the list of nodes"));
	assert_int_equal(rig.drains, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_told),   TEST(test_key_there), TEST(test_key_gone), TEST(test_key_late),
		TEST(test_no_key), TEST(test_again),	 TEST(test_command),  TEST(test_await),
		TEST(test_await_nobody), TEST(test_file_system), TEST(test_no_cluster),
		TEST(test_fence_no_cluster), TEST(test_nameless),
	};

	return cmocka_run_group_tests_name("register", tests, NULL, NULL);
}
