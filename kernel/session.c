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

static struct workqueue_struct *session_wq;

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

/* Give a call a slot, if the window has room for it. */
static bool take_slot(struct covol_session *s, struct covol_call *call)
{
	u32 bytes = data_of(call);
	unsigned long slot;

	lockdep_assert_held(&s->lock);
	slot = find_first_zero_bit(s->used, COVOL_WINDOW);
	if (slot == COVOL_WINDOW ||
	    (bytes && s->bytes_outstanding &&
	     s->bytes_outstanding + bytes > COVOL_WINDOW_BYTES))
		return false;
	__set_bit(slot, s->used);
	s->slots[slot] = call;
	s->nr_outstanding++;
	s->bytes_outstanding += bytes;
	call->hdr.id = ++s->nr_sent << SLOT_BITS | slot;
	return true;
}

static void free_slot(struct covol_session *s, unsigned int slot)
{
	lockdep_assert_held(&s->lock);
	s->bytes_outstanding -= data_of(s->slots[slot]);
	s->slots[slot] = NULL;
	__clear_bit(slot, s->used);
	s->nr_outstanding--;
}

static void send_call(struct covol_session *s, struct covol_call *call)
{
	call->msg.sent = call_sent;
	trace_covol_call_sent(s, call, 0);
	covol_session_send(s, &call->msg, &call->hdr);
}

/**
 * covol_session_call() - ask the peer for something
 * @s: the session
 * @call: what to ask: hdr, msg.payload, bvec and done are set
 *
 * Calls beyond the window wait in the order in which they came, in their own
 * memory.
 *
 * Context: process context, does not sleep.
 *
 * Return: 0, and done() will be called, perhaps before this returns;
 * -ENOTCONN: the session is not live, and done() will not be called.
 */
int covol_session_call(struct covol_session *s, struct covol_call *call)
{
	bool send = false;
	int err = 0;

	atomic_set(&call->pending, 2);
	call->err = 0;
	call->since = jiffies;
	spin_lock(&s->lock);
	if (s->state != COVOL_SESSION_STATE_LIVE) {
		err = -ENOTCONN;
	} else if (!s->nr_queued && take_slot(s, call)) {
		send = true;
	} else {
		trace_covol_call_queued(s, call, 0);
		list_add_tail(&call->entry, &s->queued);
		s->nr_queued++;
	}
	spin_unlock(&s->lock);
	if (send)
		send_call(s, call);
	return err;
}

/**
 * covol_session_send() - send a message that is not a call
 * @s: the session
 * @msg: payload and sent() are set; sent() will be called
 * @hdr: the header; epoch and volume are filled in
 *
 * Messages go out in the order of these calls.
 *
 * Context: process context, does not sleep.
 */
void covol_session_send(struct covol_session *s, struct covol_msg *msg,
			struct covol_hdr *hdr)
{
	hdr->epoch = READ_ONCE(s->vol->epoch);
	export_uuid(hdr->volume, &s->vol->uuid);
	hdr->payload = iov_iter_count(&msg->payload);
	covol_wire_encode(&msg->wire, hdr);
	if (covol_fault(COVOL_FAULT_DROP_MESSAGE))
		msg->sent(msg, 0);
	else
		covol_conn_send(&s->conn, msg);
}

/* Which call does a response belong to? */
static struct covol_call *find_call(struct covol_session *s,
				    const struct covol_hdr *hdr)
{
	u64 slot = hdr->id & ((1u << SLOT_BITS) - 1);
	struct covol_call *call = NULL;

	if (slot < COVOL_WINDOW) {
		spin_lock(&s->lock);
		call = s->slots[slot];
		spin_unlock(&s->lock);
	}
	if (!call || call->hdr.id != hdr->id ||
	    call->hdr.opcode != hdr->opcode ||
	    call->hdr.object != hdr->object ||
	    call->hdr.offset != hdr->offset ||
	    call->hdr.length != hdr->length)
		return NULL;
	return call;
}

/* Calls in the queue that the window has room for now, in order; those among
 * them that are not needed any more go to @unneeded.
 */
static void next_calls(struct covol_session *s, struct list_head *ready,
		       struct list_head *unneeded)
{
	struct covol_call *call;

