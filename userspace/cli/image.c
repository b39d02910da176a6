// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol image ...: what is asked of the agent.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define I_IMAGES	"org.covol.Images"

/* A call of a volume's images; NULL: after an error was printed, and the bus was closed. */
static sd_bus_message *call_of(const struct command *self, sd_bus *bus, const char *volume,
			       const char *method)
{
	sd_bus_message *message = NULL;
	char path[AGENT_PATH];
	int result;

	if (!agent_volume(self, bus, volume, path))
		return NULL;
	result = sd_bus_message_new_method_call(bus, &message, AGENT_NAME, path, I_IMAGES, method);
	if (result >= 0)
		return message;
	fail(self, "%s", strerror(-result));
	sd_bus_unref(bus);
	return NULL;
}

/* @size: 0: the method takes none */
static int tell(const struct command *self, const char *volume, const char *method,
		const char *name, uint64_t size)
{
	sd_bus *bus = agent_open(self);
	sd_bus_message *message = bus ? call_of(self, bus, volume, method) : NULL;
	int result;

	if (!message)
		return EXIT_FAILED;
	result = sd_bus_message_append(message, "s", name);
	if (result >= 0 && size)
		result = sd_bus_message_append(message, "t", size);
	if (result >= 0)
		return agent_send(self, bus, message);
	sd_bus_message_unref(message);
	sd_bus_unref(bus);
	return fail(self, "%s", strerror(-result));
}

int image_create(const struct command *self, int argc, char **argv)
{
	const char *volume = NULL, *name = NULL;
	uint64_t size = 0;
	struct arg args[] = {
		{ "VOLUME", ARG_STRING, &volume, true, "its name or uuid" },
		{ "NAME", ARG_STRING, &name, true, "what it will be called" },
		{ "--size", ARG_BYTES, &size, true, "its size" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	if (code != GO_ON)
		return code;
	return size ? tell(self, volume, "Create", name, size) :
		      bad_usage(self, "--size: an image of no size");
}

static int simple(const struct command *self, int argc, char **argv, const char *method)
{
	const char *volume = NULL, *name = NULL;
	struct arg args[] = {
		{ "VOLUME", ARG_STRING, &volume, true, "its name or uuid" },
		{ "NAME", ARG_STRING, &name, true, "the image" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	return code == GO_ON ? tell(self, volume, method, name, 0) : code;
}

int image_remove(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Remove");
}

int image_attach(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Attach");
}

int image_detach(const struct command *self, int argc, char **argv)
{
	return simple(self, argc, argv, "Detach");
}

static const struct column columns[] = {
	{ "NAME", COLUMN_TEXT },
	{ "ID", COLUMN_NUMBER },
	{ "SIZE", COLUMN_BYTES },
	{ "USED", COLUMN_AMOUNT },
	{ "DEVICE", COLUMN_TEXT },
};

/* On this node; the agent makes the link. */
static void add_device(struct table *table, const char *volume, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/dev/covol/%.40s/%.40s", volume, name);
	if (access(path, F_OK))
		cell_none(table);
	else
		cell_text(table, path);
}

static int add_rows(sd_bus_message *reply, struct table *table, const char *volume)
{
	uint64_t id, size, used;
	const char *name;
	int result = sd_bus_message_enter_container(reply, 'a', "(sttt)");

	while (result >= 0 &&
	       (result = sd_bus_message_read(reply, "(sttt)", &name, &id, &size, &used)) > 0) {
		table_row(table);
		cell_text(table, name);
		cell_number(table, id);
		cell_number(table, size);
		cell_number(table, used);
		add_device(table, volume, name);
	}
	return result;
}

int image_list(const struct command *self, int argc, char **argv)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *message, *reply = NULL;
	const char *volume = NULL;
	struct table *table;
	bool json = false;
	struct arg args[] = {
		{ "VOLUME", ARG_STRING, &volume, true, "its name" },
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;
	sd_bus *bus;

	if (code != GO_ON)
		return code;
	bus = agent_open(self);
	message = bus ? call_of(self, bus, volume, "List") : NULL;
	if (!message)
		return EXIT_FAILED;
	table = table_new("images", json, columns, ARRAY_SIZE(columns));
	result = sd_bus_call(bus, message, 0, &error, &reply);
	sd_bus_message_unref(message);
	if (result >= 0)
		result = add_rows(reply, table, volume);
	if (result >= 0)
		table_print(table);
	table_free(table);
	sd_bus_message_unref(reply);
	if (result < 0)
		return agent_failed(self, bus, result, &error);
	sd_bus_unref(bus);
	return EXIT_OK;
}
