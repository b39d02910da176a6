// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is so on a node against what the state says: an agent has started again, or has come to a
 * state that is older than what its kernel does.
 */
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "test.h"

#define N1 1
#define N2 2

#define BEGINS_ANEW "fence:1 register:2 release:1 barrier:2 connect:2 route:2"
#define MOUNTS_ANEW                                                                             \
	"fence:2 register:1 barrier:2 barrier:1 mount:1 write-epoch:1 serve:1 route:1 connect:2 " \
	"release:1"

/* What is so on a node that does as it was told. */
static struct own_facts good_facts(struct rig *rig, unsigned int node)
{
	const struct own_member *member = rig_member(rig, node);
	const struct own_volume *vol = rig_vol(rig);
	bool coordinator = vol->coordinator == node;

	return (struct own_facts){
		.path = true,
		.incarnation = member->incarnation,
		.mounted = coordinator,
		.serving = coordinator ? vol->epoch : 0,
		.session_epoch = coordinator ? 0 : vol->epoch,
		.route = member->route,
	};
}

/* It announces what there is to announce, once; returns how many events that were. */
static unsigned int say(struct rig *rig, unsigned int node, const struct own_facts *facts)
{
	struct own_event events[OWN_DIFFERS];
	unsigned int count = ownership_differs(rig_vol(rig), node, facts, events), i;

	for (i = 0; i < count; i++)
		assert_int_equal(rig_event(rig, &events[i]), 0);
	return count;
}

static void assert_converged(struct rig *rig)
{
	struct own_event events[OWN_DIFFERS];
	struct own_facts facts;
	unsigned int node;

	assert_int_equal(rig_vol(rig)->phase, OWN_ONLINE);
	assert_true(rig_vol(rig)->evict == 0);
	own_for_each(node, N1 | N2) {
		facts = good_facts(rig, node);
		assert_int_equal(rig_member(rig, node)->access, OWN_ACCESS_REGISTERED);
		assert_int_equal(ownership_differs(rig_vol(rig), node, &facts, events), 0);
	}
}

static void make_nothing(struct own_facts *facts)
{
	(void)facts;
}

static void make_held(struct own_facts *facts)
{
	facts->route = OWN_ROUTE_NONE;
}

static void make_redirected(struct own_facts *facts)
{
	facts->route = OWN_ROUTE_FS;
}

static void make_other_key(struct own_facts *facts)
{
	facts->incarnation++;
}

/* What the seed 2000292984 had: it has registered again, and holds. */
static void make_registered(struct own_facts *facts)
{
	facts->incarnation += 5;
	facts->route = OWN_ROUTE_NONE;
}

static void make_no_key(struct own_facts *facts)
{
	*facts = (struct own_facts){ .path = true };
}

static void make_other_session(struct own_facts *facts)
{
	facts->session_epoch = 2;
}

static void make_mounted(struct own_facts *facts)
{
	facts->mounted = true;
}

static void make_unmounted(struct own_facts *facts)
{
	facts->mounted = false;
}

static void make_other_epoch(struct own_facts *facts)
{
	facts->serving = 2;
}

static void make_busy(struct own_facts *facts)
{
	facts->session_epoch = 0;
	facts->route = OWN_ROUTE_NONE;
	facts->busy = true;
}

static void make_changing_key(struct own_facts *facts)
{
	make_busy(facts);
	facts->incarnation = 0;
	facts->changing_key = true;
}

/* Node 1 is coordinator, node 2 a member; both are direct at epoch 1. */
static const struct difference {
	const char *name;
	unsigned int node;
	void (*make)(struct own_facts *facts);
	const char *log;
} differences[] = {
	{ "nothing", 1, make_nothing, "" },
	{ "nothing, of a member", 2, make_nothing, "" },
	{ "the route", 2, make_held, "route:2" },
	{ "the route, redirected", 2, make_redirected, "route:2" },
	{ "the coordinator's route", 1, make_held, "route:1" },
	{ "the key", 2, make_other_key, BEGINS_ANEW },
	{ "key and route", 2, make_registered, BEGINS_ANEW },
	{ "it has nothing", 2, make_no_key, BEGINS_ANEW },
	{ "the session", 2, make_other_session, BEGINS_ANEW },
	{ "a mount", 2, make_mounted, BEGINS_ANEW },
	{ "the coordinator's key", 1, make_other_key, MOUNTS_ANEW },
	{ "no mount", 1, make_unmounted, MOUNTS_ANEW },
	{ "the coordinator's epoch", 1, make_other_epoch, MOUNTS_ANEW },
	{ "a task is under way", 2, make_busy, "" },
	{ "one that registers", 2, make_changing_key, "" },
};

