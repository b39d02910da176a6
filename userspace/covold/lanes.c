// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>

#include "lanes.h"
#include "memory.h"

enum state {
	OVER,
	GATHERING,
	WHOLE,
};

/* A node, and its last session. */
struct lanes_node {
	struct lanes_node *next;
	unsigned int node;
	enum state state;
	struct lanes_offer session;	/* its first lane to come */
	uint64_t before;		/* number of the session before */
	uint64_t began;			/* in us */
	unsigned int missing;
	int fd[COVOL_LANES_MAX];	/* -1: has not come */
};

static struct lanes_node *find(const struct lanes *lanes, unsigned int node)
{
	struct lanes_node *of;

	for (of = lanes->first; of; of = of->next)
		if (of->node == node)
			return of;
	return NULL;
}

static struct lanes_node *get(struct lanes *lanes, unsigned int node)
{
	struct lanes_node *of = find(lanes, node);
	unsigned int i;

	if (of)
		return of;
	of = memory_new(sizeof(*of));
	of->node = node;
	for (i = 0; i < COVOL_LANES_MAX; i++)
		of->fd[i] = -1;
	of->next = lanes->first;
	lanes->first = of;
	return of;
}

static void end(struct lanes_node *of)
{
	unsigned int i;

	for (i = 0; i < COVOL_LANES_MAX; i++) {
		if (of->fd[i] >= 0)
			close(of->fd[i]);
		of->fd[i] = -1;
	}
	of->state = OVER;
}

static void begin(struct lanes_node *of, const struct lanes_offer *offer, uint64_t now)
{
	end(of);
	of->before = of->session.number;
	of->session = *offer;
	of->began = now;
	of->missing = offer->count;
	of->state = GATHERING;
}

static void take_all(struct lanes_node *of, struct lanes_set *whole)
{
	unsigned int i;

	whole->count = of->session.count;
	for (i = 0; i < whole->count; i++) {
		whole->fd[i] = of->fd[i];
		of->fd[i] = -1;
	}
	of->state = WHOLE;
}

enum lanes_result lanes_put(struct lanes *lanes, const struct lanes_offer *offer, int fd,
			    uint64_t now, struct lanes_set *whole)
{
	struct lanes_node *of;

	if (!offer->count || offer->count > COVOL_LANES_MAX || offer->lane >= offer->count)
		return LANES_WRONG;
	of = get(lanes, offer->node);
	if (offer->number != of->session.number) {
		/*
		 * I3: the node has given that one up, whose lane is late; without TLS a lost packet
		 * can make it late for being accepted, too.
		 */
		if (offer->accepted < of->session.accepted || offer->number == of->before)
			return LANES_OVER;
		begin(of, offer, now);
	}
	if (of->state != GATHERING)
		return LANES_OVER;
	if (offer->epoch != of->session.epoch || offer->count != of->session.count)
		return LANES_OTHER;
	if (of->fd[offer->lane] >= 0)
		return LANES_TWICE;
	of->fd[offer->lane] = fd;
	if (--of->missing)
		return LANES_WAIT;
	take_all(of, whole);
	return LANES_WHOLE;
}

const char *lanes_word(enum lanes_result result)
{
	static const char *const words[] = {
		[LANES_WRONG] = "it says that it is a connection which no session has",
		[LANES_OTHER] = "two connections of a session do not say the same of it",
		[LANES_TWICE] = "a connection of a session has come twice",
		[LANES_OVER] = "a connection has come late: its session is whole, or was given up",
	};

	return result < sizeof(words) / sizeof(words[0]) && words[result] ? words[result] : "";
}

bool lanes_wanted(const struct lanes *lanes, unsigned int node, uint64_t number)
{
	const struct lanes_node *of = find(lanes, node);

	return of && of->state == WHOLE && of->session.number == number;
}

void lanes_drop(struct lanes *lanes, own_nodes nodes)
{
	struct lanes_node *of;

	for (of = lanes->first; of; of = of->next)
		if (nodes & own_bit(of->node))
			end(of);
}

unsigned int lanes_expire(struct lanes *lanes, uint64_t now, uint64_t limit)
{
	struct lanes_node *of;
	unsigned int count = 0;

	for (of = lanes->first; of; of = of->next) {
		if (of->state != GATHERING || now - of->began < limit)
			continue;
		end(of);
		count++;
	}
	return count;
}

void lanes_free(struct lanes *lanes)
{
	struct lanes_node *of;

	while ((of = lanes->first)) {
		lanes->first = of->next;
		end(of);
		free(of);
	}
}
