// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of the checker on a node: does what it is told, on a device or a file, with O_DIRECT and
 * several operations at once. Commands on standard input, a line each:
 *
 *	w SEQ OFFSET LENGTH	write stamps			W ...	with FUA
 *	z SEQ OFFSET LENGTH	write zeroes
 *	d SEQ OFFSET LENGTH	discard
 *	s SEQ			flush
 *	r SEQ OFFSET LENGTH	read
 *
 * Answers on standard output, as they come:
 *
 *	a SEQ			done (all but reads)
 *	v SEQ VALUE*SECTORS ...	what was read: sequences, 0 for zeroes, ! for neither
 *	e SEQ ERRNO		failed
 *	# TEXT			for people
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "checker.h"
#include "stamp.h"

#define THREADS	16
#define COMMANDS	256
/* A token is at most "4294967295*512 ". */
#define ANSWER_MAX	(32 + IO_MAX / SECTOR * 16)

struct command {
	char what;
	uint32_t seq;
	uint64_t offset, length;
};

static int fd;
static bool is_block;
static uint32_t writer;

static struct command queue[COMMANDS];
static unsigned int head, tail;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void say(const char *line, size_t len)
{
	static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
	ssize_t done;

	pthread_mutex_lock(&order);
	for (; len; line += done, len -= done) {
		done = write(1, line, len);
		if (done <= 0)
			exit(1); /* nobody listens any more */
	}
	pthread_mutex_unlock(&order);
}

/* ---- operations: 0 or an errno ---- */

static int short_or_error(ssize_t done)
{
	return done < 0 ? errno : EREMOTEIO;
}

static int op_write(const struct command *c, char *buf, int flags)
{
	struct iovec iov = { .iov_base = buf, .iov_len = c->length };
	struct stamp stamp = { .seq = c->seq, .writer = writer };
	ssize_t done;
	uint64_t at;

	for (at = 0; at < c->length; at += SECTOR) {
		stamp.offset = c->offset + at;
		stamp_write(buf + at, &stamp);
	}
	done = pwritev2(fd, &iov, 1, c->offset, flags);
	return done == (ssize_t)c->length ? 0 : short_or_error(done);
}

static int op_range(const struct command *c, unsigned long request, int mode)
{
	uint64_t range[2] = { c->offset, c->length };
	int ret;

	if (is_block)
		ret = ioctl(fd, request, range);
	else
		ret = fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, c->offset, c->length);
	return ret ? errno : 0;
}

static int op_read(const struct command *c, char *buf)
{
	ssize_t done = pread(fd, buf, c->length, c->offset);

	return done == (ssize_t)c->length ? 0 : short_or_error(done);
}

/* ---- answers ---- */

static void say_read(const struct command *c, const char *buf, char *text)
{
	uint64_t at, sectors = c->length / SECTOR, count;
	uint32_t value, other;
	char detail[256], line[320];
	int len;

	len = sprintf(text, "v %u", c->seq);
	for (at = 0; at < sectors; at += count) {
		value = stamp_read(buf + at * SECTOR, c->offset + at * SECTOR);
		for (count = 1; at + count < sectors; count++) {
			other = stamp_read(buf + (at + count) * SECTOR,
					   c->offset + (at + count) * SECTOR);
			if (other != value)
				break;
		}
		if (value != STAMP_BAD) {
			len += sprintf(text + len, " %u*%" PRIu64, value, count);
			continue;
		}
		stamp_describe(buf + at * SECTOR, c->offset + at * SECTOR, detail, sizeof(detail));
		say(line, snprintf(line, sizeof(line), "# read %u, offset %" PRIu64 ": %s\n",
				   c->seq, c->offset + at * SECTOR, detail));
		len += sprintf(text + len, " !*%" PRIu64, count);
	}
	text[len++] = '\n';
	say(text, len);
}

static void execute(const struct command *c, char *buf, char *text)
{
	int err;

	switch (c->what) {
	case 'w':
		err = op_write(c, buf, 0);
		break;
	case 'W':
		err = op_write(c, buf, RWF_DSYNC);
		break;
	case 'z':
		err = op_range(c, BLKZEROOUT, FALLOC_FL_ZERO_RANGE);
		break;
	case 'd':
		err = op_range(c, BLKDISCARD, FALLOC_FL_PUNCH_HOLE);
		break;
	case 's':
		err = fsync(fd) ? errno : 0;
		break;
	default:
		err = op_read(c, buf);
	}
	if (err)
		say(text, sprintf(text, "e %u %d\n", c->seq, err));
	else if (c->what == 'r')
		say_read(c, buf, text);
	else
		say(text, sprintf(text, "a %u\n", c->seq));
}

/* ---- the queue ---- */

static void put(const struct command *c)
{
	pthread_mutex_lock(&lock);
	if (head - tail == COMMANDS)
		die("more than %d commands at once", COMMANDS);
	queue[head++ % COMMANDS] = *c;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static void get(struct command *c)
{
	pthread_mutex_lock(&lock);
	while (head == tail)
		pthread_cond_wait(&changed, &lock);
	*c = queue[tail++ % COMMANDS];
	pthread_mutex_unlock(&lock);
}

static void *worker(void *unused)
{
	char *buf, *text = malloc(ANSWER_MAX);
	struct command c;

	(void)unused;
	if (!text || posix_memalign((void **)&buf, 4096, IO_MAX))
		die("no memory");
	for (;;) {
		get(&c);
		execute(&c, buf, text);
	}
	return NULL;
}

static void parse_command(const char *line, struct command *c)
{
	int fields;

	memset(c, 0, sizeof(*c));
	fields = sscanf(line, "%c %" SCNu32 " %" SCNu64 " %" SCNu64, &c->what, &c->seq, &c->offset,
			&c->length);
	if (fields < 2 || !strchr("wWzdsr", c->what) || (c->what != 's' && fields < 4))
		die("not a command: %s", line);
	if (strchr("wWr", c->what) && (c->length > IO_MAX || (c->offset | c->length) % SECTOR))
		die("bad range: %s", line);
}

static void open_target(const char *path, bool readonly)
{
	struct stat st;

	fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	is_block = S_ISBLK(st.st_mode);
}

int cmd_node(int argc, char **argv)
{
	bool readonly = argc > 3 && !strcmp(argv[3], "ro");
	struct command c;
	pthread_t thread;
	char line[128];
	int i;

	if (argc < 3)
		return usage();
	writer = strtoul(argv[1], NULL, 10);
	open_target(argv[2], readonly);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, worker, NULL))
			die("no thread");
	say("hello\n", 6);
	while (fgets(line, sizeof(line), stdin)) {
		parse_command(line, &c);
		put(&c);
	}
	return 0;
}
