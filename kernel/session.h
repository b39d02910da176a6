/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session: this node and one peer, for one volume. It has one or more lanes,
 * each a TCP connection. Either side may ask the other: requests and responses
 * of both directions share the lanes.
 *
 *	          covol_session_create()
 *	                   |
 *	                 LIVE
 *	                   |  a lane lost, malformed message, the peer silent,
 *	                   |  GOODBYE, covol_session_end()
 *	                CLOSING   calls to the peer end with -ECONNRESET;
 *	                   |      requests of the peer run to their end
 *	                 gone     only now may a new session begin (I3)
 *
 * Lane 0 is the control lane: LAYOUT_GET, GRANT, RECALL and GOODBYE go there,
 * so that they come in the order in which they were sent (I6). Data goes to the
 * others, chosen by CPU, or to lane 0 if that is all there is. An answer comes on
 * the lane on which it was asked for. A lane that ends takes all others along.
 *
 * The window is the session's, not a lane's: it bounds what waits at one peer
 * and what of it may still take another way, and that does not grow with the
 * number of connections.
 */
#ifndef COVOL_SESSION_H
#define COVOL_SESSION_H

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <uapi/linux/covol.h>

#include "alive.h"
#include "conn.h"
#include "stats.h"

/*
 * Requests that wait for an answer at the same time, and their data; more are
 * queued here. A megabyte or two keep a fast link busy; what waits here rather
 * than at the peer can still take another way when a grant comes. The peer has
 * memory for all of it (serve.c).
 *
 * I8: I/O on images is given less. It may wait for a recall, a recall for what
 * its holder has under way to the LUN through a peer: that must not wait behind
 * I/O on images.
 */
#define COVOL_WINDOW		144
#define COVOL_WINDOW_IMAGE	128
#define COVOL_WINDOW_BYTES	(3u << 20)
#define COVOL_WINDOW_IMAGE_BYTES (2u << 20)
static_assert(COVOL_WINDOW_BYTES - COVOL_WINDOW_IMAGE_BYTES >=
	      COVOL_WIRE_IO_MAX);

/* How long who says goodbye waits for the peer to end the session. */
#define COVOL_GOODBYE_TIME	(5 * HZ)

enum covol_call_class {
	COVOL_CALL_FIRST,	/* waits at the peer for the LUN at most */
	COVOL_CALL_IMAGE,	/* I/O on an image */
	COVOL_CALL_CLASSES,
};

struct covol_lane;
struct covol_service;
struct covol_session;
struct covol_volume;

/**
 * struct covol_call - a request to a peer and its answer
 * @msg: the request on its way
 * @hdr: what is asked; id, epoch and volume are filled in when it is sent
 * @entry: in the session's queue
 * @bvec: READ: where the data goes; hdr.length bytes
 * @nr: entries in @bvec
 * @skip: bytes to skip in the first entry
 * @lane: on which it is asked and answered
 * @since: when it was asked, jiffies
 * @pending: sending and answer; when both have ended, @done
 * @err: the answer's status
 * @needed: asked when the call has waited in the queue, with a lock held: is it
 *	    still to be sent? If not, it ends with -EAGAIN. May be NULL
 * @done: called exactly once, in process context: 0; -ECONNRESET: the session
 *	  ended without an answer; -ESTALE: refused because of the epoch; or
 *	  what covol_wire_status_errno() says
 */
struct covol_call {
	struct covol_msg	msg;
	struct covol_hdr	hdr;
	struct list_head	entry;
	const struct bio_vec	*bvec;
	unsigned int		nr;
	unsigned int		skip;
	struct covol_lane	*lane;
	unsigned long		since;
	atomic_t		pending;
	int			err;
	bool			(*needed)(struct covol_call *call);
	void			(*done)(struct covol_call *call, int err);
};

