// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three steps of a fence on a LUN that is played: what is done, in which order, and what is not
 * done after something has failed. And fence programs, which are run.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../userspace/lun/fence.h"
#include "../../userspace/lun/run.h"
#include "lun_wrap.h"
#include "test.h"

#define CLUSTER	0xabcd
#define KEY(node)	(0xabcd000000000001 | (uint64_t)(node) << 40)
#define OLD_KEY(node)	(0xabcd000000000000 | (uint64_t)(node) << 40)
#define FOREIGN		0x1234

/* ---- a LUN ---- */

static struct {
	uint64_t keys[16];
	bool held;
	unsigned int type;
	int read_error, reserve_error, preempt_error, reset_error;
	int reads_before_error;
	int resets_fail;	/* so many, before one does not */
	uint64_t failure_steals;	/* this key goes when a reset fails */
	uint64_t comes_back;	/* this key, after each preempt */
	uint64_t comes_late;	/* at the drain */
	uint64_t steals;	/* at the preempt this key goes, too, by another node's hand */
	uint64_t elsewhere;	/* another node takes it away before we do */
	bool released;		/* at the drain */
	int allocated;
	char log[512];
} fake;

static struct lun lun;
static struct lun_fence_report report;
static char told[2048];	/* of trouble */
static bool shown;	/* that the drain is enough */

__attribute__((format(printf, 1, 2)))
static void note(const char *format, ...)
{
	size_t used = strlen(fake.log);
	va_list args;

	va_start(args, format);
	vsnprintf(fake.log + used, sizeof(fake.log) - used, format, args);
	va_end(args);
}

static bool change_key(uint64_t from, uint64_t to)
{
	bool found = false;
	size_t i;

	for (i = 0; i < 16; i++) {
		if (fake.keys[i] != from)
			continue;
		fake.keys[i] = to;
		found = true;
		if (!from)
			break;
	}
	return found;
}

static void add_key(uint64_t key)
{
	assert_true(change_key(0, key));
}

int __wrap_lun_pr_read(struct lun *l, struct lun_pr *pr)
{
	size_t i;

	assert_ptr_equal(l, &lun);
	note("read, ");
	*pr = (struct lun_pr) { 0 };
	if (fake.read_error && !fake.reads_before_error--)
		return lun_fail(l, fake.read_error, "cannot be read");
	pr->keys = calloc(16, sizeof(*pr->keys));
	for (i = 0; i < 16; i++)
		if (fake.keys[i])
			pr->keys[pr->count++] = fake.keys[i];
	pr->held = fake.held;
	pr->type = fake.held ? fake.type : 0;
	return 0;
}

int __wrap_lun_pr_reserve(struct lun *l, uint64_t key)
{
	assert_int_equal(key, KEY(1));
	note("reserve, ");
	if (fake.reserve_error)
		return lun_fail(l, fake.reserve_error, "cannot be reserved");
	fake.held = true;
	fake.type = LUN_PR_TYPE;
	return 0;
}

int __wrap_lun_pr_preempt(struct lun *l, uint64_t key, uint64_t victim)
{
	assert_int_equal(key, KEY(1));
	/* Nobody may be removed before a reservation keeps him out. */
	assert_true(fake.held);
	note("preempt %u.%u, ", (unsigned int)(victim >> 40 & 0xff), (unsigned int)victim);
	if (fake.preempt_error)
		return lun_fail(l, fake.preempt_error, "cannot be removed");
	if (fake.steals)
		change_key(fake.steals, 0);
	if (victim == fake.elsewhere)
		change_key(victim, 0);
	if (!change_key(victim, 0))
		return lun_fail(l, -EBADE, "reservation conflict");
	if (fake.comes_back == victim)
		add_key(victim);
	return 0;
}

static void drained(void)
{
	if (fake.comes_late)
		add_key(fake.comes_late);
	if (fake.released)
		fake.held = false;
}

int __wrap_lun_reset(struct lun *l)
{
	note("reset, ");
	if (fake.resets_fail) {
		fake.resets_fail--;
		if (fake.failure_steals)
			change_key(fake.failure_steals, 0);
		return lun_fail(l, -EIO, "not in time");
	}
	drained();
	return fake.reset_error ? lun_fail(l, fake.reset_error, "cannot be reset") : 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	note("sleep:%ld, ", (long)time->tv_sec);
	drained();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&report, 0xff, sizeof(report));
	shown = true;
	fake.held = true;
	fake.type = LUN_PR_TYPE;
	lun = (struct lun) { .device = "/dev/fake", .transport = LUN_SCSI };
	add_key(KEY(1));
	return 0;
}

