// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire format: what is sent is what comes, and nothing else comes (I10).
 */
#include <kunit/test.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/prandom.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "extent.h"
#include "wire.h"

#define EXTENT_LEN	((u32)sizeof(struct covol_wire_extent))
#define EXTENTS_LEN	(COVOL_WIRE_EXTENTS_MAX * EXTENT_LEN)
/* The last offset in sectors that a range may end at. */
#define RANGE_END	(S64_MAX & ~511ull)

struct hdr_case {
	const char		*name;
	struct covol_hdr	hdr;
	const char		*why;
};

#define HDR(_opcode, _flags, _status, _payload, _offset, _length)	\
	.hdr = {							\
		.opcode = (_opcode), .flags = (_flags),			\
		.status = (_status), .payload = (_payload),		\
		.offset = (_offset), .length = (_length),		\
	}

#define RESPONSE	COVOL_WIRE_RESPONSE

/* Every opcode, both directions, and each bound from inside. */
static const struct hdr_case good[] = {
	{ "READ", HDR(COVOL_OP_READ, 0, 0, 0, 4096, 8192) },
	{ "READ digest", HDR(COVOL_OP_READ, COVOL_WIRE_DIGEST, 0, 0, 0, 512) },
	{ "READ longest",
	  HDR(COVOL_OP_READ, 0, 0, 0, 0, COVOL_WIRE_IO_MAX) },
	{ "READ last sector",
	  HDR(COVOL_OP_READ, 0, 0, 0, RANGE_END - 512, 512) },
	{ "READ done", HDR(COVOL_OP_READ, RESPONSE, 0, 8192, 4096, 8192) },
	{ "READ done digest",
	  HDR(COVOL_OP_READ, RESPONSE | COVOL_WIRE_DIGEST, 0, 512, 0, 512) },
	{ "READ failed",
	  HDR(COVOL_OP_READ, RESPONSE, COVOL_STATUS_IO, 0, 4096, 8192) },
	{ "READ last status",
	  HDR(COVOL_OP_READ, RESPONSE, COVOL_STATUS_LAST, 0, 0, 512) },
	{ "WRITE", HDR(COVOL_OP_WRITE, 0, 0, 8192, 4096, 8192) },
	{ "WRITE FUA digest",
	  HDR(COVOL_OP_WRITE, COVOL_WIRE_FUA | COVOL_WIRE_DIGEST, 0, 512, 0,
	      512) },
	{ "WRITE longest",
	  HDR(COVOL_OP_WRITE, 0, 0, COVOL_WIRE_IO_MAX, 0, COVOL_WIRE_IO_MAX) },
	{ "WRITE done", HDR(COVOL_OP_WRITE, RESPONSE, 0, 0, 4096, 8192) },
	{ "WRITE no space",
	  HDR(COVOL_OP_WRITE, RESPONSE, COVOL_STATUS_NO_SPACE, 0, 0, 512) },
	{ "FLUSH", HDR(COVOL_OP_FLUSH, 0, 0, 0, 0, 0) },
	{ "FLUSH done", HDR(COVOL_OP_FLUSH, RESPONSE, 0, 0, 0, 0) },
	{ "DISCARD", HDR(COVOL_OP_DISCARD, 0, 0, 0, 0, RANGE_END) },
	{ "DISCARD done",
	  HDR(COVOL_OP_DISCARD, RESPONSE, 0, 0, 512, 1ull << 40) },
	{ "WRITE_ZEROES", HDR(COVOL_OP_WRITE_ZEROES, 0, 0, 0, 512, 1536) },
	{ "WRITE_ZEROES FUA NOUNMAP",
	  HDR(COVOL_OP_WRITE_ZEROES, COVOL_WIRE_FUA | COVOL_WIRE_NOUNMAP, 0, 0,
	      0, 2 * COVOL_WIRE_IO_MAX) },
	{ "WRITE_ZEROES done",
	  HDR(COVOL_OP_WRITE_ZEROES, RESPONSE, COVOL_STATUS_STALE, 0, 0, 512) },
	{ "LAYOUT_GET", HDR(COVOL_OP_LAYOUT_GET, 0, 0, 0, 0, 1ull << 26) },
	{ "LAYOUT_GET done",
	  HDR(COVOL_OP_LAYOUT_GET, RESPONSE, 0, 0, 0, 1ull << 26) },
	{ "GRANT of nothing", HDR(COVOL_OP_GRANT, 0, 0, 0, 0, 1ull << 26) },
	{ "GRANT of one",
	  HDR(COVOL_OP_GRANT, 0, 0, EXTENT_LEN, 0, 1ull << 26) },
	{ "GRANT of most",
	  HDR(COVOL_OP_GRANT, 0, 0, EXTENTS_LEN, 0, 1ull << 26) },
	{ "RECALL", HDR(COVOL_OP_RECALL, 0, 0, 0, 1ull << 30, 1ull << 20) },
	{ "RECALL done",
	  HDR(COVOL_OP_RECALL, RESPONSE, 0, 0, 1ull << 30, 1ull << 20) },
	{ "PING", HDR(COVOL_OP_PING, 0, 0, 0, 0, 0) },
	{ "PING done", HDR(COVOL_OP_PING, RESPONSE, 0, 0, 0, 0) },
	{ "GOODBYE", HDR(COVOL_OP_GOODBYE, 0, 0, 0, 0, 0) },
};

