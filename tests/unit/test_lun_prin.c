// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persistent reservations: keys, and what the commands return.
 */
#include <errno.h>
#include <string.h>

#include <linux/pr.h>

#include "../../userspace/lun/bytes.h"
#include "../../userspace/lun/reservation.h"
#include "test.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
