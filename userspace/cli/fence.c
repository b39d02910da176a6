// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol fence ...: when a node that has left is fenced.
 */
#include <string.h>

#include "agent.h"

static int tell(const struct command *self, int argc, char **argv, bool always)
{
	struct arg none[] = { END_OF_ARGS };
	sd_bus_message *message = NULL;
	int code = parse_args(self, none, argc, argv), result;
	sd_bus *bus;

	if (code != GO_ON)
		return code;
	bus = agent_open(self);
	if (!bus)
		return EXIT_FAILED;
	result = sd_bus_message_new_method_call(bus, &message, AGENT_NAME, AGENT_MANAGER,
						AGENT_I_MANAGER, "SetFenceAlways");
	if (result >= 0)
		result = sd_bus_message_append(message, "b", always);
	if (result >= 0)
		return agent_send(self, bus, message);
	sd_bus_message_unref(message);
	sd_bus_unref(bus);
	return fail(self, "%s", strerror(-result));
}

int fence_always(const struct command *self, int argc, char **argv)
{
	return tell(self, argc, argv, true);
}

int fence_on_demand(const struct command *self, int argc, char **argv)
{
	return tell(self, argc, argv, false);
}

int fence_show(const struct command *self, int argc, char **argv)
{
	static const struct column columns[] = { { "POLICY", COLUMN_TEXT } };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	bool json = false;
	struct arg args[] = {
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result, always;
	struct table *table;
	sd_bus *bus;

	if (code != GO_ON)
		return code;
	bus = agent_open(self);
	if (!bus)
		return EXIT_FAILED;
	result = sd_bus_get_property_trivial(bus, AGENT_NAME, AGENT_MANAGER, AGENT_I_MANAGER,
					     "FenceAlways", &error, 'b', &always);
	if (result < 0)
		return agent_failed(self, bus, result, &error);
	sd_bus_unref(bus);
	table = table_new("fence", json, columns, ARRAY_SIZE(columns));
	table_row(table);
	cell_text(table, always ? "always" : "on-demand");
	table_print(table);
	table_free(table);
	return EXIT_OK;
}
