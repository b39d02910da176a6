// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tasks do with the images of a volume: the coordinator serves those that are in its file
 * system, whether devices use them or not; other nodes know those that they have attached.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answerer.h"
#include "attach.h"
#include "device.h"
#include "images.h"
#include "kernel.h"
#include "log.h"

/* ---- those that the kernel knows ---- */

struct known {
	struct covol_image *image;
	size_t count;
};

static int keep(const struct covol_image *image, void *data)
{
	struct known *known = data;
	struct covol_image *more;

	if (!image->id)
		return 0;
	more = realloc(known->image, (known->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	known->image = more;
	known->image[known->count++] = *image;
	return 0;
}

/* All of them; free() known->image. A volume that the kernel does not know has none. */
static int read_known(struct covol *c, const struct covol_uuid *uuid, struct known *known)
{
	struct covol_volume volume;
	int error;

	memset(known, 0, sizeof(*known));
	if (covol_volume_get(c, uuid, &volume) == -ENOENT)
		return 0;
	do {
		known->count = 0;
		error = covol_image_dump(c, uuid, keep, known);
	} while (error == -EAGAIN);
	return error;
}

/* For each of them; the first that fails ends it. */
static enum own_result each(struct kernel_task *t,
			    int (*work)(struct kernel_task *t, const struct covol_uuid *uuid,
					const struct covol_image *image))
{
	struct covol_uuid uuid = kernel_id(t->vol);
	enum own_result result = OWN_OK;
	struct known known;
	size_t i;
	int error = read_known(t->c, &uuid, &known);

	for (i = 0; !error && i < known.count; i++)
		error = work(t, &uuid, &known.image[i]);
	if (error)
		result = kernel_fail_covol(t, error);
	free(known.image);
	return result;
}

/* ---- serving ---- */

struct serving {
	struct kernel_task *t;
	struct covol_uuid uuid;
	int directory;
	uint32_t holder[OWN_NODES];
	size_t holders;
};

/* One that is served already stays as it is: the task may be told again. */
static int give(struct serving *serving, const struct image_entry *entry, int fd)
{
	struct covol_image image = {
		.uuid = serving->uuid,
		.id = entry->id,
		.size = entry->size,
		.fd = fd,
		.may_hold = serving->holder,
		.may_hold_count = serving->holders,
	}, now;
	struct covol *c = serving->t->c;
	int error = covol_image_get(c, &serving->uuid, entry->id, &now);

	if (error == -ENOENT)
		return covol_image_new(c, &image);
	if (error || now.served)
		return error;
	/* It may have been broken off when it was served here the last time. */
	error = covol_image_release(c, &serving->uuid, entry->id, COVOL_IMAGE_KEEP_LAYOUTS);
	if (!error)
		error = covol_image_serve(c, &serving->uuid, entry->id, fd, serving->holder,
					  serving->holders);
	return error;
}

static enum own_result serve_one(struct serving *serving, const struct image_entry *entry)
{
	struct kernel_task *t = serving->t;
	char why[IMAGES_ERROR];
	int fd = images_open_file(serving->directory, entry, why), error;

	if (fd < 0)
		return kernel_fail(t, fd, "%s", why);
	error = answerer_add(t->vol->answerer, entry->id, entry->name, fd);
	if (!error && t->task->action.task == OWN_TASK_SERVE)
		error = give(serving, entry, fd);
	close(fd);
	/* One that is not as it should be must not keep the others. */
	if (error == -EINVAL) {
		log_warning("volume %s: image %s cannot be served: %s", t->vol->name, entry->name,
			    covol_error(t->c));
		return OWN_OK;
	}
	return error ? kernel_fail_covol(t, error) : OWN_OK;
}

static enum own_result serve_all(struct serving *serving)
{
	struct kernel_task *t = serving->t;
	enum own_result result = OWN_OK;
	char why[IMAGES_ERROR];
	struct image_list list;
	size_t i;
	int error = images_read(serving->directory, &list, why);

	if (error)
		return kernel_fail(t, error, "%s", why);
	pthread_mutex_lock(&t->vol->images);
	if (!t->vol->answerer)
		error = answerer_start(&t->vol->answerer, &serving->uuid);
	if (error)
		result = kernel_fail(t, error, "nobody can answer for layouts: %s",
				     strerror(-error));
	for (i = 0; result == OWN_OK && i < list.count; i++)
		result = serve_one(serving, &list.entry[i]);
	pthread_mutex_unlock(&t->vol->images);
	free(list.entry);
	return result;
}

enum own_result kernel_images_serve(struct kernel_task *t)
{
	struct serving serving = { .t = t, .uuid = kernel_id(t->vol) };
	char directory[PATH_MAX], why[IMAGES_ERROR];
	enum own_result result;
	unsigned int node;
	dev_t number;
	int error = device_where(t->vol->uuid, directory, &number);

	if (error)
		return kernel_fail(t, error, "the file system is not mounted");
	own_for_each(node, t->task->action.nodes)
		serving.holder[serving.holders++] = node;
	serving.directory = images_open(directory, number, true, why);
	if (serving.directory < 0)
		return kernel_fail(t, serving.directory, "%s", why);
	result = serve_all(&serving);
	close(serving.directory);
	return result;
}

/*
 * Those of an agent before this one are served, and nobody answers for their layouts. What it had
 * not come to is left to a task, which knows who may hold layouts.
 */
void kernel_images_resume(struct kernel_volume *vol, struct covol *c)
{
	struct driver_task task = { .action.task = OWN_TASK_NONE };
	struct driver_answer answer = { 0 };
	struct kernel_task t = { .vol = vol, .task = &task, .answer = &answer, .c = c };

	if (kernel_images_serve(&t) != OWN_OK)
		log_warning("volume %s: images: %s", vol->name, answer.reason);
}

/* ---- serving no longer ---- */

static int begin_release(struct kernel_task *t, const struct covol_uuid *uuid,
			 const struct covol_image *image)
{
	/* Whoever shares it shares a file that nobody serves, which harms nothing. */
	if (image->sharing)
		covol_image_share_end(t->c, uuid, image->id);
	return image->served ? covol_image_release(t->c, uuid, image->id, COVOL_IMAGE_NO_WAIT) : 0;
}

/* From now on nothing that fails for the file system's sake fails for good. */
enum own_result kernel_images_break(struct kernel_task *t)
{
	return each(t, begin_release);
}

/* The same for a task that runs, from outside. */
void kernel_images_break_off(struct kernel *kernel, const uint8_t uuid[16])
{
	struct driver_task task = { .action.task = OWN_TASK_NONE };
	struct driver_answer answer = { 0 };
	struct kernel_task t = {
		.vol = kernel_volume_get(kernel, uuid), .task = &task, .answer = &answer,
	};

	if (covol_open(&t.c))
		return;
	if (kernel_images_break(&t) != OWN_OK)
		log_warning("a task cannot be broken off: %s", answer.reason);
	covol_close(t.c);
}

static int release(struct kernel_task *t, const struct covol_uuid *uuid,
		   const struct covol_image *image)
{
	return covol_image_release(t->c, uuid, image->id, COVOL_IMAGE_KEEP_LAYOUTS);
}

enum own_result kernel_images_release(struct kernel_task *t)
{
	/* First: who holds the lock may be waiting for a node that holds layouts. */
	enum own_result result = each(t, release);

	if (result != OWN_OK)
		return result;
	pthread_mutex_lock(&t->vol->images);
	answerer_stop(t->vol->answerer);
	t->vol->answerer = NULL;
	pthread_mutex_unlock(&t->vol->images);
	return OWN_OK;
}

static int drop(struct kernel_task *t, const struct covol_uuid *uuid,
		const struct covol_image *image)
{
	if (!image->devices && !image->served)
		covol_image_del(t->c, uuid, image->id);
	return 0;
}

void kernel_images_drop(struct kernel_task *t)
{
	each(t, drop);
}

/* ---- layouts ---- */

static int clear(struct kernel_task *t, const struct covol_uuid *uuid,
		 const struct covol_image *image)
{
	return covol_map_clear(t->c, uuid, image->id, 0, image->size);
}

enum own_result kernel_images_clear(struct kernel_task *t)
{
	return each(t, clear);
}

enum own_result kernel_images_forget(struct kernel_task *t)
{
	struct covol_uuid uuid = kernel_id(t->vol);
	unsigned int node;
	int error = 0;

	kernel_close_door(t->vol);
	own_for_each(node, ~(t->task->action.nodes | own_bit(t->task->action.node)))
		if (!error)
			error = covol_session_del(t->c, &uuid, node, true);
	return error ? kernel_fail_covol(t, error) : OWN_OK;
}

static enum own_result all_connected(struct kernel_task *t)
{
	struct covol_uuid uuid = kernel_id(t->vol);
	struct covol_session session;
	unsigned int node;

	own_for_each(node, t->task->action.nodes & ~own_bit(t->task->action.node))
		if (covol_session_get(t->c, &uuid, node, &session) ||
		    session.state != COVOL_SESSION_STATE_LIVE)
			return kernel_fail(t, -EAGAIN,
					   "node %u may hold layouts, and has no session with this node",
					   node);
	return OWN_OK;
}

static int take_back(struct kernel_task *t, const struct covol_uuid *uuid,
		     const struct covol_image *image)
{
	return image->served ? covol_image_release(t->c, uuid, image->id, 0) : 0;
}

enum own_result kernel_images_recall(struct kernel_task *t)
{
	enum own_result result = kernel_images_forget(t);

	if (result == OWN_OK)
		result = all_connected(t);
	return result == OWN_OK ? each(t, take_back) : result;
}

/* ---- the end ---- */

static int close_one(struct kernel_task *t, const struct covol_uuid *uuid,
		     const struct covol_image *image)
{
	char why[ATTACH_ERROR];

	if (attach_remove(t->vol->uuid, image->id, why))
		log_warning("volume %s: image %llu: %s", t->vol->name,
			    (unsigned long long)image->id, why);
	return covol_image_del(t->c, uuid, image->id);
}

enum own_result kernel_images_close(struct kernel_task *t)
{
	enum own_result result = each(t, close_one);

	attach_sweep(t->vol->name);
	return result;
}
