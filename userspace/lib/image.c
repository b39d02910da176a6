// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands about images.
 */
#include <errno.h>
#include <inttypes.h>

#include "request.h"

static void put_holders(struct covol_request *req, const uint32_t *may_hold, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		covol_request_put_u32(req, COVOL_A_IMAGE_HOLDER, may_hold[i]);
}

int covol_image_new(struct covol *c, const struct covol_image *image)
{
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_IMAGE_NEW, 0, &image->uuid);
	covol_request_about(&req, ", image %" PRIu64, image->id);
	covol_request_put_u64(&req, COVOL_A_IMAGE_ID, image->id);
	covol_request_put_u64(&req, COVOL_A_IMAGE_SIZE, image->size);
	if (image->fd >= 0)
		covol_request_put_fd(&req, COVOL_A_IMAGE_FD, image->fd);
	put_holders(&req, image->may_hold, image->may_hold_count);
	return covol_request_run(&req);
}

static void begin_set(struct covol *c, struct covol_request *req, const struct covol_uuid *uuid,
		      uint64_t id)
{
	covol_request_begin(c, req, COVOL_CMD_IMAGE_SET, 0, uuid);
	covol_request_about(req, ", image %" PRIu64, id);
	covol_request_put_u64(req, COVOL_A_IMAGE_ID, id);
}

int covol_image_serve(struct covol *c, const struct covol_uuid *uuid, uint64_t id, int fd,
		      const uint32_t *may_hold, size_t count)
{
	struct covol_request req;

	begin_set(c, &req, uuid, id);
	covol_request_put_fd(&req, COVOL_A_IMAGE_FD, fd);
	put_holders(&req, may_hold, count);
	return covol_request_run(&req);
}

int covol_image_release(struct covol *c, const struct covol_uuid *uuid, uint64_t id,
			unsigned int flags)
{
	struct covol_request req;

	begin_set(c, &req, uuid, id);
	covol_request_put_flag(&req, COVOL_A_IMAGE_NO_FILE);
	if (flags & COVOL_IMAGE_KEEP_LAYOUTS)
		covol_request_put_flag(&req, COVOL_A_IMAGE_KEEP_LAYOUTS);
	if (flags & COVOL_IMAGE_NO_WAIT)
		covol_request_put_flag(&req, COVOL_A_IMAGE_NO_WAIT);
	return covol_request_run(&req);
}

int covol_image_resize(struct covol *c, const struct covol_uuid *uuid, uint64_t id, uint64_t size)
{
	struct covol_request req;

	begin_set(c, &req, uuid, id);
	covol_request_put_u64(&req, COVOL_A_IMAGE_SIZE, size);
	return covol_request_run(&req);
}

/* A command that says no more than which image. */
static int name_image(struct covol *c, uint8_t command, const struct covol_uuid *uuid, uint64_t id)
{
	struct covol_request req;

	covol_request_begin(c, &req, command, 0, uuid);
	covol_request_about(&req, ", image %" PRIu64, id);
	covol_request_put_u64(&req, COVOL_A_IMAGE_ID, id);
	return covol_request_run(&req);
}

int covol_image_del(struct covol *c, const struct covol_uuid *uuid, uint64_t id)
{
	return name_image(c, COVOL_CMD_IMAGE_DEL, uuid, id);
}

int covol_image_recall(struct covol *c, const struct covol_uuid *uuid, uint64_t id)
{
	return name_image(c, COVOL_CMD_IMAGE_RECALL, uuid, id);
}

int covol_image_share_begin(struct covol *c, const struct covol_uuid *uuid, uint64_t id)
{
	return name_image(c, COVOL_CMD_IMAGE_SHARE_BEGIN, uuid, id);
}

int covol_image_share_end(struct covol *c, const struct covol_uuid *uuid, uint64_t id)
{
	return name_image(c, COVOL_CMD_IMAGE_SHARE_END, uuid, id);
}

static int decode_stat(struct nlattr *nest, struct covol_io_stat *stat)
{
	static const struct nla_policy policy[COVOL_A_IO_STAT_MAX + 1] = {
		[COVOL_A_IO_STAT_READS]		= { .type = NLA_U64 },
		[COVOL_A_IO_STAT_READ_BYTES]	= { .type = NLA_U64 },
		[COVOL_A_IO_STAT_WRITES]	= { .type = NLA_U64 },
		[COVOL_A_IO_STAT_WRITE_BYTES]	= { .type = NLA_U64 },
		[COVOL_A_IO_STAT_OTHERS]	= { .type = NLA_U64 },
	};
	struct nlattr *attributes[COVOL_A_IO_STAT_MAX + 1];

	if (!nest)
		return 0;
	if (nla_parse_nested(attributes, COVOL_A_IO_STAT_MAX, nest, policy))
		return -EBADMSG;

	stat->reads = covol_get_u64(attributes, COVOL_A_IO_STAT_READS);
	stat->read_bytes = covol_get_u64(attributes, COVOL_A_IO_STAT_READ_BYTES);
	stat->writes = covol_get_u64(attributes, COVOL_A_IO_STAT_WRITES);
	stat->write_bytes = covol_get_u64(attributes, COVOL_A_IO_STAT_WRITE_BYTES);
	stat->others = covol_get_u64(attributes, COVOL_A_IO_STAT_OTHERS);
	return 0;
}

