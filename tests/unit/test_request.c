// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands to the kernel: what is sent, how answers are taken, how refusals are told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_kernel.h"
#include "test.h"

static struct covol *c;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return covol_open(&c);
}

static int teardown(void **state)
{
	(void)state;
	covol_close(c);
	fake_reset();
	return 0;
}

static void assert_uuid(struct nlattr *attribute)
{
	assert_int_equal(nla_len(attribute), COVOL_UUID_LEN);
	assert_memory_equal(nla_data(attribute), fake_uuid.bytes, COVOL_UUID_LEN);
}

/* ---- what is sent ---- */

static void test_volume_new(void **state)
{
	struct covol_volume volume = {
		.uuid = fake_uuid, .node = 1, .role = COVOL_ROLE_COORDINATOR, .epoch = 1ULL << 40,
		.coordinator = 1, .lun_fd = 5, .lun_offset = 1 << 20, .size = 9ULL << 32,
		.chunk_size = 65536,
	};
	struct nlattr **sent;

	(void)state;
	assert_int_equal(covol_volume_new(c, &volume), 0);
	sent = fake_request(0, COVOL_CMD_VOLUME_NEW);
	assert_true(fake_request_flags(0) & NLM_F_ACK);
	assert_true(fake_has_only(sent, COVOL_A_VOLUME_UUID, COVOL_A_VOLUME_NODE,
				  COVOL_A_VOLUME_ROLE, COVOL_A_VOLUME_EPOCH,
				  COVOL_A_VOLUME_COORDINATOR, COVOL_A_VOLUME_LUN_FD,
				  COVOL_A_VOLUME_LUN_OFFSET, COVOL_A_VOLUME_SIZE,
				  COVOL_A_VOLUME_CHUNK_SIZE, 0));
	assert_uuid(sent[COVOL_A_VOLUME_UUID]);
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_NODE]), 1);
	assert_int_equal(nla_get_u32(sent[COVOL_A_VOLUME_ROLE]), COVOL_ROLE_COORDINATOR);
	assert_int_equal(nla_get_u64(sent[COVOL_A_VOLUME_EPOCH]), 1ULL << 40);
	assert_int_equal(nla_get_s32(sent[COVOL_A_VOLUME_LUN_FD]), 5);
	assert_int_equal(nla_get_u64(sent[COVOL_A_VOLUME_SIZE]), 9ULL << 32);
}

/* Without a path nothing is said of the LUN, and the kernel's chunk size is the default. */
static void test_volume_new_without_lun(void **state)
{
	struct covol_volume volume = {
		.uuid = fake_uuid, .node = 2, .role = COVOL_ROLE_MEMBER, .epoch = 1,
		.coordinator = 1, .lun_fd = -1, .size = 4096,
	};

	(void)state;
	assert_int_equal(covol_volume_new(c, &volume), 0);
	assert_true(fake_has_only(fake_request(0, COVOL_CMD_VOLUME_NEW), COVOL_A_VOLUME_UUID,
				  COVOL_A_VOLUME_NODE, COVOL_A_VOLUME_ROLE, COVOL_A_VOLUME_EPOCH,
				  COVOL_A_VOLUME_COORDINATOR, COVOL_A_VOLUME_SIZE, 0));
}

static void test_volume_set(void **state)
{
	struct covol_volume volume = { .uuid = fake_uuid, .route = COVOL_ROUTE_HELD, .epoch = 3 };

	(void)state;
	assert_int_equal(covol_volume_set(c, &volume, COVOL_VOLUME_ROUTE), 0);
	assert_true(fake_has_only(fake_request(0, COVOL_CMD_VOLUME_SET), COVOL_A_VOLUME_UUID,
				  COVOL_A_VOLUME_ROUTE, 0));
	assert_int_equal(covol_volume_set(c, &volume, COVOL_VOLUME_EPOCH | COVOL_VOLUME_ROLE |
					  COVOL_VOLUME_COORDINATOR | COVOL_VOLUME_REDIRECT_PEER |
					  COVOL_VOLUME_CHUNK_SIZE), 0);
	assert_true(fake_has_only(fake_request(1, COVOL_CMD_VOLUME_SET), COVOL_A_VOLUME_UUID,
				  COVOL_A_VOLUME_EPOCH, COVOL_A_VOLUME_ROLE,
				  COVOL_A_VOLUME_COORDINATOR, COVOL_A_VOLUME_REDIRECT_PEER,
				  COVOL_A_VOLUME_CHUNK_SIZE, 0));
	volume.size = 1 << 20;
	assert_int_equal(covol_volume_set(c, &volume, COVOL_VOLUME_SIZE), 0);
	assert_true(fake_has_only(fake_request(2, COVOL_CMD_VOLUME_SET), COVOL_A_VOLUME_UUID,
				  COVOL_A_VOLUME_SIZE, 0));
	assert_int_equal(nla_get_u64(fake_request(2, COVOL_CMD_VOLUME_SET)[COVOL_A_VOLUME_SIZE]),
			 1 << 20);
}

