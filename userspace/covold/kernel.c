// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "answerer.h"
#include "boot.h"
#include "device.h"
#include "kernel.h"
#include "log.h"
#include "memory.h"
#include "pool.h"

/* ---- volumes ---- */

struct kernel_volume *__kernel_volume_find(struct kernel *kernel, const uint8_t uuid[16])
{
	struct kernel_volume *vol;

	for (vol = kernel->volumes; vol; vol = vol->next)
		if (!memcmp(vol->uuid, uuid, sizeof(vol->uuid)))
			return vol;
	return NULL;
}

struct kernel_volume *kernel_volume_get(struct kernel *kernel, const uint8_t uuid[16])
{
	struct kernel_volume *vol;

	pthread_mutex_lock(&kernel->lock);
	vol = __kernel_volume_find(kernel, uuid);
	if (!vol) {
		vol = memory_new(sizeof(*vol));
		vol->kernel = kernel;
		memcpy(vol->uuid, uuid, sizeof(vol->uuid));
		vol->facts.path = true;
		vol->redirects = true;
		pthread_mutex_init(&vol->door, NULL);
		pthread_mutex_init(&vol->work, NULL);
		pthread_mutex_init(&vol->images, NULL);
		vol->next = kernel->volumes;
		kernel->volumes = vol;
	}
	pthread_mutex_unlock(&kernel->lock);
	return vol;
}

const char *kernel_directory(const struct kernel_volume *vol, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", vol->kernel->config->mount_directory, vol->name);
	return path;
}

/* ---- results ---- */

enum own_result kernel_fail(struct kernel_task *t, int error, const char *format, ...)
{
	struct kernel_volume *vol = t->vol;
	enum own_result result = OWN_FAILED;
	va_list args;

	va_start(args, format);
	vsnprintf(t->answer->reason, sizeof(t->answer->reason), format, args);
	va_end(args);
	pthread_mutex_lock(&vol->kernel->lock);
	if (error == -EBADE) {
		result = OWN_CONFLICT;
		vol->facts.conflict = true;
	} else if (error == -ENOLINK) {
		result = OWN_NO_PATH;
		vol->facts.path = false;
	}
	pthread_mutex_unlock(&vol->kernel->lock);
	return result;
}

/* ---- parts ---- */

struct peers {
	uint32_t peer[OWN_NODES];
	size_t count;
};

static int add_peer(const struct covol_session *session, void *data)
{
	struct peers *peers = data;

	if (peers->count < OWN_NODES)
		peers->peer[peers->count++] = session->peer;
	return 0;
}

enum own_result kernel_end_sessions(struct kernel_task *t, bool forget)
{
	struct covol_uuid id = kernel_id(t->vol);
	struct covol_volume volume;
	struct peers peers;
	unsigned int node;
	int error;
	size_t i;

	pthread_mutex_lock(&t->vol->kernel->lock);
	t->vol->serving = 0;
	lanes_drop(&t->vol->lanes, ~(own_nodes)0);
	t->vol->lost = 0;
	t->vol->facts.session_epoch = 0;
	pthread_mutex_unlock(&t->vol->kernel->lock);
	kernel_close_door(t->vol);
	if (covol_volume_get(t->c, &id, &volume) == -ENOENT)
		return OWN_OK;
	do {
		peers.count = 0;
		error = covol_session_dump(t->c, &id, add_peer, &peers);
	} while (error == -EAGAIN);
	for (i = 0; !error && i < peers.count; i++) {
		error = covol_session_del(t->c, &id, peers.peer[i], forget);
		if (error == -ENOENT)
			error = 0;
	}
	/* Also those whose session has ended: what was lost with it stays theirs until then. */
	own_for_each(node, ~own_bit(t->task->action.node))
		if (forget && !error)
			error = covol_session_del(t->c, &id, node, true);
	return error ? kernel_fail_covol(t, error) : OWN_OK;
}

static enum own_result drop_mount(struct kernel_task *t)
{
	char directory[PATH_MAX], why[DEVICE_ERROR];
	int error = device_unmount(t->vol->uuid, kernel_directory(t->vol, directory), true, why);

