// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer that misbehaves:
 *
 *	peer UUID NODE EPOCH CASE [DEVICE|OFFSET]
 *
 * makes a session between the module's volume UUID and itself, as NODE, and does what CASE says.
 * The cases of a peer attack a coordinator that serves image 1 (at least 4 MiB); those of a
 * coordinator attack a member with DEVICE, its device of image 1. "zeroes-fua" is no attack: 4 KiB
 * of the LUN, at OFFSET in the volume, are zeroes when it ends, and stable. "parts-of-blocks" is
 * for a LUN of 4096 bytes a block. Exit status 0: the module did what it should.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"
#include "wire.h"

/* What one session may have in service, with something for the sockets. */
#define FLOOD_MIB	256
#define SECOND		1000

static char data[IO_MAX], buf[2 * IO_MAX];
/* What follows the case on the command line. */
static const char *argument;

/* Without a line in the log. */
static void finish(int fd)
{
	session_end();
	close(fd);
}

/* ---- answers ---- */

static struct hdr answer_to(int fd, const struct hdr *asked)
{
	struct hdr hdr;

	if (!get_hdr(fd, &hdr))
		die("no answer: the session has ended, or nothing came in time");
	if (hdr.crc != crc32c(&hdr, offsetof(struct hdr, crc)) || hdr.magic != MAGIC)
		die("the answer is no message");
	if (hdr.id != asked->id || hdr.opcode != asked->opcode || !(hdr.flags & RESPONSE))
		die("not the answer to this question");
	if (hdr.payload && !get(fd, buf, hdr.payload))
		die("the answer has no payload");
	return hdr;
}

static void expect(int fd, struct hdr asked, const void *payload, size_t len, enum status status)
{
	struct hdr hdr;

	if (!put_msg(fd, asked, payload, len))
		die("sending: %s", strerror(errno));
	hdr = answer_to(fd, &asked);
	if (hdr.status != status)
		die("status %u, should be %u", hdr.status, status);
}

/* The session is as good as new. */
static void still_good(int fd)
{
	expect(fd, request(READ, 1, 0, 4096), NULL, 0, OK);
	finish(fd);
}

/* ---- malformed: the session ends, and the log says why ---- */

struct malformed {
	const char *name;
	const char *why;
	struct hdr hdr;		/* what differs from a READ of 4 KiB; 0: nothing */
	bool unsealed;
};

static const struct malformed malformed[] = {
	{ "magic", "bad magic", { .magic = 0x12345678 } },
	{ "version", "unknown version", { .version = 2 } },
	{ "crc", "bad header checksum", { .crc = 1 }, true },
	{ "opcode", "unknown opcode", { .opcode = 200 } },
	{ "opcode-next", "unknown opcode", { .opcode = GOODBYE + 1 } },
	{ "flag", "flag that the opcode does not have", { .flags = FUA } },
	{ "flag-unknown", "flag that the opcode does not have", { .flags = 0x8000 } },
	{ "status", "bad status", { .status = IO } },
	{ "too-long", "more data than one I/O may move", { .length = IO_MAX + 512 } },
	{ "payload-too-long", "payload length does not fit", { .payload = 0xffffffff } },
	{ "write-too-long", "more data than one I/O may move",
	  { .opcode = WRITE, .length = 1ull << 31, .payload = 1u << 31 } },
	{ "write-payload", "payload length does not fit", { .opcode = WRITE, .payload = 512 } },
	{ "not-in-sectors", "range is not in sectors", { .length = 1000 } },
	{ "overflow", "range overflows", { .offset = ~511ull } },
	{ "flush-range", "range where none belongs", { .opcode = FLUSH } },
	{ "extents-too-many", "payload is not a list of extents",
	  { .opcode = GRANT, .payload = 513 * 32 } },
	{ "extents-odd", "payload is not a list of extents", { .opcode = GRANT, .payload = 33 } },
	{ "grant-response", "response to a message that has none",
	  { .opcode = GRANT, .flags = RESPONSE } },
	{ "response", "response to nothing we asked", { .flags = RESPONSE, .payload = 4096 } },
	{ "response-slot", "response to nothing we asked",
	  { .opcode = RECALL, .flags = RESPONSE, .id = 0xffffffffffffffff } },
	{ "other-volume", "message for another volume", { .volume = { 1 } } },
};

