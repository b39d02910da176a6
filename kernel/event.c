// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for user space. See event.h.
 */
#include <linux/gfp.h>

#include "event.h"
#include "genl.h"
#include "netlink.h"
#include "volume.h"

/*
 * The attributes of an event; put_attrs() sends those of its command.
 */
struct event {
	u8	cmd;
	u64	object;
	u32	peer;
	u64	seq;
	u64	offset;
	u64	length;
	s32	error;
	u32	route;
	u32	reasons;
};

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, COVOL_A_EVENT_PAD);
}

static int put_range(struct sk_buff *skb, const struct event *ev)
{
	return put_u64(skb, COVOL_A_EVENT_OFFSET, ev->offset) ?:
	       put_u64(skb, COVOL_A_EVENT_LENGTH, ev->length);
}

static int put_attrs(struct sk_buff *skb, const struct event *ev)
{
	switch (ev->cmd) {
	case COVOL_CMD_LAYOUT_WANTED:
		return put_u64(skb, COVOL_A_EVENT_OBJECT, ev->object) ?:
		       nla_put_u32(skb, COVOL_A_EVENT_PEER, ev->peer) ?:
		       put_u64(skb, COVOL_A_EVENT_SEQ, ev->seq) ?:
		       put_range(skb, ev);
	case COVOL_CMD_RECALL_TIMEOUT:
		return put_u64(skb, COVOL_A_EVENT_OBJECT, ev->object) ?:
		       nla_put_u32(skb, COVOL_A_EVENT_PEER, ev->peer) ?:
		       put_range(skb, ev);
	case COVOL_CMD_PATH_LOST:
		return put_u64(skb, COVOL_A_EVENT_OBJECT, ev->object) ?:
		       nla_put_s32(skb, COVOL_A_EVENT_ERROR, ev->error);
	case COVOL_CMD_SESSION_LOST:
		return nla_put_u32(skb, COVOL_A_EVENT_PEER, ev->peer) ?:
		       (ev->error ?
			nla_put_s32(skb, COVOL_A_EVENT_ERROR, ev->error) :
			nla_put_flag(skb, COVOL_A_EVENT_PLANNED));
	default:
		return nla_put_u32(skb, COVOL_A_EVENT_ROUTE, ev->route) ?:
		       nla_put_u32(skb, COVOL_A_EVENT_REASONS, ev->reasons);
	}
}

static void send(struct covol_volume *vol, const struct event *ev)
{
	struct sk_buff *skb;
	void *hdr;

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_NOIO);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &covol_nl_family, 0, ev->cmd);
	if (!hdr || covol_nl_put_uuid(skb, COVOL_A_EVENT_UUID, vol) ||
	    put_attrs(skb, ev)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&covol_nl_family, vol->net, skb, 0,
				COVOL_NLGRP_EVENTS, GFP_NOIO);
}

/**
 * covol_event_layout_wanted() - the extents of a range are wanted
 * @obj: the image
 * @peer: by whom
 * @seq: the image's sequence now
 * @offset: bytes
 * @length: bytes
 */
void covol_event_layout_wanted(struct covol_object *obj, u32 peer, u64 seq,
			       u64 offset, u64 length)
{
	send(obj->vol, &(struct event){
		.cmd = COVOL_CMD_LAYOUT_WANTED, .object = obj->id,
		.peer = peer, .seq = seq, .offset = offset, .length = length,
	});
}

/**
 * covol_event_recall_timeout() - a holder does not return a layout
 * @obj: the image
 * @peer: the holder
 * @offset: bytes
 * @length: bytes
 */
void covol_event_recall_timeout(struct covol_object *obj, u32 peer,
				u64 offset, u64 length)
{
	send(obj->vol, &(struct event){
		.cmd = COVOL_CMD_RECALL_TIMEOUT, .object = obj->id,
		.peer = peer, .offset = offset, .length = length,
	});
}

/**
 * covol_event_path_lost() - direct I/O has failed with a path error
 * @vol: the volume
 * @object: what the I/O was for
 * @err: negative errno
 */
void covol_event_path_lost(struct covol_volume *vol, u64 object, int err)
{
	send(vol, &(struct event){
		.cmd = COVOL_CMD_PATH_LOST, .object = object, .error = err,
	});
}

/**
 * covol_event_session_lost() - a session has ended
 * @vol: the volume
 * @peer: with whom
 * @err: negative errno; 0: its end was planned
 */
void covol_event_session_lost(struct covol_volume *vol, u32 peer, int err)
{
	send(vol, &(struct event){
		.cmd = COVOL_CMD_SESSION_LOST, .peer = peer, .error = err,
	});
}

/**
 * covol_event_route_changed() - a volume's route or its reasons have changed
 * @vol: the volume
 */
void covol_event_route_changed(struct covol_volume *vol)
{
	send(vol, &(struct event){
		.cmd = COVOL_CMD_ROUTE_CHANGED,
		.route = READ_ONCE(vol->route),
		.reasons = READ_ONCE(vol->reasons),
	});
}
