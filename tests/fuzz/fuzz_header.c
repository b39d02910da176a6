// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any 88 bytes as a header: as they are, and with magic, version and checksum made right, as few
 * inputs get past these. What is taken is within its bounds, and is what it was when it is encoded
 * again.
 */
#include <errno.h>
#include <string.h>

#include <linux/crc32c.h>

#include "fuzz.h"
#include "wire.h"

static bool has_data(const struct covol_hdr *hdr)
{
	bool response = hdr->flags & COVOL_WIRE_RESPONSE;

	if (response)
		return hdr->opcode == COVOL_OP_READ && !hdr->status;
	return hdr->opcode == COVOL_OP_WRITE;
}

static void check_payload(const struct covol_hdr *hdr)
{
	if (hdr->opcode == COVOL_OP_GRANT) {
		must(hdr->payload % sizeof(struct covol_wire_extent) == 0);
		must(hdr->payload <= COVOL_WIRE_EXTENTS_MAX * sizeof(struct covol_wire_extent));
	} else if (has_data(hdr)) {
		must(hdr->payload == hdr->length);
		must(hdr->payload <= COVOL_WIRE_IO_MAX);
	} else {
		must(!hdr->payload);
	}
}

static void check_taken(const struct covol_hdr *hdr, const struct covol_wire_hdr *wire)
{
	struct covol_wire_hdr again;

	must(strcmp(covol_wire_op_name(hdr->opcode), "?"));
	must(!(hdr->flags & ~COVOL_WIRE_FLAGS));
	must(hdr->status <= COVOL_STATUS_LAST);
	must(hdr->flags & COVOL_WIRE_RESPONSE || !hdr->status);
	must(covol_wire_errno_status(covol_wire_status_errno(hdr->status)) == hdr->status);
	must(hdr->offset % COVOL_WIRE_SECTOR == 0 && hdr->length % COVOL_WIRE_SECTOR == 0);
	must(hdr->offset <= INT64_MAX && hdr->length <= INT64_MAX);
	must(hdr->offset + hdr->length <= INT64_MAX);
	check_payload(hdr);
	covol_wire_encode(&again, hdr);
	must(!memcmp(&again, wire, sizeof(again)));
}

/* Whether it was taken. */
static bool decode(const struct covol_wire_hdr *wire)
{
	struct covol_hdr hdr;
	const char *why = "";
	int err = covol_wire_decode(wire, &hdr, &why);

	must(err == 0 || err == -EPROTO);
	must(!err == !why);
	if (!err)
		check_taken(&hdr, wire);
	return !err;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct covol_wire_hdr wire = { 0 };
	size_t bit;

	memcpy(&wire, data, size < sizeof(wire) ? size : sizeof(wire));
	decode(&wire);
	wire.magic = COVOL_WIRE_MAGIC;
	wire.version = COVOL_WIRE_VERSION;
	wire.crc = crc32c(~0u, &wire, offsetof(struct covol_wire_hdr, crc));
	if (!decode(&wire))
		return 0;
	/* A bit that flips on the way does not get through. */
	bit = (size ? data[size - 1] * 7 : 0) % (8 * sizeof(wire));
	((u8 *)&wire)[bit / 8] ^= 1 << bit % 8;
	must(!decode(&wire));
	return 0;
}
