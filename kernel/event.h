/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this node tells user space, as netlink multicasts (netlink.c). Nobody
 * may be listening, and a message may be lost: nothing depends on one.
 *
 * Context of all: may sleep for memory, without I/O.
 */
#ifndef COVOL_EVENT_H
#define COVOL_EVENT_H

#include <linux/types.h>

struct covol_object;
struct covol_volume;

void covol_event_layout_wanted(struct covol_object *obj, u32 peer, u64 seq,
			       u64 offset, u64 length);
void covol_event_recall_timeout(struct covol_object *obj, u32 peer,
				u64 offset, u64 length);
void covol_event_path_lost(struct covol_volume *vol, u64 object, int err);
void covol_event_session_lost(struct covol_volume *vol, u32 peer, int err);
void covol_event_route_changed(struct covol_volume *vol);

#endif /* COVOL_EVENT_H */
