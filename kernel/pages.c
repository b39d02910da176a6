// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages for payload. See pages.h.
 */
#include <linux/crc32c.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#include "pages.h"
#include "wire.h"

static_assert(COVOL_PAGES_MAX * PAGE_SIZE >= COVOL_WIRE_IO_MAX);

/* In reserve: the pages and the table of one largest request. */
#define RESERVE	(COVOL_WIRE_IO_MAX / PAGE_SIZE + 1)

static mempool_t *pool;

/* Held by who draws on the reserve: two who each had half would wait for ever. */
static DEFINE_MUTEX(reserve_lock);

static struct page *quick(void)
{
	return alloc_page(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
}

static struct page *patient(void)
{
	return mempool_alloc(pool, GFP_NOIO);
}

/* Pages that were sent may still be in TCP's queue: those must not come back
 * as the reserve, for their content would change under TCP.
 */
static void free_one(struct page *page)
{
	if (page_count(page) == 1)
		mempool_free(page, pool);
	else
		put_page(page);
}

static bool fill(struct covol_pages *pages, size_t len,
		 struct page *(*get)(void))
{
	struct page *page = get();

	pages->nr = 0;
	if (!page)
		return false;
	pages->bvec = page_address(page);
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE);

		page = get();
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
 * covol_pages_alloc() - get pages
 * @pages: filled in
 * @len: bytes, at most COVOL_WIRE_IO_MAX
 *
 * Context: may sleep until other requests have ended; does no I/O for memory.
 */
void covol_pages_alloc(struct covol_pages *pages, size_t len)
{
	if (fill(pages, len, quick))
		return;
	mutex_lock(&reserve_lock);
	fill(pages, len, patient);
	mutex_unlock(&reserve_lock);
}

/**
 * covol_pages_free() - give pages back
 * @pages: as filled in by covol_pages_alloc(), or all zero
 */
void covol_pages_free(struct covol_pages *pages)
{
	if (!pages->bvec)
		return;
	while (pages->nr)
		free_one(pages->bvec[--pages->nr].bv_page);
	free_one(virt_to_page(pages->bvec));
	pages->bvec = NULL;
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
	pool = mempool_create_page_pool(RESERVE, 0);
	return pool ? 0 : -ENOMEM;
}

void covol_pages_exit(void)
{
	mempool_destroy(pool);
}
