// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol check: what a disk says of itself, by a /sys that is made up; and what is tried, on a LUN
 * that is played and may do it wrong.
 */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../userspace/lun/check.h"
#include "../../userspace/lun/contents.h"
#include "lun_wrap.h"
#include "test.h"

#define FENCER_FD	1000
#define VICTIM_FD	1001

/* ---- a LUN with two paths, "a" and "b" ---- */

static struct {
	/* Protected by lock. */
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint8_t content[LUN_SCRATCH_SIZE];
	uint64_t keys[2];	/* by path */
	uint64_t foreign;	/* somebody else's; 0: none */
	bool held;
	bool ended;		/* whatever is under way ends, and does not land */
	bool lands;		/* ... lands */

	/* What it does wrong. */
	bool slow;		/* writes of the victim wait in its back end */
	time_t patience;	/* so many seconds, if nothing ends them; 0: long enough */
	bool abort_drains, reset_drains;
	bool never_refuses, refuses_reads, keeps_keys, dead_victim;
	int reserve_error, preempt_error, reset_error;

	int holds;
	unsigned int resets, registered, open;
} fake;

static char root[32] = "/nowhere";
static struct lun lun;
static struct lun_pair pair;
static struct lun_findings findings;

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	pthread_mutex_init(&fake.lock, NULL);
	pthread_cond_init(&fake.moved, NULL);
	fake.abort_drains = true;
	fake.reset_drains = true;
	lun = (struct lun) { .device = "/dev/fake", .transport = LUN_SCSI, .paths = 2, .block = 512,
			     .wwid = "naa.1", .path = { { "a" }, { "b" } } };
	memset(&findings, 0, sizeof(findings));
	assert_int_equal(lun_pair_init(&pair, &lun, NULL, root), 0);
	return 0;
}

/* Whatever was tried: nothing is left of it. */
static int teardown(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(fake.open, 0);
	if (!fake.keeps_keys)
		assert_true(!fake.keys[0] && !fake.keys[1]);
	for (i = 0; i < LUN_SCRATCH_SIZE; i++)
		assert_int_equal(fake.content[i], 0);
	return 0;
}

static size_t path_of(const struct lun *l)
{
	assert_int_equal(l->paths, 1);
	return l->path[0].name[0] == 'b';
}

int __wrap_lun_pr_read(struct lun *l, struct lun_pr *pr)
{
	size_t i;

	(void)l;
	*pr = (struct lun_pr) { .held = fake.held, .type = LUN_PR_TYPE };
	pr->keys = calloc(3, sizeof(*pr->keys));
	assert_non_null(pr->keys);
	for (i = 0; i < 2; i++)
		if (fake.keys[i])
			pr->keys[pr->count++] = fake.keys[i];
	if (fake.foreign)
		pr->keys[pr->count++] = fake.foreign;
	return 0;
}

