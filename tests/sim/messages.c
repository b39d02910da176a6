// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many messages of the group a change of coordinator takes, where nothing else happens: no
 * task fails, and no timer ends. There is no chance in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define CHANGES		11	/* of each kind, in each cluster; odd */
#define VOLUMES		100
#define FEW_VOLUMES	10

enum kind {
	TAKEOVER,
	MOVE,
	KINDS
};

static const char *const kind_names[KINDS] = { "takeover", "move" };

struct cost {
	unsigned int nodes;
	unsigned int volumes;
	/* For each volume that got another coordinator; in ascending order. */
	unsigned int messages[KINDS][CHANGES];
	/* In the view that a crash leads to: how many are offered, and the length of one. */
	unsigned int states;
	unsigned int bytes;
};

static unsigned int median(const struct cost *cost, enum kind kind)
{
	return cost->messages[kind][CHANGES / 2];
}

static unsigned int most(const struct cost *cost, enum kind kind)
{
	return cost->messages[kind][CHANGES - 1];
}

/* Of all volumes together: one more for each change of a coordinator. */
static uint64_t epochs(const struct sim *sim)
{
	uint64_t sum = 0;
	unsigned int volume;

	for (volume = 1; volume <= sim->volumes; volume++)
		sum += sim->lun[volume].header;
	return sum;
}

static const struct own_volume *volume_of(const struct sim *sim, unsigned int volume)
{
	return ownership_volume(&sim->node[1].own, volume);
}

static void count_volumes(const struct sim *sim, unsigned int counts[OWN_NODES + 1])
{
	unsigned int volume;

	memset(counts, 0, (OWN_NODES + 1) * sizeof(*counts));
	for (volume = 1; volume <= sim->volumes; volume++)
		counts[volume_of(sim, volume)->coordinator]++;
}

/* Some node's death; how many volumes it had. */
static unsigned int crash(struct sim *sim, unsigned int which)
{
	unsigned int counts[OWN_NODES + 1], node = 5 * which % sim->nodes + 1;

	count_volumes(sim, counts);
	while (!counts[node])
		node = node % sim->nodes + 1;
	sim_crash(sim, node);
	return counts[node];
}

/*
 * Some volume, if possible one that has not moved before, goes to a node that has one less: the
 * spread stays even, and no other one moves.
 */
static void find_move(struct sim *sim, unsigned int which, struct own_event *event)
{
	unsigned int counts[OWN_NODES + 1], v, n;
	const struct own_volume *vol;

	count_volumes(sim, counts);
	for (v = 0; v < 2 * sim->volumes; v++) {
		event->volume = (which * sim->volumes / CHANGES + v) % sim->volumes + 1;
		vol = volume_of(sim, event->volume);
		if (v < sim->volumes && vol->placed)
			continue;
		for (n = 0; n < sim->nodes; n++) {
			event->node = (5 * which + n) % sim->nodes + 1;
			if (counts[event->node] + 1 == counts[vol->coordinator])
				return;
		}
	}
	sim_violated(sim, "there is no volume to be moved");
}

static unsigned int move(struct sim *sim, unsigned int which)
{
	struct own_event event = { .type = OWN_EV_MOVE };

	find_move(sim, which, &event);
	group_say(sim, 1 + 3 * which % sim->nodes, &event);
	return 1;
}

static unsigned int (*const changes[KINDS])(struct sim *sim, unsigned int which) = {
	[TAKEOVER] = crash,
	[MOVE] = move,
};

/* From the request, or the crash, until every volume is served and nothing more is said. */
static void measure_change(struct sim *sim, struct cost *cost, enum kind kind, unsigned int which)
{
	unsigned long events = sim->events, states = sim->states, bytes = sim->bytes;
	uint64_t before = epochs(sim);
	unsigned int volumes = changes[kind](sim, which);

	sim_rest(sim);
	if (!sim->violation[0] && epochs(sim) - before != volumes)
		sim_violated(sim, "%llu volumes got another coordinator, not %u",
			     (unsigned long long)(epochs(sim) - before), volumes);
	cost->messages[kind][which] = (sim->events - events + volumes - 1) / volumes;
	if (kind != TAKEOVER || sim->violation[0])
		return;
	cost->states = sim->states - states;
	cost->bytes = (sim->bytes - bytes) / cost->states;
	/* Who is dead comes back, and the spread is even again. */
	sim_settle(sim);
}

