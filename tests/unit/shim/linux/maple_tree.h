/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A maple tree played by a sorted array: the few calls that extent.c uses, with the same meaning.
 * Like the real one it does not merge neighbours of the same value.
 */
#ifndef COVOL_SHIM_MAPLE_TREE_H
#define COVOL_SHIM_MAPLE_TREE_H

#include <linux/gfp.h>
#include <linux/types.h>

#define MT_FLAGS_ALLOC_RANGE	1
#define MT_FLAGS_USE_RCU	2

struct shim_range {
	unsigned long first, last;
	void *entry;
};

struct maple_tree {
	unsigned int flags;
	struct shim_range *range;
	size_t count;
};

struct ma_state {
	struct maple_tree *tree;
	unsigned long index, last;
	bool started;
};

#define MA_STATE(name, mt, first, end)	\
	struct ma_state name = { .tree = (mt), .index = (first), .last = (end) }

/* Stores that succeed before one fails for want of memory; -1: none fails. Counts down. */
extern int shim_store_fails;
/* The most ranges that one store has replaced. */
extern size_t shim_store_most;

/*
 * Readers walk the tree without a lock, so it must be in RCU mode whenever something is stored:
 * then nodes are replaced, and freed after a grace period. mtree_store_range() checks that.
 */
static inline void mt_set_in_rcu(struct maple_tree *tree)
{
	tree->flags |= MT_FLAGS_USE_RCU;
}

void mt_init_flags(struct maple_tree *tree, unsigned int flags);
void mtree_destroy(struct maple_tree *tree);
int mtree_store_range(struct maple_tree *tree, unsigned long first, unsigned long last, void *entry,
		      gfp_t gfp);
void *mas_walk(struct ma_state *mas);
void *mas_find(struct ma_state *mas, unsigned long max);

#endif
