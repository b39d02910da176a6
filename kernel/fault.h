/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on demand, for tests: on a kernel with fault injection each point has
 * a directory in /sys/kernel/debug/covol/fault. On others nothing is left of
 * them.
 */
#ifndef COVOL_FAULT_H
#define COVOL_FAULT_H

#include <linux/types.h>

struct dentry;

enum covol_fault {
	COVOL_FAULT_DROP_MESSAGE,	/* it is not sent */
	COVOL_FAULT_DELAY_REPLY,	/* it is sent late */
	COVOL_FAULT_FAIL_DIRECT,	/* a direct bio has a path error */
	COVOL_FAULT_END_SESSION,	/* when a message comes */
	COVOL_FAULTS,
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
bool covol_fault(enum covol_fault fault);
bool covol_fault_set(enum covol_fault fault);
void covol_fault_delay(void);
void covol_fault_init(struct dentry *root);
#else
static inline bool covol_fault(enum covol_fault fault)
{
	return false;
}

static inline bool covol_fault_set(enum covol_fault fault)
{
	return false;
}

static inline void covol_fault_delay(void)
{
}

static inline void covol_fault_init(struct dentry *root)
{
}
#endif

#endif /* COVOL_FAULT_H */
