/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Count what is under way, and wait until it has ended.
 *
 * A per-CPU reference for each operation, so that counting touches no shared
 * cache line; draining makes new attempts fail until what was counted before
 * has ended, then opens again.
 */
#ifndef COVOL_DRAIN_H
#define COVOL_DRAIN_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>

/**
 * struct covol_drain - operations under way
 * @ref: one for each operation
 * @lock: serialises drains
 * @empty: completed when a drain has found the end of all
 */
struct covol_drain {
	struct percpu_ref	ref;
	/* serialises drains */
	struct mutex		lock;
	struct completion	empty;
};

static inline void covol_drain_empty(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct covol_drain, ref)->empty);
}

static inline int covol_drain_init(struct covol_drain *drain)
{
	mutex_init(&drain->lock);
	init_completion(&drain->empty);
	return percpu_ref_init(&drain->ref, covol_drain_empty,
			       PERCPU_REF_ALLOW_REINIT, GFP_KERNEL);
}

static inline void covol_drain_exit(struct covol_drain *drain)
{
	percpu_ref_exit(&drain->ref);
	mutex_destroy(&drain->lock);
}

/* Begin an operation; false while a drain runs. Under rcu_read_lock(). */
static inline bool covol_drain_enter(struct covol_drain *drain)
{
	return percpu_ref_tryget_live_rcu(&drain->ref);
}

static inline void covol_drain_leave(struct covol_drain *drain)
{
	percpu_ref_put(&drain->ref);
}

/**
 * covol_drain_wait() - wait until all operations have ended
 * @drain: what to wait for
 *
 * What entered before the call has ended when it returns. What tried to enter
 * meanwhile was refused and went another way.
 *
 * Context: may sleep.
 */
static inline void covol_drain_wait(struct covol_drain *drain)
{
	mutex_lock(&drain->lock);
	reinit_completion(&drain->empty);
	percpu_ref_kill(&drain->ref);
	wait_for_completion(&drain->empty);
	percpu_ref_reinit(&drain->ref);
	mutex_unlock(&drain->lock);
}

#endif /* COVOL_DRAIN_H */
