// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <libeconf_ext.h>
#include <linux/covol.h>

#include "../agent/ownership.h"
#include "../lun/fence.h"
#include "config.h"
#include "memory.h"

#define WORKERS_MIN	4
#define WORKERS_MAX	1024
#define LANES_STANDARD	4

enum kind {
	KIND_WORD,	/* one of @words: its place among them */
	KIND_NUMBER,	/* @min to @max */
	KIND_PATH,	/* absolute */
	KIND_PROGRAM,	/* absolute, and there */
};

struct option {
	const char *group;
	const char *key;
	enum kind kind;
	size_t offset;	/* in struct config */
	const char *standard;
	const char *const *words;
	unsigned int min;
	unsigned int max;
};

static const char *const backends[] = { "corosync", "standalone", NULL };
static const char *const levels[] = {
	/* The numbers of syslog(3); nobody wants less than errors. */
	"", "", "", "error", "warning", "notice", "info", "debug", NULL
};

static const char *const methods[] = {
	[LUN_METHOD_PR] = "pr", [LUN_METHOD_COMMAND] = "command", NULL
};

#define MEMBER(name)	.offset = offsetof(struct config, name)

static const struct option options[] = {
	{ "cluster", "backend", KIND_WORD, MEMBER(backend), "corosync", .words = backends },
	{ "cluster", "node", KIND_NUMBER, MEMBER(node), "1", .min = 1, .max = OWN_NODES },
	{ "agent", "state_directory", KIND_PATH, MEMBER(state_directory), "/var/lib/covol" },
	{ "agent", "runtime_directory", KIND_PATH, MEMBER(runtime_directory), "/run/covol" },
	{ "agent", "log_level", KIND_WORD, MEMBER(log_level), "info", .words = levels },
	{ "agent", "workers", KIND_NUMBER, MEMBER(workers), "64",
	  .min = WORKERS_MIN, .max = WORKERS_MAX },
	{ "agent", "mount_directory", KIND_PATH, MEMBER(mount_directory), "/run/covol/volumes" },
	{ "session", "lanes", KIND_NUMBER, MEMBER(lanes), .min = 1, .max = COVOL_LANES_MAX },
	{ "session", "port", KIND_NUMBER, MEMBER(port), "7788", .min = 1, .max = 65535 },
	{ "session", "certificate", KIND_PATH, MEMBER(certificate) },
	{ "session", "key", KIND_PATH, MEMBER(key) },
	{ "session", "authority", KIND_PATH, MEMBER(authority) },
	{ "fence", "method", KIND_WORD, MEMBER(fence_method), "pr", .words = methods },
	{ "fence", "command", KIND_PROGRAM, MEMBER(fence_command) },
	{ "fence", "timeout", KIND_NUMBER, MEMBER(fence_timeout), "60", .min = 1, .max = 3600 },
};

#define OPTIONS	(sizeof(options) / sizeof(options[0]))

/* A value as it was read, and where. */
struct place {
	const char *file;
	unsigned long line;
	char *error;
};

__attribute__((format(printf, 2, 3)))
static int wrong(const struct place *place, const char *format, ...)
{
	va_list args;
	int length;

	length = snprintf(place->error, CONFIG_ERROR, "%s:%lu: ", place->file, place->line);
	if (length < 0 || length >= CONFIG_ERROR)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(place->error + length, CONFIG_ERROR - length, format, args);
	va_end(args);
	return -EINVAL;
}

static int set_word(const struct option *option, unsigned int *field, const char *value,
		    const struct place *place)
{
	char list[128] = "";
	unsigned int i;

	for (i = 0; option->words[i]; i++) {
		if (*value && !strcmp(option->words[i], value)) {
			*field = i;
			return 0;
		}
		if (*option->words[i])
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 *list ? ", " : "", option->words[i]);
	}
	return wrong(place, "%s = %s: not one of: %s", option->key, value, list);
}

static int set_number(const struct option *option, unsigned int *field, const char *value,
		      const struct place *place)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || errno || *end || number < option->min ||
	    number > option->max)
		return wrong(place, "%s = %s: not a number from %u to %u", option->key, value,
			     option->min, option->max);
	*field = number;
	return 0;
}

static int set_path(const struct option *option, char **field, const char *value,
		    const struct place *place)
{
	if (*value != '/')
		return wrong(place, "%s = %s: not a path that begins with /", option->key, value);
	free(*field);
	*field = memory_text(value);
	return 0;
}

static int set_program(const struct option *option, char **field, const char *value,
		       const struct place *place)
{
	struct stat stat_of_file;

	if (*value == '/' && (access(value, X_OK) || stat(value, &stat_of_file) ||
			      !S_ISREG(stat_of_file.st_mode)))
		return wrong(place, "%s = %s: no program that can be run", option->key, value);
	return set_path(option, field, value, place);
}

static int set(struct config *config, const struct option *option, const char *value,
	       const struct place *place)
{
	void *field = (char *)config + option->offset;

	switch (option->kind) {
	case KIND_WORD:
		return set_word(option, field, value, place);
	case KIND_NUMBER:
		return set_number(option, field, value, place);
	case KIND_PROGRAM:
		return set_program(option, field, value, place);
	default:
		return set_path(option, field, value, place);
	}
}

