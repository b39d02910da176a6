// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"

#define BOOT_ID		"/proc/sys/kernel/random/boot_id"

int boot_lock(const char *directory)
{
	char path[PATH_MAX];
	int fd, error;

	if (mkdir(directory, 0755) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/lock", directory);
	/* Inherited by children on purpose: what they do is this agent's work. */
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	error = errno == EWOULDBLOCK ? -EAGAIN : -errno;
	close(fd);
	return error;
}

int boot_id(uint64_t *id)
{
	unsigned int part[3];
	FILE *file = fopen(BOOT_ID, "re");
	int got;

	if (!file)
		return -errno;
	got = fscanf(file, "%8x-%4x-%4x-", &part[0], &part[1], &part[2]);
	fclose(file);
	*id = (uint64_t)part[0] << 32 | part[1] << 16 | part[2];
	return got == 3 && *id ? 0 : -EIO;
}

static void key_path(char path[PATH_MAX], const char *directory, const char *which,
		     const uint8_t uuid[16])
{
	int length = snprintf(path, PATH_MAX - 40, "%s/%s-", directory, which);
	unsigned int i;

	for (i = 0; i < 16; i++)
		sprintf(path + length + 2 * i, "%02x", uuid[i]);
}

static uint64_t key_read(const char *directory, const char *which, const uint8_t uuid[16])
{
	char path[PATH_MAX], end;
	uint64_t incarnation = 0;
	FILE *file;

	key_path(path, directory, which, uuid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* Half of a number has no end. */
	if (fscanf(file, "%" SCNx64 "%c", &incarnation, &end) != 2 || end != '\n')
		incarnation = 0;
	fclose(file);
	return incarnation;
}

static int key_write(const char *directory, const char *which, const uint8_t uuid[16],
		     uint64_t incarnation)
{
	char path[PATH_MAX], text[24];
	int fd, length, error = 0;

	key_path(path, directory, which, uuid);
	if (!incarnation)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	length = snprintf(text, sizeof(text), "%" PRIx64 "\n", incarnation);
	if (write(fd, text, length) != length)
		error = -EIO;
	close(fd);
	return error;
}

uint64_t boot_key(const char *directory, const uint8_t uuid[16])
{
	return key_read(directory, "key", uuid);
}

int boot_key_mark(const char *directory, const uint8_t uuid[16], uint64_t incarnation)
{
	return key_write(directory, "key", uuid, incarnation);
}

uint64_t boot_key_told(const char *directory, const uint8_t uuid[16])
{
	return key_read(directory, "told", uuid);
}

int boot_key_mark_told(const char *directory, const uint8_t uuid[16], uint64_t incarnation)
{
	return key_write(directory, "told", uuid, incarnation);
}
