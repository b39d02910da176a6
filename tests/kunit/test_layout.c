// SPDX-License-Identifier: GPL-2.0-only
/*
 * Layouts: what is granted, what is cut out of a grant, and how it is taken
 * back. The node of these tests grants to itself, so that a grant shows in its
 * own map; peers have no session, or one that takes a grant and ends.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/uuid.h>
#include <net/net_namespace.h>

#include "holder.h"
#include "layout.h"
#include "session.h"
#include "volume.h"
#include "wire.h"

#define NODE		5
#define LOW_PEER	2
#define HIGH_PEER	9
#define IMAGE		1
#define IMAGE_SECTORS	10000
#define VOLUME_SECTORS	20000

#define SHORT	msecs_to_jiffies(100)	/* nothing happens in this time */
#define LONG	(20 * HZ)		/* by then it has happened */

#define HOLE		COVOL_EXTENT_STATE_HOLE
#define UNWRITTEN	COVOL_EXTENT_STATE_UNWRITTEN
#define SHARED		COVOL_EXTENT_STATE_SHARED
#define DATA		COVOL_EXTENT_STATE_DATA

struct rig {
	struct covol_volume	*vol;
	struct covol_object	*obj;
	struct covol_change	changes[COVOL_WIRE_EXTENTS_MAX];

	/* of the thread that recalls */
	struct covol_change	change;
	struct covol_asker	asker;
	struct completion	done;
};

static int add_image(struct rig *rig)
{
	const char *why;
	int err;

	mutex_lock(&rig->vol->lock);
	rig->vol->coordinator = NODE;
	err = covol_object_add(rig->vol, IMAGE, IMAGE_SECTORS * 512, NULL,
			       NULL, 0, &why);
	mutex_unlock(&rig->vol->lock);
	return err;
}

static int rig_init(struct kunit *test)
{
	struct rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);
	uuid_t uuid;
	int err;

	if (!rig)
		return -ENOMEM;
	test->priv = rig;
	init_completion(&rig->done);
	uuid_gen(&uuid);
	err = covol_volume_create(&init_net, &uuid, NODE, VOLUME_SECTORS * 512,
				  NULL, 0, &rig->vol);
	if (!err)
		err = add_image(rig);
	if (!err)
		rig->obj = covol_object_find(rig->vol, IMAGE);
	return err;
}

static void rig_exit(struct kunit *test)
{
	struct rig *rig = test->priv;

	if (rig && rig->obj)
		covol_object_put(rig->obj);
	if (rig && rig->vol)
		covol_volume_put(rig->vol);
}

static void remove_image(struct kunit *test)
{
	struct rig *rig = test->priv;
	const char *why;

	mutex_lock(&rig->vol->lock);
	KUNIT_EXPECT_EQ(test, covol_object_remove(rig->obj, &why), 0);
	mutex_unlock(&rig->vol->lock);
	covol_object_put(rig->obj);
	rig->obj = NULL;
}

static u64 seq_now(struct rig *rig)
{
	return rig->obj->layout.seq;
}

static int grant(struct rig *rig, u32 peer, u64 seq, u64 start, u64 len,
		 const struct covol_extent *ext, unsigned int nr)
{
	return covol_layout_grant(rig->obj, peer, seq, start, len, ext, nr);
}

static int grant_one(struct rig *rig, u32 peer, u64 seq, u64 start, u64 len)
{
	const struct covol_extent ext = {
		.start = start, .len = len, .place = start, .state = DATA,
	};

	return grant(rig, peer, seq, start, len, &ext, 1);
}

