// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <blkid.h>
#include <linux/fs.h>

#include "contents.h"
#include "run.h"

static const char *value_of(blkid_probe probe, const char *name)
{
	const char *value;

	return blkid_probe_lookup_value(probe, name, &value, NULL) ? NULL : value;
}

static void describe(blkid_probe probe, const char *where, char text[LUN_CONTENTS_LEN])
{
	const char *type = value_of(probe, "TYPE"), *usage = value_of(probe, "USAGE");
	const char *table = value_of(probe, "PTTYPE"), *label = value_of(probe, "LABEL");
	int length;

	if (!type) {
		snprintf(text, LUN_CONTENTS_LEN, "%sa partition table (%s)", where,
			 table ? table : "?");
		return;
	}
	length = snprintf(text, LUN_CONTENTS_LEN, "%s%s (%s)", where, type,
			  usage ? usage : "other");
	if (label && length < LUN_CONTENTS_LEN)
		snprintf(text + length, LUN_CONTENTS_LEN - length, ", its label is \"%.64s\"",
			 label);
}

static blkid_probe new_probe(int fd, uint64_t offset, uint64_t size)
{
	blkid_probe probe = blkid_new_probe();

	if (!probe)
		return NULL;
	if (blkid_probe_set_device(probe, fd, offset, size - offset)) {
		blkid_free_probe(probe);
		return NULL;
	}
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
					  BLKID_SUBLKS_LABEL | BLKID_SUBLKS_MAGIC);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC);
	return probe;
}

/* What libblkid finds from @offset on. */
static int probe_at(int fd, uint64_t offset, uint64_t size, const char *where,
		    char text[LUN_CONTENTS_LEN])
{
	blkid_probe probe = new_probe(fd, offset, size);
	int result;

	if (!probe)
		return -ENOMEM;
	result = blkid_do_safeprobe(probe);
	if (result == -2)
		snprintf(text, LUN_CONTENTS_LEN, "%sseveral things at once", where);
	else if (!result)
		describe(probe, where, text);
	blkid_free_probe(probe);
	if (result == 1)
		return LUN_HOLDS_NOTHING;
	return result == -1 ? -EIO : LUN_HOLDS_KNOWN;
}

static int beginning(int fd, char text[LUN_CONTENTS_LEN])
{
	static const uint8_t zeroes[4096];
	uint8_t bytes[sizeof(zeroes)];
	uint64_t at;

	for (at = 0; at < LUN_DATA_OFFSET; at += sizeof(bytes)) {
		if (pread(fd, bytes, sizeof(bytes), at) != (ssize_t)sizeof(bytes))
			return -EIO;
		if (!memcmp(bytes, zeroes, sizeof(bytes)))
			continue;
		snprintf(text, LUN_CONTENTS_LEN,
			 "data of an unknown kind (its first MiB is not empty)");
		return LUN_HOLDS_DATA;
	}
	return LUN_HOLDS_NOTHING;
}

int lun_probe(int fd, uint64_t size, char text[LUN_CONTENTS_LEN])
{
	int found;

	text[0] = '\0';
	found = probe_at(fd, 0, size, "", text);
	if (!found && size > LUN_DATA_OFFSET)
		found = probe_at(fd, LUN_DATA_OFFSET, size,
				 "a volume whose header is gone, at 1 MiB ", text);
	return found ? found : beginning(fd, text);
}

/* Of a header that was found, whatever is wrong with it. */
static int volume(int error, const struct lun_header *header, char text[LUN_CONTENTS_LEN])
{
	const char *copied = error == -EXDEV ? ", copied from another LUN" : "";

	switch (error) {
	case 0:
	case -EROFS:
	case -EXDEV:
	case -ERANGE:
		snprintf(text, LUN_CONTENTS_LEN, "the volume \"%s\" of the cluster \"%s\"%s",
			 header->name, header->cluster, copied);
		return LUN_HOLDS_VOLUME;
	case -EBADMSG:
		snprintf(text, LUN_CONTENTS_LEN, "a volume of covol whose header is damaged");
		return LUN_HOLDS_VOLUME;
	case -EPROTONOSUPPORT:
		snprintf(text, LUN_CONTENTS_LEN, "a volume of a later version of covol");
		return LUN_HOLDS_VOLUME;
	default:
		return error;
	}
}

int lun_contents(struct lun *lun, char text[LUN_CONTENTS_LEN])
{
	struct lun_header header;
	int found, error = lun_header_read(lun, &header, NULL);

	text[0] = '\0';
	if (error != -ENODATA)
		return volume(error, &header, text);
	/* Other nodes write to it: what this node's page cache has may be old. */
	if (ioctl(lun->fd, BLKFLSBUF, 0))
		return lun_fail(lun, -errno, "%s: its buffers cannot be dropped: %s", lun->device,
				strerror(errno));
	found = lun_probe(lun->fd, lun->size, text);
	if (found < 0)
		return lun_fail(lun, found, "%s: what it holds cannot be read: %s", lun->device,
				strerror(-found));
	return found;
}

static int wipe_failed(struct lun *lun, const char *what)
{
	int error = errno;

	return lun_fail(lun, error == EBADE ? -EBADE : -EIO, "%s: %s: %s", lun->device, what,
			error == EBADE ? "reservation conflict: other nodes have reserved it" :
			strerror(error));
}

