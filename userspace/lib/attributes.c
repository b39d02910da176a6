// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The attribute sets of Documentation/netlink/specs/covol.yaml: what libcovol accepts from the
 * kernel, and the names under which attributes appear in error lines.
 */
#include "request.h"

#define SET(noun, NOUN)								\
	const struct covol_attribute_set covol_##noun##_set_of_attributes = {	\
		.policy	= noun##_policy,					\
		.names	= noun##_names,						\
		.max	= COVOL_A_##NOUN##_MAX,					\
	}

#define UUID	{ .minlen = COVOL_UUID_LEN, .maxlen = COVOL_UUID_LEN }

static const struct nla_policy volume_policy[COVOL_A_VOLUME_MAX + 1] = {
	[COVOL_A_VOLUME_UUID]		= UUID,
	[COVOL_A_VOLUME_NODE]		= { .type = NLA_U32 },
	[COVOL_A_VOLUME_ROLE]		= { .type = NLA_U32 },
	[COVOL_A_VOLUME_EPOCH]		= { .type = NLA_U64 },
	[COVOL_A_VOLUME_ROUTE]		= { .type = NLA_U32 },
	[COVOL_A_VOLUME_REASONS]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_COORDINATOR]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_REDIRECT_PEER]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_LUN_MAJOR]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_LUN_MINOR]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_LUN_OFFSET]	= { .type = NLA_U64 },
	[COVOL_A_VOLUME_SIZE]		= { .type = NLA_U64 },
	[COVOL_A_VOLUME_CHUNK_SIZE]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_HELD]		= { .type = NLA_U64 },
	[COVOL_A_VOLUME_IMAGES]		= { .type = NLA_U32 },
	[COVOL_A_VOLUME_SESSIONS]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_DEVICES]	= { .type = NLA_U32 },
	[COVOL_A_VOLUME_HOLDS]		= { .type = NLA_U64 },
	[COVOL_A_VOLUME_RELEASES]	= { .type = NLA_U64 },
	[COVOL_A_VOLUME_REPLAYS]	= { .type = NLA_U64 },
	[COVOL_A_VOLUME_SESSIONS_LOST]	= { .type = NLA_U64 },
};

static const char *const volume_names[COVOL_A_VOLUME_MAX + 1] = {
	[COVOL_A_VOLUME_UUID]		= "uuid",
	[COVOL_A_VOLUME_NODE]		= "node",
	[COVOL_A_VOLUME_ROLE]		= "role",
	[COVOL_A_VOLUME_EPOCH]		= "epoch",
	[COVOL_A_VOLUME_ROUTE]		= "route",
	[COVOL_A_VOLUME_COORDINATOR]	= "coordinator",
	[COVOL_A_VOLUME_REDIRECT_PEER]	= "redirect-peer",
	[COVOL_A_VOLUME_LUN_FD]		= "lun-fd",
	[COVOL_A_VOLUME_LUN_OFFSET]	= "lun-offset",
	[COVOL_A_VOLUME_SIZE]		= "size",
	[COVOL_A_VOLUME_CHUNK_SIZE]	= "chunk-size",
};

SET(volume, VOLUME);

static const struct nla_policy image_policy[COVOL_A_IMAGE_MAX + 1] = {
	[COVOL_A_IMAGE_UUID]		= UUID,
	[COVOL_A_IMAGE_ID]		= { .type = NLA_U64 },
	[COVOL_A_IMAGE_SIZE]		= { .type = NLA_U64 },
	[COVOL_A_IMAGE_SERVED]		= { .type = NLA_FLAG },
	[COVOL_A_IMAGE_SHARING]		= { .type = NLA_FLAG },
	[COVOL_A_IMAGE_EXTENTS]		= { .type = NLA_U64 },
	[COVOL_A_IMAGE_LAYOUT_SEQ]	= { .type = NLA_U64 },
	[COVOL_A_IMAGE_HOLDERS]		= { .type = NLA_U32 },
	[COVOL_A_IMAGE_DEVICES]		= { .type = NLA_U32 },
	[COVOL_A_IMAGE_DIRECT]		= { .type = NLA_NESTED },
	[COVOL_A_IMAGE_FS_REDIRECTED]	= { .type = NLA_NESTED },
	[COVOL_A_IMAGE_BLOCK_REDIRECTED] = { .type = NLA_NESTED },
	[COVOL_A_IMAGE_ZERO_FILLED]	= { .type = NLA_NESTED },
	[COVOL_A_IMAGE_HELD]		= { .type = NLA_NESTED },
	[COVOL_A_IMAGE_FS_REDIRECTED_LATENCY] = { .type = NLA_NESTED },
	[COVOL_A_IMAGE_BLOCK_REDIRECTED_LATENCY] = { .type = NLA_NESTED },
	[COVOL_A_IMAGE_SERVED_LATENCY]	= { .type = NLA_NESTED },
	[COVOL_A_IMAGE_GRANTS_SENT]	= { .type = NLA_U64 },
	[COVOL_A_IMAGE_GRANTS_RECEIVED]	= { .type = NLA_U64 },
	[COVOL_A_IMAGE_RECALLS_SENT]	= { .type = NLA_U64 },
	[COVOL_A_IMAGE_RECALLS_RECEIVED] = { .type = NLA_U64 },
};