static void send_malformed(const struct malformed *m)
{
	struct hdr hdr = request(READ, 1, 0, 4096);
	int fd = session();

	hdr.magic = m->hdr.magic ?: hdr.magic;
	hdr.version = m->hdr.version ?: hdr.version;
	hdr.opcode = m->hdr.opcode ?: hdr.opcode;
	hdr.flags = m->hdr.flags;
	hdr.status = m->hdr.status;
	hdr.payload = m->hdr.payload;
	hdr.id = m->hdr.id ?: hdr.id;
	hdr.offset = m->hdr.offset;
	hdr.length = m->hdr.length ?: hdr.length;
	if (m->hdr.volume[0])
		hdr.volume[0] ^= m->hdr.volume[0];
	seal(&hdr);
	if (m->unsealed)
		hdr.crc ^= m->hdr.crc;
	put_msg(fd, hdr, data, 4096);
	must_end(fd, m->why);
}

static void no_length(void)
{
	int fd = session();

	put_msg(fd, request(READ, 1, 0, 0), NULL, 0);
	must_end(fd, "no length");
}

static void garbage(void)
{
	int fd = session(), i;

	for (i = 0; i < 4096; i++)
		data[i] = i * 7 + 3;
	put(fd, data, 4096);
	must_end(fd, "bad magic");
}

static void half_header(void)
{
	struct hdr hdr = request(READ, 1, 0, 4096);
	int fd = session();

	put(fd, &hdr, sizeof(hdr) / 2);
	if (ends(fd, 2 * SECOND))
		die("half a header ends the session at once");
	shutdown(fd, SHUT_WR);
	must_end(fd, "closed in mid-message");
}

static void half_payload(void)
{
	int fd = session();

	put_msg(fd, request(WRITE, 1, 0, IO_MAX), data, IO_MAX / 2);
	if (ends(fd, SECOND))
		die("half a payload ends the session at once");
	shutdown(fd, SHUT_WR);
	must_end(fd, "closed in mid-message");
}

static void bad_digest(void)
{
	struct hdr hdr = request(WRITE, 1, 0, 4096);
	int fd = session();

	hdr.flags = DIGEST;
	hdr.payload_crc = crc32c(data, 4096) ^ 1;
	seal(&hdr);
	put_msg(fd, hdr, data, 4096);
	must_end(fd, "data with a bad checksum");
}

static void just_closed(void)
{
	int fd = session();

	shutdown(fd, SHUT_WR);
	must_end(fd, "closed by the peer");
}

/* ---- good requests, and those that are only refused ---- */

static void good(void)
{
	struct hdr hdr = request(WRITE, 1, 8192, 4096);
	int fd = session();

	memset(data, 0x5a, 4096);
	hdr.flags = DIGEST | FUA;
	hdr.payload_crc = crc32c(data, 4096);
	seal(&hdr);
	expect(fd, hdr, data, 4096, OK);
	expect(fd, request(FLUSH, 1, 0, 0), NULL, 0, OK);
	expect(fd, request(READ, 1, 8192, 4096), NULL, 0, OK);
	if (memcmp(buf, data, 4096))
		die("not the data that was written");
	expect(fd, request(WRITE_ZEROES, 1, 8192, 4096), NULL, 0, OK);
	expect(fd, request(DISCARD, 1, 65536, 65536), NULL, 0, OK);
	expect(fd, request(LAYOUT_GET, 1, 0, 65536), NULL, 0, OK);
	expect(fd, request(READ, 0, 0, 4096), NULL, 0, OK);
	expect(fd, request(READ, 1, 8192, 4096), NULL, 0, OK);
	if (buf[0] || memcmp(buf, buf + 1, 4095))
		die("write-zeroes has left something");
	still_good(fd);
}

static void zeroes_fua(void)
{
	struct hdr hdr = request(WRITE_ZEROES, 0, strtoull(argument, NULL, 10), 4096);
	int fd = session();

	hdr.flags = FUA;
	seal(&hdr);
	expect(fd, hdr, NULL, 0, OK);
	finish(fd);
}

