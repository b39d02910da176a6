/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reservation keys. Each node has one of its own on each LUN, and a new one for each incarnation: a
 * node that was fenced and comes back is somebody else.
 *
 *	63    48 47  40 39          20 19          0
 *	cluster  node   view           number
 *
 * cluster: lun_cluster_id(), never 0: so a key that is not of this cluster is known as such.
 * node: 1 to 255. view and number: of the incarnation as the agent counts it, which is 64 bits
 * (the view in the upper half, a number in that view in the lower), 20 bits of each. They come
 * again after a million; by then a key that was taken away is forgotten.
 */
#ifndef COVOL_LUN_KEY_H
#define COVOL_LUN_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define LUN_KEY_TEXT_LEN	72

struct lun_key {
	uint16_t cluster;
	uint8_t node;
	uint64_t incarnation;	/* that lun_key_make() makes the same key of */
};

/* From a cluster's name: never 0. */
uint16_t lun_cluster_id(const char *name);
/* @node from 1 to 255. Never 0, which is no key (SPC-4 5.12.4). */
uint64_t lun_key_make(uint16_t cluster, unsigned int node, uint64_t incarnation);
/* Whether it can be one of covol's; *parts is set if so. */
bool lun_key_parse(uint64_t key, struct lun_key *parts);
/*
 * For people: "0x3a52010000500002 (node 1, incarnation 5.2)", or what else it is. @cluster: whose
 * keys these are expected to be, 0 for any. Returns text.
 */
const char *lun_key_format(uint64_t key, uint16_t cluster, char text[LUN_KEY_TEXT_LEN]);

#endif
