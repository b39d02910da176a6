// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process group with virtual synchrony: members that go from one view to the next together have
 * been told the same messages in the same order; others may have been told more of them, or
 * fewer.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static struct sim_view *newest(const struct sim_node *node)
{
	return node->pendings ? node->pending[node->pendings - 1] : node->view;
}

static void blob_put(struct sim_blob *blob)
{
	if (--blob->users)
		return;
	free(blob->bytes);
	free(blob);
}

static void view_put(struct sim_view *view)
{
	uint32_t i;

	if (!view || --view->users)
		return;
	for (i = 0; i < view->count; i++) {
		if (view->log[i]->state)
			blob_put(view->log[i]->state);
		free(view->log[i]);
	}
	free(view->log);
	free(view);
}

static void append(struct sim_view *view, const struct sim_message *message)
{
	if (view->count == view->room) {
		view->room = view->room ? 2 * view->room : 16;
		view->log = realloc(view->log, view->room * sizeof(*view->log));
	}
	view->log[view->count] = malloc(sizeof(*message));
	*view->log[view->count++] = *message;
}

/* Of a view that the nodes leave together: what none of them may miss. */
static uint32_t least_cut(struct sim *sim, struct sim_view *view, own_nodes together)
{
	const struct sim_node *node;
	uint32_t least = 0, i;
	unsigned int n;

	own_for_each(n, together) {
		node = &sim->node[n];
		if (node->view == view && node->at > least)
			least = node->at;
	}
	for (i = view->count; i > least; i--)
		if (together & own_bit(view->log[i - 1]->from))
			return i;
	return least;
}

static void leave_view(struct sim *sim, struct sim_view *view, own_nodes together)
{
	uint32_t cut = least_cut(sim, view, together);
	struct sim_node *node;
	unsigned int n;

	cut += sim_random(sim, view->count - cut + 1);
	own_for_each(n, together) {
		node = &sim->node[n];
		if (node->pendings)
			node->pending_cut[node->pendings - 1] = cut;
		else
			node->cut = cut;
	}
}

static void enter_view(struct sim_node *node, struct sim_view *view)
{
	/* One that sleeps through this many has lost its place; it starts over. */
	if (node->pendings == SIM_PENDING) {
		view_put(node->pending[0]);
		node->pendings--;
		node->pending_away[1] |= node->pending_away[0];
		memmove(node->pending, node->pending + 1, node->pendings * sizeof(*node->pending));
		memmove(node->pending_cut, node->pending_cut + 1,
			node->pendings * sizeof(*node->pending_cut));
		memmove(node->pending_away, node->pending_away + 1,
			node->pendings * sizeof(*node->pending_away));
	}
	/* Who begins knows of nobody. */
	node->pending_away[node->pendings] = newest(node) ? node->parted : 0;
	node->parted = 0;
	node->pending[node->pendings] = view;
	node->pending_cut[node->pendings++] = UINT32_MAX;
	view->users++;
}

static void form(struct sim *sim, own_nodes nodes, own_nodes up, bool quorate)
{
	struct sim_view *view = calloc(1, sizeof(*view)), *old;
	own_nodes left = nodes, together;
	unsigned int n, m;

	view->nodes = nodes;
	view->up = up;
	view->quorate = quorate;
	view->number = ++sim->views;
	own_for_each(n, nodes) {
		old = newest(&sim->node[n]);
		if (!old || !(left & own_bit(n)))
			continue;
		together = 0;
		own_for_each(m, left)
			if (newest(&sim->node[m]) == old)
				together |= own_bit(m);
		leave_view(sim, old, together);
		left &= ~together;
	}
	own_for_each(n, nodes)
		enter_view(&sim->node[n], view);
}

/*
 * A new ring of these nodes: each knows of the others whether they have come with it from the same
 * one. Who has not may have been in another, and decided things there.
 */
static bool ring_changed(struct sim *sim, own_nodes up)
{
	unsigned long first = sim->node[own_first(up)].ring, old[OWN_NODES + 1];
	bool same = first;
	unsigned int n, m;

	for (n = 1; n <= sim->nodes; n++) {
		old[n] = sim->node[n].ring;
		same &= (old[n] == first) == !!(up & own_bit(n));
	}
	if (same)
		return false;
	sim->rings++;
	own_for_each(n, up) {
		for (m = 1; m <= sim->nodes; m++)
			if (!(up & own_bit(m)) || old[m] != old[n])
				sim->node[n].parted |= own_bit(m);
		sim->node[n].ring = sim->rings;
	}
	return true;
}

static void part_changed(struct sim *sim, own_nodes up)
{
	bool same = !ring_changed(sim, up), quorate;
	own_nodes nodes = 0;
	struct sim_view *view;
	unsigned int n;

	own_for_each(n, up)
		if (sim->node[n].running)
			nodes |= own_bit(n);
	quorate = sim->two_node || 2 * (unsigned int)__builtin_popcountll(up) > sim->nodes;
	own_for_each(n, nodes) {
		view = newest(&sim->node[n]);
		if (!view || view->nodes != nodes || view->quorate != quorate)
			same = false;
	}
	if (!same)
		form(sim, nodes, up, quorate);
}

/* Somebody came, went or can no longer be heard. */
void group_changed(struct sim *sim)
{
	own_nodes up, left = 0;
	unsigned int n, m;

	for (n = 1; n <= sim->nodes; n++) {
		if (!sim->node[n].alive)
			sim->node[n].ring = 0;
		if (sim->node[n].alive && !sim->node[n].frozen)
			left |= own_bit(n);
	}
	while (left) {
		n = own_first(left);
		up = 0;
		own_for_each(m, left)
			if (sim->node[m].part == sim->node[n].part)
				up |= own_bit(m);
		left &= ~up;
		part_changed(sim, up);
	}
}

