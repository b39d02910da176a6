// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a file lies: FIEMAP into covol's extents.
 */
#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "layout.h"

#define SECTOR		512
#define MAX_OFFSET	((uint64_t)INT64_MAX)

/* Extents that are asked for at a time. */
#define BATCH		512

/* What the file system has, but not (or not yet) at an address where a node could read it. */
#define UNKNOWN_FLAGS	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED | \
			 FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_NOT_ALIGNED | \
			 FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_DATA_TAIL)

/* Collects extents, and gives one on when the next does not continue it. */
struct reader {
	uint64_t position;	/* everything before it has been looked at */
	uint64_t end;
	struct covol_extent pending;	/* length 0: none */
	covol_extent_fn fn;
	void *data;
};

static bool placed(uint32_t state)
{
	return state == COVOL_EXTENT_STATE_DATA || state == COVOL_EXTENT_STATE_SHARED;
}

static bool continues(const struct covol_extent *a, const struct covol_extent *b)
{
	return a->length && a->state == b->state && a->offset + a->length == b->offset &&
	       (!placed(a->state) || a->place + a->length == b->place);
}

static int flush(struct reader *reader)
{
	struct covol_extent extent = reader->pending;

	reader->pending.length = 0;
	return extent.length ? reader->fn(&extent, reader->data) : 0;
}

static int give(struct reader *reader, uint64_t end, uint32_t state, uint64_t place)
{
	struct covol_extent extent = {
		.offset	= reader->position,
		.length	= end - reader->position,
		.state	= state,
		.place	= placed(state) ? place : 0,
	};
	int result;

	reader->position = end;
	if (continues(&reader->pending, &extent)) {
		reader->pending.length += extent.length;
		return 0;
	}
	result = flush(reader);
	reader->pending = extent;
	return result;
}

static uint32_t state_of(const struct fiemap_extent *extent)
{
	if (extent->fe_flags & UNKNOWN_FLAGS ||
	    (extent->fe_logical | extent->fe_physical | extent->fe_length) % SECTOR)
		return COVOL_EXTENT_STATE_UNKNOWN;
	if (extent->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
		return COVOL_EXTENT_STATE_UNWRITTEN;
	if (extent->fe_flags & FIEMAP_EXTENT_SHARED)
		return COVOL_EXTENT_STATE_SHARED;
	return COVOL_EXTENT_STATE_DATA;
}

static uint64_t round_down(uint64_t value)
{
	return value - value % SECTOR;
}

static uint64_t round_up(uint64_t value)
{
	return round_down(value + SECTOR - 1);
}

/* One extent of the file system, with the hole before it. Only what is ahead of position counts. */
static int take(struct reader *reader, const struct fiemap_extent *extent)
{
	/* An unaligned extent covers the sectors that it touches. */
	uint64_t begin = round_down(extent->fe_logical);
	uint64_t end = round_up(extent->fe_logical + extent->fe_length);
	uint32_t state = state_of(extent);
	int result = 0;

	if (end > reader->end)
		end = reader->end;
	if (end <= reader->position)
		return 0;
	if (begin >= reader->end)
		return give(reader, reader->end, COVOL_EXTENT_STATE_HOLE, 0);

	if (begin > reader->position)
		result = give(reader, begin, COVOL_EXTENT_STATE_HOLE, 0);
	if (result)
		return result;

	if (state == COVOL_EXTENT_STATE_UNKNOWN) {
		reader->position = end;
		return flush(reader);
	}
	return give(reader, end, state, extent->fe_physical + (reader->position - begin));
}

/* Sets *more when the file system may have more extents in the range than it could give at once. */
static int take_batch(struct reader *reader, const struct fiemap *map, bool *more)
{
	uint64_t before = reader->position;
	uint32_t i;
	int result;

	*more = map->fm_mapped_extents >= map->fm_extent_count && reader->position < reader->end;
	for (i = 0; i < map->fm_mapped_extents; i++) {
		result = take(reader, &map->fm_extents[i]);
		if (result)
			return result;
		if (map->fm_extents[i].fe_flags & FIEMAP_EXTENT_LAST)
			*more = false;
	}
	/* A full answer that leads nowhere: to go on would be for ever, to stop a wrong hole. */
	return *more && reader->position == before ? -EIO : 0;
}

static int read_range(struct reader *reader, covol_fiemap_fn fiemap, void *file, struct fiemap *map)
{
	bool more = true;
	int result;

	while (more && reader->position < reader->end) {
		*map = (struct fiemap) {
			.fm_start	 = reader->position,
			.fm_length	 = reader->end - reader->position,
			.fm_extent_count = BATCH,
		};
		result = fiemap(map, file);
		if (!result)
			result = take_batch(reader, map, &more);
		if (result)
			return result;
	}
	/* After the last extent. */
	if (reader->position < reader->end) {
		result = give(reader, reader->end, COVOL_EXTENT_STATE_HOLE, 0);
		if (result)
			return result;
	}
	return flush(reader);
}

int covol_layout_read_with(covol_fiemap_fn fiemap, void *file, uint64_t offset, uint64_t length,
			   covol_extent_fn fn, void *data)
{
	struct reader reader = { .position = offset, .fn = fn, .data = data };
	struct fiemap *map;
	int result;

	if (offset % SECTOR || length % SECTOR || offset > MAX_OFFSET ||
	    length > MAX_OFFSET - offset)
		return -EINVAL;
	reader.end = offset + length;

	map = malloc(sizeof(*map) + BATCH * sizeof(map->fm_extents[0]));
	if (!map)
		return -ENOMEM;
	result = read_range(&reader, fiemap, file, map);
	free(map);
	return result;
}

static int fiemap_ioctl(struct fiemap *map, void *file)
{
	while (ioctl(*(int *)file, FS_IOC_FIEMAP, map))
		if (errno != EINTR)
			return -errno;
	return 0;
}

int covol_layout_read(int fd, uint64_t offset, uint64_t length, covol_extent_fn fn, void *data)
{
	return covol_layout_read_with(fiemap_ioctl, &fd, offset, length, fn, data);
}
