/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * covol's header on a LUN: which volume this is, and what must outlive all nodes. Two copies,
 * written in turn, so that a write that is cut off leaves the other. Documentation/ondisk.rst
 * describes it field by field.
 *
 * Who may write: the volume's coordinator (or who makes or adopts the volume), one at a time. Who
 * may read: everybody.
 */
#ifndef COVOL_LUN_HEADER_H
#define COVOL_LUN_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <covol/libcovol.h>

struct lun;

/* In bytes, all of them. */
#define LUN_HEADER_SIZE		4096
#define LUN_HEADER_COPIES	2
#define LUN_HEADER_COPY_0	(192 << 10)
#define LUN_HEADER_COPY_1	(704 << 10)
/* Where the file system begins. All before it is the header's, or zeroes. */
#define LUN_DATA_OFFSET		(1024 << 10)
/* Smaller is no volume: XFS wants 300 MiB by itself, tests are content with ext4 on less. */
#define LUN_DATA_MIN		(16 << 20)

#define LUN_HEADER_VERSION	1

/* With the byte that ends them. */
#define LUN_NAME_LEN		32
#define LUN_CLUSTER_LEN		64
#define LUN_WWID_LEN		256
#define LUN_PRODUCT_LEN		128

/*
 * Features that this version knows. A volume with others: compatible, use it; read-only compatible,
 * look at it but do not write; incompatible, leave it alone.
 */
#define LUN_KNOWN_COMPATIBLE	0u
#define LUN_KNOWN_RO_COMPATIBLE	0u
#define LUN_KNOWN_INCOMPATIBLE	0u

enum lun_fs {
	LUN_FS_NONE,
	LUN_FS_XFS,
	LUN_FS_EXT4,
	LUN_FS_KINDS
};

/* How a fence makes sure that nothing sent before it still lands. */
enum lun_drain {
	LUN_DRAIN_RESET,	/* LOGICAL UNIT RESET */
	LUN_DRAIN_ABORT,	/* PREEMPT AND ABORT drains by itself: shown by a test */
	LUN_DRAIN_WAIT,		/* so many seconds */
	LUN_DRAIN_NONE,		/* not at all: for tests */
	LUN_DRAINS
};

/* What has been found out about the array. */
struct lun_array {
	enum lun_drain drain;
	uint32_t wait;		/* seconds, for LUN_DRAIN_WAIT; else 0 */
	bool qualified;		/* the late-write test passed with this drain */
	uint64_t qualified_at;	/* seconds since 1970-01-01 UTC; 0: never */
	char product[LUN_PRODUCT_LEN];	/* that passed it, as lun_product() has it; "": none */
};

struct lun_header {
	uint64_t generation;	/* of this header; lun_header_write() counts */
	uint32_t compatible;
	uint32_t ro_compatible;
	uint32_t incompatible;
	struct covol_uuid uuid;
	char name[LUN_NAME_LEN];
	char cluster[LUN_CLUSTER_LEN];
	char wwid[LUN_WWID_LEN];	/* of the LUN that it was made on; "": it had none */
	uint64_t epoch;
	uint32_t coordinator;	/* node; 0: nobody yet */
	enum lun_fs fs;
	uint64_t data_offset;
	uint64_t data_size;
	uint64_t created;	/* seconds since 1970-01-01 UTC */
	struct lun_array array;
	/* What a later, compatible version has put behind the fields above: kept as it is. */
	uint8_t rest[LUN_HEADER_SIZE - 1024];
};

enum lun_copy_state {
	LUN_COPY_GOOD,
	LUN_COPY_NONE,		/* no magic */
	LUN_COPY_DAMAGED,	/* magic, but not the checksum, or a field that cannot be */
	LUN_COPY_NEWER,		/* of a later format */
};

/* What was found in one copy. */
struct lun_copy {
	enum lun_copy_state state;
	uint64_t generation;	/* GOOD and NEWER */
	uint32_t version;	/* NEWER */
	const char *why;	/* half a sentence, unless GOOD */
};

/* Where copy 0 or 1 is, in bytes from the LUN's beginning. */
uint64_t lun_header_place(unsigned int copy);

