/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel TLS on a peer's socket. User space makes the connection, proves both
 * ends' identity, and gives the keys to the kernel (RFC 8446); from then on the
 * socket encrypts and decrypts by itself. Nothing but data may come.
 */
#ifndef COVOL_TLS_H
#define COVOL_TLS_H

#include <linux/types.h>

struct msghdr;
struct sock;
struct socket;

/*
 * So much is sent with one key: 2^24.5 full records are the limit for AES-GCM
 * (RFC 8446, 5.5), about 385 GB. Then the session ends, and the next one, with
 * a new key, repeats what was not answered.
 */
#define COVOL_TLS_KEY_BYTES	(256ull << 30)

/**
 * enum covol_tls - what a socket has of TLS
 * @COVOL_TLS_NONE: it is a plain TCP socket
 * @COVOL_TLS_READY: TLS 1.3 in both directions
 * @COVOL_TLS_UNFIT: one direction only, another version, or another protocol
 */
enum covol_tls {
	COVOL_TLS_NONE,
	COVOL_TLS_READY,
	COVOL_TLS_UNFIT,
};

enum covol_tls covol_tls_of(const struct sock *sk);
int covol_tls_recv(struct socket *sock, struct msghdr *msg, const char **why);

#endif /* COVOL_TLS_H */
