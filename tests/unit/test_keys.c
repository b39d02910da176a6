// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths that come back, or come anew, get this node's key: when, and what waits for it. Disks and
 * the commands to them are played.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/covold/boot.h"
#include "../../userspace/covold/kernel.h"
#include "../../userspace/covold/uevent.h"
#include "../../userspace/lun/fence.h"
#include "fake_kernel.h"
#include "find_wrap.h"
#include "lun_wrap.h"
#include "test.h"

#define DISKS	4
#define INCARNATION	(5ULL << 32 | 1)

static struct {
	struct kernel kernel;
	struct config config;
	char directory[64];
	struct kernel_volume *vol;

	/* Disks 'a' to 'd'; those from @used on multipath has not seen. */
	size_t count, used;
	uint64_t number[DISKS];
	bool down[DISKS];
	bool plain;		/* it is no multipath device */
	size_t keys;		/* as the LUN has it */
	int probe, extend;	/* how these end */
	bool loses_path;	/* meanwhile */
	bool other_key;		/* a task registers one while the path is tried */
	uint64_t told;		/* for whoever looks for the key at the register */
	bool gone;		/* what is by that name now is another LUN */
	unsigned int finds, others;
	char log[256];
} rig;

static void note(const char *word, const char *name)
{
	size_t used = strlen(rig.log);

	snprintf(rig.log + used, sizeof(rig.log) - used, "%s:%s ", word, name);
}

/* ---- disks ---- */

int __wrap_find_lun(struct lun *lun, struct lun_header *header, const uint8_t *uuid, char *device,
		    char *error)
{
	(void)error;
	assert_memory_equal(uuid, fake_uuid.bytes, 16);
	*lun = (struct lun) { .fd = -1 };
	strcpy(header->name, "vol1");
	strcpy(header->wwid, "naa.6001");
	strcpy(device, "/dev/dm-0");
	rig.finds++;
	return 0;
}

static void add(struct lun *lun, size_t disk)
{
	struct lun_path *path = &lun->path[lun->paths++];

	*path = (struct lun_path) { .name = { 'a' + disk }, .disk = rig.number[disk] };
}

int __wrap_lun_identify(struct lun *lun, const char *sysfs)
{
	size_t i;

	assert_string_equal(sysfs, "/sys");
	assert_string_equal(lun->name, "dm-0");
	lun->multipath = !rig.plain;
	lun->transport = LUN_SCSI;
	strcpy(lun->wwid, rig.gone ? "naa.6002" : "naa.6001");
	for (i = 0; i < rig.used; i++)
		add(lun, i);
	return 0;
}

int __wrap_lun_add_others(struct lun *lun, const char *sysfs)
{
	size_t i;

	(void)sysfs;
	rig.others++;
	for (i = rig.used; i < rig.count; i++)
		add(lun, i);
	return 0;
}

bool __wrap_lun_path_ready(const struct lun_path *path, const char *sysfs)
{
	(void)sysfs;
	return !rig.down[path->name[0] - 'a'];
}

static uint64_t key(void)
{
	return lun_key_make(lun_cluster_id("blue"), 1, INCARNATION);
}

int __wrap_lun_pr_read(struct lun *lun, struct lun_pr *pr)
{
	size_t i;

	(void)lun;
	*pr = (struct lun_pr) { .count = rig.keys + 1 };
	pr->keys = calloc(pr->count, sizeof(*pr->keys));
	pr->keys[0] = 77;
	for (i = 0; i < rig.keys; i++)
		pr->keys[i + 1] = key();
	return 0;
}

int __wrap_lun_pr_probe(struct lun *lun, size_t path, uint64_t with)
{
	(void)lun;
	(void)path;
	assert_true(with == key());
	/* Tasks need not wait. */
	assert_int_equal(pthread_mutex_trylock(&rig.vol->work), 0);
	pthread_mutex_unlock(&rig.vol->work);
	if (rig.other_key)
		rig.vol->facts.incarnation++;
	return rig.probe;
}

int __wrap_lun_pr_extend(struct lun *lun, size_t path, uint64_t with)
{
	assert_true(with == key());
	note("extend", lun->path[path].name);
	rig.vol->facts.path = !rig.loses_path;
	rig.told = boot_key_told(rig.directory, fake_uuid.bytes);
	return rig.extend;
}

