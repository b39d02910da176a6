// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router: what errors, changes of the route, recalls and answers of peers
 * do to bios that are on their way.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "fence.h"
#include "hold.h"
#include "holder.h"
#include "route.h"
#include "route_rig.h"

#define SHORT	msecs_to_jiffies(100)	/* nothing happens in this time */
#define LONG	(20 * HZ)		/* by then it has happened */

/* ---- what happens beside a test --------------------------------------- */

static struct clone *come(struct kunit *test, enum rig_op op, u64 start,
			  unsigned int sectors)
{
	struct clone *c = covol_clone_new(test, op, start, sectors);

	covol_clone_map(c);
	return c;
}

static void change_work(struct work_struct *work)
{
	struct rig *rig = container_of(work, struct rig, work);

	covol_rig_set(rig, BY_FS, COVOL_REASON_ADMIN);
	complete(&rig->done);
}

static void recall_work(struct work_struct *work)
{
	struct rig *rig = container_of(work, struct rig, work);

	covol_object_drain(rig->obj);
	complete(&rig->done);
}

/* Begin it while the test has a bio on the LUN, for which it has to wait. */
static void begin(struct kunit *test, work_func_t func)
{
	struct rig *rig = test->priv;
	unsigned long end = jiffies + LONG;

	INIT_WORK(&rig->work, func);
	queue_work(system_unbound_wq, &rig->work);
	while (!percpu_ref_is_dying(&rig->obj->direct.ref) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_TRUE(test, percpu_ref_is_dying(&rig->obj->direct.ref));
	KUNIT_EXPECT_FALSE_MSG(test,
			       wait_for_completion_timeout(&rig->done, SHORT),
			       "it does not wait");
}

/* It uses the rig, which must not go. */
static void finish(struct kunit *test)
{
	struct rig *rig = test->priv;

	flush_work(&rig->work);
	covol_rig_no_retry(rig);
}

/* ---- errors of the LUN ------------------------------------------------ */

#define BEFORE	COVOL_REASON_ADMIN
#define BUSY	(BEFORE | COVOL_REASON_MOVING)
#define NO_PATH	COVOL_REASON_NO_DISK_PATH

static const struct error_case {
	const char		*name;
	int			err;
	bool			busy;	/* the route is being changed */
	bool			held;	/* or else the error is passed up */
	enum covol_route	route;
	u32			reasons;
} errors[] = {
	{ "none", 0, false, false, DIRECT, BEFORE },
	{ "I/O error", -EIO, false, true, HELD, NO_PATH },
	{ "transport", -ENOLINK, false, true, HELD, NO_PATH },
	{ "timeout", -ETIMEDOUT, false, true, HELD, NO_PATH },
	{ "offline", -ENODEV, false, true, HELD, NO_PATH },
	{ "transport, busy", -ENOLINK, true, true, HELD, BUSY },

	{ "medium", -ENODATA, false, false, DIRECT, BEFORE },
	{ "medium, busy", -ENODATA, true, false, HELD, BUSY },
	{ "target", -EREMOTEIO, false, false, DIRECT, BEFORE },
	{ "not supported", -EOPNOTSUPP, false, false, DIRECT, BEFORE },
	{ "no space", -ENOSPC, false, false, DIRECT, BEFORE },
	{ "protection", -EILSEQ, false, false, DIRECT, BEFORE },
	{ "would block", -EAGAIN, false, false, DIRECT, BEFORE },
	{ "requeue", -EREMCHG, false, false, DIRECT, BEFORE },

	{ "conflict", COVOL_FENCE_ERRNO, false, false, UNAVAILABLE,
	  COVOL_REASON_FENCED },
	{ "conflict, busy", COVOL_FENCE_ERRNO, true, true, HELD, BUSY },
};

static void error_desc(const struct error_case *k, char *desc)
{
	strscpy(desc, k->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(errors, errors, error_desc);

static void error(struct kunit *test)
{
	const struct error_case *k = test->param_value;
	struct rig *rig = test->priv;
	struct clone *c, *other;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, DIRECT);
	c = come(test, READ_PLAIN, 90, 20);	/* 10 of them */
	other = come(test, READ_PLAIN, 30, 8);
	if (k->busy)
		begin(test, change_work);
	covol_clone_end(c, errno_to_blk_status(k->err));
	KUNIT_EXPECT_EQ(test, rig->vol->route, k->route);
	KUNIT_EXPECT_EQ(test, rig->vol->reasons, k->reasons);
	if (k->held)
		covol_expect_held(test, c);
	else
		covol_expect_ended(test, c, k->err);
	if (k->reasons == NO_PATH) {
		KUNIT_EXPECT_EQ(test, rig->vol->lost_object, rig->obj->id);
		KUNIT_EXPECT_EQ(test, rig->vol->lost_error, k->err);
	}
	covol_clone_end(other, BLK_STS_OK);
	KUNIT_EXPECT_TRUE(test, other->ended);
	if (k->busy)
		finish(test);
	flush_work(&rig->vol->fence_work);
	/* what was held is done again */
	covol_rig_route(test, DIRECT);
	covol_expect_ended(test, c, k->held ? 0 : k->err);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, k->held);
	if (k->held)
		KUNIT_EXPECT_EQ(test, rig->arrived[0], LUN_SECTOR + 1090);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
}

/* One whose submitter polls the LUN for it, by the cookie. */
static struct clone *come_polled(struct kunit *test, enum rig_op op, u64 start)
{
	struct clone *c = come(test, op, start, 8);

	if (c->remapped)
		bio_of(c)->bi_cookie = 1;
	return c;
}

/* It has gone on by a work item, as one for which nobody polls. */
static void expect_detached(struct kunit *test, struct clone *c, u64 place)
{
	struct rig *rig = test->priv;

	covol_rig_no_retry(rig);
	covol_expect_ended(test, c, 0);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, 1);
	KUNIT_EXPECT_EQ(test, rig->arrived[0], LUN_SECTOR + place);
	KUNIT_EXPECT_EQ(test, rig->nr_attended, 0);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
}

