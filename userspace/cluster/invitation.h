/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An invitation: all that a node needs to be one of a cluster, as a file (JSON) that an
 * administrator brings to it. It has secrets.
 */
#ifndef COVOL_CLUSTER_INVITATION_H
#define COVOL_CLUSTER_INVITATION_H

#include <stddef.h>

#include "certificate.h"

/**
 * struct invitation - what is in one
 * @cluster: the cluster's name
 * @node: of whom it is for
 * @own: that node's certificate and key
 * @authority: the authority's certificate (PEM)
 * @corosync: corosync.conf
 * @authkey: the key of corosync; NULL: there is none
 * @authkey_length: of @authkey, bytes
 */
struct invitation {
	char *cluster;
	char *node;
	struct certificate_pair own;
	char *authority;
	char *corosync;
	char *authkey;
	size_t authkey_length;
};

/* The text of one, to be freed; NULL: no memory. */
char *invitation_encode(const struct invitation *invitation);

/**
 * invitation_decode() - Take an invitation apart, and look whether it is what it should be.
 * @invitation: result, to be freed with invitation_free(), after an error, too
 * @text: of the file
 * @length: of @text
 * @error: what is wrong with it
 *
 * The certificate has to be that node's, of that authority, and valid now, the key its, and the
 * node has to be in corosync.conf.
 *
 * Return: 0; -EINVAL: it is no invitation; -EACCES: it is none that is of use.
 */
int invitation_decode(struct invitation *invitation, const char *text, size_t length,
		      char error[CLUSTER_ERROR]);

void invitation_free(struct invitation *invitation);

#endif