#define UNKNOWN_OP	"unknown opcode"
#define BAD_FLAG	"flag that the opcode does not have"
#define BAD_STATUS	"bad status"
#define NO_LENGTH	"no length"
#define NO_SECTORS	"range is not in sectors"
#define OVERFLOWS	"range overflows"
#define NO_RANGE	"range where none belongs"
#define NO_OBJECT	"object where none belongs"
#define TOO_MUCH	"more data than one I/O may move"
#define NO_EXTENTS	"payload is not a list of extents"
#define BAD_PAYLOAD	"payload length does not fit the message"

/* Each check, from just outside. */
static const struct hdr_case bad[] = {
	{ "opcode 0", HDR(0, 0, 0, 0, 0, 512), UNKNOWN_OP },
	{ "opcode after the last",
	  HDR(COVOL_OP_LAST + 1, 0, 0, 0, 0, 512), UNKNOWN_OP },
	{ "opcode 255", HDR(255, 0, 0, 0, 0, 512), UNKNOWN_OP },

	{ "READ FUA",
	  HDR(COVOL_OP_READ, COVOL_WIRE_FUA, 0, 0, 0, 512), BAD_FLAG },
	{ "WRITE NOUNMAP",
	  HDR(COVOL_OP_WRITE, COVOL_WIRE_NOUNMAP, 0, 512, 0, 512), BAD_FLAG },
	{ "FLUSH digest",
	  HDR(COVOL_OP_FLUSH, COVOL_WIRE_DIGEST, 0, 0, 0, 0), BAD_FLAG },
	{ "DISCARD FUA",
	  HDR(COVOL_OP_DISCARD, COVOL_WIRE_FUA, 0, 0, 0, 512), BAD_FLAG },
	{ "GRANT digest",
	  HDR(COVOL_OP_GRANT, COVOL_WIRE_DIGEST, 0, 0, 0, 512), BAD_FLAG },
	{ "first unused flag",
	  HDR(COVOL_OP_WRITE, COVOL_WIRE_FLAGS + 1, 0, 512, 0, 512), BAD_FLAG },
	{ "last unused flag",
	  HDR(COVOL_OP_READ, 0x8000, 0, 0, 0, 512), BAD_FLAG },

	{ "GRANT answered", HDR(COVOL_OP_GRANT, RESPONSE, 0, 0, 0, 512),
	  "response to a message that has none" },
	{ "GOODBYE answered", HDR(COVOL_OP_GOODBYE, RESPONSE, 0, 0, 0, 0),
	  "response to a message that has none" },
	{ "PING of an object",
	  { .opcode = COVOL_OP_PING, .object = 1 }, NO_OBJECT },
	{ "PING done, of an object",
	  { .opcode = COVOL_OP_PING, .flags = RESPONSE, .object = U64_MAX },
	  NO_OBJECT },
	{ "GOODBYE to an object",
	  { .opcode = COVOL_OP_GOODBYE, .object = 1 }, NO_OBJECT },
	{ "PING digest",
	  HDR(COVOL_OP_PING, COVOL_WIRE_DIGEST, 0, 0, 0, 0), BAD_FLAG },

	{ "request with a status",
	  HDR(COVOL_OP_READ, 0, COVOL_STATUS_IO, 0, 0, 512), BAD_STATUS },
	{ "GRANT with a status",
	  HDR(COVOL_OP_GRANT, 0, COVOL_STATUS_IO, 0, 0, 512), BAD_STATUS },
	{ "status after the last",
	  HDR(COVOL_OP_WRITE, RESPONSE, COVOL_STATUS_LAST + 1, 0, 0, 512),
	  BAD_STATUS },
	{ "status U32_MAX",
	  HDR(COVOL_OP_FLUSH, RESPONSE, U32_MAX, 0, 0, 0), BAD_STATUS },

	{ "READ no length", HDR(COVOL_OP_READ, 0, 0, 0, 512, 0), NO_LENGTH },
	{ "GRANT no length", HDR(COVOL_OP_GRANT, 0, 0, 0, 512, 0), NO_LENGTH },
	{ "response no length",
	  HDR(COVOL_OP_RECALL, RESPONSE, 0, 0, 512, 0), NO_LENGTH },
	{ "offset 1", HDR(COVOL_OP_READ, 0, 0, 0, 1, 512), NO_SECTORS },
	{ "offset 256", HDR(COVOL_OP_READ, 0, 0, 0, 256, 512), NO_SECTORS },
	{ "length 1", HDR(COVOL_OP_DISCARD, 0, 0, 0, 0, 1), NO_SECTORS },
	{ "length 513",
	  HDR(COVOL_OP_WRITE, 0, 0, 513, 0, 513), NO_SECTORS },
	{ "offset negative",
	  HDR(COVOL_OP_READ, 0, 0, 0, 1ull << 63, 512), OVERFLOWS },
	{ "end just past the last",
	  HDR(COVOL_OP_READ, 0, 0, 0, RANGE_END, 512), OVERFLOWS },
	{ "end wraps around",
	  HDR(COVOL_OP_DISCARD, 0, 0, 0, 512, U64_MAX & ~511ull), OVERFLOWS },
	{ "length negative",
	  HDR(COVOL_OP_DISCARD, 0, 0, 0, 0, 1ull << 63), OVERFLOWS },

	{ "FLUSH offset", HDR(COVOL_OP_FLUSH, 0, 0, 0, 512, 0), NO_RANGE },
	{ "FLUSH length", HDR(COVOL_OP_FLUSH, 0, 0, 0, 0, 512), NO_RANGE },
	{ "PING length", HDR(COVOL_OP_PING, 0, 0, 0, 0, 512), NO_RANGE },
	{ "GOODBYE offset",
	  HDR(COVOL_OP_GOODBYE, 0, 0, 0, 512, 0), NO_RANGE },

	{ "READ too long",
	  HDR(COVOL_OP_READ, 0, 0, 0, 0, COVOL_WIRE_IO_MAX + 512), TOO_MUCH },
	{ "READ done too long",
	  HDR(COVOL_OP_READ, RESPONSE, 0, COVOL_WIRE_IO_MAX + 512, 0,
	      COVOL_WIRE_IO_MAX + 512), TOO_MUCH },
	{ "WRITE too long",
	  HDR(COVOL_OP_WRITE, 0, 0, COVOL_WIRE_IO_MAX + 512, 0,
	      COVOL_WIRE_IO_MAX + 512), TOO_MUCH },
	{ "READ of 4 GiB and 512 bytes",
	  HDR(COVOL_OP_READ, RESPONSE, 0, 512, 0, (1ull << 32) + 512),
	  TOO_MUCH },

	{ "GRANT of half an extent",
	  HDR(COVOL_OP_GRANT, 0, 0, EXTENT_LEN / 2, 0, 512), NO_EXTENTS },
	{ "GRANT of an extent and a byte",
	  HDR(COVOL_OP_GRANT, 0, 0, EXTENT_LEN + 1, 0, 512), NO_EXTENTS },
	{ "GRANT of too many",
	  HDR(COVOL_OP_GRANT, 0, 0, EXTENTS_LEN + EXTENT_LEN, 0, 512),
	  NO_EXTENTS },
	{ "GRANT of 4 GiB",
	  HDR(COVOL_OP_GRANT, 0, 0, U32_MAX & ~31u, 0, 512), NO_EXTENTS },

	{ "READ with data",
	  HDR(COVOL_OP_READ, 0, 0, 512, 0, 512), BAD_PAYLOAD },
	{ "READ done without data",
	  HDR(COVOL_OP_READ, RESPONSE, 0, 0, 0, 512), BAD_PAYLOAD },
	{ "READ done with more data",
	  HDR(COVOL_OP_READ, RESPONSE, 0, 1024, 0, 512), BAD_PAYLOAD },
	{ "READ failed with data",
	  HDR(COVOL_OP_READ, RESPONSE, COVOL_STATUS_IO, 512, 0, 512),
	  BAD_PAYLOAD },
	{ "WRITE without data",
	  HDR(COVOL_OP_WRITE, 0, 0, 0, 0, 512), BAD_PAYLOAD },
	{ "WRITE with less data",
	  HDR(COVOL_OP_WRITE, 0, 0, 512, 0, 1024), BAD_PAYLOAD },
	{ "WRITE with a byte more",
	  HDR(COVOL_OP_WRITE, 0, 0, 513, 0, 512), BAD_PAYLOAD },
	{ "WRITE done with data",
	  HDR(COVOL_OP_WRITE, RESPONSE, 0, 512, 0, 512), BAD_PAYLOAD },
	{ "FLUSH with data",
	  HDR(COVOL_OP_FLUSH, 0, 0, 1, 0, 0), BAD_PAYLOAD },
	{ "PING with data",
	  HDR(COVOL_OP_PING, 0, 0, 8, 0, 0), BAD_PAYLOAD },
	{ "PING done with data",
	  HDR(COVOL_OP_PING, RESPONSE, 0, 8, 0, 0), BAD_PAYLOAD },
	{ "GOODBYE with data",
	  HDR(COVOL_OP_GOODBYE, 0, 0, 1, 0, 0), BAD_PAYLOAD },
	{ "DISCARD with data",
	  HDR(COVOL_OP_DISCARD, 0, 0, 512, 0, 512), BAD_PAYLOAD },
	{ "WRITE_ZEROES with data",
	  HDR(COVOL_OP_WRITE_ZEROES, 0, 0, 512, 0, 512), BAD_PAYLOAD },
	{ "LAYOUT_GET with extents",
	  HDR(COVOL_OP_LAYOUT_GET, 0, 0, EXTENT_LEN, 0, 512), BAD_PAYLOAD },
	{ "RECALL done with extents",
	  HDR(COVOL_OP_RECALL, RESPONSE, 0, EXTENT_LEN, 0, 512), BAD_PAYLOAD },
};

