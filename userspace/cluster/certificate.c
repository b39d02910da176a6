// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "certificate.h"

/* RFC 5280, 4.1.2.2: at most 20, positive. */
#define SERIAL_BYTES	16
/* SHA-1 or more. */
#define KEY_ID_BYTES	64

__attribute__((format(printf, 3, 4)))
static int wrong(char error[CLUSTER_ERROR], int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, CLUSTER_ERROR, format, args);
	va_end(args);
	return code;
}

static int cannot(char error[CLUSTER_ERROR], const char *what, int bad)
{
	return wrong(error, -EIO, "%s: %s", what, gnutls_strerror(bad));
}

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t) { .data = (unsigned char *)text, .size = strlen(text) };
}

/* Takes what GnuTLS has allocated; NULL: no memory. */
static char *text_of(gnutls_datum_t *from)
{
	char *text = strndup((char *)from->data, from->size);

	gnutls_memset(from->data, 0, from->size);
	gnutls_free(from->data);
	return text;
}

/* P-256: what every library and every FIPS 140 module has. */
static int make_key(gnutls_x509_privkey_t key)
{
	return gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
}

static int set_serial(gnutls_x509_crt_t crt)
{
	unsigned char serial[SERIAL_BYTES];
	int bad = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	if (bad)
		return bad;
	/* Positive, and of the same length always. */
	serial[0] = (serial[0] & 0x7f) | 0x40;
	return gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
}

static int set_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char id[KEY_ID_BYTES];
	size_t size = sizeof(id);
	int bad = gnutls_x509_crt_set_key(crt, key);

	if (!bad)
		bad = gnutls_x509_crt_get_key_id(crt, 0, id, &size);
	return bad ? bad : gnutls_x509_crt_set_subject_key_id(crt, id, size);
}

/* What both kinds have. */
static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name,
		const char *cluster, time_t from, time_t until)
{
	int bad = gnutls_x509_crt_set_version(crt, 3);

	if (!bad)
		bad = set_serial(crt);
	if (!bad)
		bad = gnutls_x509_crt_set_activation_time(crt, from);
	if (!bad)
		bad = gnutls_x509_crt_set_expiration_time(crt, until);
	if (!bad)
		bad = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
						    cluster, strlen(cluster));
	if (!bad)
		bad = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
						    strlen(name));
	return bad ? bad : set_key(crt, key);
}

static int fill_authority(gnutls_x509_crt_t crt)
{
	int bad = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);

	return bad ? bad : gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN);
}

/* A node is the server in one session, and the client in another. */
static int fill_node(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, const char *node)
{
	unsigned char id[KEY_ID_BYTES];
	size_t size = sizeof(id);
	int bad = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);

	if (!bad)
		bad = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (!bad)
		bad = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (!bad)
		bad = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	if (!bad)
		bad = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, node,
							   strlen(node), GNUTLS_FSAN_SET);
	/* An authority that others made may have none. */
	if (!bad && !gnutls_x509_crt_get_subject_key_id(issuer, id, &size, NULL))
		bad = gnutls_x509_crt_set_authority_key_id(crt, id, size);
	return bad;
}

/* -ENOMEM or a code of GnuTLS: the caller tells neither from the other. */
static int export(struct certificate_pair *pair, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	gnutls_datum_t out;
	int bad = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out);

	if (bad)
		return bad;
	pair->certificate = text_of(&out);
	bad = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
						&out);
	if (bad)
		return bad;
	pair->key = text_of(&out);
	return pair->certificate && pair->key ? 0 : GNUTLS_E_MEMORY_ERROR;
}

/* Between a node's certificate and the authority's there may be others. */
#define CHAIN	8

/* What is read and made, until it is text. */
struct objects {
	gnutls_x509_crt_t crt;
	gnutls_x509_crt_t chain[CHAIN];	/* what was read; the first is @crt again */
	unsigned int links;
	gnutls_x509_privkey_t key;
};

static int objects_init(struct objects *objects)
{
	int bad;

	memset(objects, 0, sizeof(*objects));
	bad = gnutls_x509_crt_init(&objects->crt);
	return bad ? bad : gnutls_x509_privkey_init(&objects->key);
}

