/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What agents tell each other, as bytes. All numbers are little-endian; nothing is aligned.
 *
 *	magic u32, version u16, type u16, round u64, then by type:
 *	BEGIN	nothing: a round begins, of the number given
 *	OFFER	boot u64, quorate u8, stayed u64, total u32, offset u32, and a piece of the state
 *	EVENT	request u64, and the event: see message.c
 */
#ifndef COVOLD_MESSAGE_H
#define COVOLD_MESSAGE_H

#include "../agent/ownership.h"

/* Bytes of a state in one message; far below what any process group takes at once. */
#define MESSAGE_PIECE	32768
/* What a message has beside a piece of a state is shorter than this. */
#define MESSAGE_HEAD	256
#define MESSAGE_MAX	(MESSAGE_HEAD + MESSAGE_PIECE)
/* No state is as long: 256 volumes with 64 members each are 1.3 MiB. */
#define MESSAGE_STATE_MAX	(4U << 20)

enum message_type {
	MESSAGE_BEGIN = 1,
	MESSAGE_OFFER,
	MESSAGE_EVENT,
};

/**
 * struct message - one message
 * @type: what it is
 * @round: number of the round that it begins, or belongs to
 * @boot: OFFER: the node's boot id; not 0
 * @quorate: OFFER: the sender sees a quorum
 * @stayed: OFFER: nodes that the sender sees, and has been in one ring with since its last view
 * @total: OFFER: length of the state in bytes
 * @offset: OFFER: where in it the piece belongs
 * @piece: OFFER: a part of the state; points into the bytes that were decoded
 * @length: OFFER: of the piece, in bytes
 * @request: EVENT: by which the sender knows it again; 0: it need not
 * @event: EVENT
 */
struct message {
	enum message_type type;
	uint64_t round;
	uint64_t boot;
	bool quorate;
	own_nodes stayed;
	uint32_t total;
	uint32_t offset;
	const uint8_t *piece;
	size_t length;
	uint64_t request;
	struct own_event event;
};

/* Into MESSAGE_MAX bytes; returns how many it took. */
size_t message_encode(const struct message *message, uint8_t *bytes);

/*
 * Believes nothing: -EPROTO for a message of another version, -EBADMSG for what cannot be; then
 * *message is of no use. A view never comes as a message.
 */
int message_decode(struct message *message, const uint8_t *bytes, size_t length);

#endif
