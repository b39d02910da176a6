/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COVOL_SHIM_SCHED_H
#define COVOL_SHIM_SCHED_H

#include <linux/rcupdate.h>

/* How often the CPU was offered to others; not where that is not allowed. */
extern int shim_rescheds;

static inline void cond_resched(void)
{
	assert(!shim_rcu_depth);
	shim_rescheds++;
}

#endif
