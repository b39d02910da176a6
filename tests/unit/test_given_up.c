// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel of a node is told that was given up (I3): its I/O fails, what waits and what
 * comes, until the node is given a route again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/covold/kernel.h"
#include "../../userspace/covold/log.h"
#include "fake_kernel.h"
#include "given_up_wrap.h"
#include "test.h"

#define NODE	3
#define PEER	1

static struct {
	struct kernel kernel;
	struct config config;
	struct kernel_volume *vol;
	struct covol_volume volume;	/* as the kernel has it */
	bool booted;			/* it does not know it */
	bool refuses;			/* any route */
	bool gone;			/* the key is, which who registers looks for */
	enum own_result registers;
	char log[256];
} rig;

/* Routes with a mark before them. */
static void note(const char *mark, const char *word)
{
	size_t used = strlen(rig.log);

	snprintf(rig.log + used, sizeof(rig.log) - used, "%s%s%s", used ? " " : "", mark, word);
}

/* ---- the kernel ---- */

int __wrap_covol_volume_get(struct covol *c, const struct covol_uuid *uuid,
			    struct covol_volume *volume)
{
	(void)c;
	(void)uuid;
	*volume = rig.volume;
	return rig.booted ? -ENOENT : 0;
}

int __wrap_covol_volume_set(struct covol *c, const struct covol_volume *volume,
			    unsigned int fields)
{
	(void)c;
	if (rig.booted)
		return -ENOENT;
	if (!(fields & COVOL_VOLUME_ROUTE))
		return 0;
	if (rig.refuses)
		return -ENOLINK;
	note(">", covol_route_name(volume->route));
	rig.volume.route = volume->route;
	rig.volume.reasons = COVOL_REASON_ADMIN;
	return 0;
}

int __wrap_covol_session_get(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
			     struct covol_session *session)
{
	(void)c;
	(void)uuid;
	(void)peer;
	(void)session;
	return -ENOENT;
}

int __wrap_covol_session_dump(struct covol *c, const struct covol_uuid *uuid, covol_session_fn fn,
			      void *data)
{
	(void)c;
	(void)uuid;
	(void)fn;
	(void)data;
	return 0;
}

int __wrap_covol_session_del(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
			     bool forget)
{
	(void)c;
	(void)uuid;
	assert_true(forget);
	if (peer == PEER)
		note("", "forget");
	return 0;
}

int __wrap_device_break(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR])
{
	(void)uuid;
	(void)error;
	return 0;
}

int __wrap_device_create(const struct covol_volume *volume, char error[DEVICE_ERROR])
{
	(void)volume;
	strcpy(error, "no device");
	return -EIO;
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
	(void)error;
	return 0;
}

int __wrap_device_unmount(const uint8_t uuid[COVOL_UUID_LEN], const char *directory, bool broken,
			  char error[DEVICE_ERROR])
{
	(void)uuid;
	(void)directory;
	(void)error;
	assert_true(broken);
	return 0;
}

enum own_result __wrap_kernel_images_break(struct kernel_task *t)
{
	(void)t;
	note("", "break");
	return OWN_OK;
}

enum own_result __wrap_kernel_images_release(struct kernel_task *t)
{
	(void)t;
	note("", "release");
	return OWN_OK;
}

enum own_result __wrap_kernel_images_clear(struct kernel_task *t)
{
	(void)t;
	note("", "clear");
	return OWN_OK;
}

/* ---- the LUN ---- */

enum own_result __wrap_kernel_register(struct kernel_task *t)
{
	enum own_result result = rig.gone ? kernel_route_fail(t) : OWN_OK;

	note("", "register");
	return result == OWN_OK ? rig.registers : result;
}

enum own_result __wrap_kernel_check_key(struct kernel_task *t)
{
	(void)t;
	return OWN_OK;
}

/* ---- */

/* It had a session, and layouts. */
static int setup(void **state)
{
	(void)state;
	log_init(LOG_ERR - 1);
	fake_reset();
	memset(&rig, 0, sizeof(rig));
	rig.config.runtime_directory = "/nonexistent";
	rig.config.mount_directory = "/nonexistent";
	rig.kernel.config = &rig.config;
	rig.kernel.node = NODE;
	pthread_mutex_init(&rig.kernel.lock, NULL);
	rig.volume = (struct covol_volume) {
		.uuid = fake_uuid, .node = NODE, .role = COVOL_ROLE_MEMBER, .coordinator = PEER,
		.lun_major = 8, .route = COVOL_ROUTE_DIRECT,
	};
	rig.vol = kernel_volume_get(&rig.kernel, fake_uuid.bytes);
	rig.vol->known = true;
	rig.vol->facts.route = OWN_ROUTE_DIRECT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(rig.vol);
	fake_reset();
	return 0;
}

static enum own_result run(struct own_action action)
{
	struct driver_task task = { .action = action };
	struct driver_answer answer = { 0 };

	task.action.node = NODE;
	task.action.other = PEER;
	memcpy(task.uuid, fake_uuid.bytes, sizeof(task.uuid));
	rig.log[0] = '\0';
	kernel_driver.run(&rig.kernel, &task, &answer);
	return answer.result;
}

static enum own_result told(enum own_task task, enum own_expelled expelled)
{
	return run((struct own_action) { .task = task, .expelled = expelled });
}

static enum own_result told_apart(void)
{
	return run((struct own_action) { .task = OWN_TASK_BARRIER, .apart = true });
}

static enum own_result told_route(enum own_route route)
{
	return run((struct own_action) { .task = OWN_TASK_ROUTE, .route = route });
}

