/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration: covold.conf(5).
 */
#ifndef COVOLD_CONFIG_H
#define COVOLD_CONFIG_H

#include <stddef.h>

#define CONFIG_FILE	"/etc/covol/covold.conf"

enum config_backend {
	CONFIG_COROSYNC,
	CONFIG_STANDALONE,
};

/**
 * struct config_fence - a section [fence:NODE]
 * @next: the next
 * @node: NODE
 * @options: "name=value", for the program
 * @count: how many
 * @file: where it began
 * @line: in it
 */
struct config_fence {
	struct config_fence *next;
	char *node;
	char **options;
	size_t count;
	char *file;
	unsigned long line;
};

/**
 * struct config - what can be set; covold.conf(5) says what each means
 * @backend: [cluster] backend
 * @node: [cluster] node
 * @state_directory: [agent] state_directory
 * @runtime_directory: [agent] runtime_directory
 * @log_level: [agent] log_level, as syslog(3) numbers them
 * @workers: [agent] workers
 * @mount_directory: [agent] mount_directory
 * @port: [session] port
 * @lanes: [session] lanes
 * @certificate: [session] certificate; NULL: none
 * @key: [session] key; NULL: none
 * @authority: [session] authority; NULL: none
 * @fence_method: [fence] method: LUN_METHOD_PR or LUN_METHOD_COMMAND
 * @fence_command: [fence] command; NULL: none
 * @fence_timeout: [fence] timeout, in seconds
 * @fences: the sections [fence:NODE]
 */
struct config {
	unsigned int backend;
	unsigned int node;
	char *state_directory;
	char *runtime_directory;
	unsigned int log_level;
	unsigned int workers;
	char *mount_directory;
	unsigned int port;
	unsigned int lanes;
	char *certificate;
	char *key;
	char *authority;
	unsigned int fence_method;
	char *fence_command;
	unsigned int fence_timeout;
	struct config_fence *fences;
};

#define CONFIG_ERROR	512

/**
 * config_read() - Read the configuration.
 * @config: result; all that no file says is as by default
 * @file: read if it is there, then the files *.conf in the directory @file.d, in the order of their
 *	  names; what is read last counts
 * @error: one line with file and line, if something is wrong
 *
 * Return: 0, or a negative errno: -EINVAL for what is not as covold.conf(5) has it; then *config
 * is to be freed, too.
 */
int config_read(struct config *config, const char *file, char error[CONFIG_ERROR]);

/* NULL: there is no such section. */
const struct config_fence *config_fence_find(const struct config *config, const char *node);

void config_free(struct config *config);

#endif
