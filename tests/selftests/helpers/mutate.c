// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer that does anything:
 *
 *	mutate UUID NODE EPOCH SECONDS SEED
 *
 * makes one session after the other with the module's volume UUID, as NODE, and does in each one of
 * several things (see kinds[]) with random mutations of valid messages. Most have a right checksum,
 * so that they get past it. Each session has random numbers of its own, which follow from SEED and
 * its number. Nothing is expected of the module but that it lives: prints how many messages went
 * out in how many sessions of each kind.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"
#include "wire.h"

#define IMAGE_SIZE (8u << 20)
/* The last opcode that there is. */
#define OP_LAST GOODBYE
/* The module's window, and more. */
#define OUTSTANDING 200

static uint64_t state;
static char payload[1 << 16];
static long messages;

/* xorshift64* */
static uint64_t any(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull % below;
}

/* Values at which bounds are got wrong. */
static uint64_t edge(void)
{
	static const uint64_t values[] = {
		0, 1, 511, 512, 513, 4096, IO_MAX - 512, IO_MAX, IO_MAX + 512,
		IMAGE_SIZE - 512, IMAGE_SIZE, 1ull << 31, (1ull << 32) - 512,
		1ull << 54, (1ull << 63) - 512, 1ull << 63, ~0ull, ~511ull,
	};

	return values[any(sizeof(values) / sizeof(values[0]))];
}

static struct hdr valid(void)
{
	/* A GOODBYE ends the session, so it is no more than a mutation. */
	enum op op = 1 + any(PING);
	uint64_t object = any(4) && op != PING ? 1 : 0;
	bool range = op != FLUSH && op != PING;
	uint64_t length = range ? 512 * (1 + any(32)) : 0;
	uint64_t offset = range ? 512 * any(IMAGE_SIZE / 512 - 32) : 0;
	struct hdr hdr = request(op, object, offset, length);

	if (op == GRANT)
		hdr.payload = sizeof(struct extent) * any(8);
	if (op == WRITE && any(2))
		hdr.flags |= FUA;
	if (!any(8))
		hdr.flags |= RESPONSE;
	return hdr;
}

static void mutate(struct hdr *hdr)
{
	switch (any(12)) {
	case 0:
		((uint8_t *)hdr)[any(sizeof(*hdr))] ^= 1 << any(8);
		break;
	case 1:
		((uint8_t *)hdr)[any(sizeof(*hdr))] = any(256);
		break;
	case 2:
		hdr->offset = edge();
		break;
	case 3:
		hdr->length = edge();
		break;
	case 4:
		hdr->payload = edge();
		break;
	case 5:
		hdr->length = edge();
		hdr->payload = hdr->length;
		break;
	case 6:
		hdr->object = edge();
		break;
	case 7:
		hdr->opcode = any(4) ? any(OP_LAST + 4) : any(256);
		break;
	case 8:
		hdr->flags = any(4) ? any(32) : any(1 << 16);
		break;
	case 9:
		hdr->epoch += any(3) - 1;
		break;
	case 10:
		hdr->id = any(2) ? any(128) : any(1 << 20) << 16 | any(200);
		break;
	default:
		hdr->seq = edge();
	}
}

static void fill_extents(struct extent *ext, unsigned int nr, const struct hdr *hdr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ext[i] = (struct extent) {
			.offset = hdr->offset + 512 * i, .length = 512, .state = 1 + any(4),
		};
		if (ext[i].state > 2)
			ext[i].place = 512 * any(1024);
		if (!any(16))
			ext[i].offset = edge();
		if (!any(16))
			ext[i].length = edge();
		if (!any(16))
			ext[i].place = edge();
		if (!any(16))
			ext[i].state = any(8);
	}
}

/* A message, how much of its payload goes with it, and the payload. */
static size_t make(struct hdr *hdr, unsigned int mutations)
{
	unsigned int i;
	size_t len;

	*hdr = valid();
	for (i = 0; i < mutations; i++)
		mutate(hdr);
	if (!mutations || any(8))
		seal(hdr);
	len = hdr->payload > sizeof(payload) ? any(sizeof(payload)) : hdr->payload;
	if (hdr->opcode == GRANT)
		fill_extents((struct extent *)payload, len / sizeof(struct extent), hdr);
	return len;
}

/* What the module has sent so far; nobody looks at it. */
static void drop_answers(int fd)
{
	static char drop[1 << 16];

	while (recv(fd, drop, sizeof(drop), MSG_DONTWAIT) > 0)
		;
}

static bool send_msg(int fd, struct hdr hdr, size_t len)
{
	messages++;
	return put_msg(fd, hdr, payload, len);
}

/* ---- kinds of sessions ---- */

/* One message after the other, until the module has had enough. */
static void mutations(int fd)
{
	unsigned int nr = 1 + any(32);
	struct hdr hdr;
	size_t len;

	while (nr--) {
		len = make(&hdr, any(4));
		if (!send_msg(fd, hdr, len) || len != hdr.payload)
			return;
		drop_answers(fd);
	}
}

/* As many requests as go, no answer read. */
static void outstanding(int fd)
{
	unsigned int nr = 1 + any(OUTSTANDING);
	struct hdr hdr;
	size_t len;

	while (nr--) {
		hdr = valid();
		hdr.flags &= ~RESPONSE;
		seal(&hdr);
		len = hdr.payload;
		if (hdr.opcode == GRANT)
			fill_extents((struct extent *)payload, len / sizeof(struct extent), &hdr);
		if (!send_msg(fd, hdr, len))
			return;
	}
}

