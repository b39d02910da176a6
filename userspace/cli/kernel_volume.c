// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel volume ...
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* Opens a LUN and reads its size. Returns a descriptor, or -1 after an error was printed. */
static int open_lun(const struct command *self, const char *path, uint64_t *size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat stat;

	if (fd < 0) {
		fail(self, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &stat) || !S_ISBLK(stat.st_mode)) {
		fail(self, "%s: not a block device", path);
		close(fd);
		return -1;
	}
	if (ioctl(fd, BLKGETSIZE64, size)) {
		fail(self, "%s: reading its size: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static int add(const struct command *self, const struct covol_volume *volume)
{
	struct covol *c = open_kernel(self);

	return c ? finished(self, c, covol_volume_new(c, volume)) : EXIT_FAILED;
}

static int add_with_lun(const struct command *self, struct covol_volume *volume, const char *lun,
			bool whole)
{
	uint64_t lun_size;
	int code;

	volume->lun_fd = open_lun(self, lun, &lun_size);
	if (volume->lun_fd < 0)
		return EXIT_FAILED;
	if (whole && volume->lun_offset >= lun_size) {
		close(volume->lun_fd);
		return fail(self, "--lun-offset %" PRIu64 ": %s has only %" PRIu64 " bytes",
			    volume->lun_offset, lun, lun_size);
	}
	if (whole)
		volume->size = lun_size - volume->lun_offset;
	code = add(self, volume);
	close(volume->lun_fd);
	return code;
}

int kernel_volume_add(const struct command *self, int argc, char **argv)
{
	struct covol_volume volume = { .lun_fd = -1 };
	const char *lun = NULL;
	uint64_t chunk_size = 0;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &volume.uuid, true, "the volume's identity" },
		{ "--node", ARG_NODE, &volume.node, true, "this node's id" },
		{ "--coordinator", ARG_NODE, &volume.coordinator, true,
		  "the coordinator's node id" },
		{ "--epoch", ARG_NUMBER, &volume.epoch, true, "number of the coordinator's term" },
		{ "--role", ARG_ROLE, &volume.role, false,
		  "member or coordinator (default: what --node and --coordinator say)" },
		{ "--lun", ARG_STRING, &lun, false, "the LUN's device (default: no path to it)" },
		{ "--lun-offset", ARG_BYTES, &volume.lun_offset, false,
		  "where the volume's data begins on the LUN (default: 0)" },
		{ "--size", ARG_BYTES, &volume.size, false,
		  "size of the volume's data (default: the rest of the LUN)" },
		{ "--chunk-size", ARG_BYTES, &chunk_size, false,
		  "unit in which the coordinator allocates (default: the kernel's)" },
		{ "--plaintext", ARG_FLAG, &volume.plaintext, false,
		  "allow sessions without TLS, for networks that nobody else can reach" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	if (code != GO_ON)
		return code;
	if (!lun && given(args, "--lun-offset"))
		return bad_usage(self, "--lun-offset is given, but not --lun");
	if (!lun && !given(args, "--size"))
		return bad_usage(self, "--size is missing (or --lun)");
	if (chunk_size > UINT32_MAX)
		return bad_usage(self, "--chunk-size: %" PRIu64 " is too large", chunk_size);

	volume.chunk_size = chunk_size;
	if (!given(args, "--role"))
		volume.role = volume.node == volume.coordinator ? COVOL_ROLE_COORDINATOR :
								  COVOL_ROLE_MEMBER;
	if (!lun)
		return add(self, &volume);
	return add_with_lun(self, &volume, lun, !given(args, "--size"));
}

/* The role follows from who is the coordinator, and the kernel wants to be told. */
static int derive_role(struct covol *c, struct covol_volume *volume)
{
	struct covol_volume now;
	int error = covol_volume_get(c, &volume->uuid, &now);

	if (!error)
		volume->role = now.node == volume->coordinator ? COVOL_ROLE_COORDINATOR :
								 COVOL_ROLE_MEMBER;
	return error;
}

static unsigned int fields_given(const struct arg *args)
{
	unsigned int set = 0;

	if (given(args, "--route"))
		set |= COVOL_VOLUME_ROUTE;
	if (given(args, "--redirect-peer"))
		set |= COVOL_VOLUME_REDIRECT_PEER;
	if (given(args, "--epoch"))
		set |= COVOL_VOLUME_EPOCH;
	if (given(args, "--coordinator"))
		set |= COVOL_VOLUME_COORDINATOR | COVOL_VOLUME_ROLE;
	if (given(args, "--chunk-size"))
		set |= COVOL_VOLUME_CHUNK_SIZE;
	return set;
}

int kernel_volume_set(const struct command *self, int argc, char **argv)
{
	struct covol_volume volume = { .lun_fd = -1 };
	uint64_t chunk_size = 0;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &volume.uuid, true, "the volume" },
		{ "--route", ARG_ROUTE, &volume.route, false,
		  "direct, fs-redirected, block-redirected, held or unavailable" },
		{ "--redirect-peer", ARG_NODE, &volume.redirect_peer, false,
		  "node through which block-redirected I/O goes" },
		{ "--epoch", ARG_NUMBER, &volume.epoch, false, "number of the coordinator's term" },
		{ "--coordinator", ARG_NODE, &volume.coordinator, false,
		  "the coordinator's node id; the role follows from it" },
		{ "--chunk-size", ARG_BYTES, &chunk_size, false,
		  "unit in which the coordinator allocates" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	unsigned int set;
	struct covol *c;
	int error = 0;

	if (code != GO_ON)
		return code;
	set = fields_given(args);
	if (!set)
		return bad_usage(self, "nothing to change is given");
	if (chunk_size > UINT32_MAX)
		return bad_usage(self, "--chunk-size: %" PRIu64 " is too large", chunk_size);
	volume.chunk_size = chunk_size;

	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;
	if (set & COVOL_VOLUME_ROLE)
		error = derive_role(c, &volume);
	if (!error)
		error = covol_volume_set(c, &volume, set);
	return finished(self, c, error);
}

/* What a LUN has for the volume on it by now; false after an error was printed. */
static bool lun_room(const struct command *self, const struct covol_volume *volume, uint64_t *room)
{
	uint64_t sectors, size;
	char path[64];
	FILE *file;
	int got;

	snprintf(path, sizeof(path), "/sys/dev/block/%" PRIu32 ":%" PRIu32 "/size",
		 volume->lun_major, volume->lun_minor);
	file = fopen(path, "re");
	if (!file) {
		fail(self, "%s: %s", path, strerror(errno));
		return false;
	}
	got = fscanf(file, "%" SCNu64, &sectors);
	fclose(file);
	size = got == 1 ? sectors * 512 : 0;
	if (size <= volume->lun_offset) {
		fail(self, "%s: not the size of a LUN that has the volume", path);
		return false;
	}
	*room = size - volume->lun_offset;
	return true;
}

/* The size that was not given: the rest of the LUN. */
static bool whole_lun(const struct command *self, struct covol *c, struct covol_volume *volume,
		      int *error)
{
	struct covol_volume now;

	*error = covol_volume_get(c, &volume->uuid, &now);
	if (*error)
		return false;
	if (!now.lun_major && !now.lun_minor) {
		fail(self, "this node has no path to the LUN: --size is missing");
		return false;
	}
	return lun_room(self, &now, &volume->size);
}

int kernel_volume_resize(const struct command *self, int argc, char **argv)
{
	struct covol_volume volume = { .lun_fd = -1 };
	struct arg args[] = {
		{ "UUID", ARG_UUID, &volume.uuid, true, "the volume" },
		{ "--size", ARG_BYTES, &volume.size, false,
		  "size of the volume's data (default: the rest of the LUN)" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;
	int error = 0;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;
	if (!given(args, "--size") && !whole_lun(self, c, &volume, &error)) {
		if (error)
			return finished(self, c, error);
		covol_close(c);
		return EXIT_FAILED;
	}
	return finished(self, c, covol_volume_set(c, &volume, COVOL_VOLUME_SIZE));
}

int kernel_volume_remove(const struct command *self, int argc, char **argv)
{
	struct covol_uuid uuid;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	return c ? finished(self, c, covol_volume_del(c, &uuid)) : EXIT_FAILED;
}

static const struct column columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "NODE", COLUMN_NUMBER },
	{ "ROLE", COLUMN_TEXT },
	{ "EPOCH", COLUMN_NUMBER },
	{ "ROUTE", COLUMN_TEXT },
	{ "REASONS", COLUMN_REASONS },
	{ "COORDINATOR", COLUMN_NUMBER },
	{ "REDIRECT-PEER", COLUMN_NUMBER },
	{ "LUN", COLUMN_TEXT },
	{ "LUN-OFFSET", COLUMN_BYTES },
	{ "SIZE", COLUMN_BYTES },
	{ "CHUNK-SIZE", COLUMN_BYTES },
	{ "HELD", COLUMN_NUMBER },
	{ "IMAGES", COLUMN_NUMBER },
	{ "SESSIONS", COLUMN_NUMBER },
	{ "DEVICES", COLUMN_NUMBER },
	{ "HOLDS", COLUMN_NUMBER },
	{ "RELEASES", COLUMN_NUMBER },
	{ "REPLAYS", COLUMN_NUMBER },
	{ "SESSIONS-LOST", COLUMN_NUMBER },
};

static int add_row(const struct covol_volume *volume, void *data)
{
	bool lun = volume->lun_major || volume->lun_minor;
	struct table *table = data;
	char text[32];

	table_row(table);
	cell_uuid(table, &volume->uuid);
	cell_number(table, volume->node);
	cell_text(table, covol_role_name(volume->role));
	cell_number(table, volume->epoch);
	cell_text(table, covol_route_name(volume->route));
	cell_reasons(table, volume->reasons);
	cell_number(table, volume->coordinator);
	if (volume->redirect_peer)
		cell_number(table, volume->redirect_peer);
	else
		cell_none(table);
	if (lun) {
		snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32, volume->lun_major,
			 volume->lun_minor);
		cell_text(table, text);
		cell_number(table, volume->lun_offset);
	} else {
		cell_none(table);
		cell_none(table);
	}
	cell_number(table, volume->size);
	cell_number(table, volume->chunk_size);
	cell_number(table, volume->held);
	cell_number(table, volume->images);
	cell_number(table, volume->sessions);
	cell_number(table, volume->devices);
	cell_number(table, volume->holds);
	cell_number(table, volume->releases);
	cell_number(table, volume->replays);
	cell_number(table, volume->sessions_lost);
	return 0;
}

int kernel_volume_show(const struct command *self, int argc, char **argv)
{
	struct covol_volume volume;
	struct covol_uuid uuid;
	bool json = false;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, false, "this volume only" },
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

	table = table_new("volumes", json, columns, ARRAY_SIZE(columns));
	if (given(args, "UUID")) {
		error = covol_volume_get(c, &uuid, &volume);
		if (!error)
			add_row(&volume, table);
	} else {
		do
			error = covol_volume_dump(c, add_row, table);
		while (disturbed(table, error));
	}
	if (!error)
		table_print(table);
	table_free(table);
	return finished(self, c, error);
}
