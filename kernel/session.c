// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions. See session.h.
 */
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "fault.h"
#include "log.h"
#include "pages.h"
#include "session.h"
#include "trace.h"
#include "volume.h"

/* A request's id: its slot in the low bits, above them a number that makes a
 * late answer to an earlier user of the slot stand out.
 */
#define SLOT_BITS	16
static_assert(COVOL_WINDOW <= 1 << SLOT_BITS);

struct workqueue_struct *covol_session_wq;

/* ---- calls to the peer ------------------------------------------------ */

static void call_put(struct covol_call *call)
{
	if (atomic_dec_and_test(&call->pending))
		call->done(call, call->err);
}

static void call_sent(struct covol_msg *msg, int err)
{
	/* an error means that the session is ending: the answer will not
	 * come, and fail_calls() says so
	 */
	call_put(container_of(msg, struct covol_call, msg));
}

static void call_answered(struct covol_session *s, struct covol_call *call,
			  int err)
{
	trace_covol_call_answered(s, call, err);
	call->err = err;
	call_put(call);
}

/* The data that a call moves, either way. */
static u32 data_of(const struct covol_call *call)
{
	return call->hdr.opcode == COVOL_OP_READ ||
	       call->hdr.opcode == COVOL_OP_WRITE ? call->hdr.length : 0;
}

/* Where a call goes, see session.h. */
static struct covol_lane *lane_for(struct covol_session *s, u8 opcode)
{
	unsigned int data = s->nr_lanes - 1;

	if (!data || opcode < COVOL_OP_READ || opcode > COVOL_OP_WRITE_ZEROES)
		return &s->lane[0];	/* I6 */
	return &s->lane[1 + raw_smp_processor_id() % data];
}

static const struct {
	u32	calls;
	u32	bytes;
} window[COVOL_CALL_CLASSES] = {
	[COVOL_CALL_FIRST] = { COVOL_WINDOW, COVOL_WINDOW_BYTES },
	[COVOL_CALL_IMAGE] = { COVOL_WINDOW_IMAGE, COVOL_WINDOW_IMAGE_BYTES },
};

static enum covol_call_class class_of(const struct covol_call *call)
{
	return call->hdr.object && call->hdr.opcode <= COVOL_OP_WRITE_ZEROES ?
	       COVOL_CALL_IMAGE : COVOL_CALL_FIRST;
}

/* Give a call a slot, if the window has room for it. */
static bool take_slot(struct covol_session *s, struct covol_call *call)
{
	enum covol_call_class class = class_of(call);
	u32 bytes = data_of(call);
	unsigned long slot;

	lockdep_assert_held(&s->lock);
	if (s->nr_outstanding >= window[class].calls ||
	    (bytes && s->bytes_outstanding + bytes > window[class].bytes))
		return false;
	slot = find_first_zero_bit(s->used, COVOL_WINDOW);
	__set_bit(slot, s->used);
	s->slots[slot] = call;
	s->nr_outstanding++;
	s->bytes_outstanding += bytes;
	call->lane->nr_outstanding++;
	call->lane->nr_sent++;
	call->hdr.id = ++s->nr_sent << SLOT_BITS | slot;
	return true;
}

static void free_slot(struct covol_session *s, unsigned int slot)
{
	lockdep_assert_held(&s->lock);
	s->bytes_outstanding -= data_of(s->slots[slot]);
	s->slots[slot]->lane->nr_outstanding--;
	s->slots[slot] = NULL;
	__clear_bit(slot, s->used);
	s->nr_outstanding--;
}

static void send_call(struct covol_session *s, struct covol_call *call)
{
	call->msg.sent = call_sent;
	trace_covol_call_sent(s, call, 0);
	covol_lane_send(call->lane, &call->msg, &call->hdr);
}

/**
 * covol_session_call() - ask the peer for something
 * @s: the session
 * @call: what to ask: hdr, msg.payload, bvec and done are set
 *
 * Calls beyond the window wait in the order in which they came, those of each
 * class by themselves, in their own memory.
 *
 * Context: process context, does not sleep.
 *
 * Return: 0, and done() will be called, perhaps before this returns;
 * -ENOTCONN: the session is not live, and done() will not be called.
 */
