// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whom a coordinator lets in. The kernel is told of a peer only when that has proved who it is, and
 * when all connections of its session have come.
 */
#include <errno.h>
#include <stdatomic.h>

#include "peer_test.h"
#include "peer_wrap.h"

#define NUMBER	0x0123456789abcdefULL

/* What a member says in clear: protocol.rst has nothing of it, as no kernel sees it. */
struct hello_words {
	const char *magic;
	uint64_t epoch;
	uint32_t from;
	uint32_t to;
	uint64_t number;	/* 0: NUMBER */
	uint16_t lanes;		/* 0: 1 */
	uint16_t lane;
};

struct guest {
	struct hello_words words;
	const char *name;		/* of its certificate; NULL: no TLS */
	const struct hello_words *again;	/* what it says then; NULL: the same */
	struct tls_end end;
	atomic_bool gone;
	pthread_t thread;
};

static void put(unsigned char *at, uint64_t number, unsigned int size)
{
	while (size--) {
		*at++ = number;
		number >>= 8;
	}
}

static void send_hello(int fd, const struct hello_words *words)
{
	unsigned char hello[HELLO] = { 0 };

	memcpy(hello, words->magic, 8);
	memcpy(hello + 8, fake_uuid.bytes, 16);
	put(hello + 24, words->epoch, 8);
	put(hello + 32, words->number ? words->number : NUMBER, 8);
	put(hello + 40, words->lanes ? words->lanes : 1, 2);
	put(hello + 42, words->lane, 2);
	put(hello + 44, words->from, 4);
	put(hello + 48, words->to, 4);
	assert_int_equal(send(fd, hello, sizeof(hello), MSG_NOSIGNAL), sizeof(hello));
}

