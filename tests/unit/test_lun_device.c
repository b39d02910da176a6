// SPDX-License-Identifier: GPL-2.0-only
/*
 * What device a LUN is, by a /sys that is made up; and what a LUN holds, by files.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/lun/contents.h"
#include "../../userspace/lun/device.h"
#include "test.h"

static char root[32];
static struct lun lun;

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/covol-sys-XXXXXX");
	assert_non_null(mkdtemp(root));
	memset(&lun, 0, sizeof(lun));
	strcpy(lun.device, "/dev/test");
	return 0;
}

static int unlink_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_folders(char *path)
{
	char *slash;

	for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
		*slash = '/';
	}
}

/* An attribute of a disk; or a folder, with NULL. */
static void attribute(const char *disk, const char *name, const char *value)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/class/block/%s/%s", root, disk, name);
	make_folders(path);
	if (!value) {
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
		return;
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(value, file);
	fclose(file);
}

static void scsi_disk(const char *disk, const char *wwid)
{
	attribute(disk, "device/scsi_level", "6\n");
	attribute(disk, "slaves", NULL);
	if (wwid)
		attribute(disk, "device/wwid", wwid);
}

static int identify(const char *disk)
{
	strcpy(lun.name, disk);
	return lun_identify(&lun, root);
}

static void test_disks(void **state)
{
	(void)state;
	scsi_disk("sdb", "naa.6001405c0701\n");
	assert_int_equal(identify("sdb"), 0);
	assert_int_equal(lun.transport, LUN_SCSI);
	assert_string_equal(lun.wwid, "naa.6001405c0701");
	assert_int_equal(lun.paths, 1);
	assert_string_equal(lun.path[0].name, "sdb");
	assert_false(lun.multipath);
	/* Padded, as T10 identifiers are. */
	scsi_disk("sdc", "t10.ATA     DISK  ");
	assert_int_equal(identify("sdc"), 0);
	assert_string_equal(lun.wwid, "t10.ATA     DISK");
	scsi_disk("sdd", NULL);
	assert_int_equal(identify("sdd"), 0);
	assert_string_equal(lun.wwid, "");
	attribute("nvme0n1", "wwid", "uuid.1234\n");
	assert_int_equal(identify("nvme0n1"), 0);
	assert_int_equal(lun.transport, LUN_NVME);
	assert_string_equal(lun.wwid, "uuid.1234");
	attribute("vdb", "serial", "abc\n");
	assert_int_equal(identify("vdb"), 0);
	assert_int_equal(lun.transport, LUN_OTHER);
	assert_string_equal(lun.wwid, "serial.abc");
	attribute("loop0", "slaves", NULL);
	assert_int_equal(identify("loop0"), 0);
	assert_string_equal(lun.wwid, "");
}

static void test_multipath(void **state)
{
	char name[24];
	int i;

	(void)state;
	scsi_disk("sdb", "naa.6001\n");
	scsi_disk("sdc", "naa.6001\n");
	attribute("dm-0", "dm/uuid", "mpath-36001\n");
	attribute("dm-0", "slaves/sdc", NULL);
	attribute("dm-0", "slaves/sdb", NULL);
	assert_int_equal(identify("dm-0"), 0);
	assert_true(lun.multipath);
	assert_int_equal(lun.transport, LUN_SCSI);
	assert_int_equal(lun.paths, 2);
	assert_string_equal(lun.path[0].name, "sdb");
	assert_string_equal(lun.path[1].name, "sdc");
	/* The same as of a node without multipath. */
	assert_string_equal(lun.wwid, "naa.6001");
	/* On top of it: a linear device. */
	attribute("dm-1", "dm/uuid", "\n");
	attribute("dm-1", "slaves/sdb", NULL);
	assert_int_equal(identify("dm-1"), 0);
	assert_false(lun.multipath);
	assert_int_equal(lun.paths, 1);
	/* Paths to different LUNs. */
	scsi_disk("sdd", "naa.6002\n");
	attribute("dm-0", "slaves/sdd", NULL);
	assert_int_equal(identify("dm-0"), -ENXIO);
	assert_non_null(strstr(lun.error, "naa.6002"));
	/* Not multipath, but of two disks. */
	attribute("dm-2", "slaves/sdb", NULL);
	attribute("dm-2", "slaves/sdc", NULL);
	assert_int_equal(identify("dm-2"), -ENXIO);
	assert_non_null(strstr(lun.error, "no LUN"));
	attribute("dm-3", "dm/uuid", "mpath-many\n");
	for (i = 0; i <= LUN_PATHS; i++) {
		snprintf(name, sizeof(name), "slaves/x%d", i);
		attribute("dm-3", name, NULL);
	}
	assert_int_equal(identify("dm-3"), -ENXIO);
	assert_non_null(strstr(lun.error, "more than"));
}