int covol_session_call(struct covol_session *s, struct covol_call *call)
{
	struct list_head *queue = &s->queued[class_of(call)];
	bool send = false;
	int err = 0;

	atomic_set(&call->pending, 2);
	call->err = 0;
	call->since = jiffies;
	call->lane = lane_for(s, call->hdr.opcode);
	spin_lock(&s->lock);
	if (s->state != COVOL_SESSION_STATE_LIVE) {
		err = -ENOTCONN;
	} else if (list_empty(queue) && take_slot(s, call)) {
		send = true;
	} else {
		trace_covol_call_queued(s, call, 0);
		list_add_tail(&call->entry, queue);
		s->nr_queued++;
	}
	spin_unlock(&s->lock);
	if (send)
		send_call(s, call);
	return err;
}

/**
 * covol_lane_send() - send a message that is not a call
 * @lane: where
 * @msg: payload and sent() are set; sent() will be called
 * @hdr: the header; epoch and volume are filled in
 *
 * Messages of a lane go out in the order of these calls.
 *
 * Context: process context, does not sleep.
 */
void covol_lane_send(struct covol_lane *lane, struct covol_msg *msg,
		     struct covol_hdr *hdr)
{
	struct covol_volume *vol = lane->s->vol;

	hdr->epoch = READ_ONCE(vol->epoch);
	export_uuid(hdr->volume, &vol->uuid);
	hdr->payload = iov_iter_count(&msg->payload);
	covol_wire_encode(&msg->wire, hdr);
	if (covol_fault(COVOL_FAULT_DROP_MESSAGE))
		msg->sent(msg, 0);
	else
		covol_conn_send(&lane->conn, msg);
}

/**
 * covol_session_send() - send a message on the control lane
 * @s: the session
 * @msg: as for covol_lane_send()
 * @hdr: likewise
 *
 * Context: process context, does not sleep.
 */
void covol_session_send(struct covol_session *s, struct covol_msg *msg,
			struct covol_hdr *hdr)
{
	covol_lane_send(&s->lane[0], msg, hdr);
}

static bool answers(const struct covol_hdr *hdr, const struct covol_hdr *asked)
{
	return hdr->id == asked->id && hdr->opcode == asked->opcode &&
	       hdr->object == asked->object && hdr->offset == asked->offset &&
	       hdr->length == asked->length;
}

/* Which call does a response belong to? One that was asked on another lane is
 * not for this one to touch: that lane may be receiving its answer.
 */
static struct covol_call *find_call(struct covol_lane *lane,
				    const struct covol_hdr *hdr)
{
	u64 slot = hdr->id & ((1u << SLOT_BITS) - 1);
	struct covol_session *s = lane->s;
	struct covol_call *call;

	if (slot >= COVOL_WINDOW)
		return NULL;
	spin_lock(&s->lock);
	call = s->slots[slot];
	if (call && (call->lane != lane || !answers(hdr, &call->hdr)))
		call = NULL;
	spin_unlock(&s->lock);
	return call;
}

/* Calls in a queue that the window has room for now, in order; those among
 * them that are not needed any more go to @unneeded.
 */
static void next_calls(struct covol_session *s, struct list_head *queue,
		       struct list_head *ready, struct list_head *unneeded)
{
	struct covol_call *call;

	lockdep_assert_held(&s->lock);
	while ((call = list_first_entry_or_null(queue, struct covol_call,
						entry))) {
		bool needed = !call->needed || call->needed(call);

		if (needed && !take_slot(s, call))
			return;
		s->nr_queued--;
		list_move_tail(&call->entry, needed ? ready : unneeded);
	}
}

static void send_calls(struct covol_session *s, struct list_head *calls)
{
	struct covol_call *call, *next;

	list_for_each_entry_safe(call, next, calls, entry) {
		list_del_init(&call->entry);
		send_call(s, call);
	}
}

/* Calls that were queued and will never be sent. */
static void end_unsent(struct list_head *calls, int err)
{
	struct covol_call *call, *next;

	list_for_each_entry_safe(call, next, calls, entry) {
		list_del_init(&call->entry);
		call->done(call, err);
	}
}

