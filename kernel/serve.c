// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of peers. See serve.h.
 *
 * A request that cannot be done (another epoch, an unknown object, a range
 * beyond its end) is still received whole and answered; one that is malformed
 * ends the session (I10). What a session may have in service is bounded: above
 * it the connection is not read, and TCP makes the peer wait.
 *
 * I8: a request may have to wait for a recall, whose answer may come behind
 * other requests on the same connection. So none of them may have to wait for
 * memory: a session has enough for the whole window of its peer from the
 * beginning. Only a peer that exceeds its window waits, and only for itself.
 */
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "chunk.h"
#include "coordinator.h"
#include "event.h"
#include "fault.h"
#include "fence.h"
#include "log.h"
#include "pages.h"
#include "route.h"
#include "serve.h"
#include "trace.h"
#include "volume.h"

/* Grants are not in the peer's window; they are served as they come. */
#define GRANTS_MAX	4
#define GRANT_BYTES	(COVOL_WIRE_EXTENTS_MAX * \
			 sizeof(struct covol_wire_extent))

/* Requests of one session that are served at the same time. */
#define SERVING_MAX	(COVOL_WINDOW + GRANTS_MAX)

/* Pages for them: for the data, for a part of a page at the end of each, for
 * tables.
 */
#define DATA_BYTES	(COVOL_WINDOW_BYTES + GRANTS_MAX * GRANT_BYTES)
#define POOL_PAGES	(DATA_BYTES / PAGE_SIZE + SERVING_MAX + \
			 DATA_BYTES / (COVOL_PAGES_FEW * PAGE_SIZE))

/**
 * struct served - a request of a peer
 * @entry: in the session's requests, or those of the service that are idle
 * @s: the session, held by covol_session_serving()
 * @lane: where it came, and where its answer goes
 * @obj: what it is about, with a reference; NULL with @err
 * @hdr: what is asked
 * @err: it is only to be answered with this
 * @since: when its header had come, ns
 * @req: READ and the like: for the coordinator's service
 * @pages: its data or other payload
 * @reply: the answer
 * @work: for what must sleep
 */
struct served {
	struct list_head	entry;
	struct covol_session	*s;
	struct covol_lane	*lane;
	struct covol_object	*obj;
	struct covol_hdr	hdr;
	int			err;
	u64			since;
	struct covol_req	req;
	struct covol_pages	pages;
	struct covol_msg	reply;
	struct work_struct	work;
};

/**
 * struct covol_service - what a session has to serve its peer with
 * @pool: pages
 * @idle: of @requests those that are not in use; the session's lock
 * @nr_idle: how many
 * @requests: room for SERVING_MAX requests
 */
struct covol_service {
	struct covol_pool	pool;
	struct list_head	idle;
	unsigned int		nr_idle;
	struct served		*requests;
};

static struct workqueue_struct *recall_wq;

static int serve_create(struct covol_session *s)
{
	struct covol_service *service = kzalloc(sizeof(*service), GFP_KERNEL);
	unsigned int i;

	if (!service)
		return -ENOMEM;
	service->requests = kvcalloc(SERVING_MAX, sizeof(*service->requests),
				     GFP_KERNEL);
	if (!service->requests ||
	    covol_pool_init(&service->pool, POOL_PAGES)) {
		kvfree(service->requests);
		kfree(service);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&service->idle);
	for (i = 0; i < SERVING_MAX; i++)
		list_add(&service->requests[i].entry, &service->idle);
	service->nr_idle = SERVING_MAX;
	s->service = service;
	return 0;
}

static void serve_destroy(struct covol_session *s)
{
	covol_pool_exit(&s->service->pool);
	kvfree(s->service->requests);
	kfree(s->service);
}

/* Room for a request; NULL: the peer has more under way than it may. */
static struct served *served_get(struct covol_session *s, u8 opcode)
{
	struct covol_service *service = s->service;
	struct served *sv = NULL;

	spin_lock(&s->lock);
	if (service->nr_idle > (opcode == COVOL_OP_GRANT ? 0 : GRANTS_MAX)) {
		service->nr_idle--;
		sv = list_first_entry(&service->idle, struct served, entry);
		list_del(&sv->entry);
		memset(sv, 0, sizeof(*sv));
		list_add_tail(&sv->entry, &s->requests);
	}
	spin_unlock(&s->lock);
	if (!sv)
		return NULL;
	sv->s = s;
	covol_session_serving(s);
	return sv;
}

