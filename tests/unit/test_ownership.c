// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ownership machine: who is told what, in which order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "test.h"

#define N1 1
#define N2 2
#define N3 4

/* Parts of what nodes are told. */
#define BARRIERS "barrier:1 barrier:2 barrier:3 "
#define COMES(node) "barrier:" node " connect:" node " route:" node
#define SERVES(node) "mount:" node " write-epoch:" node " serve:" node " "

static void assert_status(struct rig *rig, unsigned int node, enum own_state state,
			  unsigned int reasons)
{
	struct own_status status = ownership_status(&rig->own, rig_vol(rig), node);

	assert_string_equal(own_state_name(status.state), own_state_name(state));
	assert_int_equal(status.reasons, reasons);
}

static void test_start(void **state)
{
	struct rig rig;
	unsigned int node;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig_volume(&rig, 1);
	assert_string_equal(rig.log, "register:1 register:2 fence:1 barrier:1 barrier:2 "
			    SERVES("1") "route:1 connect:2 route:2 release:1");
	assert_int_equal(rig.kept, N1 | N2);
	assert_int_equal(rig_vol(&rig)->epoch, 1);
	own_for_each(node, N1 | N2)
		assert_status(&rig, node, OWN_STATE_DIRECT, 0);
	rig_exit(&rig);
}

/* What each operator's request makes the nodes do, on a volume that runs on nodes 1 to 3. */
static const struct request {
	const char *name;
	struct own_event event;
	int err;
	const char *log;
	enum own_phase phase;
	unsigned int coordinator;
} requests[] = {
	{ "move",
	  { .type = OWN_EV_MOVE, .node = 3 },
	  0,
	  "unmount:1 " BARRIERS SERVES("3") "connect:1 connect:2 release:3",
	  OWN_ONLINE,
	  3 },
	{ "move to itself", { .type = OWN_EV_MOVE, .node = 1 }, 0, "", OWN_ONLINE, 1 },
	{ "move to one that is not here",
	  { .type = OWN_EV_MOVE, .node = 4 },
	  -ENODEV,
	  "",
	  OWN_ONLINE,
	  1 },
	{ "move to no node", { .type = OWN_EV_MOVE, .node = 65 }, -EINVAL, "", OWN_ONLINE, 1 },
	{ "redirect",
	  { .type = OWN_EV_REDIRECT, .on = true },
	  0,
	  "route:1 route:2 route:3",
	  OWN_ONLINE,
	  1 },
	{ "stop",
	  { .type = OWN_EV_STOP },
	  0,
	  "unmount:1 " BARRIERS "close:1 close:2 close:3",
	  OWN_STOPPED,
	  0 },
	{ "start", { .type = OWN_EV_START }, 0, "", OWN_ONLINE, 1 },
	{ "maintenance",
	  { .type = OWN_EV_MAINTENANCE, .on = true },
	  0,
	  "unmount:1",
	  OWN_MAINTENANCE,
	  1 },
	{ "leave maintenance", { .type = OWN_EV_MAINTENANCE }, -EBUSY, "", OWN_ONLINE, 1 },
	{ "forget while it runs", { .type = OWN_EV_FORGET }, -EBUSY, "", OWN_ONLINE, 1 },
	{ "prefer",
	  { .type = OWN_EV_PREFER, .nodes = N2 },
	  0,
	  "unmount:1 " BARRIERS SERVES("2") "connect:1 connect:3 release:2",
	  OWN_ONLINE,
	  2 },
	{ "exclude",
	  { .type = OWN_EV_PREFER, .excluded = N1 | N2 },
	  0,
	  "unmount:1 " BARRIERS SERVES("3") "connect:1 connect:2 release:3",
	  OWN_ONLINE,
	  3 },
	{ "prefer and exclude",
	  { .type = OWN_EV_PREFER, .nodes = N1, .excluded = N1 },
	  -EINVAL,
	  "",
	  OWN_ONLINE,
	  1 },
	{ "name taken",
	  { .type = OWN_EV_ADD, .uuid = { 9 }, .name = "vol1" },
	  -EEXIST,
	  "",
	  OWN_ONLINE,
	  1 },
	{ "uuid taken",
	  { .type = OWN_EV_ADD, .uuid = { 1 }, .name = "other" },
	  -EEXIST,
	  "",
	  OWN_ONLINE,
	  1 },
	{ "no name", { .type = OWN_EV_ADD, .uuid = { 9 } }, -EINVAL, "", OWN_ONLINE, 1 },
	{ "no event", { .type = OWN_EVENTS }, -EINVAL, "", OWN_ONLINE, 1 },
};

