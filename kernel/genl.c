// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/covol.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl.h"

#include <uapi/linux/covol.h>

/* Common nested types */
const struct nla_policy covol_extent_nl_policy[COVOL_A_EXTENT_PAD + 1] = {
	[COVOL_A_EXTENT_OFFSET] = { .type = NLA_U64, },
	[COVOL_A_EXTENT_LENGTH] = { .type = NLA_U64, },
	[COVOL_A_EXTENT_STATE] = NLA_POLICY_MAX(NLA_U32, 4),
	[COVOL_A_EXTENT_PLACE] = { .type = NLA_U64, },
};

/* COVOL_CMD_VOLUME_NEW - do */
const struct nla_policy covol_volume_new_nl_policy[COVOL_A_VOLUME_PLAINTEXT + 1] = {
	[COVOL_A_VOLUME_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_VOLUME_NODE] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_VOLUME_ROLE] = NLA_POLICY_MAX(NLA_U32, 1),
	[COVOL_A_VOLUME_EPOCH] = { .type = NLA_U64, },
	[COVOL_A_VOLUME_COORDINATOR] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_VOLUME_LUN_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[COVOL_A_VOLUME_LUN_OFFSET] = { .type = NLA_U64, },
	[COVOL_A_VOLUME_SIZE] = { .type = NLA_U64, },
	[COVOL_A_VOLUME_CHUNK_SIZE] = { .type = NLA_U32, },
	[COVOL_A_VOLUME_PLAINTEXT] = { .type = NLA_FLAG, },
};

/* COVOL_CMD_VOLUME_SET - do */
const struct nla_policy covol_volume_set_nl_policy[COVOL_A_VOLUME_CHUNK_SIZE + 1] = {
	[COVOL_A_VOLUME_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_VOLUME_ROLE] = NLA_POLICY_MAX(NLA_U32, 1),
	[COVOL_A_VOLUME_EPOCH] = { .type = NLA_U64, },
	[COVOL_A_VOLUME_ROUTE] = NLA_POLICY_MAX(NLA_U32, 5),
	[COVOL_A_VOLUME_COORDINATOR] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_VOLUME_REDIRECT_PEER] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_VOLUME_SIZE] = { .type = NLA_U64, },
	[COVOL_A_VOLUME_CHUNK_SIZE] = { .type = NLA_U32, },
};

