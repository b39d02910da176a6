// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a LUN with a volatile cache has on its medium. The cache is a device of dm-log-writes, which
 * logs a write when it was done with FUA or when a flush that came after it has ended, not before.
 *
 *	medium CACHE LOG FILE		make FILE, a copy from before the log, what it has now
 *	medium CACHE LOG FILE SOME AT	and say whether that is, from AT on, what file SOME has
 *
 * CACHE is the device's name, LOG its log's path. FILE.at says how far FILE is, for the next time.
 * Exit status 1: it is something else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/dm-ioctl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"

/* The log's format, in sectors: the super block, then each entry with its data behind it. */
#define LOG_MAGIC	0x6a736677736872ull
#define LOG_VERSION	1
#define LOG_DISCARD	0x4
#define LOG_MARK	0x8
#define SECTOR		512u
#define ALIGN		4096
#define PIECE		1048576u

/* Seconds to wait for a mark: only what would never come is given up. */
#define LIMIT		500

struct log_super {
	uint64_t magic;
	uint64_t version;
	uint64_t entries;
	uint32_t sector_size;
};

struct log_entry {
	uint64_t sector;
	uint64_t nr_sectors;
	uint64_t flags;
	uint64_t data_len;
	char data[SECTOR - 32];
};

_Static_assert(sizeof(struct log_entry) == SECTOR, "an entry has a sector");

/* How far the file is. */
struct progress {
	uint64_t entries;
	uint64_t sector;	/* of the next entry */
};

static char *buf;

static void read_log(int log, uint64_t sector, size_t len)
{
	ssize_t done = pread(log, buf, len, sector * SECTOR);

	if (done != (ssize_t)len)
		die("the log at sector %" PRIu64 ": %s", sector, strerror(errno));
}

static uint64_t count_entries(int log)
{
	const struct log_super *super = (void *)buf;

	read_log(log, 0, SECTOR);
	/* Written for the first time with the first mark or FUA. */
	if (!super->magic)
		return 0;
	if (super->magic != LOG_MAGIC || super->version != LOG_VERSION ||
	    super->sector_size != SECTOR)
		die("not a log that is understood here");
	return super->entries;
}

static void copy(int log, uint64_t from, int file, uint64_t to, uint64_t nr)
{
	uint64_t left = nr * SECTOR, n;

	for (; left; left -= n, from += n / SECTOR, to += n / SECTOR) {
		n = left < PIECE ? left : PIECE;
		read_log(log, from, n);
		if (pwrite(file, buf, n, to * SECTOR) != (ssize_t)n)
			die("the file: %s", strerror(errno));
	}
}

/* What was discarded may have what it had: so it stays. Returns whether it was the mark. */
static bool play(int log, int file, struct progress *at, const char *mark)
{
	struct log_entry entry;

	read_log(log, at->sector, SECTOR);
	memcpy(&entry, buf, sizeof(entry));
	at->entries++;
	at->sector++;
	if (entry.flags & LOG_MARK)
		return entry.data_len == strlen(mark) && !memcmp(entry.data, mark, entry.data_len);
	if (entry.flags & LOG_DISCARD)
		return false;
	copy(log, at->sector, file, entry.sector, entry.nr_sectors);
	at->sector += entry.nr_sectors;
	return false;
}

/* What is on the medium now is logged before the mark. */
static void set_mark(const char *cache, const char *mark)
{
	/* The head, a message without a sector, its words. */
	static _Alignas(8) char msg[sizeof(struct dm_ioctl) + sizeof(struct dm_target_msg) + 256];
	struct dm_ioctl *head = (void *)msg;
	char *words = msg + sizeof(struct dm_ioctl) + sizeof(struct dm_target_msg);
	int control = open("/dev/mapper/control", O_RDWR);

	head->version[0] = DM_VERSION_MAJOR;
	head->data_size = sizeof(msg);
	head->data_start = sizeof(*head);
	snprintf(head->name, sizeof(head->name), "%s", cache);
	snprintf(words, msg + sizeof(msg) - words, "mark %s", mark);
	if (control < 0 || ioctl(control, DM_TARGET_MSG, head))
		die("the mark for %s: %s", cache, strerror(errno));
	close(control);
}

static void bring_up(const char *cache, int log, int file, struct progress *at)
{
	time_t end = time(NULL) + LIMIT;
	struct timespec now;
	bool found = false;
	uint64_t entries;
	char mark[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(mark, sizeof(mark), "%jd.%09ld", (intmax_t)now.tv_sec, now.tv_nsec);
	set_mark(cache, mark);
	while (!found) {
		entries = count_entries(log);
		while (!found && at->entries < entries)
			found = play(log, file, at, mark);
		if (!found && time(NULL) > end)
			die("the mark does not come: the log is full, or cannot be written");
		if (!found)
			usleep(10000);
	}
}

static bool has(int file, const char *path, off_t at)
{
	int some = open(path, O_RDONLY);
	ssize_t len, done;
	char *mine;

	len = some < 0 ? -1 : read(some, buf, PIECE);
	if (len <= 0)
		die("%s: %s", path, strerror(errno));
	mine = malloc(len);
	done = mine ? pread(file, mine, len, at) : -1;
	if (done < 0)
		die("the file: %s", strerror(errno));
	return done == len && !memcmp(mine, buf, len);
}

int main(int argc, char **argv)
{
	struct progress at = { .entries = 0, .sector = 1 };
	char path[PATH_MAX];
	int log, file, progress;

	if (argc != 4 && argc != 6)
		die("usage: medium CACHE LOG FILE [SOME AT]");
	snprintf(path, sizeof(path), "%s.at", argv[3]);
	log = open(argv[2], O_RDONLY | O_DIRECT);
	file = open(argv[3], O_RDWR);
	progress = open(path, O_RDWR | O_CREAT, 0600);
	if (log < 0 || file < 0 || progress < 0 || posix_memalign((void **)&buf, ALIGN, PIECE))
		die("%s, %s or %s: %s", argv[2], argv[3], path, strerror(errno));
	if (read(progress, &at, sizeof(at)) < 0)
		die("%s: %s", path, strerror(errno));
	bring_up(argv[1], log, file, &at);
	if (pwrite(progress, &at, sizeof(at), 0) != sizeof(at))
		die("%s: %s", path, strerror(errno));
	return argc == 6 && !has(file, argv[4], strtoll(argv[5], NULL, 10));
}
