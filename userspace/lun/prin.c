// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reservation commands return, taken apart. No I/O.
 */
#include <errno.h>
#include <string.h>

#include <linux/pr.h>

#include "bytes.h"
#include "reservation.h"

/* SAM-5 5.3 */
#define STATUS_GOOD		0x00
#define STATUS_CHECK		0x02
#define STATUS_CONFLICT		0x18

/* Host status of the kernel (scsi/scsi_status.h), as linux/pr.h has them, too. */
#define HOST_SHIFT		16

/* SPC-4 4.5.6 */
#define SENSE_NOT_READY		0x02
#define SENSE_ILLEGAL_REQUEST	0x05
#define SENSE_UNIT_ATTENTION	0x06

/* NVMe: status code types 0 to 3, of which 3 is "path related"; NVMe base 4.2.3 */
#define NVME_TYPE_PATH		0x300
#define NVME_TYPE_MASK		0x700
#define NVME_STATUS_MASK	0x7ff
#define NVME_CONFLICT		0x083
#define NVME_INVALID_OPCODE	0x001
/* With "do not retry"; without it this is what linux/pr.h of 6.12 calls an I/O error. */
#define NVME_INVALID_FIELD	0x4002

/* SPC-4 table 202 */
static unsigned int type_of_scsi(uint8_t type)
{
	switch (type) {
	case 0x1:
		return PR_WRITE_EXCLUSIVE;
	case 0x3:
		return PR_EXCLUSIVE_ACCESS;
	case 0x5:
		return PR_WRITE_EXCLUSIVE_REG_ONLY;
	case 0x6:
		return PR_EXCLUSIVE_ACCESS_REG_ONLY;
	case 0x7:
		return PR_WRITE_EXCLUSIVE_ALL_REGS;
	case 0x8:
		return PR_EXCLUSIVE_ACCESS_ALL_REGS;
	default:
		return 0;
	}
}

int lun_pr_in_keys(const uint8_t *bytes, size_t length, uint32_t *generation, uint64_t *keys,
		   size_t *count)
{
	uint32_t additional;
	size_t i;

	if (length < 8)
		return -EPROTO;
	additional = get_be32(bytes + 4);
	if (additional % 8)
		return -EPROTO;
	*generation = get_be32(bytes);
	*count = additional / 8;
	if (*count > LUN_KEYS_MAX)
		return -EPROTO;
	if (additional > length - 8)
		return -EMSGSIZE;
	for (i = 0; i < *count; i++)
		keys[i] = get_be64(bytes + 8 + 8 * i);
	return 0;
}

int lun_pr_in_reservation(const uint8_t *bytes, size_t length, struct lun_pr *pr)
{
	uint32_t additional;

	if (length < 8)
		return -EPROTO;
	pr->generation = get_be32(bytes);
	additional = get_be32(bytes + 4);
	pr->held = false;
	pr->holder = 0;
	pr->type = 0;
	if (!additional)
		return 0;
	if (additional < 16 || length < 24)
		return -EPROTO;
	pr->held = true;
	pr->holder = get_be64(bytes + 8);
	/* Other scopes than the logical unit are obsolete. */
	if (bytes[21] >> 4)
		return -EPROTO;
	pr->type = type_of_scsi(bytes[21] & 0xf);
	return 0;
}

int lun_pr_in_capabilities(const uint8_t *bytes, size_t length, struct lun_pr_capabilities *can)
{
	*can = (struct lun_pr_capabilities) { 0 };
	if (length < 8 || get_be16(bytes) < 8)
		return -EPROTO;
	can->persists = bytes[2] & 0x01;	/* PTPL_C */
	can->types_valid = bytes[3] & 0x80;	/* TMV */
	can->type = bytes[4] & 0x80;		/* WR_EX_AR */
	return 0;
}

