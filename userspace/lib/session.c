// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands about sessions.
 */
#include <errno.h>
#include <inttypes.h>

#include "request.h"

static void begin(struct covol *c, struct covol_request *req, uint8_t command,
		  const struct covol_uuid *uuid, uint32_t peer)
{
	covol_request_begin(c, req, command, 0, uuid);
	covol_request_about(req, ", peer %" PRIu32, peer);
	covol_request_put_u32(req, COVOL_A_SESSION_PEER, peer);
}

int covol_session_new(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
		      const int *fds, uint32_t lanes)
{
	struct covol_request req;
	uint32_t i;

	begin(c, &req, COVOL_CMD_SESSION_NEW, uuid, peer);
	for (i = 0; i < lanes; i++)
		covol_request_put_fd(&req, COVOL_A_SESSION_FD, fds[i]);
	return covol_request_run(&req);
}

int covol_session_del(struct covol *c, const struct covol_uuid *uuid, uint32_t peer, bool forget)
{
	struct covol_request req;

	begin(c, &req, COVOL_CMD_SESSION_DEL, uuid, peer);
	if (forget)
		covol_request_put_flag(&req, COVOL_A_SESSION_FORGET);
	return covol_request_run(&req);
}

static int decode_lanes(struct nlattr *lanes, struct covol_session *session)
{
	struct nlattr *attributes[COVOL_A_LANE_MAX + 1], *lane;
	int left;

	nla_for_each_nested(lane, lanes, left) {
		if (session->lanes == COVOL_LANES_MAX ||
		    nla_parse_nested(attributes, COVOL_A_LANE_MAX, lane,
				     covol_lane_set_of_attributes.policy))
			return -EBADMSG;
		session->lane[session->lanes++] = (struct covol_lane) {
			.outstanding	= covol_get_u32(attributes, COVOL_A_LANE_OUTSTANDING),
			.silent		= covol_get_u32(attributes, COVOL_A_LANE_SILENT),
			.requests_sent	= covol_get_u64(attributes, COVOL_A_LANE_REQUESTS_SENT),
			.requests_served = covol_get_u64(attributes, COVOL_A_LANE_REQUESTS_SERVED),
			.bytes_sent	= covol_get_u64(attributes, COVOL_A_LANE_BYTES_SENT),
			.bytes_received	= covol_get_u64(attributes, COVOL_A_LANE_BYTES_RECEIVED),
		};
	}
	return 0;
}

static int decode(struct nlattr **attributes, struct covol_session *session)
{
	if (!attributes[COVOL_A_SESSION_UUID] || !attributes[COVOL_A_SESSION_PEER])
		return -EBADMSG;

	*session = (struct covol_session) {
		.peer		= covol_get_u32(attributes, COVOL_A_SESSION_PEER),
		.state		= covol_get_u32(attributes, COVOL_A_SESSION_STATE),
		.outstanding	= covol_get_u32(attributes, COVOL_A_SESSION_OUTSTANDING),
		.queued		= covol_get_u32(attributes, COVOL_A_SESSION_QUEUED),
		.serving	= covol_get_u32(attributes, COVOL_A_SESSION_SERVING),
		.requests_sent	= covol_get_u64(attributes, COVOL_A_SESSION_REQUESTS_SENT),
		.requests_served = covol_get_u64(attributes, COVOL_A_SESSION_REQUESTS_SERVED),
		.bytes_sent	= covol_get_u64(attributes, COVOL_A_SESSION_BYTES_SENT),
		.bytes_received	= covol_get_u64(attributes, COVOL_A_SESSION_BYTES_RECEIVED),
		.tls		= attributes[COVOL_A_SESSION_TLS],
		.grants_sent	= covol_get_u64(attributes, COVOL_A_SESSION_GRANTS_SENT),
		.grants_received = covol_get_u64(attributes, COVOL_A_SESSION_GRANTS_RECEIVED),
		.recalls_sent	= covol_get_u64(attributes, COVOL_A_SESSION_RECALLS_SENT),
		.recalls_received = covol_get_u64(attributes, COVOL_A_SESSION_RECALLS_RECEIVED),
	};
	covol_get_uuid(attributes, COVOL_A_SESSION_UUID, &session->uuid);
	if (attributes[COVOL_A_SESSION_LANES])
		return decode_lanes(attributes[COVOL_A_SESSION_LANES], session);
	return 0;
}

static int on_get(struct nlattr **attributes, void *data)
{
	return decode(attributes, data);
}

int covol_session_get(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
		      struct covol_session *session)
{
	struct covol_request req;

	begin(c, &req, COVOL_CMD_SESSION_GET, uuid, peer);
	req.answer = on_get;
	req.data = session;
	return covol_request_run_get(&req);
}

struct dump {
	covol_session_fn fn;
	void *data;
};

static int on_dump(struct nlattr **attributes, void *data)
{
	struct dump *dump = data;
	struct covol_session session;
	int error = decode(attributes, &session);

	return error ? error : dump->fn(&session, dump->data);
}

int covol_session_dump(struct covol *c, const struct covol_uuid *uuid, covol_session_fn fn,
		       void *data)
{
	struct dump dump = { .fn = fn, .data = data };
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_SESSION_GET, 0, uuid);
	req.answer = on_dump;
	req.data = &dump;
	return covol_request_run_dump(&req);
}
