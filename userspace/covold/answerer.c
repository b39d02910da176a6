// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../layout/answer.h"
#include "answerer.h"
#include "log.h"
#include "memory.h"

/* All memory is locked, stacks too. */
#define STACK_BYTES	(256 * 1024)

struct answerer {
	/* Set once. */
	pthread_t thread;
	int stop_fd;

	/* Held while the images are in use. */
	pthread_mutex_t lock;
	struct helper helper;
};

/* 1: events have come, or something is queued; 0: to stop. */
static int wait_for_work(struct answerer *answerer, bool queued)
{
	struct pollfd pollfds[] = {
		{ .fd = covol_event_fd(answerer->helper.c), .events = POLLIN },
		{ .fd = answerer->stop_fd, .events = POLLIN },
	};

	while (poll(pollfds, 2, queued ? 0 : -1) < 0)
		if (errno != EINTR)
			abort();
	return !pollfds[1].revents;
}

static void *thread(void *data)
{
	struct answerer *answerer = data;
	struct helper *helper = &answerer->helper;
	bool queued = false;
	int error;

	while (wait_for_work(answerer, queued)) {
		pthread_mutex_lock(&answerer->lock);
		error = covol_event_receive(helper->c, take_event, helper);
		/* What was lost the kernel asks for again. */
		if (error && error != -ENOBUFS)
			log_warning("layouts: %s", covol_error(helper->c));
		if (helper->queue.first && answer_queued(helper))
			log_warning("layouts: out of memory");
		queued = helper->queue.first;
		pthread_mutex_unlock(&answerer->lock);
	}
	return NULL;
}

static int thread_start(struct answerer *answerer)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&answerer->thread, &attributes, thread, answerer);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}

static void destroy(struct answerer *answerer)
{
	struct helper *helper = &answerer->helper;

	while (helper->count) {
		helper->count--;
		close(helper->images[helper->count].fd);
		free((char *)helper->images[helper->count].path);
	}
	free(helper->images);
	queue_clear(&helper->queue);
	covol_close(helper->c);
	if (answerer->stop_fd >= 0)
		close(answerer->stop_fd);
	pthread_mutex_destroy(&answerer->lock);
	free(answerer);
}

int answerer_start(struct answerer **result, const struct covol_uuid *uuid)
{
	struct answerer *answerer = memory_new(sizeof(*answerer));
	int error;

	pthread_mutex_init(&answerer->lock, NULL);
	answerer->helper.uuid = *uuid;
	answerer->stop_fd = eventfd(0, EFD_CLOEXEC);
	error = answerer->stop_fd < 0 ? -errno : covol_open(&answerer->helper.c);
	if (!error)
		error = covol_event_subscribe(answerer->helper.c);
	if (!error)
		error = thread_start(answerer);
	if (error) {
		destroy(answerer);
		return error;
	}
	*result = answerer;
	return 0;
}

void answerer_stop(struct answerer *answerer)
{
	static const uint64_t one = 1;

	if (!answerer)
		return;
	if (write(answerer->stop_fd, &one, sizeof(one)) < 0)
		abort();
	pthread_join(answerer->thread, NULL);
	destroy(answerer);
}

static struct image *find(struct helper *helper, uint64_t id)
{
	size_t i;

	for (i = 0; i < helper->count; i++)
		if (helper->images[i].id == id)
			return &helper->images[i];
	return NULL;
}

static int add(struct helper *helper, uint64_t id, const char *name, int fd)
{
	struct image *more = realloc(helper->images, (helper->count + 1) * sizeof(*more));
	int own = more ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (!more)
		return -ENOMEM;
	helper->images = more;
	if (own < 0)
		return -errno;
	more[helper->count++] = (struct image){ .id = id, .path = memory_text(name), .fd = own };
	return 0;
}

int answerer_add(struct answerer *answerer, uint64_t id, const char *name, int fd)
{
	int error = 0;

	pthread_mutex_lock(&answerer->lock);
	if (!find(&answerer->helper, id))
		error = add(&answerer->helper, id, name, fd);
	pthread_mutex_unlock(&answerer->lock);
	return error;
}

void answerer_remove(struct answerer *answerer, uint64_t id)
{
	struct helper *helper = &answerer->helper;
	struct image *image;

	pthread_mutex_lock(&answerer->lock);
	image = find(helper, id);
	if (image) {
		close(image->fd);
		free((char *)image->path);
		*image = helper->images[--helper->count];
	}
	pthread_mutex_unlock(&answerer->lock);
}
