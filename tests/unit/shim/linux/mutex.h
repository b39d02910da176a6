/* SPDX-License-Identifier: GPL-2.0-only */
/* A mutex that knows whether it is held, so that lockdep_assert_held() is a test here too. */
#ifndef COVOL_SHIM_MUTEX_H
#define COVOL_SHIM_MUTEX_H

#include <linux/build_bug.h>
#include <stdbool.h>

struct mutex {
	bool held;
};

static inline void mutex_init(struct mutex *mutex)
{
	mutex->held = false;
}

static inline void mutex_lock(struct mutex *mutex)
{
	assert(!mutex->held);
	mutex->held = true;
}

static inline void mutex_unlock(struct mutex *mutex)
{
	assert(mutex->held);
	mutex->held = false;
}

static inline void mutex_destroy(struct mutex *mutex)
{
	assert(!mutex->held);
}

#define lockdep_assert_held(mutex)	assert((mutex)->held)

#endif