/* Make a peer a holder over a session that is gone when it has the grant. */
static void make_holder(struct kunit *test, u32 peer)
{
	struct rig *rig = test->priv;
	struct covol_session *s;

	s = kunit_kzalloc(test, struct_size(s, lane, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	s->vol = rig->vol;
	s->peer = peer;
	s->nr_lanes = 1;
	kref_init(&s->ref);
	spin_lock_init(&s->lock);
	s->lane[0].s = s;
	spin_lock_init(&s->lane[0].conn.lock);
	s->lane[0].conn.stopped = true;
	KUNIT_ASSERT_EQ(test, xa_insert(&rig->vol->sessions, peer, s,
					GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, grant_one(rig, peer, seq_now(rig), 0, 8), 0);
	xa_erase(&rig->vol->sessions, peer);
}

/* The map has these extents, up to one of no length, and no other. Goes on
 * when it has not: a thread may still use the rig.
 */
static void expect_map(struct kunit *test, const struct covol_extent *want,
		       unsigned int max)
{
	struct rig *rig = test->priv;
	struct covol_extent ext;
	unsigned int i;
	u64 at = 0;

	for (i = 0; i < max && want[i].len; i++) {
		if (!covol_map_next(&rig->obj->map, at, &ext)) {
			KUNIT_FAIL(test, "extent %u is missing", i);
			return;
		}
		KUNIT_EXPECT_EQ_MSG(test, ext.start, want[i].start, "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, ext.len, want[i].len, "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, ext.place, want[i].place, "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, ext.state, want[i].state, "%u", i);
		at = ext.start + ext.len;
	}
	KUNIT_EXPECT_FALSE_MSG(test, covol_map_next(&rig->obj->map, at, &ext),
			       "extent at %llu is too much", ext.start);
}

/* ---- check ------------------------------------------------------------ */

#define PAST_OBJECT	"range ends past the object"
#define NOT_VALID	"extent is not valid"
#define OVERLAP		"extents overlap, or begin before the range"
#define PAST_RANGE	"extent ends past the range"
#define PAST_VOLUME	"extent lies past the volume's end"

static const struct check_case {
	const char		*name;
	u64			start;
	u64			len;
	unsigned int		nr;
	struct covol_extent	ext[3];
	const char		*why;
} checks[] = {
	{ "nothing known", 0, 100, 0 },
	{ "whole object", 0, IMAGE_SECTORS, 1, { { 0, IMAGE_SECTORS, 0, DATA } } },
	{ "last sector", IMAGE_SECTORS - 1, 1, 1,
	  { { IMAGE_SECTORS - 1, 1, 0, HOLE } } },
	{ "last of the volume", 0, 8, 1,
	  { { 0, 8, VOLUME_SECTORS - 8, SHARED } } },
	{ "with gaps", 100, 100, 3,
	  { { 110, 10, 0, DATA }, { 120, 10, 0, HOLE }, { 190, 10, 0, DATA } } },
	{ "same place twice", 0, 100, 2,
	  { { 0, 10, 50, SHARED }, { 10, 10, 50, SHARED } } },

	{ "no length", 100, 0, 0, { }, PAST_OBJECT },
	{ "past the object", 0, IMAGE_SECTORS + 1, 0, { }, PAST_OBJECT },
	{ "behind the object", IMAGE_SECTORS, 1, 0, { }, PAST_OBJECT },
	{ "far behind the object", U64_MAX, 1, 0, { }, PAST_OBJECT },
	{ "wraps around", 100, U64_MAX - 50, 0, { }, PAST_OBJECT },
	{ "state unknown", 0, 100, 1, { { 0, 10, 0, 0 } }, NOT_VALID },
	{ "hole with a place", 0, 100, 1, { { 0, 10, 1, HOLE } }, NOT_VALID },
	{ "extent of no length", 0, 100, 1, { { 0, 0, 0, DATA } }, NOT_VALID },
	{ "second is not valid", 0, 100, 2,
	  { { 0, 10, 0, DATA }, { 10, 10, 0, DATA + 1 } }, NOT_VALID },
	{ "before the range", 100, 100, 1, { { 99, 10, 0, DATA } }, OVERLAP },
	{ "overlap", 0, 100, 2,
	  { { 0, 10, 0, DATA }, { 9, 10, 0, DATA } }, OVERLAP },
	{ "twice the same", 0, 100, 2,
	  { { 0, 10, 0, DATA }, { 0, 10, 0, DATA } }, OVERLAP },
	{ "descending", 0, 100, 2,
	  { { 50, 10, 0, DATA }, { 0, 10, 0, DATA } }, OVERLAP },
	{ "past the range", 0, 100, 1, { { 91, 10, 0, DATA } }, PAST_RANGE },
	{ "behind the range", 0, 100, 1, { { 100, 1, 0, HOLE } }, PAST_RANGE },
	{ "past the volume", 0, 100, 1,
	  { { 0, 8, VOLUME_SECTORS - 7, DATA } }, PAST_VOLUME },
	{ "far past the volume", 0, 100, 1,
	  { { 0, 8, COVOL_SECTOR_MAX - 8, SHARED } }, PAST_VOLUME },
};

static void check_desc(const struct check_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(checks, checks, check_desc);

static void check(struct kunit *test)
{
	const struct check_case *c = test->param_value;
	struct rig *rig = test->priv;
	const char *why;

	why = covol_layout_check(rig->obj, c->start, c->len, c->ext, c->nr);
	KUNIT_EXPECT_STREQ(test, why ?: "nothing wrong",
			   c->why ?: "nothing wrong");
}

/* ---- install ---------------------------------------------------------- */

static void install(struct kunit *test)
{
	static const struct covol_extent ext[] = {
		{ 110, 10, 500, DATA }, { 130, 0, 700, DATA },
		{ 140, 10, 0, HOLE },
	}, granted[] = {
		{ 0, 110, 1000, DATA }, { 110, 10, 500, DATA },
		{ 120, 20, 1120, DATA }, { 140, 10, 0, HOLE },
		{ 150, 850, 1150, DATA },
	}, replaced[] = {
		{ 0, 100, 1000, DATA },
		{ 110, 10, 500, DATA }, { 140, 10, 0, HOLE },
		{ 200, 800, 1200, DATA },
	};
	struct rig *rig = test->priv;

	KUNIT_ASSERT_EQ(test, covol_map_set(&rig->obj->map,
					    &(struct covol_extent){
						.len = 1000, .place = 1000,
						.state = DATA }), 0);
	KUNIT_EXPECT_EQ(test, covol_layout_install(rig->obj, ext,
						   ARRAY_SIZE(ext)), 0);
	expect_map(test, granted, ARRAY_SIZE(granted));
	KUNIT_EXPECT_EQ(test, covol_layout_replace(rig->obj, 100, 100, ext,
						   ARRAY_SIZE(ext)), 0);
	expect_map(test, replaced, ARRAY_SIZE(replaced));

	/* without extents: the range is unknown */
	KUNIT_EXPECT_EQ(test, covol_layout_replace(rig->obj, 0, 1000, NULL, 0),
			0);
	expect_map(test, NULL, 0);
}

/* ---- sequences (I6) --------------------------------------------------- */

enum what { NO_STEP, READS, BEGINS, ENDS, GRANTS };

/* A change @id begins and ends; extents are read; they are granted. */
struct step {
	enum what	what;
	unsigned int	id;
	u64		start;
	u64		len;
};

#define DATA_100	{ { 0, 100, 1000, DATA } }

static const struct cut_case {
	const char		*name;
	struct step		steps[8];
	struct covol_extent	read[3];	/* of [0, 100) */
	struct covol_extent	after[5];
} cuts[] = {
	{ "no change", { { READS }, { GRANTS } }, DATA_100, DATA_100 },
	{ "read before a change",
	  { { READS }, { BEGINS, 0, 10, 20 }, { ENDS, 0 }, { GRANTS } },
	  DATA_100, { { 0, 10, 1000, DATA }, { 30, 70, 1030, DATA } } },
	{ "granted during a change",
	  { { READS }, { BEGINS, 0, 10, 20 }, { GRANTS } },
	  DATA_100, { { 0, 10, 1000, DATA }, { 30, 70, 1030, DATA } } },
	{ "read and granted during a change",
	  { { BEGINS, 0, 10, 20 }, { READS }, { GRANTS } },
	  DATA_100, { { 0, 10, 1000, DATA }, { 30, 70, 1030, DATA } } },
	{ "read during a change",
	  { { BEGINS, 0, 10, 20 }, { READS }, { ENDS, 0 }, { GRANTS } },
	  DATA_100, { { 0, 10, 1000, DATA }, { 30, 70, 1030, DATA } } },
	{ "read after a change",
	  { { BEGINS, 0, 10, 20 }, { ENDS, 0 }, { READS }, { GRANTS } },
	  DATA_100, DATA_100 },
	{ "read between two changes",
	  { { BEGINS, 0, 10, 20 }, { ENDS, 0 }, { READS },
	    { BEGINS, 1, 50, 10 }, { ENDS, 1 }, { GRANTS } },
	  DATA_100, { { 0, 50, 1000, DATA }, { 60, 40, 1060, DATA } } },
	{ "the first to begin ends last",
	  { { BEGINS, 0, 10, 20 }, { BEGINS, 1, 50, 10 }, { ENDS, 1 }, { READS },
	    { ENDS, 0 }, { GRANTS } },
	  DATA_100, { { 0, 10, 1000, DATA }, { 30, 70, 1030, DATA } } },
	{ "changes elsewhere",
	  { { READS }, { BEGINS, 0, 100, 50 }, { ENDS, 0 },
	    { BEGINS, 1, 200, 10 }, { GRANTS } },
	  DATA_100, DATA_100 },
	{ "change of all",
	  { { READS }, { BEGINS, 0, 0, 100 }, { ENDS, 0 }, { GRANTS } }, DATA_100 },
	{ "change around all",
	  { { READS }, { BEGINS, 0, 0, 9999 }, { GRANTS } }, DATA_100 },
	{ "change of the head",
	  { { READS }, { BEGINS, 0, 0, 1 }, { ENDS, 0 }, { GRANTS } },
	  DATA_100, { { 1, 99, 1001, DATA } } },
	{ "change of the tail",
	  { { READS }, { BEGINS, 0, 99, 10 }, { ENDS, 0 }, { GRANTS } },
	  DATA_100, { { 0, 99, 1000, DATA } } },
	{ "two changes of one extent",
	  { { READS }, { BEGINS, 0, 20, 10 }, { BEGINS, 1, 60, 10 }, { ENDS, 0 },
	    { GRANTS } },
	  DATA_100,
	  { { 0, 20, 1000, DATA }, { 30, 30, 1030, DATA },
	    { 70, 30, 1070, DATA } } },
	{ "overlapping changes",
	  { { READS }, { BEGINS, 0, 20, 30 }, { BEGINS, 1, 40, 20 }, { ENDS, 1 },
	    { ENDS, 0 }, { GRANTS } },
	  DATA_100, { { 0, 20, 1000, DATA }, { 60, 40, 1060, DATA } } },
	{ "change across extents",
	  { { READS }, { BEGINS, 0, 20, 50 }, { ENDS, 0 }, { GRANTS } },
	  { { 0, 30, 2000, SHARED }, { 30, 30, 0, UNWRITTEN },
	    { 60, 40, 3000, DATA } },
	  { { 0, 20, 2000, SHARED }, { 70, 30, 3010, DATA } } },
	{ "cuts in each of three extents",
	  { { READS }, { BEGINS, 0, 80, 10 }, { ENDS, 0 }, { BEGINS, 1, 40, 5 },
	    { ENDS, 1 }, { BEGINS, 2, 0, 25 }, { GRANTS } },
	  { { 0, 30, 2000, SHARED }, { 30, 30, 0, HOLE },
	    { 60, 40, 3000, DATA } },
	  { { 25, 5, 2025, SHARED }, { 30, 10, 0, HOLE }, { 45, 15, 0, HOLE },
	    { 60, 20, 3000, DATA }, { 90, 10, 3030, DATA } } },
};

static void cut_desc(const struct cut_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(cuts, cuts, cut_desc);

static unsigned int count(const struct covol_extent *ext, unsigned int max)
{
	unsigned int nr = 0;

	while (nr < max && ext[nr].len)
		nr++;
	return nr;
}

static void cut(struct kunit *test)
{
	const struct cut_case *c = test->param_value;
	unsigned int nr = count(c->read, ARRAY_SIZE(c->read));
	struct rig *rig = test->priv;
	const struct step *step;
	u64 seq = 0;

	for (step = c->steps; step->what != NO_STEP; step++) {
		struct covol_change *change = &rig->changes[step->id];

		switch (step->what) {
		case READS:
			seq = seq_now(rig);
			break;
		case BEGINS:
			covol_layout_begin(rig->obj, change, step->start,
					   step->len);
			break;
		case ENDS:
			covol_layout_end(rig->obj, change);
			break;
		default:
			KUNIT_ASSERT_EQ(test, grant(rig, NODE, seq, 0, 100,
						    c->read, nr), 0);
		}
	}
	expect_map(test, c->after, ARRAY_SIZE(c->after));
}

/* What is cut out of a grant stays as it is: a recall takes back what must be. */
static void cut_stays(struct kunit *test)
{
	static const struct covol_extent after[] = { { 0, 100, 0, DATA } };
	struct rig *rig = test->priv;
	u64 seq = seq_now(rig);

	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq, 0, 100), 0);
	covol_layout_begin(rig->obj, &rig->changes[0], 50, 10);
	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq, 0, 100), 0);
	expect_map(test, after, ARRAY_SIZE(after));
	covol_layout_end(rig->obj, &rig->changes[0]);
}

static void change_once(struct rig *rig, u64 start, u64 len)
{
	covol_layout_begin(rig->obj, &rig->changes[0], start, len);
	covol_layout_end(rig->obj, &rig->changes[0]);
}

/* Changes are remembered up to a number; what is older is refused. */
static void overflow(struct kunit *test)
{
	static const struct covol_extent after[] = { { 1, 99, 1, DATA } };
	struct rig *rig = test->priv;
	u64 old = seq_now(rig), less_old;
	unsigned int i;

	change_once(rig, 0, 1);
	less_old = seq_now(rig);
	for (i = 1; i < COVOL_CHANGES; i++)
		change_once(rig, 5000, 1);
	/* the first change is the oldest that is remembered */
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, old, 0, 100), 0);
	expect_map(test, after, ARRAY_SIZE(after));

	change_once(rig, 5000, 1);
	/* now it is not: who read before it must not be believed */
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, old, 0, 100), -ESTALE);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, old, 200, 1), -ESTALE);
	expect_map(test, after, ARRAY_SIZE(after));
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, less_old, 1, 99), 0);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, seq_now(rig), 1, 99), 0);
	expect_map(test, after, ARRAY_SIZE(after));
}

