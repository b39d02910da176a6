/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent in a group of one node: event loop, workers, the state on the disk; and a driver that
 * does as it is told, unless the test says otherwise.
 */
#ifndef COVOL_TEST_NODE_H
#define COVOL_TEST_NODE_H

#include <pthread.h>
#include <time.h>

#include "../../userspace/covold/group.h"
#include "../../userspace/covold/runner.h"

#define NODE	5
#define LOG_LEN	4096

struct node {
	char directory[40];
	sd_event *event;
	struct pool *pool;
	struct runner *runner;
	struct group *group;
	struct exchange exchange;
	unsigned int views;
	unsigned int answered;
	int answer;
	own_nodes shut_out;		/* as the driver was told last */
	bool redirects;			/* the same */
	uint8_t forgotten[16];		/* the volume of which the driver was told that last */
	void (*changed)(void *data);	/* for the runner */
	void *changed_data;

	pthread_mutex_t lock;
	/* Protected by lock: the driver's. */
	pthread_cond_t free;
	char log[LOG_LEN];
	bool stuck[OWN_TASKS];		/* until it is broken off */
	bool breaks;
	unsigned int broken_off;
	enum own_result result[OWN_TASKS];
	uint64_t header;
	struct own_facts facts;
	unsigned int running;
	bool overlapped;
};

void node_init(struct node *node);
void node_exit(struct node *node);
/* As if the program had begun, and had ended. */
void node_begin(struct node *node);
void node_end(struct node *node);

/* Lets the loop go on until that is so; half a minute at most. */
#define until(node, condition)                                                \
	do {                                                                  \
		time_t limit_ = time(NULL) + 30;                               \
		while (!(condition) && time(NULL) < limit_)                   \
			assert_true(sd_event_run((node)->event, 20000) >= 0); \
		assert_true(condition);                                       \
	} while (0)

#endif
