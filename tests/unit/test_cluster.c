// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol cluster ...: what init, invite and join write, and what they refuse.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../../userspace/cluster/files.h"
#include "../../userspace/cluster/invitation.h"
#include "../../userspace/cluster/nodes.h"
#include "../../userspace/covold/config.h"
#include "cli_test.h"

#define DAY	86400

static char directory[40];

static int cluster_setup(void **state)
{
	strcpy(directory, "/tmp/covol-cluster-XXXXXX");
	return mkdtemp(directory) ? setup(state) : -1;
}

static int cluster_teardown(void **state)
{
	char command[64];

	teardown(state);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

/* "covol cluster LINE", in which a % stands for the test's directory. */
static int cluster(const char *line)
{
	char command[512] = "cluster ";
	size_t at = strlen(command);

	for (; *line; line++)
		at += snprintf(command + at, sizeof(command) - at, *line == '%' ? "%s" : "%.1s",
			       *line == '%' ? directory : line);
	return covol(command);
}

static void done(const char *line)
{
	if (cluster(line) != EXIT_OK)
		fail_msg("%s: %s", line, err);
	assert_string_equal(err, "");
}

static void refused(const char *line, int code, const char *says)
{
	if (cluster(line) != code)
		fail_msg("\"%s\" was taken, or failed otherwise: %s", line, err);
	assert_string_equal(out, "");
	assert_says(err, says);
}

static char *text_at(const char *path)
{
	char error[CLUSTER_ERROR], *text;

	if (files_read(directory, path, &text, NULL, error))
		fail_msg("%s", error);
	return text;
}

static void assert_mode(const char *path, mode_t mode)
{
	char full[128];
	struct stat stat_of_file;

	snprintf(full, sizeof(full), "%s%s", directory, path);
	if (stat(full, &stat_of_file))
		fail_msg("%s: %s", full, strerror(errno));
	assert_int_equal(stat_of_file.st_mode & 07777, mode);
}

static bool is_there(const char *path)
{
	char full[128];

	snprintf(full, sizeof(full), "%s%s", directory, path);
	return !access(full, F_OK);
}

static void write_text(const char *path, const char *text)
{
	struct cluster_file file = {
		.path = path, .mode = 0644, .bytes = text, .length = strlen(text),
	};
	char error[CLUSTER_ERROR];

	assert_int_equal(files_write(directory, &file, 1, true, error), 0);
}

/* Whether the pair in that root is one of @node that the authority in @by has signed. */
static int checked(const char *root, const char *by, const char *node, char error[CLUSTER_ERROR])
{
	struct certificate_pair pair;
	char path[128], *authority;
	int result;

	snprintf(path, sizeof(path), "%s/etc/covol/cluster/node.crt", root);
	pair.certificate = text_at(path);
	snprintf(path, sizeof(path), "%s/etc/covol/cluster/node.key", root);
	pair.key = text_at(path);
	snprintf(path, sizeof(path), "%s/etc/covol/cluster/authority.crt", by);
	authority = text_at(path);
	result = certificate_check(&pair, authority, node, error);
	certificate_free(&pair);
	free(authority);
	return result;
}

#define INIT	"init demo a=10.1.0.1,fd00::1 b=10.1.0.2,fd00:0:0::2 --this a --root %/a"

static const char corosync_two[] =
	"# Made by \"covol cluster init\". It has to be the same on all nodes.\n"
	"totem {\n\tversion: 2\n\tcluster_name: demo\n\ttransport: knet\n"
	"\tcrypto_cipher: aes256\n\tcrypto_hash: sha256\n\tlink_mode: passive\n"
	"\tinterface {\n\t\tlinknumber: 0\n\t\tknet_link_priority: 2\n\t}\n"
	"\tinterface {\n\t\tlinknumber: 1\n\t\tknet_link_priority: 1\n\t}\n}\n\n"
	"quorum {\n\tprovider: corosync_votequorum\n\ttwo_node: 1\n}\n\n"
	"logging {\n\tto_stderr: yes\n\tto_syslog: no\n}\n\nnodelist {\n"
	"\tnode {\n\t\tname: a\n\t\tnodeid: 1\n"
	"\t\tring0_addr: 10.1.0.1\n\t\tring1_addr: fd00::1\n\t}\n"
	"\tnode {\n\t\tname: b\n\t\tnodeid: 2\n"
	"\t\tring0_addr: 10.1.0.2\n\t\tring1_addr: fd00::2\n\t}\n}\n";

static void assert_same(const char *one, const char *other)
{
	size_t one_length, other_length;
	char error[CLUSTER_ERROR], *one_bytes, *other_bytes;

	assert_int_equal(files_read(directory, one, &one_bytes, &one_length, error), 0);
	assert_int_equal(files_read(directory, other, &other_bytes, &other_length, error), 0);
	assert_int_equal(one_length, other_length);
	assert_memory_equal(one_bytes, other_bytes, one_length);
	free(one_bytes);
	free(other_bytes);
}

static void test_init(void **state)
{
	char path[128], error[CLUSTER_ERROR], *text;
	struct config config;
	size_t length;

	(void)state;
	done(INIT);
	assert_says(out, "cluster demo: made, and this is its node a");
	assert_says(out, "covol cluster invite NODE FILE");
	assert_mode("/a/etc/covol/cluster/authority.key", 0600);
	assert_mode("/a/etc/covol/cluster/node.key", 0600);
	assert_mode("/a/etc/covol/cluster/node.crt", 0644);
	assert_mode("/a/etc/corosync/authkey", 0400);
	assert_int_equal(checked("/a", "/a", "a", error), 0);
	assert_int_equal(checked("/a", "/a", "b", error), -EACCES);
	text = text_at("/a/etc/corosync/corosync.conf");
	assert_string_equal(text, corosync_two);
	free(text);
	assert_int_equal(files_read(directory, "/a/etc/corosync/authkey", &text, &length, error),
			 0);
	assert_int_equal(length, 256);
	free(text);
	/* covold takes the drop-in. */
	snprintf(path, sizeof(path), "%s/a/etc/covol/covold.conf", directory);
	assert_int_equal(config_read(&config, path, error), 0);
	assert_string_equal(config.certificate, "/etc/covol/cluster/node.crt");
	assert_string_equal(config.key, "/etc/covol/cluster/node.key");
	assert_string_equal(config.authority, "/etc/covol/cluster/authority.crt");
	config_free(&config);
}

/* Without two nodes no two_node; with one address no priorities. */
static void test_corosync(void **state)
{
	char *text;

	(void)state;
	done("init demo a=10.1.0.1 b=10.1.0.2 c.d=10.1.0.3 --this c.d --root %/a");
	text = text_at("/a/etc/corosync/corosync.conf");
	assert_null(strstr(text, "two_node"));
	assert_null(strstr(text, "interface"));
	assert_non_null(strstr(text, "name: c.d\n\t\tnodeid: 3\n\t\tring0_addr: 10.1.0.3\n"));
	assert_true(nodes_corosync_has(text, "a"));
	assert_true(nodes_corosync_has(text, "c.d"));
	assert_false(nodes_corosync_has(text, "c-d"));
	assert_false(nodes_corosync_has(text, "demo"));
	assert_false(nodes_corosync_has(text, "d"));
	assert_false(nodes_corosync_has(text, "c"));
	assert_false(nodes_corosync_has(text, ".*"));
	free(text);
	assert_true(nodes_corosync_has("node {\n\tring0_addr:n1\t\n}", "n1"));
	assert_false(nodes_corosync_has("# name: n1x\n", "n1"));
}

static void test_wrong_nodes(void **state)
{
	static const struct {
		const char *words;
		const char *says;
	} cases[] = {
		{ "a", "\"a\" is not NODE=ADDRESS" },
		{ "a=", "a: \"\" is no address" },
		{ "a=10.1.0.1,", "a: \"\" is no address" },
		{ "a=host", "a: \"host\" is no address in figures" },
		{ "a=10.1.0.256", "is no address in figures" },
		{ "=10.1.0.1", "\"\" is no name of a node" },
		{ "a-=10.1.0.1", "\"a-\" is no name of a node" },
		{ "a_b=10.1.0.1", "\"a_b\" is no name of a node" },
		{ "a=10.1.0.1 A=10.1.0.2", "A: there are two of that name" },
		{ "a=10.1.0.1 b=10.1.0.1", "b: 10.1.0.1 is given twice" },
		{ "a=fd00::1,fd00:0::1", "a: fd00::1 is given twice" },
		{ "a=10.1.0.1 b=10.1.0.2,10.2.0.2", "b: has 2 addresses, and a has 1" },
		{ "a=10.1.0.1 b=fd00::2", "one is IPv4, the other IPv6" },
		{ "a=1.0.0.1,1.0.0.2,1.0.0.3,1.0.0.4,1.0.0.5,1.0.0.6,1.0.0.7,1.0.0.8,1.0.0.9",
		  "a: has more than 8 addresses" },
	};
	char line[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(line, sizeof(line), "init demo %s --this a --root %%/a", cases[i].words);
		refused(line, EXIT_USAGE, cases[i].says);
	}
	refused("init .x a=10.1.0.1 --root %/a", EXIT_USAGE, "is no name");
	refused("init demo --root %/a", EXIT_USAGE, "NODE=ADDRESS is missing");
	refused("init demo a=10.1.0.1 --this b --root %/a", EXIT_FAILED, "b is none of the nodes");
	refused("init demo no-such-host=10.1.0.1 --root %/a", EXIT_FAILED, "say --this NODE");
	assert_false(is_there("/a"));
	assert_false(nodes_name_valid("-a"));
}

/* More nodes than there can be: not taken, and nothing is written past the end. */
static void test_many_nodes(void **state)
{
	char words[OWN_NODES + 1][32], error[CLUSTER_ERROR], *list[OWN_NODES + 1];
	struct cluster_nodes nodes;
	unsigned int i;

	(void)state;
	for (i = 0; i <= OWN_NODES; i++) {
		snprintf(words[i], sizeof(words[i]), "n%u=10.0.0.%u", i, i);
		list[i] = words[i];
	}
	assert_int_equal(nodes_parse(&nodes, list, OWN_NODES, error), 0);
	assert_int_equal(nodes.count, OWN_NODES);
	assert_string_equal(nodes_find(&nodes, "n63")->address[0], "10.0.0.63");
	assert_int_equal(nodes_parse(&nodes, list, OWN_NODES + 1, error), -EINVAL);
}

/* 192.0.2.1 is nobody's (RFC 5737), nor is 2001:db8::1 (RFC 3849). */
static void test_addresses_here(void **state)
{
	static const struct {
		char *words;
		const char *missing;
	} cases[] = {
		{ "a=127.0.0.1", "" },
		{ "a=192.0.2.1", "192.0.2.1" },
		{ "a=127.0.0.1,2001:db8::1,192.0.2.1", "2001:db8::1" },
	};
	char error[CLUSTER_ERROR], address[INET6_ADDRSTRLEN];
	struct cluster_nodes nodes;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(nodes_parse(&nodes, &cases[i].words, 1, error), 0);
		nodes_not_here(&nodes.node[0], address);
		assert_string_equal(address, cases[i].missing);
	}
}