/* What is said before the states have been exchanged would be heard by nobody. */
void group_say(struct sim *sim, unsigned int node, const struct own_event *event)
{
	struct sim_node *self = &sim->node[node];
	struct sim_message message = { .from = node, .event = *event };

	if (!self->running || !self->synced || self->pendings || self->frozen)
		return;
	append(self->view, &message);
	sim->events++;
}

static uint64_t hash_of(const uint8_t *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325ULL, word;
	size_t i;

	for (i = 0; i + 8 <= length; i += 8) {
		memcpy(&word, bytes + i, 8);
		hash = (hash ^ word) * 0x100000001b3ULL;
		hash ^= hash >> 29;
	}
	for (; i < length; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

static void offer_state(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	struct sim_message message = {
		.from = node,
		.boot = self->life + 1,
		.last = self->last,
		.heard = self->heard,
		.away = self->away,
	};
	struct sim_blob *blob = calloc(1, sizeof(*blob));

	blob->users = 1;
	blob->bytes = ownership_encode(&self->own, &blob->length);
	blob->hash = hash_of(blob->bytes, blob->length);
	message.state = blob;
	append(self->view, &message);
	sim->states++;
	sim->bytes += blob->length;
}

static void next_view(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];

	view_put(self->view);
	self->heard = self->at;
	if (!self->synced)
		self->last = 0;
	self->view = self->pending[0];
	self->cut = self->pending_cut[0];
	self->away |= self->pending_away[0];
	self->at = 0;
	self->pendings--;
	memmove(self->pending, self->pending + 1, self->pendings * sizeof(*self->pending));
	memmove(self->pending_cut, self->pending_cut + 1,
		self->pendings * sizeof(*self->pending_cut));
	memmove(self->pending_away, self->pending_away + 1,
		self->pendings * sizeof(*self->pending_away));
	self->synced = false;
	self->offered = 0;
	self->away_nodes = 0;
	memset(self->offers, 0, sizeof(self->offers));
	if (!self->pendings)
		offer_state(sim, node);
}

static void decode(struct sim *sim, struct ownership *own, const struct sim_blob *blob)
{
	if (ownership_decode(own, blob->bytes, blob->length)) {
		sim_violated(sim, "a state that was encoded cannot be decoded");
		ownership_init(own, sim->two_node);
	}
}

/* All have told what they know: all come to the same. */
static void merge(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	struct ownership merged, other;
	uint64_t last = 0;
	unsigned int n;
	bool first = true;

	own_for_each(n, self->view->nodes) {
		if (!first && self->offers[n]->state->hash == last)
			continue;
		last = self->offers[n]->state->hash;
		decode(sim, first ? &merged : &other, self->offers[n]->state);
		if (!first) {
			ownership_merge(&merged, &other);
			ownership_exit(&other);
		}
		first = false;
	}
	ownership_exit(&self->own);
	self->own = merged;
}

static void check_same(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	uint8_t *bytes;
	uint64_t hash;
	size_t length;

	bytes = ownership_encode(&self->own, &length);
	hash = hash_of(bytes, length);
	free(bytes);
	if (!self->view->hash)
		self->view->hash = hash;
	else if (self->view->hash != hash)
		sim_violated(sim, "node %u begins a view with another state", node);
}

static void sync(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	uint64_t boots[OWN_NODES] = { 0 };
	struct own_event event = {
		.type = OWN_EV_VIEW,
		.nodes = self->view->nodes,
		.boots = boots,
		.up = self->view->nodes | (self->view->up & ~self->away_nodes),
		.quorate = self->view->quorate,
	};
	unsigned int n;

	own_for_each(n, self->view->nodes)
		boots[n - 1] = self->offers[n]->boot;
	merge(sim, node);
	self->synced = true;
	self->away = 0;
	self->last = self->view->number;
	agent_synced(sim, node, &event);
	check_same(sim, node);
}

static void hear_state(struct sim *sim, unsigned int node, const struct sim_message *message)
{
	struct sim_node *self = &sim->node[node];
	unsigned int n;

	/* Who has heard the same has the same state. */
	own_for_each(n, self->offered)
		if (message->last && self->offers[n]->last == message->last &&
		    self->offers[n]->heard == message->heard &&
		    self->offers[n]->state->hash != message->state->hash)
			sim_violated(sim, "nodes %u and %u have heard the same and differ", n,
				     message->from);
	self->offers[message->from] = message;
	self->offered |= own_bit(message->from);
	self->away_nodes |= message->away;
	if (self->offered == self->view->nodes)
		sync(sim, node);
}

/* The next that this node has to hear. false: nothing. */
bool group_deliver(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	const struct sim_message *message;

	if (!self->alive || self->frozen || !self->running)
		return false;
	if (self->view && self->at < self->view->count && self->at < self->cut) {
		message = self->view->log[self->at++];
		if (message->state)
			hear_state(sim, node, message);
		else if (self->synced)
			agent_step(sim, node, &message->event);
		return true;
	}
	if (!self->pendings)
		return false;
	next_view(sim, node);
	return true;
}

void group_leave(struct sim *sim, unsigned int node)
{
	struct sim_node *self = &sim->node[node];
	unsigned int i;

	view_put(self->view);
	for (i = 0; i < self->pendings; i++)
		view_put(self->pending[i]);
	self->view = NULL;
	self->pendings = 0;
	self->synced = false;
	self->last = 0;
	self->at = 0;
	self->cut = 0;
	self->away = 0;
}
