// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says something on the connection of another process, behind its back.
 *
 *	inject PID BYTES	BYTES: hexadecimal
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The first of its descriptors that is a socket. */
static int take_socket(pid_t pid)
{
	int process = syscall(SYS_pidfd_open, pid, 0), theirs, fd;
	struct stat status;

	if (process < 0)
		err(1, "process %d", pid);
	for (theirs = 0; theirs < 64; theirs++) {
		fd = syscall(SYS_pidfd_getfd, process, theirs, 0);
		if (fd >= 0 && !fstat(fd, &status) && S_ISSOCK(status.st_mode))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	errx(1, "process %d has no socket", pid);
}

int main(int argc, char **argv)
{
	unsigned char bytes[1024];
	size_t length = 0;
	unsigned int byte;
	const char *at;

	if (argc != 3 || strlen(argv[2]) > 2 * sizeof(bytes))
		errx(2, "usage: inject PID BYTES");
	for (at = argv[2]; sscanf(at, "%2x", &byte) == 1; at += 2)
		bytes[length++] = byte;
	if (write(take_socket(atoi(argv[1])), bytes, length) != (ssize_t)length)
		err(1, "writing");
	return 0;
}
