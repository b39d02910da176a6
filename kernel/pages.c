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

/* A table and the pages of the largest request of its kind. */
#define RESERVE(bytes)	(1 + (bytes) / PAGE_SIZE)

/**
 * struct covol_reserve - pages that are kept for when there are no others
 * @pool: the pages
 * @lock: held by who draws on them: two who each had half would wait for ever
 */
struct covol_reserve {
	mempool_t	*pool;
	/* held by who draws on the pool */
	struct mutex	lock;
};

static struct covol_reserve payload = {
	.lock = __MUTEX_INITIALIZER(payload.lock),
};

static struct covol_reserve scratch = {
	.lock = __MUTEX_INITIALIZER(scratch.lock),
};

static struct page *get_page_for(struct covol_reserve *reserve, bool patient)
{
	if (patient)
		return mempool_alloc(reserve->pool, GFP_NOIO);
	return alloc_page(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
}

/* Pages that were sent may still be in TCP's queue: those must not come back
 * as the reserve, for their content would change under TCP.
 */
static void free_one(struct covol_reserve *reserve, struct page *page)
{
	if (page_count(page) == 1)
		mempool_free(page, reserve->pool);
	else
		put_page(page);
}

static bool fill(struct covol_pages *pages, size_t len, bool patient)
{
	struct page *page = get_page_for(pages->reserve, patient);

	pages->nr = 0;
	if (!page)
		return false;
	pages->bvec = page_address(page);
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE);

		page = get_page_for(pages->reserve, patient);
		if (!page) {
			covol_pages_free(pages);
			return false;
		}
		bvec_set_page(&pages->bvec[pages->nr++], page, n, 0);
		len -= n;
	}
	return true;
}

static void get_pages(struct covol_pages *pages, size_t len,
		      struct covol_reserve *reserve)
{
	pages->reserve = reserve;
	if (fill(pages, len, false))
		return;
	mutex_lock(&reserve->lock);
	fill(pages, len, true);
	mutex_unlock(&reserve->lock);
}

/**
 * covol_pages_alloc() - get pages for the payload of a request
 * @pages: filled in
 * @len: bytes, at most COVOL_WIRE_IO_MAX
 *
 * Context: may sleep until other requests have ended; does no I/O for memory.
 */
void covol_pages_alloc(struct covol_pages *pages, size_t len)
{
	get_pages(pages, len, &payload);
}

/**
 * covol_pages_scratch() - get pages for the execution of a request
 * @pages: filled in
 * @len: bytes, at most COVOL_SCRATCH_MAX
 *
 * For who may have payload pages, but no scratch pages yet.
 *
 * Context: may sleep until others free theirs; does no I/O for memory.
 */
void covol_pages_scratch(struct covol_pages *pages, size_t len)
{
	get_pages(pages, len, &scratch);
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
		free_one(pages->reserve, pages->bvec[--pages->nr].bv_page);
	free_one(pages->reserve, virt_to_page(pages->bvec));
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
	payload.pool = mempool_create_page_pool(RESERVE(COVOL_WIRE_IO_MAX), 0);
	scratch.pool = mempool_create_page_pool(RESERVE(COVOL_SCRATCH_MAX), 0);
	if (payload.pool && scratch.pool)
		return 0;
	covol_pages_exit();
	return -ENOMEM;
}

void covol_pages_exit(void)
{
	mempool_destroy(scratch.pool);
	mempool_destroy(payload.pool);
}
