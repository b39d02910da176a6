// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several agents in one process, over a bus that delivers to all in the same order, to each at its
 * own pace.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/covold/exchange.h"
#include "test.h"

#define AGENTS	5
#define ENTRIES	65536

struct entry {
	own_nodes members;	/* a change of members */
	own_nodes up;		/* a new ring of these; neither: a message */
	own_nodes together;
	unsigned int from;
	uint8_t *bytes;
	size_t length;
};

struct agent {
	struct bus *bus;
	struct exchange x;
	struct ownership own;
	struct own_actions actions;
	size_t at;
	bool in;
	unsigned int views;
	struct own_event view;
	unsigned int events;
	uint64_t request;
};

struct bus {
	struct entry entry[ENTRIES];
	size_t count;
	own_nodes up;
	uint64_t numbers;
	struct agent agent[AGENTS + 1];
};

static void on_send(void *data, const uint8_t *bytes, size_t length)
{
	struct agent *agent = data;
	struct bus *bus = agent->bus;
	struct entry *entry = &bus->entry[bus->count++];

	assert_true(bus->count < ENTRIES);
	entry->from = agent->x.node;
	entry->bytes = malloc(length);
	entry->length = length;
	memcpy(entry->bytes, bytes, length);
}

static uint64_t on_number(void *data)
{
	struct agent *agent = data;

	return ++agent->bus->numbers;
}

static void on_view(void *data, const struct own_event *view)
{
	struct agent *agent = data;

	agent->views++;
	agent->view = *view;
	ownership_step(&agent->own, view, &agent->actions);
}

static void on_event(void *data, unsigned int from, uint64_t request,
		     const struct own_event *event)
{
	struct agent *agent = data;

	agent->events++;
	if (from == agent->x.node)
		agent->request = request;
	ownership_step(&agent->own, event, &agent->actions);
}

static const struct exchange_ops ops = {
	.send = on_send,
	.number = on_number,
	.view = on_view,
	.event = on_event,
};

static int setup(void **state)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	struct agent *agent;
	unsigned int node;

	for (node = 1; node <= AGENTS; node++) {
		agent = &bus->agent[node];
		agent->bus = bus;
		ownership_init(&agent->own, false);
		exchange_init(&agent->x, &ops, agent, &agent->own, node, 100 + node);
	}
	*state = bus;
	return 0;
}

static int teardown(void **state)
{
	struct bus *bus = *state;
	unsigned int node;
	size_t i;

	for (node = 1; node <= AGENTS; node++) {
		exchange_exit(&bus->agent[node].x);
		ownership_exit(&bus->agent[node].own);
		free(bus->agent[node].actions.list);
	}
	for (i = 0; i < bus->count; i++)
		free(bus->entry[i].bytes);
	free(bus);
	return 0;
}

/* A new ring of the nodes @up; @together have come to it from the same one. */
static void ring(struct bus *bus, own_nodes up, own_nodes together)
{
	struct entry *entry = &bus->entry[bus->count++];

	entry->up = up;
	entry->together = together;
	bus->up = up;
}

/* The members are these from now on; all see the nodes @up and a quorum. */
static void change(struct bus *bus, own_nodes members, own_nodes up)
{
	struct agent *agent;
	unsigned int node;

	for (node = 1; node <= AGENTS; node++) {
		agent = &bus->agent[node];
		if (!(members & own_bit(node))) {
			if (agent->in)
				exchange_alone(&agent->x);
			agent->in = false;
			continue;
		}
		if (!agent->in)
			exchange_ring(&agent->x, up, up);
		exchange_quorum(&agent->x, true, true, false);
	}
	/* The first that a joiner hears is that it has joined. */
	own_for_each(node, members) {
		if (!bus->agent[node].in)
			bus->agent[node].at = bus->count;
		bus->agent[node].in = true;
	}
	bus->entry[bus->count++].members = members;
	if (bus->up && bus->up != up)
		ring(bus, up, bus->up & up);
	bus->up = up;
}

/* The next entry; false: there is none. */
static bool hear(struct bus *bus, unsigned int node)
{
	struct agent *agent = &bus->agent[node];
	const struct entry *entry;

	if (!agent->in || agent->at == bus->count)
		return false;
	entry = &bus->entry[agent->at++];
	if (entry->members)
		exchange_members(&agent->x, entry->members);
	else if (entry->up)
		exchange_ring(&agent->x, entry->up, entry->together);
	else
		assert_int_equal(exchange_deliver(&agent->x, entry->from, entry->bytes,
						  entry->length),
				 0);
	return true;
}

static void hear_all(struct bus *bus)
{
	unsigned int node;
	bool more = true;

	while (more) {
		more = false;
		for (node = 1; node <= AGENTS; node++)
			more |= hear(bus, node);
	}
}

