// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../lun/header.h"
#include "image_wire.h"

struct wire_request {
	uint32_t op;
	uint32_t zero;
	uint64_t id;
	uint64_t size;
	uint64_t nodes;
	char name[IMAGES_NAME];
};

struct wire_answer {
	uint32_t error;		/* positive */
	uint32_t count;
	uint64_t size;
	char text[IMAGES_ERROR];
};

struct wire_entry {
	uint64_t id;
	uint64_t size;
	uint64_t used;
	char name[IMAGES_NAME];
};

_Static_assert(sizeof(struct wire_request) == 64, "a request has no holes");
_Static_assert(sizeof(struct wire_answer) == 216, "an answer has no holes");
_Static_assert(sizeof(struct wire_entry) == 56, "an entry has no holes");

static int send_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;
	ssize_t sent;

	while (length) {
		sent = send(fd, at, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		at += sent;
		length -= sent;
	}
	return 0;
}

static int receive_all(int fd, void *bytes, size_t length)
{
	char *at = bytes;
	ssize_t got;

	while (length) {
		got = recv(fd, at, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (!got)
			return -ECONNRESET;
		at += got;
		length -= got;
	}
	return 0;
}

int image_request_send(int fd, const struct image_request *request)
{
	struct wire_request wire = {
		.op = htole32(request->op),
		.id = htole64(request->id),
		.size = htole64(request->size),
		.nodes = htole64(request->nodes),
	};

	memcpy(wire.name, request->name, sizeof(wire.name));
	return send_all(fd, &wire, sizeof(wire));
}

static bool takes_name(enum image_op op)
{
	return op == IMAGE_FIND || op == IMAGE_CREATE || op == IMAGE_REMOVE;
}

static bool name_good(const char name[IMAGES_NAME])
{
	return memchr(name, 0, IMAGES_NAME) && lun_name_valid(name);
}

int image_request_receive(int fd, struct image_request *request)
{
	struct wire_request wire;
	int error = receive_all(fd, &wire, sizeof(wire));

	if (error)
		return error;
	request->op = le32toh(wire.op);
	request->id = le64toh(wire.id);
	request->size = le64toh(wire.size);
	request->nodes = le64toh(wire.nodes);
	memcpy(request->name, wire.name, sizeof(wire.name));
	if ((unsigned int)request->op >= IMAGE_OPS || wire.zero ||
	    (takes_name(request->op) && !name_good(request->name)) ||
	    (request->op == IMAGE_CREATE &&
	     (!request->size || request->size % 512 || request->size > INT64_MAX)) ||
	    (request->op == IMAGE_DROP && (!request->id || request->id > INT64_MAX)))
		return -EBADMSG;
	return 0;
}

int image_answer_send(int fd, const struct image_answer *answer)
{
	struct wire_answer wire = {
		.error = htole32(-answer->error),
		.count = htole32(answer->list.count),
		.size = htole64(answer->size),
	};
	struct wire_entry entry;
	int error;
	size_t i;

	memcpy(wire.text, answer->text, sizeof(wire.text));
	error = send_all(fd, &wire, sizeof(wire));
	for (i = 0; !error && i < answer->list.count; i++) {
		entry.id = htole64(answer->list.entry[i].id);
		entry.size = htole64(answer->list.entry[i].size);
		entry.used = htole64(answer->list.entry[i].used);
		memcpy(entry.name, answer->list.entry[i].name, sizeof(entry.name));
		error = send_all(fd, &entry, sizeof(entry));
	}
	return error;
}

static int receive_entry(int fd, struct image_entry *entry)
{
	struct wire_entry wire;
	int error = receive_all(fd, &wire, sizeof(wire));

	if (error)
		return error;
	entry->id = le64toh(wire.id);
	entry->size = le64toh(wire.size);
	entry->used = le64toh(wire.used);
	memcpy(entry->name, wire.name, sizeof(wire.name));
	return name_good(entry->name) && entry->id && entry->id <= INT64_MAX && entry->size &&
	       !(entry->size % 512) && entry->size <= INT64_MAX ? 0 : -EBADMSG;
}

static int receive_entries(int fd, struct image_list *list, size_t count)
{
	int error = 0;

	list->entry = calloc(count + 1, sizeof(*list->entry));
	if (!list->entry)
		return -ENOMEM;
	while (!error && list->count < count)
		error = receive_entry(fd, &list->entry[list->count++]);
	return error;
}

int image_answer_receive(int fd, struct image_answer *answer)
{
	struct wire_answer wire;
	uint32_t error, count;
	int result;

	memset(answer, 0, sizeof(*answer));
	result = receive_all(fd, &wire, sizeof(wire));
	if (result)
		return result;
	error = le32toh(wire.error);
	count = le32toh(wire.count);
	if (error > 4095 || count > IMAGES_MAX || le64toh(wire.size) % 512 ||
	    le64toh(wire.size) > INT64_MAX || !memchr(wire.text, 0, sizeof(wire.text)))
		return -EBADMSG;
	answer->error = -(int)error;
	answer->size = le64toh(wire.size);
	memcpy(answer->text, wire.text, sizeof(wire.text));
	result = receive_entries(fd, &answer->list, count);
	if (!result)
		return 0;
	free(answer->list.entry);
	memset(&answer->list, 0, sizeof(answer->list));
	return result;
}