static void served_free(struct served *sv)
{
	struct covol_session *s = sv->s;

	covol_pages_free(&sv->pages);
	if (sv->obj)
		covol_object_put(sv->obj);
	spin_lock(&s->lock);
	list_move(&sv->entry, &s->service->idle);
	s->service->nr_idle++;
	spin_unlock(&s->lock);
	covol_session_served(s);
}

static void reply_sent(struct covol_msg *msg, int err)
{
	served_free(container_of(msg, struct served, reply));
}

static bool is_io(u8 opcode)
{
	return opcode >= COVOL_OP_READ && opcode <= COVOL_OP_WRITE_ZEROES;
}

static void ended(struct served *sv, int err)
{
	u64 ns = ktime_get_ns() - sv->since;

	trace_covol_serve_end(sv->s, &sv->hdr, ns, err);
	if (!sv->err && is_io(sv->hdr.opcode))
		covol_stats_took(sv->obj->stats, COVOL_TIMED_SERVED,
				 sv->hdr.opcode, ns);
}

/* Count a message about a layout that has come. */
static void count_received(struct served *sv, enum covol_layout_message what)
{
	atomic64_inc(&sv->s->layout[what]);
	if (sv->obj)
		this_cpu_inc(sv->obj->stats->layout[what]);
}

static void answer(struct served *sv, int err)
{
	struct covol_session *s = sv->s;
	struct covol_hdr hdr = sv->hdr;

	hdr.flags = COVOL_WIRE_RESPONSE;
	hdr.status = covol_wire_errno_status(err);
	memset(&sv->reply, 0, sizeof(sv->reply));
	sv->reply.sent = reply_sent;
	sv->reply.here = true;
	if (!err && hdr.opcode == COVOL_OP_READ) {
		covol_msg_set_bvec(&sv->reply, sv->pages.bvec, sv->pages.nr, 0,
				   hdr.length);
		if (sv->hdr.flags & COVOL_WIRE_DIGEST) {
			hdr.flags |= COVOL_WIRE_DIGEST;
			hdr.payload_crc = covol_pages_crc(sv->pages.bvec, 0,
							  hdr.length);
		}
	}
	ended(sv, err);
	/* reply_sent() may give up the last hold on the session before */
	kref_get(&s->ref);
	covol_lane_send(sv->lane, &sv->reply, &hdr);
	covol_session_put(s);
}

/* ---- checks ----------------------------------------------------------- */

/* May this peer ask this here and now? What follows from who it is (I9). */
static int check_request(struct covol_session *s, const struct covol_hdr *hdr,
			 struct covol_object *obj)
{
	struct covol_volume *vol = s->vol;

	if (hdr->epoch != READ_ONCE(vol->epoch))
		return -ESTALE;		/* I4 */
	if (!obj)
		return -ENOENT;
	if (hdr->opcode == COVOL_OP_GRANT || hdr->opcode == COVOL_OP_RECALL)
		return s->peer == READ_ONCE(vol->coordinator) ? 0 : -ENOENT;
	if (obj->id && !(covol_object_served(obj) && covol_volume_serves(vol)))
		return -ENOENT;
	if (!obj->id && hdr->opcode == COVOL_OP_LAYOUT_GET)
		return -EOPNOTSUPP;
	if (!obj->id && !vol->lun)
		return -ENOLINK;
	if (!covol_object_has(obj, hdr->offset, hdr->length))
		return -ERANGE;
	return 0;
}

/* Pages for what comes, or for what will be read. */
static bool payload_room(struct served *sv, struct iov_iter *payload)
{
	const struct covol_hdr *hdr = &sv->hdr;
	u32 len = hdr->payload;

	if (hdr->opcode == COVOL_OP_READ && !sv->err)
		len = hdr->length;
	if (!len)
		return true;
	if (!covol_pages_alloc(&sv->pages, &sv->s->service->pool, len))
		return false;
	if (hdr->payload)
		iov_iter_bvec(payload, ITER_DEST, sv->pages.bvec, sv->pages.nr,
			      hdr->payload);
	return true;
}

static struct served *new_request(struct covol_lane *lane,
				  const struct covol_hdr *hdr)
{
	struct covol_session *s = lane->s;
	struct served *sv = served_get(s, hdr->opcode);

	if (!sv)
		return NULL;
	sv->lane = lane;
	sv->hdr = *hdr;
	sv->since = ktime_get_ns();
	sv->obj = covol_object_find(s->vol, hdr->object);
	sv->err = check_request(s, hdr, sv->obj);
	trace_covol_serve_begin(s, hdr, 0, sv->err);
	return sv;
}