/* Nothing that is there is written over, and nothing is half done. */
static void test_no_overwrite(void **state)
{
	char *text;

	(void)state;
	write_text("/a/etc/corosync/corosync.conf", "mine\n");
	refused(INIT, EXIT_FAILED, "corosync.conf: is there already");
	assert_says(err, "covol cluster init demo --this NODE");
	assert_false(is_there("/a/etc/covol"));
	assert_false(is_there("/a/etc/corosync/authkey"));
	done(INIT " --replace");
	text = text_at("/a/etc/corosync/corosync.conf.old");
	assert_string_equal(text, "mine\n");
	free(text);
	/* The authority never. */
	text = text_at("/a/etc/covol/cluster/authority.key");
	refused(INIT, EXIT_FAILED, "authority.key is there: this node has a cluster");
	refused(INIT " --replace", EXIT_FAILED, "authority.key is there");
	write_text("/a/authority.key", text);
	assert_same("/a/authority.key", "/a/etc/covol/cluster/authority.key");
	free(text);
	assert_false(is_there("/a/etc/covol/cluster/authority.key.old"));
}

/* What cannot be read is not taken for a cluster that is there, nor for none. */
static void test_in_the_way(void **state)
{
	(void)state;
	write_text("/a/etc/covol", "a file\n");
	refused(INIT, EXIT_FAILED, "Not a directory");
	assert_false(is_there("/a/etc/corosync"));
}

