// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages and sessions for the tests. See wire.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/covol.h>

#include "genl.h"
#include "wire.h"

struct self self;

/* Seed ~0, not inverted at the end. */
uint32_t crc32c(const void *data, size_t len)
{
	const uint8_t *at = data;
	uint32_t crc = ~0u;
	int bit;

	while (len--) {
		crc ^= *at++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

void seal(struct hdr *hdr)
{
	hdr->crc = crc32c(hdr, offsetof(struct hdr, crc));
}

struct hdr request(enum op op, uint64_t object, uint64_t offset, uint64_t length)
{
	static uint64_t id = 1000;
	struct hdr hdr = {
		.magic = MAGIC, .version = 1, .opcode = op, .id = id++, .epoch = self.epoch,
		.object = object, .offset = offset, .length = length,
	};

	memcpy(hdr.volume, self.uuid, sizeof(hdr.volume));
	if (op == WRITE)
		hdr.payload = length;
	seal(&hdr);
	return hdr;
}

struct hdr response(const struct hdr *to, enum status status)
{
	struct hdr hdr = *to;

	hdr.flags = RESPONSE;
	hdr.status = status;
	hdr.payload = status == OK && hdr.opcode == READ ? hdr.length : 0;
	hdr.payload_crc = 0;
	seal(&hdr);
	return hdr;
}

void connection(int ends[2])
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (void *)&addr, sizeof(addr)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len))
		die("listening: %s", strerror(errno));
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ends[0] < 0 || connect(ends[0], (void *)&addr, sizeof(addr)))
		die("connecting: %s", strerror(errno));
	ends[1] = accept(listener, NULL, NULL);
	if (ends[1] < 0)
		die("accepting: %s", strerror(errno));
	close(listener);
}

/* A command about our session, with sockets for its lanes or with none. */
static struct genl_answer try_session(uint8_t cmd, const int32_t *fds, unsigned int lanes,
				      bool forget)
{
	static struct genl_msg msg;
	static int sock = -1;
	static uint16_t family;
	struct genl_answer answer;

	if (sock < 0) {
		sock = genl_open();
		family = genl_family(sock, COVOL_GENL_NAME);
	}
	genl_begin(&msg, family, 0, cmd);
	genl_put(&msg, COVOL_A_SESSION_UUID, self.uuid, sizeof(self.uuid));
	genl_put(&msg, COVOL_A_SESSION_PEER, &self.peer, sizeof(self.peer));
	while (lanes--)
		genl_put(&msg, COVOL_A_SESSION_FD, fds++, sizeof(*fds));
	if (forget)
		genl_put(&msg, COVOL_A_SESSION_FORGET, NULL, 0);
	genl_ask(sock, &msg, &answer);
	return answer;
}

static void ask_session(uint8_t cmd, const int32_t *fds, unsigned int lanes, bool forget)
{
	struct genl_answer answer = try_session(cmd, fds, lanes, forget);

	if (answer.error)
		die("session command %u: %s %s", cmd, strerror(answer.error), answer.text);
}

void session_lanes(int *fds, unsigned int lanes)
{
	int32_t theirs[COVOL_LANES_MAX] = { 0 };
	int ends[2];
	unsigned int i;

	for (i = 0; i < lanes; i++) {
		connection(ends);
		fds[i] = ends[0];
		theirs[i] = ends[1];
	}
	ask_session(COVOL_CMD_SESSION_NEW, theirs, lanes, false);
	for (i = 0; i < lanes; i++)
		close(theirs[i]);
}

int session_refused(const int32_t *fds, unsigned int lanes)
{
	return try_session(COVOL_CMD_SESSION_NEW, fds, lanes, false).error;
}

int session(void)
{
	int fd;

	session_lanes(&fd, 1);
	return fd;
}

void session_end(void)
{
	ask_session(COVOL_CMD_SESSION_DEL, NULL, 0, true);
}

void session_remove(void)
{
	ask_session(COVOL_CMD_SESSION_DEL, NULL, 0, false);
}

bool put(int fd, const void *data, size_t len)
{
	ssize_t done;

	for (; len; data = (const char *)data + done, len -= done) {
		done = send(fd, data, len, MSG_NOSIGNAL);
		if (done < 0)
			return false;
	}
	return true;
}

bool put_msg(int fd, struct hdr hdr, const void *payload, size_t len)
{
	return put(fd, &hdr, sizeof(hdr)) && put(fd, payload, len);
}

bool get(int fd, void *data, size_t len)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	ssize_t done;

	for (; len; data = (char *)data + done, len -= done) {
		if (poll(&pollfd, 1, 10000) != 1)
			return false;
		done = recv(fd, data, len, 0);
		if (done <= 0)
			return false;
	}
	return true;
}

bool get_hdr(int fd, struct hdr *hdr)
{
	for (;;) {
		if (!get(fd, hdr, sizeof(*hdr)))
			return false;
		if (hdr->opcode != PING || hdr->flags & RESPONSE)
			return true;
		put_msg(fd, response(hdr, OK), NULL, 0);
	}
}

bool ends(int fd, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	static char buf[65536];

	while (poll(&pollfd, 1, ms) == 1)
		if (recv(fd, buf, sizeof(buf), 0) <= 0)
			return true;
	return false;
}

/* ---- the kernel's log ---- */

static int kmsg = -1;

void log_open(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		die("/dev/kmsg: %s", strerror(errno));
	/* The module logs ten ends of sessions in five seconds; each case has one. */
	usleep(600000);
}

static bool of_peer(const char *line)
{
	char node[24], peer[24];

	snprintf(node, sizeof(node), "node %u", self.peer);
	snprintf(peer, sizeof(peer), "peer %u", self.peer);
	return strstr(line, node) || strstr(line, peer);
}

/* A line about any peer, or about us as a peer: others may be there at the same time. */
static bool logged_by(const char *text, bool any)
{
	static char line[8192];
	ssize_t len;
	int i;

	/* The session ends before its last words are in the log. */
	for (i = 0; i < 300; i++) {
		/* EPIPE: some messages were lost, the next ones come */
		do {
			len = read(kmsg, line, sizeof(line) - 1);
			line[len > 0 ? len : 0] = 0;
			if (strstr(line, text) && (any || of_peer(line)))
				return true;
		} while (len > 0 || (len < 0 && errno == EPIPE));
		usleep(100000);
	}
	return false;
}

bool logged(const char *text)
{
	return logged_by(text, true);
}

void must_end(int fd, const char *text)
{
	if (!ends(fd, 20000))
		die("the session goes on");
	if (!logged_by(text, false))
		die("the session ended, but \"%s\" is not in the log", text);
	close(fd);
}
