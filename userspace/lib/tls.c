// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * TLS on a connection to a peer: the handshake here, by GnuTLS; then the keys go to the kernel, and
 * the socket encrypts and decrypts by itself (Documentation/networking/tls.rst of the kernel).
 */
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "covol.h"

/* TLS 1.3 with what kernel TLS can do; the cheapest first. */
#define PRIORITIES	"SECURE128:-VERS-ALL:+VERS-TLS1.3:" \
			"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"

/* RFC 8446, 5.3: the nonce has 12 bytes. Kernel TLS has it in two parts for GCM. */
#define NONCE_BYTES	12
#define SALT_BYTES	4
#define SEQ_BYTES	8

union crypto_info {
	struct tls_crypto_info info;
	struct tls12_crypto_info_aes_gcm_128 gcm128;
	struct tls12_crypto_info_aes_gcm_256 gcm256;
	struct tls12_crypto_info_chacha20_poly1305 chacha;
};

/* The keys of one direction as the kernel wants them. Returns their size, or 0. */
static socklen_t fill_info(gnutls_cipher_algorithm_t cipher, const gnutls_datum_t *key,
			   const gnutls_datum_t *nonce, const unsigned char seq[SEQ_BYTES],
			   union crypto_info *out)
{
	if (nonce->size != NONCE_BYTES)
		return 0;
	out->info.version = TLS_1_3_VERSION;
	switch (cipher) {
	case GNUTLS_CIPHER_AES_128_GCM:
		if (key->size != sizeof(out->gcm128.key))
			return 0;
		out->info.cipher_type = TLS_CIPHER_AES_GCM_128;
		memcpy(out->gcm128.salt, nonce->data, SALT_BYTES);
		memcpy(out->gcm128.iv, nonce->data + SALT_BYTES, NONCE_BYTES - SALT_BYTES);
		memcpy(out->gcm128.key, key->data, key->size);
		memcpy(out->gcm128.rec_seq, seq, SEQ_BYTES);
		return sizeof(out->gcm128);
	case GNUTLS_CIPHER_AES_256_GCM:
		if (key->size != sizeof(out->gcm256.key))
			return 0;
		out->info.cipher_type = TLS_CIPHER_AES_GCM_256;
		memcpy(out->gcm256.salt, nonce->data, SALT_BYTES);
		memcpy(out->gcm256.iv, nonce->data + SALT_BYTES, NONCE_BYTES - SALT_BYTES);
		memcpy(out->gcm256.key, key->data, key->size);
		memcpy(out->gcm256.rec_seq, seq, SEQ_BYTES);
		return sizeof(out->gcm256);
	case GNUTLS_CIPHER_CHACHA20_POLY1305:
		if (key->size != sizeof(out->chacha.key))
			return 0;
		out->info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
		memcpy(out->chacha.iv, nonce->data, NONCE_BYTES);
		memcpy(out->chacha.key, key->data, key->size);
		memcpy(out->chacha.rec_seq, seq, SEQ_BYTES);
		return sizeof(out->chacha);
	default:
		return 0;
	}
}

/* Gives the kernel the keys of one direction. */
static int give_keys(struct covol *c, gnutls_session_t session, int fd, bool receive)
{
	gnutls_datum_t mac, nonce, key;
	unsigned char seq[SEQ_BYTES];
	union crypto_info info = { 0 };
	socklen_t size;
	int error;

	error = gnutls_record_get_state(session, receive, &mac, &nonce, &key, seq);
	if (error)
		return covol_fail(c, -EPROTO, "TLS: keys: %s", gnutls_strerror(error));
	size = fill_info(gnutls_cipher_get(session), &key, &nonce, seq, &info);
	if (!size)
		error = covol_fail(c, -EPROTO, "TLS: the kernel has no cipher %s",
				   gnutls_cipher_get_name(gnutls_cipher_get(session)));
	else if (setsockopt(fd, SOL_TLS, receive ? TLS_RX : TLS_TX, &info, size))
		error = covol_fail(c, -errno, "TLS: giving the keys to the kernel: %s",
				   strerror(errno));
	gnutls_memset(&info, 0, sizeof(info));
	return error;
}

static int to_kernel(struct covol *c, gnutls_session_t session, int fd)
{
	static const char ulp[] = "tls";
	int error;

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, ulp, sizeof(ulp)))
		return covol_fail(c, -errno, "kernel TLS: %s (is the module tls there?)",
				  strerror(errno));
	error = give_keys(c, session, fd, false);
	return error ? error : give_keys(c, session, fd, true);
}

