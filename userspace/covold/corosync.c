// SPDX-License-Identifier: GPL-2.0-only
/*
 * The group on corosync: libcpg for members and messages, libquorum for the quorum with the ring
 * that it is of, libvotequorum for two_node, libcmap for names.
 *
 * The quorum comes over a connection of its own, sooner or later than the change of members that it
 * belongs to. Both bear the id of the ring: a quorum counts only when the two are the same. One of
 * an older ring would let a part that is cut off believe that it has one.
 *
 * A node can be lost and be back before this one hears of either: when this one has slept, say.
 * What tells is the number of the ring. Totem gives a new one four more than the highest that any
 * of its nodes has been in (memb_state_commit_token_create() in corosync's totemsrp.c), so if it is
 * four more than our last one, nobody in it has been in another meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <corosync/votequorum.h>

#include "group.h"
#include "log.h"
#include "memory.h"

#define RING_STEP	4
#define AGAIN_USEC	1000000
#define FULL_USEC	5000
#define GROUP		"covol"

struct said {
	struct said *next;
	size_t length;
	uint8_t bytes[];
};

struct ring {
	uint32_t node;
	uint64_t number;
};

/* What cmap says. */
struct names {
	char cluster[GROUP_NAME_LEN];
	char node[OWN_NODES + 1][GROUP_NAME_LEN];
	char address[OWN_NODES + 1][GROUP_LINKS][GROUP_NAME_LEN];
	unsigned int order[GROUP_LINKS];	/* of them; the first is the preferred one */
};

struct corosync {
	struct group group;
	sd_event *event;
	sd_event_source *again;		/* a try to connect, or to send */
	sd_event_source *names_again;	/* a try to read the names of this ring */
	sd_event_source *cpg_source;
	sd_event_source *quorum_source;
	cpg_handle_t cpg;
	quorum_handle_t quorum;
	votequorum_handle_t votes;
	bool cpg_open;
	bool quorum_open;
	bool votes_open;
	bool connected;
	bool broken;			/* to be closed when no callback runs */
	const char *why;
	unsigned int node;
	struct ring ring;		/* of the members */
	own_nodes up;			/* in it */
	struct ring quorum_ring;
	bool quorate;
	bool two_node;
	struct said *first;		/* what could not be sent yet */
	struct said **last;
	bool stale;			/* the names are of an older ring */
	struct names names;
};

static const struct cpg_name group_name = { .length = sizeof(GROUP) - 1, .value = GROUP };

static int on_again(sd_event_source *source, uint64_t usec, void *data);

static void set_timer(struct corosync *self, sd_event_source **timer, uint64_t usec,
		      sd_event_time_handler_t handler)
{
	int error = sd_event_add_time_relative(self->event, timer, CLOCK_MONOTONIC, usec, 0,
					       handler, self);

	if (error < 0) {
		log_error("cannot set a timer: %s", strerror(-error));
		abort();
	}
}

/* @usec: until the next try; one that is under way already stays as it is. */
static void try_again(struct corosync *self, uint64_t usec)
{
	if (!self->again)
		set_timer(self, &self->again, usec, on_again);
}

/* Not in a callback of its own library. */
static void broken(struct corosync *self, const char *why)
{
	if (self->broken)
		return;
	self->broken = true;
	self->why = why;
	self->again = sd_event_source_disable_unref(self->again);
	try_again(self, 0);
}

/* ---- quorum ---- */

static bool same_ring(const struct corosync *self)
{
	return self->ring.node == self->quorum_ring.node &&
	       self->ring.number == self->quorum_ring.number && self->ring.node;
}

static void tell_quorum(struct corosync *self)
{
	self->group.events->quorum(self->group.data, same_ring(self), self->quorate,
				   self->two_node);
}

static void read_two_node(struct corosync *self)
{
	struct votequorum_info info;

	if (votequorum_getinfo(self->votes, self->node, &info) == CS_OK)
		self->two_node = info.flags & VOTEQUORUM_INFO_TWONODE;
}

