// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel image ...
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

int kernel_image_add(const struct command *self, int argc, char **argv)
{
	struct covol_image image = { .fd = -1 };
	const char *file = NULL;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &image.uuid, true, "the volume" },
		{ "ID", ARG_IMAGE, &image.id, true, "the image's id, from 1" },
		{ "--size", ARG_BYTES, &image.size, true, "its size" },
		{ "--file", ARG_STRING, &file, false, "its file; on the coordinator only" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
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
