// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole commands of `covol`: their words in, requests and output out.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli_test.h"

#define ADD	"kernel volume add " U
#define ADD_1	ADD " --node 1 --coordinator 1 --epoch 1"

/* ---- usage ---- */

struct usage_case {
	const char *line;
	const char *says;
};

static void test_wrong_usage(void **state)
{
	static const struct usage_case cases[] = {
		{ "frob", "unknown command \"frob\"" },
		{ "kernel volume frob", "covol kernel volume: unknown command \"frob\"" },
		{ "kernel volume", "something is missing" },
		{ "kernel volume remove", "UUID is missing" },
		{ "kernel volume remove abc", "\"abc\" is not a uuid" },
		{ "kernel volume remove " U " x", "\"x\" is one word too many" },
		{ "kernel volume remove " U " --frob", "unknown option \"--frob\"" },
		{ "kernel volume remove " U " -z", "unknown option \"-z\"" },
		{ "kernel volume show --json=1", "unknown option \"--json=1\"" },
		{ ADD " --coordinator 1 --epoch 1 --size 1M", "--node is missing" },
		{ ADD " --node 1 --epoch 1 --size 1M", "--coordinator is missing" },
		{ ADD " --node 1 --coordinator 1 --size 1M", "--epoch is missing" },
		{ ADD_1, "--size is missing" },
		{ ADD " --node 0 --coordinator 1 --epoch 1", "\"0\" is not a node id" },
		{ ADD " --node 1 --node 1", "--node is given twice" },
		{ ADD " --node", "--node needs a value" },
		{ ADD " --role king", "\"king\" is not a role" },
		{ ADD_1 " --size 1M --lun-offset 0",
		  "--lun-offset is given, but not --lun" },
		{ ADD_1 " --size 1M --chunk-size 4G",
		  "--chunk-size: 4294967296 is too large" },
		{ "kernel volume set " U, "nothing to change" },
		{ "kernel volume set " U " --route redirected", "\"redirected\" is not a route" },
		{ "kernel image add " U " 0 --size 1M", "\"0\" is not an image id" },
		{ "kernel image add " U " 1", "--size is missing" },
		{ "kernel image add " U " 1 --size 1X", "\"1X\" is not a number of bytes" },
		{ "kernel map set " U " 1", "EXTENT is missing" },
		{ "kernel map set " U " 1 --offset 0", "EXTENT is missing" },
		{ "kernel map set " U " 1 data:0:1M", "\"data:0:1M\" is not an extent" },
		{ "kernel map set " U " image:x hole:0:1M", "\"image:x\" is not an object" },
		{ "kernel top --interval 0", "--interval: must be more than 0" },
		{ "kernel events --count 0", "\"0\" is not a number from 1" },
		{ "kernel table " U " 1 --meta-policy ask", "\"ask\" is neither" },
		{ "lun show", "DEVICE is missing" },
		{ "check", "DEVICE is missing" },
		{ "check /dev/null --late-write --drain none", "--drain none: not lun-reset" },
		{ "check /dev/null --late-write --drain wait", "--drain wait: not lun-reset" },
		/* A drain that no test would have shown to be enough. */
		{ "check /dev/null --drain abort", "only with --late-write" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (covol(cases[i].line) != EXIT_USAGE)
			fail_msg("\"%s\" was taken", cases[i].line);
		assert_says(err, cases[i].says);
		assert_string_equal(out, "");
	}
	assert_int_equal(fake_requests(), 0);
}

static void test_help(void **state)
{
	static const char *const lines[] = {
		"kernel volume add --help", "kernel volume set --help",
		"kernel volume remove --help", "kernel volume show --help",
		"kernel image add --help", "kernel image remove --help", "kernel image set --help",
		"kernel image show --help", "kernel image recall --help",
		"kernel image share begin --help", "kernel image share end --help",
		"kernel map set --help", "kernel map clear --help",
		"kernel map show --help", "kernel session listen --help",
		"kernel session connect --help", "kernel session remove --help",
		"kernel session show --help", "kernel stats --help", "kernel top --help",
		"kernel events --help", "kernel table --help", "lun show --help",
		"check --help",
	};
	char command[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(covol(lines[i]), EXIT_OK);
		snprintf(command, sizeof(command), "Usage: covol %s", lines[i]);
		*strstr(command, " --help") = '\0';
		assert_says(out, command);
		assert_string_equal(err, "");
	}
	assert_int_equal(covol("--help"), EXIT_OK);
	/* Each of them is in the overview, and nothing else is. */
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(command, sizeof(command), "  covol %s", lines[i]);
		*strstr(command, " --help") = '\0';
		assert_says(out, command);
	}
	assert_int_equal(covol("kernel map --help"), EXIT_OK);
	assert_says(out, "covol kernel map set");
	assert_null(strstr(out, "kernel volume"));
	assert_int_equal(covol("--version"), EXIT_OK);
	assert_says(out, "covol ");
	assert_int_equal(covol(""), EXIT_USAGE);
}

