/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fencing by a program: who is to be off is switched off. It waits for the program; for workers.
 */
#ifndef COVOLD_POWER_H
#define COVOLD_POWER_H

#include "config.h"

#define POWER_TEXT	256

/**
 * power_off() - Switch a node off, and have it confirmed.
 * @config: the program and what it is told
 * @node: the node's name
 * @self: the name of this node, which is never switched off
 * @text: a sentence, in either case; no password is in it
 *
 * May be repeated: a node that is off stays so.
 *
 * Return: 0: it was off after it had been told to be; or a negative errno, and nothing is known:
 * -ENOENT: there is no section for the node, or no program; others of lun_fence_command().
 */
int power_off(const struct config *config, const char *node, const char *self,
	      char text[POWER_TEXT]);

#endif
