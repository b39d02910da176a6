// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answerer.h"
#include "device.h"
#include "image.h"
#include "log.h"

/* A request that is being executed. */
struct work {
	struct kernel *kernel;
	struct kernel_volume *vol;
	const struct image_request *request;
	struct image_answer *answer;
	struct covol *c;
	struct covol_uuid uuid;
	int directory;
};

__attribute__((format(printf, 3, 4)))
static int wrong(struct image_answer *answer, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer->text, sizeof(answer->text), format, args);
	va_end(args);
	answer->error = error;
	return error;
}

static int kernel_wrong(struct work *work, int error)
{
	return error ? wrong(work->answer, error, "%s", covol_error(work->c)) : 0;
}

static int bring(struct work *work, const struct image_entry *entry)
{
	struct image_list *list = &work->answer->list;

	list->entry = malloc(sizeof(*list->entry));
	if (!list->entry)
		return wrong(work->answer, -ENOMEM, "out of memory");
	list->entry[0] = *entry;
	list->count = 1;
	return 0;
}

/* ---- the coordinator ---- */

static int open_directory(struct work *work)
{
	char mounted[PATH_MAX], why[IMAGES_ERROR];
	dev_t number;
	bool serves;

	pthread_mutex_lock(&work->kernel->lock);
	serves = work->vol->serving;
	pthread_mutex_unlock(&work->kernel->lock);
	if (!serves || device_where(work->vol->uuid, mounted, &number))
		return wrong(work->answer, -EAGAIN, "the volume is not served by this node now");
	work->directory = images_open(mounted, number, true, why);
	if (work->directory < 0)
		return wrong(work->answer, work->directory, "%s", why);
	return 0;
}

static int find(struct work *work, struct image_entry *entry)
{
	char why[IMAGES_ERROR];
	int error = images_find(work->directory, work->request->name, entry, why);

	return error ? wrong(work->answer, error, "%s", why) : 0;
}

/* The kernel serves it, and somebody answers for it. Nobody holds layouts of one that is new. */
static int make_known(struct work *work, const struct image_entry *entry)
{
	struct covol_image image = {
		.uuid = work->uuid, .id = entry->id, .size = entry->size,
	}, now;
	int error = covol_image_get(work->c, &work->uuid, entry->id, &now);
	char why[IMAGES_ERROR];

	if (error != -ENOENT)
		return kernel_wrong(work, error);
	if (!work->vol->answerer)
		return wrong(work->answer, -EAGAIN, "the volume is not served by this node now");
	image.fd = images_open_file(work->directory, entry, why);
	if (image.fd < 0)
		return wrong(work->answer, image.fd, "%s", why);
	error = answerer_add(work->vol->answerer, entry->id, entry->name, image.fd);
	if (error)
		wrong(work->answer, error, "%s", strerror(-error));
	else
		error = kernel_wrong(work, covol_image_new(work->c, &image));
	close(image.fd);
	return error;
}

static int do_list(struct work *work)
{
	char why[IMAGES_ERROR];
	int error = images_read(work->directory, &work->answer->list, why);

	return error ? wrong(work->answer, error, "%s", why) : 0;
}

static int do_find(struct work *work)
{
	struct image_entry entry;
	int error = find(work, &entry);

	if (!error)
		error = make_known(work, &entry);
	return error ? error : bring(work, &entry);
}

static int do_volume(struct work *work)
{
	struct covol_volume volume;
	int error = covol_volume_get(work->c, &work->uuid, &volume);

	if (!error)
		work->answer->size = volume.size;
	return kernel_wrong(work, error);
}

static int do_create(struct work *work)
{
	const struct image_request *request = work->request;
	char why[IMAGES_ERROR], unused[IMAGES_ERROR];
	struct image_entry entry;
	int error = images_create(work->directory, request->name, request->size, &entry, why);

	if (error)
		return wrong(work->answer, error, "%s", why);
	error = make_known(work, &entry);
	if (!error)
		return bring(work, &entry);
	answerer_remove(work->vol->answerer, entry.id);
	images_remove(work->directory, &entry, unused);
	return error;
}

