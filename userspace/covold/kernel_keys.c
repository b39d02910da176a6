// SPDX-License-Identifier: GPL-2.0-only
/*
 * This node's key by all paths of a LUN, those too that were down when it was registered, or came
 * later. Multipath uses a path as soon as it works, and a write by one without the key meets a
 * reservation conflict, as if this node was fenced.
 *
 * The machine knows nothing of it: it is the same key. But one that is taken away meanwhile must
 * not come back for what this node has sent (I3, see lun_pr_extend()): so its I/O is held for that
 * moment. What it does on the LUN for other nodes cannot be held here; then it begins anew. Nor is
 * it a key that was never taken away, for kernel_register(), before that is known.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lun/fence.h"
#include "boot.h"
#include "kernel.h"
#include "log.h"
#include "pool.h"
#include "uevent.h"

#define SYSFS		"/sys"
/* Whether all paths have it; whether one that has not works again, before multipath sees that. */
#define ALL_USEC	1000000
#define DOWN_USEC	100000
/* After a failure to register: all I/O waits each time, or the node begins anew. */
#define AGAIN_USEC	10000000

/* A look at a volume. */
struct keys {
	struct kernel_volume *vol;
	struct covol *c;
	uint64_t incarnation;
	uint64_t key;
	uint64_t told;		/* incarnation with which this node was told to go on */
	unsigned int disks;
	struct lun lun;
	bool todo[LUN_PATHS];
	bool lost;		/* the key is gone, or may be */
};

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

void kernel_redirects(void *driver, const uint8_t uuid[16], bool redirects)
{
	struct kernel *kernel = driver;
	struct kernel_volume *vol = kernel_volume_get(kernel, uuid);

	pthread_mutex_lock(&kernel->lock);
	vol->redirects = redirects;
	pthread_mutex_unlock(&kernel->lock);
}

/* ---- which paths have it ---- */

void kernel_keys_paths(struct lun *lun)
{
	if (lun->multipath)
		lun_add_others(lun, SYSFS);
}

static bool is_keyed(const struct kernel_volume *vol, const struct lun_path *path)
{
	size_t i;

	for (i = 0; i < vol->keyeds; i++)
		if (vol->keyed[i].disk == path->disk && !strcmp(vol->keyed[i].name, path->name))
			return true;
	return false;
}

static void set_keyed(struct kernel_volume *vol, const struct lun_path *path)
{
	/* Those that are gone for ever make room. */
	if (vol->keyeds == LUN_PATHS)
		memmove(vol->keyed, vol->keyed + 1, --vol->keyeds * sizeof(*path));
	vol->keyed[vol->keyeds++] = *path;
}

void kernel_keys_had(struct kernel_task *t, const struct lun *lun)
{
	struct kernel_volume *vol = t->vol;
	size_t i;

	vol->keyeds = 0;
	vol->keyed_with = t->task->action.incarnation;
	for (i = 0; i < lun->paths; i++) {
		if (lun->path[i].done)
			set_keyed(vol, &lun->path[i]);
		else
			log_about(LOG_NOTICE, NULL, vol->name,
				  "path %s does not work: this node's key is registered by it as soon as it does",
				  lun->path[i].name);
	}
}

/* ---- a look ---- */

static bool has_key(struct keys *k)
{
	struct kernel *kernel = k->vol->kernel;
	const struct own_facts *facts = &k->vol->facts;
	unsigned int node;

	pthread_mutex_lock(&kernel->lock);
	k->incarnation = facts->path && !facts->conflict ? facts->incarnation : 0;
	k->disks = kernel->disks;
	node = kernel->node;
	pthread_mutex_unlock(&kernel->lock);
	if (!k->incarnation || !node || kernel->config->fence_method != LUN_METHOD_PR)
		return false;
	k->key = lun_key_make(kernel_cluster_id(kernel), node, k->incarnation);
	return true;
}

static bool find_paths(struct keys *k)
{
	struct kernel_volume *vol = k->vol;
	struct lun *lun = &k->lun;
	char error[LUN_ERROR_LEN];

	/* An agent that was started again has not looked for it yet. */
	if (!*vol->device) {
		if (kernel_path_find(vol, lun, error))
			return false;
		lun_close(lun);
	}
	*lun = (struct lun) { .fd = -1 };
	if (snprintf(lun->device, sizeof(lun->device), "%s", vol->device) >=
		    (int)sizeof(lun->device) ||
	    snprintf(lun->name, sizeof(lun->name), "%s", basename(vol->device)) >=
		    (int)sizeof(lun->name))
		return false;
	/* By that name there may be something else by now. */
	if (lun_identify(lun, SYSFS) || !lun->multipath || strcmp(lun->wwid, vol->header.wwid))
		return false;
	return vol->disks == k->disks || !lun_add_others(lun, SYSFS);
}

/*
 * What the agent before has done: if there are as many keys as there are paths, it was by all. With
 * more of them some are of paths that are gone.
 */
