/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making a volume of a LUN, and adopting one. Waits for the disk; for workers.
 */
#ifndef COVOLD_CREATE_H
#define COVOLD_CREATE_H

#include <limits.h>

#include "../lun/device.h"
#include "../lun/header.h"

/**
 * struct create - a volume to be made or adopted
 * @device: path of the LUN
 * @name: of the volume; adopt: "": that of the header
 * @cluster: whose it will be
 * @fs: to be made
 * @force: make: whatever is on the LUN is lost; adopt: it may be another cluster's, or a copy of
 *	   another LUN, and somebody may have a key there
 * @header: result
 * @result: 0 or a negative errno
 * @error: a sentence
 */
struct create {
	char device[PATH_MAX];
	char name[LUN_NAME_LEN];
	char cluster[LUN_CLUSTER_LEN];
	enum lun_fs fs;
	bool force;
	struct lun_header header;
	int result;
	char error[LUN_ERROR_LEN];
};

/*
 * A header and a file system. Without @force a LUN that holds anything that libblkid knows, a
 * header of covol's, or a reservation, is refused: -EEXIST.
 */
void create_volume(struct create *create);

/*
 * Looks at the header, and with @force or another name writes a new one: with the cluster's name,
 * and for a copy of another LUN with a uuid of its own. Without @force: -EXDEV, -EEXIST, and -EBUSY
 * if the header is to be written and keys are registered. -ESTALE: somebody else has written it.
 */
void create_adopt(struct create *create);

#endif
