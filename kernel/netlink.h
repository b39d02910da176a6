/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family "covol". Its commands are described in
 * Documentation/netlink/specs/covol.yaml, from which genl.[ch] are generated.
 */
#ifndef COVOL_NETLINK_H
#define COVOL_NETLINK_H

#include <net/genetlink.h>

struct covol_object;
struct covol_volume;

extern struct genl_family covol_nl_family;

struct covol_volume *covol_nl_volume(struct genl_info *info,
				     struct nlattr *attr);
struct covol_object *covol_nl_object(struct genl_info *info,
				     struct nlattr *uuid, struct nlattr *id);
void covol_nl_object_put(struct covol_object *obj);
int covol_nl_put_uuid(struct sk_buff *skb, int attr,
		      const struct covol_volume *vol);
int covol_nl_reply(struct genl_info *info, u8 cmd,
		   int (*fill)(struct sk_buff *skb, const void *what),
		   const void *what);
struct covol_volume *covol_nl_dump_next(struct netlink_callback *cb,
					struct nlattr *uuid,
					struct covol_volume *prev);

int covol_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		      int (*fill)(struct sk_buff *skb, const void *what),
		      const void *what);

/* Say in the ack why a request is refused; @why may be NULL. */
static inline void covol_nl_why(struct genl_info *info, const char *why)
{
	if (info->extack)
		info->extack->_msg = why;
}

int covol_netlink_init(void);
void covol_netlink_exit(void);

#endif /* COVOL_NETLINK_H */
