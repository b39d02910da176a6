/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of connections between agents share: a node that has no kernel. Its neighbours, and
 * what they say, are the tests' own.
 */
#ifndef COVOL_PEER_TEST_H
#define COVOL_PEER_TEST_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../userspace/covold/kernel.h"
#include "../../userspace/covold/pool.h"
#include "fake_kernel.h"
#include "tls_test.h"

#define EPOCH	7
#define HELLO	56
#define LANES	3

static struct {
	struct kernel kernel;
	struct config config;
	struct kernel_volume *vol;
	char paths[3][128];
	char *said;		/* in the journal */
	size_t said_size;
	FILE *real;
} rig;

/* A port that nobody has now. */
static unsigned int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* This is node 1, a; 2 and 3 are b and c. */
static int peer_setup(void **state)
{
	struct kernel *kernel = &rig.kernel;
	const char *const names[] = { "", "a", "b", "c" };
	unsigned int i;

	fake_reset();
	memset(&rig, 0, sizeof(rig));
	if (tls_setup(state))
		return -1;
	rig.config.port = free_port();
	rig.config.lanes = 1;
	rig.config.certificate = (char *)tls_path("a.crt", rig.paths[0]);
	rig.config.key = (char *)tls_path("a.key", rig.paths[1]);
	rig.config.authority = (char *)tls_path("ca.crt", rig.paths[2]);
	kernel->config = &rig.config;
	kernel->listener = -1;
	kernel->node = 1;
	pthread_mutex_init(&kernel->lock, NULL);
	for (i = 1; i <= 3; i++) {
		strcpy(kernel->names[i], names[i]);
		strcpy(kernel->addresses[i][0], "127.0.0.1");
	}
	assert_int_equal(sd_event_new(&kernel->event), 0);
	assert_int_equal(pool_create(&kernel->pool, kernel->event, 1, 4), 0);
	assert_int_equal(covol_open(&kernel->events), 0);
	rig.vol = kernel_volume_get(kernel, fake_uuid.bytes);
	rig.vol->serving = EPOCH;
	rig.real = stderr;
	stderr = open_memstream(&rig.said, &rig.said_size);
	return 0;
}

static int peer_teardown(void **state)
{
	struct kernel *kernel = &rig.kernel;

	fclose(stderr);
	stderr = rig.real;
	free(rig.said);
	pool_destroy(kernel->pool);
	kernel_close(kernel);
	sd_event_unref(kernel->event);
	fake_reset();
	return tls_teardown(state);
}

static const char *said(void)
{
	fflush(stderr);
	return rig.said;
}

/* How many connections a request has. */
static unsigned int lanes_of(size_t number)
{
	struct nlattr *attribute;
	unsigned int count = 0;
	int left;

	fake_request(number, COVOL_CMD_SESSION_NEW);
	nlmsg_for_each_attr(attribute, fake_request_message(number), GENL_HDRLEN, left)
		count += nla_type(attribute) == COVOL_A_SESSION_FD;
	return count;
}

#endif
