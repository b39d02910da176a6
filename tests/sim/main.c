// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of the simulation, one after the other, each with a seed of its own.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim.h"

struct options {
	uint64_t seed;
	unsigned long steps;
	unsigned int nodes;
	bool no_drain;
	bool command;
	bool messages;
	bool json;
	bool quick;
};

struct run {
	uint64_t seed;
	unsigned int nodes;
	unsigned int volumes;
	bool two_node;
	bool no_drain;
	bool command;
	struct sim_choice *choices;
	size_t count;
	char violation[200];
	const char *kind;
	unsigned long steps;
};

static uint64_t next(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/*
 * How often each kind, of about a thousand; @rough: faults by far more often than they are
 * mended.
 */
static const unsigned int weights[SIM_KINDS] = {
	[SIM_DELIVER] = 450, [SIM_WORK] = 250, [SIM_LAND] = 40, [SIM_WRITE] = 100,
	[SIM_TIMER] = 40,    [SIM_CRASH] = 3,  [SIM_BOOT] = 8,	[SIM_KILL] = 2,
	[SIM_SPAWN] = 8,     [SIM_FREEZE] = 3, [SIM_THAW] = 8,	[SIM_SPLIT] = 4,
	[SIM_HEAL] = 4,	     [SIM_CUT] = 4,    [SIM_MEND] = 10, [SIM_TROUBLE] = 4,
	[SIM_DEAF] = 4,	     [SIM_HEAR] = 4,   [SIM_COMMAND] = 6,
	[SIM_WAIT] = 30,     [SIM_KILL_ALL] = 1,
};

static struct sim_choice choose(uint64_t *seed)
{
	static unsigned int total;
	struct sim_choice choice = { 0 };
	unsigned int kind, at;
	uint64_t random;

	if (!total)
		for (kind = 0; kind < SIM_KINDS; kind++)
			total += weights[kind];
	random = next(seed);
	at = random % total;
	for (kind = 0; at >= weights[kind]; kind++)
		at -= weights[kind];
	choice.kind = kind;
	choice.node = random >> 24;
	choice.volume = (random >> 32) & 0xff;
	choice.arg = next(seed);
	return choice;
}

/* The choices of a run; with @kept only those of them. @show: say which, and how it ended. */
static void run_choices(struct run *run, const bool *kept, bool show)
{
	struct sim sim;
	size_t i;

	sim_init(&sim, run->nodes, run->volumes, run->two_node);
	sim.drain = !run->no_drain;
	sim.command = run->command;
	for (i = 0; i < run->count && !sim.violation[0]; i++)
		if ((!kept || kept[i]) && sim_apply(&sim, &run->choices[i]) && show)
			sim_print(&sim, &run->choices[i]);
	if (!sim.violation[0])
		sim_settle(&sim);
	if (!sim.violation[0])
		sim_unreached(&sim);
	strcpy(run->violation, sim.violation);
	run->kind = sim.kind;
	run->steps = sim.steps;
	if (show)
		sim_dump(&sim);
	sim_exit(&sim);
}

/* Mostly few nodes: there everything happens to each. */
static void run_make(struct run *run, uint64_t seed, const struct options *options)
{
	static const unsigned int sizes[] = { 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 8 };
	uint64_t state = seed;
	size_t i;

	memset(run, 0, sizeof(*run));
	run->seed = seed;
	run->no_drain = options->no_drain;
	run->nodes = sizes[next(&state) % (sizeof(sizes) / sizeof(sizes[0]))];
	if (next(&state) % 40 == 0)
		run->nodes = 9 + next(&state) % (OWN_NODES - 8);
	if (run->nodes > options->nodes)
		run->nodes = options->nodes;
	run->two_node = run->nodes == 2 && next(&state) % 2;
	run->volumes = 1 + next(&state) % (run->nodes < 5 ? 3 : SIM_VOLUMES);
	run->count = 1000 + 600 * run->nodes;
	run->choices = malloc(run->count * sizeof(*run->choices));
	for (i = 0; i < run->count; i++)
		run->choices[i] = choose(&state);
	run->command = options->command || next(&state) % 3 == 0;
}

/* As few of the choices as still end in a violation of that kind. */
static void shorten(struct run *run)
{
	bool *kept = malloc(run->count);
	const char *kind = run->kind;
	size_t size, at, i;
	bool again;

	memset(kept, 1, run->count);
	for (size = run->count; size; size = again && size == 1 ? 1 : size / 2) {
		again = false;
		for (at = 0; at < run->count; at += size) {
			bool any = false, *saved = malloc(run->count);

			memcpy(saved, kept, run->count);
			for (i = at; i < at + size && i < run->count; i++) {
				any |= kept[i];
				kept[i] = false;
			}
			if (any)
				run_choices(run, kept, false);
			if (any && run->kind == kind)
				again = true;
			else
				memcpy(kept, saved, run->count);
			free(saved);
		}
	}
	printf("# the shortest trace, after which all is repaired:\n");
	run_choices(run, kept, true);
	printf("# %s\n", run->violation);
	free(kept);
}

static void report(struct run *run)
{
	printf("not ok - %u nodes%s%s, %u volumes: %s\n", run->nodes,
	       run->two_node ? ", two-node" : "", run->command ? ", fenced by command" : "",
	       run->volumes, run->violation);
	printf("# again: make sim SEED=%llu STEPS=1 NODES=%u\n", (unsigned long long)run->seed,
	       run->nodes);
	shorten(run);
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: sim [--seed N] [--steps N] [--nodes N] [--no-drain] [--command]\n"
		"       sim --messages [--json] [--quick]\n"
		"  --seed N     of the first run; the others count on from there (default: a new one)\n"
		"  --steps N    how many at least, in all runs together (default: 1000000)\n"
		"  --nodes N    at most so many (default: 64)\n"
		"  --no-drain   fencing does not drain: this must find a failure\n"
		"  --command    in all runs, not in some, the LUN knows no keys, and who is fenced is switched off\n"
		"  --messages   how many of the group a change of coordinator takes, with 8 to 64 nodes;\n"
		"               fails if they grow faster than the nodes, or with the volumes\n"
		"  --json       an object a line\n"
		"  --quick      not with all of these numbers of nodes and volumes\n");
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longopts[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "steps", required_argument, NULL, 'n' },
		{ "nodes", required_argument, NULL, 'm' },
		{ "no-drain", no_argument, NULL, 'd' },
		{ "command", no_argument, NULL, 'c' },
		{ "messages", no_argument, NULL, 'g' },
		{ "json", no_argument, NULL, 'j' },
		{ "quick", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (opt) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			options->steps = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			options->nodes = strtoul(optarg, NULL, 0);
			break;
		case 'd':
			options->no_drain = true;
			break;
		case 'c':
			options->command = true;
			break;
		case 'g':
			options->messages = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'q':
			options->quick = true;
			break;
		default:
			usage(opt == 'h' ? stdout : stderr);
			exit(opt == 'h' ? 0 : 2);
		}
	}
	if (optind < argc || !options->nodes || options->nodes > OWN_NODES) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options options = {
		.seed = (uint64_t)time(NULL) * 1000003,
		.steps = 1000000,
		.nodes = OWN_NODES,
	};
	unsigned long steps = 0, passed = 0;
	time_t start = time(NULL);
	struct run run;

	parse(argc, argv, &options);
	if (options.messages)
		return messages_measure(options.json, options.quick) ? 0 : 1;
	printf("# seed %llu\n", (unsigned long long)options.seed);
	fflush(stdout);
	while (steps < options.steps) {
		run_make(&run, options.seed++, &options);
		run_choices(&run, NULL, false);
		steps += run.steps;
		if (run.violation[0]) {
			report(&run);
			free(run.choices);
			printf("%lu passed, 1 failed\n", passed);
			return 1;
		}
		passed++;
		free(run.choices);
	}
	printf("# %lu steps in %lu runs, %ld s\n", steps, passed, (long)(time(NULL) - start));
	printf("%lu passed, 0 failed\n", passed);
	return 0;
}
