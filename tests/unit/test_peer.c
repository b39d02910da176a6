// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions between agents: whom the coordinator lets in, and whom a member takes for it. The kernel
 * is told of a peer only when that has proved who it is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../../userspace/covold/kernel.h"
#include "../../userspace/covold/pool.h"
#include "fake_kernel.h"
#include "peer_wrap.h"
#include "tls_test.h"

#define EPOCH	7
#define HELLO	48

/* What a member says in clear: protocol.rst has nothing of it, as no kernel sees it. */
struct hello_words {
	const char *magic;
	uint64_t epoch;
	uint32_t from;
	uint32_t to;
};

static struct {
	struct kernel kernel;
	struct config config;
	struct kernel_volume *vol;
	char paths[3][128];
	char *said;		/* in the journal */
	size_t said_size;
	FILE *real;
} rig;

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

/* ---- who comes to the coordinator ---- */

struct guest {
	struct hello_words words;
	const char *name;		/* of its certificate; NULL: no TLS */
	const struct hello_words *again;	/* what it says then; NULL: the same */
	struct tls_end end;
	atomic_bool gone;
	pthread_t thread;
};

static void send_hello(int fd, const struct hello_words *words)
{
	unsigned char hello[HELLO] = { 0 };
	unsigned int i;

	memcpy(hello, words->magic, 8);
	memcpy(hello + 8, fake_uuid.bytes, 16);
	for (i = 0; i < 8; i++)
		hello[24 + i] = words->epoch >> 8 * i;
	for (i = 0; i < 4; i++) {
		hello[32 + i] = words->from >> 8 * i;
		hello[36 + i] = words->to >> 8 * i;
	}
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
}

/* Who can write to the wire changes what was said in clear, and no more. */
static void test_changed_hello(void **state)
{
	static const struct hello_words changed[] = {
		{ "covol/4", EPOCH - 1, 2, 1 },
		{ "covol/4", EPOCH, 3, 1 },
		{ "covol/4", EPOCH, 2, 3 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		struct guest guest = { { "covol/4", EPOCH, 2, 1 }, "b", &changed[i] };
		size_t before = strlen(said());

		rig.kernel.complained = 0;
		receive_guest(&guest);
		assert_int_equal(fake_requests(), 0);
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

/* The door is being passed; the guest who stands before it is given up meanwhile. */
static void *give_up(void *data)
{
	struct guest *guest = data;

	pthread_mutex_lock(&rig.vol->door);
	door.entered = true;
	await_flag(&guest->gone);
	usleep(200000);
	kernel_shut_out(&rig.kernel, fake_uuid.bytes, own_bit(2));
	pthread_mutex_unlock(&rig.vol->door);
	return NULL;
}

/* He has proved who he is, but it is too late. */
static void test_too_late(void **state)
{
	struct guest guest = { { "covol/4", EPOCH, 2, 1 }, "b" };
	pthread_t thread;

	(void)state;
	memset(&door, 0, sizeof(door));
	assert_int_equal(pthread_create(&thread, NULL, give_up, &guest), 0);
	await_flag(&door.entered);
	receive_guest(&guest);
	pthread_join(thread, NULL);
	assert_string_equal(guest.end.error, "");
	assert_int_equal(fake_requests(), 0);
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

/* ---- to whom a member goes ---- */

struct host {
	const char *name;	/* of its certificate */
	int listener;
	unsigned char hello[HELLO];
	unsigned char again[HELLO];
	struct tls_end end;
	pthread_t thread;
};

static void *serve(void *data)
{
	struct host *host = data;

	host->end.fd = accept(host->listener, NULL, NULL);
	assert_true(host->end.fd >= 0);
	assert_int_equal(recv(host->end.fd, host->hello, HELLO, MSG_WAITALL), HELLO);
	host->end.server = true;
	host->end.name = host->name;
	host->end.peer = "a";
	tls_run(&host->end);
	if (!host->end.result)
		recv(host->end.fd, host->again, HELLO, MSG_WAITALL);
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
	pthread_join(host->thread, NULL);
	close(host->listener);
	close(host->end.fd);
}

/* The volume is known, with another coordinator; then the session is live. */
static void lay_answers(void)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);

	fake_put_volume(message);
	fake_add(message);
	fake_ack();
	fake_ack();
	fake_ack();
	message = fake_message(COVOL_CMD_SESSION_GET, 0);
	nla_put(message, COVOL_A_SESSION_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_SESSION_PEER, 2);
	nla_put_u32(message, COVOL_A_SESSION_STATE, COVOL_SESSION_STATE_LIVE);
	nla_put_u64(message, COVOL_A_SESSION_BYTES_RECEIVED, 1);
	fake_add(message);
	fake_ack();
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
	const unsigned char words[] = { EPOCH, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0 };
	struct host host = { .name = "b" };
	struct driver_answer answer;
	struct nlattr **sent;

	(void)state;
	lay_answers();
	begin_host(&host);
	assert_int_equal(go(&answer), OWN_OK);
	end_host(&host);
	assert_string_equal(answer.reason, "");
	assert_string_equal(said(), "");
	assert_memory_equal(host.hello, "covol/4", 8);
	assert_memory_equal(host.hello + 8, fake_uuid.bytes, 16);
	assert_memory_equal(host.hello + 24, words, sizeof(words));
	assert_memory_equal(host.again, host.hello, HELLO);
	sent = fake_request(2, COVOL_CMD_SESSION_NEW);
	assert_int_equal(nla_get_u32(sent[COVOL_A_SESSION_PEER]), 2);
	assert_int_equal(rig.vol->facts.session_epoch, EPOCH);
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
	struct host host = { .name = "b" };
	struct driver_answer answer;

	(void)state;
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
		TEST(test_let_in),	   TEST(test_refused),	   TEST(test_not_serving),
		TEST(test_given_up),	   TEST(test_many_lines),  TEST(test_member),
		TEST(test_impostor),	   TEST(test_own_refused), TEST(test_no_certificate),
		TEST(test_networks),	   TEST(test_no_address),  TEST(test_again),
		TEST(test_close_door),	   TEST(test_too_late),	   TEST(test_many_strangers),
		TEST(test_changed_hello),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