static void assert_same(struct bus *bus, own_nodes nodes)
{
	size_t length[2];
	uint8_t *bytes[2];
	unsigned int node;

	bytes[0] = ownership_encode(&bus->agent[own_first(nodes)].own, &length[0]);
	own_for_each(node, nodes) {
		assert_true(bus->agent[node].x.synced);
		bytes[1] = ownership_encode(&bus->agent[node].own, &length[1]);
		assert_int_equal(length[0], length[1]);
		assert_memory_equal(bytes[0], bytes[1], length[0]);
		free(bytes[1]);
	}
	free(bytes[0]);
}

static void add_volume(struct bus *bus, unsigned int node, unsigned int number)
{
	struct own_event event = { .type = OWN_EV_ADD, .uuid = { number, number >> 8 } };

	snprintf(event.name, sizeof(event.name), "volume-%u", number);
	assert_true(exchange_say(&bus->agent[node].x, 1000 + number, &event));
}

static void test_together(void **state)
{
	struct bus *bus = *state;

	change(bus, 1, 7);
	hear_all(bus);
	assert_int_equal(bus->agent[1].views, 1);
	assert_true(bus->agent[1].view.nodes == 1);
	assert_true(bus->agent[1].view.up == 7);
	assert_true(bus->agent[1].view.quorate);
	add_volume(bus, 1, 1);
	hear_all(bus);
	assert_int_equal(bus->agent[1].own.count, 1);
	assert_true(bus->agent[1].request == 1001);

	/* The others get the state, the empty ones of theirs count for nothing. */
	change(bus, 7, 7);
	hear_all(bus);
	assert_same(bus, 7);
	assert_int_equal(bus->agent[3].own.count, 1);
	assert_int_equal(bus->agent[3].views, 1);
	add_volume(bus, 3, 2);
	hear_all(bus);
	assert_same(bus, 7);
	assert_int_equal(bus->agent[1].own.count, 2);
}

/* One that was restarted, and knows less, does not make the others forget. */
static void test_restarted(void **state)
{
	struct bus *bus = *state;

	change(bus, 7, 7);
	hear_all(bus);
	add_volume(bus, 1, 1);
	hear_all(bus);
	change(bus, 6, 7);
	hear_all(bus);
	add_volume(bus, 2, 2);
	hear_all(bus);
	ownership_restart(&bus->agent[1].own);
	change(bus, 7, 7);
	hear_all(bus);
	assert_same(bus, 7);
	assert_int_equal(bus->agent[1].own.count, 2);
}

/* What was said in one round and is heard in another counts for nothing, and for nobody. */
static void test_late_event(void **state)
{
	struct bus *bus = *state;
	struct own_event event = { .type = OWN_EV_FENCE_ALWAYS, .on = true };

	change(bus, 7, 7);
	hear_all(bus);
	change(bus, 3, 7);
	/* 2 has not yet heard of the change. */
	assert_true(exchange_say(&bus->agent[2].x, 5, &event));
	hear_all(bus);
	assert_same(bus, 3);
	assert_int_equal(bus->agent[1].events, 0);
	assert_int_equal(bus->agent[2].events, 0);
	assert_false(bus->agent[2].own.fence_always);
}

static void test_not_synced(void **state)
{
	struct bus *bus = *state;
	struct own_event event = { .type = OWN_EV_FENCE_ALWAYS, .on = true };

	assert_false(exchange_say(&bus->agent[1].x, 5, &event));
	change(bus, 3, 3);
	while (!bus->agent[1].x.round)
		hear(bus, 1);
	assert_false(exchange_say(&bus->agent[1].x, 5, &event));
}

/* The members change while states are on their way: those of the older round are of no use. */
static void test_interrupted(void **state)
{
	struct bus *bus = *state;
	unsigned int i;

	change(bus, 3, 7);
	hear(bus, 1);
	hear(bus, 1);
	hear(bus, 1);
	change(bus, 7, 7);
	for (i = 0; i < 3; i++)
		hear(bus, 2);
	hear_all(bus);
	assert_same(bus, 7);
	assert_true(bus->agent[1].view.nodes == 7);
	/* The round that was broken off has been of no view. */
	assert_int_equal(bus->agent[1].views, 1);
}

/* More volumes and members than one message takes. */
static void test_large(void **state)
{
	struct bus *bus = *state;
	struct own_event event = { .type = OWN_EV_START };
	unsigned int i;
	size_t length;

	change(bus, 3, 3);
	hear_all(bus);
	for (i = 1; i <= OWN_VOLUMES; i++)
		add_volume(bus, 1 + i % 2, i);
	hear_all(bus);
	for (event.volume = 1; event.volume <= OWN_VOLUMES; event.volume++)
		exchange_say(&bus->agent[1].x, 0, &event);
	hear_all(bus);
	free(ownership_encode(&bus->agent[1].own, &length));
	assert_true(length > 2 * MESSAGE_PIECE);
	change(bus, 7, 7);
	hear_all(bus);
	assert_same(bus, 7);
	assert_int_equal(bus->agent[3].own.count, OWN_VOLUMES);
}