/* An image that is removed and added again is another: what was read of the
 * first one's map is not granted to holders of the second.
 */
static void added_again(struct kunit *test)
{
	struct rig *rig = test->priv;
	u64 old;

	change_once(rig, 0, 1);
	old = seq_now(rig);
	remove_image(test);
	KUNIT_ASSERT_EQ(test, add_image(rig), 0);
	rig->obj = covol_object_find(rig->vol, IMAGE);
	change_once(rig, 0, 1);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, old, 0, 100), -ESTALE);
	expect_map(test, NULL, 0);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 100), 0);
}

/* There is room for as many pieces as fit into a message, and no further. */
static void no_room(struct kunit *test)
{
	const unsigned int most = COVOL_WIRE_EXTENTS_MAX / 2;
	struct rig *rig = test->priv;
	struct covol_extent *ext;
	unsigned int i;
	u64 seq;

	ext = kunit_kcalloc(test, most, sizeof(*ext), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ext);
	for (i = 0; i < most; i++)
		ext[i] = (struct covol_extent){
			.start = 8 * i, .len = 8, .place = 16 * i,
			.state = DATA,
		};
	seq = seq_now(rig);
	for (i = 0; i < most; i++)
		covol_layout_begin(rig->obj, &rig->changes[i], 8 * i + 4, 1);
	KUNIT_EXPECT_EQ(test, grant(rig, NODE, seq, 0, 8 * most, ext, most), 0);
	KUNIT_EXPECT_EQ(test, rig->obj->map.count, 2 * most);

	covol_layout_begin(rig->obj, &rig->changes[most], 2, 1);
	KUNIT_EXPECT_EQ(test, grant(rig, NODE, seq, 0, 8 * most, ext, most),
			-ESTALE);
	for (i = 0; i <= most; i++)
		covol_layout_end(rig->obj, &rig->changes[i]);
}

