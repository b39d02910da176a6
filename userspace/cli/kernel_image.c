// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel image ...
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/*
 * O_DIRECT: what the coordinator serves must never be in its page cache, where it would grow stale
 * under the writes of other nodes.
 */
static int open_file(const struct command *self, const char *path)
{
	int fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	struct stat stat;

	if (fd < 0) {
		fail(self, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode)) {
		fail(self, "%s: not a regular file", path);
		close(fd);
		return -1;
	}
	return fd;
}

#define NODES_MAX	64

struct nodes {
	uint32_t node[NODES_MAX];
	size_t count;
};

/* "1,3" */
static bool parse_nodes(const char *text, struct nodes *nodes)
{
	char *copy = strdup(text), *rest = copy, *word;
	bool good = copy;

	nodes->count = 0;
	while (good && (word = strsep(&rest, ",")))
		good = nodes->count < NODES_MAX &&
		       !parse_value(ARG_NODE, word, &nodes->node[nodes->count++]);
	free(copy);
	return good;
}

int kernel_image_add(const struct command *self, int argc, char **argv)
{
	struct covol_image image = { .fd = -1 };
	const char *file = NULL, *holders = NULL;
	struct nodes nodes = { .count = 0 };
	struct arg args[] = {
		{ "UUID", ARG_UUID, &image.uuid, true, "the volume" },
		{ "ID", ARG_IMAGE, &image.id, true, "the image's id, from 1" },
		{ "--size", ARG_BYTES, &image.size, true, "its size" },
		{ "--file", ARG_STRING, &file, false, "its file; on the coordinator only" },
		{ "--holders", ARG_STRING, &holders, false,
		  "nodes that may hold layouts of it: NODE,NODE" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	if (holders && (!file || !parse_nodes(holders, &nodes)))
		return bad_usage(self, "--holders: not NODE,NODE, or without --file");
	image.may_hold = nodes.node;
	image.may_hold_count = nodes.count;
	if (file) {
		image.fd = open_file(self, file);
		if (image.fd < 0)
			return EXIT_FAILED;
	}
	c = open_kernel(self);
	code = c ? finished(self, c, covol_image_new(c, &image)) : EXIT_FAILED;
	if (file)
		close(image.fd);
	return code;
}

/* What is asked for, if it makes sense. */
static int check_set(const struct command *self, const struct arg *args, const char *holders,
		     struct nodes *nodes)
{
	if (given(args, "--file") == given(args, "--no-file"))
		return bad_usage(self, "--file or --no-file is missing, or both are there");
	if ((given(args, "--keep-layouts") || given(args, "--no-wait")) && given(args, "--file"))
		return bad_usage(self, "--keep-layouts and --no-wait belong to --no-file");
	if (holders && (given(args, "--no-file") || !parse_nodes(holders, nodes)))
		return bad_usage(self, "--holders: not NODE,NODE, or without --file");
	return GO_ON;
}

int kernel_image_set(const struct command *self, int argc, char **argv)
{
	bool no_file = false, keep = false, no_wait = false;
	const char *file = NULL, *holders = NULL;
	struct nodes nodes = { .count = 0 };
	struct covol_uuid uuid;
	uint64_t id;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		{ "ID", ARG_IMAGE, &id, true, "the image" },
		{ "--file", ARG_STRING, &file, false, "serve it from now on, with this file" },
		{ "--holders", ARG_STRING, &holders, false,
		  "nodes that may hold layouts of it: NODE,NODE" },
		{ "--no-file", ARG_FLAG, &no_file, false, "serve it no longer" },
		{ "--keep-layouts", ARG_FLAG, &keep, false, "who holds layouts keeps them" },
		{ "--no-wait", ARG_FLAG, &no_wait, false, "begin, and keep layouts" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), fd, error;
	struct covol *c;

	if (code == GO_ON)
		code = check_set(self, args, holders, &nodes);
	if (code != GO_ON)
		return code;
	fd = file ? open_file(self, file) : -1;
	c = file && fd < 0 ? NULL : open_kernel(self);
	if (!c) {
		code = EXIT_FAILED;
	} else {
		error = file ? covol_image_serve(c, &uuid, id, fd, nodes.node, nodes.count) :
			       covol_image_release(c, &uuid, id,
						   (keep ? COVOL_IMAGE_KEEP_LAYOUTS : 0) |
							   (no_wait ? COVOL_IMAGE_NO_WAIT : 0));
		code = finished(self, c, error);
	}
	if (fd >= 0)
		close(fd);
	return code;
}

int kernel_image_resize(const struct command *self, int argc, char **argv)
{
	struct covol_uuid uuid;
	uint64_t id, size;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		{ "ID", ARG_IMAGE, &id, true, "the image" },
		{ "--size", ARG_BYTES, &size, true, "its new size" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	return c ? finished(self, c, covol_image_resize(c, &uuid, id, size)) : EXIT_FAILED;
}

static int run_on_image(const struct command *self, int argc, char **argv,
			int (*run)(struct covol *c, const struct covol_uuid *uuid, uint64_t id))
{
	struct covol_uuid uuid;
	uint64_t id;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		{ "ID", ARG_IMAGE, &id, true, "the image" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	return c ? finished(self, c, run(c, &uuid, id)) : EXIT_FAILED;
}

int kernel_image_remove(const struct command *self, int argc, char **argv)
{
	return run_on_image(self, argc, argv, covol_image_del);
}

int kernel_image_recall(const struct command *self, int argc, char **argv)
{
	return run_on_image(self, argc, argv, covol_image_recall);
}

int kernel_image_share_begin(const struct command *self, int argc, char **argv)
{
	return run_on_image(self, argc, argv, covol_image_share_begin);
}

int kernel_image_share_end(const struct command *self, int argc, char **argv)
{
	return run_on_image(self, argc, argv, covol_image_share_end);
}

static const struct column columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "ID", COLUMN_NUMBER },
	{ "SIZE", COLUMN_BYTES },
	{ "SERVED", COLUMN_BOOL },
	{ "SHARING", COLUMN_BOOL },
	{ "EXTENTS", COLUMN_NUMBER },
	{ "LAYOUT-SEQ", COLUMN_NUMBER },
	{ "HOLDERS", COLUMN_NUMBER },
	{ "DEVICES", COLUMN_NUMBER },
	{ "GRANTS-SENT", COLUMN_NUMBER },
	{ "GRANTS-RECEIVED", COLUMN_NUMBER },
	{ "RECALLS-SENT", COLUMN_NUMBER },
	{ "RECALLS-RECEIVED", COLUMN_NUMBER },
};

static int add_row(const struct covol_image *image, void *data)
{
	struct table *table = data;

	if (!image->id)
		return 0; /* the volume itself */
	table_row(table);
	cell_uuid(table, &image->uuid);
	cell_number(table, image->id);
	cell_number(table, image->size);
	cell_number(table, image->served);
	cell_number(table, image->sharing);
	cell_number(table, image->extents);
	cell_number(table, image->layout_seq);
	cell_number(table, image->holders);
	cell_number(table, image->devices);
	cell_number(table, image->grants_sent);
	cell_number(table, image->grants_received);
	cell_number(table, image->recalls_sent);
	cell_number(table, image->recalls_received);
	return 0;
}

int kernel_image_show(const struct command *self, int argc, char **argv)
{
	const struct covol_uuid *of;
	struct covol_image image;
	struct covol_uuid uuid;
	uint64_t id;
	bool json = false;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, false, "images of this volume only" },
		{ "ID", ARG_IMAGE, &id, false, "this image only" },
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

	table = table_new("images", json, columns, ARRAY_SIZE(columns));
	if (given(args, "ID")) {
		error = covol_image_get(c, &uuid, id, &image);
		if (!error)
			add_row(&image, table);
	} else {
		do
			error = covol_image_dump(c, of, add_row, table);
		while (disturbed(table, error));
	}
	if (!error)
		table_print(table);
	table_free(table);
	return finished(self, c, error);
}
