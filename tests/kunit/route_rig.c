// SPDX-License-Identifier: GPL-2.0-only
/*
 * For the tests of the router. See route_rig.h.
 */
#include <linux/gfp.h>
#include <linux/string.h>
#include <linux/uuid.h>
#include <net/net_namespace.h>

#include "fence.h"
#include "hold.h"
#include "route.h"
#include "route_rig.h"

#define IMAGE_ID	1
#define IMAGE_SECTORS	10000
#define VOLUME_SECTORS	20000

#define NEVER	(3600 * HZ)

/* see route_rig.h */
static const struct covol_extent extents[] = {
	{ 0, 100, 1000, COVOL_EXTENT_STATE_DATA },
	{ 100, 100, 0, COVOL_EXTENT_STATE_UNWRITTEN },
	{ 200, 100, 2000, COVOL_EXTENT_STATE_SHARED },
	{ 300, 100, 0, COVOL_EXTENT_STATE_HOLE },
	{ 500, 100, 3000, COVOL_EXTENT_STATE_DATA },
	{ 600, 100, 5000, COVOL_EXTENT_STATE_DATA },
};

const struct rig_op_info covol_rig_ops[] = {
	{ "read", REQ_OP_READ, COVOL_OP_READ },
	{ "read META", REQ_OP_READ | REQ_META, COVOL_OP_READ },
	{ "read NOWAIT", REQ_OP_READ | REQ_NOWAIT, COVOL_OP_READ },
	{ "read POLLED", REQ_OP_READ | REQ_NOWAIT | REQ_POLLED, COVOL_OP_READ },
	{ "write", REQ_OP_WRITE, COVOL_OP_WRITE },
	{ "write FUA", REQ_OP_WRITE | REQ_FUA, COVOL_OP_WRITE, COVOL_WIRE_FUA },
	{ "write PREFLUSH", REQ_OP_WRITE | REQ_PREFLUSH, COVOL_OP_WRITE },
	{ "write META", REQ_OP_WRITE | REQ_META, COVOL_OP_WRITE },
	{ "write NOWAIT", REQ_OP_WRITE | REQ_NOWAIT, COVOL_OP_WRITE },
	{ "write POLLED", REQ_OP_WRITE | REQ_NOWAIT | REQ_POLLED,
	  COVOL_OP_WRITE },
	{ "flush", REQ_OP_WRITE | REQ_PREFLUSH, COVOL_OP_FLUSH },
	{ "discard", REQ_OP_DISCARD, COVOL_OP_DISCARD },
	{ "zeroes", REQ_OP_WRITE_ZEROES | REQ_NOUNMAP, COVOL_OP_WRITE_ZEROES,
	  COVOL_WIRE_NOUNMAP },
	{ "zeroes FUA", REQ_OP_WRITE_ZEROES | REQ_FUA, COVOL_OP_WRITE_ZEROES,
	  COVOL_WIRE_FUA },
};

/* What becomes of a bio, as a letter of the tables. */
static const struct way {
	char		letter;
	enum covol_way	counted;	/* COVOL_WAYS: it has gone nowhere */
	bool		held;		/* as there is no session */
	bool		asks;		/* the coordinator for a layout */
	int		err;
} ways[] = {
	{ 'L', COVOL_WAY_DIRECT },	/* to the LUN */
	{ '0', COVOL_WAY_ZERO_FILLED },
	{ 'F', COVOL_WAY_FS_REDIRECTED, true },
	{ 'f', COVOL_WAY_FS_REDIRECTED, true, true },
	{ 'B', COVOL_WAY_BLOCK_REDIRECTED, true },
	{ 'H', COVOL_WAYS, true },	/* because of the route */
	{ 'A', COVOL_WAYS, false, false, -EAGAIN },
	{ 'E', COVOL_WAYS, false, false, -EIO },	/* meta_policy */
	{ 'X', COVOL_WAYS, false, false, COVOL_FENCE_ERRNO },
};

/* ---- bios ------------------------------------------------------------- */

/* As device mapper does; and what the router submitted is on the LUN now. */
static void clone_ended(struct bio *bio)
{
	struct clone *c = container_of(bio, struct clone, dm.tio.clone);
	blk_status_t status = bio->bi_status;
	struct rig *rig = c->rig;

	if (c->io.way == COVOL_WAY_DIRECT && !c->remapped) {
		if (rig->nr_arrived < ARRAY_SIZE(rig->arrived))
			rig->arrived[rig->nr_arrived] = bio->bi_iter.bi_sector;
		rig->nr_arrived++;
		/* a work item submitted it: it may wait, and does not poll */
		rig->nr_attended += bio->bi_opf & (REQ_NOWAIT | REQ_POLLED) ||
				    bio->bi_cookie != BLK_QC_T_NONE;
		status = BLK_STS_OK;
	}
	c->remapped = false;
	if (covol_route_end_io(&c->io, bio, &status) == DM_ENDIO_INCOMPLETE)
		return;
	c->ended = true;
	c->status = status;
}

