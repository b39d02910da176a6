// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a LUN says of itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "check.h"

/* KiB: with less, large I/O becomes a lot of commands. */
#define TRANSFER_SMALL	128

/* SBC-3 */
#define VPD_LIMITS		0xb0
#define VPD_PROVISIONING	0xb2
#define VPD_HEAD		4
#define VPD_MOST		256

static const char *const verdict_names[LUN_VERDICTS] = { "good", "weak", "bad", "unknown" };

const char *lun_verdict_name(enum lun_verdict verdict)
{
	return verdict < LUN_VERDICTS ? verdict_names[verdict] : "?";
}

void lun_found(struct lun_findings *findings, const char *check, enum lun_verdict verdict,
	       const char *advice, const char *format, ...)
{
	struct lun_finding *finding;
	va_list args;

	if (findings->count == LUN_FINDINGS)
		abort();
	finding = &findings->list[findings->count++];
	finding->check = check;
	finding->verdict = verdict;
	finding->advice = advice;
	va_start(args, format);
	vsnprintf(finding->found, sizeof(finding->found), format, args);
	va_end(args);
}

bool lun_findings_bad(const struct lun_findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++)
		if (findings->list[i].verdict == LUN_BAD)
			return true;
	return false;
}

/* ---- VPD pages ---- */

/* How many bytes of the page are there; 0: it is no such page. */
static size_t vpd_length(const uint8_t *bytes, size_t length, uint8_t page)
{
	size_t all;

	if (length < VPD_HEAD || bytes[1] != page)
		return 0;
	all = VPD_HEAD + get_be16(bytes + 2);
	return all < length ? all : length;
}

int lun_vpd_limits(const uint8_t *bytes, size_t length, struct lun_limits *limits)
{
	*limits = (struct lun_limits) { 0 };
	length = vpd_length(bytes, length, VPD_LIMITS);
	if (length < 16)
		return -EPROTO;
	limits->transfer_max = get_be32(bytes + 8);
	limits->transfer_optimal = get_be32(bytes + 12);
	/* SBC-2 ends here. */
	if (length >= 32) {
		limits->unmap_max = get_be32(bytes + 20);
		limits->unmap_granularity = get_be32(bytes + 28);
	}
	if (length >= 44)
		limits->write_same_max = get_be64(bytes + 36);
	return 0;
}

int lun_vpd_provisioning(const uint8_t *bytes, size_t length, struct lun_provisioning *lbp)
{
	*lbp = (struct lun_provisioning) { 0 };
	if (vpd_length(bytes, length, VPD_PROVISIONING) < 8)
		return -EPROTO;
	lbp->unmap = bytes[5] & 0x80;
	lbp->write_same = bytes[5] & 0x40;
	lbp->zeroes = bytes[5] & 0x1c;
	lbp->type = bytes[6] & 0x07;
	return 0;
}

/* As the kernel has read it last (it does since 5.19). */
static size_t read_page(const char *sysfs, const char *disk, const char *name,
			uint8_t bytes[VPD_MOST])
{
	char path[PATH_MAX];
	size_t length;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/class/block/%s/device/%s", sysfs, disk, name) >=
	    (int)sizeof(path))
		return 0;
	file = fopen(path, "re");
	if (!file)
		return 0;
	length = fread(bytes, 1, VPD_MOST, file);
	fclose(file);
	return length;
}

/* ---- lines ---- */

/* One disk, by /sys. */
struct look {
	const struct lun *lun;
	const char *sysfs;
	struct lun_findings *findings;
};

static void text_of(const struct look *look, const char *name, char value[64])
{
	lun_attribute(look->sysfs, look->lun->path[0].name, name, value, 64);
}

static uint64_t number_of(const struct look *look, const char *name)
{
	char value[64];

	text_of(look, name, value);
	return strtoull(value, NULL, 10);
}

