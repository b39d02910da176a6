// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages for payload. See pages.h.
 */
#include <linux/bio.h>
#include <linux/crc32c.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#include "pages.h"
#include "wire.h"

static_assert(COVOL_PAGES_MAX * PAGE_SIZE >= COVOL_WIRE_IO_MAX);

/* ---- a session's pages ------------------------------------------------ */

static void put_pages(struct list_head *list)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, list, lru) {
		list_del(&page->lru);
		put_page(page);
	}
}

/**
 * covol_pool_init() - get pages for a session
 * @pool: uninitialised memory
 * @nr: how many
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int covol_pool_init(struct covol_pool *pool, unsigned int nr)
{
	struct page *page;

	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->free);
	INIT_LIST_HEAD(&pool->sent);
	while (nr--) {
		page = alloc_page(GFP_KERNEL);
		if (!page) {
			put_pages(&pool->free);
			return -ENOMEM;
		}
		list_add(&page->lru, &pool->free);
	}
	return 0;
}

/**
 * covol_pool_exit() - give a session's pages back
 * @pool: all that was allocated from it has been freed
 */
void covol_pool_exit(struct covol_pool *pool)
{
	put_pages(&pool->free);
	put_pages(&pool->sent);
}

/* A page of an answer that TCP is done with by now. */
static struct page *take_sent(struct covol_pool *pool)
{
	struct page *page;

	list_for_each_entry(page, &pool->sent, lru) {
		if (page_count(page) != 1)
			continue;
		list_del(&page->lru);
		return page;
	}
	return NULL;
}

/* The oldest page of an answer; if TCP has it still another one for it, and it
 * becomes TCP's alone.
 */
static struct page *exchange_sent(struct covol_pool *pool)
{
	struct page *old, *page;

	old = list_first_entry_or_null(&pool->sent, struct page, lru);
	if (!old)
		return NULL;
	page = page_count(old) == 1 ? old :
				      alloc_page(GFP_NOWAIT | __GFP_NOWARN);
	if (!page)
		return NULL;
	list_del(&old->lru);
	if (page != old)
		put_page(old);
	return page;
}

static struct page *take_page(struct covol_pool *pool)
{
	struct page *page;

	lockdep_assert_held(&pool->lock);
	page = list_first_entry_or_null(&pool->free, struct page, lru);
	if (page) {
		list_del(&page->lru);
		return page;
	}
	page = exchange_sent(pool);
	return page ?: take_sent(pool);
}

/* Pages that were sent may still be in TCP's queue: those are not used again
 * yet, for their content would change under TCP.
 */
static void give_page(struct covol_pool *pool, struct page *page)
{
	lockdep_assert_held(&pool->lock);
	if (page_count(page) == 1)
		list_add(&page->lru, &pool->free);
	else
		list_add_tail(&page->lru, &pool->sent);
}

static bool take_table(struct covol_pages *pages, size_t len)
{
	pages->table = NULL;
	pages->bvec = pages->few;
	if (len <= COVOL_PAGES_FEW * PAGE_SIZE)
		return true;
	pages->table = take_page(pages->pool);
	pages->bvec = pages->table ? page_address(pages->table) : NULL;
	return pages->table;
}

static void give_all(struct covol_pages *pages)
{
	while (pages->nr)
		give_page(pages->pool, pages->bvec[--pages->nr].bv_page);
	if (pages->table)
		give_page(pages->pool, pages->table);
	pages->bvec = NULL;
}

static bool take_all(struct covol_pages *pages, size_t len)
{
	struct page *page;

	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE);

		page = take_page(pages->pool);
		if (!page)
			return false;
		bvec_set_page(&pages->bvec[pages->nr++], page, n, 0);
		len -= n;
	}
	return true;
}

/**
 * covol_pages_alloc() - get pages for the payload of a request
 * @pages: filled in
 * @pool: the pages of its session
 * @len: bytes, at most COVOL_WIRE_IO_MAX
 *
 * Context: any process context, does not sleep.
 *
 * Return: whether there were enough.
 */
bool covol_pages_alloc(struct covol_pages *pages, struct covol_pool *pool,
		       size_t len)
{
	bool taken;

	pages->pool = pool;
	pages->nr = 0;
	spin_lock(&pool->lock);
	taken = take_table(pages, len) && take_all(pages, len);
	if (!taken)
		give_all(pages);
	spin_unlock(&pool->lock);
	return taken;
}