/**
 * struct covol_session_ops - what the layers above do for a session
 * @create: get what it takes to serve the peer, as s->service. 0 or -ENOMEM
 * @destroy: give it back
 * @begin: a request's header came: take what it needs, as lane->request, and
 *	   set up @payload. 0; -EAGAIN: the lane is paused, ask again when some
 *	   request has ended, or a little later; else the session ends
 * @run: the request is complete; takes lane->request over. 0, or the session
 *	 ends
 * @drop: the session ended before lane->request was complete
 * @lost: the session is closing
 */
struct covol_session_ops {
	int	(*create)(struct covol_session *s);
	void	(*destroy)(struct covol_session *s);
	int	(*begin)(struct covol_lane *lane, const struct covol_hdr *hdr,
			 struct iov_iter *payload);
	int	(*run)(struct covol_lane *lane);
	void	(*drop)(struct covol_lane *lane);
	void	(*lost)(struct covol_session *s, int err);
};

/* One connection of a session */
struct covol_lane {
	/* set once */
	struct covol_session	*s;
	struct covol_conn	conn;
	struct covol_alive	alive;

	/* the session's lock */
	u32			nr_outstanding;
	u64			nr_sent;

	/* owned by the connection's receiving work item */
	struct covol_call	*answered;
	void			*request;
	u64			nr_served;

	bool			paused;	/* waits for covol_session_served() */
};

/* One session */
struct covol_session {
	/* set once */
	struct covol_volume		*vol;
	u32				peer;
	const struct covol_session_ops	*ops;
	struct covol_service		*service;
	struct kref			ref;
	struct rcu_head			rcu;
	unsigned int			nr_lanes;

	/* protects the calls and the state */
	spinlock_t			lock;
	enum covol_session_state	state;
	bool				closing;
	bool				planned;	/* somebody said goodbye */
	DECLARE_BITMAP(used, COVOL_WINDOW);
	struct covol_call		*slots[COVOL_WINDOW];
	struct list_head		queued[COVOL_CALL_CLASSES];
	u32				nr_queued;
	u32				nr_outstanding;
	u32				bytes_outstanding;
	u64				nr_sent;

	/* requests of the peer that have not ended */
	atomic_t			serving;
	struct list_head		requests;	/* lock */
	/* those, and one until the connection has stopped */
	refcount_t			users;

	/* grants and recalls, so far */
	atomic64_t			layout[COVOL_LAYOUT_MESSAGES];

	int				err;
	struct covol_msg		goodbye;
	struct delayed_work		alive_work;
	bool				late;		/* alive_work */
	struct work_struct		close_work;
	struct work_struct		end_work;
	struct completion		ended;

	struct covol_lane		lane[] __counted_by(nr_lanes);
};

extern struct workqueue_struct *covol_session_wq;

int covol_session_init(void);
void covol_session_exit(void);

struct covol_session *covol_session_create(struct covol_volume *vol, u32 peer,
					   struct socket *const *socks,
					   unsigned int nr_lanes,
					   const struct covol_session_ops *ops);
bool covol_session_closing(const struct covol_session *s);
struct covol_session *covol_session_find(struct covol_volume *vol, u32 peer);
bool covol_session_live(struct covol_volume *vol, u32 peer);
void covol_session_put(struct covol_session *s);
void covol_session_lost(struct covol_session *s, int err, const char *why);
void covol_session_goodbye(struct covol_session *s);
void covol_session_end(struct covol_session *s);

int covol_session_call(struct covol_session *s, struct covol_call *call);
void covol_session_send(struct covol_session *s, struct covol_msg *msg,
			struct covol_hdr *hdr);
void covol_lane_send(struct covol_lane *lane, struct covol_msg *msg,
		     struct covol_hdr *hdr);
void covol_lane_pause(struct covol_lane *lane);
void covol_lane_go_on(struct covol_lane *lane);
void covol_session_serving(struct covol_session *s);
void covol_session_served(struct covol_session *s);

#endif /* COVOL_SESSION_H */
