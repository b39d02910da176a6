// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "memory.h"
#include "timers.h"

struct timer {
	struct timer *next;
	struct timers *timers;
	sd_event_source *source;
	struct own_action action;
};

void timers_init(struct timers *timers, sd_event *event,
		 void (*fire)(void *data, const struct own_event *event), void *data)
{
	timers->event = event;
	timers->fire = fire;
	timers->data = data;
	timers->first = NULL;
}

static struct timer **find(struct timers *timers, const struct own_action *action)
{
	struct timer **link;

	for (link = &timers->first; *link; link = &(*link)->next)
		if ((*link)->action.timer == action->timer &&
		    (*link)->action.volume == action->volume &&
		    (*link)->action.subject == action->subject)
			break;
	return link;
}

static void drop(struct timer **link)
{
	struct timer *timer = *link;

	*link = timer->next;
	sd_event_source_disable_unref(timer->source);
	free(timer);
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	struct timer *timer = data;
	struct timers *timers = timer->timers;
	struct own_event event = {
		.type = OWN_EV_TIMER,
		.timer = timer->action.timer,
		.volume = timer->action.volume,
		.node = timer->action.subject,
		.serial = timer->action.serial,
	};

	(void)source;
	(void)usec;
	drop(find(timers, &timer->action));
	timers->fire(timers->data, &event);
	return 0;
}

int timers_set(struct timers *timers, const struct own_action *action)
{
	struct timer **link = find(timers, action), *timer;
	int error;

	if (*link)
		drop(link);
	timer = memory_new(sizeof(*timer));
	timer->timers = timers;
	timer->action = *action;
	error = sd_event_add_time_relative(timers->event, &timer->source, CLOCK_MONOTONIC,
					   action->ms * 1000ULL, 0, on_time, timer);
	if (error < 0) {
		free(timer);
		return error;
	}
	timer->next = timers->first;
	timers->first = timer;
	return 0;
}

void timers_clear(struct timers *timers)
{
	while (timers->first)
		drop(&timers->first);
}
