/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Redirected I/O: from a bio to a request, and to who serves it.
 */
#ifndef COVOL_INITIATOR_H
#define COVOL_INITIATOR_H

#include <linux/types.h>

struct covol_io;

int covol_initiator_fs(struct covol_io *io);
int covol_initiator_block(struct covol_io *io);

#endif /* COVOL_INITIATOR_H */
