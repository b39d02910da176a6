/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Persistent reservations (SPC-4 5.12; NVMe base specification, Reservations): who may write to a
 * LUN. Each node registers its key; the reservation, of the type Write Exclusive - All Registrants,
 * lets those with a key write and everybody read.
 *
 * Changes go through the block layer's ioctls (linux/pr.h). Neither 6.1 nor 6.12 has one that reads
 * keys: that is PERSISTENT RESERVE IN by SG_IO, and Reservation Report by the NVMe driver's ioctl.
 *
 * With dm-multipath all goes to the paths themselves: to all of them (register), or to one after
 * the other until one does it. Through the multipath device SG_IO and a reset would wait for as
 * long as there is no path (dm_prepare_ioctl()), and a register that one path fails is taken back
 * from all others (dm_pr_register()), under the I/O that goes there.
 *
 * Errors of all functions, with a sentence in lun->error:
 *   -EBADE		reservation conflict: this node's key, or the one that was named, is gone
 *   -ENOLINK		no path to the LUN worked; what was asked for may or may not have been done
 *   -EOPNOTSUPP	the LUN, or the driver, has no persistent reservations, or not this of them
 *   -EPROTO		the LUN answers what cannot be
 *   -EIO		the LUN refused for another reason
 *   others		of open(2) and ioctl(2): -EPERM, -ENOMEM
 *
 * A unit attention, which the first command meets after a preempt or a reset (SPC-4 5.12.11.2.4),
 * is no error: the command is sent again.
 */
#ifndef COVOL_LUN_RESERVATION_H
#define COVOL_LUN_RESERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "key.h"

/* As many as fit what PERSISTENT RESERVE IN can return: 65535 bytes. */
#define LUN_KEYS_MAX	8190

/* Types, as in linux/pr.h; 0 for one that is not known there. */
#define LUN_PR_TYPE	5	/* PR_WRITE_EXCLUSIVE_ALL_REGS */

/* Who has registered, and who has reserved; at one point in time. */
struct lun_pr {
	uint32_t generation;	/* changes with each registration and preempt */
	bool held;
	uint64_t holder;	/* key; of a type for all registrants: 0, or any */
	unsigned int type;	/* of linux/pr.h */
	size_t count;
	uint64_t *keys;		/* one for each path that has registered: the same may come twice */
};

/* Reads both; lun_pr_free() after 0. */
int lun_pr_read(struct lun *lun, struct lun_pr *pr);
void lun_pr_free(struct lun_pr *pr);
bool lun_pr_has(const struct lun_pr *pr, uint64_t key);

/*
 * lun_pr_register() - register @key on all paths, instead of the key that this host had there
 *
 * Kept over a power loss of the LUN where the LUN can. Returns 0, or how many paths could not be
 * reached (the others have it; lun->error names one): I/O that takes one of these later meets a
 * reservation conflict. Which have it says @done of each path. lun_pr_extend() is for those that
 * are back later.
 */
int lun_pr_register(struct lun *lun, uint64_t key);
/* Whether a path works, and the LUN has @key by any path. 0, -EBADE: it has not, or as above. */
int lun_pr_probe(struct lun *lun, size_t path, uint64_t key);
/*
 * lun_pr_extend() - register @key by one more path, if this host has not lost it
 * @path: which; it need not have been there when the others were registered
 *
 * It may have been fenced, and not know it, also while this goes on. So no write of this host may
 * be on its way meanwhile: for a moment such a late registration would let it through. It counts
 * only if the LUN's generation says that nothing has come between; else it is taken back.
 *
 * 0, or as above, and:
 *   -EBADE		the LUN has no such key any more, nor has it by this path
 *   -EAGAIN		others change registrations all the time
 *   -ENOTRECOVERABLE	the key may have been taken away, and be registered by this path, or will
 *			be: the LUN has not answered. Nothing may be written before this host has
 *			another key
 */
int lun_pr_extend(struct lun *lun, size_t path, uint64_t key);
/*
 * Take @key away from all paths. That it is not there is no error. Returns as lun_pr_register(); a
 * key that is left goes with the next fence.
 */
int lun_pr_unregister(struct lun *lun, uint64_t key);
/* Reserve for all who have a key, as the owner of @key. It is reserved that way already: fine. */
int lun_pr_reserve(struct lun *lun, uint64_t key);
/*
 * Take @victim's registrations away, as the owner of @key, and have the LUN abort what they have
 * sent. -EBADE also when @victim has none (SPC-4 5.12.11.2.7): read the keys to know.
 */
int lun_pr_preempt(struct lun *lun, uint64_t key, uint64_t victim);
/*
 * lun_reset() - LOGICAL UNIT RESET, by one path, without escalation to the target or the host
 *
 * All commands of all initiators in the LUN have ended when it returns (SAM-5 7.7); those of nodes
 * with a key are sent again by their SCSI layers. -EOPNOTSUPP: no SCSI. -EIO: refused, or not in
 * time, or the driver has no such reset.
 */
int lun_reset(struct lun *lun);

/* REPORT CAPABILITIES (SPC-4 6.15.4): what the LUN says that it can. SCSI only. */
struct lun_pr_capabilities {
	bool persists;		/* reservations can outlive a power loss */
	bool types_valid;	/* it says which types it has, */
	bool type;		/* and ours is one of them */
};

int lun_pr_capabilities(struct lun *lun, struct lun_pr_capabilities *can);

/* ---- pure: what the commands return. They believe nothing. ---- */

/*
 * lun_pr_in_keys() - PERSISTENT RESERVE IN, READ KEYS (SPC-4 6.15.2)
 * @bytes, @length: what has arrived
 * @keys: at least @length / 8
 * @count: how many the LUN has; if that is more than arrived, -EMSGSIZE
 *
 * 0, -EMSGSIZE (read again, with room for @count), or -EPROTO.
 */
int lun_pr_in_keys(const uint8_t *bytes, size_t length, uint32_t *generation, uint64_t *keys,
		   size_t *count);
/* PERSISTENT RESERVE IN, READ RESERVATION (SPC-4 6.15.3): held, holder and type of @pr. */
int lun_pr_in_reservation(const uint8_t *bytes, size_t length, struct lun_pr *pr);
/* PERSISTENT RESERVE IN, REPORT CAPABILITIES (SPC-4 6.15.4). 0 or -EPROTO. */
int lun_pr_in_capabilities(const uint8_t *bytes, size_t length, struct lun_pr_capabilities *can);
/*
 * NVMe's Reservation Report (NVMe 1.4 6.13, Reservation Status data structure), short or
 * extended: all of @pr; @keys as above, into pr->keys.
 */
int lun_pr_nvme_report(const uint8_t *bytes, size_t length, bool extended, struct lun_pr *pr,
		       uint64_t *keys);

/* What an ioctl of linux/pr.h has returned, as one of the errors above, or 0. */
int lun_pr_result(enum lun_transport transport, int result);
/* How a SCSI command has ended: statuses of sg_io_hdr, and sense data. */
struct lun_scsi_end {
	uint8_t status;
	uint16_t host;
	uint16_t driver;
	uint8_t key;		/* of the sense data; 0 if there is none */
	uint8_t asc;
	uint8_t ascq;
};

int lun_scsi_result(const struct lun_scsi_end *end);
/* Fixed and descriptor format (SPC-4 4.5). */
void lun_scsi_sense(const uint8_t *sense, size_t length, struct lun_scsi_end *end);

#endif
