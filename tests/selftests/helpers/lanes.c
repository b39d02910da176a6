// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer with several lanes, and what is about the session itself:
 *
 *	lanes UUID NODE EPOCH CASE [DEVICE|COMMAND]
 *
 * makes a session between the module's volume UUID and itself, as NODE, and does what CASE says.
 * Cases with a DEVICE play the coordinator of that member's device of image 1; the others play a
 * member. Exit status 0: the module did what it should.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"
#include "wire.h"

#define LANES	3
#define SECOND	1000
/* The module gives a silent peer up after ten seconds; on a slow machine its seconds are long. */
#define SILENT_LEAST	(5 * SECOND)
#define SILENT_MOST	(60 * SECOND)

static char data[65536];
static const char *argument;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void finish(int *fds, unsigned int lanes)
{
	session_end();
	while (lanes--)
		close(fds[lanes]);
}

static void all_end(int *fds, unsigned int lanes, const char *text)
{
	unsigned int i;

	for (i = 1; i < lanes; i++)
		if (!ends(fds[i], 20 * SECOND))
			die("lane %u goes on", i);
	must_end(fds[0], text);
}

/* The next message of a lane that is no PING; its payload is forgotten. */
static struct hdr next(int fd, const char *what)
{
	struct hdr hdr;

	if (!get_hdr(fd, &hdr))
		die("%s does not come", what);
	if (hdr.crc != crc32c(&hdr, offsetof(struct hdr, crc)))
		die("%s: a header with a wrong checksum", what);
	if (hdr.payload > sizeof(data) || !get(fd, data, hdr.payload))
		die("%s: its payload does not come", what);
	return hdr;
}

static void good_read(int fd)
{
	struct hdr asked = request(READ, 1, 0, 4096), hdr;

	put_msg(fd, asked, NULL, 0);
	hdr = next(fd, "the answer to a read");
	if (hdr.opcode != READ || hdr.flags != RESPONSE || hdr.id != asked.id || hdr.status != OK)
		die("not the answer to the read");
}

/* ---- PING ---- */

static bool is_answer(const struct hdr *hdr, const struct hdr *ping)
{
	return hdr->opcode == PING && hdr->flags == RESPONSE && hdr->id == ping->id &&
	       hdr->status == OK && !hdr->payload && hdr->epoch == self.epoch &&
	       hdr->crc == crc32c(hdr, offsetof(struct hdr, crc));
}

/* Many in a row, also with another epoch: each is answered, in order. */
static void ping(void)
{
	struct hdr pings[200], hdr;
	int fd = session(), i;

	for (i = 0; i < 200; i++) {
		pings[i] = request(PING, 0, 0, 0);
		pings[i].epoch += i % 2;
		seal(&pings[i]);
	}
	put(fd, pings, sizeof(pings));
	for (i = 0; i < 200; i++)
		if (!get_hdr(fd, &hdr) || !is_answer(&hdr, &pings[i]))
			die("PING %d has no answer, or a wrong one", i);
	good_read(fd);
	finish(&fd, 1);
}

static struct hdr next_ping(int fd)
{
	struct hdr hdr;
	int i;

	for (i = 0; i < 6; i++)
		if (get(fd, &hdr, sizeof(hdr)))
			break;
	if (i == 6)
		die("no PING");
	if (hdr.opcode != PING || hdr.flags || hdr.object || hdr.offset || hdr.length ||
	    hdr.payload || hdr.crc != crc32c(&hdr, offsetof(struct hdr, crc)))
		die("not a PING: opcode %u", hdr.opcode);
	return hdr;
}

/* Nobody waits for three looks in vain to learn that the module has the session. */
static void ping_first(void)
{
	int64_t began = now_ms(), first, second;
	int fd = session();
	struct hdr hdr = next_ping(fd);

	first = now_ms() - began;
	put_msg(fd, response(&hdr, OK), NULL, 0);
	began = now_ms();
	next_ping(fd);
	second = now_ms() - began;
	if (2 * first >= second)
		die("the first PING came after %lld ms, the next after %lld more", (long long)first,
		    (long long)second);
	finish(&fd, 1);
}