/* ---- the kernel ---- */

/* It is asked how the volume is; what follows is acknowledged. */
static void volume_is(uint32_t role, uint32_t route)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);

	nla_put(message, COVOL_A_VOLUME_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_VOLUME_ROLE, role);
	nla_put_u32(message, COVOL_A_VOLUME_ROUTE, route);
	fake_add(message);
	fake_ack();
}

/* What it was asked: the volume, and then to take these routes. */
static void assert_routes(size_t first, const uint32_t *routes, size_t count)
{
	struct nlattr **sent;
	size_t i;

	assert_int_equal(fake_requests(), first + 1 + count);
	fake_request(first, COVOL_CMD_VOLUME_GET);
	for (i = 0; i < count; i++) {
		sent = fake_request(first + 1 + i, COVOL_CMD_VOLUME_SET);
		assert_true(fake_has_only(sent, COVOL_A_VOLUME_UUID, COVOL_A_VOLUME_ROUTE, 0));
		assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_ROUTE]), routes[i]);
	}
}

static const uint32_t held_and_direct[] = { COVOL_ROUTE_HELD, COVOL_ROUTE_DIRECT };

/* ---- */

/* This node has its key by the paths a and b, of which multipath knows. */
static int setup(void **state)
{
	struct kernel *kernel = &rig.kernel;
	struct lun lun = { .paths = 2 };
	struct driver_task task = { .action.incarnation = INCARNATION };
	struct kernel_task t = { .task = &task };

	(void)state;
	fake_reset();
	memset(&rig, 0, sizeof(rig));
	rig.count = 2;
	rig.used = 2;
	rig.number[0] = 7;
	rig.number[1] = 8;
	rig.number[2] = 9;
	strcpy(rig.directory, "/tmp/covol-keys-XXXXXX");
	assert_non_null(mkdtemp(rig.directory));
	rig.config.runtime_directory = rig.directory;
	assert_int_equal(boot_key_mark_told(rig.directory, fake_uuid.bytes, INCARNATION), 0);
	kernel->config = &rig.config;
	kernel->node = 1;
	kernel->disks = 1;
	strcpy(kernel->cluster, "blue");
	pthread_mutex_init(&kernel->lock, NULL);
	rig.vol = kernel_volume_get(kernel, fake_uuid.bytes);
	/* Until it is said. */
	assert_true(rig.vol->redirects);
	kernel_redirects(kernel, fake_uuid.bytes, false);
	rig.vol->known = true;
	rig.vol->facts.incarnation = INCARNATION;
	rig.vol->facts.route = OWN_ROUTE_DIRECT;
	strcpy(rig.vol->device, "/dev/dm-0");
	strcpy(rig.vol->header.name, "vol1");
	strcpy(rig.vol->header.wwid, "naa.6001");
	rig.vol->disks = 1;
	t.vol = rig.vol;
	strcpy(lun.path[0].name, "a");
	strcpy(lun.path[1].name, "b");
	lun.path[0].disk = 7;
	lun.path[1].disk = 8;
	lun.path[0].done = true;
	lun.path[1].done = true;
	kernel_keys_had(&t, &lun);
	return 0;
}

static int teardown(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", rig.directory);
	assert_int_equal(system(command), 0);
	free(rig.vol);
	fake_reset();
	return 0;
}

static void look(void)
{
	rig.log[0] = '\0';
	kernel_keys_look(rig.vol);
}

static void assert_nothing(void)
{
	look();
	assert_string_equal(rig.log, "");
	assert_int_equal(fake_requests(), 0);
}

/* All have it; nobody is asked, and nothing waits. */
static void test_all(void **state)
{
	(void)state;
	assert_nothing();
	assert_int_equal(rig.vol->downs, 0);
	assert_int_equal(rig.others, 0);
	assert_int_equal(rig.finds, 0);
}

