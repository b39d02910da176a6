// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "test.h"

#include "../../userspace/lib/covol.h"

#define MAX_DATAGRAMS	64
#define MAX_REQUESTS	2048
#define DATAGRAM_BYTES	65536

struct datagram {
	char *data;
	size_t used;
	int error;		/* instead of data */
	int bad;		/* patch: offset of this attribute of the request */
	size_t bad_at;		/* where the offset goes */
	bool last;		/* of an answer */
};

struct line {
	struct datagram datagram[MAX_DATAGRAMS];
	size_t count, taken;
};

static struct line answers, events;
static struct nlmsghdr *requests[MAX_REQUESTS];
static size_t request_count;
static struct nlattr *parsed[64];
static const struct covol *subscriber;
static bool absent, subscribed, open_datagram, in_answer;
static char *given[2];
static int event_fd = -1;

const struct covol_uuid fake_uuid = {
	{ 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef }
};

static void clear(struct line *line)
{
	while (line->count)
		free(line->datagram[--line->count].data);
	line->taken = 0;
}

void fake_reset(void)
{
	clear(&answers);
	clear(&events);
	while (request_count)
		free(requests[--request_count]);
	absent = false;
	subscribed = false;
	open_datagram = false;
	in_answer = false;
}

void fake_absent(void)
{
	absent = true;
}

/* ---- the transport ---- */

static int fake_connect(struct covol *c)
{
	if (absent)
		return covol_fail(c, -ENOENT, "no family");
	c->family = FAKE_FAMILY;
	return 0;
}

static int fake_subscribe(struct covol *c)
{
	int error = covol_connect(c);

	subscribed = !error;
	subscriber = c;
	if (subscribed && event_fd < 0)
		event_fd = eventfd(1, EFD_CLOEXEC);
	return error;
}

/* Always readable, as of a kernel that sends without end. */
static int fake_event_fd(const struct covol *c)
{
	(void)c;
	return subscribed ? event_fd : -ENOTCONN;
}

static void fake_close(struct covol *c)
{
	free(given[COVOL_STREAM_ANSWERS]);
	given[COVOL_STREAM_ANSWERS] = NULL;
	/* Others are closed by workers meanwhile. */
	if (c != subscriber)
		return;
	subscriber = NULL;
	free(given[COVOL_STREAM_EVENTS]);
	given[COVOL_STREAM_EVENTS] = NULL;
	if (event_fd >= 0)
		close(event_fd);
	event_fd = -1;
}

static int fake_send(struct covol *c, struct nlmsghdr *message, uint32_t *seq)
{
	(void)c;
	assert_true(request_count < MAX_REQUESTS);
	message->nlmsg_seq = 1000 + request_count;
	*seq = message->nlmsg_seq;
	requests[request_count] = malloc(message->nlmsg_len);
	assert_non_null(requests[request_count]);
	memcpy(requests[request_count], message, message->nlmsg_len);
	request_count++;
	in_answer = false;
	return 0;
}

static uint32_t offset_of_attribute(const struct nlmsghdr *request, int type)
{
	struct nlattr *attribute = nlmsg_find_attr((struct nlmsghdr *)request, GENL_HDRLEN, type);

	assert_non_null(attribute);
	return (char *)attribute - (char *)request;
}

static ssize_t deliver(struct line *line, enum covol_stream stream, void **buffer)
{
	struct datagram *datagram = &line->datagram[line->taken++];
	struct nlmsghdr *message;
	int left = datagram->used;
	uint32_t offset;

	if (datagram->error)
		return datagram->error;
	/* A copy of exactly this size, so that the sanitizer sees who reads too far. */
	free(given[stream]);
	given[stream] = malloc(datagram->used);
	assert_non_null(given[stream]);
	memcpy(given[stream], datagram->data, datagram->used);
	*buffer = given[stream];

	if (stream == COVOL_STREAM_EVENTS)
		return datagram->used;
	if (datagram->bad) {
		offset = offset_of_attribute(requests[request_count - 1], datagram->bad);
		memcpy(given[stream] + datagram->bad_at, &offset, sizeof(offset));
	}
	for (message = *buffer; nlmsg_ok(message, left); message = nlmsg_next(message, &left))
		message->nlmsg_seq += requests[request_count - 1]->nlmsg_seq;
	return datagram->used;
}

