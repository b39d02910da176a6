/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How agents come to the same state, and keep it: the part of the group's work that is the same
 * whatever carries the messages. Pure: no I/O, no clock.
 *
 *	alone --members--> changed --BEGIN--> offering --all have offered--> synced
 *	                      ^                  ^  |BEGIN                     |
 *	                      +---members, ring--+--+-------------------------+
 *
 * The carrier delivers messages to all members in the same order, and a change of members, or of
 * the ring of nodes that are up, between the same two of them. The first member then says BEGIN
 * with a number that is like no other; each offers its state for that round; when all have offered,
 * all merge the offers in the order of the nodes' numbers, and the view is the first event.
 * Whatever was said in another round counts for nothing, and that is so for everybody.
 *
 * Anybody may begin another round: who sees a quorum come or go.
 *
 * A node that is up, and whose agent is not here, is waited for only if it has been in all the
 * rings that everybody here has been in since it was last in a view: in another one its agent may
 * have gone on without us, and be gone by now.
 */
#ifndef COVOLD_EXCHANGE_H
#define COVOLD_EXCHANGE_H

#include "message.h"

/**
 * struct exchange_ops - what the exchange needs
 * @send: tell all members, this one included, in the order that is the same for all
 * @number: a number but 0 that nobody has had before
 * @view: all have the same state; @view is to be applied first
 * @event: to be applied. @from: who said it; @request: by which that one knows it again
 */
struct exchange_ops {
	void (*send)(void *data, const uint8_t *bytes, size_t length);
	uint64_t (*number)(void *data);
	void (*view)(void *data, const struct own_event *view);
	void (*event)(void *data, unsigned int from, uint64_t request,
		      const struct own_event *event);
};

struct exchange_offer {
	uint8_t *bytes;
	uint32_t total;		/* 0: nothing yet */
	uint32_t length;
	uint64_t boot;
	bool quorate;
	own_nodes stayed;
};

struct exchange {
	/* Set once. */
	const struct exchange_ops *ops;
	void *data;
	struct ownership *own;
	unsigned int node;
	uint64_t boot;		/* this node's boot id; not 0 */

	bool two_node;
	/* As the carrier has it. */
	own_nodes members;
	own_nodes up;
	own_nodes away;		/* who may have been in another ring since the last view */
	bool known;		/* whether there is a quorum: of this ring */
	bool quorate;

	uint64_t round;		/* 0: none has begun */
	bool offering;		/* the own offer is out */
	bool synced;
	bool begun;		/* this node has asked for another round */
	struct exchange_offer offer[OWN_NODES + 1];
};

void exchange_init(struct exchange *x, const struct exchange_ops *ops, void *data,
		   struct ownership *own, unsigned int node, uint64_t boot);
void exchange_exit(struct exchange *x);

/* The members of the process group are others now. */
void exchange_members(struct exchange *x, own_nodes members);
/*
 * A new ring of the nodes @up, with an agent or without. @together: those of them that have been in
 * no other since the one before.
 */
void exchange_ring(struct exchange *x, own_nodes up, own_nodes together);
/* @known: it is of the ring given last; while not, nothing is offered. */
void exchange_quorum(struct exchange *x, bool known, bool quorate, bool two_node);
/* The carrier is gone: this node is alone, without a quorum. */
void exchange_alone(struct exchange *x);

/*
 * A message, from a member. 0; -EPROTO: of another version; -EBADMSG: of no use, or a state that
 * cannot be. Neither changes anything; a state that cannot be keeps all from coming together.
 */
int exchange_deliver(struct exchange *x, unsigned int from, const uint8_t *bytes, size_t length);

/* Announce an event. false: between two rounds nobody would hear it; again after the view. */
bool exchange_say(struct exchange *x, uint64_t request, const struct own_event *event);

#endif
