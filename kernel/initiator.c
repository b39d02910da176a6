// SPDX-License-Identifier: GPL-2.0-only
/*
 * Redirected I/O. See initiator.h.
 *
 * Data is sent from the bio's own pages and received into them. When the
 * request has ended, covol_route_redirect_done() decides what comes next.
 */
#include <linux/bio.h>

#include "initiator.h"
#include "io.h"
#include "pages.h"
#include "route.h"
#include "volume.h"

static u16 flags(const struct bio *bio, u8 op)
{
	u16 flags = 0;

	if (bio->bi_opf & REQ_FUA &&
	    (op == COVOL_OP_WRITE || op == COVOL_OP_WRITE_ZEROES))
		flags |= COVOL_WIRE_FUA;
	if (bio->bi_opf & REQ_NOUNMAP && op == COVOL_OP_WRITE_ZEROES)
		flags |= COVOL_WIRE_NOUNMAP;
	return flags;
}

static unsigned int count_bvecs(struct bio *bio)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	unsigned int nr = 0;

	bio_for_each_bvec(bv, bio, iter)
		nr++;
	return nr;
}

static void call_done(struct covol_call *call, int err)
{
	struct covol_io *io = container_of(call, struct covol_io, call);

	/* with an id it was not only queued */
	if (err == -ECONNRESET && call->hdr.id)
		io->replay = true;
	covol_route_redirect_done(io, err);
}

static bool call_needed(struct covol_call *call)
{
	return !covol_route_direct_now(container_of(call, struct covol_io,
						    call));
}

static void req_done(struct covol_req *req, int err)
{
	covol_route_redirect_done(container_of(req, struct covol_io, req), err);
}

static int send_to(struct covol_io *io, u32 peer, u64 object, u64 offset)
{
	struct bio *bio = covol_io_bio(io);
	struct covol_call *call = &io->call;
	struct covol_hdr *hdr = &call->hdr;
	bool replay = io->replay;
	struct covol_session *s;
	int err;

	memset(call, 0, sizeof(*call));
	call->done = call_done;
	/* that may sleep, if not for long */
	call->msg.here = !(bio->bi_opf & REQ_NOWAIT);
	call->needed = object ? call_needed : NULL;
	hdr->opcode = covol_bio_opcode(bio);
	if (!hdr->opcode)
		return -EOPNOTSUPP;
	hdr->flags = flags(bio, hdr->opcode);
	hdr->object = object;
	hdr->offset = hdr->opcode == COVOL_OP_FLUSH ? 0 : offset;
	hdr->length = bio->bi_iter.bi_size;
	if (bio_has_data(bio)) {
		call->bvec = __bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter);
		call->nr = count_bvecs(bio);
		call->skip = bio->bi_iter.bi_bvec_done;
		if (io->dev->digest)
			hdr->flags |= COVOL_WIRE_DIGEST;
	}
	if (hdr->opcode == COVOL_OP_WRITE) {
		covol_msg_set_bvec(&call->msg, call->bvec, call->nr,
				   call->skip, hdr->length);
		if (io->dev->digest)
			hdr->payload_crc = covol_pages_crc(call->bvec,
							   call->skip,
							   hdr->length);
	}
	s = covol_session_find(io->obj->vol, peer);
	if (!s)
		return -ENOTCONN;
	io->replay = false;
	err = covol_session_call(s, call);
	/* without an error the bio may have ended by now */
	if (err)
		io->replay = replay;
	else if (replay)
		atomic64_inc(&s->vol->replays);
	covol_session_put(s);
	return err;
}

static int serve_here(struct covol_io *io)
{
	struct bio *bio = covol_io_bio(io);
	struct covol_req *req = &io->req;

	memset(req, 0, sizeof(*req));
	req->op = covol_bio_opcode(bio);
	if (!req->op)
		return -EOPNOTSUPP;
	req->obj = io->obj;
	req->flags = flags(bio, req->op);
	req->asker.peer = io->obj->vol->node;
	req->offset = io->iter.bi_sector << SECTOR_SHIFT;
	req->length = bio->bi_iter.bi_size;
	if (bio_has_data(bio)) {
		req->bvec = __bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter);
		req->nr = count_bvecs(bio);
		req->skip = bio->bi_iter.bi_bvec_done;
	}
	req->done = req_done;
	return covol_coordinator_submit(req);
}

/**
 * covol_initiator_fs() - let the coordinator do an I/O
 * @io: the I/O, at io->iter in its object; io->peer is the coordinator
 *
 * The coordinator's own devices take the short cut past the socket.
 *
 * Context: process context, does not sleep.
 *
 * Return: 0, and covol_route_redirect_done() will be called; or a negative
 * errno, and it will not: -ENOTCONN there is no session, -ENOENT this node is
 * the coordinator and does not serve the image, -EOPNOTSUPP.
 */
int covol_initiator_fs(struct covol_io *io)
{
	struct covol_volume *vol = io->obj->vol;

	if (covol_volume_serves(vol))
		return serve_here(io);
	return send_to(io, io->peer, io->obj->id,
		       io->iter.bi_sector << SECTOR_SHIFT);
}

/**
 * covol_initiator_block() - let another node do an I/O on the LUN
 * @io: the I/O; io->peer is that node, io->place where on the LUN
 *
 * Context: process context, does not sleep.
 *
 * Return: as covol_initiator_fs().
 */
int covol_initiator_block(struct covol_io *io)
{
	return send_to(io, io->peer, 0, io->place << SECTOR_SHIFT);
}
