/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/covol.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_COVOL_GEN_H
#define _LINUX_COVOL_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/covol.h>

/* Common nested types */
extern const struct nla_policy covol_extent_nl_policy[COVOL_A_EXTENT_PAD + 1];

extern const struct nla_policy covol_volume_new_nl_policy[COVOL_A_VOLUME_PLAINTEXT + 1];

extern const struct nla_policy covol_volume_set_nl_policy[COVOL_A_VOLUME_CHUNK_SIZE + 1];

extern const struct nla_policy covol_volume_del_nl_policy[COVOL_A_VOLUME_UUID + 1];

extern const struct nla_policy covol_volume_get_nl_policy[COVOL_A_VOLUME_UUID + 1];

extern const struct nla_policy covol_image_new_nl_policy[COVOL_A_IMAGE_HOLDER + 1];

extern const struct nla_policy covol_image_del_nl_policy[COVOL_A_IMAGE_ID + 1];

extern const struct nla_policy covol_image_get_nl_policy[COVOL_A_IMAGE_ID + 1];

extern const struct nla_policy covol_image_recall_nl_policy[COVOL_A_IMAGE_ID + 1];

extern const struct nla_policy covol_image_share_begin_nl_policy[COVOL_A_IMAGE_ID + 1];

extern const struct nla_policy covol_image_share_end_nl_policy[COVOL_A_IMAGE_ID + 1];

extern const struct nla_policy covol_map_set_nl_policy[COVOL_A_MAP_EXTENT + 1];

extern const struct nla_policy covol_map_clear_nl_policy[COVOL_A_MAP_LENGTH + 1];

extern const struct nla_policy covol_map_get_nl_policy[COVOL_A_MAP_OFFSET + 1];

extern const struct nla_policy covol_session_new_nl_policy[COVOL_A_SESSION_FD + 1];

extern const struct nla_policy covol_session_del_nl_policy[COVOL_A_SESSION_FORGET + 1];

extern const struct nla_policy covol_session_get_nl_policy[COVOL_A_SESSION_PEER + 1];

extern const struct nla_policy covol_image_set_nl_policy[COVOL_A_IMAGE_NO_WAIT + 1];

/* Ops table for covol */
extern const struct genl_ops covol_nl_ops[17];

int covol_nl_volume_new_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_volume_set_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_volume_del_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_volume_get_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_volume_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int covol_nl_image_new_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_image_del_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_image_get_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_image_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int covol_nl_image_recall_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_image_share_begin_doit(struct sk_buff *skb,
				    struct genl_info *info);
int covol_nl_image_share_end_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_map_set_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_map_clear_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_map_get_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_map_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int covol_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info);
int covol_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int covol_nl_image_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	COVOL_NLGRP_EVENTS,
};

#endif /* _LINUX_COVOL_GEN_H */