/* A directory that cannot be made: what came before it is gone again. */
static void test_all_or_nothing(void **state)
{
	char command[128];

	(void)state;
	write_text("/a/etc/covol/covold.conf.d", "a file\n");
	refused(INIT, EXIT_FAILED, "covold.conf.d/10-cluster.conf: Not a directory");
	assert_false(is_there("/a/etc/covol/cluster/node.key"));
	assert_false(is_there("/a/etc/corosync/corosync.conf"));
	/* Nor is anything left under another name. */
	snprintf(command, sizeof(command),
		 "test -z \"$(find %s -type f -not -name covold.conf.d)\"", directory);
	assert_int_equal(system(command), 0);
}

static void test_existing_corosync(void **state)
{
	static const char existing[] = "nodelist {\n node {\n  name: b\n }\n}\n";
	char *text;

	(void)state;
	refused("init demo --this b --root %/a", EXIT_FAILED, "corosync.conf: No such file");
	write_text("/a/etc/corosync/corosync.conf", existing);
	refused("init demo --this a --root %/a", EXIT_FAILED, "has no node a");
	done("init demo --this b --root %/a");
	text = text_at("/a/etc/corosync/corosync.conf");
	assert_string_equal(text, existing);
	free(text);
	assert_false(is_there("/a/etc/corosync/authkey"));
	/* Who has none invites without. */
	done("invite b %/i --root %/a");
	done("join %/i --root %/b");
	assert_false(is_there("/b/etc/corosync/authkey"));
	assert_same("/a/etc/corosync/corosync.conf", "/b/etc/corosync/corosync.conf");
}

