/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nodes that may hold a layout of an image: those who have to be asked
 * before its map is changed. This node may be one of them.
 */
#ifndef COVOL_HOLDER_H
#define COVOL_HOLDER_H

#include <linux/types.h>

struct covol_layout;
struct covol_object;
struct covol_volume;

int covol_holder_add(struct covol_layout *layout, u32 peer);
void covol_holders_free(struct covol_layout *layout);
bool covol_holder_is(struct covol_object *obj, u32 peer);
u32 covol_holder_next(struct covol_object *obj, u32 prev);
unsigned int covol_layout_holders(struct covol_object *obj);
bool covol_layout_others(struct covol_object *obj);
void covol_layout_forget_holder(struct covol_volume *vol, u32 peer);

#endif /* COVOL_HOLDER_H */
