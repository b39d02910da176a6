/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: the life of a request, from the decision which way a bio takes
 * to its end, and what happens to layouts, routes and sessions.
 *
 * All ranks may use this file. Documentation/observing.rst has the events in
 * words. Every event names volume and node: several nodes can be in one
 * kernel. Offsets and lengths are in bytes, as in the wire protocol.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM covol

#if !defined(COVOL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define COVOL_TRACE_H

#include <linux/tracepoint.h>

#include "stats.h"
#include "wire.h"

struct bio;
struct covol_call;
struct covol_io;
struct covol_object;
struct covol_session;
struct covol_volume;

TRACE_DEFINE_ENUM(COVOL_OP_READ);
TRACE_DEFINE_ENUM(COVOL_OP_WRITE);
TRACE_DEFINE_ENUM(COVOL_OP_FLUSH);
TRACE_DEFINE_ENUM(COVOL_OP_DISCARD);
TRACE_DEFINE_ENUM(COVOL_OP_WRITE_ZEROES);
TRACE_DEFINE_ENUM(COVOL_OP_LAYOUT_GET);
TRACE_DEFINE_ENUM(COVOL_OP_GRANT);
TRACE_DEFINE_ENUM(COVOL_OP_RECALL);

#define covol_show_op(op)						\
	__print_symbolic(op,						\
			 { COVOL_OP_READ, "read" },			\
			 { COVOL_OP_WRITE, "write" },			\
			 { COVOL_OP_FLUSH, "flush" },			\
			 { COVOL_OP_DISCARD, "discard" },		\
			 { COVOL_OP_WRITE_ZEROES, "write-zeroes" },	\
			 { COVOL_OP_LAYOUT_GET, "layout-get" },		\
			 { COVOL_OP_GRANT, "grant" },			\
			 { COVOL_OP_RECALL, "recall" })

TRACE_DEFINE_ENUM(COVOL_WAY_DIRECT);
TRACE_DEFINE_ENUM(COVOL_WAY_FS_REDIRECTED);
TRACE_DEFINE_ENUM(COVOL_WAY_BLOCK_REDIRECTED);
TRACE_DEFINE_ENUM(COVOL_WAY_ZERO_FILLED);

#define covol_show_way(way)						\
	__print_symbolic(way,						\
			 { COVOL_WAY_DIRECT, "direct" },		\
			 { COVOL_WAY_FS_REDIRECTED, "fs-redirected" },	\
			 { COVOL_WAY_BLOCK_REDIRECTED, "block-redirected" }, \
			 { COVOL_WAY_ZERO_FILLED, "zero-filled" })

TRACE_DEFINE_ENUM(COVOL_EXTENT_STATE_UNKNOWN);
TRACE_DEFINE_ENUM(COVOL_EXTENT_STATE_HOLE);
TRACE_DEFINE_ENUM(COVOL_EXTENT_STATE_UNWRITTEN);
TRACE_DEFINE_ENUM(COVOL_EXTENT_STATE_SHARED);
TRACE_DEFINE_ENUM(COVOL_EXTENT_STATE_DATA);

#define covol_show_state(state)						\
	__print_symbolic(state,						\
			 { COVOL_EXTENT_STATE_UNKNOWN, "unknown" },	\
			 { COVOL_EXTENT_STATE_HOLE, "hole" },		\
			 { COVOL_EXTENT_STATE_UNWRITTEN, "unwritten" },	\
			 { COVOL_EXTENT_STATE_SHARED, "shared" },	\
			 { COVOL_EXTENT_STATE_DATA, "data" })

TRACE_DEFINE_ENUM(COVOL_ROUTE_DIRECT);
TRACE_DEFINE_ENUM(COVOL_ROUTE_FS_REDIRECTED);
TRACE_DEFINE_ENUM(COVOL_ROUTE_BLOCK_REDIRECTED);
TRACE_DEFINE_ENUM(COVOL_ROUTE_HELD);
TRACE_DEFINE_ENUM(COVOL_ROUTE_UNAVAILABLE);

#define covol_show_route(route)						\
	__print_symbolic(route,						\
			 { COVOL_ROUTE_DIRECT, "direct" },		\
			 { COVOL_ROUTE_FS_REDIRECTED, "fs-redirected" }, \
			 { COVOL_ROUTE_BLOCK_REDIRECTED, "block-redirected" }, \
			 { COVOL_ROUTE_HELD, "held" },			\
			 { COVOL_ROUTE_UNAVAILABLE, "unavailable" })

