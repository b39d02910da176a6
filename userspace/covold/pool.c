// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"
#include "pool.h"

/* All memory is locked, stacks too. */
#define STACK_BYTES	(256 * 1024)

struct work {
	struct work *next;
	void (*work)(void *data);
	void (*done)(void *data);
	void *data;
};

struct list {
	struct work *first;
	struct work **last;
};

struct pool {
	/* Set once. */
	sd_event_source *source;
	int ended_fd;
	unsigned int limit;
	pthread_t *threads;

	/* The loop only. */
	unsigned int busy;

	pthread_mutex_t lock;
	pthread_cond_t come;
	/* Protected by lock. */
	struct list waiting;
	struct list ended;
	unsigned int count;	/* threads */
	unsigned int idle;
	unsigned int queued;	/* in waiting */
	bool stop;
};

static void list_init(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_add(struct list *list, struct work *work)
{
	work->next = NULL;
	*list->last = work;
	list->last = &work->next;
}

static struct work *list_take(struct list *list)
{
	struct work *work = list->first;

	if (work)
		list->first = work->next;
	if (!list->first)
		list->last = &list->first;
	return work;
}

static void *thread(void *data)
{
	static const uint64_t one = 1;
	struct pool *pool = data;
	struct work *work;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stop) {
		work = list_take(&pool->waiting);
		if (!work) {
			pool->idle++;
			pthread_cond_wait(&pool->come, &pool->lock);
			pool->idle--;
			continue;
		}
		pool->queued--;
		pthread_mutex_unlock(&pool->lock);
		work->work(work->data);
		pthread_mutex_lock(&pool->lock);
		list_add(&pool->ended, work);
		/* An eventfd fails only when nobody has read it 2^64 times. */
		if (write(pool->ended_fd, &one, sizeof(one)) < 0)
			abort();
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Signals are for the loop. Returns 0 or a negative errno. */
static int thread_start(struct pool *pool)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&pool->threads[pool->count], &attributes, thread, pool);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	if (!error)
		pool->count++;
	return -error;
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct pool *pool = data;
	struct work *work, *next;
	uint64_t count;

	(void)source;
	(void)events;
	if (read(fd, &count, sizeof(count)) < 0)
		return 0;
	pthread_mutex_lock(&pool->lock);
	work = pool->ended.first;
	list_init(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	for (; work; work = next) {
		next = work->next;
		pool->busy--;
		work->done(work->data);
		free(work);
	}
	return 0;
}

int pool_create(struct pool **result, sd_event *event, unsigned int spare, unsigned int limit)
{
	struct pool *pool = memory_new(sizeof(*pool));
	int error;

	pool->limit = limit > spare ? limit : spare;
	pool->threads = memory_new(pool->limit * sizeof(*pool->threads));
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->come, NULL);
	list_init(&pool->waiting);
	list_init(&pool->ended);
	pool->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = pool->ended_fd < 0 ? -errno :
				     sd_event_add_io(event, &pool->source, pool->ended_fd, EPOLLIN,
						     on_ended, pool);
	while (error >= 0 && pool->count < spare) {
		pthread_mutex_lock(&pool->lock);
		error = thread_start(pool);
		pthread_mutex_unlock(&pool->lock);
	}
	if (error < 0) {
		pool_destroy(pool);
		return error;
	}
	*result = pool;
	return 0;
}

void pool_submit(struct pool *pool, void (*function)(void *data), void (*done)(void *data),
		 void *data)
{
	struct work *work = memory_new(sizeof(*work));
	int error = 0;

	work->work = function;
	work->done = done;
	work->data = data;
	pool->busy++;
	pthread_mutex_lock(&pool->lock);
	list_add(&pool->waiting, work);
	if (++pool->queued > pool->idle && pool->count < pool->limit)
		error = thread_start(pool);
	pthread_cond_signal(&pool->come);
	pthread_mutex_unlock(&pool->lock);
	if (error)
		log_warning("no new thread: %s; work waits for one of the %u there are",
			    strerror(-error), pool->count);
}

unsigned int pool_busy(const struct pool *pool)
{
	return pool->busy;
}

void pool_destroy(struct pool *pool)
{
	struct work *work;
	unsigned int i;

	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->come);
	pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < pool->count; i++)
		pthread_join(pool->threads[i], NULL);
	while ((work = list_take(&pool->waiting)))
		free(work);
	while ((work = list_take(&pool->ended)))
		free(work);
	sd_event_source_disable_unref(pool->source);
	if (pool->ended_fd >= 0)
		close(pool->ended_fd);
	pthread_cond_destroy(&pool->come);
	pthread_mutex_destroy(&pool->lock);
	free(pool->threads);
	free(pool);
}