static struct corosync *of_quorum(quorum_handle_t handle)
{
	const void *context = NULL;

	quorum_context_get(handle, &context);
	return (struct corosync *)context;
}

static void on_quorum(quorum_handle_t handle, uint32_t quorate, struct quorum_ring_id ring,
		      uint32_t count, const uint32_t *members)
{
	struct corosync *self = of_quorum(handle);

	(void)count;
	(void)members;
	self->quorum_ring = (struct ring){ .node = ring.nodeid, .number = ring.seq };
	self->quorate = quorate;
	read_two_node(self);
	tell_quorum(self);
}

static void on_quorum_nodes(quorum_handle_t handle, struct quorum_ring_id ring, uint32_t count,
			    const uint32_t *members, uint32_t joined_count,
			    const uint32_t *joined, uint32_t left_count, const uint32_t *left)
{
	(void)handle;
	(void)ring;
	(void)count;
	(void)members;
	(void)joined_count;
	(void)joined;
	(void)left_count;
	(void)left;
}

/* ---- members and messages ---- */

static struct corosync *of_cpg(cpg_handle_t handle)
{
	void *context = NULL;

	cpg_context_get(handle, &context);
	return context;
}

static bool renew_names(struct corosync *self);

static void on_ring(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t count,
		    const uint32_t *members)
{
	struct corosync *self = of_cpg(handle);
	own_nodes up = 0, together;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (members[i] >= 1 && members[i] <= OWN_NODES)
			up |= own_bit(members[i]);
	/* Of the first there is nothing to know. */
	together = up;
	if (self->ring.node)
		together = ring.seq == self->ring.number + RING_STEP ? up & self->up :
								       own_bit(self->node);
	self->ring = (struct ring){ .node = ring.nodeid, .number = ring.seq };
	self->up = up;
	renew_names(self);
	self->group.events->ring(self->group.data, up, together);
	tell_quorum(self);
}

static void on_members(cpg_handle_t handle, const struct cpg_name *name,
		       const struct cpg_address *list, size_t count,
		       const struct cpg_address *left, size_t left_count,
		       const struct cpg_address *joined, size_t joined_count)
{
	struct corosync *self = of_cpg(handle);
	own_nodes members = 0;
	bool other = false;
	size_t i;

	(void)name;
	(void)left;
	(void)left_count;
	(void)joined;
	(void)joined_count;
	for (i = 0; i < count; i++) {
		/* Who has no number of ours refuses to run; until then it is none of us. */
		if (list[i].nodeid < 1 || list[i].nodeid > OWN_NODES)
			continue;
		members |= own_bit(list[i].nodeid);
		if (list[i].nodeid == self->node && list[i].pid != (uint32_t)getpid())
			other = true;
	}
	if (other) {
		broken(self, "another covold of this node is in the group");
		return;
	}
	self->group.events->members(self->group.data, members);
}

static void on_message(cpg_handle_t handle, const struct cpg_name *name, uint32_t node,
		       uint32_t pid, void *bytes, size_t length)
{
	struct corosync *self = of_cpg(handle);

	(void)name;
	(void)pid;
	self->group.events->message(self->group.data, node, bytes, length);
}

/* ---- sending ---- */

/* false: not now. */
static bool pass_on(struct corosync *self, const struct said *said)
{
	struct iovec bytes = { .iov_base = (void *)said->bytes, .iov_len = said->length };
	cs_error_t error = cpg_mcast_joined(self->cpg, CPG_TYPE_AGREED, &bytes, 1);

	if (error == CS_ERR_TRY_AGAIN)
		return false;
	if (error != CS_OK)
		broken(self, cs_strerror(error));
	return true;
}

static void pump(struct corosync *self)
{
	struct said *said;

	while (self->connected && !self->broken && (said = self->first)) {
		if (!pass_on(self, said)) {
			try_again(self, FULL_USEC);
			return;
		}
		self->first = said->next;
		if (!self->first)
			self->last = &self->first;
		free(said);
	}
}