/* Room for a request and for what it moves; one that has the first keeps it. */
static bool take_request(struct covol_lane *lane, const struct covol_hdr *hdr,
			 struct iov_iter *payload)
{
	if (!lane->request)
		lane->request = new_request(lane, hdr);
	return lane->request && payload_room(lane->request, payload);
}

static int serve_begin(struct covol_lane *lane, const struct covol_hdr *hdr,
		       struct iov_iter *payload)
{
	bool taken = take_request(lane, hdr, payload);

	/* of a peer that keeps to its window TCP may have pages still: of
	 * answers that the peer has
	 */
	if (!taken) {
		covol_lane_pause(lane);
		taken = take_request(lane, hdr, payload);
	}
	if (taken)
		covol_lane_go_on(lane);
	return taken ? 0 : -EAGAIN;
}

/* ---- layouts ---------------------------------------------------------- */

static int decode_extent(const struct covol_pages *pages, unsigned int i,
			 struct covol_extent *ext)
{
	const unsigned int in_page = PAGE_SIZE /
				     sizeof(struct covol_wire_extent);
	const struct covol_wire_extent *wire =
		bvec_virt(&pages->bvec[i / in_page]);

	return covol_wire_extent_decode(&wire[i % in_page], ext);
}

static int serve_grant(struct served *sv)
{
	unsigned int i, nr = sv->hdr.payload / sizeof(struct covol_wire_extent);
	u64 start = sv->hdr.offset >> SECTOR_SHIFT;
	u64 len = sv->hdr.length >> SECTOR_SHIFT;
	struct covol_extent *ext;
	const char *why = NULL;
	int err = 0;

	count_received(sv, COVOL_GRANTS_RECEIVED);
	/* a grant of another epoch, or for what we do not have: nothing lost */
	if (sv->err)
		goto out;
	/* I8: nor is it when there is no memory but what the system keeps */
	ext = kvmalloc_array(nr ?: 1, sizeof(*ext),
			     GFP_NOIO | __GFP_NOMEMALLOC | __GFP_NOWARN);
	if (!ext)
		goto out;
	for (i = 0; i < nr && !err; i++)
		err = decode_extent(&sv->pages, i, &ext[i]);
	if (!err)
		nr = covol_layout_clip(sv->obj, start, &len, ext, nr);
	if (!err && len)
		why = covol_layout_check(sv->obj, start, len, ext, nr);
	if (err || why) {
		covol_warn(sv->s->vol, "node %u: bad grant for image %llu: %s\n",
			   sv->s->peer, sv->obj->id, why ?: "malformed extent");
		err = -EPROTO;
	} else {
		int bad = covol_layout_install(sv->obj, ext, nr);

		trace_covol_grant_installed(sv->obj, sv->s->peer, start, len,
					    sv->hdr.seq, bad);
	}
	kvfree(ext);
out:
	ended(sv, sv->err ?: err);
	served_free(sv);
	return err;
}

static void recall_work(struct work_struct *work)
{
	struct served *sv = container_of(work, struct served, work);

	/* It comes again over the next session, which waits for this one; and
	 * what was lost may wait for that session.
	 */
	covol_object_drain_for(sv->obj, sv->s);
	trace_covol_recall_drained(sv->obj, sv->s->peer,
				   sv->hdr.offset >> SECTOR_SHIFT,
				   sv->hdr.length >> SECTOR_SHIFT,
				   sv->hdr.seq, 0);
	covol_fault_delay();
	answer(sv, 0);
}

static void serve_recall(struct served *sv)
{
	count_received(sv, COVOL_RECALLS_RECEIVED);
	if (sv->err) {
		/* what this node does not have it does not hold */
		answer(sv, sv->err == -ENOENT && !sv->obj ? 0 : sv->err);
		return;
	}
	if (sv->hdr.flags & COVOL_WIRE_ZEROES) {
		/* no I/O under way relies on them */
		covol_map_forget_zeroes(&sv->obj->map,
					sv->hdr.offset >> SECTOR_SHIFT,
					sv->hdr.length >> SECTOR_SHIFT);
		answer(sv, 0);
		return;
	}
	/* here, not in the work item: a later grant must not be forgotten */
	covol_map_forget(&sv->obj->map, sv->hdr.offset >> SECTOR_SHIFT,
			 sv->hdr.length >> SECTOR_SHIFT);
	INIT_WORK(&sv->work, recall_work);
	queue_work(recall_wq, &sv->work);
}

