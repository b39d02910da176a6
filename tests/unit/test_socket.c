// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections to peers, over loopback.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <covol/libcovol.h>

#include "test.h"

static struct covol *c;

static int setup(void **state)
{
	(void)state;
	return covol_open(&c);
}

static int teardown(void **state)
{
	(void)state;
	covol_close(c);
	return 0;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A port that nobody listens at (for now: it was free a moment ago). */
static const char *free_address(char text[32])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	snprintf(text, 32, "127.0.0.1:%d", ntohs(address.sin_port));
	return text;
}

struct connector {
	const char *address;
	unsigned int delay_ms;
	int fd;
	pthread_t thread;
};

static void *connect_later(void *data)
{
	struct connector *connector = data;
	struct covol *own;

	poll(NULL, 0, connector->delay_ms);
	if (covol_open(&own))
		return NULL;
	connector->fd = covol_socket_connect(own, connector->address, 5000);
	covol_close(own);
	return NULL;
}

static void start(struct connector *connector)
{
	connector->fd = -1;
	assert_int_equal(pthread_create(&connector->thread, NULL, connect_later, connector), 0);
}

static void assert_connected(int a, int b)
{
	char byte = 0;

	assert_true(a >= 0);
	assert_true(b >= 0);
	assert_int_equal(write(a, "x", 1), 1);
	assert_int_equal(read(b, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	/* The kernel gets them as ordinary blocking sockets, and nobody else gets them at all. */
	assert_false(fcntl(a, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(b, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(a, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(b, F_GETFD) & FD_CLOEXEC);
	close(a);
	close(b);
}

/* One connection, to a listener of its own. */
static int accept_one(const char *address, const char *from, unsigned int timeout_ms)
{
	int listener = covol_socket_listen(c, address), fd;

	if (listener < 0)
		return listener;
	fd = covol_socket_accept(c, listener, from, timeout_ms);
	close(listener);
	return fd;
}

static void test_accept(void **state)
{
	char address[32];
	struct connector connector = { .address = free_address(address), .delay_ms = 100 };
	int fd;

	(void)state;
	start(&connector);
	fd = accept_one(address, "127.0.0.1", 5000);
	pthread_join(connector.thread, NULL);
	assert_connected(fd, connector.fd);
}

/* The side that connects may be first: it tries until somebody listens. */
static void test_connect_first(void **state)
{
	char address[32];
	struct connector connector = { .address = free_address(address) };
	int fd;

	(void)state;
	start(&connector);
	poll(NULL, 0, 300);
	fd = accept_one(address, NULL, 5000);
	pthread_join(connector.thread, NULL);
	assert_connected(connector.fd, fd);
}

/* A connection from elsewhere is closed, and the wait goes on to its end. */
static void test_stranger(void **state)
{
	char address[32], byte;
	struct connector connector = { .address = free_address(address), .delay_ms = 50 };

	(void)state;
	start(&connector);
	assert_int_equal(accept_one(address, "127.0.0.2", 4000), -ETIMEDOUT);
	pthread_join(connector.thread, NULL);
	assert_non_null(strstr(covol_error(c), "turned away: 1"));
	assert_true(connector.fd >= 0);
	assert_true(read(connector.fd, &byte, 1) <= 0);
	close(connector.fd);
}

/* Several come to one listener, in the order in which they connect. */
static void test_lanes(void **state)
{
	int listener, fd[3], i;
	char address[32], byte;

	(void)state;
	listener = covol_socket_listen(c, free_address(address));
	assert_true(listener >= 0);
	for (i = 0; i < 3; i++)
		fd[i] = covol_socket_connect(c, address, 5000);
	for (i = 0; i < 3; i++) {
		int accepted = covol_socket_accept(c, listener, NULL, 5000);

		assert_int_equal(write(fd[i], &"abc"[i], 1), 1);
		assert_int_equal(read(accepted, &byte, 1), 1);
		assert_int_equal(byte, "abc"[i]);
		assert_connected(fd[i], accepted);
	}
	close(listener);
}

static void test_accept_times_out(void **state)
{
	char address[32];
	double begin = now();

	(void)state;
	assert_int_equal(accept_one(free_address(address), NULL, 200), -ETIMEDOUT);
	assert_true(now() - begin >= 0.19);
	assert_true(now() - begin < 60);
	assert_non_null(strstr(covol_error(c), address));
}

static void test_connect_times_out(void **state)
{
	char address[32];
	double begin = now();

	(void)state;
	assert_int_equal(covol_socket_connect(c, free_address(address), 500), -ETIMEDOUT);
	assert_true(now() - begin >= 0.49);
	assert_true(now() - begin < 60);
	assert_non_null(strstr(covol_error(c), "Connection refused"));
	assert_non_null(strstr(covol_error(c), address));
}

static void test_no_time(void **state)
{
	char address[32];

	(void)state;
	assert_int_equal(covol_socket_connect(c, free_address(address), 0), -ETIMEDOUT);
	assert_int_equal(accept_one(free_address(address), NULL, 0), -ETIMEDOUT);
}

static void test_malformed(void **state)
{
	static const char *const addresses[] = {
		"", ":", "127.0.0.1", "127.0.0.1:", ":7000", "localhost:7000", "127.0.0.1:http",
		"127.0.0.1:99999999", "127.0.0.1:65536", "127.0.0.1:0", "127.0.0.1:-1",
		"::1:7000", "[::1]", "[::1]7000", "[::1:7000", "[]:7000",
		"127.0.0.1:7000x", "256.0.0.1:7000",
		"0123456789012345678901234567890123456789012345678901234567890123456789:1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		assert_int_equal(covol_socket_connect(c, addresses[i], 0), -EINVAL);
		assert_int_equal(accept_one(addresses[i], NULL, 0), -EINVAL);
		assert_non_null(strstr(covol_error(c), addresses[i]));
	}
	assert_int_equal(covol_socket_accept(c, -1, "somewhere", 0), -EINVAL);
	assert_non_null(strstr(covol_error(c), "somewhere"));
}

/* An address that is not this host's. */
static void test_cannot_listen(void **state)
{
	(void)state;
	assert_int_equal(accept_one("192.0.2.1:7000", NULL, 1000), -EADDRNOTAVAIL);
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_accept),
		TEST(test_connect_first),
		TEST(test_stranger),
		TEST(test_lanes),
		TEST(test_accept_times_out),
		TEST(test_connect_times_out),
		TEST(test_no_time),
		TEST(test_malformed),
		TEST(test_cannot_listen),
	};

	return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