	if (!error) {
		pthread_mutex_lock(&t->vol->kernel->lock);
		t->vol->facts.mounted = false;
		pthread_mutex_unlock(&t->vol->kernel->lock);
		error = device_remove(t->vol->uuid, why);
	}
	return error ? kernel_fail(t, -EIO, "%s", why) : OWN_OK;
}

/*
 * No mount, and no session: what the one had sent has ended, the other brings nothing more. What
 * was in service here fails, and so waits for the next coordinator; it may have to wait for a
 * session.
 */
static enum own_result leave(struct kernel_task *t)
{
	enum own_result result = kernel_images_break(t);
	char why[DEVICE_ERROR];

	if (result == OWN_OK && device_break(t->vol->uuid, why))
		result = kernel_fail(t, -EIO, "%s", why);
	if (result == OWN_OK)
		result = kernel_end_sessions(t, true);
	if (result == OWN_OK)
		result = kernel_images_release(t);
	return result == OWN_OK ? drop_mount(t) : result;
}

/*
 * I3: this node was given up, others go on in its place; what it had begun must not be done now,
 * and some of it may still come. Where nobody remembers, who registers looks for its key
 * (kernel_register()); who has no path cannot.
 */
static bool must_fail(const struct kernel_task *t)
{
	const struct own_action *action = &t->task->action;

	return action->expelled == OWN_EXPELLED ||
	       (action->expelled && action->task == OWN_TASK_BARRIER) ||
	       kernel_route_failing(t->vol);
}

/*
 * Beside that no data of this node's devices: all that needs a key. What it has of layouts is
 * worth nothing: nobody asks for it before the blocks are given to others. While the route is not
 * held: what was lost with a session can be given up only as it is tried again.
 */
static enum own_result give_up(struct kernel_task *t)
{
	enum own_result result = leave(t);

	if (result == OWN_OK)
		result = kernel_images_clear(t);
	if (result != OWN_OK)
		return result;
	return must_fail(t) ? kernel_route_fail(t) : kernel_route_hold(t);
}

/* The kernel knows the volume, with that coordinator at that epoch. */
enum own_result kernel_know(struct kernel_task *t, unsigned int coordinator, uint64_t epoch)
{
	unsigned int node = t->task->action.node;
	struct covol_volume volume = { .uuid = kernel_id(t->vol) }, now;
	int error;

	error = covol_volume_get(t->c, &volume.uuid, &now);
	if (error && error != -ENOENT)
		return kernel_fail_covol(t, error);
	volume.node = node;
	volume.coordinator = coordinator;
	volume.role = coordinator == node ? COVOL_ROLE_COORDINATOR : COVOL_ROLE_MEMBER;
	volume.epoch = epoch;
	if (!error) {
		error = covol_volume_set(t->c, &volume,
					 COVOL_VOLUME_COORDINATOR | COVOL_VOLUME_ROLE |
						 COVOL_VOLUME_EPOCH);
		return error ? kernel_fail_covol(t, error) : OWN_OK;
	}
	return kernel_path_tell(t, &volume);
}

/* ---- tasks ---- */

static enum own_result do_register(struct kernel_task *t)
{
	enum own_result result = give_up(t);

	if (result == OWN_OK)
		result = kernel_path_anew(t);
	return result == OWN_OK ? kernel_register(t) : result;
}

/*
 * Data goes on, with the extents that this node holds; if it has not been fenced meanwhile, and is
 * not left aside.
 */
static enum own_result do_barrier(struct kernel_task *t)
{
	enum own_result result;

	if (t->task->action.apart)
		log_about(LOG_WARNING, NULL, t->vol->name,
			  "this node gets no session: its layouts are given back, its I/O %s",
			  kernel_route_failing(t->vol) ? "fails" : "waits");
	if (t->task->action.expelled || t->task->action.apart)
		return give_up(t);
	result = leave(t);
	return result == OWN_OK && t->task->action.fenced ? kernel_images_clear(t) : result;
}

static void note_file_system(struct kernel_task *t, uint64_t began)
{
	snprintf(t->answer->note, sizeof(t->answer->note), "the file system took %llu ms",
		 (unsigned long long)(kernel_usec() - began) / 1000);
}