/* The path is not to blame: who asked would be held for ever. */
static void parts_of_blocks(void)
{
	int fd = session();

	expect(fd, request(WRITE, 1, 0, 4096), data, 4096, OK);
	expect(fd, request(READ, 0, 512, 512), NULL, 0, IO);
	expect(fd, request(READ, 0, 512, 4096), NULL, 0, IO);
	expect(fd, request(WRITE, 0, 512, 512), data, 512, IO);
	expect(fd, request(READ, 1, 512, 512), NULL, 0, IO);
	expect(fd, request(WRITE, 1, 512, 512), data, 512, IO);
	expect(fd, request(READ, 0, 4096, 4096), NULL, 0, OK);
	expect(fd, request(READ, 1, 0, 4096), NULL, 0, OK);
	finish(fd);
}

static void refused(void)
{
	struct hdr hdr = request(WRITE, 1, 8192, 4096), grant = request(GRANT, 1, 0, 4096);
	struct extent ext = { .length = 4096, .state = 4 };
	int fd = session();

	expect(fd, request(READ, 1, 1ull << 40, 4096), NULL, 0, RANGE);
	expect(fd, request(DISCARD, 1, 0, 1ull << 40), NULL, 0, RANGE);
	expect(fd, request(READ, 7, 0, 4096), NULL, 0, NO_OBJECT);
	expect(fd, request(WRITE, ~0ull, 0, 4096), data, 4096, NO_OBJECT);
	expect(fd, request(LAYOUT_GET, 0, 0, 4096), NULL, 0, NOT_SUPPORTED);
	/* Only the coordinator recalls and grants; this node is it. */
	expect(fd, request(RECALL, 1, 0, 4096), NULL, 0, NO_OBJECT);
	grant.payload = sizeof(ext);
	seal(&grant);
	put_msg(fd, grant, &ext, sizeof(ext));
	/* I4: another epoch changes nothing. */
	memset(data, 0x77, 4096);
	hdr.epoch++;
	seal(&hdr);
	expect(fd, hdr, data, 4096, STALE);
	expect(fd, request(READ, 1, 8192, 4096), NULL, 0, OK);
	if (!memcmp(buf, data, 4096))
		die("a write of another epoch was done");
	still_good(fd);
}

static void byte_by_byte(void)
{
	struct hdr hdr = request(READ, 1, 0, 4096);
	int fd = session();
	size_t i;

	for (i = 0; i < sizeof(hdr); i++) {
		put(fd, (char *)&hdr + i, 1);
		usleep(1000);
	}
	answer_to(fd, &hdr);
	still_good(fd);
}

static void many_at_once(void)
{
	struct hdr hdrs[300], hdr;
	bool seen[300] = { false };
	int fd = session(), i;

	for (i = 0; i < 300; i++)
		hdrs[i] = request(READ, 1, i * 512, 512);
	put(fd, hdrs, sizeof(hdrs));
	for (i = 0; i < 300; i++) {
		if (!get_hdr(fd, &hdr) || hdr.status != OK ||
		    !get(fd, buf, hdr.payload))
			die("%d answers of 300", i);
		if (hdr.id - hdrs[0].id >= 300 || seen[hdr.id - hdrs[0].id])
			die("an answer to nothing, or a second one");
		seen[hdr.id - hdrs[0].id] = true;
	}
	still_good(fd);
}

static long available_mib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib >> 10;
}

/* The kernel gives a peer that takes nothing 60 s; a slow machine fills its buffers as slowly. */
#define PATIENCE 55

/* Requests without end, whose answers nobody reads. */
static void flood(void)
{
	long before = available_mib(), least = before, now;
	struct hdr hdr = request(READ, 1, 0, IO_MAX);
	int fd = session(), idle;
	time_t start = time(NULL);
	size_t left = 0;
	ssize_t done;
	long asked = 0;

	for (idle = 0; idle < 50;) {
		if (!left) {
			left = sizeof(hdr);
			asked++;
		}
		done = send(fd, (char *)&hdr + sizeof(hdr) - left, left,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		now = available_mib();
		if (now < least)
			least = now;
		if (done > 0) {
			left -= done;
			idle = 0;
		} else if (errno != EAGAIN && time(NULL) - start >= PATIENCE) {
			break;	/* as it should, with one that takes nothing for so long */
		} else if (errno != EAGAIN) {
			die("the session ended: %s", strerror(errno));
		} else {
			idle++;
			usleep(100000);
		}
	}
	printf("%ld requests, %ld MiB of memory taken\n", asked, before - least);
	if (asked < 200)
		die("only %ld requests: that is no flood", asked);
	if (before - least > FLOOD_MIB)
		die("more than %d MiB", FLOOD_MIB);
	close(fd);
	still_good(session());
	for (idle = 0; available_mib() < before - 32; idle++) {
		if (idle == 300)
			die("the memory does not come back: %ld MiB of %ld",
			    available_mib(), before);
		usleep(100000);
	}
}

/* ---- as the coordinator of a member ---- */

/* Read 4 KiB of the member's device in another process. */
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
	_exit(block[0] == 0x33 && !memcmp(block, block + 1, 4095) ? 0 : block[0] ? 101 : 102);
}

