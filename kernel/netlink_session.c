// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink: the commands for sessions.
 */
#include <linux/net.h>
#include <net/sock.h>

#include "compat.h"
#include "genl.h"
#include "hold.h"
#include "holder.h"
#include "log.h"
#include "netlink.h"
#include "route.h"
#include "serve.h"
#include "session.h"
#include "tls.h"
#include "trace.h"
#include "volume.h"

static int check_socket(struct genl_info *info, struct socket *sock)
{
	struct sock *sk = sock->sk;

	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) ||
	    sock->type != SOCK_STREAM || sk->sk_protocol != IPPROTO_TCP) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[COVOL_A_SESSION_FD],
				    "fd: not a TCP socket");
		return -EPROTONOSUPPORT;
	}
	return 0;
}

/* End what there is with this peer, and wait for all that belongs to it (I3). */
static void end_old(struct covol_volume *vol, u32 peer)
{
	struct covol_session *old = covol_session_find(vol, peer);

	if (!old)
		return;
	covol_session_end(old);
	covol_session_put(old);
}

static int start_session(struct genl_info *info, struct covol_volume *vol,
			 u32 peer, struct socket *const *socks, unsigned int nr)
{
	struct covol_session *s;

	mutex_lock(&vol->session_lock);
	if (vol->dead) {
		s = ERR_PTR(-ENOENT);
	} else {
		end_old(vol, peer);
		s = covol_session_create(vol, peer, socks, nr,
					 &covol_serve_ops);
	}
	mutex_unlock(&vol->session_lock);
	if (IS_ERR(s)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[COVOL_A_SESSION_FD],
				    "fd: not connected, or in use in the kernel already");
		return PTR_ERR(s);
	}
	trace_covol_session_up(s, 0);
	covol_session_put(s);
	covol_info(vol, "session with node %u, lanes: %u\n", peer, nr);
	covol_route_check(vol);
	return 0;
}

/* I9: the peer is who user space says it is only where nobody else can write to
 * the connection.
 */
static int check_tls(struct genl_info *info, struct covol_volume *vol,
		     struct socket *sock)
{
	struct nlattr *attr = info->attrs[COVOL_A_SESSION_FD];

	switch (covol_tls_of(sock->sk)) {
	case COVOL_TLS_READY:
		return 0;
	case COVOL_TLS_NONE:
		if (vol->plaintext)
			return 0;
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "fd: no TLS, and the volume was not made for plaintext");
		return -EPERM;
	default:
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "fd: not TLS 1.3 in both directions");
		return -EPROTONOSUPPORT;
	}
}

/* A socket from a descriptor, fit for a lane. */
static struct socket *get_socket(struct genl_info *info,
				 struct covol_volume *vol,
				 const struct nlattr *attr)
{
	struct socket *sock;
	int err;

	sock = sockfd_lookup(nla_get_s32(attr), &err);
	if (!sock) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "fd: not a socket");
		return ERR_PTR(err);
	}
	err = check_socket(info, sock) ?: check_tls(info, vol, sock);
	if (!err)
		return sock;
	sockfd_put(sock);
	return ERR_PTR(err);
}

/* @nr: how many there are, also after an error */
static int get_sockets(struct genl_info *info, struct covol_volume *vol,
		       struct socket **socks, unsigned int *nr)
{
	const struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != COVOL_A_SESSION_FD)
			continue;
		if (*nr == COVOL_LANES_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "fd: more lanes than a session can have");
			return -E2BIG;
		}
		socks[*nr] = get_socket(info, vol, attr);
		if (IS_ERR(socks[*nr]))
			return PTR_ERR(socks[*nr]);
		(*nr)++;
	}
	return 0;
}

static int new_session(struct genl_info *info, struct covol_volume *vol)
{
	struct nlattr **a = info->attrs;
	u32 peer = nla_get_u32(a[COVOL_A_SESSION_PEER]);
	struct socket *socks[COVOL_LANES_MAX];
	unsigned int nr = 0;
	int err;

	if (peer == vol->node) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[COVOL_A_SESSION_PEER],
				    "peer: is this node");
		return -EINVAL;
	}
	err = get_sockets(info, vol, socks, &nr) ?:
	      start_session(info, vol, peer, socks, nr);
	while (err && nr--)
		sockfd_put(socks[nr]);
	return err;
}

