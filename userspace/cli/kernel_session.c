// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel session ...
 */
#include <unistd.h>

#include "cli.h"

#define DEFAULT_TIMEOUT_MS	30000

struct session_request {
	struct covol_uuid uuid;
	uint32_t peer;
	const char *address;
	const char *from;
	unsigned int timeout_ms;
	struct covol_identity identity;
};

/* Asks for the volume first: a wrong uuid must not wait for a peer before it is noticed. */
static struct covol *open_for(const struct command *self, const struct covol_uuid *uuid)
{
	struct covol *c = open_kernel(self);
	struct covol_volume volume;

	if (c && covol_volume_get(c, uuid, &volume)) {
		failed(self, c);
		return NULL;
	}
	return c;
}

/* TLS needs all four of its options, plain TCP none. */
static bool tls_is_complete(const struct covol_identity *identity)
{
	int given = !!identity->certificate + !!identity->key + !!identity->authority +
		    !!identity->peer;

	return given == 0 || given == 4;
}

/* fd: a connection, or a negative errno. */
static int hand_over(const struct command *self, struct covol *c,
		     const struct session_request *request, int fd, bool server)
{
	int error = 0;

	if (fd < 0)
		return failed(self, c);
	if (request->identity.certificate)
		error = covol_socket_encrypt(c, fd, server, &request->identity,
					     request->timeout_ms);
	if (!error)
		error = covol_session_new(c, &request->uuid, request->peer, fd);
	close(fd);
	return finished(self, c, error);
}

int kernel_session_listen(const struct command *self, int argc, char **argv)
{
	struct session_request request = { .timeout_ms = DEFAULT_TIMEOUT_MS };
	struct arg args[] = {
		{ "UUID", ARG_UUID, &request.uuid, true, "the volume" },
		{ "--peer", ARG_NODE, &request.peer, true, "the peer's node id" },
		{ "--address", ARG_STRING, &request.address, true,
		  "where to listen: ADDRESS:PORT, in figures" },
		{ "--from", ARG_STRING, &request.from, false,
		  "turn away connections that do not come from this address" },
		{ "--timeout", ARG_SECONDS, &request.timeout_ms, false,
		  "how long to wait (default: 30)" },
		{ "--cert", ARG_STRING, &request.identity.certificate, false,
		  "this node's certificate (PEM): TLS; without it, plain TCP" },
		{ "--key", ARG_STRING, &request.identity.key, false, "its private key (PEM)" },
		{ "--ca", ARG_STRING, &request.identity.authority, false,
		  "who is to have signed the peer's certificate (PEM)" },
		{ "--peer-name", ARG_STRING, &request.identity.peer, false,
		  "the name in the peer's certificate" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	if (!tls_is_complete(&request.identity))
		return bad_usage(self, "--cert, --key, --ca and --peer-name go together");
	c = open_for(self, &request.uuid);
	if (!c)
		return EXIT_FAILED;
	return hand_over(self, c, &request,
			 covol_socket_accept(c, request.address, request.from, request.timeout_ms),
			 true);
}

int kernel_session_connect(const struct command *self, int argc, char **argv)
{
	struct session_request request = { .timeout_ms = DEFAULT_TIMEOUT_MS };
	struct arg args[] = {
		{ "UUID", ARG_UUID, &request.uuid, true, "the volume" },
		{ "--peer", ARG_NODE, &request.peer, true, "the peer's node id" },
		{ "--address", ARG_STRING, &request.address, true,
		  "where the peer listens: ADDRESS:PORT, in figures" },
		{ "--timeout", ARG_SECONDS, &request.timeout_ms, false,
		  "how long to try (default: 30)" },
		{ "--cert", ARG_STRING, &request.identity.certificate, false,
		  "this node's certificate (PEM): TLS; without it, plain TCP" },
		{ "--key", ARG_STRING, &request.identity.key, false, "its private key (PEM)" },
		{ "--ca", ARG_STRING, &request.identity.authority, false,
		  "who is to have signed the peer's certificate (PEM)" },
		{ "--peer-name", ARG_STRING, &request.identity.peer, false,
		  "the name in the peer's certificate" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	if (!tls_is_complete(&request.identity))
		return bad_usage(self, "--cert, --key, --ca and --peer-name go together");
	c = open_for(self, &request.uuid);
	if (!c)
		return EXIT_FAILED;
	return hand_over(self, c, &request,
			 covol_socket_connect(c, request.address, request.timeout_ms), false);
}

int kernel_session_remove(const struct command *self, int argc, char **argv)
{
	struct covol_uuid uuid;
	uint32_t peer;
	bool forget = false;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		{ "PEER", ARG_NODE, &peer, true, "the peer's node id" },
		{ "--forget", ARG_FLAG, &forget, false,
		  "the peer is down or fenced: take its layouts back without asking it" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	return c ? finished(self, c, covol_session_del(c, &uuid, peer, forget)) : EXIT_FAILED;
}

static const struct column columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "PEER", COLUMN_NUMBER },
	{ "STATE", COLUMN_TEXT },
	{ "OUTSTANDING", COLUMN_NUMBER },
	{ "QUEUED", COLUMN_NUMBER },
	{ "SERVING", COLUMN_NUMBER },
	{ "REQUESTS-SENT", COLUMN_NUMBER },
	{ "REQUESTS-SERVED", COLUMN_NUMBER },
	{ "BYTES-SENT", COLUMN_AMOUNT },
	{ "BYTES-RECEIVED", COLUMN_AMOUNT },
	{ "TLS", COLUMN_NUMBER },
	{ "GRANTS-SENT", COLUMN_NUMBER },
	{ "GRANTS-RECEIVED", COLUMN_NUMBER },
	{ "RECALLS-SENT", COLUMN_NUMBER },
	{ "RECALLS-RECEIVED", COLUMN_NUMBER },
};

static int add_row(const struct covol_session *session, void *data)
{
	struct table *table = data;

	table_row(table);
	cell_uuid(table, &session->uuid);
	cell_number(table, session->peer);
	cell_text(table, covol_session_state_name(session->state));
	cell_number(table, session->outstanding);
	cell_number(table, session->queued);
	cell_number(table, session->serving);
	cell_number(table, session->requests_sent);
	cell_number(table, session->requests_served);
	cell_number(table, session->bytes_sent);
	cell_number(table, session->bytes_received);
	cell_number(table, session->tls);
	cell_number(table, session->grants_sent);
	cell_number(table, session->grants_received);
	cell_number(table, session->recalls_sent);
	cell_number(table, session->recalls_received);
	return 0;
}

int kernel_session_show(const struct command *self, int argc, char **argv)
{
	const struct covol_uuid *of;
	struct covol_uuid uuid;
	bool json = false;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, false, "sessions of this volume only" },
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct table *table;
	struct covol *c;
	int error;

	if (code != GO_ON)
		return code;
	of = given(args, "UUID") ? &uuid : NULL;
	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;

	table = table_new("sessions", json, columns, ARRAY_SIZE(columns));
	do
		error = covol_session_dump(c, of, add_row, table);
	while (disturbed(table, error));
	if (!error)
		table_print(table);
	table_free(table);
	return finished(self, c, error);
}