static void test_join(void **state)
{
	char error[CLUSTER_ERROR];

	(void)state;
	done(INIT);
	done("invite b %/i --root %/a");
	assert_mode("/i", 0600);
	assert_says(out, "bring it to b");
	refused("invite b %/i --root %/a", EXIT_FAILED, "/i: is there already");
	refused("invite c %/c --root %/a", EXIT_FAILED, "has no node c");
	refused("invite .* %/c --root %/a", EXIT_USAGE, "is no name of a node");
	assert_false(is_there("/c"));
	done("join %/i --root %/b");
	assert_says(out, "cluster demo: this is its node b");
	assert_int_equal(checked("/b", "/a", "b", error), 0);
	assert_same("/a/etc/corosync/authkey", "/b/etc/corosync/authkey");
	assert_same("/a/etc/corosync/corosync.conf", "/b/etc/corosync/corosync.conf");
	assert_same("/a/etc/covol/cluster/authority.crt", "/b/etc/covol/cluster/authority.crt");
	assert_same("/a/etc/covol/covold.conf.d/10-cluster.conf",
		    "/b/etc/covol/covold.conf.d/10-cluster.conf");
	assert_mode("/b/etc/covol/cluster/node.key", 0600);
	assert_mode("/b/etc/corosync/authkey", 0400);
	assert_false(is_there("/b/etc/covol/cluster/authority.key"));
	/* The same once more is no harm; and who has no authority cannot invite. */
	done("join %/i --root %/b");
	refused("invite a %/c --root %/b", EXIT_FAILED, "invite where the cluster was made");
}

