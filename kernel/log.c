// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often messages are logged. See log.h.
 */
#include <linux/spinlock.h>

#include "log.h"

/**
 * covol_log_allowed() - may a message be logged now?
 * @rate: of this message
 *
 * The kernel's own limit also drops a message while another CPU asks for the
 * same one. Two sessions that end at the same time, as all with one node do
 * when it dies, are both to be seen; so they ask one after the other.
 *
 * Context: any.
 *
 * Return: whether it may.
 */
bool covol_log_allowed(struct ratelimit_state *rate)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long flags;
	bool allowed;

	spin_lock_irqsave(&lock, flags);
	allowed = __ratelimit(rate);
	spin_unlock_irqrestore(&lock, flags);
	return allowed;
}