static void tell(void *data, const char *text)
{
	assert_ptr_equal(data, &lun);
	strcat(strcat(told, text), "\n");
}

/* Node 1 fences, keeping 2 and 3. */
static int fence_by(enum lun_drain drain, uint32_t wait)
{
	static const uint64_t keep[] = { KEY(2), KEY(3) };
	struct lun_fence fence = { KEY(1), keep, 2, CLUSTER, drain, wait, shown, tell, &lun };

	fake.log[0] = '\0';
	told[0] = '\0';
	return lun_fence(&lun, &fence, &report);
}

static void assert_says(const char *says)
{
	if (!strstr(report.text, says))
		fail_msg("\"%s\" is not in \"%s\"", says, report.text);
}

/* ---- steps ---- */

static void test_fence(void **state)
{
	(void)state;
	add_key(KEY(2));
	add_key(KEY(4));
	add_key(KEY(4));	/* its second path */
	add_key(OLD_KEY(3));
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_string_equal(fake.log,
			    "read, read, preempt 4.1, read, preempt 3.0, read, reset, read, ");
	assert_int_equal(report.step, LUN_STEPS);
	assert_int_equal(report.removed, 2);
	assert_int_equal(report.foreign, 0);
	assert_int_equal(fake.keys[0], KEY(1));
	assert_int_equal(fake.keys[1], KEY(2));
	assert_int_equal(fake.keys[2] | fake.keys[3] | fake.keys[4], 0);
	assert_says("/dev/fake: fenced: 2 keys removed in ");
	assert_says("drained (lun-reset) in ");
	/* Again: it drains, as who removed the keys may not have come to that. */
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_string_equal(fake.log, "read, read, reset, read, ");
	assert_int_equal(report.removed, 0);
}

static void test_foreign(void **state)
{
	(void)state;
	add_key(FOREIGN);
	add_key(KEY(4) ^ 1ULL << 48);
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_int_equal(report.removed, 3);
	assert_int_equal(report.foreign, 2);
	assert_says("2 not of this cluster");
}

static void test_drains(void **state)
{
	(void)state;
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_WAIT, 30), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, sleep:30, read, ");
	assert_says("drained (wait, waited for 30 s) in ");
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_NONE, 0), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, read, ");
	assert_says("WITHOUT A DRAIN");
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, read, ");
	/* What it has not aborted itself it drains otherwise. */
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), 0);
	assert_string_equal(fake.log, "read, read, reset, read, ");
	add_key(KEY(4));
	add_key(KEY(5));
	fake.elsewhere = KEY(5);
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), 0);
	assert_non_null(strstr(fake.log, "reset"));
	fake.elsewhere = 0;
	lun.transport = LUN_NVME;
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), 0);
	assert_string_equal(fake.log, "read, read, sleep:30, read, ");
	assert_int_equal(fence_by(LUN_DRAINS, 0), -EINVAL);
	assert_int_equal(report.step, LUN_STEP_DRAIN);
}

/* Nothing shows that the drain is enough: the LUN is reset in any case. */
static void test_not_shown(void **state)
{
	(void)state;
	shown = false;
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, reset, read, ");
	assert_says("drained (abort, lun-reset) in ");
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_WAIT, 5), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, sleep:5, reset, read, ");
	assert_says("drained (wait, waited for 5 s, lun-reset) in ");
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, reset, read, ");
	/* And that has to succeed. */
	fake.reset_error = -EIO;
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), -EIO);
	assert_int_equal(report.step, LUN_STEP_DRAIN);
	assert_int_equal(fence_by(LUN_DRAIN_WAIT, 5), -EIO);
	assert_int_equal(report.step, LUN_STEP_DRAIN);
	fake.reset_error = 0;
	/* There is no such reset for NVMe. */
	lun.transport = LUN_NVME;
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, sleep:30, read, ");
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_WAIT, 5), 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, sleep:5, read, ");
}

