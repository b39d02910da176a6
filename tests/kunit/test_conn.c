// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections: as whom is sent, who waits for memory, and which of the two ends is
 * the one that does not read. The connection's socket is a real one, over the
 * loopback device; what it is asked to send is looked at on the way.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/in.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "conn.h"

#define STRANGER	1000	/* a user who does I/O */
#define LONG		(20 * HZ)

struct rig {
	struct covol_conn	conn;
	struct socket		*far;
	struct covol_msg	msg;

	/* what was seen of the message on its way */
	struct proto		*real;
	struct proto		spy;
	struct task_struct	*by;
	uid_t			as;

	/* who was called would not have waited for memory */
	bool			sent;
	bool			header;
	bool			message;
	struct completion	came;
};

/* There is one test at a time. */
static struct rig *rig;

static int spy_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	rig->by = current;
	rig->as = __kuid_val(current_uid());
	return rig->real->sendmsg(sk, msg, len);
}

static void sent(struct covol_msg *msg, int err)
{
	rig->sent = current->flags & PF_MEMALLOC;
}

static int header(struct covol_conn *conn, const struct covol_hdr *hdr,
		  struct iov_iter *payload)
{
	rig->header = current->flags & PF_MEMALLOC;
	return 0;
}

static int message(struct covol_conn *conn)
{
	rig->message = current->flags & PF_MEMALLOC;
	complete(&rig->came);
	return 0;
}

static void lost(struct covol_conn *conn, int err, const char *why)
{
}

static const struct covol_conn_ops ops = {
	.header		= header,
	.message	= message,
	.lost		= lost,
};

/* ---- a connection over the loopback device ----------------------------- */

static int loopback_up(void)
{
	struct net_device *lo = init_net.loopback_dev;
	int err;

	rtnl_lock();
	err = dev_change_flags(lo, lo->flags | IFF_UP, NULL);
	rtnl_unlock();
	return err;
}

static int listen_and_connect(struct socket *listener, struct socket *near,
			      struct socket **far)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr *sa = (struct sockaddr *)&addr;
	int err;

	err = kernel_bind(listener, sa, sizeof(addr)) ?:
	      kernel_listen(listener, 1);
	if (!err)
		err = min(kernel_getsockname(listener, sa), 0);
	return err ?: kernel_connect(near, sa, sizeof(addr), 0) ?:
		      kernel_accept(listener, far, 0);
}

static int new_socket(struct socket **sock)
{
	return sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
				sock);
}

static int connect_pair(struct socket **near, struct socket **far)
{
	struct socket *listener;
	int err = loopback_up() ?: new_socket(&listener);

	if (err)
		return err;
	err = new_socket(near);
	if (!err) {
		err = listen_and_connect(listener, *near, far);
		if (err)
			sock_release(*near);
	}
	sock_release(listener);
	return err;
}

static int conn_init(struct kunit *test)
{
	struct socket *near;
	int err;

	rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);
	if (!rig)
		return -ENOMEM;
	err = connect_pair(&near, &rig->far);
	if (err)
		return err;
	/* covol_conn_release() drops the file */
	if (IS_ERR(sock_alloc_file(near, 0, NULL)) ||
	    covol_conn_attach(&rig->conn, near, &ops)) {
		sock_release(rig->far);
		return -EIO;
	}
	rig->real = near->sk->sk_prot;
	rig->spy = *rig->real;
	rig->spy.sendmsg = spy_sendmsg;
	near->sk->sk_prot = &rig->spy;
	rig->msg.sent = sent;
	rig->msg.here = true;
	init_completion(&rig->came);
	return 0;
}

static void conn_exit(struct kunit *test)
{
	if (!rig || !rig->real)
		return;
	covol_conn_stop(&rig->conn);
	rig->conn.sock->sk->sk_prot = rig->real;
	covol_conn_release(&rig->conn);
	sock_release(rig->far);
}

/* ---- tests ------------------------------------------------------------- */

/*
 * Security modules ask whether the sender may use the socket, and a session would
 * end by their answer: who does I/O must not be whom they ask about.
 */
static void test_sender(struct kunit *test)
{
	struct cred *stranger = prepare_creds();
	const struct cred *mine;

	KUNIT_ASSERT_NOT_NULL(test, stranger);
	covol_conn_start(&rig->conn);
	stranger->uid = KUIDT_INIT(STRANGER);
	mine = override_creds(stranger);
	covol_conn_send(&rig->conn, &rig->msg);
	KUNIT_EXPECT_PTR_EQ(test, current_cred(), stranger);
	revert_creds(mine);
	put_cred(stranger);
	KUNIT_EXPECT_PTR_EQ(test, rig->by, current);
	KUNIT_EXPECT_EQ(test, rig->as, 0);
}

static int send_from_far(void *data, size_t len)
{
	struct msghdr mh = { };
	struct kvec kv = { data, len };

	return kernel_sendmsg(rig->far, &mh, &kv, 1, len);
}

/*
 * Memory may come back only by what is received next, or by who sends; so who is
 * told of a message must not wait for it (I8).
 */
static void test_memory(struct kunit *test)
{
	struct covol_hdr hdr = { .opcode = COVOL_OP_PING };
	struct covol_wire_hdr wire;

	covol_conn_start(&rig->conn);
	covol_conn_send(&rig->conn, &rig->msg);
	KUNIT_EXPECT_TRUE(test, rig->sent);
	KUNIT_EXPECT_FALSE(test, current->flags & PF_MEMALLOC);

	covol_wire_encode(&wire, &hdr);
	KUNIT_ASSERT_EQ(test, send_from_far(&wire, sizeof(wire)), sizeof(wire));
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&rig->came, LONG), 0);
	KUNIT_EXPECT_TRUE(test, rig->header);
	KUNIT_EXPECT_TRUE(test, rig->message);
}

/* Something comes, and nobody reads it. */
static void come(struct kunit *test, size_t len)
{
	u64 want = covol_conn_came(&rig->conn) + len;
	void *data = kunit_kzalloc(test, len, GFP_KERNEL);
	unsigned long end = jiffies + LONG;

	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test, send_from_far(data, len), (int)len);
	while (covol_conn_came(&rig->conn) < want && time_before(jiffies, end))
		msleep(20);
	KUNIT_ASSERT_EQ(test, covol_conn_came(&rig->conn), want);
}

/* What covol_conn_full() says when no more may come. */
static bool full(bool tls)
{
	struct sock *sk = rig->conn.sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	u32 window;
	bool is;

	lock_sock(sk);
	window = tp->rcv_wnd;
	tp->rcv_wnd = tp->rcv_nxt - tp->rcv_wup;
	rig->conn.tls = tls;
	is = covol_conn_full(&rig->conn);
	tp->rcv_wnd = window;
	release_sock(sk);
	return is;
}

/* A peer that is cut off in the midst of a TLS record is not waited for because TCP
 * had little memory just then (I7).
 */
static void test_full(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, full(false));
	come(test, 1000);
	KUNIT_EXPECT_TRUE(test, full(false));
	KUNIT_EXPECT_FALSE(test, full(true));
	come(test, 16000);
	KUNIT_EXPECT_TRUE(test, full(true));
}

static struct kunit_case conn_cases[] = {
	KUNIT_CASE(test_sender),
	KUNIT_CASE(test_memory),
	KUNIT_CASE(test_full),
	{}
};

static struct kunit_suite conn_suite = {
	.name = "covol_conn",
	.init = conn_init,
	.exit = conn_exit,
	.test_cases = conn_cases,
};

kunit_test_suite(conn_suite);