static ssize_t acknowledge(enum covol_stream stream, void **buffer)
{
	struct { struct nlmsghdr header; struct nlmsgerr error; } *ack = calloc(1, sizeof(*ack));

	assert_non_null(ack);
	ack->header.nlmsg_len = sizeof(*ack);
	ack->header.nlmsg_type = NLMSG_ERROR;
	ack->header.nlmsg_flags = NLM_F_CAPPED;
	ack->header.nlmsg_seq = requests[request_count - 1]->nlmsg_seq;
	free(given[stream]);
	given[stream] = (char *)ack;
	*buffer = ack;
	return sizeof(*ack);
}

static ssize_t fake_receive(struct covol *c, enum covol_stream stream, void **buffer)
{
	(void)c;
	if (stream == COVOL_STREAM_EVENTS) {
		if (events.taken == events.count)
			return -EAGAIN;
		return deliver(&events, stream, buffer);
	}
	/* Somebody waits for an answer that will not come: in the kernel's place, a hang. */
	assert_true(request_count > 0);
	if (answers.taken == answers.count)
		return acknowledge(stream, buffer);
	return deliver(&answers, stream, buffer);
}

static const struct covol_transport fake_transport = {
	.connect	= fake_connect,
	.subscribe	= fake_subscribe,
	.event_fd	= fake_event_fd,
	.close		= fake_close,
	.send		= fake_send,
	.receive	= fake_receive,
};

int __wrap_covol_open(struct covol **c)
{
	return covol_open_with(&fake_transport, NULL, c);
}

/* ---- what was sent ---- */

size_t fake_requests(void)
{
	return request_count;
}

struct nlmsghdr *fake_request_message(size_t number)
{
	assert_true(number < request_count);
	return requests[number];
}

struct nlattr **fake_request(size_t number, uint8_t command)
{
	struct nlmsghdr *message = fake_request_message(number);
	struct genlmsghdr *header = nlmsg_data(message);

	assert_int_equal(message->nlmsg_type, FAKE_FAMILY);
	assert_true(message->nlmsg_flags & NLM_F_REQUEST);
	assert_int_equal(header->cmd, command);
	assert_int_equal(header->version, COVOL_GENL_VERSION);
	assert_int_equal(genlmsg_parse(message, 0, parsed, 63, NULL), 0);
	return parsed;
}

uint16_t fake_request_flags(size_t number)
{
	return fake_request_message(number)->nlmsg_flags;
}

size_t fake_request_length(size_t number)
{
	return fake_request_message(number)->nlmsg_len;
}

bool fake_has_only(struct nlattr **attributes, ...)
{
	uint64_t wanted = 0, found = 0;
	va_list args;
	int type;

	va_start(args, attributes);
	while ((type = va_arg(args, int)))
		wanted |= 1ULL << type;
	va_end(args);
	for (type = 1; type < 64; type++)
		if (attributes[type])
			found |= 1ULL << type;
	return wanted == found;
}

/* ---- what will be answered ---- */

static struct datagram *datagram_to_fill(void)
{
	struct datagram *datagram;

	if (!open_datagram) {
		assert_true(answers.count < MAX_DATAGRAMS);
		datagram = &answers.datagram[answers.count++];
		*datagram = (struct datagram) { .data = malloc(DATAGRAM_BYTES) };
		assert_non_null(datagram->data);
		open_datagram = true;
	}
	return &answers.datagram[answers.count - 1];
}

static void append(struct datagram *datagram, const void *data, size_t size)
{
	assert_true(datagram->used + NLMSG_ALIGN(size) <= DATAGRAM_BYTES);
	memset(datagram->data + datagram->used, 0, NLMSG_ALIGN(size));
	memcpy(datagram->data + datagram->used, data, size);
	datagram->used += NLMSG_ALIGN(size);
}

struct nl_msg *fake_message(uint8_t command, uint16_t flags)
{
	struct nl_msg *message = nlmsg_alloc_size(DATAGRAM_BYTES);

	assert_non_null(message);
	assert_non_null(genlmsg_put(message, 0, 0, FAKE_FAMILY, 0, flags, command,
				    COVOL_GENL_VERSION));
	nlmsg_hdr(message)->nlmsg_seq = 0; /* the request's is added */
	return message;
}

