// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random mutations of valid messages:
 *
 *	mutate UUID NODE EPOCH MESSAGES SEED
 *
 * Most have a right checksum, so that they get past it. Nothing is expected of the module but that
 * it lives: prints how many messages went out in how many sessions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "genl.h"
#include "wire.h"

#define IMAGE_SIZE (8u << 20)

static uint64_t state;

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
	enum op op = 1 + any(RECALL);
	uint64_t object = any(4) ? 1 : 0;
	uint64_t length = op == FLUSH ? 0 : 512 * (1 + any(32));
	uint64_t offset = op == FLUSH ? 0 : 512 * any(IMAGE_SIZE / 512 - 32);
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
		hdr->opcode = any(12);
		break;
	case 8:
		hdr->flags = any(32);
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

/* False: the session is over. */
static bool send_one(int fd)
{
	static char payload[1 << 16], drop[1 << 16];
	struct hdr hdr = valid();
	size_t len;
	int i;

	for (i = any(4); i > 0; i--)
		mutate(&hdr);
	if (any(8))
		seal(&hdr);
	len = hdr.payload > sizeof(payload) ? any(sizeof(payload)) : hdr.payload;
	if (!any(32))
		len = any(len + 1);
	if (hdr.opcode == GRANT)
		fill_extents((struct extent *)payload, len / sizeof(struct extent), &hdr);
	if (!put_msg(fd, hdr, payload, len))
		return false;
	while (any(4) && recv(fd, drop, sizeof(drop), MSG_DONTWAIT) > 0)
		;
	/* The module waits for what never comes: begin anew. */
	return len == hdr.payload && any(16);
}

int main(int argc, char **argv)
{
	struct timeval patience = { .tv_sec = 2 };
	long messages, done, sessions = 0;
	int fd = -1;

	if (argc != 6 || !uuid_parse(argv[1], self.uuid))
		die("usage: mutate UUID NODE EPOCH MESSAGES SEED");
	self.peer = atoi(argv[2]);
	self.epoch = atoi(argv[3]);
	messages = atol(argv[4]);
	state = strtoull(argv[5], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
	for (done = 0; done < messages; done++) {
		if (fd < 0) {
			fd = session();
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
			sessions++;
		}
		if (!send_one(fd)) {
			close(fd);
			fd = -1;
		}
	}
	session_end();
	printf("%ld messages in %ld sessions\n", done, sessions);
	return 0;
}
