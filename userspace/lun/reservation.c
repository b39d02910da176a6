// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persistent reservations: the commands.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/nvme_ioctl.h>
#include <linux/pr.h>
#include <scsi/scsi.h>
#include <scsi/sg.h>

#include "bytes.h"
#include "reservation.h"

_Static_assert(LUN_PR_TYPE == PR_WRITE_EXCLUSIVE_ALL_REGS, "another type");

/* As the kernel gives its own SCSI commands. */
#define TIMEOUT_MS	30000
/* More than one can wait: for a preempt, for a reset, and for each that other nodes do. */
#define ATTENTIONS	6
/* How often registrations may change between the two commands that read them. */
#define CHANGES		20
/* The same while a key is registered by another path, which all I/O waits for. */
#define EXTENDS		5
/* SCSI hosts that are told from each other; how long a reset waits for that of another LUN. */
#define TURNS		64
#define TURN_SECONDS	10

/* SPC-4 6.15, 6.16 */
#define PR_IN			0x5e
#define PR_IN_KEYS		0x00
#define PR_IN_RESERVATION	0x01
#define PR_IN_CAPABILITIES	0x02
#define PR_OUT			0x5f
#define PR_OUT_REGISTER		0x00
#define PR_OUT_REGISTER_IGNORE	0x06
#define PR_OUT_LENGTH		24

/* NVMe 1.4 6.13 */
#define NVME_REPORT		0x0e
#define NVME_REPORT_EXTENDED	0x01
/* "Host identifier inconsistent format": this host has one of 64 bits. */
#define NVME_INCONSISTENT	0x18

/* The C library's scsi/sg.h is older. */
#define RESET_NO_ESCALATE	0x100

/* By one path. A negative errno; -ENOLINK: try the next. */
typedef int (*path_fn)(struct lun *lun, int fd, const char *path, void *data);

/* What went wrong by one path, in a sentence. */
static int path_failed(struct lun *lun, const char *path, const char *what, int error,
		       const char *detail)
{
	const char *means = "the LUN refuses";

	switch (error) {
	case -EBADE:
		means = "reservation conflict";
		break;
	case -ENOLINK:
		means = "path error";
		break;
	case -EOPNOTSUPP:
		means = "the LUN or its driver cannot do this";
		break;
	case -EPROTO:
		means = "the LUN answers what cannot be";
		break;
	case -EAGAIN:
		error = -EIO;
		means = "one unit attention after the other";
		break;
	case -EIO:
		break;
	default:
		means = strerror(-error);
	}
	return lun_fail(lun, error, "%s: %s, by path %s: %s (%s)", lun->device, what, path, means,
			detail);
}

static int one_path(struct lun *lun, size_t path, path_fn fn, void *data)
{
	int error, fd = lun_path_open(lun, path);

	if (fd < 0)
		return fd == -ENXIO || fd == -ENODEV || fd == -ENOENT ? -ENOLINK : fd;
	error = fn(lun, fd, lun->path[path].name, data);
	close(fd);
	return error;
}

static int no_reservations(struct lun *lun)
{
	return lun_fail(lun, -EOPNOTSUPP,
			"%s has no persistent reservations: it is neither SCSI nor NVMe; choose another fence method",
			lun->device);
}

/*
 * By one path after the other, until one has done it. A conflict may be because this node's key is
 * not registered by that path.
 */
static int some_path(struct lun *lun, path_fn fn, void *data)
{
	int error, result = -ENOLINK;
	size_t i;

	if (lun->transport == LUN_OTHER)
		return no_reservations(lun);
	for (i = 0; i < lun->paths; i++) {
		error = one_path(lun, i, fn, data);
		if (error != -ENOLINK && error != -EBADE)
			return error;
		if (error == -EBADE)
			result = error;
	}
	return result;
}

/* By all paths. Returns how many did not work, or an error if none did. */
static int all_paths(struct lun *lun, path_fn fn, void *data)
{
	int error, failed = 0;
	size_t i;

	if (lun->transport == LUN_OTHER)
		return no_reservations(lun);
	for (i = 0; i < lun->paths; i++)
		lun->path[i].done = false;
	for (i = 0; i < lun->paths; i++) {
		error = one_path(lun, i, fn, data);
		if (error && error != -ENOLINK)
			return error;
		lun->path[i].done = !error;
		failed += !!error;
	}
	return failed == (int)lun->paths ? -ENOLINK : failed;
}

/* ---- SCSI commands ---- */

struct scsi {
	const char *what;
	uint8_t cdb[10];
	bool out;
	uint8_t *data;
	uint32_t length;
	size_t arrived;
};