static void *visit(void *data)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(rig.config.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct guest *guest = data;
	char byte[HELLO] = "no TLS at all";

	guest->end.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(guest->end.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (guest->words.magic)
		send_hello(guest->end.fd, &guest->words);
	if (guest->name) {
		guest->end.name = guest->name;
		guest->end.peer = "a";
		tls_run(&guest->end);
		/* No kernel encrypts it here. */
		if (!guest->end.result)
			send_hello(guest->end.fd, guest->again ? guest->again : &guest->words);
	} else {
		send(guest->end.fd, byte, sizeof(byte), MSG_NOSIGNAL);
		shutdown(guest->end.fd, SHUT_WR);
		while (recv(guest->end.fd, byte, sizeof(byte), 0) > 0)
			;
	}
	guest->gone = true;
	return NULL;
}

static void begin_guest(struct guest *guest)
{
	if (rig.kernel.listener < 0)
		assert_int_equal(kernel_listen(&rig.kernel), 0);
	assert_int_equal(pthread_create(&guest->thread, NULL, visit, guest), 0);
}

static void run_until(bool (*done)(void *data), void *data)
{
	time_t limit = time(NULL) + 30;

	while (!done(data) && time(NULL) < limit)
		assert_true(sd_event_run(rig.kernel.event, 20000) >= 0);
	assert_true(done(data));
}

static bool is_gone(void *data)
{
	struct guest *guest = data;

	return guest->gone && !rig.kernel.strangers;
}

/* Until the guest has gone, and nobody is busy with it. */
static void end_guest(struct guest *guest)
{
	run_until(is_gone, guest);
	pthread_join(guest->thread, NULL);
	close(guest->end.fd);
}

static void receive_guest(struct guest *guest)
{
	begin_guest(guest);
	end_guest(guest);
}

static void test_let_in(void **state)
{
	struct guest guest = { { "covol/4", EPOCH, 2, 1 }, "b" };
	struct nlattr **sent;

	(void)state;
	receive_guest(&guest);
	assert_string_equal(guest.end.error, "");
	assert_int_equal(fake_requests(), 1);
	sent = fake_request(0, COVOL_CMD_SESSION_NEW);
	assert_int_equal(nla_get_u32(sent[COVOL_A_SESSION_PEER]), 2);
	assert_int_equal(fake_requests(), 1);
	assert_int_equal(lanes_of(0), 1);
}

/* Who can write to the wire changes what was said in clear, and no more. */
static void test_changed_hello(void **state)
{
	static const struct hello_words words = { "covol/4", EPOCH, 2, 1, .lanes = 2 };
	static const struct hello_words changed[] = {
		{ "covol/4", EPOCH, 2, 1, .lanes = 1 },
		{ "covol/4", EPOCH, 2, 1, .lanes = 2, .lane = 1 },
		{ "covol/4", EPOCH, 2, 1, .lanes = 2, .number = NUMBER + 1 },
		{ "covol/4", EPOCH - 1, 2, 1, .lanes = 2 },
		{ "covol/4", EPOCH, 2, 3, .lanes = 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		struct guest guest = { words, "b", &changed[i] };
		size_t before = strlen(said());

		rig.kernel.complained = 0;
		receive_guest(&guest);
		assert_int_equal(fake_requests(), 0);
		assert_null(rig.vol->lanes.first);
		assert_contains(said() + before,
				"node 2 (b) does not say again by TLS what it has said in clear");
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct hello_words words;
		const char *name;
		const char *says;	/* NULL: nothing */
	} cases[] = {
		{ { "covol/4", EPOCH, 2, 1 }, "stranger", "node 2 (b): TLS: the certificate of b" },
		{ { "covol/4", EPOCH, 2, 1 }, "stranger", "issuer is unknown" },
		{ { "covol/4", EPOCH, 2, 1 }, "expired", "expired certificate" },
		{ { "covol/4", EPOCH, 2, 1 }, "early", "not yet valid" },
		/* One node's certificate, another's number; and this node's own. */
		{ { "covol/4", EPOCH, 2, 1 }, "c", "does not match" },
		{ { "covol/4", EPOCH, 3, 1 }, "b", "node 3 (c): TLS: the certificate of c" },
		{ { "covol/4", EPOCH, 2, 1 }, "a", "does not match" },
		{ { "covol/4", EPOCH, 2, 1 }, NULL, "node 2 (b): TLS" },
		/* Who is nobody. */
		{ { "covol/4", EPOCH, 4, 1 }, "b", "node 4, which is not in the cluster's list" },
		{ { "covol/4", EPOCH, 0, 1 }, "b", "node 0, which is not" },
		{ { "covol/4", EPOCH, 65, 1 }, "b", "node 65, which is not" },
		{ { "covol/4", EPOCH, UINT32_MAX, 1 }, "b", "node 4294967295, which is not" },
		/* Who means something else. */
		{ { "covol/4", EPOCH - 1, 2, 1 }, "b", NULL },
		{ { "covol/4", EPOCH + 1, 2, 1 }, "b", NULL },
		{ { "covol/4", EPOCH, 2, 3 }, "b", NULL },
		{ { "covol/1", EPOCH, 2, 1 }, "b", NULL },
		{ { NULL }, NULL, NULL },
	};
	size_t i, before;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct guest guest = { cases[i].words, cases[i].name };

		/* As if the line before were long ago. */
		rig.kernel.complained = 0;
		before = strlen(said());
		receive_guest(&guest);
		assert_int_equal(fake_requests(), 0);
		assert_true(guest.end.result < 0 || !cases[i].name);
		if (cases[i].says)
			assert_contains(said() + before, cases[i].says);
		else
			assert_string_equal(said() + before, "");
	}
}

/* Nothing is served any more. */
static void test_not_serving(void **state)
{
	struct guest guest = { { "covol/4", 0, 2, 1 }, "b" };

	(void)state;
	rig.vol->serving = 0;
	receive_guest(&guest);
	assert_int_equal(fake_requests(), 0);
	assert_true(guest.end.result < 0);
}

/* What waits there must not be done: it has to begin anew first. Others get in. */
static void test_given_up(void **state)
{
	struct guest guest = { { "covol/4", EPOCH, 2, 1 }, "b" };
	struct guest other = { { "covol/4", EPOCH, 3, 1 }, "c" };
	struct guest again = { { "covol/4", EPOCH, 2, 1 }, "b" };

	(void)state;
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, own_bit(2));
	receive_guest(&guest);
	assert_int_equal(fake_requests(), 0);
	assert_true(guest.end.result < 0);
	receive_guest(&other);
	assert_int_equal(fake_requests(), 1);
	fake_request(0, COVOL_CMD_SESSION_NEW);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, 0);
	receive_guest(&again);
	assert_int_equal(fake_requests(), 2);
	fake_request(1, COVOL_CMD_SESSION_NEW);
}

/* Who knocks again and again does not fill the journal. */
static void test_many_lines(void **state)
{
	struct timespec now;
	const char *first;
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct guest guest = { { "covol/4", EPOCH, 4, 1 }, "b" };

		/* Just after the first; the last long after it. */
		clock_gettime(CLOCK_MONOTONIC, &now);
		rig.kernel.complained = i && i < 4 ? (now.tv_sec + 60) * 1000000ULL : 0;
		receive_guest(&guest);
		first = strstr(said(), "node 4");
		assert_non_null(first);
		if (i < 4)
			assert_null(strstr(first + 1, "node 4"));
	}
	assert_contains(said(), "3 more connections were refused");
	assert_non_null(strstr(first + 1, "node 4"));
}

/* ---- sessions of several connections ---- */

