// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodes.h"

__attribute__((format(printf, 2, 3)))
static int wrong(char error[CLUSTER_ERROR], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, CLUSTER_ERROR, format, args);
	va_end(args);
	return -EINVAL;
}

bool nodes_name_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (i == CLUSTER_NAME - 1 ||
		    !(isalnum((unsigned char)name[i]) || (i && strchr("-.", name[i]))))
			return false;
	return i && name[i - 1] != '-' && name[i - 1] != '.';
}

static int family(const char *address)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, address, bytes) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, address, bytes) == 1 ? AF_INET6 : AF_UNSPEC;
}

/* As inet_ntop() writes it, so that two that are the same look the same. */
static int add_address(struct cluster_node *node, const char *address, char error[CLUSTER_ERROR])
{
	unsigned char bytes[sizeof(struct in6_addr)];
	int kind = family(address);

	if (kind == AF_UNSPEC)
		return wrong(error, "%s: \"%.60s\" is no address in figures", node->name, address);
	if (node->links == CLUSTER_LINKS)
		return wrong(error, "%s: has more than %d addresses", node->name, CLUSTER_LINKS);
	inet_pton(kind, address, bytes);
	inet_ntop(kind, bytes, node->address[node->links++], INET6_ADDRSTRLEN);
	return 0;
}

static int parse_node(struct cluster_node *node, const char *word, char error[CLUSTER_ERROR])
{
	char copy[CLUSTER_NAME + CLUSTER_LINKS * INET6_ADDRSTRLEN], *rest = copy, *name, *address;
	int result = 0;

	if (snprintf(copy, sizeof(copy), "%s", word) >= (int)sizeof(copy) || !strchr(copy, '='))
		return wrong(error, "\"%.60s\" is not NODE=ADDRESS[,ADDRESS...]", word);
	name = strsep(&rest, "=");
	if (!nodes_name_valid(name))
		return wrong(error,
			     "\"%.70s\" is no name of a node: 1 to %d letters, digits, dashes and dots",
			     name, CLUSTER_NAME - 1);
	strcpy(node->name, name);
	while (!result && (address = strsep(&rest, ",")))
		result = add_address(node, address, error);
	return result;
}

static const char *same_address(const struct cluster_node *a, const struct cluster_node *b)
{
	unsigned int i, j;

	for (i = 0; i < a->links; i++)
		for (j = 0; j < b->links; j++)
			if (!strcmp(a->address[i], b->address[j]) && (a != b || i != j))
				return a->address[i];
	return NULL;
}

/* Whether @node goes with one that stands before it. */
static int compare(const struct cluster_node *node, const struct cluster_node *other,
		   char error[CLUSTER_ERROR])
{
	const char *same = same_address(node, other);
	unsigned int i;

	/* In a certificate, as in the DNS, A is a. */
	if (node != other && !strcasecmp(node->name, other->name))
		return wrong(error, "%s: there are two of that name", node->name);
	if (same)
		return wrong(error, "%s: %s is given twice", node->name, same);
	if (node->links != other->links)
		return wrong(error, "%s: has %u addresses, and %s has %u", node->name, node->links,
			     other->name, other->links);
	for (i = 0; i < node->links; i++)
		if (family(node->address[i]) != family(other->address[i]))
			return wrong(error, "%s and %s: one is IPv4, the other IPv6",
				     node->address[i], other->address[i]);
	return 0;
}

int nodes_parse(struct cluster_nodes *nodes, char *const *words, unsigned int count,
		char error[CLUSTER_ERROR])
{
	unsigned int i;
	int result = 0;

	memset(nodes, 0, sizeof(*nodes));
	if (count > OWN_NODES)
		return wrong(error, "%u nodes are more than %d", count, OWN_NODES);
	for (nodes->count = 0; nodes->count < count && !result; nodes->count++) {
		result = parse_node(&nodes->node[nodes->count], words[nodes->count], error);
		for (i = 0; i <= nodes->count && !result; i++)
			result = compare(&nodes->node[nodes->count], &nodes->node[i], error);
	}
	return result;
}

