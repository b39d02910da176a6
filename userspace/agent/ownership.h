/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is coordinator of which volume, and what each node has to do for it: a pure state machine.
 *
 * No I/O, no clock, no globals. All agents apply the same events in the same order (CPG) to the
 * same state and so come to the same actions; each carries out those that bear its own node's
 * number, and announces how they ended as another event. Documentation/cluster.rst tells the
 * whole story.
 */
#ifndef COVOL_AGENT_OWNERSHIP_H
#define COVOL_AGENT_OWNERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nodes are numbered 1 to OWN_NODES, so that a set of them is one word. */
#define OWN_NODES	64
#define OWN_VOLUMES	256
#define OWN_NAME	32

typedef uint64_t own_nodes;

static inline own_nodes own_bit(unsigned int node)
{
	return node ? 1ULL << (node - 1) : 0;
}

/* for (node = own_first(set); node; node = own_next(set, node)) */
static inline unsigned int own_first(own_nodes set)
{
	return set ? __builtin_ctzll(set) + 1 : 0;
}

static inline unsigned int own_next(own_nodes set, unsigned int node)
{
	return node >= OWN_NODES ? 0 : own_first(set >> node << node);
}

#define own_for_each(node, set) \
	for ((node) = own_first(set); (node); (node) = own_next(set, node))

/* Where a volume stands. In all but the first the file system may be, or become, mounted. */
enum own_phase {
	OWN_STOPPED,
	OWN_FENCE,	/* nobody but those who are here may write */
	OWN_BARRIER,	/* nobody listens to the old coordinator any more */
	OWN_MOUNT,
	OWN_EPOCH,	/* the new epoch is being written to the LUN */
	OWN_SERVE,
	OWN_CONNECT,	/* members connect, and say what they hold */
	OWN_RELEASE,	/* the map may be changed again */
	OWN_ONLINE,
	OWN_HOLD,	/* about to unmount: what that needs is looked at */
	OWN_UNMOUNT,
	OWN_MAINTENANCE,
	OWN_CLOSE,	/* everybody gives up the volume */
	OWN_PHASES
};

enum own_wanted {
	OWN_WANT_STOPPED,
	OWN_WANT_STARTED,
	OWN_WANT_MAINTENANCE,
	OWN_WANTS
};

/* Can this node write to the LUN? */
enum own_access {
	OWN_ACCESS_NONE,	/* no: it has no key there */
	OWN_ACCESS_MAYBE,	/* told to register, and has not said that it did */
	OWN_ACCESS_REGISTERED,
	OWN_ACCESSES
};

enum own_route {
	OWN_ROUTE_NONE,		/* the volume is not set up there */
	OWN_ROUTE_DIRECT,
	OWN_ROUTE_FS,
	OWN_ROUTE_BLOCK,
	OWN_ROUTES
};

/* Has this node been given up: do others go on in its place? Then what waits there must fail. */
enum own_expelled {
	OWN_NOT_EXPELLED,
	OWN_EXPELLED_UNKNOWN,	/* nobody remembers; not, if its last key is still on the LUN */
	OWN_EXPELLED,
	OWN_EXPELLED_STATES
};

/*
 * What a node is told to do. Each may be told again after it was done, and does no harm then; one
 * that has failed has left nothing half done, but for what FENCE and REGISTER say.
 */
enum own_task {
	OWN_TASK_NONE,
	OWN_TASK_REGISTER,	/* give up all that an earlier key did, register a new one */
	OWN_TASK_FENCE,		/* keep only the keys of @nodes; says the header's epoch */
	OWN_TASK_BARRIER,	/* leave the old coordinator; who is that drops its mount */
	OWN_TASK_MOUNT,
	OWN_TASK_WRITE_EPOCH,	/* @epoch, or more than the header has; says which */
	OWN_TASK_SERVE,		/* answer members, at @epoch; @nodes may hold layouts */
	OWN_TASK_CONNECT,	/* to @other at @epoch, report the layouts held */
	OWN_TASK_RELEASE,	/* the coordinator may change maps; but @nodes nobody has layouts */
	OWN_TASK_UNMOUNT,	/* drain, sync, unmount, end all sessions */
	OWN_TASK_ROUTE,		/* @route */
	OWN_TASK_CLOSE,		/* end everything, take the own key away */
	OWN_TASKS
};