/* Answers to what the module did not ask end the session. */
static void ping_unasked(void)
{
	struct hdr hdr = request(PING, 0, 0, 0);
	int fd = session();

	put_msg(fd, response(&hdr, OK), NULL, 0);
	must_end(fd, "PING response to nothing we asked");
	fd = session();
	hdr = next_ping(fd);
	hdr.id++;
	put_msg(fd, response(&hdr, OK), NULL, 0);
	must_end(fd, "PING response to nothing we asked");
	fd = session();
	hdr = next_ping(fd);
	put_msg(fd, response(&hdr, OK), NULL, 0);
	put_msg(fd, response(&hdr, OK), NULL, 0);
	must_end(fd, "PING response to nothing we asked");
}

static void malformed(struct hdr hdr, const char *why)
{
	int fd;

	usleep(600000);		/* as in log_open() */
	fd = session();
	seal(&hdr);
	put_msg(fd, hdr, data, hdr.payload);
	must_end(fd, why);
}

static void ping_malformed(void)
{
	static const enum op ops[] = { PING, GOODBYE };
	struct hdr hdr;
	int i;

	for (i = 0; i < 2; i++) {
		malformed(request(ops[i], 1, 0, 0), "object where none belongs");
		malformed(request(ops[i], 0, 512, 0), "range where none belongs");
		malformed(request(ops[i], 0, 0, 512), "range where none belongs");
		hdr = request(ops[i], 0, 0, 0);
		hdr.payload = 32;
		malformed(hdr, "payload length does not fit");
		hdr = request(ops[i], 0, 0, 0);
		hdr.flags = FUA;
		malformed(hdr, "flag that the opcode does not have");
	}
	hdr = request(GOODBYE, 0, 0, 0);
	hdr.flags = RESPONSE;
	malformed(hdr, "response to a message that has none");
}

/* Takes what comes for a time; PINGs of those lanes that are in the mask are answered. How many. */
static unsigned int answer_pings(int *fds, unsigned int lanes, unsigned int mask, int64_t until)
{
	struct pollfd polled[LANES];
	unsigned int i, pings = 0;
	struct hdr hdr;

	while (now_ms() < until) {
		for (i = 0; i < lanes; i++)
			polled[i] = (struct pollfd) { .fd = fds[i], .events = POLLIN };
		if (poll(polled, lanes, 100) < 0)
			die("poll: %s", strerror(errno));
		for (i = 0; i < lanes; i++) {
			if (!polled[i].revents)
				continue;
			if (!get(fds[i], &hdr, sizeof(hdr)))
				return pings;
			if (hdr.opcode != PING)
				continue;
			pings++;
			if (mask & 1 << i)
				put_msg(fds[i], response(&hdr, OK), NULL, 0);
		}
	}
	return pings;
}

/* One lane is silent, the other is not. */
static void silent(void)
{
	int64_t begin = now_ms(), took;
	int fds[2];

	session_lanes(fds, 2);
	answer_pings(fds, 2, 1 << 0, begin + SILENT_MOST);
	took = now_ms() - begin;
	if (took < SILENT_LEAST || took >= SILENT_MOST)
		die("a silent lane was given up after %lld ms", (long long)took);
	all_end(fds, 2, "the peer does not answer");
}

/* One that reads nothing at all, and has been asked nothing. */
static void deaf(void)
{
	int fd = session();

	sleep(SILENT_LEAST / SECOND);
	must_end(fd, "the peer does not answer");
}

static pid_t reader(uint64_t offset)
{
	pid_t pid = fork();
	char *block;
	int fd;

	if (pid)
		return pid;
	fd = open(argument, O_RDONLY | O_DIRECT);
	if (fd < 0 || posix_memalign((void **)&block, 4096, 4096))
		_exit(100);
	if (pread(fd, block, 4096, offset) != 4096)
		_exit(errno);
	_exit(block[0] == 0x33 && !memcmp(block, block + 1, 4095) ? 0 : 101);
}

