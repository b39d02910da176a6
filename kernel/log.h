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
#define covol_warn(vol, fmt, ...) \
	pr_warn_ratelimited("covol: %pUb: " fmt, &(vol)->uuid, ##__VA_ARGS__)

#endif /* COVOL_LOG_H */
