// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol volume ..., covol maintenance ...: what is asked of the agent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

/* A method of a volume with nothing, a flag or a word. */
static int tell(const struct command *self, const char *volume, const char *method,
		const char *type, bool flag, const char *word)
{
	sd_bus *bus = agent_open(self);
	sd_bus_message *message = NULL;
	char path[AGENT_PATH];
	int result;

	if (!bus || !agent_volume(self, bus, volume, path))
		return EXIT_FAILED;
	result = sd_bus_message_new_method_call(bus, &message, AGENT_NAME, path, AGENT_I_VOLUME,
						method);
	if (result >= 0 && *type == 'b')
		result = sd_bus_message_append(message, "b", flag);
	else if (result >= 0 && *type == 's')
		result = sd_bus_message_append(message, "s", word);
	if (result < 0) {
		fail(self, "%s", strerror(-result));
		sd_bus_message_unref(message);
		sd_bus_unref(bus);
		return EXIT_FAILED;
	}
	return agent_send(self, bus, message);
}

static int simple(const struct command *self, int argc, char **argv, const char *method,
		  const char *type, bool flag)
{
	const char *volume = NULL;
	struct arg args[] = {
		{ "VOLUME", ARG_STRING, &volume, true, "its name or uuid" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	return code == GO_ON ? tell(self, volume, method, type, flag, NULL) : code;
}

int volume_start(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Start", "", false);
}

int volume_stop(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Stop", "", false);
}

int volume_forget(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Forget", "", false);
}

int volume_redirect_on(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Redirect", "b", true);
}

int volume_redirect_off(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Redirect", "b", false);
}

int maintenance_enter(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Maintenance", "b", true);
}

int maintenance_leave(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Maintenance", "b", false);
}

int volume_move(const struct command *self, int argc, char **argv)
{
	const char *volume = NULL, *node = NULL;
	struct arg args[] = {
		{ "VOLUME", ARG_STRING, &volume, true, "its name or uuid" },
		{ "NODE", ARG_STRING, &node, true, "who is to be coordinator: name or number" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	return code == GO_ON ? tell(self, volume, "Move", "s", false, node) : code;
}

/* "a,b,c" as a list of words; NULL: none. */
static int append_list(sd_bus_message *message, const char *text)
{
	char *copy = strdup(text ? text : ""), *rest = copy, *word;
	int result = copy ? sd_bus_message_open_container(message, 'a', "s") : -ENOMEM;

	while (result >= 0 && (word = strsep(&rest, ",")))
		if (*word)
			result = sd_bus_message_append(message, "s", word);
	free(copy);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

int volume_prefer(const struct command *self, int argc, char **argv)
{
	const char *volume = NULL, *first = NULL, *never = NULL;
	struct arg args[] = {
		{ "VOLUME", ARG_STRING, &volume, true, "its name or uuid" },
		{ "--nodes", ARG_STRING, &first, false, "who comes first: NODE,NODE" },
		{ "--never", ARG_STRING, &never, false, "who is never to have it: NODE,NODE" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;
	sd_bus_message *message = NULL;
	char path[AGENT_PATH];
	sd_bus *bus;

	if (code != GO_ON)
		return code;
	bus = agent_open(self);
	if (!bus || !agent_volume(self, bus, volume, path))
		return EXIT_FAILED;
	result = sd_bus_message_new_method_call(bus, &message, AGENT_NAME, path, AGENT_I_VOLUME,
						"Prefer");
	if (result >= 0)
		result = append_list(message, first);
	if (result >= 0)
		result = append_list(message, never);
	if (result >= 0)
		return agent_send(self, bus, message);
	sd_bus_message_unref(message);
	sd_bus_unref(bus);
	return fail(self, "%s", strerror(-result));
}

static int make(const struct command *self, const char *method, const char *device,
		const char *name, const char *fs, bool force)
{
	sd_bus *bus = agent_open(self);
	sd_bus_message *message = NULL;
	int result;

	if (!bus)
		return EXIT_FAILED;
	result = sd_bus_message_new_method_call(bus, &message, AGENT_NAME, AGENT_MANAGER,
						AGENT_I_MANAGER, method);
	if (result >= 0)
		result = sd_bus_message_append(message, "ss", device, name);
	if (result >= 0 && fs)
		result = sd_bus_message_append(message, "s", fs);
	if (result >= 0)
		result = sd_bus_message_append(message, "b", force);
	if (result >= 0)
		return agent_send(self, bus, message);
	sd_bus_message_unref(message);
	sd_bus_unref(bus);
	return fail(self, "%s", strerror(-result));
}

int volume_create(const struct command *self, int argc, char **argv)
{
	const char *device = NULL, *name = NULL, *fs = "xfs";
	bool force = false;
	struct arg args[] = {
		{ "NAME", ARG_STRING, &name, true, "what it will be called" },
		{ "DEVICE", ARG_STRING, &device, true, "the LUN, on this node" },
		{ "--fs", ARG_STRING, &fs, false, "xfs (default) or ext4" },
		{ "--force", ARG_FLAG, &force, false, "whatever is on the LUN is lost" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	return code == GO_ON ? make(self, "CreateVolume", device, name, fs, force) : code;
}

int volume_adopt(const struct command *self, int argc, char **argv)
{
	const char *device = NULL, *name = "";
	bool force = false;
	struct arg args[] = {
		{ "DEVICE", ARG_STRING, &device, true, "the LUN, on this node" },
		{ "--name", ARG_STRING, &name, false,
		  "what it will be called (default: as it is)" },
		{ "--force", ARG_FLAG, &force, false,
		  "also another cluster's, a copy of another LUN, or one with keys" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	return code == GO_ON ? make(self, "Adopt", device, name, NULL, force) : code;
}

static const struct column columns[] = {
	{ "NAME", COLUMN_TEXT },
	{ "UUID", COLUMN_TEXT },
	{ "PHASE", COLUMN_TEXT },
	{ "COORDINATOR", COLUMN_TEXT },
};

struct listing {
	struct table *table;
	char last[COVOL_UUID_TEXT_LEN];
};

/* Once for each volume: its rows follow each other. */
static void add_row(const struct agent_row *row, void *data)
{
	struct listing *listing = data;

	if (!strcmp(listing->last, row->uuid))
		return;
	snprintf(listing->last, sizeof(listing->last), "%s", row->uuid);
	table_row(listing->table);
	cell_text(listing->table, row->name);
	cell_text(listing->table, row->uuid);
	cell_text(listing->table, row->phase);
	if (*row->coordinator)
		cell_text(listing->table, row->coordinator);
	else
		cell_none(listing->table);
}

int volume_list(const struct command *self, int argc, char **argv)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct listing listing = { 0 };
	bool json = false;
	struct arg args[] = {
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;
	sd_bus *bus;

	if (code != GO_ON)
		return code;
	bus = agent_open(self);
	if (!bus)
		return EXIT_FAILED;
	listing.table = table_new("volumes", json, columns, ARRAY_SIZE(columns));
	result = agent_rows(bus, add_row, &listing, &error);
	if (!result)
		table_print(listing.table);
	table_free(listing.table);
	if (result < 0)
		return agent_failed(self, bus, result, &error);
	sd_bus_unref(bus);
	return EXIT_OK;
}
