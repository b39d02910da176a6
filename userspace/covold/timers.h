/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timers that the machine asks for. One for each kind, volume and subject: a newer takes the
 * place of an older.
 */
#ifndef COVOLD_TIMERS_H
#define COVOLD_TIMERS_H

#include <systemd/sd-event.h>

#include "../agent/ownership.h"

struct timer;

struct timers {
	sd_event *event;
	void (*fire)(void *data, const struct own_event *event);
	void *data;
	struct timer *first;
};

/* @fire: called in the loop with the event that is to be announced. */
void timers_init(struct timers *timers, sd_event *event,
		 void (*fire)(void *data, const struct own_event *event), void *data);
/* Returns 0 or a negative errno. */
int timers_set(struct timers *timers, const struct own_action *action);
void timers_clear(struct timers *timers);

#endif
