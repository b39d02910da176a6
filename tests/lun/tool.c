// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the agent does to a LUN, step by step, for tests/lun/guest: a command line for each function
 * of userspace/lun. A failure is a line on standard error, "EBADE: sentence", and exit status 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/lun/contents.h"
#include "../../userspace/lun/fence.h"

#define CLUSTER	"test"

struct job {
	const char *name;
	int words;	/* behind the device, at least */
	int (*function)(struct lun *lun, int argc, char **argv);
};

/* "2.7": node 2, incarnation 7. */
static uint64_t key_of(const char *word)
{
	unsigned int node, incarnation;

	if (sscanf(word, "%u.%u", &node, &incarnation) != 2) {
		fprintf(stderr, "tool: \"%s\" is no key\n", word);
		exit(2);
	}
	return lun_key_make(lun_cluster_id(CLUSTER), node, incarnation);
}

static int do_make(struct lun *lun, int argc, char **argv)
{
	char text[LUN_CONTENTS_LEN];
	struct lun_header header;
	int error, holds = lun_contents(lun, text);

	(void)argc;
	if (holds < 0)
		return holds;
	if (holds)
		return lun_fail(lun, -EEXIST, "%s holds %s", lun->device, text);
	error = lun_header_init(lun, argv[0], CLUSTER, LUN_FS_EXT4, &header);
	if (!error)
		error = lun_wipe(lun);
	return error ? error : lun_header_replace(lun, &header);
}

/* A copy of a LUN gets an identity of its own. */
static int do_adopt(struct lun *lun, int argc, char **argv)
{
	struct lun_header header, new;
	int error = lun_header_read(lun, &header, NULL);

	(void)argc;
	if (error != -EXDEV)
		return error ? error : lun_fail(lun, -EINVAL, "it is no copy");
	error = lun_header_init(lun, argv[0], CLUSTER, header.fs, &new);
	if (error)
		return error;
	new.data_size = header.data_size;
	new.epoch = header.epoch;
	return lun_header_replace(lun, &new);
}

static int do_epoch(struct lun *lun, int argc, char **argv)
{
	struct lun_header header;
	int error = lun_header_read(lun, &header, NULL);

	(void)argc;
	if (error)
		return error;
	header.epoch = strtoull(argv[0], NULL, 10);
	header.coordinator = 1;
	return lun_header_write(lun, &header);
}

static int do_wipe(struct lun *lun, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return lun_wipe(lun);
}

static int do_erase(struct lun *lun, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return lun_header_erase(lun);
}

/* How many paths do not have it is printed. */
static int do_register(struct lun *lun, int argc, char **argv)
{
	int missed = lun_pr_register(lun, key_of(argv[0]));

	(void)argc;
	if (missed >= 0)
		printf("%d\n", missed);
	return missed < 0 ? missed : 0;
}

static int do_unregister(struct lun *lun, int argc, char **argv)
{
	int missed = lun_pr_unregister(lun, key_of(argv[0]));

	(void)argc;
	return missed < 0 ? missed : 0;
}

/* KEY PATH */
static int do_extend(struct lun *lun, int argc, char **argv)
{
	size_t i;

	(void)argc;
	for (i = 0; i < lun->paths; i++)
		if (!strcmp(lun->path[i].name, argv[1]))
			return lun_pr_extend(lun, i, key_of(argv[0]));
	return lun_fail(lun, -EINVAL, "\"%s\" is no path", argv[1]);
}

static int do_reserve(struct lun *lun, int argc, char **argv)
{
	(void)argc;
	return lun_pr_reserve(lun, key_of(argv[0]));
}

static int do_preempt(struct lun *lun, int argc, char **argv)
{
	(void)argc;
	return lun_pr_preempt(lun, key_of(argv[0]), key_of(argv[1]));
}

static void trouble(void *data, const char *text)
{
	(void)data;
	printf("%s\n", text);
}

/* OWN DRAIN KEPT... */
static int do_fence(struct lun *lun, int argc, char **argv)
{
	struct lun_fence_report report;
	struct lun_fence fence = {
		.key = key_of(argv[0]),
		.cluster = lun_cluster_id(CLUSTER),
		.trouble = trouble,
	};
	int drain = lun_drain_parse(argv[1], &fence.wait), error;
	uint64_t keep[8];

	if (drain < 0)
		return lun_fail(lun, -EINVAL, "\"%s\" is no drain", argv[1]);
	for (argv += 2, argc -= 2; argc && fence.keeps < 8; argv++, argc--)
		keep[fence.keeps++] = key_of(*argv);
	fence.drain = drain;
	fence.keep = keep;
	error = lun_fence(lun, &fence, &report);
	printf("%s\n", report.text);
	return error;
}

/* A device of device mapper that begins where the data does. */
static int do_mkfs(struct lun *lun, int argc, char **argv)
{
	char text[LUN_ERROR_LEN];
	int fs = lun_fs_parse(argv[0]), error;

	(void)argc;
	error = lun_mkfs(lun->device, fs < 0 ? LUN_FS_EXT4 : fs, 60, text, sizeof(text));
	return error ? lun_fail(lun, error, "%s", text) : 0;
}

static const struct job jobs[] = {
	{ "make", 1, do_make }, { "adopt", 1, do_adopt }, { "epoch", 1, do_epoch },
	{ "wipe", 0, do_wipe }, { "erase", 0, do_erase }, { "register", 1, do_register },
	{ "unregister", 1, do_unregister }, { "reserve", 1, do_reserve },
	{ "preempt", 2, do_preempt }, { "fence", 2, do_fence }, { "mkfs", 1, do_mkfs },
	{ "extend", 2, do_extend },
};

int main(int argc, char **argv)
{
	static struct lun lun;
	const char *name = argc > 2 ? argv[1] : "";
	size_t i;
	int error;

	for (i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (!strcmp(name, jobs[i].name) && argc - 3 >= jobs[i].words)
			break;
	if (i == sizeof(jobs) / sizeof(jobs[0])) {
		fprintf(stderr, "usage: tool COMMAND DEVICE WORD...\n");
		return 2;
	}
	error = lun_open(&lun, argv[2]);
	if (!error) {
		error = jobs[i].function(&lun, argc - 3, argv + 3);
		lun_close(&lun);
	}
	if (error)
		fprintf(stderr, "%s: %s\n", strerrorname_np(-error), lun.error);
	return error ? 1 : 0;
}
