/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the state machine have in common. ownership.c: events; change.c: the phases
 * of a volume; member.c: what each node does for it; facts.c: what it has; fence.c; spread.c;
 * task.c: what is told to whom.
 */
#ifndef COVOL_AGENT_INTERNAL_H
#define COVOL_AGENT_INTERNAL_H

#include "ownership.h"

/* One call of ownership_step(). */
struct own_step {
	struct ownership *own;
	struct own_actions *actions;
};

/* task.c */
bool own_task_idle(const struct own_volume *vol, unsigned int node);
void own_task_start(struct own_step *step, struct own_volume *vol, unsigned int node,
		    enum own_task task);
void own_task_again(struct own_step *step, struct own_volume *vol);
void own_timer_volume(struct own_step *step, struct own_volume *vol);
void own_timer_member(struct own_step *step, struct own_volume *vol, unsigned int node);
void own_timer_path(struct own_step *step, struct own_volume *vol, unsigned int node);
void own_timer_agent(struct own_step *step, unsigned int node);
void own_timer_agents_again(struct own_step *step);
void *own_alloc(void *old, size_t size);

/* change.c */
void own_volume_advance(struct own_step *step, struct own_volume *vol);
void own_volume_view(struct own_volume *vol);
void own_volume_done(struct own_step *step, struct own_volume *vol, unsigned int node,
		     enum own_task task, const struct own_event *event);
void own_change_begin(struct own_volume *vol);
bool own_serving(const struct own_volume *vol);
bool own_mounted(const struct own_volume *vol);

/* member.c */
void own_members_register(struct own_step *step, struct own_volume *vol);
void own_members_serve(struct own_step *step, struct own_volume *vol);
void own_member_serve(struct own_step *step, struct own_volume *vol, unsigned int node);
bool own_members_connected(const struct ownership *own, const struct own_volume *vol);
void own_members_connect_anew(struct own_volume *vol, own_nodes nodes);
bool own_member_holds_nothing(const struct own_volume *vol, unsigned int node);
own_nodes own_members_shut_out(const struct ownership *own, const struct own_volume *vol,
			       bool *nobody);
void own_members_rejoin(struct own_volume *vol);
void own_member_set_apart(struct own_volume *vol, unsigned int node);
void own_member_done(struct own_step *step, struct own_volume *vol, unsigned int node,
		     enum own_task task, const struct own_event *event);
void own_member_path(struct own_step *step, struct own_volume *vol, unsigned int node, bool lost);
void own_member_path_timer(struct own_step *step, struct own_volume *vol, unsigned int node);
void own_member_fenced(struct own_volume *vol, unsigned int node);
void own_member_expelled(struct own_volume *vol, unsigned int node);
void own_member_unknown(struct own_member *member);
void own_member_conflict(const struct ownership *own, struct own_volume *vol, unsigned int node);
void own_member_booted(struct own_volume *vol, unsigned int node);
void own_member_left(struct own_volume *vol, unsigned int node);
void own_evict(struct own_volume *vol, unsigned int node);

/* facts.c */
void own_member_differs(struct own_volume *vol, unsigned int node, const struct own_event *event);

/* fence.c */
own_nodes own_fence_needed(const struct ownership *own, const struct own_volume *vol);
void own_fence_pump(struct own_step *step, struct own_volume *vol);
void own_fence_done(struct own_step *step, struct own_volume *vol, const struct own_event *event);

/* spread.c */
bool own_fit(const struct ownership *own, const struct own_volume *vol, unsigned int node);
own_nodes own_candidates(const struct ownership *own, const struct own_volume *vol);
unsigned int own_spread_target(const struct ownership *own, const struct own_volume *vol);
unsigned int own_spread_untried(const struct ownership *own, const struct own_volume *vol);
void own_spread_pump(struct own_step *step);

#endif
