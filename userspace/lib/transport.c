// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The way to the kernel: two generic netlink sockets, one for commands and their answers, one for
 * events, so that a flood of events never stands between a command and its answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "covol.h"

/* Events that may wait in the socket until they are fetched, in bytes of the kernel's memory. */
#define EVENT_BUFFER_BYTES	(4 << 20)

static int errno_of(int nl_error)
{
	switch (nl_error < 0 ? -nl_error : nl_error) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	case NLE_NOACCESS:
		return -EACCES;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PROTO_MISMATCH:
		return -EPROTONOSUPPORT;
	default:
		return -EIO;
	}
}

static int set_option(struct nl_sock *sock, int option)
{
	int on = 1;

	if (setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, option, &on, sizeof(on)))
		return -errno;
	return 0;
}

static int open_socket(struct covol *c, struct nl_sock **sock)
{
	struct nl_sock *new = nl_socket_alloc();
	int error;

	if (!new)
		return covol_fail(c, -ENOMEM, "netlink socket: %s", strerror(ENOMEM));

	error = genl_connect(new);
	if (error) {
		nl_socket_free(new);
		return covol_fail(c, errno_of(error), "netlink socket: %s", nl_geterror(error));
	}
	*sock = new;
	return 0;
}

static int kernel_connect(struct covol *c)
{
	int error = c->answers ? 0 : open_socket(c, &c->answers);
	int family;

	if (error)
		return error;

	family = genl_ctrl_resolve(c->answers, COVOL_GENL_NAME);
	if (family == -NLE_OBJ_NOTFOUND)
		return covol_fail(c, -ENOENT,
				  "the kernel has no netlink family \"%s\" (is dm-covol loaded?)",
				  COVOL_GENL_NAME);
	if (family < 0)
		return covol_fail(c, errno_of(family), "netlink family \"%s\": %s",
				  COVOL_GENL_NAME, nl_geterror(family));

	/* Every kernel that the module is for has all three. */
	error = set_option(c->answers, NETLINK_EXT_ACK);
	if (!error)
		error = set_option(c->answers, NETLINK_CAP_ACK);
	if (!error)
		error = set_option(c->answers, NETLINK_GET_STRICT_CHK);
	if (error)
		return covol_fail(c, error, "netlink socket options: %s", strerror(-error));

	c->family = family;
	return 0;
}

/* More than the system's limit allows, if the caller may; what the limit gives, if not. */
static void enlarge_event_buffer(struct nl_sock *sock)
{
	int fd = nl_socket_get_fd(sock), size = EVENT_BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int kernel_subscribe(struct covol *c)
{
	struct nl_sock *events;
	int error, group;

	if (c->events)
		return 0;
	error = covol_connect(c);
	if (error)
		return error;

	group = genl_ctrl_resolve_grp(c->answers, COVOL_GENL_NAME, COVOL_MCGRP_EVENTS);
	if (group < 0)
		return covol_fail(c, errno_of(group), "netlink group \"%s\" of family \"%s\": %s",
				  COVOL_MCGRP_EVENTS, COVOL_GENL_NAME, nl_geterror(group));

	error = open_socket(c, &events);
	if (error)
		return error;
	enlarge_event_buffer(events);
	error = nl_socket_add_membership(events, group);
	if (error) {
		nl_socket_free(events);
		return covol_fail(c, errno_of(error), "joining netlink group \"%s\": %s",
				  COVOL_MCGRP_EVENTS, nl_geterror(error));
	}
	c->events = events;
	return 0;
}

static int kernel_event_fd(const struct covol *c)
{
	return c->events ? nl_socket_get_fd(c->events) : -ENOTCONN;
}

static void kernel_close(struct covol *c)
{
	nl_socket_free(c->answers);
	nl_socket_free(c->events);
}

static int kernel_send(struct covol *c, struct nlmsghdr *message, uint32_t *seq)
{
	message->nlmsg_seq = nl_socket_use_seq(c->answers);
	message->nlmsg_pid = nl_socket_get_local_port(c->answers);
	*seq = message->nlmsg_seq;

	while (send(nl_socket_get_fd(c->answers), message, message->nlmsg_len, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int make_room(struct covol *c, enum covol_stream stream, size_t size)
{
	void *buffer;

	if (size <= c->buffer_size[stream])
		return 0;
	buffer = realloc(c->buffer[stream], size);
	if (!buffer)
		return -ENOMEM;
	c->buffer[stream] = buffer;
	c->buffer_size[stream] = size;
	return 0;
}

static ssize_t kernel_receive(struct covol *c, enum covol_stream stream, void **buffer)
{
	int fd = nl_socket_get_fd(stream == COVOL_STREAM_EVENTS ? c->events : c->answers);
	int flags = stream == COVOL_STREAM_EVENTS ? MSG_DONTWAIT : 0;
	struct sockaddr_nl from;
	socklen_t from_size;
	ssize_t size;
	int error;

	for (;;) {
		size = recv(fd, NULL, 0, flags | MSG_PEEK | MSG_TRUNC);
		if (size >= 0) {
			error = make_room(c, stream, size);
			if (error)
				return error;
			from_size = sizeof(from);
			size = recvfrom(fd, c->buffer[stream], c->buffer_size[stream], flags,
					(struct sockaddr *)&from, &from_size);
		}
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return -errno;
		/* Anybody can send to a netlink socket; port 0 is the kernel. */
		if (from.nl_pid != 0)
			continue;
		*buffer = c->buffer[stream];
		return size;
	}
}

const struct covol_transport covol_kernel_transport = {
	.connect	= kernel_connect,
	.subscribe	= kernel_subscribe,
	.event_fd	= kernel_event_fd,
	.close		= kernel_close,
	.send		= kernel_send,
	.receive	= kernel_receive,
};
