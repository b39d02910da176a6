// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input and output are files in memory: a program that reads nothing or writes much blocks nobody.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

/* Lines of output that are kept. */
#define LINES	3

/* All that a program gets of the environment: its messages are for logs, and may be looked at. */
static const char *const environment[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL
};

/* An anonymous file that holds the text, at its beginning. */
static int memory_file(const char *text)
{
	size_t length = strlen(text);
	int fd = memfd_create("covol", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, length) == (ssize_t)length && !lseek(fd, 0, SEEK_SET))
		return fd;
	close(fd);
	return -ENOMEM;
}

static int spawn(const char *const argv[], int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	error = posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, out, 2);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	if (!error)
		error = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)argv,
				    (char *const *)environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Until the process has ended: 0, or -ETIMEDOUT. */
static int wait_for(int pidfd, unsigned int seconds)
{
	long long end = now_ms() + seconds * 1000LL, left;
	struct pollfd poller = { .fd = pidfd, .events = POLLIN };
	int ready;

	do {
		left = end - now_ms();
		ready = poll(&poller, 1, left > 0 ? left : 0);
	} while (ready < 0 && errno == EINTR);
	if (ready > 0)
		return 0;
	return ready ? -errno : -ETIMEDOUT;
}

static int end_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The last lines that are not empty, as one; of the text that is too long its end. */
static void last_lines(int fd, char output[RUN_OUTPUT])
{
	char text[4096], *line[LINES], *begin;
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(text) - 1 ? end - ((off_t)sizeof(text) - 1) : 0;
	ssize_t length = pread(fd, text, sizeof(text) - 1, from);
	char joined[sizeof(text) + 4 * LINES] = "";
	int count = 0, at = 0;

	text[length > 0 ? length : 0] = '\0';
	while (count < LINES && text[0]) {
		begin = strrchr(text, '\n');
		line[count] = begin ? begin + 1 : text;
		if (line[count][strspn(line[count], " \t\r")])
			count++;
		if (!begin)
			break;
		*begin = '\0';
	}
	while (count--)
		at += sprintf(joined + at, "%s%s", at ? " | " : "", line[count]);
	snprintf(output, RUN_OUTPUT, "%s", at < RUN_OUTPUT ? joined : joined + at + 1 - RUN_OUTPUT);
}

int run_find(const char *name, char path[RUN_PATH])
{
	static const char *const folders[] = { "/usr/sbin", "/sbin" };
	size_t i;

	if (name[0] == '/')
		return snprintf(path, RUN_PATH, "%s", name) < RUN_PATH && !access(path, X_OK) ?
		       0 : -ENOENT;
	if (!name[0] || strchr(name, '/'))
		return -EINVAL;
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (snprintf(path, RUN_PATH, "%s/%s", folders[i], name) < RUN_PATH &&
		    !access(path, X_OK))
			return 0;
	return -ENOENT;
}

static int run_with(const char *const argv[], int in, int out, unsigned int seconds,
		    struct run_result *result)
{
	int pidfd, error;
	pid_t pid;

	error = spawn(argv, in, out, &pid);
	if (error)
		return error;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	error = pidfd < 0 ? -errno : wait_for(pidfd, seconds);
	if (pidfd >= 0)
		close(pidfd);
	/* Before it is waited for, so that the number is its own still. */
	if (error)
		kill(-pid, SIGKILL);
	result->status = end_of(pid);
	last_lines(out, result->output);
	return error;
}

int run_program(const char *const argv[], const char *input, unsigned int seconds,
		struct run_result *result)
{
	int in, out, error;

	*result = (struct run_result) { 0 };
	in = memory_file(input);
	if (in < 0)
		return in;
	out = memory_file("");
	error = out < 0 ? out : run_with(argv, in, out, seconds, result);
	if (out >= 0)
		close(out);
	close(in);
	return error;
}
