/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages for the payload of requests that this node serves, and scratch pages
 * for their execution.
 *
 * Each session has pages of its own for all that its peer may ask for at once:
 * who receives never waits for what others have (I8). Scratch pages are for all
 * requests; who has payload pages always gets them, some time.
 */
#ifndef COVOL_PAGES_H
#define COVOL_PAGES_H

#include <linux/bvec.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct bio;

/* Entries in a table of pages: a page full of them. */
#define COVOL_PAGES_MAX	(PAGE_SIZE / sizeof(struct bio_vec))

/* So many need no page for their table. */
#define COVOL_PAGES_FEW	8

/* The most that is asked for as scratch pages, bytes. */
#define COVOL_SCRATCH_MAX	(128u << 10)

/**
 * struct covol_pool - a session's pages that are not in use
 * @lock: protects the rest
 * @free: pages that nobody uses
 * @sent: pages of answers that TCP may not be done with, oldest first
 */
struct covol_pool {
	/* protects the rest */
	spinlock_t		lock;
	struct list_head	free;
	struct list_head	sent;
};

/**
 * struct covol_pages - a run of bytes in pages
 * @bvec: table of @nr full pages, the last one perhaps shorter; NULL: none
 * @nr: entries
 * @pool: where the pages go back to; NULL: they are scratch pages
 * @table: page with the table, if it is not @few
 * @few: a short table
 */
struct covol_pages {
	struct bio_vec		*bvec;
	unsigned int		nr;
	struct covol_pool	*pool;
	struct page		*table;
	struct bio_vec		few[COVOL_PAGES_FEW];
};

int covol_pages_init(void);
void covol_pages_exit(void);
int covol_pool_init(struct covol_pool *pool, unsigned int nr);
void covol_pool_exit(struct covol_pool *pool);
bool covol_pages_alloc(struct covol_pages *pages, struct covol_pool *pool,
		       size_t len);
void covol_pages_scratch(struct covol_pages *pages, size_t len);
void covol_pages_free(struct covol_pages *pages);
void covol_pages_to_bio(struct bio *bio, const struct bio_vec *bvec,
			struct bvec_iter at);
u32 covol_pages_crc(const struct bio_vec *bvec, unsigned int skip, size_t len);

#endif /* COVOL_PAGES_H */
