/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session: this node and one peer, for one volume. Either side may ask the
 * other: requests and responses of both directions share the connection.
 *
 *	          covol_session_create()
 *	                   |
 *	                 LIVE
 *	                   |  connection lost, malformed message,
 *	                   |  covol_session_end()
 *	                CLOSING   calls to the peer end with -ECONNRESET;
 *	                   |      requests of the peer run to their end
 *	                 gone     only now may a new session begin (I3)
 *
 * In this version a session has one lane.
 */
#ifndef COVOL_SESSION_H
#define COVOL_SESSION_H

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <uapi/linux/covol.h>

#include "conn.h"
#include "stats.h"

/*
 * Requests that wait for an answer at the same time, and their data; more are
 * queued here. A megabyte or two keep a fast link busy; what waits here rather
 * than at the peer can still take another way when a grant comes.
 */
#define COVOL_WINDOW		128
#define COVOL_WINDOW_BYTES	(2u << 20)

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
	unsigned long		since;
	atomic_t		pending;
	int			err;
	bool			(*needed)(struct covol_call *call);
	void			(*done)(struct covol_call *call, int err);
};

/**
 * struct covol_session_ops - what the layers above do for a session
 * @begin: a request's header came: allocate what it needs in s->request and
 *	   set up @payload. 0; -EAGAIN: too much is being served, ask again
 *	   after covol_session_resume(); else the session ends
 * @run: the request is complete; takes s->request over. 0, or the session ends
 * @drop: the session ended before s->request was complete
 * @lost: the session is closing
 */
struct covol_session_ops {
	int	(*begin)(struct covol_session *s, const struct covol_hdr *hdr,
			 struct iov_iter *payload);
	int	(*run)(struct covol_session *s);
	void	(*drop)(struct covol_session *s);
	void	(*lost)(struct covol_session *s, int err);
};

/* One session */
struct covol_session {
	/* set once */
	struct covol_volume		*vol;
	u32				peer;
	const struct covol_session_ops	*ops;
	struct kref			ref;
	struct rcu_head			rcu;
	struct covol_conn		conn;

	/* protects the calls and the state */
	spinlock_t			lock;
	enum covol_session_state	state;
	bool				closing;
	DECLARE_BITMAP(used, COVOL_WINDOW);
	struct covol_call		*slots[COVOL_WINDOW];
	struct list_head		queued;
	u32				nr_queued;
	u32				nr_outstanding;
	u32				bytes_outstanding;
	u64				nr_sent;

	/* owned by the connection's receiving work item */
	struct covol_call		*answered;
	void				*request;
	u64				nr_served;

	/* requests of the peer that have not ended */
	atomic_t			serving;
	struct list_head		requests;	/* lock */

	/* grants and recalls, so far */
	atomic64_t			layout[COVOL_LAYOUT_MESSAGES];

	int				err;
	struct work_struct		close_work;
	struct completion		ended;
};

int covol_session_init(void);
void covol_session_exit(void);

struct covol_session *covol_session_create(struct covol_volume *vol, u32 peer,
					   struct socket *sock,
					   const struct covol_session_ops *ops);
struct covol_session *covol_session_find(struct covol_volume *vol, u32 peer);
bool covol_session_live(struct covol_volume *vol, u32 peer);
void covol_session_put(struct covol_session *s);
void covol_session_end(struct covol_session *s);

int covol_session_call(struct covol_session *s, struct covol_call *call);
void covol_session_send(struct covol_session *s, struct covol_msg *msg,
			struct covol_hdr *hdr);
void covol_session_serving(struct covol_session *s);
void covol_session_served(struct covol_session *s);

#endif /* COVOL_SESSION_H */
