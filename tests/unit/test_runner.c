// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runner: events in, tasks, answers; what it keeps on the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/covold/boot.h"
#include "node.h"
#include "test.h"

static const char start_log[] =
	"register fence barrier mount write-epoch serve route release route ";

static int setup(void **state)
{
	struct node *node = malloc(sizeof(*node));

	node_init(node);
	node_begin(node);
	*state = node;
	return 0;
}

static int teardown(void **state)
{
	struct node *node = *state;

	node_end(node);
	node_exit(node);
	free(node);
	return 0;
}

/* For so long nothing of that kind happens. */
static void let_go_on(struct node *node, int ms)
{
	for (; ms > 0; ms -= 10)
		sd_event_run(node->event, 10000);
}

static void on_answer(void *data, int error)
{
	struct node *node = data;

	node->answered++;
	node->answer = error;
}

static int ask(struct node *node, const struct own_event *event)
{
	unsigned int before = node->answered;

	runner_request(node->runner, event, on_answer, node);
	until(node, node->answered == before + 1);
	return node->answer;
}

static int add(struct node *node, unsigned int number)
{
	struct own_event event = { .type = OWN_EV_ADD, .uuid = { number } };

	snprintf(event.name, sizeof(event.name), "v%u", number);
	return ask(node, &event);
}

static int simple(struct node *node, enum own_event_type type)
{
	struct own_event event = { .type = type, .volume = 1 };

	return ask(node, &event);
}

static struct own_volume *volume(struct node *node)
{
	return ownership_volume(runner_state(node->runner), 1);
}

static bool is_online(struct node *node)
{
	return volume(node) && volume(node)->phase == OWN_ONLINE &&
	       volume(node)->member[NODE - 1].route == OWN_ROUTE_DIRECT;
}

static void test_start_stop(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 }, none[16] = { 0 };

	until(node, node->views);
	assert_int_equal(add(node, 1), 0);
	assert_int_equal(add(node, 1), -EEXIST);
	assert_int_equal(simple(node, OWN_EV_START), 0);
	until(node, is_online(node));
	assert_string_equal(node->log, start_log);
	assert_true(node->shut_out == 0);
	assert_false(node->redirects);
	assert_true(node->facts.mounted);
	assert_true(runner_since(node->runner, uuid, NODE) > 0);
	assert_int_equal(simple(node, OWN_EV_FORGET), -EBUSY);
	node->log[0] = 0;
	assert_int_equal(simple(node, OWN_EV_STOP), 0);
	until(node, volume(node)->phase == OWN_STOPPED);
	assert_string_equal(node->log, "unmount barrier close ");
	assert_false(node->facts.mounted);
	assert_false(node->overlapped);
	assert_memory_equal(node->forgotten, none, sizeof(none));
	assert_int_equal(simple(node, OWN_EV_FORGET), 0);
	assert_memory_equal(node->forgotten, uuid, sizeof(uuid));
	assert_int_equal(simple(node, OWN_EV_START), -ENOENT);
	assert_true(runner_since(node->runner, uuid, NODE) == 0);
}

/* What was asked before there is a view is done when it is there. */
static void test_early_request(void **state)
{
	struct node *node = *state;

	assert_int_equal(node->views, 0);
	assert_int_equal(add(node, 1), 0);
	assert_int_equal(runner_state(node->runner)->count, 1);
}

/* An agent that comes back knows its volumes, and no key of its is like one that it had. */
static void test_restart(void **state)
{
	struct node *node = *state;
	uint64_t incarnation;

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	until(node, !pool_busy(node->pool));
	incarnation = node->facts.incarnation;
	assert_true(incarnation > 0);
	node_end(node);
	node->log[0] = 0;
	node_begin(node);
	until(node, is_online(node));
	assert_string_equal(node->log, start_log);
	assert_true(node->facts.incarnation > incarnation);
	assert_int_equal(node->header, 2);
}

/* While the state cannot be written nothing is done that it does not tell of. */
static void test_no_disk(void **state)
{
	struct node *node = *state;
	char path[64];

	snprintf(path, sizeof(path), "%s/state.new", node->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	add(node, 1);
	simple(node, OWN_EV_START);
	let_go_on(node, 300);
	assert_string_equal(node->log, "");
	assert_int_equal(volume(node)->member[NODE - 1].task, OWN_TASK_REGISTER);
	assert_int_equal(rmdir(path), 0);
	until(node, is_online(node));
}

/* The key is gone: fenced, a new key, mounted again. */
static void test_conflict(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 };
	uint64_t incarnation;

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	incarnation = node->facts.incarnation;
	pthread_mutex_lock(&node->lock);
	node->facts.conflict = true;
	pthread_mutex_unlock(&node->lock);
	runner_fact(node->runner, uuid);
	until(node, volume(node)->phase != OWN_ONLINE);
	until(node, is_online(node));
	assert_true(node->facts.incarnation > incarnation);
	assert_false(node->facts.conflict);
}