static void test_requests(void **state)
{
	const struct request *request;
	struct own_event event;
	struct rig rig;

	(void)state;
	for (request = requests; request < requests + sizeof(requests) / sizeof(*requests);
	     request++) {
		print_message("# %s\n", request->name);
		rig_started(&rig, N1 | N2 | N3);
		event = request->event;
		event.volume = 1;
		assert_int_equal(rig_event(&rig, &event), request->err);
		assert_string_equal(rig.log, request->log);
		assert_int_equal(rig_vol(&rig)->phase, request->phase);
		assert_int_equal(rig_vol(&rig)->coordinator, request->coordinator);
		rig_exit(&rig);
	}
}

static void test_maintenance(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_MAINTENANCE, 0, true);
	assert_status(&rig, 2, OWN_STATE_MAINTENANCE, OWN_REASON_ADMIN);
	assert_int_equal(rig_simple(&rig, OWN_EV_START, 0, false), -EBUSY);
	/* The keeper dies: it may have been writing, fsck. */
	rig_clear(&rig);
	rig_view(&rig, N2, N2, 0, true);
	assert_string_equal(rig.log, "fence:2 barrier:2");
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	assert_int_equal(rig_vol(&rig)->phase, OWN_MAINTENANCE);
	rig_simple(&rig, OWN_EV_MAINTENANCE, 0, false);
	assert_int_equal(rig_vol(&rig)->phase, OWN_ONLINE);
	rig_exit(&rig);
}

static void test_stop_start(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_STOP, 0, false);
	assert_status(&rig, 1, OWN_STATE_UNAVAILABLE, OWN_REASON_ADMIN);
	rig_simple(&rig, OWN_EV_START, 0, false);
	assert_int_equal(rig_vol(&rig)->epoch, 2);
	rig_simple(&rig, OWN_EV_STOP, 0, false);
	assert_int_equal(rig_simple(&rig, OWN_EV_FORGET, 0, false), 0);
	assert_null(ownership_volume(&rig.own, 1));
	assert_int_equal(rig_simple(&rig, OWN_EV_START, 0, false), -ENOENT);
	rig_exit(&rig);
}

/* In the same view. What its keys were then may be remembered by who was away. */
static void test_added_again(void **state)
{
	uint64_t before, key;
	unsigned int node;
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	before = rig_vol(&rig)->serial;
	rig_simple(&rig, OWN_EV_STOP, 0, false);
	assert_int_equal(rig_simple(&rig, OWN_EV_FORGET, 0, false), 0);
	rig_volume(&rig, 2);
	assert_int_equal(ownership_volume(&rig.own, 2)->phase, OWN_ONLINE);
	own_for_each(node, N1 | N2) {
		key = own_member(ownership_volume(&rig.own, 2), node)->incarnation;
		assert_true(key > before);
	}
	rig_exit(&rig);
}

static void test_coordinator_dies(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_string_equal(rig.log,
			    "fence:2 barrier:2 barrier:3 " SERVES("2") "connect:3 release:2");
	assert_int_equal(rig.kept, N2 | N3);
	/* Who is here may hold layouts, and keeps them. */
	assert_int_equal(rig.served, N2 | N3);
	assert_int_equal(rig.holders, N2 | N3);
	assert_int_equal(rig.fenced, 0);
	assert_int_equal(rig_member(&rig, 1)->access, OWN_ACCESS_NONE);
	assert_status(&rig, 1, OWN_STATE_UNAVAILABLE, OWN_REASON_NODE_LOST);
	/* It comes back as a member; what it has done meanwhile, and for whom, nobody knows. */
	rig_clear(&rig);
	rig_view(&rig, N1 | N2 | N3, N1 | N2 | N3, N1, true);
	assert_string_equal(rig.log, "release:2 fence:2 register:1 release:2 " COMES("1"));
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	rig_exit(&rig);
}