/* How the reader has ended: 0 it has our data, 101 others, 102 zeroes, or an errno. */
static void reader_ends(pid_t pid, int should)
{
	int status;

	alarm(60);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != should)
		die("the reader ended with %d, should be %d", WEXITSTATUS(status), should);
}

/* The module's next READ; requests for layouts are answered on the way. */
static struct hdr next_read(int fd)
{
	struct hdr hdr;

	for (;;) {
		if (!get_hdr(fd, &hdr))
			die("the module asks for nothing");
		if (hdr.opcode == READ)
			return hdr;
		put_msg(fd, response(&hdr, OK), NULL, 0);
	}
}

static void answer_read(int fd)
{
	struct hdr hdr = next_read(fd);

	memset(data, 0x33, 4096);
	put_msg(fd, response(&hdr, OK), data, 4096);
}

/* A bad answer ends the session; the I/O is held, and another session brings the right one. */
static void bad_answer(struct hdr (*spoil)(struct hdr hdr), size_t len, const char *why)
{
	int fd = session();
	pid_t pid = reader(0);
	struct hdr hdr = next_read(fd);

	hdr = response(&hdr, OK);
	if (spoil)
		hdr = spoil(hdr);
	seal(&hdr);
	put_msg(fd, hdr, data, len);
	if (len < 4096)
		shutdown(fd, SHUT_WR);
	must_end(fd, why);
	fd = session();
	answer_read(fd);
	reader_ends(pid, 0);
	finish(fd);
}

static struct hdr other_id(struct hdr hdr)
{
	hdr.id += 1 << 16;
	return hdr;
}

static struct hdr other_offset(struct hdr hdr)
{
	hdr.offset += 4096;
	return hdr;
}

static struct hdr other_length(struct hdr hdr)
{
	hdr.length = 8192;
	hdr.payload = 8192;
	return hdr;
}

static struct hdr other_opcode(struct hdr hdr)
{
	hdr.opcode = WRITE;
	hdr.payload = 0;
	return hdr;
}

static struct hdr no_status(struct hdr hdr)
{
	hdr.status = NOT_SUPPORTED + 1;
	hdr.payload = 0;
	return hdr;
}

static struct hdr wrong_digest(struct hdr hdr)
{
	hdr.flags |= DIGEST;
	hdr.payload_crc = 1;
	return hdr;
}

static void answer_id(void)
{
	bad_answer(other_id, 4096, "response to nothing we asked");
}

static void answer_offset(void)
{
	bad_answer(other_offset, 4096, "response to nothing we asked");
}

static void answer_length(void)
{
	bad_answer(other_length, 8192, "response to nothing we asked");
}

static void answer_opcode(void)
{
	bad_answer(other_opcode, 4096, "response to nothing we asked");
}

static void answer_status(void)
{
	bad_answer(no_status, 4096, "bad status");
}

static void answer_digest(void)
{
	bad_answer(wrong_digest, 4096, "data with a bad checksum");
}

static void answer_half(void)
{
	bad_answer(NULL, 2048, "closed in mid-message");
}

static void answer_twice(void)
{
	int fd = session();
	pid_t pid = reader(0);
	struct hdr hdr = next_read(fd);

	memset(data, 0x33, 4096);
	put_msg(fd, response(&hdr, OK), data, 4096);
	reader_ends(pid, 0);
	put_msg(fd, response(&hdr, OK), data, 4096);
	must_end(fd, "response to nothing we asked");
}