static void test_quorum(void **state)
{
	struct bus *bus = *state;

	change(bus, 3, 3);
	exchange_quorum(&bus->agent[2].x, false, true, false);
	hear_all(bus);
	/* 2 does not know yet what there is, and says nothing. */
	assert_false(bus->agent[1].x.synced);
	exchange_quorum(&bus->agent[2].x, true, false, false);
	hear_all(bus);
	assert_same(bus, 3);
	assert_false(bus->agent[1].view.quorate);
	assert_int_equal(bus->agent[1].views, 1);
	exchange_quorum(&bus->agent[2].x, true, true, false);
	hear_all(bus);
	assert_same(bus, 3);
	assert_true(bus->agent[1].view.quorate);
	assert_int_equal(bus->agent[1].views, 2);
	/* What all know already is no news. */
	exchange_quorum(&bus->agent[2].x, true, true, false);
	hear_all(bus);
	assert_int_equal(bus->agent[1].views, 2);
	exchange_quorum(&bus->agent[1].x, true, false, false);
	exchange_quorum(&bus->agent[2].x, true, false, false);
	hear_all(bus);
	assert_same(bus, 3);
	assert_false(bus->agent[1].view.quorate);
}

/* A quorum that comes while states are on their way is not forgotten. */
static void test_quorum_meanwhile(void **state)
{
	struct bus *bus = *state;
	unsigned int node;

	change(bus, 3, 3);
	for (node = 1; node <= 2; node++)
		exchange_quorum(&bus->agent[node].x, true, false, false);
	while (!bus->agent[1].x.offering)
		hear(bus, 1);
	exchange_quorum(&bus->agent[1].x, true, true, false);
	exchange_quorum(&bus->agent[2].x, true, true, false);
	hear_all(bus);
	assert_same(bus, 3);
	assert_true(bus->agent[2].view.quorate);
}

/* A node that is up, and whose agent is not here. */
static void test_absent(void **state)
{
	struct bus *bus = *state;

	change(bus, 7, 7);
	hear_all(bus);
	change(bus, 3, 7);
	hear_all(bus);
	assert_true(bus->agent[1].own.absent == 4);
	/* Another ring in which all come together changes nothing. */
	ring(bus, 15, 7);
	hear_all(bus);
	assert_same(bus, 3);
	assert_true(bus->agent[1].own.absent == 4);
	/* It has gone, too. */
	ring(bus, 3, 3);
	hear_all(bus);
	assert_same(bus, 3);
	assert_true(bus->agent[1].view.up == 3);
	assert_true(bus->agent[1].own.absent == 0);
}

/*
 * A node that nobody saw go, with an agent that is not here: it may have gone on without us. One
 * who has been in another ring than it is enough, and so is a ring that was of no view.
 */
static void test_away(void **state)
{
	struct bus *bus = *state;

	change(bus, 7, 7);
	hear_all(bus);
	change(bus, 3, 7);
	hear_all(bus);
	assert_true(bus->agent[1].own.absent == 4);
	ring(bus, 7, 3);
	ring(bus, 7, 7);
	hear_all(bus);
	assert_same(bus, 3);
	assert_true(bus->agent[1].view.up == 3);
	assert_true(bus->agent[2].own.absent == 0);
	/* Its agent is back, and goes again: that is another matter. */
	change(bus, 7, 7);
	hear_all(bus);
	change(bus, 3, 7);
	hear_all(bus);
	assert_same(bus, 3);
	assert_true(bus->agent[1].own.absent == 4);
	exchange_ring(&bus->agent[2].x, 7, 2);
	ring(bus, 7, 7);
	hear_all(bus);
	assert_same(bus, 3);
	assert_true(bus->agent[1].own.absent == 0);
}

/* What each says of its boot all have, in every view. */
static void test_boots(void **state)
{
	struct bus *bus = *state;
	unsigned int node;

	change(bus, 7, 7);
	hear_all(bus);
	own_for_each(node, 7)
		assert_true(bus->agent[3].own.boots[node - 1] == 100 + node);
	assert_true(bus->agent[3].own.boots[3] == 0);
	change(bus, 5, 7);
	hear_all(bus);
	bus->agent[2].x.boot = 202;
	change(bus, 7, 7);
	exchange_quorum(&bus->agent[1].x, true, false, false);
	hear_all(bus);
	assert_same(bus, 7);
	assert_true(bus->agent[1].own.boots[1] == 202);
	assert_true(bus->agent[1].own.boots[2] == 103);
	exchange_alone(&bus->agent[1].x);
	assert_true(bus->agent[1].own.boots[0] == 101);
	assert_true(bus->agent[1].own.boots[1] == 202);
}