/*
 * lun_header_check() - whether these values may stand in a header
 *
 * NULL, or half a sentence that says what is wrong.
 */
const char *lun_header_check(const struct lun_header *header);
/*
 * lun_array_shown() - whether the array's drain was shown to be enough on what the LUN is now
 * @product: of the LUN, by lun_product()
 *
 * A result is one of that array with that firmware: what does not say what it is has none.
 */
bool lun_array_shown(const struct lun_array *array, const char *product);
/* Whether a volume may have that name: 1 to 31 of A-Z a-z 0-9 . _ -, the first no dot, no dash. */
bool lun_name_valid(const char *name);

/*
 * lun_header_encode() - the bytes of a copy
 *
 * @header must pass lun_header_check().
 */
void lun_header_encode(const struct lun_header *header, unsigned int copy,
		       uint8_t bytes[LUN_HEADER_SIZE]);
/* lun_header_decode() - one copy; believes nothing. @header is set only if it is GOOD. */
struct lun_copy lun_header_decode(const uint8_t bytes[LUN_HEADER_SIZE], unsigned int copy,
				  struct lun_header *header);

/* What lun_header_choose() and lun_header_read() say of the two copies. */
struct lun_copies {
	struct lun_copy copy[LUN_HEADER_COPIES];
	unsigned int newest;	/* valid after 0, -EROFS and -EXDEV */
};

/*
 * lun_header_choose() - the newest of the two copies
 *
 * 0, with @header set. Else negative, with a sentence (without the device's name) in @why:
 *   -ENODATA		no header: this is no volume
 *   -EBADMSG		no copy is good, and at least one is damaged
 *   -EPROTONOSUPPORT	made by a later version of covol: format, or incompatible features
 *   -EROFS		@header is set, but features say that this version must not write
 */
int lun_header_choose(const uint8_t bytes[LUN_HEADER_COPIES][LUN_HEADER_SIZE],
		      struct lun_header *header, struct lun_copies *copies, char *why,
		      size_t why_len);

/*
 * lun_header_read() - read the header of an open LUN
 * @copies: may be NULL
 *
 * Reads past the page cache. As lun_header_choose(), and:
 *   -EXDEV	@header is set, but was made on a LUN with another WWID: a copy of that LUN
 *   -ERANGE	@header is set, but the LUN is smaller than the volume
 *   -ENOLINK	path error
 *   -EIO	the LUN could not be read
 * lun->error has the sentence. A copy that is not good beside one that is does no harm, but should
 * be reported: see @copies.
 */
int lun_header_read(struct lun *lun, struct lun_header *header, struct lun_copies *copies);

/*
 * lun_header_write() - write a header, over the copy that is not the newest
 *
 * header->generation becomes one more than what is there. It is on
 * stable storage, and has been read back, when this returns 0.
 *
 * Errors: -EINVAL: @header fails lun_header_check(); -EEXIST: another volume's header is there;
 * -ESTALE: the one that is there has a later epoch; -EBADE: reservation conflict, this node was
 * fenced; -ENOLINK, -EIO: either header may be there now; and those of lun_header_read(). A LUN
 * without header is one for lun_header_replace().
 */
int lun_header_write(struct lun *lun, struct lun_header *header);
/*
 * lun_header_replace() - write both copies, over whatever is there
 *
 * For making a volume, and for adopting one: under another name, or, if it is a copy, with a new
 * uuid and WWID. When it is cut off there is the old header or the new one. -ESTALE: that of the
 * same volume is there, with a later epoch.
 */
int lun_header_replace(struct lun *lun, struct lun_header *header);
/* Zeroes over both copies: this is no volume any more. */
int lun_header_erase(struct lun *lun);

/* "xfs", "ext4"; -1 for what is none. */
const char *lun_fs_name(enum lun_fs fs);
int lun_fs_parse(const char *name);
/* "lun-reset", "abort", "wait", "none"; the second also takes "wait 30", into @wait. */
const char *lun_drain_name(enum lun_drain drain);
int lun_drain_parse(const char *text, uint32_t *wait);

#endif