/* ---- commands that change something ---- */

static void test_volume_add(void **state)
{
	struct nlattr **sent;
	const char *line;

	(void)state;
	line = ADD " --node 2 --coordinator 1 --epoch 7 --size 10GiB --chunk-size 64K";
	assert_int_equal(covol(line), EXIT_OK);
	sent = fake_request(0, COVOL_CMD_VOLUME_NEW);
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_NODE]), 2);
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_ROLE]), COVOL_ROLE_MEMBER);
	assert_int_equal(nla_get_u64(sent[COVOL_A_VOLUME_EPOCH]), 7);
	assert_int_equal(nla_get_u64(sent[COVOL_A_VOLUME_SIZE]), 10ULL << 30);
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_CHUNK_SIZE]), 65536);
	assert_null(sent[COVOL_A_VOLUME_LUN_FD]);

	assert_int_equal(covol(ADD_1 " --size 1M"), EXIT_OK);
	sent = fake_request(1, COVOL_CMD_VOLUME_NEW);
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_ROLE]), COVOL_ROLE_COORDINATOR);
	assert_null(sent[COVOL_A_VOLUME_CHUNK_SIZE]);

	/* Said explicitly, it is passed on, for the kernel to judge. */
	assert_int_equal(covol(ADD_1 " --size 1M --role member"), EXIT_OK);
	sent = fake_request(2, COVOL_CMD_VOLUME_NEW);
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_ROLE]), COVOL_ROLE_MEMBER);
}

static void test_volume_add_bad_lun(void **state)
{
	(void)state;
	assert_int_equal(covol(ADD_1 " --lun /nonexistent"),
			 EXIT_FAILED);
	assert_says(err, "/nonexistent: No such file or directory");
	assert_int_equal(covol(ADD_1 " --lun /dev/null"),
			 EXIT_FAILED);
	assert_says(err, "/dev/null: not a block device");
	assert_int_equal(fake_requests(), 0);
}

static void test_volume_set(void **state)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);
	struct nlattr **sent;
	const char *line;

	(void)state;
	line = "kernel volume set " U " --route block-redirected --redirect-peer 3";
	assert_int_equal(covol(line), EXIT_OK);
	sent = fake_request(0, COVOL_CMD_VOLUME_SET);
	assert_true(fake_has_only(sent, COVOL_A_VOLUME_UUID, COVOL_A_VOLUME_ROUTE,
				  COVOL_A_VOLUME_REDIRECT_PEER, 0));

	/* A new coordinator: this node, which the volume says is 2, gets the role that follows. */
	fake_put_volume(message);
	fake_add(message);
	fake_ack();
	assert_int_equal(covol("kernel volume set " U " --coordinator 2 --epoch 8"), EXIT_OK);
	sent = fake_request(2, COVOL_CMD_VOLUME_SET);
	assert_true(fake_has_only(sent, COVOL_A_VOLUME_UUID, COVOL_A_VOLUME_COORDINATOR,
				  COVOL_A_VOLUME_ROLE, COVOL_A_VOLUME_EPOCH, 0));
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_ROLE]), COVOL_ROLE_COORDINATOR);
}

static void test_refused(void **state)
{
	(void)state;
	fake_refuse(-EBUSY, "1 device uses the volume", 0, 0);
	assert_int_equal(covol("kernel volume remove " U), EXIT_FAILED);
	assert_string_equal(err, "covol kernel volume remove: volume-del of volume " U
			    ": 1 device uses the volume\n");
	assert_string_equal(out, "");
}

static void test_no_module(void **state)
{
	(void)state;
	fake_absent();
	assert_int_equal(covol("kernel volume show"), EXIT_FAILED);
	assert_string_equal(err, "covol kernel volume show: no family\n");
}

