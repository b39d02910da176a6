// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands about extent maps.
 */
#include <errno.h>
#include <inttypes.h>

#include "request.h"

/* What one extent takes in a message: its nest, three 64-bit numbers and a 32-bit one. */
#define EXTENT_BYTES	64

static int set_piece(struct covol *c, const struct covol_map *map)
{
	struct covol_request req;
	size_t i;

	covol_request_begin(c, &req, COVOL_CMD_MAP_SET, map->count * EXTENT_BYTES, &map->uuid);
	covol_request_about(&req, ", object %" PRIu64, map->object);
	if (map->peer)
		covol_request_about(&req, ", for node %" PRIu32, map->peer);
	covol_request_put_u64(&req, COVOL_A_MAP_OBJECT, map->object);
	if (map->peer)
		covol_request_put_u32(&req, COVOL_A_MAP_PEER, map->peer);
	if (map->with_seq)
		covol_request_put_u64(&req, COVOL_A_MAP_SEQ, map->seq);
	covol_request_put_u64(&req, COVOL_A_MAP_OFFSET, map->offset);
	covol_request_put_u64(&req, COVOL_A_MAP_LENGTH, map->length);
	for (i = 0; i < map->count; i++)
		covol_request_put_extent(&req, COVOL_A_MAP_EXTENT, &map->extents[i]);
	return covol_request_run(&req);
}

/* What cannot be cut into pieces sensibly is sent as it is, for the kernel to refuse. */
static bool can_be_cut(const struct covol_map *map, uint64_t cut)
{
	return cut > map->offset && cut - map->offset < map->length;
}

int covol_map_set(struct covol *c, const struct covol_map *map)
{
	struct covol_map rest = *map, piece;
	int error;

	while (rest.count > COVOL_MAP_MESSAGE_EXTENTS) {
		/* A piece reaches to where the first extent of the next one begins. */
		uint64_t cut = rest.extents[COVOL_MAP_MESSAGE_EXTENTS].offset;

		if (!can_be_cut(&rest, cut))
			return covol_fail(c, -EINVAL, "map-set, object %" PRIu64 ", extent at %"
					  PRIu64 ": not in ascending order within the range",
					  map->object, cut);

		piece = rest;
		piece.length = cut - rest.offset;
		piece.count = COVOL_MAP_MESSAGE_EXTENTS;
		error = set_piece(c, &piece);
		if (error)
			return error;

		rest.offset += piece.length;
		rest.length -= piece.length;
		rest.extents += piece.count;
		rest.count -= piece.count;
	}
	return set_piece(c, &rest);
}

int covol_map_clear(struct covol *c, const struct covol_uuid *uuid, uint64_t object,
		    uint64_t offset, uint64_t length)
{
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_MAP_CLEAR, 0, uuid);
	covol_request_about(&req, ", object %" PRIu64, object);
	covol_request_put_u64(&req, COVOL_A_MAP_OBJECT, object);
	covol_request_put_u64(&req, COVOL_A_MAP_OFFSET, offset);
	covol_request_put_u64(&req, COVOL_A_MAP_LENGTH, length);
	return covol_request_run(&req);
}

struct extents {
	covol_extent_fn fn;
	void *data;
};

static int give_extent(struct nlattr *nest, const struct extents *extents)
{
	static const struct nla_policy policy[COVOL_A_EXTENT_MAX + 1] = {
		[COVOL_A_EXTENT_OFFSET]	= { .type = NLA_U64 },
		[COVOL_A_EXTENT_LENGTH]	= { .type = NLA_U64 },
		[COVOL_A_EXTENT_STATE]	= { .type = NLA_U32 },
		[COVOL_A_EXTENT_PLACE]	= { .type = NLA_U64 },
	};
	struct nlattr *attributes[COVOL_A_EXTENT_MAX + 1];
	struct covol_extent extent;

	if (nla_parse_nested(attributes, COVOL_A_EXTENT_MAX, nest, policy) ||
	    !attributes[COVOL_A_EXTENT_OFFSET] || !attributes[COVOL_A_EXTENT_LENGTH])
		return -EBADMSG;

	extent = (struct covol_extent) {
		.offset	= covol_get_u64(attributes, COVOL_A_EXTENT_OFFSET),
		.length	= covol_get_u64(attributes, COVOL_A_EXTENT_LENGTH),
		.state	= covol_get_u32(attributes, COVOL_A_EXTENT_STATE),
		.place	= covol_get_u64(attributes, COVOL_A_EXTENT_PLACE),
	};
	return extents->fn(&extent, extents->data);
}

/*
 * A message brings any number of extents under the same attribute. libnl's table of attributes
 * holds the last of them only, so walk from the first attribute, which is the uuid.
 */
static int on_extents(struct nlattr **attributes, void *data)
{
	struct nlattr *last = attributes[COVOL_A_MAP_EXTENT];
	struct nlattr *attribute = attributes[COVOL_A_MAP_UUID];
	int result;

	if (!attribute)
		return -EBADMSG;
	for (; last && attribute <= last; attribute = (struct nlattr *)
	     ((char *)attribute + nla_total_size(nla_len(attribute)))) {
		if (nla_type(attribute) != COVOL_A_MAP_EXTENT)
			continue;
		result = give_extent(attribute, data);
		if (result)
			return result;
	}
	return 0;
}

static int keep_extent(const struct covol_extent *extent, void *data)
{
	*(struct covol_extent *)data = *extent;
	return 0;
}

int covol_map_get(struct covol *c, const struct covol_uuid *uuid, uint64_t object, uint64_t offset,
		  struct covol_extent *extent)
{
	struct extents extents = { .fn = keep_extent, .data = extent };
	struct covol_request req;

	extent->length = 0;
	covol_request_begin(c, &req, COVOL_CMD_MAP_GET, 0, uuid);
	covol_request_about(&req, ", object %" PRIu64 ", offset %" PRIu64, object, offset);
	covol_request_put_u64(&req, COVOL_A_MAP_OBJECT, object);
	covol_request_put_u64(&req, COVOL_A_MAP_OFFSET, offset);
	req.answer = on_extents;
	req.data = &extents;
	return covol_request_run_get(&req);
}

int covol_map_dump(struct covol *c, const struct covol_uuid *uuid, uint64_t object,
		   covol_extent_fn fn, void *data)
{
	struct extents extents = { .fn = fn, .data = data };
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_MAP_GET, 0, uuid);
	covol_request_about(&req, ", object %" PRIu64, object);
	covol_request_put_u64(&req, COVOL_A_MAP_OBJECT, object);
	req.answer = on_extents;
	req.data = &extents;
	return covol_request_run_dump(&req);
}
