// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands about volumes.
 */
#include <errno.h>
#include <string.h>

#include "request.h"

int covol_volume_new(struct covol *c, const struct covol_volume *volume)
{
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_VOLUME_NEW, 0, &volume->uuid);
	covol_request_put_u32(&req, COVOL_A_VOLUME_NODE, volume->node);
	covol_request_put_u32(&req, COVOL_A_VOLUME_ROLE, volume->role);
	covol_request_put_u64(&req, COVOL_A_VOLUME_EPOCH, volume->epoch);
	covol_request_put_u32(&req, COVOL_A_VOLUME_COORDINATOR, volume->coordinator);
	if (volume->lun_fd >= 0) {
		covol_request_put_fd(&req, COVOL_A_VOLUME_LUN_FD, volume->lun_fd);
		covol_request_put_u64(&req, COVOL_A_VOLUME_LUN_OFFSET, volume->lun_offset);
	}
	covol_request_put_u64(&req, COVOL_A_VOLUME_SIZE, volume->size);
	if (volume->chunk_size)
		covol_request_put_u32(&req, COVOL_A_VOLUME_CHUNK_SIZE, volume->chunk_size);
	if (volume->plaintext)
		covol_request_put_flag(&req, COVOL_A_VOLUME_PLAINTEXT);
	return covol_request_run(&req);
}

int covol_volume_set(struct covol *c, const struct covol_volume *volume, unsigned int fields)
{
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_VOLUME_SET, 0, &volume->uuid);
	if (fields & COVOL_VOLUME_ROLE)
		covol_request_put_u32(&req, COVOL_A_VOLUME_ROLE, volume->role);
	if (fields & COVOL_VOLUME_EPOCH)
		covol_request_put_u64(&req, COVOL_A_VOLUME_EPOCH, volume->epoch);
	if (fields & COVOL_VOLUME_ROUTE)
		covol_request_put_u32(&req, COVOL_A_VOLUME_ROUTE, volume->route);
	if (fields & COVOL_VOLUME_COORDINATOR)
		covol_request_put_u32(&req, COVOL_A_VOLUME_COORDINATOR, volume->coordinator);
	if (fields & COVOL_VOLUME_REDIRECT_PEER)
		covol_request_put_u32(&req, COVOL_A_VOLUME_REDIRECT_PEER, volume->redirect_peer);
	if (fields & COVOL_VOLUME_CHUNK_SIZE)
		covol_request_put_u32(&req, COVOL_A_VOLUME_CHUNK_SIZE, volume->chunk_size);
	if (fields & COVOL_VOLUME_SIZE)
		covol_request_put_u64(&req, COVOL_A_VOLUME_SIZE, volume->size);
	return covol_request_run(&req);
}

int covol_volume_del(struct covol *c, const struct covol_uuid *uuid)
{
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_VOLUME_DEL, 0, uuid);
	return covol_request_run(&req);
}

static int decode(struct nlattr **attributes, struct covol_volume *volume)
{
	if (!attributes[COVOL_A_VOLUME_UUID])
		return -EBADMSG;

	*volume = (struct covol_volume) {
		.node		= covol_get_u32(attributes, COVOL_A_VOLUME_NODE),
		.role		= covol_get_u32(attributes, COVOL_A_VOLUME_ROLE),
		.epoch		= covol_get_u64(attributes, COVOL_A_VOLUME_EPOCH),
		.route		= covol_get_u32(attributes, COVOL_A_VOLUME_ROUTE),
		.reasons	= covol_get_u32(attributes, COVOL_A_VOLUME_REASONS),
		.coordinator	= covol_get_u32(attributes, COVOL_A_VOLUME_COORDINATOR),
		.redirect_peer	= covol_get_u32(attributes, COVOL_A_VOLUME_REDIRECT_PEER),
		.lun_fd		= -1,
		.lun_major	= covol_get_u32(attributes, COVOL_A_VOLUME_LUN_MAJOR),
		.lun_minor	= covol_get_u32(attributes, COVOL_A_VOLUME_LUN_MINOR),
		.lun_offset	= covol_get_u64(attributes, COVOL_A_VOLUME_LUN_OFFSET),
		.size		= covol_get_u64(attributes, COVOL_A_VOLUME_SIZE),
		.chunk_size	= covol_get_u32(attributes, COVOL_A_VOLUME_CHUNK_SIZE),
		.held		= covol_get_u64(attributes, COVOL_A_VOLUME_HELD),
		.images		= covol_get_u32(attributes, COVOL_A_VOLUME_IMAGES),
		.sessions	= covol_get_u32(attributes, COVOL_A_VOLUME_SESSIONS),
		.devices	= covol_get_u32(attributes, COVOL_A_VOLUME_DEVICES),
		.plaintext	= attributes[COVOL_A_VOLUME_PLAINTEXT],
		.holds		= covol_get_u64(attributes, COVOL_A_VOLUME_HOLDS),
		.releases	= covol_get_u64(attributes, COVOL_A_VOLUME_RELEASES),
		.replays	= covol_get_u64(attributes, COVOL_A_VOLUME_REPLAYS),
		.sessions_lost	= covol_get_u64(attributes, COVOL_A_VOLUME_SESSIONS_LOST),
	};
	covol_get_uuid(attributes, COVOL_A_VOLUME_UUID, &volume->uuid);
	return 0;
}

static int on_get(struct nlattr **attributes, void *data)
{
	return decode(attributes, data);
}

int covol_volume_get(struct covol *c, const struct covol_uuid *uuid, struct covol_volume *volume)
{
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_VOLUME_GET, 0, uuid);
	req.answer = on_get;
	req.data = volume;
	return covol_request_run_get(&req);
}

struct dump {
	covol_volume_fn fn;
	void *data;
};

static int on_dump(struct nlattr **attributes, void *data)
{
	struct dump *dump = data;
	struct covol_volume volume;
	int error = decode(attributes, &volume);

	return error ? error : dump->fn(&volume, dump->data);
}

int covol_volume_dump(struct covol *c, covol_volume_fn fn, void *data)
{
	struct dump dump = { .fn = fn, .data = data };
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_VOLUME_GET, 0, NULL);
	req.answer = on_dump;
	req.data = &dump;
	return covol_request_run_dump(&req);
}