static void reader_ends(pid_t pid)
{
	int status;

	alarm(60);
	waitpid(pid, &status, 0);
	alarm(0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("the reader ended with %d", WEXITSTATUS(status));
}

/* Whose READ comes on which lane; LAYOUT_GETs are answered, and must come on the first. */
static struct hdr next_read(int *fds, unsigned int lanes, unsigned int *lane)
{
	int64_t until = now_ms() + 20 * SECOND;
	struct pollfd polled;
	struct hdr hdr;
	unsigned int i;

	while (now_ms() < until) {
		for (i = 0; i < lanes; i++) {
			polled = (struct pollfd) { .fd = fds[i], .events = POLLIN };
			if (poll(&polled, 1, 20) != 1)
				continue;
			if (!get(fds[i], &hdr, sizeof(hdr)))
				die("lane %u has ended", i);
			*lane = i;
			if (hdr.opcode == READ)
				return hdr;
			if (hdr.opcode != PING && i)
				die("opcode %u on lane %u", hdr.opcode, i);
			put_msg(fds[i], response(&hdr, OK), NULL, 0);
		}
	}
	die("the module asks for nothing");
}

static void answer_read(int fd, const struct hdr *hdr)
{
	memset(data, 0x33, 4096);
	put_msg(fd, response(hdr, OK), data, 4096);
}

/* It takes longer than a silent peer has; but it reads. */
static void slow(void)
{
	int fd = session();
	pid_t pid = reader(0);
	unsigned int lane, pings;
	struct hdr hdr = next_read(&fd, 1, &lane);

	pings = answer_pings(&fd, 1, 1, now_ms() + 15 * SECOND);
	if (pings < 2)
		die("%u PINGs in 15 s", pings);
	answer_read(fd, &hdr);
	reader_ends(pid);
	finish(&fd, 1);
}

/* ---- GOODBYE ---- */

static void goodbye(void)
{
	int fds[LANES];

	session_lanes(fds, LANES);
	put_msg(fds[1], request(GOODBYE, 0, 0, 0), NULL, 0);
	all_end(fds, LANES, "ended as planned");
}

static pid_t remover(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	session_remove();
	_exit(0);
}

static void goodbye_comes(void)
{
	int fds[LANES];
	struct hdr hdr;
	pid_t pid;

	session_lanes(fds, LANES);
	pid = remover();
	hdr = next(fds[0], "GOODBYE");
	if (hdr.opcode != GOODBYE || hdr.flags)
		die("opcode %u in place of GOODBYE", hdr.opcode);
	shutdown(fds[1], SHUT_WR);	/* the remover has it, too */
	reader_ends(pid);
	all_end(fds, LANES, "ended as planned");
}

/* Who does not care is not waited for without end. */
static void goodbye_deaf(void)
{
	int64_t begin = now_ms();
	int fd = session();

	reader_ends(remover());
	if (now_ms() - begin < 2 * SECOND)
		die("the peer has no time to end the session");
	if (!ends(fd, 20 * SECOND))
		die("the session goes on");
}

/* ---- lanes ---- */

/* Requests on each lane at once: each is answered where it was asked. */
static void each_lane(void)
{
	struct hdr asked[LANES], hdr;
	int fds[LANES], i;

	session_lanes(fds, LANES);
	for (i = 0; i < LANES; i++) {
		asked[i] = request(READ, 1, i * 4096, 4096);
		put_msg(fds[i], asked[i], NULL, 0);
	}
	for (i = LANES; i--;) {
		hdr = next(fds[i], "the answer to a read");
		if (hdr.id != asked[i].id || hdr.opcode != READ)
			die("lane %d has the answer to something else", i);
	}
	finish(fds, LANES);
}

/* A session with a lane that is not fit does not come to be; nor do its other lanes. */
static void all_or_none(void)
{
	int unfit = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int32_t fds[2];
	int ends[2], error, i;

	for (i = 0; i < 2; i++) {
		connection(ends);
		fds[0] = ends[1];
		fds[1] = i ? ends[1] : unfit;
		put_msg(ends[0], request(READ, 1, 0, 4096), NULL, 0);
		error = session_refused(fds, 2);
		if (error != (i ? EBUSY : ENOTCONN))
			die("refused with %s", strerror(error));
		if (recv(ends[0], data, 1, MSG_DONTWAIT) > 0)
			die("the lane that was fit has answered");
		close(ends[0]);
		close(ends[1]);
	}
	each_lane();
}

/* One lane ends, by itself: all do. */
static void cut(void)
{
	int fds[LANES];

	session_lanes(fds, LANES);
	good_read(fds[1]);
	shutdown(fds[2], SHUT_WR);
	all_end(fds, LANES, "closed by the peer");
}

static pid_t command(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	execl("/bin/sh", "sh", "-c", argument, NULL);
	_exit(127);
}

/*
 * How many GRANTs come on the first lane until the process ends. PINGs are answered: it may take
 * longer than a silent peer has.
 */
static unsigned int grants_until_end(pid_t pid, int *fds, unsigned int lanes)
{
	unsigned int i, grants = 0;
	struct pollfd polled;
	struct hdr hdr;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		for (i = 0; i < lanes; i++) {
			polled = (struct pollfd) { .fd = fds[i], .events = POLLIN };
			if (poll(&polled, 1, 20) != 1)
				continue;
			if (!get(fds[i], &hdr, sizeof(hdr)) || hdr.payload > sizeof(data) ||
			    !get(fds[i], data, hdr.payload))
				die("lane %u has ended", i);
			if (hdr.opcode == PING)
				put_msg(fds[i], response(&hdr, OK), NULL, 0);
			else if (hdr.opcode == GRANT && !i)
				grants++;
			else
				die("opcode %u on lane %u", hdr.opcode, i);
		}
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("failed: %s", argument);
	return grants;
}

/*
 * COMMAND makes the module grant us something. Grants and recalls come on the first lane, in order;
 * the answer to the discard that is the reason for the recall where that was asked.
 */
static void control(void)
{
	struct hdr discard = request(DISCARD, 1, 0, 65536), hdr;
	unsigned int grants;
	int fds[LANES];

	session_lanes(fds, LANES);
	grants = grants_until_end(command(), fds, LANES);
	put_msg(fds[2], discard, NULL, 0);
	while ((hdr = next(fds[0], "GRANT or RECALL")).opcode == GRANT)
		grants++;
	if (hdr.opcode != RECALL || !grants)
		die("%u grants, then opcode %u", grants, hdr.opcode);
	put_msg(fds[0], response(&hdr, OK), NULL, 0);
	hdr = next(fds[2], "the answer to the discard");
	if (hdr.id != discard.id || hdr.status != OK)
		die("opcode %u in place of the answer to the discard", hdr.opcode);
	good_read(fds[1]);
	finish(fds, LANES);
}

/* The module's requests for data come on the other lanes; from all CPUs. */
static void data_lanes(void)
{
	int fds[LANES], i;
	unsigned int lane;
	struct hdr hdr;
	pid_t pid;

	session_lanes(fds, LANES);
	for (i = 0; i < 8; i++) {
		pid = reader(i * 4096);
		hdr = next_read(fds, LANES, &lane);
		if (!lane)
			die("data on the control lane");
		answer_read(fds[lane], &hdr);
		reader_ends(pid);
	}
	finish(fds, LANES);
}

/* A right answer, but not where it was asked. */
static void other_lane(void)
{
	int fds[LANES];
	unsigned int lane;
	struct hdr hdr;
	pid_t pid;

	session_lanes(fds, LANES);
	pid = reader(0);
	hdr = next_read(fds, LANES, &lane);
	answer_read(fds[lane == 1 ? 2 : 1], &hdr);
	all_end(fds, LANES, "READ response to nothing we asked");
	session_lanes(fds, LANES);
	hdr = next_read(fds, LANES, &lane);
	answer_read(fds[lane], &hdr);
	reader_ends(pid);
	finish(fds, LANES);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "ping", ping }, { "ping-first", ping_first }, { "ping-unasked", ping_unasked },
	{ "ping-malformed", ping_malformed },
	{ "silent", silent }, { "deaf", deaf }, { "slow", slow },
	{ "goodbye", goodbye }, { "goodbye-comes", goodbye_comes },
	{ "goodbye-deaf", goodbye_deaf },
	{ "each-lane", each_lane }, { "all-or-none", all_or_none },
	{ "cut", cut }, { "control", control },
	{ "data-lanes", data_lanes }, { "other-lane", other_lane },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc < 5 || !uuid_parse(argv[1], self.uuid))
		die("usage: lanes UUID NODE EPOCH CASE [DEVICE|COMMAND]");
	self.peer = atoi(argv[2]);
	self.epoch = atoi(argv[3]);
	argument = argv[5];
	log_open();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, argv[4]))
			continue;
		cases[i].run();
		session_end();
		return 0;
	}
	die("there is no case %s", argv[4]);
}