static void drop_said(struct corosync *self)
{
	struct said *said;

	while ((said = self->first)) {
		self->first = said->next;
		free(said);
	}
	self->last = &self->first;
}

static void say(struct group *group, const uint8_t *bytes, size_t length)
{
	struct corosync *self = (struct corosync *)group;
	struct said *said = memory_new(sizeof(*said) + length);

	said->length = length;
	memcpy(said->bytes, bytes, length);
	*self->last = said;
	self->last = &said->next;
	pump(self);
}

/* ---- names ---- */

/* That a key is not there is no error; @text stays as it is then. */
static cs_error_t read_text(cmap_handle_t map, const char *key, char text[GROUP_NAME_LEN])
{
	char *value = NULL;
	cs_error_t error = cmap_get_string(map, key, &value);

	if (error == CS_OK)
		snprintf(text, GROUP_NAME_LEN, "%s", value);
	free(value);
	return error == CS_ERR_NOT_EXIST ? CS_OK : error;
}

/*
 * nodelist.node.N.nodeid, and beside it .ring0_addr, .ring1_addr, ... and .name: without one, the
 * first address is it.
 */
static cs_error_t read_name(struct names *names, cmap_handle_t map, const char *key)
{
	char name_key[CMAP_KEYNAME_MAXLEN + 1];
	unsigned int place, link;
	cs_error_t error;
	uint32_t node;
	char *name;

	if (sscanf(key, "nodelist.node.%u.", &place) != 1 || !strstr(key, ".nodeid"))
		return CS_OK;
	error = cmap_get_uint32(map, key, &node);
	if (error != CS_OK || node < 1 || node > OWN_NODES)
		return error;
	name = names->node[node];
	snprintf(name_key, sizeof(name_key), "nodelist.node.%u.name", place);
	error = read_text(map, name_key, name);
	for (link = 0; error == CS_OK && link < GROUP_LINKS; link++) {
		snprintf(name_key, sizeof(name_key), "nodelist.node.%u.ring%u_addr", place, link);
		error = read_text(map, name_key, names->address[node][link]);
		if (!name[0])
			memcpy(name, names->address[node][link], GROUP_NAME_LEN);
	}
	return error;
}

/* The links in the order in which corosync itself prefers them: a higher number is better. */
static cs_error_t read_order(struct names *names, cmap_handle_t map)
{
	char key[CMAP_KEYNAME_MAXLEN + 1];
	uint8_t priority[GROUP_LINKS] = { 0 };
	unsigned int link, at;
	cs_error_t error;

	for (link = 0; link < GROUP_LINKS; link++) {
		snprintf(key, sizeof(key), "totem.interface.%u.knet_link_priority", link);
		error = cmap_get_uint8(map, key, &priority[link]);
		if (error != CS_OK && error != CS_ERR_NOT_EXIST)
			return error;
		for (at = link; at && priority[names->order[at - 1]] < priority[link]; at--)
			names->order[at] = names->order[at - 1];
		names->order[at] = link;
	}
	return CS_OK;
}

static cs_error_t read_nodes(struct names *names, cmap_handle_t map)
{
	char key[CMAP_KEYNAME_MAXLEN + 1];
	cmap_iter_handle_t iter;
	cs_error_t error = cmap_iter_init(map, "nodelist.node.", &iter);

	if (error != CS_OK)
		return error;
	while (error == CS_OK) {
		error = cmap_iter_next(map, iter, key, NULL, NULL);
		if (error == CS_OK)
			error = read_name(names, map, key);
	}
	cmap_iter_finalize(map, iter);
	return error == CS_ERR_NO_SECTIONS ? CS_OK : error;
}

/* All of them or none: who is not in the list is nobody, and is not switched off. */
static cs_error_t read_names(struct corosync *self)
{
	struct names names = { 0 };
	cmap_handle_t map;
	cs_error_t error = cmap_initialize(&map);

	if (error != CS_OK)
		return error;
	error = read_text(map, "totem.cluster_name", names.cluster);
	if (error == CS_OK)
		error = read_order(&names, map);
	if (error == CS_OK)
		error = read_nodes(&names, map);
	if (error == CS_OK)
		self->names = names;
	cmap_finalize(map);
	return error;
}

