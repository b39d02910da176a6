// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whom a member takes for its coordinator, and how it goes there.
 */
#include <errno.h>

#include "peer_test.h"
#include "peer_wrap.h"

/* This thread's next close of libcovol is when the session breaks, and the loop hears of it. */
static __thread bool breaks;

void __wrap_covol_close(struct covol *c)
{
	if (breaks)
		kernel_session_lost(rig.vol);
	breaks = false;
	__real_covol_close(c);
}

struct host {
	const char *name;	/* of its certificate */
	const char *others;	/* of that of the connections after the first; NULL: the same */
	unsigned int lanes;	/* 0: one */
	int listener;
	unsigned char hello[COVOL_LANES_MAX][HELLO];
	unsigned char again[COVOL_LANES_MAX][HELLO];
	struct tls_end end[COVOL_LANES_MAX];
	pthread_t thread;
};

/* TLS one after the other: more than two would need threads. */
static void *serve(void *data)
{
	struct host *host = data;
	unsigned int i;

	if (!host->lanes)
		host->lanes = 1;
	for (i = 0; i < host->lanes; i++) {
		struct tls_end *end = &host->end[i];

		end->fd = accept(host->listener, NULL, NULL);
		assert_true(end->fd >= 0);
		assert_int_equal(recv(end->fd, host->hello[i], HELLO, MSG_WAITALL), HELLO);
		end->server = true;
		end->name = i && host->others ? host->others : host->name;
		end->peer = "a";
		tls_run(end);
		if (!end->result)
			recv(end->fd, host->again[i], HELLO, MSG_WAITALL);
	}
	return NULL;
}

static void begin_host(struct host *host)
{
	char address[32];
	struct covol *c;

	snprintf(address, sizeof(address), "127.0.0.1:%u", rig.config.port);
	assert_int_equal(__real_covol_open(&c), 0);
	host->listener = covol_socket_listen(c, address);
	covol_close(c);
	assert_true(host->listener >= 0);
	/* accept() is to wait. */
	assert_int_equal(fcntl(host->listener, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&host->thread, NULL, serve, host), 0);
}

static void end_host(struct host *host)
{
	unsigned int i;

	pthread_join(host->thread, NULL);
	close(host->listener);
	for (i = 0; i < host->lanes; i++)
		close(host->end[i].fd);
}

static void lay_live(void)
{
	struct nl_msg *message = fake_message(COVOL_CMD_SESSION_GET, 0);

	nla_put(message, COVOL_A_SESSION_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_SESSION_PEER, 2);
	nla_put_u32(message, COVOL_A_SESSION_STATE, COVOL_SESSION_STATE_LIVE);
	nla_put_u64(message, COVOL_A_SESSION_BYTES_RECEIVED, 1);
	fake_add(message);
	fake_ack();
}

/* The volume is known, with another coordinator; then the session is live, when it is looked at. */
static void lay_answers(void)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);

	fake_put_volume(message);
	fake_add(message);
	fake_ack();
	fake_ack();
	fake_ack();
	lay_live();
}

static enum own_result go_by(enum own_result (*connect_by)(struct kernel_task *t),
			     struct driver_answer *answer)
{
	struct driver_task task = {
		.action = { .task = OWN_TASK_CONNECT, .node = 1, .other = 2, .epoch = EPOCH },
	};
	struct kernel_task t = { .vol = rig.vol, .task = &task, .answer = answer };
	enum own_result result;

	memset(answer, 0, sizeof(*answer));
	assert_int_equal(covol_open(&t.c), 0);
	result = connect_by(&t);
	covol_close(t.c);
	return result;
}

static enum own_result go(struct driver_answer *answer)
{
	return go_by(kernel_connect, answer);
}

static void test_member(void **state)
{
	const unsigned char epoch[] = { EPOCH, 0, 0, 0, 0, 0, 0, 0 };
	const unsigned char words[] = { 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0 };
	struct host host = { .name = "b" };
	struct driver_answer answer;
	struct nlattr **sent;

	(void)state;
	lay_answers();
	lay_live();
	begin_host(&host);
	assert_int_equal(go(&answer), OWN_OK);
	end_host(&host);
	assert_string_equal(answer.reason, "");
	assert_string_equal(said(), "");
	assert_memory_equal(host.hello[0], "covol/4", 8);
	assert_memory_equal(host.hello[0] + 8, fake_uuid.bytes, 16);
	assert_memory_equal(host.hello[0] + 24, epoch, sizeof(epoch));
	assert_memory_equal(host.hello[0] + 40, words, sizeof(words));
	assert_memory_equal(host.again[0], host.hello[0], HELLO);
	sent = fake_request(2, COVOL_CMD_SESSION_NEW);
	assert_int_equal(nla_get_u32(sent[COVOL_A_SESSION_PEER]), 2);
	assert_int_equal(rig.vol->facts.session_epoch, EPOCH);
	assert_true(rig.vol->lost == 0);
}

