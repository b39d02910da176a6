/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of the ways that an object's I/O took, per CPU.
 */
#ifndef COVOL_STATS_H
#define COVOL_STATS_H

#include <linux/blk_types.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* The way that a bio took; counted when it is chosen. */
enum covol_way {
	COVOL_WAY_DIRECT,
	COVOL_WAY_FS_REDIRECTED,
	COVOL_WAY_BLOCK_REDIRECTED,
	COVOL_WAY_ZERO_FILLED,
	COVOL_WAY_HELD,
	COVOL_WAYS,
};

/**
 * struct covol_io_stat - counters of one way
 * @reads: read bios
 * @read_bytes: their bytes
 * @writes: write bios
 * @write_bytes: their bytes
 * @others: flushes, discards, write-zeroes
 */
struct covol_io_stat {
	u64	reads;
	u64	read_bytes;
	u64	writes;
	u64	write_bytes;
	u64	others;
};

struct covol_stats {
	struct covol_io_stat	way[COVOL_WAYS];
};

static inline void covol_stats_count(struct covol_stats __percpu *stats,
				     enum covol_way way, enum req_op op,
				     unsigned int bytes)
{
	if (op == REQ_OP_READ) {
		this_cpu_inc(stats->way[way].reads);
		this_cpu_add(stats->way[way].read_bytes, bytes);
	} else if (op == REQ_OP_WRITE && bytes) {
		this_cpu_inc(stats->way[way].writes);
		this_cpu_add(stats->way[way].write_bytes, bytes);
	} else {
		this_cpu_inc(stats->way[way].others);
	}
}

void covol_stats_sum(struct covol_stats __percpu *stats,
		     struct covol_stats *sum);

#endif /* COVOL_STATS_H */
