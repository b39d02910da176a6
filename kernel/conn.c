// SPDX-License-Identifier: GPL-2.0-only
/*
 * One TCP connection. See conn.h.
 *
 * The socket's callbacks only queue work. A work item runs until the socket
 * has no more data or no more room, or its time is over and it queues itself
 * again. Closing the socket throws away what TCP has not sent: a page of a bio
 * that was completed meanwhile must never go out under an old request.
 *
 * I8: memory may be freed only by what goes through here. So the socket
 * allocates without I/O, and may use what the system keeps for that
 * (sk_set_memalloc()); what it cannot have nevertheless it tries again later.
 * The same goes for what the owner does with what has come: it has memory from
 * what the system keeps, or none, but never waits for it. What would free some may
 * be an answer that comes behind.
 */
#include <linux/bvec.h>
#include <linux/cred.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/tls.h>

#include "compat.h"
#include "conn.h"
#include "tls.h"

/* How long one run of a work item may take. */
#define RUN_TIME	msecs_to_jiffies(2)

/* Steps of receiving, three for a message with a payload, after which what was
 * queued meanwhile is sent: together it makes fewer segments.
 */
#define RECV_STEPS	24

/* A peer that is gone is noticed by alive.c, unless it has left something that
 * is not read because too much is in service: then when it has not acknowledged
 * an answer for 60 s. TCP counts a peer that takes nothing (flow control) among
 * those, hence so long.
 */
#define USER_TIMEOUT	60000

/* When to try again what failed without memory: nobody tells of that. */
#define SEND_AGAIN	max(HZ / 50, 1)
#define RECV_AGAIN	max(HZ / 50, 1)

/* TLS that had no memory for a record tries again, and tells nobody. */
#define TLS_AGAIN	(HZ / 10)

/* No record is longer (RFC 8446, 5.2); what is longer, unread, has a whole one. */
#define TLS_RECORD_MAX	(TLS_HEADER_SIZE + TLS_MAX_PAYLOAD_SIZE + 256)

static struct workqueue_struct *conn_wq;
static const struct cred *conn_cred;
static struct lock_class_key sock_key;

/* ---- sending ---------------------------------------------------------- */

static bool next_msg(struct covol_conn *conn)
{
	if (conn->tx)
		return true;
	spin_lock_bh(&conn->lock);
	if (!conn->stopped)
		conn->tx = list_first_entry_or_null(&conn->queue,
						    struct covol_msg, entry);
	if (conn->tx)
		list_del_init(&conn->tx->entry);
	spin_unlock_bh(&conn->lock);
	conn->tx_hdr_done = 0;
	return conn->tx;
}

static bool more_queued(struct covol_conn *conn)
{
	return !list_empty_careful(&conn->queue);
}

static int send_header(struct covol_conn *conn)
{
	struct covol_msg *msg = conn->tx;
	struct msghdr mh = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec kv = {
		.iov_base = (u8 *)&msg->wire + conn->tx_hdr_done,
		.iov_len = sizeof(msg->wire) - conn->tx_hdr_done,
	};
	int ret;

	if (iov_iter_count(&msg->payload) || more_queued(conn))
		mh.msg_flags |= MSG_MORE;
	ret = kernel_sendmsg(conn->sock, &mh, &kv, 1, kv.iov_len);
	if (ret > 0) {
		conn->tx_hdr_done += ret;
		conn->tx_bytes += ret;
	}
	return ret;
}

static int send_payload(struct covol_conn *conn)
{
	struct covol_msg *msg = conn->tx;
	unsigned int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	struct msghdr mh;
	int ret;

	if (more_queued(conn))
		flags |= MSG_MORE;
	if (msg->splice) {
		ret = covol_sock_splice(conn->sock, &msg->payload, flags);
	} else {
		mh = (struct msghdr){ .msg_flags = flags };
		mh.msg_iter = msg->payload;
		ret = sock_sendmsg(conn->sock, &mh);
	}
	if (ret > 0) {
		iov_iter_advance(&msg->payload, ret);
		conn->tx_bytes += ret;
	}
	return ret;
}