static void test_alone(void **state)
{
	struct bus *bus = *state;
	struct agent *agent = &bus->agent[2];

	change(bus, 7, 7);
	hear_all(bus);
	change(bus, 5, 7);
	assert_false(agent->x.synced);
	assert_false(agent->own.quorate);
	assert_true(agent->own.present == 2);
	hear_all(bus);
	add_volume(bus, 1, 1);
	hear_all(bus);
	change(bus, 7, 7);
	hear_all(bus);
	assert_same(bus, 7);
	assert_int_equal(agent->own.count, 1);
}

static int deliver(struct agent *agent, unsigned int from, const struct message *message)
{
	uint8_t bytes[MESSAGE_MAX];
	size_t length = message_encode(message, bytes);

	return exchange_deliver(&agent->x, from, bytes, length);
}

static void test_refused(void **state)
{
	struct bus *bus = *state;
	struct agent *agent = &bus->agent[1];
	struct message done = { .type = MESSAGE_EVENT, .event.type = OWN_EV_DONE };
	uint8_t bytes[MESSAGE_MAX] = { 0 };

	change(bus, 3, 3);
	hear_all(bus);
	done.round = agent->x.round;
	done.event.node = 2;
	assert_int_equal(deliver(agent, 2, &done), 0);
	assert_int_equal(agent->events, 1);
	/* What a node has done it says itself. */
	assert_int_equal(deliver(agent, 1, &done), -EBADMSG);
	done.event.type = OWN_EV_DIFFERS;
	assert_int_equal(deliver(agent, 1, &done), -EBADMSG);
	/* Nobody of ours. */
	assert_int_equal(deliver(agent, 3, &done), -EBADMSG);
	assert_int_equal(deliver(agent, 0, &done), -EBADMSG);
	assert_int_equal(deliver(agent, 65, &done), -EBADMSG);
	assert_int_equal(exchange_deliver(&agent->x, 2, bytes, 50), -EBADMSG);
	message_encode(&done, bytes);
	bytes[4] = 99;
	assert_int_equal(exchange_deliver(&agent->x, 2, bytes, 50), -EPROTO);
	assert_int_equal(agent->events, 1);
}

/* A state that cannot be keeps all from coming together, and does no other harm. */
static void test_damaged(void **state)
{
	struct bus *bus = *state;
	struct agent *agent = &bus->agent[1];
	struct message offer = { .type = MESSAGE_OFFER, .boot = 1, .length = 8, .total = 8 };

	change(bus, 1, 3);
	hear_all(bus);
	add_volume(bus, 1, 1);
	hear_all(bus);
	exchange_members(&agent->x, 3);
	hear_all(bus);
	assert_true(agent->x.round);
	offer.round = agent->x.round;
	offer.piece = (const uint8_t *)"nonsense";
	/* A piece that does not follow the one before. */
	offer.offset = 4;
	offer.length = 4;
	assert_int_equal(deliver(agent, 2, &offer), -EBADMSG);
	offer.offset = 0;
	offer.length = 8;
	assert_int_equal(deliver(agent, 2, &offer), -EBADMSG);
	assert_false(agent->x.synced);
	assert_int_equal(agent->own.count, 1);
}

/* Whoever comes, goes, says something, at any time: those who are together have the same state. */
static void test_random(void **state)
{
	struct bus *bus = *state;
	own_nodes members = 0;
	unsigned int i, node, volumes = 0;

	srandom(11);
	for (i = 0; i < 20000 && bus->count < ENTRIES - 2000; i++) {
		node = 1 + random() % AGENTS;
		if (random() % 100 == 0) {
			members ^= own_bit(node);
			if (members)
				change(bus, members, 31);
		} else if (random() % 50 == 0 && bus->agent[node].x.synced &&
			   bus->agent[node].in && volumes < OWN_VOLUMES) {
			add_volume(bus, node, ++volumes);
		} else if (random() % 200 == 0 && bus->agent[node].in) {
			exchange_quorum(&bus->agent[node].x, true, random() % 4, false);
		} else {
			hear(bus, node);
		}
	}
	change(bus, 31, 31);
	hear_all(bus);
	assert_same(bus, 31);
	assert_true(bus->agent[1].own.count > 10);
	assert_true(bus->agent[1].own.quorate);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_together), TEST(test_restarted),   TEST(test_late_event),
		TEST(test_not_synced), TEST(test_interrupted), TEST(test_large),
		TEST(test_quorum),   TEST(test_quorum_meanwhile), TEST(test_absent),
		TEST(test_away),
		TEST(test_boots),    TEST(test_alone),	     TEST(test_refused),
		TEST(test_damaged),  TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