static int response_complete(struct covol_lane *lane)
{
	const struct covol_hdr *hdr = &lane->conn.rx;
	struct covol_call *call = lane->answered;
	struct covol_session *s = lane->s;
	LIST_HEAD(unneeded);
	LIST_HEAD(ready);
	int class;

	lane->answered = NULL;
	if (hdr->payload && hdr->flags & COVOL_WIRE_DIGEST &&
	    covol_pages_crc(call->bvec, call->skip, hdr->payload) !=
	    hdr->payload_crc) {
		covol_warn(s->vol, "peer %u: data with a bad checksum\n",
			   s->peer);
		return -EBADMSG;
	}
	spin_lock(&s->lock);
	free_slot(s, hdr->id & ((1u << SLOT_BITS) - 1));
	for (class = 0; class < COVOL_CALL_CLASSES; class++)
		next_calls(s, &s->queued[class], &ready, &unneeded);
	spin_unlock(&s->lock);
	send_calls(s, &ready);
	end_unsent(&unneeded, -EAGAIN);
	call_answered(s, call, covol_wire_status_errno(hdr->status));
	return 0;
}

/* All lanes have stopped: no answer will come any more. */
static void fail_calls(struct covol_session *s)
{
	struct covol_call *call;
	unsigned int slot, class;
	LIST_HEAD(queued);

	for (slot = 0; slot < COVOL_WINDOW; slot++) {
		spin_lock(&s->lock);
		call = s->slots[slot];
		if (call)
			free_slot(s, slot);
		spin_unlock(&s->lock);
		if (call)
			call_answered(s, call, -ECONNRESET);
	}
	spin_lock(&s->lock);
	for (class = 0; class < COVOL_CALL_CLASSES; class++)
		list_splice_tail_init(&s->queued[class], &queued);
	s->nr_queued = 0;
	spin_unlock(&s->lock);
	end_unsent(&queued, -ECONNRESET);
}

/* ---- what arrives ----------------------------------------------------- */

static int unasked(struct covol_lane *lane, u8 opcode)
{
	covol_warn(lane->s->vol, "peer %u: %s response to nothing we asked\n",
		   lane->s->peer, covol_wire_op_name(opcode));
	return -EPROTO;
}

static int response_header(struct covol_lane *lane, const struct covol_hdr *hdr,
			   struct iov_iter *payload)
{
	struct covol_call *call = find_call(lane, hdr);

	if (!call)
		return unasked(lane, hdr->opcode);
	lane->answered = call;
	if (hdr->payload) {
		iov_iter_bvec(payload, ITER_DEST, call->bvec, call->nr,
			      hdr->payload + call->skip);
		iov_iter_advance(payload, call->skip);
	}
	return 0;
}

static int session_header(struct covol_conn *conn, const struct covol_hdr *hdr,
			  struct iov_iter *payload)
{
	struct covol_lane *lane = container_of(conn, struct covol_lane, conn);
	struct covol_session *s = lane->s;
	int ret;

	if (memcmp(hdr->volume, s->vol->uuid.b, sizeof(hdr->volume))) {
		covol_warn(s->vol, "peer %u: message for another volume\n",
			   s->peer);
		return -EPROTO;
	}
	switch (hdr->opcode) {
	case COVOL_OP_PING:
		ret = covol_alive_header(lane, hdr);
		return ret == -EPROTO ? unasked(lane, hdr->opcode) : ret;
	case COVOL_OP_GOODBYE:
		return 0;
	}
	if (hdr->flags & COVOL_WIRE_RESPONSE)
		return response_header(lane, hdr, payload);
	return s->ops->begin(lane, hdr, payload);
}

static int session_message(struct covol_conn *conn)
{
	struct covol_lane *lane = container_of(conn, struct covol_lane, conn);
	struct covol_session *s = lane->s;

	if (covol_fault(COVOL_FAULT_END_SESSION))
		return -ECONNABORTED;	/* as if it had not come */
	switch (conn->rx.opcode) {
	case COVOL_OP_PING:
		covol_alive_message(lane, &conn->rx);
		return 0;
	case COVOL_OP_GOODBYE:
		WRITE_ONCE(s->planned, true);
		return -ESHUTDOWN;
	}
	if (lane->answered)
		return response_complete(lane);
	lane->nr_served++;
	return s->ops->run(lane);
}

