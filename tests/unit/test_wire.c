// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire format (kernel/wire.c): its bytes, and what is refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/crc32c.h>

#include "extent.h"
#include "test.h"
#include "wire.h"

#define SIZE	88

/* The stand-in for the kernel's function, against the published check value. */
static void test_crc(void **state)
{
	(void)state;
	assert_int_equal(~crc32c(~0u, "123456789", 9), 0xe3069283);
}

static struct covol_hdr write_hdr(void)
{
	struct covol_hdr hdr = {
		.opcode = COVOL_OP_WRITE, .flags = COVOL_WIRE_FUA | COVOL_WIRE_DIGEST,
		.payload = 0x3000, .id = 0x1112131415161718, .epoch = 0x2122232425262728,
		.object = 0x3132333435363738, .offset = 0x4142434445464800, .length = 0x3000,
		.seq = 0x5152535455565758, .payload_crc = 0x61626364,
	};
	u8 i;

	for (i = 0; i < sizeof(hdr.volume); i++)
		hdr.volume[i] = 0xa0 + i;
	return hdr;
}

/* Byte for byte what Documentation/protocol.rst says, on any machine. */
static void test_bytes(void **state)
{
	static const u8 expected[SIZE - 4] = {
		'C', 'O', 'V', 'L', 1, 2, 0x0a, 0x00,
		0, 0, 0, 0, 0x00, 0x30, 0, 0,
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
		0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,
		0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
		0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
		0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31,
		0x00, 0x48, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41,
		0x00, 0x30, 0, 0, 0, 0, 0, 0,
		0x58, 0x57, 0x56, 0x55, 0x54, 0x53, 0x52, 0x51,
		0x64, 0x63, 0x62, 0x61,
	};
	struct covol_hdr hdr = write_hdr();
	struct covol_wire_hdr wire;
	const u8 *bytes = (const u8 *)&wire;
	u32 crc;

	(void)state;
	covol_wire_encode(&wire, &hdr);
	assert_int_equal(sizeof(wire), SIZE);
	assert_memory_equal(bytes, expected, sizeof(expected));
	crc = crc32c(~0u, expected, sizeof(expected));
	assert_int_equal(bytes[84] | bytes[85] << 8 | bytes[86] << 16 | (u32)bytes[87] << 24, crc);
}

static void assert_same(const struct covol_hdr *a, const struct covol_hdr *b)
{
	assert_int_equal(a->opcode, b->opcode);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->payload, b->payload);
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->epoch, b->epoch);
	assert_memory_equal(a->volume, b->volume, sizeof(a->volume));
	assert_int_equal(a->object, b->object);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->payload_crc, b->payload_crc);
}

static const char *decode(const struct covol_hdr *hdr)
{
	struct covol_wire_hdr wire;
	struct covol_hdr got;
	const char *why = "";
	int err;

	covol_wire_encode(&wire, hdr);
	err = covol_wire_decode(&wire, &got, &why);
	if (!err) {
		assert_null(why);
		assert_same(hdr, &got);
		return NULL;
	}
	assert_int_equal(err, -EPROTO);
	assert_non_null(why);
	return why;
}

static void test_round_trip(void **state)
{
	struct covol_hdr hdr = write_hdr();

	(void)state;
	assert_null(decode(&hdr));
}

