// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <systemd/sd-bus.h>

#include "bus.h"
#include "create.h"
#include "log.h"
#include "memory.h"

#define NAME		"org.covol"
#define MANAGER		"/org/covol"
#define VOLUMES		"/org/covol/volume"
#define I_MANAGER	"org.covol.Manager"
#define I_VOLUME	"org.covol.Volume"
#define PATH_LEN	64
#define AGAIN_USEC	1000000
/* What RequestName answers (D-Bus Specification, "Message Bus Messages"). */
#define NAME_OWNER	1

struct bus {
	sd_event *event;
	struct pool *pool;
	struct runner *runner;
	const struct identity *identity;
	const struct group *group;
	unsigned int node;
	sd_bus *bus;
	sd_event_source *again;
	bool named;		/* it has its name: somebody may listen */
	bool complained;	/* since it had it */
	struct bus_images images;
};

/* A method whose answer comes later. */
struct call {
	struct bus *bus;
	sd_bus_message *message;
	struct create create;
	bool adopt;
};

/* ---- names ---- */

static const char *text_of(const uint8_t uuid[16], char text[COVOL_UUID_TEXT_LEN])
{
	struct covol_uuid id;

	memcpy(id.bytes, uuid, sizeof(id.bytes));
	return covol_uuid_format(&id, text);
}

/* A path has no dashes. */
static const char *path_of(const struct own_volume *vol, char path[PATH_LEN])
{
	char text[COVOL_UUID_TEXT_LEN], *dash;

	snprintf(path, PATH_LEN, VOLUMES "/%s", text_of(vol->uuid, text));
	while ((dash = strchr(path, '-')))
		*dash = '_';
	return path;
}

struct own_volume *bus_volume_at(struct runner *runner, const char *path)
{
	struct ownership *own = runner_state(runner);
	char its[PATH_LEN];
	size_t i;

	for (i = 0; i < own->count; i++)
		if (!strcmp(path_of(own->volumes[i], its), path))
			return own->volumes[i];
	return NULL;
}

static const char *node_name(const struct bus *bus, unsigned int node, char text[GROUP_NAME_LEN])
{
	const char *name = bus->group && node ? bus->group->ops->node_name(bus->group, node) : NULL;

	if (name || !node)
		return name ? name : "";
	snprintf(text, GROUP_NAME_LEN, "%u", node);
	return text;
}

/* ---- answers ---- */

static int refuse(sd_bus_message *message, int error, const char *what)
{
	return sd_bus_reply_method_errnof(message, -error, "%s", what);
}

static const char *words_of(int error)
{
	switch (error) {
	case -EAGAIN:
		return "this node's side has no quorum";
	case -EBUSY:
		return "not as the volume is now: see covol status";
	case -ENODEV:
		return "that node cannot have it: it is not here, has no path, or is excluded";
	case -ENOENT:
		return "there is no such volume";
	case -EEXIST:
		return "there is a volume of that name or identity";
	case -ENOSPC:
		return "there are as many volumes as there can be";
	case -ENOTCONN:
		return "the group was lost: it may have been done, or not";
	default:
		return strerror(-error);
	}
}

static void call_free(struct call *call)
{
	sd_bus_message_unref(call->message);
	free(call);
}

static struct call *call_new(struct bus *bus, sd_bus_message *message)
{
	struct call *call = memory_new(sizeof(*call));

	call->bus = bus;
	call->message = sd_bus_message_ref(message);
	return call;
}

static void requested(void *data, int error)
{
	struct call *call = data;
	char text[COVOL_UUID_TEXT_LEN];

	if (error)
		refuse(call->message, error, words_of(error));
	else if (*call->create.header.name)
		sd_bus_reply_method_return(call->message, "s",
					   text_of(call->create.header.uuid.bytes, text));
	else
		sd_bus_reply_method_return(call->message, "");
	call_free(call);
}

static int request(struct bus *bus, sd_bus_message *message, const struct own_event *event)
{
	runner_request(bus->runner, event, requested, call_new(bus, message));
	return 1;
}

/* ---- the manager's methods ---- */

