// SPDX-License-Identifier: GPL-2.0-only
/*
 * The late-write test. What makes a write slow on a real array is how much of them there is: each
 * writer writes the whole place again and again, all at once, and says in each block who it is and
 * when. Whatever changes there after the fence was sent before it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "check.h"

#define WRITERS_MAX	64
/* ms until all are writing; and what a round's fence comes later than that, at most. */
#define GATHER_MS	10000
#define VARY_MS		20
/* As a fence does it, more or less. */
#define RESETS		3
#define RESET_PAUSE_MS	2000

static const char mark[16] = "covol check";

/* One round's. */
struct crowd {
	int fd;
	unsigned int round;
	atomic_uint under_way;
	atomic_uint succeeded;	/* writes */
	atomic_uint ended;	/* writers */
	atomic_bool stop;
};

struct writer {
	struct crowd *crowd;
	pthread_t thread;
	unsigned int number;
	uint8_t *bytes;
};

static void pause_ms(unsigned int ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static void stamp(const struct writer *writer, uint32_t count)
{
	size_t at;

	for (at = 0; at < LUN_SCRATCH_SIZE; at += LUN_HEADER_SIZE) {
		memcpy(writer->bytes + at, mark, sizeof(mark));
		put_le32(writer->bytes + at + 16, writer->crowd->round);
		put_le32(writer->bytes + at + 20, writer->number);
		put_le32(writer->bytes + at + 24, count);
	}
}

/* Until it is refused. */
static void *write_on(void *data)
{
	struct writer *writer = data;
	struct crowd *crowd = writer->crowd;
	uint32_t count = 0;
	int error = 0;

	while (!error && !atomic_load(&crowd->stop)) {
		stamp(writer, count++);
		atomic_fetch_add(&crowd->under_way, 1);
		error = lun_scratch_write(crowd->fd, writer->bytes);
		if (!error)
			atomic_fetch_add(&crowd->succeeded, 1);
		atomic_fetch_sub(&crowd->under_way, 1);
	}
	atomic_fetch_add(&crowd->ended, 1);
	return NULL;
}

static void join(struct writer *writers, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		pthread_join(writers[i].thread, NULL);
}

static int start(struct writer *writers, unsigned int count, struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		writers[i].crowd = crowd;
		writers[i].number = i;
		if (!pthread_create(&writers[i].thread, NULL, write_on, &writers[i]))
			continue;
		atomic_store(&crowd->stop, true);
		join(writers, i);
		return -ENOMEM;
	}
	return 0;
}

/* What has only been sent is refused when it arrives, and shows nothing. */
static void gather(struct crowd *crowd, const struct lun_late *late)
{
	unsigned int ms;

	for (ms = 0; ms < GATHER_MS; ms++) {
		if (atomic_load(&crowd->under_way) == late->writers ||
		    atomic_load(&crowd->ended))
			break;
		pause_ms(1);
	}
	/* Another moment of the array's in each round. */
	pause_ms(late->warm_up * 1000 + crowd->round * 7 % VARY_MS);
}

/* One that fails is repeated when the path is back, as in a fence: reading waits for that. */
static int reset(struct lun *lun)
{
	int error = lun_reset(lun), i;
	struct lun_pr pr;

	for (i = 1; error == -EIO && i < RESETS; i++) {
		pause_ms(RESET_PAUSE_MS);
		error = lun_pr_read(lun, &pr);
		if (error)
			break;
		lun_pr_free(&pr);
		error = lun_reset(lun);
	}
	return error;
}

static int drain(struct lun_pair *pair, const struct lun_late *late)
{
	if (late->drain == LUN_DRAIN_RESET)
		return reset(&pair->fencer);
	if (late->drain == LUN_DRAIN_WAIT)
		pause_ms(late->wait * 1000);
	return 0;
}

static int read_place(struct lun_pair *pair, int fd, uint8_t *bytes)
{
	int error = lun_scratch_read(fd, bytes);

	return error ? lun_fail(&pair->fencer, error, "%s: reading back what was written: %s",
				pair->fencer.device, strerror(-error)) : 0;
}

