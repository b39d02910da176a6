// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command lines: options and words from a table, help from the same table.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* More than any command has. */
#define MAX_OPTIONS	16

/* No character: those would be the names of short options. */
#define OPTION_HELP	256

static bool parse_number(const char *word, uint64_t min, uint64_t max, uint64_t *value)
{
	unsigned long long number;
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return false;
	errno = 0;
	number = strtoull(word, &end, 10);
	if (errno || *end || number < min || number > max)
		return false;
	*value = number;
	return true;
}

static bool parse_u32(const char *word, uint32_t min, uint32_t *value)
{
	uint64_t number;

	if (!parse_number(word, min, UINT32_MAX, &number))
		return false;
	*value = number;
	return true;
}

/* "5" or "0.25"; no more than a month, so that sums of milliseconds stay small. */
static bool parse_seconds(const char *word, unsigned int *ms)
{
	double seconds;
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return false;
	seconds = strtod(word, &end);
	if (*end || !(seconds <= 30 * 86400))
		return false;
	*ms = seconds * 1000 + 0.5;
	return true;
}

static bool parse_object(const char *word, uint64_t *object)
{
	if (!strcmp(word, "volume")) {
		*object = 0;
		return true;
	}
	if (!strncmp(word, "image:", 6))
		return parse_number(word + 6, 1, UINT64_MAX, object);
	return parse_number(word, 0, UINT64_MAX, object);
}

static bool parse_enum(int value, uint32_t *result)
{
	if (value >= 0)
		*result = value;
	return value >= 0;
}

const char *parse_value(enum arg_kind kind, const char *word, void *value)
{
	switch (kind) {
	case ARG_STRING:
		*(const char **)value = word;
		return NULL;
	case ARG_UUID:
		return covol_uuid_parse(word, value) ? "a uuid" : NULL;
	case ARG_NODE:
		return parse_u32(word, 1, value) ? NULL : "a node id (1 to 4294967295)";
	case ARG_NUMBER:
		return parse_number(word, 0, UINT64_MAX, value) ? NULL : "a number";
	case ARG_COUNT:
		return parse_u32(word, 1, value) ? NULL : "a number from 1";
	case ARG_BYTES:
		return parse_size(word, value) ? NULL :
		       "a number of bytes (4096, 64K, 10GiB)";
	case ARG_SECONDS:
		return parse_seconds(word, value) ? NULL :
		       "a number of seconds (5, 0.5; at most 2592000)";
	case ARG_ROLE:
		return parse_enum(covol_role_parse(word), value) ? NULL :
		       "a role (member, coordinator)";
	case ARG_ROUTE:
		return parse_enum(covol_route_parse(word), value) ? NULL :
		       "a route (direct, fs-redirected, block-redirected, held, unavailable)";
	case ARG_IMAGE:
		return parse_number(word, 1, UINT64_MAX, value) ? NULL : "an image id (from 1)";
	case ARG_OBJECT:
		return parse_object(word, value) ? NULL : "an object (volume, image:ID or an id)";
	case ARG_FLAG:
	case ARG_REST:
		break;
	}
	abort(); /* these have no single value */
}

const char *parse_extent(const char *word, struct covol_extent *extent)
{
	static const char expected[] =
		"an extent (STATE:OFFSET:LENGTH, with :PLACE for data and shared)";
	char copy[128], *rest = copy, *state, *offset, *length, *place;
	bool placed;
	int value;

	if (snprintf(copy, sizeof(copy), "%s", word) >= (int)sizeof(copy))
		return expected;
	state = strsep(&rest, ":");
	offset = strsep(&rest, ":");
	length = strsep(&rest, ":");
	place = strsep(&rest, ":");

	value = covol_extent_state_parse(state);
	if (value < 0)
		return "an extent's state (unknown, hole, unwritten, shared, data)";
	placed = value == COVOL_EXTENT_STATE_DATA || value == COVOL_EXTENT_STATE_SHARED;
	*extent = (struct covol_extent) { .state = value };
	if (rest || !offset || !length || placed != !!place ||
	    !parse_size(offset, &extent->offset) || !parse_size(length, &extent->length) ||
	    (place && !parse_size(place, &extent->place)))
		return expected;
	return NULL;
}

