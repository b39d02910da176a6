// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events: subscribed to, fetched, decoded.
 */
#include <errno.h>
#include <string.h>

#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "event.h"
#include "request.h"

int covol_event_subscribe(struct covol *c)
{
	return c->transport->subscribe(c);
}

int covol_event_fd(const struct covol *c)
{
	return c->transport->event_fd(c);
}

static uint32_t present(struct nlattr *const *attributes)
{
	uint32_t bits = 0;
	int i;

	for (i = 1; i <= COVOL_A_EVENT_MAX; i++)
		if (attributes[i])
			bits |= 1U << i;
	return bits;
}

int covol_event_decode(const struct nlmsghdr *message, struct covol_event *event)
{
	struct nlattr *attributes[COVOL_A_EVENT_MAX + 1];

	if (nlmsg_datalen(message) < (int)GENL_HDRLEN ||
	    covol_attributes_parse(&covol_event_set_of_attributes, message, attributes) ||
	    !attributes[COVOL_A_EVENT_UUID])
		return -EBADMSG;

	*event = (struct covol_event) {
		.type		= ((struct genlmsghdr *)nlmsg_data(message))->cmd,
		.present	= present(attributes),
		.object		= covol_get_u64(attributes, COVOL_A_EVENT_OBJECT),
		.peer		= covol_get_u32(attributes, COVOL_A_EVENT_PEER),
		.seq		= covol_get_u64(attributes, COVOL_A_EVENT_SEQ),
		.offset		= covol_get_u64(attributes, COVOL_A_EVENT_OFFSET),
		.length		= covol_get_u64(attributes, COVOL_A_EVENT_LENGTH),
		.error		= (int32_t)covol_get_u32(attributes, COVOL_A_EVENT_ERROR),
		.route		= covol_get_u32(attributes, COVOL_A_EVENT_ROUTE),
		.reasons	= covol_get_u32(attributes, COVOL_A_EVENT_REASONS),
	};
	covol_get_uuid(attributes, COVOL_A_EVENT_UUID, &event->uuid);
	return 0;
}

/* A message that cannot be an event of ours is passed over: others must still get through. */
static int give_events(struct covol *c, void *buffer, ssize_t size, covol_event_fn fn, void *data)
{
	struct nlmsghdr *message;
	struct covol_event event;
	int left = size, result;

	for (message = buffer; nlmsg_ok(message, left); message = nlmsg_next(message, &left)) {
		if (message->nlmsg_type != c->family || covol_event_decode(message, &event))
			continue;
		result = fn(&event, data);
		if (result)
			return result;
	}
	return 0;
}

int covol_event_receive(struct covol *c, covol_event_fn fn, void *data)
{
	void *buffer;
	ssize_t size;
	int result;

	if (covol_event_fd(c) < 0)
		return covol_fail(c, -ENOTCONN, "events: not subscribed");

	for (;;) {
		size = c->transport->receive(c, COVOL_STREAM_EVENTS, &buffer);
		if (size == -EAGAIN)
			return 0;
		if (size == -ENOBUFS)
			return covol_fail(c, -ENOBUFS,
					  "events: some were lost, for they were not fetched in time");
		if (size < 0)
			return covol_fail(c, size, "events: %s", strerror(-size));

		result = give_events(c, buffer, size, fn, data);
		if (result)
			return result;
	}
}
