// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on demand. See fault.h.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fault-inject.h>

#include "fault.h"

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS

static DECLARE_FAULT_ATTR(drop_message);
static DECLARE_FAULT_ATTR(delay_reply);
static DECLARE_FAULT_ATTR(fail_direct);
static DECLARE_FAULT_ATTR(end_session);

static const struct {
	const char		*name;
	struct fault_attr	*attr;
} faults[COVOL_FAULTS] = {
	[COVOL_FAULT_DROP_MESSAGE]	= { "drop-message", &drop_message },
	[COVOL_FAULT_DELAY_REPLY]	= { "delay-reply", &delay_reply },
	[COVOL_FAULT_FAIL_DIRECT]	= { "fail-direct", &fail_direct },
	[COVOL_FAULT_END_SESSION]	= { "end-session", &end_session },
};

static u32 delay_ms = 1000;

/**
 * covol_fault() - shall something go wrong here and now?
 * @fault: what
 *
 * Context: any.
 *
 * Return: whether it shall.
 */
bool covol_fault(enum covol_fault fault)
{
	return should_fail(faults[fault].attr, 1);
}

/**
 * covol_fault_set() - may covol_fault() say so?
 * @fault: what
 *
 * Context: any.
 *
 * Return: whether it may.
 */
bool covol_fault_set(enum covol_fault fault)
{
	return READ_ONCE(faults[fault].attr->probability);
}

/**
 * covol_fault_delay() - wait, if a reply shall be late
 *
 * Context: sleeps.
 */
void covol_fault_delay(void)
{
	if (covol_fault(COVOL_FAULT_DELAY_REPLY))
		msleep(READ_ONCE(delay_ms));
}

/**
 * covol_fault_init() - make the files that set the faults
 * @root: covol's directory in debugfs; they go with it
 */
void covol_fault_init(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("fault", root);
	unsigned int i;

	for (i = 0; i < COVOL_FAULTS; i++)
		fault_create_debugfs_attr(faults[i].name, dir, faults[i].attr);
	debugfs_create_u32("delay-ms", 0600, dir, &delay_ms);
}

#endif /* CONFIG_FAULT_INJECTION_DEBUG_FS */