int lun_pr_nvme_report(const uint8_t *bytes, size_t length, bool extended, struct lun_pr *pr,
		       uint64_t *keys)
{
	/* The head, and one registered controller; where in it the key is. */
	size_t head = extended ? 64 : 24, each = extended ? 64 : 24, at = extended ? 8 : 16, i;

	if (length < head)
		return -EPROTO;
	*pr = (struct lun_pr) {
		.generation = get_le32(bytes),
		.type = bytes[4],	/* NVMe numbers them as linux/pr.h does */
		.count = get_le16(bytes + 5),
		.keys = keys,
	};
	if (pr->type > PR_EXCLUSIVE_ACCESS_ALL_REGS || pr->count > LUN_KEYS_MAX)
		return -EPROTO;
	if (pr->count > (length - head) / each)
		return -EMSGSIZE;
	pr->held = pr->type;
	for (i = 0; i < pr->count; i++) {
		keys[i] = get_le64(bytes + head + i * each + at);
		if (bytes[head + i * each + 2] & 1 && !pr->holder)
			pr->holder = keys[i];
	}
	return 0;
}

static int nvme_result(int result)
{
	if ((result & NVME_TYPE_MASK) == NVME_TYPE_PATH)
		return -ENOLINK;
	if ((result & NVME_STATUS_MASK) == NVME_CONFLICT)
		return -EBADE;
	if ((result & NVME_STATUS_MASK) == NVME_INVALID_OPCODE || result == NVME_INVALID_FIELD)
		return -EOPNOTSUPP;
	return -EIO;
}

/* Negative: the kernel's own; no answer has come from the LUN. */
static int errno_result(int error)
{
	switch (error) {
	case -ENODEV:
	case -ENXIO:
	case -ENOTCONN:	/* dm-multipath: no path */
	case -EAGAIN:	/* NVMe: no path; dm: suspended */
	case -EIO:
	case -ENOLINK:
	case -ETIMEDOUT:
		return -ENOLINK;
	case -ENOTTY:
	case -EINVAL:
	case -EOPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return error;
	}
}

/*
 * Positive: linux/pr.h of 6.12 has enum pr_status, in which SCSI's statuses are what they are; 6.1
 * gives what the driver has, which for SCSI is the same, for NVMe the status of the command.
 */
int lun_pr_result(enum lun_transport transport, int result)
{
	if (result <= 0)
		return result ? errno_result(result) : 0;
	if (result >> HOST_SHIFT)
		return -ENOLINK;
	if ((result & 0xff) == STATUS_CONFLICT)
		return -EBADE;
	return transport == LUN_NVME ? nvme_result(result) : -EIO;
}

int lun_scsi_result(const struct lun_scsi_end *end)
{
	if (end->status == STATUS_CONFLICT)
		return -EBADE;
	if (end->host)
		return -ENOLINK;
	if (end->status == STATUS_GOOD)
		return 0;
	if (end->status != STATUS_CHECK)
		return -EIO;
	if (end->key == SENSE_UNIT_ATTENTION)
		return -EAGAIN;
	/* This path: asymmetric access changes, standby, unavailable (SPC-4 5.15). */
	if (end->key == SENSE_NOT_READY && end->asc == 0x04)
		return -ENOLINK;
	/* Invalid command operation code; invalid field in CDB; in parameter list. */
	if (end->key == SENSE_ILLEGAL_REQUEST &&
	    (end->asc == 0x20 || end->asc == 0x24 || end->asc == 0x26))
		return -EOPNOTSUPP;
	return -EIO;
}

void lun_scsi_sense(const uint8_t *sense, size_t length, struct lun_scsi_end *end)
{
	uint8_t format = length ? sense[0] & 0x7f : 0;

	end->key = 0;
	end->asc = 0;
	end->ascq = 0;
	if ((format == 0x72 || format == 0x73) && length >= 4) {
		end->key = sense[1] & 0xf;
		end->asc = sense[2];
		end->ascq = sense[3];
	} else if ((format == 0x70 || format == 0x71) && length >= 14) {
		end->key = sense[2] & 0xf;
		end->asc = sense[12];
		end->ascq = sense[13];
	}
}
