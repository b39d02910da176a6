// SPDX-License-Identifier: GPL-2.0-only
/*
 * See exchange.h. tests/sim/group.c plays the same in the simulation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "memory.h"

void exchange_init(struct exchange *x, const struct exchange_ops *ops, void *data,
		   struct ownership *own, unsigned int node, uint64_t boot)
{
	memset(x, 0, sizeof(*x));
	x->ops = ops;
	x->data = data;
	x->own = own;
	x->node = node;
	x->boot = boot;
}

static void drop_offers(struct exchange *x)
{
	unsigned int node;

	for (node = 0; node <= OWN_NODES; node++)
		free(x->offer[node].bytes);
	memset(x->offer, 0, sizeof(x->offer));
}

void exchange_exit(struct exchange *x)
{
	drop_offers(x);
}

static void send(struct exchange *x, const struct message *message)
{
	uint8_t bytes[MESSAGE_MAX];

	x->ops->send(x->data, bytes, message_encode(message, bytes));
}

static void begin(struct exchange *x)
{
	struct message message = { .type = MESSAGE_BEGIN, .round = x->ops->number(x->data) };

	x->begun = true;
	send(x, &message);
}

static void reset(struct exchange *x, uint64_t round)
{
	drop_offers(x);
	x->round = round;
	x->offering = false;
	x->synced = false;
	x->begun = false;
}

/* The own state, piece by piece. Between two rounds nothing changes it. */
static void offer(struct exchange *x)
{
	struct message message = {
		.type = MESSAGE_OFFER,
		.round = x->round,
		.boot = x->boot,
		.quorate = x->quorate,
		.stayed = x->up & ~x->away,
	};
	uint8_t *state;
	size_t total;

	x->own->two_node = x->two_node;
	state = ownership_encode(x->own, &total);
	x->offering = true;
	message.total = total;
	for (message.offset = 0; message.offset < total; message.offset += message.length) {
		message.piece = state + message.offset;
		message.length = total - message.offset;
		if (message.length > MESSAGE_PIECE)
			message.length = MESSAGE_PIECE;
		send(x, &message);
	}
	free(state);
}

/* What the others were told of is no longer so: another round. */
static void check(struct exchange *x)
{
	const struct exchange_offer *own = &x->offer[x->node];

	if (x->round && !x->offering && x->known) {
		offer(x);
		return;
	}
	if (x->synced && !x->begun && x->known && own->quorate != x->quorate)
		begin(x);
}

static void restart(struct exchange *x)
{
	reset(x, 0);
	if (own_first(x->members) == x->node)
		begin(x);
}

void exchange_members(struct exchange *x, own_nodes members)
{
	x->members = members;
	restart(x);
}

void exchange_ring(struct exchange *x, own_nodes up, own_nodes together)
{
	x->up = up;
	x->away |= ~together;
	restart(x);
}

void exchange_quorum(struct exchange *x, bool known, bool quorate, bool two_node)
{
	x->known = known;
	x->quorate = quorate;
	x->two_node = two_node;
	check(x);
}

void exchange_alone(struct exchange *x)
{
	uint64_t boots[OWN_NODES] = { 0 };
	struct own_event view = {
		.type = OWN_EV_VIEW,
		.nodes = own_bit(x->node),
		.boots = boots,
		.up = own_bit(x->node),
	};

	boots[x->node - 1] = x->boot;
	reset(x, 0);
	x->members = 0;
	x->away = 0;
	x->known = false;
	x->quorate = false;
	x->ops->view(x->data, &view);
}

/* All come to the same, as all have the same offers. */
static int merge(struct exchange *x)
{
	struct ownership merged, other;
	unsigned int node;
	bool first = true;
	int error;

	own_for_each(node, x->members) {
		error = ownership_decode(first ? &merged : &other, x->offer[node].bytes,
					 x->offer[node].length);
		if (error) {
			if (!first)
				ownership_exit(&merged);
			return error;
		}
		if (!first) {
			ownership_merge(&merged, &other);
			ownership_exit(&other);
		}
		first = false;
	}
	ownership_exit(x->own);
	*x->own = merged;
	return 0;
}

static int sync(struct exchange *x)
{
	uint64_t boots[OWN_NODES] = { 0 };
	struct own_event view = {
		.type = OWN_EV_VIEW,
		.nodes = x->members,
		.boots = boots,
		.up = ~0ULL,
		.quorate = true,
	};
	unsigned int node;
	int error;

	error = merge(x);
	if (error)
		return error;
	own_for_each(node, x->members) {
		view.up &= x->offer[node].stayed;
		view.quorate = view.quorate && x->offer[node].quorate;
		boots[node - 1] = x->offer[node].boot;
	}
	view.up |= x->members;
	x->away = 0;
	x->synced = true;
	x->ops->view(x->data, &view);
	check(x);
	return 0;
}

static bool complete(const struct exchange *x)
{
	unsigned int node;

	own_for_each(node, x->members)
		if (!x->offer[node].total || x->offer[node].length != x->offer[node].total)
			return false;
	return true;
}

static int hear_offer(struct exchange *x, unsigned int from, const struct message *message)
{
	struct exchange_offer *offered = &x->offer[from];

	if (x->synced)
		return 0;
	if (!offered->total) {
		offered->total = message->total;
		offered->bytes = memory_new(message->total);
		offered->boot = message->boot;
		offered->quorate = message->quorate;
		offered->stayed = message->stayed;
	}
	if (message->total != offered->total || message->offset != offered->length)
		return -EBADMSG;
	memcpy(offered->bytes + offered->length, message->piece, message->length);
	offered->length += message->length;
	return complete(x) ? sync(x) : 0;
}

/* What is so on a node it says itself. */
static bool may_say(unsigned int from, const struct own_event *event)
{
	switch (event->type) {
	case OWN_EV_DONE:
	case OWN_EV_PATH_LOST:
	case OWN_EV_PATH_BACK:
	case OWN_EV_FENCED:
	case OWN_EV_DIFFERS:
		return event->node == from;
	default:
		return true;
	}
}

int exchange_deliver(struct exchange *x, unsigned int from, const uint8_t *bytes, size_t length)
{
	struct message message;
	int error;

	if (from < 1 || from > OWN_NODES || !(x->members & own_bit(from)))
		return -EBADMSG;
	error = message_decode(&message, bytes, length);
	if (error)
		return error;
	if (message.type == MESSAGE_BEGIN) {
		reset(x, message.round);
		check(x);
		return 0;
	}
	if (message.round != x->round)
		return 0;
	if (message.type == MESSAGE_OFFER)
		return hear_offer(x, from, &message);
	if (!may_say(from, &message.event))
		return -EBADMSG;
	if (x->synced)
		x->ops->event(x->data, from, message.request, &message.event);
	return 0;
}

bool exchange_say(struct exchange *x, uint64_t request, const struct own_event *event)
{
	struct message message = {
		.type = MESSAGE_EVENT,
		.round = x->round,
		.request = request,
		.event = *event,
	};

	if (!x->synced)
		return false;
	send(x, &message);
	return true;
}