/* ---- holders ---------------------------------------------------------- */

static void holders(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct covol_object *obj = rig->obj;

	KUNIT_EXPECT_EQ(test, covol_layout_holders(obj), 0u);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 8), 0);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, seq_now(rig), 8, 8), 0);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(obj), 1u);
	KUNIT_EXPECT_FALSE(test, covol_layout_others(obj));

	/* without a session there is nobody to hold anything */
	KUNIT_EXPECT_EQ(test, grant_one(rig, HIGH_PEER, seq_now(rig), 0, 8),
			-ENOTCONN);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(obj), 1u);

	make_holder(test, HIGH_PEER);
	make_holder(test, LOW_PEER);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(obj), 3u);
	KUNIT_EXPECT_TRUE(test, covol_layout_others(obj));

	covol_layout_forget_holder(rig->vol, HIGH_PEER);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(obj), 2u);
	KUNIT_EXPECT_TRUE(test, covol_layout_others(obj));
	covol_layout_forget_holder(rig->vol, 77);
	covol_layout_forget_holder(rig->vol, LOW_PEER);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(obj), 1u);
	KUNIT_EXPECT_FALSE(test, covol_layout_others(obj));
}

/* An image is not removed while others hold layouts of it. */
static void holders_keep_image(struct kunit *test)
{
	struct rig *rig = test->priv;
	const char *why;

	make_holder(test, LOW_PEER);
	mutex_lock(&rig->vol->lock);
	KUNIT_EXPECT_EQ(test, covol_object_remove(rig->obj, &why), -EBUSY);
	covol_layout_forget_holder(rig->vol, LOW_PEER);
	KUNIT_EXPECT_EQ(test, covol_object_remove(rig->obj, &why), 0);
	mutex_unlock(&rig->vol->lock);
	KUNIT_EXPECT_NULL(test, covol_object_find(rig->vol, IMAGE));
}