struct clone *covol_clone_new(struct kunit *test, enum rig_op op, u64 start,
			      unsigned int sectors)
{
	struct clone *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct rig *rig = test->priv;
	struct bio *bio;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->rig = rig;
	c->op = op;
	c->start = start;
	c->sectors = sectors;
	c->io.dev = &rig->dev;
	c->io.obj = rig->obj;
	bio = bio_of(c);
	c->dm.magic = DM_IO_MAGIC;
	c->dm.orig_bio = bio;
	c->dm.tio.magic = DM_TIO_MAGIC;
	c->dm.tio.io = &c->dm;
	c->dm.tio.len_ptr = &c->sectors;
	dm_tio_set_flag(&c->dm.tio, DM_TIO_INSIDE_DM_IO);
	bio_init(bio, NULL, &c->bvec, 1, covol_rig_ops[op].opf);
	bio->bi_iter.bi_sector = start;
	bio->bi_iter.bi_size = sectors << SECTOR_SHIFT;
	bio->bi_end_io = clone_ended;
	if (bio_has_data(bio)) {
		memset(page_address(rig->data), JUNK,
		       PAGE_SIZE << DATA_ORDER);
		c->bvec.bv_page = rig->data;
		c->bvec.bv_len = bio->bi_iter.bi_size;
		bio->bi_vcnt = 1;
	}
	return c;
}

void covol_clone_end(struct clone *c, blk_status_t status)
{
	bio_of(c)->bi_status = status;
	bio_endio(bio_of(c));
}

/* ---- the rig ---------------------------------------------------------- */

/* What is held is tried again when the router says so, not after a while. */
void covol_rig_no_retry(struct rig *rig)
{
	flush_work(&rig->vol->release_work.work);
	mod_delayed_work(covol_hold_wq, &rig->vol->release_work, NEVER);
}

void covol_rig_set(struct rig *rig, enum covol_route route, u32 reasons)
{
	mutex_lock(&rig->vol->lock);
	covol_route_set(rig->vol, route, reasons);
	mutex_unlock(&rig->vol->lock);
}

void covol_rig_route(struct kunit *test, enum covol_route route)
{
	struct rig *rig = test->priv;

	/* else it would wait for ever */
	KUNIT_ASSERT_EQ(test, under_way(&rig->obj->direct), 0);
	KUNIT_ASSERT_EQ(test, under_way(&rig->vol->redirected), 0);
	if (route != UNAVAILABLE) {
		covol_rig_set(rig, route, COVOL_REASON_ADMIN);
	} else {
		covol_rig_set(rig, DIRECT, 0);
		KUNIT_EXPECT_TRUE(test, covol_fence_conflict(rig->vol));
		flush_work(&rig->vol->fence_work);
	}
	covol_rig_no_retry(rig);
	KUNIT_EXPECT_EQ(test, rig->vol->route, route);
}

void covol_rig_choose(struct kunit *test, enum rig_object object)
{
	bool here = object == SELF || object == HERE;
	struct rig *rig = test->priv;

	if (rig->obj)
		covol_object_put(rig->obj);
	rig->obj = covol_object_find(rig->vol, object >= IMAGE ? IMAGE_ID : 0);
	KUNIT_ASSERT_NOT_NULL(test, rig->obj);
	rig->vol->coordinator = here ? NODE : COORDINATOR;
	rig->dev.obj = rig->obj;
	rig->dev.meta_forward = object == FORWARD;
}

/* So that under_way() can be read. */
static void count_in_one_place(struct covol_drain *drain)
{
	percpu_ref_switch_to_atomic_sync(&drain->ref);
}

static int fill_object(struct rig *rig, u64 id)
{
	struct covol_object *obj = covol_object_find(rig->vol, id);
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(extents) && !err; i++)
		err = covol_map_set(&obj->map, &extents[i]);
	count_in_one_place(&obj->direct);
	covol_object_put(obj);
	return err;
}

static void rig_lun(struct rig *rig)
{
	rig->lun.bd_nr_sectors = 1;
	rig->lun.bd_disk = &rig->disk;
	rig->disk.part0 = &rig->lun;
	rig->lun.bd_queue = &rig->queue;
	rig->vol->lun = &rig->lun;
}

