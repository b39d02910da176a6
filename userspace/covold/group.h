/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process group that the agents are in: who is a member, which nodes are up, whether there is a
 * quorum, and messages that all members get in the same order. All of it in the event loop.
 */
#ifndef COVOLD_GROUP_H
#define COVOLD_GROUP_H

#include <systemd/sd-event.h>

#include "../agent/ownership.h"

#define GROUP_NAME_LEN	64
/* Networks that a node may have; as many as corosync has. */
#define GROUP_LINKS	8

/**
 * struct group_events - what a group tells
 * @joined: it is there; this node has that number
 * @members: the members are others now. Delivered in order with the messages
 * @ring: a new ring of the nodes @up, with a member or without. @together: those of them that have
 *	  certainly been in no other ring since the one before. In order with the messages, too
 * @quorum: @known: it is of the ring told last
 * @names: other names or addresses than when the ring was told. Standalone: never
 * @message: to all members, the own ones included
 * @lost: it is gone; @joined is called when it is back
 */
struct group_events {
	void (*joined)(void *data, unsigned int node);
	void (*members)(void *data, own_nodes members);
	void (*ring)(void *data, own_nodes up, own_nodes together);
	void (*quorum)(void *data, bool known, bool quorate, bool two_node);
	void (*names)(void *data);
	void (*message)(void *data, unsigned int from, const uint8_t *bytes, size_t length);
	void (*lost)(void *data, const char *why);
};

struct group;

/**
 * struct group_ops - what a kind of group can do
 * @send: never waits; what is sent before the group is lost may be lost, too
 * @node_name: its name in the cluster, or NULL
 * @node_address: its address in a network, in figures or as a name, or NULL; the first network is
 *		  the preferred one
 * @cluster: the cluster's name
 * @close: end; nothing is told any more
 */
struct group_ops {
	void (*send)(struct group *group, const uint8_t *bytes, size_t length);
	const char *(*node_name)(const struct group *group, unsigned int node);
	const char *(*node_address)(const struct group *group, unsigned int node,
				    unsigned int link);
	const char *(*cluster)(const struct group *group);
	void (*close)(struct group *group);
};

struct group {
	const struct group_ops *ops;
	const struct group_events *events;
	void *data;
};

/* One node and no others. 0 or a negative errno. */
int group_standalone_open(struct group **group, sd_event *event, unsigned int node,
			  const struct group_events *events, void *data);

/*
 * corosync: the group "covol" of libcpg, the quorum of votequorum, names from its nodelist. If it
 * is not there, or goes, it is tried again each second. 0 or a negative errno.
 */
int group_corosync_open(struct group **group, sd_event *event, const struct group_events *events,
			void *data);

#endif