/* ---- recall ----------------------------------------------------------- */

static int recaller(void *data)
{
	struct rig *rig = data;

	covol_layout_begin(rig->obj, &rig->change, 10, 20);
	covol_layout_recall(rig->obj, &rig->change, &rig->asker, true);
	covol_layout_end(rig->obj, &rig->change);
	complete(&rig->done);
	return 0;
}

static void start_recall(struct kunit *test, u32 asker)
{
	struct rig *rig = test->priv;
	struct task_struct *task;

	rig->asker.peer = asker;
	task = kthread_run(recaller, rig, "covol_recaller");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
}

static bool recalled(struct rig *rig, unsigned long time)
{
	return wait_for_completion_timeout(&rig->done, time);
}

/* Without an end the thread still uses the rig: it must not go. */
static void wait_recalled(struct kunit *test)
{
	struct rig *rig = test->priv;

	if (recalled(rig, LONG))
		return;
	KUNIT_FAIL(test, "the recall does not end");
	wait_for_completion(&rig->done);
}

static bool enter(struct covol_object *obj)
{
	bool entered;

	rcu_read_lock();
	entered = covol_drain_enter(&obj->direct);
	rcu_read_unlock();
	return entered;
}

static const struct covol_extent recalled_10_20[] = {
	{ 0, 10, 0, DATA }, { 30, 70, 30, DATA },
};