TRACE_DEFINE_ENUM(COVOL_REASON_ADMIN);
TRACE_DEFINE_ENUM(COVOL_REASON_NO_DISK_PATH);
TRACE_DEFINE_ENUM(COVOL_REASON_COORDINATOR_LOST);
TRACE_DEFINE_ENUM(COVOL_REASON_STALE_EPOCH);
TRACE_DEFINE_ENUM(COVOL_REASON_MOVING);
TRACE_DEFINE_ENUM(COVOL_REASON_FENCED);

#define covol_show_reasons(reasons)					\
	__print_flags(reasons, ",",					\
		      { COVOL_REASON_ADMIN, "admin" },			\
		      { COVOL_REASON_NO_DISK_PATH, "no-disk-path" },	\
		      { COVOL_REASON_COORDINATOR_LOST, "coordinator-lost" }, \
		      { COVOL_REASON_STALE_EPOCH, "stale-epoch" },	\
		      { COVOL_REASON_MOVING, "moving" },		\
		      { COVOL_REASON_FENCED, "fenced" })

/* ---- bios ------------------------------------------------------------- */

/* Which way a bio takes, and the state of the extent that was looked at;
 * unknown where none was.
 */
TRACE_EVENT(covol_route,
	    TP_PROTO(const struct covol_io *io, const struct bio *bio,
		     unsigned int way, u32 state),
	    TP_ARGS(io, bio, way, state),
	    TP_STRUCT__entry(__array(u8, volume, 16)
		    __field(u32, node)
		    __field(u64, object)
		    __field(u64, offset)
		    __field(u32, length)
		    __field(u8, op)
		    __field(u8, way)
		    __field(u8, state)
	    ),
	    TP_fast_assign(export_uuid(__entry->volume, &io->obj->vol->uuid);
		    __entry->node = io->obj->vol->node;
		    __entry->object = io->obj->id;
		    __entry->offset = bio->bi_iter.bi_sector << SECTOR_SHIFT;
		    __entry->length = bio->bi_iter.bi_size;
		    __entry->op = covol_bio_opcode(bio);
		    __entry->way = way;
		    __entry->state = state;
	    ),
	    TP_printk("volume=%pUb node=%u object=%llu op=%s offset=%llu length=%u way=%s state=%s",
		      __entry->volume, __entry->node, __entry->object,
		      covol_show_op(__entry->op), __entry->offset, __entry->length,
		      covol_show_way(__entry->way),
		      covol_show_state(__entry->state))
);

/* A bio begins to wait, or waits on; @route and @reasons are the volume's. */
TRACE_EVENT(covol_hold,
	    TP_PROTO(const struct covol_io *io, const struct bio *bio),
	    TP_ARGS(io, bio),
	    TP_STRUCT__entry(__array(u8, volume, 16)
		    __field(u32, node)
		    __field(u64, object)
		    __field(u64, offset)
		    __field(u32, length)
		    __field(u8, op)
		    __field(u8, route)
		    __field(u32, reasons)
		    __field(u64, held)
	    ),
	    TP_fast_assign(export_uuid(__entry->volume, &io->obj->vol->uuid);
		    __entry->node = io->obj->vol->node;
		    __entry->object = io->obj->id;
		    __entry->offset = bio->bi_iter.bi_sector << SECTOR_SHIFT;
		    __entry->length = bio->bi_iter.bi_size;
		    __entry->op = covol_bio_opcode(bio);
		    __entry->route = io->obj->vol->route;
		    __entry->reasons = io->obj->vol->reasons;
		    __entry->held = io->obj->vol->nr_held;
	    ),
	    TP_printk("volume=%pUb node=%u object=%llu op=%s offset=%llu length=%u route=%s reasons=%s held=%llu",
		      __entry->volume, __entry->node, __entry->object,
		      covol_show_op(__entry->op), __entry->offset, __entry->length,
		      covol_show_route(__entry->route),
		      covol_show_reasons(__entry->reasons), __entry->held)
);

