// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel map ...
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cli.h"

static int parse_extents(const struct command *self, const struct words *words,
			 struct covol_extent *extents)
{
	const char *expected;
	int i;

	for (i = 0; i < words->count; i++) {
		expected = parse_extent(words->word[i], &extents[i]);
		if (expected)
			return bad_usage(self, "EXTENT: \"%s\" is not %s", words->word[i],
					 expected);
	}
	return GO_ON;
}

/* What the options leave open: from the first extent to the end of the last. */
static void default_range(struct covol_map *map, bool offset_given, bool length_given)
{
	const struct covol_extent *first = map->extents;
	const struct covol_extent *last = first + map->count - 1;

	if (!offset_given)
		map->offset = first->offset;
	if (!length_given)
		map->length = last->offset + last->length - map->offset;
}

int kernel_map_set(const struct command *self, int argc, char **argv)
{
	struct words words = { 0 };
	struct covol_map map = { 0 };
	struct arg args[] = {
		{ "UUID", ARG_UUID, &map.uuid, true, "the volume" },
		{ "OBJECT", ARG_OBJECT, &map.object, true, "volume, image:ID or an id" },
		{ "EXTENT", ARG_REST, &words, false,
		  "STATE:OFFSET:LENGTH, with :PLACE for data and shared; ascending" },
		{ "--offset", ARG_BYTES, &map.offset, false,
		  "where the range begins (default: with the first extent)" },
		{ "--length", ARG_BYTES, &map.length, false,
		  "how long it is (default: to the end of the last extent)" },
		{ "--peer", ARG_NODE, &map.peer, false,
		  "grant it to this node (default: set it here)" },
		{ "--seq", ARG_NUMBER, &map.seq, false,
		  "leave out what changed after this sequence" },
		END_OF_ARGS
	};
	bool offset_given, length_given;
	int code = parse_args(self, args, argc, argv);
	struct covol_extent *extents;
	struct covol *c;

	if (code != GO_ON)
		return code;
	offset_given = given(args, "--offset");
	length_given = given(args, "--length");
	if (!words.count && !(offset_given && length_given))
		return bad_usage(self,
				 "EXTENT is missing (or --offset and --length, for an unknown range)");

	extents = calloc(words.count + 1, sizeof(*extents));
	if (!extents)
		return fail(self, "out of memory");
	code = parse_extents(self, &words, extents);
	if (code != GO_ON) {
		free(extents);
		return code;
	}
	map.extents = extents;
	map.count = words.count;
	map.with_seq = given(args, "--seq");
	if (map.count)
		default_range(&map, offset_given, length_given);

	c = open_kernel(self);
	code = c ? finished(self, c, covol_map_set(c, &map)) : EXIT_FAILED;
	free(extents);
	return code;
}

static int object_size(struct covol *c, const struct covol_uuid *uuid, uint64_t object,
		       uint64_t *size)
{
	struct covol_volume volume;
	struct covol_image image;
	int error;

	if (object) {
		error = covol_image_get(c, uuid, object, &image);
		*size = image.size;
	} else {
		error = covol_volume_get(c, uuid, &volume);
		*size = volume.size;
	}
	return error;
}

int kernel_map_clear(const struct command *self, int argc, char **argv)
{
	uint64_t object, offset = 0, length = 0, size = 0;
	struct covol_uuid uuid;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		{ "OBJECT", ARG_OBJECT, &object, true, "volume, image:ID or an id" },
		{ "--offset", ARG_BYTES, &offset, false, "where the range begins (default: 0)" },
		{ "--length", ARG_BYTES, &length, false,
		  "how long it is (default: to the end of the object)" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;

	if (!given(args, "--length")) {
		if (object_size(c, &uuid, object, &size))
			return failed(self, c);
		if (offset >= size) {
			covol_close(c);
			return fail(self, "--offset %" PRIu64 ": it has only %" PRIu64 " bytes",
				    offset, size);
		}
		length = size - offset;
	}
	return finished(self, c, covol_map_clear(c, &uuid, object, offset, length));
}

static const struct column columns[] = {
	{ "OFFSET", COLUMN_BYTES },
	{ "LENGTH", COLUMN_BYTES },
	{ "STATE", COLUMN_TEXT },
	{ "PLACE", COLUMN_BYTES },
};

static int add_row(const struct covol_extent *extent, void *data)
{
	struct table *table = data;

	table_row(table);
	cell_number(table, extent->offset);
	cell_number(table, extent->length);
	cell_text(table, covol_extent_state_name(extent->state));
	if (extent->state == COVOL_EXTENT_STATE_DATA || extent->state == COVOL_EXTENT_STATE_SHARED)
		cell_number(table, extent->place);
	else
		cell_none(table);
	return 0;
}

int kernel_map_show(const struct command *self, int argc, char **argv)
{
	uint64_t object, offset = 0;
	struct covol_extent extent;
	struct covol_uuid uuid;
	bool json = false;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		{ "OBJECT", ARG_OBJECT, &object, true, "volume, image:ID or an id" },
		{ "--offset", ARG_BYTES, &offset, false, "the extent at this offset only" },
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct table *table;
	struct covol *c;
	int error;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;

	table = table_new("extents", json, columns, ARRAY_SIZE(columns));
	if (given(args, "--offset")) {
		error = covol_map_get(c, &uuid, object, offset, &extent);
		if (!error && extent.length)
			add_row(&extent, table);
	} else {
		do
			error = covol_map_dump(c, &uuid, object, add_row, table);
		while (disturbed(table, error));
	}
	if (!error)
		table_print(table);
	table_free(table);
	return finished(self, c, error);
}
