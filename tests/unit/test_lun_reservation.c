// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persistent reservations: keys, what the commands return, and the commands themselves on a LUN
 * that is played, behind paths that may be broken.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/nvme_ioctl.h>
#include <linux/pr.h>
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
	int opens, commands, resets, reset_errno;
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
	assert_ptr_equal(l, &lun);
	assert_true(path < OWN);
	fake.opens++;
	return FD + path;
}

int __wrap_close(int fd)
{
	assert_true(fd >= FD && fd < FD + OWN);
	fake.opens--;
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

/* The parameters of PERSISTENT RESERVE OUT with REGISTER AND IGNORE EXISTING KEY. */
static void register_out(size_t path, const struct sg_io_hdr *io)
{
	const uint8_t *data = io->dxferp;

	assert_int_equal(io->dxfer_direction, SG_DXFER_TO_DEV);
	assert_int_equal(io->cmdp[1], 0x06);
	assert_int_equal(get_be32(io->cmdp + 5), 24);
	assert_int_equal(io->dxfer_len, 24);
	assert_int_equal(data[20], 0);	/* no APTPL */
	fake.keys[path] = get_be64(data + 8);
	fake.generation++;
	note("%zu:volatile ", path);
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
		errno = fake.reset_errno;
		return fake.reset_errno ? -1 : 0;
	}
	if (fake.attentions && fake.attentions--)
		return 0x02;
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

/* ---- keys ---- */

static void test_keys(void **state)
{
	char text[LUN_KEY_TEXT_LEN];
	struct lun_key parts;
	uint64_t key;

	(void)state;
	key = lun_key_make(0xabcd, 64, 5ULL << 32 | 9);
	assert_int_equal(key, 0xabcd400000500009);
	assert_true(lun_key_parse(key, &parts));
	assert_int_equal(parts.cluster, 0xabcd);
	assert_int_equal(parts.node, 64);
	assert_int_equal(parts.incarnation, 5ULL << 32 | 9);
	assert_int_equal(lun_key_make(parts.cluster, parts.node, parts.incarnation), key);
	assert_string_equal(lun_key_format(key, 0xabcd, text),
			    "0xabcd400000500009 (node 64, incarnation 5.9)");
	assert_string_equal(lun_key_format(key, 0xabce, text),
			    "0xabcd400000500009 (not of this cluster)");
	assert_string_equal(lun_key_format(key, 0, text),
			    "0xabcd400000500009 (node 64, incarnation 5.9)");
	assert_string_equal(lun_key_format(1, 0, text),
			    "0x0000000000000001 (not of this cluster)");
	/* The largest, in the room that there is. */
	assert_non_null(strchr(lun_key_format(UINT64_MAX, 0, text), ')'));
	/* Other software's. */
	assert_false(lun_key_parse(0, &parts));
	assert_false(lun_key_parse(0x123456789a, &parts));
	assert_false(lun_key_parse(0x1234000000000001, &parts));
	/* Each node and each incarnation has another one. */
	assert_int_not_equal(lun_key_make(1, 1, 1), lun_key_make(1, 2, 1));
	assert_int_not_equal(lun_key_make(1, 1, 1), lun_key_make(1, 1, 2));
	assert_int_not_equal(lun_key_make(1, 1, 1ULL << 32), lun_key_make(1, 1, 2ULL << 32));
	assert_int_not_equal(lun_key_make(1, 1, 1), lun_key_make(2, 1, 1));
	assert_int_equal(lun_cluster_id("blue"), lun_cluster_id("blue"));
	assert_int_not_equal(lun_cluster_id("blue"), lun_cluster_id("green"));
	assert_int_not_equal(lun_cluster_id(""), 0);
}

/* ---- bytes ---- */

static void test_read_keys(void **state)
{
	uint8_t bytes[8 + 24] = { 0, 0, 0, 7, 0, 0, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, [23] = 9 };
	uint32_t generation;
	uint64_t keys[4];
	size_t count, length;

	(void)state;
	assert_int_equal(lun_pr_in_keys(bytes, 24, &generation, keys, &count), 0);
	assert_int_equal(generation, 7);
	assert_int_equal(count, 2);
	assert_int_equal(keys[0], 0x0102030405060708);
	assert_int_equal(keys[1], 9);
	/* Not all has arrived. */
	for (length = 0; length < 8; length++)
		assert_int_equal(lun_pr_in_keys(bytes, length, &generation, keys, &count), -EPROTO);
	for (; length < 24; length++) {
		assert_int_equal(lun_pr_in_keys(bytes, length, &generation, keys, &count),
				 -EMSGSIZE);
		assert_int_equal(count, 2);
	}
	bytes[7] = 0;
	assert_int_equal(lun_pr_in_keys(bytes, 8, &generation, keys, &count), 0);
	assert_int_equal(count, 0);
	/* No whole keys; more than can be. */
	bytes[7] = 12;
	assert_int_equal(lun_pr_in_keys(bytes, 32, &generation, keys, &count), -EPROTO);
	bytes[5] = 1;
	bytes[7] = 0;
	assert_int_equal(lun_pr_in_keys(bytes, 32, &generation, keys, &count), -EPROTO);
	bytes[4] = 0xff;
	bytes[7] = 0xf8;
	assert_int_equal(lun_pr_in_keys(bytes, 32, &generation, keys, &count), -EPROTO);
}

static void test_read_reservation(void **state)
{
	static const unsigned int types[16] = {
		[1] = PR_WRITE_EXCLUSIVE, [3] = PR_EXCLUSIVE_ACCESS,
		[5] = PR_WRITE_EXCLUSIVE_REG_ONLY, [6] = PR_EXCLUSIVE_ACCESS_REG_ONLY,
		[7] = PR_WRITE_EXCLUSIVE_ALL_REGS, [8] = PR_EXCLUSIVE_ACCESS_ALL_REGS,
	};
	uint8_t bytes[24] = { 0, 0, 0, 7, 0, 0, 0, 16, [15] = 3, [21] = 7 };
	struct lun_pr pr;
	unsigned int i;

	(void)state;
	for (i = 0; i < 16; i++) {
		bytes[21] = i;
		assert_int_equal(lun_pr_in_reservation(bytes, 24, &pr), 0);
		assert_true(pr.held);
		assert_int_equal(pr.type, types[i]);
		assert_int_equal(pr.holder, 3);
		assert_int_equal(pr.generation, 7);
	}
	bytes[21] = 0x17;
	assert_int_equal(lun_pr_in_reservation(bytes, 24, &pr), -EPROTO);
	bytes[21] = 7;
	for (i = 0; i < 24; i++)
		assert_int_equal(lun_pr_in_reservation(bytes, i, &pr), -EPROTO);
	bytes[7] = 8;
	assert_int_equal(lun_pr_in_reservation(bytes, 24, &pr), -EPROTO);
	bytes[7] = 0;
	assert_int_equal(lun_pr_in_reservation(bytes, 8, &pr), 0);
	assert_false(pr.held);
	assert_int_equal(pr.type, 0);
}

static void test_capabilities(void **state)
{
	uint8_t bytes[8] = { 0, 8, 1, 0x80, 0x80 };
	struct lun_pr_capabilities can;

	(void)state;
	assert_int_equal(lun_pr_in_capabilities(bytes, 8, &can), 0);
	assert_true(can.persists && can.types_valid && can.type);
	assert_int_equal(lun_pr_in_capabilities(bytes, 7, &can), -EPROTO);
	assert_false(can.persists);
	bytes[2] = 0xfe;
	bytes[3] = 0x7f;
	bytes[4] = 0x7f;
	assert_int_equal(lun_pr_in_capabilities(bytes, 8, &can), 0);
	assert_false(can.persists || can.types_valid || can.type);
	bytes[1] = 4;
	assert_int_equal(lun_pr_in_capabilities(bytes, 8, &can), -EPROTO);
}

static void test_nvme_report(void **state)
{
	uint8_t bytes[64 + 2 * 64] = { 9, 0, 0, 0, 5, 2, 0 };
	uint64_t keys[LUN_KEYS_MAX];
	struct lun_pr pr;
	size_t length;

	(void)state;
	put_le64(bytes + 64 + 8, 0x11);
	bytes[64 + 64 + 2] = 1;
	put_le64(bytes + 64 + 64 + 8, 0x22);
	assert_int_equal(lun_pr_nvme_report(bytes, sizeof(bytes), true, &pr, keys), 0);
	assert_int_equal(pr.generation, 9);
	assert_int_equal(pr.count, 2);
	assert_int_equal(keys[0], 0x11);
	assert_int_equal(keys[1], 0x22);
	assert_true(pr.held);
	assert_int_equal(pr.type, PR_WRITE_EXCLUSIVE_ALL_REGS);
	assert_int_equal(pr.holder, 0x22);
	for (length = 0; length < 64; length++)
		assert_int_equal(lun_pr_nvme_report(bytes, length, true, &pr, keys), -EPROTO);
	for (; length < sizeof(bytes); length++)
		assert_int_equal(lun_pr_nvme_report(bytes, length, true, &pr, keys), -EMSGSIZE);
	/* The short one. */
	memset(bytes, 0, sizeof(bytes));
	bytes[4] = 1;
	bytes[5] = 1;
	put_le64(bytes + 24 + 8, 0x99);	/* the host's identifier */
	put_le64(bytes + 24 + 16, 0x33);
	assert_int_equal(lun_pr_nvme_report(bytes, 48, false, &pr, keys), 0);
	assert_int_equal(pr.count, 1);
	assert_int_equal(keys[0], 0x33);
	assert_int_equal(pr.type, PR_WRITE_EXCLUSIVE);
	assert_int_equal(lun_pr_nvme_report(bytes, 47, false, &pr, keys), -EMSGSIZE);
	bytes[4] = 7;
	assert_int_equal(lun_pr_nvme_report(bytes, 48, false, &pr, keys), -EPROTO);
	bytes[4] = 0;
	bytes[5] = 0;
	assert_int_equal(lun_pr_nvme_report(bytes, 24, false, &pr, keys), 0);
	assert_false(pr.held);
}

static void test_sense(void **state)
{
	static const uint8_t fixed[18] = { 0x70, [2] = 0x26, [12] = 0x2a, [13] = 0x05 };
	static const uint8_t descriptor[8] = { 0x72, 0x05, 0x26, 0x01 };
	struct lun_scsi_end end = { 0 };

	(void)state;
	lun_scsi_sense(fixed, 18, &end);
	assert_int_equal(end.key, 6);
	assert_int_equal(end.asc, 0x2a);
	assert_int_equal(end.ascq, 5);
	lun_scsi_sense(descriptor, 8, &end);
	assert_int_equal(end.key, 5);
	assert_int_equal(end.asc, 0x26);
	assert_int_equal(end.ascq, 1);
	lun_scsi_sense(fixed, 13, &end);
	assert_int_equal(end.key | end.asc | end.ascq, 0);
	lun_scsi_sense(descriptor, 3, &end);
	assert_int_equal(end.key, 0);
	lun_scsi_sense(NULL, 0, &end);
	assert_int_equal(end.key, 0);
}

static void test_results(void **state)
{
	static const struct {
		enum lun_transport transport;
		int result, error;
	} cases[] = {
		{ LUN_SCSI, 0, 0 },
		{ LUN_SCSI, 0x18, -EBADE },
		{ LUN_SCSI, 0x02, -EIO },
		{ LUN_SCSI, 0x10000, -ENOLINK },	/* no connection */
		{ LUN_SCSI, 0xe0000, -ENOLINK },	/* transport disrupted */
		{ LUN_SCSI, 0xf0000, -ENOLINK },	/* failed fast */
		{ LUN_SCSI, -ENODEV, -ENOLINK },
		{ LUN_SCSI, -EIO, -ENOLINK },
		{ LUN_SCSI, -EINVAL, -EOPNOTSUPP },
		{ LUN_SCSI, -ENOTTY, -EOPNOTSUPP },
		{ LUN_SCSI, -EPERM, -EPERM },
		{ LUN_NVME, 0x83, -EBADE },
		{ LUN_NVME, 0x4083, -EBADE },
		{ LUN_NVME, 0x18, -EBADE },	/* 6.12 */
		{ LUN_NVME, 0x02, -EIO },	/* 6.12 */
		{ LUN_NVME, 0x10000, -ENOLINK },
		{ LUN_NVME, 0x371, -ENOLINK },	/* host path error */
		{ LUN_NVME, 0x4302, -ENOLINK },	/* ANA inaccessible */
		{ LUN_NVME, 0x4001, -EOPNOTSUPP },
		{ LUN_NVME, 0x4002, -EOPNOTSUPP },
		{ LUN_NVME, 0x4006, -EIO },
		{ LUN_NVME, -EAGAIN, -ENOLINK },
	};
	static const struct {
		struct lun_scsi_end end;
		int error;
	} ends[] = {
		{ { 0 }, 0 },
		{ { .status = 0x18 }, -EBADE },
		{ { .host = 1 }, -ENOLINK },
		{ { .status = 2, .key = 6, .asc = 0x29 }, -EAGAIN },
		{ { .status = 2, .key = 5, .asc = 0x20 }, -EOPNOTSUPP },
		{ { .status = 2, .key = 5, .asc = 0x24 }, -EOPNOTSUPP },
		{ { .status = 2, .key = 5, .asc = 0x26 }, -EOPNOTSUPP },
		{ { .status = 2, .key = 5, .asc = 0x55 }, -EIO },
		{ { .status = 2, .key = 2, .asc = 0x04 }, -ENOLINK },
		{ { .status = 2, .key = 3 }, -EIO },
		{ { .status = 8 }, -EIO },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (lun_pr_result(cases[i].transport, cases[i].result) != cases[i].error)
			fail_msg("0x%x", cases[i].result);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		assert_int_equal(lun_scsi_result(&ends[i].end), ends[i].error);
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
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_read_keys),
		cmocka_unit_test(test_read_reservation),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_nvme_report),
		cmocka_unit_test(test_sense),
		cmocka_unit_test(test_results),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attention, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volatile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nvme, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neither, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