static void make(void *data)
{
	struct call *call = data;

	if (call->adopt)
		create_adopt(&call->create);
	else
		create_volume(&call->create);
}

static void made(void *data)
{
	struct call *call = data;
	const struct lun_header *header = &call->create.header;
	struct own_event event = { .type = OWN_EV_ADD, .epoch = header->epoch };

	if (call->create.result) {
		refuse(call->message, call->create.result, call->create.error);
		call_free(call);
		return;
	}
	memcpy(event.uuid, header->uuid.bytes, sizeof(event.uuid));
	snprintf(event.name, sizeof(event.name), "%s", header->name);
	runner_request(call->bus->runner, &event, requested, call);
}

/* Who makes a volume learns it before anything is written; that two do so at once is no matter. */
static bool name_taken(const struct bus *bus, const char *name)
{
	const struct ownership *own = runner_state(bus->runner);
	size_t i;

	for (i = 0; i < own->count; i++)
		if (!strcmp(own->volumes[i]->name, name))
			return true;
	return false;
}

static int begin_making(struct bus *bus, sd_bus_message *message, const char *device,
			const char *name, int fs, bool force, bool adopt)
{
	struct call *call;

	if (!bus->group)
		return refuse(message, -EAGAIN, "there is no group yet");
	if (*device != '/' || strlen(device) >= sizeof(call->create.device))
		return refuse(message, -EINVAL, "the device is no path");
	if ((*name || !adopt) && !lun_name_valid(name))
		return refuse(message, -EINVAL,
			      "a name has 1 to 31 of A-Z a-z 0-9 . _ -, the first no . or -");
	if (*name && name_taken(bus, name))
		return refuse(message, -EEXIST, "there is a volume of that name");
	call = call_new(bus, message);
	strcpy(call->create.device, device);
	snprintf(call->create.name, sizeof(call->create.name), "%s", name);
	snprintf(call->create.cluster, sizeof(call->create.cluster), "%s",
		 bus->group->ops->cluster(bus->group));
	call->create.fs = fs;
	call->create.force = force;
	call->adopt = adopt;
	pool_submit(bus->pool, make, made, call);
	return 1;
}

static int on_create(sd_bus_message *message, void *data, sd_bus_error *error)
{
	const char *device, *name, *fs_name;
	int result, force, fs;

	(void)error;
	result = sd_bus_message_read(message, "sssb", &device, &name, &fs_name, &force);
	if (result < 0)
		return result;
	fs = lun_fs_parse(fs_name);
	if (fs < 0 || fs == LUN_FS_NONE)
		return refuse(message, -EINVAL, "the file system is xfs or ext4");
	return begin_making(data, message, device, name, fs, force, false);
}

static int on_adopt(sd_bus_message *message, void *data, sd_bus_error *error)
{
	const char *device, *name;
	int result, force;

	(void)error;
	result = sd_bus_message_read(message, "ssb", &device, &name, &force);
	if (result < 0)
		return result;
	return begin_making(data, message, device, name, LUN_FS_NONE, force, true);
}

static int on_fence_always(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct own_event event = { .type = OWN_EV_FENCE_ALWAYS };
	int on, result = sd_bus_message_read(message, "b", &on);

	(void)error;
	if (result < 0)
		return result;
	event.on = on;
	return request(data, message, &event);
}

static int append_reasons(sd_bus_message *reply, unsigned int reasons)
{
	unsigned int bit;
	int result = sd_bus_message_open_container(reply, 'a', "s");

	for (bit = 0; result >= 0 && reasons >> bit; bit++)
		if (reasons & 1U << bit)
			result = sd_bus_message_append(reply, "s", own_reason_name(bit));
	return result < 0 ? result : sd_bus_message_close_container(reply);
}