/* Another invitation takes the place of the first only if asked; one of another cluster never. */
static void test_join_again(void **state)
{
	char error[CLUSTER_ERROR];

	(void)state;
	done(INIT);
	done("invite b %/i --root %/a");
	done("invite b %/i2 --root %/a --days 5");
	done("join %/i --root %/b");
	refused("join %/i2 --root %/b", EXIT_FAILED, "is there already");
	done("join %/i2 --root %/b --replace");
	assert_int_equal(checked("/b", "/a", "b", error), 0);
	assert_mode("/b/etc/covol/cluster/node.key.old", 0600);
	assert_false(is_there("/b/etc/corosync/corosync.conf.old"));

	done("init other a=10.1.0.1 b=10.1.0.2 --this a --root %/o");
	done("invite b %/io --root %/o");
	refused("join %/io --root %/b", EXIT_FAILED, "is of another cluster");
	refused("join %/io --root %/b --replace", EXIT_FAILED, "is of another cluster");
	assert_int_equal(checked("/b", "/o", "b", error), -EACCES);
	assert_says(error, "issuer is unknown");
}

/* ---- invitations that are none ---- */

static struct invitation decoded(const char *path)
{
	struct invitation invitation;
	char error[CLUSTER_ERROR], *text = text_at(path);

	if (invitation_decode(&invitation, text, strlen(text), error))
		fail_msg("%s", error);
	free(text);
	return invitation;
}

static void assert_bad(const struct invitation *invitation, const char *says)
{
	struct invitation again;
	char error[CLUSTER_ERROR], *text = invitation_encode(invitation);

	assert_int_equal(invitation_decode(&again, text, strlen(text), error), -EACCES);
	assert_says(error, says);
	invitation_free(&again);
	free(text);
}

#define SWAP(a, b)			\
	do {				\
		__auto_type swap_ = (a);	\
		(a) = (b);		\
		(b) = swap_;		\
	} while (0)

static void test_wrong_invitations(void **state)
{
	struct invitation a, b, other;

	(void)state;
	done(INIT);
	done("init demo a=10.1.0.1 b=10.1.0.2 --this a --root %/o");
	done("invite a %/ia --root %/a");
	done("invite b %/ib --root %/a");
	done("invite b %/io --root %/o");
	a = decoded("/ia");
	b = decoded("/ib");
	other = decoded("/io");

	SWAP(a.own.key, b.own.key);
	assert_bad(&a, "key is not that of the certificate");
	SWAP(a.own.key, b.own.key);
	SWAP(a.own, b.own);
	assert_bad(&a, "name in the certificate does not match");
	SWAP(a.own, b.own);
	SWAP(b.authority, other.authority);
	assert_bad(&b, "issuer is unknown");
	SWAP(b.authority, other.authority);
	SWAP(b.node, b.cluster);
	assert_bad(&b, "demo: corosync.conf has no such node");
	SWAP(b.node, b.cluster);
	invitation_free(&a);
	invitation_free(&b);
	invitation_free(&other);
}

/* Cut anywhere, or with any part of it missing. */
static void test_damaged_invitations(void **state)
{
	static const char *const parts[] = {
		"covol-invitation", "cluster", "node", "authority", "certificate", "key",
		"corosync.conf",
	};
	struct invitation invitation;
	char error[CLUSTER_ERROR], *text;
	struct json_object *object;
	const char *json;
	size_t i;

	(void)state;
	done(INIT);
	done("invite b %/i --root %/a");
	text = text_at("/i");
	/* The line's end is the last that may be missing. */
	for (i = 0; i < strlen(text) - 1; i++) {
		assert_int_equal(invitation_decode(&invitation, text, i, error), -EINVAL);
		invitation_free(&invitation);
	}
	for (i = 0; i < 2 * ARRAY_SIZE(parts); i++) {
		object = json_tokener_parse(text);
		json_object_object_del(object, parts[i / 2]);
		if (i % 2)
			json_object_object_add(object, parts[i / 2], json_object_new_int(7));
		json = json_object_to_json_string(object);
		assert_int_equal(invitation_decode(&invitation, json, strlen(json), error),
				 -EINVAL);
		assert_says(error, "is no invitation");
		invitation_free(&invitation);
		json_object_put(object);
	}
	free(text);
	write_text("/x", "{}x");
	refused("join %/x --root %/b", EXIT_FAILED, "/x: is no invitation");
	refused("join %/nothere --root %/b", EXIT_FAILED, "/nothere: No such file");
	assert_false(is_there("/b"));
}