/* b was down when the key was registered. */
static void test_back(void **state)
{
	(void)state;
	rig.vol->keyeds = 1;
	rig.down[1] = true;
	assert_nothing();
	assert_int_equal(rig.vol->downs, 1);
	assert_string_equal(rig.vol->down[0].name, "b");
	rig.down[1] = false;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "extend:b ");
	assert_routes(0, held_and_direct, 2);
	/* I3: it is none that was never taken away, until that is known. */
	assert_true(!rig.told);
	assert_true(boot_key_told(rig.directory, fake_uuid.bytes) == INCARNATION);
	assert_int_equal(rig.vol->downs, 0);
	assert_false(rig.vol->facts.conflict);
	assert_false(rig.vol->keys_news);
	assert_int_equal(rig.vol->facts.route, OWN_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "");
}

/* Another disk by the name of one that had it; and one that multipath does not know yet. */
static void test_new(void **state)
{
	(void)state;
	rig.number[1] = 12;
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_FS_REDIRECTED);
	look();
	assert_string_equal(rig.log, "extend:b ");
	assert_routes(0, (const uint32_t[]) { COVOL_ROUTE_HELD, COVOL_ROUTE_FS_REDIRECTED }, 2);
	rig.count = 3;
	look();
	assert_string_equal(rig.log, "");
	rig.kernel.disks++;
	rig.vol->keys_after = 0;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "extend:c ");
	assert_routes(3, held_and_direct, 2);
	/* It is looked at until it has it. */
	look();
	assert_int_equal(rig.others, 2);
	look();
	assert_int_equal(rig.others, 2);
}

/* Nothing is done for, or by, who has no key, or another LUN. */
static void test_not_now(void **state)
{
	struct own_facts *facts = &rig.vol->facts;

	(void)state;
	rig.vol->keyeds = 1;
	facts->path = false;
	assert_nothing();
	facts->path = true;
	facts->conflict = true;
	assert_nothing();
	facts->conflict = false;
	facts->incarnation = 0;
	assert_nothing();
	facts->incarnation = INCARNATION;
	rig.config.fence_method = LUN_METHOD_COMMAND;
	assert_nothing();
	rig.config.fence_method = LUN_METHOD_PR;
	rig.plain = true;
	assert_nothing();
	rig.plain = false;
	rig.gone = true;
	assert_nothing();
	rig.gone = false;
	pthread_mutex_lock(&rig.vol->work);
	assert_nothing();
	pthread_mutex_unlock(&rig.vol->work);
	/* It does not work, though /sys says so; or the key has gone. */
	rig.probe = -ENOLINK;
	assert_nothing();
	rig.vol->keys_after = 0;
	rig.probe = -EBADE;
	assert_nothing();
	assert_false(facts->conflict);
	rig.vol->keys_after = 0;
	rig.probe = 0;
	rig.other_key = true;
	assert_nothing();
	facts->incarnation = INCARNATION;
	rig.other_key = false;
	rig.vol->keyed_with = INCARNATION;
	rig.vol->keys_after = 0;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_BLOCK_REDIRECTED);
	look();
	assert_string_equal(rig.log, "");
	assert_int_equal(fake_requests(), 1);
}

/* Held as it is, or not known there: nothing has to wait, nor to go on. */
static void test_idle(void **state)
{
	(void)state;
	rig.vol->keyeds = 0;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_HELD);
	look();
	assert_string_equal(rig.log, "extend:a extend:b ");
	assert_routes(0, NULL, 0);
	rig.vol->keyeds = 1;
	rig.vol->keys_after = 0;
	fake_refuse(-ENOENT, NULL, 0, 0);
	look();
	assert_string_equal(rig.log, "extend:b ");
	assert_int_equal(fake_requests(), 2);
	/* I3: what a node that was given up fails goes on failing. */
	rig.vol->keyeds = 1;
	rig.vol->keys_after = 0;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_UNAVAILABLE);
	look();
	assert_string_equal(rig.log, "extend:b ");
	assert_routes(2, NULL, 0);
}

/* A refusal is no reason to stop; it is tried again, but not at once. */
static void test_refused(void **state)
{
	(void)state;
	rig.vol->keyeds = 1;
	rig.extend = -EIO;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT);
	look();
	assert_routes(0, held_and_direct, 2);
	assert_false(rig.vol->facts.conflict);
	look();
	assert_string_equal(rig.log, "");
	rig.extend = 0;
	rig.vol->keys_after = 0;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "extend:b ");
}