static void test_image_commands(void **state)
{
	struct covol_image image = { .uuid = fake_uuid, .id = 3, .size = 8192, .fd = -1 };
	struct nlattr **sent;

	(void)state;
	assert_int_equal(covol_image_new(c, &image), 0);
	assert_true(fake_has_only(fake_request(0, COVOL_CMD_IMAGE_NEW), COVOL_A_IMAGE_UUID,
				  COVOL_A_IMAGE_ID, COVOL_A_IMAGE_SIZE, 0));
	image.fd = 9;
	assert_int_equal(covol_image_new(c, &image), 0);
	sent = fake_request(1, COVOL_CMD_IMAGE_NEW);
	assert_int_equal(nla_get_s32(sent[COVOL_A_IMAGE_FD]), 9);
	assert_int_equal(covol_image_del(c, &fake_uuid, 3), 0);
	sent = fake_request(2, COVOL_CMD_IMAGE_DEL);
	assert_int_equal(nla_get_u64(sent[COVOL_A_IMAGE_ID]), 3);
	assert_int_equal(covol_image_resize(c, &fake_uuid, 3, 4096), 0);
	sent = fake_request(3, COVOL_CMD_IMAGE_SET);
	assert_true(fake_has_only(sent, COVOL_A_IMAGE_UUID, COVOL_A_IMAGE_ID, COVOL_A_IMAGE_SIZE,
				  0));
	assert_int_equal(nla_get_u64(sent[COVOL_A_IMAGE_ID]), 3);
	assert_int_equal(nla_get_u64(sent[COVOL_A_IMAGE_SIZE]), 4096);
	assert_int_equal(covol_image_recall(c, &fake_uuid, 4), 0);
	sent = fake_request(4, COVOL_CMD_IMAGE_RECALL);
	assert_true(fake_has_only(sent, COVOL_A_IMAGE_UUID, COVOL_A_IMAGE_ID, 0));
	assert_int_equal(nla_get_u64(sent[COVOL_A_IMAGE_ID]), 4);
	assert_int_equal(covol_image_share_begin(c, &fake_uuid, 5), 0);
	sent = fake_request(5, COVOL_CMD_IMAGE_SHARE_BEGIN);
	assert_int_equal(nla_get_u64(sent[COVOL_A_IMAGE_ID]), 5);
	fake_refuse(-EBUSY, "image: it is not being shared", 0, 0);
	assert_int_equal(covol_image_share_end(c, &fake_uuid, 6), -EBUSY);
	sent = fake_request(6, COVOL_CMD_IMAGE_SHARE_END);
	assert_int_equal(nla_get_u64(sent[COVOL_A_IMAGE_ID]), 6);
	assert_non_null(strstr(covol_error(c), "image-share-end of volume "));
	assert_non_null(strstr(covol_error(c), "image: it is not being shared"));
}

static size_t count_attributes(size_t number, int type)
{
	struct nlattr *attribute;
	size_t count = 0;
	int left;

	nlmsg_for_each_attr(attribute, fake_request_message(number), GENL_HDRLEN, left)
		count += nla_type(attribute) == type;
	return count;
}

