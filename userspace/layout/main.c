// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol-layout: answers the kernel's layout-wanted events for the images of a volume, on its
 * coordinator.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* No characters: those would be the names of short options. */
enum {
	OPTION_VERBOSE = 256,
	OPTION_ONCE,
	OPTION_HELP,
	OPTION_VERSION,
};

static void print_usage(FILE *stream)
{
	fprintf(stream,
		"Usage: covol-layout [OPTION...] UUID ID=FILE...\n\n"
		"Answers the kernel's requests for layouts of these images of a volume, until a signal.\n\n"
		"  UUID           the volume; this node is its coordinator\n"
		"  ID=FILE        an image and its file\n"
		"  -v, --verbose  a line for each answer\n"
		"      --once     wait for one request, answer it and what came with it, and end\n"
		"      --help     print this\n"
		"      --version  print the version\n");
}

__attribute__((format(printf, 1, 2)))
static int bad_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "covol-layout: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nTry: covol-layout --help\n");
	va_end(args);
	return EXIT_USAGE;
}

/* "7=/mnt/a.img" */
static bool parse_image(char *word, struct image *image)
{
	char *end;

	errno = 0;
	image->id = strtoull(word, &end, 10);
	image->path = end + 1;
	return word[0] >= '1' && word[0] <= '9' && !errno && *end == '=' && *image->path;
}

static bool open_image(struct image *image)
{
	struct stat stat;

	image->fd = open(image->path, O_RDONLY | O_CLOEXEC);
	if (image->fd < 0) {
		say("%s: %s", image->path, strerror(errno));
		return false;
	}
	if (fstat(image->fd, &stat) || !S_ISREG(stat.st_mode)) {
		say("%s: not a regular file", image->path);
		return false;
	}
	return true;
}

static int parse_images(struct helper *helper, int argc, char **argv)
{
	struct image *image;
	size_t i;

	for (; argc; argc--, argv++) {
		image = &helper->images[helper->count];
		if (!parse_image(*argv, image))
			return bad_usage("\"%s\" is not an image id and its file (ID=FILE)", *argv);
		for (i = 0; i < helper->count; i++)
			if (helper->images[i].id == image->id)
				return bad_usage("\"%s\": that image was named before", *argv);
		helper->count++;
	}
	return EXIT_OK;
}

/* Signals that end the program, as a descriptor to poll. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* 1: events have come; 0: a signal; or a negative errno. */
static int wait_for_work(const struct helper *helper, int signals)
{
	struct pollfd pollfds[] = {
		{ .fd = covol_event_fd(helper->c), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	/* While something is queued, only look. */
	int timeout = helper->queue.first ? 0 : -1;

	while (poll(pollfds, 2, timeout) < 0)
		if (errno != EINTR)
			return -errno;
	return !pollfds[1].revents;
}

static int work(struct helper *helper, int signals, bool once)
{
	int result;

	for (;;) {
		result = wait_for_work(helper, signals);
		if (result < 0)
			say("poll: %s", strerror(-result));
		if (result <= 0)
			return result ? EXIT_FAILED : EXIT_OK;

		result = covol_event_receive(helper->c, take_event, helper);
		if (result == -ENOBUFS)
			say("%s", covol_error(helper->c)); /* the kernel asks again */
		else if (result)
			say("events: %s", strerror(-result));
		if (result && result != -ENOBUFS)
			return EXIT_FAILED;

		if (helper->queue.first && answer_queued(helper)) {
			say("out of memory");
			return EXIT_FAILED;
		}
		if (once && helper->answered && !helper->queue.first)
			return EXIT_OK;
	}
}

static int run(struct helper *helper, bool once)
{
	int signals, code;
	size_t i;

	for (i = 0; i < helper->count; i++)
		if (!open_image(&helper->images[i]))
			return EXIT_FAILED;
	signals = open_signals();
	if (signals < 0 || covol_open(&helper->c)) {
		say("%s", strerror(errno));
		return EXIT_FAILED;
	}
	if (covol_event_subscribe(helper->c)) {
		say("%s", covol_error(helper->c));
		code = EXIT_FAILED;
	} else {
		say("answering for %zu image%s", helper->count, helper->count == 1 ? "" : "s");
		code = work(helper, signals, once);
	}
	covol_close(helper->c);
	close(signals);
	return code;
}

static int parse_options(int argc, char **argv, struct helper *helper, bool *once)
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, OPTION_VERBOSE },
		{ "once", no_argument, NULL, OPTION_ONCE },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ NULL },
	};

	opterr = 0;
	for (;;) {
		switch (getopt_long(argc, argv, "v", options, NULL)) {
		case -1:
			return -1;
		case 'v':
		case OPTION_VERBOSE:
			helper->verbose = true;
			break;
		case OPTION_ONCE:
			*once = true;
			break;
		case OPTION_HELP:
			print_usage(stdout);
			return EXIT_OK;
		case OPTION_VERSION:
			printf("covol-layout %s\n", COVOL_VERSION);
			return EXIT_OK;
		default:
			if (optopt && optopt < OPTION_VERBOSE)
				return bad_usage("unknown option \"-%c\"", optopt);
			return bad_usage("unknown option \"%s\"", argv[optind - 1]);
		}
	}
}

int main(int argc, char **argv)
{
	struct helper helper = { 0 };
	bool once = false;
	size_t i;
	int code;

	code = parse_options(argc, argv, &helper, &once);
	if (code >= 0)
		return code;
	argc -= optind;
	argv += optind;
	if (argc < 2)
		return bad_usage(argc ? "ID=FILE is missing" : "UUID is missing");
	if (covol_uuid_parse(argv[0], &helper.uuid))
		return bad_usage("\"%s\" is not a uuid", argv[0]);

	helper.images = calloc(argc - 1, sizeof(*helper.images));
	if (!helper.images) {
		say("out of memory");
		return EXIT_FAILED;
	}
	for (i = 0; i < (size_t)argc - 1; i++)
		helper.images[i].fd = -1;
	code = parse_images(&helper, argc - 1, argv + 1);
	if (code == EXIT_OK)
		code = run(&helper, once);

	queue_clear(&helper.queue);
	for (i = 0; i < (size_t)argc - 1; i++)
		if (helper.images[i].fd >= 0)
			close(helper.images[i].fd);
	free(helper.images);
	return code;
}
