/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether this node can prove who it is: its certificate is looked at when its name is known, and
 * then each day, before a session needs it.
 */
#ifndef COVOLD_IDENTITY_H
#define COVOLD_IDENTITY_H

#include <systemd/sd-event.h>

#include "config.h"
#include "pool.h"

#define IDENTITY_TEXT	512

struct identity;

/**
 * identity_look() - Look at the files of the configuration.
 * @config: names them
 * @node: this node's name in the cluster
 * @text: what is wrong, or will be within 30 days; "": nothing
 */
void identity_look(const struct config *config, const char *node, char text[IDENTITY_TEXT]);

/* 0 or a negative errno. Nothing is looked at before there is a name. */
int identity_open(struct identity **identity, sd_event *event, struct pool *pool,
		  const struct config *config);
/* This node's name. */
void identity_name(struct identity *identity, const char *node);
/* What was wrong when it was looked at last; "": nothing. */
const char *identity_trouble(const struct identity *identity);
/* When nothing runs in the pool any more. */
void identity_close(struct identity *identity);

#endif
