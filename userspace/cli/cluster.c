// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol cluster ...: the files that make a node one of a cluster - certificates, corosync.conf,
 * the drop-in for covold. Without an agent, and without a network: what goes from one node to
 * another is a file that the administrator brings there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "../cluster/files.h"
#include "../cluster/invitation.h"
#include "../cluster/nodes.h"
#include "../lun/header.h"
#include "cli.h"

#define DIRECTORY	"/etc/covol/cluster"
#define AUTHORITY	DIRECTORY "/authority.crt"
#define AUTHORITY_KEY	DIRECTORY "/authority.key"
#define CERTIFICATE	DIRECTORY "/node.crt"
#define KEY		DIRECTORY "/node.key"
#define DROP_IN		"/etc/covol/covold.conf.d/10-cluster.conf"
#define COROSYNC	"/etc/corosync/corosync.conf"
#define AUTHKEY		"/etc/corosync/authkey"

/* As corosync-keygen(8) makes it. */
#define AUTHKEY_BYTES	256
#define DAY		86400
#define AUTHORITY_DAYS	7300
#define NODE_DAYS	3650
/* Clocks of nodes need not agree. */
#define EARLIER		DAY

static const char drop_in[] =
	"# Made by \"covol cluster\": who this node is.\n"
	"[session]\n"
	"authority = " AUTHORITY "\n"
	"certificate = " CERTIFICATE "\n"
	"key = " KEY "\n";

static const char start_text[] =
	"systemctl enable corosync covold; systemctl restart corosync covold";

static struct cluster_file text_file(const char *path, mode_t mode, const char *text)
{
	return (struct cluster_file) {
		.path = path, .mode = mode, .bytes = text, .length = text ? strlen(text) : 0,
	};
}

/* What a node gets, whoever made it. */
#define NODE_FILES	6

static void node_files(struct cluster_file files[NODE_FILES], const struct invitation *invitation)
{
	files[0] = text_file(KEY, 0600, invitation->own.key);
	files[1] = text_file(CERTIFICATE, 0644, invitation->own.certificate);
	files[2] = text_file(AUTHORITY, 0644, invitation->authority);
	files[3] = (struct cluster_file) {
		.path = AUTHKEY, .mode = 0400, .bytes = invitation->authkey,
		.length = invitation->authkey_length,
	};
	files[4] = text_file(COROSYNC, 0644, invitation->corosync);
	/* The last: with it, covold believes the others. */
	files[5] = text_file(DROP_IN, 0644, drop_in);
}

/* ---- init ---- */

struct init {
	const char *cluster;
	const char *root;
	const char *self;
	uint32_t days;
	bool replace;
	struct words words;
	struct cluster_nodes nodes;
	struct certificate_pair authority;
	struct invitation own;
	char error[CLUSTER_ERROR];
};

/* Which of the nodes this host is: by its name, with the domain or without. */
static int find_self(struct init *init, char host[CLUSTER_NAME])
{
	char *dot;

	if (init->self) {
		if (init->nodes.count && !nodes_find(&init->nodes, init->self)) {
			snprintf(init->error, CLUSTER_ERROR, "--this: %.70s is none of the nodes",
				 init->self);
			return -EINVAL;
		}
		return 0;
	}
	if (gethostname(host, CLUSTER_NAME))
		host[0] = 0;
	host[CLUSTER_NAME - 1] = 0;
	init->self = host;
	if (nodes_find(&init->nodes, host))
		return 0;
	dot = strchr(host, '.');
	if (dot)
		*dot = 0;
	if (nodes_find(&init->nodes, host))
		return 0;
	snprintf(init->error, CLUSTER_ERROR,
		 "this host's name, \"%s\", is none of the nodes: say --this NODE", host);
	return -EINVAL;
}

static int make_corosync(struct init *init)
{
	init->own.corosync = nodes_corosync(&init->nodes, init->cluster);
	init->own.authkey = malloc(AUTHKEY_BYTES);
	init->own.authkey_length = AUTHKEY_BYTES;
	if (!init->own.corosync || !init->own.authkey ||
	    gnutls_rnd(GNUTLS_RND_KEY, init->own.authkey, AUTHKEY_BYTES)) {
		snprintf(init->error, CLUSTER_ERROR, "making a key for corosync: %s",
			 strerror(ENOMEM));
		return -ENOMEM;
	}
	return 0;
}

/* A corosync that is there already stays as it is. */
static int look_at_corosync(struct init *init)
{
	char *text;
	int result = files_read(init->root, COROSYNC, &text, NULL, init->error);

	if (result)
		return result;
	if (!nodes_corosync_has(text, init->self)) {
		snprintf(init->error, CLUSTER_ERROR, "%s: has no node %.70s", COROSYNC, init->self);
		result = -ENOENT;
	}
	free(text);
	return result;
}