static bool begin_close(struct covol_session *s, int err)
{
	bool first;

	spin_lock(&s->lock);
	first = !s->closing;
	WRITE_ONCE(s->closing, true);
	s->state = COVOL_SESSION_STATE_CLOSING;
	if (first)
		s->err = err;
	spin_unlock(&s->lock);
	if (!first)
		return false;
	queue_work(covol_session_wq, &s->close_work);
	wake_up_var(&s->closing);
	return true;
}

/**
 * covol_session_lost() - end a session that cannot go on
 * @s: the session
 * @err: negative errno
 * @why: for the log
 *
 * Context: process context, does not sleep; a work item of the session.
 */
void covol_session_lost(struct covol_session *s, int err, const char *why)
{
	if (!begin_close(s, err))
		return;
	if (READ_ONCE(s->planned))
		covol_info(s->vol, "session with node %u ended as planned\n",
			   s->peer);
	else
		covol_warn(s->vol, "session with node %u ended: %s (%d)\n",
			   s->peer, why ?: "malformed message", err);
}

/* All lanes end with the first that does: what comes on another one now may
 * have been sent before what this one has lost.
 */
static void lane_lost(struct covol_conn *conn, int err, const char *why)
{
	struct covol_lane *lane = container_of(conn, struct covol_lane, conn);

	covol_session_lost(lane->s, err, why);
}

static const struct covol_conn_ops session_conn_ops = {
	.header		= session_header,
	.message	= session_message,
	.lost		= lane_lost,
};

/**
 * covol_lane_pause() - a lane cannot begin with another request now
 * @lane: where the request has come
 *
 * The lane goes on when a request of the session has ended. Look once more
 * whether it can after this: the last one may just have ended.
 *
 * Context: the connection's receiving work item.
 */
void covol_lane_pause(struct covol_lane *lane)
{
	WRITE_ONCE(lane->paused, true);
	smp_mb();	/* pairs with that in covol_session_served() */
}

/**
 * covol_lane_go_on() - a lane need not wait any more
 * @lane: the lane
 *
 * Context: the connection's receiving work item.
 */
void covol_lane_go_on(struct covol_lane *lane)
{
	WRITE_ONCE(lane->paused, false);
}

/**
 * covol_session_serving() - a request of the peer begins to be served
 * @s: the session; it stays until covol_session_served()
 */
void covol_session_serving(struct covol_session *s)
{
	atomic_inc(&s->serving);
	refcount_inc(&s->users);
	kref_get(&s->ref);
}

static void drop_user(struct covol_session *s)
{
	if (refcount_dec_and_test(&s->users))
		queue_work(covol_session_wq, &s->end_work);
}

/**
 * covol_session_served() - a request of the peer has ended
 * @s: the session; the caller's hold on it ends
 */
void covol_session_served(struct covol_session *s)
{
	unsigned int i;

	atomic_dec(&s->serving);
	/* pairs with covol_lane_pause(): either that lane finds what is free
	 * now, or we find the lane
	 */
	smp_mb__after_atomic();
	for (i = 0; i < s->nr_lanes; i++)
		if (READ_ONCE(s->lane[i].paused))
			covol_conn_resume(&s->lane[i].conn);
	drop_user(s);
	covol_session_put(s);
}

/* ---- lifetime --------------------------------------------------------- */

static void close_work(struct work_struct *work)
{
	struct covol_session *s = container_of(work, struct covol_session,
					       close_work);
	unsigned int i;

	covol_alive_stop(s);
	for (i = 0; i < s->nr_lanes; i++)
		covol_conn_stop(&s->lane[i].conn);
	fail_calls(s);
	for (i = 0; i < s->nr_lanes; i++)
		if (s->lane[i].request)
			s->ops->drop(&s->lane[i]);
	s->ops->lost(s, s->err);
	/* does not wait: what is served here may wait for a recall from a peer
	 * whose session is to be closed by the same worker (I8)
	 */
	drop_user(s);
}