/* A row of covol status: a volume on a node. */
static int append_row(struct bus *bus, sd_bus_message *reply, const struct own_volume *vol,
		      unsigned int node)
{
	struct own_status status = runner_status(bus->runner, vol, node);
	char name[GROUP_NAME_LEN], coordinator[GROUP_NAME_LEN], text[COVOL_UUID_TEXT_LEN];
	int result = sd_bus_message_open_container(reply, 'r', "sssussasst");

	if (result >= 0)
		result = sd_bus_message_append(reply, "sssuss", vol->name,
					       text_of(vol->uuid, text), own_phase_name(vol->phase),
					       node, node_name(bus, node, name),
					       own_state_name(status.state));
	if (result >= 0)
		result = append_reasons(reply, status.reasons);
	if (result >= 0)
		result = sd_bus_message_append(reply, "st",
					       node_name(bus, vol->coordinator, coordinator),
					       runner_since(bus->runner, vol->uuid, node));
	return result < 0 ? result : sd_bus_message_close_container(reply);
}

static int on_status(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus *bus = data;
	struct ownership *own = runner_state(bus->runner);
	sd_bus_message *reply = NULL;
	unsigned int node;
	own_nodes nodes;
	size_t i;
	int result;

	(void)error;
	result = sd_bus_message_new_method_return(message, &reply);
	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'a', "(sssussasst)");
	for (i = 0; result >= 0 && i < own->count; i++) {
		nodes = own->present | own->absent | own_bit(bus->node);
		own_for_each(node, ~0ULL)
			if (own_member(own->volumes[i], node)->access != OWN_ACCESS_NONE)
				nodes |= own_bit(node);
		own_for_each(node, nodes)
			if (result >= 0)
				result = append_row(bus, reply, own->volumes[i], node);
	}
	if (result >= 0)
		result = sd_bus_message_close_container(reply);
	if (result >= 0)
		result = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return result;
}

/* What this side of the cluster knows: a node that is lost may be well, and elsewhere. */
static const char *node_state(const struct ownership *own, unsigned int node)
{
	if (own->present & own_bit(node))
		return "online";
	return own->absent & own_bit(node) ? "agent-lost" : "node-lost";
}

/* Those that the cluster's list has, and whoever is here. */
static int append_nodes(const struct bus *bus, sd_bus_message *reply)
{
	const struct ownership *own = runner_state(bus->runner);
	own_nodes here = own->present | own->absent | own_bit(bus->node);
	int result = sd_bus_message_open_container(reply, 'a', "(uss)");
	char text[GROUP_NAME_LEN];
	unsigned int node;

	for (node = 1; bus->group && node <= OWN_NODES; node++)
		if (result >= 0 &&
		    (here & own_bit(node) || bus->group->ops->node_name(bus->group, node)))
			result = sd_bus_message_append(reply, "(uss)", node,
						       node_name(bus, node, text),
						       node_state(own, node));
	return result < 0 ? result : sd_bus_message_close_container(reply);
}