void fake_add(struct nl_msg *message)
{
	append(datagram_to_fill(), nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len);
	nlmsg_free(message);
}

void fake_next_datagram(void)
{
	open_datagram = false;
}

static struct nl_msg *control_message(uint16_t type, uint16_t flags)
{
	struct nl_msg *message = nlmsg_alloc_size(4096);

	assert_non_null(message);
	assert_non_null(nlmsg_put(message, 0, 0, type, 0, flags));
	nlmsg_hdr(message)->nlmsg_seq = 0;
	return message;
}

static void finish_answer(struct nl_msg *message)
{
	fake_add(message);
	open_datagram = false;
}

void fake_refuse(int error, const char *text, int bad, int missing)
{
	struct nl_msg *message = control_message(NLMSG_ERROR, NLM_F_CAPPED |
						 (text || bad || missing ? NLM_F_ACK_TLVS : 0));
	struct nlmsgerr payload = { .error = error };
	struct datagram *datagram = datagram_to_fill();

	assert_int_equal(nlmsg_append(message, &payload, sizeof(payload), NLMSG_ALIGNTO), 0);
	if (text)
		assert_int_equal(nla_put_string(message, NLMSGERR_ATTR_MSG, text), 0);
	if (bad) {
		assert_int_equal(nla_put_u32(message, NLMSGERR_ATTR_OFFS, 0), 0);
		datagram->bad = bad;
		datagram->bad_at = datagram->used + nlmsg_hdr(message)->nlmsg_len -
				   sizeof(uint32_t);
	}
	if (missing)
		assert_int_equal(nla_put_u32(message, NLMSGERR_ATTR_MISS_TYPE, missing), 0);
	finish_answer(message);
}

void fake_ack(void)
{
	fake_refuse(0, NULL, 0, 0);
}

void fake_done(int error, const char *text)
{
	struct nl_msg *message = control_message(NLMSG_DONE, NLM_F_MULTI |
						 (text ? NLM_F_ACK_TLVS : 0));

	assert_int_equal(nlmsg_append(message, &error, sizeof(error), NLMSG_ALIGNTO), 0);
	if (text)
		assert_int_equal(nla_put_string(message, NLMSGERR_ATTR_MSG, text), 0);
	finish_answer(message);
}

static void fail_next(struct line *line, int error)
{
	assert_true(line->count < MAX_DATAGRAMS);
	line->datagram[line->count++] = (struct datagram) { .error = error };
}

void fake_fail(int error)
{
	fail_next(&answers, error);
}

/* ---- events ---- */

void fake_event(struct nl_msg *message)
{
	struct datagram *datagram;

	assert_true(events.count < MAX_DATAGRAMS);
	datagram = &events.datagram[events.count++];
	*datagram = (struct datagram) { .data = malloc(DATAGRAM_BYTES) };
	assert_non_null(datagram->data);
	append(datagram, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len);
	nlmsg_free(message);
}

void fake_event_fail(int error)
{
	fail_next(&events, error);
}

bool fake_subscribed(void)
{
	return subscribed;
}

/* ---- examples ---- */

void fake_put_volume(struct nl_msg *message)
{
	nla_put(message, COVOL_A_VOLUME_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_VOLUME_NODE, 2);
	nla_put_u32(message, COVOL_A_VOLUME_ROLE, COVOL_ROLE_MEMBER);
	nla_put_u64(message, COVOL_A_VOLUME_EPOCH, 7);
	nla_put_u32(message, COVOL_A_VOLUME_ROUTE, COVOL_ROUTE_BLOCK_REDIRECTED);
	nla_put_u32(message, COVOL_A_VOLUME_REASONS,
		    COVOL_REASON_ADMIN | COVOL_REASON_NO_DISK_PATH);
	nla_put_u32(message, COVOL_A_VOLUME_COORDINATOR, 1);
	nla_put_u32(message, COVOL_A_VOLUME_REDIRECT_PEER, 3);
	nla_put_u32(message, COVOL_A_VOLUME_LUN_MAJOR, 8);
	nla_put_u32(message, COVOL_A_VOLUME_LUN_MINOR, 16);
	nla_put_u64(message, COVOL_A_VOLUME_LUN_OFFSET, 1 << 20);
	nla_put_u64(message, COVOL_A_VOLUME_SIZE, 10ULL << 30);
	nla_put_u32(message, COVOL_A_VOLUME_CHUNK_SIZE, 1 << 20);
	nla_put_u64(message, COVOL_A_VOLUME_HELD, 11);
	nla_put_u32(message, COVOL_A_VOLUME_IMAGES, 4);
	nla_put_u32(message, COVOL_A_VOLUME_SESSIONS, 5);
	nla_put_u32(message, COVOL_A_VOLUME_DEVICES, 6);
	nla_put_u64(message, COVOL_A_VOLUME_HOLDS, 31);
	nla_put_u64(message, COVOL_A_VOLUME_RELEASES, 32);
	nla_put_u64(message, COVOL_A_VOLUME_REPLAYS, 33);
	nla_put_u64(message, COVOL_A_VOLUME_SESSIONS_LOST, 34);
}

