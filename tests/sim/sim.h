/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cluster of agents that run the ownership machine, over a simulated CPG, LUNs, clock and
 * network.
 *
 * Whatever happens is a choice: a number and three arguments. What choices there are to make
 * depends on nothing but the seed, and each means something in any state, if only nothing; so a
 * run can be repeated with some of them left out, and that is how the trace of a failure is made
 * short.
 */
#ifndef COVOL_SIM_H
#define COVOL_SIM_H

#include "../../userspace/agent/ownership.h"

#define SIM_VOLUMES	8	/* of a random run, at most */
#define SIM_WRITES	24	/* under way on one LUN */
#define SIM_PENDING	16	/* views that a node has not yet heard of */
#define SIM_TIMERS	256

enum sim_kind {
	SIM_DELIVER,		/* node: one message */
	SIM_WORK,		/* node, volume: its task goes on */
	SIM_LAND,		/* volume, which: a write reaches the medium */
	SIM_WRITE,		/* node, volume, metadata? */
	SIM_WAIT,		/* node, volume: I/O that has to wait */
	SIM_TIMER,		/* node, which */
	SIM_CRASH,		/* node */
	SIM_BOOT,		/* node */
	SIM_KILL,		/* node: its agent */
	SIM_KILL_ALL,		/* all agents */
	SIM_SPAWN,		/* node: its agent */
	SIM_FREEZE,		/* node */
	SIM_THAW,		/* node */
	SIM_SPLIT,		/* node, into which part */
	SIM_HEAL,		/* the network */
	SIM_CUT,		/* node, volume: its path */
	SIM_MEND,		/* node, volume */
	SIM_TROUBLE,		/* node, volume: its next task fails */
	SIM_DEAF,		/* node, to whom: they get no session with it */
	SIM_HEAR,		/* node */
	SIM_COMMAND,		/* node, volume, which */
	SIM_KINDS
};

struct sim_choice {
	uint8_t kind;
	uint8_t node;
	uint16_t volume;
	uint32_t arg;
};

/* A state on its way, shared by those who receive it. */
struct sim_blob {
	unsigned int users;
	size_t length;
	uint64_t hash;
	uint8_t *bytes;
};

struct sim_message {
	unsigned int from;
	uint64_t boot;
	unsigned long last;	/* the view that @state is of, and how much of it was heard */
	uint32_t heard;
	own_nodes away;		/* see struct sim_node */
	struct sim_blob *state;	/* or an event: */
	struct own_event event;
};

/* A membership of the process group, and all that was said in it, in order. */
struct sim_view {
	unsigned int users;
	own_nodes nodes;
	own_nodes up;
	bool quorate;
	unsigned long number;
	uint64_t hash;			/* of the state that all begin with */
	struct sim_message **log;
	uint32_t count;
	uint32_t room;
};

/* One I/O that the LUN has accepted. */
struct sim_write {
	uint8_t node;
	bool metadata;
	bool doomed;		/* a fence that should have waited for it has ended */
	bool draining;		/* a fence waits for it */
	uint32_t life;
	uint64_t incarnation;
};

struct sim_lun {
	/* Incarnation; 0: none. Where the LUN knows none, what nodes believe that they have. */
	uint64_t keys[OWN_NODES + 1];
	uint64_t header;
	uint64_t served;		/* highest epoch that anybody has served at */
	unsigned int owner;		/* who mounted last */
	struct sim_write writes[SIM_WRITES];
	unsigned int count;
};

struct sim_job {
	enum own_task task;
	uint64_t serial;
	struct own_action action;
	own_nodes present;		/* when it was told */
	uint64_t incarnation[OWN_NODES + 1];	/* of the keys, as they were known then */
	own_nodes off;			/* a fence has switched them off */
	unsigned int stage;
};

/* A volume on a node: what its kernel has, and what its agent does. */
struct sim_local {
	/* kernel */
	uint64_t incarnation;
	bool mounted;
	bool conflict;			/* the key of this incarnation is gone */
	bool path;
	bool held;			/* since the path was lost, until it is told a route */
	uint64_t serving;		/* epoch; 0: not */
	unsigned int session;		/* with whom */
	uint64_t session_epoch;
	enum own_route route;
	uint64_t told;			/* the last key with which it was told to go on */
	bool waits;			/* I/O is held */
	bool lost_key;			/* since it began it was without a key once, or a path */
	unsigned long given_up;		/* when others went on in its place; 0: not since */
	/* agent */
	bool trouble;
	bool changes;			/* as coordinator it may change maps */
	struct sim_job job;
	struct sim_job next;
	uint64_t answered;		/* serial */
	struct own_event answer;
};

