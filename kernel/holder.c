// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may hold a layout. See holder.h.
 */
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "holder.h"
#include "layout.h"
#include "volume.h"

struct holder {
	struct list_head	entry;
	u32			peer;
};

/**
 * covol_holder_add() - a node may hold a layout from now on
 * @layout: of an image that is served here, or is going to be; locked
 * @peer: the node; that it is one already is fine
 *
 * Return: 0 or -ENOMEM.
 */
int covol_holder_add(struct covol_layout *layout, u32 peer)
{
	struct holder *holder;

	lockdep_assert_held(&layout->lock);
	list_for_each_entry(holder, &layout->holders, entry)
		if (holder->peer == peer)
			return 0;
	holder = kmalloc(sizeof(*holder), GFP_NOIO);
	if (!holder)
		return -ENOMEM;
	holder->peer = peer;
	list_add(&holder->entry, &layout->holders);
	return 0;
}

/**
 * covol_holders_free() - nobody is a holder any more
 * @layout: locked, or nobody else has it
 */
void covol_holders_free(struct covol_layout *layout)
{
	struct holder *holder, *next;

	list_for_each_entry_safe(holder, next, &layout->holders, entry)
		kfree(holder);
	INIT_LIST_HEAD(&layout->holders);
}

/**
 * covol_holder_is() - may a node hold a layout?
 * @obj: an image
 * @peer: the node
 *
 * Return: whether it may.
 */
bool covol_holder_is(struct covol_object *obj, u32 peer)
{
	struct holder *holder;
	bool found = false;

	mutex_lock(&obj->layout.lock);
	list_for_each_entry(holder, &obj->layout.holders, entry)
		found |= holder->peer == peer;
	mutex_unlock(&obj->layout.lock);
	return found;
}

/**
 * covol_holder_next() - go through the holders in the order of their ids
 * @obj: an image
 * @prev: the last one; 0 to begin
 *
 * Return: the next one; 0 when there is none.
 */
u32 covol_holder_next(struct covol_object *obj, u32 prev)
{
	struct holder *holder;
	u32 next = 0;

	mutex_lock(&obj->layout.lock);
	list_for_each_entry(holder, &obj->layout.holders, entry)
		if (holder->peer > prev && (!next || holder->peer < next))
			next = holder->peer;
	mutex_unlock(&obj->layout.lock);
	return next;
}

/**
 * covol_layout_holders() - how many nodes may hold a layout
 * @obj: an image
 *
 * Return: their number.
 */
unsigned int covol_layout_holders(struct covol_object *obj)
{
	struct list_head *entry;
	unsigned int nr = 0;

	mutex_lock(&obj->layout.lock);
	list_for_each(entry, &obj->layout.holders)
		nr++;
	mutex_unlock(&obj->layout.lock);
	return nr;
}

/**
 * covol_layout_others() - may another node hold a layout?
 * @obj: an image
 *
 * Return: whether one may.
 */
bool covol_layout_others(struct covol_object *obj)
{
	struct holder *holder;
	bool found = false;

	mutex_lock(&obj->layout.lock);
	list_for_each_entry(holder, &obj->layout.holders, entry)
		found |= holder->peer != obj->vol->node;
	mutex_unlock(&obj->layout.lock);
	return found;
}

/**
 * covol_layout_forget_holder() - a node is fenced or down
 * @vol: the volume
 * @peer: it holds nothing any more
 */
void covol_layout_forget_holder(struct covol_volume *vol, u32 peer)
{
	struct holder *holder, *next;
	struct covol_object *obj = NULL;
	u32 forgets;

	while ((obj = covol_object_next(vol, obj))) {
		mutex_lock(&obj->layout.lock);
		list_for_each_entry_safe(holder, next, &obj->layout.holders,
					 entry) {
			if (holder->peer != peer)
				continue;
			list_del(&holder->entry);
			kfree(holder);
		}
		mutex_unlock(&obj->layout.lock);
	}
	forgets = atomic_inc_return(&vol->forgets);
	xa_store(&vol->forgotten, peer, xa_mk_value(forgets),
		 GFP_KERNEL | __GFP_NOFAIL);
	wake_up_all(&vol->session_wait);
}
