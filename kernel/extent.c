// SPDX-License-Identifier: GPL-2.0-only
/*
 * The extent map. See extent.h.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "extent.h"

/*
 * An entry is xa_mk_value(): 63 bits. The lowest two are the state less one
 * (unknown is never stored), the rest is place minus start, made positive.
 */
#define STATE_BITS	2
#define STATE_MASK	((1ul << STATE_BITS) - 1)
#define SHIFT_BIAS	COVOL_SECTOR_MAX

/* Extents that are replaced at once. */
#define STORE_MAX	1024u

static_assert(sizeof(unsigned long) == 8, "covol needs a 64-bit kernel");
static_assert(COVOL_EXTENT_STATE_HOLE == 1 && COVOL_EXTENT_STATE_DATA == 4);

/*
 * MT_FLAGS_ALLOC_RANGE is for its other internal nodes: those without it keep
 * their metadata in the last slot, and in 6.1 as in 6.12 mt_free_walk() takes
 * that for a child when a subtree with a full node is freed under RCU.
 */
#define TREE_FLAGS	(MT_FLAGS_USE_RCU | MT_FLAGS_ALLOC_RANGE)

static void *to_entry(const struct covol_extent *ext)
{
	u64 shift = 0;

	if (covol_state_mapped(ext->state))
		shift = ext->place + SHIFT_BIAS - ext->start;
	return xa_mk_value(shift << STATE_BITS | (ext->state - 1));
}

static void from_entry(void *entry, u64 start, u64 last,
		       struct covol_extent *ext)
{
	unsigned long value = xa_to_value(entry);

	ext->start = start;
	ext->len = last - start + 1;
	ext->state = (value & STATE_MASK) + 1;
	ext->place = covol_state_mapped(ext->state) ?
		     (value >> STATE_BITS) + start - SHIFT_BIAS : 0;
}

/**
 * covol_map_init() - make an empty map
 * @map: the map; every sector is unknown
 */
void covol_map_init(struct covol_map *map)
{
	mt_init_flags(&map->tree, TREE_FLAGS);
	mutex_init(&map->lock);
	map->count = 0;
}

/**
 * covol_map_exit() - free what a map holds
 * @map: the map; nobody else may use it any more
 */
void covol_map_exit(struct covol_map *map)
{
	/* the tree would free millions of extents under its spinlock */
	if (map->count > STORE_MAX)
		covol_map_forget(map, 0, COVOL_SECTOR_MAX);
	mtree_destroy(&map->tree);
	mutex_destroy(&map->lock);
}

/**
 * covol_extent_valid() - is an extent from outside in bounds?
 * @ext: state, range and place, in sectors
 *
 * Return: whether its state is one that can be stored, its length is not
 * zero, and no sum of its fields can overflow.
 */
bool covol_extent_valid(const struct covol_extent *ext)
{
	if (ext->state < COVOL_EXTENT_STATE_HOLE ||
	    ext->state > COVOL_EXTENT_STATE_DATA)
		return false;
	if (!ext->len || ext->len > COVOL_SECTOR_MAX ||
	    ext->start > COVOL_SECTOR_MAX - ext->len)
		return false;
	if (!covol_state_mapped(ext->state))
		return !ext->place;
	return ext->place <= COVOL_SECTOR_MAX - ext->len;
}

/**
 * covol_extents_check() - does a list of extents from outside fit?
 * @object: sectors of the object
 * @volume: sectors of the volume's data
 * @start: first sector of the range that they describe
 * @len: sectors; start + len does not overflow
 * @ext: the extents
 * @nr: how many
 *
 * Return: NULL, or what is wrong.
 */
const char *covol_extents_check(u64 object, u64 volume, u64 start, u64 len,
				const struct covol_extent *ext, unsigned int nr)
{
	u64 end = start + len, at = start;
	unsigned int i;

	if (!len || start > object || len > object - start)
		return "range ends past the object";
	for (i = 0; i < nr; i++, ext++) {
		if (!covol_extent_valid(ext))
			return "extent is not valid";
		if (ext->start < at)
			return "extents overlap, or begin before the range";
		at = ext->start + ext->len;
		if (at > end)
			return "extent ends past the range";
		if (covol_state_mapped(ext->state) &&
		    ext->place + ext->len > volume)
			return "extent lies past the volume's end";
	}
	return NULL;
}

/**
 * covol_map_lookup() - what is at a sector?
 * @map: the map
 * @sector: where
 * @max_len: sectors that the caller is interested in, at least 1
 * @ext: filled in with the extent from @sector on, at most @max_len long;
 *	 state unknown where the map has nothing
 *
 * Context: process context, in an RCU read-side section; does not sleep. (In
 * 6.1 a lookup that interrupts a writer on its own CPU would wait for it.)
 */
void covol_map_lookup(struct covol_map *map, u64 sector, u64 max_len,
		      struct covol_extent *ext)
{
	MA_STATE(mas, &map->tree, sector, sector);
	void *entry = mas_walk(&mas);
	u64 last = min_t(u64, mas.last, sector + max_len - 1);

	if (entry) {
		from_entry(entry, sector, last, ext);
		return;
	}
	ext->start = sector;
	ext->len = last - sector + 1;
	ext->place = 0;
	ext->state = COVOL_EXTENT_STATE_UNKNOWN;
}

/**
 * covol_map_next() - find the first extent that ends after a sector
 * @map: the map
 * @sector: where to begin
 * @ext: filled in with the whole extent
 *
 * Return: whether there is one.
 */