/* A disk that has just come, and that multipath has not seen. */
static void test_others(void **state)
{
	(void)state;
	scsi_disk("sdb", "naa.6001\n");
	attribute("sdb", "diskseq", "7\n");
	attribute("sdb", "holders/dm-0", NULL);
	attribute("dm-0", "dm/uuid", "mpath-36001\n");
	attribute("dm-0", "slaves/sdb", NULL);
	scsi_disk("sdc", "naa.6001\n");
	attribute("sdc", "diskseq", "9\n");
	/* Another LUN; one that something is made of; no SCSI; a partition. */
	scsi_disk("sdd", "naa.6002\n");
	scsi_disk("sde", "naa.6001\n");
	attribute("sde", "holders/dm-9", NULL);
	attribute("nvme0n1", "wwid", "naa.6001\n");
	attribute("sdc1", "partition", "1\n");
	assert_int_equal(identify("dm-0"), 0);
	assert_int_equal(lun.paths, 1);
	assert_int_equal(lun.path[0].disk, 7);
	assert_int_equal(lun_add_others(&lun, root), 0);
	assert_int_equal(lun.paths, 2);
	assert_string_equal(lun.path[1].name, "sdc");
	assert_int_equal(lun.path[1].disk, 9);
	assert_int_equal(lun_add_others(&lun, root), 0);
	assert_int_equal(lun.paths, 2);
	/* Who says nothing of itself may be anything. */
	scsi_disk("sdf", NULL);
	scsi_disk("sdg", NULL);
	assert_int_equal(identify("sdf"), 0);
	assert_int_equal(lun_add_others(&lun, root), 0);
	assert_int_equal(lun.paths, 1);
}

static void test_ready(void **state)
{
	const struct lun_path path = { .name = "sdb" };

	(void)state;
	scsi_disk("sdb", "naa.6001\n");
	assert_true(lun_path_ready(&path, root));
	attribute("sdb", "device/state", "running\n");
	assert_true(lun_path_ready(&path, root));
	attribute("sdb", "device/state", "transport-offline\n");
	assert_false(lun_path_ready(&path, root));
	attribute("sdb", "device/state", "blocked\n");
	assert_false(lun_path_ready(&path, root));
	attribute("sdb", "device/state", "live\n");
	assert_true(lun_path_ready(&path, root));
}

static void assert_product(const char *expected)
{
	char product[LUN_PRODUCT_LEN];

	lun_product(&lun, root, product);
	assert_string_equal(product, expected);
}

static void test_product(void **state)
{
	char name[64];

	(void)state;
	assert_product("");
	attribute("nvme0n1", "slaves", NULL);
	assert_int_equal(identify("nvme0n1"), 0);
	assert_product("");
	attribute("nvme0n1", "device/model", "  KIOXIA 1\n");
	/* Without a revision it could be any. */
	assert_product("");
	attribute("nvme0n1", "device/firmware_rev", "A1\n");
	assert_product("KIOXIA 1 A1");
	scsi_disk("sdb", "naa.6001\n");
	attribute("sdb", "device/vendor", "AC\377ME\n");
	attribute("sdb", "device/model", "  disk0\n");
	attribute("sdb", "device/rev", "2\n");
	assert_int_equal(identify("sdb"), 0);
	assert_product("AC?ME disk0 2");
	/* Cut off, it could be another's. */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	attribute("sdb", "device/model", name);
	attribute("sdb", "device/rev", name);
	assert_product("");
}

static void test_open(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(lun_open(&lun, "/nonexistent"), -ENOENT);
	assert_non_null(strstr(lun.error, "/nonexistent"));
	assert_int_equal(lun_open(&lun, root), -ENOTBLK);
	assert_int_equal(lun.fd, -1);
	assert_int_equal(lun_open(&lun, "/dev/null"), -ENOTBLK);
	snprintf(path, sizeof(path), "%s/file", root);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(lun_open(&lun, path), -ENOTBLK);
	assert_non_null(strstr(lun.error, "no block device"));
}

