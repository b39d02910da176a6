// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbered writes, one after the other, and what a copy of them may look like that was made at
 * one moment.
 *
 *	stamp write DEVICE OFFSET BLOCKS COUNTER	until SIGTERM
 *	stamp check FILE OFFSET BLOCKS LEAST MOST
 *
 * Write number N, from 1, goes to one of BLOCKS (a power of two) blocks of 4 KiB from OFFSET on,
 * and is filled with N. COUNTER is a file with 8 bytes: the last write that was acknowledged. As
 * the next begins only then, a copy that was made at one moment has, for some N, all writes up to
 * N and none that is later. "check" requires that, with N from LEAST to MOST, and prints N.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "genl.h"

#define BLOCK		4096
#define WORDS		(BLOCK / sizeof(uint64_t))
/* Odd: every block has its turn, not in order. */
#define STRIDE		0x9e3779b1u

static bool over;

static void on_term(int sig)
{
	(void)sig;
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 10);
}

static uint64_t place(uint64_t n, uint64_t blocks)
{
	return n * STRIDE % blocks;
}

static int write_all(const char *device, off_t offset, uint64_t blocks, const char *path)
{
	int fd = open(device, O_WRONLY | O_DIRECT), counter = open(path, O_RDWR | O_CREAT, 0600);
	uint64_t *acked;
	uint64_t *buf, n;
	size_t i;

	if (fd < 0 || counter < 0 || ftruncate(counter, sizeof(*acked)) ||
	    posix_memalign((void **)&buf, BLOCK, BLOCK))
		die("%s or %s: %s", device, path, strerror(errno));
	acked = mmap(NULL, sizeof(*acked), PROT_READ | PROT_WRITE, MAP_SHARED, counter, 0);
	if (acked == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (n = *acked + 1; !__atomic_load_n(&over, __ATOMIC_RELAXED); n++) {
		for (i = 0; i < WORDS; i++)
			buf[i] = n;
		if (pwrite(fd, buf, BLOCK, offset + place(n, blocks) * BLOCK) != BLOCK)
			die("%s: write %" PRIu64 ": %s", device, n, strerror(errno));
		__atomic_store_n(acked, n, __ATOMIC_RELEASE);
	}
	return 0;
}

static void read_block(int fd, off_t at, uint64_t *buf)
{
	size_t i;

	if (pread(fd, buf, BLOCK, at) != BLOCK)
		die("read at %jd: %s", (intmax_t)at, strerror(errno));
	for (i = 1; i < WORDS; i++)
		if (buf[i] != buf[0])
			die("block at %jd: writes %" PRIu64 " and %" PRIu64, (intmax_t)at, buf[0],
			    buf[i]);
}

static int check(const char *path, off_t offset, uint64_t blocks, uint64_t least, uint64_t most)
{
	int fd = open(path, O_RDONLY | O_DIRECT);
	uint64_t *buf, *has = calloc(blocks, sizeof(*has)), i, n = 0;

	if (fd < 0 || !has || posix_memalign((void **)&buf, BLOCK, BLOCK))
		die("%s: %s", path, strerror(errno));
	for (i = 0; i < blocks; i++) {
		read_block(fd, offset + i * BLOCK, buf);
		has[i] = buf[0];
		if (has[i] > n)
			n = has[i];
	}
	printf("%" PRIu64 "\n", n);
	if (n < least || n > most)
		die("the last write is %" PRIu64 ", should be from %" PRIu64 " to %" PRIu64, n,
		    least, most);
	for (i = 0; i < blocks && i < n; i++)
		if (has[place(n - i, blocks)] != n - i)
			die("has write %" PRIu64 ", but %" PRIu64 " in place of %" PRIu64, n,
			    has[place(n - i, blocks)], n - i);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, on_term);
	if (argc == 6 && !strcmp(argv[1], "write"))
		return write_all(argv[2], number(argv[3]), number(argv[4]), argv[5]);
	if (argc == 7 && !strcmp(argv[1], "check"))
		return check(argv[2], number(argv[3]), number(argv[4]), number(argv[5]),
			     number(argv[6]));
	die("stamp write DEVICE OFFSET BLOCKS COUNTER | stamp check FILE OFFSET BLOCKS LEAST MOST");
}
