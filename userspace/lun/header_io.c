// SPDX-License-Identifier: GPL-2.0-only
/*
 * The header's copies, from and to a LUN: O_DIRECT, so that what is read is what the LUN has and
 * not what this node's page cache remembers, and O_DSYNC, so that what is written is on stable
 * storage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "header.h"

/* O_DIRECT wants a buffer that is aligned to the LUN's block, which is 4096 at most. */
#define ALIGNED	__attribute__((aligned(LUN_HEADER_SIZE)))

struct buffers {
	uint8_t copy[LUN_HEADER_COPIES][LUN_HEADER_SIZE] ALIGNED;
	uint8_t back[LUN_HEADER_SIZE] ALIGNED;
};

/*
 * What errno of an I/O says, in the words of header.h. As in the kernel (blk_path_error()) it is
 * the path's unless it is known not to be.
 */
static int io_error(struct lun *lun, const char *what, uint64_t place, int error)
{
	const char *means = strerror(error);
	int result = -ENOLINK;

	switch (error) {
	case EBADE:
		result = -EBADE;
		means = "reservation conflict: this node has no key on the LUN, it was fenced";
		break;
	case EOPNOTSUPP:
	case ENOSPC:
	case EREMOTEIO:	/* the target's own error */
	case ENODATA:	/* medium */
	case EILSEQ:	/* protection */
	case EINVAL:
		result = -EIO;
		break;
	}
	return lun_fail(lun, result, "%s: the header at byte %llu cannot be %s: %s", lun->device,
			(unsigned long long)place, what, means);
}

