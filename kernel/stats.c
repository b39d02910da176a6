// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters. See stats.h.
 */
#include <linux/cpumask.h>
#include <linux/string.h>

#include "stats.h"

/**
 * covol_stats_sum() - add up the counters of all CPUs
 * @stats: the counters
 * @sum: filled in; each counter is exact, but they are not from one moment
 */
void covol_stats_sum(struct covol_stats __percpu *stats,
		     struct covol_stats *sum)
{
	int cpu, way;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct covol_stats *one = per_cpu_ptr(stats, cpu);

		for (way = 0; way < COVOL_WAYS; way++) {
			sum->way[way].reads += one->way[way].reads;
			sum->way[way].read_bytes += one->way[way].read_bytes;
			sum->way[way].writes += one->way[way].writes;
			sum->way[way].write_bytes += one->way[way].write_bytes;
			sum->way[way].others += one->way[way].others;
		}
	}
}
