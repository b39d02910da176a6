// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trying what a fence needs, with two paths as two nodes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "contents.h"

/* Whose keys these are, for who looks at the LUN meanwhile. */
#define CHECK_CLUSTER	"covol check"
#define ONE_PATH \
	"give a second path: by multipath, or another device of this LUN with --second"

#define SAME_NAME \
	"give a path of another initiator name with --second: see covol-check(8), two names"

#define NAME_LEN	256

/* ---- may it be tried? ---- */

static int nobody_is_there(struct lun *lun)
{
	struct lun_pr pr;
	int error = lun_pr_read(lun, &pr);

	if (error)
		return error;
	if (pr.count || pr.held)
		error = lun_fail(lun, -EBUSY,
				 "%s: %zu keys are registered%s: it is in use; stop the volume on all nodes, or clear what other software has left (covol lun show says whose)",
				 lun->device, pr.count, pr.held ? " and it is reserved" : "");
	lun_pr_free(&pr);
	return error;
}

int lun_check_idle(struct lun *lun, struct lun_header *header)
{
	char text[LUN_CONTENTS_LEN];
	int error, holds = lun_contents(lun, text);

	if (holds < 0)
		return holds;
	if (holds != LUN_HOLDS_NOTHING && holds != LUN_HOLDS_VOLUME)
		return lun_fail(lun, -EBUSY,
				"%s holds %s: only a LUN that is empty, or a volume that is stopped, is tried",
				lun->device, text);
	if (holds == LUN_HOLDS_VOLUME) {
		error = lun_header_read(lun, header, NULL);
		if (error)
			return error;
	}
	error = nobody_is_there(lun);
	return error ? error : holds == LUN_HOLDS_VOLUME;
}

/* ---- two paths ---- */

static void take_path(struct lun *node, const struct lun *lun, size_t path)
{
	*node = *lun;
	node->paths = 1;
	node->path[0] = lun->path[path];
}

/* The name under which a path logs in; "" if it is not iSCSI, where each port has one. */
static void initiator_of(const struct lun *lun, const char *sysfs, char name[NAME_LEN])
{
	lun_session_attribute(sysfs, lun->path[0].name, "initiatorname", name, NAME_LEN);
}

static bool alike(const struct lun_pair *pair, const char *sysfs)
{
	char fencer[NAME_LEN], victim[NAME_LEN];

	initiator_of(&pair->fencer, sysfs, fencer);
	initiator_of(&pair->victim, sysfs, victim);
	return fencer[0] && !strcmp(fencer, victim);
}

/* The first path with another name, or else the second. */
static void take_victim(struct lun_pair *pair, const struct lun *lun, const char *sysfs)
{
	size_t i;

	for (i = 1; i < lun->paths; i++) {
		take_path(&pair->victim, lun, i);
		pair->two = true;
		pair->alike = alike(pair, sysfs);
		if (!pair->alike)
			return;
	}
	if (pair->two)
		take_path(&pair->victim, lun, 1);
}

static int take_second(struct lun_pair *pair, struct lun *lun, const struct lun *second,
		       const char *sysfs)
{
	if (!lun->wwid[0] || strcmp(lun->wwid, second->wwid) || lun->size != second->size)
		return lun_fail(lun, -EINVAL, "%s and %s are not the same LUN: \"%s\", \"%s\"",
				lun->device, second->device, lun->wwid, second->wwid);
	if (!strcmp(lun->path[0].name, second->path[0].name))
		return lun_fail(lun, -EINVAL, "%s and %s are reached by the same path, %s",
				lun->device, second->device, lun->path[0].name);
	pair->two = true;
	take_path(&pair->victim, second, 0);
	pair->alike = alike(pair, sysfs);
	return 0;
}

int lun_pair_init(struct lun_pair *pair, struct lun *lun, const struct lun *second,
		  const char *sysfs)
{
	uint16_t cluster = lun_cluster_id(CHECK_CLUSTER);
	uint32_t number;

	*pair = (struct lun_pair) { 0 };
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return lun_fail(lun, -EIO, "no random numbers: %s", strerror(errno));
	pair->fencer_key = lun_key_make(cluster, 1, number);
	pair->victim_key = lun_key_make(cluster, 2, number);
	take_path(&pair->fencer, lun, 0);
	/* Two controllers of NVMe are the same host. */
	if (lun->transport != LUN_SCSI)
		return 0;
	if (second)
		return take_second(pair, lun, second, sysfs);
	take_victim(pair, lun, sysfs);
	return 0;
}