static void test_image_file(void **state)
{
	const uint32_t nodes[] = { 1, 3, 7 };
	struct covol_image image = { .uuid = fake_uuid, .id = 3, .size = 8192, .fd = 9,
				     .may_hold = nodes, .may_hold_count = 3 };
	struct nlattr **sent;

	(void)state;
	assert_int_equal(covol_image_new(c, &image), 0);
	fake_request(0, COVOL_CMD_IMAGE_NEW);
	assert_int_equal(count_attributes(0, COVOL_A_IMAGE_HOLDER), 3);
	assert_int_equal(covol_image_serve(c, &fake_uuid, 4, 9, nodes, 2), 0);
	sent = fake_request(1, COVOL_CMD_IMAGE_SET);
	assert_true(fake_has_only(sent, COVOL_A_IMAGE_UUID, COVOL_A_IMAGE_ID, COVOL_A_IMAGE_FD,
				  COVOL_A_IMAGE_HOLDER, 0));
	assert_int_equal(nla_get_u64(sent[COVOL_A_IMAGE_ID]), 4);
	assert_int_equal(nla_get_s32(sent[COVOL_A_IMAGE_FD]), 9);
	assert_int_equal(count_attributes(1, COVOL_A_IMAGE_HOLDER), 2);
	assert_int_equal(covol_image_release(c, &fake_uuid, 5, 0), 0);
	assert_true(fake_has_only(fake_request(2, COVOL_CMD_IMAGE_SET), COVOL_A_IMAGE_UUID,
				  COVOL_A_IMAGE_ID, COVOL_A_IMAGE_NO_FILE, 0));
	assert_int_equal(covol_image_release(c, &fake_uuid, 5, COVOL_IMAGE_KEEP_LAYOUTS), 0);
	assert_true(fake_has_only(fake_request(3, COVOL_CMD_IMAGE_SET), COVOL_A_IMAGE_UUID,
				  COVOL_A_IMAGE_ID, COVOL_A_IMAGE_NO_FILE,
				  COVOL_A_IMAGE_KEEP_LAYOUTS, 0));
	fake_refuse(-EBUSY, "image: it is being shared; end that first", 0, 0);
	assert_int_equal(covol_image_release(c, &fake_uuid, 5, COVOL_IMAGE_NO_WAIT), -EBUSY);
	assert_true(fake_has_only(fake_request(4, COVOL_CMD_IMAGE_SET), COVOL_A_IMAGE_UUID,
				  COVOL_A_IMAGE_ID, COVOL_A_IMAGE_NO_FILE, COVOL_A_IMAGE_NO_WAIT,
				  0));
	assert_non_null(strstr(covol_error(c), "image 5: image: it is being shared"));
}

static void test_session_commands(void **state)
{
	static const int fds[COVOL_LANES_MAX] = { 7, 9, 8 };
	struct nlattr **sent, *attribute;
	int left, n = 0;

	(void)state;
	assert_int_equal(covol_session_new(c, &fake_uuid, 2, fds, 1), 0);
	sent = fake_request(0, COVOL_CMD_SESSION_NEW);
	assert_true(fake_has_only(sent, COVOL_A_SESSION_UUID, COVOL_A_SESSION_PEER,
				  COVOL_A_SESSION_FD, 0));
	assert_int_equal(nla_get_s32(sent[COVOL_A_SESSION_FD]), 7);
	assert_int_equal(covol_session_del(c, &fake_uuid, 2, false), 0);
	assert_true(fake_has_only(fake_request(1, COVOL_CMD_SESSION_DEL), COVOL_A_SESSION_UUID,
				  COVOL_A_SESSION_PEER, 0));
	assert_int_equal(covol_session_del(c, &fake_uuid, 2, true), 0);
	assert_true(fake_has_only(fake_request(2, COVOL_CMD_SESSION_DEL), COVOL_A_SESSION_UUID,
				  COVOL_A_SESSION_PEER, COVOL_A_SESSION_FORGET, 0));
	assert_int_equal(covol_session_new(c, &fake_uuid, 2, fds, 3), 0);
	nlmsg_for_each_attr(attribute, fake_request_message(3), GENL_HDRLEN, left)
		if (nla_type(attribute) == COVOL_A_SESSION_FD)
			assert_int_equal(nla_get_s32(attribute), fds[n++]);
	assert_int_equal(n, 3);
}

static void test_map_clear(void **state)
{
	struct nlattr **sent;

	(void)state;
	assert_int_equal(covol_map_clear(c, &fake_uuid, 3, 4096, 8192), 0);
	sent = fake_request(0, COVOL_CMD_MAP_CLEAR);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OBJECT]), 3);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_OFFSET]), 4096);
	assert_int_equal(nla_get_u64(sent[COVOL_A_MAP_LENGTH]), 8192);
}

/* ---- map-set: nests, pieces ---- */

