// SPDX-License-Identifier: GPL-2.0-only
/*
 * PING. See alive.h.
 */
#include <linux/jiffies.h>

#include "alive.h"
#include "log.h"
#include "session.h"
#include "volume.h"

/*
 * How often lanes are looked at, after how many looks in vain the other end is
 * asked, and after how many it is given up. What is counted is looks and not
 * time, so that a machine that was stopped itself gives its peers a chance.
 */
#define LOOK_TIME	HZ
#define ASK_AFTER	3
#define GIVE_UP_AFTER	10
/* A request that waits longer than this is said in the log. */
#define LATE		(20 * HZ)

/* alive->flags */
enum {
	PING_OUT,	/* not answered */
	PING_SENDING,	/* @ping is not ours */
	PONG_SENDING,	/* @pong is not ours */
};

static void ping_sent(struct covol_msg *msg, int err)
{
	struct covol_alive *alive = container_of(msg, struct covol_alive, ping);

	clear_bit_unlock(PING_SENDING, &alive->flags);
}

/* There is never more than one on its way. */
static void ask(struct covol_lane *lane)
{
	struct covol_alive *alive = &lane->alive;
	struct covol_hdr hdr = { .opcode = COVOL_OP_PING };

	if (test_bit(PING_OUT, &alive->flags) ||
	    test_and_set_bit_lock(PING_SENDING, &alive->flags))
		return;
	hdr.id = alive->id + 1;
	WRITE_ONCE(alive->id, hdr.id);
	smp_mb__before_atomic();	/* the answer finds the id */
	set_bit(PING_OUT, &alive->flags);
	memset(&alive->ping, 0, sizeof(alive->ping));
	alive->ping.sent = ping_sent;
	covol_lane_send(lane, &alive->ping, &hdr);
}

/* Look at a lane; false: its other end is given up. */
static bool look(struct covol_lane *lane)
{
	struct covol_alive *alive = &lane->alive;
	u64 came = covol_conn_came(&lane->conn);

	/* Who has begun a session waits for a sign that the other end has. */
	if (!alive->id) {
		ask(lane);
		return true;
	}
	/* A peer that would say something must be able to. What is unread does
	 * not say by itself that it is our turn: a TLS record whose end never
	 * comes is never read.
	 */
	if (came != alive->seen || covol_conn_full(&lane->conn) ||
	    (READ_ONCE(lane->paused) && covol_conn_unread(&lane->conn))) {
		alive->seen = came;
		WRITE_ONCE(alive->silent, 0);
		return true;
	}
	WRITE_ONCE(alive->silent, alive->silent + 1);
	if (alive->silent >= ASK_AFTER)
		ask(lane);
	return alive->silent < GIVE_UP_AFTER;
}

/* A peer that is there and does not answer is slow: its LUN is, or whom it has
 * to ask. To end the session would help nobody: whatever replaces it waits for
 * this request (I3), and layouts that are good would be lost with it.
 */
static void look_for_late(struct covol_session *s)
{
	unsigned long now = jiffies, since = now;
	unsigned int slot, waited;
	u8 op = 0;

	spin_lock(&s->lock);
	for_each_set_bit(slot, s->used, COVOL_WINDOW) {
		if (!s->slots[slot] || !time_before(s->slots[slot]->since, since))
			continue;
		since = s->slots[slot]->since;
		op = s->slots[slot]->hdr.opcode;
	}
	spin_unlock(&s->lock);
	waited = jiffies_to_msecs(now - since) / MSEC_PER_SEC;
	if (time_after(now, since + LATE) == s->late)
		return;
	s->late = !s->late;
	if (s->late)
		covol_warn(s->vol, "node %u has not answered a %s for %u s: waiting\n",
			   s->peer, covol_wire_op_name(op), waited);
	else
		covol_info(s->vol, "node %u answers again\n", s->peer);
}

static void alive_work(struct work_struct *work)
{
	struct covol_session *s = container_of(work, struct covol_session,
					       alive_work.work);
	unsigned int i;

	for (i = 0; i < s->nr_lanes; i++) {
		if (look(&s->lane[i]))
			continue;
		covol_session_lost(s, -ETIMEDOUT, "the peer does not answer");
		return;
	}
	look_for_late(s);
	queue_delayed_work(covol_session_wq, &s->alive_work, LOOK_TIME);
}

/**
 * covol_alive_init() - a session is made
 * @s: the session
 */
void covol_alive_init(struct covol_session *s)
{
	INIT_DELAYED_WORK(&s->alive_work, alive_work);
}

/**
 * covol_alive_start() - look at the session's lanes from now on
 * @s: the session; its lanes are attached
 *
 * Context: any.
 */
void covol_alive_start(struct covol_session *s)
{
	queue_delayed_work(covol_session_wq, &s->alive_work, 0);
}

/**
 * covol_alive_stop() - look at them no more
 * @s: the session
 *
 * Context: may sleep.
 */
void covol_alive_stop(struct covol_session *s)
{
	cancel_delayed_work_sync(&s->alive_work);
}

static void pong_sent(struct covol_msg *msg, int err)
{
	struct covol_lane *lane = container_of(msg, struct covol_lane,
					       alive.pong);

	clear_bit_unlock(PONG_SENDING, &lane->alive.flags);
	covol_conn_resume(&lane->conn);
}

/**
 * covol_alive_header() - the header of a PING, or of the answer to one, came
 * @lane: where
 * @hdr: the header
 *
 * Context: the connection's receiving work item.
 *
 * Return: 0: covol_alive_message() is to be called; -EAGAIN: the answer to the
 * last one has not been sent yet; -EPROTO: an answer to nothing we asked.
 */
int covol_alive_header(struct covol_lane *lane, const struct covol_hdr *hdr)
{
	struct covol_alive *alive = &lane->alive;

	if (!(hdr->flags & COVOL_WIRE_RESPONSE))
		return test_and_set_bit_lock(PONG_SENDING, &alive->flags) ?
		       -EAGAIN : 0;
	if (!test_and_clear_bit(PING_OUT, &alive->flags) ||
	    hdr->id != READ_ONCE(alive->id))
		return -EPROTO;
	return 0;
}

/**
 * covol_alive_message() - a PING, or the answer to one, is complete
 * @lane: where
 * @hdr: its header
 *
 * Context: the connection's receiving work item.
 */
void covol_alive_message(struct covol_lane *lane, const struct covol_hdr *hdr)
{
	struct covol_alive *alive = &lane->alive;
	struct covol_hdr answer = *hdr;

	if (hdr->flags & COVOL_WIRE_RESPONSE)
		return;		/* that it came is all there is to it */
	answer.flags = COVOL_WIRE_RESPONSE;
	memset(&alive->pong, 0, sizeof(alive->pong));
	alive->pong.sent = pong_sent;
	covol_lane_send(lane, &alive->pong, &answer);
}