/* The LUN has no room: who polls cannot be told. */
static void polled_busy(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct clone *c;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, DIRECT);
	c = come_polled(test, WRITE_POLLED, 30);
	/* when it has to split a bio the block layer takes it away */
	bio_clear_polled(bio_of(c));
	covol_clone_end(c, BLK_STS_AGAIN);
	KUNIT_EXPECT_EQ(test, rig->vol->route, DIRECT);
	expect_detached(test, c, 1030);
}

static void polled_path(struct kunit *test)
{
	struct clone *c;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, DIRECT);
	c = come_polled(test, READ_POLLED, 30);
	covol_clone_end(c, BLK_STS_TRANSPORT);
	covol_expect_held(test, c);
	KUNIT_EXPECT_EQ(test, bio_of(c)->bi_cookie, BLK_QC_T_NONE);
	covol_rig_route(test, DIRECT);
	expect_detached(test, c, 1030);
}

/* The first conflict makes the volume unavailable; what else is under way by
 * then is not held for long.
 */
static void fenced(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct clone *first, *second;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, DIRECT);
	first = come(test, WRITE_PLAIN, 10, 8);
	second = come(test, WRITE_PLAIN, 30, 8);
	covol_clone_end(first, errno_to_blk_status(COVOL_FENCE_ERRNO));
	flush_work(&rig->vol->fence_work);
	covol_rig_no_retry(rig);
	covol_clone_end(second, BLK_STS_TRANSPORT);
	covol_rig_no_retry(rig);
	KUNIT_EXPECT_EQ(test, rig->vol->route, UNAVAILABLE);
	KUNIT_EXPECT_EQ(test, rig->vol->reasons, COVOL_REASON_FENCED);
	covol_expect_ended(test, first, COVOL_FENCE_ERRNO);
	covol_expect_ended(test, second, COVOL_FENCE_ERRNO);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
}