/* No other node has it attached, nor will: they ask this node before, and wait for the lock. */
static int drop_everywhere(struct work *work, const struct image_entry *entry)
{
	struct image_job job = {
		.kernel = work->kernel,
		.request = { .op = IMAGE_DROP, .id = entry->id },
	};
	unsigned int node;

	memcpy(job.request.uuid, work->request->uuid, sizeof(job.request.uuid));
	own_for_each(node, work->request->nodes & ~own_bit(work->kernel->node)) {
		job.coordinator = node;
		image_job_ask(&job);
		free(job.answer.list.entry);
		if (job.answer.error)
			return wrong(work->answer, job.answer.error, "node %u: %.150s", node,
				     job.answer.text);
	}
	return 0;
}

static int stop_serving(struct work *work, const struct image_entry *entry)
{
	struct covol_image now;
	int error = covol_image_get(work->c, &work->uuid, entry->id, &now);

	if (error == -ENOENT)
		return 0;
	if (error)
		return kernel_wrong(work, error);
	if (now.devices)
		return wrong(work->answer, -EBUSY, "image %s is attached on the coordinator",
			     entry->name);
	error = covol_image_release(work->c, &work->uuid, entry->id, 0);
	if (!error)
		error = covol_image_del(work->c, &work->uuid, entry->id);
	return kernel_wrong(work, error);
}

static int do_remove(struct work *work)
{
	struct image_entry entry;
	char why[IMAGES_ERROR];
	int error = find(work, &entry);

	if (!error)
		error = drop_everywhere(work, &entry);
	if (!error)
		error = stop_serving(work, &entry);
	if (error)
		return error;
	if (work->vol->answerer)
		answerer_remove(work->vol->answerer, entry.id);
	error = images_remove(work->directory, &entry, why);
	return error ? wrong(work->answer, error, "%s", why) : 0;
}

/* ---- any node ---- */

static int do_drop(struct work *work)
{
	struct covol_image now;
	int error = covol_image_get(work->c, &work->uuid, work->request->id, &now);

	if (error)
		return error == -ENOENT ? 0 : kernel_wrong(work, error);
	if (now.devices || attach_exists(work->vol->uuid, now.id))
		return wrong(work->answer, -EBUSY, "it is attached there");
	error = covol_image_del(work->c, &work->uuid, now.id);
	return error == -ENOENT ? 0 : kernel_wrong(work, error);
}

static int (*const operations[IMAGE_OPS])(struct work *work) = {
	[IMAGE_LIST] = do_list,	    [IMAGE_FIND] = do_find, [IMAGE_CREATE] = do_create,
	[IMAGE_REMOVE] = do_remove, [IMAGE_VOLUME] = do_volume, [IMAGE_DROP] = do_drop,
};

void image_execute(struct kernel *kernel, const struct image_request *request,
		   struct image_answer *answer)
{
	struct work work = {
		.kernel = kernel,
		.vol = kernel_volume_get(kernel, request->uuid),
		.request = request,
		.answer = answer,
		.directory = -1,
	};
	int error = covol_open(&work.c);

	memset(answer, 0, sizeof(*answer));
	if (error) {
		wrong(answer, error, "%s", strerror(-error));
		return;
	}
	memcpy(work.uuid.bytes, request->uuid, sizeof(work.uuid.bytes));
	pthread_mutex_lock(&work.vol->images);
	if (request->op != IMAGE_DROP)
		error = open_directory(&work);
	if (!error)
		operations[request->op](&work);
	if (work.directory >= 0)
		close(work.directory);
	pthread_mutex_unlock(&work.vol->images);
	covol_close(work.c);
}

/* ---- attaching ---- */

/* Whom the coordinator knows under that name. */
static int ask_for(struct image_job *job, struct image_entry *entry)
{
	job->request.op = IMAGE_FIND;
	image_job_ask(job);
	if (!job->answer.error && job->answer.list.count == 1)
		*entry = job->answer.list.entry[0];
	else if (!job->answer.error)
		wrong(&job->answer, -EBADMSG, "the coordinator's answer makes no sense");
	free(job->answer.list.entry);
	memset(&job->answer.list, 0, sizeof(job->answer.list));
	return job->answer.error;
}

