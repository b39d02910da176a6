// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encoding, decoding and bounds of the wire format. See wire.h.
 */
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>
#include <uapi/linux/covol.h>

#include "extent.h"
#include "wire.h"

static_assert(sizeof(struct covol_wire_hdr) == 88);
static_assert(offsetof(struct covol_wire_hdr, id) == 16);
static_assert(offsetof(struct covol_wire_hdr, volume) == 32);
static_assert(offsetof(struct covol_wire_hdr, object) == 48);
static_assert(offsetof(struct covol_wire_hdr, seq) == 72);
static_assert(offsetof(struct covol_wire_hdr, crc) == 84);
static_assert(sizeof(struct covol_wire_extent) == 32);
static_assert(COVOL_WIRE_UUID_LEN == COVOL_UUID_LEN);

/* What a request of an opcode may look like. */
struct op_rule {
	const char	*name;
	u16		flags;		/* allowed beside RESPONSE */
	bool		range;		/* offset and length: sectors, > 0 */
	bool		data_out;	/* request's payload is the range's data */
	bool		data_in;	/* response's payload is the range's data */
	bool		extents;	/* payload is extents */
	bool		oneway;		/* has no response */
	bool		peer;		/* about the session: no object */
};

static const struct op_rule rules[COVOL_OP_LAST + 1] = {
	[COVOL_OP_READ] = { .name = "READ", .range = true, .data_in = true,
			    .flags = COVOL_WIRE_DIGEST },
	[COVOL_OP_WRITE] = { .name = "WRITE", .range = true, .data_out = true,
			     .flags = COVOL_WIRE_FUA | COVOL_WIRE_DIGEST },
	[COVOL_OP_FLUSH] = { .name = "FLUSH" },
	[COVOL_OP_DISCARD] = { .name = "DISCARD", .range = true },
	[COVOL_OP_WRITE_ZEROES] = { .name = "WRITE_ZEROES", .range = true,
				    .flags = COVOL_WIRE_FUA |
					     COVOL_WIRE_NOUNMAP },
	[COVOL_OP_LAYOUT_GET] = { .name = "LAYOUT_GET", .range = true },
	[COVOL_OP_GRANT] = { .name = "GRANT", .range = true, .extents = true,
			     .oneway = true },
	[COVOL_OP_RECALL] = { .name = "RECALL", .range = true,
			      .flags = COVOL_WIRE_ZEROES },
	[COVOL_OP_PING] = { .name = "PING", .peer = true },
	[COVOL_OP_GOODBYE] = { .name = "GOODBYE", .peer = true,
			       .oneway = true },
};

/**
 * covol_wire_op_name() - an opcode in words
 * @opcode: enum covol_wire_op, or anything
 *
 * Return: its name, or "?".
 */
const char *covol_wire_op_name(unsigned int opcode)
{
	if (opcode > COVOL_OP_LAST || !rules[opcode].name)
		return "?";
	return rules[opcode].name;
}

/**
 * covol_wire_encode() - make the header that goes on the wire
 * @wire: filled in
 * @hdr: what it shall say
 */
void covol_wire_encode(struct covol_wire_hdr *wire, const struct covol_hdr *hdr)
{
	wire->magic = cpu_to_le32(COVOL_WIRE_MAGIC);
	wire->version = COVOL_WIRE_VERSION;
	wire->opcode = hdr->opcode;
	wire->flags = cpu_to_le16(hdr->flags);
	wire->status = cpu_to_le32(hdr->status);
	wire->payload = cpu_to_le32(hdr->payload);
	wire->id = cpu_to_le64(hdr->id);
	wire->epoch = cpu_to_le64(hdr->epoch);
	memcpy(wire->volume, hdr->volume, sizeof(wire->volume));
	wire->object = cpu_to_le64(hdr->object);
	wire->offset = cpu_to_le64(hdr->offset);
	wire->length = cpu_to_le64(hdr->length);
	wire->seq = cpu_to_le64(hdr->seq);
	wire->payload_crc = cpu_to_le32(hdr->payload_crc);
	wire->crc = cpu_to_le32(crc32c(~0u, wire,
				       offsetof(struct covol_wire_hdr, crc)));
}

static const char *check_range(const struct covol_hdr *hdr)
{
	if (!hdr->length)
		return "no length";
	if ((hdr->offset | hdr->length) % COVOL_WIRE_SECTOR)
		return "range is not in sectors";
	if (hdr->offset > S64_MAX || hdr->length > S64_MAX - hdr->offset)
		return "range overflows";
	return NULL;
}

static const char *check_payload(const struct covol_hdr *hdr,
				 const struct op_rule *rule)
{
	bool response = hdr->flags & COVOL_WIRE_RESPONSE;
	u64 want = 0;

	if ((rule->data_in || rule->data_out) &&
	    hdr->length > COVOL_WIRE_IO_MAX)
		return "more data than one I/O may move";
	if (rule->extents) {
		if (hdr->payload % sizeof(struct covol_wire_extent) ||
		    hdr->payload > COVOL_WIRE_EXTENTS_MAX *
				   sizeof(struct covol_wire_extent))
			return "payload is not a list of extents";
		return NULL;
	}
	if (response && rule->data_in && hdr->status == COVOL_STATUS_OK)
		want = hdr->length;
	else if (!response && rule->data_out)
		want = hdr->length;
	if (hdr->payload != want)
		return "payload length does not fit the message";
	return NULL;
}

