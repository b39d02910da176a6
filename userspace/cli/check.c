// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol check: whether a LUN and its array are fit for a volume, before one is trusted to them.
 * Needs no agent.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lun/check.h"
#include "cli.h"

#define ROUNDS		10
#define WRITERS		16
/* Seconds; the second is for an array that goes on with what it was told to abort. */
#define WARM_UP		3
#define SETTLE		5

struct check {
	struct lun lun;
	struct lun second;
	bool has_second;
	struct lun_header header;
	bool volume;
	bool late_write;
	uint32_t rounds;
	int drain;		/* -1: as the volume has it, or the default */
	uint32_t wait;
	struct lun_pair pair;
	struct lun_findings findings;
};

/* ---- the late-write test ---- */

static struct lun_late new_late(const struct check *check, enum lun_drain drain)
{
	return (struct lun_late) {
		.drain = drain, .wait = drain == LUN_DRAIN_WAIT ? check->wait : 0,
		.rounds = check->rounds, .writers = WRITERS, .warm_up = WARM_UP, .settle = SETTLE,
	};
}

/* What was done of it counts also if it has failed then: a late write is one. */
static struct lun_late late_write(struct check *check, const char *name, enum lun_drain drain)
{
	struct lun_late late = new_late(check, drain);

	if (lun_late_run(&check->pair, &late))
		lun_found(&check->findings, name, LUN_BAD, "see what is wrong, and repeat it",
			  "%s", check->pair.fencer.error);
	else
		lun_late_found(&late, name, &check->findings);
	return late;
}

/* Only of a volume: it is its header that says how to drain. true: it is to be written. */
static bool keep(struct check *check, const struct lun_late *late)
{
	char product[LUN_PRODUCT_LEN];

	lun_product(&check->lun, "/sys", product);
	return check->volume && lun_late_keep(&check->header.array, late, product, time(NULL));
}

static void record(struct check *check, bool changed)
{
	const struct lun_array *array = &check->header.array;

	if (!check->volume) {
		lun_found(&check->findings, "record", LUN_WEAK,
			  "repeat it when a volume was made on the LUN, and is stopped",
			  "nothing is kept: there is no volume on the LUN");
		return;
	}
	if (changed && lun_header_write(&check->lun, &check->header)) {
		lun_found(&check->findings, "record", LUN_BAD, "repeat it", "%s", check->lun.error);
		return;
	}
	lun_found(&check->findings, "record", array->qualified ? LUN_GOOD : LUN_WEAK,
		  array->qualified ? NULL : "repeat it, with a drain that is enough",
		  "the volume \"%s\" %s drain %s, %squalified", check->header.name,
		  changed ? "has" : "keeps", lun_drain_name(array->drain),
		  array->qualified ? "" : "not ");
}

static enum lun_drain drain_of(struct check *check)
{
	const struct lun_array *array = &check->header.array;

	if (check->drain >= 0)
		return check->drain;
	if (!check->volume || array->drain == LUN_DRAIN_NONE)
		return LUN_DRAIN_RESET;
	check->wait = array->wait;
	return array->drain;
}

/*
 * Without a drain always: whether the array needs one is worth to be known. One that was to do
 * without, and needs one, gets the default.
 */
static void late_writes(struct check *check)
{
	enum lun_drain drain = drain_of(check);
	struct lun_late late = late_write(check, "late-abort", LUN_DRAIN_ABORT);
	bool changed = false;

	if (drain == LUN_DRAIN_ABORT && lun_late_result(&late) != LUN_LATE_NONE) {
		changed = keep(check, &late);
		drain = LUN_DRAIN_RESET;
	}
	if (drain != LUN_DRAIN_ABORT)
		late = late_write(check, "late-drain", drain);
	record(check, keep(check, &late) || changed);
}

/* ---- all of it ---- */

