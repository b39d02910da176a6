/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a LUN holds, and making a volume of it.
 *
 * To make one: lun_open(), lun_contents(), and if it is empty or the operator insists lun_wipe(),
 * lun_header_init(), lun_header_replace(); then the volume's device is set up as for any volume
 * (Documentation/target.rst), which begins at the data's offset, and lun_mkfs() makes the file
 * system on that. If that fails, lun_header_erase().
 */
#ifndef COVOL_LUN_CONTENTS_H
#define COVOL_LUN_CONTENTS_H

#include "device.h"

#define LUN_CONTENTS_LEN	512

enum lun_holds {
	LUN_HOLDS_NOTHING,
	LUN_HOLDS_VOLUME,	/* covol's header, good or not */
	LUN_HOLDS_KNOWN,	/* a file system, a partition table, LVM, ... */
	LUN_HOLDS_DATA,		/* something unknown: its beginning is not zero */
};

/*
 * lun_contents() - whether a LUN holds anything
 * @text: half a sentence: "an xfs file system", "the volume \"vol1\" of the cluster \"blue\""
 *
 * Looks for covol's header, for what libblkid knows at the beginning and the end and at the place
 * where a volume's file system begins, and whether the first MiB is zero. It cannot know about data
 * without any of these. Returns enum lun_holds, or -ENOLINK, -EIO, -ENOMEM with lun->error set.
 */
int lun_contents(struct lun *lun, char text[LUN_CONTENTS_LEN]);
/* The part without covol's header, of any file. */
int lun_probe(int fd, uint64_t size, char text[LUN_CONTENTS_LEN]);

/*
 * lun_wipe() - take away what lun_contents() finds
 *
 * All signatures that libblkid knows, and the first MiB. -EBUSY: it is in use on this node
 * (mounted, in LVM, md, or device mapper); what other nodes do with it this cannot know. Others:
 * -EBADE, -ENOLINK, -EIO, of open(2).
 */
int lun_wipe(struct lun *lun);

/*
 * lun_header_init() - the header of a new volume on all of the LUN
 *
 * The uuid is a new one, the epoch 0, the drain the default of the LUN's transport. -EINVAL, with
 * lun->error set, if the LUN is too small or a name cannot be.
 */
int lun_header_init(struct lun *lun, const char *name, const char *cluster, enum lun_fs fs,
		    struct lun_header *header);

/*
 * lun_mkfs() - make the file system
 * @device: begins at the data's offset; what is on it is overwritten without a question
 * @seconds: time limit; on a LUN that has to discard its blocks it can take minutes
 * @text: after an error, a sentence
 *
 * 0, -ENOENT: mkfs is not installed; -ETIMEDOUT; -EIO: it failed.
 */
int lun_mkfs(const char *device, enum lun_fs fs, unsigned int seconds, char *text,
	     size_t text_len);

#endif