static void test_image_add(void **state)
{
	char path[] = "/tmp/covol-test-XXXXXX", line[256];
	int fd = mkstemp(path), code;
	struct nlattr **sent;

	(void)state;
	close(fd);
	assert_int_equal(covol("kernel image add " U " 3 --size 1G"), EXIT_OK);
	sent = fake_request(0, COVOL_CMD_IMAGE_NEW);
	assert_true(fake_has_only(sent, COVOL_A_IMAGE_UUID, COVOL_A_IMAGE_ID,
				  COVOL_A_IMAGE_SIZE, 0));

	snprintf(line, sizeof(line), "kernel image add " U " 3 --size 1G --file %s", path);
	code = covol(line);
	unlink(path);
	if (code != EXIT_OK && strstr(err, "Invalid argument"))
		skip(); /* no O_DIRECT there: tmpfs */
	assert_int_equal(code, EXIT_OK);
	sent = fake_request(1, COVOL_CMD_IMAGE_NEW);
	assert_true(nla_get_s32(sent[COVOL_A_IMAGE_FD]) > 2);

	assert_int_equal(covol("kernel image add " U " 3 --size 1G --file /nonexistent"),
			 EXIT_FAILED);
	assert_says(err, "/nonexistent: No such file or directory");
	assert_int_equal(covol("kernel image remove " U " 3"), EXIT_OK);
	fake_request(2, COVOL_CMD_IMAGE_DEL);
}

static void test_image_set(void **state)
{
	char path[] = "/tmp/covol-test-XXXXXX", line[256];
	int fd = mkstemp(path), code;
	struct nlattr **sent;

	(void)state;
	close(fd);
	assert_int_equal(covol("kernel image set " U " 3"), EXIT_USAGE);
	assert_int_equal(covol("kernel image set " U " 3 --file /x --no-file"), EXIT_USAGE);
	assert_int_equal(covol("kernel image set " U " 3 --file /x --no-wait"), EXIT_USAGE);
	assert_int_equal(covol("kernel image set " U " 3 --no-file --holders 1"), EXIT_USAGE);
	assert_int_equal(covol("kernel image set " U " 3 --file /x --holders 1,a"), EXIT_USAGE);
	assert_int_equal(covol("kernel image set " U " 3 --file /nonexistent"), EXIT_FAILED);
	assert_says(err, "/nonexistent: No such file or directory");
	assert_int_equal(covol("kernel image set " U " 3 --no-file --keep-layouts --no-wait"),
			 EXIT_OK);
	sent = fake_request(0, COVOL_CMD_IMAGE_SET);
	assert_true(fake_has_only(sent, COVOL_A_IMAGE_UUID, COVOL_A_IMAGE_ID,
				  COVOL_A_IMAGE_NO_FILE, COVOL_A_IMAGE_KEEP_LAYOUTS,
				  COVOL_A_IMAGE_NO_WAIT, 0));

	snprintf(line, sizeof(line), "kernel image set " U " 3 --file %s --holders 1,2", path);
	code = covol(line);
	unlink(path);
	if (code != EXIT_OK && strstr(err, "Invalid argument"))
		skip(); /* no O_DIRECT there: tmpfs */
	assert_int_equal(code, EXIT_OK);
	sent = fake_request(1, COVOL_CMD_IMAGE_SET);
	assert_true(fake_has_only(sent, COVOL_A_IMAGE_UUID, COVOL_A_IMAGE_ID, COVOL_A_IMAGE_FD,
				  COVOL_A_IMAGE_HOLDER, 0));
	assert_int_equal(nla_get_u32(sent[COVOL_A_IMAGE_HOLDER]), 2);
}

static void test_image_share(void **state)
{
	(void)state;
	assert_int_equal(covol("kernel image recall " U " 3"), EXIT_OK);
	fake_request(0, COVOL_CMD_IMAGE_RECALL);
	assert_int_equal(covol("kernel image share begin " U " 3"), EXIT_OK);
	fake_request(1, COVOL_CMD_IMAGE_SHARE_BEGIN);
	assert_int_equal(covol("kernel image share end " U " 3"), EXIT_OK);
	fake_request(2, COVOL_CMD_IMAGE_SHARE_END);
	assert_int_equal(covol("kernel image share " U " 3"), EXIT_USAGE);
}