static size_t extents_sent(size_t request, struct covol_extent *extents)
{
	struct nlmsghdr *message = fake_request_message(request);
	struct nlattr *attribute, *parts[COVOL_A_EXTENT_MAX + 1];
	size_t count = 0;
	int left;

	nlmsg_for_each_attr(attribute, message, GENL_HDRLEN, left) {
		if (nla_type(attribute) != COVOL_A_MAP_EXTENT)
			continue;
		/* The kernel's strict parser insists on this flag. */
		assert_true(attribute->nla_type & NLA_F_NESTED);
		assert_int_equal(nla_parse_nested(parts, COVOL_A_EXTENT_MAX, attribute, NULL), 0);
		extents[count++] = (struct covol_extent) {
			.offset = nla_get_u64(parts[COVOL_A_EXTENT_OFFSET]),
			.length = nla_get_u64(parts[COVOL_A_EXTENT_LENGTH]),
			.state = nla_get_u32(parts[COVOL_A_EXTENT_STATE]),
			.place = parts[COVOL_A_EXTENT_PLACE] ?
				 nla_get_u64(parts[COVOL_A_EXTENT_PLACE]) : 12345,
		};
	}
	return count;
}

static void assert_same_extent(const struct covol_extent *a, const struct covol_extent *b)
{
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->place, b->place);
}

static void test_map_set(void **state)
{
	const struct covol_extent extents[] = {
		{ 4096, 4096, COVOL_EXTENT_STATE_DATA, 1 << 20 },
		{ 8192, 4096, COVOL_EXTENT_STATE_HOLE, 0 },
		{ 12288, 4096, COVOL_EXTENT_STATE_SHARED, 0 },
		{ 16384, 4096, COVOL_EXTENT_STATE_UNWRITTEN, 0 },
	};
	struct covol_map map = {
		.uuid = fake_uuid, .object = 3, .peer = 2, .seq = 0, .with_seq = true,
		.offset = 0, .length = 1 << 20, .extents = extents, .count = 4,
	};
	struct covol_extent sent[8];
	struct nlattr **attributes;

	(void)state;
	assert_int_equal(covol_map_set(c, &map), 0);
	assert_int_equal(fake_requests(), 1);
	attributes = fake_request(0, COVOL_CMD_MAP_SET);
	assert_true(fake_has_only(attributes, COVOL_A_MAP_UUID, COVOL_A_MAP_OBJECT,
				  COVOL_A_MAP_PEER, COVOL_A_MAP_SEQ, COVOL_A_MAP_OFFSET,
				  COVOL_A_MAP_LENGTH, COVOL_A_MAP_EXTENT, 0));
	assert_int_equal(extents_sent(0, sent), 4);
	assert_same_extent(&sent[0], &extents[0]);
	/* No place for what has none, and 0 is a place for what has one. */
	assert_int_equal(sent[1].place, 12345);
	assert_int_equal(sent[2].place, 0);
	assert_int_equal(sent[3].place, 12345);
}

/* A range without extents: all of it becomes unknown. For this node: no peer, no sequence. */
static void test_map_set_nothing(void **state)
{
	struct covol_map map = { .uuid = fake_uuid, .object = 3, .seq = 9, .length = 4096 };

	(void)state;
	assert_int_equal(covol_map_set(c, &map), 0);
	assert_true(fake_has_only(fake_request(0, COVOL_CMD_MAP_SET), COVOL_A_MAP_UUID,
				  COVOL_A_MAP_OBJECT, COVOL_A_MAP_OFFSET, COVOL_A_MAP_LENGTH, 0));
}

#define MANY	(2 * COVOL_MAP_MESSAGE_EXTENTS + 1)

static void many_extents(struct covol_extent *extents)
{
	size_t i;

	for (i = 0; i < MANY; i++)
		extents[i] = (struct covol_extent) {
			.offset = 4096 + i * 8192, .length = 4096,
			.state = COVOL_EXTENT_STATE_DATA, .place = i * 4096,
		};
}

