// SPDX-License-Identifier: GPL-2.0-only
/*
 * The group on a corosync that is played here (--wrap): what its nodes are called, where they are
 * reached, and whether a quorum is of the members that it came with.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <corosync/votequorum.h>

#include "../../userspace/covold/group.h"
#include "corosync_wrap.h"
#include "test.h"

/* A key of cmap: a text, or a number. */
struct key {
	const char *name;
	const char *text;
	unsigned int number;
};

static struct {
	sd_event *event;
	struct group *group;
	/* corosync */
	bool absent;
	bool no_map;			/* cmap alone is */
	size_t breaks;			/* the iteration ends with an error after so many; 0: not */
	const char *busy;		/* a key that cannot be read */
	const struct key *keys;
	size_t count;
	size_t at;			/* of the iteration */
	char prefix[64];
	void *self;
	cpg_model_v1_data_t cpg;
	quorum_model_v1_data_t quorum;
	int fd;
	/* what the group said */
	unsigned int joined;
	unsigned int lost;
	unsigned int named;
	own_nodes up;
	own_nodes together;
	bool known;
	bool quorate;
	bool two_node;
} rig;

/* ---- cmap ---- */

static const struct key *find(const char *name)
{
	size_t i;

	for (i = 0; i < rig.count; i++)
		if (!strcmp(rig.keys[i].name, name))
			return &rig.keys[i];
	return NULL;
}

static bool is_busy(const char *name)
{
	return rig.busy && !strcmp(rig.busy, name);
}

cs_error_t __wrap_cmap_initialize(cmap_handle_t *handle)
{
	*handle = 1;
	return rig.absent || rig.no_map ? CS_ERR_LIBRARY : CS_OK;
}

