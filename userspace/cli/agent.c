// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

sd_bus *agent_open(const struct command *self)
{
	sd_bus *bus = NULL;
	int result = sd_bus_open_system(&bus);

	if (result < 0) {
		fail(self, "the system bus: %s", strerror(-result));
		return NULL;
	}
	/* To make a file system may take its time. */
	sd_bus_set_method_call_timeout(bus, 300000000ULL);
	return bus;
}

int agent_failed(const struct command *self, sd_bus *bus, int result, sd_bus_error *error)
{
	if (sd_bus_error_has_name(error, "org.freedesktop.DBus.Error.ServiceUnknown") ||
	    sd_bus_error_has_name(error, "org.freedesktop.DBus.Error.NameHasNoOwner"))
		fail(self, "covold does not run on this node");
	else
		fail(self, "%s", error->message ? error->message : strerror(-result));
	sd_bus_error_free(error);
	sd_bus_unref(bus);
	return EXIT_FAILED;
}

int agent_send(const struct command *self, sd_bus *bus, sd_bus_message *message)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *word;
	int result = sd_bus_call(bus, message, 0, &error, &reply);

	sd_bus_message_unref(message);
	if (result < 0)
		return agent_failed(self, bus, result, &error);
	if (sd_bus_message_has_signature(reply, "s") && sd_bus_message_read(reply, "s", &word) > 0)
		printf("%s\n", word);
	sd_bus_message_unref(reply);
	sd_bus_unref(bus);
	return EXIT_OK;
}

static int read_reasons(sd_bus_message *message, char text[160])
{
	const char *reason;
	size_t length = 0;
	int result = sd_bus_message_enter_container(message, 'a', "s");

	text[0] = 0;
	while (result >= 0 && (result = sd_bus_message_read(message, "s", &reason)) > 0)
		length += snprintf(text + length, 160 - length, "%s%s", length ? " " : "", reason);
	return result < 0 ? result : sd_bus_message_exit_container(message);
}

static int read_row(sd_bus_message *message, struct agent_row *row)
{
	int result = sd_bus_message_read(message, "sssuss", &row->name, &row->uuid, &row->phase,
					 &row->node, &row->node_name, &row->state);

	if (result >= 0)
		result = read_reasons(message, row->reasons);
	if (result >= 0)
		result = sd_bus_message_read(message, "st", &row->coordinator, &row->since);
	return result < 0 ? result : sd_bus_message_exit_container(message);
}

int agent_rows(sd_bus *bus, void (*fn)(const struct agent_row *row, void *data), void *data,
	       sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	struct agent_row row;
	int result;

	result = sd_bus_call_method(bus, AGENT_NAME, AGENT_MANAGER, AGENT_I_MANAGER, "GetStatus",
				    error, &reply, "");
	if (result >= 0)
		result = sd_bus_message_enter_container(reply, 'a', "(sssussasst)");
	while (result >= 0) {
		result = sd_bus_message_enter_container(reply, 'r', "sssussasst");
		if (result <= 0)
			break;
		result = read_row(reply, &row);
		if (result >= 0)
			fn(&row, data);
	}
	sd_bus_message_unref(reply);
	return result < 0 ? result : 0;
}

int agent_nodes(sd_bus *bus,
		void (*fn)(uint32_t node, const char *name, const char *state, void *data),
		void *data, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	const char *name, *state;
	uint32_t node;
	int result;

	result = sd_bus_get_property(bus, AGENT_NAME, AGENT_MANAGER, AGENT_I_MANAGER, "Nodes",
				     error, &reply, "a(uss)");
	if (result >= 0)
		result = sd_bus_message_enter_container(reply, 'a', "(uss)");
	while (result >= 0 &&
	       (result = sd_bus_message_read(reply, "(uss)", &node, &name, &state)) > 0)
		fn(node, name, state, data);
	sd_bus_message_unref(reply);
	return result < 0 ? result : 0;
}

/* Of the volume of that name or uuid. */
struct search {
	const char *word;
	char *path;
};

static void look(const struct agent_row *row, void *data)
{
	struct search *search = data;
	char *dash;

	if (strcmp(row->name, search->word) && strcmp(row->uuid, search->word))
		return;
	snprintf(search->path, AGENT_PATH, "/org/covol/volume/%.36s", row->uuid);
	while ((dash = strchr(search->path, '-')))
		*dash = '_';
}

bool agent_volume(const struct command *self, sd_bus *bus, const char *word, char path[AGENT_PATH])
{
	struct search search = { .word = word, .path = path };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int result;

	*path = 0;
	result = agent_rows(bus, look, &search, &error);
	if (result < 0) {
		agent_failed(self, bus, result, &error);
		return false;
	}
	if (*path)
		return true;
	fail(self, "%s: there is no such volume", word);
	sd_bus_unref(bus);
	return false;
}