static void check_transport(const struct look *look)
{
	switch (look->lun->transport) {
	case LUN_SCSI:
		lun_found(look->findings, "transport", LUN_GOOD, NULL, "SCSI");
		break;
	case LUN_NVME:
		lun_found(look->findings, "transport", LUN_WEAK,
			  "test fencing on this array before it is trusted",
			  "NVMe: its reservations are supported, and little tested");
		break;
	default:
		lun_found(look->findings, "transport", LUN_BAD,
			  "use a SCSI or NVMe LUN: this one cannot be fenced",
			  "neither SCSI nor NVMe: it has no persistent reservations");
	}
}

static void check_array(const struct look *look)
{
	char product[LUN_PRODUCT_LEN];

	lun_product(look->lun, look->sysfs, product);
	if (product[0])
		lun_found(look->findings, "array", LUN_GOOD, NULL, "%s", product);
	else
		lun_found(look->findings, "array", LUN_UNKNOWN,
			  "that a drain is enough cannot be kept for it: a fence resets the LUN",
			  "it does not say what it is, or of which revision");
}

static void check_identity(const struct look *look)
{
	if (look->lun->wwid[0])
		lun_found(look->findings, "identity", LUN_GOOD, NULL, "%s", look->lun->wwid);
	else
		lun_found(look->findings, "identity", LUN_WEAK,
			  "have the array give it one (VPD page 83h, or an EUI or UUID)",
			  "no WWID: a copy of this LUN cannot be told from it");
}

static void check_paths(const struct look *look)
{
	const struct lun *lun = look->lun;

	if (lun->paths > 1)
		lun_found(look->findings, "paths", LUN_GOOD, NULL, "%zu", lun->paths);
	else
		lun_found(look->findings, "paths", LUN_WEAK,
			  "with a second path and multipath a broken cable redirects nothing",
			  "one, %s", lun->path[0].name);
}

/* As LIO waits for what such an initiator does not send. Paths are set up alike. */
static void check_fast_abort(const struct look *look)
{
	char value[64];

	lun_session_attribute(look->sysfs, look->lun->path[0].name, "fast_abort", value,
			      sizeof(value));
	if (!strcmp(value, "0"))
		lun_found(look->findings, "fast-abort", LUN_GOOD, NULL, "off");
	else if (value[0])
		lun_found(look->findings, "fast-abort", LUN_WEAK,
			  "set node.session.iscsi.FastAbort to No, as RFC 7143 has it, and log in again",
			  "iSCSI's FastAbort is on: with LIO as the target a reset may fail, and a fence take 5 s longer");
}

static void check_blocks(const struct look *look)
{
	uint64_t physical = number_of(look, "queue/physical_block_size");

	if (physical > LUN_HEADER_SIZE)
		lun_found(look->findings, "blocks", LUN_WEAK,
			  "writes that are no multiple of it may be slow",
			  "%u bytes, physical %" PRIu64, look->lun->block, physical);
	else
		lun_found(look->findings, "blocks", LUN_GOOD, NULL,
			  "%u bytes, physical %" PRIu64, look->lun->block, physical);
}

static void check_transfer(const struct look *look)
{
	uint64_t most = number_of(look, "queue/max_hw_sectors_kb"), optimal = 0;
	struct lun_limits limits;
	uint8_t page[VPD_MOST];
	size_t length;

	length = read_page(look->sysfs, look->lun->path[0].name, "vpd_pgb0", page);
	if (!lun_vpd_limits(page, length, &limits))
		optimal = (uint64_t)limits.transfer_optimal * look->lun->block >> 10;
	if (!most)
		lun_found(look->findings, "transfer", LUN_UNKNOWN, NULL, "no limit is reported");
	else if (most < TRANSFER_SMALL)
		lun_found(look->findings, "transfer", LUN_WEAK,
			  "large I/O is split: see the limits of the adapter and of the array",
			  "%" PRIu64 " KiB in a command", most);
	else if (optimal)
		lun_found(look->findings, "transfer", LUN_GOOD, NULL,
			  "%" PRIu64 " KiB in a command, best in %" PRIu64 " KiB", most, optimal);
	else
		lun_found(look->findings, "transfer", LUN_GOOD, NULL,
			  "%" PRIu64 " KiB in a command", most);
}