static void take_over(struct keys *k)
{
	struct kernel_volume *vol = k->vol;
	size_t i, count = 0;
	struct lun_pr pr;

	vol->keyeds = 0;
	if (lun_pr_read(&k->lun, &pr))
		return;
	vol->keyed_with = k->incarnation;
	for (i = 0; i < pr.count; i++)
		count += pr.keys[i] == k->key;
	lun_pr_free(&pr);
	for (i = 0; i < k->lun.paths && count == k->lun.paths; i++)
		set_keyed(vol, &k->lun.path[i]);
}

/* Whether there are such that have not got it and work; those that do not work are remembered. */
static bool find_todo(struct keys *k)
{
	struct kernel_volume *vol = k->vol;
	struct lun_path down[LUN_PATHS];
	size_t i, todo = 0, downs = 0;

	if (vol->keyed_with != k->incarnation)
		take_over(k);
	for (i = 0; i < k->lun.paths; i++) {
		if (is_keyed(vol, &k->lun.path[i]))
			continue;
		k->todo[i] = lun_path_ready(&k->lun.path[i], SYSFS);
		if (k->todo[i])
			todo++;
		else
			down[downs++] = k->lun.path[i];
	}
	/* Until all have it those that have just come are looked for. */
	if (!todo && !downs)
		vol->disks = k->disks;
	pthread_mutex_lock(&vol->kernel->lock);
	memcpy(vol->down, down, downs * sizeof(*down));
	vol->downs = downs;
	pthread_mutex_unlock(&vol->kernel->lock);
	return todo;
}

/* ---- registering ---- */

static int set_route(struct keys *k, uint32_t route)
{
	struct covol_volume volume = { .uuid = kernel_id(k->vol), .route = route };

	return covol_volume_set(k->c, &volume, COVOL_VOLUME_ROUTE);
}

static bool redirects(struct kernel_volume *vol)
{
	bool result;

	pthread_mutex_lock(&vol->kernel->lock);
	result = vol->redirects;
	pthread_mutex_unlock(&vol->kernel->lock);
	return result;
}

static bool uses_lun(uint32_t route)
{
	return route == COVOL_ROUTE_DIRECT || route == COVOL_ROUTE_FS_REDIRECTED;
}

/*
 * Nothing that this node has sent is on its way any more. *route: as it was, to be set again; HELD:
 * nothing was. Returns 0, or an error: nothing may be registered.
 */
static int hold(struct keys *k, uint32_t *route)
{
	struct covol_uuid id = kernel_id(k->vol);
	struct covol_volume volume;
	int error = covol_volume_get(k->c, &id, &volume);
	bool others;

	*route = COVOL_ROUTE_HELD;
	if (error)
		return error == -ENOENT ? 0 : error;
	/* It has no key. */
	if (volume.route == COVOL_ROUTE_BLOCK_REDIRECTED)
		return -EAGAIN;
	if (!uses_lun(volume.route))
		return 0;
	others = volume.role == COVOL_ROLE_COORDINATOR && redirects(k->vol);
	/* It is not known whether any path lacks it. */
	if (others && !k->vol->keyeds)
		return -EAGAIN;
	*route = volume.route;
	error = set_route(k, COVOL_ROUTE_HELD);
	if (!error && others) {
		log_about(LOG_NOTICE, NULL, k->vol->header.name,
			  "a path has come that is without this node's key, while other nodes' I/O goes through this one: it begins anew with another key");
		k->lost = true;
	}
	return error;
}

static void failed(struct keys *k, size_t path, int error)
{
	struct kernel_volume *vol = k->vol;

	k->lost |= error == -EBADE || error == -ENOTRECOVERABLE;
	vol->keys_after = now_usec() + AGAIN_USEC;
	log_about(LOG_WARNING, LOG_ID_FAILED, vol->header.name,
		  "this node's key cannot be registered by path %s: %s", k->lun.path[path].name,
		  k->lun.error);
}

static void register_all(struct keys *k)
{
	size_t i;
	int error;

	for (i = 0; i < k->lun.paths && !k->lost; i++) {
		if (!k->todo[i])
			continue;
		error = lun_pr_extend(&k->lun, i, k->key);
		if (error) {
			failed(k, i, error);
			continue;
		}
		set_keyed(k->vol, &k->lun.path[i]);
		log_about(LOG_NOTICE, NULL, k->vol->header.name,
			  "this node's key is registered by path %s, too", k->lun.path[i].name);
	}
}

/*
 * What is held goes on. If the key is gone it waits until there is another; and a path or a
 * conflict that was met just before may be news only now.
 */
static void release(struct keys *k, uint32_t route)
{
	struct own_facts *facts = &k->vol->facts;
	bool goes_on;

	pthread_mutex_lock(&k->vol->kernel->lock);
	facts->conflict |= k->lost;
	k->vol->keys_news |= k->lost;
	goes_on = uses_lun(route) && !facts->conflict && facts->path && !facts->held;
	pthread_mutex_unlock(&k->vol->kernel->lock);
	if (!uses_lun(route) || (goes_on && !set_route(k, route)))
		return;
	pthread_mutex_lock(&k->vol->kernel->lock);
	facts->route = OWN_ROUTE_NONE;
	k->vol->keys_news = true;
	pthread_mutex_unlock(&k->vol->kernel->lock);
}