static const struct covol_extent whole_100[] = { { 0, 100, 0, DATA } };

static void recall_of_nobody(struct kunit *test)
{
	start_recall(test, 0);
	wait_recalled(test);
}

/* The range is forgotten first, then I/O that relies on it may end. */
static void recall_local(struct kunit *test)
{
	struct rig *rig = test->priv;
	bool early, again;

	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 100), 0);
	KUNIT_ASSERT_TRUE(test, enter(rig->obj));
	start_recall(test, 0);
	early = recalled(rig, SHORT);
	again = enter(rig->obj);
	if (again)
		covol_drain_leave(&rig->obj->direct);
	KUNIT_EXPECT_FALSE_MSG(test, early, "ended with I/O under way");
	KUNIT_EXPECT_FALSE_MSG(test, again, "I/O by the map during a recall");
	expect_map(test, recalled_10_20, ARRAY_SIZE(recalled_10_20));
	covol_drain_leave(&rig->obj->direct);
	if (!early)
		wait_recalled(test);
	KUNIT_ASSERT_TRUE(test, enter(rig->obj));
	covol_drain_leave(&rig->obj->direct);
	expect_map(test, recalled_10_20, ARRAY_SIZE(recalled_10_20));
}

/* The node on whose behalf something changes keeps its data ... */
static void recall_except(struct kunit *test)
{
	struct rig *rig = test->priv;
	bool done;

	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 100), 0);
	KUNIT_ASSERT_TRUE(test, enter(rig->obj));
	start_recall(test, NODE);
	done = recalled(rig, 5 * HZ);
	covol_drain_leave(&rig->obj->direct);
	KUNIT_EXPECT_TRUE_MSG(test, done, "waits for I/O that may go on");
	if (!done)
		wait_recalled(test);
	expect_map(test, whole_100, ARRAY_SIZE(whole_100));
}