static void put_stat(struct nl_msg *message, int type, uint64_t base)
{
	struct nlattr *nest = nla_nest_start(message, type | NLA_F_NESTED);

	nla_put_u64(message, COVOL_A_IO_STAT_READS, base + 1);
	nla_put_u64(message, COVOL_A_IO_STAT_READ_BYTES, (base + 1) * 4096);
	nla_put_u64(message, COVOL_A_IO_STAT_WRITES, base + 2);
	nla_put_u64(message, COVOL_A_IO_STAT_WRITE_BYTES, (base + 2) * 4096);
	nla_put_u64(message, COVOL_A_IO_STAT_OTHERS, base + 3);
	nla_nest_end(message, nest);
}

static void put_latency(struct nl_msg *message, int type, uint64_t base)
{
	struct nlattr *nest = nla_nest_start(message, type | NLA_F_NESTED);

	nla_put_u64(message, COVOL_A_LATENCY_READS, base);
	nla_put_u64(message, COVOL_A_LATENCY_READ_NS, base * 1000000);
	nla_put_u64(message, COVOL_A_LATENCY_WRITES, base + 1);
	nla_put_u64(message, COVOL_A_LATENCY_WRITE_NS, (base + 1) * 2000000);
	nla_put_u64(message, COVOL_A_LATENCY_OTHERS, 0);
	nla_put_u64(message, COVOL_A_LATENCY_OTHER_NS, 0);
	nla_nest_end(message, nest);
}

void fake_put_image(struct nl_msg *message, uint64_t id)
{
	nla_put(message, COVOL_A_IMAGE_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u64(message, COVOL_A_IMAGE_ID, id);
	nla_put_u64(message, COVOL_A_IMAGE_SIZE, 1 << 30);
	if (id)
		nla_put_flag(message, COVOL_A_IMAGE_SERVED);
	nla_put_u64(message, COVOL_A_IMAGE_EXTENTS, 21);
	nla_put_u64(message, COVOL_A_IMAGE_LAYOUT_SEQ, 22);
	nla_put_u32(message, COVOL_A_IMAGE_HOLDERS, 23);
	nla_put_u32(message, COVOL_A_IMAGE_DEVICES, 24);
	put_stat(message, COVOL_A_IMAGE_DIRECT, 100);
	put_stat(message, COVOL_A_IMAGE_FS_REDIRECTED, 20);
	put_stat(message, COVOL_A_IMAGE_BLOCK_REDIRECTED, 0);
	put_stat(message, COVOL_A_IMAGE_ZERO_FILLED, 10);
	put_stat(message, COVOL_A_IMAGE_HELD, 5);
	put_latency(message, COVOL_A_IMAGE_FS_REDIRECTED_LATENCY, 20);
	put_latency(message, COVOL_A_IMAGE_BLOCK_REDIRECTED_LATENCY, 0);
	put_latency(message, COVOL_A_IMAGE_SERVED_LATENCY, 40);
	nla_put_u64(message, COVOL_A_IMAGE_GRANTS_SENT, 41);
	nla_put_u64(message, COVOL_A_IMAGE_GRANTS_RECEIVED, 42);
	nla_put_u64(message, COVOL_A_IMAGE_RECALLS_SENT, 43);
	nla_put_u64(message, COVOL_A_IMAGE_RECALLS_RECEIVED, 44);
	if (id)
		nla_put_flag(message, COVOL_A_IMAGE_SHARING);
}