/* Sends it once. */
static int scsi_send(struct scsi *scsi, int fd, struct lun_scsi_end *end)
{
	uint8_t sense[64];
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = scsi->out ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV,
		.cmd_len = sizeof(scsi->cdb),
		.mx_sb_len = sizeof(sense),
		.dxfer_len = scsi->length,
		.dxferp = scsi->data,
		.cmdp = scsi->cdb,
		.sbp = sense,
		.timeout = TIMEOUT_MS,
	};

	*end = (struct lun_scsi_end) { 0 };
	if (ioctl(fd, SG_IO, &io))
		return lun_pr_result(LUN_SCSI, -errno);
	end->status = io.status;
	end->host = io.host_status;
	end->driver = io.driver_status;
	lun_scsi_sense(sense, io.sb_len_wr, end);
	if (io.resid < 0 || (uint32_t)io.resid > scsi->length)
		return -EPROTO;
	scsi->arrived = scsi->length - io.resid;
	return lun_scsi_result(end);
}

static int scsi_command(struct lun *lun, int fd, const char *path, void *data)
{
	struct scsi *scsi = data;
	struct lun_scsi_end end;
	int i, error = -EAGAIN;
	char detail[80];

	for (i = 0; error == -EAGAIN && i < ATTENTIONS; i++)
		error = scsi_send(scsi, fd, &end);
	if (!error)
		return 0;
	snprintf(detail, sizeof(detail), "status 0x%02x, host 0x%02x, sense %x/%02x/%02x",
		 end.status, end.host, end.key, end.asc, end.ascq);
	return path_failed(lun, path, scsi->what, error, detail);
}

/* PERSISTENT RESERVE IN, by any path; free() *bytes. */
static int pr_in(struct lun *lun, uint8_t action, uint16_t length, uint8_t **bytes,
		 size_t *arrived)
{
	struct scsi scsi = {
		.what = "reading persistent reservations",
		.cdb = { PR_IN, action, [7] = length >> 8, [8] = length & 0xff },
		.length = length,
	};
	int error;

	scsi.data = calloc(1, length);
	if (!scsi.data)
		return lun_fail(lun, -ENOMEM, "%s: out of memory", lun->device);
	error = some_path(lun, scsi_command, &scsi);
	if (error) {
		free(scsi.data);
		return error;
	}
	*bytes = scsi.data;
	*arrived = scsi.arrived;
	return 0;
}

static int bad_answer(struct lun *lun, const char *what)
{
	return lun_fail(lun, -EPROTO, "%s: what it answers to %s cannot be", lun->device, what);
}

static int scsi_keys(struct lun *lun, struct lun_pr *pr)
{
	uint16_t length = 1024;
	uint8_t *bytes;
	size_t arrived;
	int error;

	for (;;) {
		error = pr_in(lun, PR_IN_KEYS, length, &bytes, &arrived);
		if (error)
			return error;
		pr->keys = calloc(arrived / 8 + 1, sizeof(*pr->keys));
		error = pr->keys ? lun_pr_in_keys(bytes, arrived, &pr->generation, pr->keys,
						  &pr->count) : -ENOMEM;
		free(bytes);
		/* Full to the last key: some targets count only what fits. */
		if (!error && 8 + 8 * pr->count == length)
			error = -EMSGSIZE;
		if (!error)
			return 0;
		lun_pr_free(pr);
		if (error == -ENOMEM)
			return lun_fail(lun, error, "%s: out of memory", lun->device);
		if (error != -EMSGSIZE || length == UINT16_MAX)
			return bad_answer(lun, "READ KEYS");
		length = UINT16_MAX;
	}
}

static int scsi_reservation(struct lun *lun, struct lun_pr *pr)
{
	size_t arrived;
	uint8_t *bytes;
	int error = pr_in(lun, PR_IN_RESERVATION, PR_OUT_LENGTH, &bytes, &arrived);

	if (error)
		return error;
	error = lun_pr_in_reservation(bytes, arrived, pr);
	free(bytes);
	return error ? bad_answer(lun, "READ RESERVATION") : 0;
}

int lun_pr_capabilities(struct lun *lun, struct lun_pr_capabilities *can)
{
	size_t arrived;
	uint8_t *bytes;
	int error;

	if (lun->transport != LUN_SCSI)
		return no_reservations(lun);
	error = pr_in(lun, PR_IN_CAPABILITIES, 8, &bytes, &arrived);
	if (error)
		return error;
	error = lun_pr_in_capabilities(bytes, arrived, can);
	free(bytes);
	return error ? bad_answer(lun, "REPORT CAPABILITIES") : 0;
}