/* The pieces join without a gap, cover the whole range, and hold each extent once. */
static void test_map_set_pieces(void **state)
{
	struct covol_extent extents[MANY], sent[MANY];
	struct covol_map map = {
		.uuid = fake_uuid, .object = 3, .peer = 2, .seq = 5, .with_seq = true,
		.offset = 0, .length = 8ULL << 20, .extents = extents, .count = MANY,
	};
	uint64_t at = 0;
	size_t i, count = 0;
	struct nlattr **attributes;

	(void)state;
	many_extents(extents);
	assert_int_equal(covol_map_set(c, &map), 0);
	assert_int_equal(fake_requests(), 3);
	for (i = 0; i < 3; i++) {
		attributes = fake_request(i, COVOL_CMD_MAP_SET);
		assert_int_equal(nla_get_u64(attributes[COVOL_A_MAP_SEQ]), 5);
		assert_int_equal(nla_get_u64(attributes[COVOL_A_MAP_OFFSET]), at);
		at += nla_get_u64(attributes[COVOL_A_MAP_LENGTH]);
		count += extents_sent(i, sent + count);
		assert_true(sent[count - 1].offset + sent[count - 1].length <= at);
		/* What the kernel would get in one go stays below what sockets take. */
		assert_true(fake_request_length(i) < 32768);
	}
	assert_int_equal(at, 8ULL << 20);
	assert_int_equal(count, MANY);
	for (i = 0; i < MANY; i++)
		assert_same_extent(&sent[i], &extents[i]);
}

static void test_map_set_pieces_refused(void **state)
{
	struct covol_extent extents[MANY];
	struct covol_map map = {
		.uuid = fake_uuid, .object = 3, .length = 8ULL << 20,
		.extents = extents, .count = MANY,
	};

	(void)state;
	many_extents(extents);
	fake_ack();
	fake_refuse(-ENOENT, "no such object", 0, 0);
	assert_int_equal(covol_map_set(c, &map), -ENOENT);
	assert_int_equal(fake_requests(), 2);
}

/* What could not be cut without changing its meaning is refused here. */
static void test_map_set_unordered(void **state)
{
	struct covol_extent extents[MANY];
	struct covol_map map = {
		.uuid = fake_uuid, .object = 3, .length = 8ULL << 20,
		.extents = extents, .count = MANY,
	};

	(void)state;
	many_extents(extents);
	extents[COVOL_MAP_MESSAGE_EXTENTS].offset = 0;
	assert_int_equal(covol_map_set(c, &map), -EINVAL);
	extents[COVOL_MAP_MESSAGE_EXTENTS].offset = 8ULL << 20;
	assert_int_equal(covol_map_set(c, &map), -EINVAL);
	assert_int_equal(fake_requests(), 0);
	assert_non_null(strstr(covol_error(c), "object 3"));
}

/* ---- answers ---- */

static void test_volume_get(void **state)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);
	struct covol_volume volume;

	(void)state;
	fake_put_volume(message);
	fake_add(message);
	fake_next_datagram();
	fake_ack();
	assert_int_equal(covol_volume_get(c, &fake_uuid, &volume), 0);
	assert_memory_equal(&volume.uuid, &fake_uuid, sizeof(fake_uuid));
	assert_int_equal(volume.node, 2);
	assert_int_equal(volume.role, COVOL_ROLE_MEMBER);
	assert_int_equal(volume.epoch, 7);
	assert_int_equal(volume.route, COVOL_ROUTE_BLOCK_REDIRECTED);
	assert_int_equal(volume.reasons, COVOL_REASON_ADMIN | COVOL_REASON_NO_DISK_PATH);
	assert_int_equal(volume.coordinator, 1);
	assert_int_equal(volume.redirect_peer, 3);
	assert_int_equal(volume.lun_fd, -1);
	assert_int_equal(volume.lun_major, 8);
	assert_int_equal(volume.lun_minor, 16);
	assert_int_equal(volume.lun_offset, 1 << 20);
	assert_int_equal(volume.size, 10ULL << 30);
	assert_int_equal(volume.chunk_size, 1 << 20);
	assert_int_equal(volume.held, 11);
	assert_int_equal(volume.images, 4);
	assert_int_equal(volume.sessions, 5);
	assert_int_equal(volume.devices, 6);
}