int covol_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	struct covol_volume *vol;
	int err;

	vol = covol_nl_volume(info, a[COVOL_A_SESSION_UUID]);
	if (IS_ERR(vol))
		return PTR_ERR(vol);
	if (!a[COVOL_A_SESSION_PEER] || !a[COVOL_A_SESSION_FD]) {
		NL_SET_ERR_MSG(info->extack, "peer or fd: missing");
		err = -EINVAL;
	} else {
		err = new_session(info, vol);
	}
	covol_volume_put(vol);
	return err;
}

/* The session that a request names, with a reference. */
static struct covol_session *named_session(struct genl_info *info,
					   struct covol_volume *vol)
{
	struct nlattr *attr = info->attrs[COVOL_A_SESSION_PEER];
	struct covol_session *s;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "peer: missing");
		return ERR_PTR(-EINVAL);
	}
	s = covol_session_find(vol, nla_get_u32(attr));
	if (!s) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "peer: no session with this node");
		return ERR_PTR(-ENOENT);
	}
	return s;
}

/* "forget" is said of a node that is gone: it need not have a session. */
int covol_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	bool forget = a[COVOL_A_SESSION_FORGET];
	struct covol_session *s;
	struct covol_volume *vol;
	int err = 0;

	vol = covol_nl_volume(info, a[COVOL_A_SESSION_UUID]);
	if (IS_ERR(vol))
		return PTR_ERR(vol);
	s = named_session(info, vol);
	if (IS_ERR(s))
		err = PTR_ERR(s);
	if (forget && (!err || err == -ENOENT)) {
		err = 0;
		covol_layout_forget_holder(vol,
					   nla_get_u32(a[COVOL_A_SESSION_PEER]));
	}
	if (!IS_ERR(s)) {
		if (!forget)
			covol_session_goodbye(s);
		covol_session_end(s);
		covol_session_put(s);
		/* something may have been granted until then */
		if (forget)
			covol_layout_forget_holder(vol,
						   nla_get_u32(a[COVOL_A_SESSION_PEER]));
	}
	/* what was lost with it need not wait for it any more */
	if (forget && !err)
		covol_hold_release(vol);
	covol_volume_put(vol);
	return err;
}

static_assert(COVOL_A_SESSION_RECALLS_RECEIVED -
	      COVOL_A_SESSION_GRANTS_SENT == COVOL_RECALLS_RECEIVED);

static int put_layout(struct sk_buff *skb, const struct covol_session *s)
{
	int what, err = 0;

	for (what = 0; what < COVOL_LAYOUT_MESSAGES && !err; what++)
		err = nla_put_u64_64bit(skb, COVOL_A_SESSION_GRANTS_SENT + what,
					atomic64_read(&s->layout[what]),
					COVOL_A_SESSION_PAD);
	return err;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, COVOL_A_SESSION_PAD);
}

