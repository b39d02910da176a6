/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The coordinator's service: it executes requests on the files of images and
 * on the LUN. Who asks - a peer (serve.c) or this node's own device
 * (initiator.c) - makes no difference to it.
 */
#ifndef COVOL_COORDINATOR_H
#define COVOL_COORDINATOR_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/bvec.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "layout.h"
#include "range.h"

struct covol_object;

/**
 * struct covol_req - a request to be executed here
 * @obj: an image, or the volume with a LUN; the caller's reference
 * @op: COVOL_OP_READ, _WRITE, _FLUSH, _DISCARD or _WRITE_ZEROES
 * @flags: COVOL_WIRE_FUA, COVOL_WIRE_NOUNMAP
 * @asker: node that asks, and over what
 * @offset: in the object, bytes; in sectors, within the object
 * @length: bytes
 * @bvec: READ, WRITE: the data
 * @nr: entries in @bvec
 * @skip: bytes to skip in the first entry
 * @work: the service's
 * @bio: the service's, for what is done at once
 * @pending: likewise: who submits it, and its end
 * @range: in use by this request, while it reads or writes data in place
 * @done: called from a work item when the request has ended, with 0 or a
 *	  negative errno; for a peer's that may be the one that submits it
 */
struct covol_req {
	struct covol_object	*obj;
	u8			op;
	u16			flags;
	struct covol_asker	asker;
	u64			offset;
	u64			length;
	const struct bio_vec	*bvec;
	unsigned int		nr;
	unsigned int		skip;
	struct work_struct	work;
	struct bio		bio;
	atomic_t		pending;
	struct covol_range	range;
	void			(*done)(struct covol_req *req, int err);
};

int covol_coordinator_init(void);
void covol_coordinator_exit(void);
int covol_coordinator_submit(struct covol_req *req);

#endif /* COVOL_COORDINATOR_H */
