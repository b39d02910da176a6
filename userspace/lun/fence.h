/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fencing: make sure that a node can no longer write to a LUN, and that nothing that it has written
 * is still on its way. Three steps, in this order: remove (its key), drain, verify.
 *
 * All of it blocks, for as long as the LUN, the kernel's error handling or the program takes, and
 * is for a worker thread. It may be called again after any failure, and by several nodes at once;
 * it keeps no file open.
 */
#ifndef COVOL_LUN_FENCE_H
#define COVOL_LUN_FENCE_H

#include "reservation.h"

enum lun_method {
	LUN_METHOD_PR,		/* persistent reservations */
	LUN_METHOD_COMMAND,	/* a program of fence-agents */
	LUN_METHOD_NONE,	/* nobody is fenced: for tests */
	LUN_METHODS
};

enum lun_step {
	LUN_STEP_REMOVE,
	LUN_STEP_DRAIN,
	LUN_STEP_VERIFY,
	LUN_STEPS
};

/**
 * struct lun_fence - who keeps its key
 * @key: this node's own; it is kept. 0: keys are nothing, for lun_drain()
 * @keep: the others'
 * @keeps: how many
 * @cluster: lun_cluster_id(), for the words
 * @drain: how
 * @wait: seconds, for LUN_DRAIN_WAIT
 * @shown: lun_array_shown(): that @drain is enough has been tried. Else LUN_DRAIN_ABORT and
 *	LUN_DRAIN_WAIT do not stand alone
 * @trouble: told, in a sentence, what goes on when it takes longer: a reset has failed and is
 *	repeated; may be NULL
 * @trouble_data: for @trouble
 */
struct lun_fence {
	uint64_t key;
	const uint64_t *keep;
	size_t keeps;
	uint16_t cluster;
	enum lun_drain drain;
	uint32_t wait;
	bool shown;
	void (*trouble)(void *data, const char *text);
	void *trouble_data;
};

/**
 * struct lun_fence_report - what was done
 * @step: that failed; LUN_STEPS when all succeeded
 * @removed: keys that this call took away
 * @foreign: keys among them that are not this cluster's
 * @resets: that were sent for the drain; all but the last have failed
 * @waited: seconds for the drain
 * @ms: how long each step took
 * @text: a sentence, in either case
 */
struct lun_fence_report {
	enum lun_step step;
	unsigned int removed;
	unsigned int foreign;
	unsigned int resets;
	unsigned int waited;
	unsigned int ms[LUN_STEPS];
	char text[LUN_ERROR_LEN];
};

/*
 * lun_fence() - take every key away that is not to be kept, drain, and read back
 *
 * The drain is done also when there was no key to take away: who took it away may not have come to
 * that. With LUN_DRAIN_ABORT it is the abort itself that drains; what this call has not aborted
 * itself is drained by a reset, or for NVMe by waiting as long as its hosts give a command. So is
 * all of it if nothing shows that the abort drains; after LUN_DRAIN_WAIT a reset follows if nothing
 * shows that it is long enough.
 *
 * A reset that fails has drained nothing. It is repeated, twice at most, after a pause and after
 * this node's key was seen on the LUN, which also waits for a path that is coming back. Only one
 * that succeeds, after the keys went, is a drain.
 *
 * Returns 0, or:
 *   -EBADE	this node's own key is gone: it was fenced itself, and must stop
 *   -EBUSY	somebody else than covol has reserved the LUN
 *   -EAGAIN	keys that were not to be kept were registered meanwhile: fence again
 *   others	of reservation.h
 */
int lun_fence(struct lun *lun, const struct lun_fence *fence, struct lun_fence_report *report);
/*
 * lun_drain() - the second step alone, after a node was switched off
 *
 * What it had sent may be in the LUN still. Of @fence only how to drain counts, and not the keys.
 * With LUN_DRAIN_ABORT there was no abort, and a SCSI LUN is reset; a LUN that has no reset is
 * given as long as NVMe's hosts give a command.
 *
 * Returns 0 or an error of reservation.h.
 */
int lun_drain(struct lun *lun, const struct lun_fence *fence, struct lun_fence_report *report);
/* Method none: does nothing, says so in @report. */
void lun_fence_none(const struct lun *lun, struct lun_fence_report *report);

/**
 * struct lun_fence_command - a program that switches a node off (fence-agents' interface)
 * @program: "fence_ipmilan", which is looked for in /usr/sbin and /sbin, or an absolute path
 * @options: "name=value", for its standard input, with the one that names the node ("plug=node3");
 *	without action. They may hold passwords, and are in no error text and on no command line
 * @count: how many
 * @timeout: seconds that each of its two calls gets
 */
struct lun_fence_command {
	const char *program;
	const char *const *options;
	size_t count;
	unsigned int timeout;
};

/*
 * lun_fence_command() - action=off, then action=status
 *
 * Returns 0 when the program says that it did, and then that the node is off (exit status 2). Else,
 * with a sentence in @text:
 *   -EINVAL	an option with a line break or without "=", or no program's name or path
 *   -ENOENT	there is no such program
 *   -ETIMEDOUT	it took too long, and was killed
 *   -EIO	it failed, or says that the node is not off
 */
int lun_fence_command(const struct lun_fence_command *command, char *text, size_t text_len);

/* "remove", "drain", "verify"; "pr", "command", "none", and back (-1: no such method). */
const char *lun_step_name(enum lun_step step);
const char *lun_method_name(enum lun_method method);
int lun_method_parse(const char *name);

#endif