/* ---- [fence:NODE] ---- */

#define FENCE	"fence:"
#define BLANK	" \t"

const struct config_fence *config_fence_find(const struct config *config, const char *node)
{
	const struct config_fence *fence;

	for (fence = config->fences; fence; fence = fence->next)
		if (!strcmp(fence->node, node))
			return fence;
	return NULL;
}

static struct config_fence *fence_get(struct config *config, const char *node,
				      const struct place *place)
{
	struct config_fence *fence = (struct config_fence *)config_fence_find(config, node);

	if (fence)
		return fence;
	fence = memory_new(sizeof(*fence));
	fence->node = memory_text(node);
	fence->file = memory_text(place->file);
	fence->line = place->line;
	fence->next = config->fences;
	config->fences = fence;
	return fence;
}

static bool same_key(const char *option, const char *key)
{
	size_t length = strlen(key);

	return !strncmp(option, key, length) && option[length] == '=';
}

/* What is read last counts. */
static void fence_put(struct config_fence *fence, const char *key, const char *value)
{
	char *option = memory_new(strlen(key) + strlen(value) + 2);
	size_t i;

	sprintf(option, "%s=%s", key, value);
	for (i = 0; i < fence->count; i++)
		if (same_key(fence->options[i], key))
			break;
	if (i == fence->count) {
		fence->options = realloc(fence->options, (i + 1) * sizeof(*fence->options));
		if (!fence->options)
			abort();
		fence->count++;
	} else {
		free(fence->options[i]);
	}
	fence->options[i] = option;
}

/* @group: behind "fence:". Which options there are the program knows; values may be passwords. */
static int set_fence(struct config *config, const char *group, const char *key, const char *value,
		     const struct place *place)
{
	if (!*group || strpbrk(group, BLANK))
		return wrong(place, "[" FENCE "%s]: no name of a node", group);
	if (!strcmp(key, "action"))
		return wrong(place, "[" FENCE "%s] %s: the agent says what is to be done", group,
			     key);
	if (!*value || strpbrk(key, BLANK))
		return wrong(place, "[" FENCE "%s] %s: not \"name = value\"", group, key);
	fence_put(fence_get(config, group, place), key, value);
	return 0;
}

static bool has_option(const struct config_fence *fence, const char *option)
{
	size_t i;

	for (i = 0; i < fence->count; i++)
		if (!strcmp(fence->options[i], option))
			return true;
	return false;
}

static bool same_options(const struct config_fence *a, const struct config_fence *b)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if (!has_option(b, a->options[i]))
			return false;
	return a->count == b->count;
}

/* Two that are the same switch the same node off: one of them by mistake. */
static int check_fences(const struct config *config, const char *file, char *error)
{
	const struct config_fence *fence, *other;
	struct place place = { .error = error };

	if (config->fence_method == LUN_METHOD_COMMAND && !config->fence_command) {
		snprintf(error, CONFIG_ERROR, "%.400s: [fence] method = command: needs a command",
			 file);
		return -EINVAL;
	}
	for (fence = config->fences; fence; fence = fence->next) {
		for (other = fence->next; other; other = other->next) {
			if (!same_options(fence, other))
				continue;
			place.file = fence->file;
			place.line = fence->line;
			return wrong(&place,
				     "[" FENCE "%s] has the same options as [" FENCE "%s]",
				     fence->node, other->node);
		}
	}
	return 0;
}

static void free_fences(struct config *config)
{
	struct config_fence *fence;
	size_t i;

	while ((fence = config->fences)) {
		config->fences = fence->next;
		for (i = 0; i < fence->count; i++) {
			explicit_bzero(fence->options[i], strlen(fence->options[i]));
			free(fence->options[i]);
		}
		free(fence->options);
		free(fence->node);
		free(fence->file);
		free(fence);
	}
}

/* ---- files ---- */

static const struct option *find(const char *group, const char *key)
{
	size_t i;

	for (i = 0; i < OPTIONS; i++)
		if (!strcmp(options[i].group, group) && !strcmp(options[i].key, key))
			return &options[i];
	return NULL;
}

static int read_key(struct config *config, econf_file *file, const char *group, const char *key,
		    struct place *place)
{
	bool fence = group && !strncmp(group, FENCE, strlen(FENCE));
	const struct option *option = find(group ? group : "", key);
	econf_ext_value *value;
	int error;

	if (econf_getExtValue(file, group, key, &value)) {
		place->line = 0;
		return wrong(place, "%s: has no value", key);
	}
	place->line = value->line_number;
	if (!option && !fence)
		error = group ? wrong(place, "[%s] %s: no such option", group, key) :
				wrong(place, "%s: stands before the first [section]", key);
	else if (!value->values || !value->values[0] || value->values[1])
		error = wrong(place, "%s: takes one value", key);
	else if (fence)
		error = set_fence(config, group + strlen(FENCE), key, value->values[0], place);
	else
		error = set(config, option, value->values[0], place);
	econf_freeExtValue(value);
	return error;
}

