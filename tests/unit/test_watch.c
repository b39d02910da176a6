// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of the kernel that nobody has heard: what they would have said is looked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/covold/kernel.h"
#include "../../userspace/covold/log.h"
#include "../../userspace/covold/pool.h"
#include "fake_kernel.h"
#include "test.h"

#define EPOCH	7

static struct {
	struct kernel kernel;
	struct kernel_volume *vol;
	unsigned int news;
} rig;

static void changed(void *data, const uint8_t uuid[16])
{
	(void)data;
	assert_memory_equal(uuid, fake_uuid.bytes, 16);
	rig.news++;
}

/* A member that knows of a session. */
static int setup(void **state)
{
	struct kernel *kernel = &rig.kernel;

	(void)state;
	log_init(LOG_ERR - 1);
	fake_reset();
	memset(&rig, 0, sizeof(rig));
	kernel->listener = -1;
	kernel->changed = changed;
	pthread_mutex_init(&kernel->lock, NULL);
	assert_int_equal(sd_event_new(&kernel->event), 0);
	assert_int_equal(pool_create(&kernel->pool, kernel->event, 1, 1), 0);
	rig.vol = kernel_volume_get(kernel, fake_uuid.bytes);
	rig.vol->known = true;
	rig.vol->facts.session_epoch = EPOCH;
	assert_int_equal(kernel_watch(kernel), 0);
	assert_true(sd_event_source_set_enabled(kernel->looks, SD_EVENT_OFF) >= 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_destroy(rig.kernel.pool);
	kernel_close(&rig.kernel);
	sd_event_unref(rig.kernel.event);
	fake_reset();
	return 0;
}

/* What the kernel says when it is asked. */
static void volume_is(uint32_t role, uint32_t route, uint32_t reasons)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);

	nla_put(message, COVOL_A_VOLUME_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_VOLUME_ROLE, role);
	nla_put_u32(message, COVOL_A_VOLUME_ROUTE, route);
	nla_put_u32(message, COVOL_A_VOLUME_REASONS, reasons);
	nla_put_u32(message, COVOL_A_VOLUME_COORDINATOR, 2);
	fake_add(message);
	fake_ack();
}

static void session_is(uint32_t is)
{
	struct nl_msg *message = fake_message(COVOL_CMD_SESSION_GET, 0);

	nla_put(message, COVOL_A_SESSION_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_SESSION_PEER, 2);
	nla_put_u32(message, COVOL_A_SESSION_STATE, is);
	fake_add(message);
	fake_ack();
}

/* Until the volume has been looked at, if it is; the fake kernel's events can always be read. */
static void lose_events(void)
{
	struct kernel *kernel = &rig.kernel;

	fake_event_fail(-ENOBUFS);
	sd_event_source_set_enabled(kernel->events_source, SD_EVENT_ON);
	assert_true(sd_event_run(kernel->event, 10000) >= 0);
	sd_event_source_set_enabled(kernel->events_source, SD_EVENT_OFF);
	while (pool_busy(kernel->pool))
		assert_true(sd_event_run(kernel->event, 10000) >= 0);
	assert_false(rig.vol->looking_unheard);
}

static void test_nothing(void **state)
{
	struct own_facts before = rig.vol->facts;

	(void)state;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT, COVOL_REASON_ADMIN);
	session_is(COVOL_SESSION_STATE_LIVE);
	lose_events();
	assert_int_equal(fake_requests(), 2);
	assert_memory_equal(&rig.vol->facts, &before, sizeof(before));
	assert_true(rig.vol->lost == 0);
	assert_int_equal(rig.news, 0);
	/* No longer there. */
	fake_refuse(-ENOENT, NULL, 0, 0);
	lose_events();
	assert_int_equal(fake_requests(), 3);
	assert_memory_equal(&rig.vol->facts, &before, sizeof(before));
	assert_false(rig.vol->unheard);
}

static void test_path(void **state)
{
	const uint32_t reasons = COVOL_REASON_NO_DISK_PATH;

	(void)state;
	/* It is redirected for that: it holds nothing. */
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_BLOCK_REDIRECTED, reasons);
	lose_events();
	assert_true(rig.vol->facts.path);
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_HELD, reasons);
	lose_events();
	assert_false(rig.vol->facts.path);
	assert_true(rig.vol->facts.held);
	assert_false(rig.vol->facts.conflict);
	assert_int_equal(rig.news, 1);
	/* It is back, and the kernel has not been given a route yet. */
	rig.vol->facts.path = true;
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_HELD, reasons);
	lose_events();
	assert_true(rig.vol->facts.path);
	assert_int_equal(rig.news, 1);
	/* A coordinator has no session to lose. */
	assert_true(rig.vol->lost == 0);
}

static void test_fenced(void **state)
{
	(void)state;
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_UNAVAILABLE, COVOL_REASON_FENCED);
	lose_events();
	assert_true(rig.vol->facts.conflict);
	assert_true(rig.vol->facts.path);
	assert_int_equal(rig.news, 1);
}

static void test_session(void **state)
{
	uint64_t lost;

	(void)state;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT, COVOL_REASON_ADMIN);
	session_is(COVOL_SESSION_STATE_CLOSING);
	lose_events();
	lost = rig.vol->lost;
	assert_true(lost != 0);
	/* It is to be made again after a while, which does not begin anew. */
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT, COVOL_REASON_ADMIN);
	fake_refuse(-ENOENT, NULL, 0, 0);
	lose_events();
	assert_true(rig.vol->lost == lost);
	assert_int_equal(rig.news, 0);
	/* One that it has never been told of. */
	rig.vol->lost = 0;
	rig.vol->facts.session_epoch = 0;
	volume_is(COVOL_ROLE_MEMBER, COVOL_ROUTE_DIRECT, COVOL_REASON_ADMIN);
	fake_refuse(-ENOENT, NULL, 0, 0);
	lose_events();
	assert_true(rig.vol->lost == 0);
}

/* It is tried until the kernel has answered; and not before what it was is known. */
static void test_again(void **state)
{
	(void)state;
	rig.vol->known = false;
	lose_events();
	assert_int_equal(fake_requests(), 0);
	assert_true(rig.vol->unheard);
	rig.vol->known = true;
	fake_refuse(-ENOMEM, NULL, 0, 0);
	lose_events();
	assert_true(rig.vol->unheard);
	volume_is(COVOL_ROLE_COORDINATOR, COVOL_ROUTE_UNAVAILABLE, COVOL_REASON_FENCED);
	/* By the timer of each second. */
	assert_true(sd_event_source_set_enabled(rig.kernel.looks, SD_EVENT_ONESHOT) >= 0);
	while (!rig.news)
		assert_true(sd_event_run(rig.kernel.event, 10000) >= 0);
	assert_true(rig.vol->facts.conflict);
	assert_false(rig.vol->unheard);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing), TEST(test_path),  TEST(test_fenced),
		TEST(test_session), TEST(test_again),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
