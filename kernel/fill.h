/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filling ranges of an image's file: making data of holes and of unwritten
 * and shared blocks.
 *
 * All offsets here are bytes in the image.
 */
#ifndef COVOL_FILL_H
#define COVOL_FILL_H

#include <linux/bvec.h>
#include <linux/types.h>

struct covol_object;
struct covol_req;
struct file;

/**
 * struct covol_source - what is to be written
 *
 * The request's bytes in [start, end), zeroes if @bvec is NULL. Read from left
 * to right.
 *
 * @bvec: the request's pages
 * @nr: entries in @bvec
 * @at: position in them
 * @start: first byte
 * @end: first behind it; @start for a source that has nothing
 */
struct covol_source {
	const struct bio_vec	*bvec;
	unsigned int		nr;
	struct bvec_iter	at;
	u64			start;
	u64			end;
};

void covol_source_init(struct covol_source *src, const struct covol_req *req);

void covol_fill_settle(struct file *file);
bool covol_fill_done(struct covol_object *obj, u64 start, u64 end);
bool covol_fill_in_place(struct covol_object *obj, u64 start, u64 end,
			 u64 around, u64 around_end);
void covol_fill_forget(struct covol_object *obj, u64 start, u64 len);
bool covol_fill_place(const struct covol_req *req, sector_t *place);
int covol_fill_placed(const struct covol_req *req);
int covol_fill_write(struct covol_object *obj, struct covol_source *src,
		     rwf_t flags);
int covol_fill(struct covol_object *obj, struct covol_source *src, bool moves,
	       u64 start, u64 end, rwf_t flags);
bool covol_fill_moves(struct covol_object *obj);

#endif /* COVOL_FILL_H */