/* A held bio tries again, @ns after it first had to wait. */
TRACE_EVENT(covol_release,
	    TP_PROTO(const struct covol_io *io, const struct bio *bio, u64 ns),
	    TP_ARGS(io, bio, ns),
	    TP_STRUCT__entry(__array(u8, volume, 16)
		    __field(u32, node)
		    __field(u64, object)
		    __field(u64, offset)
		    __field(u32, length)
		    __field(u8, op)
		    __field(u64, ns)
	    ),
	    TP_fast_assign(export_uuid(__entry->volume, &io->obj->vol->uuid);
		    __entry->node = io->obj->vol->node;
		    __entry->object = io->obj->id;
		    __entry->offset = bio->bi_iter.bi_sector << SECTOR_SHIFT;
		    __entry->length = bio->bi_iter.bi_size;
		    __entry->op = covol_bio_opcode(bio);
		    __entry->ns = ns;
	    ),
	    TP_printk("volume=%pUb node=%u object=%llu op=%s offset=%llu length=%u ns=%llu",
		      __entry->volume, __entry->node, __entry->object,
		      covol_show_op(__entry->op), __entry->offset, __entry->length,
		      __entry->ns)
);

/* ---- requests between nodes ------------------------------------------- */

/* A call to a peer. @err: of its answer. */
DECLARE_EVENT_CLASS(covol_call,
		    TP_PROTO(const struct covol_session *s, const struct covol_call *call,
			     int err),
		    TP_ARGS(s, call, err),
		    TP_STRUCT__entry(__array(u8, volume, 16)
			    __field(u32, node)
			    __field(u32, peer)
			    __field(u64, id)
			    __field(u8, op)
			    __field(u64, object)
			    __field(u64, offset)
			    __field(u64, length)
			    __field(int, err)
		    ),
		    TP_fast_assign(export_uuid(__entry->volume, &s->vol->uuid);
			    __entry->node = s->vol->node;
			    __entry->peer = s->peer;
			    __entry->id = call->hdr.id;
			    __entry->op = call->hdr.opcode;
			    __entry->object = call->hdr.object;
			    __entry->offset = call->hdr.offset;
			    __entry->length = call->hdr.length;
			    __entry->err = err;
		    ),
		    TP_printk("volume=%pUb node=%u peer=%u id=%#llx op=%s object=%llu offset=%llu length=%llu err=%d",
			      __entry->volume, __entry->node, __entry->peer, __entry->id,
			      covol_show_op(__entry->op), __entry->object, __entry->offset,
			      __entry->length, __entry->err)
);

DEFINE_EVENT(covol_call, covol_call_queued,
	     TP_PROTO(const struct covol_session *s, const struct covol_call *call,
		      int err),
	     TP_ARGS(s, call, err)
);

DEFINE_EVENT(covol_call, covol_call_sent,
	     TP_PROTO(const struct covol_session *s, const struct covol_call *call,
		      int err),
	     TP_ARGS(s, call, err)
);

DEFINE_EVENT(covol_call, covol_call_answered,
	     TP_PROTO(const struct covol_session *s, const struct covol_call *call,
		      int err),
	     TP_ARGS(s, call, err)
);

/* A request of a peer. @ns: since its header came; @err: of its answer. */
DECLARE_EVENT_CLASS(covol_serve,
		    TP_PROTO(const struct covol_session *s, const struct covol_hdr *hdr,
			     u64 ns, int err),
		    TP_ARGS(s, hdr, ns, err),
		    TP_STRUCT__entry(__array(u8, volume, 16)
			    __field(u32, node)
			    __field(u32, peer)
			    __field(u64, id)
			    __field(u8, op)
			    __field(u64, object)
			    __field(u64, offset)
			    __field(u64, length)
			    __field(u64, ns)
			    __field(int, err)
		    ),
		    TP_fast_assign(export_uuid(__entry->volume, &s->vol->uuid);
			    __entry->node = s->vol->node;
			    __entry->peer = s->peer;
			    __entry->id = hdr->id;
			    __entry->op = hdr->opcode;
			    __entry->object = hdr->object;
			    __entry->offset = hdr->offset;
			    __entry->length = hdr->length;
			    __entry->ns = ns;
			    __entry->err = err;
		    ),
		    TP_printk("volume=%pUb node=%u peer=%u id=%#llx op=%s object=%llu offset=%llu length=%llu ns=%llu err=%d",
			      __entry->volume, __entry->node, __entry->peer, __entry->id,
			      covol_show_op(__entry->op), __entry->object, __entry->offset,
			      __entry->length, __entry->ns, __entry->err)
);

DEFINE_EVENT(covol_serve, covol_serve_begin,
	     TP_PROTO(const struct covol_session *s, const struct covol_hdr *hdr,
		      u64 ns, int err),
	     TP_ARGS(s, hdr, ns, err)
);

