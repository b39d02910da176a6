// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of commands, and the way from the command line to one of them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct command commands[] = {
	{ "cluster init", cluster_init, "make a cluster, of which this is the first node" },
	{ "cluster invite", cluster_invite, "make the file with which a node joins" },
	{ "cluster join", cluster_join, "make this node one of the cluster that invites it" },
	{ "cluster show", cluster_show, "print who this node is, and until when" },
	{ "check", check_lun, "try whether a LUN and its array are fit for a volume" },
	{ "status", agent_status, "what each volume is on each node, and why" },
	{ "volume create", volume_create, "make a volume of a LUN" },
	{ "volume adopt", volume_adopt, "make a LUN's volume known to this cluster" },
	{ "volume forget", volume_forget, "make a stopped volume unknown; its LUN stays as it is" },
	{ "volume start", volume_start, "have a volume served" },
	{ "volume stop", volume_stop, "have it not served" },
	{ "volume list", volume_list, "print volumes" },
	{ "volume move", volume_move, "make another node its coordinator" },
	{ "volume redirect on", volume_redirect_on, "all I/O through the coordinator" },
	{ "volume redirect off", volume_redirect_off, "data straight to the LUN again" },
	{ "volume prefer", volume_prefer, "say which nodes are to be its coordinator" },
	{ "image create", image_create, "make a thin image in a volume" },
	{ "image remove", image_remove, "remove an image, and what is in it" },
	{ "image list", image_list, "print the images of a volume" },
	{ "image attach", image_attach, "make an image a device of this node" },
	{ "image detach", image_detach, "take the device away" },
	{ "maintenance enter", maintenance_enter, "nobody uses a volume's file system" },
	{ "maintenance leave", maintenance_leave, "it is served again" },
	{ "fence always", fence_always, "fence every node that leaves, at once" },
	{ "fence on-demand", fence_on_demand, "fence one only when what it has is needed" },
	{ "fence show", fence_show, "print which of the two it is" },
	{ "kernel volume add", kernel_volume_add, "make a volume known to this node's kernel" },
	{ "kernel volume set", kernel_volume_set, "change a volume's route, coordinator, epoch" },
	{ "kernel volume resize", kernel_volume_resize, "tell that a volume has grown" },
	{ "kernel volume remove", kernel_volume_remove, "forget a volume" },
	{ "kernel volume show", kernel_volume_show, "print volumes" },
	{ "kernel image add", kernel_image_add, "make an image known to this node's kernel" },
	{ "kernel image set", kernel_image_set, "give an image its file, or take it away" },
	{ "kernel image resize", kernel_image_resize, "change the size of an image" },
	{ "kernel image remove", kernel_image_remove, "forget an image" },
	{ "kernel image show", kernel_image_show, "print images" },
	{ "kernel image recall", kernel_image_recall,
	  "take an image's layouts back from all nodes" },
	{ "kernel image share begin", kernel_image_share_begin,
	  "make an image ready to be cloned with all its blocks" },
	{ "kernel image share end", kernel_image_share_end, "the image is cloned, or will not be" },
	{ "kernel map set", kernel_map_set, "set extents, here or on a peer" },
	{ "kernel map clear", kernel_map_clear, "forget extents" },
	{ "kernel map show", kernel_map_show, "print extents" },
	{ "kernel session listen", kernel_session_listen, "accept a peer's connection" },
	{ "kernel session connect", kernel_session_connect, "connect to a peer" },
	{ "kernel session remove", kernel_session_remove, "end the session with a peer" },
	{ "kernel session show", kernel_session_show, "print sessions" },
	{ "kernel stats", kernel_stats, "print which ways I/O took" },
	{ "kernel top", kernel_top, "print what happens now, again and again" },
	{ "kernel events", kernel_events, "follow what happens" },
	{ "kernel table", kernel_table, "print the table line for dmsetup create" },
	{ "lun show", lun_show, "print what a LUN holds, and who may write to it" },
};