/* How often. */
static unsigned int seen(char **keys, size_t count, const char *key)
{
	unsigned int times = 0;
	size_t i;

	for (i = 0; i < count; i++)
		times += !strcmp(keys[i], key);
	return times;
}

static int read_group(struct config *config, econf_file *file, const char *group,
		      struct place *place)
{
	size_t count, i;
	char **keys;
	int error = 0;

	if (econf_getKeys(file, group, &count, &keys))
		return 0;
	for (i = 0; i < count && !error; i++) {
		error = read_key(config, file, group, keys[i], place);
		/* libeconf would take the first, and others the last. */
		if (!error && seen(keys, count, keys[i]) > 1)
			error = wrong(place, "%s: stands in this file once more", keys[i]);
	}
	econf_freeArray(keys);
	return error;
}

/*
 * libeconf's list of a section's keys lacks one that is the same as that of the entry before it,
 * even if that is of another section; it has its value all the same. @other: a section that has it.
 */
static int read_unlisted(struct config *config, econf_file *file, const char *group,
			 const char *other, struct place *place)
{
	size_t count, i, own = 0;
	econf_ext_value *value;
	char **keys, **listed;
	int error = 0;

	if (econf_getKeys(file, other, &count, &keys))
		return 0;
	if (econf_getKeys(file, group, &own, &listed)) {
		own = 0;
		listed = NULL;
	}
	for (i = 0; i < count && !error; i++) {
		if (seen(listed, own, keys[i]) || econf_getExtValue(file, group, keys[i], &value))
			continue;
		econf_freeExtValue(value);
		error = read_key(config, file, group, keys[i], place);
	}
	if (listed)
		econf_freeArray(listed);
	econf_freeArray(keys);
	return error;
}

static int cannot_parse(econf_err error, struct place *place)
{
	char *name = NULL;
	uint64_t line = 0;

	econf_errLocation(&name, &line);
	place->line = line;
	free(name);
	return wrong(place, "%s", econf_errString(error));
}

static int read_file(struct config *config, const char *name, char *error)
{
	struct place place = { .file = name, .error = error };
	char **groups = NULL;
	size_t count = 0, i, j;
	econf_file *file;
	econf_err bad;
	int result;

	bad = econf_readFile(&file, name, "=", "#");
	if (bad)
		return cannot_parse(bad, &place);
	result = read_group(config, file, NULL, &place);
	if (econf_getGroups(file, &count, &groups))
		count = 0;
	for (i = 0; i < count && !result; i++) {
		result = read_group(config, file, groups[i], &place);
		for (j = 0; j < count && !result; j++)
			if (j != i)
				result = read_unlisted(config, file, groups[i], groups[j], &place);
	}
	if (groups)
		econf_freeArray(groups);
	econf_freeFile(file);
	return result;
}

static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       !strcmp(entry->d_name + length - 5, ".conf");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_drop_ins(struct config *config, const char *file, char *error)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int count, i, result = 0;

	snprintf(path, sizeof(path), "%s.d", file);
	count = scandir(path, &entries, is_conf, by_bytes);
	if (count < 0) {
		if (errno == ENOENT)
			return 0;
		result = -errno;
		snprintf(error, CONFIG_ERROR, "%.400s: %s", path, strerror(errno));
		return result;
	}
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s.d/%s", file, entries[i]->d_name);
		if (!result)
			result = read_file(config, path, error);
		free(entries[i]);
	}
	free(entries);
	return result;
}

/*
 * One processor at a time works for a connection, each way, and the first of several has no data.
 * What is more than these would gain little, and each is a handshake that a takeover waits for.
 */
static unsigned int lanes_of_node(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < 1)
		return 1;
	return processors < LANES_STANDARD ? processors : LANES_STANDARD;
}

int config_read(struct config *config, const char *file, char error[CONFIG_ERROR])
{
	struct place place = { .file = "default", .error = error };
	struct stat stat_of_file;
	int result = 0;
	size_t i;

	memset(config, 0, sizeof(*config));
	for (i = 0; i < OPTIONS && !result; i++)
		if (options[i].standard)
			result = set(config, &options[i], options[i].standard, &place);
	if (!result && !stat(file, &stat_of_file)) {
		result = read_file(config, file, error);
	} else if (!result && errno != ENOENT) {
		result = -errno;
		snprintf(error, CONFIG_ERROR, "%.400s: %s", file, strerror(errno));
	}
	if (!result)
		result = read_drop_ins(config, file, error);
	if (!config->lanes)
		config->lanes = lanes_of_node();
	if (!result && (!config->certificate != !config->key ||
			!config->certificate != !config->authority)) {
		snprintf(error, CONFIG_ERROR,
			 "%.400s: [session] certificate, key and authority go together", file);
		result = -EINVAL;
	}
	return result ? result : check_fences(config, file, error);
}

void config_free(struct config *config)
{
	free(config->state_directory);
	free(config->runtime_directory);
	free(config->mount_directory);
	free(config->certificate);
	free(config->key);
	free(config->authority);
	free(config->fence_command);
	free_fences(config);
}
