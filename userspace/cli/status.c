// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol status: which nodes are here; what each volume is on each of them, and why.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"

static const struct column columns[] = {
	{ "VOLUME", COLUMN_TEXT },
	{ "NODE", COLUMN_TEXT },
	{ "STATE", COLUMN_TEXT },
	{ "REASONS", COLUMN_REASONS },
	{ "COORDINATOR", COLUMN_TEXT },
	{ "PHASE", COLUMN_TEXT },
	{ "SINCE", COLUMN_TEXT },
};

static const struct column node_columns[] = {
	{ "NODE", COLUMN_TEXT },
	{ "ID", COLUMN_NUMBER },
	{ "STATE", COLUMN_TEXT },
};

static void cell_or_none(struct table *table, const char *text)
{
	if (*text)
		cell_text(table, text);
	else
		cell_none(table);
}

/* RFC 3339, in UTC. */
static void cell_time(struct table *table, uint64_t usec)
{
	time_t seconds = usec / 1000000;
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (usec)
		cell_text(table, text);
	else
		cell_none(table);
}

static void add_row(const struct agent_row *row, void *data)
{
	struct table *table = data;

	table_row(table);
	cell_text(table, row->name);
	cell_text(table, row->node_name);
	cell_text(table, row->state);
	cell_words(table, row->reasons);
	cell_or_none(table, row->coordinator);
	cell_text(table, row->phase);
	cell_time(table, row->since);
}

static void add_node(uint32_t node, const char *name, const char *state, void *data)
{
	struct table *table = data;

	table_row(table);
	cell_text(table, name);
	cell_number(table, node);
	cell_text(table, state);
}

/* For people an empty line between the two, if both have something. */
static void print_both(struct table *const table[2], bool json, bool line, bool volumes)
{
	if (json && line) {
		tables_print_line(table, 2);
	} else if (json) {
		tables_print(table, 2);
	} else {
		table_print(table[1]);
		if (volumes)
			printf("\n");
		table_print(table[0]);
	}
}

static int print_once(sd_bus *bus, bool json, bool line, sd_bus_error *error)
{
	struct table *table[2] = {
		table_new("status", json, columns, ARRAY_SIZE(columns)),
		table_new("nodes", json, node_columns, ARRAY_SIZE(node_columns)),
	};
	int result = agent_rows(bus, add_row, table[0], error);

	if (!result)
		result = agent_nodes(bus, add_node, table[1], error);
	if (!result)
		print_both(table, json, line, !table_empty(table[0]));
	table_free(table[0]);
	table_free(table[1]);
	return result;
}

/* What is wrong with the node itself, whatever its volumes are. */
static void print_trouble(sd_bus *bus)
{
	char *text = NULL;

	if (sd_bus_get_property_string(bus, AGENT_NAME, AGENT_MANAGER, AGENT_I_MANAGER, "Trouble",
				       NULL, &text) >= 0 && *text)
		fprintf(stderr, "covol status: %s\n", text);
	free(text);
}

static int on_changed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)message;
	(void)error;
	*(bool *)data = true;
	return 0;
}

/* Prints again after each change. Ends only with an error: that of covold, or of the output. */
static int watch(sd_bus *bus, bool json, sd_bus_error *error)
{
	bool changed = true;
	int result;

	result = sd_bus_match_signal(bus, NULL, AGENT_NAME, AGENT_MANAGER, AGENT_I_MANAGER,
				     "Changed", on_changed, &changed);
	while (result >= 0) {
		if (changed) {
			changed = false;
			result = print_once(bus, json, true, error);
			if (!json)
				printf("\n");
			if (fflush(stdout))
				result = -errno;
			continue;
		}
		result = sd_bus_process(bus, NULL);
		if (!result && !changed)
			result = sd_bus_wait(bus, UINT64_MAX);
	}
	return result;
}

int agent_status(const struct command *self, int argc, char **argv)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	bool json = false, again = false;
	struct arg args[] = {
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		{ "--watch", ARG_FLAG, &again, false, "print again after each change" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;
	sd_bus *bus;

	if (code != GO_ON)
		return code;
	bus = agent_open(self);
	if (!bus)
		return EXIT_FAILED;
	print_trouble(bus);
	result = again ? watch(bus, json, &error) : print_once(bus, json, false, &error);
	if (result < 0)
		return agent_failed(self, bus, result, &error);
	sd_bus_unref(bus);
	return EXIT_OK;
}