static int make_certificates(struct init *init)
{
	time_t now = time(NULL);
	int result = certificate_authority(&init->authority, init->cluster, now - EARLIER,
					   now + AUTHORITY_DAYS * (time_t)DAY, init->error);

	if (!result)
		result = certificate_sign(&init->own.own, &init->authority, init->self,
					  now - EARLIER, now + init->days * (time_t)DAY,
					  init->error);
	return result;
}

/* Whoever lost the authority's key could let nobody in any more. */
static int refuse_second(struct init *init)
{
	static const char *const paths[] = { AUTHORITY_KEY, AUTHORITY, KEY, CERTIFICATE };
	char *text;
	size_t i, length;
	int result;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		result = files_read(init->root, paths[i], &text, &length, init->error);
		if (result == -ENOENT)
			continue;
		free(text);
		if (result)
			return result;
		snprintf(init->error, CLUSTER_ERROR,
			 "%s%s is there: this node has a cluster; if it is to leave that, move %s%s away",
			 init->root, paths[i], init->root, DIRECTORY);
		return -EBUSY;
	}
	return 0;
}

static int write_init(struct init *init)
{
	struct cluster_file files[NODE_FILES + 1];
	int result;

	init->own.authority = init->authority.certificate;
	node_files(files, &init->own);
	files[NODE_FILES] = text_file(AUTHORITY_KEY, 0600, init->authority.key);
	result = files_write(init->root, files, ARRAY_SIZE(files), init->replace, init->error);
	init->own.authority = NULL;
	return result;
}

/* It may get the address later; corosync does not start before. */
static void look_at_address(const struct init *init)
{
	const struct cluster_node *node = nodes_find(&init->nodes, init->self);
	char address[INET6_ADDRSTRLEN];

	/* An image of a node is on no network. */
	if (!node || *init->root)
		return;
	nodes_not_here(node, address);
	if (*address)
		fprintf(stderr, "covol cluster init: warning: %s is no address of this host\n",
			address);
}

static int do_init(struct init *init)
{
	char host[CLUSTER_NAME];
	int result = find_self(init, host);

	if (!result)
		result = refuse_second(init);
	if (!result)
		result = init->nodes.count ? make_corosync(init) : look_at_corosync(init);
	if (!result)
		result = make_certificates(init);
	if (!result)
		result = write_init(init);
	if (!result) {
		printf("cluster %s: made, and this is its node %s\n", init->cluster, init->self);
		look_at_address(init);
	}
	return result;
}

/* "": the system's own. */
static const char *root_of(const char *root)
{
	return root ? root : "";
}

static void print_existing(const struct init *init)
{
	fprintf(stderr,
		"With --replace it goes to a file .old. If it is corosync.conf, and is to stay:\n"
		"covol cluster init %s --this NODE\n",
		init->cluster);
}

static void print_next(const struct init *init)
{
	printf("Next, for each other node, here:  covol cluster invite NODE FILE\n"
	       "bring FILE there, unseen; there:  covol cluster join FILE\n"
	       "then on all nodes:                %s\n"
	       "%s%s stays here, and in a backup that nobody sees: whoever has it can be any node.\n",
	       start_text, init->root, AUTHORITY_KEY);
}