enum own_timer {
	OWN_TIMER_NONE,
	OWN_TIMER_VOLUME,	/* try again */
	OWN_TIMER_MEMBER,	/* try again */
	OWN_TIMER_PATH,		/* a path that is back has stayed, or has been good for long */
	OWN_TIMER_AGENT,	/* an agent has not come back */
	OWN_TIMERS
};

enum own_action_type {
	OWN_ACT_TASK,
	OWN_ACT_TIMER,		/* the event @timer with @serial, in @ms; replaces an older one */
};

/* @node carries it out. */
struct own_action {
	enum own_action_type type;
	unsigned int node;
	uint32_t volume;
	uint64_t serial;
	enum own_task task;
	enum own_timer timer;
	unsigned int subject;		/* timers: the node that it is about */
	uint32_t ms;
	unsigned int other;
	enum own_route route;
	uint64_t incarnation;		/* REGISTER: of the key */
	uint64_t epoch;
	own_nodes nodes;
	bool fenced;			/* there is no key, as far as is known; CLOSE: certainly */
	enum own_expelled expelled;	/* REGISTER, BARRIER: what waits in the kernel fails */
	bool apart;			/* BARRIER: give all layouts back, hold all I/O */
	bool recall;			/* UNMOUNT: first take all layouts back, from @nodes */
};

struct own_actions {
	struct own_action *list;
	size_t count;
	size_t room;
};

enum own_event_type {
	OWN_EV_VIEW,		/* @nodes: whose agents are here; @boots: of these; @up; @quorate */
	OWN_EV_DONE,		/* @node did @serial of @volume, or @result says why not; @epoch */
	OWN_EV_TIMER,		/* @timer, @volume, @node, @serial */
	OWN_EV_PATH_LOST,	/* @volume, @node */
	OWN_EV_PATH_BACK,
	OWN_EV_FENCED,		/* @node met a reservation conflict with the key of @incarnation */
	OWN_EV_DIFFERS,		/* @node has not what the state says: see ownership_differs() */
	OWN_EV_FENCE_WANTED,	/* somebody needs what @node holds: a lease, a range */
	OWN_EV_ADD,		/* create and adopt: @uuid, @name, @epoch of its header */
	OWN_EV_FORGET,
	OWN_EV_START,
	OWN_EV_STOP,
	OWN_EV_MOVE,		/* to @node */
	OWN_EV_REDIRECT,	/* @on */
	OWN_EV_MAINTENANCE,	/* @on */
	OWN_EV_PREFER,		/* @nodes first, never @excluded */
	OWN_EV_FENCE_ALWAYS,	/* @on: fence who left at once, needed or not */
	OWN_EVENTS
};

enum own_result {
	OWN_OK,
	OWN_FAILED,
	OWN_NO_PATH,
	OWN_CONFLICT,		/* the own key is gone */
	OWN_RESULTS
};

struct own_event {
	enum own_event_type type;
	unsigned int node;
	uint32_t volume;
	uint64_t serial;
	enum own_result result;
	enum own_timer timer;
	uint64_t incarnation;
	uint64_t epoch;
	own_nodes nodes;
	own_nodes excluded;
	own_nodes up;
	const uint64_t *boots;		/* OWN_NODES of them; NULL: none is other than before */
	bool quorate;
	bool on;
	uint8_t uuid[16];
	char name[OWN_NAME];
};