__attribute__((format(printf, 2, 0)))
static void complain(const struct command *self, const char *format, va_list args)
{
	fprintf(stderr, "covol%s%s: ", self ? " " : "", self ? self->name : "");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int fail(const struct command *self, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(self, format, args);
	va_end(args);
	return EXIT_FAILED;
}

int bad_usage(const struct command *self, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(self, format, args);
	va_end(args);
	fprintf(stderr, "Try: covol %s%s--help\n", self ? self->name : "", self ? " " : "");
	return EXIT_USAGE;
}

/*
 * How many words of the command line the name begins with. *complete: that is all of the name;
 * otherwise the line's word after those is not the name's, or there is none.
 */
static int match(const char *name, int argc, char **argv, bool *complete)
{
	int words = 0;

	for (;;) {
		size_t length = strcspn(name, " ");

		if (words == argc || strlen(argv[words]) != length ||
		    strncmp(argv[words], name, length)) {
			*complete = false;
			return words;
		}
		words++;
		if (!name[length]) {
			*complete = true;
			return words;
		}
		name += length + 1;
	}
}

/* All commands that begin with the first words of the line. */
static void list_commands(FILE *stream, int words, char **argv)
{
	bool complete;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (match(commands[i].name, words, argv, &complete) == words)
			fprintf(stream, "  covol %-24s %s\n", commands[i].name,
				commands[i].description);
}

static int help(int words, char **argv)
{
	printf("Usage: covol COMMAND [WORD...] [OPTION...]\n\nCommands:\n");
	list_commands(stdout, words, argv);
	printf("\nEach knows --help. covol --version prints the version.\n"
	       "Exit codes: 0 done, 1 failed, 2 wrong usage. See covol(8).\n");
	return EXIT_OK;
}

/* No command has these words: say where they stopped making sense, and what could follow. */
static int unknown(int words, int argc, char **argv)
{
	int i;

	if (words < argc && (!strcmp(argv[words], "--help") || !strcmp(argv[words], "-h")))
		return help(words, argv);

	fprintf(stderr, "covol");
	for (i = 0; i < words; i++)
		fprintf(stderr, " %s", argv[i]);
	if (words < argc)
		fprintf(stderr, ": unknown command \"%s\". There is:\n", argv[words]);
	else
		fprintf(stderr, ": something is missing. There is:\n");
	list_commands(stderr, words, argv);
	return EXIT_USAGE;
}

/* A full disk or a closed pipe must not look like success. */
static int check_output(int code)
{
	if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK)
		return fail(NULL, "writing the output: %s", strerror(errno));
	return code;
}

int run_cli(int argc, char **argv)
{
	int words, best = 0;
	bool complete;
	size_t i;

	argc--;
	argv++;
	if (argc && !strcmp(argv[0], "--version")) {
		printf("covol %s\n", COVOL_VERSION);
		return check_output(EXIT_OK);
	}
	if (argc && !strcmp(argv[0], "help"))
		return check_output(help(argc - 1, argv + 1));

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		words = match(commands[i].name, argc, argv, &complete);
		if (complete)
			return check_output(commands[i].function(&commands[i], argc - words,
								 argv + words));
		if (words > best)
			best = words;
	}
	return check_output(unknown(best, argc, argv));
}

struct covol *open_kernel(const struct command *self)
{
	struct covol *c;
	int error = covol_open(&c);

	if (error) {
		fail(self, "%s", strerror(-error));
		return NULL;
	}
	if (covol_connect(c)) {
		failed(self, c);
		return NULL;
	}
	return c;
}

int failed(const struct command *self, struct covol *c)
{
	fail(self, "%s", covol_error(c));
	covol_close(c);
	return EXIT_FAILED;
}

int finished(const struct command *self, struct covol *c, int error)
{
	if (error)
		return failed(self, c);
	covol_close(c);
	return EXIT_OK;
}
