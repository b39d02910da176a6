/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The router: which way each bio takes.
 *
 *	direct            data straight to the LUN, metadata to the coordinator
 *	fs-redirected     all through the coordinator's file system
 *	block-redirected  data to the LUN through another node
 *	held              all waits
 *	unavailable       all fails, see fence.h
 *
 * covol_route_set() changes the route: it holds new I/O, waits until all I/O
 * of the old route has ended, sets the new one and releases what was held. If
 * that is to fail it waits until it has.
 * Beside that a path error turns a volume from direct to held, and an I/O
 * that needs a coordinator who cannot be reached is held by itself, while the
 * others go on (I7).
 */
#ifndef COVOL_ROUTE_H
#define COVOL_ROUTE_H

#include <linux/blk_types.h>
#include <linux/types.h>
#include <uapi/linux/covol.h>

struct bio;
struct covol_io;
struct covol_volume;

void covol_route_init(struct covol_volume *vol);
void covol_route_exit(struct covol_volume *vol);

int covol_route_map(struct covol_io *io, struct bio *bio);
int covol_route_end_io(struct covol_io *io, struct bio *bio,
		       blk_status_t *status);
void covol_route_redirect_done(struct covol_io *io, int err);
bool covol_route_direct_now(struct covol_io *io);
void covol_route_again(struct bio *bio);

void covol_route_set(struct covol_volume *vol, enum covol_route route,
		     u32 reasons);
void covol_route_reasons(struct covol_volume *vol, u32 set, u32 clear);
void covol_route_check(struct covol_volume *vol);
const char *covol_route_name(enum covol_route route);
const char *covol_reason_name(unsigned int bit);

#endif /* COVOL_ROUTE_H */
