// SPDX-License-Identifier: GPL-2.0-only
/*
 * The place between the header's copies, for tests of who may write.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

_Static_assert(LUN_HEADER_COPY_0 + LUN_HEADER_SIZE <= LUN_SCRATCH_PLACE, "it lies in a copy");
_Static_assert(LUN_SCRATCH_PLACE % LUN_HEADER_SIZE == 0, "it is not aligned");
_Static_assert(LUN_SCRATCH_SIZE % LUN_HEADER_SIZE == 0, "it is not aligned");

int lun_scratch_open(struct lun *lun)
{
	return lun_path_open_as(lun, 0, O_RDWR | O_DIRECT | O_DSYNC);
}

uint8_t *lun_scratch_buffer(void)
{
	uint8_t *bytes = aligned_alloc(LUN_HEADER_SIZE, LUN_SCRATCH_SIZE);

	if (bytes)
		memset(bytes, 0, LUN_SCRATCH_SIZE);
	return bytes;
}

static int result(ssize_t count)
{
	if (count == LUN_SCRATCH_SIZE)
		return 0;
	if (count >= 0)
		return -EIO;
	if (errno == EBADE)
		return -EBADE;
	return errno == EREMOTEIO || errno == ENODATA || errno == EINVAL ? -EIO : -ENOLINK;
}

int lun_scratch_write(int fd, const uint8_t *bytes)
{
	return result(pwrite(fd, bytes, LUN_SCRATCH_SIZE, LUN_SCRATCH_PLACE));
}

int lun_scratch_read(int fd, uint8_t *bytes)
{
	return result(pread(fd, bytes, LUN_SCRATCH_SIZE, LUN_SCRATCH_PLACE));
}
