/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of an image: who serves the image has it. It can be given to an
 * image, and taken from it, while devices use that.
 *
 *	NONE     this node does not serve the image
 *	  |      covol_file_adopt()
 *	SERVED
 *	  |      covol_file_take()
 *	LEAVING  nothing begins any more; what waits for holders gives up
 *	  |      what has begun has ended
 *	NONE
 *
 * Whatever uses the file is between covol_file_enter() and covol_file_leave().
 * What is refused by the first, and what fails in between while the file is
 * LEAVING, is not failed but waits: for another coordinator, or for this node
 * to be it again (I7).
 */
#ifndef COVOL_FILE_H
#define COVOL_FILE_H

#include <linux/rcupdate.h>

#include "layout.h"
#include "volume.h"

struct file;

int covol_file_settle(struct file *file, const char **why);
int covol_file_adopt(struct covol_object *obj, struct file *file,
		     const u32 *holders, unsigned int nr, const char **why);
int covol_file_give(struct covol_object *obj, struct file *file,
		    const u32 *holders, unsigned int nr, const char **why);
int covol_file_take(struct covol_object *obj, bool keep, bool wait,
		    const char **why);

/**
 * covol_file_enter() - begin to use an image's file
 * @obj: an image
 *
 * Context: any; does not sleep.
 *
 * Return: whether it is served here, and the file stays until
 * covol_file_leave().
 */
static inline bool covol_file_enter(struct covol_object *obj)
{
	bool entered;

	/* as for a route (route.c): who takes the file away changes the state
	 * before it drains, and so waits for who has seen the old one
	 */
	rcu_read_lock();
	/* pairs with covol_file_adopt() */
	entered = smp_load_acquire(&obj->file_state) == COVOL_FILE_SERVED &&
		  covol_drain_enter(&obj->file_users);
	rcu_read_unlock();
	return entered;
}

static inline void covol_file_leave(struct covol_object *obj)
{
	covol_drain_leave(&obj->file_users);
}

/* How what used the file has ended: what fails when it is being taken away is
 * done again elsewhere. Before covol_file_leave().
 */
static inline int covol_file_errno(const struct covol_object *obj, int err)
{
	return err && READ_ONCE(obj->file_state) == COVOL_FILE_LEAVING ?
	       -ENOENT : err;
}

/* Must who waits for others on behalf of somebody give up? */
static inline bool covol_file_gives_up(const struct covol_object *obj,
				       const struct covol_asker *asker)
{
	return covol_session_closing(asker->s) ||
	       READ_ONCE(obj->file_state) == COVOL_FILE_LEAVING;
}

#endif /* COVOL_FILE_H */