/* Every status: some hold the I/O, so that it is asked again; some fail it. */
static void answer_refusal(void)
{
	static const enum status transient[] = { STALE, NO_OBJECT, NO_PATH };
	static const struct {
		enum status status;
		int error;
	} failing[] = {
		{ IO, EIO }, { NO_SPACE, ENOSPC }, { MEDIUM, ENODATA },
		{ NOT_SUPPORTED, EOPNOTSUPP },
	};
	int fd = session();
	struct hdr hdr;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < sizeof(transient) / sizeof(transient[0]); i++) {
		pid = reader(0);
		hdr = next_read(fd);
		put_msg(fd, response(&hdr, transient[i]), NULL, 0);
		answer_read(fd);
		reader_ends(pid, 0);
	}
	for (i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
		pid = reader(0);
		hdr = next_read(fd);
		put_msg(fd, response(&hdr, failing[i].status), NULL, 0);
		reader_ends(pid, failing[i].error);
	}
	finish(fd);
}

/* The module's next message that is no request for a layout. */
static struct hdr next_asked(int fd, enum op op, unsigned int flags)
{
	struct hdr hdr;

	for (;;) {
		if (!get_hdr(fd, &hdr))
			die("the module does not ask for opcode %u", op);
		if (hdr.opcode != LAYOUT_GET)
			break;
		put_msg(fd, response(&hdr, OK), NULL, 0);
	}
	if (hdr.crc != crc32c(&hdr, offsetof(struct hdr, crc)))
		die("a header with a wrong checksum");
	if (hdr.opcode != op || hdr.flags != flags || hdr.status || hdr.epoch != self.epoch ||
	    hdr.object != 1 || memcmp(hdr.volume, self.uuid, sizeof(self.uuid)))
		die("opcode %u flags %#x, should be %u and %#x, or another field is wrong",
		    hdr.opcode, hdr.flags, op, flags);
	return hdr;
}

/* Write and discard in another process. */
static pid_t writer(void)
{
	pid_t pid = fork();
	uint64_t range[2] = { 1048576, 65536 };
	char *block;
	int fd;

	if (pid)
		return pid;
	fd = open(argument, O_RDWR | O_DIRECT | O_DSYNC);
	if (fd < 0 || posix_memalign((void **)&block, 4096, 4096))
		_exit(100);
	memset(block, 0x44, 4096);
	if (pwrite(fd, block, 4096, 12288) != 4096)
		_exit(errno);
	_exit(ioctl(fd, BLKDISCARD, range) ? errno : 0);
}

static void asked_right(void)
{
	int fd = session();
	pid_t pid = writer();
	struct hdr hdr = next_asked(fd, WRITE, FUA | DIGEST);

	if (hdr.offset != 12288 || hdr.length != 4096 || hdr.payload != 4096)
		die("a write of another range");
	if (!get(fd, buf, 4096) || buf[0] != 0x44 || memcmp(buf, buf + 1, 4095))
		die("a write with other data");
	if (hdr.payload_crc != crc32c(buf, 4096))
		die("a write with a wrong checksum of its data");
	put_msg(fd, response(&hdr, OK), NULL, 0);
	hdr = next_asked(fd, FLUSH, 0);
	if (hdr.offset || hdr.length || hdr.payload)
		die("a flush with a range");
	put_msg(fd, response(&hdr, OK), NULL, 0);
	hdr = next_asked(fd, DISCARD, 0);
	if (hdr.offset != 1048576 || hdr.length != 65536 || hdr.payload)
		die("a discard of another range");
	put_msg(fd, response(&hdr, OK), NULL, 0);
	reader_ends(pid, 0);
	finish(fd);
}

/* Write a page in another process. */
static pid_t page_writer(char *page)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(argument, O_RDWR | O_DIRECT);
	if (fd < 0)
		_exit(100);
	_exit(pwrite(fd, page, 4096, 12288) == 4096 ? 0 : errno);
}

/* What changes in a page that has been sent, and not been read, has changed for who reads it. */
static void no_copy(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = session(), came = 0, i;
	struct hdr hdr;
	pid_t pid;

	if (page == MAP_FAILED)
		die("a page: %s", strerror(errno));
	memset(page, 0x44, 4096);
	pid = page_writer(page);
	hdr = next_asked(fd, WRITE, DIGEST);
	for (i = 0; came < 4096 && i < 60 * SECOND; i++) {
		usleep(1000);
		if (ioctl(fd, FIONREAD, &came))
			die("what has come: %s", strerror(errno));
	}
	memset(page, 0x55, 4096);
	if (!get(fd, buf, 4096))
		die("the data does not come");
	if (buf[0] != 0x55 || memcmp(buf, buf + 1, 4095))
		die("the data has been copied before it was sent");
	put_msg(fd, response(&hdr, OK), NULL, 0);
	reader_ends(pid, 0);
	finish(fd);
}

