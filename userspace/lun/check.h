/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a LUN and its array are fit for a volume: what they say of themselves, what they do when
 * it is tried, and whether a write that was given up can land later. Documentation/fencing.rst.
 *
 * What is tried is tried with two paths, which are two I_T nexuses: one plays the node that fences,
 * the other the one that is fenced. A target cannot tell that from two hosts, if the paths have two
 * names (two ports of Fibre Channel, two interfaces of iSCSI). It needs a LUN that nobody uses, and
 * writes only between the two copies of the header, where there is nothing (ondisk.rst), and where
 * there are zeroes again afterwards.
 *
 * All of it blocks, as everything here.
 */
#ifndef COVOL_LUN_CHECK_H
#define COVOL_LUN_CHECK_H

#include "reservation.h"

#define LUN_FOUND_LEN	LUN_ERROR_LEN
#define LUN_FINDINGS	32

enum lun_verdict {
	LUN_GOOD,
	LUN_WEAK,	/* it works, and something is lacking */
	LUN_BAD,	/* do not use it so */
	LUN_UNKNOWN,	/* could not be found out */
	LUN_VERDICTS
};

/**
 * struct lun_finding - one line
 * @check: what was looked at, a word
 * @verdict: on it
 * @found: what there is
 * @advice: what to do; NULL: nothing
 */
struct lun_finding {
	const char *check;
	enum lun_verdict verdict;
	char found[LUN_FOUND_LEN];
	const char *advice;
};

struct lun_findings {
	struct lun_finding list[LUN_FINDINGS];
	size_t count;
};

/* "good", "weak", "bad", "unknown" */
const char *lun_verdict_name(enum lun_verdict verdict);
/* Appends a line. More than LUN_FINDINGS are a mistake, which ends the program. */
__attribute__((format(printf, 5, 6)))
void lun_found(struct lun_findings *findings, const char *check, enum lun_verdict verdict,
	       const char *advice, const char *format, ...);
bool lun_findings_bad(const struct lun_findings *findings);

/* ---- what it says of itself ---- */

/* VPD page B0h, block limits (SBC-3 6.6.4), in logical blocks; 0: not reported. */
struct lun_limits {
	uint32_t transfer_max;
	uint32_t transfer_optimal;
	uint32_t unmap_max;
	uint32_t unmap_granularity;
	uint64_t write_same_max;
};

/* VPD page B2h, logical block provisioning (SBC-3 6.6.5). */
struct lun_provisioning {
	bool unmap;		/* UNMAP is supported */
	bool write_same;	/* WRITE SAME (16) with the UNMAP bit is */
	bool zeroes;		/* an unmapped block reads as zeroes */
	unsigned int type;	/* 0: full or not reported, 1: resource, 2: thin */
};

/* Whole pages with their head, as they have arrived. 0 or -EPROTO. */
int lun_vpd_limits(const uint8_t *bytes, size_t length, struct lun_limits *limits);
int lun_vpd_provisioning(const uint8_t *bytes, size_t length, struct lun_provisioning *lbp);

/* Array, paths, blocks, thin provisioning, by /sys (@sysfs, tests have another). Sends nothing. */
void lun_check_device(struct lun *lun, const char *sysfs, struct lun_findings *findings);
/* Kinds of reservation, and what of them outlives a power loss. Changes nothing. */
void lun_check_capabilities(struct lun *lun, struct lun_findings *findings);

/* ---- what it does ---- */

/* Where nothing is, in bytes; aligned to the largest block. */
#define LUN_SCRATCH_PLACE	(256 << 10)
#define LUN_SCRATCH_SIZE	(LUN_HEADER_COPY_1 - LUN_SCRATCH_PLACE)

/*
 * All of it, past the page cache, by a LUN's first path. lun_scratch_open() returns an fd, or
 * negative with lun->error set; the others 0, -EBADE (reservation conflict), -ENOLINK or -EIO.
 * @bytes: LUN_SCRATCH_SIZE, aligned to 4096.
 */
int lun_scratch_open(struct lun *lun);
int lun_scratch_write(int fd, const uint8_t *bytes);
int lun_scratch_read(int fd, uint8_t *bytes);
/* The buffer for that; free() it. Out of memory: NULL. */
uint8_t *lun_scratch_buffer(void);

