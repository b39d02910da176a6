/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What carries tasks out. The runner calls it; tests have one of their own.
 */
#ifndef COVOLD_DRIVER_H
#define COVOLD_DRIVER_H

#include "../agent/ownership.h"

/**
 * struct driver_task - a task, and the volume that it is of
 * @action: the task
 * @uuid: of the volume
 * @name: of the volume
 * @incarnation: of the key that each node has, or may have; 0: none
 * @victims: FENCE: who is to be off, if not by a key
 */
struct driver_task {
	struct own_action action;
	uint8_t uuid[16];
	char name[OWN_NAME];
	uint64_t incarnation[OWN_NODES];
	struct own_victims victims;
};

/**
 * struct driver_answer - how a task ended
 * @result: OWN_OK only if what the task says is so now, all of it
 * @epoch: FENCE: that the LUN's header has; WRITE_EPOCH: that it has now
 * @reason: why not, for people; "" if it went well
 * @note: what it came to if it went well, for people; "" if there is nothing more to say
 */
struct driver_answer {
	enum own_result result;
	uint64_t epoch;
	char reason[256];
	char note[256];
};

/**
 * struct driver_ops - a driver
 * @run: in a worker; one task of a volume at a time. Fills *answer, whose epoch and reason are
 *	 empty
 * @break_off: in a worker, while @run runs for that volume: makes the kernel fail the volume's I/O,
 *	       so that @run ends
 * @facts: in the loop; must not wait; of @busy nothing is expected. false: nothing is known of the
 *	   volume here, or not yet
 * @shut_out: in the loop; must not wait: these nodes were given up; this one, if it is coordinator,
 *	      gives them no session any more. Called before a task runs that was told then
 * @redirects: the same: whether I/O of other nodes may go to the LUN through this one, or may soon
 * @forget: in the loop; must not wait: there is no such volume any more, and no task of it runs.
 *	    Nothing need be known of it until it is asked for again
 */
struct driver_ops {
	void (*run)(void *driver, const struct driver_task *task, struct driver_answer *answer);
	void (*break_off)(void *driver, const uint8_t uuid[16]);
	bool (*facts)(void *driver, const uint8_t uuid[16], struct own_facts *facts);
	void (*shut_out)(void *driver, const uint8_t uuid[16], own_nodes nodes);
	void (*redirects)(void *driver, const uint8_t uuid[16], bool redirects);
	void (*forget)(void *driver, const uint8_t uuid[16]);
};

#endif