/* ---- trying ---- */

struct try {
	struct lun_pair *pair;
	uint8_t *zeroes;
	int victim_fd;		/* -1: not open */
	struct lun_findings *findings;
	unsigned int ms;	/* that the step took; 0: not worth saying */
};

/* A step's failure, in the fencer's words. */
static int victim_failed(struct try *try, int error)
{
	memcpy(try->pair->fencer.error, try->pair->victim.error, LUN_ERROR_LEN);
	return error;
}

static int has_key(struct try *try, uint64_t key, bool should)
{
	struct lun *lun = &try->pair->fencer;
	char text[LUN_KEY_TEXT_LEN];
	struct lun_pr pr;
	int error = lun_pr_read(lun, &pr);
	bool has;

	if (error)
		return error;
	has = lun_pr_has(&pr, key);
	lun_pr_free(&pr);
	if (has == should)
		return 0;
	return lun_fail(lun, -EPROTO, "%s: key %s %s", lun->device,
			lun_key_format(key, lun_cluster_id(CHECK_CLUSTER), text),
			should ? "is not there after it was registered" :
				 "is there still after it was taken away");
}

static int try_register(struct try *try)
{
	struct lun_pair *pair = try->pair;
	int error = lun_pr_register(&pair->fencer, pair->fencer_key);

	if (!error && pair->two) {
		error = lun_pr_register(&pair->victim, pair->victim_key);
		if (error)
			return victim_failed(try, error);
		error = has_key(try, pair->victim_key, true);
	}
	return error ? error : has_key(try, pair->fencer_key, true);
}

static int try_reserve(struct try *try)
{
	struct lun *lun = &try->pair->fencer;
	struct lun_pr pr;
	int error = lun_pr_reserve(lun, try->pair->fencer_key);

	if (!error)
		error = lun_pr_read(lun, &pr);
	if (error)
		return error;
	if (!pr.held || pr.type != LUN_PR_TYPE)
		error = lun_fail(lun, -EPROTO, "%s: it is not reserved as it was asked for (%s)",
				 lun->device, pr.held ? "another type" : "nobody holds it");
	lun_pr_free(&pr);
	return error;
}

static int victim_writes(struct try *try)
{
	struct lun *lun = &try->pair->victim;
	int error = lun_scratch_write(try->victim_fd, try->zeroes);

	if (!error)
		return 0;
	return lun_fail(&try->pair->fencer, error, "%s: a write by %s, which has a key: %s",
			lun->device, lun->path[0].name,
			error == -EBADE ? "reservation conflict" : "error");
}

static int try_write(struct try *try)
{
	struct lun *lun = &try->pair->victim;

	try->victim_fd = lun_scratch_open(lun);
	if (try->victim_fd < 0)
		return victim_failed(try, try->victim_fd);
	return victim_writes(try);
}

static int try_preempt(struct try *try)
{
	struct lun_pair *pair = try->pair;
	int error = lun_pr_preempt(&pair->fencer, pair->fencer_key, pair->victim_key);

	return error ? error : has_key(try, pair->victim_key, false);
}

static int try_refusal(struct try *try)
{
	struct lun *lun = &try->pair->fencer;
	int error = lun_scratch_write(try->victim_fd, try->zeroes);

	if (error != -EBADE)
		return lun_fail(lun, -EPROTO,
				"%s: a write by %s, whose key was taken away: %s, not a reservation conflict",
				lun->device, try->pair->victim.path[0].name,
				error ? "an error" : "done");
	error = lun_scratch_read(try->victim_fd, try->zeroes);
	memset(try->zeroes, 0, LUN_SCRATCH_SIZE);
	return error ? lun_fail(lun, error, "%s: a read by %s, which has no key, is refused",
				lun->device, try->pair->victim.path[0].name) : 0;
}

static int try_reset(struct try *try)
{
	struct timespec from, to;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &from);
	error = lun_reset(&try->pair->fencer);
	clock_gettime(CLOCK_MONOTONIC, &to);
	try->ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	return error;
}