/* What one run has open, and room for. */
struct bench {
	struct lun_pair *pair;
	struct lun_late *late;
	int fencer_fd;
	int victim_fd;
	uint8_t *before;
	uint8_t *after;
	struct writer *writers;
};

/*
 * While they write: the fence, and what is there when it is done. *under_way: writes that were
 * under way before, and had not succeeded when it was done. Those are what it is about: who is late
 * is among them.
 */
static int fence(struct bench *bench, struct crowd *crowd, unsigned int *under_way)
{
	struct lun_pair *pair = bench->pair;
	unsigned int ms, before, succeeded;
	struct timespec from, to;
	int error;

	gather(crowd, bench->late);
	clock_gettime(CLOCK_MONOTONIC, &from);
	before = atomic_load(&crowd->succeeded);
	*under_way = atomic_load(&crowd->under_way);
	error = lun_pr_preempt(&pair->fencer, pair->fencer_key, pair->victim_key);
	if (!error)
		error = drain(pair, bench->late);
	if (!error)
		error = read_place(pair, bench->fencer_fd, bench->before);
	succeeded = atomic_load(&crowd->succeeded) - before;
	*under_way = *under_way > succeeded ? *under_way - succeeded : 0;
	clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	if (ms > bench->late->ms)
		bench->late->ms = ms;
	return error;
}

static int run_round(struct bench *bench)
{
	struct crowd crowd = { .fd = bench->victim_fd, .round = bench->late->done };
	struct lun_pair *pair = bench->pair;
	struct lun_late *late = bench->late;
	unsigned int under_way = 0;
	int error;

	error = lun_pr_register(&pair->victim, pair->victim_key);
	if (error) {
		memcpy(pair->fencer.error, pair->victim.error, LUN_ERROR_LEN);
		return error < 0 ? error : -ENOLINK;
	}
	error = start(bench->writers, late->writers, &crowd);
	if (error)
		return lun_fail(&pair->fencer, error, "no threads: %s", strerror(-error));
	error = fence(bench, &crowd, &under_way);
	atomic_store(&crowd.stop, true);
	join(bench->writers, late->writers);
	if (error)
		return error;
	pause_ms(late->settle * 1000);
	error = read_place(pair, bench->fencer_fd, bench->after);
	if (error)
		return error;
	late->done++;
	late->loaded += !!under_way;
	late->late += !!memcmp(bench->before, bench->after, LUN_SCRATCH_SIZE);
	if (under_way > late->most)
		late->most = under_way;
	return 0;
}

static int run_rounds(struct bench *bench)
{
	struct lun_pair *pair = bench->pair;
	unsigned int i;
	int error;

	error = lun_pr_register(&pair->fencer, pair->fencer_key);
	if (error > 0)
		error = -ENOLINK;
	if (!error)
		error = lun_pr_reserve(&pair->fencer, pair->fencer_key);
	for (i = 0; !error && i < bench->late->rounds; i++)
		error = run_round(bench);
	return error;
}

/* Zeroes again, and no keys; the first error is the one that counts. */
static int clean_up(struct bench *bench, int error)
{
	struct lun_pair *pair = bench->pair;
	char says[LUN_ERROR_LEN];
	int result;

	memcpy(says, pair->fencer.error, sizeof(says));
	memset(bench->after, 0, LUN_SCRATCH_SIZE);
	result = lun_scratch_write(bench->fencer_fd, bench->after);
	if (result)
		lun_fail(&pair->fencer, result,
			 "%s: the place between the header's copies cannot be zeroed again",
			 pair->fencer.device);
	if (lun_pr_unregister(&pair->victim, pair->victim_key) < 0 && !result) {
		result = -EIO;
		memcpy(pair->fencer.error, pair->victim.error, LUN_ERROR_LEN);
	}
	if (!result)
		result = lun_pr_unregister(&pair->fencer, pair->fencer_key);
	if (error)
		memcpy(pair->fencer.error, says, sizeof(says));
	return error ? error : result;
}

static bool allocate(struct bench *bench)
{
	bool all = true;
	unsigned int i;

	bench->before = lun_scratch_buffer();
	bench->after = lun_scratch_buffer();
	bench->writers = calloc(bench->late->writers, sizeof(*bench->writers));
	for (i = 0; bench->writers && i < bench->late->writers; i++) {
		bench->writers[i].bytes = lun_scratch_buffer();
		all = all && bench->writers[i].bytes;
	}
	return all && bench->before && bench->after && bench->writers;
}

