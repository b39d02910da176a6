// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel top: what happens now. Everything is read again and again; what is printed is the
 * difference, for each second.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "cli.h"

/* Where there are so many changes, another try would not help. */
#define DUMP_TRIES	10

#define NS_PER_S	1000000000ULL

/* All that was read at one moment. */
struct snapshot {
	uint64_t when;		/* ns */
	struct covol_volume *volume;
	struct covol_image *image;
	struct covol_session *session;
	size_t volumes, images, sessions;
};

struct view {
	const struct covol_uuid *of;	/* NULL: all volumes */
	struct snapshot before, now;
	bool json;
};

static const struct column volume_columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "ROUTE", COLUMN_TEXT },
	{ "REASONS", COLUMN_REASONS },
	{ "HELD", COLUMN_NUMBER },
	{ "HOLDS", COLUMN_NUMBER },
	{ "REPLAYS", COLUMN_NUMBER },
};

static const struct column object_columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "OBJECT", COLUMN_TEXT },
	{ "DIRECT-IOS", COLUMN_NUMBER },
	{ "DIRECT-BYTES", COLUMN_AMOUNT },
	{ "FS-IOS", COLUMN_NUMBER },
	{ "FS-BYTES", COLUMN_AMOUNT },
	{ "FS-US", COLUMN_NUMBER },
	{ "BLOCK-IOS", COLUMN_NUMBER },
	{ "BLOCK-BYTES", COLUMN_AMOUNT },
	{ "BLOCK-US", COLUMN_NUMBER },
	{ "ZERO-IOS", COLUMN_NUMBER },
	{ "ZERO-BYTES", COLUMN_AMOUNT },
	{ "SERVED-IOS", COLUMN_NUMBER },
	{ "SERVED-US", COLUMN_NUMBER },
};

static const struct column session_columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "PEER", COLUMN_NUMBER },
	{ "STATE", COLUMN_TEXT },
	{ "OUTSTANDING", COLUMN_NUMBER },
	{ "QUEUED", COLUMN_NUMBER },
	{ "SERVING", COLUMN_NUMBER },
	{ "REQUESTS-SENT", COLUMN_NUMBER },
	{ "REQUESTS-SERVED", COLUMN_NUMBER },
	{ "BYTES-SENT", COLUMN_AMOUNT },
	{ "BYTES-RECEIVED", COLUMN_AMOUNT },
};

/* ---- reading ---- */

/* Room for one more behind the others. */
static void *grow(void *array, size_t count, size_t size)
{
	array = realloc(array, (count + 1) * size);
	if (!array) {
		fprintf(stderr, "covol: %s\n", strerror(ENOMEM));
		exit(EXIT_FAILED);
	}
	return array;
}

static bool is_wanted(const struct view *view, const struct covol_uuid *uuid)
{
	return !view->of || !memcmp(view->of, uuid, sizeof(*uuid));
}

static int add_volume(const struct covol_volume *volume, void *data)
{
	struct view *view = data;
	struct snapshot *now = &view->now;

	if (!is_wanted(view, &volume->uuid))
		return 0;
	now->volume = grow(now->volume, now->volumes, sizeof(*volume));
	now->volume[now->volumes++] = *volume;
	return 0;
}

static int add_image(const struct covol_image *image, void *data)
{
	struct snapshot *now = &((struct view *)data)->now;

	now->image = grow(now->image, now->images, sizeof(*image));
	now->image[now->images++] = *image;
	return 0;
}

static int add_session(const struct covol_session *session, void *data)
{
	struct snapshot *now = &((struct view *)data)->now;

	now->session = grow(now->session, now->sessions, sizeof(*session));
	now->session[now->sessions++] = *session;
	return 0;
}