/* Why the peer's certificate was refused, or what else went wrong. */
static int handshake_failed(struct covol *c, gnutls_session_t session, int error, const char *peer)
{
	gnutls_datum_t text = { 0 };
	unsigned int status;

	if (error == GNUTLS_E_TIMEDOUT)
		return covol_fail(c, -ETIMEDOUT, "TLS: %s did not answer in time", peer);
	if (error == GNUTLS_E_FATAL_ALERT_RECEIVED)
		return covol_fail(c, -EACCES, "TLS: %s refuses: %s", peer,
				  gnutls_alert_get_name(gnutls_alert_get(session)));
	if (error != GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		return covol_fail(c, -EPROTO, "TLS with %s: %s", peer, gnutls_strerror(error));

	status = gnutls_session_get_verify_cert_status(session);
	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0))
		return covol_fail(c, -EACCES, "TLS: the certificate of %s is not valid", peer);
	error = covol_fail(c, -EACCES, "TLS: the certificate of %s: %s", peer, text.data);
	gnutls_free(text.data);
	return error;
}

static int handshake(struct covol *c, gnutls_session_t session, const char *peer)
{
	int error;

	do
		error = gnutls_handshake(session);
	while (error < 0 && !gnutls_error_is_fatal(error));
	if (!error)
		return 0;
	/* The peer is told why, if that can be said in a word of TLS's. */
	gnutls_alert_send_appropriate(session, error);
	return handshake_failed(c, session, error, peer);
}

/*
 * A client of TLS 1.3 has ended its handshake before the server has looked at its certificate (RFC
 * 8446, 4.4.4); a byte from the server says that it has, and that it is content. Without it a
 * client that is refused would give the kernel a connection that is dead, and not know why.
 */
static int welcome(struct covol *c, gnutls_session_t session, bool server, const char *peer)
{
	ssize_t done;
	char byte = 0;

	do
		done = server ? gnutls_record_send(session, &byte, sizeof(byte)) :
				gnutls_record_recv(session, &byte, sizeof(byte));
	while (done == GNUTLS_E_INTERRUPTED || done == GNUTLS_E_AGAIN);
	if (done == sizeof(byte))
		return 0;
	if (!done)
		return covol_fail(c, -EPROTO, "TLS: %s has closed the connection", peer);
	return handshake_failed(c, session, done, peer);
}

static int load(struct covol *c, const struct covol_identity *identity,
		gnutls_certificate_credentials_t credentials)
{
	int error;

	error = gnutls_certificate_set_x509_trust_file(credentials, identity->authority,
						       GNUTLS_X509_FMT_PEM);
	if (error <= 0)
		return covol_fail(c, -EINVAL, "%s: %s", identity->authority,
				  error ? gnutls_strerror(error) : "no certificate in it");
	error = gnutls_certificate_set_x509_key_file(credentials, identity->certificate,
						     identity->key, GNUTLS_X509_FMT_PEM);
	if (error < 0)
		return covol_fail(c, -EINVAL, "%s, %s: %s", identity->certificate, identity->key,
				  gnutls_strerror(error));
	return 0;
}

static int run(struct covol *c, int fd, bool server, const struct covol_identity *identity,
	       gnutls_certificate_credentials_t credentials, unsigned int timeout_ms)
{
	gnutls_session_t session;
	int error;

	/* To the kernel, tickets and changes of keys are a peer that has gone wrong. */
	error = gnutls_init(&session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) |
				      GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_REKEY |
				      GNUTLS_FORCE_CLIENT_CERT | GNUTLS_NO_SIGNAL);
	if (error)
		return covol_fail(c, -ENOMEM, "TLS: %s", gnutls_strerror(error));
	error = gnutls_priority_set_direct(session, PRIORITIES, NULL);
	if (!error)
		error = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	if (error) {
		error = covol_fail(c, -EPROTO, "TLS: %s", gnutls_strerror(error));
		goto out;
	}
	if (server)
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_cert(session, identity->peer, 0);
	gnutls_transport_set_int(session, fd);
	gnutls_handshake_set_timeout(session, timeout_ms);
	gnutls_record_set_timeout(session, timeout_ms);
	error = handshake(c, session, identity->peer);
	if (!error)
		error = welcome(c, session, server, identity->peer);
	if (!error)
		error = to_kernel(c, session, fd);
out:
	gnutls_deinit(session);
	return error;
}

int covol_socket_encrypt(struct covol *c, int fd, bool server,
			 const struct covol_identity *identity, unsigned int timeout_ms)
{
	gnutls_certificate_credentials_t credentials;
	int error;

	error = gnutls_certificate_allocate_credentials(&credentials);
	if (error)
		return covol_fail(c, -ENOMEM, "TLS: %s", gnutls_strerror(error));
	error = load(c, identity, credentials);
	if (!error)
		error = run(c, fd, server, identity, credentials, timeout_ms);
	gnutls_certificate_free_credentials(credentials);
	return error;
}
