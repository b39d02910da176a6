/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The extent map of one object: which sectors are in which state, and where
 * on the LUN they lie. What the map does not cover is unknown.
 *
 * Readers are lock-free and do not sleep; writers may. An entry of
 * the maple tree holds state and the distance from object to LUN sector, so
 * that splitting an extent needs no new value, and neighbours that continue
 * each other have the same value and are merged.
 *
 * Pure: also compiled in user space.
 */
#ifndef COVOL_EXTENT_H
#define COVOL_EXTENT_H

#include <linux/bits.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <uapi/linux/covol.h>

/* Sectors and places end here, so that no sum of two can overflow. */
#define COVOL_SECTOR_MAX	BIT_ULL(54)

/**
 * struct covol_extent - a run of sectors of an object with one state
 * @start: first sector in the object
 * @len: sectors
 * @place: first sector in the volume's data, for data and shared; else 0
 * @state: enum covol_extent_state
 */
struct covol_extent {
	u64	start;
	u64	len;
	u64	place;
	u32	state;
};

/**
 * struct covol_map - the extents of one object
 * @tree: indexed by sector; read under RCU
 * @lock: serialises writers
 * @count: extents in @tree; written under @lock
 */
struct covol_map {
	struct maple_tree	tree;
	/* serialises writers */
	struct mutex		lock;
	u64			count;
};

void covol_map_init(struct covol_map *map);
void covol_map_exit(struct covol_map *map);
bool covol_extent_valid(const struct covol_extent *ext);
const char *covol_extents_check(u64 object, u64 volume, u64 start, u64 len,
				const struct covol_extent *ext,
				unsigned int nr);
void covol_map_lookup(struct covol_map *map, u64 sector, u64 max_len,
		      struct covol_extent *ext);
bool covol_map_next(struct covol_map *map, u64 sector, struct covol_extent *ext);
int covol_map_set(struct covol_map *map, const struct covol_extent *ext);
void covol_map_forget(struct covol_map *map, u64 start, u64 len);
void covol_map_forget_zeroes(struct covol_map *map, u64 start, u64 len);

/* Has an extent in this state a place on the LUN? */
static inline bool covol_state_mapped(u32 state)
{
	return state == COVOL_EXTENT_STATE_DATA ||
	       state == COVOL_EXTENT_STATE_SHARED;
}

/* Does an extent in this state read as zeroes? */
static inline bool covol_state_zero(u32 state)
{
	return state == COVOL_EXTENT_STATE_HOLE ||
	       state == COVOL_EXTENT_STATE_UNWRITTEN;
}

#endif /* COVOL_EXTENT_H */