static void check_provisioning(const struct look *look)
{
	static const char *const types[] = { "full, or not reported", "resource", "thin" };
	struct lun_provisioning lbp;
	uint8_t page[VPD_MOST];
	size_t length;

	length = read_page(look->sysfs, look->lun->path[0].name, "vpd_pgb2", page);
	if (lun_vpd_provisioning(page, length, &lbp) || lbp.type >= 3)
		lun_found(look->findings, "provisioning", LUN_UNKNOWN, NULL, "not reported");
	else if (lbp.type && !lbp.unmap && !lbp.write_same)
		lun_found(look->findings, "provisioning", LUN_WEAK,
			  "space that is used once stays used: watch the array's pool",
			  "%s, and nothing can be given back", types[lbp.type]);
	else
		lun_found(look->findings, "provisioning", LUN_GOOD, NULL, "%s%s", types[lbp.type],
			  lbp.zeroes ? ", unmapped blocks read as zeroes" : "");
}

static void check_unmap(const struct look *look)
{
	uint64_t most = number_of(look, "queue/discard_max_bytes");

	if (most)
		lun_found(look->findings, "unmap", LUN_GOOD, NULL,
			  "%" PRIu64 " KiB in a command, in units of %" PRIu64 " bytes", most >> 10,
			  number_of(look, "queue/discard_granularity"));
	else
		lun_found(look->findings, "unmap", LUN_WEAK,
			  "what images free is not given back to the array; on a thin LUN, have UNMAP allowed",
			  "not possible");
}

static void check_zeroes(const struct look *look)
{
	uint64_t most = number_of(look, "queue/write_zeroes_max_bytes");

	if (most)
		lun_found(look->findings, "write-same", LUN_GOOD, NULL,
			  "zeroes by command, %" PRIu64 " KiB at once", most >> 10);
	else
		lun_found(look->findings, "write-same", LUN_WEAK,
			  "new space of images is zeroed by writing, which takes the link",
			  "not possible");
}

void lun_check_device(struct lun *lun, const char *sysfs, struct lun_findings *findings)
{
	const struct look look = { lun, sysfs, findings };

	check_transport(&look);
	check_array(&look);
	check_identity(&look);
	check_paths(&look);
	check_fast_abort(&look);
	check_blocks(&look);
	check_transfer(&look);
	if (lun->transport == LUN_SCSI)
		check_provisioning(&look);
	check_unmap(&look);
	check_zeroes(&look);
}

void lun_check_capabilities(struct lun *lun, struct lun_findings *findings)
{
	struct lun_pr_capabilities can;
	int error;

	/* NVMe has no such command: what it does is tried. */
	if (lun->transport != LUN_SCSI)
		return;
	error = lun_pr_capabilities(lun, &can);
	if (error) {
		lun_found(findings, "capabilities", LUN_UNKNOWN, NULL, "%s", lun->error);
		return;
	}
	if (!can.types_valid)
		lun_found(findings, "capabilities", LUN_UNKNOWN, NULL,
			  "it does not say which types of reservation it has");
	else if (!can.type)
		lun_found(findings, "capabilities", LUN_BAD,
			  "this LUN cannot be fenced: have the array's persistent reservations (SPC-3) turned on",
			  "no Write Exclusive - All Registrants");
	else
		lun_found(findings, "capabilities", LUN_GOOD, NULL,
			  "Write Exclusive - All Registrants");
	if (can.persists)
		lun_found(findings, "power-loss", LUN_GOOD, NULL,
			  "keys and reservation outlive a power loss of the array");
	else
		lun_found(findings, "power-loss", LUN_WEAK,
			  "stop the volume's nodes before the array is switched off",
			  "keys and reservation do not outlive a power loss of the array");
}
