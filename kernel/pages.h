/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages for the payload of requests that this node serves, and scratch pages
 * for their execution. Allocation waits rather than fails: one largest request
 * always finds its pages, and one that has them its scratch pages (I8).
 */
#ifndef COVOL_PAGES_H
#define COVOL_PAGES_H

#include <linux/bvec.h>
#include <linux/types.h>

/* Entries in a table of pages: a page full of them. */
#define COVOL_PAGES_MAX	(PAGE_SIZE / sizeof(struct bio_vec))

/* The most that is asked for as scratch pages, bytes. */
#define COVOL_SCRATCH_MAX	(128u << 10)

struct covol_reserve;

/**
 * struct covol_pages - a run of bytes in pages
 * @bvec: table of @nr full pages, the last one perhaps shorter
 * @nr: entries
 * @reserve: where the pages go back to
 */
struct covol_pages {
	struct bio_vec		*bvec;
	unsigned int		nr;
	struct covol_reserve	*reserve;
};

int covol_pages_init(void);
void covol_pages_exit(void);
void covol_pages_alloc(struct covol_pages *pages, size_t len);
void covol_pages_scratch(struct covol_pages *pages, size_t len);
void covol_pages_free(struct covol_pages *pages);
u32 covol_pages_crc(const struct bio_vec *bvec, unsigned int skip, size_t len);

#endif /* COVOL_PAGES_H */
