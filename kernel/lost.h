/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes that were given up.
 *
 * A write (or discard, ...) that was given to a peer, whose session ended
 * before it answered, may be under way there for as long as that peer likes.
 * It is *lost*. It is given to the same peer again in the same way, whatever
 * the route is by then: the peer begins with it only when the first one has
 * ended, so that neither comes after what is written later (I3). If it goes
 * to the LUN, a recall waits for it: the blocks must not be freed (I2).
 *
 * It is lost no more when the peer answers, or when user space has said that
 * the peer is down or fenced.
 */
#ifndef COVOL_LOST_H
#define COVOL_LOST_H

#include <linux/types.h>

struct covol_io;

void covol_lost_peer(struct covol_io *io, u32 peer);
void covol_lost_begin(struct covol_io *io);
void covol_lost_end(struct covol_io *io);
bool covol_lost_check(struct covol_io *io);

#endif /* COVOL_LOST_H */
