// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One command to the kernel: built, sent, its answers taken, a refusal put into words.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "request.h"

/* Room for headers and all attributes but extents, of any command. */
#define MESSAGE_BYTES	512

static const struct {
	const char *name;
	const struct covol_attribute_set *set;
} commands[] = {
	[COVOL_CMD_VOLUME_NEW]	= { "volume-new", &covol_volume_set_of_attributes },
	[COVOL_CMD_VOLUME_SET]	= { "volume-set", &covol_volume_set_of_attributes },
	[COVOL_CMD_VOLUME_DEL]	= { "volume-del", &covol_volume_set_of_attributes },
	[COVOL_CMD_VOLUME_GET]	= { "volume-get", &covol_volume_set_of_attributes },
	[COVOL_CMD_IMAGE_NEW]	= { "image-new", &covol_image_set_of_attributes },
	[COVOL_CMD_IMAGE_SET]	= { "image-set", &covol_image_set_of_attributes },
	[COVOL_CMD_IMAGE_DEL]	= { "image-del", &covol_image_set_of_attributes },
	[COVOL_CMD_IMAGE_GET]	= { "image-get", &covol_image_set_of_attributes },
	[COVOL_CMD_IMAGE_RECALL] = { "image-recall", &covol_image_set_of_attributes },
	[COVOL_CMD_IMAGE_SHARE_BEGIN] = { "image-share-begin", &covol_image_set_of_attributes },
	[COVOL_CMD_IMAGE_SHARE_END] = { "image-share-end", &covol_image_set_of_attributes },
	[COVOL_CMD_MAP_SET]	= { "map-set", &covol_map_set_of_attributes },
	[COVOL_CMD_MAP_CLEAR]	= { "map-clear", &covol_map_set_of_attributes },
	[COVOL_CMD_MAP_GET]	= { "map-get", &covol_map_set_of_attributes },
	[COVOL_CMD_SESSION_NEW]	= { "session-new", &covol_session_set_of_attributes },
	[COVOL_CMD_SESSION_DEL]	= { "session-del", &covol_session_set_of_attributes },
	[COVOL_CMD_SESSION_GET]	= { "session-get", &covol_session_set_of_attributes },
};

const char *covol_command_name(uint8_t command)
{
	if (command >= sizeof(commands) / sizeof(commands[0]) || !commands[command].name)
		return "?";
	return commands[command].name;
}

/* Of the sets that answers bring. */
#define MAX_ATTRIBUTES	COVOL_A_IMAGE_MAX
_Static_assert(COVOL_A_VOLUME_MAX <= MAX_ATTRIBUTES, "images have the most attributes");
_Static_assert(COVOL_A_MAP_MAX <= MAX_ATTRIBUTES, "images have the most attributes");
_Static_assert(COVOL_A_SESSION_MAX <= MAX_ATTRIBUTES, "images have the most attributes");

/* Every attribute set has its volume's uuid first. */
#define UUID_ATTRIBUTE	1
_Static_assert(COVOL_A_VOLUME_UUID == UUID_ATTRIBUTE, "uuid is first");
_Static_assert(COVOL_A_IMAGE_UUID == UUID_ATTRIBUTE, "uuid is first");
_Static_assert(COVOL_A_MAP_UUID == UUID_ATTRIBUTE, "uuid is first");
_Static_assert(COVOL_A_SESSION_UUID == UUID_ATTRIBUTE, "uuid is first");

void covol_request_begin(struct covol *c, struct covol_request *req, uint8_t command,
			 size_t size_hint, const struct covol_uuid *uuid)
{
	char text[COVOL_UUID_TEXT_LEN];

	memset(req, 0, sizeof(*req));
	req->c = c;
	req->command = command;
	req->set = commands[command].set;
	snprintf(req->subject, sizeof(req->subject), "%s", covol_command_name(command));
	if (uuid)
		covol_request_about(req, " of volume %s", covol_uuid_format(uuid, text));

	/* The family's number goes into the message, so it must be known by now. */
	req->error = covol_connect(c);
	if (req->error)
		return;

	req->message = nlmsg_alloc_size(MESSAGE_BYTES + size_hint);
	if (!req->message ||
	    !genlmsg_put(req->message, NL_AUTO_PORT, NL_AUTO_SEQ, c->family, 0, NLM_F_REQUEST,
			 command, COVOL_GENL_VERSION) ||
	    (uuid && nla_put(req->message, UUID_ATTRIBUTE, COVOL_UUID_LEN, uuid->bytes)))
		req->error = covol_fail(c, -ENOMEM, "%s: %s", req->subject, strerror(ENOMEM));
}