static void test_differences(void **state)
{
	const struct difference *d;
	struct own_facts facts;
	struct rig rig;

	(void)state;
	for (d = differences; d < differences + sizeof(differences) / sizeof(*differences); d++) {
		print_message("# %s\n", d->name);
		rig_started(&rig, N1 | N2);
		facts = good_facts(&rig, d->node);
		d->make(&facts);
		assert_int_equal(say(&rig, d->node, &facts), *d->log != 0);
		assert_string_equal(rig.log, d->log);
		assert_converged(&rig);
		rig_exit(&rig);
	}
}

/* The state has the node block-redirected, but it has registered since, and writes. */
static void test_redirected(void **state)
{
	struct own_event events[OWN_DIFFERS];
	struct own_facts facts;
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	facts = good_facts(&rig, 2);
	facts.path = false;
	assert_int_equal(facts.route, OWN_ROUTE_BLOCK);
	/* Fenced, it is as the state says, with the key that it has lost or with none. */
	assert_int_equal(say(&rig, 2, &facts), 0);
	facts.incarnation = 0;
	assert_int_equal(say(&rig, 2, &facts), 0);
	facts.incarnation = rig_member(&rig, 2)->incarnation + 1;
	facts.path = true;
	facts.route = OWN_ROUTE_DIRECT;
	rig_clear(&rig);
	/* That of the path alone would leave it redirected until the path has stayed. */
	assert_int_equal(ownership_differs(rig_vol(&rig), 2, &facts, events), 2);
	assert_int_equal(events[0].type, OWN_EV_PATH_BACK);
	assert_int_equal(events[1].type, OWN_EV_DIFFERS);
	assert_int_equal(say(&rig, 2, &facts), 2);
	assert_string_equal(rig.log, "fence:1 release:1 barrier:2 connect:2 route:2");
	assert_int_equal(rig.kept, N1);
	/* That one is gone, too: not again. */
	facts = good_facts(&rig, 2);
	assert_int_equal(say(&rig, 2, &facts), 0);
	rig_exit(&rig);
}

/* Who is redirected goes through the coordinator; others through nobody. */
static void test_redirects(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	assert_false(ownership_redirects(&rig.own, rig_vol(&rig), 1));
	/* It is being told so. */
	rig.silent[OWN_TASK_ROUTE][2] = true;
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	assert_int_equal(rig_member(&rig, 2)->route, OWN_ROUTE_NONE);
	assert_true(ownership_redirects(&rig.own, rig_vol(&rig), 1));
	assert_false(ownership_redirects(&rig.own, rig_vol(&rig), 2));
	rig_exit(&rig);
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	assert_int_equal(rig_member(&rig, 2)->route, OWN_ROUTE_BLOCK);
	assert_true(ownership_redirects(&rig.own, rig_vol(&rig), 1));
	/* Who is not here goes through nobody. */
	rig_view(&rig, N1, N1, 0, true);
	assert_false(ownership_redirects(&rig.own, rig_vol(&rig), 1));
	rig_exit(&rig);
	/* It will be, when it has been fenced. */
	rig_started(&rig, N1 | N2);
	rig.silent[OWN_TASK_FENCE][1] = true;
	rig_simple(&rig, OWN_EV_PATH_LOST, 2, false);
	assert_int_equal(rig_vol(&rig)->fencer, 1);
	assert_true(ownership_redirects(&rig.own, rig_vol(&rig), 1));
	rig_exit(&rig);
}

/* While it is told something, too: before it does it for a key that it has not. */
static void test_key_while_told(void **state)
{
	struct own_facts facts;
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig.silent[OWN_TASK_ROUTE][2] = true;
	rig_simple(&rig, OWN_EV_REDIRECT, 0, true);
	rig_clear(&rig);
	facts = good_facts(&rig, 2);
	facts.session_epoch = 0;
	facts.busy = true;
	assert_int_equal(say(&rig, 2, &facts), 0);
	facts.incarnation++;
	assert_int_equal(say(&rig, 2, &facts), 1);
	assert_string_equal(rig.log, "fence:1 register:2 release:1 barrier:2 connect:2 route:2");
	rig_exit(&rig);
}

