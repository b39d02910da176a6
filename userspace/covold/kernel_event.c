// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says, and what is done when a path or a session is lost.
 */
#include <errno.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "pool.h"

#define LOOK_USEC	1000000
/* By then a coordinator that is dead is no longer it. */
#define RECONNECT_USEC	3000000

/* ---- what is lost: paths, sessions ---- */

bool kernel_session_live(struct kernel_task *t)
{
	struct covol_uuid id = kernel_id(t->vol);
	struct covol_session session;

	return !covol_session_get(t->c, &id, t->task->action.other, &session) &&
	       session.state == COVOL_SESSION_STATE_LIVE;
}

void kernel_session_lost(struct kernel_volume *vol)
{
	pthread_mutex_lock(&vol->kernel->lock);
	vol->lost = kernel_usec();
	pthread_mutex_unlock(&vol->kernel->lock);
}

/*
 * A session that has broken while the coordinator stayed is no matter of the machine's: it is made
 * again, at the same epoch. Not while a task runs, which may be about another coordinator.
 */
void kernel_session_look(struct kernel_volume *vol)
{
	struct driver_answer answer = { 0 };
	struct kernel_task t = { .vol = vol, .task = &vol->connect, .answer = &answer };
	enum own_result result = OWN_FAILED;
	bool lost;

	if (pthread_mutex_trylock(&vol->work))
		return;
	pthread_mutex_lock(&vol->kernel->lock);
	lost = vol->lost && vol->facts.session_epoch == vol->connect.action.epoch;
	/* What is lost from now on is another one. */
	vol->lost = 0;
	pthread_mutex_unlock(&vol->kernel->lock);
	if (lost && !covol_open(&t.c)) {
		/* What was lost may be the one that a task has replaced. */
		result = kernel_session_live(&t) ? OWN_OK : kernel_connect_again(&t);
		covol_close(t.c);
	}
	if (lost && result != OWN_OK)
		kernel_session_lost(vol);
	pthread_mutex_unlock(&vol->work);
}

static void look_session(void *data)
{
	kernel_session_look(data);
}

static void look(void *data)
{
	struct kernel_volume *vol = data;
	struct covol *c;
	bool back;

	if (covol_open(&c))
		return;
	back = kernel_path_good(vol, c);
	covol_close(c);
	pthread_mutex_lock(&vol->kernel->lock);
	vol->facts.path = back;
	pthread_mutex_unlock(&vol->kernel->lock);
}

static int on_look(sd_event_source *source, uint64_t usec, void *data)
{
	struct kernel *kernel = data;
	struct kernel_volume *vol;

	(void)usec;
	kernel_peer_look(kernel);
	pthread_mutex_lock(&kernel->lock);
	for (vol = kernel->volumes; vol; vol = vol->next) {
		if (!vol->known || vol->looking)
			continue;
		vol->looking = true;
		if (!vol->facts.path)
			pool_submit(kernel->pool, look, kernel_looked, vol);
		else if (vol->lost && kernel_usec() - vol->lost > RECONNECT_USEC)
			pool_submit(kernel->pool, look_session, kernel_looked, vol);
		else
			vol->looking = false;
	}
	pthread_mutex_unlock(&kernel->lock);
	sd_event_source_set_time_relative(source, LOOK_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ---- what the kernel says ---- */

static int on_kernel_event(const struct covol_event *event, void *data)
{
	struct kernel *kernel = data;
	struct kernel_volume *vol;
	bool changed = false;

	pthread_mutex_lock(&kernel->lock);
	vol = __kernel_volume_find(kernel, event->uuid.bytes);
	if (vol && event->type == COVOL_CMD_PATH_LOST) {
		vol->facts.path = false;
		vol->facts.held = true;
		changed = true;
	} else if (vol && event->type == COVOL_CMD_SESSION_LOST &&
		   !covol_event_has(event, COVOL_A_EVENT_PLANNED)) {
		/* A session that was never told of is not missed. */
		if (vol->facts.session_epoch)
			vol->lost = kernel_usec();
	} else if (vol && event->type == COVOL_CMD_ROUTE_CHANGED &&
		   event->reasons & COVOL_REASON_FENCED) {
		vol->facts.conflict = true;
		changed = true;
	}
	pthread_mutex_unlock(&kernel->lock);
	if (changed)
		kernel->changed(kernel->changed_data, event->uuid.bytes);
	if (vol && event->type == COVOL_CMD_RECALL_TIMEOUT)
		kernel->stuck(kernel->changed_data, event->uuid.bytes, event->peer);
	return 0;
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct kernel *kernel = data;
	int error = covol_event_receive(kernel->events, on_kernel_event, kernel);

	(void)source;
	(void)fd;
	(void)events;
	if (error)
		log_warning("events of the kernel: %s", covol_error(kernel->events));
	return 0;
}

int kernel_watch(struct kernel *kernel)
{
	int error = covol_open(&kernel->events);

	if (!error)
		error = covol_event_subscribe(kernel->events);
	if (error) {
		log_error("%s", kernel->events ? covol_error(kernel->events) : strerror(-error));
		return error;
	}
	error = sd_event_add_io(kernel->event, &kernel->events_source,
				covol_event_fd(kernel->events), EPOLLIN, on_events, kernel);
	if (error >= 0)
		error = sd_event_add_time_relative(kernel->event, &kernel->looks, CLOCK_MONOTONIC,
						   LOOK_USEC, 0, on_look, kernel);
	return error < 0 ? error : 0;
}

void kernel_watch_end(struct kernel *kernel)
{
	sd_event_source_disable_unref(kernel->looks);
	sd_event_source_disable_unref(kernel->events_source);
	covol_close(kernel->events);
}