/* I3: no new session of this peer before all that this one has begun here has
 * ended.
 */
static void end_work(struct work_struct *work)
{
	struct covol_session *s = container_of(work, struct covol_session,
					       end_work);
	struct covol_volume *vol = s->vol;
	unsigned int i;

	xa_erase(&vol->sessions, s->peer);
	for (i = 0; i < s->nr_lanes; i++)
		covol_conn_release(&s->lane[i].conn);
	s->ops->destroy(s);
	complete_all(&s->ended);
	wake_up_all(&vol->session_wait);
	covol_session_put(s);
}

static void session_free(struct kref *ref)
{
	struct covol_session *s = container_of(ref, struct covol_session, ref);

	covol_volume_put(s->vol);
	kfree_rcu(s, rcu);
}

/**
 * covol_session_put() - drop a reference
 * @s: the session
 */
void covol_session_put(struct covol_session *s)
{
	kref_put(&s->ref, session_free);
}

/**
 * covol_session_find() - the session with a peer
 * @vol: the volume
 * @peer: the peer's node id
 *
 * Return: the session with a reference, or NULL. It may be closing.
 */
struct covol_session *covol_session_find(struct covol_volume *vol, u32 peer)
{
	struct covol_session *s;

	rcu_read_lock();
	s = xa_load(&vol->sessions, peer);
	if (s && !kref_get_unless_zero(&s->ref))
		s = NULL;
	rcu_read_unlock();
	return s;
}

/**
 * covol_session_closing() - has a session ended?
 * @s: the session, or NULL: none that could
 *
 * What is done for a peer over a session that has ended is answered to nobody,
 * and the peer's next session waits for it. So it must not wait for anything
 * that may itself wait for a session.
 *
 * Context: any; does not sleep.
 *
 * Return: whether it has.
 */
bool covol_session_closing(const struct covol_session *s)
{
	return s && READ_ONCE(s->closing);
}

/**
 * covol_session_live() - is there a live session with a peer?
 * @vol: the volume
 * @peer: the peer's node id
 *
 * Context: any; does not sleep.
 *
 * Return: whether there is one now.
 */
bool covol_session_live(struct covol_volume *vol, u32 peer)
{
	struct covol_session *s;
	bool live;

	rcu_read_lock();
	s = xa_load(&vol->sessions, peer);
	live = s && READ_ONCE(s->state) == COVOL_SESSION_STATE_LIVE;
	rcu_read_unlock();
	return live;
}

/* All of them, or none. */
static int attach_lanes(struct covol_session *s, struct socket *const *socks)
{
	unsigned int i;
	int err;

	for (i = 0; i < s->nr_lanes; i++) {
		s->lane[i].s = s;
		err = covol_conn_attach(&s->lane[i].conn, socks[i],
					&session_conn_ops);
		if (err)
			goto err_stop;
	}
	return 0;

err_stop:
	while (i--)
		covol_conn_stop(&s->lane[i].conn);
	return err;
}

/* All at once: nothing is served before every lane is there. */
static void go_live(struct covol_session *s)
{
	unsigned int i;

	spin_lock(&s->lock);
	if (!s->closing) {
		for (i = 0; i < s->nr_lanes; i++)
			covol_conn_start(&s->lane[i].conn);
		covol_alive_start(s);
		s->state = COVOL_SESSION_STATE_LIVE;
	}
	spin_unlock(&s->lock);
	wake_up_all(&s->vol->session_wait);
}