static void release(struct bench *bench)
{
	unsigned int i;

	for (i = 0; bench->writers && i < bench->late->writers; i++)
		free(bench->writers[i].bytes);
	free(bench->writers);
	free(bench->before);
	free(bench->after);
}

static int run_open(struct bench *bench)
{
	struct lun_pair *pair = bench->pair;
	int error;

	bench->victim_fd = lun_scratch_open(&pair->victim);
	if (bench->victim_fd < 0) {
		memcpy(pair->fencer.error, pair->victim.error, LUN_ERROR_LEN);
		return bench->victim_fd;
	}
	bench->fencer_fd = lun_scratch_open(&pair->fencer);
	if (bench->fencer_fd < 0) {
		close(bench->victim_fd);
		return bench->fencer_fd;
	}
	error = clean_up(bench, run_rounds(bench));
	close(bench->fencer_fd);
	close(bench->victim_fd);
	return error;
}

int lun_late_run(struct lun_pair *pair, struct lun_late *late)
{
	struct bench bench = { .pair = pair, .late = late };
	int error;

	late->done = 0;
	late->loaded = 0;
	late->late = 0;
	late->most = 0;
	late->ms = 0;
	if (!pair->two)
		return lun_fail(&pair->fencer, -EOPNOTSUPP, "%s has one path, and this needs two",
				pair->fencer.device);
	if (!late->writers || late->writers > WRITERS_MAX)
		return lun_fail(&pair->fencer, -EINVAL, "there can be 1 to %d writers",
				WRITERS_MAX);
	if (allocate(&bench))
		error = run_open(&bench);
	else
		error = lun_fail(&pair->fencer, -ENOMEM, "out of memory");
	release(&bench);
	return error;
}

enum lun_late_result lun_late_result(const struct lun_late *late)
{
	if (late->late)
		return LUN_LATE_SEEN;
	if (!late->done || late->done < late->rounds || late->loaded < late->done)
		return LUN_LATE_UNKNOWN;
	return LUN_LATE_NONE;
}

void lun_late_found(const struct lun_late *late, const char *check, struct lun_findings *findings)
{
	bool abort_only = late->drain == LUN_DRAIN_ABORT;
	const char *what = abort_only ? "PREEMPT AND ABORT alone" : lun_drain_name(late->drain);

	switch (lun_late_result(late)) {
	case LUN_LATE_NONE:
		lun_found(findings, check, LUN_GOOD, NULL,
			  "%s: no write landed after the fence, in %u rounds with up to %u writes under way; a fence took up to %u ms",
			  what, late->done, late->most, late->ms);
		break;
	case LUN_LATE_SEEN:
		lun_found(findings, check, abort_only ? LUN_WEAK : LUN_BAD,
			  abort_only ? "this array needs a drain: keep lun-reset, or wait N" :
				       "do not use this drain here: try --drain 'wait N', with N as the array's maker says",
			  "%s: a write landed after the fence in %u of %u rounds; a fence took up to %u ms",
			  what, late->late, late->done, late->ms);
		break;
	case LUN_LATE_UNKNOWN:
		lun_found(findings, check, LUN_UNKNOWN, "repeat it",
			  "%s: writes were under way in %u of %u rounds only", what, late->loaded,
			  late->rounds);
		break;
	}
}

bool lun_late_keep(struct lun_array *array, const struct lun_late *late, const char *product,
		   uint64_t now)
{
	enum lun_late_result result = lun_late_result(late);
	struct lun_array new = {
		.drain = late->drain, .wait = late->wait, .qualified = true, .qualified_at = now,
	};

	if (result != LUN_LATE_NONE) {
		if (array->drain != late->drain || array->wait != late->wait)
			return false;
		new.qualified = false;
		if (result == LUN_LATE_SEEN) {
			new.drain = LUN_DRAIN_RESET;
			new.wait = 0;
		}
	}
	snprintf(new.product, sizeof(new.product), "%s", product);
	*array = new;
	return true;
}