/* Any bit that is flipped on the way is noticed. */
static void test_every_bit(void **state)
{
	struct covol_hdr hdr = write_hdr(), got;
	struct covol_wire_hdr wire;
	const char *why;
	int bit;

	(void)state;
	for (bit = 0; bit < SIZE * 8; bit++) {
		covol_wire_encode(&wire, &hdr);
		((u8 *)&wire)[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(covol_wire_decode(&wire, &got, &why), -EPROTO);
		assert_non_null(why);
	}
}

/* Another magic or version with a right checksum. */
static void test_foreign(void **state)
{
	struct covol_hdr hdr = write_hdr(), got;
	struct covol_wire_hdr wire;
	const char *why;

	(void)state;
	covol_wire_encode(&wire, &hdr);
	wire.magic ^= 1;
	wire.crc = crc32c(~0u, &wire, SIZE - 4);
	assert_int_equal(covol_wire_decode(&wire, &got, &why), -EPROTO);
	assert_string_equal(why, "bad magic");

	covol_wire_encode(&wire, &hdr);
	wire.version = 2;
	wire.crc = crc32c(~0u, &wire, SIZE - 4);
	assert_int_equal(covol_wire_decode(&wire, &got, &why), -EPROTO);
	assert_string_equal(why, "unknown version");

	memset(&wire, 0, sizeof(wire));
	assert_int_equal(covol_wire_decode(&wire, &got, &why), -EPROTO);
	memset(&wire, 0xff, sizeof(wire));
	assert_int_equal(covol_wire_decode(&wire, &got, &why), -EPROTO);
}

/* ---- what each opcode may look like ---- */

#define R	COVOL_WIRE_RESPONSE
#define MAX	COVOL_WIRE_IO_MAX

struct op_case {
	u8 opcode;
	u16 flags;
	u32 status;
	u32 payload;
	u64 offset;
	u64 length;
};

static const char *decode_case(const struct op_case *op)
{
	struct covol_hdr hdr = {
		.opcode = op->opcode, .flags = op->flags, .status = op->status,
		.payload = op->payload, .offset = op->offset, .length = op->length,
	};

	return decode(&hdr);
}

static void test_taken(void **state)
{
	static const struct op_case cases[] = {
		{ COVOL_OP_READ, 0, 0, 0, 0, 512 },
		{ COVOL_OP_READ, 0, 0, 0, 512, MAX },
		{ COVOL_OP_READ, COVOL_WIRE_DIGEST, 0, 0, 0, 4096 },
		{ COVOL_OP_READ, R, 0, 4096, 0, 4096 },
		{ COVOL_OP_READ, R, COVOL_STATUS_IO, 0, 0, 4096 },
		{ COVOL_OP_WRITE, 0, 0, 4096, 0, 4096 },
		{ COVOL_OP_WRITE, COVOL_WIRE_FUA, 0, MAX, 0, MAX },
		{ COVOL_OP_WRITE, R, 0, 0, 0, 4096 },
		{ COVOL_OP_WRITE, R, COVOL_STATUS_STALE, 0, 0, 4096 },
		{ COVOL_OP_FLUSH, 0, 0, 0, 0, 0 },
		{ COVOL_OP_FLUSH, R, COVOL_STATUS_LAST, 0, 0, 0 },
		{ COVOL_OP_DISCARD, 0, 0, 0, 0, 1ULL << 40 },
		{ COVOL_OP_DISCARD, R, 0, 0, 0, 1ULL << 40 },
		{ COVOL_OP_WRITE_ZEROES, COVOL_WIRE_FUA | COVOL_WIRE_NOUNMAP, 0, 0, 0, 1ULL << 40 },
		{ COVOL_OP_LAYOUT_GET, 0, 0, 0, 0, 1ULL << 40 },
		{ COVOL_OP_GRANT, 0, 0, 0, 0, 512 },
		{ COVOL_OP_GRANT, 0, 0, 32 * COVOL_WIRE_EXTENTS_MAX, 0, 512 },
		{ COVOL_OP_RECALL, 0, 0, 0, 0, 512 },
		{ COVOL_OP_RECALL, COVOL_WIRE_ZEROES, 0, 0, 0, 512 },
		{ COVOL_OP_RECALL, R, 0, 0, 0, 512 },
		{ COVOL_OP_PING, 0, 0, 0, 0, 0 },
		{ COVOL_OP_PING, R, 0, 0, 0, 0 },
		{ COVOL_OP_GOODBYE, 0, 0, 0, 0, 0 },
		{ COVOL_OP_DISCARD, 0, 0, 0, INT64_MAX - 511, 0x1ffULL + 1 - 512 + 512 },
	};
	size_t i;

	(void)state;
	/* All but the last, whose range ends one past what fits. */
	for (i = 0; i + 1 < sizeof(cases) / sizeof(cases[0]); i++)
		if (decode_case(&cases[i]))
			fail_msg("case %zu: %s", i, decode_case(&cases[i]));
	assert_non_null(decode_case(&cases[i]));
}

static void test_refused(void **state)
{
	static const struct op_case cases[] = {
		/* opcodes that there are not */
		{ 0, 0, 0, 0, 0, 512 },
		{ COVOL_OP_LAST + 1, 0, 0, 0, 0, 512 },
		{ 255, 0, 0, 0, 0, 512 },
		/* flags */
		{ COVOL_OP_READ, COVOL_WIRE_FUA, 0, 0, 0, 512 },
		{ COVOL_OP_WRITE, COVOL_WIRE_NOUNMAP, 0, 512, 0, 512 },
		{ COVOL_OP_FLUSH, COVOL_WIRE_FUA, 0, 0, 0, 0 },
		{ COVOL_OP_DISCARD, COVOL_WIRE_ZEROES, 0, 0, 0, 512 },
		{ COVOL_OP_READ, 0x8000, 0, 0, 0, 512 },
		{ COVOL_OP_GRANT, R, 0, 0, 0, 512 },
		{ COVOL_OP_GOODBYE, R, 0, 0, 0, 0 },
		{ COVOL_OP_PING, COVOL_WIRE_ZEROES, 0, 0, 0, 0 },
		{ COVOL_OP_PING, 0, COVOL_STATUS_IO, 0, 0, 0 },
		/* status */
		{ COVOL_OP_READ, 0, COVOL_STATUS_IO, 0, 0, 512 },
		{ COVOL_OP_READ, R, COVOL_STATUS_LAST + 1, 0, 0, 512 },
		{ COVOL_OP_WRITE, R, UINT32_MAX, 0, 0, 512 },
		/* ranges */
		{ COVOL_OP_READ, 0, 0, 0, 0, 0 },
		{ COVOL_OP_READ, 0, 0, 0, 1, 512 },
		{ COVOL_OP_READ, 0, 0, 0, 0, 511 },
		{ COVOL_OP_READ, 0, 0, 0, 0, MAX + 512 },
		{ COVOL_OP_WRITE, 0, 0, MAX + 512, 0, MAX + 512 },
		{ COVOL_OP_READ, R, 0, MAX + 512, 0, MAX + 512 },
		{ COVOL_OP_DISCARD, 0, 0, 0, 1ULL << 63, 512 },
		{ COVOL_OP_DISCARD, 0, 0, 0, 512, INT64_MAX - 511 },
		{ COVOL_OP_DISCARD, 0, 0, 0, 0, 1ULL << 63 },
		{ COVOL_OP_DISCARD, 0, 0, 0, UINT64_MAX - 511, 1024 },
		{ COVOL_OP_FLUSH, 0, 0, 0, 512, 0 },
		{ COVOL_OP_FLUSH, 0, 0, 0, 0, 512 },
		{ COVOL_OP_PING, 0, 0, 0, 0, 512 },
		{ COVOL_OP_GOODBYE, 0, 0, 0, 512, 0 },
		/* payloads */
		{ COVOL_OP_PING, 0, 0, 8, 0, 0 },
		{ COVOL_OP_PING, R, 0, 8, 0, 0 },
		{ COVOL_OP_GOODBYE, 0, 0, 1, 0, 0 },
		{ COVOL_OP_READ, 0, 0, 512, 0, 512 },
		{ COVOL_OP_READ, R, 0, 0, 0, 512 },
		{ COVOL_OP_READ, R, 0, 1024, 0, 512 },
		{ COVOL_OP_READ, R, COVOL_STATUS_IO, 512, 0, 512 },
		{ COVOL_OP_WRITE, 0, 0, 0, 0, 512 },
		{ COVOL_OP_WRITE, 0, 0, 1024, 0, 512 },
		{ COVOL_OP_WRITE, 0, 0, UINT32_MAX, 0, 512 },
		{ COVOL_OP_WRITE, R, 0, 512, 0, 512 },
		{ COVOL_OP_FLUSH, 0, 0, 1, 0, 0 },
		{ COVOL_OP_DISCARD, 0, 0, 512, 0, 512 },
		{ COVOL_OP_RECALL, 0, 0, 32, 0, 512 },
		{ COVOL_OP_LAYOUT_GET, 0, 0, 32, 0, 512 },
		{ COVOL_OP_GRANT, 0, 0, 31, 0, 512 },
		{ COVOL_OP_GRANT, 0, 0, 32 * COVOL_WIRE_EXTENTS_MAX + 32, 0, 512 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!decode_case(&cases[i]))
			fail_msg("case %zu was taken", i);
}

/* Random fields with a right checksum: what is taken keeps every promise that wire.c makes. */
static void check_promises(const struct covol_hdr *hdr)
{
	bool response = hdr->flags & R;

	assert_true(hdr->opcode >= 1 && hdr->opcode <= COVOL_OP_LAST);
	assert_string_not_equal(covol_wire_op_name(hdr->opcode), "?");
	assert_int_equal(hdr->flags & ~COVOL_WIRE_FLAGS, 0);
	assert_true(hdr->status <= COVOL_STATUS_LAST);
	assert_int_equal((hdr->offset | hdr->length) % 512, 0);
	assert_true(hdr->offset <= INT64_MAX && hdr->length <= INT64_MAX - hdr->offset);
	assert_true(hdr->payload <= COVOL_WIRE_IO_MAX);
	if (hdr->opcode == COVOL_OP_WRITE && !response)
		assert_int_equal(hdr->payload, hdr->length);
	if (hdr->opcode == COVOL_OP_READ && !response)
		assert_int_equal(hdr->payload, 0);
}

static u64 random_number(void)
{
	static const u64 numbers[] = {
		0, 1, 511, 512, 513, 4096, MAX, MAX + 512, INT64_MAX - 511, INT64_MAX,
		1ULL << 63, UINT64_MAX - 511, UINT64_MAX,
	};

	switch (rand() % 4) {
	case 0:
		return numbers[rand() % 13];
	case 1:
		return (u64)rand() << 32 ^ (u64)rand() << 9;
	default:
		return 512 * (rand() % 4);
	}
}

static void test_random(void **state)
{
	struct covol_wire_hdr wire;
	struct covol_hdr hdr, got;
	const char *why;
	int i, taken = 0;

	(void)state;
	srand(1);
	for (i = 0; i < 300000; i++) {
		hdr = (struct covol_hdr) {
			.opcode = rand() % 10, .flags = rand() % 18,
			.status = rand() % 3 ? 0 : rand() % 12, .payload = random_number(),
			.offset = random_number(), .length = random_number(),
		};
		if (rand() % 3 == 0)
			hdr.payload = hdr.length;
		covol_wire_encode(&wire, &hdr);
		if (covol_wire_decode(&wire, &got, &why))
			continue;
		assert_same(&hdr, &got);
		check_promises(&got);
		taken++;
	}
	assert_true(taken > 1000);
}

/* ---- extents ---- */

static void test_extents(void **state)
{
	static const u8 expected[32] = {
		0x00, 0x10, 0, 0, 0, 0, 0, 0, 0x00, 0x20, 0, 0, 0, 0, 0, 0,
		0x00, 0x00, 0x10, 0, 0, 0, 0, 0, COVOL_EXTENT_STATE_DATA, 0, 0, 0, 0, 0, 0, 0,
	};
	struct covol_extent ext = {
		.start = 8, .len = 16, .place = 2048, .state = COVOL_EXTENT_STATE_DATA,
	}, got;
	struct covol_wire_extent wire;

	(void)state;
	memset(&wire, 0xff, sizeof(wire));
	covol_wire_extent_encode(&wire, &ext);
	assert_memory_equal(&wire, expected, sizeof(expected));
	assert_int_equal(covol_wire_extent_decode(&wire, &got), 0);
	assert_int_equal(got.start, 8);
	assert_int_equal(got.len, 16);
	assert_int_equal(got.place, 2048);
	assert_int_equal(got.state, COVOL_EXTENT_STATE_DATA);
}

static void test_bad_extents(void **state)
{
	static const struct { u64 offset, length, place; u32 state; } cases[] = {
		{ 1, 512, 0, COVOL_EXTENT_STATE_DATA },
		{ 0, 513, 0, COVOL_EXTENT_STATE_DATA },
		{ 0, 512, 1, COVOL_EXTENT_STATE_DATA },
		{ 0, 0, 0, COVOL_EXTENT_STATE_DATA },
		{ 0, 512, 0, COVOL_EXTENT_STATE_UNKNOWN },
		{ 0, 512, 0, COVOL_EXTENT_STATE_DATA + 1 },
		{ 0, 512, 512, COVOL_EXTENT_STATE_HOLE },
		{ UINT64_MAX - 511, 512, 0, COVOL_EXTENT_STATE_HOLE },
		{ 0, UINT64_MAX - 511, 0, COVOL_EXTENT_STATE_HOLE },
		{ 0, 512, UINT64_MAX - 511, COVOL_EXTENT_STATE_SHARED },
	};
	struct covol_wire_extent wire;
	struct covol_extent got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wire = (struct covol_wire_extent) {
			.offset = cases[i].offset, .length = cases[i].length,
			.place = cases[i].place, .state = cases[i].state,
		};
		if (covol_wire_extent_decode(&wire, &got) != -EPROTO)
			fail_msg("case %zu was taken", i);
	}
}

/* ---- errors ---- */

static void test_errors(void **state)
{
	u32 status;

	(void)state;
	assert_int_equal(covol_wire_errno_status(0), COVOL_STATUS_OK);
	assert_int_equal(covol_wire_status_errno(COVOL_STATUS_OK), 0);
	for (status = 1; status <= COVOL_STATUS_LAST; status++) {
		assert_true(covol_wire_status_errno(status) < 0);
		assert_int_equal(covol_wire_errno_status(covol_wire_status_errno(status)), status);
	}
	assert_int_equal(covol_wire_errno_status(-EDQUOT), COVOL_STATUS_NO_SPACE);
	assert_int_equal(covol_wire_errno_status(-ENOMEM), COVOL_STATUS_IO);
	assert_int_equal(covol_wire_status_errno(12345), -EIO);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(covol_wire_op_name(COVOL_OP_READ), "READ");
	assert_string_equal(covol_wire_op_name(COVOL_OP_RECALL), "RECALL");
	assert_string_equal(covol_wire_op_name(COVOL_OP_LAST), "GOODBYE");
	assert_string_equal(covol_wire_op_name(0), "?");
	assert_string_equal(covol_wire_op_name(COVOL_OP_LAST + 1), "?");
	assert_string_equal(covol_wire_op_name(UINT32_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_bad_extents),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
