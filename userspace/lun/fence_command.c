// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fencing by a program of fence-agents. Their interface: options on standard input, a line each;
 * the exit status of "off" is 0 if it did, that of "status" is 0 for on and 2 for off.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fence.h"
#include "run.h"

#define STATUS_OFF	2

__attribute__((format(printf, 4, 5)))
static int command_failed(char *text, size_t text_len, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, text_len, format, args);
	va_end(args);
	return error;
}

static bool option_valid(const char *option)
{
	const char *equals = strchr(option, '=');

	return equals && equals != option && !strchr(option, '\n') &&
	       strncmp(option, "action=", 7);
}

/* All options and the action, a line each; free() it. */
static char *make_input(const struct lun_fence_command *command, const char *action)
{
	char *input = NULL;
	size_t size, i;
	FILE *stream = open_memstream(&input, &size);

	if (!stream)
		return NULL;
	for (i = 0; i < command->count; i++)
		fprintf(stream, "%s\n", command->options[i]);
	fprintf(stream, "action=%s\n", action);
	if (fclose(stream)) {
		free(input);
		return NULL;
	}
	return input;
}

static int call(const struct lun_fence_command *command, const char *path, const char *action,
		int expected, char *text, size_t text_len)
{
	const char *const argv[] = { path, NULL };
	char *input = make_input(command, action);
	struct run_result result;
	int error;

	if (!input)
		return command_failed(text, text_len, -ENOMEM, "out of memory");
	error = run_program(argv, input, command->timeout, &result);
	explicit_bzero(input, strlen(input));
	free(input);
	if (error == -ETIMEDOUT)
		return command_failed(text, text_len, error,
				      "not fenced: %s action=%s took longer than %u s and was killed: \"%s\"",
				      path, action, command->timeout, result.output);
	if (error)
		return command_failed(text, text_len, error, "not fenced: %s cannot be run: %s",
				      path, strerror(-error));
	if (result.status == expected)
		return 0;
	return command_failed(text, text_len, -EIO,
			      "not fenced: %s action=%s ended with status %d, not %d: \"%s\"",
			      path, action, result.status, expected, result.output);
}

int lun_fence_command(const struct lun_fence_command *command, char *text, size_t text_len)
{
	char path[RUN_PATH];
	size_t i;
	int error;

	for (i = 0; i < command->count; i++)
		if (!option_valid(command->options[i]))
			return command_failed(text, text_len, -EINVAL,
					      "not fenced: option %zu of %s is not \"name=value\" on one line, or is the action",
					      i + 1, command->program);
	error = run_find(command->program, path);
	if (error == -EINVAL)
		return command_failed(text, text_len, error,
				      "not fenced: \"%s\" is neither the name of a program nor an absolute path",
				      command->program);
	if (error)
		return command_failed(text, text_len, error,
				      "not fenced: there is no program %s: is the package with fence agents installed?",
				      command->program);
	error = call(command, path, "off", 0, text, text_len);
	if (!error)
		error = call(command, path, "status", STATUS_OFF, text, text_len);
	if (!error)
		snprintf(text, text_len, "%s says that the node is off", path);
	return error;
}