/* A LUN that does not know the command is taken to have it. */
static bool scsi_persists(struct lun *lun)
{
	struct lun_pr_capabilities can;
	int error = lun_pr_capabilities(lun, &can);

	return error ? error != -EPROTO : can.persists;
}

/* Both commands, until nothing has changed between them. */
static int scsi_read(struct lun *lun, struct lun_pr *pr)
{
	uint32_t generation;
	int error, i;

	for (i = 0; i < CHANGES; i++) {
		error = scsi_keys(lun, pr);
		if (error)
			return error;
		generation = pr->generation;
		error = scsi_reservation(lun, pr);
		if (!error && pr->generation == generation)
			return 0;
		lun_pr_free(pr);
		if (error)
			return error;
	}
	return lun_fail(lun, -EIO, "%s: its registrations do not stop changing", lun->device);
}

/* ---- NVMe ---- */

struct report {
	uint8_t *data;
	uint32_t length;
	bool extended;
};

static int nvme_report(struct lun *lun, int fd, const char *path, void *data)
{
	struct report *report = data;
	struct nvme_passthru_cmd cmd = {
		.opcode = NVME_REPORT,
		.addr = (uintptr_t)report->data,
		.data_len = report->length,
		.cdw10 = report->length / 4 - 1,
		.cdw11 = NVME_REPORT_EXTENDED,
		.timeout_ms = TIMEOUT_MS,
	};
	int result, nsid = ioctl(fd, NVME_IOCTL_ID);
	char detail[40];

	if (nsid < 0)
		return path_failed(lun, path, "reading the namespace's number",
				   lun_pr_result(LUN_NVME, -errno), "NVME_IOCTL_ID");
	cmd.nsid = nsid;
	report->extended = true;
	result = ioctl(fd, NVME_IOCTL_IO_CMD, &cmd);
	if (result > 0 && (result & 0x7ff) == NVME_INCONSISTENT) {
		report->extended = false;
		cmd.cdw11 = 0;
		result = ioctl(fd, NVME_IOCTL_IO_CMD, &cmd);
	}
	if (!result)
		return 0;
	snprintf(detail, sizeof(detail), "%s %d", result < 0 ? "errno" : "status",
		 result < 0 ? errno : result);
	/* Not the kernel's interpretation, as in linux/pr.h: always the command's own status. */
	return path_failed(lun, path, "reading reservations",
			   lun_pr_result(LUN_NVME, result < 0 ? -errno : result), detail);
}

static int nvme_read(struct lun *lun, struct lun_pr *pr)
{
	struct report report = { .length = 64 + 64 * LUN_KEYS_MAX };
	uint64_t *keys = calloc(LUN_KEYS_MAX, sizeof(*keys));
	int error = -ENOMEM;

	report.data = calloc(1, report.length);
	if (report.data && keys)
		error = some_path(lun, nvme_report, &report);
	else
		lun_fail(lun, error, "%s: out of memory", lun->device);
	if (!error && lun_pr_nvme_report(report.data, report.length, report.extended, pr, keys))
		error = bad_answer(lun, "Reservation Report");
	free(report.data);
	if (error) {
		free(keys);
		*pr = (struct lun_pr) { 0 };
	}
	return error;
}

int lun_pr_read(struct lun *lun, struct lun_pr *pr)
{
	*pr = (struct lun_pr) { 0 };
	return lun->transport == LUN_NVME ? nvme_read(lun, pr) : scsi_read(lun, pr);
}

void lun_pr_free(struct lun_pr *pr)
{
	free(pr->keys);
	pr->keys = NULL;
	pr->count = 0;
}

static size_t times(const struct lun_pr *pr, uint64_t key)
{
	size_t i, count = 0;

	for (i = 0; i < pr->count; i++)
		count += pr->keys[i] == key;
	return count;
}

bool lun_pr_has(const struct lun_pr *pr, uint64_t key)
{
	return times(pr, key);
}

/* ---- changes ---- */

struct change {
	const char *what;
	unsigned long request;
	void *argument;
};

/*
 * 6.1 does not say what a CHECK CONDITION was about, nor does it send the command again after a
 * unit attention, as 6.12 does.
 */
static int change(struct lun *lun, int fd, const char *path, void *data)
{
	struct change *ch = data;
	int i, result = 0, error = -EIO;
	char detail[40];

	for (i = 0; error == -EIO && i < ATTENTIONS; i++) {
		result = ioctl(fd, ch->request, ch->argument);
		if (result < 0)
			result = -errno;
		error = lun_pr_result(lun->transport, result);
		if (result < 0)
			break;
	}
	if (!error)
		return 0;
	snprintf(detail, sizeof(detail), result < 0 ? "errno %d" : "result 0x%x", abs(result));
	return path_failed(lun, path, ch->what, error, detail);
}