static enum own_result do_mount(struct kernel_task *t)
{
	struct covol_uuid id = kernel_id(t->vol);
	char directory[PATH_MAX], why[DEVICE_ERROR];
	struct covol_volume volume;
	enum own_result result;
	uint64_t began;
	int error;

	t->vol->recalled = false;
	result = kernel_check_key(t);
	if (result == OWN_OK)
		result = kernel_know(t, t->task->action.node, t->task->action.epoch);
	if (result == OWN_OK)
		result = kernel_route_set(t, OWN_ROUTE_DIRECT, 0);
	if (result != OWN_OK)
		return result;
	error = covol_volume_get(t->c, &id, &volume);
	if (error)
		return kernel_fail_covol(t, error);
	error = device_create(&volume, why);
	began = kernel_usec();
	if (!error)
		error = device_mount(t->vol->uuid, lun_fs_name(t->vol->header.fs),
				     kernel_directory(t->vol, directory), why);
	if (error) {
		result = kernel_fail(t, error, "%s", why);
		/* Half a mount is none: the next who tries begins anew. */
		device_remove(t->vol->uuid, why);
		return result;
	}
	note_file_system(t, began);
	pthread_mutex_lock(&t->vol->kernel->lock);
	t->vol->facts.mounted = true;
	pthread_mutex_unlock(&t->vol->kernel->lock);
	return OWN_OK;
}

static enum own_result still_mounted(struct kernel_task *t)
{
	char directory[PATH_MAX];

	if (device_is_mounted(t->vol->uuid, kernel_directory(t->vol, directory)) == 1)
		return OWN_OK;
	return kernel_fail(t, -EIO, "the file system is not mounted");
}

static enum own_result do_write_epoch(struct kernel_task *t)
{
	enum own_result result = still_mounted(t);

	return result == OWN_OK ? kernel_write_epoch(t) : result;
}

static enum own_result do_serve(struct kernel_task *t)
{
	enum own_result result = still_mounted(t);

	t->vol->recalled = false;
	if (result == OWN_OK)
		result = kernel_know(t, t->task->action.node, t->task->action.epoch);
	if (result == OWN_OK)
		result = kernel_images_serve(t);
	if (result != OWN_OK)
		return result;
	pthread_mutex_lock(&t->vol->kernel->lock);
	t->vol->serving = t->task->action.epoch;
	pthread_mutex_unlock(&t->vol->kernel->lock);
	return OWN_OK;
}

/* Until now what a node may hold that is neither here nor fenced has kept maps as they were. */
static enum own_result do_release(struct kernel_task *t)
{
	enum own_result result = still_mounted(t);

	return result == OWN_OK ? kernel_images_forget(t) : result;
}

/* Once: members are asked by the sessions that UNMOUNT then ends, also if it fails after that. */
static enum own_result recall_all(struct kernel_task *t)
{
	enum own_result result = t->vol->recalled ? OWN_OK : kernel_images_recall(t);

	t->vol->recalled = result == OWN_OK;
	return result;
}

/* Members hold what is metadata as soon as their session ends; data goes on. */
static enum own_result do_unmount(struct kernel_task *t)
{
	char directory[PATH_MAX], why[DEVICE_ERROR];
	enum own_result result = t->task->action.recall ? recall_all(t) : OWN_OK;
	uint64_t began;
	int error;

	if (result == OWN_OK)
		result = kernel_end_sessions(t, false);
	if (result == OWN_OK)
		result = kernel_images_release(t);
	if (result != OWN_OK)
		return result;
	began = kernel_usec();
	error = device_unmount(t->vol->uuid, kernel_directory(t->vol, directory), false, why);
	if (error)
		return kernel_fail(t, error, "%s", why);
	note_file_system(t, began);
	pthread_mutex_lock(&t->vol->kernel->lock);
	t->vol->facts.mounted = false;
	pthread_mutex_unlock(&t->vol->kernel->lock);
	/* What the unmount wrote was refused if the key was gone. */
	result = kernel_check_key(t);
	if (result != OWN_OK)
		return result;
	kernel_images_drop(t);
	error = device_remove(t->vol->uuid, why);
	return error ? kernel_fail(t, error, "%s", why) : OWN_OK;
}

