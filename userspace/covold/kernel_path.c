// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether there is a way to the LUN, and what there is to do for a node that has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "find.h"
#include "image_wire.h"
#include "kernel.h"
#include "log.h"

/* The kernel has the volume without its LUN. It cannot be given one: the volume is made anew. */
static bool without_lun(struct kernel_volume *vol, struct covol *c, struct covol_volume *volume)
{
	struct covol_uuid id = kernel_id(vol);

	return !covol_volume_get(c, &id, volume) && !volume->lun_major && !volume->lun_minor;
}

int kernel_path_find(struct kernel_volume *vol, struct lun *lun, char error[LUN_ERROR_LEN])
{
	int result = find_lun(lun, &vol->header, vol->uuid, vol->device, error);

	if (result)
		return result;
	pthread_mutex_lock(&vol->kernel->lock);
	memcpy(vol->wwid, vol->header.wwid, sizeof(vol->wwid));
	pthread_mutex_unlock(&vol->kernel->lock);
	return 0;
}

bool kernel_path_good(struct kernel_volume *vol, struct covol *c)
{
	char error[LUN_ERROR_LEN], device[PATH_MAX] = "";
	struct lun_header header = { 0 };
	struct covol_volume volume;
	struct lun lun;
	bool waits;

	pthread_mutex_lock(&vol->kernel->lock);
	memcpy(header.wwid, vol->wwid, sizeof(header.wwid));
	pthread_mutex_unlock(&vol->kernel->lock);
	if (find_lun(&lun, &header, vol->uuid, device, error))
		return false;
	lun_close(&lun);
	waits = without_lun(vol, c, &volume) && volume.devices;
	if (waits && !vol->waits_detach)
		log_about(LOG_NOTICE, LOG_ID_STATE, header.name,
			  "the LUN is there now (%.64s), and is used when no image is attached here: detach them",
			  device);
	vol->waits_detach = waits;
	return !waits;
}

enum own_result kernel_path_anew(struct kernel_task *t)
{
	struct covol_volume volume;
	int error;

	if (!without_lun(t->vol, t->c, &volume))
		return OWN_OK;
	if (volume.devices)
		return kernel_fail(t, -ENOLINK,
				   "the volume was set up here without its LUN, and images are attached: detach them");
	kernel_images_drop(t);
	error = covol_volume_del(t->c, &volume.uuid);
	return error ? kernel_fail(t, -EIO, "%s", covol_error(t->c)) : OWN_OK;
}

/* From the coordinator, if this node has never seen the header. */
static enum own_result learn_size(struct kernel_task *t, unsigned int coordinator, uint64_t *size)
{
	struct image_request request = { .op = IMAGE_VOLUME };
	struct image_answer answer;

	*size = t->vol->header.data_size;
	if (*size)
		return OWN_OK;
	memcpy(request.uuid, t->vol->uuid, sizeof(request.uuid));
	kernel_ask(t->vol->kernel, coordinator, &request, &answer);
	free(answer.list.entry);
	if (answer.error)
		return kernel_fail(t, -EIO, "the volume's size is not known: %s", answer.text);
	*size = answer.size;
	return OWN_OK;
}

static int open_device(struct kernel_task *t)
{
	struct lun lun;
	char error[LUN_ERROR_LEN];
	int result, fd;

	result = kernel_path_find(t->vol, &lun, error);
	if (result) {
		kernel_fail(t, result, "%s", error);
		return result;
	}
	fd = open(t->vol->device, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		result = -errno;
		kernel_fail(t, result, "%.100s: %s", t->vol->device, strerror(errno));
		fd = result;
	}
	lun_close(&lun);
	return fd;
}

enum own_result kernel_path_tell(struct kernel_task *t, struct covol_volume *volume)
{
	enum own_result result;
	int error;

	volume->lun_fd = open_device(t);
	/* A member without a path gets all by redirection; a coordinator needs one. */
	if (volume->lun_fd < 0 && volume->coordinator == volume->node)
		return OWN_NO_PATH;
	t->answer->reason[0] = 0;
	result = learn_size(t, volume->coordinator, &volume->size);
	if (result == OWN_OK) {
		volume->lun_offset = t->vol->header.data_offset;
		error = covol_volume_new(t->c, volume);
		if (error)
			result = kernel_fail(t, -EIO, "%s", covol_error(t->c));
		else
			kernel_route_set_failing(t->vol, OWN_NOT_EXPELLED);
	}
	if (volume->lun_fd >= 0)
		close(volume->lun_fd);
	return result;
}