/* ---- dispatch --------------------------------------------------------- */

static void req_done(struct covol_req *req, int err)
{
	covol_fault_delay();
	answer(container_of(req, struct served, req),
	       covol_fence_errno(req->obj->vol, err));
}

static void serve_io(struct served *sv)
{
	struct covol_req *req = &sv->req;
	int err;

	req->obj = sv->obj;
	req->op = sv->hdr.opcode;
	req->flags = sv->hdr.flags;
	req->asker.peer = sv->s->peer;
	req->asker.s = sv->s;
	req->offset = sv->hdr.offset;
	req->length = sv->hdr.length;
	req->bvec = sv->pages.bvec;
	req->nr = sv->pages.nr;
	req->done = req_done;
	err = covol_coordinator_submit(req);
	if (err)
		answer(sv, err);
}

static int serve_run(struct covol_lane *lane)
{
	struct covol_session *s = lane->s;
	struct served *sv = lane->request;

	if (sv->hdr.opcode == COVOL_OP_WRITE &&
	    sv->hdr.flags & COVOL_WIRE_DIGEST &&
	    covol_pages_crc(sv->pages.bvec, 0, sv->hdr.length) !=
	    sv->hdr.payload_crc) {
		covol_warn(s->vol, "node %u: data with a bad checksum\n",
			   s->peer);
		return -EBADMSG;	/* serve_drop() frees it */
	}
	lane->request = NULL;
	if (sv->hdr.opcode == COVOL_OP_GRANT)
		return serve_grant(sv);
	if (sv->hdr.opcode == COVOL_OP_RECALL) {
		serve_recall(sv);
	} else if (sv->err) {
		answer(sv, sv->err);
	} else if (is_io(sv->hdr.opcode)) {
		serve_io(sv);
	} else {	/* LAYOUT_GET: the answer proper is a grant */
		covol_layout_want(sv->obj, s->peer,
				  sv->hdr.offset >> SECTOR_SHIFT,
				  sv->hdr.length >> SECTOR_SHIFT);
		answer(sv, 0);
	}
	return 0;
}

static void serve_drop(struct covol_lane *lane)
{
	served_free(lane->request);
	lane->request = NULL;
}

/* What waits here on behalf of a session that has ended gives up. */
static void give_up(struct covol_volume *vol)
{
	struct covol_object *obj = NULL;

	while ((obj = covol_object_next(vol, obj))) {
		covol_chunks_wake(obj);
		/* s->closing is to be seen by who begins to wait now */
		smp_mb();
		wake_up_var(&obj->lost);
	}
	wake_up_all(&vol->session_wait);
}

static void serve_lost(struct covol_session *s, int err)
{
	trace_covol_session_lost(s, err);
	give_up(s->vol);
	atomic64_inc(&s->vol->sessions_lost);
	covol_route_check(s->vol);
	covol_event_session_lost(s->vol, s->peer,
				 READ_ONCE(s->planned) ? 0 : err);
}

const struct covol_session_ops covol_serve_ops = {
	.create		= serve_create,
	.destroy	= serve_destroy,
	.begin		= serve_begin,
	.run		= serve_run,
	.drop		= serve_drop,
	.lost		= serve_lost,
};

/**
 * covol_serve_show() - print the requests of a peer that are in service
 * @m: where to
 * @s: the session with the peer
 */
void covol_serve_show(struct seq_file *m, struct covol_session *s)
{
	struct served *sv;

	spin_lock(&s->lock);
	list_for_each_entry(sv, &s->requests, entry)
		seq_printf(m, "serving peer %u id %#llx op %s object %llu offset %llu length %llu age-ms %llu\n",
			   s->peer, sv->hdr.id,
			   covol_wire_op_name(sv->hdr.opcode), sv->hdr.object,
			   sv->hdr.offset, sv->hdr.length,
			   div_u64(ktime_get_ns() - sv->since, NSEC_PER_MSEC));
	spin_unlock(&s->lock);
}

int covol_serve_init(void)
{
	recall_wq = alloc_workqueue("covol_recall",
				    WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return recall_wq ? 0 : -ENOMEM;
}

void covol_serve_exit(void)
{
	destroy_workqueue(recall_wq);
}