/* After a node was switched off there are no keys to look at, and there was no abort. */
static void test_drain_alone(void **state)
{
	struct lun_fence how = { .drain = LUN_DRAIN_RESET, .shown = true, .trouble = tell,
				 .trouble_data = &lun };

	(void)state;
	change_key(KEY(1), 0);
	fake.held = false;
	told[0] = '\0';
	assert_int_equal(lun_drain(&lun, &how, &report), 0);
	assert_string_equal(fake.log, "reset, ");
	assert_int_equal(report.step, LUN_STEPS);
	assert_says("/dev/fake: drained (lun-reset) in ");
	how.drain = LUN_DRAIN_ABORT;
	fake.log[0] = '\0';
	fake.resets_fail = 1;
	assert_int_equal(lun_drain(&lun, &how, &report), 0);
	assert_string_equal(fake.log, "reset, reset, ");
	assert_non_null(strstr(told, "reset 1 of at most 4 has failed"));
	fake.log[0] = '\0';
	fake.reset_error = -EOPNOTSUPP;
	assert_int_equal(lun_drain(&lun, &how, &report), -EOPNOTSUPP);
	assert_int_equal(report.step, LUN_STEP_DRAIN);
	assert_says("not fenced, drain failed: cannot be reset");
	how.drain = LUN_DRAIN_WAIT;
	how.wait = 7;
	fake.log[0] = '\0';
	assert_int_equal(lun_drain(&lun, &how, &report), 0);
	assert_string_equal(fake.log, "sleep:7, ");
	/* One that has no reset. */
	lun.transport = LUN_OTHER;
	how.drain = LUN_DRAIN_RESET;
	fake.log[0] = '\0';
	assert_int_equal(lun_drain(&lun, &how, &report), 0);
	assert_string_equal(fake.log, "sleep:30, ");
}

/* Nobody has reserved: first that, or who is removed writes on. */
static void test_not_reserved(void **state)
{
	(void)state;
	add_key(KEY(4));
	fake.held = false;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_string_equal(fake.log,
			    "read, reserve, read, preempt 4.1, read, reset, read, ");
	fake.held = false;
	fake.reserve_error = -ENOLINK;
	add_key(KEY(4));
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -ENOLINK);
	assert_string_equal(fake.log, "read, reserve, ");
	assert_int_equal(report.step, LUN_STEP_REMOVE);
	assert_says("not fenced, remove failed: cannot be reserved");
}

static void test_fenced_itself(void **state)
{
	(void)state;
	add_key(KEY(4));
	change_key(KEY(1), 0);
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EBADE);
	assert_string_equal(fake.log, "read, ");
	assert_says("own key 0xabcd010000000001 (node 1, incarnation 0.1) is gone");
	/* In the middle of it: the other was faster. */
	add_key(KEY(1));
	fake.steals = KEY(1);
	fake.elsewhere = KEY(4);
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EBADE);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, ");
	assert_int_equal(report.step, LUN_STEP_REMOVE);
	assert_says("own key");
}

/* Another node takes it away first: also well. */
static void test_two_fencers(void **state)
{
	(void)state;
	add_key(KEY(4));
	fake.elsewhere = KEY(4);
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_int_equal(report.removed, 0);
	assert_string_equal(fake.log, "read, read, preempt 4.1, read, reset, read, ");
}

static void test_stubborn(void **state)
{
	(void)state;
	add_key(KEY(4));
	fake.comes_back = KEY(4);
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EAGAIN);
	assert_int_equal(report.step, LUN_STEP_REMOVE);
	assert_null(strstr(fake.log, "reset"));
	assert_says("0xabcd040000000001");
}

static void test_errors(void **state)
{
	(void)state;
	add_key(KEY(4));
	fake.preempt_error = -EIO;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EIO);
	assert_null(strstr(fake.log, "reset"));
	assert_says("not fenced, remove failed: cannot be removed");
	fake.preempt_error = 0;
	fake.reset_error = -EIO;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EIO);
	assert_int_equal(report.step, LUN_STEP_DRAIN);
	assert_int_equal(report.removed, 1);
	assert_says("not fenced, drain failed: cannot be reset");
	/* No key to remove now; the drain is still to be done. */
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EIO);
	assert_int_equal(report.step, LUN_STEP_DRAIN);
	fake.reset_error = 0;
	fake.read_error = -ENOLINK;
	fake.reads_before_error = 2;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -ENOLINK);
	assert_int_equal(report.step, LUN_STEP_VERIFY);
	assert_says("verify failed");
	fake.read_error = 0;
	fake.type = 1;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EBUSY);
	assert_says("something else than covol");
}