/* ---- changes of the route --------------------------------------------- */

static void change(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct clone *first, *next;
	u64 before;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, DIRECT);
	covol_route_reasons(rig->vol, COVOL_REASON_NO_DISK_PATH |
			    COVOL_REASON_FENCED |
			    COVOL_REASON_COORDINATOR_LOST, 0);
	before = covol_rig_counted(rig, COVOL_WAY_FS_REDIRECTED);
	first = come(test, WRITE_PLAIN, 10, 8);
	begin(test, change_work);
	KUNIT_EXPECT_EQ(test, rig->vol->route, HELD);
	KUNIT_EXPECT_TRUE(test, rig->vol->reasons & COVOL_REASON_MOVING);
	next = come(test, READ_PLAIN, 10, 8);
	KUNIT_EXPECT_EQ(test, covol_rig_counted(rig, COVOL_WAY_FS_REDIRECTED),
			before);
	covol_expect_held(test, next);
	covol_clone_end(first, BLK_STS_OK);
	finish(test);
	KUNIT_EXPECT_TRUE(test, first->ended);
	KUNIT_EXPECT_EQ(test, rig->vol->route, BY_FS);
	/* those that are not user space's to say stay */
	KUNIT_EXPECT_EQ(test, rig->vol->reasons,
			COVOL_REASON_ADMIN | COVOL_REASON_COORDINATOR_LOST);
	/* it has gone the new way, where nobody is */
	covol_expect_held(test, next);
	covol_expect_asked(test, next, COORDINATOR, rig->obj->id, 10);
	KUNIT_EXPECT_EQ(test, covol_rig_counted(rig, COVOL_WAY_FS_REDIRECTED),
			before + 1);
}

/* What was held goes on in its order. */
static void release(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct clone *c[4];
	unsigned int i;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, HELD);
	c[0] = come(test, WRITE_PLAIN, 40, 8);
	c[1] = come(test, READ_PLAIN, 620, 8);
	c[2] = come(test, READ_PLAIN, 320, 8);
	c[3] = come(test, WRITE_PLAIN, 10, 8);
	KUNIT_EXPECT_EQ(test, rig->vol->nr_held, 4);
	covol_rig_route(test, DIRECT);
	for (i = 0; i < 4; i++)
		covol_expect_ended(test, c[i], 0);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, 3);
	KUNIT_EXPECT_EQ(test, rig->arrived[0], LUN_SECTOR + 1040);
	KUNIT_EXPECT_EQ(test, rig->arrived[1], LUN_SECTOR + 5020);
	KUNIT_EXPECT_EQ(test, rig->arrived[2], LUN_SECTOR + 1010);
	KUNIT_EXPECT_EQ(test, c[2]->io.way, COVOL_WAY_ZERO_FILLED);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
}

/* It cannot be split any more: the coordinator takes it whole. */
static void release_whole(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct clone *c;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, HELD);
	c = come(test, WRITE_FUA, 590, 20);
	covol_expect_held(test, c);
	covol_rig_route(test, DIRECT);
	KUNIT_EXPECT_EQ(test, c->sectors, 20);
	covol_expect_held(test, c);
	covol_expect_asked(test, c, COORDINATOR, rig->obj->id, 590);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, 0);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
}

/* A node was given up: by the time that the route is set what was held has
 * failed, so that it cannot meet the next one (I3).
 */