void covol_request_about(struct covol_request *req, const char *format, ...)
{
	size_t used = strlen(req->subject);
	va_list args;

	va_start(args, format);
	vsnprintf(req->subject + used, sizeof(req->subject) - used, format, args);
	va_end(args);
}

static void check_put(struct covol_request *req, int nl_error)
{
	if (nl_error)
		req->error = covol_fail(req->c, -EMSGSIZE, "%s: the message is too long",
					req->subject);
}

void covol_request_put_u32(struct covol_request *req, int attribute, uint32_t value)
{
	if (!req->error)
		check_put(req, nla_put_u32(req->message, attribute, value));
}

void covol_request_put_u64(struct covol_request *req, int attribute, uint64_t value)
{
	if (!req->error)
		check_put(req, nla_put_u64(req->message, attribute, value));
}

void covol_request_put_fd(struct covol_request *req, int attribute, int fd)
{
	if (!req->error)
		check_put(req, nla_put_s32(req->message, attribute, fd));
}

void covol_request_put_flag(struct covol_request *req, int attribute)
{
	if (!req->error)
		check_put(req, nla_put_flag(req->message, attribute));
}

void covol_request_put_extent(struct covol_request *req, int attribute,
			      const struct covol_extent *extent)
{
	bool placed = extent->state == COVOL_EXTENT_STATE_DATA ||
		      extent->state == COVOL_EXTENT_STATE_SHARED;
	struct nlattr *nest;

	if (req->error)
		return;
	nest = nla_nest_start(req->message, attribute | NLA_F_NESTED);
	if (!nest ||
	    nla_put_u64(req->message, COVOL_A_EXTENT_OFFSET, extent->offset) ||
	    nla_put_u64(req->message, COVOL_A_EXTENT_LENGTH, extent->length) ||
	    nla_put_u32(req->message, COVOL_A_EXTENT_STATE, extent->state) ||
	    (placed && nla_put_u64(req->message, COVOL_A_EXTENT_PLACE, extent->place)))
		check_put(req, -1);
	else
		nla_nest_end(req->message, nest);
}

int covol_attributes_parse(const struct covol_attribute_set *set, const struct nlmsghdr *message,
			   struct nlattr **attributes)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message; /* libnl reads only */

	return genlmsg_parse(header, 0, attributes, set->max, set->policy) ? -EBADMSG : 0;
}

uint32_t covol_get_u32(struct nlattr *const *attributes, int attribute)
{
	return attributes[attribute] ? nla_get_u32(attributes[attribute]) : 0;
}

uint64_t covol_get_u64(struct nlattr *const *attributes, int attribute)
{
	return attributes[attribute] ? nla_get_u64(attributes[attribute]) : 0;
}

void covol_get_uuid(struct nlattr *const *attributes, int attribute, struct covol_uuid *uuid)
{
	memset(uuid, 0, sizeof(*uuid));
	if (attributes[attribute])
		memcpy(uuid->bytes, nla_data(attributes[attribute]), sizeof(uuid->bytes));
}

/* The name of our attribute that begins at this offset of the message that we sent. */
static const char *attribute_at(const struct covol_request *req, uint32_t offset)
{
	struct nlmsghdr *sent = nlmsg_hdr(req->message);
	struct nlattr *attribute;
	int left;

	nlmsg_for_each_attr(attribute, sent, GENL_HDRLEN, left) {
		uint32_t begin = (char *)attribute - (char *)sent;

		if (offset >= begin && offset < begin + nla_total_size(nla_len(attribute)) &&
		    nla_type(attribute) <= req->set->max)
			return req->set->names[nla_type(attribute)];
	}
	return NULL;
}

/* size: bytes of attributes after the error number (and what else stands before them). */
static void take_extended_ack(struct covol_request *req, const struct nlmsghdr *message,
			      const void *attributes, int size)
{
	static const struct nla_policy policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_MSG] = { .type = NLA_NUL_STRING },
		[NLMSGERR_ATTR_OFFS] = { .type = NLA_U32 },
		[NLMSGERR_ATTR_MISS_TYPE] = { .type = NLA_U32 },
	};
	struct nlattr *found[NLMSGERR_ATTR_MAX + 1];
	uint32_t missing;

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || size <= 0 ||
	    nla_parse(found, NLMSGERR_ATTR_MAX, (struct nlattr *)attributes, size, policy))
		return;

	if (found[NLMSGERR_ATTR_MSG])
		req->reason = nla_get_string(found[NLMSGERR_ATTR_MSG]);
	if (found[NLMSGERR_ATTR_OFFS])
		req->attribute = attribute_at(req, nla_get_u32(found[NLMSGERR_ATTR_OFFS]));
	if (found[NLMSGERR_ATTR_MISS_TYPE]) {
		missing = nla_get_u32(found[NLMSGERR_ATTR_MISS_TYPE]);
		if (missing <= (uint32_t)req->set->max)
			req->attribute = req->set->names[missing];
		if (!req->reason)
			req->reason = "missing attribute";
	}
}