struct sim_node {
	bool alive;
	bool frozen;
	bool running;			/* the agent */
	unsigned long began;		/* when it was started */
	own_nodes deaf;			/* these get no session with it */
	unsigned int part;
	unsigned long ring;		/* number of the one that it is in */
	own_nodes parted;		/* who was not in all its rings since the newest view */
	uint32_t life;
	struct ownership own;
	struct own_actions actions;
	bool synced;
	own_nodes offered;		/* who has told its state in this view */
	own_nodes away;			/* who may have gone on without it since it was in sync */
	own_nodes away_nodes;		/* all who are away by what is offered */
	const struct sim_message *offers[OWN_NODES + 1];
	unsigned long last;		/* number of the last view, if it was in sync there */
	uint32_t heard;
	struct sim_view *view;		/* being delivered */
	uint32_t at;
	uint32_t cut;			/* nothing from here on; UINT32_MAX: the view goes on */
	struct sim_view *pending[SIM_PENDING];
	uint32_t pending_cut[SIM_PENDING];
	own_nodes pending_away[SIM_PENDING];
	unsigned int pendings;
	struct sim_local *local;	/* of volumes 1 to @volumes */
	struct own_action timers[SIM_TIMERS];
	unsigned int timer_count;
};

struct sim {
	unsigned int nodes;
	unsigned int volumes;
	bool two_node;
	bool drain;			/* fencing drains; if not, that must be found */
	bool command;			/* the LUN knows no keys: who is fenced is switched off */
	struct sim_node *node;		/* 1 to nodes */
	struct sim_lun *lun;		/* 1 to volumes */
	char violation[200];		/* what went wrong first; empty: nothing */
	const char *kind;		/* of violation: its format */
	uint32_t salt;			/* of the choice that is being carried out */
	unsigned long clock;		/* of what has to be put in order */
	unsigned long views;
	unsigned long rings;
	unsigned long steps;		/* that did something */
	unsigned long events;		/* announced in the group */
	unsigned long states;		/* offered in new views */
	unsigned long bytes;		/* of these states */
};

void sim_init(struct sim *sim, unsigned int nodes, unsigned int volumes, bool two_node);
void sim_exit(struct sim *sim);
bool sim_apply(struct sim *sim, const struct sim_choice *choice);
void sim_settle(struct sim *sim);
void sim_unreached(struct sim *sim);
void sim_rest(struct sim *sim);
bool sim_crash(struct sim *sim, unsigned int node);
void sim_print(const struct sim *sim, const struct sim_choice *choice);
void sim_dump(struct sim *sim);
void __attribute__((format(printf, 2, 3))) sim_violated(struct sim *sim, const char *format, ...);
unsigned int sim_random(struct sim *sim, unsigned int below);
struct sim_local *sim_local(struct sim *sim, unsigned int node, unsigned int volume);

/* group.c */
void group_changed(struct sim *sim);
void group_say(struct sim *sim, unsigned int node, const struct own_event *event);
bool group_deliver(struct sim *sim, unsigned int node);
void group_leave(struct sim *sim, unsigned int node);

/* agent.c */
void agent_start(struct sim *sim, unsigned int node);
void agent_stop(struct sim *sim, unsigned int node);
void agent_step(struct sim *sim, unsigned int node, const struct own_event *event);
void agent_synced(struct sim *sim, unsigned int node, const struct own_event *view);
void agent_fact(struct sim *sim, unsigned int node, unsigned int volume);
bool agent_timer(struct sim *sim, unsigned int node, uint32_t which);

/* work.c */
bool work_go_on(struct sim *sim, unsigned int node, unsigned int volume);
void work_told(struct sim *sim, unsigned int node, const struct own_action *action);
void work_stop(struct sim_local *local);

/* messages.c */
bool messages_measure(bool json, bool quick);

/* lun.c */
bool lun_write(struct sim *sim, unsigned int node, unsigned int volume, bool metadata);
bool lun_land(struct sim *sim, unsigned int volume, uint32_t which);
bool lun_in_flight(const struct sim_lun *lun, unsigned int node);
void lun_drain(struct sim_lun *lun);
bool lun_draining(const struct sim_lun *lun);
void lun_fenced(struct sim_lun *lun, own_nodes nodes);
void lun_check(struct sim *sim, unsigned int volume);

/* waits.c */
bool waits_begin(struct sim *sim, unsigned int node, unsigned int volume);
void waits_fail(struct sim *sim, unsigned int node, unsigned int volume);
void waits_look(struct sim *sim, unsigned int node, unsigned int volume);
void waits_go_on(struct sim *sim, unsigned int node, unsigned int volume, unsigned int by);
void waits_key_lost(struct sim *sim, unsigned int node, unsigned int volume);
void waits_release(struct sim *sim, unsigned int node, unsigned int volume, own_nodes nodes);

#endif