static void unavailable(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct clone *c;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, HELD);
	c = come(test, WRITE_PLAIN, 10, 8);
	covol_expect_held(test, c);
	covol_rig_set(rig, UNAVAILABLE, COVOL_REASON_ADMIN);
	covol_expect_ended(test, c, -EIO);
	KUNIT_EXPECT_EQ(test, rig->vol->route, UNAVAILABLE);
	/* nobody has met a conflict */
	KUNIT_EXPECT_FALSE(test, rig->vol->reasons & COVOL_REASON_FENCED);
	c = come(test, WRITE_PLAIN, 10, 8);
	covol_expect_ended(test, c, -EIO);
	covol_rig_route(test, DIRECT);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, 0);
	c = come(test, WRITE_PLAIN, 10, 8);
	covol_expect_way(test, c, 'L', 1010, 8, "afterwards");
}

/* While a recall waits, nothing relies on the map. */
static void recall(struct kunit *test)
{
	static const struct {
		enum rig_op	op;
		u64		start;
		unsigned int	sectors;
		char		way;
	} next[] = {
		{ READ_PLAIN, 30, 8, 'f' }, { READ_PLAIN, 330, 8, 'f' },
		{ WRITE_PLAIN, 30, 8, 'f' }, { FLUSH, 0, 0, 'F' },
		{ READ_NOWAIT, 30, 8, 'A' },
	};
	struct clone *first, *c;
	unsigned int i;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, DIRECT);
	first = come(test, WRITE_PLAIN, 10, 8);
	begin(test, recall_work);
	for (i = 0; i < ARRAY_SIZE(next); i++) {
		c = come(test, next[i].op, next[i].start, next[i].sectors);
		/* a drain has dropped the first reference: one is under way */
		if (!covol_expect_way(test, c, next[i].way, 0, next[i].sectors,
				      covol_rig_ops[next[i].op].name))
			break;
	}
	covol_clone_end(first, BLK_STS_OK);
	finish(test);
	c = come(test, WRITE_PLAIN, 30, 8);
	covol_expect_way(test, c, 'L', 1030, 8, "afterwards");
}

/* ---- answers of peers ------------------------------------------------- */

/* A bio in a hole that the coordinator has got. */
static struct clone *with_coordinator(struct kunit *test, enum rig_op op)
{
	struct rig *rig = test->priv;
	struct clone *c;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, op == READ_PLAIN ? BY_FS : DIRECT);
	covol_rig_session(test, COORDINATOR);
	c = come(test, op, 320, 8);
	KUNIT_ASSERT_EQ(test, c->io.way, COVOL_WAY_FS_REDIRECTED);
	covol_expect_asked(test, c, COORDINATOR, rig->obj->id, 320);
	/* a change of the route waits for it; a recall, which it may wait for
	 * itself, does not
	 */
	KUNIT_EXPECT_EQ(test, under_way(&rig->vol->redirected), 1);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
	return c;
}

static const struct answer_case {
	const char	*name;
	enum rig_op	op;
	int		err;
	bool		held;
	bool		lost;
	bool		forgets;	/* that it was a hole (I5) */
	u32		reasons;
} answers[] = {
	{ "read", READ_PLAIN, 0 },
	{ "write", WRITE_PLAIN, 0, .forgets = true },
	{ "discard", DISCARD, 0 },
	{ "read fails", READ_PLAIN, -EIO },
	{ "write fails", WRITE_PLAIN, -ENOSPC },
	{ "no session", WRITE_PLAIN, -ENOTCONN, true },
	{ "stale", WRITE_PLAIN, -ESTALE, true,
	  .reasons = COVOL_REASON_STALE_EPOCH },
	{ "not served", WRITE_PLAIN, -ENOENT, true },
	{ "no path there", WRITE_PLAIN, -ENOLINK, true },
	{ "session ends, read", READ_PLAIN, -ECONNRESET, true },
	{ "session ends, write", WRITE_PLAIN, -ECONNRESET, true, true },
	{ "session ends, discard", DISCARD, -ECONNRESET, true, true },
	{ "choose again", WRITE_PLAIN, -EAGAIN, true },
};