/* ... and nothing that reads as zeroes. */
static void recall_zeroes(struct kunit *test)
{
	static const struct covol_extent hole = { 0, 100, 0, HOLE };
	static const struct covol_extent rest[] = {
		{ 0, 10, 0, HOLE }, { 30, 70, 0, HOLE },
	};
	struct rig *rig = test->priv;

	KUNIT_ASSERT_EQ(test, covol_layout_grant(rig->obj, NODE, seq_now(rig), 0,
						 100, &hole, 1), 0);
	start_recall(test, NODE);
	wait_recalled(test);
	expect_map(test, rest, ARRAY_SIZE(rest));
}

static const u32 silent_peers[] = { LOW_PEER, HIGH_PEER };

static void silent_desc(const u32 *peer, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "node %u beside node %u", *peer,
		 NODE);
}

KUNIT_ARRAY_PARAM(silent, silent_peers, silent_desc);

/* I2: a holder that cannot be asked may still write, until it is fenced. */
static void recall_silent(struct kunit *test)
{
	u32 peer = *(const u32 *)test->param_value;
	struct rig *rig = test->priv;
	bool early;

	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 100), 0);
	make_holder(test, peer);
	start_recall(test, 0);
	early = recalled(rig, SHORT);
	KUNIT_EXPECT_FALSE_MSG(test, early, "did not wait for the holder");
	KUNIT_EXPECT_EQ(test, covol_layout_holders(rig->obj), 2u);
	covol_layout_forget_holder(rig->vol, peer);
	if (!early)
		wait_recalled(test);
	expect_map(test, recalled_10_20, ARRAY_SIZE(recalled_10_20));
}

