/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts read-side sections: what walks the tree without one fails. */
#ifndef COVOL_SHIM_RCUPDATE_H
#define COVOL_SHIM_RCUPDATE_H

#include <linux/build_bug.h>

extern int shim_rcu_depth;

static inline void rcu_read_lock(void)
{
	shim_rcu_depth++;
}

static inline void rcu_read_unlock(void)
{
	assert(shim_rcu_depth > 0);
	shim_rcu_depth--;
}

#endif