DEFINE_EVENT(covol_serve, covol_serve_end,
	     TP_PROTO(const struct covol_session *s, const struct covol_hdr *hdr,
		      u64 ns, int err),
	     TP_ARGS(s, hdr, ns, err)
);

/* ---- layouts ---------------------------------------------------------- */

/* Something happens to a range of an image. @peer: the other node, this one
 * or 0; @seq: the image's sequence where it matters, else 0. @start and @len
 * are sectors, the event has bytes.
 */
DECLARE_EVENT_CLASS(covol_range,
		    TP_PROTO(const struct covol_object *obj, u32 peer, u64 start, u64 len,
			     u64 seq, int err),
		    TP_ARGS(obj, peer, start, len, seq, err),
		    TP_STRUCT__entry(__array(u8, volume, 16)
			    __field(u32, node)
			    __field(u32, peer)
			    __field(u64, object)
			    __field(u64, offset)
			    __field(u64, length)
			    __field(u64, seq)
			    __field(int, err)
		    ),
		    TP_fast_assign(export_uuid(__entry->volume, &obj->vol->uuid);
			    __entry->node = obj->vol->node;
			    __entry->peer = peer;
			    __entry->object = obj->id;
			    __entry->offset = start << SECTOR_SHIFT;
			    __entry->length = len << SECTOR_SHIFT;
			    __entry->seq = seq;
			    __entry->err = err;
		    ),
		    TP_printk("volume=%pUb node=%u peer=%u object=%llu offset=%llu length=%llu seq=%llu err=%d",
			      __entry->volume, __entry->node, __entry->peer,
			      __entry->object, __entry->offset, __entry->length,
			      __entry->seq, __entry->err)
);

#define COVOL_RANGE_EVENT(name)						\
DEFINE_EVENT(covol_range, covol_##name,					\
	     TP_PROTO(const struct covol_object *obj, u32 peer, u64 start, \
		      u64 len, u64 seq, int err),			\
	     TP_ARGS(obj, peer, start, len, seq, err)			\
)

COVOL_RANGE_EVENT(change_begin);
COVOL_RANGE_EVENT(change_end);
COVOL_RANGE_EVENT(recall_sent);
COVOL_RANGE_EVENT(recall_answered);
COVOL_RANGE_EVENT(recall_drained);
COVOL_RANGE_EVENT(grant_sent);
COVOL_RANGE_EVENT(grant_installed);
COVOL_RANGE_EVENT(chunk_prepared);

/* ---- volumes and sessions --------------------------------------------- */

TRACE_EVENT(covol_route_changed,
	    TP_PROTO(const struct covol_volume *vol, u32 route, u32 reasons),
	    TP_ARGS(vol, route, reasons),
	    TP_STRUCT__entry(__array(u8, volume, 16)
		    __field(u32, node)
		    __field(u32, route)
		    __field(u32, reasons)
	    ),
	    TP_fast_assign(export_uuid(__entry->volume, &vol->uuid);
		    __entry->node = vol->node;
		    __entry->route = route;
		    __entry->reasons = reasons;
	    ),
	    TP_printk("volume=%pUb node=%u route=%s reasons=%s",
		      __entry->volume, __entry->node,
		      covol_show_route(__entry->route),
		      covol_show_reasons(__entry->reasons))
);

DECLARE_EVENT_CLASS(covol_session,
		    TP_PROTO(const struct covol_session *s, int err),
		    TP_ARGS(s, err),
		    TP_STRUCT__entry(__array(u8, volume, 16)
			    __field(u32, node)
			    __field(u32, peer)
			    __field(int, err)
		    ),
		    TP_fast_assign(export_uuid(__entry->volume, &s->vol->uuid);
			    __entry->node = s->vol->node;
			    __entry->peer = s->peer;
			    __entry->err = err;
		    ),
		    TP_printk("volume=%pUb node=%u peer=%u err=%d", __entry->volume,
			      __entry->node, __entry->peer, __entry->err)
);

DEFINE_EVENT(covol_session, covol_session_up,
	     TP_PROTO(const struct covol_session *s, int err),
	     TP_ARGS(s, err)
);

DEFINE_EVENT(covol_session, covol_session_lost,
	     TP_PROTO(const struct covol_session *s, int err),
	     TP_ARGS(s, err)
);

#endif /* COVOL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
