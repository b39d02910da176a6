/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A LUN, opened for one piece of work: what device it is, by which paths it is reached, who it says
 * that it is. Nothing here keeps state between two opens: open it, do the work, close it. All of it
 * blocks, for as long as the kernel's error handling takes if a path is broken; it is for worker
 * threads. A struct lun is used by one thread at a time.
 */
#ifndef COVOL_LUN_DEVICE_H
#define COVOL_LUN_DEVICE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "header.h"

/* More than any multipath device has in practice. */
#define LUN_PATHS	32
#define LUN_DEVICE_LEN	256
#define LUN_ERROR_LEN	768

/* What the paths speak; decides how reservations are read and what a drain can be. */
enum lun_transport {
	LUN_OTHER,	/* no reservations: virtio-blk, a loop device, ... */
	LUN_SCSI,
	LUN_NVME,
};

/**
 * struct lun_path - a disk that is no stack of others
 * @name: "sdb", "nvme0n1"
 * @disk: the kernel's number of it, which no other disk gets (diskseq); 0: it has none
 * @done: the last command that went to all paths has succeeded by it
 */
struct lun_path {
	char name[32];
	uint64_t disk;
	bool done;
};

struct lun {
	char device[LUN_DEVICE_LEN];	/* as it was opened: what errors say */
	int fd;			/* read-only */
	dev_t number;
	char name[32];		/* the kernel's: "sdb", "dm-3" */
	bool multipath;		/* dm-multipath */
	enum lun_transport transport;
	uint64_t size;		/* bytes */
	uint32_t block;		/* logical block, bytes: 512 or 4096 */
	char wwid[LUN_WWID_LEN];	/* "" if it has none */
	size_t paths;
	struct lun_path path[LUN_PATHS];
	char error[LUN_ERROR_LEN];	/* a sentence, after a function has failed */
};

/*
 * lun_open() - open a LUN and find out what it is
 * @device: path of a whole disk or a dm device on such; not of a partition
 *
 * Returns 0, and *lun is to be closed; or negative, with lun->error set and nothing to be closed:
 *   -ENOTBLK	no block device, or a partition
 *   -ENXIO	its paths disagree about who they are, or it is no LUN of at least 1 MiB
 *   -ENOLINK	its path is dead
 *   others	of open(2)
 *
 * It is opened read-only: the last close of a writable open has udev look at the whole disk again.
 */
int lun_open(struct lun *lun, const char *device);
void lun_close(struct lun *lun);

/*
 * lun_identify() - what /sys says of a device: multipath, transport, paths, WWID
 * @sysfs: "/sys"; tests have another
 * @lun: name is set; the rest is found
 *
 * The WWID is the one that the paths give (scsi: the designator of VPD page 0x83 that the kernel
 * prefers, "naa.6001..."; nvme: "uuid...", "eui..."), also for dm-multipath: so it is the same for
 * a node with one path and without multipath. Returns 0, or -ENXIO with lun->error set.
 */
int lun_identify(struct lun *lun, const char *sysfs);

/*
 * lun_add_others() - add the disks that are the same LUN, too, and of which nothing is made
 *
 * By their transport and WWID, after lun_identify(). Such a disk has just come, and multipath will
 * use it when it has seen it. 0, or -ENXIO with lun->error set.
 */
int lun_add_others(struct lun *lun, const char *sysfs);
/* Whether a path takes commands, by what /sys says; one that is being given up does not. */
bool lun_path_ready(const struct lun_path *path, const char *sysfs);

/* Opens one path, for reading. Returns an fd, or negative errno with lun->error set. */
int lun_path_open(struct lun *lun, size_t path);
/* The same with other flags of open(2). */
int lun_path_open_as(struct lun *lun, size_t path, int flags);

/* First line of a disk's attribute, without white space around it; "" if there is none. */
void lun_attribute(const char *sysfs, const char *disk, const char *name, char *value, size_t len);

/* The same of the iSCSI session that a disk is reached by; "": it is none of iSCSI's. */
void lun_session_attribute(const char *sysfs, const char *disk, const char *name, char *value,
			   size_t len);

/*
 * lun_product() - what a LUN says that it is: vendor, product and revision, with a space between
 * @sysfs: "/sys"; tests have another
 *
 * As the kernel has read it last (SPC-4 6.6.2, standard INQUIRY data; NVMe: Identify Controller,
 * model and firmware revision). "" if it does not say both product and revision, or if they do not
 * fit. What is not printable becomes "?".
 */
void lun_product(const struct lun *lun, const char *sysfs, char text[LUN_PRODUCT_LEN]);

/* Sets lun->error; returns @error, which is a negative errno. */
__attribute__((format(printf, 3, 4)))
int lun_fail(struct lun *lun, int error, const char *format, ...);

#endif
