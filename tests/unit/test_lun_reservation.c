// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persistent reservations: the commands, on a LUN that is played, behind paths that may be broken.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <linux/nvme_ioctl.h>
#include <linux/pr.h>
#include <scsi/scsi.h>
#include <scsi/sg.h>

#include "../../userspace/lun/bytes.h"
#include "../../userspace/lun/reservation.h"
#include "lun_wrap.h"
#include "test.h"

/* ---- a LUN with two paths of this node; others have registered by paths of theirs ---- */

#define FD	1000
#define KEYS	2000
#define OWN	2	/* the first registrations are those of this node's paths */

static struct {
	uint64_t keys[KEYS];	/* by path; 0: none */
	size_t paths;
	uint32_t generation;
	unsigned int type;	/* SCSI's; 0: nothing is reserved */
	int broken[OWN];	/* what its ioctls return: negative errno, or a positive result */
	int attentions;
	bool persists, conflict, mute, truncates;
	bool reads_well;	/* though its paths are broken */
	bool changes;		/* somebody registers between any two commands */
	/* Before the command of that number this node is fenced, another registers, b breaks. */
	int fence_at, other_at, break_at, refuse_at;
	int opens, commands, reset_errno;
	/* Resets: under way, how many were so at once; how long one takes; a host for each path. */
	int resetting, together, reset_ms;
	bool hosts;
	uint8_t sense[3];	/* of a LUN that refuses */
	char log[512];
} fake;

static struct lun lun;

__attribute__((format(printf, 1, 2)))
static void note(const char *format, ...)
{
	size_t used = strlen(fake.log);
	va_list args;

	va_start(args, format);
	vsnprintf(fake.log + used, sizeof(fake.log) - used, format, args);
	va_end(args);
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.paths = OWN + 2;
	fake.persists = true;
	fake.generation = 1;
	lun = (struct lun) { .device = "/dev/fake", .transport = LUN_SCSI, .paths = 1,
			     .path = { { "a" }, { "b" } } };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(fake.opens, 0);
	return 0;
}

int __wrap_lun_path_open(struct lun *l, size_t path)
{
	assert_true(path < l->paths);
	__atomic_add_fetch(&fake.opens, 1, __ATOMIC_SEQ_CST);
	return FD + l->path[path].name[0] - 'a';
}