/* ---- scratch pages ---------------------------------------------------- */

/**
 * struct reserve - pages that are kept for when there are no others
 * @pool: a table and the pages of the largest request
 * @lock: held by who draws on them: two who each had half would wait for ever
 */
static struct reserve {
	mempool_t	*pool;
	/* held by who draws on the pool */
	struct mutex	lock;
} scratch = {
	.lock = __MUTEX_INITIALIZER(scratch.lock),
};

#define SCRATCH_RESERVE	(1 + COVOL_SCRATCH_MAX / PAGE_SIZE)

static struct page *scratch_page(bool patient)
{
	if (patient)
		return mempool_alloc(scratch.pool, GFP_NOIO);
	return alloc_page(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
}

static bool fill(struct covol_pages *pages, size_t len, bool patient)
{
	struct page *page = scratch_page(patient);

	pages->pool = NULL;
	pages->nr = 0;
	pages->table = page;
	if (!page)
		return false;
	pages->bvec = page_address(page);
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE);

		page = scratch_page(patient);
		if (!page) {
			covol_pages_free(pages);
			return false;
		}
		bvec_set_page(&pages->bvec[pages->nr++], page, n, 0);
		len -= n;
	}
	return true;
}

/**
 * covol_pages_scratch() - get pages for the execution of a request
 * @pages: filled in; @pages->bvec has COVOL_PAGES_MAX entries
 * @len: bytes, at most COVOL_SCRATCH_MAX
 *
 * For who has no scratch pages yet.
 *
 * Context: may sleep until others free theirs; does no I/O for memory.
 */
void covol_pages_scratch(struct covol_pages *pages, size_t len)
{
	if (fill(pages, len, false))
		return;
	mutex_lock(&scratch.lock);
	fill(pages, len, true);
	mutex_unlock(&scratch.lock);
}

static void free_scratch(struct covol_pages *pages)
{
	while (pages->nr)
		mempool_free(pages->bvec[--pages->nr].bv_page, scratch.pool);
	mempool_free(pages->table, scratch.pool);
	pages->bvec = NULL;
}

/**
 * covol_pages_free() - give pages back
 * @pages: as filled in by covol_pages_alloc() or covol_pages_scratch(), or all
 *	   zero
 */
void covol_pages_free(struct covol_pages *pages)
{
	struct covol_pool *pool = pages->pool;

	if (!pages->bvec)
		return;
	if (!pool) {
		free_scratch(pages);
		return;
	}
	spin_lock(&pool->lock);
	give_all(pages);
	spin_unlock(&pool->lock);
}

/**
 * covol_pages_to_bio() - add a payload to a bio
 * @bio: without data, and with room for all of it
 * @bvec: its pages
 * @at: where in @bvec it begins, and how much it is
 */
void covol_pages_to_bio(struct bio *bio, const struct bio_vec *bvec,
			struct bvec_iter at)
{
	struct bio_vec bv;

	while (at.bi_size) {
		bv = mp_bvec_iter_bvec(bvec, at);
		__bio_add_page(bio, bv.bv_page, bv.bv_len, bv.bv_offset);
		bvec_iter_advance_single(bvec, &at, bv.bv_len);
	}
}

/**
 * covol_pages_crc() - checksum of a payload
 * @bvec: its pages
 * @skip: bytes to skip in the first entry
 * @len: bytes
 *
 * Return: its CRC32C, as it is in a header.
 */
u32 covol_pages_crc(const struct bio_vec *bvec, unsigned int skip, size_t len)
{
	u32 crc = ~0u;

	while (len) {
		size_t n = min_t(size_t, bvec->bv_len - skip, len);

		/* only 64-bit kernels: all memory is mapped */
		crc = crc32c(crc, page_address(bvec->bv_page) +
				  bvec->bv_offset + skip, n);
		len -= n;
		skip = 0;
		bvec++;
	}
	return crc;
}

int covol_pages_init(void)
{
	scratch.pool = mempool_create_page_pool(SCRATCH_RESERVE, 0);
	return scratch.pool ? 0 : -ENOMEM;
}

void covol_pages_exit(void)
{
	mempool_destroy(scratch.pool);
}