static const char *check(const struct covol_hdr *hdr)
{
	bool response = hdr->flags & COVOL_WIRE_RESPONSE;
	const struct op_rule *rule;
	const char *why = NULL;

	if (hdr->opcode > COVOL_OP_LAST || !rules[hdr->opcode].name)
		return "unknown opcode";
	rule = &rules[hdr->opcode];
	if (hdr->flags & ~(rule->flags | COVOL_WIRE_RESPONSE))
		return "flag that the opcode does not have";
	if (response && rule->oneway)
		return "response to a message that has none";
	if (response ? hdr->status > COVOL_STATUS_LAST : hdr->status)
		return "bad status";
	if (rule->peer && hdr->object)
		why = "object where none belongs";
	else if (rule->range)
		why = check_range(hdr);
	else if (hdr->offset || hdr->length)
		why = "range where none belongs";
	return why ?: check_payload(hdr, rule);
}

/**
 * covol_wire_decode() - check a received header and take it apart
 * @wire: as received
 * @hdr: filled in; not to be used when this fails
 * @why: on failure, what is wrong, for the log
 *
 * After success every field is within its bounds: the opcode is known, the
 * range is in sectors and does not overflow, and @payload is what that
 * opcode may carry. Whether the range lies within the object is for the
 * caller to check.
 *
 * Return: 0, or -EPROTO.
 */
int covol_wire_decode(const struct covol_wire_hdr *wire, struct covol_hdr *hdr,
		      const char **why)
{
	u32 crc = crc32c(~0u, wire, offsetof(struct covol_wire_hdr, crc));

	*why = NULL;
	if (wire->magic != cpu_to_le32(COVOL_WIRE_MAGIC))
		*why = "bad magic";
	else if (wire->version != COVOL_WIRE_VERSION)
		*why = "unknown version";
	else if (le32_to_cpu(wire->crc) != crc)
		*why = "bad header checksum";
	if (*why)
		return -EPROTO;
	hdr->opcode = wire->opcode;
	hdr->flags = le16_to_cpu(wire->flags);
	hdr->status = le32_to_cpu(wire->status);
	hdr->payload = le32_to_cpu(wire->payload);
	hdr->id = le64_to_cpu(wire->id);
	hdr->epoch = le64_to_cpu(wire->epoch);
	memcpy(hdr->volume, wire->volume, sizeof(hdr->volume));
	hdr->object = le64_to_cpu(wire->object);
	hdr->offset = le64_to_cpu(wire->offset);
	hdr->length = le64_to_cpu(wire->length);
	hdr->seq = le64_to_cpu(wire->seq);
	hdr->payload_crc = le32_to_cpu(wire->payload_crc);
	*why = check(hdr);
	return *why ? -EPROTO : 0;
}

/**
 * covol_wire_extent_encode() - make an extent that goes on the wire
 * @wire: filled in
 * @ext: the extent, in sectors
 */
void covol_wire_extent_encode(struct covol_wire_extent *wire,
			      const struct covol_extent *ext)
{
	wire->offset = cpu_to_le64(ext->start * COVOL_WIRE_SECTOR);
	wire->length = cpu_to_le64(ext->len * COVOL_WIRE_SECTOR);
	wire->place = cpu_to_le64(ext->place * COVOL_WIRE_SECTOR);
	wire->state = cpu_to_le32(ext->state);
	wire->pad = 0;
}

/**
 * covol_wire_extent_decode() - check a received extent and take it apart
 * @wire: as received
 * @ext: filled in, in sectors; not to be used when this fails
 *
 * Return: 0, or -EPROTO. That the extent lies within the object and its place
 * within the volume is for the caller to check.
 */
int covol_wire_extent_decode(const struct covol_wire_extent *wire,
			     struct covol_extent *ext)
{
	ext->start = le64_to_cpu(wire->offset) / COVOL_WIRE_SECTOR;
	ext->len = le64_to_cpu(wire->length) / COVOL_WIRE_SECTOR;
	ext->place = le64_to_cpu(wire->place) / COVOL_WIRE_SECTOR;
	ext->state = le32_to_cpu(wire->state);
	if ((le64_to_cpu(wire->offset) | le64_to_cpu(wire->length) |
	     le64_to_cpu(wire->place)) % COVOL_WIRE_SECTOR || wire->pad)
		return -EPROTO;
	return covol_extent_valid(ext) ? 0 : -EPROTO;
}

/**
 * covol_wire_status_errno() - a received status as an errno
 * @status: enum covol_wire_status
 *
 * Return: 0 or a negative errno.
 */
int covol_wire_status_errno(u32 status)
{
	switch (status) {
	case COVOL_STATUS_OK:
		return 0;
	case COVOL_STATUS_STALE:
		return -ESTALE;
	case COVOL_STATUS_NO_OBJECT:
		return -ENOENT;
	case COVOL_STATUS_RANGE:
		return -ERANGE;
	case COVOL_STATUS_NO_SPACE:
		return -ENOSPC;
	case COVOL_STATUS_NO_PATH:
		return -ENOLINK;
	case COVOL_STATUS_MEDIUM:
		return -ENODATA;
	case COVOL_STATUS_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

/**
 * covol_wire_errno_status() - an errno as a status to send
 * @err: 0 or a negative errno
 *
 * Return: enum covol_wire_status.
 */
u32 covol_wire_errno_status(int err)
{
	u32 status;

	for (status = COVOL_STATUS_OK; status <= COVOL_STATUS_LAST; status++)
		if (covol_wire_status_errno(status) == err)
			return status;
	if (err == -EDQUOT)
		return COVOL_STATUS_NO_SPACE;
	return COVOL_STATUS_IO;
}