static void test_map_set(void **state)
{
	struct nlattr **sent;
	const char *line;

	(void)state;
	assert_int_equal(covol("kernel map set " U " image:3 data:1M:64K:2M hole:2M:1M"), EXIT_OK);
	sent = fake_request(0, COVOL_CMD_MAP_SET);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OBJECT]), 3);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OFFSET]), 1 << 20);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_LENGTH]), 2 << 20);
	assert_null(sent[COVOL_A_MAP_PEER]);
	assert_null(sent[COVOL_A_MAP_SEQ]);

	line = "kernel map set " U " volume --offset 0 --length 4M --peer 2 --seq 0";
	assert_int_equal(covol(line), EXIT_OK);
	sent = fake_request(1, COVOL_CMD_MAP_SET);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OBJECT]), 0);
	assert_int_equal(nla_get_u32(sent[COVOL_A_MAP_PEER]), 2);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_SEQ]), 0);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_LENGTH]), 4 << 20);
}

static void answer_image(uint64_t id)
{
	struct nl_msg *message = fake_message(COVOL_CMD_IMAGE_GET, 0);

	fake_put_image(message, id);
	fake_add(message);
	fake_ack();
}

/* To the end of the object, whose size only the kernel knows. */
static void test_map_clear(void **state)
{
	struct nlattr **sent;

	(void)state;
	answer_image(3);
	assert_int_equal(covol("kernel map clear " U " 3 --offset 1M"), EXIT_OK);
	sent = fake_request(1, COVOL_CMD_MAP_CLEAR);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OFFSET]), 1 << 20);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_LENGTH]), (1 << 30) - (1 << 20));

	answer_image(3);
	assert_int_equal(covol("kernel map clear " U " 3 --offset 1G"), EXIT_FAILED);
	assert_says(err, "--offset 1073741824: it has only 1073741824 bytes");

	assert_int_equal(covol("kernel map clear " U " 3 --offset 1M --length 2M"), EXIT_OK);
	sent = fake_request(3, COVOL_CMD_MAP_CLEAR);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_LENGTH]), 2 << 20);
}

/* ---- output ---- */

static void answer_volumes(void)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, NLM_F_MULTI);

	fake_put_volume(message);
	fake_add(message);
	message = fake_message(COVOL_CMD_VOLUME_GET, NLM_F_MULTI);
	nla_put(message, COVOL_A_VOLUME_UUID, sizeof(fake_uuid), &fake_uuid);
	fake_add(message);
	fake_done(0, NULL);
}

static void test_volume_show(void **state)
{
	(void)state;
	answer_volumes();
	assert_int_equal(covol("kernel volume show"), EXIT_OK);
	assert_says(out, "UUID ");
	assert_says(out, U " ");
	assert_says(out, " block-redirected admin,no-disk-path ");
	assert_says(out, " 8:16 ");
	assert_says(out, " 10G ");

	answer_volumes();
	assert_int_equal(covol("kernel volume show --json"), EXIT_OK);
	assert_json("{\"volumes\":[{\"uuid\":\"" U "\",\"node\":2,\"role\":\"member\",\"epoch\":7,",
		    "\"route\":\"block-redirected\",\"reasons\":[\"admin\",\"no-disk-path\"],",
		    "\"coordinator\":1,\"redirect-peer\":3,\"lun\":\"8:16\",\"lun-offset\":1048576,",
		    "\"size\":10737418240,\"chunk-size\":1048576,\"held\":11,\"images\":4,",
		    "\"sessions\":5,\"devices\":6,\"holds\":31,\"releases\":32,",
		    "\"replays\":33,\"sessions-lost\":34},",
		    "{\"uuid\":\"" U "\",\"node\":0,\"role\":\"member\",\"epoch\":0,",
		    "\"route\":\"direct\",\"reasons\":[],\"coordinator\":0,\"redirect-peer\":null,",
		    "\"lun\":null,\"lun-offset\":null,\"size\":0,\"chunk-size\":0,\"held\":0,",
		    "\"images\":0,\"sessions\":0,\"devices\":0,\"holds\":0,\"releases\":0,",
		    "\"replays\":0,\"sessions-lost\":0}]}",
		    NULL);
}

/* Nothing to show: no lines for people, an empty list for programs. */
static void test_show_nothing(void **state)
{
	(void)state;
	fake_done(0, NULL);
	assert_int_equal(covol("kernel session show"), EXIT_OK);
	assert_string_equal(out, "");
	fake_done(0, NULL);
	assert_int_equal(covol("kernel session show --json"), EXIT_OK);
	assert_json("{\"sessions\":[]}",
		    NULL);
}