static enum own_result do_route(struct kernel_task *t)
{
	uint64_t incarnation = t->vol->facts.incarnation;
	enum own_route route = t->task->action.route;

	if (route == OWN_ROUTE_NONE)
		return kernel_fail(t, -EINVAL, "no such route");
	/* The one that was fenced for it; with another there may be writes under way. */
	if (route == OWN_ROUTE_BLOCK && incarnation && incarnation != t->task->action.incarnation)
		return kernel_fail(t, -EINVAL, "this node has another key than was fenced");
	return kernel_route_set(t, route, route == OWN_ROUTE_BLOCK ? t->task->action.other : 0);
}

static enum own_result do_close(struct kernel_task *t)
{
	struct covol_uuid id = kernel_id(t->vol);
	enum own_result result = give_up(t);
	int error;

	if (result == OWN_OK)
		result = kernel_images_close(t);
	if (result != OWN_OK)
		return result;
	error = covol_volume_del(t->c, &id);
	if (error && error != -ENOENT)
		return kernel_fail_covol(t, error);
	return kernel_unregister(t);
}

static enum own_result (*const tasks[OWN_TASKS])(struct kernel_task *t) = {
	[OWN_TASK_REGISTER] = do_register,   [OWN_TASK_FENCE] = kernel_fence,
	[OWN_TASK_BARRIER] = do_barrier,     [OWN_TASK_MOUNT] = do_mount,
	[OWN_TASK_WRITE_EPOCH] = do_write_epoch, [OWN_TASK_SERVE] = do_serve,
	[OWN_TASK_CONNECT] = kernel_connect, [OWN_TASK_RELEASE] = do_release,
	[OWN_TASK_UNMOUNT] = do_unmount,     [OWN_TASK_ROUTE] = do_route,
	[OWN_TASK_CLOSE] = do_close,
};

/*
 * What an agent before this one has left: a key, a mount, a session, a route, a lost path. Once; a
 * task that runs knows it from then on.
 */
static void probe(struct kernel_volume *vol, struct covol *c)
{
	struct covol_uuid id = kernel_id(vol);
	struct covol_session session;
	struct covol_volume volume;
	bool resume = false;
	bool mounted = device_is_mounted(vol->uuid, NULL) == 1;
	bool there = !covol_volume_get(c, &id, &volume);
	bool live = there && volume.role == COVOL_ROLE_MEMBER &&
		    !covol_session_get(c, &id, volume.coordinator, &session) &&
		    session.state == COVOL_SESSION_STATE_LIVE;

	uint64_t key = boot_key(vol->kernel->config->runtime_directory, vol->uuid);
	bool fenced = there && volume.reasons & COVOL_REASON_FENCED;
	bool lost = there && volume.reasons & COVOL_REASON_NO_DISK_PATH;
	/* What redirects need not be the path. */
	bool path = !lost && (!there || volume.route != COVOL_ROUTE_BLOCK_REDIRECTED ||
			      kernel_path_good(vol, c));

	pthread_mutex_lock(&vol->kernel->lock);
	if (!vol->known) {
		vol->facts.path = path;
		vol->facts.held = lost && volume.route == COVOL_ROUTE_HELD;
		vol->facts.mounted = mounted;
		vol->facts.session_epoch = live ? volume.epoch : 0;
		vol->facts.route = there ? kernel_route_of(&volume) : OWN_ROUTE_NONE;
		vol->facts.incarnation = key;
		resume = mounted && there && volume.role == COVOL_ROLE_COORDINATOR;
		if (resume)
			vol->serving = volume.epoch;
		if (fenced)
			vol->facts.conflict = true;
		/* That was an agent, which knew why; if it was a conflict, the kernel itself. */
		else if (there && volume.route == COVOL_ROUTE_UNAVAILABLE)
			vol->facts.failing = OWN_EXPELLED_UNKNOWN;
	}
	vol->known = true;
	pthread_mutex_unlock(&vol->kernel->lock);
	if (resume)
		kernel_images_resume(vol, c);
}

