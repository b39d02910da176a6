// SPDX-License-Identifier: GPL-2.0-only
/*
 * One description for both directions, as in agent/wire.c.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "message.h"

#define MAGIC	0x44564f43u /* "COVD" */
/* Agents of two versions do not come together; the states that they exchange are of it, too. */
#define VERSION	5

struct codec {
	uint8_t *at;
	size_t left;
	bool reading;
	bool bad;
};

static uint8_t *room(struct codec *codec, size_t count)
{
	uint8_t *place = codec->at;

	if (codec->left < count)
		codec->bad = true;
	if (codec->bad)
		return NULL;
	codec->at += count;
	codec->left -= count;
	return place;
}

static void raw(struct codec *codec, void *field, size_t count)
{
	uint8_t *place = room(codec, count);

	if (!place)
		return;
	if (codec->reading)
		memcpy(field, place, count);
	else
		memcpy(place, field, count);
}

static uint64_t number(struct codec *codec, uint64_t value, size_t count)
{
	uint64_t little = codec->reading ? 0 : htole64(value);

	raw(codec, &little, count);
	return codec->bad ? 0 : le64toh(little);
}

#define FIELD(codec, field) ((field) = number(codec, field, sizeof(field)))

/* @limit: the first value that cannot be. */
static unsigned int code(struct codec *codec, unsigned int value, unsigned int limit)
{
	value = number(codec, value, 1);
	if (value >= limit)
		codec->bad = true;
	return codec->bad ? 0 : value;
}

static void event_code(struct codec *codec, struct own_event *event)
{
	event->type = code(codec, event->type, OWN_EVENTS);
	event->result = code(codec, event->result, OWN_RESULTS);
	event->timer = code(codec, event->timer, OWN_TIMERS);
	event->node = code(codec, event->node, OWN_NODES + 1);
	event->on = code(codec, event->on, 2);
	FIELD(codec, event->volume);
	FIELD(codec, event->serial);
	FIELD(codec, event->incarnation);
	FIELD(codec, event->epoch);
	FIELD(codec, event->nodes);
	FIELD(codec, event->excluded);
	raw(codec, event->uuid, sizeof(event->uuid));
	raw(codec, event->name, sizeof(event->name));
	if (event->type == OWN_EV_VIEW || !memchr(event->name, 0, sizeof(event->name)))
		codec->bad = true;
}

static void offer_code(struct codec *codec, struct message *message)
{
	FIELD(codec, message->boot);
	message->quorate = code(codec, message->quorate, 2);
	FIELD(codec, message->stayed);
	FIELD(codec, message->total);
	FIELD(codec, message->offset);
	if (codec->reading) {
		message->length = codec->left;
		message->piece = room(codec, message->length);
	} else {
		raw(codec, (void *)message->piece, message->length);
	}
	if (!message->boot || !message->length || message->length > MESSAGE_PIECE ||
	    message->total > MESSAGE_STATE_MAX || message->offset > message->total ||
	    message->length > message->total - message->offset)
		codec->bad = true;
}

static void body_code(struct codec *codec, struct message *message)
{
	switch (message->type) {
	case MESSAGE_BEGIN:
		break;
	case MESSAGE_OFFER:
		offer_code(codec, message);
		break;
	case MESSAGE_EVENT:
		FIELD(codec, message->request);
		event_code(codec, &message->event);
		break;
	default:
		codec->bad = true;
	}
}

size_t message_encode(const struct message *message, uint8_t *bytes)
{
	struct codec codec = { .at = bytes, .left = MESSAGE_MAX };
	struct message copy = *message;

	number(&codec, MAGIC, 4);
	number(&codec, VERSION, 2);
	number(&codec, copy.type, 2);
	FIELD(&codec, copy.round);
	body_code(&codec, &copy);
	return codec.at - bytes;
}

int message_decode(struct message *message, const uint8_t *bytes, size_t length)
{
	/* Never written to: reading is set. */
	struct codec codec = { .at = (uint8_t *)bytes, .left = length, .reading = true };

	memset(message, 0, sizeof(*message));
	if (number(&codec, 0, 4) != MAGIC)
		return -EBADMSG;
	if (number(&codec, 0, 2) != VERSION)
		return codec.bad ? -EBADMSG : -EPROTO;
	message->type = number(&codec, 0, 2);
	FIELD(&codec, message->round);
	body_code(&codec, message);
	return codec.bad || codec.left || !message->round ? -EBADMSG : 0;
}