int cluster_init(const struct command *self, int argc, char **argv)
{
	struct init init = { .days = NODE_DAYS };
	struct arg args[] = {
		{ "NAME", ARG_STRING, &init.cluster, true, "the cluster's" },
		{ "NODE=ADDRESS", ARG_REST, &init.words, false,
		  "its nodes; several addresses: NODE=A,B, the preferred one first;\n"
		  "                   without nodes: those of the corosync.conf that is there" },
		{ "--this", ARG_STRING, &init.self, false,
		  "the name of this node (default: the host's)" },
		{ "--days", ARG_COUNT, &init.days, false,
		  "how long its certificate is valid (default: 3650)" },
		{ "--replace", ARG_FLAG, &init.replace, false,
		  "corosync.conf and the like go to a file .old" },
		{ "--root", ARG_STRING, &init.root, false, "a directory instead of /" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;

	if (code != GO_ON)
		return code;
	init.root = root_of(init.root);
	if (!lun_name_valid(init.cluster))
		return bad_usage(self, "\"%s\" is no name: 1 to 31 of A-Z a-z 0-9 . _ -, %s",
				 init.cluster, "the first no . or -");
	if (nodes_parse(&init.nodes, init.words.word, init.words.count, init.error))
		return bad_usage(self, "%s", init.error);
	if (!init.nodes.count && !init.self)
		return bad_usage(self, "NODE=ADDRESS is missing (with a corosync.conf: --this)");
	if (init.self && !nodes_name_valid(init.self))
		return bad_usage(self, "--this: \"%s\" is no name of a node", init.self);
	result = do_init(&init);
	if (result) {
		code = fail(self, "%s", init.error);
		if (result == -EEXIST)
			print_existing(&init);
	} else {
		code = EXIT_OK;
		print_next(&init);
	}
	certificate_free(&init.authority);
	invitation_free(&init.own);
	return code;
}

/* ---- invite ---- */

static int read_authority(const char *root, struct certificate_pair *authority,
			  char error[CLUSTER_ERROR])
{
	int result = files_read(root, AUTHORITY_KEY, &authority->key, NULL, error);

	if (result == -ENOENT)
		snprintf(error, CLUSTER_ERROR,
			 "%s%s is not here: invite where the cluster was made", root,
			 AUTHORITY_KEY);
	return result ? result : files_read(root, AUTHORITY, &authority->certificate, NULL, error);
}

static int read_corosync(const char *root, struct invitation *invitation,
			 char error[CLUSTER_ERROR])
{
	int result = files_read(root, COROSYNC, &invitation->corosync, NULL, error);

	if (result)
		return result;
	if (!nodes_corosync_has(invitation->corosync, invitation->node)) {
		snprintf(error, CLUSTER_ERROR,
			 "%s%s has no node %.70s: add it there, and on the other nodes", root,
			 COROSYNC, invitation->node);
		return -ENOENT;
	}
	result = files_read(root, AUTHKEY, &invitation->authkey, &invitation->authkey_length,
			    error);
	/* Without encryption there need not be one. */
	return result == -ENOENT ? 0 : result;
}

static int make_invitation(const char *root, struct invitation *invitation, uint32_t days,
			   char error[CLUSTER_ERROR])
{
	struct certificate_pair authority = { 0 };
	struct certificate_facts facts;
	time_t now = time(NULL);
	int result = read_authority(root, &authority, error);

	if (!result)
		result = read_corosync(root, invitation, error);
	if (!result)
		result = certificate_read(&facts, authority.certificate, error);
	if (!result)
		result = certificate_sign(&invitation->own, &authority, invitation->node,
					  now - EARLIER, now + days * (time_t)DAY, error);
	if (!result) {
		invitation->cluster = strdup(facts.cluster);
		invitation->authority = authority.certificate;
		authority.certificate = NULL;
	}
	certificate_free(&authority);
	return result;
}

static int write_invitation(const struct invitation *invitation, const char *path,
			    char error[CLUSTER_ERROR])
{
	char *text = invitation_encode(invitation);
	struct cluster_file file = text_file(path, 0600, text);
	int result;

	if (!text) {
		snprintf(error, CLUSTER_ERROR, "%.400s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	result = files_write("", &file, 1, false, error);
	gnutls_memset(text, 0, strlen(text));
	free(text);
	return result;
}

int cluster_invite(const struct command *self, int argc, char **argv)
{
	struct invitation invitation = { 0 };
	const char *node, *path, *root = NULL;
	char error[CLUSTER_ERROR];
	uint32_t days = NODE_DAYS;
	struct arg args[] = {
		{ "NODE", ARG_STRING, &node, true, "whom" },
		{ "FILE", ARG_STRING, &path, true,
		  "a file to be made, with what NODE needs: its key, too" },
		{ "--days", ARG_COUNT, &days, false,
		  "how long its certificate is valid (default: 3650)" },
		{ "--root", ARG_STRING, &root, false, "a directory instead of /" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;

	if (code != GO_ON)
		return code;
	if (!nodes_name_valid(node))
		return bad_usage(self, "\"%s\" is no name of a node", node);
	invitation.node = strdup(node);
	result = make_invitation(root_of(root), &invitation, days, error);
	if (!result)
		result = write_invitation(&invitation, path, error);
	invitation_free(&invitation);
	if (result)
		return fail(self, "%s", error);
	printf("%s: bring it to %s, where nobody sees it, and there: covol cluster join FILE\n",
	       path, node);
	return EXIT_OK;
}

/* ---- join ---- */

/* An invitation of another cluster is not for who has one. */
static int same_authority(const char *root, const struct invitation *invitation,
			  char error[CLUSTER_ERROR])
{
	char *text = NULL;
	int result = files_read(root, AUTHORITY, &text, NULL, error);

	if (result == -ENOENT)
		return 0;
	if (!result && strcmp(text, invitation->authority)) {
		snprintf(error, CLUSTER_ERROR,
			 "%s%s is of another cluster; if this node is to leave that, move %s%s away",
			 root, AUTHORITY, root, DIRECTORY);
		result = -EBUSY;
	}
	free(text);
	return result;
}

static int join(const char *root, const char *path, bool replace, struct invitation *invitation,
		char error[CLUSTER_ERROR])
{
	struct cluster_file files[NODE_FILES];
	char *text, why[CLUSTER_ERROR];
	size_t length;
	int result = files_read("", path, &text, &length, error);

	if (result)
		return result;
	result = invitation_decode(invitation, text, length, why);
	gnutls_memset(text, 0, length);
	free(text);
	if (result) {
		snprintf(error, CLUSTER_ERROR, "%.100s: %.400s", path, why);
		return result;
	}
	result = same_authority(root, invitation, error);
	if (result)
		return result;
	node_files(files, invitation);
	return files_write(root, files, ARRAY_SIZE(files), replace, error);
}

int cluster_join(const struct command *self, int argc, char **argv)
{
	struct invitation invitation = { 0 };
	const char *path, *root = NULL;
	char error[CLUSTER_ERROR];
	bool replace = false;
	struct arg args[] = {
		{ "FILE", ARG_STRING, &path, true, "the invitation" },
		{ "--replace", ARG_FLAG, &replace, false,
		  "what is there already goes to a file .old" },
		{ "--root", ARG_STRING, &root, false, "a directory instead of /" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;

	if (code != GO_ON)
		return code;
	result = join(root_of(root), path, replace, &invitation, error);
	if (result) {
		code = fail(self, "%s", error);
		if (result == -EEXIST)
			fprintf(stderr, "With --replace it goes to a file .old.\n");
	} else {
		code = EXIT_OK;
		printf("cluster %s: this is its node %s\nNext: %s\nand remove %s\n",
		       invitation.cluster, invitation.node, start_text, path);
	}
	invitation_free(&invitation);
	return code;
}

/* ---- show ---- */

struct shown {
	struct certificate_pair own;
	struct certificate_facts facts;
	char *authority;
	struct certificate_facts authority_facts;
	bool has_key;
	char state[CLUSTER_ERROR];
};

static int look(const char *root, struct shown *shown, char error[CLUSTER_ERROR])
{
	char *key = NULL, ignored[CLUSTER_ERROR];
	size_t length;
	int result = files_read(root, CERTIFICATE, &shown->own.certificate, NULL, error);

	if (!result)
		result = files_read(root, KEY, &shown->own.key, NULL, error);
	if (!result)
		result = files_read(root, AUTHORITY, &shown->authority, NULL, error);
	if (!result)
		result = certificate_read(&shown->facts, shown->own.certificate, error);
	if (!result)
		result = certificate_read(&shown->authority_facts, shown->authority, error);
	if (result)
		return result;
	shown->has_key = files_read(root, AUTHORITY_KEY, &key, &length, ignored) != -ENOENT;
	if (key)
		gnutls_memset(key, 0, length);
	free(key);
	if (!certificate_check(&shown->own, shown->authority, shown->facts.name, shown->state))
		strcpy(shown->state, "valid");
	return 0;
}

static void cell_date(struct table *table, time_t when)
{
	char text[32];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	cell_text(table, text);
}

static const struct column columns[] = {
	{ "CLUSTER", COLUMN_TEXT },	  { "NODE", COLUMN_TEXT },
	{ "CERTIFICATE", COLUMN_TEXT },	  { "VALID-UNTIL", COLUMN_TEXT },
	{ "AUTHORITY-UNTIL", COLUMN_TEXT }, { "CAN-INVITE", COLUMN_BOOL },
};

static void print_shown(const struct shown *shown, bool json)
{
	struct table *table = table_new("cluster", json, columns, ARRAY_SIZE(columns));

	table_row(table);
	cell_text(table, shown->facts.cluster);
	cell_text(table, shown->facts.name);
	cell_text(table, shown->state);
	cell_date(table, shown->facts.until);
	cell_date(table, shown->authority_facts.until);
	cell_number(table, shown->has_key);
	table_print(table);
	table_free(table);
}

int cluster_show(const struct command *self, int argc, char **argv)
{
	struct shown shown = { 0 };
	char error[CLUSTER_ERROR];
	const char *root = NULL;
	bool json = false;
	struct arg args[] = {
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		{ "--root", ARG_STRING, &root, false, "a directory instead of /" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv), result;

	if (code != GO_ON)
		return code;
	result = look(root_of(root), &shown, error);
	if (!result)
		print_shown(&shown, json);
	certificate_free(&shown.own);
	free(shown.authority);
	return result ? fail(self, "%s", error) : EXIT_OK;
}