static void test_image_get(void **state)
{
	struct nl_msg *message = fake_message(COVOL_CMD_IMAGE_GET, 0);
	struct covol_image image;

	(void)state;
	fake_put_image(message, 3);
	fake_add(message);
	fake_ack();
	assert_int_equal(covol_image_get(c, &fake_uuid, 3, &image), 0);
	assert_int_equal(image.id, 3);
	assert_true(image.served);
	assert_true(image.sharing);
	assert_int_equal(image.extents, 21);
	assert_int_equal(image.layout_seq, 22);
	assert_int_equal(image.holders, 23);
	assert_int_equal(image.devices, 24);
	assert_int_equal(image.direct.reads, 101);
	assert_int_equal(image.direct.write_bytes, 102 * 4096);
	assert_int_equal(image.fs_redirected.others, 23);
	assert_int_equal(image.block_redirected.reads, 1);
	assert_int_equal(image.zero_filled.read_bytes, 11 * 4096);
	assert_int_equal(image.held.writes, 7);
}

/* Acknowledged, but nothing came. */
static void test_get_without_answer(void **state)
{
	struct covol_volume volume;

	(void)state;
	assert_int_equal(covol_volume_get(c, &fake_uuid, &volume), -EBADMSG);
	assert_non_null(strstr(covol_error(c), "volume-get of volume " FAKE_UUID));
}

/* An attribute of another length than the interface says. */
static void test_get_malformed(void **state)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);
	struct covol_volume volume;

	(void)state;
	nla_put(message, COVOL_A_VOLUME_UUID, 15, &fake_uuid);
	fake_add(message);
	fake_ack();
	assert_int_equal(covol_volume_get(c, &fake_uuid, &volume), -EBADMSG);
}

/* The rest of a command that was given up, and messages of others, are passed over. */
static void test_strange_messages(void **state)
{
	struct nl_msg *message = fake_message(COVOL_CMD_VOLUME_GET, 0);
	struct covol_volume volume;

	(void)state;
	fake_put_volume(message);
	nlmsg_hdr(message)->nlmsg_seq = 1; /* not the request's */
	fake_add(message);
	message = fake_message(COVOL_CMD_VOLUME_GET, 0);
	nlmsg_hdr(message)->nlmsg_type = FAKE_FAMILY + 1;
	fake_add(message);
	fake_ack();
	assert_int_equal(covol_volume_get(c, &fake_uuid, &volume), -EBADMSG);
}

static void test_receive_fails(void **state)
{
	(void)state;
	fake_fail(-ENOMEM);
	assert_int_equal(covol_volume_del(c, &fake_uuid), -ENOMEM);
	assert_string_equal(covol_error(c), "volume-del of volume " FAKE_UUID
			    ": Cannot allocate memory");
}

/* ---- dumps ---- */

struct ids {
	uint64_t id[16];
	size_t count;
	size_t stop_at;
};

static int keep_id(const struct covol_image *image, void *data)
{
	struct ids *ids = data;

	ids->id[ids->count++] = image->id;
	return ids->count == ids->stop_at ? 55 : 0;
}

static void add_image(uint64_t id, uint16_t flags)
{
	struct nl_msg *message = fake_message(COVOL_CMD_IMAGE_GET, NLM_F_MULTI | flags);

	fake_put_image(message, id);
	fake_add(message);
}

static void test_dump(void **state)
{
	struct ids ids = { .count = 0 };

	(void)state;
	add_image(1, 0);
	add_image(2, 0);
	fake_next_datagram();
	add_image(5, 0);
	fake_next_datagram();
	fake_done(0, NULL);
	assert_int_equal(covol_image_dump(c, &fake_uuid, keep_id, &ids), 0);
	assert_int_equal(ids.count, 3);
	assert_int_equal(ids.id[2], 5);
	assert_int_equal(fake_request_flags(0) & NLM_F_DUMP, NLM_F_DUMP);
	assert_true(fake_has_only(fake_request(0, COVOL_CMD_IMAGE_GET), COVOL_A_IMAGE_UUID, 0));

	fake_done(0, NULL);
	assert_int_equal(covol_image_dump(c, NULL, keep_id, &ids), 0);
	assert_true(fake_has_only(fake_request(1, COVOL_CMD_IMAGE_GET), 0));
	assert_int_equal(ids.count, 3);
}

/* A callback that has had enough is not called again; the rest does not confuse what follows. */
static void test_dump_stopped(void **state)
{
	struct ids ids = { .stop_at = 1 };

	(void)state;
	add_image(1, 0);
	add_image(2, 0);
	fake_next_datagram();
	add_image(3, 0);
	fake_done(0, NULL);
	assert_int_equal(covol_image_dump(c, NULL, keep_id, &ids), 55);
	assert_int_equal(ids.count, 1);
	assert_int_equal(covol_image_del(c, &fake_uuid, 1), 0);
}