static void test_show_unknown(void **state)
{
	(void)state;
	fake_refuse(-ENOENT, "uuid: unknown volume", 0, 0);
	assert_int_equal(covol("kernel volume show " U " --json"), EXIT_FAILED);
	assert_string_equal(out, "");
	assert_says(err, "uuid: unknown volume");
}

static void add_image(uint64_t id, uint16_t flags)
{
	struct nl_msg *message = fake_message(COVOL_CMD_IMAGE_GET, NLM_F_MULTI | flags);

	fake_put_image(message, id);
	fake_add(message);
}

/* The volume itself is no image; a dump that was disturbed leaves nothing behind. */
static void test_image_show(void **state)
{
	(void)state;
	add_image(8, NLM_F_DUMP_INTR);
	fake_done(0, NULL);
	add_image(0, 0);
	add_image(3, 0);
	fake_done(0, NULL);
	assert_int_equal(covol("kernel image show " U " --json"), EXIT_OK);
	assert_int_equal(fake_requests(), 2);
	assert_json("{\"images\":[{\"uuid\":\"" U "\",\"id\":3,\"size\":1073741824,",
		    "\"served\":true,\"sharing\":true,\"extents\":21,\"layout-seq\":22,\"holders\":23,\"devices\":24,",
		    "\"grants-sent\":41,\"grants-received\":42,\"recalls-sent\":43,",
		    "\"recalls-received\":44}]}",
		    NULL);
}

/* A dump that is disturbed again and again ends. */
static void test_show_disturbed(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		add_image(3, NLM_F_DUMP_INTR);
		fake_done(0, NULL);
	}
	assert_int_equal(covol("kernel image show"), EXIT_FAILED);
	assert_says(err, "something changed during the dump");
	assert_true(fake_requests() <= 20);
}

static void test_stats(void **state)
{
	(void)state;
	answer_image(3);
	assert_int_equal(covol("kernel stats " U " 3 --json"), EXIT_OK);
	squeeze(out);
	/* 306 + 66 + 6 + 36 I/Os; 203 + 43 + 3 + 23 blocks of 4 KiB. */
	assert_says(out, "{\"stats\":[{\"uuid\":\"" U "\",\"object\":\"image:3\",");
	assert_says(out, "\"way\":\"direct\",\"ios\":306,\"bytes\":831488,\"ios-share\":73.913,");
	assert_says(out, "\"bytes-share\":74.632,\"reads\":101,\"read-bytes\":413696,");
	assert_says(out, "\"writes\":102,\"write-bytes\":417792,\"others\":103,");
	assert_says(out, "\"read-us\":null,\"write-us\":null,\"other-us\":null}");
	assert_says(out, "\"way\":\"fs-redirected\",\"ios\":66,");
	assert_says(out, "\"others\":23,\"read-us\":1000,\"write-us\":2000,\"other-us\":null}");
	assert_says(out, "\"way\":\"served\",\"ios\":81,\"bytes\":null,\"ios-share\":null,");
	assert_says(out, "\"way\":\"block-redirected\",\"ios\":6,");
	assert_says(out, "\"way\":\"zero-filled\",\"ios\":36,");
	assert_says(out, "\"way\":\"held\",\"ios\":21,\"bytes\":53248,\"ios-share\":null,");
	assert_says(out, "\"ios-share\":null,\"bytes-share\":null");

	answer_image(0);
	assert_int_equal(covol("kernel stats " U " volume"), EXIT_OK);
	assert_says(out, " volume direct ");
	assert_says(out, " 73.9% ");
	assert_says(out, " 812.0K ");
}

static void answer_top(uint64_t requests)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, NLM_F_MULTI);

	fake_put_volume(message);
	fake_add(message);
	fake_done(0, NULL);
	add_image(3, 0);
	fake_done(0, NULL);
	message = fake_message(COVOL_CMD_SESSION_GET, NLM_F_MULTI);
	nla_put(message, COVOL_A_SESSION_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_SESSION_PEER, 2);
	nla_put_u32(message, COVOL_A_SESSION_QUEUED, 3);
	nla_put_u64(message, COVOL_A_SESSION_REQUESTS_SENT, requests);
	fake_add(message);
	fake_done(0, NULL);
}

