// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel session ...
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define DEFAULT_TIMEOUT_MS	30000

/* Words with commas between them. */
struct list {
	char *copy;
	const char *item[COVOL_LANES_MAX];
	uint32_t count;
};

struct session_request {
	struct covol_uuid uuid;
	uint32_t peer;
	const char *address;
	const char *from;
	uint32_t lanes;
	unsigned int timeout_ms;
	struct covol_identity identity;
};

/* A session on its way: what there is of it until the kernel has it. */
struct making {
	const struct session_request *request;
	struct list addresses;
	struct list from;
	bool server;
	int64_t deadline;
	int listener[COVOL_LANES_MAX];
	uint32_t listeners;
	int fd[COVOL_LANES_MAX];
	uint32_t fds;
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

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* At least a millisecond: none at all is "without end" to some. */
static unsigned int left_ms(const struct making *making)
{
	int64_t left = making->deadline - now_ms();

	return left > 1 ? left : 1;
}

/* False: there are too many of them. */
static bool split(struct list *list, const char *text)
{
	char *rest, *item;

	list->copy = strdup(text);
	if (!list->copy)
		abort();
	for (rest = list->copy; (item = strsep(&rest, ","));) {
		if (list->count == COVOL_LANES_MAX)
			return false;
		list->item[list->count++] = item;
	}
	return true;
}

static int connect_lane(struct covol *c, struct making *making, uint32_t lane)
{
	const struct list *addresses = &making->addresses;

	return covol_socket_connect(c, addresses->item[lane % addresses->count], left_ms(making));
}

static int accept_lane(struct covol *c, struct making *making, uint32_t lane)
{
	const struct list *from = &making->from;
	uint32_t at = lane % making->listeners;

	return covol_socket_accept(c, making->listener[at],
				   from->count ? from->item[at % from->count] : NULL,
				   left_ms(making));
}

/* All listeners are there before the first lane is, so that no lane has to try again. */
static int listen_all(struct covol *c, struct making *making)
{
	uint32_t i;
	int fd;

	for (i = 0; i < making->addresses.count; i++) {
		fd = covol_socket_listen(c, making->addresses.item[i]);
		if (fd < 0)
			return fd;
		making->listener[making->listeners++] = fd;
	}
	return 0;
}

static void stop_listening(struct making *making)
{
	while (making->listeners)
		close(making->listener[--making->listeners]);
}

/* Lane after lane, handshake included: so both ends have them in the same order. */
static int make_lanes(struct covol *c, struct making *making)
{
	const struct session_request *request = making->request;
	int error = making->server ? listen_all(c, making) : 0, fd;

	while (!error && making->fds < request->lanes) {
		fd = making->server ? accept_lane(c, making, making->fds) :
				      connect_lane(c, making, making->fds);
		if (fd < 0)
			return fd;
		making->fd[making->fds++] = fd;
		if (making->fds == request->lanes)
			stop_listening(making);
		if (request->identity.certificate)
			error = covol_socket_encrypt(c, fd, making->server, &request->identity,
						     left_ms(making));
	}
	return error;
}

static void unmake(struct making *making)
{
	stop_listening(making);
	while (making->fds)
		close(making->fd[--making->fds]);
	free(making->addresses.copy);
	free(making->from.copy);
}

/* Takes what the options say apart; NULL, or what is wrong with them. */
static const char *prepare(struct making *making, struct session_request *request)
{
	if (!tls_is_complete(&request->identity))
		return "--cert, --key, --ca and --peer-name go together";
	if (!split(&making->addresses, request->address))
		return "--address: more than a session can have lanes";
	if (request->from && (!split(&making->from, request->from) ||
			      (making->from.count != 1 &&
			       making->from.count != making->addresses.count)))
		return "--from: one for each address, or one for all";
	if (!request->lanes)
		request->lanes = making->addresses.count;
	if (request->lanes > COVOL_LANES_MAX || request->lanes < making->addresses.count)
		return "--lanes: 1 to 16, and no fewer than addresses";
	return NULL;
}

static int make_session(const struct command *self, struct session_request *request, bool server)
{
	struct making making = { .request = request, .server = server };
	const char *wrong = prepare(&making, request);
	struct covol *c;
	int error, code;

	if (wrong) {
		unmake(&making);
		return bad_usage(self, "%s", wrong);
	}
	c = open_for(self, &request->uuid);
	if (!c) {
		unmake(&making);
		return EXIT_FAILED;
	}
	making.deadline = now_ms() + request->timeout_ms;
	error = make_lanes(c, &making);
	if (!error)
		error = covol_session_new(c, &request->uuid, request->peer, making.fd, making.fds);
	code = finished(self, c, error);
	unmake(&making);
	return code;
}

int kernel_session_listen(const struct command *self, int argc, char **argv)
{
	struct session_request request = { .timeout_ms = DEFAULT_TIMEOUT_MS };
	struct arg args[] = {
		{ "UUID", ARG_UUID, &request.uuid, true, "the volume" },
		{ "--peer", ARG_NODE, &request.peer, true, "the peer's node id" },
		{ "--address", ARG_STRING, &request.address, true,
		  "where to listen: ADDRESS:PORT, in figures; several: A:P,B:P" },
		{ "--lanes", ARG_COUNT, &request.lanes, false,
		  "so many connections, over the addresses in turn (default: one each)" },
		{ "--from", ARG_STRING, &request.from, false,
		  "turn away connections that do not come from this address" },
		{ "--timeout", ARG_SECONDS, &request.timeout_ms, false,
		  "how long to wait in all (default: 30)" },
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

	return code == GO_ON ? make_session(self, &request, true) : code;
}

int kernel_session_connect(const struct command *self, int argc, char **argv)
{
	struct session_request request = { .timeout_ms = DEFAULT_TIMEOUT_MS };
	struct arg args[] = {
		{ "UUID", ARG_UUID, &request.uuid, true, "the volume" },
		{ "--peer", ARG_NODE, &request.peer, true, "the peer's node id" },
		{ "--address", ARG_STRING, &request.address, true,
		  "where the peer listens: ADDRESS:PORT, in figures; several: A:P,B:P" },
		{ "--lanes", ARG_COUNT, &request.lanes, false,
		  "so many connections, over the addresses in turn (default: one each)" },
		{ "--timeout", ARG_SECONDS, &request.timeout_ms, false,
		  "how long to try in all (default: 30)" },
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

	return code == GO_ON ? make_session(self, &request, false) : code;
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
	{ "LANES", COLUMN_NUMBER },
};

static const struct column lane_columns[] = {
	{ "UUID", COLUMN_TEXT },
	{ "PEER", COLUMN_NUMBER },
	{ "LANE", COLUMN_NUMBER },
	{ "OUTSTANDING", COLUMN_NUMBER },
	{ "REQUESTS-SENT", COLUMN_NUMBER },
	{ "REQUESTS-SERVED", COLUMN_NUMBER },
	{ "BYTES-SENT", COLUMN_AMOUNT },
	{ "BYTES-RECEIVED", COLUMN_AMOUNT },
	{ "SILENT", COLUMN_NUMBER },
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
	cell_number(table, session->lanes);
	return 0;
}

static int add_lanes(const struct covol_session *session, void *data)
{
	struct table *table = data;
	uint32_t i;

	for (i = 0; i < session->lanes; i++) {
		const struct covol_lane *lane = &session->lane[i];

		table_row(table);
		cell_uuid(table, &session->uuid);
		cell_number(table, session->peer);
		cell_number(table, i);
		cell_number(table, lane->outstanding);
		cell_number(table, lane->requests_sent);
		cell_number(table, lane->requests_served);
		cell_number(table, lane->bytes_sent);
		cell_number(table, lane->bytes_received);
		cell_number(table, lane->silent);
	}
	return 0;
}

int kernel_session_show(const struct command *self, int argc, char **argv)
{
	const struct covol_uuid *of;
	struct covol_uuid uuid;
	bool json = false, lanes = false;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, false, "sessions of this volume only" },
		{ "--lanes", ARG_FLAG, &lanes, false, "a row for each lane" },
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

	table = lanes ? table_new("lanes", json, lane_columns, ARRAY_SIZE(lane_columns)) :
			table_new("sessions", json, columns, ARRAY_SIZE(columns));
	do
		error = covol_session_dump(c, of, lanes ? add_lanes : add_row, table);
	while (disturbed(table, error));
	if (!error)
		table_print(table);
	table_free(table);
	return finished(self, c, error);
}
