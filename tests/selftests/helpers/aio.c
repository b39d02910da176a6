// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O that shows in which order it was done, and I/O that must not wait.
 *
 *	aio writes DEVICE N SEED	N writes at once, in order: each from its own
 *					sector to the Nth. Waits for all of them.
 *	aio verify DEVICE N SEED	were they done in order? Then every sector has
 *					what its own write wrote.
 *	aio nowait-read|nowait-write DEVICE OFFSET LENGTH
 *					with RWF_NOWAIT
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR	512
#define MAX	256

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static void *buffer(size_t bytes)
{
	void *memory = aligned_alloc(4096, (bytes + 4095) & ~4095ul);

	if (!memory)
		die("memory");
	return memory;
}

static void stamp(void *memory, unsigned int sectors, uint32_t value)
{
	uint32_t *word = memory;
	unsigned int i;

	for (i = 0; i < sectors * SECTOR / sizeof(*word); i++)
		word[i] = value;
}

static void submit(aio_context_t context, int fd, unsigned int i, unsigned int nr, uint32_t seed)
{
	struct iocb iocb = {
		.aio_data	= i,
		.aio_lio_opcode	= IOCB_CMD_PWRITE,
		.aio_fildes	= fd,
		.aio_nbytes	= (nr - i) * SECTOR,
		.aio_offset	= i * SECTOR,
	};
	struct iocb *list = &iocb;
	void *data = buffer(iocb.aio_nbytes);

	stamp(data, nr - i, seed + i);
	iocb.aio_buf = (uintptr_t)data;
	if (syscall(SYS_io_submit, context, 1, &list) != 1)
		die("io_submit");
}

/* Prints when all were given to the device, how many ended well, and why the others did not. */
static int writes(int fd, unsigned int nr, uint32_t seed)
{
	aio_context_t context = 0;
	struct io_event event;
	unsigned int i, good = 0;

	if (syscall(SYS_io_setup, MAX, &context))
		die("io_setup");
	for (i = 0; i < nr; i++)
		submit(context, fd, i, nr, seed);
	printf("submitted\n");
	fflush(stdout);
	for (i = 0; i < nr; i++) {
		if (syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
			die("io_getevents");
		if (event.res == (int64_t)((nr - event.data) * SECTOR))
			good++;
		else
			printf("write %llu: %s\n", event.data, strerror(-event.res));
	}
	printf("%u done\n", good);
	return good != nr;
}

static int verify(int fd, unsigned int nr, uint32_t seed)
{
	uint32_t *data = buffer(nr * SECTOR);
	unsigned int i;

	if (pread(fd, data, nr * SECTOR, 0) != (ssize_t)nr * SECTOR)
		die("read");
	for (i = 0; i < nr; i++) {
		uint32_t is = data[i * SECTOR / sizeof(*data)];

		if (is == seed + i)
			continue;
		printf("sector %u has the data of write %d\n", i, (int)(is - seed));
		return 1;
	}
	return 0;
}

static int nowait(int fd, const char *what, off_t offset, size_t length)
{
	struct iovec iov = { buffer(length), length };
	ssize_t got;

	stamp(iov.iov_base, length / SECTOR, 0);
	if (!strcmp(what, "nowait-read"))
		got = preadv2(fd, &iov, 1, offset, RWF_NOWAIT);
	else
		got = pwritev2(fd, &iov, 1, offset, RWF_NOWAIT);
	if (got < 0)
		die(what);
	printf("%zd bytes\n", got);
	return got != (ssize_t)length;
}

int main(int argc, char **argv)
{
	unsigned long first, second;
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: aio WHAT DEVICE NUMBER NUMBER\n");
		return 2;
	}
	first = strtoul(argv[3], NULL, 0);
	second = strtoul(argv[4], NULL, 0);
	fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0)
		die(argv[2]);
	if (!strncmp(argv[1], "nowait-", 7))
		return nowait(fd, argv[1], first, second);
	if (first > MAX)
		return 2;
	return strcmp(argv[1], "verify") ? writes(fd, first, second) : verify(fd, first, second);
}