/* Send what the socket takes of the current message. */
static int send_some(struct covol_conn *conn)
{
	struct covol_msg *msg = conn->tx;
	int ret;

	if (conn->tx_hdr_done < sizeof(msg->wire))
		ret = send_header(conn);
	else
		ret = send_payload(conn);
	if (ret < 0)
		return ret;
	if (!ret)
		return -EAGAIN;
	if (conn->tx_hdr_done == sizeof(msg->wire) &&
	    !iov_iter_count(&msg->payload)) {
		conn->tx = NULL;
		msg->sent(msg, 0);
	}
	return 0;
}

static void conn_lost(struct covol_conn *conn, int err, const char *why)
{
	bool first;

	spin_lock_bh(&conn->lock);
	first = !conn->lost && !conn->stopped;
	conn->lost = true;
	spin_unlock_bh(&conn->lock);
	if (first)
		conn->ops->lost(conn, err, why);
}

static void send_timer(struct timer_list *timer)
{
	struct covol_conn *conn = container_of(timer, struct covol_conn,
					       send_timer);

	queue_work(conn_wq, &conn->send_work);
}

/* Nothing more now: write_space() goes on. But not if it is memory that TCP
 * needs, not room, and nothing is on its way that could make room.
 */
static void send_wait(struct covol_conn *conn)
{
	if (sk_stream_is_writeable(conn->sock->sk) && !READ_ONCE(conn->stopped))
		mod_timer(&conn->send_timer, jiffies + SEND_AGAIN);
}

/* The lock: not after covol_conn_stop() has cancelled the work. */
static void send_later(struct covol_conn *conn)
{
	spin_lock_bh(&conn->lock);
	if (!conn->stopped)
		queue_work(conn_wq, &conn->send_work);
	spin_unlock_bh(&conn->lock);
}

static void send_queued(struct covol_conn *conn)
{
	unsigned long end = jiffies + RUN_TIME;
	int ret;

	while (!READ_ONCE(conn->lost) && next_msg(conn)) {
		ret = send_some(conn);
		if (ret == -EAGAIN || ret == -ENOMEM || ret == -ENOBUFS) {
			send_wait(conn);
			return;
		}
		if (!ret && conn->tls && conn->tx_bytes > COVOL_TLS_KEY_BYTES) {
			conn_lost(conn, -EKEYEXPIRED, "TLS: the key is used up");
			return;
		}
		if (ret < 0) {
			conn_lost(conn, ret, "sending failed");
			return;
		}
		if (time_after(jiffies, end)) {
			send_later(conn);
			return;
		}
	}
}

/* I8: nor do those who are told that a message was sent wait for memory. */
static void send_all(struct covol_conn *conn)
{
	unsigned int noreclaim = memalloc_noreclaim_save();

	lockdep_assert_held(&conn->send_lock);
	send_queued(conn);
	memalloc_noreclaim_restore(noreclaim);
}

static void send_work(struct work_struct *work)
{
	struct covol_conn *conn = container_of(work, struct covol_conn,
					       send_work);

	mutex_lock(&conn->send_lock);
	send_all(conn);
	mutex_unlock(&conn->send_lock);
}

/* Who has the lock may have looked at the queue for the last time.
 *
 * Security modules ask whether the sender may use this socket. Who does I/O need
 * not be allowed to, and does not know that there is one: it is the kernel's.
 */
static void send_here(struct covol_conn *conn)
{
	const struct cred *cred;

	if (!mutex_trylock(&conn->send_lock)) {
		send_later(conn);
		return;
	}
	cred = override_creds(conn_cred);
	send_all(conn);
	revert_creds(cred);
	mutex_unlock(&conn->send_lock);
}