static struct covol_session *session_alloc(struct covol_volume *vol, u32 peer,
					   unsigned int nr_lanes,
					   const struct covol_session_ops *ops)
{
	struct covol_session *s;
	unsigned int class;

	s = kzalloc(struct_size(s, lane, nr_lanes), GFP_KERNEL);
	if (!s)
		return NULL;
	if (ops->create(s)) {
		kfree(s);
		return NULL;
	}
	s->ops = ops;
	kref_get(&vol->ref);
	s->vol = vol;
	s->peer = peer;
	s->nr_lanes = nr_lanes;
	kref_init(&s->ref);
	spin_lock_init(&s->lock);
	s->state = COVOL_SESSION_STATE_CLOSING;	/* until it has started */
	refcount_set(&s->users, 1);
	for (class = 0; class < COVOL_CALL_CLASSES; class++)
		INIT_LIST_HEAD(&s->queued[class]);
	INIT_LIST_HEAD(&s->requests);
	covol_alive_init(s);
	INIT_WORK(&s->close_work, close_work);
	INIT_WORK(&s->end_work, end_work);
	init_completion(&s->ended);
	return s;
}

/**
 * covol_session_create() - begin a session
 * @vol: the volume; its session_lock is held; no session with @peer yet
 * @peer: the peer's node id, as user space established it (I9)
 * @socks: a socket for each lane, see covol_conn_attach(); on an error they stay
 *	   the caller's, but those that were fit are shut down
 * @nr_lanes: how many, from 1 to COVOL_LANES_MAX
 * @ops: for what arrives
 *
 * Context: may sleep.
 *
 * Return: the session, with a reference for the caller; it lives until one of
 * its lanes ends or covol_session_end() is called. Or an error of
 * covol_conn_attach(), -ENOMEM.
 */
struct covol_session *covol_session_create(struct covol_volume *vol, u32 peer,
					   struct socket *const *socks,
					   unsigned int nr_lanes,
					   const struct covol_session_ops *ops)
{
	struct covol_session *s;
	unsigned int i;
	int err;

	lockdep_assert_held(&vol->session_lock);
	s = session_alloc(vol, peer, nr_lanes, ops);
	if (!s)
		return ERR_PTR(-ENOMEM);
	err = attach_lanes(s, socks);
	if (err)
		goto err_put;
	kref_get(&s->ref);	/* the session's own, dropped by close_work */
	err = xa_insert(&vol->sessions, peer, s, GFP_KERNEL);
	if (err)
		goto err_stop;
	go_live(s);
	return s;

err_stop:
	for (i = 0; i < nr_lanes; i++)
		covol_conn_stop(&s->lane[i].conn);
	kref_put(&s->ref, session_free);
err_put:
	ops->destroy(s);
	kref_put(&s->ref, session_free);
	return ERR_PTR(err);
}

static void goodbye_sent(struct covol_msg *msg, int err)
{
	/* the message is a part of the session, which outlives its lanes */
}

/**
 * covol_session_goodbye() - tell the peer that this end is planned
 * @s: the session; covol_session_end() is to follow
 *
 * The peer's answer is that it ends the session. Nothing else is different from
 * an end that was not planned: what was not answered is asked again.
 *
 * Context: sleeps until the peer has ended the session, or for
 * COVOL_GOODBYE_TIME.
 */
void covol_session_goodbye(struct covol_session *s)
{
	struct covol_hdr hdr = { .opcode = COVOL_OP_GOODBYE };
	bool live;

	spin_lock(&s->lock);
	live = s->state == COVOL_SESSION_STATE_LIVE;
	if (live) {
		s->state = COVOL_SESSION_STATE_CLOSING;
		s->planned = true;
	}
	spin_unlock(&s->lock);
	if (!live)
		return;
	s->goodbye.sent = goodbye_sent;
	covol_session_send(s, &s->goodbye, &hdr);
	wait_var_event_timeout(&s->closing, READ_ONCE(s->closing),
			       COVOL_GOODBYE_TIME);
}

/**
 * covol_session_end() - end a session and wait for all that belongs to it
 * @s: the session; the caller's reference stays
 *
 * Context: sleeps until every request of the peer that was begun here has
 * ended.
 */
void covol_session_end(struct covol_session *s)
{
	begin_close(s, -ECONNABORTED);
	wait_for_completion(&s->ended);
}

int covol_session_init(void)
{
	covol_session_wq = alloc_workqueue("covol_session",
					   WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return covol_session_wq ? 0 : -ENOMEM;
}

void covol_session_exit(void)
{
	destroy_workqueue(covol_session_wq);
}