/* A node, as seen by one volume. */
struct own_member {
	uint8_t access;
	uint8_t route;			/* that it has said to be on; NONE while it changes */
	uint8_t asked;			/* the route that it is told */
	uint8_t task;			/* told, and not yet answered */
	uint8_t tries;
	uint8_t damping;		/* how often its path was lost of late */
	bool open;			/* it has something of this volume that CLOSE ends */
	bool no_path;
	bool damped;			/* redirected until its path has stayed for a while */
	bool locked_out;		/* two nodes: it lost the race, and may not register */
	uint8_t expelled;		/* fenced as one that is gone, or that is not known */
	bool apart;			/* it gets no session: it holds nothing, and I/O waits */
	uint64_t serial;		/* of the task */
	uint64_t retry;			/* of the timer; 0: not waiting */
	uint64_t path_timer;
	uint64_t incarnation;
	uint64_t connected;		/* epoch */
	uint64_t barrier;		/* term */
};

struct own_volume {
	uint32_t id;
	uint8_t uuid[16];
	char name[OWN_NAME];
	uint8_t phase;
	uint8_t wanted;
	uint8_t coordinator;		/* who may have it mounted; 0: nobody */
	uint8_t target;			/* who is to be next; 0: whoever fits */
	uint8_t placed;			/* where the operator put it */
	uint8_t fencer;
	uint8_t tries;
	bool redirect;
	bool checked;			/* in this change the keys on the LUN have been looked at */
	bool distrust;			/* the LUN knows of a later epoch than we: keep nobody */
	bool fence_failed;
	uint64_t serial;		/* last of a task or timer: the view, and a number in it */
	uint64_t retry;
	uint64_t epoch;
	uint64_t term;			/* grows when the old coordinator is certainly none */
	own_nodes preferred;
	own_nodes excluded;
	own_nodes evict;		/* to be fenced */
	own_nodes booted;		/* of them, only for what they did before they booted */
	own_nodes keep;			/* of the fence under way */
	own_nodes avoid;		/* who failed at this change */
	own_nodes tried;		/* coordinators, since anybody has got a session */
	struct own_member member[OWN_NODES];
};

struct ownership {
	uint32_t view;			/* quorate views so far */
	uint64_t seq;			/* events in this view */
	bool quorate;
	bool two_node;
	bool fence_always;
	bool restarted;			/* from disk: whoever has been in that view knows better */
	own_nodes present;		/* agents */
	own_nodes absent;		/* nodes that are up, whose agent is expected back */
	own_nodes unreached;		/* as coordinators, when that was tried last */
	uint64_t serial;
	uint64_t grace[OWN_NODES];
	/* Of each node's kernel, when its agent was here last; all that is older is dealt with. */
	uint64_t boots[OWN_NODES];
	uint32_t next_id;
	size_t count;
	size_t room;
	struct own_volume **volumes;	/* by id */
};

void ownership_init(struct ownership *own, bool two_node);
void ownership_exit(struct ownership *own);
/*
 * What an agent that starts makes of the state that it has kept on its disk: which volumes there
 * are.
 */
void ownership_restart(struct ownership *own);
void ownership_copy(struct ownership *to, const struct ownership *from);

/*
 * Apply an event, append what is to be done to @actions. 0, or for an operator's request a negative
 * errno: refused, and nothing has changed. Events that are out of date are nothing.
 */
int ownership_step(struct ownership *own, const struct own_event *event,
		   struct own_actions *actions);

struct own_volume *ownership_volume(const struct ownership *own, uint32_t id);

static inline struct own_member *own_member(struct own_volume *vol, unsigned int node)
{
	return &vol->member[node - 1];
}

/* What a volume is on a node, and why, in the words of the kernel's interface and of the status. */
enum own_state {
	OWN_STATE_DIRECT,
	OWN_STATE_FS_REDIRECTED,
	OWN_STATE_BLOCK_REDIRECTED,
	OWN_STATE_HELD,
	OWN_STATE_MAINTENANCE,
	OWN_STATE_UNAVAILABLE,
	OWN_STATES
};

enum own_reason {
	OWN_REASON_ADMIN		= 1 << 0,
	OWN_REASON_NO_DISK_PATH		= 1 << 1,
	OWN_REASON_COORDINATOR_LOST	= 1 << 2,
	OWN_REASON_MOVING		= 1 << 3,
	OWN_REASON_NO_QUORUM		= 1 << 4,
	OWN_REASON_FENCE_FAILED		= 1 << 5,
	OWN_REASON_FENCED		= 1 << 6,
	OWN_REASON_NODE_LOST		= 1 << 7,
};