static void test_dump_disturbed(void **state)
{
	struct ids ids = { .count = 0 };

	(void)state;
	add_image(1, 0);
	add_image(2, NLM_F_DUMP_INTR);
	fake_done(0, NULL);
	assert_int_equal(covol_image_dump(c, NULL, keep_id, &ids), -EAGAIN);
	assert_int_equal(ids.count, 2);
}

/* A dump that is refused after it began says so in its last message. */
static void test_dump_refused(void **state)
{
	struct ids ids = { .count = 0 };

	(void)state;
	fake_done(-ENOENT, "no such volume");
	assert_int_equal(covol_image_dump(c, &fake_uuid, keep_id, &ids), -ENOENT);
	assert_string_equal(covol_error(c), "image-get of volume " FAKE_UUID ": no such volume");
}

static void put_extent(struct nl_msg *message, uint64_t offset, uint32_t state)
{
	struct nlattr *nest = nla_nest_start(message, COVOL_A_MAP_EXTENT | NLA_F_NESTED);

	nla_put_u64(message, COVOL_A_EXTENT_OFFSET, offset);
	nla_put_u64(message, COVOL_A_EXTENT_LENGTH, 4096);
	nla_put_u32(message, COVOL_A_EXTENT_STATE, state);
	if (state == COVOL_EXTENT_STATE_DATA)
		nla_put_u64(message, COVOL_A_EXTENT_PLACE, offset + 100 * 4096);
	nla_nest_end(message, nest);
}

struct extents {
	struct covol_extent extent[16];
	size_t count;
};

static int keep_extent(const struct covol_extent *extent, void *data)
{
	struct extents *extents = data;

	extents->extent[extents->count++] = *extent;
	return 0;
}

static struct nl_msg *map_message(void)
{
	struct nl_msg *message = fake_message(COVOL_CMD_MAP_GET, NLM_F_MULTI);

