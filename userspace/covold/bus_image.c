// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lun/header.h"
#include "bus.h"
#include "bus_image.h"
#include "memory.h"

#define INTERFACE	"org.covol.Images"

/* A method whose answer comes later. */
struct call {
	struct bus_images *images;
	sd_bus_message *message;
	struct image_job job;
	void (*work)(struct image_job *job);
	int (*reply)(struct call *call);
};

static int refuse(sd_bus_message *message, int error, const char *what)
{
	return sd_bus_reply_method_errnof(message, -error, "%s", what);
}

static void work(void *data)
{
	struct call *call = data;

	call->work(&call->job);
}

static void worked(void *data)
{
	struct call *call = data;
	const struct image_answer *answer = &call->job.answer;

	if (answer->error)
		refuse(call->message, answer->error, answer->text);
	else if (call->reply(call) < 0)
		refuse(call->message, -EIO, "the answer cannot be sent");
	free(answer->list.entry);
	sd_bus_message_unref(call->message);
	free(call);
}

static int begin(struct bus_images *images, sd_bus_message *message,
		 const struct image_request *request, void (*todo)(struct image_job *job),
		 int (*reply)(struct call *call))
{
	const struct ownership *own = runner_state(images->runner);
	const struct own_volume *vol = bus_volume_at(images->runner,
						     sd_bus_message_get_path(message));
	struct call *call;

	if (!vol)
		return refuse(message, -ENOENT, "there is no such volume");
	call = memory_new(sizeof(*call));
	call->images = images;
	call->message = sd_bus_message_ref(message);
	call->work = todo;
	call->reply = reply;
	call->job.kernel = images->driver.kernel;
	call->job.request = *request;
	/* Who may use it, but for the coordinator, which knows that itself. */
	call->job.request.nodes = ownership_holders(own, vol) & ~own_bit(vol->coordinator);
	call->job.coordinator = vol->coordinator;
	memcpy(call->job.request.uuid, vol->uuid, sizeof(call->job.request.uuid));
	snprintf(call->job.volume, sizeof(call->job.volume), "%s", vol->name);
	pool_submit(images->pool, work, worked, call);
	return 1;
}

/* ---- answers ---- */

static int reply_nothing(struct call *call)
{
	return sd_bus_reply_method_return(call->message, "");
}

static int reply_path(struct call *call)
{
	return sd_bus_reply_method_return(call->message, "s", call->job.path);
}

static int reply_list(struct call *call)
{
	const struct image_list *list = &call->job.answer.list;
	sd_bus_message *reply = NULL;
	int result = sd_bus_message_new_method_return(call->message, &reply);
	size_t i;

	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'a', "(sttt)");
	for (i = 0; result >= 0 && i < list->count; i++)
		result = sd_bus_message_append(reply, "(sttt)", list->entry[i].name,
					       list->entry[i].id, list->entry[i].size,
					       list->entry[i].used);
	if (result >= 0)
		result = sd_bus_message_close_container(reply);
	if (result >= 0)
		result = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return result;
}

/* ---- methods ---- */

static int read_name(sd_bus_message *message, struct image_request *request)
{
	const char *name;
	int result = sd_bus_message_read(message, "s", &name);

	if (result < 0)
		return result;
	if (!lun_name_valid(name))
		return -EINVAL;
	snprintf(request->name, sizeof(request->name), "%s", name);
	return 0;
}

#define BAD_NAME	"a name has 1 to 31 of A-Z a-z 0-9 . _ -, the first no . or -"

/* A method that takes a name. */
static int named(sd_bus_message *message, struct bus_images *images, enum image_op op,
		 void (*todo)(struct image_job *job), int (*reply)(struct call *call))
{
	struct image_request request = { .op = op };
	int result = read_name(message, &request);

	if (result == -EINVAL)
		return refuse(message, result, BAD_NAME);
	return result < 0 ? result : begin(images, message, &request, todo, reply);
}

static int on_create(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct image_request request = { .op = IMAGE_CREATE };
	struct bus_images *images = data;
	int result = read_name(message, &request);

	(void)error;
	if (result == -EINVAL)
		return refuse(message, result, BAD_NAME);
	if (result >= 0)
		result = sd_bus_message_read(message, "t", &request.size);
	if (result < 0)
		return result;
	if (!request.size || request.size % 512 || request.size > INT64_MAX)
		return refuse(message, -EINVAL, "the size is a number of sectors of 512 bytes");
	return begin(images, message, &request, images->driver.ask, reply_nothing);
}

static int on_remove(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus_images *images = data;

	(void)error;
	return named(message, images, IMAGE_REMOVE, images->driver.ask, reply_nothing);
}

static int on_list(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct image_request request = { .op = IMAGE_LIST };
	struct bus_images *images = data;

	(void)error;
	return begin(images, message, &request, images->driver.ask, reply_list);
}

static int on_attach(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus_images *images = data;

	(void)error;
	return named(message, images, IMAGE_FIND, images->driver.attach, reply_path);
}

static int on_detach(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus_images *images = data;

	(void)error;
	return named(message, images, IMAGE_FIND, images->driver.detach, reply_nothing);
}

static const sd_bus_vtable methods[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Create", SD_BUS_ARGS("s", name, "t", size), SD_BUS_NO_RESULT,
				on_create, 0),
	SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, on_remove, 0),
	SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sttt)", images), on_list,
				0),
	SD_BUS_METHOD_WITH_ARGS("Attach", SD_BUS_ARGS("s", name), SD_BUS_RESULT("s", path),
				on_attach, 0),
	SD_BUS_METHOD_WITH_ARGS("Detach", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, on_detach, 0),
	SD_BUS_VTABLE_END
};

static int find_images(sd_bus *bus, const char *path, const char *interface, void *data,
		       void **found, sd_bus_error *error)
{
	struct bus_images *images = data;

	(void)bus;
	(void)interface;
	(void)error;
	if (!bus_volume_at(images->runner, path))
		return 0;
	*found = images;
	return 1;
}

int bus_images_add(sd_bus *bus, const char *prefix, struct bus_images *images)
{
	int result = sd_bus_add_fallback_vtable(bus, NULL, prefix, INTERFACE, methods, find_images,
						images);

	return result < 0 ? result : 0;
}