struct own_status {
	enum own_state state;
	unsigned int reasons;
};

struct own_status ownership_status(const struct ownership *own, const struct own_volume *vol,
				   unsigned int node);

/**
 * struct own_victims - who a fence has to switch off, if there are no keys that it can take away
 * @current: the state still wants that fence; if not, nobody is switched off for it
 * @off: have to be off before it is done
 * @forgotten: the same, if there are such nodes: nothing is known of them, and they are not here
 * @spared: it cannot be done while these are as they are: they have no path, and are not switched
 *	    off for that alone
 */
struct own_victims {
	bool current;
	own_nodes off;
	own_nodes forgotten;
	own_nodes spared;
};

/* Of the FENCE that a node was told; fence.c says why. */
struct own_victims ownership_victims(const struct ownership *own, const struct own_volume *vol,
				     const struct own_action *fence);

/* Who was given up, and has not begun anew: what waits there would be done in a session. */
own_nodes ownership_given_up(const struct own_volume *vol);

/* Whether a node is coordinator, and I/O of others may go to the LUN through it. */
bool ownership_redirects(const struct ownership *own, const struct own_volume *vol,
			 unsigned int node);

/* Who may use what it was granted of a volume: whoever is here, or has not been fenced. */
own_nodes ownership_holders(const struct ownership *own, const struct own_volume *vol);

/**
 * struct own_facts - what is so on a node, whatever the state says
 * @path: the LUN can be reached; when it comes back, its header has been read
 * @held: the kernel holds I/O because it met a lost path, and has not been given a route since
 * @conflict: the LUN has refused the key of @incarnation
 * @failing: the kernel fails all I/O, and has not been given a route since, as the node was given
 *	     up, or nobody knows whether it was
 * @busy: a task is under way, and changes what follows
 * @changing_key: one is, or waits, that changes the key
 * @incarnation: of the key registered last, or tried to; 0: none
 * @mounted: the file system is mounted here
 * @serving: epoch at which members are let in here; 0: none are
 * @session_epoch: at which there is a session with the coordinator; 0: there is none
 * @route: that the kernel was given last; NONE: none, or it is to hold
 */
struct own_facts {
	bool path;
	bool held;
	bool conflict;
	enum own_expelled failing;
	bool busy;
	bool changing_key;
	uint64_t incarnation;
	bool mounted;
	uint64_t serving;
	uint64_t session_epoch;
	enum own_route route;
};

#define OWN_DIFFERS	3

/*
 * What a node whose agent is here has to announce, in a state with a quorum. Returns how many
 * events. Of OWN_EV_DIFFERS @incarnation is that of the key it has, @on says that it is more than
 * the route, and @serial of which task it has been told last.
 */
unsigned int ownership_differs(const struct own_volume *vol, unsigned int node,
			       const struct own_facts *facts, struct own_event events[OWN_DIFFERS]);

/*
 * Whether the node has a route, or a task, that ends or never ends with its path. Its kernel has
 * held since the path was lost: if nobody knows that, it has to be said, though the path is back.
 */
bool ownership_needs_path(const struct own_volume *vol, unsigned int node);

const char *own_state_name(enum own_state state);
const char *own_reason_name(unsigned int bit);
const char *own_phase_name(enum own_phase phase);
const char *own_task_name(enum own_task task);
const char *own_event_name(enum own_event_type type);

/*
 * The state as bytes. ownership_decode() believes nothing: -EPROTO for another version, -EBADMSG
 * for what cannot be; *own is to be freed only after 0.
 */
uint8_t *ownership_encode(const struct ownership *own, size_t *length);	/* free() it */
int ownership_decode(struct ownership *own, const uint8_t *bytes, size_t length);

/*
 * Take into @own what @other knows better. When all who make up a view have merged the states of
 * all of them in the order of their numbers, they have the same one.
 */
void ownership_merge(struct ownership *own, const struct ownership *other);

#endif