bool covol_map_next(struct covol_map *map, u64 sector, struct covol_extent *ext)
{
	MA_STATE(mas, &map->tree, sector, sector);
	void *entry;

	rcu_read_lock();
	entry = mas_find(&mas, ULONG_MAX);
	if (entry)
		from_entry(entry, mas.index, mas.last, ext);
	rcu_read_unlock();
	return entry;
}

static u64 count_entries(struct covol_map *map, u64 first, u64 last)
{
	MA_STATE(mas, &map->tree, first, first);
	u64 count = 0;

	rcu_read_lock();
	while (mas_find(&mas, last))
		count++;
	rcu_read_unlock();
	return count;
}

/* The neighbour at @sector, if it continues the run that @entry describes. */
static bool same_run(struct covol_map *map, u64 sector, void *entry,
		     u64 *first, u64 *last)
{
	MA_STATE(mas, &map->tree, sector, sector);
	bool same;

	rcu_read_lock();
	same = mas_walk(&mas) == entry;
	if (same) {
		*first = min_t(u64, *first, mas.index);
		*last = max_t(u64, *last, mas.last);
	}
	rcu_read_unlock();
	return same;
}

/*
 * Store @entry over a range. Only a store that ends in failure leaves the old
 * entries in place; the caller decides what that means.
 */
static int store(struct covol_map *map, u64 first, u64 last, void *entry)
{
	u64 from = first ? first - 1 : 0, to = last + 1;
	u64 before;
	int err;

	lockdep_assert_held(&map->lock);
	before = count_entries(map, from, to);
	if (entry && first)
		same_run(map, first - 1, entry, &first, &last);
	if (entry)
		same_run(map, last + 1, entry, &first, &last);
	err = mtree_store_range(&map->tree, first, last, entry, GFP_NOIO);
	if (!err)
		map->count += count_entries(map, from, to) - before;
	return err;
}

/*
 * The end of the part of [first, last] that one store may replace. Nobody gets
 * the CPU while the entries under a store are counted and their nodes freed.
 */
static u64 store_end(struct covol_map *map, u64 first, u64 last)
{
	MA_STATE(mas, &map->tree, first, first);
	unsigned int nr = 0;

	rcu_read_lock();
	while (nr < STORE_MAX && mas_find(&mas, last))
		nr++;
	rcu_read_unlock();
	return nr == STORE_MAX ? min_t(u64, mas.last, last) : last;
}

/* The map is only a cache of what the file system knows: dropping all of it
 * is always right, and needs no memory.
 */
static void forget_all(struct covol_map *map)
{
	lockdep_assert_held(&map->lock);
	mtree_destroy(&map->tree);
	/* 6.1 forgets the flags with it; readers look at the root only */
	mt_init_flags(&map->tree, TREE_FLAGS);
	map->count = 0;
}

/* Piece by piece: what is left of the range is right as long as it is there. */
static void forget_range(struct covol_map *map, u64 first, u64 last)
{
	u64 end;

	lockdep_assert_held(&map->lock);
	for (; first <= last; first = end + 1) {
		end = store_end(map, first, last);
		if (store(map, first, end, NULL)) {
			forget_all(map);
			return;
		}
		cond_resched();
	}
}

/**
 * covol_map_set() - set the state of a range
 * @map: the map
 * @ext: a valid extent; what the map had there is replaced
 *
 * Of what has very many extents there are readers may meanwhile see that it is
 * unknown.
 *
 * Context: may sleep; does not start I/O for memory.
 *
 * Return: 0, or -ENOMEM: then the range is as before, or unknown.
 */
int covol_map_set(struct covol_map *map, const struct covol_extent *ext)
{
	u64 last = ext->start + ext->len - 1;
	int err;

	mutex_lock(&map->lock);
	if (store_end(map, ext->start, last) < last)
		forget_range(map, ext->start, last);
	err = store(map, ext->start, last, to_entry(ext));
	mutex_unlock(&map->lock);
	return err;
}

/**
 * covol_map_forget() - make a range unknown
 * @map: the map
 * @start: first sector
 * @len: sectors, at least 1
 *
 * Without memory to split an extent all of the map is forgotten. Readers that
 * looked before may still act on what they saw: who needs to know that they
 * have ended drains them (see layout.c).
 *
 * Context: may sleep; does not start I/O for memory.
 */
void covol_map_forget(struct covol_map *map, u64 start, u64 len)
{
	mutex_lock(&map->lock);
	forget_range(map, start, start + len - 1);
	mutex_unlock(&map->lock);
}

/**
 * covol_map_forget_zeroes() - make what reads as zeroes in a range unknown
 * @map: the map
 * @start: first sector
 * @len: sectors, at least 1
 *
 * For a write through the coordinator: it has filled the holes of its range.
 *
 * Context: may sleep; does not start I/O for memory.
 */
void covol_map_forget_zeroes(struct covol_map *map, u64 start, u64 len)
{
	u64 at = start, end = start + len;
	struct covol_extent ext;

	mutex_lock(&map->lock);
	while (covol_map_next(map, at, &ext) && ext.start < end) {
		at = ext.start + ext.len;
		if (!covol_state_zero(ext.state))
			continue;
		if (store(map, max(ext.start, start), min(at, end) - 1, NULL)) {
			forget_all(map);
			break;
		}
		cond_resched();
	}
	mutex_unlock(&map->lock);
}
