// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fencing by persistent reservations. PREEMPT AND ABORT alone cannot be trusted to end what is
 * under way (LIO lets it land later): therefore the drain is a step of its own.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fence.h"

/* How often others may register while they are removed. */
#define ROUNDS		8
/* Resets of one fence: all but the last may fail. */
#define RESETS		4
/* Seconds: what Linux gives a command before it aborts it itself (nvme_core.io_timeout). */
#define NVME_TIMEOUT	30

/* Seconds after a reset that has failed: what it has failed for is over most of the time. */
static const unsigned int reset_pauses[RESETS - 1] = { 0, 1, 5 };
static const char *const step_names[LUN_STEPS] = { "remove", "drain", "verify" };
static const char *const method_names[LUN_METHODS] = { "pr", "command", "none" };

/* One call of lun_fence(). */
struct run {
	struct lun *lun;
	const struct lun_fence *fence;
	struct lun_fence_report *report;
	bool others;		/* a key went that this call did not take away */
};

const char *lun_step_name(enum lun_step step)
{
	return step < LUN_STEPS ? step_names[step] : "?";
}

const char *lun_method_name(enum lun_method method)
{
	return method < LUN_METHODS ? method_names[method] : "?";
}

int lun_method_parse(const char *name)
{
	int method;

	for (method = 0; method < LUN_METHODS; method++)
		if (!strcmp(name, method_names[method]))
			return method;
	return -1;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void pause_for(unsigned int seconds)
{
	struct timespec left = { .tv_sec = seconds };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static bool kept(const struct lun_fence *fence, uint64_t key)
{
	size_t i;

	if (key == fence->key)
		return true;
	for (i = 0; i < fence->keeps; i++)
		if (fence->keep[i] == key)
			return true;
	return false;
}

/* 0: none. */
static uint64_t first_victim(const struct run *run, const struct lun_pr *pr)
{
	size_t i;

	for (i = 0; i < pr->count; i++)
		if (!kept(run->fence, pr->keys[i]))
			return pr->keys[i];
	return 0;
}

static int lost(struct run *run)
{
	char text[LUN_KEY_TEXT_LEN];

	return lun_fail(run->lun, -EBADE,
			"%s: this node's own key %s is gone: it was fenced itself, and fences nobody",
			run->lun->device,
			lun_key_format(run->fence->key, run->fence->cluster, text));
}

static int not_ours(struct run *run, const struct lun_pr *pr)
{
	return lun_fail(run->lun, -EBUSY,
			"%s is reserved with type %u by key 0x%016llx: something else than covol uses it; clear that first",
			run->lun->device, pr->type, (unsigned long long)pr->holder);
}

/* Reads who is there; own key and reservation must be as they should. lun_pr_free() after 0. */
static int look(struct run *run, struct lun_pr *pr)
{
	int error = lun_pr_read(run->lun, pr);

	if (error)
		return error;
	if (!lun_pr_has(pr, run->fence->key))
		error = lost(run);
	else if (pr->held && pr->type != LUN_PR_TYPE)
		error = not_ours(run, pr);
	if (error)
		lun_pr_free(pr);
	return error;
}

/* Without a reservation a node without key can write. */
static int reserve(struct run *run)
{
	struct lun_pr pr;
	int error = look(run, &pr);
	bool held;

	if (error)
		return error;
	held = pr.held;
	lun_pr_free(&pr);
	return held ? 0 : lun_pr_reserve(run->lun, run->fence->key);
}

static int take_away(struct run *run, uint64_t victim)
{
	int error = lun_pr_preempt(run->lun, run->fence->key, victim);
	struct lun_key parts;

	if (error == -EBADE) {
		/* It has gone by itself, by another node's hand; or it is we who have no key. */
		run->others = true;
		return 0;
	}
	if (error)
		return error;
	run->report->removed++;
	if (!lun_key_parse(victim, &parts) || parts.cluster != run->fence->cluster)
		run->report->foreign++;
	return 0;
}

/* One key after the other, until none is left. */
static int remove_keys(struct run *run)
{
	uint64_t victim, last = 0;
	struct lun_pr pr;
	int error, rounds = 0;

	error = reserve(run);
	while (!error) {
		error = look(run, &pr);
		if (error)
			return error;
		victim = first_victim(run, &pr);
		lun_pr_free(&pr);
		if (!victim)
			return 0;
		/* The same again: it registers again, or cannot be taken away. */
		rounds = victim == last ? rounds + 1 : 0;
		if (rounds == ROUNDS)
			return lun_fail(run->lun, -EAGAIN,
					"%s: key 0x%016llx is there again after it was taken away",
					run->lun->device, (unsigned long long)victim);
		last = victim;
		error = take_away(run, victim);
	}
	return error;
}

static void tell_failed_reset(struct run *run)
{
	const struct lun_fence *fence = run->fence;
	char text[LUN_DEVICE_LEN + LUN_ERROR_LEN + 128];

	if (!fence->trouble)
		return;
	snprintf(text, sizeof(text),
		 "%s: the fence is not done: reset %u of at most %d has failed, and is repeated: %s",
		 run->lun->device, run->report->resets, RESETS, run->lun->error);
	fence->trouble(fence->trouble_data, text);
}

/* Its own key is there still, and a path works. */
static int look_again(struct run *run)
{
	struct lun_pr pr;
	int error;

	if (!run->fence->key)
		return 0;
	error = look(run, &pr);
	if (!error)
		lun_pr_free(&pr);
	return error;
}

/*
 * Only EIO may be another the next time: iSCSI's initiator says so if the session was lost or the
 * target has not answered in time (it then logs in anew, and says so until it has), while another
 * task management function is under way, and if the target has refused. To read the keys waits for
 * the session.
 */
static int reset(struct run *run)
{
	int error = 0, i;

	for (i = 0; !error; i++) {
		error = lun_reset(run->lun);
		run->report->resets++;
		if (error != -EIO || i == RESETS - 1)
			break;
		tell_failed_reset(run);
		if (reset_pauses[i])
			pause_for(reset_pauses[i]);
		error = look_again(run);
	}
	return error;
}

static void wait_for(struct run *run, unsigned int seconds)
{
	pause_for(seconds);
	run->report->waited += seconds;
}

/* PREEMPT AND ABORT has drained only what it has aborted for this call, and only if it drains. */
static int drain_rest(struct run *run)
{
	if (run->fence->shown && run->report->removed && !run->others)
		return 0;
	if (run->lun->transport == LUN_SCSI)
		return reset(run);
	wait_for(run, NVME_TIMEOUT);
	return 0;
}

static int drain_wait(struct run *run)
{
	wait_for(run, run->fence->wait);
	return run->fence->shown || run->lun->transport != LUN_SCSI ? 0 : reset(run);
}

static int drain(struct run *run)
{
	switch (run->fence->drain) {
	case LUN_DRAIN_RESET:
		return reset(run);
	case LUN_DRAIN_ABORT:
		return drain_rest(run);
	case LUN_DRAIN_WAIT:
		return drain_wait(run);
	case LUN_DRAIN_NONE:
		return 0;
	default:
		return lun_fail(run->lun, -EINVAL, "%s: there is no drain method %d",
				run->lun->device, run->fence->drain);
	}
}

static int verify(struct run *run)
{
	struct lun_pr pr;
	uint64_t victim;
	int error = look(run, &pr);

	if (error)
		return error;
	victim = first_victim(run, &pr);
	if (!pr.held)
		error = lun_fail(run->lun, -EAGAIN, "%s: nobody has reserved it any more",
				 run->lun->device);
	else if (victim)
		error = lun_fail(run->lun, -EAGAIN, "%s: key 0x%016llx was registered meanwhile",
				 run->lun->device, (unsigned long long)victim);
	lun_pr_free(&pr);
	return error;
}

__attribute__((format(printf, 2, 3)))
static void say(struct lun_fence_report *report, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(report->text, sizeof(report->text), format, args);
	va_end(args);
}

/* What the drain was, in the end: "abort, waited for 30 s", "lun-reset, 2 had failed". */
static void say_drain(const struct run *run, char *text, size_t len)
{
	const struct lun_fence_report *report = run->report;
	char waited[32] = "", also[16] = "", failed[32] = "";

	if (report->waited)
		snprintf(waited, sizeof(waited), ", waited for %u s", report->waited);
	if (report->resets && run->fence->drain != LUN_DRAIN_RESET)
		snprintf(also, sizeof(also), ", %s", lun_drain_name(LUN_DRAIN_RESET));
	if (report->resets > 1)
		snprintf(failed, sizeof(failed), ", %u had failed", report->resets - 1);
	snprintf(text, len, "%s%s%s%s", lun_drain_name(run->fence->drain), waited, also, failed);
}

static void say_done(const struct run *run)
{
	struct lun_fence_report *report = run->report;
	char foreign[64] = "", drained[96];

	if (report->foreign)
		snprintf(foreign, sizeof(foreign), " (%u not of this cluster)", report->foreign);
	say_drain(run, drained, sizeof(drained));
	say(report,
	    "%s: fenced: %u keys removed%s in %u ms, drained (%s) in %u ms%s, verified in %u ms",
	    run->lun->device, report->removed, foreign, report->ms[LUN_STEP_REMOVE], drained,
	    report->ms[LUN_STEP_DRAIN],
	    run->fence->drain == LUN_DRAIN_NONE ?
	    " - WITHOUT A DRAIN A LATE WRITE CAN DESTROY DATA" : "",
	    report->ms[LUN_STEP_VERIFY]);
}

int lun_fence(struct lun *lun, const struct lun_fence *fence, struct lun_fence_report *report)
{
	static int (*const steps[LUN_STEPS])(struct run *run) = { remove_keys, drain, verify };
	struct run run = { lun, fence, report };
	uint64_t began;
	int error = 0;

	*report = (struct lun_fence_report) { .step = LUN_STEP_REMOVE };
	while (report->step < LUN_STEPS) {
		began = now_ms();
		error = steps[report->step](&run);
		report->ms[report->step] = now_ms() - began;
		if (error)
			break;
		report->step++;
	}
	if (error)
		say(report, "not fenced, %s failed: %s", lun_step_name(report->step), lun->error);
	else
		say_done(&run);
	return error;
}

int lun_drain(struct lun *lun, const struct lun_fence *fence, struct lun_fence_report *report)
{
	struct lun_fence how = *fence;
	struct run run = { lun, &how, report, .others = true };
	uint64_t began = now_ms();
	char drained[96];
	int error;

	*report = (struct lun_fence_report) { .step = LUN_STEP_DRAIN };
	how.key = 0;
	if (how.drain == LUN_DRAIN_RESET && lun->transport != LUN_SCSI)
		how.drain = LUN_DRAIN_ABORT;
	error = drain(&run);
	report->ms[LUN_STEP_DRAIN] = now_ms() - began;
	if (error) {
		say(report, "not fenced, %s failed: %s", lun_step_name(report->step), lun->error);
		return error;
	}
	report->step = LUN_STEPS;
	say_drain(&run, drained, sizeof(drained));
	say(report, "%s: drained (%s) in %u ms%s", lun->device, drained,
	    report->ms[LUN_STEP_DRAIN],
	    how.drain == LUN_DRAIN_NONE ? " - WITHOUT A DRAIN A LATE WRITE CAN DESTROY DATA" : "");
	return 0;
}

void lun_fence_none(const struct lun *lun, struct lun_fence_report *report)
{
	*report = (struct lun_fence_report) { .step = LUN_STEPS };
	say(report, "%s: NOBODY WAS FENCED (method none): a node that still runs can destroy data",
	    lun->device);
}
