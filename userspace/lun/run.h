/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a program, with a time limit, from any thread.
 */
#ifndef COVOL_LUN_RUN_H
#define COVOL_LUN_RUN_H

#include <limits.h>
#include <stddef.h>

/* What is kept of a program's output: its end. */
#define RUN_OUTPUT	384
#define RUN_PATH	PATH_MAX

struct run_result {
	int status;			/* exit status; 128 and more: signal */
	char output[RUN_OUTPUT];	/* last lines that it wrote, as one: "a | b" */
};

/*
 * run_program() - run a program and wait for it
 * @argv: path and arguments, ends with NULL; not through a shell
 * @input: for its standard input
 * @seconds: after these it is killed, with what it has started
 *
 * The program gets no open files but input and output, no environment but a path and the language
 * C, no blocked signals, and a process group of its own. 0 when it has ended, however; -ENOENT,
 * -EACCES: it cannot be run; -ETIMEDOUT.
 */
int run_program(const char *const argv[], const char *input, unsigned int seconds,
		struct run_result *result);

/*
 * run_find() - where a program is
 * @name: looked for in /usr/sbin and /sbin; or an absolute path
 *
 * 0, -ENOENT, or -EINVAL: neither name nor absolute path.
 */
int run_find(const char *name, char path[RUN_PATH]);

#endif