/* Before the new coordinator serves: nobody may have the old one's session, or its mount. */
static void test_barrier(void **state)
{
	struct own_facts facts;
	struct rig rig;

	(void)state;
	rig_init(&rig, N1 | N2);
	rig.silent[OWN_TASK_SERVE][1] = true;
	rig_volume(&rig, 1);
	assert_int_equal(rig_vol(&rig)->phase, OWN_SERVE);
	rig_clear(&rig);
	facts = good_facts(&rig, 2);
	facts.session_epoch = 0;
	assert_int_equal(say(&rig, 2, &facts), 0);
	facts.session_epoch = 7;
	assert_int_equal(say(&rig, 2, &facts), 1);
	assert_string_equal(rig.log, "barrier:2");
	rig_exit(&rig);
}

/* What is said of what has changed since counts for nothing. */
static void test_out_of_date(void **state)
{
	struct own_event events[OWN_DIFFERS];
	struct own_facts facts;
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	facts = good_facts(&rig, 2);
	facts.route = OWN_ROUTE_NONE;
	facts.session_epoch = 0;
	assert_int_equal(ownership_differs(rig_vol(&rig), 2, &facts, events), 1);
	rig_simple(&rig, OWN_EV_REDIRECT, 0, true);
	rig_clear(&rig);
	rig_event(&rig, &events[0]);
	assert_string_equal(rig.log, "");
	/* Said twice. */
	facts.incarnation++;
	assert_int_equal(ownership_differs(rig_vol(&rig), 2, &facts, events), 1);
	rig_event(&rig, &events[0]);
	assert_string_equal(rig.log, BEGINS_ANEW);
	rig_exit(&rig);
}

/* The volume is stopped by the state, and a node still has it. */
static void test_stopped(void **state)
{
	struct own_facts facts = { .path = true };
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_STOP, 0, false);
	assert_int_equal(rig_vol(&rig)->phase, OWN_STOPPED);
	rig_clear(&rig);
	assert_int_equal(say(&rig, 2, &facts), 0);
	facts.mounted = true;
	/* What it is at may never end. */
	facts.busy = true;
	assert_int_equal(say(&rig, 2, &facts), 1);
	assert_string_equal(rig.log, "close:2");
	assert_int_equal(rig_vol(&rig)->phase, OWN_STOPPED);
	rig_exit(&rig);
}

/* To mount, a kernel goes direct: who was redirected is told so again. */
static void test_route_of_mount(void **state)
{
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	rig_simple(&rig, OWN_EV_REDIRECT, 0, true);
	rig_clear(&rig);
	rig_simple(&rig, OWN_EV_MOVE, 2, false);
	assert_int_equal(rig_vol(&rig)->coordinator, 2);
	assert_non_null(strstr(strstr(rig.log, "mount:2"), "route:2"));
	assert_int_equal(rig_member(&rig, 2)->route, OWN_ROUTE_FS);
	rig_exit(&rig);
}

static void test_path(void **state)
{
	struct own_event events[OWN_DIFFERS];
	struct own_facts facts;
	struct rig rig;

	(void)state;
	rig_started(&rig, N1 | N2);
	facts = good_facts(&rig, 2);
	/* Its kernel holds by itself, and for that alone its route differs. */
	facts.held = true;
	facts.route = OWN_ROUTE_NONE;
	assert_int_equal(ownership_differs(rig_vol(&rig), 2, &facts, events), 1);
	assert_int_equal(events[0].type, OWN_EV_PATH_LOST);
	facts.held = false;
	facts.route = OWN_ROUTE_DIRECT;
	facts.conflict = true;
	assert_int_equal(ownership_differs(rig_vol(&rig), 2, &facts, events), 1);
	assert_int_equal(events[0].type, OWN_EV_FENCED);
	assert_true(events[0].incarnation == facts.incarnation);
	rig_exit(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences),	       cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_key_while_told), cmocka_unit_test(test_barrier),
		cmocka_unit_test(test_out_of_date),    cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_route_of_mount), cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