/**
 * covol_msg_set_bvec() - give a message a payload of pages
 * @msg: the message
 * @bvec: the pages; they stay until the message has been sent and answered
 * @nr: entries in @bvec
 * @skip: bytes to skip in the first one
 * @len: bytes in all
 */
void covol_msg_set_bvec(struct covol_msg *msg, const struct bio_vec *bvec,
			unsigned int nr, unsigned int skip, size_t len)
{
	unsigned int i, n;

	iov_iter_bvec(&msg->payload, ITER_SOURCE, bvec, nr, len + skip);
	iov_iter_advance(&msg->payload, skip);
	msg->splice = true;
	for (i = 0; i < nr; i++) {
		struct page *page = bvec[i].bv_page +
				    bvec[i].bv_offset / PAGE_SIZE;

		n = DIV_ROUND_UP(offset_in_page(bvec[i].bv_offset) +
				 bvec[i].bv_len, PAGE_SIZE);
		while (n--)
			msg->splice &= sendpage_ok(page++);
	}
}

/**
 * covol_conn_send() - queue a message
 * @conn: a started connection
 * @msg: the message; its sent() will be called, perhaps before this returns: the
 *	 caller keeps the connection until then, not the message
 *
 * What the receiving work item queues it sends itself, when it has read what there
 * is. TLS has locks of its own, which those who do I/O shall not meet.
 *
 * Context: any process context; sleeps for a lock of the socket if msg->here, and
 * does not else.
 */
void covol_conn_send(struct covol_conn *conn, struct covol_msg *msg)
{
	bool here = msg->here && !conn->tls;
	bool stopped;

	spin_lock_bh(&conn->lock);
	stopped = conn->stopped;
	if (!stopped)
		list_add_tail(&msg->entry, &conn->queue);
	spin_unlock_bh(&conn->lock);
	if (stopped)
		msg->sent(msg, -ECONNRESET);
	else if (READ_ONCE(conn->rx_task) == current)
		return;
	else if (here)
		send_here(conn);
	else
		send_later(conn);
}

/* ---- receiving -------------------------------------------------------- */

static int recv_msg(struct covol_conn *conn, struct msghdr *mh,
		    const char **why)
{
	if (conn->tls)
		return covol_tls_recv(conn->sock, mh, why);
	return sock_recvmsg(conn->sock, mh, MSG_DONTWAIT);
}

static int recv_header(struct covol_conn *conn, const char **why)
{
	struct msghdr mh = { };
	struct kvec kv = {
		.iov_base = (u8 *)&conn->rx_wire + conn->rx_hdr_done,
		.iov_len = sizeof(conn->rx_wire) - conn->rx_hdr_done,
	};
	int ret;

	iov_iter_kvec(&mh.msg_iter, ITER_DEST, &kv, 1, kv.iov_len);
	ret = recv_msg(conn, &mh, why);
	if (ret > 0) {
		conn->rx_hdr_done += ret;
		conn->rx_bytes += ret;
	}
	return ret;
}

static int recv_payload(struct covol_conn *conn, const char **why)
{
	struct msghdr mh = { };
	int ret;

	mh.msg_iter = conn->rx_payload;
	ret = recv_msg(conn, &mh, why);
	if (ret > 0) {
		iov_iter_advance(&conn->rx_payload, ret);
		conn->rx_bytes += ret;
	}
	return ret;
}

/* The header is complete: check it and ask the owner where its payload goes. */
static int accept_header(struct covol_conn *conn, const char **why)
{
	int ret;

	if (!conn->rx_decoded) {
		ret = covol_wire_decode(&conn->rx_wire, &conn->rx, why);
		if (ret)
			return ret;
		conn->rx_decoded = true;
	}
	conn->rx_payload = (struct iov_iter){ };
	ret = conn->ops->header(conn, &conn->rx, &conn->rx_payload);
	if (ret)
		return ret;
	conn->rx_accepted = true;
	return 0;
}