int covol_rig_init(struct kunit *test)
{
	struct rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);
	const char *why;
	uuid_t uuid;
	int err;

	if (!rig)
		return -ENOMEM;
	test->priv = rig;
	rig->data = alloc_pages(GFP_KERNEL, DATA_ORDER);
	if (!rig->data)
		return -ENOMEM;
	init_completion(&rig->done);
	uuid_gen(&uuid);
	err = covol_volume_create(&init_net, &uuid, NODE, VOLUME_SECTORS * 512,
				  NULL, LUN_SECTOR * 512, &rig->vol);
	if (err)
		return err;
	rig->dev.vol = rig->vol;
	rig_lun(rig);
	rig->vol->redirect_peer = PEER;
	mutex_lock(&rig->vol->lock);
	err = covol_object_add(rig->vol, IMAGE_ID, IMAGE_SECTORS * 512, NULL,
			       NULL, 0, &why);
	mutex_unlock(&rig->vol->lock);
	count_in_one_place(&rig->vol->redirected);
	return err ?: fill_object(rig, 0) ?: fill_object(rig, IMAGE_ID);
}

void covol_rig_exit(struct kunit *test)
{
	struct rig *rig = test->priv;

	if (!rig)
		return;
	if (rig->vol) {
		/* nothing is lost with a coordinator who is none */
		rig->vol->coordinator = NODE;
		covol_hold_fail(&rig->dev);
	}
	if (rig->obj)
		covol_object_put(rig->obj);
	if (rig->vol)
		covol_volume_put(rig->vol);
	if (rig->data)
		__free_pages(rig->data, DATA_ORDER);
}