static int take_error(struct covol_request *req, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = nlmsg_data(message);
	int size = nlmsg_datalen(message) - (int)sizeof(*error);

	if (size < 0)
		return -EBADMSG;
	if (!error->error)
		return 1;
	/* With NETLINK_CAP_ACK only the header of our message comes back, nothing of its body. */
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		return error->error;
	take_extended_ack(req, message, error + 1, size);
	return error->error;
}

static int take_done(struct covol_request *req, const struct nlmsghdr *message)
{
	int size = nlmsg_datalen(message), error = 0;

	if (size >= (int)sizeof(error)) {
		memcpy(&error, nlmsg_data(message), sizeof(error));
		if (error < 0)
			take_extended_ack(req, message,
					  (char *)nlmsg_data(message) + NLMSG_ALIGN(sizeof(error)),
					  size - (int)NLMSG_ALIGN(sizeof(error)));
	}
	return error < 0 ? error : 1;
}

static int take_answer(struct covol_request *req, const struct nlmsghdr *message)
{
	struct nlattr *attributes[MAX_ATTRIBUTES + 1];
	int error;

	/* After a callback has had enough of a dump, the rest is read and thrown away. */
	if (!req->answer || req->stopped)
		return 0;
	error = covol_attributes_parse(req->set, message, attributes);
	if (error)
		return error;
	req->answers++;
	req->stopped = req->answer(attributes, req->data);
	return 0;
}

int covol_request_take(struct covol_request *req, const struct nlmsghdr *message)
{
	if (message->nlmsg_seq != req->seq)
		return 0; /* the rest of a command that was given up */
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		req->disturbed = true;

	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_ERROR:
		return take_error(req, message);
	case NLMSG_DONE:
		return take_done(req, message);
	case NLMSG_OVERRUN:
		return -EOVERFLOW;
	default:
		return message->nlmsg_type == req->c->family ? take_answer(req, message) : 0;
	}
}

static int exchange(struct covol_request *req)
{
	struct covol *c = req->c;
	struct nlmsghdr *message;
	void *buffer;
	ssize_t size;
	int result, left;

	result = c->transport->send(c, nlmsg_hdr(req->message), &req->seq);
	if (result)
		return result;

	for (;;) {
		size = c->transport->receive(c, COVOL_STREAM_ANSWERS, &buffer);
		if (size < 0)
			return size;
		left = size;
		for (message = buffer; nlmsg_ok(message, left);
		     message = nlmsg_next(message, &left)) {
			result = covol_request_take(req, message);
			if (result)
				return result < 0 ? result : 0;
		}
	}
}

/* Whether the kernel's reason says by itself which attribute it is about. */
static bool names_attribute(const char *reason, const char *attribute)
{
	return !strncmp(reason, attribute, strlen(attribute));
}

/* One line: what was asked, of what, the kernel's reason, and the attribute that it is about. */
static int refused(struct covol_request *req, int error)
{
	const char *reason = req->reason ? req->reason : strerror(-error);

	if (req->attribute && !names_attribute(reason, req->attribute))
		return covol_fail(req->c, error, "%s: %s (%s)", req->subject, reason,
				  req->attribute);
	return covol_fail(req->c, error, "%s: %s", req->subject, reason);
}

static int run(struct covol_request *req, int flags)
{
	int error = req->error;

	if (!error) {
		nlmsg_hdr(req->message)->nlmsg_flags |= flags;
		error = exchange(req);
		if (error)
			refused(req, error);
	}
	nlmsg_free(req->message);
	req->message = NULL;
	return error;
}

int covol_request_run(struct covol_request *req)
{
	return run(req, NLM_F_ACK);
}

int covol_request_run_get(struct covol_request *req)
{
	int error = run(req, NLM_F_ACK);

	if (error)
		return error;
	if (!req->answers || req->stopped)
		return covol_fail(req->c, -EBADMSG, "%s: the kernel's answer makes no sense",
				  req->subject);
	return 0;
}

int covol_request_run_dump(struct covol_request *req)
{
	int error = run(req, NLM_F_DUMP);

	if (error)
		return error;
	if (req->stopped)
		return req->stopped;
	if (req->disturbed)
		return covol_fail(req->c, -EAGAIN, "%s: something changed during the dump",
				  req->subject);
	return 0;
}