static int get_manager(sd_bus *sd, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *data, sd_bus_error *error)
{
	struct bus *bus = data;
	const struct ownership *own = runner_state(bus->runner);
	char name[GROUP_NAME_LEN];

	(void)sd;
	(void)path;
	(void)interface;
	(void)error;
	if (!strcmp(property, "Quorate"))
		return sd_bus_message_append(reply, "b", own->quorate);
	if (!strcmp(property, "FenceAlways"))
		return sd_bus_message_append(reply, "b", own->fence_always);
	if (!strcmp(property, "Node"))
		return sd_bus_message_append(reply, "u", bus->node);
	if (!strcmp(property, "Trouble"))
		return sd_bus_message_append(reply, "s",
					     bus->identity ? identity_trouble(bus->identity) : "");
	if (!strcmp(property, "Nodes"))
		return append_nodes(bus, reply);
	if (!strcmp(property, "NodeName"))
		return sd_bus_message_append(reply, "s", node_name(bus, bus->node, name));
	return sd_bus_message_append(reply, "s",
				     bus->group ? bus->group->ops->cluster(bus->group) : "");
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Node", "u", get_manager, 0, 0),
	SD_BUS_PROPERTY("NodeName", "s", get_manager, 0, 0),
	SD_BUS_PROPERTY("Cluster", "s", get_manager, 0, 0),
	SD_BUS_PROPERTY("Quorate", "b", get_manager, 0, SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("Trouble", "s", get_manager, 0, 0),
	SD_BUS_PROPERTY("Nodes", "a(uss)", get_manager, 0, 0),
	SD_BUS_PROPERTY("FenceAlways", "b", get_manager, 0, 0),
	SD_BUS_METHOD_WITH_ARGS("CreateVolume",
				SD_BUS_ARGS("s", device, "s", name, "s", filesystem, "b", force),
				SD_BUS_RESULT("s", uuid), on_create, 0),
	SD_BUS_METHOD_WITH_ARGS("Adopt", SD_BUS_ARGS("s", device, "s", name, "b", force),
				SD_BUS_RESULT("s", uuid), on_adopt, 0),
	SD_BUS_METHOD_WITH_ARGS("SetFenceAlways", SD_BUS_ARGS("b", on), SD_BUS_NO_RESULT,
				on_fence_always, 0),
	SD_BUS_METHOD_WITH_ARGS("GetStatus", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sssussasst)", rows),
				on_status, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("Changed", "", 0),
	SD_BUS_VTABLE_END
};

/* ---- volumes ---- */

static int find_volume(sd_bus *sd, const char *path, const char *interface, void *data,
		       void **found, sd_bus_error *error)
{
	(void)sd;
	(void)interface;
	(void)error;
	if (!bus_volume_at(((struct bus *)data)->runner, path))
		return 0;
	*found = data;
	return 1;
}

static int list_volumes(sd_bus *sd, const char *prefix, void *data, char ***nodes,
			sd_bus_error *error)
{
	struct bus *bus = data;
	const struct ownership *own = runner_state(bus->runner);
	char path[PATH_LEN], **list;
	size_t i;

	(void)sd;
	(void)prefix;
	(void)error;
	list = memory_new((own->count + 1) * sizeof(*list));
	for (i = 0; i < own->count; i++)
		list[i] = memory_text(path_of(own->volumes[i], path));
	*nodes = list;
	return 1;
}

/* The event that a method announces; each takes what it needs from the message. */
static int simple(sd_bus_message *message, struct bus *bus, enum own_event_type type,
		  const char *flag)
{
	struct own_volume *vol = bus_volume_at(bus->runner, sd_bus_message_get_path(message));
	struct own_event event = { .type = type };
	int on = 0, result = flag ? sd_bus_message_read(message, flag, &on) : 0;

	if (result < 0)
		return result;
	if (!vol)
		return refuse(message, -ENOENT, words_of(-ENOENT));
	event.volume = vol->id;
	event.on = on;
	return request(bus, message, &event);
}

static int on_start(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)error;
	return simple(message, data, OWN_EV_START, NULL);
}

static int on_stop(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)error;
	return simple(message, data, OWN_EV_STOP, NULL);
}

static int on_forget(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)error;
	return simple(message, data, OWN_EV_FORGET, NULL);
}

static int on_redirect(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)error;
	return simple(message, data, OWN_EV_REDIRECT, "b");
}

static int on_maintenance(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)error;
	return simple(message, data, OWN_EV_MAINTENANCE, "b");
}

/* By number or by name; 0: there is none. */
static unsigned int node_of(const struct bus *bus, const char *word)
{
	char text[GROUP_NAME_LEN];
	unsigned int node;
	char *end;

	for (node = 1; node <= OWN_NODES; node++)
		if (!strcmp(node_name(bus, node, text), word))
			return node;
	node = strtoul(word, &end, 10);
	return *word && !*end && node <= OWN_NODES ? node : 0;
}

static int on_move(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus *bus = data;
	struct own_volume *vol = bus_volume_at(bus->runner, sd_bus_message_get_path(message));
	struct own_event event = { .type = OWN_EV_MOVE };
	const char *word;
	int result = sd_bus_message_read(message, "s", &word);

	(void)error;
	if (result < 0)
		return result;
	event.node = node_of(bus, word);
	if (!vol || !event.node)
		return refuse(message, -ENOENT,
			      vol ? "there is no such node" : words_of(-ENOENT));
	event.volume = vol->id;
	return request(bus, message, &event);
}