static int decode_latency(struct nlattr *nest, struct covol_latency *latency)
{
	static const struct nla_policy policy[COVOL_A_LATENCY_MAX + 1] = {
		[COVOL_A_LATENCY_READS]		= { .type = NLA_U64 },
		[COVOL_A_LATENCY_READ_NS]	= { .type = NLA_U64 },
		[COVOL_A_LATENCY_WRITES]	= { .type = NLA_U64 },
		[COVOL_A_LATENCY_WRITE_NS]	= { .type = NLA_U64 },
		[COVOL_A_LATENCY_OTHERS]	= { .type = NLA_U64 },
		[COVOL_A_LATENCY_OTHER_NS]	= { .type = NLA_U64 },
	};
	struct nlattr *attributes[COVOL_A_LATENCY_MAX + 1];

	if (!nest)
		return 0;
	if (nla_parse_nested(attributes, COVOL_A_LATENCY_MAX, nest, policy))
		return -EBADMSG;

	latency->reads = covol_get_u64(attributes, COVOL_A_LATENCY_READS);
	latency->read_ns = covol_get_u64(attributes, COVOL_A_LATENCY_READ_NS);
	latency->writes = covol_get_u64(attributes, COVOL_A_LATENCY_WRITES);
	latency->write_ns = covol_get_u64(attributes, COVOL_A_LATENCY_WRITE_NS);
	latency->others = covol_get_u64(attributes, COVOL_A_LATENCY_OTHERS);
	latency->other_ns = covol_get_u64(attributes, COVOL_A_LATENCY_OTHER_NS);
	return 0;
}

static int decode(struct nlattr **attributes, struct covol_image *image)
{
	int error;

	if (!attributes[COVOL_A_IMAGE_UUID] || !attributes[COVOL_A_IMAGE_ID])
		return -EBADMSG;

	*image = (struct covol_image) {
		.id		= covol_get_u64(attributes, COVOL_A_IMAGE_ID),
		.size		= covol_get_u64(attributes, COVOL_A_IMAGE_SIZE),
		.fd		= -1,
		.served		= attributes[COVOL_A_IMAGE_SERVED],
		.sharing	= attributes[COVOL_A_IMAGE_SHARING],
		.extents	= covol_get_u64(attributes, COVOL_A_IMAGE_EXTENTS),
		.layout_seq	= covol_get_u64(attributes, COVOL_A_IMAGE_LAYOUT_SEQ),
		.holders	= covol_get_u32(attributes, COVOL_A_IMAGE_HOLDERS),
		.devices	= covol_get_u32(attributes, COVOL_A_IMAGE_DEVICES),
		.grants_sent	= covol_get_u64(attributes, COVOL_A_IMAGE_GRANTS_SENT),
		.grants_received = covol_get_u64(attributes, COVOL_A_IMAGE_GRANTS_RECEIVED),
		.recalls_sent	= covol_get_u64(attributes, COVOL_A_IMAGE_RECALLS_SENT),
		.recalls_received = covol_get_u64(attributes, COVOL_A_IMAGE_RECALLS_RECEIVED),
	};
	covol_get_uuid(attributes, COVOL_A_IMAGE_UUID, &image->uuid);

	error = decode_stat(attributes[COVOL_A_IMAGE_DIRECT], &image->direct);
	if (!error)
		error = decode_stat(attributes[COVOL_A_IMAGE_FS_REDIRECTED], &image->fs_redirected);
	if (!error)
		error = decode_stat(attributes[COVOL_A_IMAGE_BLOCK_REDIRECTED],
				    &image->block_redirected);
	if (!error)
		error = decode_stat(attributes[COVOL_A_IMAGE_ZERO_FILLED], &image->zero_filled);
	if (!error)
		error = decode_stat(attributes[COVOL_A_IMAGE_HELD], &image->held);
	if (!error)
		error = decode_latency(attributes[COVOL_A_IMAGE_FS_REDIRECTED_LATENCY],
				       &image->fs_redirected_latency);
	if (!error)
		error = decode_latency(attributes[COVOL_A_IMAGE_BLOCK_REDIRECTED_LATENCY],
				       &image->block_redirected_latency);
	if (!error)
		error = decode_latency(attributes[COVOL_A_IMAGE_SERVED_LATENCY],
				       &image->served_latency);
	return error;
}

static int on_get(struct nlattr **attributes, void *data)
{
	return decode(attributes, data);
}

int covol_image_get(struct covol *c, const struct covol_uuid *uuid, uint64_t id,
		    struct covol_image *image)
{
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_IMAGE_GET, 0, uuid);
	covol_request_about(&req, ", image %" PRIu64, id);
	covol_request_put_u64(&req, COVOL_A_IMAGE_ID, id);
	req.answer = on_get;
	req.data = image;
	return covol_request_run_get(&req);
}

struct dump {
	covol_image_fn fn;
	void *data;
};

static int on_dump(struct nlattr **attributes, void *data)
{
	struct dump *dump = data;
	struct covol_image image;
	int error = decode(attributes, &image);

	return error ? error : dump->fn(&image, dump->data);
}

int covol_image_dump(struct covol *c, const struct covol_uuid *uuid, covol_image_fn fn, void *data)
{
	struct dump dump = { .fn = fn, .data = data };
	struct covol_request req;

	covol_request_begin(c, &req, COVOL_CMD_IMAGE_GET, 0, uuid);
	req.answer = on_dump;
	req.data = &dump;
	return covol_request_run_dump(&req);
}