/* Without a successful fence nothing is taken over, and the state says why. */
static void test_fence_fails(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig.answer[OWN_TASK_FENCE][2] = OWN_FAILED;
	rig.answer[OWN_TASK_FENCE][3] = OWN_FAILED;
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_string_equal(rig.log, "fence:2");
	assert_status(&rig, 3, OWN_STATE_DIRECT,
		      OWN_REASON_COORDINATOR_LOST | OWN_REASON_FENCE_FAILED);
	/* Another one tries, and then the first again. */
	rig_fire(&rig);
	assert_string_equal(rig.log, "fence:2 fence:3");
	rig_fire(&rig);
	assert_string_equal(rig.log, "fence:2 fence:3 fence:2");
	assert_int_equal(rig_vol(&rig)->coordinator, 1);
	rig.answer[OWN_TASK_FENCE][3] = OWN_OK;
	rig.timers = true;
	rig_fire(&rig);
	assert_int_equal(rig_vol(&rig)->phase, OWN_ONLINE);
	assert_status(&rig, 3, OWN_STATE_DIRECT, 0);
	rig_exit(&rig);
}

/* A barrier that is not answered keeps everybody from mounting. */
static void test_barrier_waits(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig.silent[OWN_TASK_BARRIER][3] = true;
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_string_equal(rig.log, "fence:2 barrier:2 barrier:3");
	assert_int_equal(rig_vol(&rig)->coordinator, 0);
	/* It leaves: then it is fenced in place of it. */
	rig_clear(&rig);
	rig_view(&rig, N2, N2, 0, true);
	assert_string_equal(rig.log, "fence:2 barrier:2 " SERVES("2") "release:2");
	rig_exit(&rig);
}

/* What a fence has found in one view says nothing in the next. */
static void test_fence_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig.silent[OWN_TASK_BARRIER][3] = true;
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	rig_clear(&rig);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_string_equal(rig.log, "barrier:3 fence:2 barrier:2");
	/* One that is under way, too. */
	rig_clear(&rig);
	rig.silent[OWN_TASK_FENCE][2] = true;
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	rig.silent[OWN_TASK_FENCE][2] = false;
	rig_clear(&rig);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_string_equal(rig.log, "barrier:3 fence:2 barrier:2");
	rig_exit(&rig);
}

/* Somebody comes while the new coordinator has been told to serve, and has not answered. */
static void test_comes_before_serve(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig.silent[OWN_TASK_SERVE][2] = true;
	rig.silent[OWN_TASK_BARRIER][3] = true;
	rig_view(&rig, N2, N2, 0, true);
	rig_clear(&rig);
	rig_view(&rig, N2 | N3, N2 | N3, 0, true);
	assert_string_equal(rig.log, "register:3 barrier:3");
	assert_int_equal(rig_vol(&rig)->phase, OWN_SERVE);
	rig_exit(&rig);
}

static void test_no_quorum(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N2, N2, 0, false);
	assert_string_equal(rig.log, "");
	assert_int_equal(rig_simple(&rig, OWN_EV_STOP, 0, false), -EAGAIN);
	assert_status(&rig, 2, OWN_STATE_DIRECT, OWN_REASON_NO_QUORUM);
	rig_view(&rig, N1 | N2 | N3, N1 | N2 | N3, 0, true);
	assert_int_equal(rig_vol(&rig)->coordinator, 1);
	rig_exit(&rig);
}