/* Differences, not sums; two intervals are two lines. */
static void test_top(void **state)
{
	const char *sent;
	int rate;

	(void)state;
	answer_top(1000);
	answer_top(1100);
	answer_top(1100);
	assert_int_equal(covol("kernel top --interval 0.05 --count 2 --json"), EXIT_OK);
	assert_int_equal(fake_requests(), 9);
	assert_says(out, "{\"volumes\":[{\"uuid\":\"" U "\",\"route\":\"block-redirected\",");
	assert_says(out, "\"held\":11,\"holds\":0,\"replays\":0}],\"objects\":[{");
	assert_says(out, "\"object\":\"image:3\",\"direct-ios\":0,\"direct-bytes\":0,");
	assert_says(out, "\"fs-us\":null,");
	assert_says(out, "\"peer\":2,\"state\":\"live\",\"outstanding\":0,\"queued\":3,");
	/* 100 in 0.05 s, or in longer on a machine that is busy. */
	sent = strstr(out, "\"requests-sent\":");
	assert_non_null(sent);
	rate = atoi(sent + strlen("\"requests-sent\":"));
	assert_in_range(rate, 1, 2100);
	sent = strstr(strchr(out, '\n'), "\"requests-sent\":0,");
	assert_non_null(sent);
	assert_string_equal(strchr(sent, '\n'), "\n");
	fake_reset();

	answer_top(1);
	answer_top(1);
	assert_int_equal(covol("kernel top " U " --interval 0.01 --count 1"), EXIT_OK);
	assert_says(out, "DIRECT-IOS");
	assert_says(out, " image:3 ");
	fake_reset();

	fake_refuse(-EPERM, NULL, 0, 0);
	assert_int_equal(covol("kernel top --count 1"), EXIT_FAILED);
	assert_string_equal(out, "");
}