/* Not by anything else on this host, either, while it lasts. An fd, or -1. */
static int hold(struct check *check)
{
	int fd = open(check->lun.device, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		lun_fail(&check->lun, -errno, "%s: %s", check->lun.device,
			 errno == EBUSY ? "it is in use on this host" : strerror(errno));
	return fd;
}

static void not_tried(struct check *check)
{
	lun_found(&check->findings, "use", LUN_BAD, "nothing was tried, and nothing was changed",
		  "%s", check->lun.error);
}

/* Keys must not be left behind, so nobody ends it in between. */
static void try_it(struct check *check)
{
	sigset_t signals, old;
	bool works;

	if (lun_pair_init(&check->pair, &check->lun, check->has_second ? &check->second : NULL,
			  "/sys")) {
		not_tried(check);
		return;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &old);
	works = lun_check_try(&check->pair, &check->findings);
	if (check->late_write && works)
		late_writes(check);
	else if (check->late_write)
		lun_found(&check->findings, "late-abort", LUN_UNKNOWN,
			  "first all of the above has to be good", "not tried");
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void run(struct check *check)
{
	int held, idle;

	lun_check_device(&check->lun, "/sys", &check->findings);
	lun_check_capabilities(&check->lun, &check->findings);
	if (check->lun.transport == LUN_OTHER)
		return;
	held = hold(check);
	if (held < 0) {
		not_tried(check);
		return;
	}
	idle = lun_check_idle(&check->lun, &check->header);
	if (idle >= 0) {
		check->volume = idle == 1;
		try_it(check);
	} else {
		not_tried(check);
	}
	close(held);
}

static void print(const struct check *check, bool json)
{
	static const struct column columns[] = {
		{ "CHECK", COLUMN_TEXT }, { "VERDICT", COLUMN_TEXT }, { "FOUND", COLUMN_TEXT },
		{ "ADVICE", COLUMN_TEXT },
	};
	struct table *table = table_new("checks", json, columns, ARRAY_SIZE(columns));
	const struct lun_finding *finding;
	size_t i;

	for (i = 0; i < check->findings.count; i++) {
		finding = &check->findings.list[i];
		table_row(table);
		cell_text(table, finding->check);
		cell_text(table, lun_verdict_name(finding->verdict));
		cell_text(table, finding->found);
		if (finding->advice)
			cell_text(table, finding->advice);
		else
			cell_none(table);
	}
	table_print(table);
	table_free(table);
}

/* EXIT_OK, or an exit code after a message. */
static int open_luns(const struct command *self, struct check *check, const char *device,
		     const char *second)
{
	if (lun_open(&check->lun, device))
		return fail(self, "%s", check->lun.error);
	if (!second)
		return EXIT_OK;
	if (lun_open(&check->second, second)) {
		lun_close(&check->lun);
		return fail(self, "%s", check->second.error);
	}
	check->has_second = true;
	return EXIT_OK;
}

/* GO_ON, or an exit code after a message. */
static int take_drain(const struct command *self, struct check *check, const char *drain)
{
	check->drain = drain ? lun_drain_parse(drain, &check->wait) : -1;
	if (drain && (check->drain < 0 || check->drain == LUN_DRAIN_NONE))
		return bad_usage(self,
				 "--drain %s: not lun-reset, abort, or \"wait N\" with seconds",
				 drain);
	if (drain && !check->late_write)
		return bad_usage(self,
				 "--drain: only with --late-write, which shows that it is enough");
	return GO_ON;
}

int check_lun(const struct command *self, int argc, char **argv)
{
	static struct check check;
	const char *device, *second = NULL, *drain = NULL;
	uint32_t rounds = ROUNDS;
	bool json = false, late = false;
	struct arg args[] = {
		{ "DEVICE", ARG_STRING, &device, true, "the LUN: /dev/mapper/mpatha, /dev/sdb" },
		{ "--second", ARG_STRING, &second, false,
		  "another device of the same LUN: a second path, where there is no multipath" },
		{ "--late-write", ARG_FLAG, &late, false,
		  "also whether a write can land after its node was fenced" },
		{ "--rounds", ARG_COUNT, &rounds, false, "how often; default 10" },
		{ "--drain", ARG_STRING, &drain, false,
		  "the drain that is tested, and kept for the volume if it is enough" },
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	if (code != GO_ON)
		return code;
	memset(&check, 0, sizeof(check));
	check.late_write = late;
	check.rounds = rounds;
	code = take_drain(self, &check, drain);
	if (code != GO_ON)
		return code;
	code = open_luns(self, &check, device, second);
	if (code != EXIT_OK)
		return code;
	run(&check);
	lun_close(&check.lun);
	if (check.has_second)
		lun_close(&check.second);
	print(&check, json);
	return lun_findings_bad(&check.findings) ? EXIT_FAILED : EXIT_OK;
}