static int on_names_again(sd_event_source *source, uint64_t usec, void *data)
{
	struct corosync *self = data;

	(void)source;
	(void)usec;
	if (renew_names(self))
		self->group.events->names(self->group.data);
	return 0;
}

/* false: not now; those of the ring before stay until they can be read. */
static bool renew_names(struct corosync *self)
{
	cs_error_t error = read_names(self);

	self->names_again = sd_event_source_disable_unref(self->names_again);
	if (error != CS_OK) {
		if (!self->stale)
			log_about(LOG_WARNING, LOG_ID_GROUP, NULL,
				  "corosync: the list of nodes cannot be read: %s; trying again each second",
				  cs_strerror(error));
		set_timer(self, &self->names_again, AGAIN_USEC, on_names_again);
	}
	self->stale = error != CS_OK;
	return !self->stale;
}

static const char *node_name(const struct group *group, unsigned int node)
{
	const struct corosync *self = (const struct corosync *)group;

	return node <= OWN_NODES && self->names.node[node][0] ? self->names.node[node] : NULL;
}

static const char *node_address(const struct group *group, unsigned int node, unsigned int link)
{
	const struct corosync *self = (const struct corosync *)group;

	if (node > OWN_NODES || link >= GROUP_LINKS)
		return NULL;
	link = self->names.order[link];
	return self->names.address[node][link][0] ? self->names.address[node][link] : NULL;
}

static const char *cluster(const struct group *group)
{
	return ((const struct corosync *)group)->names.cluster;
}

/* ---- the connections ---- */

static int on_cpg(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct corosync *self = data;
	cs_error_t error = cpg_dispatch(self->cpg, CS_DISPATCH_ALL);

	(void)source;
	(void)fd;
	(void)events;
	if (error != CS_OK && error != CS_ERR_TRY_AGAIN)
		broken(self, cs_strerror(error));
	else
		pump(self);
	return 0;
}

static int on_quorum_fd(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct corosync *self = data;
	cs_error_t error = quorum_dispatch(self->quorum, CS_DISPATCH_ALL);

	(void)source;
	(void)fd;
	(void)events;
	if (error != CS_OK && error != CS_ERR_TRY_AGAIN)
		broken(self, cs_strerror(error));
	return 0;
}

static void disconnect(struct corosync *self)
{
	self->cpg_source = sd_event_source_disable_unref(self->cpg_source);
	self->quorum_source = sd_event_source_disable_unref(self->quorum_source);
	self->names_again = sd_event_source_disable_unref(self->names_again);
	if (self->cpg_open)
		cpg_finalize(self->cpg);
	if (self->quorum_open)
		quorum_finalize(self->quorum);
	if (self->votes_open)
		votequorum_finalize(self->votes);
	self->cpg_open = false;
	self->quorum_open = false;
	self->votes_open = false;
	self->connected = false;
	self->broken = false;
	self->stale = false;
	memset(&self->ring, 0, sizeof(self->ring));
	memset(&self->quorum_ring, 0, sizeof(self->quorum_ring));
	drop_said(self);
}

static cs_error_t open_quorum(struct corosync *self)
{
	quorum_model_v1_data_t model = {
		.model = QUORUM_MODEL_V1,
		.quorum_notify_fn = on_quorum,
		.nodelist_notify_fn = on_quorum_nodes,
	};
	votequorum_callbacks_t none = { 0 };
	uint32_t type;
	cs_error_t error;

	error = quorum_model_initialize(&self->quorum, QUORUM_MODEL_V1,
					(quorum_model_data_t *)&model, &type, self);
	if (error != CS_OK)
		return error;
	self->quorum_open = true;
	if (type != QUORUM_SET)
		return CS_ERR_NOT_EXIST;
	error = votequorum_initialize(&self->votes, &none);
	if (error != CS_OK)
		return error;
	self->votes_open = true;
	return CS_OK;
}

