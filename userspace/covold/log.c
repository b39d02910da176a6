// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include "log.h"

#define MESSAGE_LEN	1024
#define FIELDS		6

/* Of the process; stderr is, too. */
static struct {
	bool journal;
	int level;
	atomic_uint node;
} to = { .level = LOG_INFO };

/* systemd.exec(5): JOURNAL_STREAM is "DEVICE:INODE" of the stream that goes to the journal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat stat;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &stat) && stat.st_dev == device && stat.st_ino == inode;
}

void log_init(int level)
{
	to.journal = stderr_is_journal();
	to.level = level;
}

void log_node(unsigned int node)
{
	to.node = node;
}

static void add(struct iovec *fields, int *count, char *text)
{
	fields[*count].iov_base = text;
	fields[(*count)++].iov_len = strlen(text);
}

static void to_journal(int level, const char *id, const char *volume, const char *message)
{
	char text[FIELDS][MESSAGE_LEN + 16];
	struct iovec fields[FIELDS];
	int count = 0;

	snprintf(text[0], sizeof(text[0]), "MESSAGE=%s", message);
	add(fields, &count, text[0]);
	snprintf(text[1], sizeof(text[1]), "PRIORITY=%d", level);
	add(fields, &count, text[1]);
	snprintf(text[2], sizeof(text[2]), "SYSLOG_IDENTIFIER=covold");
	add(fields, &count, text[2]);
	if (id) {
		snprintf(text[3], sizeof(text[3]), "MESSAGE_ID=%s", id);
		add(fields, &count, text[3]);
	}
	if (volume) {
		snprintf(text[4], sizeof(text[4]), "COVOL_VOLUME=%s", volume);
		add(fields, &count, text[4]);
	}
	if (to.node) {
		snprintf(text[5], sizeof(text[5]), "COVOL_NODE=%u", to.node);
		add(fields, &count, text[5]);
	}
	sd_journal_sendv(fields, count);
}

void log_about(int level, const char *id, const char *volume, const char *format, ...)
{
	char message[MESSAGE_LEN];
	va_list args;

	if (level > to.level)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (to.journal)
		to_journal(level, id, volume, message);
	else
		fprintf(stderr, "covold: %s%s%s\n", volume ? volume : "", volume ? ": " : "",
			message);
}