const struct cluster_node *nodes_find(const struct cluster_nodes *nodes, const char *name)
{
	unsigned int i;

	for (i = 0; i < nodes->count; i++)
		if (!strcmp(nodes->node[i].name, name))
			return &nodes->node[i];
	return NULL;
}

static bool is_here(const struct ifaddrs *here, const char *address)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	int kind = family(address);
	const void *its;

	inet_pton(kind, address, bytes);
	for (; here; here = here->ifa_next) {
		if (!here->ifa_addr || here->ifa_addr->sa_family != kind)
			continue;
		if (kind == AF_INET)
			its = &((const struct sockaddr_in *)here->ifa_addr)->sin_addr;
		else
			its = &((const struct sockaddr_in6 *)here->ifa_addr)->sin6_addr;
		if (!memcmp(its, bytes, kind == AF_INET ? sizeof(struct in_addr) : sizeof(bytes)))
			return true;
	}
	return false;
}

void nodes_not_here(const struct cluster_node *node, char address[INET6_ADDRSTRLEN])
{
	struct ifaddrs *here;
	unsigned int i;

	address[0] = 0;
	if (getifaddrs(&here))
		return;
	for (i = 0; i < node->links && !*address; i++)
		if (!is_here(here, node->address[i]))
			strcpy(address, node->address[i]);
	freeifaddrs(here);
}

/* ---- corosync.conf ---- */

/* Of the links that work, knet uses that with the highest priority. */
static void print_links(FILE *out, unsigned int links)
{
	unsigned int i;

	if (links > 1)
		fprintf(out, "\tlink_mode: passive\n");
	for (i = 0; links > 1 && i < links; i++)
		fprintf(out,
			"\tinterface {\n\t\tlinknumber: %u\n\t\tknet_link_priority: %u\n\t}\n", i,
			links - i);
}

static void print_node(FILE *out, const struct cluster_node *node, unsigned int number)
{
	unsigned int i;

	fprintf(out, "\tnode {\n\t\tname: %s\n\t\tnodeid: %u\n", node->name, number);
	for (i = 0; i < node->links; i++)
		fprintf(out, "\t\tring%u_addr: %s\n", i, node->address[i]);
	fprintf(out, "\t}\n");
}

char *nodes_corosync(const struct cluster_nodes *nodes, const char *cluster)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	unsigned int i;

	if (!out)
		return NULL;
	fprintf(out, "# Made by \"covol cluster init\". It has to be the same on all nodes.\n");
	fprintf(out, "totem {\n\tversion: 2\n\tcluster_name: %s\n\ttransport: knet\n", cluster);
	fprintf(out, "\tcrypto_cipher: aes256\n\tcrypto_hash: sha256\n");
	print_links(out, nodes->node[0].links);
	fprintf(out, "}\n\nquorum {\n\tprovider: corosync_votequorum\n%s}\n\n",
		nodes->count == 2 ? "\ttwo_node: 1\n" : "");
	/* systemd takes it to the journal. */
	fprintf(out, "logging {\n\tto_stderr: yes\n\tto_syslog: no\n}\n\nnodelist {\n");
	for (i = 0; i < nodes->count; i++)
		print_node(out, &nodes->node[i], i + 1);
	fprintf(out, "}\n");
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* Without a name in corosync.conf, the first address is it. */
bool nodes_corosync_has(const char *text, const char *name)
{
	char pattern[4 * CLUSTER_NAME] = "^[[:blank:]]*(name|ring0_addr):[[:blank:]]*";
	size_t at = strlen(pattern);
	regex_t regex;
	bool has;

	if (!nodes_name_valid(name))
		return false;
	for (; *name; name++)
		at += snprintf(pattern + at, sizeof(pattern) - at, *name == '.' ? "[%c]" : "%c",
			       *name);
	snprintf(pattern + at, sizeof(pattern) - at, "[[:blank:]]*$");
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB))
		return false;
	has = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return has;
}