static void run(void *driver, const struct driver_task *task, struct driver_answer *answer)
{
	struct kernel *kernel = driver;
	struct kernel_task t = {
		.vol = kernel_volume_get(kernel, task->uuid),
		.task = task,
		.answer = answer,
	};

	pthread_mutex_lock(&t.vol->work);
	memcpy(t.vol->name, task->name, sizeof(t.vol->name));
	if (covol_open(&t.c)) {
		answer->result = kernel_fail(&t, -ENOMEM, "out of memory");
	} else {
		probe(t.vol, t.c);
		kernel_told(&t);
		answer->result = tasks[task->action.task](&t);
		covol_close(t.c);
	}
	pthread_mutex_unlock(&t.vol->work);
}

static void break_off(void *driver, const uint8_t uuid[16])
{
	char why[DEVICE_ERROR];

	/* A recall that waits for a node, and is waited for by a task, ends. */
	kernel_images_break_off(driver, uuid);
	if (device_break(uuid, why))
		log_warning("a task cannot be broken off: %s", why);
}

/* ---- facts ---- */

static void look_first(void *data)
{
	struct kernel_volume *vol = data;
	struct covol *c;

	if (covol_open(&c))
		return;
	/* Not in the midst of a task, which looks itself before it begins. */
	pthread_mutex_lock(&vol->work);
	probe(vol, c);
	pthread_mutex_unlock(&vol->work);
	covol_close(c);
}

void kernel_looked(void *data)
{
	struct kernel_volume *vol = data;
	bool known;

	pthread_mutex_lock(&vol->kernel->lock);
	vol->looking = false;
	known = vol->known;
	pthread_mutex_unlock(&vol->kernel->lock);
	if (known)
		vol->kernel->changed(vol->kernel->changed_data, vol->uuid);
}

static bool facts(void *driver, const uint8_t uuid[16], struct own_facts *result)
{
	struct kernel *kernel = driver;
	struct kernel_volume *vol = kernel_volume_get(kernel, uuid);
	bool known, first;

	pthread_mutex_lock(&kernel->lock);
	known = vol->known;
	first = !known && !vol->looking;
	vol->looking |= first;
	*result = vol->facts;
	result->serving = vol->serving;
	pthread_mutex_unlock(&kernel->lock);
	if (first)
		pool_submit(kernel->pool, look_first, kernel_looked, vol);
	return known;
}

/* Its LUN is not looked for, which may be gone for good. Who asks for it anew looks first. */
static void forget(void *driver, const uint8_t uuid[16])
{
	struct kernel *kernel = driver;
	struct kernel_volume *vol;

	pthread_mutex_lock(&kernel->lock);
	vol = __kernel_volume_find(kernel, uuid);
	if (vol)
		vol->known = false;
	pthread_mutex_unlock(&kernel->lock);
}

const struct driver_ops kernel_driver = {
	.run = run,
	.break_off = break_off,
	.facts = facts,
	.shut_out = kernel_shut_out,
	.redirects = kernel_redirects,
	.forget = forget,
};

int kernel_open(struct kernel *kernel, const struct config *config, sd_event *event,
		struct pool *pool, void (*changed)(void *data, const uint8_t uuid[16]),
		void (*stuck)(void *data, const uint8_t uuid[16], unsigned int node), void *data)
{
	int error;

	memset(kernel, 0, sizeof(*kernel));
	kernel->began = kernel_usec();
	kernel->config = config;
	kernel->event = event;
	kernel->pool = pool;
	kernel->changed = changed;
	kernel->stuck = stuck;
	kernel->changed_data = data;
	kernel->listener = -1;
	pthread_mutex_init(&kernel->lock, NULL);
	error = kernel_watch(kernel);
	if (!error)
		error = kernel_keys_watch(kernel);
	return error ? error : kernel_listen(kernel);
}

void kernel_close(struct kernel *kernel)
{
	struct kernel_volume *vol;

	kernel_listen_end(kernel);
	kernel_keys_end(kernel);
	kernel_watch_end(kernel);
	while ((vol = kernel->volumes)) {
		kernel->volumes = vol->next;
		answerer_stop(vol->answerer);
		lanes_free(&vol->lanes);
		pthread_mutex_destroy(&vol->images);
		pthread_mutex_destroy(&vol->work);
		pthread_mutex_destroy(&vol->door);
		free(vol);
	}
	pthread_mutex_destroy(&kernel->lock);
}