/* It breaks before anybody asks for it, and so nobody hears of that. */
static void test_breaks(void **state)
{
	struct host host = { .name = "b" };
	struct driver_answer answer;

	(void)state;
	lay_answers();
	fake_refuse(-ENOENT, NULL, 0, 0);
	begin_host(&host);
	assert_int_equal(go(&answer), OWN_OK);
	end_host(&host);
	assert_int_equal(rig.vol->facts.session_epoch, EPOCH);
	assert_true(rig.vol->lost != 0);
}

static unsigned int open_descriptors(void)
{
	unsigned int count = 0;
	int fd;

	for (fd = 0; fd < TEST_FDS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The first comes first; the others in any order, each with its place. */
static void test_member_lanes(void **state)
{
	struct host host = { .name = "b", .lanes = LANES };
	unsigned int before, i, seen = 0;
	struct driver_answer answer;

	(void)state;
	rig.config.lanes = LANES;
	lay_answers();
	begin_host(&host);
	before = open_descriptors();
	assert_int_equal(go(&answer), OWN_OK);
	end_host(&host);
	/* The listener. */
	assert_int_equal(open_descriptors(), before - 1);
	for (i = 0; i < LANES; i++) {
		/* Number and count are the same. */
		assert_memory_equal(host.hello[i] + 24, host.hello[0] + 24, 16);
		assert_int_equal(host.hello[i][40], LANES);
		seen |= 1 << host.hello[i][42];
		assert_memory_equal(host.again[i], host.hello[i], HELLO);
	}
	assert_int_equal(host.hello[0][42], 0);
	assert_int_equal(seen, (1 << LANES) - 1);
	assert_int_equal(lanes_of(2), LANES);
	assert_int_equal(rig.vol->facts.session_epoch, EPOCH);
}

/* Two sessions have not the same number. */
static void test_member_number(void **state)
{
	struct host hosts[2] = { { .name = "b" }, { .name = "b" } };
	struct driver_answer answer;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fake_reset();
		lay_answers();
		begin_host(&hosts[i]);
		assert_int_equal(go(&answer), OWN_OK);
		end_host(&hosts[i]);
	}
	assert_memory_not_equal(hosts[0].hello[0] + 32, hosts[1].hello[0] + 32, 8);
}

/* One that fails is all; of the others nothing is left. */
static void test_member_lane_fails(void **state)
{
	struct host host = { .name = "b", .others = "c", .lanes = LANES };
	struct driver_answer answer;
	unsigned int before;

	(void)state;
	rig.config.lanes = LANES;
	lay_answers();
	begin_host(&host);
	before = open_descriptors();
	assert_int_equal(go(&answer), OWN_FAILED);
	end_host(&host);
	assert_int_equal(open_descriptors(), before - 1);
	assert_contains(answer.reason, "connection 2 of 3: TLS: the certificate of b");
	assert_int_equal(fake_requests(), 2);
	assert_int_equal(rig.vol->facts.session_epoch, 0);
}

static void test_impostor(void **state)
{
	static const char *const names[] = { "c", "stranger", "expired", "a" };
	struct driver_answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct host host = { .name = names[i] };

		fake_reset();
		lay_answers();
		begin_host(&host);
		assert_int_equal(go(&answer), OWN_FAILED);
		end_host(&host);
		assert_contains(answer.reason, "TLS: the certificate of b");
		/* The volume was asked for, and told who is its coordinator; no more. */
		assert_int_equal(fake_requests(), 2);
		assert_int_equal(rig.vol->facts.session_epoch, 0);
	}
}

/* This node's own is refused: it is told so. */
static void test_own_refused(void **state)
{
	struct host host = { .name = "b" };
	struct driver_answer answer;

	(void)state;
	rig.config.certificate = (char *)tls_path("stranger.crt", rig.paths[0]);
	rig.config.key = (char *)tls_path("stranger.key", rig.paths[1]);
	lay_answers();
	begin_host(&host);
	assert_int_equal(go(&answer), OWN_FAILED);
	end_host(&host);
	assert_contains(answer.reason, "TLS: b refuses: ");
	assert_int_equal(fake_requests(), 2);
}

static void test_no_certificate(void **state)
{
	struct driver_answer answer;

	(void)state;
	rig.config.certificate = NULL;
	assert_int_equal(go(&answer), OWN_FAILED);
	assert_contains(answer.reason, "no certificate is configured");
	assert_int_equal(fake_requests(), 0);
	/* Nor does anybody get in. */
	assert_int_equal(kernel_listen(&rig.kernel), 0);
	assert_int_equal(rig.kernel.listener, -1);
}

