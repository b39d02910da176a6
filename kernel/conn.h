/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One TCP connection to a peer: it sends messages and receives messages, and
 * knows nothing of what they mean. Sending and receiving are two state
 * machines, and neither ever waits for the network. Receiving is run by one work
 * item. Sending is run by another one, or, to save the switch of processes, by
 * who has just queued a message, or by the receiving one when it has read what
 * there is: whoever has the lock.
 */
#ifndef COVOL_CONN_H
#define COVOL_CONN_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include "wire.h"

struct covol_conn;
struct socket;
struct sock;
struct task_struct;

/**
 * struct covol_msg - a message to send
 * @entry: in the connection's queue
 * @wire: the encoded header
 * @payload: what follows it; bvecs or kvecs; advanced as it is sent
 * @splice: every page of @payload may be sent without a copy
 * @here: covol_conn_send() may send it itself, and what others have queued
 * @sent: called exactly once, from a work item or by somebody else's
 *	  covol_conn_send() with @here, and does not wait for memory, as @message
 *	  does not: the message has been given to TCP (0) or never will be whole
 *	  (a negative errno); from then on the connection does not touch it
 */
struct covol_msg {
	struct list_head	entry;
	struct covol_wire_hdr	wire;
	struct iov_iter		payload;
	bool			splice;
	bool			here;
	void			(*sent)(struct covol_msg *msg, int err);
};

/**
 * struct covol_conn_ops - what the owner of a connection does
 * @header: a header came and was decoded; if it has a payload, set up
 *	    @payload for exactly hdr->payload bytes. 0; -EAGAIN: not now, ask
 *	    again after covol_conn_resume() or a little later; else the
 *	    connection ends
 * @message: the message is complete. 0, or the connection ends
 * @lost: the connection has ended by itself; called once, by who receives or
 *	  sends: call covol_conn_stop() from another context
 *
 * @header and @message are called from the receiving work item, one at a time.
 * They may sleep, but not for the peer, and not for memory: an allocation uses what
 * the system keeps for such as this (PF_MEMALLOC), or fails.
 */
struct covol_conn_ops {
	int	(*header)(struct covol_conn *conn, const struct covol_hdr *hdr,
			  struct iov_iter *payload);
	int	(*message)(struct covol_conn *conn);
	void	(*lost)(struct covol_conn *conn, int err, const char *why);
};

/* One connection */
struct covol_conn {
	/* set once by covol_conn_attach() */
	struct socket			*sock;
	const struct covol_conn_ops	*ops;
	void				(*data_ready)(struct sock *sk);
	void				(*write_space)(struct sock *sk);
	void				(*state_change)(struct sock *sk);
	bool				tls;

	/* protects the queue and the two flags */
	spinlock_t			lock;
	struct list_head		queue;
	bool				stopped;	/* or not started yet */
	bool				lost;

	/* held by who sends; protects what follows */
	struct mutex			send_lock;
	struct work_struct		send_work;
	struct timer_list		send_timer;
	struct covol_msg		*tx;
	size_t				tx_hdr_done;
	u64				tx_bytes;

	/* owned by recv_work */
	struct work_struct		recv_work;
	struct timer_list		recv_timer;
	struct task_struct		*rx_task;	/* while it runs */
	struct covol_wire_hdr		rx_wire;
	struct covol_hdr		rx;
	struct iov_iter			rx_payload;
	size_t				rx_hdr_done;
	bool				rx_decoded;
	bool				rx_accepted;
	u64				rx_bytes;
};

int covol_conn_init(void);
void covol_conn_exit(void);

int covol_conn_attach(struct covol_conn *conn, struct socket *sock,
		      const struct covol_conn_ops *ops);
void covol_conn_start(struct covol_conn *conn);
bool covol_conn_unread(const struct covol_conn *conn);
u64 covol_conn_came(const struct covol_conn *conn);
bool covol_conn_full(const struct covol_conn *conn);
void covol_conn_send(struct covol_conn *conn, struct covol_msg *msg);
void covol_conn_resume(struct covol_conn *conn);
void covol_conn_stop(struct covol_conn *conn);
void covol_conn_release(struct covol_conn *conn);

void covol_msg_set_bvec(struct covol_msg *msg, const struct bio_vec *bvec,
			unsigned int nr, unsigned int skip, size_t len);

#endif /* COVOL_CONN_H */
