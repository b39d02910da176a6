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

static bool session_live(struct kernel_volume *vol, struct covol *c, uint32_t peer)
{
	struct covol_uuid id = kernel_id(vol);
	struct covol_session session;

	return !covol_session_get(c, &id, peer, &session) &&
	       session.state == COVOL_SESSION_STATE_LIVE;
}

bool kernel_session_live(struct kernel_task *t)
{
	return session_live(t->vol, t->c, t->task->action.other);
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

/* ---- what the kernel has said, and nobody has heard ---- */

/* Each of these with the kernel's lock held. */
static void __path_lost(struct kernel_volume *vol)
{
	vol->facts.path = false;
	vol->facts.held = true;
}

static void __fenced(struct kernel_volume *vol)
{
	vol->facts.conflict = true;
}

static void __session_lost(struct kernel_volume *vol)
{
	/* A session that was never told of is not missed. */
	if (vol->facts.session_epoch)
		vol->lost = kernel_usec();
}

/* A lost path that is known of may be back: the kernel holds until it is given a route. */
static bool __tell(struct kernel_volume *vol, const struct covol_volume *volume, bool live)
{
	bool fenced = volume->reasons & COVOL_REASON_FENCED && !vol->facts.conflict;
	bool lost = volume->reasons & COVOL_REASON_NO_DISK_PATH &&
		    volume->route == COVOL_ROUTE_HELD && !vol->facts.held;

	if (fenced)
		__fenced(vol);
	if (lost)
		__path_lost(vol);
	if (!live && !vol->lost)
		__session_lost(vol);
	return fenced || lost;
}

/* Not with @work: the task that has it may wait for what is to be said here. */
static int look_unheard(struct kernel_volume *vol, struct covol *c)
{
	struct covol_uuid id = kernel_id(vol);
	struct covol_volume volume;
	int error = covol_volume_get(c, &id, &volume);
	bool live;

	if (error)
		return error == -ENOENT ? 0 : error;
	live = volume.role != COVOL_ROLE_MEMBER || session_live(vol, c, volume.coordinator);
	pthread_mutex_lock(&vol->kernel->lock);
	vol->unheard_news |= __tell(vol, &volume, live);
	pthread_mutex_unlock(&vol->kernel->lock);
	return 0;
}

static void unheard(void *data)
{
	struct kernel_volume *vol = data;
	struct covol *c;
	int error = covol_open(&c);

	if (!error) {
		error = look_unheard(vol, c);
		covol_close(c);
	}
	if (!error)
		return;
	pthread_mutex_lock(&vol->kernel->lock);
	vol->unheard = true;
	pthread_mutex_unlock(&vol->kernel->lock);
}

static void looked_unheard(void *data)
{
	struct kernel_volume *vol = data;
	bool news;

	pthread_mutex_lock(&vol->kernel->lock);
	vol->looking_unheard = false;
	news = vol->unheard_news;
	vol->unheard_news = false;
	pthread_mutex_unlock(&vol->kernel->lock);
	if (news)
		vol->kernel->changed(vol->kernel->changed_data, vol->uuid);
}

/*
 * With the lock held. What is not known yet is looked at when it is, and what a worker looks at
 * when that has ended: on_look() comes again.
 */
static void __look_unheard(struct kernel_volume *vol)
{
	if (!vol->unheard || !vol->known || vol->looking_unheard)
		return;
	vol->unheard = false;
	vol->looking_unheard = true;
	pool_submit(vol->kernel->pool, unheard, looked_unheard, vol);
}

/* What was lost does not come again, nor is it known of which volume it was. */
static void look_unheard_all(struct kernel *kernel)
{
	struct kernel_volume *vol;

	pthread_mutex_lock(&kernel->lock);
	for (vol = kernel->volumes; vol; vol = vol->next) {
		vol->unheard = true;
		__look_unheard(vol);
	}
	pthread_mutex_unlock(&kernel->lock);
}

/* ---- each second ---- */

static int on_look(sd_event_source *source, uint64_t usec, void *data)
{
	struct kernel *kernel = data;
	struct kernel_volume *vol;

	(void)usec;
	kernel_peer_look(kernel);
	pthread_mutex_lock(&kernel->lock);
	for (vol = kernel->volumes; vol; vol = vol->next) {
		__look_unheard(vol);
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
		__path_lost(vol);
		changed = true;
	} else if (vol && event->type == COVOL_CMD_SESSION_LOST &&
		   !covol_event_has(event, COVOL_A_EVENT_PLANNED)) {
		__session_lost(vol);
	} else if (vol && event->type == COVOL_CMD_ROUTE_CHANGED &&
		   event->reasons & COVOL_REASON_FENCED) {
		__fenced(vol);
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
	if (error == -ENOBUFS)
		look_unheard_all(kernel);
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
