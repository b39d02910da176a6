/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nodes of a cluster that is to be made, and corosync.conf(5) for them. Pure.
 */
#ifndef COVOL_CLUSTER_NODES_H
#define COVOL_CLUSTER_NODES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "../agent/ownership.h"
#include "certificate.h"

/* Of knet: corosync.conf(5). */
#define CLUSTER_LINKS	8

/**
 * struct cluster_node - a node
 * @name: of it
 * @links: how many addresses it has
 * @address: in figures, the one that is preferred first
 */
struct cluster_node {
	char name[CLUSTER_NAME];
	unsigned int links;
	char address[CLUSTER_LINKS][INET6_ADDRSTRLEN];
};

/**
 * struct cluster_nodes - all of them; the number of node[i] is i + 1
 * @count: how many
 * @node: the nodes
 */
struct cluster_nodes {
	unsigned int count;
	struct cluster_node node[OWN_NODES];
};

/* Letters, digits, dashes and dots, as in a host's name (RFC 1123, 2.1). */
bool nodes_name_valid(const char *name);

/**
 * nodes_parse() - Take "NODE=ADDRESS,ADDRESS..." apart.
 * @nodes: result
 * @words: one for each node
 * @count: how many
 * @error: which of them is wrong, and why
 *
 * All have the same number of addresses, the first of one address family, and so on; no name and no
 * address comes twice.
 *
 * Return: 0 or -EINVAL.
 */
int nodes_parse(struct cluster_nodes *nodes, char *const *words, unsigned int count,
		char error[CLUSTER_ERROR]);

/* NULL: there is none of that name. */
const struct cluster_node *nodes_find(const struct cluster_nodes *nodes, const char *name);

/**
 * nodes_not_here() - Which of a node's addresses this host does not have.
 * @node: who this host is to be
 * @address: result; "": it has them all, or that cannot be known
 */
void nodes_not_here(const struct cluster_node *node, char address[INET6_ADDRSTRLEN]);

/**
 * nodes_corosync() - corosync.conf(5) for these nodes.
 * @nodes: the nodes
 * @cluster: the cluster's name
 *
 * Links of knet, encrypted, of which the first that works is used; votequorum, with two nodes
 * two_node.
 *
 * Return: text, to be freed; NULL: no memory.
 */
char *nodes_corosync(const struct cluster_nodes *nodes, const char *cluster);

/* Whether the text of a corosync.conf has a node of that name. */
bool nodes_corosync_has(const char *text, const char *name);

#endif
