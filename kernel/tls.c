// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel TLS. See tls.h.
 */
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/tls.h>

#include "tls.h"

/* Content types of RFC 8446, B.1. */
#define RECORD_ALERT		21
#define RECORD_HANDSHAKE	22
#define RECORD_DATA		23

static bool is_tls13(const union tls_crypto_context *keys, u8 conf)
{
	return (conf == TLS_SW || conf == TLS_HW) &&
	       keys->info.version == TLS_1_3_VERSION;
}

/**
 * covol_tls_of() - what a socket has of TLS
 * @sk: a TCP socket
 *
 * Return: see enum covol_tls.
 */
enum covol_tls covol_tls_of(const struct sock *sk)
{
	const struct tcp_ulp_ops *ulp = READ_ONCE(inet_csk(sk)->icsk_ulp_ops);
	const struct tls_context *ctx;

	if (!ulp)
		return COVOL_TLS_NONE;
	if (strcmp(ulp->name, "tls"))
		return COVOL_TLS_UNFIT;
	ctx = tls_get_ctx(sk);
	if (is_tls13(&ctx->crypto_send, ctx->tx_conf) &&
	    is_tls13(&ctx->crypto_recv, ctx->rx_conf))
		return COVOL_TLS_READY;
	return COVOL_TLS_UNFIT;
}

/**
 * covol_tls_recv() - receive data
 * @sock: a socket that is COVOL_TLS_READY
 * @msg: where to; as for sock_recvmsg()
 * @why: says what came if it was not data
 *
 * After an alert nothing can follow. Of handshake messages only tickets and
 * updates of keys can come now: our user space sends no tickets, and the
 * kernels that we are for cannot change keys. So whatever is not data ends the
 * session.
 *
 * Context: does not wait for the network.
 *
 * Return: bytes of data; 0: the connection was closed; -EAGAIN; -ECONNRESET:
 * something else than data came; or another negative errno.
 */
int covol_tls_recv(struct socket *sock, struct msghdr *msg, const char **why)
{
	union {
		struct cmsghdr	hdr;
		u8		buf[CMSG_SPACE(sizeof(u8))];
	} control = { };
	int ret;

	msg->msg_control = &control;
	msg->msg_controllen = sizeof(control);
	ret = sock_recvmsg(sock, msg, MSG_DONTWAIT);
	if (ret <= 0)
		return ret;
	if (control.hdr.cmsg_level == SOL_TLS &&
	    control.hdr.cmsg_type == TLS_GET_RECORD_TYPE) {
		switch (*(u8 *)CMSG_DATA(&control.hdr)) {
		case RECORD_DATA:
			return ret;
		case RECORD_ALERT:
			*why = "TLS: closed by the peer, or an alert";
			return -ECONNRESET;
		case RECORD_HANDSHAKE:
			*why = "TLS: the peer wants other keys, or sent a ticket";
			return -ECONNRESET;
		}
	}
	*why = "TLS: a record of unknown type";
	return -ECONNRESET;
}