static int read_nodes(struct bus *bus, sd_bus_message *message, own_nodes *nodes)
{
	const char *word;
	unsigned int node;
	int result = sd_bus_message_enter_container(message, 'a', "s");

	*nodes = 0;
	while (result >= 0 && (result = sd_bus_message_read(message, "s", &word)) > 0) {
		node = node_of(bus, word);
		if (!node)
			return -ENOENT;
		*nodes |= own_bit(node);
	}
	return result < 0 ? result : sd_bus_message_exit_container(message);
}

static int on_prefer(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus *bus = data;
	struct own_volume *vol = bus_volume_at(bus->runner, sd_bus_message_get_path(message));
	struct own_event event = { .type = OWN_EV_PREFER };
	int result = read_nodes(bus, message, &event.nodes);

	(void)error;
	if (result >= 0)
		result = read_nodes(bus, message, &event.excluded);
	if (result == -ENOENT)
		return refuse(message, result, "there is no such node");
	if (result < 0)
		return result;
	if (!vol)
		return refuse(message, -ENOENT, words_of(-ENOENT));
	event.volume = vol->id;
	return request(bus, message, &event);
}

static int get_volume(sd_bus *sd, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *data, sd_bus_error *error)
{
	struct bus *bus = data;
	struct own_volume *vol = bus_volume_at(bus->runner, path);
	char name[GROUP_NAME_LEN], text[COVOL_UUID_TEXT_LEN];
	struct own_status status;

	(void)sd;
	(void)interface;
	(void)error;
	if (!vol)
		return -ENOENT;
	if (!strcmp(property, "Name"))
		return sd_bus_message_append(reply, "s", vol->name);
	if (!strcmp(property, "Uuid"))
		return sd_bus_message_append(reply, "s", text_of(vol->uuid, text));
	if (!strcmp(property, "Phase"))
		return sd_bus_message_append(reply, "s", own_phase_name(vol->phase));
	if (!strcmp(property, "Coordinator"))
		return sd_bus_message_append(reply, "s", node_name(bus, vol->coordinator, name));
	if (!strcmp(property, "Epoch"))
		return sd_bus_message_append(reply, "t", vol->epoch);
	if (!bus->node)
		return -EAGAIN;
	if (!strcmp(property, "Since"))
		return sd_bus_message_append(reply, "t",
					     runner_since(bus->runner, vol->uuid, bus->node));
	status = runner_status(bus->runner, vol, bus->node);
	if (!strcmp(property, "State"))
		return sd_bus_message_append(reply, "s", own_state_name(status.state));
	return append_reasons(reply, status.reasons);
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable volume[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_volume, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Uuid", "s", get_volume, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Phase", "s", get_volume, 0, CHANGES),
	SD_BUS_PROPERTY("Coordinator", "s", get_volume, 0, CHANGES),
	SD_BUS_PROPERTY("Epoch", "t", get_volume, 0, CHANGES),
	SD_BUS_PROPERTY("State", "s", get_volume, 0, CHANGES),
	SD_BUS_PROPERTY("Reasons", "as", get_volume, 0, CHANGES),
	SD_BUS_PROPERTY("Since", "t", get_volume, 0, CHANGES),
	SD_BUS_METHOD("Start", "", "", on_start, 0),
	SD_BUS_METHOD("Stop", "", "", on_stop, 0),
	SD_BUS_METHOD("Forget", "", "", on_forget, 0),
	SD_BUS_METHOD_WITH_ARGS("Move", SD_BUS_ARGS("s", node), SD_BUS_NO_RESULT, on_move, 0),
	SD_BUS_METHOD_WITH_ARGS("Redirect", SD_BUS_ARGS("b", on), SD_BUS_NO_RESULT, on_redirect,
				0),
	SD_BUS_METHOD_WITH_ARGS("Maintenance", SD_BUS_ARGS("b", on), SD_BUS_NO_RESULT,
				on_maintenance, 0),
	SD_BUS_METHOD_WITH_ARGS("Prefer", SD_BUS_ARGS("as", first, "as", never), SD_BUS_NO_RESULT,
				on_prefer, 0),
	SD_BUS_VTABLE_END
};

/* ---- the connection ---- */

