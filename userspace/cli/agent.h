/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands' way to this node's agent, covold: D-Bus.
 */
#ifndef COVOL_CLI_AGENT_H
#define COVOL_CLI_AGENT_H

#include <systemd/sd-bus.h>

#include "cli.h"

#define AGENT_NAME	"org.covol"
#define AGENT_MANAGER	"/org/covol"
#define AGENT_I_MANAGER	"org.covol.Manager"
#define AGENT_I_VOLUME	"org.covol.Volume"

/* The system bus, or NULL after an error was printed. */
sd_bus *agent_open(const struct command *self);
/* Prints what was answered, closes the bus; returns EXIT_FAILED. */
int agent_failed(const struct command *self, sd_bus *bus, int result, sd_bus_error *error);
/*
 * Calls, prints the answer if it is a word, and closes the bus. Takes @message. Returns EXIT_OK or
 * EXIT_FAILED, after an error was printed.
 */
int agent_send(const struct command *self, sd_bus *bus, sd_bus_message *message);

/**
 * struct agent_row - a volume on a node
 * @name: of the volume
 * @uuid: of the volume
 * @phase: of the volume
 * @node: number of the node
 * @node_name: its name
 * @state: of the volume on this node
 * @reasons: why, separated by spaces; "" for none
 * @coordinator: name of the coordinator; "": none
 * @since: of the state, microseconds since 1970
 */
struct agent_row {
	const char *name;
	const char *uuid;
	const char *phase;
	uint32_t node;
	const char *node_name;
	const char *state;
	char reasons[160];
	const char *coordinator;
	uint64_t since;
};

/* Calls @fn with each row. 0, or a negative errno and *error. */
int agent_rows(sd_bus *bus, void (*fn)(const struct agent_row *row, void *data), void *data,
	       sd_bus_error *error);

/*
 * Calls @fn with each node of the cluster: its number, its name, and "online", "agent-lost" or
 * "node-lost". 0, or a negative errno and *error.
 */
int agent_nodes(sd_bus *bus,
		void (*fn)(uint32_t node, const char *name, const char *state, void *data),
		void *data, sd_bus_error *error);

#define AGENT_PATH	64

/*
 * The path of the volume of that name or uuid. false: after an error was printed, and the bus was
 * closed.
 */
bool agent_volume(const struct command *self, sd_bus *bus, const char *word, char path[AGENT_PATH]);

#endif