/*
 * Without "activate persist through power loss", which a LUN that has no such thing refuses, and
 * which the kernel always asks for, to take a key away, too (sd_pr_register()).
 */
static int change_volatile(struct lun *lun, path_fn fn, const char *what, uint8_t action,
			   uint64_t old_key, uint64_t new_key)
{
	uint8_t parameters[PR_OUT_LENGTH] = { 0 };
	struct scsi scsi = {
		.what = what,
		.cdb = { PR_OUT, action, [8] = PR_OUT_LENGTH },
		.out = true,
		.data = parameters,
		.length = sizeof(parameters),
	};

	put_be64(parameters, old_key);
	put_be64(parameters + 8, new_key);
	return all_paths(lun, fn, &scsi);
}

static bool is_volatile(struct lun *lun)
{
	return lun->transport == LUN_SCSI && !scsi_persists(lun);
}

int lun_pr_register(struct lun *lun, uint64_t key)
{
	struct pr_registration registration = {
		/*
		 * To ignore the old key is what replaces it; NVMe does that only for "replace",
		 * which the kernel takes for an old key that is not 0. For SCSI it has to be 0:
		 * LIO refuses another, which SPC-4 has it ignore.
		 */
		.old_key = lun->transport == LUN_NVME ? key : 0,
		.new_key = key,
		.flags = PR_FL_IGNORE_KEY,
	};
	struct change ch = { "registering a key", IOC_PR_REGISTER, &registration };

	if (is_volatile(lun))
		return change_volatile(lun, scsi_command, ch.what, PR_OUT_REGISTER_IGNORE, 0, key);
	return all_paths(lun, change, &ch);
}

/* A conflict: by this path it is not there. */
static int unregister(struct lun *lun, int fd, const char *path, void *data)
{
	int error = change(lun, fd, path, data);

	return error == -EBADE ? 0 : error;
}

static int unregister_volatile(struct lun *lun, int fd, const char *path, void *data)
{
	int error = scsi_command(lun, fd, path, data);

	return error == -EBADE ? 0 : error;
}

int lun_pr_unregister(struct lun *lun, uint64_t key)
{
	struct pr_registration registration = { .old_key = key };
	struct change ch = { "taking a key away", IOC_PR_REGISTER, &registration };

	if (is_volatile(lun))
		return change_volatile(lun, unregister_volatile, ch.what, PR_OUT_REGISTER, key, 0);
	return all_paths(lun, unregister, &ch);
}

/* How often the key is there, and the generation. */
static int count_key(struct lun *lun, uint64_t key, size_t *count, uint32_t *generation)
{
	struct lun_pr pr;
	int error = lun_pr_read(lun, &pr);

	if (error)
		return error;
	*count = times(&pr, key);
	*generation = pr.generation;
	lun_pr_free(&pr);
	return 0;
}

/*
 * Nothing but this register has come between, which one that was refused need not have done: so the
 * key was there when it was registered once more. That it cannot be known is not that.
 */
static bool proven(struct lun *one, struct lun *all, uint64_t key, size_t before,
		   uint32_t generation, bool refused)
{
	uint32_t now;
	size_t after;

	/* The path may have failed by now. */
	if (count_key(one, key, &after, &now) && count_key(all, key, &after, &now))
		return false;
	return after >= before && (now - generation == 1 || (refused && now == generation));
}

static int not_there(struct lun *lun, uint64_t key)
{
	return lun_fail(lun, -EBADE, "%s: key 0x%016llx is not registered any more", lun->device,
			(unsigned long long)key);
}

static struct lun by_path(const struct lun *lun, size_t path)
{
	struct lun one = *lun;

	one.paths = 1;
	one.path[0] = lun->path[path];
	return one;
}

int lun_pr_probe(struct lun *lun, size_t path, uint64_t key)
{
	struct lun one = by_path(lun, path);
	struct lun_pr pr;
	int error = lun_pr_read(&one, &pr);

	memcpy(lun->error, one.error, sizeof(one.error));
	if (!error && !lun_pr_has(&pr, key))
		error = not_there(lun, key);
	lun_pr_free(&pr);
	return error;
}

/* It may have been taken away, and be there by that path, now or later. */
static int not_known(struct lun *lun, size_t path, uint64_t key, const char *why)
{
	return lun_fail(lun, -ENOTRECOVERABLE,
			"%s: key 0x%016llx may be registered by path %s after it was taken away: %s",
			lun->device, (unsigned long long)key, lun->path[path].name, why);
}

