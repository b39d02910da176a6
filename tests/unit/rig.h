/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One state of the ownership machine, and nodes that do what it says: at once and with success,
 * unless the test says otherwise.
 */
#ifndef COVOL_TEST_RIG_H
#define COVOL_TEST_RIG_H

#include "../../userspace/agent/ownership.h"

#define RIG_LOG	4096
#define RIG_WAITS 64

struct rig {
	struct ownership own;
	struct own_actions actions;
	size_t next;			/* first action that nobody has looked at */
	own_nodes up;
	uint64_t boots[OWN_NODES];
	enum own_result answer[OWN_TASKS][OWN_NODES + 1];
	bool silent[OWN_TASKS][OWN_NODES + 1];	/* never answers */
	own_nodes deaf;			/* nobody gets a session with these */
	uint64_t header;		/* epoch on the LUN */
	bool timers;			/* they fire at once; else they wait */
	char log[RIG_LOG];		/* "task:node task:node ..." of volume 1 */
	own_nodes kept;			/* by the last fence of volume 1 */
	own_nodes holders;		/* by its last SERVE, RELEASE or UNMOUNT */
	own_nodes served;		/* the same, by its last SERVE */
	own_nodes fenced;		/* who was told so in a BARRIER */
	own_nodes expelled;		/* who was told so in a BARRIER or REGISTER */
	own_nodes unknown;		/* the same, if nobody remembers */
	own_nodes apart;		/* who was told so in a BARRIER */
	own_nodes keyless;		/* who was told to CLOSE without a key */
	bool recalled;			/* the last UNMOUNT was to recall all layouts */
	struct own_action timer;	/* the last */
	struct own_action waits[RIG_WAITS];	/* timers of retries, in their order */
	unsigned int wait_count;
};

void rig_init(struct rig *rig, own_nodes nodes);
/* The same, and volume 1 is started, with node 1 its coordinator; nothing is in the log. */
void rig_started(struct rig *rig, own_nodes nodes);
void rig_exit(struct rig *rig);

int rig_event(struct rig *rig, const struct own_event *event);
/* An event of this kind about volume 1. */
int rig_simple(struct rig *rig, enum own_event_type type, unsigned int node, bool on);
/* @booted: since the last view. */
void rig_view(struct rig *rig, own_nodes nodes, own_nodes up, own_nodes booted, bool quorate);
/* Volume number @id, which must be the next one, started. */
void rig_volume(struct rig *rig, uint32_t id);
/* The last timer fires. */
void rig_fire(struct rig *rig);
/* What waits to be tried again is tried again, all of it, so often. */
void rig_retry(struct rig *rig, unsigned int times);

struct own_volume *rig_vol(struct rig *rig);
struct own_member *rig_member(struct rig *rig, unsigned int node);
/* Forget the log, then it is of what comes. */
void rig_clear(struct rig *rig);

#endif