/* A session with a full window: what it is asked for waits in it. */
void covol_rig_session(struct kunit *test, u32 peer)
{
	struct rig *rig = test->priv;
	struct covol_session *s;
	unsigned int i;

	s = kunit_kzalloc(test, struct_size(s, lane, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	s->vol = rig->vol;
	s->peer = peer;
	s->nr_lanes = 1;
	s->lane[0].s = s;
	kref_init(&s->ref);
	spin_lock_init(&s->lock);
	s->state = COVOL_SESSION_STATE_LIVE;
	s->nr_outstanding = COVOL_WINDOW;
	for (i = 0; i < COVOL_CALL_CLASSES; i++)
		INIT_LIST_HEAD(&s->queued[i]);
	KUNIT_ASSERT_EQ(test, xa_insert(&rig->vol->sessions, peer, s,
					GFP_KERNEL), 0);
}

/* The peer's answer, or the end without one; no session is left. */
void covol_rig_answer(struct clone *c, int err)
{
	xa_erase(&c->rig->vol->sessions, c->io.peer);
	c->io.call.done(&c->io.call, err);
}

u64 covol_rig_counted(struct rig *rig, enum covol_way way)
{
	struct covol_stats sum;

	covol_stats_sum(rig->obj->stats, &sum);
	return sum.way[way].reads + sum.way[way].writes + sum.way[way].others;
}

/* As covol_map() does. */
int covol_clone_map(struct clone *c)
{
	enum covol_way way;
	int ret;

	for (way = 0; way < COVOL_WAYS; way++)
		c->before[way] = covol_rig_counted(c->rig, way);
	c->rig->obj->asked.when = 0;
	c->io.deadline = 0;
	ret = covol_route_map(&c->io, bio_of(c));
	c->remapped = ret == DM_MAPIO_REMAPPED;
	return ret;
}

/* ---- what has become of a bio ----------------------------------------- */

static const struct way *way_of(struct kunit *test, char letter)
{
	const struct way *way = ways;

	while (way < &ways[ARRAY_SIZE(ways) - 1] && way->letter != letter)
		way++;
	KUNIT_ASSERT_EQ(test, way->letter, letter);
	return way;
}

static void expect_counts(struct kunit *test, struct clone *c,
			  const struct way *way)
{
	enum covol_way i;

	for (i = 0; i < COVOL_WAYS; i++) {
		bool want = i == way->counted ||
			    (way->held && i == COVOL_WAY_HELD);

		KUNIT_EXPECT_EQ_MSG(test, covol_rig_counted(c->rig, i),
				    c->before[i] + want, "way %u", i);
	}
}

static void expect_on_lun(struct kunit *test, struct clone *c, u64 place)
{
	struct bio *bio = bio_of(c);

	KUNIT_EXPECT_TRUE(test, c->remapped);
	KUNIT_EXPECT_PTR_EQ(test, bio->bi_bdev, &c->rig->lun);
	KUNIT_EXPECT_EQ(test, bio->bi_iter.bi_sector, LUN_SECTOR + place);
	KUNIT_EXPECT_EQ(test, under_way(&c->rig->obj->direct), 1);
}

/* Zeroes as far as the bio goes, and nothing behind. */
static void expect_zeroes(struct kunit *test, struct clone *c)
{
	size_t all = PAGE_SIZE << DATA_ORDER;
	size_t bytes = c->sectors * 512;
	u8 *data = page_address(c->rig->data);

	KUNIT_EXPECT_NULL(test, memchr_inv(data, 0, bytes));
	KUNIT_EXPECT_NULL(test, memchr_inv(data + bytes, JUNK, all - bytes));
}

/* Who was asked for what: a peer, or this node's own service. */
void covol_expect_asked(struct kunit *test, struct clone *c, u32 peer,
			u64 object, u64 sector)
{
	const struct rig_op_info *op = &covol_rig_ops[c->op];
	const struct covol_hdr *hdr = &c->io.call.hdr;
	const struct covol_req *req = &c->io.req;
	u64 length = c->sectors * 512;

	KUNIT_EXPECT_EQ(test, c->io.peer, peer);
	if (peer == NODE) {
		KUNIT_EXPECT_PTR_EQ(test, req->obj, c->rig->obj);
		KUNIT_EXPECT_EQ(test, req->op, op->opcode);
		KUNIT_EXPECT_EQ(test, req->flags, op->flags);
		KUNIT_EXPECT_EQ(test, req->offset, sector * 512);
		KUNIT_EXPECT_EQ(test, req->length, length);
	} else {
		KUNIT_EXPECT_EQ(test, hdr->object, object);
		KUNIT_EXPECT_EQ(test, hdr->opcode, op->opcode);
		KUNIT_EXPECT_EQ(test, hdr->flags, op->flags);
		KUNIT_EXPECT_EQ(test, hdr->offset, sector * 512);
		KUNIT_EXPECT_EQ(test, hdr->length, length);
	}
}

/* It waits as it came, so that it can take any way, and counts nowhere. */
void covol_expect_held(struct kunit *test, struct clone *c)
{
	struct bio *bio = bio_of(c);

	KUNIT_EXPECT_FALSE(test, c->ended);
	KUNIT_EXPECT_EQ(test, c->rig->vol->nr_held, 1);
	KUNIT_EXPECT_EQ(test, c->io.way, COVOL_WAY_HELD);
	KUNIT_EXPECT_EQ(test, bio->bi_iter.bi_sector, c->start);
	KUNIT_EXPECT_EQ(test, bio_sectors(bio), c->sectors);
	KUNIT_EXPECT_EQ(test, bio->bi_status, BLK_STS_OK);
	KUNIT_EXPECT_EQ(test, under_way(&c->rig->vol->redirected), 0);
}

void covol_expect_ended(struct kunit *test, struct clone *c, int err)
{
	KUNIT_EXPECT_TRUE(test, c->ended);
	KUNIT_EXPECT_EQ(test, blk_status_to_errno(c->status), err);
	KUNIT_EXPECT_EQ(test, c->rig->vol->nr_held, 0);
}

/* On its way. */
static void expect_details(struct kunit *test, struct clone *c,
			   const struct way *way, u64 place)
{
	blk_opf_t opf = covol_rig_ops[c->op].opf;
	struct rig *rig = c->rig;

	if (way->held)
		opf &= ~(REQ_NOWAIT | REQ_POLLED);
	KUNIT_EXPECT_EQ(test, bio_of(c)->bi_opf, opf);
	KUNIT_EXPECT_EQ(test, !!rig->obj->asked.when, way->asks);
	if (way->counted == COVOL_WAY_DIRECT)
		expect_on_lun(test, c, place);
	else if (way->counted == COVOL_WAY_ZERO_FILLED)
		expect_zeroes(test, c);
	else if (way->counted == COVOL_WAY_FS_REDIRECTED)
		covol_expect_asked(test, c, rig->vol->coordinator, rig->obj->id,
				   c->start);
	else if (way->counted == COVOL_WAY_BLOCK_REDIRECTED)
		covol_expect_asked(test, c, PEER, 0, place);
	if (way->held)
		covol_expect_held(test, c);
}

/*
 * What covol_clone_map() has done: the first @sectors have taken a way, on the
 * LUN at @place. Ends the bio, if it has not yet. Returns whether all was well;
 * if not, @what says where.
 */
bool covol_expect_way(struct kunit *test, struct clone *c, char letter,
		      u64 place, unsigned int sectors, const char *what)
{
	const struct way *way = way_of(test, letter);
	struct rig *rig = c->rig;

	expect_counts(test, c, way);
	KUNIT_EXPECT_EQ(test, c->sectors, sectors);
	KUNIT_EXPECT_EQ(test, bio_sectors(bio_of(c)), sectors);
	if (test->status == KUNIT_SUCCESS)
		expect_details(test, c, way, place);
	if (c->remapped)
		covol_clone_end(c, BLK_STS_OK);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
	covol_hold_fail(&rig->dev);
	covol_expect_ended(test, c, way->held ? -EIO : way->err);
	if (test->status != KUNIT_SUCCESS)
		kunit_info(test, "%s: expected '%c'\n", what, letter);
	return test->status == KUNIT_SUCCESS;
}
