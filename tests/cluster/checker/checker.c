// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data checker. One process outside the nodes, the driver, tells the nodes what to write and to
 * read, and judges what they read; all that it knows of acknowledgements is with it and survives
 * any node.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker.h"

void die(const char *format, ...)
{
	va_list args;

	fputs("checker: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

int usage(void)
{
	fputs("usage: checker node ID DEVICE|FILE [rw|ro]\n"
	      "           do I/O as standard input says (node.c)\n"
	      "       checker drive --size BYTES [--seed N] [--depth N] [--patience S] --log FILE COMMAND...\n"
	      "           tell nodes what to do: COMMAND... NODE runs `checker node` on one (drive.c)\n"
	      "       checker judge --size BYTES <LOG\n"
	      "           judge a log of drive once more\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{ "node", cmd_node },
		{ "drive", cmd_drive },
		{ "judge", cmd_judge },
	};
	unsigned int i;

	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return usage();
}