static struct own_facts facts(void)
{
	struct own_facts result;

	assert_true(kernel_driver.facts(&rig.kernel, fake_uuid.bytes, &result));
	return result;
}

static void assert_fails(enum own_expelled why)
{
	assert_int_equal(rig.volume.route, COVOL_ROUTE_UNAVAILABLE);
	assert_int_equal(facts().failing, why);
	assert_int_equal(facts().route, OWN_ROUTE_NONE);
	/* It is none that the kernel has met. */
	assert_false(facts().conflict);
	assert_false(facts().held);
}

/* All that was lost with a session is to be found out before; and there is no key yet. */
static void test_order(void **state)
{
	(void)state;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >unavailable register");
	assert_fails(OWN_EXPELLED);
	/* Without a path there is nothing to register. */
	assert_int_equal(told_route(OWN_ROUTE_BLOCK), OWN_OK);
	assert_int_equal(told(OWN_TASK_BARRIER, OWN_EXPELLED), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >unavailable");
	assert_fails(OWN_EXPELLED);
	/* Who was not given up waits. */
	assert_int_equal(told_route(OWN_ROUTE_DIRECT), OWN_OK);
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_NOT_EXPELLED), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >held register");
	assert_int_equal(facts().failing, OWN_NOT_EXPELLED);
}

/* Only a route ends it: not another try, nor that it has a key; nor does it begin to hold. */
static void test_let_in(void **state)
{
	(void)state;
	rig.registers = OWN_FAILED;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED), OWN_FAILED);
	rig.registers = OWN_OK;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_NOT_EXPELLED), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >unavailable register");
	assert_int_equal(told(OWN_TASK_BARRIER, OWN_NOT_EXPELLED), OWN_OK);
	assert_string_equal(rig.log, "break forget release");
	assert_int_equal(told_apart(), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >unavailable");
	assert_fails(OWN_EXPELLED);
	rig.refuses = true;
	assert_int_equal(told_route(OWN_ROUTE_DIRECT), OWN_FAILED);
	assert_fails(OWN_EXPELLED);
	rig.refuses = false;
	assert_int_equal(told_route(OWN_ROUTE_DIRECT), OWN_OK);
	assert_string_equal(rig.log, ">direct");
	assert_int_equal(facts().failing, OWN_NOT_EXPELLED);
	assert_int_equal(facts().route, OWN_ROUTE_DIRECT);
	assert_int_equal(told_apart(), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >held");
}

/* Or that it mounts the file system, as coordinator. */
static void test_mount(void **state)
{
	(void)state;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED), OWN_OK);
	assert_int_equal(told(OWN_TASK_MOUNT, OWN_NOT_EXPELLED), OWN_FAILED);
	assert_string_equal(rig.log, ">direct");
	assert_int_equal(facts().failing, OWN_NOT_EXPELLED);
}

/* Nobody knows: it holds until it has looked for its key. Without a path it cannot look. */
static void test_unknown(void **state)
{
	(void)state;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >held register");
	assert_int_equal(facts().failing, OWN_NOT_EXPELLED);
	rig.gone = true;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >held >unavailable register");
	assert_fails(OWN_EXPELLED_UNKNOWN);
	/* It does not begin to hold again. */
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_string_equal(rig.log,
			    "break forget release clear >unavailable >unavailable register");
	assert_int_equal(told_route(OWN_ROUTE_DIRECT), OWN_OK);
	assert_int_equal(told(OWN_TASK_BARRIER, OWN_EXPELLED_UNKNOWN), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >unavailable");
	assert_fails(OWN_EXPELLED_UNKNOWN);
	/* Then it is known. */
	assert_int_equal(told(OWN_TASK_BARRIER, OWN_EXPELLED), OWN_OK);
	assert_fails(OWN_EXPELLED);
}

/* The agent is started again meanwhile, and finds the route. */
static void test_restart(void **state)
{
	(void)state;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED), OWN_OK);
	teardown(state);
	setup(state);
	rig.volume.route = COVOL_ROUTE_UNAVAILABLE;
	rig.volume.reasons = COVOL_REASON_ADMIN | COVOL_REASON_COORDINATOR_LOST;
	rig.vol->known = false;
	assert_int_equal(told(OWN_TASK_BARRIER, OWN_NOT_EXPELLED), OWN_OK);
	assert_fails(OWN_EXPELLED_UNKNOWN);
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_NOT_EXPELLED), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >unavailable register");
	assert_fails(OWN_EXPELLED_UNKNOWN);
}

/* The kernel has met a conflict: that alone does not say that the node was given up. */
static void test_conflict(void **state)
{
	(void)state;
	rig.volume.route = COVOL_ROUTE_UNAVAILABLE;
	rig.volume.reasons = COVOL_REASON_FENCED;
	rig.vol->known = false;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_NOT_EXPELLED), OWN_OK);
	assert_string_equal(rig.log, "break forget release clear >held register");
	assert_true(facts().conflict);
	assert_int_equal(facts().failing, OWN_NOT_EXPELLED);
}

/* Nothing waits there. */
static void test_booted(void **state)
{
	(void)state;
	rig.booted = true;
	assert_int_equal(told(OWN_TASK_REGISTER, OWN_EXPELLED), OWN_OK);
	assert_int_equal(facts().failing, OWN_NOT_EXPELLED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_order),   TEST(test_let_in),	 TEST(test_mount),  TEST(test_unknown),
		TEST(test_restart), TEST(test_conflict), TEST(test_booted),
	};

	return cmocka_run_group_tests_name("given_up", tests, NULL, NULL);
}