/* One that has only lost the cluster keeps what it holds, until it is in the way. */
static void test_fence_on_demand(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	assert_string_equal(rig.log, "");
	rig_simple(&rig, OWN_EV_FENCE_WANTED, 3, false);
	assert_string_equal(rig.log, "fence:1 release:1");
	assert_int_equal(rig.kept, N1 | N2);
	/* What it held is forgotten, here and there. */
	assert_int_equal(rig.holders, N1 | N2);
	assert_int_equal(rig_vol(&rig)->coordinator, 1);
	rig_exit(&rig);

	rig_started(&rig, N1 | N2 | N3);
	rig_simple(&rig, OWN_EV_FENCE_ALWAYS, 0, true);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	assert_string_equal(rig.log, "fence:1 release:1");
	assert_int_equal(rig.holders, N1 | N2);
	/* Without its path: it does not register, and is block-redirected. */
	rig_simple(&rig, OWN_EV_PATH_LOST, 3, false);
	rig_view(&rig, N1 | N2 | N3, N1 | N2 | N3, 0, true);
	assert_string_equal(rig.log, "fence:1 release:1 barrier:3 connect:3 route:3");
	assert_int_equal(rig.fenced, N3);
	/* It goes again, and nobody waits for it. */
	rig_clear(&rig);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	assert_string_equal(rig.log, "release:1");
	assert_int_equal(rig.holders, N1 | N2);
	rig_exit(&rig);

	/* It was not in the way, and has not booted: it goes on. */
	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig_view(&rig, N1 | N2 | N3, N1 | N2 | N3, 0, true);
	assert_string_equal(rig.log, "barrier:3 connect:3 route:3");
	assert_int_equal(rig.fenced, 0);
	rig_exit(&rig);

	/* It has booted: what it had sent before may still land. */
	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig_view(&rig, N1 | N2 | N3, N1 | N2 | N3, N3, true);
	assert_string_equal(rig.log, "fence:1 register:3 release:1 barrier:3 connect:3 route:3");
	rig_exit(&rig);
}

/* Whoever repairs the file system may move blocks: nobody has layouts of them, here or not. */
static void test_maintenance_recalls(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig_simple(&rig, OWN_EV_MOVE, 2, false);
	assert_false(rig.recalled);
	rig_exit(&rig);

	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig_clear(&rig);
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig_simple(&rig, OWN_EV_MAINTENANCE, 0, true);
	assert_string_equal(rig.log, "fence:1");
	assert_int_equal(rig_vol(&rig)->phase, OWN_HOLD);
	rig_exit(&rig);

	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N1 | N2, N1 | N2, 0, true);
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_MAINTENANCE, 0, true);
	assert_string_equal(rig.log, "fence:1 unmount:1");
	assert_true(rig.recalled);
	assert_int_equal(rig.holders, N1 | N2);
	rig_exit(&rig);
}

/* The agent dies, the node does not: nobody takes anything, unless it stays away. */
static void test_agent_restarts(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig_view(&rig, N2 | N3, N1 | N2 | N3, 0, true);
	assert_string_equal(rig.log, "");
	rig_view(&rig, N1 | N2 | N3, N1 | N2 | N3, 0, true);
	assert_string_equal(rig.log, "");
	rig_view(&rig, N2 | N3, N1 | N2 | N3, 0, true);
	assert_int_equal(rig.timer.timer, OWN_TIMER_AGENT);
	rig_fire(&rig);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	rig_exit(&rig);
}

