// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "jobs.h"

/* These end what waits for a LUN that is out of reach, and make worthless what was told before. */
static bool breaks_off(enum own_task task)
{
	return task == OWN_TASK_REGISTER || task == OWN_TASK_BARRIER || task == OWN_TASK_CLOSE;
}

static bool is(const struct own_action *job, uint64_t serial)
{
	return job->task != OWN_TASK_NONE && job->serial == serial;
}

bool jobs_busy(const struct jobs *jobs)
{
	return jobs->running.task != OWN_TASK_NONE || jobs->next.task != OWN_TASK_NONE;
}

static bool changes_key(enum own_task task)
{
	return task == OWN_TASK_REGISTER || task == OWN_TASK_CLOSE;
}

bool jobs_change_key(const struct jobs *jobs)
{
	return changes_key(jobs->running.task) || changes_key(jobs->next.task);
}

enum jobs_told jobs_told(struct jobs *jobs, const struct own_action *action)
{
	if (is(&jobs->next, action->serial))
		return JOBS_KNOWN;
	if (is(&jobs->running, action->serial) && jobs->next.task == OWN_TASK_NONE)
		return JOBS_KNOWN;
	if (jobs->answered == action->serial && jobs->running.task == OWN_TASK_NONE)
		return JOBS_AGAIN;
	jobs->next = *action;
	if (jobs->running.task == OWN_TASK_NONE)
		return JOBS_START;
	if (!breaks_off(action->task) || jobs->broken)
		return JOBS_WAITS;
	jobs->broken = true;
	return JOBS_BREAK_OFF;
}

const struct own_action *jobs_start(struct jobs *jobs)
{
	if (jobs->running.task != OWN_TASK_NONE || jobs->next.task == OWN_TASK_NONE)
		return NULL;
	jobs->running = jobs->next;
	jobs->broken = false;
	memset(&jobs->next, 0, sizeof(jobs->next));
	return &jobs->running;
}

const struct own_event *jobs_ended(struct jobs *jobs, enum own_result result, uint64_t epoch)
{
	jobs->answered = jobs->running.serial;
	jobs->answer = (struct own_event){
		.type = OWN_EV_DONE,
		.node = jobs->running.node,
		.volume = jobs->running.volume,
		.serial = jobs->running.serial,
		.result = result,
		.epoch = epoch,
	};
	memset(&jobs->running, 0, sizeof(jobs->running));
	return jobs->next.task == OWN_TASK_NONE ? &jobs->answer : NULL;
}
