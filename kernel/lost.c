// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes that were given up. See lost.h.
 */
#include <linux/wait_bit.h>

#include "io.h"
#include "lost.h"
#include "volume.h"

/**
 * covol_lost_peer() - an I/O is going to be given to a peer
 * @io: the I/O; one that is lost stays with its peer
 * @peer: the peer
 */
void covol_lost_peer(struct covol_io *io, u32 peer)
{
	if (io->lost)
		return;
	io->peer = peer;
	io->forgets = atomic_read(&io->obj->vol->forgets);
}

/**
 * covol_lost_begin() - the session ended before the peer answered
 * @io: the I/O; still counted as under way, so that a recall sees it here or
 *	there
 */
void covol_lost_begin(struct covol_io *io)
{
	if (io->lost || !op_is_write(bio_op(covol_io_bio(io))) ||
	    !io->iter.bi_size)
		return;
	io->lost = true;
	io->lost_block = io->way == COVOL_WAY_BLOCK_REDIRECTED;
	if (io->lost_block)
		atomic_inc(&io->obj->lost);
}

/**
 * covol_lost_end() - the peer does not do it any more
 * @io: the I/O, lost or not
 */
void covol_lost_end(struct covol_io *io)
{
	if (!io->lost)
		return;
	io->lost = false;
	if (io->lost_block && atomic_dec_and_test(&io->obj->lost))
		wake_up_var(&io->obj->lost);
}

/**
 * covol_lost_check() - must an I/O go to the same peer again?
 * @io: the I/O, lost or not
 *
 * Not if the peer was forgotten since, or was the coordinator and is not now:
 * then user space has seen to it that nothing of it comes any more.
 *
 * Return: whether it must.
 */
bool covol_lost_check(struct covol_io *io)
{
	struct covol_volume *vol = io->obj->vol;
	void *forgotten;

	if (likely(!io->lost))
		return false;
	forgotten = xa_load(&vol->forgotten, io->peer);
	if ((forgotten && xa_to_value(forgotten) > io->forgets) ||
	    (!io->lost_block && READ_ONCE(vol->coordinator) != io->peer))
		covol_lost_end(io);
	return io->lost;
}