/* ---- certificates ---- */

static void test_dates(void **state)
{
	static const struct {
		int from;		/* days from now */
		int until;
		int result;
		const char *says;
	} cases[] = {
		{ -1, 1, 0, NULL },
		{ -3, -1, -EACCES, "expired certificate" },
		{ 1, 3, -EACCES, "not yet valid" },
	};
	struct certificate_pair authority, pair;
	char error[CLUSTER_ERROR];
	time_t now = time(NULL);
	size_t i;

	(void)state;
	assert_int_equal(certificate_authority(&authority, "demo", now - 9 * DAY, now + 9 * DAY,
					       error), 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(certificate_sign(&pair, &authority, "a", now + cases[i].from * DAY,
						  now + cases[i].until * DAY, error), 0);
		assert_int_equal(certificate_check(&pair, authority.certificate, "a", error),
				 cases[i].result);
		if (cases[i].says)
			assert_says(error, cases[i].says);
		certificate_free(&pair);
	}
	certificate_free(&authority);
}

/* No longer than its authority is valid; and what a node has signs for nobody. */
static void test_authority(void **state)
{
	struct certificate_pair authority, node, other;
	struct certificate_facts facts;
	char error[CLUSTER_ERROR];
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(certificate_authority(&authority, "demo", now - DAY, now + 9 * DAY, error),
			 0);
	assert_int_equal(certificate_sign(&node, &authority, "a", now - DAY, now + 99 * DAY, error),
			 0);
	assert_int_equal(certificate_read(&facts, node.certificate, error), 0);
	assert_string_equal(facts.name, "a");
	assert_string_equal(facts.cluster, "demo");
	assert_int_equal(facts.from, now - DAY);
	assert_int_equal(facts.until, now + 9 * DAY);
	assert_int_equal(certificate_sign(&other, &node, "b", now, now + DAY, error), -EINVAL);
	assert_says(error, "is no authority's");
	SWAP(node.key, authority.key);
	assert_int_equal(certificate_sign(&other, &authority, "b", now, now + DAY, error), -EINVAL);
	assert_says(error, "the authority's key is not that of the certificate");
	certificate_free(&authority);
	certificate_free(&node);
}

static void test_show(void **state)
{
	char *key;

	(void)state;
	refused("show --root %/a", EXIT_FAILED, "node.crt: No such file");
	done(INIT);
	done("show --root %/a");
	assert_says(out, "CAN-INVITE\ndemo    a    valid ");
	done("invite b %/i --root %/a");
	done("join %/i --root %/b");
	done("show --root %/b --json");
	squeeze(out);
	assert_says(out, "\"node\":\"b\",\"certificate\":\"valid\",");
	assert_says(out, "\"can-invite\":false");
	/* Somebody else's key. */
	key = text_at("/a/etc/covol/cluster/node.key");
	write_text("/b/etc/covol/cluster/node.key", key);
	free(key);
	done("show --root %/b");
	assert_says(out, "key is not that of the certificate");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_init),	     TEST(test_corosync),
		TEST(test_wrong_nodes),	     TEST(test_many_nodes),
		TEST(test_no_overwrite),     TEST(test_in_the_way),
		TEST(test_all_or_nothing),
		TEST(test_existing_corosync), TEST(test_join),
		TEST(test_join_again),	     TEST(test_wrong_invitations),
		TEST(test_damaged_invitations), TEST(test_dates),
		TEST(test_authority),	     TEST(test_show),
		TEST(test_addresses_here),
	};

	return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