static int ascending(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool measure(struct cost *cost)
{
	unsigned int kind, which;
	struct sim sim;
	bool good;

	sim_init(&sim, cost->nodes, cost->volumes, false);
	sim_rest(&sim);
	for (kind = 0; kind < KINDS; kind++) {
		for (which = 0; which < CHANGES && !sim.violation[0]; which++)
			measure_change(&sim, cost, kind, which);
		qsort(cost->messages[kind], CHANGES, sizeof(cost->messages[kind][0]), ascending);
	}
	good = !sim.violation[0];
	if (!good)
		fprintf(stderr, "%u nodes, %u volumes: %s\n", cost->nodes, cost->volumes,
			sim.violation);
	sim_exit(&sim);
	return good;
}

/*
 * With a part that no number of nodes changes - the request, a fence, what the coordinator alone
 * does - it grows by less than the nodes do. So what is linear needs no allowance here.
 */
static bool linear(const struct cost *few, const struct cost *many, enum kind kind)
{
	if (few->nodes == many->nodes)
		return median(few, kind) == median(many, kind) &&
		       most(few, kind) == most(many, kind);
	return most(many, kind) * few->nodes <= median(few, kind) * many->nodes;
}

static bool compare(const struct cost *few, const struct cost *many)
{
	unsigned int kind;
	bool good = true;

	for (kind = 0; kind < KINDS; kind++) {
		if (linear(few, many, kind))
			continue;
		fprintf(stderr,
			"%s: %u messages with %u nodes and %u volumes, %u with %u and %u\n",
			kind_names[kind], median(few, kind), few->nodes, few->volumes,
			most(many, kind), many->nodes, many->volumes);
		good = false;
	}
	return good;
}

static void print_table(const struct cost *cost)
{
	printf("%5u %7u %6u %5u %10u %5u %8u %8u\n", cost->nodes, cost->volumes, median(cost, MOVE),
	       most(cost, MOVE), median(cost, TAKEOVER), most(cost, TAKEOVER), cost->states,
	       cost->bytes);
}

static void print_json(const struct cost *cost)
{
	unsigned int kind;

	for (kind = 0; kind < KINDS && cost->volumes == VOLUMES; kind++) {
		printf("{\"name\": \"messages-per-%s-%u-nodes\", ", kind_names[kind], cost->nodes);
		printf("\"median\": %u, \"max\": %u, \"runs\": %u}\n", median(cost, kind),
		       most(cost, kind), CHANGES);
	}
}

/* false: it failed, or grows faster than the number of nodes, or with that of volumes. */
bool messages_measure(bool json, bool quick)
{
	struct cost all[] = {
		{ 8, VOLUMES },	 { 8, FEW_VOLUMES }, { 16, VOLUMES },
		{ 32, VOLUMES }, { 64, VOLUMES },    { 64, FEW_VOLUMES },
	};
	struct cost some[] = { { 8, VOLUMES }, { 8, FEW_VOLUMES }, { 64, FEW_VOLUMES } };
	size_t count = (quick ? sizeof(some) : sizeof(all)) / sizeof(all[0]), i, j;
	struct cost *costs = quick ? some : all;
	bool good = true;

	if (!json)
		printf("nodes volumes   move  most   takeover  most   states of bytes\n");
	for (i = 0; i < count; i++) {
		if (!measure(&costs[i]))
			return false;
		(json ? print_json : print_table)(&costs[i]);
		fflush(stdout);
		for (j = 0; j < i; j++)
			good &= compare(&costs[j], &costs[i]);
	}
	return good;
}
