// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as the payload of a GRANT, behind the range and the sizes of object and volume. What is
 * taken is exactly what is in bounds, by the same rules in wider numbers; put into a map, it is
 * there, and nothing else is.
 */
#include <errno.h>
#include <string.h>

#include <linux/rcupdate.h>

#include "extent.h"
#include "fuzz.h"
#include "wire.h"

/* The map's stand-in takes time that grows with the square. */
#define EXTENTS	24

#define wide unsigned __int128

/* Sectors; what comes before the payload. */
struct question {
	u64 object;
	u64 volume;
	u64 start;
	u64 len;
};

/* As bytes, from the message itself. */
static bool wire_valid(const struct covol_wire_extent *wire)
{
	bool mapped = covol_state_mapped(wire->state);
	wide most = (wide)COVOL_SECTOR_MAX * COVOL_WIRE_SECTOR;

	if ((wire->offset | wire->length | wire->place) % COVOL_WIRE_SECTOR || wire->pad)
		return false;
	if (wire->state < COVOL_EXTENT_STATE_HOLE || wire->state > COVOL_EXTENT_STATE_DATA)
		return false;
	if (!wire->length || (wide)wire->offset + wire->length > most)
		return false;
	return mapped ? (wide)wire->place + wire->length <= most : !wire->place;
}

static bool in_bounds(const struct question *q, const struct covol_wire_extent *wire,
		      unsigned int nr)
{
	wide at = (wide)q->start * COVOL_WIRE_SECTOR, end = at + (wide)q->len * COVOL_WIRE_SECTOR;
	unsigned int i;

	if (!q->len || end > (wide)q->object * COVOL_WIRE_SECTOR)
		return false;
	for (i = 0; i < nr; i++) {
		if (wire[i].offset < at || (wide)wire[i].offset + wire[i].length > end)
			return false;
		at = (wide)wire[i].offset + wire[i].length;
		if (wire[i].state >= COVOL_EXTENT_STATE_SHARED &&
		    (wide)wire[i].place + wire[i].length > (wide)q->volume * COVOL_WIRE_SECTOR)
			return false;
	}
	return true;
}

/* In all of the range, sector by sector of change. */
static void check_map(struct covol_map *map, const struct question *q,
		      const struct covol_extent *ext, unsigned int nr)
{
	u64 at = q->start, end = q->start + q->len;
	struct covol_extent got;

	rcu_read_lock();
	while (at < end) {
		for (; nr && at >= ext->start + ext->len; nr--)
			ext++;
		covol_map_lookup(map, at, end - at, &got);
		must(got.start == at && got.len && got.len <= end - at);
		if (!nr || at < ext->start) {
			must(got.state == COVOL_EXTENT_STATE_UNKNOWN && !got.place);
			must(at + got.len == (nr ? ext->start : end));
		} else {
			must(got.state == ext->state);
			if (covol_state_mapped(ext->state))
				must(got.place == ext->place + (at - ext->start));
			else
				must(!got.place);
			must(at + got.len >= ext->start + ext->len);
			got.len = ext->start + ext->len - at;
		}
		at += got.len;
	}
	rcu_read_unlock();
}

static void install(const struct question *q, const struct covol_extent *ext, unsigned int nr)
{
	struct covol_map map;
	unsigned int i;

	covol_map_init(&map);
	for (i = 0; i < nr; i++)
		must(!covol_map_set(&map, &ext[i]));
	check_map(&map, q, ext, nr);
	must(map.count <= nr);
	covol_map_forget_zeroes(&map, q->start, q->len);
	for (i = 0; i < nr; i++)
		if (covol_state_zero(ext[i].state))
			break;
	if (i == nr)
		check_map(&map, q, ext, nr);
	covol_map_forget(&map, q->start, q->len);
	check_map(&map, q, ext, 0);
	must(!map.count);
	covol_map_exit(&map);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct covol_wire_extent wire[EXTENTS], again;
	struct covol_extent ext[EXTENTS];
	unsigned int i, nr;
	struct question q;
	bool good = true;
	const char *why;

	if (size < sizeof(q))
		return 0;
	memcpy(&q, data, sizeof(q));
	/* What a caller has checked: sizes and the range do not overflow. */
	q.object &= COVOL_SECTOR_MAX - 1;
	q.volume &= COVOL_SECTOR_MAX - 1;
	q.start &= COVOL_SECTOR_MAX - 1;
	q.len &= COVOL_SECTOR_MAX - 1;
	nr = (size - sizeof(q)) / sizeof(wire[0]);
	nr = nr < EXTENTS ? nr : EXTENTS;
	memcpy(wire, data + sizeof(q), nr * sizeof(wire[0]));
	for (i = 0; i < nr; i++) {
		int err = covol_wire_extent_decode(&wire[i], &ext[i]);

		must(err == 0 || err == -EPROTO);
		must(!err == wire_valid(&wire[i]));
		if (err) {
			good = false;
			continue;
		}
		covol_wire_extent_encode(&again, &ext[i]);
		must(!memcmp(&again, &wire[i], sizeof(again)));
	}
	if (!good)
		return 0;
	why = covol_extents_check(q.object, q.volume, q.start, q.len, ext, nr);
	must(!why == in_bounds(&q, wire, nr));
	if (!why)
		install(&q, ext, nr);
	return 0;
}