static void add_extent(uint64_t offset, uint32_t state)
{
	struct nl_msg *message = fake_message(COVOL_CMD_MAP_GET, NLM_F_MULTI);
	struct nlattr *nest;

	nla_put(message, COVOL_A_MAP_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u64(message, COVOL_A_MAP_OBJECT, 3);
	nest = nla_nest_start(message, COVOL_A_MAP_EXTENT | NLA_F_NESTED);
	nla_put_u64(message, COVOL_A_EXTENT_OFFSET, offset);
	nla_put_u64(message, COVOL_A_EXTENT_LENGTH, 4096);
	nla_put_u32(message, COVOL_A_EXTENT_STATE, state);
	if (state == COVOL_EXTENT_STATE_DATA)
		nla_put_u64(message, COVOL_A_EXTENT_PLACE, 0);
	nla_nest_end(message, nest);
	fake_add(message);
}

static void test_map_show(void **state)
{
	(void)state;
	add_extent(0, COVOL_EXTENT_STATE_DATA);
	add_extent(4096, COVOL_EXTENT_STATE_HOLE);
	fake_done(0, NULL);
	assert_int_equal(covol("kernel map show " U " 3 --json"), EXIT_OK);
	assert_json("{\"extents\":[{\"offset\":0,\"length\":4096,\"state\":\"data\",\"place\":0},",
		    "{\"offset\":4096,\"length\":4096,\"state\":\"hole\",\"place\":null}]}",
		    NULL);

	add_extent(4096, COVOL_EXTENT_STATE_HOLE);
	fake_ack();
	assert_int_equal(covol("kernel map show " U " 3 --offset 5000"), EXIT_OK);
	assert_says(out, "    4K     4K hole ");
}

static void add_events(void)
{
	struct nl_msg *message = fake_message(COVOL_CMD_LAYOUT_WANTED, 0);

	nla_put(message, COVOL_A_EVENT_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u64(message, COVOL_A_EVENT_OBJECT, 3);
	nla_put_u32(message, COVOL_A_EVENT_PEER, 2);
	nla_put_u64(message, COVOL_A_EVENT_SEQ, 17);
	nla_put_u64(message, COVOL_A_EVENT_OFFSET, 0);
	nla_put_u64(message, COVOL_A_EVENT_LENGTH, 1 << 20);
	fake_event(message);
	message = fake_message(COVOL_CMD_ROUTE_CHANGED, 0);
	nla_put(message, COVOL_A_EVENT_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_EVENT_ROUTE, COVOL_ROUTE_HELD);
	nla_put_u32(message, COVOL_A_EVENT_REASONS,
		    COVOL_REASON_NO_DISK_PATH | COVOL_REASON_MOVING);
	fake_event(message);
	message = fake_message(COVOL_CMD_PATH_LOST, 0);
	nla_put(message, COVOL_A_EVENT_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_s32(message, COVOL_A_EVENT_ERROR, -ENOLINK);
	nla_put_u32(message, COVOL_A_EVENT_REASONS, 0);
	fake_event(message);
}

static void test_events(void **state)
{
	(void)state;
	add_events();
	assert_int_equal(covol("kernel events --count 3"), EXIT_OK);
	assert_output("layout-wanted uuid " U " object 3 peer 2 seq 17 offset 0 length 1048576\n",
		      "route-changed uuid " U " route held reasons no-disk-path,moving\n",
		      "path-lost uuid " U " error ENOLINK reasons -\n",
		      NULL);
	assert_says(err, "following");
	fake_reset();

	add_events();
	assert_int_equal(covol("kernel events --json --count 3"), EXIT_OK);
	assert_output("{\"event\":\"layout-wanted\",\"uuid\":\"" U "\",\"object\":3,\"peer\":2,",
		      "\"seq\":17,\"offset\":0,\"length\":1048576}\n",
		      "{\"event\":\"route-changed\",\"uuid\":\"" U "\",\"route\":\"held\",",
		      "\"reasons\":[\"no-disk-path\",\"moving\"]}\n",
		      "{\"event\":\"path-lost\",\"uuid\":\"" U "\",\"error\":-67,\"reasons\":[]}\n",
		      NULL);
}

static void test_events_end(void **state)
{
	(void)state;
	add_events();
	assert_int_equal(covol("kernel events --count 1"), EXIT_OK);
	assert_null(strchr(strchr(out, '\n') + 1, '\n'));
	fake_reset();

	/* Time over: fine when nobody counts, a failure when somebody does. */
	add_events();
	assert_int_equal(covol("kernel events --timeout 1"), EXIT_OK);
	assert_says(out, "path-lost");
	fake_reset();
	add_events();
	assert_int_equal(covol("kernel events --timeout 1 --count 4"), EXIT_FAILED);
	assert_says(err, "only 3 of 4 events came in time");
	fake_reset();

	/* Those that are lost are told of, and the rest still comes. */
	fake_event_fail(-ENOBUFS);
	add_events();
	assert_int_equal(covol("kernel events --count 3"), EXIT_OK);
	assert_says(err, "some were lost");
}

static void answer_volume(void)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);

	fake_put_volume(message);
	fake_add(message);
	fake_ack();
}

static void test_table(void **state)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);
	const char *line;

	(void)state;
	answer_volume();
	assert_int_equal(covol("kernel table " U " volume"), EXIT_OK);
	assert_string_equal(out, "0 20971520 covol " U " volume 8:16 2048\n");

	answer_volume();
	answer_image(3);
	line = "kernel table " U " 3 --hold-timeout 5000 --data-digest --meta-policy forward";
	assert_int_equal(covol(line), EXIT_OK);
	assert_output("0 2097152 covol " U " image:3 8:16 2048 5",
		      " hold_timeout 5000 data_digest meta_policy forward\n", NULL);

	/* Without a path. */
	nla_put(message, COVOL_A_VOLUME_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u64(message, COVOL_A_VOLUME_SIZE, 1 << 20);
	fake_add(message);
	fake_ack();
	assert_int_equal(covol("kernel table " U " volume --data-digest"), EXIT_OK);
	assert_string_equal(out, "0 2048 covol " U " volume - 0 1 data_digest\n");
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wrong_usage),
		TEST(test_help),
		TEST(test_volume_add),
		TEST(test_volume_add_bad_lun),
		TEST(test_volume_set),
		TEST(test_refused),
		TEST(test_no_module),
		TEST(test_image_add),
		TEST(test_image_share),
		TEST(test_image_set),
		TEST(test_map_set),
		TEST(test_map_clear),
		TEST(test_volume_show),
		TEST(test_show_nothing),
		TEST(test_show_unknown),
		TEST(test_image_show),
		TEST(test_show_disturbed),
		TEST(test_stats),
		TEST(test_top),
		TEST(test_map_show),
		TEST(test_events),
		TEST(test_events_end),
		TEST(test_table),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