static void answer_desc(const struct answer_case *k, char *desc)
{
	strscpy(desc, k->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(answers, answers, answer_desc);

static void answer(struct kunit *test)
{
	const struct answer_case *k = test->param_value;
	struct clone *c = with_coordinator(test, k->op);
	struct rig *rig = test->priv;
	struct covol_extent ext;

	covol_rig_answer(c, k->err);
	if (k->held)
		covol_expect_held(test, c);
	else
		covol_expect_ended(test, c, k->err);
	KUNIT_EXPECT_EQ(test, c->io.lost, k->lost);
	/* what fails there says nothing about the path from here */
	KUNIT_EXPECT_EQ(test, rig->vol->route,
			k->op == READ_PLAIN ? BY_FS : DIRECT);
	KUNIT_EXPECT_EQ(test, under_way(&rig->vol->redirected), 0);
	KUNIT_EXPECT_EQ(test, rig->vol->reasons, BEFORE | k->reasons);
	rcu_read_lock();
	covol_map_lookup(&rig->obj->map, 320, 8, &ext);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, ext.state, k->forgets ?
			COVOL_EXTENT_STATE_UNKNOWN : COVOL_EXTENT_STATE_HOLE);
}

static void grant(struct kunit *test)
{
	static const struct covol_extent granted = {
		300, 100, 7000, COVOL_EXTENT_STATE_DATA,
	};
	struct rig *rig = test->priv;

	KUNIT_EXPECT_EQ(test, covol_map_set(&rig->obj->map, &granted), 0);
}

static void try_again(struct rig *rig)
{
	covol_hold_release(rig->vol);
	covol_rig_no_retry(rig);
}

/* What still waits to be sent when a grant comes takes the direct way. */
static void granted_meanwhile(struct kunit *test)
{
	struct clone *c = with_coordinator(test, WRITE_PLAIN);
	struct covol_call *call = &c->io.call;
	struct rig *rig = test->priv;

	KUNIT_EXPECT_TRUE(test, call->needed(call));
	grant(test);
	KUNIT_EXPECT_FALSE(test, call->needed(call));
	covol_rig_answer(c, -EAGAIN);
	covol_expect_ended(test, c, 0);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, 1);
	KUNIT_EXPECT_EQ(test, rig->arrived[0], LUN_SECTOR + 7020);
	KUNIT_EXPECT_EQ(test, under_way(&rig->vol->redirected), 0);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
}

/* So does a polled one, which then is none. */
static void granted_polled(struct kunit *test)
{
	struct clone *c = with_coordinator(test, WRITE_POLLED);

	grant(test);
	covol_rig_answer(c, -EAGAIN);
	expect_detached(test, c, 7020);
}

/* What may be under way at the coordinator goes there again, and nowhere else
 * as long as it is the coordinator (I3).
 */
static void lost(struct kunit *test)
{
	struct clone *c = with_coordinator(test, WRITE_PLAIN);
	struct rig *rig = test->priv;

	covol_rig_answer(c, -ECONNRESET);
	grant(test);
	try_again(rig);
	covol_expect_held(test, c);
	covol_expect_asked(test, c, COORDINATOR, rig->obj->id, 320);
	covol_hold_fail(&rig->dev);
	covol_expect_held(test, c);

	rig->vol->coordinator = PEER;
	try_again(rig);
	covol_expect_ended(test, c, 0);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, 1);
	KUNIT_EXPECT_EQ(test, rig->arrived[0], LUN_SECTOR + 7020);
}

/* Nor does it fail before that peer has answered or is forgotten (I3). */
static void lost_unavailable(struct kunit *test)
{
	struct clone *c = with_coordinator(test, WRITE_PLAIN);
	struct rig *rig = test->priv;

	covol_rig_answer(c, -ECONNRESET);
	covol_rig_set(rig, UNAVAILABLE, COVOL_REASON_ADMIN);
	covol_rig_no_retry(rig);
	covol_expect_held(test, c);
	covol_expect_asked(test, c, COORDINATOR, rig->obj->id, 320);

	rig->vol->coordinator = PEER;
	try_again(rig);
	covol_expect_ended(test, c, -EIO);
	KUNIT_EXPECT_EQ(test, rig->nr_arrived, 0);
}

