/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of an object, per CPU: the ways that its I/O took, how long what was
 * redirected or served took, and messages about its layouts.
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

/* What is timed. The direct way is not: device mapper can do that (@stats). */
enum covol_timed {
	COVOL_TIMED_FS,		/* redirected, from its way to its end */
	COVOL_TIMED_BLOCK,
	COVOL_TIMED_SERVED,	/* requests of peers, from header to answer */
	COVOL_TIMED,
};

/**
 * struct covol_latency - what has ended, and how long it took
 * @reads: reads
 * @read_ns: sum of their times
 * @writes: writes
 * @write_ns: sum of their times
 * @others: flushes, discards, write-zeroes
 * @other_ns: sum of their times
 */
struct covol_latency {
	u64	reads;
	u64	read_ns;
	u64	writes;
	u64	write_ns;
	u64	others;
	u64	other_ns;
};

/* In the order of the attributes of netlink. */
enum covol_layout_message {
	COVOL_GRANTS_SENT,
	COVOL_GRANTS_RECEIVED,
	COVOL_RECALLS_SENT,
	COVOL_RECALLS_RECEIVED,
	COVOL_LAYOUT_MESSAGES,
};

struct covol_stats {
	struct covol_io_stat	way[COVOL_WAYS];
	struct covol_latency	latency[COVOL_TIMED];
	u64			layout[COVOL_LAYOUT_MESSAGES];
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

void covol_stats_took(struct covol_stats __percpu *stats,
		      enum covol_timed what, u8 opcode, u64 ns);
void covol_stats_sum(struct covol_stats __percpu *stats,
		     struct covol_stats *sum);

#endif /* COVOL_STATS_H */
