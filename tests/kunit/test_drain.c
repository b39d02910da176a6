// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draining: it waits for what was under way, refuses what comes meanwhile,
 * and opens again.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>

#include "drain.h"

#define SHORT	msecs_to_jiffies(100)	/* nothing happens in this time */
#define LONG	(20 * HZ)		/* by then it has happened */

#define DRAINERS	3

/* A drain, and kernel threads that wait for it or work in it. */
struct rig {
	struct covol_drain	drain;
	bool			ready;
	struct completion	drained;
	atomic_t		nr_drained;
	struct task_struct	*worker;
	u64			started;
	u64			finished;
	u64			refused;
};

static bool enter(struct rig *rig)
{
	bool entered;

	rcu_read_lock();
	entered = covol_drain_enter(&rig->drain);
	rcu_read_unlock();
	return entered;
}

static int rig_init(struct kunit *test)
{
	struct rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	if (!rig)
		return -ENOMEM;
	test->priv = rig;
	init_completion(&rig->drained);
	if (covol_drain_init(&rig->drain))
		return -ENOMEM;
	rig->ready = true;
	return 0;
}

static void rig_exit(struct kunit *test)
{
	struct rig *rig = test->priv;

	if (!rig || !rig->ready)
		return;
	if (rig->worker)
		kthread_stop(rig->worker);
	covol_drain_exit(&rig->drain);
}

static int drainer(void *data)
{
	struct rig *rig = data;

	covol_drain_wait(&rig->drain);
	atomic_inc(&rig->nr_drained);
	complete(&rig->drained);
	return 0;
}

static void start_drainer(struct kunit *test)
{
	struct task_struct *task = kthread_run(drainer, test->priv,
					       "covol_drainer");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
}

/* Without an end the thread still uses the rig: it must not go. */
static void wait_drained(struct kunit *test)
{
	struct rig *rig = test->priv;

	if (wait_for_completion_timeout(&rig->drained, LONG))
		return;
	KUNIT_FAIL(test, "the drain does not end");
	wait_for_completion(&rig->drained);
}

static void idle(struct kunit *test)
{
	struct rig *rig = test->priv;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		covol_drain_wait(&rig->drain);
		KUNIT_ASSERT_TRUE(test, enter(rig));
		KUNIT_ASSERT_TRUE(test, enter(rig));
		covol_drain_leave(&rig->drain);
		covol_drain_leave(&rig->drain);
	}
}

static void waits_for_all(struct kunit *test)
{
	struct rig *rig = test->priv;
	unsigned int i, late = 0;
	bool early;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, enter(rig));
	start_drainer(test);
	early = wait_for_completion_timeout(&rig->drained, SHORT);
	for (i = 0; i < 3; i++) {
		if (enter(rig)) {
			covol_drain_leave(&rig->drain);
			late++;
		}
		covol_drain_leave(&rig->drain);
		if (i < 2)
			early |= wait_for_completion_timeout(&rig->drained,
							     SHORT);
	}
	KUNIT_EXPECT_FALSE_MSG(test, early, "ended before the operations");
	KUNIT_EXPECT_EQ_MSG(test, late, 0u, "entered during a drain");
	if (!early)
		wait_drained(test);
	KUNIT_ASSERT_TRUE(test, enter(rig));
	covol_drain_leave(&rig->drain);
}

static void one_after_the_other(struct kunit *test)
{
	struct rig *rig = test->priv;
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, enter(rig));
	for (i = 0; i < DRAINERS; i++)
		start_drainer(test);
	msleep(100);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->nr_drained), 0);
	covol_drain_leave(&rig->drain);
	for (i = 0; i < DRAINERS; i++)
		wait_drained(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->nr_drained), DRAINERS);
	KUNIT_ASSERT_TRUE(test, enter(rig));
	covol_drain_leave(&rig->drain);
}

/* Operations one after the other, each of which takes a while. */
static int worker(void *data)
{
	struct rig *rig = data;

	while (!kthread_should_stop()) {
		if (!enter(rig)) {
			WRITE_ONCE(rig->refused, rig->refused + 1);
			schedule_timeout_uninterruptible(1);
			continue;
		}
		WRITE_ONCE(rig->started, rig->started + 1);
		schedule_timeout_uninterruptible(1);
		WRITE_ONCE(rig->finished, rig->started);
		covol_drain_leave(&rig->drain);
	}
	return 0;
}

static void under_load(struct kunit *test)
{
	struct rig *rig = test->priv;
	unsigned int i, in_midst = 0;
	u64 before, after;

	rig->worker = kthread_run(worker, rig, "covol_worker");
	if (IS_ERR(rig->worker))
		rig->worker = NULL;
	KUNIT_ASSERT_NOT_NULL(test, rig->worker);
	for (i = 0; i < 30; i++) {
		schedule_timeout_uninterruptible(i % 3);
		before = READ_ONCE(rig->started);
		in_midst += READ_ONCE(rig->finished) < before;
		covol_drain_wait(&rig->drain);
		after = READ_ONCE(rig->finished);
		KUNIT_ASSERT_GE_MSG(test, after, before, "drain %u", i);
	}
	kunit_info(test, "%u of %u drains had to wait; %llu operations, %llu refused\n",
		   in_midst, i, rig->finished, rig->refused);
	KUNIT_EXPECT_GT(test, in_midst, 0u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(idle),
	KUNIT_CASE(waits_for_all),
	KUNIT_CASE(one_after_the_other),
	KUNIT_CASE(under_load),
	{ }
};

static struct kunit_suite suite = {
	.name = "covol_drain",
	.init = rig_init,
	.exit = rig_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
