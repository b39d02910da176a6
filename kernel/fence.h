/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This node has been fenced: the LUN answers a write of it with a reservation
 * conflict, because somebody has taken its key away. That is no error of the
 * path, nor of the medium. Others may change the blocks that this node holds
 * by now, so it stops at once: the volume becomes unavailable, with the reason
 * fenced, and all its I/O fails, until user space, when the node has a key
 * again, sets a route.
 *
 * While the route is being changed a conflict is expected: a node is fenced
 * before its I/O goes block-redirected (I3). The bio takes the new route.
 *
 * User space makes it unavailable, too, on a node that was given up, which need
 * not have met a conflict: that is not said to be the reason then.
 */
#ifndef COVOL_FENCE_H
#define COVOL_FENCE_H

#include <linux/errno.h>
#include <linux/types.h>

struct bio;
struct covol_io;
struct covol_volume;

/* What a conflict is as an errno; the block layer has it for nothing else. */
#define COVOL_FENCE_ERRNO	(-EBADE)

void covol_fence_init(struct covol_volume *vol);
void covol_fence_exit(struct covol_volume *vol);
bool covol_fence_conflict(struct covol_volume *vol);
void covol_fence_fail(struct covol_io *io, struct bio *bio);
int covol_fence_errno(struct covol_volume *vol, int err);

#endif /* COVOL_FENCE_H */