int __wrap_close(int fd)
{
	assert_true(fd >= FD && fd < FD + OWN);
	__atomic_sub_fetch(&fake.opens, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void fill_keys(uint8_t *data, size_t length)
{
	size_t i, at = 8, count = 0;

	for (i = 0; i < fake.paths; i++) {
		if (!fake.keys[i])
			continue;
		count++;
		if (at + 8 <= length)
			put_be64(data + at, fake.keys[i]);
		at += 8;
	}
	if (fake.truncates && at > length)
		count = (length - 8) / 8;
	put_be32(data, fake.generation);
	put_be32(data + 4, 8 * count);
}

static void fill_reservation(uint8_t *data)
{
	put_be32(data, fake.generation);
	if (!fake.type)
		return;
	put_be32(data + 4, 16);
	data[21] = fake.type;
}

/* PERSISTENT RESERVE OUT with REGISTER (a key away), or REGISTER AND IGNORE EXISTING KEY. */
static void register_out(size_t path, struct sg_io_hdr *io)
{
	const uint8_t *data = io->dxferp;
	bool away = io->cmdp[1] == 0x00;

	assert_int_equal(io->dxfer_direction, SG_DXFER_TO_DEV);
	assert_true(away || io->cmdp[1] == 0x06);
	assert_int_equal(get_be32(io->cmdp + 5), 24);
	assert_int_equal(io->dxfer_len, 24);
	assert_int_equal(data[20], 0);	/* no APTPL */
	assert_true(away == !get_be64(data + 8));
	note("%zu:%s ", path, away ? "volatile-away" : "volatile");
	if (away && get_be64(data) != fake.keys[path]) {
		io->status = 0x18;
		return;
	}
	fake.keys[path] = get_be64(data + 8);
	fake.generation++;
}

static int refused(struct sg_io_hdr *io, uint8_t key, uint8_t asc, uint8_t ascq)
{
	memset(io->sbp, 0, 18);
	io->sbp[0] = 0x70;
	io->sbp[2] = key;
	io->sbp[12] = asc;
	io->sbp[13] = ascq;
	io->sb_len_wr = 18;
	io->status = 0x02;
	io->driver_status = 0x08;
	return 0;
}

static int sg_io(size_t path, struct sg_io_hdr *io)
{
	uint8_t *data = io->dxferp;
	size_t i, used = 0;

	assert_int_equal(io->interface_id, 'S');
	assert_true(io->timeout > 0);
	if (fake.attentions && fake.attentions--)
		return refused(io, 0x6, 0x2a, 0x05);
	if (fake.sense[0])
		return refused(io, fake.sense[0], fake.sense[1], fake.sense[2]);
	if (io->cmdp[0] == 0x5f) {
		register_out(path, io);
		return 0;
	}
	assert_int_equal(io->cmdp[0], 0x5e);
	assert_int_equal(io->dxfer_direction, SG_DXFER_FROM_DEV);
	assert_int_equal(get_be16(io->cmdp + 7), io->dxfer_len);
	assert_int_equal(io->cmd_len, 10);
	switch (io->cmdp[1]) {
	case 0:
		fill_keys(data, io->dxfer_len);
		for (i = 0; i < fake.paths; i++)
			used += 8 * !!fake.keys[i];
		used += 8;
		break;
	case 1:
		fill_reservation(data);
		used = fake.type ? 24 : 8;
		break;
	case 2:
		data[1] = 8;
		data[2] = fake.persists;
		used = 8;
		break;
	default:
		fail();
	}
	if (fake.mute)
		used = 4;
	io->resid = used < io->dxfer_len ? io->dxfer_len - used : 0;
	if (fake.changes)
		fake.generation++;
	return 0;
}

static int pr_register(size_t path, const struct pr_registration *reg)
{
	note("%zu:%s ", path, reg->new_key ? "register" : "unregister");
	/* sd_pr_register() wants it kept over a power loss, whatever it is. */
	if (lun.transport == LUN_SCSI && !fake.persists)
		return 0x02;
	if (reg->flags & PR_FL_IGNORE_KEY)
		assert_int_equal(reg->old_key, lun.transport == LUN_NVME ? reg->new_key : 0);
	else if (fake.keys[path] != reg->old_key)
		return 0x18;
	fake.keys[path] = reg->new_key;
	fake.generation++;
	return 0;
}

static int pr_reserve(size_t path, const struct pr_reservation *reservation)
{
	note("%zu:reserve ", path);
	if (fake.keys[path] != reservation->key || (fake.type && fake.type != 7))
		return 0x18;
	assert_int_equal(reservation->type, PR_WRITE_EXCLUSIVE_ALL_REGS);
	fake.type = 7;
	return 0;
}

static int pr_preempt(size_t path, const struct pr_preempt *preempt)
{
	bool found = false;
	size_t i;

	note("%zu:preempt ", path);
	assert_int_equal(preempt->type, PR_WRITE_EXCLUSIVE_ALL_REGS);
	if (fake.keys[path] != preempt->old_key)
		return 0x18;
	for (i = 0; i < fake.paths; i++) {
		if (fake.keys[i] != preempt->new_key)
			continue;
		fake.keys[i] = 0;
		found = true;
	}
	fake.generation++;
	return found ? 0 : 0x18;
}

static int nvme_report(const struct nvme_passthru_cmd *cmd)
{
	uint8_t *data = (uint8_t *)(uintptr_t)cmd->addr;
	bool extended = cmd->cdw11 & 1;
	size_t i, count = 0, head = extended ? 64 : 24;

	assert_int_equal(cmd->opcode, 0x0e);
	assert_int_equal(cmd->nsid, 3);
	assert_int_equal((cmd->cdw10 + 1) * 4, cmd->data_len);
	if (fake.conflict && extended)
		return 0x4018;
	data[0] = fake.generation;
	data[4] = fake.type ? 5 : 0;
	for (i = 0; i < fake.paths; i++) {
		if (!fake.keys[i])
			continue;
		put_le64(data + head + count * head + (extended ? 8 : 16), fake.keys[i]);
		data[head + count * head + 2] = fake.type ? 1 : 0;
		count++;
	}
	data[5] = count & 0xff;
	data[6] = count >> 8;
	return 0;
}

static void meanwhile(void)
{
	if (fake.commands == fake.fence_at) {
		memset(fake.keys, 0, OWN * sizeof(*fake.keys));
		fake.generation++;
	}
	if (fake.commands == fake.other_at)
		fake.generation++;
	if (fake.commands == fake.break_at)
		fake.broken[1] = 0x10000;
}

/* Until its time is over, or another one is under way. */
static int scsi_reset(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int left = fake.reset_ms;

	if (__atomic_add_fetch(&fake.resetting, 1, __ATOMIC_SEQ_CST) > 1)
		__atomic_store_n(&fake.together, 2, __ATOMIC_SEQ_CST);
	while (left-- > 0 && !__atomic_load_n(&fake.together, __ATOMIC_SEQ_CST))
		nanosleep(&pause, NULL);
	__atomic_sub_fetch(&fake.resetting, 1, __ATOMIC_SEQ_CST);
	errno = fake.reset_errno;
	return fake.reset_errno ? -1 : 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	size_t path = fd - FD;
	void *argument;
	va_list args;
	int result;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	assert_true(path < OWN);
	fake.commands++;
	meanwhile();
	if (fake.broken[path] < 0) {
		errno = -fake.broken[path];
		return -1;
	}
	if (fake.broken[path] && request != SG_IO)
		return fake.broken[path];
	switch (request) {
	case SG_IO:
		if (fake.broken[path] && !fake.reads_well) {
			((struct sg_io_hdr *)argument)->host_status = fake.broken[path] >> 16;
			return 0;
		}
		return sg_io(path, argument);
	case NVME_IOCTL_ID:
		return 3;
	case NVME_IOCTL_IO_CMD:
		return nvme_report(argument);
	case SG_SCSI_RESET:
		assert_int_equal(*(int *)argument, 0x101);
		note("%zu:reset ", path);
		return scsi_reset();
	case SCSI_IOCTL_GET_BUS_NUMBER:
		*(int *)argument = fake.hosts ? path : 0;
		return 0;
	}
	if (fake.attentions && fake.attentions--)
		return 0x02;
	if (fake.commands == fake.refuse_at) {
		errno = EOPNOTSUPP;
		return -1;
	}
	switch (request) {
	case IOC_PR_REGISTER:
		result = pr_register(path, argument);
		break;
	case IOC_PR_RESERVE:
		result = pr_reserve(path, argument);
		break;
	case IOC_PR_PREEMPT_ABORT:
		result = pr_preempt(path, argument);
		break;
	default:
		fail_msg("ioctl 0x%lx", request);
		return -1;
	}
	/* NVMe, on 6.1. */
	return result && lun.transport == LUN_NVME ? 0x4083 : result;
}

static void assert_error(int error, int expected, const char *says)
{
	assert_int_equal(error, expected);
	if (!strstr(lun.error, says))
		fail_msg("\"%s\" is not in \"%s\"", says, lun.error);
}

/* ---- commands ---- */

static void test_life(void **state)
{
	struct lun_pr pr;

	(void)state;
	fake.keys[2] = 77;
	assert_int_equal(lun_pr_register(&lun, 5), 0);
	assert_int_equal(lun_pr_reserve(&lun, 5), 0);
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	assert_int_equal(pr.count, 2);
	assert_true(lun_pr_has(&pr, 5));
	assert_true(lun_pr_has(&pr, 77));
	assert_false(lun_pr_has(&pr, 78));
	assert_true(pr.held);
	assert_int_equal(pr.type, LUN_PR_TYPE);
	lun_pr_free(&pr);
	assert_int_equal(lun_pr_preempt(&lun, 5, 77), 0);
	assert_int_equal(fake.keys[2], 0);
	/* It is not there any more; or we are not. */
	assert_error(lun_pr_preempt(&lun, 5, 77), -EBADE, "conflict");
	assert_error(lun_pr_preempt(&lun, 6, 5), -EBADE, "conflict");
	/* With a new key: the old one goes. */
	assert_int_equal(lun_pr_register(&lun, 6), 0);
	assert_int_equal(fake.keys[0], 6);
	assert_int_equal(lun_pr_unregister(&lun, 5), 0);
	assert_int_equal(fake.keys[0], 6);
	assert_int_equal(lun_pr_unregister(&lun, 6), 0);
	assert_int_equal(fake.keys[0], 0);
	assert_error(lun_pr_reserve(&lun, 6), -EBADE, "reserving, by path a: reservation conflict");
	assert_non_null(strstr(lun.error, "0x18"));
	/* A target that has other words for it. */
	fake.broken[0] = 0x02;
	fake.reads_well = true;
	assert_error(lun_pr_reserve(&lun, 6), -EBADE, "is not registered");
	fake.keys[0] = 6;
	assert_error(lun_pr_reserve(&lun, 6), -EIO, "refuses");
}

/* After a preempt or a reset the first commands are not done. */
static void test_attention(void **state)
{
	struct lun_pr pr;

	(void)state;
	fake.attentions = 1;
	assert_int_equal(lun_pr_register(&lun, 5), 0);
	fake.attentions = 3;
	assert_int_equal(lun_pr_reserve(&lun, 5), 0);
	fake.attentions = 3;
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	assert_int_equal(pr.count, 1);
	lun_pr_free(&pr);
	/* But not for ever. */
	fake.attentions = 1000;
	assert_error(lun_pr_read(&lun, &pr), -EIO, "unit attention");
	assert_error(lun_pr_reserve(&lun, 5), -EIO, "refuses");
	assert_true(fake.commands < 40);
}

static void test_many_keys(void **state)
{
	struct lun_pr pr;
	size_t i;

	(void)state;
	fake.paths = KEYS;
	for (i = 0; i < KEYS; i++)
		fake.keys[i] = i + 1;
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	assert_int_equal(pr.count, KEYS);
	assert_int_equal(pr.keys[KEYS - 1], KEYS);
	lun_pr_free(&pr);
	/* A target that counts only what it can give. */
	fake.truncates = true;
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	assert_int_equal(pr.count, KEYS);
	lun_pr_free(&pr);
}

static void test_bad_answers(void **state)
{
	struct lun_pr pr;

	(void)state;
	fake.mute = true;
	assert_error(lun_pr_read(&lun, &pr), -EPROTO, "READ KEYS");
	fake.mute = false;
	fake.type = 0x17;
	assert_error(lun_pr_read(&lun, &pr), -EPROTO, "READ RESERVATION");
	fake.type = 0;
	fake.changes = true;
	assert_error(lun_pr_read(&lun, &pr), -EIO, "changing");
	fake.changes = false;
	fake.sense[0] = 5;
	fake.sense[1] = 0x20;
	assert_error(lun_pr_read(&lun, &pr), -EOPNOTSUPP, "sense 5/20/00");
	fake.sense[1] = 0x55;
	fake.sense[2] = 0x04;
	assert_error(lun_pr_read(&lun, &pr), -EIO, "sense 5/55/04");
	assert_null(pr.keys);
}

/* A LUN that cannot keep reservations over a power loss refuses to be asked for it. */
static void test_volatile(void **state)
{
	(void)state;
	lun.paths = 2;
	fake.persists = false;
	assert_int_equal(lun_pr_register(&lun, 5), 0);
	assert_string_equal(fake.log, "0:volatile 1:volatile ");
	assert_int_equal(fake.keys[1], 5);
	/* Not even to let go of a key; who has none by a path has let go of it. */
	fake.keys[0] = 6;
	fake.log[0] = '\0';
	assert_int_equal(lun_pr_unregister(&lun, 5), 0);
	assert_string_equal(fake.log, "0:volatile-away 1:volatile-away ");
	assert_int_equal(fake.keys[0], 6);
	assert_int_equal(fake.keys[1], 0);
	assert_int_equal(lun_pr_unregister(&lun, 6), 0);
	assert_int_equal(fake.keys[0], 0);
	/* A path that is down keeps it. */
	fake.keys[0] = 5;
	fake.keys[1] = 5;
	fake.broken[1] = 0x10000;
	assert_int_equal(lun_pr_unregister(&lun, 5), 1);
	assert_int_equal(fake.keys[0], 0);
	assert_int_equal(fake.keys[1], 5);
}

static void test_two_paths(void **state)
{
	struct lun_pr pr;

	(void)state;
	lun.paths = 2;
	fake.keys[3] = 77;
	assert_int_equal(lun_pr_register(&lun, 5), 0);
	assert_string_equal(fake.log, "0:register 1:register ");
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	assert_int_equal(pr.count, 3);
	lun_pr_free(&pr);
	/* One breaks: all works by the other. */
	fake.broken[0] = -ENODEV;
	assert_int_equal(lun_pr_reserve(&lun, 5), 0);
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	lun_pr_free(&pr);
	assert_int_equal(lun_pr_preempt(&lun, 5, 77), 0);
	fake.log[0] = '\0';
	assert_int_equal(lun_reset(&lun), 0);
	assert_string_equal(fake.log, "1:reset ");
	/* A new key: the path that is broken does not get it, and is counted. */
	assert_int_equal(lun_pr_register(&lun, 6), 1);
	assert_int_equal(fake.keys[1], 6);
	assert_non_null(strstr(lun.error, "path a"));
	assert_false(lun.path[0].done);
	assert_true(lun.path[1].done);
	/* It is back, and nobody has registered it: what it refuses the other does. */
	fake.broken[0] = 0;
	fake.keys[0] = 0;
	fake.keys[2] = 78;
	assert_int_equal(lun_pr_preempt(&lun, 6, 78), 0);
	assert_int_equal(lun_pr_register(&lun, 6), 0);
	assert_int_equal(fake.keys[0], 6);
	/* Both break. */
	fake.broken[0] = 0x10000;
	fake.broken[1] = 0xf0000;
	assert_error(lun_pr_register(&lun, 6), -ENOLINK, "path error");
	assert_error(lun_pr_preempt(&lun, 6, 78), -ENOLINK, "path error");
	assert_error(lun_pr_read(&lun, &pr), -ENOLINK, "path error");
	assert_int_equal(lun_pr_unregister(&lun, 6), -ENOLINK);
	fake.broken[1] = 0;
	assert_int_equal(lun_pr_unregister(&lun, 6), 1);
	assert_int_equal(fake.keys[1], 0);
}

/* ---- one more path ---- */

/* This node's key is 5; path a has it, path b has come back. */
static void come_back(void)
{
	setup(NULL);
	lun.paths = 2;
	fake.keys[0] = 5;
	fake.keys[3] = 77;
}

/* What lun_pr_extend() sends: keys and reservation; capabilities; the register; the two again. */
#define AT_REGISTER	4
#define AFTER_REGISTER	5

static void test_extend(void **state)
{
	(void)state;
	come_back();
	assert_int_equal(lun_pr_probe(&lun, 1, 5), 0);
	assert_int_equal(lun_pr_extend(&lun, 1, 5), 0);
	assert_string_equal(fake.log, "1:register ");
	assert_int_equal(fake.keys[1], 5);
	assert_int_equal(fake.keys[0], 5);
	/* It has it already. */
	assert_int_equal(lun_pr_extend(&lun, 1, 5), 0);
	assert_int_equal(fake.keys[1], 5);
	/* Others register while this goes on. */
	come_back();
	fake.other_at = AT_REGISTER;
	assert_int_equal(lun_pr_extend(&lun, 1, 5), 0);
	assert_string_equal(fake.log, "1:register 1:unregister 1:register ");
	assert_int_equal(fake.keys[1], 5);
	come_back();
	fake.persists = false;
	assert_int_equal(lun_pr_extend(&lun, 1, 5), 0);
	assert_string_equal(fake.log, "1:volatile ");
	assert_int_equal(fake.keys[1], 5);
	/* Taken back in the same way. */
	come_back();
	fake.persists = false;
	fake.other_at = AT_REGISTER;
	assert_int_equal(lun_pr_extend(&lun, 1, 5), 0);
	assert_string_equal(fake.log, "1:volatile 1:volatile-away 1:volatile ");
	come_back();
	fake.persists = false;
	fake.fence_at = AT_REGISTER;
	assert_error(lun_pr_extend(&lun, 1, 5), -EBADE, "not registered any more");
	assert_int_equal(fake.keys[1], 0);
}

/* I3: a key that was taken away does not come back, whenever that was. */
static void test_extend_fenced(void **state)
{
	int at;

	(void)state;
	come_back();
	fake.keys[0] = 0;
	assert_error(lun_pr_probe(&lun, 1, 5), -EBADE, "not registered any more");
	assert_error(lun_pr_extend(&lun, 1, 5), -EBADE, "not registered any more");
	assert_string_equal(fake.log, "");
	for (at = 1; at <= AFTER_REGISTER + 1; at++) {
		come_back();
		fake.fence_at = at;
		assert_error(lun_pr_extend(&lun, 1, 5), -EBADE, "not registered any more");
		assert_int_equal(fake.keys[1], 0);
		assert_int_equal(fake.keys[3], 77);
	}
	/* And it cannot be taken back. */
	come_back();
	fake.fence_at = AT_REGISTER;
	fake.break_at = AFTER_REGISTER;
	assert_error(lun_pr_extend(&lun, 1, 5), -ENOTRECOVERABLE, "by path b");
	assert_int_equal(fake.keys[1], 5);
}

static void test_extend_broken(void **state)
{
	(void)state;
	come_back();
	fake.broken[1] = 0x10000;
	assert_error(lun_pr_probe(&lun, 1, 5), -ENOLINK, "path b");
	assert_error(lun_pr_extend(&lun, 1, 5), -ENOLINK, "path b");
	/* Refused: it is not there, and will not be. */
	come_back();
	fake.refuse_at = AT_REGISTER;
	assert_error(lun_pr_extend(&lun, 1, 5), -EOPNOTSUPP, "path b");
	assert_int_equal(fake.keys[1], 0);
	assert_string_equal(fake.log, "");
	/* I3: not answered: it may be done later, after a fence. */
	come_back();
	fake.break_at = AT_REGISTER;
	assert_error(lun_pr_extend(&lun, 1, 5), -ENOTRECOVERABLE, "by path b");
	assert_string_equal(fake.log, "");
	/* It was done before it broke: the key was there. */
	come_back();
	fake.break_at = AFTER_REGISTER;
	assert_int_equal(lun_pr_extend(&lun, 1, 5), 0);
	/* Nothing works any more, so nothing is known. */
	come_back();
	fake.break_at = AFTER_REGISTER;
	fake.broken[0] = -ENODEV;
	assert_error(lun_pr_extend(&lun, 1, 5), -ENOTRECOVERABLE, "by path b");
}

static void test_reset(void **state)
{
	(void)state;
	fake.reset_errno = EIO;
	assert_error(lun_reset(&lun), -EIO, "resetting");
	fake.reset_errno = EACCES;
	assert_error(lun_reset(&lun), -EACCES, "resetting");
	lun.transport = LUN_NVME;
	assert_error(lun_reset(&lun), -EOPNOTSUPP, "another drain method");
}

static void *reset_thread(void *data)
{
	return lun_reset(data) ? data : NULL;
}

static void reset_both(struct lun both[2])
{
	pthread_t thread[2];
	void *failed;
	int i;

	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reset_thread, &both[i]), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
}

/* Of two LUNs of one host one after the other: a second one would be refused. */
static void test_reset_turns(void **state)
{
	struct lun both[2] = { lun, lun };

	(void)state;
	both[1].path[0] = (struct lun_path){ "b" };
	fake.reset_ms = 100;
	reset_both(both);
	assert_int_equal(fake.together, 0);
	/* Nobody waits for another host. */
	fake.hosts = true;
	fake.reset_ms = 5000;
	reset_both(both);
	assert_int_equal(fake.together, 2);
}

static void test_nvme(void **state)
{
	struct lun_pr pr;

	(void)state;
	lun.transport = LUN_NVME;
	fake.keys[2] = 77;
	assert_int_equal(lun_pr_register(&lun, 5), 0);
	assert_int_equal(lun_pr_reserve(&lun, 5), 0);
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	assert_int_equal(pr.count, 2);
	assert_true(pr.held);
	assert_int_equal(pr.type, LUN_PR_TYPE);
	lun_pr_free(&pr);
	/* A host whose identifier has 64 bits. */
	fake.conflict = true;
	assert_int_equal(lun_pr_read(&lun, &pr), 0);
	assert_int_equal(pr.count, 2);
	assert_true(lun_pr_has(&pr, 77));
	lun_pr_free(&pr);
	assert_int_equal(lun_pr_preempt(&lun, 5, 77), 0);
	assert_error(lun_pr_preempt(&lun, 5, 77), -EBADE, "conflict");
	fake.broken[0] = -EAGAIN;
	assert_error(lun_pr_read(&lun, &pr), -ENOLINK, "path error");
}

static void test_neither(void **state)
{
	struct lun_pr pr;

	(void)state;
	lun.transport = LUN_OTHER;
	assert_error(lun_pr_read(&lun, &pr), -EOPNOTSUPP, "neither SCSI nor NVMe");
	assert_error(lun_pr_register(&lun, 5), -EOPNOTSUPP, "neither SCSI nor NVMe");
	assert_error(lun_pr_preempt(&lun, 5, 6), -EOPNOTSUPP, "neither SCSI nor NVMe");
	assert_int_equal(fake.commands, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attention, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volatile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extend, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extend_fenced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extend_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nvme, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neither, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