static int finish_message(struct covol_conn *conn)
{
	conn->rx_hdr_done = 0;
	conn->rx_decoded = false;
	conn->rx_accepted = false;
	return conn->ops->message(conn);
}

/* One step. 0: go on; -EAGAIN: wait for the socket or for the owner. */
static int recv_some(struct covol_conn *conn, const char **why)
{
	bool whole = conn->rx_hdr_done == sizeof(conn->rx_wire);
	int ret;

	if (whole && !conn->rx_accepted) {
		ret = accept_header(conn, why);
		if (!ret && !iov_iter_count(&conn->rx_payload))
			ret = finish_message(conn);
		return ret;
	}
	ret = whole ? recv_payload(conn, why) : recv_header(conn, why);
	if (ret > 0 && whole && !iov_iter_count(&conn->rx_payload))
		return finish_message(conn);
	if (!ret) {
		*why = conn->rx_hdr_done ? "closed in mid-message" :
					   "closed by the peer";
		return -ECONNRESET;
	}
	return ret < 0 ? ret : 0;
}

/**
 * covol_conn_unread() - is there something that has come and was not read?
 * @conn: an attached connection
 *
 * Context: any.
 *
 * Return: whether there is.
 */
bool covol_conn_unread(const struct covol_conn *conn)
{
	return !skb_queue_empty_lockless(&conn->sock->sk->sk_receive_queue);
}

/**
 * covol_conn_came() - how much has come, read or not
 * @conn: an attached connection
 *
 * Context: any.
 *
 * Return: bytes, as TCP counts them.
 */
u64 covol_conn_came(const struct covol_conn *conn)
{
	return READ_ONCE(tcp_sk(conn->sock->sk)->bytes_received);
}

/**
 * covol_conn_full() - is so much unread that the peer may not send more?
 * @conn: an attached connection
 *
 * Part of a TLS record is unread, too, and is not so much, however little the peer
 * may send: the window is what it was when something came last, and may have been
 * small because TCP had little memory.
 *
 * Context: any.
 *
 * Return: whether it is, or nearly.
 */
bool covol_conn_full(const struct covol_conn *conn)
{
	const struct tcp_sock *tp = tcp_sk(conn->sock->sk);
	u32 unread = READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq);

	return covol_conn_unread(conn) &&
	       (!conn->tls || unread > TLS_RECORD_MAX) &&
	       tcp_receive_window(tp) < TLS_MAX_PAYLOAD_SIZE;
}

static void recv_timer(struct timer_list *timer)
{
	struct covol_conn *conn = container_of(timer, struct covol_conn,
					       recv_timer);

	queue_work(conn_wq, &conn->recv_work);
}

/* Nothing more now: data_ready() or resume goes on. */
static void recv_wait(struct covol_conn *conn)
{
	if (READ_ONCE(conn->stopped))
		return;
	/* the owner may wait for what TCP has still */
	if (conn->rx_decoded && !conn->rx_accepted)
		mod_timer(&conn->recv_timer, jiffies + RECV_AGAIN);
	else if (conn->tls && covol_conn_unread(conn))
		mod_timer(&conn->recv_timer, jiffies + TLS_AGAIN);
}

/* Is there nothing to ask TCP for? The callbacks tell when there is. */
static bool all_read(const struct covol_conn *conn)
{
	const struct sock *sk = conn->sock->sk;

	return !conn->rx_hdr_done && !conn->tls && !covol_conn_unread(conn) &&
	       READ_ONCE(sk->sk_state) == TCP_ESTABLISHED &&
	       !READ_ONCE(sk->sk_err);
}