/* A reset that fails is no drain: it is repeated, and in the end the fence has failed. */
static void test_reset_again(void **state)
{
	(void)state;
	add_key(KEY(4));
	fake.resets_fail = 1;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	/* At once: to read waits for what it has failed for. */
	assert_string_equal(fake.log,
			    "read, read, preempt 4.1, read, reset, read, reset, read, ");
	add_key(KEY(4));
	fake.resets_fail = 3;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_string_equal(fake.log,
			    "read, read, preempt 4.1, read, reset, read, reset, sleep:1, read, reset, sleep:5, read, reset, read, ");
	assert_int_equal(report.resets, 4);
	assert_says("drained (lun-reset, 3 had failed) in ");
	assert_string_equal(told,
			    "/dev/fake: the fence is not done: reset 1 of at most 4 has failed, and is repeated: not in time\n"
			    "/dev/fake: the fence is not done: reset 2 of at most 4 has failed, and is repeated: not in time\n"
			    "/dev/fake: the fence is not done: reset 3 of at most 4 has failed, and is repeated: not in time\n");
	/* The last one is said by the report. */
	fake.resets_fail = 4;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EIO);
	assert_int_equal(report.step, LUN_STEP_DRAIN);
	assert_string_equal(fake.log,
			    "read, read, reset, read, reset, sleep:1, read, reset, sleep:5, read, reset, ");
	assert_says("not fenced, drain failed: not in time");
	/* What the abort has not drained is under the same rule. */
	fake.resets_fail = 4;
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), -EIO);
	fake.resets_fail = 1;
	assert_int_equal(fence_by(LUN_DRAIN_ABORT, 0), 0);
	assert_int_equal(report.resets, 2);
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
	assert_int_equal(report.resets, 1);
	assert_string_equal(told, "");
	assert_says("drained (lun-reset) in ");
}

static void test_reset_not_again(void **state)
{
	(void)state;
	/* Others than EIO stay as they are. */
	fake.reset_error = -EOPNOTSUPP;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EOPNOTSUPP);
	assert_string_equal(fake.log, "read, read, reset, ");
	fake.reset_error = 0;
	/* It was fenced itself meanwhile: it stops. */
	fake.resets_fail = 1;
	fake.failure_steals = KEY(1);
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EBADE);
	assert_string_equal(fake.log, "read, read, reset, read, ");
	assert_int_equal(report.step, LUN_STEP_DRAIN);
	assert_says("own key");
	/* Its path has gone: another node may have one. */
	fake.failure_steals = 0;
	add_key(KEY(1));
	fake.resets_fail = 1;
	fake.read_error = -ENOLINK;
	fake.reads_before_error = 2;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -ENOLINK);
	assert_string_equal(fake.log, "read, read, reset, read, ");
}

static void test_verify(void **state)
{
	(void)state;
	fake.comes_late = KEY(4);
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EAGAIN);
	assert_int_equal(report.step, LUN_STEP_VERIFY);
	assert_says("0xabcd040000000001 was registered meanwhile");
	fake.comes_late = 0;
	fake.released = true;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), -EAGAIN);
	assert_says("nobody has reserved");
	fake.released = false;
	assert_int_equal(fence_by(LUN_DRAIN_RESET, 0), 0);
}

static void test_none(void **state)
{
	(void)state;
	lun_fence_none(&lun, &report);
	assert_says("NOBODY WAS FENCED");
	assert_int_equal(report.step, LUN_STEPS);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(lun_step_name(LUN_STEP_VERIFY), "verify");
	assert_string_equal(lun_step_name(LUN_STEPS), "?");
	assert_int_equal(lun_method_parse("pr"), LUN_METHOD_PR);
	assert_int_equal(lun_method_parse("command"), LUN_METHOD_COMMAND);
	assert_int_equal(lun_method_parse("none"), LUN_METHOD_NONE);
	assert_int_equal(lun_method_parse("None"), -1);
	assert_string_equal(lun_method_name(LUN_METHOD_COMMAND), "command");
	assert_string_equal(lun_method_name(LUN_METHODS), "?");
}

/* ---- programs ---- */

static char folder[32];
static char program[64], record[64];
static char text[512];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/covol-fence-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(program, sizeof(program), "%s/fence", folder);
	snprintf(record, sizeof(record), "%s/record", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(program);
	unlink(record);
	return rmdir(folder);
}

/* The lines it was given are kept; then, for each action, what it does. */
static void make_program(const char *off, const char *status)
{
	FILE *file = fopen(program, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\ninput=$(cat)\nprintf '%%s\\n' \"$input\" $# >>%s\n", record);
	fprintf(file, "case $input in\n*action=off) %s ;;\n*action=status) %s ;;\n", off, status);
	fprintf(file, "*) exit 9 ;;\nesac\n");
	fclose(file);
	assert_int_equal(chmod(program, 0700), 0);
}

