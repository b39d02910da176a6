/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of TLS share: authorities and certificates in files, and a kernel that takes keys
 * (--wrap=setsockopt): so there need be no module for it.
 */
#ifndef COVOL_TLS_TEST_H
#define COVOL_TLS_TEST_H

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <covol/libcovol.h>

#include "../../userspace/cluster/certificate.h"
#include "test.h"

#define TEST_DAY	86400
#define TEST_FDS	256
#define TEST_KEYS	64

#ifndef SOL_TLS
#define SOL_TLS		282
#endif

/* ---- the kernel ---- */

/* What a socket was given. */
struct given_keys {
	socklen_t size[2];	/* of the keys to send and to receive; 0: none */
	unsigned char keys[2][TEST_KEYS];
};

static struct given_keys given_keys[TEST_FDS];

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	int receive = name == TLS_RX;

	if (level == IPPROTO_TCP && name == TCP_ULP)
		return 0;
	if (level != SOL_TLS)
		return __real_setsockopt(fd, level, name, value, size);
	assert_true(fd < TEST_FDS && size <= TEST_KEYS);
	given_keys[fd].size[receive] = size;
	memcpy(given_keys[fd].keys[receive], value, size);
	return 0;
}

static inline bool has_keys(int fd)
{
	return given_keys[fd].size[0] || given_keys[fd].size[1];
}

/* ---- certificates ---- */

static char tls_directory[40];

static const char *tls_path(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", tls_directory, name);
	return path;
}

static void tls_write(const char *name, const char *text)
{
	char path[128];
	FILE *file = fopen(tls_path(name, path), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* NAME.crt and NAME.key, of @node, from and until so many days from now. */
static void tls_certificate(const char *name, const struct certificate_pair *authority,
			    const char *node, int from, int until)
{
	char file[64], error[CLUSTER_ERROR];
	struct certificate_pair pair;
	time_t now = time(NULL);

	if (certificate_sign(&pair, authority, node, now + from * TEST_DAY,
			     now + until * TEST_DAY, error))
		fail_msg("%s", error);
	snprintf(file, sizeof(file), "%s.crt", name);
	tls_write(file, pair.certificate);
	snprintf(file, sizeof(file), "%s.key", name);
	tls_write(file, pair.key);
	certificate_free(&pair);
}

/*
 * In a directory: ca.crt; of its signing a, b and c, which are nodes, expired and early, which are
 * b at another time, and long, which is b for two months; of other.crt's signing stranger, which is
 * b.
 */
static int tls_setup(void **state)
{
	struct certificate_pair ca, other;
	char error[CLUSTER_ERROR];
	time_t now = time(NULL);

	(void)state;
	memset(given_keys, 0, sizeof(given_keys));
	strcpy(tls_directory, "/tmp/covol-tls-XXXXXX");
	if (!mkdtemp(tls_directory) ||
	    certificate_authority(&ca, "demo", now - 9 * TEST_DAY, now + 99 * TEST_DAY, error) ||
	    certificate_authority(&other, "demo", now - 9 * TEST_DAY, now + 99 * TEST_DAY, error))
		return -1;
	tls_write("ca.crt", ca.certificate);
	tls_write("other.crt", other.certificate);
	tls_certificate("a", &ca, "a", -1, 1);
	tls_certificate("b", &ca, "b", -1, 1);
	tls_certificate("c", &ca, "c", -1, 1);
	tls_certificate("long", &ca, "b", -1, 60);
	tls_certificate("expired", &ca, "b", -2, -1);
	tls_certificate("early", &ca, "b", 1, 2);
	tls_certificate("stranger", &other, "b", -1, 1);
	certificate_free(&ca);
	certificate_free(&other);
	return 0;
}

static int tls_teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", tls_directory);
	return system(command);
}

/* ---- one end of a connection, in a thread ---- */

#define END_PATIENCE	20000

struct tls_end {
	int fd;
	bool server;
	const char *name;		/* of its certificate */
	const char *authority;		/* that it believes; NULL: ca */
	const char *peer;		/* who the other has to be */
	unsigned int timeout_ms;	/* 0: long enough */
	int result;
	char error[512];
	pthread_t thread;
};

/* Not the one that tests have wrapped: that is the daemon's. */
int __real_covol_open(struct covol **c);

static void *tls_run(void *data)
{
	struct tls_end *end = data;
	char certificate[128], key[128], authority[128], name[64];
	struct covol_identity identity = { .peer = end->peer };
	struct covol *c;

	snprintf(name, sizeof(name), "%s.crt", end->name);
	identity.certificate = tls_path(name, certificate);
	snprintf(name, sizeof(name), "%s.key", end->name);
	identity.key = tls_path(name, key);
	snprintf(name, sizeof(name), "%s.crt", end->authority ? end->authority : "ca");
	identity.authority = tls_path(name, authority);
	assert_int_equal(__real_covol_open(&c), 0);
	end->result = covol_socket_encrypt(c, end->fd, end->server, &identity,
					   end->timeout_ms ? end->timeout_ms : END_PATIENCE);
	snprintf(end->error, sizeof(end->error), "%s", end->result ? covol_error(c) : "");
	covol_close(c);
	/* What the peer waits for does not come any more. */
	if (end->result)
		shutdown(end->fd, SHUT_RDWR);
	return NULL;
}

static inline void tls_begin(struct tls_end *end)
{
	assert_int_equal(pthread_create(&end->thread, NULL, tls_run, end), 0);
}

static inline void tls_end(struct tls_end *end)
{
	assert_int_equal(pthread_join(end->thread, NULL), 0);
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

#endif
