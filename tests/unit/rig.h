/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One state of the ownership machine, and nodes that do what it says: at once and with success,
 * unless the test says otherwise.
 */
#ifndef COVOL_TEST_RIG_H
#define COVOL_TEST_RIG_H

#include "../../userspace/agent/ownership.h"

#define RIG_LOG	4096

struct rig {
	struct ownership own;
	struct own_actions actions;
	size_t next;			/* first action that nobody has looked at */
	own_nodes up;
	enum own_result answer[OWN_TASKS][OWN_NODES + 1];
	bool silent[OWN_TASKS][OWN_NODES + 1];	/* never answers */
	uint64_t header;		/* epoch on the LUN */
	bool timers;			/* they fire at once; else they wait */
	char log[RIG_LOG];		/* "task:node task:node ..." of volume 1 */
	own_nodes kept;			/* by the last fence of volume 1 */
	struct own_action timer;	/* the last */
};

void rig_init(struct rig *rig, own_nodes nodes);
void rig_exit(struct rig *rig);

int rig_event(struct rig *rig, const struct own_event *event);
/* An event of this kind about volume 1. */
int rig_simple(struct rig *rig, enum own_event_type type, unsigned int node, bool on);
void rig_view(struct rig *rig, own_nodes nodes, own_nodes up, own_nodes fresh, bool quorate);
/* Volume number @id, which must be the next one, started. */
void rig_volume(struct rig *rig, uint32_t id);
/* The last timer fires. */
void rig_fire(struct rig *rig);

struct own_volume *rig_vol(struct rig *rig);
struct own_member *rig_member(struct rig *rig, unsigned int node);
/* Forget the log, then it is of what comes. */
void rig_clear(struct rig *rig);

#endif
