/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What agents ask each other about images, as bytes on a connection on which both have proved who
 * they are. Numbers are little-endian. Nothing that comes is believed.
 */
#ifndef COVOLD_IMAGE_WIRE_H
#define COVOLD_IMAGE_WIRE_H

#include "../agent/ownership.h"
#include "images.h"

enum image_op {
	IMAGE_LIST,	/* the coordinator: all there are */
	IMAGE_FIND,	/* the coordinator: @name */
	IMAGE_CREATE,	/* the coordinator: @name, @size */
	IMAGE_REMOVE,	/* the coordinator: @name; @nodes may have it attached */
	IMAGE_VOLUME,	/* the coordinator: the size of the volume itself */
	IMAGE_DROP,	/* any node: the kernel's object @id; not if it is attached */
	IMAGE_OPS
};

/**
 * struct image_request - a question
 * @op: what
 * @uuid: of the volume; not among the bytes: the connection is about a volume
 * @id: of the image
 * @size: bytes
 * @nodes: a set of nodes
 * @name: of the image; "" where none is asked for
 */
struct image_request {
	enum image_op op;
	uint8_t uuid[16];
	uint64_t id;
	uint64_t size;
	own_nodes nodes;
	char name[IMAGES_NAME];
};

/**
 * struct image_answer - an answer
 * @error: 0 or a negative errno
 * @text: with an error: a sentence
 * @size: VOLUME: bytes
 * @list: LIST: all; FIND, CREATE: the one. free() list.entry
 */
struct image_answer {
	int error;
	char text[IMAGES_ERROR];
	uint64_t size;
	struct image_list list;
};

/* 0 or a negative errno; -EBADMSG: nothing that there could be. The descriptor waits. */
int image_request_send(int fd, const struct image_request *request);
int image_request_receive(int fd, struct image_request *request);
int image_answer_send(int fd, const struct image_answer *answer);
int image_answer_receive(int fd, struct image_answer *answer);

#endif