static void put_grant(int fd, const struct extent *ext, unsigned int nr)
{
	struct hdr hdr = request(GRANT, 1, 0, 65536);

	hdr.payload = nr * sizeof(*ext);
	hdr.seq = 5;
	seal(&hdr);
	put_msg(fd, hdr, ext, hdr.payload);
}

static void grant_bad(void)
{
	static const struct extent bad[][2] = {
		{ { 0, 8192, 0, 4 }, { 4096, 4096, 65536, 4 } },	/* overlap */
		{ { 8192, 4096, 0, 4 }, { 0, 4096, 65536, 4 } },	/* order */
		{ { 61440, 8192, 0, 1 } },				/* past the range */
		{ { 0, 4096, 1ull << 50, 4 } },				/* past the volume */
		{ { 0, 4096, ~511ull, 4 } },
		{ { 100, 4096, 0, 1 } },				/* not in sectors */
		{ { 0, 4096, 0, 0 } },					/* state */
		{ { 0, 4096, 0, 5 } },
		{ { 0, 4096, 0, 0xffffffff } },
		{ { 0, 4096, 512, 1 } },				/* a hole with a place */
		{ { 0, 0, 0, 1 } },
		{ { ~511ull, 1024, 0, 1 } },
	};
	unsigned int i;
	pid_t pid;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = session();
		put_grant(fd, bad[i], bad[i][1].length ? 2 : 1);
		if (!ends(fd, 20 * SECOND))
			die("bad grant %u was taken", i);
		close(fd);
		if (i == 0 && !logged("bad grant for image 1"))
			die("a bad grant is not in the log");
	}
	/* Nothing of them has stayed. */
	fd = session();
	pid = reader(0);
	answer_read(fd);
	reader_ends(pid, 0);
	finish(fd);
}

static void grant_recall(void)
{
	static const struct extent hole = { 0, 65536, 0, 1 };
	struct hdr recall = request(RECALL, 1, 0, 65536);
	int fd = session();
	pid_t pid;

	put_grant(fd, &hole, 1);
	/* A recall of what is not there is answered, too; then the grant has arrived. */
	expect(fd, request(RECALL, 1, 1048576, 4096), NULL, 0, OK);
	reader_ends(reader(0), 102);
	expect(fd, recall, NULL, 0, OK);
	pid = reader(0);
	answer_read(fd);
	reader_ends(pid, 0);
	expect(fd, request(RECALL, 99, 0, 4096), NULL, 0, OK);
	finish(fd);
}

/* ---- which ---- */

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "garbage", garbage }, { "no-length", no_length }, { "half-header", half_header },
	{ "half-payload", half_payload }, { "digest", bad_digest }, { "closed", just_closed },
	{ "good", good }, { "zeroes-fua", zeroes_fua }, { "parts-of-blocks", parts_of_blocks },
	{ "refused", refused },
	{ "byte-by-byte", byte_by_byte }, { "many-at-once", many_at_once }, { "flood", flood },
	{ "answer-id", answer_id }, { "answer-offset", answer_offset },
	{ "answer-length", answer_length }, { "answer-opcode", answer_opcode },
	{ "answer-status", answer_status }, { "answer-digest", answer_digest },
	{ "answer-half", answer_half }, { "answer-twice", answer_twice },
	{ "answer-refusal", answer_refusal }, { "asked-right", asked_right },
	{ "no-copy", no_copy },
	{ "grant-bad", grant_bad }, { "grant-recall", grant_recall },
};

static bool run_case(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!strcmp(cases[i].name, name)) {
			cases[i].run();
			return true;
		}
	}
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		if (!strcmp(malformed[i].name, name)) {
			send_malformed(&malformed[i]);
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 5 || !uuid_parse(argv[1], self.uuid))
		die("usage: peer UUID NODE EPOCH CASE [DEVICE|OFFSET]");
	self.peer = atoi(argv[2]);
	self.epoch = atoi(argv[3]);
	argument = argc > 5 ? argv[5] : "";
	log_open();
	if (!run_case(argv[4]))
		die("there is no case %s", argv[4]);
	session_end();
	return 0;
}