static void objects_exit(struct objects *objects)
{
	unsigned int i;

	for (i = 0; i < objects->links; i++)
		gnutls_x509_crt_deinit(objects->chain[i]);
	if (objects->key)
		gnutls_x509_privkey_deinit(objects->key);
	if (objects->crt)
		gnutls_x509_crt_deinit(objects->crt);
}

static int read_certificate(gnutls_x509_crt_t crt, const char *text, const char *whose,
			    char error[CLUSTER_ERROR])
{
	gnutls_datum_t from = datum(text);
	int bad = gnutls_x509_crt_import(crt, &from, GNUTLS_X509_FMT_PEM);

	return bad ? wrong(error, -EINVAL, "%s certificate: %s", whose, gnutls_strerror(bad)) : 0;
}

static int read_chain(struct objects *objects, const char *text, const char *whose,
		      char error[CLUSTER_ERROR])
{
	gnutls_datum_t from = datum(text);
	unsigned int links = CHAIN;
	int read = gnutls_x509_crt_list_import(objects->chain, &links, &from, GNUTLS_X509_FMT_PEM,
					       GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);

	if (read <= 0)
		return wrong(error, -EINVAL, "%s certificate: %s", whose,
			     read ? gnutls_strerror(read) : "there is none");
	objects->links = read;
	return read_certificate(objects->crt, text, whose, error);
}

static int is_of_key(const struct objects *objects)
{
	unsigned char of_crt[KEY_ID_BYTES], of_key[KEY_ID_BYTES];
	size_t crt_size = sizeof(of_crt), key_size = sizeof(of_key);

	return !gnutls_x509_crt_get_key_id(objects->crt, 0, of_crt, &crt_size) &&
	       !gnutls_x509_privkey_get_key_id(objects->key, 0, of_key, &key_size) &&
	       crt_size == key_size && !memcmp(of_crt, of_key, crt_size);
}

static int read_pair(struct objects *objects, const struct certificate_pair *pair,
		     const char *whose, char error[CLUSTER_ERROR])
{
	gnutls_datum_t from;
	int bad = read_chain(objects, pair->certificate, whose, error);

	if (bad || !pair->key)
		return bad;
	from = datum(pair->key);
	bad = gnutls_x509_privkey_import(objects->key, &from, GNUTLS_X509_FMT_PEM);
	if (bad)
		return wrong(error, -EINVAL, "%s key: %s", whose, gnutls_strerror(bad));
	if (!is_of_key(objects))
		return wrong(error, -EACCES, "%s key is not that of the certificate", whose);
	return 0;
}

int certificate_authority(struct certificate_pair *pair, const char *cluster, time_t from,
			  time_t until, char error[CLUSTER_ERROR])
{
	struct objects own;
	int bad = objects_init(&own);

	memset(pair, 0, sizeof(*pair));
	if (!bad)
		bad = make_key(own.key);
	if (!bad)
		bad = fill(own.crt, own.key, "covol authority", cluster, from, until);
	if (!bad)
		bad = fill_authority(own.crt);
	if (!bad)
		bad = gnutls_x509_crt_sign2(own.crt, own.crt, own.key, GNUTLS_DIG_SHA256, 0);
	if (!bad)
		bad = export(pair, own.crt, own.key);
	objects_exit(&own);
	return bad ? cannot(error, "making an authority", bad) : 0;
}

static int sign(struct certificate_pair *pair, const struct objects *authority, const char *node,
		const struct certificate_facts *facts, time_t from, time_t until)
{
	struct objects own;
	int bad = objects_init(&own);

	if (!bad)
		bad = make_key(own.key);
	if (!bad)
		bad = fill(own.crt, own.key, node, facts->cluster, from,
			   until < facts->until ? until : facts->until);
	if (!bad)
		bad = fill_node(own.crt, authority->crt, node);
	if (!bad)
		bad = gnutls_x509_crt_sign2(own.crt, authority->crt, authority->key,
					    GNUTLS_DIG_SHA256, 0);
	if (!bad)
		bad = export(pair, own.crt, own.key);
	objects_exit(&own);
	return bad;
}

