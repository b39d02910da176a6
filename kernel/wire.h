/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire format: what a message between two nodes looks like, and the
 * checks that every received one passes before anything of it is used (I10).
 * Documentation/protocol.rst has the same in words.
 *
 * Pure: no socket, no allocation, no sleeping; also compiled in user space.
 */
#ifndef COVOL_WIRE_H
#define COVOL_WIRE_H

#include <linux/types.h>

#define COVOL_WIRE_MAGIC	0x4c564f43u	/* "COVL" */
#define COVOL_WIRE_VERSION	1
#define COVOL_WIRE_UUID_LEN	16

/* Bounds. An I/O moves at most COVOL_WIRE_IO_MAX bytes of payload. */
#define COVOL_WIRE_IO_MAX	0x100000u
#define COVOL_WIRE_EXTENTS_MAX	512u
#define COVOL_WIRE_SECTOR	512u

enum covol_wire_op {
	COVOL_OP_READ = 1,
	COVOL_OP_WRITE = 2,
	COVOL_OP_FLUSH = 3,
	COVOL_OP_DISCARD = 4,
	COVOL_OP_WRITE_ZEROES = 5,
	COVOL_OP_LAYOUT_GET = 6,
	COVOL_OP_GRANT = 7,
	COVOL_OP_RECALL = 8,
	COVOL_OP_PING = 9,
	COVOL_OP_GOODBYE = 10,
	COVOL_OP_LAST = COVOL_OP_GOODBYE,
};

/* flags */
#define COVOL_WIRE_RESPONSE	0x0001	/* answers the request with this id */
#define COVOL_WIRE_FUA		0x0002	/* WRITE, WRITE_ZEROES: stable first */
#define COVOL_WIRE_NOUNMAP	0x0004	/* WRITE_ZEROES: keep it allocated */
#define COVOL_WIRE_DIGEST	0x0008	/* payload_crc is set */
#define COVOL_WIRE_ZEROES	0x0010	/* RECALL: what reads as zeroes */
#define COVOL_WIRE_FLAGS	0x001f

enum covol_wire_status {
	COVOL_STATUS_OK = 0,
	COVOL_STATUS_IO = 1,		/* the I/O failed */
	COVOL_STATUS_STALE = 2,		/* another epoch; nothing was done */
	COVOL_STATUS_NO_OBJECT = 3,	/* not served here */
	COVOL_STATUS_RANGE = 4,		/* beyond the end of the object */
	COVOL_STATUS_NO_SPACE = 5,
	COVOL_STATUS_NO_PATH = 6,	/* no path to the LUN, or a broken one */
	COVOL_STATUS_MEDIUM = 7,
	COVOL_STATUS_NOT_SUPPORTED = 8,
	COVOL_STATUS_LAST = COVOL_STATUS_NOT_SUPPORTED,
};

/**
 * struct covol_wire_hdr - the fixed header, as it is on the wire
 * @magic: COVOL_WIRE_MAGIC
 * @version: COVOL_WIRE_VERSION
 * @opcode: enum covol_wire_op
 * @flags: COVOL_WIRE_*
 * @status: enum covol_wire_status, in responses
 * @payload: bytes that follow the header
 * @id: chosen by who asks, comes back in the response
 * @epoch: the volume's epoch as the sender knows it (I4)
 * @volume: the volume's uuid
 * @object: 0 the volume itself, else an image's id
 * @offset: in the object, bytes
 * @length: of the range, bytes
 * @seq: layout sequence (GRANT, RECALL)
 * @payload_crc: CRC32C of the payload, with COVOL_WIRE_DIGEST
 * @crc: CRC32C of all before this field
 */
struct covol_wire_hdr {
	__le32	magic;
	__u8	version;
	__u8	opcode;
	__le16	flags;
	__le32	status;
	__le32	payload;
	__le64	id;
	__le64	epoch;
	__u8	volume[COVOL_WIRE_UUID_LEN];
	__le64	object;
	__le64	offset;
	__le64	length;
	__le64	seq;
	__le32	payload_crc;
	__le32	crc;
};

/**
 * struct covol_wire_extent - an extent in the payload of GRANT
 * @offset: in the object, bytes
 * @length: bytes
 * @place: in the volume's data, bytes
 * @state: enum covol_extent_state
 * @pad: zero
 */
struct covol_wire_extent {
	__le64	offset;
	__le64	length;
	__le64	place;
	__le32	state;
	__le32	pad;
};

/* A header in the machine's own byte order: the fields of covol_wire_hdr. */
struct covol_hdr {
	u8	opcode;
	u16	flags;
	u32	status;
	u32	payload;
	u64	id;
	u64	epoch;
	u8	volume[COVOL_WIRE_UUID_LEN];
	u64	object;
	u64	offset;
	u64	length;
	u64	seq;
	u32	payload_crc;
};

struct covol_extent;

void covol_wire_encode(struct covol_wire_hdr *wire, const struct covol_hdr *hdr);
int covol_wire_decode(const struct covol_wire_hdr *wire, struct covol_hdr *hdr,
		      const char **why);
void covol_wire_extent_encode(struct covol_wire_extent *wire,
			      const struct covol_extent *ext);
int covol_wire_extent_decode(const struct covol_wire_extent *wire,
			     struct covol_extent *ext);
const char *covol_wire_op_name(unsigned int opcode);
int covol_wire_status_errno(u32 status);
u32 covol_wire_errno_status(int err);

#endif /* COVOL_WIRE_H */