int lun_pr_extend(struct lun *lun, size_t path, uint64_t key)
{
	struct lun one = by_path(lun, path);
	uint32_t generation;
	int error, i;
	size_t count;

	for (i = 0; i < EXTENDS; i++) {
		error = count_key(&one, key, &count, &generation);
		if (!error && !count)
			return not_there(lun, key);
		memcpy(lun->error, one.error, sizeof(one.error));
		if (error)
			return error;
		error = lun_pr_register(&one, key);
		memcpy(lun->error, one.error, sizeof(one.error));
		/* Whoever has not answered may do it yet, after any fence. */
		if (error == -ENOLINK)
			return not_known(lun, path, key, one.error);
		if (proven(&one, lun, key, count, generation, error))
			return error;
		if (lun_pr_unregister(&one, key))
			return not_known(lun, path, key, one.error);
	}
	return lun_fail(lun, -EAGAIN, "%s: its registrations do not stop changing", lun->device);
}

/*
 * The LUN has refused, and LIO does so in these words (a check condition, on which the kernel says
 * EIO) also to who has no key, where SPC-4 5.12.4 wants a reservation conflict.
 */
static int no_key(struct lun *lun, uint64_t key)
{
	char said[LUN_ERROR_LEN];
	struct lun_pr pr;
	bool has;

	memcpy(said, lun->error, sizeof(said));
	has = lun_pr_read(lun, &pr) || lun_pr_has(&pr, key);
	lun_pr_free(&pr);
	memcpy(lun->error, said, sizeof(said));
	if (has)
		return -EIO;
	return lun_fail(lun, -EBADE, "%s: reserving: key 0x%016llx is not registered",
			lun->device, (unsigned long long)key);
}

int lun_pr_reserve(struct lun *lun, uint64_t key)
{
	struct pr_reservation reservation = { .key = key, .type = LUN_PR_TYPE };
	struct change ch = { "reserving", IOC_PR_RESERVE, &reservation };
	int error = some_path(lun, change, &ch);

	return error == -EIO ? no_key(lun, key) : error;
}

int lun_pr_preempt(struct lun *lun, uint64_t key, uint64_t victim)
{
	struct pr_preempt preempt = { .old_key = key, .new_key = victim, .type = LUN_PR_TYPE };
	struct change ch = { "taking another node's key away", IOC_PR_PREEMPT_ABORT, &preempt };

	return some_path(lun, change, &ch);
}

/*
 * Of all LUNs behind a SCSI host, which with iSCSI is a session, one is reset at a time: with
 * another one under way Linux's initiator says EIO at once (iscsi_eh_device_reset()). Volumes that
 * are fenced together take turns. One that does not end is not waited for any longer.
 */
static pthread_mutex_t turns[TURNS] = { [0 ... TURNS - 1] = PTHREAD_MUTEX_INITIALIZER };

/* NULL: it did not come. */
static pthread_mutex_t *take_turn(int fd)
{
	unsigned int host = 0;
	struct timespec limit;

	/* Which host it is, is not known: those of which that is so take turns, too. */
	if (ioctl(fd, SCSI_IOCTL_GET_BUS_NUMBER, &host))
		host = 0;
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += TURN_SECONDS;
	return pthread_mutex_clocklock(&turns[host % TURNS], CLOCK_MONOTONIC, &limit) ?
		       NULL :
		       &turns[host % TURNS];
}

/* The kernel says EIO for whatever went wrong: another path may do it. */
static int reset(struct lun *lun, int fd, const char *path, void *data)
{
	int what = SG_SCSI_RESET_DEVICE | RESET_NO_ESCALATE, error;
	pthread_mutex_t *turn = take_turn(fd);
	char detail[40];

	(void)data;
	error = ioctl(fd, SG_SCSI_RESET, &what) ? errno : 0;
	if (turn)
		pthread_mutex_unlock(turn);
	if (!error)
		return 0;
	snprintf(detail, sizeof(detail), "errno %d", error);
	path_failed(lun, path, "resetting the logical unit",
		    error == EIO ? -EIO : lun_pr_result(LUN_SCSI, -error), detail);
	return error == EACCES ? -EACCES : -ENOLINK;
}

int lun_reset(struct lun *lun)
{
	int error;

	if (lun->transport != LUN_SCSI)
		return lun_fail(lun, -EOPNOTSUPP,
				"%s has no LOGICAL UNIT RESET: it is no SCSI LUN; choose another drain method",
				lun->device);
	error = some_path(lun, reset, NULL);
	/* Refused, timed out, not there: the sentence has what the last path said. */
	return error == -ENOLINK ? -EIO : error;
}
