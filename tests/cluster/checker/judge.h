/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each sector may hold, and whether what was read is that.
 *
 * An operation begins when it is told to a node and ends when the node's answer has arrived, so
 * "before" is true whatever the nodes' clocks say. Of the operations that change a sector only one
 * is under way at a time, or more if their nodes were lost and have been fenced since.
 *
 * A read may see
 *	- what the last acknowledged write or write-zeroes has left, or any that was not
 *	  acknowledged (under way, failed, its node lost) and began after that,
 *	- zeroes of a discard, whether acknowledged or not, or what was there before it,
 *	- nothing older than what another read has seen that ended before this one began.
 * The last rule is suspended by a crash of the coordinator: what was seen but not acknowledged may
 * be gone then.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define NODES_MAX	16

struct judge;

struct judge *judge_create(uint64_t size, FILE *complaints);

/* Operations; what is one of the letters of node.c. */
void judge_begin(struct judge *judge, char what, uint32_t seq, unsigned int node, uint64_t offset,
		 uint64_t length);
void judge_end(struct judge *judge, uint32_t seq);
void judge_fail(struct judge *judge, uint32_t seq, int err);
void judge_read(struct judge *judge, uint32_t seq, const char *values);

/* Events */
void judge_lost(struct judge *judge, unsigned int node);
void judge_fenced(struct judge *judge, unsigned int node);
void judge_crash(struct judge *judge);

/*
 * A snapshot of the image, taken between the first two. What it has, read later by operations 'p',
 * is judged by the third: it must be of one moment. If it has a write, it has all that was
 * acknowledged before that began; and nothing that began after it was taken.
 */
void judge_snapshot_begin(struct judge *judge);
void judge_snapshot_taken(struct judge *judge);
void judge_snapshot(struct judge *judge);

/* May an operation that changes this range begin? */
bool judge_room(const struct judge *judge, char what, uint64_t offset, uint64_t length);
unsigned int judge_under_way(const struct judge *judge, int node);
uint64_t judge_wrong(const struct judge *judge);

/* A line of the log: the same as calling one of the above. False: it is none. */
bool judge_line(struct judge *judge, const char *line);

#endif