static int wipe_signatures(struct lun *lun, int fd)
{
	blkid_probe probe = new_probe(fd, 0, lun->size);
	int result;

	if (!probe)
		return lun_fail(lun, -ENOMEM, "%s: out of memory", lun->device);
	for (;;) {
		result = blkid_do_probe(probe);
		if (result)
			break;
		result = blkid_do_wipe(probe, 0);
		if (result)
			break;
	}
	blkid_free_probe(probe);
	return result == 1 ? 0 : wipe_failed(lun, "its signatures cannot be wiped");
}

static int wipe_beginning(struct lun *lun, int fd)
{
	static const uint8_t zeroes[64 << 10];
	uint64_t at;

	for (at = 0; at < LUN_DATA_OFFSET; at += sizeof(zeroes))
		if (pwrite(fd, zeroes, sizeof(zeroes), at) != (ssize_t)sizeof(zeroes))
			return wipe_failed(lun, "its first MiB cannot be wiped");
	/* The superblock of a volume that was there, too. */
	if (lun->size >= LUN_DATA_OFFSET + sizeof(zeroes) &&
	    pwrite(fd, zeroes, sizeof(zeroes), LUN_DATA_OFFSET) != (ssize_t)sizeof(zeroes))
		return wipe_failed(lun, "its data cannot be wiped");
	if (fsync(fd))
		return wipe_failed(lun, "it cannot be wiped");
	return 0;
}

int lun_wipe(struct lun *lun)
{
	int error, fd = open(lun->device, O_RDWR | O_EXCL | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == EBUSY)
		return lun_fail(lun, -EBUSY,
				"%s is in use on this node: mounted, or a part of LVM, md or device mapper",
				lun->device);
	if (fd < 0)
		return lun_fail(lun, -errno, "%s cannot be opened: %s", lun->device,
				strerror(errno));
	if (fstat(fd, &st) || st.st_rdev != lun->number)
		error = lun_fail(lun, -ENOLINK, "%s has become another device meanwhile",
				 lun->device);
	else
		error = wipe_signatures(lun, fd);
	if (!error)
		error = wipe_beginning(lun, fd);
	close(fd);
	return error;
}

/* RFC 4122, version 4. */
static int new_uuid(struct covol_uuid *uuid)
{
	if (getrandom(uuid->bytes, sizeof(uuid->bytes), 0) != sizeof(uuid->bytes))
		return -errno;
	uuid->bytes[6] = (uuid->bytes[6] & 0x0f) | 0x40;
	uuid->bytes[8] = (uuid->bytes[8] & 0x3f) | 0x80;
	return 0;
}

int lun_header_init(struct lun *lun, const char *name, const char *cluster, enum lun_fs fs,
		    struct lun_header *header)
{
	const char *why;
	int error;

	*header = (struct lun_header) {
		.fs = fs,
		.data_offset = LUN_DATA_OFFSET,
		.created = time(NULL),
		.array.drain = lun->transport == LUN_NVME ? LUN_DRAIN_ABORT : LUN_DRAIN_RESET,
	};
	error = new_uuid(&header->uuid);
	if (error)
		return lun_fail(lun, error, "%s: no random numbers: %s", lun->device,
				strerror(-error));
	/* What does not fit is no name. */
	if (strlen(name) < sizeof(header->name))
		strcpy(header->name, name);
	if (strlen(cluster) < sizeof(header->cluster))
		strcpy(header->cluster, cluster);
	strcpy(header->wwid, lun->wwid);
	if (lun->size > LUN_DATA_OFFSET)
		header->data_size = (lun->size - LUN_DATA_OFFSET) &
				    ~(uint64_t)(LUN_HEADER_SIZE - 1);
	why = lun_header_check(header);
	return why ? lun_fail(lun, -EINVAL, "%s cannot become a volume: %s", lun->device, why) : 0;
}

int lun_mkfs(const char *device, enum lun_fs fs, unsigned int seconds, char *text,
	     size_t text_len)
{
	const char *const xfs[] = { "mkfs.xfs", "-q", "-f", "-m", "reflink=1", device, NULL };
	const char *const ext4[] = { "mkfs.ext4", "-q", "-F", device, NULL };
	const char *argv[8] = { NULL };
	struct run_result result;
	char path[RUN_PATH];
	int error;

	if (fs == LUN_FS_XFS)
		memcpy(argv, xfs, sizeof(xfs));
	else
		memcpy(argv, ext4, sizeof(ext4));
	error = run_find(argv[0], path);
	if (error) {
		snprintf(text, text_len, "there is no %s: install %s", argv[0],
			 fs == LUN_FS_XFS ? "xfsprogs" : "e2fsprogs");
		return error;
	}
	argv[0] = path;
	error = run_program(argv, "", seconds, &result);
	if (error)
		snprintf(text, text_len, "%s %s: %s", path, device, strerror(-error));
	else if (result.status)
		snprintf(text, text_len, "%s %s ended with status %d: \"%s\"", path, device,
			 result.status, result.output);
	return !error && result.status ? -EIO : error;
}