/* When its time is over it fails, but not before the peer is forgotten, on a route
 * that is held, too: there it is not tried again.
 */
static void lost_late(struct kunit *test)
{
	struct clone *c = with_coordinator(test, WRITE_PLAIN);
	struct rig *rig = test->priv;

	c->io.deadline = (jiffies - 2) | 1;
	covol_rig_answer(c, -ECONNRESET);
	covol_rig_set(rig, HELD, COVOL_REASON_ADMIN);
	try_again(rig);
	covol_expect_held(test, c);

	covol_layout_forget_holder(rig->vol, COORDINATOR);
	try_again(rig);
	covol_expect_ended(test, c, -ETIMEDOUT);
}

/* What may be under way to the LUN through a peer is so for a recall, too (I2),
 * until that has answered.
 */
static void lost_block(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct clone *c;

	covol_rig_choose(test, IMAGE);
	covol_rig_route(test, BY_BLOCK);
	covol_rig_session(test, PEER);
	c = come(test, WRITE_PLAIN, 10, 8);
	KUNIT_ASSERT_EQ(test, c->io.way, COVOL_WAY_BLOCK_REDIRECTED);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 1);
	covol_rig_answer(c, -ECONNRESET);
	covol_expect_held(test, c);
	KUNIT_EXPECT_EQ(test, under_way(&rig->obj->direct), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->obj->lost), 1);

	covol_rig_session(test, PEER);
	covol_map_forget(&rig->obj->map, 0, 100);
	try_again(rig);
	KUNIT_ASSERT_EQ(test, c->io.way, COVOL_WAY_BLOCK_REDIRECTED);
	covol_expect_asked(test, c, PEER, 0, 1010);
	covol_rig_answer(c, 0);
	covol_expect_ended(test, c, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->obj->lost), 0);
}

struct wanted {
	struct work_struct	work;
	struct covol_object	*obj;
	struct completion	done;
};

static void want(struct work_struct *work)
{
	struct wanted *wanted = container_of(work, struct wanted, work);

	covol_layout_want(wanted->obj, PEER, 0, 100);
	complete(&wanted->done);
}

/* Who receives asks for a layout, and so does not wait for who grants: that may
 * wait for memory (I8).
 */
static void asked_while_granting(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct wanted wanted = { };

	covol_rig_choose(test, HERE);
	wanted.obj = rig->obj;
	init_completion(&wanted.done);
	INIT_WORK_ONSTACK(&wanted.work, want);
	mutex_lock(&rig->obj->layout.lock);
	queue_work(system_unbound_wq, &wanted.work);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&wanted.done, 20 * HZ), 0);
	mutex_unlock(&rig->obj->layout.lock);
	flush_work(&wanted.work);
	destroy_work_on_stack(&wanted.work);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(error, errors_gen_params),
	KUNIT_CASE(polled_busy),
	KUNIT_CASE(polled_path),
	KUNIT_CASE(fenced),
	KUNIT_CASE(change),
	KUNIT_CASE(release),
	KUNIT_CASE(release_whole),
	KUNIT_CASE(unavailable),
	KUNIT_CASE(recall),
	KUNIT_CASE_PARAM(answer, answers_gen_params),
	KUNIT_CASE(granted_meanwhile),
	KUNIT_CASE(granted_polled),
	KUNIT_CASE(lost),
	KUNIT_CASE(lost_unavailable),
	KUNIT_CASE(lost_late),
	KUNIT_CASE(lost_block),
	KUNIT_CASE(asked_while_granting),
	{ }
};

static struct kunit_suite suite = {
	.name = "covol_route_change",
	.init = covol_rig_init,
	.exit = covol_rig_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