/* Who has no quorum is told nothing by those who have fenced it. */
static void test_conflict_alone(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 };
	struct own_status status;
	uint64_t since;

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	exchange_quorum(&node->exchange, true, false, false);
	until(node, !runner_state(node->runner)->quorate);
	status = runner_status(node->runner, volume(node), NODE);
	assert_int_equal(status.state, OWN_STATE_DIRECT);
	assert_int_equal(status.reasons, OWN_REASON_NO_QUORUM);
	pthread_mutex_lock(&node->lock);
	node->facts.conflict = true;
	pthread_mutex_unlock(&node->lock);
	since = runner_since(node->runner, uuid, NODE);
	runner_fact(node->runner, uuid);
	status = runner_status(node->runner, volume(node), NODE);
	assert_int_equal(status.state, OWN_STATE_UNAVAILABLE);
	assert_int_equal(status.reasons, OWN_REASON_NO_QUORUM | OWN_REASON_FENCED);
	assert_true(runner_since(node->runner, uuid, NODE) > since);
}

/* Who was given up fails all I/O until it is told a route, whatever the state says of it. */
static void test_given_up(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 };
	struct own_status status;
	uint64_t since;

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	since = runner_since(node->runner, uuid, NODE);
	pthread_mutex_lock(&node->lock);
	node->facts.failing = OWN_EXPELLED_UNKNOWN;
	pthread_mutex_unlock(&node->lock);
	runner_fact(node->runner, uuid);
	status = runner_status(node->runner, volume(node), NODE);
	assert_int_equal(status.state, OWN_STATE_UNAVAILABLE);
	assert_int_equal(status.reasons, 0);
	assert_true(runner_since(node->runner, uuid, NODE) > since);
	pthread_mutex_lock(&node->lock);
	node->facts.failing = OWN_EXPELLED;
	pthread_mutex_unlock(&node->lock);
	status = runner_status(node->runner, volume(node), NODE);
	assert_int_equal(status.state, OWN_STATE_UNAVAILABLE);
	assert_int_equal(status.reasons, OWN_REASON_FENCED);
	/* That is no conflict: nobody fences it for that. */
	assert_true(is_online(node));
	pthread_mutex_lock(&node->lock);
	node->facts.failing = OWN_NOT_EXPELLED;
	pthread_mutex_unlock(&node->lock);
	status = runner_status(node->runner, volume(node), NODE);
	assert_int_equal(status.state, OWN_STATE_DIRECT);
}

static void test_path(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 };

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	node->facts.path = false;
	runner_fact(node->runner, uuid);
	until(node, volume(node)->member[NODE - 1].no_path);
	node->facts.path = true;
	runner_fact(node->runner, uuid);
	until(node, !volume(node)->member[NODE - 1].no_path);
	until(node, volume(node)->member[NODE - 1].route == OWN_ROUTE_DIRECT);
	/* It was lost while nobody could be told, and its kernel has held since. */
	node->log[0] = 0;
	node->facts.held = true;
	runner_fact(node->runner, uuid);
	until(node, strstr(node->log, "route"));
	until(node, volume(node)->member[NODE - 1].route == OWN_ROUTE_DIRECT);
	assert_false(node->facts.held);
	assert_false(volume(node)->member[NODE - 1].no_path);
}

/* The state has it mounted, the kernel has not. */
static void test_has_less(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 };

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	node->log[0] = 0;
	node->facts.mounted = false;
	runner_fact(node->runner, uuid);
	until(node, volume(node)->phase != OWN_ONLINE);
	until(node, is_online(node));
	assert_non_null(strstr(node->log, "mount "));
	assert_true(node->facts.mounted);
}

/* A node that does not return a layout is fenced if it is not here, and may hold one. */
static void test_stuck(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 }, other[16] = { 2 };

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	node->log[0] = 0;
	runner_stuck(node->runner, uuid, NODE);
	runner_stuck(node->runner, uuid, NODE + 1);
	runner_stuck(node->runner, uuid, OWN_NODES + 1);
	own_member(volume(node), NODE + 1)->access = OWN_ACCESS_REGISTERED;
	runner_stuck(node->runner, other, NODE + 1);
	let_go_on(node, 200);
	assert_string_equal(node->log, "");
	runner_stuck(node->runner, uuid, NODE + 1);
	until(node, strstr(node->log, "release "));
	assert_string_equal(node->log, "fence release ");
	assert_int_equal(own_member(volume(node), NODE + 1)->access, OWN_ACCESS_NONE);
}

