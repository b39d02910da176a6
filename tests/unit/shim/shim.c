// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands for the kernel's library in tests of its pure files.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <linux/crc32c.h>
#include <linux/maple_tree.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

int shim_rcu_depth;
int shim_rescheds;
int shim_store_fails = -1;
size_t shim_store_most;

/* Castagnoli, bit by bit; like the kernel's without the inversion at both ends. */
u32 crc32c(u32 crc, const void *data, unsigned int length)
{
	const u8 *byte = data;
	int bit;

	while (length--) {
		crc ^= *byte++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

void mt_init_flags(struct maple_tree *tree, unsigned int flags)
{
	*tree = (struct maple_tree) { .flags = flags };
}

void mtree_destroy(struct maple_tree *tree)
{
	free(tree->range);
	/* So does 6.1: an emptied tree is not in RCU mode any more. Later kernels keep the mode. */
	*tree = (struct maple_tree) { .flags = 0 };
}

static void append(struct shim_range *to, size_t *count, unsigned long first, unsigned long last,
		   void *entry)
{
	to[(*count)++] = (struct shim_range) { first, last, entry };
}

int mtree_store_range(struct maple_tree *tree, unsigned long first, unsigned long last, void *entry,
		      gfp_t gfp)
{
	struct shim_range *to, *from;
	size_t i, count = 0, replaced = 0;
	bool stored = !entry;

	assert(first <= last);
	assert(tree->flags & MT_FLAGS_USE_RCU);
	assert(tree->flags & MT_FLAGS_ALLOC_RANGE);
	assert(gfp == GFP_NOIO);	/* writers hold up I/O: no I/O for their memory */
	if (shim_store_fails == 0)
		return -ENOMEM;
	if (shim_store_fails > 0)
		shim_store_fails--;

	to = malloc((tree->count + 2) * sizeof(*to));
	assert(to);
	for (i = 0; i < tree->count; i++) {
		from = &tree->range[i];
		replaced += from->first <= last && from->last >= first;
		if (from->first < first)
			append(to, &count, from->first, from->last < first ? from->last : first - 1,
			       from->entry);
		if (!stored && from->last >= first) {
			append(to, &count, first, last, entry);
			stored = true;
		}
		if (from->last > last)
			append(to, &count, from->first > last ? from->first : last + 1, from->last,
			       from->entry);
	}
	if (!stored)
		append(to, &count, first, last, entry);
	if (replaced > shim_store_most)
		shim_store_most = replaced;
	free(tree->range);
	tree->range = to;
	tree->count = count;
	return 0;
}

/* The first range that ends at or after index. */
static size_t find(const struct maple_tree *tree, unsigned long index)
{
	size_t i;

	for (i = 0; i < tree->count && tree->range[i].last < index; i++)
		;
	return i;
}

/* Also tells where a gap begins and ends. */
void *mas_walk(struct ma_state *mas)
{
	const struct maple_tree *tree = mas->tree;
	size_t i = find(tree, mas->index);

	assert(shim_rcu_depth > 0);
	mas->started = true;
	if (i < tree->count && tree->range[i].first <= mas->index) {
		mas->index = tree->range[i].first;
		mas->last = tree->range[i].last;
		return tree->range[i].entry;
	}
	mas->index = i ? tree->range[i - 1].last + 1 : 0;
	mas->last = i < tree->count ? tree->range[i].first - 1 : ULONG_MAX;
	return NULL;
}

void *mas_find(struct ma_state *mas, unsigned long max)
{
	const struct maple_tree *tree = mas->tree;
	unsigned long from = mas->started ? mas->last + 1 : mas->index;
	size_t i;

	assert(shim_rcu_depth > 0);
	if (mas->started && mas->last >= max)
		return NULL;
	mas->started = true;
	i = find(tree, from);
	if (i == tree->count || tree->range[i].first > max) {
		mas->last = max;
		return NULL;
	}
	mas->index = tree->range[i].first;
	mas->last = tree->range[i].last;
	return tree->range[i].entry;
}