static int run_command(unsigned int timeout)
{
	static const char *const options[] = { "ip=10.0.0.1", "password=a b\"$c", "plug=node3" };
	struct lun_fence_command command = { program, options, 3, timeout };

	return lun_fence_command(&command, text, sizeof(text));
}

static void assert_text(const char *says)
{
	if (!strstr(text, says))
		fail_msg("\"%s\" is not in \"%s\"", says, text);
	assert_null(strstr(text, "password"));
}

static int open_files(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_program(void **state)
{
	char got[512] = "";
	FILE *file;

	(void)state;
	make_program("exit 0", "exit 2");
	assert_int_equal(run_command(20), 0);
	assert_text("off");
	file = fopen(record, "r");
	assert_non_null(file);
	assert_true(fread(got, 1, sizeof(got) - 1, file) > 0);
	fclose(file);
	/* Nothing on the command line. */
	assert_string_equal(got,
			    "ip=10.0.0.1\npassword=a b\"$c\nplug=node3\naction=off\n0\n"
			    "ip=10.0.0.1\npassword=a b\"$c\nplug=node3\naction=status\n0\n");
}

static void test_program_fails(void **state)
{
	struct timespec began, ended;
	int files = open_files();

	(void)state;
	make_program("echo one; echo 'no such plug' >&2; exit 1", "exit 2");
	assert_int_equal(run_command(20), -EIO);
	assert_text("action=off ended with status 1, not 0: \"one | no such plug\"");
	/* The last lines; nothing of our environment, and a group of its own. */
	setenv("COVOL_SECRET", "told", 1);
	make_program("seq 2000; echo; echo \"${COVOL_SECRET-none} $LC_ALL\"; "
		     "[ $(ps -o pgid= $$) = $$ ] && echo own; exit 1", "exit 2");
	assert_int_equal(run_command(20), -EIO);
	assert_text("\"2000 | none C | own\"");
	make_program("printf %01000d 1; echo; echo y; exit 1", "exit 2");
	assert_int_equal(run_command(20), -EIO);
	assert_text("0001 | y\"");
	/* It lies. */
	make_program("exit 0", "exit 0");
	assert_int_equal(run_command(20), -EIO);
	assert_text("action=status ended with status 0, not 2");
	make_program("kill -9 $$", "exit 2");
	assert_int_equal(run_command(20), -EIO);
	assert_text("status 137");
	/* Much output, and none of the input is read to its end. */
	make_program("yes | head -c 1000000; exit 0", "exit 2");
	assert_int_equal(run_command(20), 0);
	/* It hangs, and so does what it has started. */
	make_program("echo asking; sleep 1000 & wait", "exit 2");
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(run_command(1), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true(ended.tv_sec - began.tv_sec < 60);
	assert_text("longer than 1 s and was killed: \"asking\"");
	chmod(program, 0600);
	assert_int_equal(run_command(20), -ENOENT);
	assert_text("no program");
	assert_int_equal(open_files(), files);
}

static void test_wrong_commands(void **state)
{
	static const char *const bad[] = { "", "plug", "=x", "plug=a\naction=on", "action=on" };
	struct lun_fence_command command = { program, bad, 1, 5 };
	size_t i;

	(void)state;
	make_program("exit 0", "exit 2");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		command.options = bad + i;
		assert_int_equal(lun_fence_command(&command, text, sizeof(text)), -EINVAL);
	}
	command.count = 0;
	command.program = "../fence";
	assert_int_equal(lun_fence_command(&command, text, sizeof(text)), -EINVAL);
	assert_text("neither the name");
	command.program = "fence_no_such_program";
	assert_int_equal(lun_fence_command(&command, text, sizeof(text)), -ENOENT);
	assert_text("fence_no_such_program");
	assert_int_not_equal(access(record, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fence, setup),
		cmocka_unit_test_setup(test_foreign, setup),
		cmocka_unit_test_setup(test_drains, setup),
		cmocka_unit_test_setup(test_not_shown, setup),
		cmocka_unit_test_setup(test_drain_alone, setup),
		cmocka_unit_test_setup(test_not_reserved, setup),
		cmocka_unit_test_setup(test_fenced_itself, setup),
		cmocka_unit_test_setup(test_two_fencers, setup),
		cmocka_unit_test_setup(test_stubborn, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_reset_again, setup),
		cmocka_unit_test_setup(test_reset_not_again, setup),
		cmocka_unit_test_setup(test_verify, setup),
		cmocka_unit_test_setup(test_none, setup),
		cmocka_unit_test(test_words),
		cmocka_unit_test_setup_teardown(test_program, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_program_fails, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_wrong_commands, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
