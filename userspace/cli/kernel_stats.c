// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel stats: which ways the I/O of each object took. A row for each way.
 */
#include "cli.h"

static const struct column columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "OBJECT", COLUMN_TEXT },
	{ "WAY", COLUMN_TEXT },
	{ "IOS", COLUMN_NUMBER },
	{ "BYTES", COLUMN_AMOUNT },
	{ "IOS-SHARE", COLUMN_PERCENT },
	{ "BYTES-SHARE", COLUMN_PERCENT },
	{ "READS", COLUMN_NUMBER },
	{ "READ-BYTES", COLUMN_AMOUNT },
	{ "WRITES", COLUMN_NUMBER },
	{ "WRITE-BYTES", COLUMN_AMOUNT },
	{ "OTHERS", COLUMN_NUMBER },
	{ "READ-US", COLUMN_NUMBER },
	{ "WRITE-US", COLUMN_NUMBER },
	{ "OTHER-US", COLUMN_NUMBER },
};

static uint64_t ios(const struct covol_io_stat *stat)
{
	return stat->reads + stat->writes + stat->others;
}

static uint64_t bytes(const struct covol_io_stat *stat)
{
	return stat->read_bytes + stat->write_bytes;
}

static void cell_share(struct table *table, uint64_t part, uint64_t all)
{
	if (all)
		cell_percent(table, 100.0 * part / all);
	else
		cell_none(table);
}

static void cell_average(struct table *table, uint64_t ns, uint64_t count)
{
	if (count)
		cell_number(table, ns / count / 1000);
	else
		cell_none(table);
}

/* latency: NULL for a way that is not timed. */
static void cells_latency(struct table *table, const struct covol_latency *latency)
{
	static const struct covol_latency none;

	if (!latency)
		latency = &none;
	cell_average(table, latency->read_ns, latency->reads);
	cell_average(table, latency->write_ns, latency->writes);
	cell_average(table, latency->other_ns, latency->others);
}

static void begin_row(struct table *table, const struct covol_image *image, const char *name)
{
	char text[SIZE_TEXT_LEN];

	table_row(table);
	cell_uuid(table, &image->uuid);
	cell_text(table, format_object(image->id, text));
	cell_text(table, name);
}

/* all: NULL for a way that has no share. */
static void add_way(struct table *table, const struct covol_image *image, const char *name,
		    const struct covol_io_stat *stat, const struct covol_io_stat *all,
		    const struct covol_latency *latency)
{
	begin_row(table, image, name);
	cell_number(table, ios(stat));
	cell_number(table, bytes(stat));
	cell_share(table, ios(stat), all ? ios(all) : 0);
	cell_share(table, bytes(stat), all ? bytes(all) : 0);
	cell_number(table, stat->reads);
	cell_number(table, stat->read_bytes);
	cell_number(table, stat->writes);
	cell_number(table, stat->write_bytes);
	cell_number(table, stat->others);
	cells_latency(table, latency);
}

/* What was done for peers: how much of the bytes that was, the sessions count. */
static void add_served(struct table *table, const struct covol_image *image)
{
	const struct covol_latency *served = &image->served_latency;

	begin_row(table, image, "served");
	cell_number(table, served->reads + served->writes + served->others);
	cell_none(table);
	cell_none(table);
	cell_none(table);
	cell_number(table, served->reads);
	cell_none(table);
	cell_number(table, served->writes);
	cell_none(table);
	cell_number(table, served->others);
	cells_latency(table, served);
}

static void add_stat(struct covol_io_stat *sum, const struct covol_io_stat *stat)
{
	sum->reads += stat->reads;
	sum->read_bytes += stat->read_bytes;
	sum->writes += stat->writes;
	sum->write_bytes += stat->write_bytes;
	sum->others += stat->others;
}

static int add_rows(const struct covol_image *image, void *data)
{
	struct covol_io_stat all = { 0 };

	/* What was held is counted again under the way that it took in the end. */
	add_stat(&all, &image->direct);
	add_stat(&all, &image->fs_redirected);
	add_stat(&all, &image->block_redirected);
	add_stat(&all, &image->zero_filled);

	add_way(data, image, "direct", &image->direct, &all, NULL);
	add_way(data, image, "fs-redirected", &image->fs_redirected, &all,
		&image->fs_redirected_latency);
	add_way(data, image, "block-redirected", &image->block_redirected, &all,
		&image->block_redirected_latency);
	add_way(data, image, "zero-filled", &image->zero_filled, &all, NULL);
	add_way(data, image, "held", &image->held, NULL, NULL);
	add_served(data, image);
	return 0;
}

int kernel_stats(const struct command *self, int argc, char **argv)
{
	const struct covol_uuid *of;
	struct covol_image image;
	struct covol_uuid uuid;
	uint64_t object;
	bool json = false;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, false, "objects of this volume only" },
		{ "OBJECT", ARG_OBJECT, &object, false,
		  "this one only: volume, image:ID or an id" },
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct table *table;
	struct covol *c;
	int error;

	if (code != GO_ON)
		return code;
	of = given(args, "UUID") ? &uuid : NULL;
	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;

	table = table_new("stats", json, columns, ARRAY_SIZE(columns));
	if (given(args, "OBJECT")) {
		error = covol_image_get(c, &uuid, object, &image);
		if (!error)
			add_rows(&image, table);
	} else {
		do
			error = covol_image_dump(c, of, add_rows, table);
		while (disturbed(table, error));
	}
	if (!error)
		table_print(table);
	table_free(table);
	return finished(self, c, error);
}