/*
 * lun_check_idle() - whether it may be tried at all
 * @header: set if there is a volume on it, which is then one that can be used
 *
 * A LUN that is empty, or a volume, and in either case without key or reservation on it: a volume
 * that is stopped. 0: empty; 1: a volume; -EBUSY, and errors of reservation.h and header.h, with
 * lun->error set.
 */
int lun_check_idle(struct lun *lun, struct lun_header *header);

/* The two that play nodes. Each has one path. */
struct lun_pair {
	struct lun fencer;
	struct lun victim;
	bool two;		/* there is a victim */
	bool alike;		/* both log in under the same name (iSCSI) */
	uint64_t fencer_key;
	uint64_t victim_key;
};

/*
 * lun_pair_init() - two paths of a LUN
 * @second: another device of the same LUN, for who has no multipath; or NULL
 * @sysfs: "/sys"; tests have another
 *
 * Two paths that log in under different names are preferred: by SPC-4 two sessions of one name are
 * two I_T nexuses, but LIO, for one, lets either write if one of them has a key.
 *
 * 0, or with the error in lun->error -EINVAL: @second is another LUN, or the same path; -EIO: no
 * random numbers for the keys.
 */
int lun_pair_init(struct lun_pair *pair, struct lun *lun, const struct lun *second,
		  const char *sysfs);

/*
 * lun_check_try() - register, reserve, preempt, reset, each a line
 *
 * lun_check_idle() must have been 0 or more just before. Whatever happens, the keys are taken away
 * again; what remains is a line of its own. true: all works, with two paths, that a fence needs,
 * whatever its drain.
 */
bool lun_check_try(struct lun_pair *pair, struct lun_findings *findings);

/**
 * struct lun_late - the late-write test: does a write land after its sender was fenced?
 * @drain: what is done after PREEMPT AND ABORT: LUN_DRAIN_ABORT is nothing
 * @wait: seconds, for LUN_DRAIN_WAIT
 * @rounds: how often
 * @writers: how many writes are under way at once
 * @warm_up: seconds that they write before the fence, so that the array has their writes
 * @settle: seconds that are waited after the last write has ended for its sender
 * @done: rounds
 * @loaded: in how many of these writes were under way when the key was taken away, and had not
 *	    succeeded when the fence was done
 * @late: in how many of these the LUN changed after the fence
 * @most: such writes, in the round that had most
 * @ms: from the preempt until what is there was read, in the round that took longest
 */
struct lun_late {
	enum lun_drain drain;
	uint32_t wait;
	unsigned int rounds;
	unsigned int writers;
	unsigned int warm_up;
	unsigned int settle;
	unsigned int done;
	unsigned int loaded;
	unsigned int late;
	unsigned int most;
	unsigned int ms;
};

/*
 * lun_late_run() - @rounds times: the victim writes, with many writes at once; the fencer takes its
 * key away, drains, and reads; waits until all writes have ended; and reads again.
 *
 * As lun_check_try(). That no late write was seen shows nothing about a round without writes under
 * way. 0, or an error of reservation.h, with the sentence in pair->fencer.error.
 */
int lun_late_run(struct lun_pair *pair, struct lun_late *late);
enum lun_late_result {
	LUN_LATE_NONE,		/* all rounds were run, each loaded, and nothing was late */
	LUN_LATE_SEEN,		/* a write was late */
	LUN_LATE_UNKNOWN	/* neither has been shown */
};

enum lun_late_result lun_late_result(const struct lun_late *late);
/* The test's line, under the name @check. */
void lun_late_found(const struct lun_late *late, const char *check, struct lun_findings *findings);
/*
 * lun_late_keep() - what a volume's header is to have of a test
 * @array: as it was
 * @product: of the LUN that was tested, by lun_product()
 * @now: seconds since 1970-01-01 UTC
 *
 * A drain that is enough, qualified. Of one that was not shown to be: that the volume's own is not
 * qualified any more, and lun-reset in its place if a write was late with it; another one is not
 * taken. true: @array has changed.
 */
bool lun_late_keep(struct lun_array *array, const struct lun_late *late, const char *product,
		   uint64_t now);

#endif