/* Nobody answers in the network that is preferred. */
static void test_networks(void **state)
{
	struct host host = { .name = "b", .lanes = 2 };
	struct driver_answer answer;

	(void)state;
	rig.config.lanes = 2;
	strcpy(rig.kernel.addresses[2][0], "127.0.0.2");
	strcpy(rig.kernel.addresses[2][3], "127.0.0.1");
	lay_answers();
	begin_host(&host);
	assert_int_equal(go(&answer), OWN_OK);
	end_host(&host);
	assert_string_equal(answer.reason, "");
	assert_contains(said(), "node 2 is reached by 127.0.0.1:");
	assert_contains(said(), "after: 127.0.0.2:");
	assert_int_equal(rig.vol->facts.session_epoch, EPOCH);
}

/* What is tried every few seconds is told of once. */
static void test_again(void **state)
{
	struct host host = { .name = "b" };
	struct driver_answer answer;
	const char *first;
	int i;

	(void)state;
	strcpy(rig.vol->name, "v1");
	rig.kernel.addresses[2][0][0] = 0;
	for (i = 0; i < 3; i++) {
		fake_reset();
		lay_answers();
		assert_int_equal(go_by(kernel_connect_again, &answer), OWN_FAILED);
		first = strstr(said(), "v1: the session has broken");
		assert_non_null(first);
		assert_contains(first, "cannot be made again: node 2 has no address; metadata");
		assert_null(strstr(first + 1, "v1: the session"));
	}
	strcpy(rig.kernel.addresses[2][0], "127.0.0.1");
	fake_reset();
	lay_answers();
	begin_host(&host);
	assert_int_equal(go_by(kernel_connect_again, &answer), OWN_OK);
	end_host(&host);
	assert_contains(said(), "v1: there is a session again");
	assert_string_equal(rig.vol->trouble, "");
}

/* There was a session, which has broken. */
static void lose(void)
{
	rig.vol->connect.action = (struct own_action) {
		.task = OWN_TASK_CONNECT, .node = 1, .other = 2, .epoch = EPOCH,
	};
	rig.vol->facts.session_epoch = EPOCH;
	rig.vol->lost = 1;
	fake_reset();
}

static void test_lost(void **state)
{
	struct host host = { .name = "b" };

	(void)state;
	/* There is another one already. */
	lose();
	lay_live();
	kernel_session_look(rig.vol);
	assert_true(rig.vol->lost == 0);
	assert_int_equal(fake_requests(), 1);
	lose();
	fake_refuse(-ENOENT, NULL, 0, 0);
	lay_answers();
	lay_live();
	begin_host(&host);
	kernel_session_look(rig.vol);
	end_host(&host);
	assert_contains(said(), "there is a session again");
	assert_true(rig.vol->lost == 0);
	/* It cannot be made: it is tried again. */
	rig.kernel.addresses[2][0][0] = 0;
	lose();
	fake_refuse(-ENOENT, NULL, 0, 0);
	lay_answers();
	kernel_session_look(rig.vol);
	assert_contains(said(), "cannot be made again: node 2 has no address");
	assert_true(rig.vol->lost > 1);
}

/* The new one breaks before the worker that has made it has ended. */
static void test_lost_again(void **state)
{
	struct host host = { .name = "b" };

	(void)state;
	lose();
	lay_live();
	breaks = true;
	kernel_session_look(rig.vol);
	assert_false(breaks);
	assert_true(rig.vol->lost > 1);
	lose();
	fake_refuse(-ENOENT, NULL, 0, 0);
	lay_answers();
	lay_live();
	begin_host(&host);
	breaks = true;
	kernel_session_look(rig.vol);
	end_host(&host);
	assert_contains(said(), "there is a session again");
	assert_false(breaks);
	assert_true(rig.vol->lost > 1);
}

static void test_no_address(void **state)
{
	struct driver_answer answer;

	(void)state;
	rig.kernel.addresses[2][0][0] = 0;
	lay_answers();
	assert_int_equal(go(&answer), OWN_FAILED);
	assert_contains(answer.reason, "node 2 has no address");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_member),	     TEST(test_member_lanes), TEST(test_member_number),
		TEST(test_member_lane_fails), TEST(test_impostor),    TEST(test_own_refused),
		TEST(test_no_certificate),   TEST(test_networks),     TEST(test_no_address),
		TEST(test_again),	     TEST(test_breaks),	      TEST(test_lost),
		TEST(test_lost_again),
	};

	return cmocka_run_group_tests_name("connect", tests, NULL, NULL);
}