static void test_path(void **state)
{
	uint32_t first, second;
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	assert_string_equal(rig.log, "fence:1 release:1 connect:2 route:2");
	assert_int_equal(rig.kept, N1);
	assert_status(&rig, 2, OWN_STATE_BLOCK_REDIRECTED, OWN_REASON_NO_DISK_PATH);
	/* Back: it has to stay for a while. */
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_PATH_BACK, 2, false);
	assert_string_equal(rig.log, "");
	first = rig.timer.ms;
	rig_fire(&rig);
	/* To register it ends its session. */
	assert_string_equal(rig.log, "register:2 connect:2 route:2");
	assert_status(&rig, 2, OWN_STATE_DIRECT, 0);
	/* And for longer, the next time. */
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	rig_simple(&rig, OWN_EV_PATH_BACK, 2, false);
	second = rig.timer.ms;
	assert_int_equal(second, 2 * first);
	rig_fire(&rig);
	/* It was good for long: forgotten. */
	rig_fire(&rig);
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	rig_simple(&rig, OWN_EV_PATH_BACK, 2, false);
	assert_int_equal(rig.timer.ms, first);
	rig_exit(&rig);
}

static void test_coordinator_path(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_PATH_LOST, 1, false);
	assert_string_equal(rig.log, "fence:2 barrier:1 barrier:2 "
			    SERVES("2") "connect:1 route:1 release:2");
	assert_status(&rig, 1, OWN_STATE_BLOCK_REDIRECTED, OWN_REASON_NO_DISK_PATH);
	/* Nobody is left to hand over to: it stays, and holds. */
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	assert_string_equal(rig.log, "");
	assert_status(&rig, 2, OWN_STATE_HELD, OWN_REASON_NO_DISK_PATH);
	/* Its kernel holds until it is told a route again. */
	rig_simple(&rig, OWN_EV_PATH_BACK, 2, false);
	assert_string_equal(rig.log, "route:2");
	assert_status(&rig, 2, OWN_STATE_DIRECT, 0);
	rig_exit(&rig);
}

/* While the coordinator is told a route: what it has done may have been before the loss. */
static void test_path_lost_while_routed(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1);
	rig.silent[OWN_TASK_ROUTE][1] = true;
	rig_simple(&rig, OWN_EV_REDIRECT, 0, true);
	rig_simple(&rig, OWN_EV_PATH_LOST, 1, false);
	assert_int_equal(rig_member(&rig, 1)->task, OWN_TASK_NONE);
	rig.silent[OWN_TASK_ROUTE][1] = false;
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_PATH_BACK, 1, false);
	assert_string_equal(rig.log, "route:1");
	assert_status(&rig, 1, OWN_STATE_FS_REDIRECTED, OWN_REASON_ADMIN);
	rig_exit(&rig);
}

/* An unmount needs the path, and a kernel that does not hold. */
static void test_path_lost_before_unmount(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1);
	rig_simple(&rig, OWN_EV_PATH_LOST, 1, false);
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_STOP, 0, false);
	assert_string_equal(rig.log, "");
	assert_int_equal(rig_vol(&rig)->phase, OWN_HOLD);
	rig_simple(&rig, OWN_EV_PATH_BACK, 1, false);
	assert_string_equal(rig.log, "route:1 unmount:1 close:1");
	rig_exit(&rig);

	/* In the midst of it: nobody can help, and the node begins anew when it can. */
	rig_started(&rig, N1);
	rig.silent[OWN_TASK_UNMOUNT][1] = true;
	rig_simple(&rig, OWN_EV_STOP, 0, false);
	assert_true(ownership_needs_path(rig_vol(&rig), 1));
	rig_simple(&rig, OWN_EV_PATH_LOST, 1, false);
	assert_int_equal(rig_vol(&rig)->phase, OWN_FENCE);
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_PATH_BACK, 1, false);
	rig_fire(&rig);
	assert_string_equal(rig.log, "register:1 close:1");
	assert_int_equal(rig_vol(&rig)->phase, OWN_STOPPED);
	rig_exit(&rig);
}

/* A node without a path goes through the coordinator, whoever that is. */
static void test_redirected_to_another(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2 | N3);
	rig_simple(&rig, OWN_EV_PATH_LOST, 3, false);
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_MOVE, 2, false);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	assert_non_null(strstr(rig.log, "connect:3"));
	assert_non_null(strstr(strstr(rig.log, "connect:3"), "route:3"));
	assert_status(&rig, 3, OWN_STATE_BLOCK_REDIRECTED, OWN_REASON_NO_DISK_PATH);
	/* It has no key that it would need a path to take away. */
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_STOP, 0, false);
	assert_int_equal(rig.keyless, N3);
	assert_int_equal(rig_vol(&rig)->phase, OWN_STOPPED);
	rig_exit(&rig);
}