int __wrap_lun_pr_register(struct lun *l, uint64_t key)
{
	assert_int_not_equal(key, 0);
	pthread_mutex_lock(&fake.lock);
	fake.keys[path_of(l)] = key;
	fake.ended = false;
	fake.lands = false;
	fake.registered++;
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

int __wrap_lun_pr_unregister(struct lun *l, uint64_t key)
{
	pthread_mutex_lock(&fake.lock);
	if (fake.keys[path_of(l)] == key && !fake.keeps_keys)
		fake.keys[path_of(l)] = 0;
	if (!fake.keys[0] && !fake.keys[1])
		fake.held = false;
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

int __wrap_lun_pr_reserve(struct lun *l, uint64_t key)
{
	if (fake.reserve_error)
		return lun_fail(l, fake.reserve_error, "reserving failed");
	assert_int_equal(fake.keys[path_of(l)], key);
	fake.held = true;
	return 0;
}

int __wrap_lun_pr_preempt(struct lun *l, uint64_t key, uint64_t victim)
{
	if (fake.preempt_error)
		return lun_fail(l, fake.preempt_error, "preempting failed");
	pthread_mutex_lock(&fake.lock);
	assert_int_equal(fake.keys[0], key);
	assert_int_equal(fake.keys[1], victim);
	if (!fake.keeps_keys)
		fake.keys[1] = 0;
	fake.ended = fake.abort_drains;
	pthread_cond_broadcast(&fake.moved);
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

int __wrap_lun_reset(struct lun *l)
{
	if (fake.reset_error)
		return lun_fail(l, fake.reset_error, "resetting failed");
	pthread_mutex_lock(&fake.lock);
	fake.resets++;
	fake.ended |= fake.reset_drains;
	pthread_cond_broadcast(&fake.moved);
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

int __wrap_lun_scratch_open(struct lun *l)
{
	fake.open++;
	return path_of(l) ? VICTIM_FD : FENCER_FD;
}

int __wrap_close(int fd)
{
	if (fd != FENCER_FD && fd != VICTIM_FD)
		return __real_close(fd);
	fake.open--;
	return 0;
}

/* A write in the back end: until it is ended, or lands; or as nothing comes, by itself. */
static int wait_in_back_end(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += fake.patience ? fake.patience : 60;
	while (!fake.ended && !fake.lands)
		if (pthread_cond_timedwait(&fake.moved, &fake.lock, &until))
			return -ENOLINK;
	return fake.ended ? -ENOLINK : 0;
}

int __wrap_lun_scratch_write(int fd, const uint8_t *bytes)
{
	bool victim = fd == VICTIM_FD;
	int error = 0;

	pthread_mutex_lock(&fake.lock);
	if (victim && fake.dead_victim)
		error = -ENOLINK;
	else if (!fake.keys[victim] && fake.held && !fake.never_refuses)
		error = -EBADE;
	else if (victim && fake.slow)
		error = wait_in_back_end();
	if (!error)
		memcpy(fake.content, bytes, LUN_SCRATCH_SIZE);
	pthread_mutex_unlock(&fake.lock);
	return error;
}

/* What still waits when somebody reads comes after that. */
int __wrap_lun_scratch_read(int fd, uint8_t *bytes)
{
	if (fd == VICTIM_FD && fake.refuses_reads)
		return -EBADE;
	pthread_mutex_lock(&fake.lock);
	memcpy(bytes, fake.content, LUN_SCRATCH_SIZE);
	fake.lands = true;
	pthread_cond_broadcast(&fake.moved);
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

int __wrap_lun_contents(struct lun *l, char text[LUN_CONTENTS_LEN])
{
	(void)l;
	strcpy(text, "an old file system");
	return fake.holds;
}

int __wrap_lun_header_read(struct lun *l, struct lun_header *header, struct lun_copies *copies)
{
	(void)copies;
	if (fake.holds != LUN_HOLDS_VOLUME)
		return lun_fail(l, -ENODATA, "no header");
	strcpy(header->name, "vol1");
	return 0;
}

/* ---- lines ---- */

static const struct lun_finding *line(const char *check)
{
	size_t i;

	for (i = 0; i < findings.count; i++)
		if (!strcmp(findings.list[i].check, check))
			return &findings.list[i];
	fail_msg("there is no line \"%s\"", check);
	return NULL;
}

static bool is_there(const char *check)
{
	size_t i;

	for (i = 0; i < findings.count; i++)
		if (!strcmp(findings.list[i].check, check))
			return true;
	return false;
}

static void assert_line(const char *check, enum lun_verdict verdict, const char *says)
{
	const struct lun_finding *finding = line(check);

	if (!strstr(finding->found, says))
		fail_msg("%s: \"%s\" is not in \"%s\"", check, says, finding->found);
	assert_string_equal(lun_verdict_name(finding->verdict), lun_verdict_name(verdict));
	/* What is bad comes with what to do. */
	if (verdict == LUN_BAD)
		assert_non_null(finding->advice);
	assert_true(lun_findings_bad(&findings) || verdict != LUN_BAD);
}

/* ---- pages ---- */

static void test_limits(void **state)
{
	uint8_t page[64] = { 0, 0xb0, 0, 60, [10] = 0x10, [14] = 8, [22] = 0x40, [31] = 4,
			     [43] = 9 };
	struct lun_limits limits;
	size_t length;

	(void)state;
	assert_int_equal(lun_vpd_limits(page, sizeof(page), &limits), 0);
	assert_int_equal(limits.transfer_max, 0x1000);
	assert_int_equal(limits.transfer_optimal, 0x800);
	assert_int_equal(limits.unmap_max, 0x4000);
	assert_int_equal(limits.unmap_granularity, 4);
	assert_int_equal(limits.write_same_max, 9);
	/* An old array has the first part only, whatever arrives. */
	page[3] = 12;
	assert_int_equal(lun_vpd_limits(page, sizeof(page), &limits), 0);
	assert_int_equal(limits.transfer_max, 0x1000);
	assert_int_equal(limits.unmap_max, 0);
	assert_int_equal(limits.write_same_max, 0);
	for (length = 0; length < 16; length++)
		assert_int_equal(lun_vpd_limits(page, length, &limits), -EPROTO);
	page[1] = 0xb1;
	assert_int_equal(lun_vpd_limits(page, sizeof(page), &limits), -EPROTO);
}

static void test_provisioning(void **state)
{
	uint8_t page[8] = { 0, 0xb2, 0, 4, 0, 0x84, 2 };
	struct lun_provisioning lbp;
	size_t length;

	(void)state;
	assert_int_equal(lun_vpd_provisioning(page, sizeof(page), &lbp), 0);
	assert_true(lbp.unmap);
	assert_false(lbp.write_same);
	assert_true(lbp.zeroes);
	assert_int_equal(lbp.type, 2);
	page[5] = 0x40;
	page[6] = 0xf8 | 1;
	assert_int_equal(lun_vpd_provisioning(page, sizeof(page), &lbp), 0);
	assert_false(lbp.unmap);
	assert_true(lbp.write_same);
	assert_false(lbp.zeroes);
	assert_int_equal(lbp.type, 1);
	for (length = 0; length < 8; length++)
		assert_int_equal(lun_vpd_provisioning(page, length, &lbp), -EPROTO);
}

/* ---- /sys ---- */

static int make_root(void **state)
{
	strcpy(root, "/tmp/covol-sys-XXXXXX");
	assert_non_null(mkdtemp(root));
	return setup(state);
}

static int unlink_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A file below the root, and the folders that it is in. */
static void in_root(const char *folder, const char *name, const void *value, size_t length)
{
	char path[256], *slash;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", root, folder, name);
	for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(value, 1, length, file), length);
	assert_false(fclose(file));
}

static void attribute(const char *name, const void *value, size_t length)
{
	in_root("class/block/a/", name, value, length);
}

static void text(const char *name, const char *value)
{
	attribute(name, value, strlen(value));
}

static void test_good_disk(void **state)
{
	static const uint8_t limits[16] = { 0, 0xb0, 0, 12, [14] = 8 };
	static const uint8_t thin[8] = { 0, 0xb2, 0, 4, 0, 0x84, 2 };

	(void)state;
	text("device/vendor", "  LIO-ORG\n");
	text("device/model", "  disk0\n");
	text("device/rev", "4.0\n");
	text("queue/physical_block_size", "512\n");
	text("queue/max_hw_sectors_kb", "4096\n");
	text("queue/discard_max_bytes", "4194304\n");
	text("queue/discard_granularity", "65536\n");
	text("queue/write_zeroes_max_bytes", "1048576\n");
	attribute("device/vpd_pgb0", limits, sizeof(limits));
	attribute("device/vpd_pgb2", thin, sizeof(thin));
	lun_check_device(&lun, root, &findings);
	assert_line("transport", LUN_GOOD, "SCSI");
	assert_line("array", LUN_GOOD, "LIO-ORG disk0 4.0");
	assert_line("identity", LUN_GOOD, "naa.1");
	assert_line("paths", LUN_GOOD, "2");
	assert_line("blocks", LUN_GOOD, "512 bytes, physical 512");
	assert_line("transfer", LUN_GOOD, "4096 KiB in a command, best in 1024 KiB");
	assert_line("provisioning", LUN_GOOD, "thin, unmapped blocks read as zeroes");
	assert_line("unmap", LUN_GOOD, "4096 KiB in a command, in units of 65536 bytes");
	assert_line("write-same", LUN_GOOD, "1024 KiB at once");
	assert_false(lun_findings_bad(&findings));
}

static void test_poor_disk(void **state)
{
	static const uint8_t thin[8] = { 0, 0xb2, 0, 4, 0, 0, 2 };

	(void)state;
	lun.transport = LUN_OTHER;
	lun.wwid[0] = '\0';
	lun.paths = 1;
	text("queue/physical_block_size", "16384\n");
	text("queue/max_hw_sectors_kb", "64\n");
	lun_check_device(&lun, root, &findings);
	assert_line("transport", LUN_BAD, "no persistent reservations");
	assert_line("array", LUN_UNKNOWN, "");
	assert_line("identity", LUN_WEAK, "no WWID");
	assert_line("paths", LUN_WEAK, "one, a");
	assert_line("blocks", LUN_WEAK, "physical 16384");
	assert_line("transfer", LUN_WEAK, "64 KiB");
	assert_line("unmap", LUN_WEAK, "not possible");
	assert_line("write-same", LUN_WEAK, "not possible");
	assert_false(is_there("provisioning"));
	assert_false(is_there("fast-abort"));
	assert_true(lun_findings_bad(&findings));
	/* A thin LUN that never gives back; one that says nothing. */
	memset(&findings, 0, sizeof(findings));
	lun.transport = LUN_SCSI;
	lun_check_device(&lun, root, &findings);
	assert_line("provisioning", LUN_UNKNOWN, "not reported");
	memset(&findings, 0, sizeof(findings));
	attribute("device/vpd_pgb2", thin, sizeof(thin));
	lun_check_device(&lun, root, &findings);
	assert_line("provisioning", LUN_WEAK, "thin, and nothing can be given back");
}

/* ---- capabilities ---- */

static struct lun_pr_capabilities capabilities;
static int capabilities_error;

int __wrap_lun_pr_capabilities(struct lun *l, struct lun_pr_capabilities *can)
{
	*can = capabilities;
	return capabilities_error ? lun_fail(l, capabilities_error, "refused") : 0;
}

static void look_at_capabilities(bool persists, bool valid, bool type)
{
	capabilities = (struct lun_pr_capabilities) { persists, valid, type };
	memset(&findings, 0, sizeof(findings));
	lun_check_capabilities(&lun, &findings);
}

static void test_capabilities(void **state)
{
	(void)state;
	capabilities_error = 0;
	look_at_capabilities(true, true, true);
	assert_line("capabilities", LUN_GOOD, "All Registrants");
	assert_line("power-loss", LUN_GOOD, "outlive");
	look_at_capabilities(false, true, false);
	assert_line("capabilities", LUN_BAD, "no Write Exclusive");
	assert_line("power-loss", LUN_WEAK, "do not outlive");
	look_at_capabilities(true, false, true);
	assert_line("capabilities", LUN_UNKNOWN, "does not say");
	capabilities_error = -EOPNOTSUPP;
	look_at_capabilities(true, true, true);
	assert_line("capabilities", LUN_UNKNOWN, "refused");
	assert_false(is_there("power-loss"));
	lun.transport = LUN_NVME;
	look_at_capabilities(true, true, true);
	assert_int_equal(findings.count, 0);
}

/* ---- who may be tried ---- */

static void test_idle(void **state)
{
	struct lun_header header;

	(void)state;
	fake.holds = LUN_HOLDS_NOTHING;
	assert_int_equal(lun_check_idle(&lun, &header), 0);
	fake.holds = LUN_HOLDS_VOLUME;
	assert_int_equal(lun_check_idle(&lun, &header), 1);
	assert_string_equal(header.name, "vol1");
	fake.foreign = 5;
	assert_int_equal(lun_check_idle(&lun, &header), -EBUSY);
	assert_non_null(strstr(lun.error, "1 keys"));
	fake.holds = LUN_HOLDS_NOTHING;
	assert_int_equal(lun_check_idle(&lun, &header), -EBUSY);
	fake.foreign = 0;
	fake.held = true;
	assert_int_equal(lun_check_idle(&lun, &header), -EBUSY);
	assert_non_null(strstr(lun.error, "reserved"));
	fake.held = false;
	fake.holds = LUN_HOLDS_KNOWN;
	assert_int_equal(lun_check_idle(&lun, &header), -EBUSY);
	assert_non_null(strstr(lun.error, "an old file system"));
	fake.holds = LUN_HOLDS_DATA;
	assert_int_equal(lun_check_idle(&lun, &header), -EBUSY);
	fake.holds = -EIO;
	assert_int_equal(lun_check_idle(&lun, &header), -EIO);
}

static void test_pair(void **state)
{
	struct lun second = lun;

	(void)state;
	assert_true(pair.two);
	assert_string_equal(pair.fencer.path[0].name, "a");
	assert_string_equal(pair.victim.path[0].name, "b");
	assert_int_not_equal(pair.fencer_key, pair.victim_key);
	lun.paths = 1;
	assert_int_equal(lun_pair_init(&pair, &lun, NULL, root), 0);
	assert_false(pair.two);
	assert_int_equal(lun_pair_init(&pair, &lun, &second, root), -EINVAL);
	assert_non_null(strstr(lun.error, "same path"));
	strcpy(second.path[0].name, "b");
	assert_int_equal(lun_pair_init(&pair, &lun, &second, root), 0);
	assert_true(pair.two);
	assert_string_equal(pair.victim.path[0].name, "b");
	strcpy(second.wwid, "naa.2");
	assert_int_equal(lun_pair_init(&pair, &lun, &second, root), -EINVAL);
	assert_non_null(strstr(lun.error, "not the same LUN"));
	/* Two that do not say who they are. */
	second.wwid[0] = '\0';
	lun.wwid[0] = '\0';
	assert_int_equal(lun_pair_init(&pair, &lun, &second, root), -EINVAL);
	lun.transport = LUN_NVME;
	lun.paths = 2;
	assert_int_equal(lun_pair_init(&pair, &lun, NULL, root), 0);
	assert_false(pair.two);
}

/* ---- trying ---- */

static void test_try(void **state)
{
	(void)state;
	assert_true(lun_check_try(&pair, &findings));
	assert_int_equal(findings.count, 7);
	assert_false(lun_findings_bad(&findings));
	assert_line("refusal", LUN_GOOD, "writes are refused");
	assert_line("return", LUN_GOOD, "comes back");
	assert_int_equal(fake.resets, 1);
	assert_int_equal(fake.registered, 3);
}

static void test_one_path(void **state)
{
	(void)state;
	lun.paths = 1;
	assert_int_equal(lun_pair_init(&pair, &lun, NULL, root), 0);
	assert_false(lun_check_try(&pair, &findings));
	assert_line("register", LUN_GOOD, "");
	assert_line("reserve", LUN_GOOD, "");
	assert_line("write", LUN_UNKNOWN, "two paths");
	assert_line("preempt", LUN_UNKNOWN, "two paths");
	assert_line("refusal", LUN_UNKNOWN, "two paths");
	assert_line("reset", LUN_GOOD, "");
	assert_line("return", LUN_UNKNOWN, "two paths");
}

static void test_bad_arrays(void **state)
{
	(void)state;
	fake.never_refuses = true;
	assert_false(lun_check_try(&pair, &findings));
	assert_line("refusal", LUN_BAD, "done, not a reservation conflict");
	assert_false(is_there("reset"));
	setup(NULL);
	fake.refuses_reads = true;
	assert_false(lun_check_try(&pair, &findings));
	assert_line("refusal", LUN_BAD, "a read by b");
	setup(NULL);
	fake.reserve_error = -EOPNOTSUPP;
	assert_false(lun_check_try(&pair, &findings));
	assert_line("reserve", LUN_BAD, "reserving failed");
	assert_false(is_there("write"));
	setup(NULL);
	fake.preempt_error = -EIO;
	assert_false(lun_check_try(&pair, &findings));
	assert_line("preempt", LUN_BAD, "preempting failed");
	setup(NULL);
	fake.dead_victim = true;
	assert_false(lun_check_try(&pair, &findings));
	assert_line("write", LUN_BAD, "by b");
	/* There are other drains: the rest is tried. */
	setup(NULL);
	fake.reset_error = -EIO;
	assert_true(lun_check_try(&pair, &findings));
	assert_line("reset", LUN_BAD, "resetting failed");
	assert_line("return", LUN_GOOD, "");
}

/* Both paths under one name: an array that lets them write takes them for one host. */
static void test_alike(void **state)
{
	(void)state;
	fake.never_refuses = true;
	pair.alike = true;
	assert_false(lun_check_try(&pair, &findings));
	assert_line("refusal", LUN_UNKNOWN, "done, not a reservation conflict");
	assert_false(is_there("reset"));
	assert_false(lun_findings_bad(&findings));
	setup(NULL);
	pair.alike = true;
	assert_true(lun_check_try(&pair, &findings));
}

/* A path that logs in under that name. */
static void session_path(const char *path, const char *session, const char *name)
{
	char target[64], link[128];

	snprintf(target, sizeof(target), "devices/host/%s/target/%s", session, path);
	in_root(target, "/x", "", 0);
	snprintf(target, sizeof(target), "class/iscsi_session/%s", session);
	in_root(target, "/initiatorname", name, strlen(name));
	snprintf(target, sizeof(target), "class/block/%s", path);
	in_root(target, "/size", "", 0);
	snprintf(target, sizeof(target), "%s/devices/host/%s/target/%s", root, session, path);
	snprintf(link, sizeof(link), "%s/class/block/%s/device", root, path);
	assert_int_equal(symlink(target, link), 0);
}

static void test_names(void **state)
{
	(void)state;
	session_path("a", "session1", "iqn.one\n");
	session_path("b", "session2", "iqn.one\n");
	assert_int_equal(lun_pair_init(&pair, &lun, NULL, root), 0);
	assert_true(pair.two);
	assert_true(pair.alike);
	assert_string_equal(pair.victim.path[0].name, "b");
	/* One of another name is better. */
	session_path("c", "session3", "iqn.two\n");
	strcpy(lun.path[2].name, "c");
	lun.paths = 3;
	assert_int_equal(lun_pair_init(&pair, &lun, NULL, root), 0);
	assert_false(pair.alike);
	assert_string_equal(pair.victim.path[0].name, "c");
}

static void test_fast_abort(void **state)
{
	(void)state;
	session_path("a", "session1", "iqn.one\n");
	in_root("class/iscsi_session/session1", "/fast_abort", "1\n", 2);
	lun_check_device(&lun, root, &findings);
	assert_line("fast-abort", LUN_WEAK, "FastAbort is on");
	memset(&findings, 0, sizeof(findings));
	in_root("class/iscsi_session/session1", "/fast_abort", "0\n", 2);
	lun_check_device(&lun, root, &findings);
	assert_line("fast-abort", LUN_GOOD, "off");
}

/* Keys that stay, and what others have registered meanwhile, are said. */
static void test_left_behind(void **state)
{
	(void)state;
	fake.keeps_keys = true;
	assert_false(lun_check_try(&pair, &findings));
	assert_line("preempt", LUN_BAD, "is there still");
	assert_line("end", LUN_BAD, "2 keys are there");
	setup(NULL);
	fake.foreign = 9;
	assert_true(lun_check_try(&pair, &findings));
	assert_line("end", LUN_BAD, "1 keys are there");
}

/* ---- late writes ---- */

static struct lun_late late_of(enum lun_drain drain)
{
	return (struct lun_late) { .drain = drain, .rounds = 3, .writers = 4 };
}

static void test_late_drained(void **state)
{
	struct lun_late late = late_of(LUN_DRAIN_RESET);

	(void)state;
	fake.slow = true;
	fake.abort_drains = false;
	assert_int_equal(lun_late_run(&pair, &late), 0);
	assert_int_equal(late.done, 3);
	assert_int_equal(late.loaded, 3);
	assert_int_equal(late.most, 4);
	assert_int_equal(late.late, 0);
	assert_int_equal(fake.resets, 3);
	lun_late_found(&late, "late-drain", &findings);
	assert_line("late-drain", LUN_GOOD, "lun-reset: no write landed after the fence, in 3");
	/* By the abort alone: no reset. */
	setup(NULL);
	fake.slow = true;
	late = late_of(LUN_DRAIN_ABORT);
	assert_int_equal(lun_late_run(&pair, &late), 0);
	assert_int_equal(late.late, 0);
	assert_int_equal(fake.resets, 0);
	lun_late_found(&late, "late-abort", &findings);
	assert_line("late-abort", LUN_GOOD, "PREEMPT AND ABORT alone");
}

static void test_late_lands(void **state)
{
	struct lun_late late = late_of(LUN_DRAIN_ABORT);

	(void)state;
	fake.slow = true;
	fake.abort_drains = false;
	assert_int_equal(lun_late_run(&pair, &late), 0);
	assert_int_equal(late.late, 3);
	lun_late_found(&late, "late-abort", &findings);
	assert_line("late-abort", LUN_WEAK, "3 of 3 rounds");
	/* A reset that does not drain, and a wait that is too short. */
	late = late_of(LUN_DRAIN_RESET);
	fake.reset_drains = false;
	assert_int_equal(lun_late_run(&pair, &late), 0);
	assert_int_equal(late.late, 3);
	lun_late_found(&late, "late-drain", &findings);
	assert_line("late-drain", LUN_BAD, "lun-reset: a write landed");
	late = late_of(LUN_DRAIN_WAIT);
	late.rounds = 1;
	late.wait = 1;
	assert_int_equal(lun_late_run(&pair, &late), 0);
	assert_int_equal(late.late, 1);
}

/* Nothing was under way: it shows nothing. */
static void test_late_nothing(void **state)
{
	struct lun_late late = late_of(LUN_DRAIN_ABORT);

	(void)state;
	fake.dead_victim = true;
	assert_int_equal(lun_late_run(&pair, &late), 0);
	assert_int_equal(late.done, 3);
	assert_int_equal(late.loaded, 0);
	lun_late_found(&late, "late-abort", &findings);
	assert_line("late-abort", LUN_UNKNOWN, "0 of 3 rounds");
}

static void test_late_fails(void **state)
{
	struct lun_late late = late_of(LUN_DRAIN_RESET);

	(void)state;
	fake.slow = true;
	fake.patience = 2;
	fake.preempt_error = -ENOLINK;
	assert_int_equal(lun_late_run(&pair, &late), -ENOLINK);
	assert_string_equal(pair.fencer.error, "preempting failed");
	assert_int_equal(late.done, 0);
	lun_late_found(&late, "late-drain", &findings);
	assert_line("late-drain", LUN_UNKNOWN, "");
	fake.preempt_error = 0;
	fake.reset_error = -EIO;
	assert_int_equal(lun_late_run(&pair, &late), -EIO);
	assert_int_equal(lun_late_result(&late), LUN_LATE_UNKNOWN);
	fake.reset_error = 0;
	fake.reserve_error = -EBADE;
	assert_int_equal(lun_late_run(&pair, &late), -EBADE);
	late.writers = 0;
	assert_int_equal(lun_late_run(&pair, &late), -EINVAL);
	late.writers = 1000;
	assert_int_equal(lun_late_run(&pair, &late), -EINVAL);
	pair.two = false;
	assert_int_equal(lun_late_run(&pair, &late), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_provisioning),
		cmocka_unit_test_setup_teardown(test_good_disk, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_poor_disk, make_root, remove_root),
		cmocka_unit_test_setup(test_capabilities, setup),
		cmocka_unit_test_setup(test_idle, setup),
		cmocka_unit_test_setup(test_pair, setup),
		cmocka_unit_test_setup_teardown(test_try, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_arrays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_fast_abort, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_drained, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_lands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
