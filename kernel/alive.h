/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the other end of a lane there? A lane is asked when its session begins, and
 * when nothing comes, by PING; one on which nothing comes even then ends, and
 * its session with it.
 *
 * Whatever comes is a sign of life, also what is not read yet. A PING is
 * answered by the work item that receives it: a peer is there as long as it
 * reads, however long it takes for what it was asked to do. When that takes very
 * long the log says so.
 */
#ifndef COVOL_ALIVE_H
#define COVOL_ALIVE_H

#include "conn.h"

struct covol_lane;
struct covol_session;

/**
 * struct covol_alive - what a lane knows of its other end
 * @seen: bytes that had come when it was looked at last
 * @silent: times in a row that nothing had come since
 * @id: of the last PING
 * @flags: what is on its way
 * @ping: a question of ours
 * @pong: an answer of ours
 */
struct covol_alive {
	/* owned by the session's alive_work */
	u64			seen;
	unsigned int		silent;
	u64			id;

	unsigned long		flags;
	struct covol_msg	ping;
	struct covol_msg	pong;
};

void covol_alive_init(struct covol_session *s);
void covol_alive_start(struct covol_session *s);
void covol_alive_stop(struct covol_session *s);
int covol_alive_header(struct covol_lane *lane, const struct covol_hdr *hdr);
void covol_alive_message(struct covol_lane *lane, const struct covol_hdr *hdr);

#endif /* COVOL_ALIVE_H */