/* ---- what it holds ---- */

#define SIZE	(32ULL << 20)

static int file;

static int make_file(void **state)
{
	char path[64];

	setup(state);
	snprintf(path, sizeof(path), "%s/lun", root);
	file = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(file >= 0);
	return ftruncate(file, SIZE);
}

static int close_file(void **state)
{
	close(file);
	return teardown(state);
}

static void put(uint64_t at, const char *bytes, size_t length)
{
	assert_int_equal(pwrite(file, bytes, length, at), length);
}

static void test_holds(void **state)
{
	char text[LUN_CONTENTS_LEN];

	(void)state;
	assert_int_equal(lun_probe(file, SIZE, text), LUN_HOLDS_NOTHING);
	assert_string_equal(text, "");
	put(700000, "x", 1);
	assert_int_equal(lun_probe(file, SIZE, text), LUN_HOLDS_DATA);
	assert_non_null(strstr(text, "not empty"));
	put(700000, "", 1);
	/* LUKS, at the beginning; then where a volume's file system would be. */
	put(0, "LUKS\xba\xbe\0\1", 8);
	assert_int_equal(lun_probe(file, SIZE, text), LUN_HOLDS_KNOWN);
	assert_string_equal(text, "crypto_LUKS (crypto)");
	put(0, "\0\0\0\0\0\0\0\0", 8);
	put(LUN_DATA_OFFSET, "LUKS\xba\xbe\0\1", 8);
	assert_int_equal(lun_probe(file, SIZE, text), LUN_HOLDS_KNOWN);
	assert_string_equal(text,
			    "a volume whose header is gone, at 1 MiB crypto_LUKS (crypto)");
	put(LUN_DATA_OFFSET, "\0\0\0\0\0\0\0\0", 8);
	/* A partition table with one entry. */
	put(446, "\0\0\2\0\203\3\4\5\0\10\0\0\0\20\0\0", 16);
	put(510, "\x55\xaa", 2);
	assert_int_equal(lun_probe(file, SIZE, text), LUN_HOLDS_KNOWN);
	assert_string_equal(text, "a partition table (dos)");
	assert_int_equal(lun_probe(-1, SIZE, text), -ENOMEM);
}

static void test_new_header(void **state)
{
	struct lun_header header, other;

	(void)state;
	lun = (struct lun) { .device = "/dev/test", .transport = LUN_SCSI, .wwid = "naa.6001",
			     .size = (64 << 20) + 1536 };
	assert_int_equal(lun_header_init(&lun, "vol", "blue", LUN_FS_XFS, &header), 0);
	assert_null(lun_header_check(&header));
	assert_string_equal(header.wwid, "naa.6001");
	assert_int_equal(header.data_offset, LUN_DATA_OFFSET);
	assert_int_equal(header.data_size, 63 << 20);
	assert_int_equal(header.array.drain, LUN_DRAIN_RESET);
	assert_false(header.array.qualified);
	assert_int_equal(header.uuid.bytes[6] >> 4, 4);
	assert_true(header.created > 1600000000);
	lun.transport = LUN_NVME;
	assert_int_equal(lun_header_init(&lun, "vol", "blue", LUN_FS_EXT4, &other), 0);
	assert_int_equal(other.array.drain, LUN_DRAIN_ABORT);
	assert_memory_not_equal(&header.uuid, &other.uuid, sizeof(header.uuid));
	assert_int_equal(lun_header_init(&lun, "a/b", "blue", LUN_FS_XFS, &header), -EINVAL);
	assert_int_equal(lun_header_init(&lun, "12345678901234567890123456789012", "blue",
					 LUN_FS_XFS, &header), -EINVAL);
	lun.size = 8 << 20;
	assert_int_equal(lun_header_init(&lun, "vol", "blue", LUN_FS_XFS, &header), -EINVAL);
	assert_non_null(strstr(lun.error, "16 MiB"));
	lun.size = 4096;
	assert_int_equal(lun_header_init(&lun, "vol", "blue", LUN_FS_XFS, &header), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_multipath, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(test_product, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holds, make_file, close_file),
		cmocka_unit_test(test_new_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