	nla_put(message, COVOL_A_MAP_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u64(message, COVOL_A_MAP_OBJECT, 3);
	return message;
}

/* Many extents in a message, one, or none. */
static void test_map_dump(void **state)
{
	struct extents extents = { .count = 0 };
	struct nl_msg *message = map_message();

	(void)state;
	put_extent(message, 0, COVOL_EXTENT_STATE_DATA);
	put_extent(message, 4096, COVOL_EXTENT_STATE_HOLE);
	put_extent(message, 8192, COVOL_EXTENT_STATE_DATA);
	fake_add(message);
	fake_add(map_message());
	fake_next_datagram();
	message = map_message();
	put_extent(message, 16384, COVOL_EXTENT_STATE_UNWRITTEN);
	fake_add(message);
	fake_done(0, NULL);
	assert_int_equal(covol_map_dump(c, &fake_uuid, 3, keep_extent, &extents), 0);
	assert_int_equal(extents.count, 4);
	assert_int_equal(extents.extent[0].place, 100 * 4096);
	assert_int_equal(extents.extent[1].state, COVOL_EXTENT_STATE_HOLE);
	assert_int_equal(extents.extent[2].offset, 8192);
	assert_int_equal(extents.extent[3].offset, 16384);
	assert_true(fake_has_only(fake_request(0, COVOL_CMD_MAP_GET), COVOL_A_MAP_UUID,
				  COVOL_A_MAP_OBJECT, 0));
}

static void test_map_get(void **state)
{
	struct nl_msg *message = map_message();
	struct covol_extent extent;

	(void)state;
	put_extent(message, 4096, COVOL_EXTENT_STATE_DATA);
	fake_add(message);
	fake_ack();
	assert_int_equal(covol_map_get(c, &fake_uuid, 3, 5000, &extent), 0);
	assert_int_equal(extent.offset, 4096);
	assert_int_equal(extent.length, 4096);
	assert_int_equal(nla_get_u64(fake_request(0, COVOL_CMD_MAP_GET)[COVOL_A_MAP_OFFSET]), 5000);
}

/* ---- refusals ---- */

static void test_refusal_with_message(void **state)
{
	struct covol_image image = { .uuid = fake_uuid, .id = 3, .size = 8192, .fd = -1 };

	(void)state;
	fake_refuse(-EEXIST, "there is such an image already", 0, 0);
	assert_int_equal(covol_image_new(c, &image), -EEXIST);
	assert_string_equal(covol_error(c), "image-new of volume " FAKE_UUID
			    ", image 3: there is such an image already");
}

static void test_refusal_without_message(void **state)
{
	(void)state;
	fake_refuse(-EPERM, NULL, 0, 0);
	assert_int_equal(covol_volume_del(c, &fake_uuid), -EPERM);
	assert_string_equal(covol_error(c), "volume-del of volume " FAKE_UUID
			    ": Operation not permitted");
}

/* The attribute that is wrong is named, by where it stands in what we sent. */
static void test_refusal_names_attribute(void **state)
{
	struct covol_volume volume = { .uuid = fake_uuid, .chunk_size = 3, .epoch = 1 };

	(void)state;
	fake_refuse(-ERANGE, "integer out of range", COVOL_A_VOLUME_CHUNK_SIZE, 0);
	assert_int_equal(covol_volume_set(c, &volume, COVOL_VOLUME_EPOCH |
					  COVOL_VOLUME_CHUNK_SIZE), -ERANGE);
	assert_string_equal(covol_error(c), "volume-set of volume " FAKE_UUID
			    ": integer out of range (chunk-size)");
}

/* Once is enough. */
static void test_refusal_names_attribute_itself(void **state)
{
	(void)state;
	fake_refuse(-ENOENT, "uuid: unknown volume", COVOL_A_VOLUME_UUID, 0);
	assert_int_equal(covol_volume_del(c, &fake_uuid), -ENOENT);
	assert_string_equal(covol_error(c), "volume-del of volume " FAKE_UUID
			    ": uuid: unknown volume");
}

static void test_refusal_names_missing(void **state)
{
	(void)state;
	fake_refuse(-EINVAL, NULL, 0, COVOL_A_VOLUME_UUID);
	assert_int_equal(covol_volume_del(c, &fake_uuid), -EINVAL);
	assert_string_equal(covol_error(c), "volume-del of volume " FAKE_UUID
			    ": missing attribute (uuid)");
	/* One that a newer kernel knows and we do not. */
	fake_refuse(-EINVAL, NULL, 0, 60000);
	assert_int_equal(covol_volume_del(c, &fake_uuid), -EINVAL);
	assert_string_equal(covol_error(c), "volume-del of volume " FAKE_UUID
			    ": missing attribute");
}

/* An endlessly long message of the kernel is cut, not overrun. */
static void test_refusal_long(void **state)
{
	char text[1024];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fake_refuse(-EINVAL, text, 0, 0);
	assert_int_equal(covol_volume_del(c, &fake_uuid), -EINVAL);
	assert_true(strlen(covol_error(c)) < 600);
}

static void test_absent_family(void **state)
{
	(void)state;
	fake_absent();
	assert_int_equal(covol_connect(c), -ENOENT);
	assert_int_equal(covol_volume_del(c, &fake_uuid), -ENOENT);
	assert_string_equal(covol_error(c), "no family");
	assert_int_equal(fake_requests(), 0);
}

static void test_no_error_yet(void **state)
{
	(void)state;
	assert_string_equal(covol_error(c), "");
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_volume_new),
		TEST(test_volume_new_without_lun),
		TEST(test_volume_set),
		TEST(test_image_commands),
		TEST(test_image_file),
		TEST(test_session_commands),
		TEST(test_map_clear),
		TEST(test_map_set),
		TEST(test_map_set_nothing),
		TEST(test_map_set_pieces),
		TEST(test_map_set_pieces_refused),
		TEST(test_map_set_unordered),
		TEST(test_volume_get),
		TEST(test_image_get),
		TEST(test_get_without_answer),
		TEST(test_get_malformed),
		TEST(test_strange_messages),
		TEST(test_receive_fails),
		TEST(test_dump),
		TEST(test_dump_stopped),
		TEST(test_dump_disturbed),
		TEST(test_dump_refused),
		TEST(test_map_dump),
		TEST(test_map_get),
		TEST(test_refusal_with_message),
		TEST(test_refusal_without_message),
		TEST(test_refusal_names_attribute),
		TEST(test_refusal_names_attribute_itself),
		TEST(test_refusal_names_missing),
		TEST(test_refusal_long),
		TEST(test_absent_family),
		TEST(test_no_error_yet),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