/* It has never had a path. */
static void test_no_path(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig.answer[OWN_TASK_REGISTER][1] = OWN_NO_PATH;
	rig_volume(&rig, 1);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	assert_status(&rig, 1, OWN_STATE_BLOCK_REDIRECTED, OWN_REASON_NO_DISK_PATH);
	rig_exit(&rig);
}

static void test_fenced(void **state)
{
	struct own_event event = { .type = OWN_EV_FENCED, .volume = 1, .node = 1 };
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	event.incarnation = rig_member(&rig, 1)->incarnation;
	rig_event(&rig, &event);
	/* Drained by another one, and nobody may think that its mount is still good. */
	assert_non_null(strstr(rig.log, "fence:2 register:1 barrier:2 barrier:1 mount:"));
	assert_true(rig_member(&rig, 1)->incarnation > event.incarnation);
	assert_status(&rig, 1, OWN_STATE_DIRECT, 0);
	/* That was the old key. */
	rig_clear(&rig);
	rig_event(&rig, &event);
	assert_string_equal(rig.log, "");
	rig_exit(&rig);
}

/* A member that meets a conflict while it is being fenced: it is fenced when that has ended. */
static void test_fenced_meanwhile(void **state)
{
	struct own_event event = { .type = OWN_EV_FENCED, .volume = 1, .node = 2 };
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	event.incarnation = rig_member(&rig, 2)->incarnation;
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	rig_event(&rig, &event);
	assert_string_equal(rig.log, "fence:1");
	assert_int_equal(rig_member(&rig, 2)->access, OWN_ACCESS_REGISTERED);
	rig_exit(&rig);
}

/* All have booted: nobody has a key that is still good, and one has to begin. */
static void test_all_booted(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_view(&rig, N1 | N2, N1 | N2, N1 | N2, true);
	assert_string_equal(rig.log, "register:1 fence:1 register:2 barrier:1 barrier:2 "
			    SERVES("1") "route:1 connect:2 route:2 release:1");
	rig_exit(&rig);
}

/* What was kept on disk: the volumes, and nothing about nodes. */
static void test_restart(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	ownership_restart(&rig.own);
	assert_int_equal(rig_vol(&rig)->phase, OWN_STOPPED);
	assert_int_equal(rig_vol(&rig)->wanted, OWN_WANT_STARTED);
	assert_int_equal(rig_member(&rig, 1)->access, OWN_ACCESS_NONE);
	rig_view(&rig, N2, N2, 0, true);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	assert_int_equal(rig_vol(&rig)->epoch, 2);
	rig_exit(&rig);
}

/* Mounting fails here, so it is tried there. */
static void test_mount_fails(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig.answer[OWN_TASK_MOUNT][1] = OWN_FAILED;
	rig.timers = true;
	rig_volume(&rig, 1);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	assert_int_equal(rig_vol(&rig)->phase, OWN_ONLINE);
	/* What it may have mounted before its agent was away, if it was, is dropped. */
	assert_non_null(strstr(rig.log, "mount:1 barrier:1 mount:2"));
	rig_exit(&rig);
}

/* The LUN knows of an epoch that we have not heard of: whoever serves there is kept by nobody. */
static void test_distrust(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig.header = 7;
	rig_volume(&rig, 1);
	assert_non_null(strstr(rig.log, "fence:1 fence:1"));
	assert_int_equal(rig.kept, N1);
	assert_int_equal(rig_vol(&rig)->epoch, 8);
	assert_status(&rig, 2, OWN_STATE_DIRECT, 0);
	rig_exit(&rig);
}