static struct guest lane_of(uint64_t number, unsigned int count, unsigned int lane)
{
	return (struct guest) {
		{ "covol/4", EPOCH, 2, 1, .number = number, .lanes = count, .lane = lane }, "b"
	};
}

/* One comes by itself, and nothing comes of it. */
static void come_alone(uint64_t number, unsigned int count, unsigned int lane)
{
	struct guest guest = lane_of(number, count, lane);

	receive_guest(&guest);
	assert_string_equal(guest.end.error, "");
}

static void test_lanes(void **state)
{
	struct guest other = { { "covol/4", EPOCH, 3, 1, .lanes = 2, .lane = 1 }, "c" };
	struct nlattr **sent;

	(void)state;
	come_alone(NUMBER, LANES, 1);
	come_alone(NUMBER, LANES, 0);
	/* The same number and another node: another session. */
	receive_guest(&other);
	assert_int_equal(fake_requests(), 0);
	come_alone(NUMBER, LANES, 2);
	assert_int_equal(fake_requests(), 1);
	assert_int_equal(lanes_of(0), LANES);
	sent = fake_request(0, COVOL_CMD_SESSION_NEW);
	assert_int_equal(nla_get_u32(sent[COVOL_A_SESSION_PEER]), 2);
	assert_string_equal(said(), "");
}

/* What no session has, and what has come already. */
static void test_lanes_refused(void **state)
{
	(void)state;
	come_alone(NUMBER, COVOL_LANES_MAX + 1, 0);
	assert_contains(said(), "node 2: it says that it is a connection which no session has");
	come_alone(NUMBER, LANES, 0);
	rig.kernel.complained = 0;
	come_alone(NUMBER, LANES, 0);
	assert_contains(said(), "node 2: a connection of a session has come twice");
	assert_int_equal(fake_requests(), 0);
}

/* Half of one, then another. */
static void test_lanes_another(void **state)
{
	(void)state;
	come_alone(NUMBER, 2, 0);
	come_alone(NUMBER + 1, 2, 0);
	/* It was accepted with the first. */
	rig.kernel.accepted = 0;
	come_alone(NUMBER, 2, 1);
	assert_int_equal(fake_requests(), 0);
	assert_contains(said(), "node 2: a connection has come late");
	rig.kernel.accepted = 3;
	come_alone(NUMBER + 1, 2, 1);
	assert_int_equal(fake_requests(), 1);
	assert_int_equal(lanes_of(0), 2);
}

/* Each is refused who was given up, and what had come is worth nothing when it is let in again. */
static void test_lanes_given_up(void **state)
{
	struct guest guest = lane_of(NUMBER, 2, 1);

	(void)state;
	come_alone(NUMBER, 2, 0);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, own_bit(2));
	receive_guest(&guest);
	assert_true(guest.end.result < 0);
	assert_int_equal(fake_requests(), 0);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, 0);
	come_alone(NUMBER, 2, 1);
	assert_int_equal(fake_requests(), 0);
	assert_contains(said(), "node 2: a connection has come late");
	come_alone(NUMBER + 1, 2, 0);
	come_alone(NUMBER + 1, 2, 1);
	assert_int_equal(fake_requests(), 1);
}

/* The volume is not known to the kernel any more. */
static void test_lanes_not_served(void **state)
{
	struct driver_task task = { .action = { .task = OWN_TASK_BARRIER, .node = 1 } };
	struct driver_answer answer = { 0 };
	struct kernel_task t = { .vol = rig.vol, .task = &task, .answer = &answer };

	(void)state;
	come_alone(NUMBER, 2, 0);
	fake_refuse(-ENOENT, NULL, 0, 0);
	assert_int_equal(covol_open(&t.c), 0);
	assert_int_equal(kernel_end_sessions(&t, false), OWN_OK);
	covol_close(t.c);
	rig.vol->serving = EPOCH;
	come_alone(NUMBER, 2, 1);
	assert_int_equal(fake_requests(), 1);
	assert_contains(said(), "node 2: a connection has come late");
}

/* A member that has given a session up has not said so. */
static void test_lanes_late(void **state)
{
	(void)state;
	come_alone(NUMBER, 2, 0);
	kernel_peer_look(&rig.kernel);
	assert_string_equal(said(), "");
	/* It looks later. */
	assert_int_equal(lanes_expire(&rig.vol->lanes, kernel_usec() + 60000000, 60000000), 1);
	rig.kernel.complained = 0;
	come_alone(NUMBER, 2, 1);
	assert_int_equal(fake_requests(), 0);
	assert_contains(said(), "node 2: a connection has come late");
}

static bool last_is(void *data)
{
	uint64_t *number = data;
	bool is;

	pthread_mutex_lock(&rig.kernel.lock);
	is = lanes_wanted(&rig.vol->lanes, 2, htole64(*number));
	pthread_mutex_unlock(&rig.kernel.lock);
	return is;
}