cs_error_t __wrap_cmap_finalize(cmap_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t __wrap_cmap_get_string(cmap_handle_t handle, const char *name, char **value)
{
	const struct key *key = find(name);

	(void)handle;
	if (is_busy(name))
		return CS_ERR_TRY_AGAIN;
	if (!key || !key->text)
		return CS_ERR_NOT_EXIST;
	*value = strdup(key->text);
	return CS_OK;
}

cs_error_t __wrap_cmap_get_uint32(cmap_handle_t handle, const char *name, uint32_t *value)
{
	const struct key *key = find(name);

	(void)handle;
	if (is_busy(name))
		return CS_ERR_TRY_AGAIN;
	if (!key || key->text)
		return CS_ERR_NOT_EXIST;
	*value = key->number;
	return CS_OK;
}

cs_error_t __wrap_cmap_get_uint8(cmap_handle_t handle, const char *name, uint8_t *value)
{
	const struct key *key = find(name);

	(void)handle;
	if (is_busy(name))
		return CS_ERR_TRY_AGAIN;
	if (!key || key->text)
		return CS_ERR_NOT_EXIST;
	*value = key->number;
	return CS_OK;
}

cs_error_t __wrap_cmap_iter_init(cmap_handle_t handle, const char *prefix,
				 cmap_iter_handle_t *iter)
{
	(void)handle;
	snprintf(rig.prefix, sizeof(rig.prefix), "%s", prefix);
	rig.at = 0;
	*iter = 1;
	return CS_OK;
}

cs_error_t __wrap_cmap_iter_next(cmap_handle_t handle, cmap_iter_handle_t iter, char name[],
				 size_t *length, cmap_value_types_t *type)
{
	(void)handle;
	(void)iter;
	(void)length;
	(void)type;
	while (rig.at < rig.count) {
		if (rig.breaks && rig.at == rig.breaks)
			return CS_ERR_LIBRARY;
		strcpy(name, rig.keys[rig.at++].name);
		if (!strncmp(name, rig.prefix, strlen(rig.prefix)))
			return CS_OK;
	}
	return CS_ERR_NO_SECTIONS;
}

cs_error_t __wrap_cmap_iter_finalize(cmap_handle_t handle, cmap_iter_handle_t iter)
{
	(void)handle;
	(void)iter;
	return CS_OK;
}

/* ---- quorum ---- */

cs_error_t __wrap_quorum_model_initialize(quorum_handle_t *handle, quorum_model_t model,
					  quorum_model_data_t *data, uint32_t *type, void *context)
{
	(void)model;
	rig.quorum = *(quorum_model_v1_data_t *)data;
	rig.self = context;
	*handle = 2;
	*type = QUORUM_SET;
	return rig.absent ? CS_ERR_LIBRARY : CS_OK;
}

cs_error_t __wrap_quorum_finalize(quorum_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t __wrap_quorum_context_get(quorum_handle_t handle, const void **context)
{
	(void)handle;
	*context = rig.self;
	return CS_OK;
}

cs_error_t __wrap_quorum_fd_get(quorum_handle_t handle, int *fd)
{
	(void)handle;
	*fd = rig.fd;
	return CS_OK;
}

cs_error_t __wrap_quorum_trackstart(quorum_handle_t handle, unsigned int flags)
{
	(void)handle;
	(void)flags;
	return CS_OK;
}

cs_error_t __wrap_votequorum_initialize(votequorum_handle_t *handle,
					votequorum_callbacks_t *callbacks)
{
	(void)callbacks;
	*handle = 3;
	return CS_OK;
}

cs_error_t __wrap_votequorum_finalize(votequorum_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t __wrap_votequorum_getinfo(votequorum_handle_t handle, unsigned int node,
				     struct votequorum_info *info)
{
	(void)handle;
	memset(info, 0, sizeof(*info));
	info->node_id = node;
	info->flags = find("quorum.two_node") ? VOTEQUORUM_INFO_TWONODE : 0;
	return CS_OK;
}

/* ---- members ---- */

cs_error_t __wrap_cpg_model_initialize(cpg_handle_t *handle, cpg_model_t model,
				       cpg_model_data_t *data, void *context)
{
	(void)model;
	(void)context;
	rig.cpg = *(cpg_model_v1_data_t *)data;
	*handle = 4;
	return CS_OK;
}

cs_error_t __wrap_cpg_finalize(cpg_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t __wrap_cpg_context_get(cpg_handle_t handle, void **context)
{
	(void)handle;
	*context = rig.self;
	return CS_OK;
}

cs_error_t __wrap_cpg_fd_get(cpg_handle_t handle, int *fd)
{
	(void)handle;
	*fd = dup(rig.fd);
	return CS_OK;
}

cs_error_t __wrap_cpg_local_get(cpg_handle_t handle, unsigned int *node)
{
	(void)handle;
	*node = 1;
	return CS_OK;
}

cs_error_t __wrap_cpg_join(cpg_handle_t handle, const struct cpg_name *name)
{
	(void)handle;
	assert_int_equal(name->length, 5);
	assert_memory_equal(name->value, "covol", 5);
	return CS_OK;
}

/* ---- what the group says ---- */

static void on_joined(void *data, unsigned int node)
{
	(void)data;
	rig.joined = node;
}

static void on_members(void *data, own_nodes members)
{
	(void)data;
	(void)members;
}

static void on_ring(void *data, own_nodes up, own_nodes together)
{
	(void)data;
	rig.up = up;
	rig.together = together;
}

static void on_quorum(void *data, bool known, bool quorate, bool two_node)
{
	(void)data;
	rig.known = known;
	rig.quorate = quorate;
	rig.two_node = two_node;
}

static void on_names(void *data)
{
	(void)data;
	rig.named++;
}

static void on_message(void *data, unsigned int from, const uint8_t *bytes, size_t length)
{
	(void)data;
	(void)from;
	(void)bytes;
	(void)length;
}

static void on_lost(void *data, const char *why)
{
	(void)data;
	(void)why;
	rig.lost++;
}

static const struct group_events events = {
	.joined = on_joined,
	.members = on_members,
	.ring = on_ring,
	.quorum = on_quorum,
	.names = on_names,
	.message = on_message,
	.lost = on_lost,
};

static const struct key two_links[] = {
	{ "totem.cluster_name", "demo" },
	{ "quorum.two_node", NULL, 1 },
	{ "nodelist.node.0.name", "a" },
	{ "nodelist.node.0.nodeid", NULL, 1 },
	{ "nodelist.node.0.ring0_addr", "10.1.0.1" },
	{ "nodelist.node.0.ring1_addr", "10.2.0.1" },
	{ "nodelist.node.1.name", "b" },
	{ "nodelist.node.1.nodeid", NULL, 7 },
	{ "nodelist.node.1.ring0_addr", "10.1.0.7" },
	{ "nodelist.node.1.ring1_addr", "10.2.0.7" },
};

#define PLAY(list)	(rig.keys = (list), rig.count = sizeof(list) / sizeof((list)[0]))

static void run_until(const unsigned int *what)
{
	time_t limit = time(NULL) + 30;

	while (!*what && time(NULL) < limit)
		assert_true(sd_event_run(rig.event, 20000) >= 0);
}

static void begin(void)
{
	time_t limit = time(NULL) + 30;

	assert_int_equal(group_corosync_open(&rig.group, rig.event, &events, NULL), 0);
	while (!rig.joined && !rig.lost && time(NULL) < limit)
		assert_true(sd_event_run(rig.event, 20000) >= 0);
}

static int group_setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.fd = eventfd(0, EFD_CLOEXEC);
	PLAY(two_links);
	return sd_event_new(&rig.event) < 0;
}

static int group_teardown(void **state)
{
	(void)state;
	if (rig.group)
		rig.group->ops->close(rig.group);
	sd_event_unref(rig.event);
	close(rig.fd);
	return 0;
}

/* A ring: its number, and the nodes that are up. */
static void ring(uint64_t number, uint32_t count, const uint32_t *nodes)
{
	struct cpg_ring_id id = { .nodeid = 1, .seq = number };

	rig.cpg.cpg_totem_confchg_fn(4, id, count, nodes);
}

static void quorum_of(uint64_t number, bool quorate)
{
	struct quorum_ring_id id = { .nodeid = 1, .seq = number };

	rig.quorum.quorum_notify_fn(2, quorate, id, 0, NULL);
}

static const char *address(unsigned int node, unsigned int link)
{
	return rig.group->ops->node_address(rig.group, node, link);
}

static void test_names(void **state)
{
	(void)state;
	begin();
	assert_int_equal(rig.joined, 1);
	assert_string_equal(rig.group->ops->cluster(rig.group), "demo");
	assert_string_equal(rig.group->ops->node_name(rig.group, 1), "a");
	assert_string_equal(rig.group->ops->node_name(rig.group, 7), "b");
	assert_null(rig.group->ops->node_name(rig.group, 2));
	assert_null(rig.group->ops->node_name(rig.group, OWN_NODES + 1));
	assert_string_equal(address(7, 0), "10.1.0.7");
	assert_string_equal(address(7, 1), "10.2.0.7");
	assert_null(address(7, 2));
	assert_null(address(7, GROUP_LINKS));
	assert_null(address(2, 0));
	assert_null(address(OWN_NODES + 1, 0));
}

/* As corosync prefers them: the higher number first, then the lower link. */
static void test_priorities(void **state)
{
	static const struct key keys[] = {
		{ "nodelist.node.0.nodeid", NULL, 1 },
		{ "nodelist.node.0.ring0_addr", "10.0.0.1" },
		{ "nodelist.node.0.ring1_addr", "10.1.0.1" },
		{ "nodelist.node.0.ring2_addr", "10.2.0.1" },
		{ "nodelist.node.0.ring4_addr", "10.4.0.1" },
		{ "totem.interface.1.knet_link_priority", NULL, 5 },
		{ "totem.interface.2.knet_link_priority", NULL, 5 },
		{ "totem.interface.4.knet_link_priority", NULL, 200 },
	};
	static const char *const order[] = { "10.4.0.1", "10.1.0.1", "10.2.0.1", "10.0.0.1" };
	unsigned int link, found = 0;

	(void)state;
	PLAY(keys);
	begin();
	for (link = 0; link < GROUP_LINKS; link++)
		if (address(1, link))
			assert_string_equal(address(1, link), order[found++]);
	assert_int_equal(found, 4);
	/* Without a name, the address of the first link is it. */
	assert_string_equal(rig.group->ops->node_name(rig.group, 1), "10.0.0.1");
}

/* Who is not in the list any more has no name, and so no certificate that counts. */
static void test_removed(void **state)
{
	static const uint32_t nodes[] = { 1 };

	(void)state;
	begin();
	rig.count = 6;
	ring(1, 1, nodes);
	assert_string_equal(rig.group->ops->node_name(rig.group, 1), "a");
	assert_null(rig.group->ops->node_name(rig.group, 7));
	assert_null(address(7, 0));
	/* A list that cannot be read is no empty one. */
	rig.absent = true;
	ring(2, 1, nodes);
	assert_string_equal(rig.group->ops->node_name(rig.group, 1), "a");
}

/* What goes wrong with the list of nodes, and with it what is about the cluster. */
enum wrong { NO_MAP, BREAKS, BUSY_NUMBER, BUSY_NAME, BUSY_CLUSTER, BUSY_ORDER, WRONGS };

static void go_wrong(enum wrong wrong)
{
	static const char *const busy[WRONGS] = {
		[BUSY_NUMBER] = "nodelist.node.1.nodeid",
		[BUSY_NAME] = "nodelist.node.1.name",
		[BUSY_CLUSTER] = "totem.cluster_name",
		[BUSY_ORDER] = "totem.interface.1.knet_link_priority",
	};

	rig.no_map = wrong == NO_MAP;
	rig.breaks = wrong == BREAKS ? 7 : 0;
	rig.busy = wrong == WRONGS ? NULL : busy[wrong];
}

/* Nobody joins with a part of the list, or with none: who is not in it is not switched off. */
static void test_no_list(void **state)
{
	enum wrong wrong;

	(void)state;
	for (wrong = 0; wrong < WRONGS; wrong++) {
		go_wrong(wrong);
		begin();
		assert_int_equal(rig.lost, 1);
		assert_int_equal(rig.joined, 0);
		assert_string_equal(rig.group->ops->cluster(rig.group), "");
		assert_null(rig.group->ops->node_name(rig.group, 1));
		rig.group->ops->close(rig.group);
		rig.lost = 0;
	}
	go_wrong(NO_MAP);
	begin();
	assert_int_equal(rig.lost, 1);
	/* It is tried again. */
	go_wrong(WRONGS);
	run_until(&rig.joined);
	assert_int_equal(rig.joined, 1);
	assert_string_equal(rig.group->ops->cluster(rig.group), "demo");
	assert_string_equal(rig.group->ops->node_name(rig.group, 7), "b");
}

/* In a new ring the list of the one before stays, all of it, until the new one can be read. */
static void test_list_later(void **state)
{
	static const uint32_t nodes[] = { 1, 7 };
	enum wrong wrong;

	(void)state;
	begin();
	for (wrong = 0; wrong < WRONGS; wrong++) {
		go_wrong(wrong);
		ring(4 + 4 * wrong, 2, nodes);
		assert_string_equal(rig.group->ops->cluster(rig.group), "demo");
		assert_string_equal(rig.group->ops->node_name(rig.group, 1), "a");
		assert_string_equal(rig.group->ops->node_name(rig.group, 7), "b");
		assert_string_equal(address(7, 1), "10.2.0.7");
	}
	assert_int_equal(rig.lost, 0);
	assert_int_equal(rig.named, 0);
	go_wrong(WRONGS);
	rig.count = 6;
	run_until(&rig.named);
	assert_int_equal(rig.named, 1);
	assert_string_equal(rig.group->ops->node_name(rig.group, 1), "a");
	assert_null(rig.group->ops->node_name(rig.group, 7));
	/* With the ring: there is nothing more to tell. */
	ring(40, 1, nodes);
	assert_int_equal(rig.named, 1);
}

/* Numbers that are none of ours. */
static void test_wrong_numbers(void **state)
{
	static const struct key keys[] = {
		{ "nodelist.node.0.nodeid", NULL, 0 },
		{ "nodelist.node.0.ring0_addr", "10.0.0.1" },
		{ "nodelist.node.1.nodeid", NULL, OWN_NODES + 1 },
		{ "nodelist.node.1.ring0_addr", "10.0.0.2" },
		{ "nodelist.node.2.nodeid", NULL, OWN_NODES },
		{ "nodelist.node.2.ring0_addr", "10.0.0.3" },
	};
	static const uint32_t nodes[] = { 0, OWN_NODES, OWN_NODES + 1 };

	(void)state;
	PLAY(keys);
	begin();
	assert_string_equal(rig.group->ops->node_name(rig.group, OWN_NODES), "10.0.0.3");
	ring(1, 3, nodes);
	assert_true(rig.up == own_bit(OWN_NODES));
}

/* A quorum is believed only with the members of the same ring. */
static void test_rings(void **state)
{
	static const uint32_t nodes[] = { 1, 7 };

	(void)state;
	begin();
	quorum_of(4, true);
	assert_false(rig.known);
	ring(4, 2, nodes);
	assert_true(rig.known && rig.quorate && rig.two_node);
	assert_true(rig.up == (own_bit(1) | own_bit(7)));
	/* The ring is another; the quorum is still that of the last one. */
	ring(8, 1, nodes);
	assert_false(rig.known);
	quorum_of(8, false);
	assert_true(rig.known);
	assert_false(rig.quorate);
}

/* Who may have been in a ring that this node has not been in, by its number. */
static void test_together(void **state)
{
	static const uint32_t nodes[] = { 1, 7, 8 };

	(void)state;
	begin();
	ring(21, 2, nodes);
	assert_true(rig.together == (own_bit(1) | own_bit(7)));
	/* 8 comes; the others come straight from the last one. */
	ring(25, 3, nodes);
	assert_true(rig.up == (own_bit(1) | own_bit(7) | own_bit(8)));
	assert_true(rig.together == (own_bit(1) | own_bit(7)));
	ring(29, 1, nodes);
	assert_true(rig.together == own_bit(1));
	ring(33, 3, nodes);
	assert_true(rig.together == own_bit(1));
	/* The same nodes, and one of them has been elsewhere, or has started anew. */
	ring(41, 3, nodes);
	assert_true(rig.together == own_bit(1));
	ring(46, 3, nodes);
	assert_true(rig.together == own_bit(1));
	ring(50, 3, nodes);
	assert_true(rig.together == rig.up);
}

static void test_absent(void **state)
{
	(void)state;
	rig.absent = true;
	begin();
	assert_int_equal(rig.lost, 1);
	assert_int_equal(rig.joined, 0);
	assert_null(rig.group->ops->node_name(rig.group, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_names),	  TEST(test_priorities), TEST(test_removed),
		TEST(test_wrong_numbers), TEST(test_rings),	 TEST(test_together),
		TEST(test_absent),	  TEST(test_no_list),	 TEST(test_list_later),
	};

	return cmocka_run_group_tests_name("corosync", tests, NULL, NULL);
}