/* Some bytes of a message; it ends there, or after a while. */
static void half(int fd)
{
	struct hdr hdr;
	size_t len = make(&hdr, any(2)), some;

	some = any(sizeof(hdr) + len);
	messages++;
	if (some <= sizeof(hdr))
		put(fd, &hdr, some);
	else
		put_msg(fd, hdr, payload, some - sizeof(hdr));
	if (any(2))
		shutdown(fd, SHUT_WR);
	usleep(any(20000));
}

/* Good messages in pieces. */
static void pieces(int fd)
{
	unsigned int nr = 1 + any(4);
	struct hdr hdr;
	size_t len, some, at;

	while (nr--) {
		hdr = valid();
		hdr.flags &= ~RESPONSE;
		seal(&hdr);
		len = hdr.payload;
		messages++;
		for (at = 0; at < sizeof(hdr); at += some) {
			some = 1 + any(sizeof(hdr) - at);
			if (!put(fd, (char *)&hdr + at, some))
				return;
			usleep(any(2000));
		}
		for (at = 0; at < len; at += some) {
			some = 1 + any(len - at);
			if (!put(fd, payload + at, some))
				return;
		}
	}
	drop_answers(fd);
}

/* Grants and recalls, good and bad: for a member they count, a coordinator wants none. */
static void layouts(int fd)
{
	unsigned int nr = 1 + any(64), extents;
	struct hdr hdr;

	while (nr--) {
		hdr = request(any(3) ? GRANT : RECALL, 1, 512 * any(IMAGE_SIZE / 512 - 64),
			      512 * 64);
		hdr.seq = any(4) ? (uint64_t)messages : edge();
		extents = hdr.opcode == GRANT ? any(8) : 0;
		hdr.payload = extents * sizeof(struct extent);
		fill_extents((struct extent *)payload, extents, &hdr);
		if (!any(16))
			mutate(&hdr);
		seal(&hdr);
		if (!send_msg(fd, hdr, extents * sizeof(struct extent)))
			return;
		drop_answers(fd);
	}
}

/* Answers to what was not asked. */
static void unasked(int fd)
{
	unsigned int nr = 1 + any(4);
	struct hdr hdr;

	while (nr--) {
		hdr = valid();
		hdr = response(&hdr, any(12));
		hdr.id = any(2) ? any(256) : any(1 << 12) << 16 | any(160);
		seal(&hdr);
		if (!send_msg(fd, hdr, hdr.payload < sizeof(payload) ? hdr.payload : 0))
			return;
	}
}

/* Is there a whole header within the time? */
static bool asked(int fd, struct hdr *hdr)
{
	struct timeval patience = { .tv_usec = 200000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return recv(fd, hdr, sizeof(*hdr), MSG_WAITALL) == sizeof(*hdr);
}

/* What the module asks, answered rightly, nearly rightly, twice, late, or not at all. */
static void answers(int fd)
{
	unsigned int nr = 1 + any(16), times;
	static char drop[IO_MAX];
	struct hdr hdr;
	size_t len;

	while (nr-- && asked(fd, &hdr)) {
		if (hdr.payload && (hdr.payload > sizeof(drop) || !get(fd, drop, hdr.payload)))
			return;
		if (hdr.flags & RESPONSE || !any(8))
			continue;
		hdr = response(&hdr, any(4) ? OK : any(12));
		if (!any(3))
			mutate(&hdr);
		seal(&hdr);
		len = hdr.payload > sizeof(payload) ? any(sizeof(payload)) : hdr.payload;
		if (!any(8))
			len = any(len + 1);
		if (!any(8))
			usleep(any(50000));
		for (times = any(8) ? 1 : 2; times; times--)
			if (!send_msg(fd, hdr, len))
				return;
		if (len != hdr.payload)
			return;
	}
}

static struct {
	const char *name;
	void (*run)(int fd);
	long sessions;
} kinds[] = {
	{ "mutations", mutations }, { "outstanding", outstanding }, { "half", half },
	{ "pieces", pieces }, { "layouts", layouts }, { "unasked", unasked },
	{ "answers", answers },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---- one session after the other ---- */

/* Closed, with what is on its way; cut off; or left to be replaced by the next session. */
static void leave(int fd, int *left)
{
	struct linger reset = { .l_onoff = 1 };

	if (*left >= 0)
		close(*left);
	*left = -1;
	switch (any(3)) {
	case 0:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		break;
	case 1:
		*left = fd;
		return;
	}
	close(fd);
}

static void one_session(int *left)
{
	struct timeval patience = { .tv_sec = 2 };
	unsigned int kind = any(KINDS);
	int fd = session();

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	kinds[kind].sessions++;
	kinds[kind].run(fd);
	leave(fd, left);
}

static bool all_kinds(void)
{
	unsigned int i;

	for (i = 0; i < KINDS; i++)
		if (!kinds[i].sessions)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	long seconds, sessions = 0;
	uint64_t seed;
	unsigned int i;
	int left = -1;
	time_t end;

	if (argc != 6 || !uuid_parse(argv[1], self.uuid))
		die("usage: mutate UUID NODE EPOCH SECONDS SEED");
	self.peer = atoi(argv[2]);
	self.epoch = atoi(argv[3]);
	seconds = atol(argv[4]);
	seed = strtoull(argv[5], NULL, 10);
	/* On a slow machine longer: of each kind there is one at least. */
	for (end = time(NULL) + seconds; time(NULL) < end || !all_kinds(); sessions++) {
		state = (seed + sessions) * 0x9e3779b97f4a7c15ull + 1;
		/* The first numbers of neighbouring seeds are alike. */
		for (i = 0; i < 8; i++)
			any(2);
		one_session(&left);
	}
	session_end();
	printf("%ld messages in %ld sessions:", messages, sessions);
	for (i = 0; i < KINDS; i++)
		printf(" %ld %s", kinds[i].sessions, kinds[i].name);
	printf("\n");
	return 0;
}