/* What was read before a recall does not come back after it. */
static void recall_then_grant(struct kunit *test)
{
	struct rig *rig = test->priv;
	u64 seq = seq_now(rig);

	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq, 0, 100), 0);
	start_recall(test, 0);
	wait_recalled(test);
	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq, 0, 100), 0);
	expect_map(test, recalled_10_20, ARRAY_SIZE(recalled_10_20));
	KUNIT_ASSERT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 100), 0);
	expect_map(test, whole_100, ARRAY_SIZE(whole_100));
}

/* ---- another node serves ---------------------------------------------- */

static int serve(struct rig *rig, u32 peer)
{
	const u32 holders[] = { NODE, peer };

	return covol_layout_serve(rig->obj, holders, ARRAY_SIZE(holders));
}

/* I2, I5: what an earlier coordinator has granted is taken back, here, too. */
static void serves_holders(struct kunit *test)
{
	struct rig *rig = test->priv;
	bool early;

	KUNIT_ASSERT_EQ(test, covol_map_set(&rig->obj->map, &whole_100[0]), 0);
	KUNIT_ASSERT_EQ(test, serve(rig, HIGH_PEER), 0);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(rig->obj), 2u);
	start_recall(test, 0);
	early = recalled(rig, SHORT);
	KUNIT_EXPECT_FALSE(test, early);
	covol_layout_forget_holder(rig->vol, HIGH_PEER);
	if (!early)
		wait_recalled(test);
	expect_map(test, recalled_10_20, ARRAY_SIZE(recalled_10_20));
}

/* I6: what was read when the image was served here before is not granted. */
static void serves_anew(struct kunit *test)
{
	struct rig *rig = test->priv;
	u64 seq = seq_now(rig);

	KUNIT_ASSERT_EQ(test, serve(rig, LOW_PEER), 0);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, seq, 0, 100), -ESTALE);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 100), 0);
}

/* The file is taken away: who waits for a holder gives up, none is forgotten. */
static void leaving(struct kunit *test)
{
	struct rig *rig = test->priv;
	bool early;

	KUNIT_ASSERT_EQ(test, serve(rig, HIGH_PEER), 0);
	start_recall(test, 0);
	early = recalled(rig, SHORT);
	WRITE_ONCE(rig->obj->file_state, COVOL_FILE_LEAVING);
	wake_up_all(&rig->vol->session_wait);
	if (!early)
		wait_recalled(test);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(rig->obj), 2u);
	covol_layout_begin(rig->obj, &rig->change, 0, COVOL_LAYOUT_ALL);
	KUNIT_EXPECT_EQ(test, covol_layout_recall_all(rig->obj, &rig->change),
			-ENOENT);
	covol_layout_end(rig->obj, &rig->change);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(rig->obj), 2u);
	KUNIT_EXPECT_EQ(test, grant_one(rig, NODE, seq_now(rig), 0, 100),
			-ENOENT);
	expect_map(test, NULL, 0);
	covol_layout_leave(rig->obj);
	KUNIT_EXPECT_EQ(test, covol_layout_holders(rig->obj), 0u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(check, checks_gen_params),
	KUNIT_CASE(install),
	KUNIT_CASE_PARAM(cut, cuts_gen_params),
	KUNIT_CASE(cut_stays),
	KUNIT_CASE(overflow),
	KUNIT_CASE(added_again),
	KUNIT_CASE(no_room),
	KUNIT_CASE(holders),
	KUNIT_CASE(holders_keep_image),
	KUNIT_CASE(recall_of_nobody),
	KUNIT_CASE(recall_local),
	KUNIT_CASE(recall_except),
	KUNIT_CASE(recall_zeroes),
	KUNIT_CASE_PARAM(recall_silent, silent_gen_params),
	KUNIT_CASE(recall_then_grant),
	KUNIT_CASE(serves_holders),
	KUNIT_CASE(serves_anew),
	KUNIT_CASE(leaving),
	{ }
};

static struct kunit_suite suite = {
	.name = "covol_layout",
	.init = rig_init,
	.exit = rig_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
