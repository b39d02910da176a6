/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of whole commands of `covol` share: a command line is run against the fake kernel, and
 * its output kept.
 */
#ifndef COVOL_CLI_TEST_H
#define COVOL_CLI_TEST_H

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/cli/cli.h"
#include "fake_kernel.h"
#include "test.h"

#define U	FAKE_UUID

static char *out, *err;
static size_t out_size, err_size;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(out);
	free(err);
	out = NULL;
	err = NULL;
	fake_reset();
	return 0;
}

static int split(char *line, char **argv)
{
	char *rest = line, *word;
	int argc = 0;

	while ((word = strsep(&rest, " "))) {
		assert_true(argc < 31);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	return argc;
}

/* Runs "covol LINE"; its output is in out and err. */
static int covol(const char *line)
{
	FILE *real_out = stdout, *real_err = stderr;
	char copy[1024], *argv[32];
	int argc, code;

	free(out);
	free(err);
	snprintf(copy, sizeof(copy), "covol %s", line);
	argc = split(copy, argv);
	stdout = open_memstream(&out, &out_size);
	stderr = open_memstream(&err, &err_size);
	code = run_cli(argc, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = real_out;
	stderr = real_err;
	return code;
}

/* White space between the parts of JSON means nothing. */
static void squeeze(char *text)
{
	char *to = text, *from;

	for (from = text; *from; from++)
		if (!isspace((unsigned char)*from))
			*to++ = *from;
	*to = '\0';
}

/* The output is all of these, one after the other; NULL ends the list. */
static inline void assert_output(const char *first, ...)
{
	const char *part, *at = out;
	va_list args;

	va_start(args, first);
	for (part = first; part; part = va_arg(args, const char *)) {
		if (strncmp(at, part, strlen(part)))
			fail_msg("\"%s\" is not where it should be in:\n%s", part, out);
		at += strlen(part);
	}
	va_end(args);
	assert_string_equal(at, "");
}

#define assert_json(...)			\
	do {					\
		squeeze(out);			\
		assert_output(__VA_ARGS__);	\
	} while (0)

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

#endif
