/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the blocks of an image's file lie, reading and writing them, and
 * making data of unwritten ones without the file system.
 *
 * By the operations that a file system has for pNFS block layouts (XFS). Who
 * has none, or a file that shares blocks, is left to user space (FIEMAP) and to
 * writing zeroes into the file.
 */
#ifndef COVOL_BLOCKS_H
#define COVOL_BLOCKS_H

#include <linux/blk_types.h>
#include <linux/types.h>

#include "extent.h"

struct covol_object;

bool covol_blocks_known(struct covol_object *obj);
int covol_blocks_zero(struct covol_object *obj, u64 start, u64 end);
bool covol_blocks_zero_fast(struct covol_object *obj);
int covol_blocks_commit(struct covol_object *obj, u64 start, u64 end);
int covol_blocks_read(struct covol_object *obj, u64 start, u64 end,
		      struct covol_extent *ext, unsigned int max);
int covol_blocks_transfer(struct covol_object *obj, blk_opf_t opf, u64 place,
			  const struct bio_vec *bvec, unsigned int nr,
			  struct bvec_iter at);
int covol_blocks_init(void);
void covol_blocks_exit(void);

#endif /* COVOL_BLOCKS_H */