static int on_again(sd_event_source *source, uint64_t usec, void *data);

static void try_again(struct bus *bus, uint64_t usec)
{
	if (!bus->again)
		sd_event_add_time_relative(bus->event, &bus->again, CLOCK_MONOTONIC, usec, 0,
					   on_again, bus);
}

/* What has not gone yet goes nowhere: a bus that does not read would be waited for. */
static void leave(struct bus *bus)
{
	bus->bus = sd_bus_close_unref(bus->bus);
	bus->named = false;
}

static void failed(struct bus *bus, const char *why)
{
	/* Each second the same: once is enough. */
	if (!bus->complained)
		log_warning("system bus: %s; trying again each second", why);
	bus->complained = true;
	leave(bus);
	try_again(bus, AGAIN_USEC);
}

static int on_gone(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)message;
	(void)error;
	failed(data, "it is gone");
	return 0;
}

static int on_name(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus *bus = data;
	uint32_t answer = 0;
	int result = -sd_bus_message_get_errno(message);

	(void)error;
	if (!result)
		result = sd_bus_message_read(message, "u", &answer);
	if (result >= 0 && answer == NAME_OWNER) {
		bus->named = true;
		bus->complained = false;
	} else {
		failed(bus, result < 0 ? strerror(-result) :
					 "another process has the name " NAME);
	}
	return 0;
}

static void connect_bus(struct bus *bus)
{
	int result = sd_bus_open_system(&bus->bus);

	if (result >= 0)
		result = sd_bus_add_object_vtable(bus->bus, NULL, MANAGER, I_MANAGER, manager, bus);
	if (result >= 0)
		result = sd_bus_add_fallback_vtable(bus->bus, NULL, VOLUMES, I_VOLUME, volume,
						    find_volume, bus);
	if (result >= 0)
		result = bus_images_add(bus->bus, VOLUMES, &bus->images);
	if (result >= 0)
		result = sd_bus_add_node_enumerator(bus->bus, NULL, VOLUMES, list_volumes, bus);
	if (result >= 0)
		result = sd_bus_match_signal(bus->bus, NULL, "org.freedesktop.DBus.Local", NULL,
					     "org.freedesktop.DBus.Local", "Disconnected", on_gone,
					     bus);
	if (result >= 0)
		result = sd_bus_attach_event(bus->bus, bus->event, 0);
	/* It may never answer. */
	if (result >= 0)
		result = sd_bus_request_name_async(bus->bus, NULL, NAME, 0, on_name, bus);
	if (result < 0)
		failed(bus, strerror(-result));
}

static int on_again(sd_event_source *source, uint64_t usec, void *data)
{
	struct bus *bus = data;

	(void)source;
	(void)usec;
	bus->again = sd_event_source_disable_unref(bus->again);
	connect_bus(bus);
	return 0;
}

int bus_open(struct bus **result, sd_event *event, struct pool *pool, struct runner *runner,
	     const struct identity *identity, const struct image_driver *images)
{
	struct bus *bus = memory_new(sizeof(*bus));

	bus->event = event;
	bus->pool = pool;
	bus->runner = runner;
	bus->identity = identity;
	bus->images = (struct bus_images){ .pool = pool, .runner = runner, .driver = *images };
	connect_bus(bus);
	*result = bus;
	return 0;
}

void bus_group(struct bus *bus, const struct group *group, unsigned int node)
{
	bus->group = group;
	bus->node = node;
}

void bus_changed(struct bus *bus)
{
	const struct ownership *own = runner_state(bus->runner);
	char path[PATH_LEN];
	size_t i;

	if (!bus->named)
		return;
	for (i = 0; i < own->count; i++)
		sd_bus_emit_properties_changed(bus->bus, path_of(own->volumes[i], path), I_VOLUME,
					       "Phase", "Coordinator", "Epoch", "State", "Reasons",
					       "Since", NULL);
	sd_bus_emit_signal(bus->bus, MANAGER, I_MANAGER, "Changed", "");
}

void bus_close(struct bus *bus)
{
	sd_event_source_disable_unref(bus->again);
	leave(bus);
	free(bus);
}
