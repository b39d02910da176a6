// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLS between two nodes: who gets keys, who does not, and what each is told.
 */
#include <errno.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "tls_test.h"

struct pair {
	struct tls_end server;
	struct tls_end client;
};

static void connect_ends(struct pair *pair)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pair->server.fd = fds[0];
	pair->server.server = true;
	pair->client.fd = fds[1];
	tls_begin(&pair->server);
	tls_begin(&pair->client);
	tls_end(&pair->server);
	tls_end(&pair->client);
}

static void close_ends(struct pair *pair)
{
	close(pair->server.fd);
	close(pair->client.fd);
	memset(given_keys, 0, sizeof(given_keys));
}

static void assert_same_keys(int sender, int receiver)
{
	const struct given_keys *out = &given_keys[sender], *in = &given_keys[receiver];

	assert_true(out->size[0] > 0);
	assert_int_equal(out->size[0], in->size[1]);
	/* Also the number of the next record. */
	assert_memory_equal(out->keys[0], in->keys[1], out->size[0]);
}

static void test_good(void **state)
{
	struct pair pair = {
		.server = { .name = "a", .peer = "b" },
		.client = { .name = "b", .peer = "a" },
	};
	const struct tls_crypto_info *info;

	(void)state;
	connect_ends(&pair);
	assert_string_equal(pair.server.error, "");
	assert_string_equal(pair.client.error, "");
	assert_same_keys(pair.server.fd, pair.client.fd);
	assert_same_keys(pair.client.fd, pair.server.fd);
	info = (const void *)given_keys[pair.server.fd].keys[0];
	assert_int_equal(info->version, TLS_1_3_VERSION);
	assert_memory_not_equal(given_keys[pair.server.fd].keys[0],
				given_keys[pair.server.fd].keys[1],
				given_keys[pair.server.fd].size[0]);
	close_ends(&pair);
}

/* Neither side gives its kernel anything, and both know why. */
static void assert_refused(struct pair *pair, const char *server, const char *client)
{
	connect_ends(pair);
	assert_true(pair->server.result < 0);
	assert_true(pair->client.result < 0);
	assert_contains(pair->server.error, server);
	assert_contains(pair->client.error, client);
	assert_false(has_keys(pair->server.fd));
	assert_false(has_keys(pair->client.fd));
	close_ends(pair);
}

/* A node that comes with what is not node b's certificate. */
static void test_wrong_client(void **state)
{
	static const struct {
		const char *name;
		const char *says;
	} cases[] = {
		{ "stranger", "The certificate issuer is unknown" },
		{ "expired", "expired certificate" },
		{ "early", "not yet valid" },
		{ "c", "does not match the" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair pair = {
			.server = { .name = "a", .peer = "b" },
			.client = { .name = cases[i].name, .peer = "a" },
		};

		assert_refused(&pair, cases[i].says, "TLS: a refuses: ");
		assert_int_equal(pair.server.result, -EACCES);
		assert_int_equal(pair.client.result, -EACCES);
	}
}

/* The other way round: whoever answers is not node b. */
static void test_wrong_server(void **state)
{
	static const struct {
		const char *name;
		const char *says;
	} cases[] = {
		{ "stranger", "The certificate issuer is unknown" },
		{ "expired", "expired certificate" },
		{ "early", "not yet valid" },
		{ "c", "does not match the" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair pair = {
			.server = { .name = cases[i].name, .peer = "a" },
			.client = { .name = "a", .peer = "b" },
		};

		assert_refused(&pair, "TLS: a refuses: ", cases[i].says);
		assert_int_equal(pair.client.result, -EACCES);
	}
}

/* Both are of another cluster, whose nodes have the same names. */
static void test_other_authority(void **state)
{
	struct pair pair = {
		.server = { .name = "a", .peer = "b", .authority = "other" },
		.client = { .name = "b", .peer = "a" },
	};

	(void)state;
	assert_refused(&pair, "issuer is unknown", "TLS: a refuses: ");
}

/* Whoever shows no certificate at all. */
static void *come_without(void *data)
{
	int fd = *(const int *)data;
	gnutls_certificate_credentials_t nothing;
	gnutls_session_t session;
	char byte;

	assert_int_equal(gnutls_certificate_allocate_credentials(&nothing), 0);
	assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL), 0);
	assert_int_equal(gnutls_set_default_priority(session), 0);
	assert_int_equal(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, nothing), 0);
	gnutls_transport_set_int(session, fd);
	gnutls_handshake_set_timeout(session, END_PATIENCE);
	gnutls_handshake(session);
	/* Neither welcome nor anything else. */
	assert_true(gnutls_record_recv(session, &byte, 1) <= 0);
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(nothing);
	shutdown(fd, SHUT_RDWR);
	return NULL;
}

static void test_no_certificate(void **state)
{
	struct tls_end server = { .server = true, .name = "a", .peer = "b" };
	pthread_t thread;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	server.fd = fds[0];
	tls_begin(&server);
	assert_int_equal(pthread_create(&thread, NULL, come_without, &fds[1]), 0);
	tls_end(&server);
	pthread_join(thread, NULL);
	assert_true(server.result < 0);
	assert_contains(server.error, "TLS with b: ");
	assert_false(has_keys(fds[0]));
	close(fds[0]);
	close(fds[1]);
}

/* Somebody who says nothing. */
static void test_silent(void **state)
{
	struct tls_end server = {
		.server = true, .name = "a", .peer = "b", .timeout_ms = 100,
	};
	struct tls_end client = { .name = "a", .peer = "b", .timeout_ms = 100 };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	server.fd = fds[0];
	tls_begin(&server);
	tls_end(&server);
	assert_int_equal(server.result, -ETIMEDOUT);
	assert_contains(server.error, "b did not answer in time");
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	client.fd = fds[0];
	tls_begin(&client);
	tls_end(&client);
	assert_int_equal(client.result, -ETIMEDOUT);
	assert_false(has_keys(fds[0]));
	close(fds[0]);
	close(fds[1]);
}

/* The files are named that cannot be used. */
static void test_files(void **state)
{
	struct pair pair = {
		.server = { .name = "a", .peer = "b", .authority = "nothere" },
		.client = { .name = "ca", .peer = "a" },
	};

	(void)state;
	assert_refused(&pair, "nothere.crt", "ca.key");
	assert_int_equal(pair.server.result, -EINVAL);
	assert_int_equal(pair.client.result, -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tls_setup, tls_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_good),	    TEST(test_wrong_client), TEST(test_wrong_server),
		TEST(test_other_authority), TEST(test_silent),	     TEST(test_files),
		TEST(test_no_certificate),
	};

	return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
