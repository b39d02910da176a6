/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent: what main() puts together. Group, exchange, runner and driver, in one event loop.
 */
#ifndef COVOLD_AGENT_H
#define COVOLD_AGENT_H

#include <systemd/sd-event.h>

#include "bus.h"
#include "config.h"
#include "exchange.h"
#include "group.h"
#include "identity.h"
#include "kernel.h"
#include "runner.h"

struct agent {
	/* Set once. */
	sd_event *event;
	const struct config *config;
	uint64_t boot;		/* this node's boot id */
	struct pool *pool;
	struct runner *runner;
	struct group *group;
	struct kernel kernel;
	bool kernel_open;
	int tls_error;		/* of ready_tls() */
	struct bus *bus;
	struct identity *identity;

	int lock;		/* descriptor; negative: another agent has it */
	sd_event_source *wait;	/* for the lock */
	bool told;		/* systemd: ready */
	bool failed;		/* the loop has ended for an error */
	unsigned int node;	/* 0: not known yet */
	struct exchange exchange;
};

/* Run until a signal. Returns an exit code. */
int agent_run(const struct config *config);

#endif
