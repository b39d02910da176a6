// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of one node: what is said is heard when the loop comes by again.
 */
#include <errno.h>
#include <unistd.h>

#include "group.h"
#include "memory.h"

struct said {
	struct said *next;
	size_t length;
	uint8_t bytes[];
};

struct standalone {
	struct group group;
	sd_event_source *source;
	unsigned int node;
	bool joined;
	struct said *first;
	struct said **last;
	char name[GROUP_NAME_LEN + 1];
};

static void join(struct standalone *self)
{
	const struct group *group = &self->group;

	self->joined = true;
	group->events->joined(group->data, self->node);
	group->events->ring(group->data, own_bit(self->node), own_bit(self->node));
	group->events->quorum(group->data, true, true, false);
	group->events->members(group->data, own_bit(self->node));
}

static int on_turn(sd_event_source *source, void *data)
{
	struct standalone *self = data;
	struct said *said;

	(void)source;
	if (!self->joined)
		join(self);
	/* What is said meanwhile comes next time: others have their turn, too. */
	said = self->first;
	if (said) {
		self->first = said->next;
		if (!self->first)
			self->last = &self->first;
		self->group.events->message(self->group.data, self->node, said->bytes,
					    said->length);
		free(said);
	}
	return self->first ? sd_event_source_set_enabled(self->source, SD_EVENT_ONESHOT) : 0;
}

static void say(struct group *group, const uint8_t *bytes, size_t length)
{
	struct standalone *self = (struct standalone *)group;
	struct said *said = memory_new(sizeof(*said) + length);

	said->length = length;
	memcpy(said->bytes, bytes, length);
	*self->last = said;
	self->last = &said->next;
	sd_event_source_set_enabled(self->source, SD_EVENT_ONESHOT);
}

static const char *node_name(const struct group *group, unsigned int node)
{
	const struct standalone *self = (const struct standalone *)group;

	return node == self->node ? self->name : NULL;
}

static const char *node_address(const struct group *group, unsigned int node, unsigned int link)
{
	(void)group;
	(void)node;
	(void)link;
	return NULL;
}

static const char *cluster(const struct group *group)
{
	return ((const struct standalone *)group)->name;
}

static void end(struct group *group)
{
	struct standalone *self = (struct standalone *)group;
	struct said *said;

	while ((said = self->first)) {
		self->first = said->next;
		free(said);
	}
	sd_event_source_disable_unref(self->source);
	free(self);
}

static const struct group_ops ops = {
	.send = say,
	.node_name = node_name,
	.node_address = node_address,
	.cluster = cluster,
	.close = end,
};

int group_standalone_open(struct group **group, sd_event *event, unsigned int node,
			  const struct group_events *events, void *data)
{
	struct standalone *self = memory_new(sizeof(*self));
	int error;

	self->group.ops = &ops;
	self->group.events = events;
	self->group.data = data;
	self->node = node;
	self->last = &self->first;
	if (gethostname(self->name, GROUP_NAME_LEN))
		strcpy(self->name, "localhost");
	error = sd_event_add_defer(event, &self->source, on_turn, self);
	if (error < 0) {
		free(self);
		return error;
	}
	*group = &self->group;
	return 0;
}