	lockdep_assert_held(&s->lock);
	while ((call = list_first_entry_or_null(&s->queued, struct covol_call,
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

static int response_complete(struct covol_session *s)
{
	const struct covol_hdr *hdr = &s->conn.rx;
	struct covol_call *call = s->answered;
	LIST_HEAD(unneeded);
	LIST_HEAD(ready);

	s->answered = NULL;
	if (hdr->payload && hdr->flags & COVOL_WIRE_DIGEST &&
	    covol_pages_crc(call->bvec, call->skip, hdr->payload) !=
	    hdr->payload_crc) {
		covol_warn(s->vol, "peer %u: data with a bad checksum\n",
			   s->peer);
		return -EBADMSG;
	}
	spin_lock(&s->lock);
	free_slot(s, hdr->id & ((1u << SLOT_BITS) - 1));
	next_calls(s, &ready, &unneeded);
	spin_unlock(&s->lock);
	send_calls(s, &ready);
	end_unsent(&unneeded, -EAGAIN);
	call_answered(s, call, covol_wire_status_errno(hdr->status));
	return 0;
}

/* The connection has stopped: no answer will come any more. */
static void fail_calls(struct covol_session *s)
{
	struct covol_call *call;
	unsigned int slot;
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
	list_splice_init(&s->queued, &queued);
	s->nr_queued = 0;
	spin_unlock(&s->lock);
	end_unsent(&queued, -ECONNRESET);
}

/* ---- what arrives ----------------------------------------------------- */

static int session_header(struct covol_conn *conn, const struct covol_hdr *hdr,
			  struct iov_iter *payload)
{
	struct covol_session *s = container_of(conn, struct covol_session,
					       conn);

	if (memcmp(hdr->volume, s->vol->uuid.b, sizeof(hdr->volume))) {
		covol_warn(s->vol, "peer %u: message for another volume\n",
			   s->peer);
		return -EPROTO;
	}
	if (!(hdr->flags & COVOL_WIRE_RESPONSE))
		return s->ops->begin(s, hdr, payload);
	s->answered = find_call(s, hdr);
	if (!s->answered) {
		covol_warn(s->vol, "peer %u: %s response to nothing we asked\n",
			   s->peer, covol_wire_op_name(hdr->opcode));
		return -EPROTO;
	}
	if (hdr->payload) {
		const struct covol_call *call = s->answered;

		iov_iter_bvec(payload, ITER_DEST, call->bvec, call->nr,
			      hdr->payload + call->skip);
		iov_iter_advance(payload, call->skip);
	}
	return 0;
}

static int session_message(struct covol_conn *conn)
{
	struct covol_session *s = container_of(conn, struct covol_session,
					       conn);

	if (covol_fault(COVOL_FAULT_END_SESSION))
		return -ECONNABORTED;	/* as if it had not come */
	if (s->answered)
		return response_complete(s);
	s->nr_served++;
	return s->ops->run(s);
}

static void begin_close(struct covol_session *s, int err)
{
	bool first;

	spin_lock(&s->lock);
	first = !s->closing;
	s->closing = true;
	s->state = COVOL_SESSION_STATE_CLOSING;
	spin_unlock(&s->lock);
	if (!first)
		return;
	s->err = err;
	queue_work(session_wq, &s->close_work);
}

static void session_lost(struct covol_conn *conn, int err, const char *why)
{
	struct covol_session *s = container_of(conn, struct covol_session,
					       conn);

	covol_warn(s->vol, "session with node %u ended: %s (%d)\n", s->peer,
		   why ?: "malformed message", err);
	begin_close(s, err);
}

static const struct covol_conn_ops session_conn_ops = {
	.header		= session_header,
	.message	= session_message,
	.lost		= session_lost,
};

/**
 * covol_session_serving() - a request of the peer begins to be served
 * @s: the session; it stays until covol_session_served()
 */
void covol_session_serving(struct covol_session *s)
{
	atomic_inc(&s->serving);
	kref_get(&s->ref);
}

/**
 * covol_session_served() - a request of the peer has ended
 * @s: the session; the caller's hold on it ends
 */
void covol_session_served(struct covol_session *s)
{
	if (atomic_dec_and_test(&s->serving))
		wake_up_var(&s->serving);
	covol_conn_resume(&s->conn);
	covol_session_put(s);
}

/* ---- lifetime --------------------------------------------------------- */

static void close_work(struct work_struct *work)
{
	struct covol_session *s = container_of(work, struct covol_session,
					       close_work);
	struct covol_volume *vol = s->vol;

	covol_conn_stop(&s->conn);
	fail_calls(s);
	if (s->request)
		s->ops->drop(s);
	s->ops->lost(s, s->err);

	/* I3: no new session of this peer before all that this one has begun
	 * here has ended.
	 */
	___wait_var_event(&s->serving, !atomic_read(&s->serving), TASK_IDLE,
			  0, 0, schedule());
	xa_erase(&vol->sessions, s->peer);
	covol_conn_release(&s->conn);
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

/**
 * covol_session_create() - begin a session
 * @vol: the volume; its session_lock is held; no session with @peer yet
 * @peer: the peer's node id, as user space established it (I9)
 * @sock: an established TCP socket, see covol_conn_start()
 * @ops: for what arrives
 *
 * Return: the session, with a reference for the caller; it lives until its
 * connection ends or covol_session_end() is called. Or an error of covol_conn_start(), -ENOMEM.
 */
struct covol_session *covol_session_create(struct covol_volume *vol, u32 peer,
					   struct socket *sock,
					   const struct covol_session_ops *ops)
{
	struct covol_session *s;
	int err;

	lockdep_assert_held(&vol->session_lock);
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	kref_get(&vol->ref);
	s->vol = vol;
	s->peer = peer;
	s->ops = ops;
	kref_init(&s->ref);
	spin_lock_init(&s->lock);
	s->state = COVOL_SESSION_STATE_CLOSING;	/* until it has started */
	INIT_LIST_HEAD(&s->queued);
	INIT_LIST_HEAD(&s->requests);
	INIT_WORK(&s->close_work, close_work);
	init_completion(&s->ended);
	err = xa_insert(&vol->sessions, peer, s, GFP_KERNEL);
	if (err)
		goto err_put;
	kref_get(&s->ref);	/* the session's own, dropped by close_work */
	err = covol_conn_start(&s->conn, sock, &session_conn_ops);
	if (err)
		goto err_erase;
	spin_lock(&s->lock);
	if (!s->closing)
		s->state = COVOL_SESSION_STATE_LIVE;
	spin_unlock(&s->lock);
	wake_up_all(&vol->session_wait);
	return s;

err_erase:
	xa_erase(&vol->sessions, peer);
	kref_put(&s->ref, session_free);
err_put:
	kref_put(&s->ref, session_free);
	return ERR_PTR(err);
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
	session_wq = alloc_workqueue("covol_session",
				     WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return session_wq ? 0 : -ENOMEM;
}

void covol_session_exit(void)
{
	destroy_workqueue(session_wq);
}