int certificate_sign(struct certificate_pair *pair, const struct certificate_pair *authority,
		     const char *node, time_t from, time_t until, char error[CLUSTER_ERROR])
{
	struct certificate_facts facts;
	struct objects by;
	int result, bad;

	memset(pair, 0, sizeof(*pair));
	result = certificate_read(&facts, authority->certificate, error);
	if (result)
		return result;
	bad = objects_init(&by);
	if (bad) {
		result = cannot(error, "reading the authority", bad);
	} else {
		result = read_pair(&by, authority, "the authority's", error);
		if (result)
			result = -EINVAL;
	}
	if (!result && !gnutls_x509_crt_get_ca_status(by.crt, NULL))
		result = wrong(error, -EINVAL, "the authority's certificate is no authority's");
	if (!result) {
		bad = sign(pair, &by, node, &facts, from, until);
		if (bad)
			result = cannot(error, "making a certificate", bad);
	}
	objects_exit(&by);
	return result;
}

static void read_name(gnutls_x509_crt_t crt, const char *oid, char name[CLUSTER_NAME])
{
	size_t size = CLUSTER_NAME;

	if (gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, name, &size))
		name[0] = 0;
}

int certificate_read(struct certificate_facts *facts, const char *certificate,
		     char error[CLUSTER_ERROR])
{
	gnutls_x509_crt_t crt;
	int bad = gnutls_x509_crt_init(&crt);

	memset(facts, 0, sizeof(*facts));
	if (bad)
		return cannot(error, "reading a certificate", bad);
	bad = read_certificate(crt, certificate, "the", error);
	if (!bad) {
		read_name(crt, GNUTLS_OID_X520_COMMON_NAME, facts->name);
		read_name(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, facts->cluster);
		facts->from = gnutls_x509_crt_get_activation_time(crt);
		facts->until = gnutls_x509_crt_get_expiration_time(crt);
	}
	gnutls_x509_crt_deinit(crt);
	return bad;
}

static int not_valid(unsigned int status, char error[CLUSTER_ERROR])
{
	gnutls_datum_t text = { 0 };
	size_t at;

	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0))
		return wrong(error, -EACCES, "the certificate is not valid");
	/* Sentences, each with a space behind it. */
	wrong(error, 0, "%.*s", (int)strcspn((char *)text.data, "\n"), text.data);
	gnutls_free(text.data);
	for (at = strlen(error); at && strchr(" .", error[at - 1]); at--)
		error[at - 1] = 0;
	return -EACCES;
}

/* As in a handshake: GnuTLS compares the name, and looks at the dates. */
static int verify(struct objects *own, const char *authority, const char *node,
		  char error[CLUSTER_ERROR])
{
	gnutls_typed_vdata_st wanted = {
		.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)node,
	};
	gnutls_datum_t from = datum(authority);
	gnutls_x509_trust_list_t list;
	unsigned int status = 0;
	int bad = gnutls_x509_trust_list_init(&list, 0);

	if (bad)
		return cannot(error, "checking a certificate", bad);
	bad = gnutls_x509_trust_list_add_trust_mem(list, &from, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (bad <= 0)
		bad = wrong(error, -EINVAL, "the authority's certificate: %s",
			    bad ? gnutls_strerror(bad) : "there is none");
	else if (gnutls_x509_trust_list_verify_crt2(list, own->chain, own->links, &wanted, 1, 0,
						    &status, NULL))
		bad = wrong(error, -EACCES, "the certificate cannot be checked");
	else
		bad = status ? not_valid(status, error) : 0;
	gnutls_x509_trust_list_deinit(list, 1);
	return bad;
}

int certificate_check(const struct certificate_pair *pair, const char *authority,
		      const char *node, char error[CLUSTER_ERROR])
{
	struct objects own;
	int result, bad = objects_init(&own);

	if (bad)
		result = cannot(error, "checking a certificate", bad);
	else
		result = read_pair(&own, pair, "the", error);
	if (!result)
		result = verify(&own, authority, node, error);
	objects_exit(&own);
	return result;
}

void certificate_free(struct certificate_pair *pair)
{
	if (pair->key)
		gnutls_memset(pair->key, 0, strlen(pair->key));
	free(pair->key);
	free(pair->certificate);
	memset(pair, 0, sizeof(*pair));
}