static cs_error_t open_cpg(struct corosync *self)
{
	cpg_model_v1_data_t model = {
		.model = CPG_MODEL_V1,
		.cpg_deliver_fn = on_message,
		.cpg_confchg_fn = on_members,
		.cpg_totem_confchg_fn = on_ring,
		.flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF,
	};
	cs_error_t error;

	error = cpg_model_initialize(&self->cpg, CPG_MODEL_V1, (cpg_model_data_t *)&model, self);
	if (error != CS_OK)
		return error;
	self->cpg_open = true;
	return cpg_local_get(self->cpg, &self->node);
}

static cs_error_t watch(struct corosync *self)
{
	int cpg_fd, quorum_fd;
	cs_error_t error;

	error = cpg_fd_get(self->cpg, &cpg_fd);
	if (error == CS_OK)
		error = quorum_fd_get(self->quorum, &quorum_fd);
	if (error != CS_OK)
		return error;
	if (sd_event_add_io(self->event, &self->cpg_source, cpg_fd, EPOLLIN, on_cpg, self) < 0 ||
	    sd_event_add_io(self->event, &self->quorum_source, quorum_fd, EPOLLIN, on_quorum_fd,
			    self) < 0)
		return CS_ERR_NO_RESOURCES;
	return CS_OK;
}

/* NULL: connected; else what is missing. */
static const char *connect_all(struct corosync *self)
{
	cs_error_t error = open_quorum(self);

	if (error == CS_ERR_NOT_EXIST)
		return "corosync has no quorum: set quorum.provider to corosync_votequorum";
	if (error == CS_OK)
		error = open_cpg(self);
	if (error == CS_OK && (self->node < 1 || self->node > OWN_NODES))
		return "this node's nodeid in corosync.conf is not from 1 to 64";
	if (error == CS_OK)
		error = watch(self);
	if (error != CS_OK)
		return cs_strerror(error);
	if (read_names(self) != CS_OK)
		return "its list of nodes cannot be read (cmap)";
	read_two_node(self);
	self->group.events->joined(self->group.data, self->node);
	self->connected = true;
	error = quorum_trackstart(self->quorum, CS_TRACK_CURRENT | CS_TRACK_CHANGES);
	if (error == CS_OK)
		error = cpg_join(self->cpg, &group_name);
	return error == CS_OK ? NULL : cs_strerror(error);
}

static void lost(struct corosync *self, const char *why)
{
	bool was = self->connected;

	disconnect(self);
	/* Each second the same: once is enough. */
	if (was || !self->why || strcmp(self->why, why))
		log_about(LOG_WARNING, LOG_ID_GROUP, NULL,
			  "corosync: %s; trying again each second", why);
	self->why = why;
	self->group.events->lost(self->group.data, why);
	try_again(self, AGAIN_USEC);
}

static int on_again(sd_event_source *source, uint64_t usec, void *data)
{
	struct corosync *self = data;
	const char *missing;

	(void)usec;
	(void)source;
	self->again = sd_event_source_disable_unref(self->again);
	if (self->broken) {
		lost(self, self->why);
		return 0;
	}
	if (!self->connected) {
		missing = connect_all(self);
		if (missing)
			lost(self, missing);
		return 0;
	}
	pump(self);
	return 0;
}

static void end(struct group *group)
{
	struct corosync *self = (struct corosync *)group;

	disconnect(self);
	sd_event_source_disable_unref(self->again);
	free(self);
}

static const struct group_ops ops = {
	.send = say,
	.node_name = node_name,
	.node_address = node_address,
	.cluster = cluster,
	.close = end,
};

int group_corosync_open(struct group **group, sd_event *event, const struct group_events *events,
			void *data)
{
	struct corosync *self = memory_new(sizeof(*self));

	self->group.ops = &ops;
	self->group.events = events;
	self->group.data = data;
	self->event = event;
	self->last = &self->first;
	try_again(self, 0);
	*group = &self->group;
	return 0;
}