static void forget(struct snapshot *snapshot)
{
	free(snapshot->volume);
	free(snapshot->image);
	free(snapshot->session);
	*snapshot = (struct snapshot) { 0 };
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int look(struct covol *c, struct view *view)
{
	int error, tries = 0;

	forget(&view->before);
	view->before = view->now;
	view->now = (struct snapshot) { 0 };
	do {
		forget(&view->now);
		view->now.when = now_ns();
		error = covol_volume_dump(c, add_volume, view);
		if (!error)
			error = covol_image_dump(c, view->of, add_image, view);
		if (!error)
			error = covol_session_dump(c, view->of, add_session, view);
	} while (error == -EAGAIN && ++tries < DUMP_TRIES);
	return error;
}

/* ---- comparing ---- */

/* What has just come, or come again, has done nothing yet. */
static uint64_t gain(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

/* For each second, rounded. */
static uint64_t rate(const struct view *view, uint64_t before, uint64_t now)
{
	double seconds = (double)(view->now.when - view->before.when) / NS_PER_S;

	return seconds > 0 ? gain(before, now) / seconds + 0.5 : 0;
}

static const struct covol_volume *volume_before(const struct view *view,
						const struct covol_volume *now)
{
	size_t i;

	for (i = 0; i < view->before.volumes; i++)
		if (!memcmp(&view->before.volume[i].uuid, &now->uuid, sizeof(now->uuid)))
			return &view->before.volume[i];
	return now;
}

static const struct covol_image *image_before(const struct view *view,
					      const struct covol_image *now)
{
	const struct covol_image *image;
	size_t i;

	for (i = 0; i < view->before.images; i++) {
		image = &view->before.image[i];
		if (image->id == now->id && !memcmp(&image->uuid, &now->uuid, sizeof(now->uuid)))
			return image;
	}
	return now;
}

static const struct covol_session *session_before(const struct view *view,
						  const struct covol_session *now)
{
	const struct covol_session *session;
	size_t i;

	for (i = 0; i < view->before.sessions; i++) {
		session = &view->before.session[i];
		if (session->peer == now->peer &&
		    !memcmp(&session->uuid, &now->uuid, sizeof(now->uuid)))
			return session;
	}
	return now;
}

/* ---- printing ---- */

static void add_volume_row(struct table *table, const struct view *view,
			   const struct covol_volume *now)
{
	const struct covol_volume *before = volume_before(view, now);

	table_row(table);
	cell_uuid(table, &now->uuid);
	cell_text(table, covol_route_name(now->route));
	cell_reasons(table, now->reasons);
	cell_number(table, now->held);
	cell_number(table, rate(view, before->holds, now->holds));
	cell_number(table, rate(view, before->replays, now->replays));
}

static void cells_way(struct table *table, const struct view *view,
		      const struct covol_io_stat *before, const struct covol_io_stat *now)
{
	cell_number(table, rate(view, before->reads + before->writes + before->others,
				now->reads + now->writes + now->others));
	cell_number(table, rate(view, before->read_bytes + before->write_bytes,
				now->read_bytes + now->write_bytes));
}

static uint64_t ended(const struct covol_latency *latency)
{
	return latency->reads + latency->writes + latency->others;
}

static void cell_latency(struct table *table, const struct covol_latency *before,
			 const struct covol_latency *now)
{
	uint64_t count = gain(ended(before), ended(now));
	uint64_t ns = gain(before->read_ns + before->write_ns + before->other_ns,
			   now->read_ns + now->write_ns + now->other_ns);

	if (count)
		cell_number(table, ns / count / 1000);
	else
		cell_none(table);
}

static void add_object_row(struct table *table, const struct view *view,
			   const struct covol_image *now)
{
	const struct covol_image *before = image_before(view, now);
	char text[SIZE_TEXT_LEN];

	table_row(table);
	cell_uuid(table, &now->uuid);
	cell_text(table, format_object(now->id, text));
	cells_way(table, view, &before->direct, &now->direct);
	cells_way(table, view, &before->fs_redirected, &now->fs_redirected);
	cell_latency(table, &before->fs_redirected_latency, &now->fs_redirected_latency);
	cells_way(table, view, &before->block_redirected, &now->block_redirected);
	cell_latency(table, &before->block_redirected_latency, &now->block_redirected_latency);
	cells_way(table, view, &before->zero_filled, &now->zero_filled);
	cell_number(table, rate(view, ended(&before->served_latency), ended(&now->served_latency)));
	cell_latency(table, &before->served_latency, &now->served_latency);
}

static void add_session_row(struct table *table, const struct view *view,
			    const struct covol_session *now)
{
	const struct covol_session *before = session_before(view, now);

	table_row(table);
	cell_uuid(table, &now->uuid);
	cell_number(table, now->peer);
	cell_text(table, covol_session_state_name(now->state));
	cell_number(table, now->outstanding);
	cell_number(table, now->queued);
	cell_number(table, now->serving);
	cell_number(table, rate(view, before->requests_sent, now->requests_sent));
	cell_number(table, rate(view, before->requests_served, now->requests_served));
	cell_number(table, rate(view, before->bytes_sent, now->bytes_sent));
	cell_number(table, rate(view, before->bytes_received, now->bytes_received));
}

static void print(const struct view *view)
{
	struct table *table[] = {
		table_new("volumes", view->json, volume_columns, ARRAY_SIZE(volume_columns)),
		table_new("objects", view->json, object_columns, ARRAY_SIZE(object_columns)),
		table_new("sessions", view->json, session_columns, ARRAY_SIZE(session_columns)),
	};
	size_t i;

	for (i = 0; i < view->now.volumes; i++)
		add_volume_row(table[0], view, &view->now.volume[i]);
	for (i = 0; i < view->now.images; i++)
		add_object_row(table[1], view, &view->now.image[i]);
	for (i = 0; i < view->now.sessions; i++)
		add_session_row(table[2], view, &view->now.session[i]);
	if (view->json)
		tables_print_line(table, ARRAY_SIZE(table));
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!view->json)
			table_print(table[i]);
		table_free(table[i]);
	}
	if (!view->json)
		printf("\n");
}

/* ---- the command ---- */

static void sleep_until(uint64_t when)
{
	struct timespec until = { .tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* count 0: until somebody ends it. */
static int watch(struct covol *c, struct view *view, uint64_t interval, uint32_t count)
{
	uint32_t printed = 0;
	uint64_t next;
	int error;

	error = look(c, view);
	next = view->now.when;
	while (!error && (!count || printed < count)) {
		next += interval;
		sleep_until(next);
		error = look(c, view);
		if (error)
			break;
		print(view);
		printed++;
		if (fflush(stdout))
			break;	/* nobody reads on; run_cli() says so */
	}
	return error;
}

int kernel_top(const struct command *self, int argc, char **argv)
{
	unsigned int interval_ms = 1000;
	struct view view = { 0 };
	struct covol_uuid uuid;
	uint32_t count = 0;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, false, "this volume only" },
		{ "--interval", ARG_SECONDS, &interval_ms, false,
		  "how often; 1 second by default" },
		{ "--count", ARG_COUNT, &count, false, "stop after so many intervals" },
		{ "--json", ARG_FLAG, &view.json, false, "one JSON object an interval" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;
	int error;

	if (code != GO_ON)
		return code;
	if (!interval_ms)
		return bad_usage(self, "--interval: must be more than 0");
	view.of = given(args, "UUID") ? &uuid : NULL;
	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;
	error = watch(c, &view, interval_ms * (NS_PER_S / 1000), count);
	forget(&view.before);
	forget(&view.now);
	return finished(self, c, error);
}