static void hdr_desc(const struct hdr_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(good, good, hdr_desc);
KUNIT_ARRAY_PARAM(bad, bad, hdr_desc);

/* A case's header, with something in the fields that may have any value. */
static void fill(struct covol_hdr *hdr, const struct hdr_case *c)
{
	*hdr = c->hdr;
	hdr->id = 0xfedcba9876543210ull;
	hdr->epoch = 0x8000000000000001ull;
	if (hdr->opcode != COVOL_OP_PING && hdr->opcode != COVOL_OP_GOODBYE)
		hdr->object = 0x1020304050607080ull;
	hdr->seq = U64_MAX;
	hdr->payload_crc = 0xdeadbeef;
	memset(hdr->volume, 0x5a, sizeof(hdr->volume));
	hdr->volume[0] = 1;
	hdr->volume[15] = 2;
}

static void seal(struct covol_wire_hdr *wire)
{
	u32 crc = crc32c(~0u, wire, offsetof(struct covol_wire_hdr, crc));

	wire->crc = cpu_to_le32(crc);
}

static void expect_refused(struct kunit *test,
			   const struct covol_wire_hdr *wire,
			   const char *expected)
{
	const char *why = NULL;
	struct covol_hdr hdr;

	KUNIT_EXPECT_EQ(test, covol_wire_decode(wire, &hdr, &why), -EPROTO);
	KUNIT_ASSERT_NOT_NULL(test, why);
	KUNIT_EXPECT_STREQ(test, why, expected);
}

static void round_trip(struct kunit *test)
{
	struct covol_wire_hdr wire;
	struct covol_hdr in, out;
	const char *why = "";

	fill(&in, test->param_value);
	memset(&out, 0xff, sizeof(out));
	covol_wire_encode(&wire, &in);
	KUNIT_ASSERT_EQ_MSG(test, covol_wire_decode(&wire, &out, &why), 0,
			    "%s", why);
	KUNIT_EXPECT_NULL(test, why);
	KUNIT_EXPECT_EQ(test, out.opcode, in.opcode);
	KUNIT_EXPECT_EQ(test, out.flags, in.flags);
	KUNIT_EXPECT_EQ(test, out.status, in.status);
	KUNIT_EXPECT_EQ(test, out.payload, in.payload);
	KUNIT_EXPECT_EQ(test, out.id, in.id);
	KUNIT_EXPECT_EQ(test, out.epoch, in.epoch);
	KUNIT_EXPECT_EQ(test, memcmp(out.volume, in.volume, 16), 0);
	KUNIT_EXPECT_EQ(test, out.object, in.object);
	KUNIT_EXPECT_EQ(test, out.offset, in.offset);
	KUNIT_EXPECT_EQ(test, out.length, in.length);
	KUNIT_EXPECT_EQ(test, out.seq, in.seq);
	KUNIT_EXPECT_EQ(test, out.payload_crc, in.payload_crc);
}

static void refused(struct kunit *test)
{
	const struct hdr_case *c = test->param_value;
	struct covol_wire_hdr wire;
	struct covol_hdr hdr;

	fill(&hdr, c);
	covol_wire_encode(&wire, &hdr);
	expect_refused(test, &wire, c->why);
}

static void bit_flips(struct kunit *test)
{
	struct covol_wire_hdr wire;
	const char *why;
	struct covol_hdr hdr;
	unsigned int bit;
	u8 *bytes = (u8 *)&wire;

	fill(&hdr, test->param_value);
	covol_wire_encode(&wire, &hdr);
	for (bit = 0; bit < 8 * sizeof(wire); bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		KUNIT_ASSERT_EQ_MSG(test, covol_wire_decode(&wire, &hdr, &why),
				    -EPROTO, "bit %u", bit);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_EXPECT_EQ(test, covol_wire_decode(&wire, &hdr, &why), 0);
}

/* What precedes all other checks; magic and version under a good checksum. */
static void not_a_header(struct kunit *test)
{
	struct covol_wire_hdr wire;
	struct covol_hdr hdr;

	fill(&hdr, &good[0]);
	covol_wire_encode(&wire, &hdr);
	wire.crc ^= cpu_to_le32(0x80000000);
	expect_refused(test, &wire, "bad header checksum");

	covol_wire_encode(&wire, &hdr);
	wire.version = COVOL_WIRE_VERSION + 1;
	seal(&wire);
	expect_refused(test, &wire, "unknown version");

	covol_wire_encode(&wire, &hdr);
	wire.magic = cpu_to_le32(swab32(COVOL_WIRE_MAGIC));
	seal(&wire);
	expect_refused(test, &wire, "bad magic");

	memset(&wire, 0, sizeof(wire));
	expect_refused(test, &wire, "bad magic");
	memset(&wire, 0xff, sizeof(wire));
	expect_refused(test, &wire, "bad magic");
}

/* The bytes as Documentation/protocol.rst has them; made by another program. */
static const u8 golden[] = {
	0x43, 0x4f, 0x56, 0x4c, 0x01, 0x02, 0x0a, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00,
	0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
	0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
	0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
	0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x78, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
	0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	0x0d, 0xf0, 0xfe, 0xca, 0x5a, 0x3b, 0x88, 0x71,
};

static void golden_bytes(struct kunit *test)
{
	const struct covol_hdr hdr = {
		.opcode = COVOL_OP_WRITE,
		.flags = COVOL_WIRE_FUA | COVOL_WIRE_DIGEST,
		.payload = 4096,
		.id = 0x0102030405060708ull,
		.epoch = 7,
		.volume = { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
			    0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf },
		.object = 9,
		.offset = 0x1122334455667800ull,
		.length = 4096,
		.seq = 0x8877665544332211ull,
		.payload_crc = 0xcafef00d,
	};
	const u8 *bytes;
	struct covol_wire_hdr wire;
	unsigned int i;

	covol_wire_encode(&wire, &hdr);
	bytes = (const u8 *)&wire;
	KUNIT_ASSERT_EQ(test, sizeof(wire), sizeof(golden));
	for (i = 0; i < sizeof(golden); i++)
		KUNIT_EXPECT_EQ_MSG(test, bytes[i], golden[i], "byte %u", i);
}

static bool in_bounds(const struct covol_hdr *hdr)
{
	u64 most = hdr->opcode == COVOL_OP_GRANT ? EXTENTS_LEN :
						   COVOL_WIRE_IO_MAX;

	return hdr->opcode >= COVOL_OP_READ && hdr->opcode <= COVOL_OP_LAST &&
	       !(hdr->flags & ~COVOL_WIRE_FLAGS) &&
	       hdr->status <= COVOL_STATUS_LAST &&
	       hdr->payload <= most &&
	       (hdr->offset | hdr->length) % COVOL_WIRE_SECTOR == 0 &&
	       hdr->offset <= S64_MAX && hdr->length <= S64_MAX &&
	       hdr->offset + hdr->length <= S64_MAX;
}

/* One field of a good header gets a value of few bits, or any. */
static void damage(struct rnd_state *rnd, struct covol_hdr *hdr)
{
	u64 value = (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);

	if (prandom_u32_state(rnd) % 2)
		value = 1ull << value % 64;
	if (prandom_u32_state(rnd) % 2)
		value &= ~511ull;
	switch (prandom_u32_state(rnd) % 6) {
	case 0:
		hdr->opcode = value;
		break;
	case 1:
		hdr->flags = value;
		break;
	case 2:
		hdr->status = value;
		break;
	case 3:
		hdr->payload = value;
		break;
	case 4:
		hdr->offset = value;
		break;
	default:
		hdr->length = value;
	}
}

/* Whatever a peer puts under a good checksum: what passes is in bounds. */
static void random_headers(struct kunit *test)
{
	const u32 seed = 20260, rounds = 100000;
	struct rnd_state rnd;
	struct covol_wire_hdr wire;
	struct covol_hdr hdr;
	const char *why;
	u32 i, passed = 0;

	prandom_seed_state(&rnd, seed);
	for (i = 0; i < rounds; i++) {
		fill(&hdr, &good[prandom_u32_state(&rnd) % ARRAY_SIZE(good)]);
		damage(&rnd, &hdr);
		if (prandom_u32_state(&rnd) % 2)
			damage(&rnd, &hdr);
		covol_wire_encode(&wire, &hdr);
		if (covol_wire_decode(&wire, &hdr, &why))
			continue;
		passed++;
		KUNIT_ASSERT_TRUE_MSG(test, in_bounds(&hdr),
				      "seed %u round %u", seed, i);
	}
	kunit_info(test, "seed %u: %u of %u passed the checks\n", seed, passed,
		   rounds);
	KUNIT_EXPECT_GT(test, passed, 0u);
	KUNIT_EXPECT_LT(test, passed, rounds / 2);
}

/* ---- extents ---------------------------------------------------------- */

struct extent_case {
	const char	*name;
	u64		offset;
	u64		length;
	u64		place;
	u32		state;
	int		err;
};

#define HOLE		COVOL_EXTENT_STATE_HOLE
#define UNWRITTEN	COVOL_EXTENT_STATE_UNWRITTEN
#define SHARED		COVOL_EXTENT_STATE_SHARED
#define DATA		COVOL_EXTENT_STATE_DATA
#define BYTES_MAX	(COVOL_SECTOR_MAX * COVOL_WIRE_SECTOR)

static const struct extent_case extents[] = {
	{ "data", 4096, 8192, 1 << 20, DATA, 0 },
	{ "shared", 0, 512, 512, SHARED, 0 },
	{ "hole", 512, 1ull << 40, 0, HOLE, 0 },
	{ "unwritten", 512, 512, 0, UNWRITTEN, 0 },
	{ "last place", 0, 512, BYTES_MAX - 512, DATA, 0 },
	{ "last sector", BYTES_MAX - 512, 512, 0, DATA, 0 },
	{ "all there is", 0, BYTES_MAX, 0, DATA, 0 },

	{ "unknown", 0, 512, 0, COVOL_EXTENT_STATE_UNKNOWN, -EPROTO },
	{ "state after the last", 0, 512, 0, DATA + 1, -EPROTO },
	{ "state U32_MAX", 0, 512, 0, U32_MAX, -EPROTO },
	{ "no length", 0, 0, 0, DATA, -EPROTO },
	{ "offset 1", 1, 512, 0, DATA, -EPROTO },
	{ "length 511", 0, 511, 0, DATA, -EPROTO },
	{ "length 513", 0, 513, 0, DATA, -EPROTO },
	{ "place 256", 0, 512, 256, DATA, -EPROTO },
	{ "hole with a place", 0, 512, 512, HOLE, -EPROTO },
	{ "unwritten with a place", 0, 512, 512, UNWRITTEN, -EPROTO },
	{ "past the last sector", BYTES_MAX, 512, 0, DATA, -EPROTO },
	{ "past the last place", 0, 512, BYTES_MAX, DATA, -EPROTO },
	{ "end past the last", BYTES_MAX - 512, 1024, 0, DATA, -EPROTO },
	{ "end wraps around", 512, U64_MAX & ~511ull, 0, HOLE, -EPROTO },
	{ "place wraps around", 0, 1024, U64_MAX & ~511ull, DATA, -EPROTO },
};

static void extent_desc(const struct extent_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(extents, extents, extent_desc);

static void extent_codec(struct kunit *test)
{
	const struct extent_case *c = test->param_value;
	const struct covol_wire_extent in = {
		.offset = cpu_to_le64(c->offset),
		.length = cpu_to_le64(c->length),
		.place = cpu_to_le64(c->place),
		.state = cpu_to_le32(c->state),
	};
	struct covol_wire_extent out;
	struct covol_extent ext;

	memset(&out, 0xff, sizeof(out));
	KUNIT_ASSERT_EQ(test, covol_wire_extent_decode(&in, &ext), c->err);
	if (c->err)
		return;
	KUNIT_EXPECT_EQ(test, ext.start, c->offset / 512);
	KUNIT_EXPECT_EQ(test, ext.len, c->length / 512);
	KUNIT_EXPECT_EQ(test, ext.place, c->place / 512);
	KUNIT_EXPECT_EQ(test, ext.state, c->state);
	covol_wire_extent_encode(&out, &ext);
	KUNIT_EXPECT_EQ(test, memcmp(&in, &out, sizeof(in)), 0);
}

/* ---- names and numbers ------------------------------------------------ */

static const struct {
	u32	status;
	int	err;
} statuses[] = {
	{ COVOL_STATUS_OK, 0 },
	{ COVOL_STATUS_IO, -EIO },
	{ COVOL_STATUS_STALE, -ESTALE },
	{ COVOL_STATUS_NO_OBJECT, -ENOENT },
	{ COVOL_STATUS_RANGE, -ERANGE },
	{ COVOL_STATUS_NO_SPACE, -ENOSPC },
	{ COVOL_STATUS_NO_PATH, -ENOLINK },
	{ COVOL_STATUS_MEDIUM, -ENODATA },
	{ COVOL_STATUS_NOT_SUPPORTED, -EOPNOTSUPP },
};

static void status_errno(struct kunit *test)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(statuses), COVOL_STATUS_LAST + 1);
	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		KUNIT_EXPECT_EQ(test,
				covol_wire_status_errno(statuses[i].status),
				statuses[i].err);
		KUNIT_EXPECT_EQ(test, covol_wire_errno_status(statuses[i].err),
				statuses[i].status);
	}
	KUNIT_EXPECT_EQ(test, covol_wire_status_errno(COVOL_STATUS_LAST + 1),
			-EIO);
	KUNIT_EXPECT_EQ(test, covol_wire_status_errno(U32_MAX), -EIO);
	KUNIT_EXPECT_EQ(test, covol_wire_errno_status(-EDQUOT),
			(u32)COVOL_STATUS_NO_SPACE);
	KUNIT_EXPECT_EQ(test, covol_wire_errno_status(-ENOMEM),
			(u32)COVOL_STATUS_IO);
}

static void op_names(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, covol_wire_op_name(0), "?");
	KUNIT_EXPECT_STREQ(test, covol_wire_op_name(COVOL_OP_READ), "READ");
	KUNIT_EXPECT_STREQ(test, covol_wire_op_name(COVOL_OP_LAST), "GOODBYE");
	KUNIT_EXPECT_STREQ(test, covol_wire_op_name(COVOL_OP_LAST + 1), "?");
	KUNIT_EXPECT_STREQ(test, covol_wire_op_name(UINT_MAX), "?");
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(round_trip, good_gen_params),
	KUNIT_CASE_PARAM(bit_flips, good_gen_params),
	KUNIT_CASE_PARAM(refused, bad_gen_params),
	KUNIT_CASE(not_a_header),
	KUNIT_CASE(golden_bytes),
	KUNIT_CASE(random_headers),
	KUNIT_CASE_PARAM(extent_codec, extents_gen_params),
	KUNIT_CASE(status_errno),
	KUNIT_CASE(op_names),
	{ }
};

static struct kunit_suite suite = {
	.name = "covol_wire",
	.test_cases = cases,
};

kunit_test_suite(suite);
