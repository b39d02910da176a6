/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle, for the inside of libcovol: where messages go, and the error line.
 */
#ifndef COVOL_LIB_COVOL_H
#define COVOL_LIB_COVOL_H

#include <linux/netlink.h>
#include <sys/types.h>

#include <covol/libcovol.h>

struct nl_sock;

/* Which of a handle's two sockets. */
enum covol_stream {
	COVOL_STREAM_ANSWERS,
	COVOL_STREAM_EVENTS,
};

/*
 * Where messages go to and come from: the kernel, or a test that plays it.
 */
struct covol_transport {
	/* Sets c->family; may be called again after it failed. */
	int (*connect)(struct covol *c);
	int (*subscribe)(struct covol *c);
	int (*event_fd)(const struct covol *c);
	void (*close)(struct covol *c);
	/* One message; sets its sequence number, which is returned through seq. */
	int (*send)(struct covol *c, struct nlmsghdr *message, uint32_t *seq);
	/*
	 * What came in one datagram. buffer belongs to the transport until the next call with the
	 * same stream. Answers are waited for; events give -EAGAIN when there is none.
	 */
	ssize_t (*receive)(struct covol *c, enum covol_stream stream, void **buffer);
};

struct covol {
	const struct covol_transport *transport;
	void *context;			/* the transport's own */
	int family;			/* its netlink type; 0: not connected */
	struct nl_sock *answers;	/* for commands */
	struct nl_sock *events;		/* NULL: not subscribed */
	void *buffer[2];		/* by enum covol_stream */
	size_t buffer_size[2];
	char error[512];
};

extern const struct covol_transport covol_kernel_transport;

int covol_open_with(const struct covol_transport *transport, void *context, struct covol **c);

/* Writes the error line; returns error, which is a negative errno, for "return covol_fail(...)". */
__attribute__((format(printf, 3, 4)))
int covol_fail(struct covol *c, int error, const char *format, ...);

#endif
