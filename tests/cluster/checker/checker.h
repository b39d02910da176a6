/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECKER_H
#define CHECKER_H

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
int usage(void);

int cmd_node(int argc, char **argv);
int cmd_drive(int argc, char **argv);
int cmd_judge(int argc, char **argv);

#endif
