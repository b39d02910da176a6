/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire format as Documentation/protocol.rst has it, written down a second time: the module must
 * speak what is documented, not what its own header happens to say. Little-endian machines only.
 */
#ifndef SELFTESTS_WIRE_H
#define SELFTESTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum op {
	READ = 1, WRITE, FLUSH, DISCARD, WRITE_ZEROES, LAYOUT_GET, GRANT, RECALL,
	PING, GOODBYE
};

enum flag {
	RESPONSE = 0x1, FUA = 0x2, NOUNMAP = 0x4, DIGEST = 0x8
};

enum status {
	OK, IO, STALE, NO_OBJECT, RANGE, NO_SPACE, NO_PATH, MEDIUM, NOT_SUPPORTED
};

struct hdr {
	uint32_t magic;
	uint8_t version;
	uint8_t opcode;
	uint16_t flags;
	uint32_t status;
	uint32_t payload;
	uint64_t id;
	uint64_t epoch;
	uint8_t volume[16];
	uint64_t object;
	uint64_t offset;
	uint64_t length;
	uint64_t seq;
	uint32_t payload_crc;
	uint32_t crc;
};

_Static_assert(sizeof(struct hdr) == 88, "the header has 88 bytes");

struct extent {
	uint64_t offset;
	uint64_t length;
	uint64_t place;
	uint32_t state;
	uint32_t pad;
};

#define MAGIC	0x4c564f43u
#define IO_MAX	1048576u

/* Who we are, for all messages; from the command line. */
struct self {
	unsigned char uuid[16];
	uint32_t peer;
	uint64_t epoch;
};

extern struct self self;

uint32_t crc32c(const void *data, size_t len);
struct hdr request(enum op op, uint64_t object, uint64_t offset, uint64_t length);
struct hdr response(const struct hdr *to, enum status status);
void seal(struct hdr *hdr);

/* A new session of the module, and our end of it; what was there before ends. */
int session(void);
/* The same with so many lanes. */
void session_lanes(int *fds, unsigned int lanes);

/* Two ends of a TCP connection. */
void connection(int ends[2]);
/* The error with which the module refuses a session with these sockets; 0: it does not. */
int session_refused(const int32_t *fds, unsigned int lanes);

/* The session ends as planned. */
void session_remove(void);

/* The session ends, if there is one, and what we hold of layouts is forgotten. */
void session_end(void);

/* All of it, or an error of the other side's closing: then false. */
bool put(int fd, const void *data, size_t len);
bool put_msg(int fd, struct hdr hdr, const void *payload, size_t len);
bool get(int fd, void *data, size_t len);
/* A header; a PING on the way is answered. */
bool get_hdr(int fd, struct hdr *hdr);

/* Does the module close the connection within the time? What it sends before is forgotten. */
bool ends(int fd, int ms);

/* ---- the kernel's log, from log_open() on ---- */

void log_open(void);
bool logged(const char *text);
/* The module ends the session, and says this. */
void must_end(int fd, const char *text);

#endif /* SELFTESTS_WIRE_H */
