// SPDX-License-Identifier: GPL-2.0-only
/*
 * covold: the agent of a node.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "agent.h"
#include "log.h"

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* No characters: those would be the names of short options. */
enum {
	OPTION_CONFIG = 256,
	OPTION_CHECK,
	OPTION_HELP,
	OPTION_VERSION,
};

static void print_usage(void)
{
	printf("Usage: covold [OPTION...]\n\n"
	       "The agent of a node: see covold(8).\n\n"
	       "      --config FILE  instead of %s\n"
	       "      --check        read the configuration, and end\n"
	       "      --help         print this\n"
	       "      --version      print the version\n",
	       CONFIG_FILE);
}

__attribute__((format(printf, 1, 2)))
static int bad_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "covold: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nTry: covold --help\n");
	va_end(args);
	return EXIT_USAGE;
}

/* An exit code, or -1 to go on. */
static int parse_options(int argc, char **argv, const char **file, bool *check)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, OPTION_CONFIG },
		{ "check", no_argument, NULL, OPTION_CHECK },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ NULL },
	};

	opterr = 0;
	for (;;) {
		switch (getopt_long(argc, argv, "", options, NULL)) {
		case -1:
			if (optind < argc)
				return bad_usage("\"%s\": takes no words", argv[optind]);
			return -1;
		case OPTION_CONFIG:
			*file = optarg;
			break;
		case OPTION_CHECK:
			*check = true;
			break;
		case OPTION_HELP:
			print_usage();
			return EXIT_OK;
		case OPTION_VERSION:
			printf("covold %s\n", COVOL_VERSION);
			return EXIT_OK;
		default:
			return bad_usage("\"%s\": no such option, or it lacks its value",
					 argv[optind - 1]);
		}
	}
}

/* What waits for memory might wait for a disk that waits for this agent. */
static void lock_memory(void)
{
	/* No arena of its own for each thread. */
	mallopt(M_ARENA_MAX, 1);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		log_warning("memory cannot be locked: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	const char *file = CONFIG_FILE;
	char error[CONFIG_ERROR];
	struct config config;
	bool check = false;
	int code = parse_options(argc, argv, &file, &check);

	if (code >= 0)
		return code;
	log_init(LOG_INFO);
	if (config_read(&config, file, error)) {
		log_error("%s", error);
		config_free(&config);
		return EXIT_FAILED;
	}
	if (!check) {
		log_init(config.log_level);
		lock_memory();
		code = agent_run(&config) ? EXIT_FAILED : EXIT_OK;
	}
	config_free(&config);
	return check ? EXIT_OK : code;
}