/* The same device, past the cache. */
static int open_direct(struct lun *lun, int flags)
{
	struct stat st;
	int fd = open(lun->device, flags | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		return lun_fail(lun, -errno, "%s cannot be opened: %s", lun->device,
				strerror(errno));
	if (!fstat(fd, &st) && S_ISBLK(st.st_mode) && st.st_rdev == lun->number)
		return fd;
	close(fd);
	return lun_fail(lun, -ENOLINK, "%s has become another device meanwhile", lun->device);
}

static int read_copy(struct lun *lun, int fd, unsigned int copy, uint8_t *bytes)
{
	uint64_t place = lun_header_place(copy);
	ssize_t count = pread(fd, bytes, LUN_HEADER_SIZE, place);

	if (count == LUN_HEADER_SIZE)
		return 0;
	return io_error(lun, "read", place, count < 0 ? errno : EREMOTEIO);
}

static int read_copies(struct lun *lun, int fd, struct buffers *buffers)
{
	unsigned int i;
	int error = 0;

	for (i = 0; !error && i < LUN_HEADER_COPIES; i++)
		error = read_copy(lun, fd, i, buffers->copy[i]);
	return error;
}

/* Written, stable, and there when it is read again. */
static int write_copy(struct lun *lun, int fd, unsigned int copy, struct buffers *buffers)
{
	uint64_t place = lun_header_place(copy);
	ssize_t count = pwrite(fd, buffers->copy[copy], LUN_HEADER_SIZE, place);
	int error;

	if (count != LUN_HEADER_SIZE)
		return io_error(lun, "written", place, count < 0 ? errno : EREMOTEIO);
	error = read_copy(lun, fd, copy, buffers->back);
	if (!error && memcmp(buffers->copy[copy], buffers->back, LUN_HEADER_SIZE))
		error = lun_fail(lun, -EIO,
				 "%s: the header at byte %llu is not what was written there: the LUN does not keep what it is given, or somebody else writes to it",
				 lun->device, (unsigned long long)place);
	return error;
}

static int check_fits(struct lun *lun, const struct lun_header *header)
{
	uint64_t end = header->data_offset + header->data_size;

	if (lun->size >= end)
		return 0;
	return lun_fail(lun, -ERANGE,
			"%s has %llu bytes, the volume \"%s\" needs %llu: was the LUN made smaller?",
			lun->device, (unsigned long long)lun->size, header->name,
			(unsigned long long)end);
}

static int check_wwid(struct lun *lun, const struct lun_header *header)
{
	if (!header->wwid[0] || !strcmp(header->wwid, lun->wwid))
		return 0;
	return lun_fail(lun, -EXDEV,
			"%s is \"%s\", but its header says that the volume \"%s\" was made on \"%s\": it is a copy of that LUN, and can only be used under a new identity",
			lun->device, lun->wwid, header->name, header->wwid);
}

/* As lun_header_choose(), with the device's name in the sentence. */
static int choose(struct lun *lun, struct buffers *buffers, struct lun_header *header,
		  struct lun_copies *copies)
{
	char why[LUN_ERROR_LEN / 2];
	int error = lun_header_choose((const uint8_t (*)[LUN_HEADER_SIZE])buffers->copy, header,
				      copies, why, sizeof(why));

	return error ? lun_fail(lun, error, "%s: %s", lun->device, why) : 0;
}

static int read_header(struct lun *lun, struct buffers *buffers, struct lun_header *header,
		       struct lun_copies *copies)
{
	int error, fd = open_direct(lun, O_RDONLY);

	if (fd < 0)
		return fd;
	error = read_copies(lun, fd, buffers);
	close(fd);
	if (!error)
		error = choose(lun, buffers, header, copies);
	if (!error)
		error = check_wwid(lun, header);
	return error ? error : check_fits(lun, header);
}

int lun_header_read(struct lun *lun, struct lun_header *header, struct lun_copies *copies)
{
	struct lun_copies own;
	struct buffers buffers;

	return read_header(lun, &buffers, header, copies ? copies : &own);
}

static int check_epoch(struct lun *lun, const struct lun_header *header,
		       const struct lun_header *there)
{
	if (there->epoch > header->epoch)
		return lun_fail(lun, -ESTALE,
				"%s: its header has epoch %llu, and epoch %llu was to be written: another node has become coordinator since",
				lun->device, (unsigned long long)there->epoch,
				(unsigned long long)header->epoch);
	return 0;
}

static bool same_volume(const struct lun_header *one, const struct lun_header *other)
{
	return !memcmp(&one->uuid, &other->uuid, sizeof(one->uuid));
}

/* Whether @header may follow on what is there. */
static int check_successor(struct lun *lun, const struct lun_header *header,
			   const struct lun_header *there)
{
	if (!same_volume(there, header))
		return lun_fail(lun, -EEXIST,
				"%s has become another volume meanwhile, its name is \"%s\"",
				lun->device, there->name);
	return check_epoch(lun, header, there);
}

static int check_own(struct lun *lun, const struct lun_header *header)
{
	const char *why = lun_header_check(header);

	if (why)
		return lun_fail(lun, -EINVAL, "%s: no header can be made: %s", lun->device, why);
	return check_fits(lun, header);
}

int lun_header_write(struct lun *lun, struct lun_header *header)
{
	struct lun_copies copies;
	struct lun_header there;
	struct buffers buffers;
	unsigned int other;
	int error, fd;

	error = check_own(lun, header);
	if (!error)
		error = read_header(lun, &buffers, &there, &copies);
	if (!error)
		error = check_successor(lun, header, &there);
	if (error)
		return error;
	fd = open_direct(lun, O_RDWR | O_DSYNC);
	if (fd < 0)
		return fd;
	other = !copies.newest;
	header->generation = there.generation + 1;
	lun_header_encode(header, other, buffers.copy[other]);
	error = write_copy(lun, fd, other, &buffers);
	close(fd);
	return error;
}

/*
 * First over the copy that is older or none, with a higher generation than any: from then on the
 * new header is the one that counts.
 */
static int replace_copies(struct lun *lun, int fd, struct lun_header *header)
{
	struct lun_copies copies = { .newest = 0 };
	struct lun_header there;
	struct buffers buffers;
	uint64_t last = 0;
	unsigned int i, copy;
	int error = read_copies(lun, fd, &buffers), found;

	if (error)
		return error;
	found = choose(lun, &buffers, &there, &copies);
	/* I4: whoever of the volume's nodes has written a later one is its coordinator. */
	if ((!found || found == -EROFS) && same_volume(&there, header))
		error = check_epoch(lun, header, &there);
	for (i = 0; i < LUN_HEADER_COPIES; i++)
		if (copies.copy[i].generation > last)
			last = copies.copy[i].generation;
	for (i = 0; !error && i < LUN_HEADER_COPIES; i++) {
		copy = i ? copies.newest : !copies.newest;
		header->generation = last + 1 + i;
		lun_header_encode(header, copy, buffers.copy[copy]);
		error = write_copy(lun, fd, copy, &buffers);
	}
	return error;
}

int lun_header_replace(struct lun *lun, struct lun_header *header)
{
	int error = check_own(lun, header), fd;

	if (error)
		return error;
	fd = open_direct(lun, O_RDWR | O_DSYNC);
	if (fd < 0)
		return fd;
	error = replace_copies(lun, fd, header);
	close(fd);
	return error;
}

int lun_header_erase(struct lun *lun)
{
	struct buffers buffers = { 0 };
	int error = 0, fd = open_direct(lun, O_RDWR | O_DSYNC);
	unsigned int i;

	if (fd < 0)
		return fd;
	for (i = 0; !error && i < LUN_HEADER_COPIES; i++)
		error = write_copy(lun, fd, i, &buffers);
	close(fd);
	return error;
}