static void recv_all(struct covol_conn *conn)
{
	unsigned long end = jiffies + RUN_TIME;
	const char *why = "receiving failed";
	unsigned int steps = 0;
	int ret;

	while (!READ_ONCE(conn->stopped) && !READ_ONCE(conn->lost) &&
	       !all_read(conn)) {
		ret = recv_some(conn, &why);
		if (ret == -EAGAIN) {
			recv_wait(conn);
			return;
		}
		if (ret < 0) {
			conn_lost(conn, ret, why);
			return;
		}
		if (time_after(jiffies, end)) {
			queue_work(conn_wq, &conn->recv_work);
			return;
		}
		if (++steps % RECV_STEPS == 0 && more_queued(conn))
			send_here(conn);
	}
}

static void recv_work(struct work_struct *work)
{
	struct covol_conn *conn = container_of(work, struct covol_conn,
					       recv_work);
	unsigned int noreclaim = memalloc_noreclaim_save();

	WRITE_ONCE(conn->rx_task, current);
	recv_all(conn);
	WRITE_ONCE(conn->rx_task, NULL);
	memalloc_noreclaim_restore(noreclaim);
	if (more_queued(conn))
		send_here(conn);
}

/**
 * covol_conn_resume() - go on receiving after header() said -EAGAIN
 * @conn: the connection
 *
 * Context: any process context.
 */
void covol_conn_resume(struct covol_conn *conn)
{
	/* the lock: not after covol_conn_stop() has cancelled the work */
	spin_lock_bh(&conn->lock);
	if (!conn->stopped)
		queue_work(conn_wq, &conn->recv_work);
	spin_unlock_bh(&conn->lock);
}

/* ---- the socket ------------------------------------------------------- */

static void conn_data_ready(struct sock *sk)
{
	struct covol_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn)
		queue_work(conn_wq, &conn->recv_work);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void conn_write_space(struct sock *sk)
{
	struct covol_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn && sk_stream_is_writeable(sk)) {
		/* TLS may have a record that TCP took a part of */
		if (conn->tls)
			conn->write_space(sk);
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		queue_work(conn_wq, &conn->send_work);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void conn_state_change(struct sock *sk)
{
	struct covol_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn && sk->sk_state != TCP_ESTABLISHED)
		queue_work(conn_wq, &conn->recv_work);	/* sees the end */
	read_unlock_bh(&sk->sk_callback_lock);
}

static void tune_socket(struct sock *sk)
{
	/* Who sends may be doing I/O, with all locks of a file system. Other
	 * sockets' lock is held where memory of user space is read, which may
	 * begin I/O; user space has no business on this one any more.
	 */
	lockdep_set_class_and_name(&sk->sk_lock, &sock_key, "sk_lock-covol");
	sk->sk_allocation = GFP_NOIO;
	sk->sk_use_task_frag = false;
	/* for good, as with nbd and nvme-tcp: a packet that came from the reserve
	 * may be in the backlog, and TCP has no way to be told of the change
	 */
	sk_set_memalloc(sk);
	sock_no_linger(sk);
	tcp_sock_set_nodelay(sk);
	tcp_sock_set_user_timeout(sk, USER_TIMEOUT);
}

/**
 * covol_conn_attach() - take over a connected socket
 * @conn: zeroed memory; the owner keeps it until covol_conn_release()
 * @sock: an established TCP socket; its file stays referenced by the caller
 *	  until covol_conn_release(), which drops that reference
 * @ops: what to do with what arrives, from covol_conn_start() on
 *
 * Until covol_conn_start() nothing is received, and what is sent ends with an
 * error.
 *
 * Return: 0; -ENOTCONN: not established; -EBUSY: somebody in the kernel uses
 * this socket already.
 */