static int try_return(struct try *try)
{
	struct lun_pair *pair = try->pair;
	int error = lun_pr_register(&pair->victim, pair->victim_key);

	if (error)
		return victim_failed(try, error);
	return victim_writes(try);
}

/* The first that fails is the last, but for one for which there is something else. */
static const struct step {
	const char *check;
	int (*run)(struct try *try);
	bool two;	/* needs two paths */
	bool go_on;
	const char *done;
	const char *advice;
} steps[] = {
	{ "register", try_register, false, false, "a key is kept",
	  "this LUN cannot be fenced" },
	{ "reserve", try_reserve, false, false, "reserved for those who have a key",
	  "this LUN cannot be fenced" },
	{ "write", try_write, true, false, "a path with a key writes",
	  "volumes on this LUN would not work: ask the array's maker" },
	{ "preempt", try_preempt, true, false, "a key is taken away by another path",
	  "this LUN cannot be fenced" },
	{ "refusal", try_refusal, true, false, "without a key: writes are refused, reads are not",
	  "do not use this LUN: a fenced node could write" },
	{ "reset", try_reset, false, true, "LOGICAL UNIT RESET works",
	  "use another drain: --late-write --drain shows which is enough" },
	{ "return", try_return, true, false, "who was fenced comes back with a key",
	  "a fenced node may need a new login to this array" },
};

static bool run_step(struct try *try, const struct step *step, bool *all)
{
	int error;

	try->ms = 0;
	if (step->run == try_reset && try->pair->fencer.transport != LUN_SCSI)
		return true;
	if (step->two && !try->pair->two) {
		*all = false;
		lun_found(try->findings, step->check, LUN_UNKNOWN, ONE_PATH,
			  "not tried: it needs two paths");
		return true;
	}
	error = step->run(try);
	/* It need not be wrong: it may take both for one host. */
	if (error && step->run == try_refusal && try->pair->alike) {
		*all = false;
		lun_found(try->findings, step->check, LUN_UNKNOWN, SAME_NAME, "%s",
			  try->pair->fencer.error);
		return false;
	}
	if (error) {
		*all = *all && step->go_on;
		lun_found(try->findings, step->check, LUN_BAD, step->advice, "%s",
			  try->pair->fencer.error);
		return step->go_on;
	}
	if (try->ms)
		lun_found(try->findings, step->check, LUN_GOOD, NULL, "%s, in %u ms", step->done,
			  try->ms);
	else
		lun_found(try->findings, step->check, LUN_GOOD, NULL, "%s", step->done);
	return true;
}

/* Also after a failure: a key that is not there is given back, too. */
static void give_keys_back(struct try *try)
{
	struct lun_pair *pair = try->pair;
	struct lun_pr pr;
	int error = 0;
	size_t left;

	if (pair->two)
		error = lun_pr_unregister(&pair->victim, pair->victim_key);
	if (error)
		victim_failed(try, error);
	else
		error = lun_pr_unregister(&pair->fencer, pair->fencer_key);
	if (!error)
		error = lun_pr_read(&pair->fencer, &pr);
	if (!error) {
		left = pr.count;
		lun_pr_free(&pr);
		if (!left)
			return;
		lun_fail(&pair->fencer, -EBUSY,
			 "%s: %zu keys are there: did somebody start the volume?",
			 pair->fencer.device, left);
	}
	lun_found(try->findings, "end", LUN_BAD,
		  "look with covol lun show, and take the keys of this check away with sg_persist(8)",
		  "%s", pair->fencer.error);
}

bool lun_check_try(struct lun_pair *pair, struct lun_findings *findings)
{
	struct try try = { .pair = pair, .victim_fd = -1, .findings = findings };
	bool all = true;
	size_t i;

	try.zeroes = lun_scratch_buffer();
	if (!try.zeroes) {
		lun_found(findings, "memory", LUN_UNKNOWN, NULL, "out of memory");
		return false;
	}
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!run_step(&try, &steps[i], &all))
			break;
	if (try.victim_fd >= 0)
		close(try.victim_fd);
	give_keys_back(&try);
	free(try.zeroes);
	return all;
}
