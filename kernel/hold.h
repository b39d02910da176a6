/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O that waits: until the route is another one, or until the coordinator can
 * be asked. What is held is the bio itself, so that its submitters are the
 * bound of what there is (I7).
 *
 * It is tried again in the order in which it came, in batches. What is late
 * (hold_timeout) fails. A device that is suspended without a flush gets its
 * bios back: device mapper keeps them until it is resumed.
 *
 * What a peer may still be doing (lost.h) neither fails nor goes back: written
 * again later, or not at all, it would come after what is written then (I3).
 */
#ifndef COVOL_HOLD_H
#define COVOL_HOLD_H

#include <linux/types.h>

struct bio;
struct covol_device;
struct covol_io;
struct covol_volume;
struct workqueue_struct;

/* Releases what is held, and tells user space of it. */
extern struct workqueue_struct *covol_hold_wq;

void covol_hold_init(struct covol_volume *vol);
void covol_hold_exit(struct covol_volume *vol);

void covol_hold_add(struct covol_io *io, struct bio *bio);
void covol_hold_release(struct covol_volume *vol);
void covol_hold_release_wait(struct covol_volume *vol);
void covol_hold_fail(struct covol_device *dev);
void covol_hold_suspend(struct covol_device *dev);
void covol_hold_resume(struct covol_device *dev);

int covol_hold_start(void);
void covol_hold_stop(void);

#endif /* COVOL_HOLD_H */
