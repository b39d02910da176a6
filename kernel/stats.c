// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters. See stats.h.
 */
#include <linux/cpumask.h>
#include <linux/string.h>

#include "stats.h"
#include "wire.h"

/**
 * covol_stats_took() - something that is timed has ended
 * @stats: the object's counters
 * @what: what it was
 * @opcode: what it did, COVOL_OP_*
 * @ns: how long it took
 *
 * Context: any.
 */
void covol_stats_took(struct covol_stats __percpu *stats,
		      enum covol_timed what, u8 opcode, u64 ns)
{
	switch (opcode) {
	case COVOL_OP_READ:
		this_cpu_inc(stats->latency[what].reads);
		this_cpu_add(stats->latency[what].read_ns, ns);
		break;
	case COVOL_OP_WRITE:
		this_cpu_inc(stats->latency[what].writes);
		this_cpu_add(stats->latency[what].write_ns, ns);
		break;
	default:
		this_cpu_inc(stats->latency[what].others);
		this_cpu_add(stats->latency[what].other_ns, ns);
	}
}

/**
 * covol_stats_sum() - add up the counters of all CPUs
 * @stats: the counters
 * @sum: filled in; each counter is exact, but they are not from one moment
 */
void covol_stats_sum(struct covol_stats __percpu *stats,
		     struct covol_stats *sum)
{
	unsigned int cpu, i;
	u64 *to = (u64 *)sum;

	/* nothing but counters */
	BUILD_BUG_ON(sizeof(*sum) % sizeof(*to));
	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const u64 *from = (const u64 *)per_cpu_ptr(stats, cpu);

		for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
			to[i] += from[i];
	}
}
