// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Connections to peers by plain TCP, each wait with an end.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "covol.h"

/* Pause before a peer that did not answer is tried again. */
#define RETRY_MS	200

#define HOST_BYTES	64	/* the longest numeric address with its zone */
#define NAME_BYTES	(HOST_BYTES + 16)	/* with its port */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int remaining_ms(int64_t deadline)
{
	int64_t left = deadline - now_ms();

	if (left < 0)
		return 0;
	return left > INT32_MAX ? INT32_MAX : left;
}

/* getaddrinfo() would take 65537 for 1. */
static bool is_port(const char *text)
{
	unsigned long port;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	port = strtoul(text, &end, 10);
	return !*end && port >= 1 && port <= 65535;
}

/* "1.2.3.4:7" or "[fe80::1%eth0]:7" into its two halves; false when it is neither. */
static bool split_address(const char *address, char host[HOST_BYTES], const char **port)
{
	const char *colon = strrchr(address, ':'), *begin = address, *end = colon;

	if (!colon)
		return false;
	if (address[0] == '[') {
		begin++;
		end--;
		if (end < begin || *end != ']')
			return false;
	} else if (strchr(address, ':') != colon) {
		return false; /* IPv6 without brackets: no telling where the port begins */
	}
	if (end == begin || end - begin >= HOST_BYTES || !is_port(colon + 1))
		return false;
	memcpy(host, begin, end - begin);
	host[end - begin] = '\0';
	*port = colon + 1;
	return true;
}

static int resolve(struct covol *c, const char *address, struct addrinfo **info)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		/* Names are not looked up: that would be a wait without an end. */
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	char host[HOST_BYTES];
	const char *port;

	if (!split_address(address, host, &port) || getaddrinfo(host, port, &hints, info))
		return covol_fail(c, -EINVAL,
				  "%s: not ADDRESS:PORT in figures (10.0.0.1:7000, [fd00::1]:7000)",
				  address);
	return 0;
}

/* 0 when fd is ready, -ETIMEDOUT, or another negative errno. */
static int wait_ready(int fd, short events, int64_t deadline)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	for (;;) {
		int ready = poll(&pollfd, 1, remaining_ms(deadline));

		if (ready > 0)
			return 0;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) ? -errno : 0;
}

static int finish_connect(int fd, int64_t deadline)
{
	int error = wait_ready(fd, POLLOUT, deadline);
	socklen_t size = sizeof(error);

	if (error)
		return error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
		return -errno;
	return -error;
}

static int connect_once(const struct addrinfo *info, int64_t deadline)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, info->ai_addr, info->ai_addrlen))
		error = errno == EINPROGRESS ? finish_connect(fd, deadline) : -errno;
	if (!error)
		error = set_blocking(fd);
	if (error)
		close(fd);
	return error ? error : fd;
}

/* The peer or the network may not be up yet. */
static bool worth_another_try(int error)
{
	switch (error) {
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -EHOSTUNREACH:
	case -EHOSTDOWN:
	case -ENETUNREACH:
	case -ENETDOWN:
	case -EADDRNOTAVAIL:
	case -ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

int covol_socket_connect(struct covol *c, const char *address, unsigned int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	struct addrinfo *info;
	int fd, left;

	fd = resolve(c, address, &info);
	if (fd)
		return fd;

	for (;;) {
		fd = connect_once(info, deadline);
		left = remaining_ms(deadline);
		if (fd >= 0 || !worth_another_try(fd) || !left)
			break;
		pause_ms(left < RETRY_MS ? left : RETRY_MS);
	}
	freeaddrinfo(info);

	if (fd < 0 && worth_another_try(fd))
		return covol_fail(c, -ETIMEDOUT, "%s: no connection within %u.%03u s, last: %s",
				  address, timeout_ms / 1000, timeout_ms % 1000, strerror(-fd));
	if (fd < 0)
		return covol_fail(c, fd, "%s: %s", address, strerror(-fd));
	return fd;
}

static int listen_at(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, error = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, COVOL_LANES_MAX))
		error = -errno;
	if (error)
		close(fd);
	return error ? error : fd;
}

/* Whether both are the same address, whatever the ports. */
static bool same_host(const struct sockaddr_storage *a, socklen_t a_size,
		      const struct addrinfo *b)
{
	char a_text[HOST_BYTES], b_text[HOST_BYTES];

	return !getnameinfo((const struct sockaddr *)a, a_size, a_text, sizeof(a_text), NULL, 0,
			    NI_NUMERICHOST) &&
	       !getnameinfo(b->ai_addr, b->ai_addrlen, b_text, sizeof(b_text), NULL, 0,
			    NI_NUMERICHOST) &&
	       !strcmp(a_text, b_text);
}

/* Counts in *strangers the connections that came from elsewhere. */
static int accept_from(int listener, const struct addrinfo *from, int64_t deadline,
		       unsigned int *strangers)
{
	struct sockaddr_storage peer;
	socklen_t size;
	int fd, error;

	for (;;) {
		error = wait_ready(listener, POLLIN, deadline);
		if (error)
			return error;
		size = sizeof(peer);
		fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0)
			return -errno;
		if (!from || same_host(&peer, size, from))
			return fd;
		close(fd);
		(*strangers)++;
	}
}

/* "1.2.3.4:7" or "[fe80::1]:7", for error lines. */
static const char *name_of(int fd, char text[NAME_BYTES])
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char host[HOST_BYTES], port[8];

	if (getsockname(fd, (struct sockaddr *)&address, &size) ||
	    getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, NAME_BYTES, "?");
	else
		snprintf(text, NAME_BYTES, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	return text;
}

int covol_socket_listen(struct covol *c, const char *address)
{
	struct addrinfo *info;
	int fd;

	fd = resolve(c, address, &info);
	if (fd)
		return fd;
	fd = listen_at(info);
	freeaddrinfo(info);
	if (fd < 0)
		return covol_fail(c, fd, "listening at %s: %s", address, strerror(-fd));
	return fd;
}

int covol_socket_accept(struct covol *c, int listener, const char *from, unsigned int timeout_ms)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	int64_t deadline = now_ms() + timeout_ms;
	struct addrinfo *from_info = NULL;
	unsigned int strangers = 0;
	char name[NAME_BYTES];
	int fd;

	if (from && getaddrinfo(from, NULL, &hints, &from_info))
		return covol_fail(c, -EINVAL, "%s: not an address in figures", from);
	fd = accept_from(listener, from_info, deadline, &strangers);
	if (from_info)
		freeaddrinfo(from_info);

	if (fd == -ETIMEDOUT)
		return covol_fail(c, fd,
				  "listening at %s: nobody came within %u.%03u s (turned away: %u)",
				  name_of(listener, name), timeout_ms / 1000, timeout_ms % 1000,
				  strangers);
	if (fd < 0)
		return covol_fail(c, fd, "listening at %s: %s", name_of(listener, name),
				  strerror(-fd));
	return fd;
}
