/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The authority of a cluster, and what it signs: certificates (X.509, RFC 5280) by which nodes
 * prove to each other who they are.
 */
#ifndef COVOL_CLUSTER_CERTIFICATE_H
#define COVOL_CLUSTER_CERTIFICATE_H

#include <time.h>

#define CLUSTER_ERROR	512
/* With the end of the text; a DNS label has 63 (RFC 1035, 2.3.4). */
#define CLUSTER_NAME	64

/**
 * struct certificate_pair - a certificate, and the private key of whom it is of
 * @certificate: PEM text; those between it and the authority may follow
 * @key: PEM text (PKCS #8), not encrypted; NULL: not known
 */
struct certificate_pair {
	char *certificate;
	char *key;
};

/**
 * struct certificate_facts - what a certificate says
 * @name: of whom it is (the common name)
 * @cluster: the name of its cluster (the organization)
 * @from: seconds since 1970; not valid before
 * @until: not valid after
 */
struct certificate_facts {
	char name[CLUSTER_NAME];
	char cluster[CLUSTER_NAME];
	time_t from;
	time_t until;
};

/**
 * certificate_authority() - Make the authority of a cluster: a key, and a certificate for itself.
 * @pair: result, to be freed with certificate_free()
 * @cluster: the cluster's name
 * @from: valid from, seconds since 1970
 * @until: valid until
 * @error: why not
 *
 * Return: 0, or -EIO: GnuTLS cannot.
 */
int certificate_authority(struct certificate_pair *pair, const char *cluster, time_t from,
			  time_t until, char error[CLUSTER_ERROR]);

/**
 * certificate_sign() - Make a key for a node, and have an authority say that it is the node's.
 * @pair: result, to be freed with certificate_free()
 * @authority: both of its halves
 * @node: the node's name; in the certificate it is a DNS name, as TLS wants it
 * @from: valid from, seconds since 1970
 * @until: valid until, if the authority is valid that long
 * @error: why not
 *
 * Return: 0; -EINVAL: that is no authority; -EIO: GnuTLS cannot.
 */
int certificate_sign(struct certificate_pair *pair, const struct certificate_pair *authority,
		     const char *node, time_t from, time_t until, char error[CLUSTER_ERROR]);

/**
 * certificate_read() - What a certificate says; nobody has looked whether that is true.
 * @facts: result
 * @certificate: PEM text
 * @error: why not
 *
 * Return: 0; -EINVAL: it is no certificate.
 */
int certificate_read(struct certificate_facts *facts, const char *certificate,
		     char error[CLUSTER_ERROR]);

/**
 * certificate_check() - Whether a node can prove with it, now, who it is.
 * @pair: the node's; with @key NULL nobody looks at the key
 * @authority: PEM text of the authority's certificate
 * @node: the node's name
 * @error: why not
 *
 * Return: 0; -EACCES: not signed by it, not valid now, of another node, or not that key's; -EINVAL:
 * no certificate or key.
 */
int certificate_check(const struct certificate_pair *pair, const char *authority,
		      const char *node, char error[CLUSTER_ERROR]);

/* The key's memory is wiped. */
void certificate_free(struct certificate_pair *pair);

#endif