/* The coordinator's kernel has it; another's may. */
static int know(struct work *work, const struct image_entry *entry)
{
	struct covol_image image = {
		.uuid = work->uuid, .id = entry->id, .size = entry->size, .fd = -1,
	}, now;
	int error = covol_image_get(work->c, &work->uuid, entry->id, &now);

	if (error == -ENOENT)
		error = covol_image_new(work->c, &image);
	else if (!error && now.size != entry->size && !now.served)
		error = covol_image_resize(work->c, &work->uuid, entry->id, entry->size);
	return kernel_wrong(work, error == -EEXIST ? 0 : error);
}

static int make_device(struct image_job *job, struct work *work, const struct image_entry *entry)
{
	struct covol_volume volume;
	char why[ATTACH_ERROR];
	int error = kernel_wrong(work, covol_volume_get(work->c, &work->uuid, &volume));

	if (error)
		return error;
	error = attach_make(&volume, entry->id, entry->size, why);
	if (!error)
		error = attach_link(job->volume, entry->name, work->vol->uuid, entry->id, why);
	if (error)
		return wrong(work->answer, error, "%s", why);
	attach_path(job->volume, entry->name, job->path);
	return 0;
}

/*
 * Asked twice: once it is known here, whoever removes it finds it, and what is removed meanwhile
 * the coordinator does not know any more (do_remove()).
 */
static int attach(struct image_job *job, struct work *work)
{
	struct image_entry entry, again;
	int error = ask_for(job, &entry);

	if (!error)
		error = know(work, &entry);
	if (!error)
		error = ask_for(job, &again);
	if (error)
		return error;
	if (again.id != entry.id)
		return wrong(&job->answer, -EAGAIN, "it was made anew meanwhile; try again");
	pthread_mutex_lock(&work->vol->images);
	error = make_device(job, work, &entry);
	pthread_mutex_unlock(&work->vol->images);
	return error;
}

static void with_kernel(struct image_job *job,
			int (*work)(struct image_job *job, struct work *work))
{
	struct work it = {
		.kernel = job->kernel,
		.vol = kernel_volume_get(job->kernel, job->request.uuid),
		.request = &job->request,
		.answer = &job->answer,
	};
	int error = covol_open(&it.c);

	if (error) {
		wrong(&job->answer, error, "%s", strerror(-error));
		return;
	}
	memcpy(it.uuid.bytes, job->request.uuid, sizeof(it.uuid.bytes));
	work(job, &it);
	covol_close(it.c);
}

void image_job_attach(struct image_job *job)
{
	with_kernel(job, attach);
}

static int detach(struct image_job *job, struct work *work)
{
	const char *name = job->request.name;
	struct covol_image now;
	char why[ATTACH_ERROR];
	uint64_t id;
	int error;

	pthread_mutex_lock(&work->vol->images);
	error = attach_look(job->volume, name, work->vol->uuid, &id, why);
	if (!error)
		error = attach_remove(work->vol->uuid, id, why);
	if (error)
		wrong(&job->answer, error, "%s", why);
	else
		attach_unlink(job->volume, name);
	/* Where it is served it stays known. */
	if (!error && !covol_image_get(work->c, &work->uuid, id, &now) && !now.served &&
	    !now.devices)
		covol_image_del(work->c, &work->uuid, id);
	pthread_mutex_unlock(&work->vol->images);
	return error;
}

void image_job_detach(struct image_job *job)
{
	with_kernel(job, detach);
}

/* ---- whom to ask ---- */

void image_job_ask(struct image_job *job)
{
	if (job->coordinator == job->kernel->node)
		image_execute(job->kernel, &job->request, &job->answer);
	else
		kernel_ask(job->kernel, job->coordinator, &job->request, &job->answer);
}