/* I3: the key may be there though it was taken away: what waits goes on with another one only. */
static void test_lost(void **state)
{
	static const int errors[] = { -EBADE, -ENOTRECOVERABLE };
	static const uint32_t held[] = { COVOL_ROUTE_HELD };
	size_t i;

	for (i = 0; i < 2; i++) {
		if (i) {
			teardown(state);
			setup(state);
		}
		rig.vol->keyeds = 0;
		rig.extend = errors[i];
		volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT);
		look();
		/* Nor is it tried by the other. */
		assert_string_equal(rig.log, "extend:a ");
		assert_routes(0, held, 1);
		assert_true(rig.vol->facts.conflict);
		assert_true(rig.vol->keys_news);
		assert_true(!boot_key_told(rig.directory, fake_uuid.bytes));
		assert_int_equal(rig.vol->facts.route, OWN_ROUTE_NONE);
	}
}

/* What the kernel has said meanwhile is for others to deal with; until then all waits. */
static void test_meanwhile(void **state)
{
	static const uint32_t held[] = { COVOL_ROUTE_HELD };

	(void)state;
	rig.vol->keyeds = 1;
	rig.loses_path = true;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "extend:b ");
	assert_routes(0, held, 1);
	assert_int_equal(rig.vol->facts.route, OWN_ROUTE_NONE);
	assert_true(rig.vol->keys_news);
	assert_false(rig.vol->facts.conflict);
}

/* I3: what the coordinator does on the LUN for others cannot be held. */
static void test_redirects(void **state)
{
	static const uint32_t held[] = { COVOL_ROUTE_HELD };

	(void)state;
	rig.vol->redirects = true;
	rig.vol->keyeds = 1;
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "");
	assert_routes(0, held, 1);
	assert_true(rig.vol->facts.conflict);
	/* If it only is not known whether all have it, that is no reason. */
	rig.vol->facts.conflict = false;
	rig.vol->keyeds = 0;
	rig.vol->keys_after = 0;
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "");
	assert_false(rig.vol->facts.conflict);
	assert_int_equal(fake_requests(), 3);
}

/* An agent that was started again: the one before it has registered. */
static void test_restart(void **state)
{
	(void)state;
	rig.vol->device[0] = '\0';
	rig.vol->keyed_with = 0;
	rig.vol->keyeds = 0;
	rig.keys = 2;
	assert_nothing();
	assert_int_equal(rig.finds, 1);
	assert_int_equal(rig.vol->keyeds, 2);
	/* Not by all, or by more than there are: by which is not known. */
	rig.vol->keyed_with = 0;
	rig.keys = 3;
	rig.vol->keys_after = UINT64_MAX;
	assert_nothing();
	assert_int_equal(rig.vol->keyeds, 0);
	rig.vol->keys_after = 0;
	rig.vol->keyed_with = 0;
	rig.keys = 1;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT);
	look();
	assert_string_equal(rig.log, "extend:a extend:b ");
}

/* ---- what the kernel says of disks ---- */

#define IS_DISK(text) uevent_is_disk(text, sizeof(text))

static void test_uevent(void **state)
{
	(void)state;
	assert_true(IS_DISK("add@/devices/x/block/sdc\0ACTION=add\0DEVPATH=/devices/x/block/sdc\0"
			    "SUBSYSTEM=block\0MAJOR=8\0DEVNAME=sdc\0DEVTYPE=disk\0SEQNUM=7"));
	assert_false(IS_DISK("remove@/x\0ACTION=remove\0SUBSYSTEM=block\0DEVTYPE=disk"));
	assert_false(IS_DISK("add@/x\0ACTION=add\0SUBSYSTEM=block\0DEVTYPE=partition"));
	assert_false(IS_DISK("add@/x\0ACTION=add\0SUBSYSTEM=scsi\0DEVTYPE=disk"));
	assert_false(IS_DISK("add@/x\0ACTION=addition\0SUBSYSTEM=block\0DEVTYPE=disk"));
	/* Cut off. */
	assert_false(uevent_is_disk("ACTION=add\0SUBSYSTEM=block\0DEVTYPE=disk", 37));
	assert_true(uevent_is_disk("ACTION=add\0SUBSYSTEM=block\0DEVTYPE=disk", 39));
	assert_false(uevent_is_disk("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_now, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_redirects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test(test_uevent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