int covol_conn_attach(struct covol_conn *conn, struct socket *sock,
		      const struct covol_conn_ops *ops)
{
	struct sock *sk = sock->sk;
	int err = 0;

	conn->sock = sock;
	conn->ops = ops;
	conn->stopped = true;
	spin_lock_init(&conn->lock);
	mutex_init(&conn->send_lock);
	INIT_LIST_HEAD(&conn->queue);
	INIT_WORK(&conn->send_work, send_work);
	INIT_WORK(&conn->recv_work, recv_work);
	timer_setup(&conn->send_timer, send_timer, 0);
	timer_setup(&conn->recv_timer, recv_timer, 0);

	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_state != TCP_ESTABLISHED) {
		err = -ENOTCONN;
	} else if (sk->sk_user_data) {
		err = -EBUSY;
	} else {
		sk->sk_user_data = conn;
		conn->tls = covol_tls_of(sk) == COVOL_TLS_READY;
		conn->data_ready = sk->sk_data_ready;
		conn->write_space = sk->sk_write_space;
		conn->state_change = sk->sk_state_change;
		sk->sk_data_ready = conn_data_ready;
		sk->sk_write_space = conn_write_space;
		sk->sk_state_change = conn_state_change;
	}
	write_unlock_bh(&sk->sk_callback_lock);
	if (!err)
		tune_socket(sk);
	return err;
}

/**
 * covol_conn_start() - begin to send and to receive
 * @conn: an attached connection
 *
 * Context: process context, does not sleep.
 */
void covol_conn_start(struct covol_conn *conn)
{
	spin_lock_bh(&conn->lock);
	conn->stopped = false;
	spin_unlock_bh(&conn->lock);
	queue_work(conn_wq, &conn->recv_work);	/* what came before */
}

/**
 * covol_conn_stop() - end a connection
 * @conn: an attached connection
 *
 * When this returns nothing more is sent or received, no callback of @conn
 * runs, and sent() has been called for every message.
 *
 * Context: may sleep; not from a callback of the connection.
 */
void covol_conn_stop(struct covol_conn *conn)
{
	struct sock *sk = conn->sock->sk;
	struct covol_msg *msg, *next;
	LIST_HEAD(unsent);

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = conn->data_ready;
	sk->sk_write_space = conn->write_space;
	sk->sk_state_change = conn->state_change;
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);

	spin_lock_bh(&conn->lock);
	conn->stopped = true;
	spin_unlock_bh(&conn->lock);
	kernel_sock_shutdown(conn->sock, SHUT_RDWR);
	/* who sends from elsewhere; the next one starts no timer */
	mutex_lock(&conn->send_lock);
	mutex_unlock(&conn->send_lock);
	cancel_work_sync(&conn->send_work);
	cancel_work_sync(&conn->recv_work);
	timer_delete_sync(&conn->send_timer);
	timer_delete_sync(&conn->recv_timer);
	cancel_work_sync(&conn->send_work);
	cancel_work_sync(&conn->recv_work);

	spin_lock_bh(&conn->lock);
	list_splice_init(&conn->queue, &unsent);
	spin_unlock_bh(&conn->lock);
	mutex_lock(&conn->send_lock);
	if (conn->tx)
		list_add(&conn->tx->entry, &unsent);
	conn->tx = NULL;
	mutex_unlock(&conn->send_lock);
	list_for_each_entry_safe(msg, next, &unsent, entry) {
		list_del_init(&msg->entry);
		msg->sent(msg, -ECONNRESET);
	}
}

/**
 * covol_conn_release() - give the socket back
 * @conn: a stopped connection; its memory may be freed afterwards
 *
 * What TCP still has to send is thrown away, with a reset to the peer.
 *
 * Context: may sleep.
 */
void covol_conn_release(struct covol_conn *conn)
{
	/* covol_conn_send() may have come in after the stop */
	cancel_work_sync(&conn->send_work);
	sockfd_put(conn->sock);
}

int covol_conn_init(void)
{
	conn_cred = prepare_kernel_cred(&init_task);
	if (!conn_cred)
		return -ENOMEM;
	conn_wq = alloc_workqueue("covol_conn", WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
	if (conn_wq)
		return 0;
	put_cred(conn_cred);
	return -ENOMEM;
}

void covol_conn_exit(void)
{
	destroy_workqueue(conn_wq);
	put_cred(conn_cred);
}