static const char *metavar(enum arg_kind kind)
{
	switch (kind) {
	case ARG_NODE:
	case ARG_NUMBER:
	case ARG_COUNT:
		return "N";
	case ARG_BYTES:
		return "BYTES";
	case ARG_SECONDS:
		return "SECONDS";
	case ARG_ROLE:
		return "ROLE";
	case ARG_ROUTE:
		return "ROUTE";
	default:
		return "WORD";
	}
}

static bool is_option(const struct arg *arg)
{
	return arg->name[0] == '-';
}

static void print_usage(const struct command *self, const struct arg *args)
{
	const struct arg *arg;

	printf("Usage: covol %s", self->name);
	for (arg = args; arg->name; arg++) {
		printf(arg->required ? " %s" : " [%s", arg->name);
		if (is_option(arg) && arg->kind != ARG_FLAG)
			printf(" %s", metavar(arg->kind));
		printf("%s%s", arg->kind == ARG_REST ? "..." : "", arg->required ? "" : "]");
	}
	printf("\n\n%c%s.\n\n", toupper((unsigned char)self->description[0]),
	       self->description + 1);
	for (arg = args; arg->name; arg++)
		printf("  %-16s %s\n", arg->name, arg->help);
	printf("  %-16s %s\n", "--help", "print this");
}

static int take_value(const struct command *self, struct arg *arg, const char *word)
{
	const char *expected;

	if (arg->seen && is_option(arg))
		return bad_usage(self, "%s is given twice", arg->name);
	arg->seen = true;
	if (arg->kind == ARG_FLAG) {
		*(bool *)arg->value = true;
		return GO_ON;
	}
	expected = parse_value(arg->kind, word, arg->value);
	if (expected)
		return bad_usage(self, "%s: \"%s\" is not %s", arg->name, word, expected);
	return GO_ON;
}

static int take_options(const struct command *self, struct arg *args, int argc, char **argv)
{
	struct option options[MAX_OPTIONS + 2] = { { .name = "help", .val = OPTION_HELP } };
	struct arg *of[MAX_OPTIONS + 2] = { NULL }, *arg;
	int code = GO_ON, index, n = 1;

	for (arg = args; arg->name; arg++) {
		if (!is_option(arg))
			continue;
		if (n > MAX_OPTIONS)
			abort();
		of[n] = arg;
		options[n++] = (struct option) {
			.name = arg->name + 2,
			.has_arg = arg->kind == ARG_FLAG ? no_argument : required_argument,
		};
	}

	optind = 0;	/* begin anew, also after an earlier call */
	opterr = 0;
	while (code == GO_ON) {
		index = 0;
		switch (getopt_long(argc, argv, ":h", options, &index)) {
		case -1:
			return GO_ON;
		case OPTION_HELP:
			print_usage(self, args);
			return EXIT_OK;
		case 0:
			code = take_value(self, of[index], optarg);
			break;
		case ':':
			return bad_usage(self, "%s needs a value", argv[optind - 1]);
		default:
			if (optopt && optopt < OPTION_HELP)
				return bad_usage(self, "unknown option \"-%c\"", optopt);
			return bad_usage(self, "unknown option \"%s\"", argv[optind - 1]);
		}
	}
	return code;
}

static int take_words(const struct command *self, struct arg *args, int argc, char **argv)
{
	struct arg *arg;
	int code;

	for (arg = args; arg->name && argc; arg++) {
		if (is_option(arg))
			continue;
		if (arg->kind == ARG_REST) {
			*(struct words *)arg->value = (struct words) { argv, argc };
			arg->seen = true;
			return GO_ON;
		}
		code = take_value(self, arg, *argv);
		if (code != GO_ON)
			return code;
		argc--;
		argv++;
	}
	return argc ? bad_usage(self, "\"%s\" is one word too many", *argv) : GO_ON;
}

bool given(const struct arg *args, const char *name)
{
	for (; args->name; args++)
		if (!strcmp(args->name, name))
			return args->seen;
	abort(); /* no such argument */
}

int parse_args(const struct command *self, struct arg *args, int argc, char **argv)
{
	struct arg *arg;
	int code;

	/* getopt skips the first word, which for it is the program: here the last of our name. */
	code = take_options(self, args, argc + 1, argv - 1);
	if (code == GO_ON)
		code = take_words(self, args, argc - (optind - 1), argv + optind - 1);
	if (code != GO_ON)
		return code;

	for (arg = args; arg->name; arg++)
		if (arg->required && !arg->seen)
			return bad_usage(self, "%s is missing", arg->name);
	return GO_ON;
}