/* Before all waits for it: does the path work, and is there a key? */
static bool probe(struct keys *k)
{
	bool any = false;
	size_t i;

	for (i = 0; i < k->lun.paths; i++) {
		k->todo[i] = k->todo[i] && !lun_pr_probe(&k->lun, i, k->key);
		any |= k->todo[i];
	}
	return any;
}

static int set_told(struct keys *k, uint64_t incarnation)
{
	struct kernel_volume *vol = k->vol;
	int error = boot_key_mark_told(vol->kernel->config->runtime_directory, vol->uuid,
				       incarnation);

	vol->told = error ? 0 : incarnation;
	return error;
}

static void extend(struct keys *k)
{
	struct kernel_volume *vol = k->vol;
	uint32_t route;

	if (covol_open(&k->c))
		return;
	k->told = boot_key_told(vol->kernel->config->runtime_directory, vol->uuid);
	/* An agent that ends in the midst of it leaves all held, and 0. */
	if (!hold(k, &route)) {
		if (!set_told(k, 0))
			register_all(k);
		if (!k->lost)
			set_told(k, k->told);
		release(k, route);
	}
	covol_close(k->c);
}

void kernel_keys_look(struct kernel_volume *vol)
{
	struct keys k = { .vol = vol };
	uint64_t key;
	bool todo;

	/* A task may be about the key. */
	if (pthread_mutex_trylock(&vol->work))
		return;
	todo = has_key(&k) && find_paths(&k) && find_todo(&k) && now_usec() >= vol->keys_after;
	if (todo)
		vol->keys_after = now_usec() + ALL_USEC;
	pthread_mutex_unlock(&vol->work);
	key = k.key;
	/* No task waits for a path that does not answer. */
	if (!todo || !probe(&k) || pthread_mutex_trylock(&vol->work))
		return;
	if (has_key(&k) && k.key == key)
		extend(&k);
	pthread_mutex_unlock(&vol->work);
}

/* ---- when ---- */

static void look(void *data)
{
	kernel_keys_look(data);
}

static void looked(void *data)
{
	struct kernel_volume *vol = data;
	bool news;

	pthread_mutex_lock(&vol->kernel->lock);
	vol->looking_at_keys = false;
	news = vol->keys_news;
	vol->keys_news = false;
	pthread_mutex_unlock(&vol->kernel->lock);
	if (news)
		vol->kernel->changed(vol->kernel->changed_data, vol->uuid);
}

static bool one_works(const struct kernel_volume *vol)
{
	size_t i;

	for (i = 0; i < vol->downs; i++)
		if (lun_path_ready(&vol->down[i], SYSFS))
			return true;
	return false;
}

/* Returns whether there are paths that do not work. */
static bool look_all(struct kernel *kernel, bool all)
{
	struct kernel_volume *vol;
	bool down = false;

	pthread_mutex_lock(&kernel->lock);
	for (vol = kernel->volumes; vol; vol = vol->next) {
		if (!vol->known || !vol->facts.incarnation || !vol->facts.path ||
		    vol->facts.conflict)
			continue;
		down |= vol->downs;
		if (vol->looking_at_keys || !(all || one_works(vol)))
			continue;
		vol->looking_at_keys = true;
		pool_submit(kernel->pool, look, looked, vol);
	}
	pthread_mutex_unlock(&kernel->lock);
	return down;
}

static int on_keys(sd_event_source *source, uint64_t usec, void *data)
{
	struct kernel *kernel = data;
	uint64_t now = now_usec();
	bool all = now >= kernel->keys_all, down;

	(void)usec;
	if (all)
		kernel->keys_all = now + ALL_USEC;
	down = look_all(kernel, all);
	sd_event_source_set_time_relative(source, down ? DOWN_USEC : ALL_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_disks(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct kernel *kernel = data;

	(void)source;
	(void)events;
	if (!uevent_disk_came(fd))
		return 0;
	pthread_mutex_lock(&kernel->lock);
	kernel->disks++;
	pthread_mutex_unlock(&kernel->lock);
	look_all(kernel, true);
	return 0;
}

int kernel_keys_watch(struct kernel *kernel)
{
	int fd = uevent_open(), error;

	/* Those that are there. */
	kernel->disks = 1;
	if (fd < 0) {
		log_error("what disks come cannot be watched: %s", strerror(-fd));
		return fd;
	}
	error = sd_event_add_io(kernel->event, &kernel->disks_source, fd, EPOLLIN, on_disks,
				kernel);
	if (error < 0) {
		close(fd);
		return error;
	}
	sd_event_source_set_io_fd_own(kernel->disks_source, true);
	error = sd_event_add_time_relative(kernel->event, &kernel->keys, CLOCK_MONOTONIC,
					   ALL_USEC, 0, on_keys, kernel);
	return error < 0 ? error : 0;
}

void kernel_keys_end(struct kernel *kernel)
{
	sd_event_source_disable_unref(kernel->keys);
	sd_event_source_disable_unref(kernel->disks_source);
}
