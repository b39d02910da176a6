// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"
#include "message.h"
#include "store.h"

#define FILE_NAME	"state"
#define FILE_NEW	"state.new"

struct image {
	uint8_t *bytes;
	size_t length;
	uint32_t view;
};

struct store {
	struct pool *pool;
	char *directory;
	int fd;			/* of the directory */
	void (*saved)(void *data, uint32_t view, int error);
	void *data;
	bool writing;		/* image is the worker's */
	int error;
	struct image image;
	struct image next;	/* bytes NULL: none */
};

int store_open(struct store **result, struct pool *pool, const char *directory,
	       void (*saved)(void *data, uint32_t view, int error), void *data)
{
	struct store *store;
	int fd;

	if (mkdir(directory, 0700) && errno != EEXIST) {
		log_error("%s: cannot be made: %s", directory, strerror(errno));
		return -errno;
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		log_error("%s: %s", directory, strerror(errno));
		return -errno;
	}
	store = memory_new(sizeof(*store));
	store->pool = pool;
	store->directory = memory_text(directory);
	store->fd = fd;
	store->saved = saved;
	store->data = data;
	*result = store;
	return 0;
}

static int read_all(int fd, uint8_t **bytes, size_t *length)
{
	struct stat stat;
	ssize_t got = 0;

	if (fstat(fd, &stat))
		return -errno;
	if (stat.st_size > MESSAGE_STATE_MAX)
		return -EFBIG;
	*bytes = memory_new(stat.st_size + 1);
	for (*length = 0; *length < (size_t)stat.st_size; *length += got) {
		got = read(fd, *bytes + *length, stat.st_size - *length);
		if (got <= 0)
			return got ? -errno : -EIO;
	}
	return 0;
}

int store_load(struct store *store, struct ownership *own)
{
	struct ownership loaded;
	uint8_t *bytes = NULL;
	size_t length = 0;
	int fd, error;

	fd = openat(store->fd, FILE_NAME, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	error = fd < 0 ? -errno : read_all(fd, &bytes, &length);
	if (!error)
		error = ownership_decode(&loaded, bytes, length);
	free(bytes);
	if (fd >= 0)
		close(fd);
	if (error) {
		log_error("%s/%s: %s; if other nodes know the volumes, move it away",
			  store->directory, FILE_NAME,
			  error == -EBADMSG ? "is damaged" :
			  error == -EPROTO  ? "is of another version of covold" :
					      strerror(-error));
		return error;
	}
	ownership_exit(own);
	*own = loaded;
	return 1;
}

static int write_all(int fd, const struct image *image)
{
	size_t at = 0;
	ssize_t done;

	while (at < image->length) {
		done = write(fd, image->bytes + at, image->length - at);
		if (done < 0)
			return -errno;
		at += done;
	}
	return fsync(fd) ? -errno : 0;
}

/* A worker. The old file is there until the new one is, whole. */
static void write_image(void *data)
{
	struct store *store = data;
	int fd;

	fd = openat(store->fd, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	store->error = fd < 0 ? -errno : write_all(fd, &store->image);
	if (fd >= 0 && close(fd) && !store->error)
		store->error = -errno;
	if (!store->error &&
	    (renameat(store->fd, FILE_NEW, store->fd, FILE_NAME) || fsync(store->fd)))
		store->error = -errno;
}

static void written(void *data);

static void begin(struct store *store)
{
	if (store->writing || !store->next.bytes)
		return;
	store->image = store->next;
	memset(&store->next, 0, sizeof(store->next));
	store->writing = true;
	pool_submit(store->pool, write_image, written, store);
}

static void written(void *data)
{
	struct store *store = data;

	store->writing = false;
	free(store->image.bytes);
	store->image.bytes = NULL;
	if (store->error)
		log_error("%s/%s: cannot be written: %s", store->directory, FILE_NAME,
			  strerror(-store->error));
	store->saved(store->data, store->image.view, store->error);
	begin(store);
}

void store_save(struct store *store, const struct ownership *own)
{
	free(store->next.bytes);
	store->next.bytes = ownership_encode(own, &store->next.length);
	store->next.view = own->view;
	begin(store);
}

void store_close(struct store *store)
{
	free(store->image.bytes);
	free(store->next.bytes);
	close(store->fd);
	free(store->directory);
	free(store);
}