/* COVOL_CMD_VOLUME_DEL - do */
const struct nla_policy covol_volume_del_nl_policy[COVOL_A_VOLUME_UUID + 1] = {
	[COVOL_A_VOLUME_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
};

/* COVOL_CMD_VOLUME_GET - do */
const struct nla_policy covol_volume_get_nl_policy[COVOL_A_VOLUME_UUID + 1] = {
	[COVOL_A_VOLUME_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
};

/* COVOL_CMD_IMAGE_NEW - do */
const struct nla_policy covol_image_new_nl_policy[COVOL_A_IMAGE_HOLDER + 1] = {
	[COVOL_A_IMAGE_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_IMAGE_ID] = { .type = NLA_U64, },
	[COVOL_A_IMAGE_SIZE] = { .type = NLA_U64, },
	[COVOL_A_IMAGE_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[COVOL_A_IMAGE_HOLDER] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* COVOL_CMD_IMAGE_DEL - do */
const struct nla_policy covol_image_del_nl_policy[COVOL_A_IMAGE_ID + 1] = {
	[COVOL_A_IMAGE_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_IMAGE_ID] = { .type = NLA_U64, },
};

/* COVOL_CMD_IMAGE_GET - do */
const struct nla_policy covol_image_get_nl_policy[COVOL_A_IMAGE_ID + 1] = {
	[COVOL_A_IMAGE_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_IMAGE_ID] = { .type = NLA_U64, },
};

/* COVOL_CMD_IMAGE_RECALL - do */
const struct nla_policy covol_image_recall_nl_policy[COVOL_A_IMAGE_ID + 1] = {
	[COVOL_A_IMAGE_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_IMAGE_ID] = { .type = NLA_U64, },
};

/* COVOL_CMD_IMAGE_SHARE_BEGIN - do */
const struct nla_policy covol_image_share_begin_nl_policy[COVOL_A_IMAGE_ID + 1] = {
	[COVOL_A_IMAGE_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_IMAGE_ID] = { .type = NLA_U64, },
};

/* COVOL_CMD_IMAGE_SHARE_END - do */
const struct nla_policy covol_image_share_end_nl_policy[COVOL_A_IMAGE_ID + 1] = {
	[COVOL_A_IMAGE_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_IMAGE_ID] = { .type = NLA_U64, },
};

/* COVOL_CMD_MAP_SET - do */
const struct nla_policy covol_map_set_nl_policy[COVOL_A_MAP_EXTENT + 1] = {
	[COVOL_A_MAP_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_MAP_OBJECT] = { .type = NLA_U64, },
	[COVOL_A_MAP_PEER] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_MAP_SEQ] = { .type = NLA_U64, },
	[COVOL_A_MAP_OFFSET] = { .type = NLA_U64, },
	[COVOL_A_MAP_LENGTH] = { .type = NLA_U64, },
	[COVOL_A_MAP_EXTENT] = NLA_POLICY_NESTED(covol_extent_nl_policy),
};

/* COVOL_CMD_MAP_CLEAR - do */
const struct nla_policy covol_map_clear_nl_policy[COVOL_A_MAP_LENGTH + 1] = {
	[COVOL_A_MAP_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_MAP_OBJECT] = { .type = NLA_U64, },
	[COVOL_A_MAP_OFFSET] = { .type = NLA_U64, },
	[COVOL_A_MAP_LENGTH] = { .type = NLA_U64, },
};

/* COVOL_CMD_MAP_GET - do */
const struct nla_policy covol_map_get_nl_policy[COVOL_A_MAP_OFFSET + 1] = {
	[COVOL_A_MAP_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_MAP_OBJECT] = { .type = NLA_U64, },
	[COVOL_A_MAP_OFFSET] = { .type = NLA_U64, },
};

/* COVOL_CMD_SESSION_NEW - do */
const struct nla_policy covol_session_new_nl_policy[COVOL_A_SESSION_FD + 1] = {
	[COVOL_A_SESSION_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_SESSION_PEER] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_SESSION_FD] = NLA_POLICY_MIN(NLA_S32, 0),
};

/* COVOL_CMD_SESSION_DEL - do */
const struct nla_policy covol_session_del_nl_policy[COVOL_A_SESSION_FORGET + 1] = {
	[COVOL_A_SESSION_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_SESSION_PEER] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_SESSION_FORGET] = { .type = NLA_FLAG, },
};

/* COVOL_CMD_SESSION_GET - do */
const struct nla_policy covol_session_get_nl_policy[COVOL_A_SESSION_PEER + 1] = {
	[COVOL_A_SESSION_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_SESSION_PEER] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* COVOL_CMD_IMAGE_SET - do */
const struct nla_policy covol_image_set_nl_policy[COVOL_A_IMAGE_NO_WAIT + 1] = {
	[COVOL_A_IMAGE_UUID] = NLA_POLICY_EXACT_LEN(COVOL_UUID_LEN),
	[COVOL_A_IMAGE_ID] = { .type = NLA_U64, },
	[COVOL_A_IMAGE_SIZE] = { .type = NLA_U64, },
	[COVOL_A_IMAGE_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[COVOL_A_IMAGE_HOLDER] = NLA_POLICY_MIN(NLA_U32, 1),
	[COVOL_A_IMAGE_NO_FILE] = { .type = NLA_FLAG, },
	[COVOL_A_IMAGE_KEEP_LAYOUTS] = { .type = NLA_FLAG, },
	[COVOL_A_IMAGE_NO_WAIT] = { .type = NLA_FLAG, },
};

/* Ops table for covol */
const struct genl_ops covol_nl_ops[17] = {
	{
		.cmd		= COVOL_CMD_VOLUME_NEW,
		.doit		= covol_nl_volume_new_doit,
		.policy		= covol_volume_new_nl_policy,
		.maxattr	= COVOL_A_VOLUME_PLAINTEXT,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_VOLUME_SET,
		.doit		= covol_nl_volume_set_doit,
		.policy		= covol_volume_set_nl_policy,
		.maxattr	= COVOL_A_VOLUME_CHUNK_SIZE,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_VOLUME_DEL,
		.doit		= covol_nl_volume_del_doit,
		.policy		= covol_volume_del_nl_policy,
		.maxattr	= COVOL_A_VOLUME_UUID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_VOLUME_GET,
		.doit		= covol_nl_volume_get_doit,
		.dumpit		= covol_nl_volume_get_dumpit,
		.policy		= covol_volume_get_nl_policy,
		.maxattr	= COVOL_A_VOLUME_UUID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_IMAGE_NEW,
		.doit		= covol_nl_image_new_doit,
		.policy		= covol_image_new_nl_policy,
		.maxattr	= COVOL_A_IMAGE_HOLDER,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_IMAGE_DEL,
		.doit		= covol_nl_image_del_doit,
		.policy		= covol_image_del_nl_policy,
		.maxattr	= COVOL_A_IMAGE_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_IMAGE_GET,
		.doit		= covol_nl_image_get_doit,
		.dumpit		= covol_nl_image_get_dumpit,
		.policy		= covol_image_get_nl_policy,
		.maxattr	= COVOL_A_IMAGE_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_IMAGE_RECALL,
		.doit		= covol_nl_image_recall_doit,
		.policy		= covol_image_recall_nl_policy,
		.maxattr	= COVOL_A_IMAGE_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_IMAGE_SHARE_BEGIN,
		.doit		= covol_nl_image_share_begin_doit,
		.policy		= covol_image_share_begin_nl_policy,
		.maxattr	= COVOL_A_IMAGE_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_IMAGE_SHARE_END,
		.doit		= covol_nl_image_share_end_doit,
		.policy		= covol_image_share_end_nl_policy,
		.maxattr	= COVOL_A_IMAGE_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_MAP_SET,
		.doit		= covol_nl_map_set_doit,
		.policy		= covol_map_set_nl_policy,
		.maxattr	= COVOL_A_MAP_EXTENT,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_MAP_CLEAR,
		.doit		= covol_nl_map_clear_doit,
		.policy		= covol_map_clear_nl_policy,
		.maxattr	= COVOL_A_MAP_LENGTH,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_MAP_GET,
		.doit		= covol_nl_map_get_doit,
		.dumpit		= covol_nl_map_get_dumpit,
		.policy		= covol_map_get_nl_policy,
		.maxattr	= COVOL_A_MAP_OFFSET,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_SESSION_NEW,
		.doit		= covol_nl_session_new_doit,
		.policy		= covol_session_new_nl_policy,
		.maxattr	= COVOL_A_SESSION_FD,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_SESSION_DEL,
		.doit		= covol_nl_session_del_doit,
		.policy		= covol_session_del_nl_policy,
		.maxattr	= COVOL_A_SESSION_FORGET,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_SESSION_GET,
		.doit		= covol_nl_session_get_doit,
		.dumpit		= covol_nl_session_get_dumpit,
		.policy		= covol_session_get_nl_policy,
		.maxattr	= COVOL_A_SESSION_PEER,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= COVOL_CMD_IMAGE_SET,
		.doit		= covol_nl_image_set_doit,
		.policy		= covol_image_set_nl_policy,
		.maxattr	= COVOL_A_IMAGE_NO_WAIT,
		.flags		= GENL_ADMIN_PERM,
	},
};

static const struct genl_multicast_group covol_nl_mcgrps[] = {
	[COVOL_NLGRP_EVENTS] = { "events", },
};
