/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages in the kernel log name the object that they are about. Whatever a
 * peer or a disk can provoke is rate-limited.
 */
#ifndef COVOL_LOG_H
#define COVOL_LOG_H

#include <linux/printk.h>
#include <linux/ratelimit.h>

#define covol_info(vol, fmt, ...) \
	pr_info("covol: %pUb: " fmt, &(vol)->uuid, ##__VA_ARGS__)
#define covol_warn(vol, fmt, ...)					\
do {									\
	static DEFINE_RATELIMIT_STATE(rate,				\
				      DEFAULT_RATELIMIT_INTERVAL,	\
				      DEFAULT_RATELIMIT_BURST);		\
									\
	if (covol_log_allowed(&rate))					\
		pr_warn("covol: %pUb: " fmt, &(vol)->uuid,		\
			##__VA_ARGS__);					\
} while (0)

bool covol_log_allowed(struct ratelimit_state *rate);

#endif /* COVOL_LOG_H */