static const char *const image_names[COVOL_A_IMAGE_MAX + 1] = {
	[COVOL_A_IMAGE_UUID]		= "uuid",
	[COVOL_A_IMAGE_ID]		= "id",
	[COVOL_A_IMAGE_SIZE]		= "size",
	[COVOL_A_IMAGE_FD]		= "fd",
	[COVOL_A_IMAGE_HOLDER]		= "holder",
	[COVOL_A_IMAGE_NO_FILE]		= "no-file",
	[COVOL_A_IMAGE_KEEP_LAYOUTS]	= "keep-layouts",
	[COVOL_A_IMAGE_NO_WAIT]		= "no-wait",
};

SET(image, IMAGE);

static const struct nla_policy map_policy[COVOL_A_MAP_MAX + 1] = {
	[COVOL_A_MAP_UUID]		= UUID,
	[COVOL_A_MAP_OBJECT]		= { .type = NLA_U64 },
	[COVOL_A_MAP_EXTENT]		= { .type = NLA_NESTED },
};

static const char *const map_names[COVOL_A_MAP_MAX + 1] = {
	[COVOL_A_MAP_UUID]		= "uuid",
	[COVOL_A_MAP_OBJECT]		= "object",
	[COVOL_A_MAP_PEER]		= "peer",
	[COVOL_A_MAP_SEQ]		= "seq",
	[COVOL_A_MAP_OFFSET]		= "offset",
	[COVOL_A_MAP_LENGTH]		= "length",
	[COVOL_A_MAP_EXTENT]		= "extent",
};

SET(map, MAP);

static const struct nla_policy session_policy[COVOL_A_SESSION_MAX + 1] = {
	[COVOL_A_SESSION_UUID]		= UUID,
	[COVOL_A_SESSION_PEER]		= { .type = NLA_U32 },
	[COVOL_A_SESSION_STATE]		= { .type = NLA_U32 },
	[COVOL_A_SESSION_OUTSTANDING]	= { .type = NLA_U32 },
	[COVOL_A_SESSION_QUEUED]	= { .type = NLA_U32 },
	[COVOL_A_SESSION_SERVING]	= { .type = NLA_U32 },
	[COVOL_A_SESSION_REQUESTS_SENT]	= { .type = NLA_U64 },
	[COVOL_A_SESSION_REQUESTS_SERVED] = { .type = NLA_U64 },
	[COVOL_A_SESSION_BYTES_SENT]	= { .type = NLA_U64 },
	[COVOL_A_SESSION_BYTES_RECEIVED] = { .type = NLA_U64 },
	[COVOL_A_SESSION_GRANTS_SENT]	= { .type = NLA_U64 },
	[COVOL_A_SESSION_GRANTS_RECEIVED] = { .type = NLA_U64 },
	[COVOL_A_SESSION_RECALLS_SENT]	= { .type = NLA_U64 },
	[COVOL_A_SESSION_RECALLS_RECEIVED] = { .type = NLA_U64 },
	[COVOL_A_SESSION_LANES]		= { .type = NLA_NESTED },
};

static const char *const session_names[COVOL_A_SESSION_MAX + 1] = {
	[COVOL_A_SESSION_UUID]		= "uuid",
	[COVOL_A_SESSION_PEER]		= "peer",
	[COVOL_A_SESSION_FD]		= "fd",
	[COVOL_A_SESSION_FORGET]	= "forget",
};

SET(session, SESSION);

static const struct nla_policy lane_policy[COVOL_A_LANE_MAX + 1] = {
	[COVOL_A_LANE_OUTSTANDING]	= { .type = NLA_U32 },
	[COVOL_A_LANE_SILENT]		= { .type = NLA_U32 },
	[COVOL_A_LANE_REQUESTS_SENT]	= { .type = NLA_U64 },
	[COVOL_A_LANE_REQUESTS_SERVED]	= { .type = NLA_U64 },
	[COVOL_A_LANE_BYTES_SENT]	= { .type = NLA_U64 },
	[COVOL_A_LANE_BYTES_RECEIVED]	= { .type = NLA_U64 },
};

/* Lanes are never sent, so nothing is ever refused in them. */
static const char *const lane_names[COVOL_A_LANE_MAX + 1];

SET(lane, LANE);

static const struct nla_policy event_policy[COVOL_A_EVENT_MAX + 1] = {
	[COVOL_A_EVENT_UUID]		= UUID,
	[COVOL_A_EVENT_OBJECT]		= { .type = NLA_U64 },
	[COVOL_A_EVENT_PEER]		= { .type = NLA_U32 },
	[COVOL_A_EVENT_SEQ]		= { .type = NLA_U64 },
	[COVOL_A_EVENT_OFFSET]		= { .type = NLA_U64 },
	[COVOL_A_EVENT_LENGTH]		= { .type = NLA_U64 },
	[COVOL_A_EVENT_ERROR]		= { .type = NLA_S32 },
	[COVOL_A_EVENT_ROUTE]		= { .type = NLA_U32 },
	[COVOL_A_EVENT_REASONS]		= { .type = NLA_U32 },
	[COVOL_A_EVENT_PLANNED]		= { .type = NLA_FLAG },
};

/* Events are never sent, so nothing is ever refused in them. */
static const char *const event_names[COVOL_A_EVENT_MAX + 1];

SET(event, EVENT);