/* All of a session has come, and waits at the door. */
static void wait_at_door(struct guest *guest)
{
	begin_guest(guest);
	run_until(last_is, &guest->words.number);
}

/* It is given up while it waits there; that it is let in again comes too late for it. */
static void test_given_up_at_door(void **state)
{
	struct guest first = lane_of(NUMBER, 1, 0), second = lane_of(NUMBER + 1, 1, 0);

	(void)state;
	pthread_mutex_lock(&rig.vol->door);
	wait_at_door(&first);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, own_bit(2));
	pthread_mutex_unlock(&rig.vol->door);
	end_guest(&first);
	assert_int_equal(fake_requests(), 0);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, 0);
	pthread_mutex_lock(&rig.vol->door);
	wait_at_door(&second);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, own_bit(2));
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, 0);
	pthread_mutex_unlock(&rig.vol->door);
	end_guest(&second);
	assert_int_equal(fake_requests(), 0);
}

/* What the one has brought may be in the other, which must not be replaced by it. */
static void test_newer_at_door(void **state)
{
	struct guest first = lane_of(NUMBER, 1, 0), second = lane_of(NUMBER + 1, 1, 0);

	(void)state;
	pthread_mutex_lock(&rig.vol->door);
	wait_at_door(&first);
	wait_at_door(&second);
	pthread_mutex_unlock(&rig.vol->door);
	end_guest(&first);
	end_guest(&second);
	assert_int_equal(fake_requests(), 1);
}

/* Somebody is being let in until the door is being closed behind him. */
static struct {
	atomic_bool watched;
	atomic_bool entered;
	atomic_bool closing;
	size_t sessions;	/* that there were when it was closed */
} door;

static void await_flag(atomic_bool *flag)
{
	time_t limit = time(NULL) + 30;

	while (!*flag && time(NULL) < limit)
		usleep(1000);
	assert_true(*flag);
}

int __wrap_covol_session_new(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
			     const int *lanes, unsigned int count)
{
	if (door.watched) {
		door.entered = true;
		await_flag(&door.closing);
		/* Who does not wait for this is done by then. */
		usleep(200000);
	}
	return __real_covol_session_new(c, uuid, peer, lanes, count);
}

static void *close_door(void *unused)
{
	(void)unused;
	await_flag(&door.entered);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, own_bit(2));
	door.closing = true;
	kernel_close_door(rig.vol);
	door.sessions = fake_requests();
	return NULL;
}

/* He was on his way in: his session is there when all of his are ended. */
static void test_close_door(void **state)
{
	struct guest guest = { { "covol/4", EPOCH, 2, 1 }, "b" };
	pthread_t thread;

	(void)state;
	memset(&door, 0, sizeof(door));
	door.watched = true;
	assert_int_equal(pthread_create(&thread, NULL, close_door, NULL), 0);
	receive_guest(&guest);
	pthread_join(thread, NULL);
	door.watched = false;
	assert_int_equal(door.sessions, 1);
	fake_request(0, COVOL_CMD_SESSION_NEW);
}

#define IDLE	16

static bool all_idle(void *data)
{
	(void)data;
	return rig.kernel.strangers == IDLE;
}

/* Who comes while many have not said who they are waits, and is not refused. */
static void test_many_strangers(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(rig.config.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct guest guest = { { "covol/4", EPOCH, 2, 1 }, "b" };
	int idle[IDLE], i;

	(void)state;
	assert_int_equal(kernel_listen(&rig.kernel), 0);
	for (i = 0; i < IDLE; i++) {
		idle[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(idle[i], (struct sockaddr *)&address, sizeof(address)), 0);
	}
	run_until(all_idle, NULL);
	begin_guest(&guest);
	for (i = 0; i < 10; i++)
		assert_true(sd_event_run(rig.kernel.event, 20000) >= 0);
	assert_int_equal(rig.kernel.strangers, IDLE);
	assert_false(guest.gone);
	for (i = 0; i < IDLE; i++)
		close(idle[i]);
	end_guest(&guest);
	assert_string_equal(guest.end.error, "");
	assert_int_equal(fake_requests(), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_let_in),	     TEST(test_changed_hello), TEST(test_refused),
		TEST(test_not_serving),	     TEST(test_given_up),      TEST(test_many_lines),
		TEST(test_lanes),	     TEST(test_lanes_refused), TEST(test_lanes_another),
		TEST(test_lanes_given_up),   TEST(test_lanes_late),    TEST(test_lanes_not_served),
		TEST(test_given_up_at_door), TEST(test_newer_at_door), TEST(test_many_strangers),
		TEST(test_close_door),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