/* An answer to what was asked before says nothing about what is asked now. */
static void test_stale_answer(void **state)
{
	struct own_event event = { .type = OWN_EV_DONE, .volume = 1, .node = 1 };
	struct rig rig;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig.silent[OWN_TASK_MOUNT][1] = true;
	rig_volume(&rig, 1);
	assert_int_equal(rig_vol(&rig)->phase, OWN_MOUNT);
	event.serial = rig_member(&rig, 1)->serial - 1;
	rig_event(&rig, &event);
	assert_int_equal(rig_vol(&rig)->phase, OWN_MOUNT);
	event.serial++;
	rig_event(&rig, &event);
	assert_int_equal(rig_vol(&rig)->phase, OWN_ONLINE);
	rig_exit(&rig);
}

/* Two nodes, both quorate: who is fenced does not fence back, and knows who won when they meet. */
static void test_two_nodes(void **state)
{
	struct own_event event = { .type = OWN_EV_FENCED, .volume = 1, .node = 1 };
	struct rig one, two;

	(void)state;
	rig_started(&one, N1 | N2);
	one.own.two_node = true;
	memset(&two, 0, sizeof(two));
	ownership_copy(&two.own, &one.own);
	two.header = one.header;
	memcpy(two.boots, one.boots, sizeof(two.boots));
	rig_view(&two, N2, N2, 0, true);
	assert_int_equal(rig_vol(&two)->coordinator, 2);
	rig_view(&one, N1, N1, 0, true);
	assert_int_equal(rig_vol(&one)->coordinator, 1);
	rig_clear(&one);
	one.own.seq = 1000;
	event.incarnation = rig_member(&one, 1)->incarnation;
	rig_event(&one, &event);
	assert_string_equal(one.log, "");
	assert_status(&one, 1, OWN_STATE_UNAVAILABLE, OWN_REASON_FENCED);

	ownership_merge(&one.own, &two.own);
	rig_view(&one, N1 | N2, N1 | N2, 0, true);
	assert_int_equal(rig_vol(&one)->coordinator, 2);
	assert_string_equal(one.log, "fence:2 register:1 release:2 barrier:1 connect:1 route:1");
	rig_exit(&one);
	rig_exit(&two);
}

/* Where one knows less than the other, whose state comes first does not matter. */
static void test_merge(void **state)
{
	struct rig one;
	struct ownership old, a, b;

	(void)state;
	rig_started(&one, N1 | N2 | N3);
	ownership_copy(&old, &one.own);
	rig_view(&one, N2 | N3, N2 | N3, 0, true);
	old.seq += 100;
	ownership_copy(&a, &one.own);
	ownership_copy(&b, &old);
	ownership_merge(&a, &old);
	ownership_merge(&b, &one.own);
	assert_int_equal(a.volumes[0]->coordinator, 2);
	assert_int_equal(b.volumes[0]->coordinator, 2);
	ownership_exit(&a);
	ownership_exit(&b);
	ownership_exit(&old);
	rig_exit(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_maintenance),
		cmocka_unit_test(test_stop_start),
		cmocka_unit_test(test_added_again),
		cmocka_unit_test(test_coordinator_dies),
		cmocka_unit_test(test_fence_fails),
		cmocka_unit_test(test_barrier_waits),
		cmocka_unit_test(test_fence_again),
		cmocka_unit_test(test_comes_before_serve),
		cmocka_unit_test(test_no_quorum),
		cmocka_unit_test(test_fence_on_demand),
		cmocka_unit_test(test_maintenance_recalls),
		cmocka_unit_test(test_agent_restarts),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_coordinator_path),
		cmocka_unit_test(test_path_lost_while_routed),
		cmocka_unit_test(test_path_lost_before_unmount),
		cmocka_unit_test(test_redirected_to_another),
		cmocka_unit_test(test_no_path),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_fenced_meanwhile),
		cmocka_unit_test(test_all_booted),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_mount_fails),
		cmocka_unit_test(test_distrust),
		cmocka_unit_test(test_stale_answer),
		cmocka_unit_test(test_two_nodes),
		cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests_name("ownership", tests, NULL, NULL);
}