static int put_lane(struct sk_buff *skb, const struct covol_lane *lane, int nr)
{
	struct nlattr *nest = nla_nest_start(skb, nr);
	int pad = COVOL_A_LANE_PAD;

	if (!nest ||
	    nla_put_u32(skb, COVOL_A_LANE_OUTSTANDING,
			READ_ONCE(lane->nr_outstanding)) ||
	    nla_put_u32(skb, COVOL_A_LANE_SILENT,
			READ_ONCE(lane->alive.silent)) ||
	    nla_put_u64_64bit(skb, COVOL_A_LANE_REQUESTS_SENT,
			      READ_ONCE(lane->nr_sent), pad) ||
	    nla_put_u64_64bit(skb, COVOL_A_LANE_REQUESTS_SERVED,
			      READ_ONCE(lane->nr_served), pad) ||
	    nla_put_u64_64bit(skb, COVOL_A_LANE_BYTES_SENT,
			      READ_ONCE(lane->conn.tx_bytes), pad) ||
	    nla_put_u64_64bit(skb, COVOL_A_LANE_BYTES_RECEIVED,
			      READ_ONCE(lane->conn.rx_bytes), pad))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_lanes(struct sk_buff *skb, const struct covol_session *s)
{
	struct nlattr *nest = nla_nest_start(skb, COVOL_A_SESSION_LANES);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < s->nr_lanes; i++)
		if (put_lane(skb, &s->lane[i], i + 1))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What the lanes count, in all. */
static int put_sums(struct sk_buff *skb, const struct covol_session *s)
{
	u64 served = 0, sent = 0, received = 0;
	unsigned int i;

	for (i = 0; i < s->nr_lanes; i++) {
		served += READ_ONCE(s->lane[i].nr_served);
		sent += READ_ONCE(s->lane[i].conn.tx_bytes);
		received += READ_ONCE(s->lane[i].conn.rx_bytes);
	}
	return put_u64(skb, COVOL_A_SESSION_REQUESTS_SERVED, served) ?:
	       put_u64(skb, COVOL_A_SESSION_BYTES_SENT, sent) ?:
	       put_u64(skb, COVOL_A_SESSION_BYTES_RECEIVED, received);
}

static bool has_tls(const struct covol_session *s)
{
	bool tls = true;
	unsigned int i;

	for (i = 0; i < s->nr_lanes; i++)
		tls &= s->lane[i].conn.tls;
	return tls;
}

static int fill_session(struct sk_buff *skb, const void *what)
{
	const struct covol_session *s = what;

	return covol_nl_put_uuid(skb, COVOL_A_SESSION_UUID, s->vol) ?:
	       nla_put_u32(skb, COVOL_A_SESSION_PEER, s->peer) ?:
	       nla_put_u32(skb, COVOL_A_SESSION_STATE, READ_ONCE(s->state)) ?:
	       nla_put_u32(skb, COVOL_A_SESSION_OUTSTANDING,
			   READ_ONCE(s->nr_outstanding)) ?:
	       nla_put_u32(skb, COVOL_A_SESSION_QUEUED,
			   READ_ONCE(s->nr_queued)) ?:
	       nla_put_u32(skb, COVOL_A_SESSION_SERVING,
			   atomic_read(&s->serving)) ?:
	       put_u64(skb, COVOL_A_SESSION_REQUESTS_SENT,
		       READ_ONCE(s->nr_sent)) ?:
	       put_sums(skb, s) ?:
	       (has_tls(s) ? nla_put_flag(skb, COVOL_A_SESSION_TLS) : 0) ?:
	       put_layout(skb, s) ?:
	       put_lanes(skb, s);
}

int covol_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct covol_session *s;
	struct covol_volume *vol;
	int err;

	vol = covol_nl_volume(info, info->attrs[COVOL_A_SESSION_UUID]);
	if (IS_ERR(vol))
		return PTR_ERR(vol);
	s = named_session(info, vol);
	err = PTR_ERR_OR_ZERO(s);
	if (!err) {
		err = covol_nl_reply(info, COVOL_CMD_SESSION_GET, fill_session,
				     s);
		covol_session_put(s);
	}
	covol_volume_put(vol);
	return err;
}

/* Dump the sessions of one volume from a peer on; false: the message is full. */
static bool dump_sessions(struct sk_buff *skb, struct netlink_callback *cb,
			  struct covol_volume *vol, unsigned long from)
{
	struct covol_session *s;
	unsigned long peer;
	bool room = true;

	rcu_read_lock();
	xa_for_each_start(&vol->sessions, peer, s, from) {
		if (covol_nl_dump_one(skb, cb, COVOL_CMD_SESSION_GET,
				      fill_session, s)) {
			cb->args[1] = peer;
			room = false;
			break;
		}
	}
	rcu_read_unlock();
	return room;
}

/* cb->args[0]: volumes that were dumped whole; [1]: where to go on */
int covol_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct nlattr *uuid = covol_dump_attrs(cb)[COVOL_A_SESSION_UUID];
	struct covol_volume *vol = NULL;
	long at = 0;

	while ((vol = covol_nl_dump_next(cb, uuid, vol))) {
		if (at++ < cb->args[0])
			continue;
		if (!dump_sessions(skb, cb, vol, cb->args[1])) {
			covol_volume_put(vol);
			break;
		}
		cb->args[0] = at;
		cb->args[1] = 0;
	}
	return skb->len;
}