/* A task that fails is tried again; one that hangs is broken off by what comes for it. */
static void test_trouble(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 };

	node->result[OWN_TASK_MOUNT] = OWN_FAILED;
	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, strstr(node->log, "mount barrier") || strstr(node->log, "mount mount"));
	node->result[OWN_TASK_MOUNT] = OWN_OK;
	until(node, is_online(node));
	node->log[0] = 0;
	node->stuck[OWN_TASK_UNMOUNT] = true;
	simple(node, OWN_EV_STOP);
	until(node, strstr(node->log, "unmount "));
	let_go_on(node, 50);
	assert_int_equal(node->broken_off, 0);
	pthread_mutex_lock(&node->lock);
	node->facts.conflict = true;
	pthread_mutex_unlock(&node->lock);
	runner_fact(node->runner, uuid);
	until(node, volume(node)->phase == OWN_STOPPED);
	assert_int_equal(node->broken_off, 1);
	assert_false(node->overlapped);
}

static void test_damaged_state(void **state)
{
	struct node *node = *state;
	struct runner_setup setup_of = {
		.event = node->event, .pool = node->pool,
		.state_directory = node->directory,
	};
	struct runner *other;
	char path[64];
	int fd;

	until(node, node->views);
	until(node, !pool_busy(node->pool));
	snprintf(path, sizeof(path), "%s/state", node->directory);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 3), 1);
	assert_int_equal(runner_create(&other, &setup_of), -EBADMSG);
	assert_int_equal(pwrite(fd, "OCOV", 4, 0), 4);
	assert_int_equal(runner_create(&other, &setup_of), -EBADMSG);
	close(fd);
}

/* A key that the state does not know of, and a route that it has not: an older state has won. */
static void test_differs(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1 };
	uint64_t incarnation;

	add(node, 1);
	simple(node, OWN_EV_START);
	until(node, is_online(node));
	until(node, !pool_busy(node->pool));
	node->log[0] = 0;
	node->facts.route = OWN_ROUTE_NONE;
	runner_fact(node->runner, uuid);
	until(node, node->facts.route == OWN_ROUTE_DIRECT);
	until(node, is_online(node));
	assert_string_equal(node->log, "route ");
	incarnation = node->facts.incarnation++;
	runner_fact(node->runner, uuid);
	until(node, volume(node)->phase != OWN_ONLINE);
	until(node, is_online(node));
	assert_true(node->facts.incarnation > incarnation + 1);
	assert_non_null(strstr(node->log, "route register fence "));
}

static void test_boot_key(void **state)
{
	struct node *node = *state;
	const uint8_t uuid[16] = { 1, 0xab }, other[16] = { 2 };
	char path[128];

	assert_true(boot_key(node->directory, uuid) == 0);
	assert_int_equal(boot_key_mark(node->directory, uuid, 0), 0);
	assert_int_equal(boot_key_mark(node->directory, uuid, 0x123456789abcdef0), 0);
	assert_true(boot_key(node->directory, uuid) == 0x123456789abcdef0);
	assert_true(boot_key(node->directory, other) == 0);
	assert_int_equal(boot_key_mark(node->directory, uuid, 7), 0);
	assert_true(boot_key(node->directory, uuid) == 7);
	/* Cut off while it was written: as if there were none. */
	snprintf(path, sizeof(path), "%s/key-01ab0000000000000000000000000000", node->directory);
	assert_int_equal(truncate(path, 1), 0);
	assert_true(boot_key(node->directory, uuid) == 0);
	assert_int_equal(boot_key_mark(node->directory, uuid, 0), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(boot_key_mark("/nowhere", uuid, 7), -ENOENT);
	/* The other one is another. */
	assert_int_equal(boot_key_mark_told(node->directory, uuid, 6), 0);
	assert_true(boot_key(node->directory, uuid) == 0);
	assert_int_equal(boot_key_mark(node->directory, uuid, 7), 0);
	assert_true(boot_key_told(node->directory, uuid) == 6);
	assert_int_equal(boot_key_mark_told(node->directory, uuid, 0), 0);
	assert_true(boot_key_told(node->directory, uuid) == 0);
}

static void test_boot(void **state)
{
	struct node *node = *state;
	uint64_t id = 0, again = 0;
	int lock;

	assert_int_equal(boot_id(&id), 0);
	assert_int_equal(boot_id(&again), 0);
	assert_true(id != 0);
	assert_true(id == again);
	lock = boot_lock(node->directory);
	assert_true(lock >= 0);
	assert_int_equal(boot_lock(node->directory), -EAGAIN);
	close(lock);
	lock = boot_lock(node->directory);
	assert_true(lock >= 0);
	close(lock);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_start_stop), TEST(test_early_request), TEST(test_restart),
		TEST(test_no_disk),    TEST(test_conflict),	 TEST(test_conflict_alone),
		TEST(test_path),       TEST(test_has_less),	 TEST(test_trouble),
		TEST(test_boot),       TEST(test_stuck),	 TEST(test_differs),
		TEST(test_boot_key),   TEST(test_damaged_state), TEST(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
