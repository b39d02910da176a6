// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "agent.h"
#include "boot.h"
#include "log.h"
#include "memory.h"
#include "ready.h"

#define LOCK_AGAIN_USEC	200000
#define SPARE_WORKERS	4

static void fail(struct agent *agent)
{
	agent->failed = true;
	sd_event_exit(agent->event, 0);
}

/* ---- exchange ---- */

static void on_send(void *data, const uint8_t *bytes, size_t length)
{
	struct agent *agent = data;

	agent->group->ops->send(agent->group, bytes, length);
}

static uint64_t on_number(void *data)
{
	uint64_t number = 0;

	(void)data;
	while (!number)
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			abort();
	return number;
}

static void tell_status(const struct agent *agent)
{
	const struct ownership *own = runner_state(agent->runner);

	sd_notifyf(0, "STATUS=node %u: agents of %d nodes, %s; %zu volumes", agent->node,
		   __builtin_popcountll(own->present), own->quorate ? "quorate" : "no quorum",
		   own->count);
}

static void learn_names(struct agent *agent)
{
	const char *name = agent->group->ops->node_name(agent->group, agent->node);

	kernel_group(&agent->kernel, agent->group, agent->node);
	bus_group(agent->bus, agent->group, agent->node);
	/* Alone, it has nobody to prove it to. */
	if (name && agent->config->backend != CONFIG_STANDALONE)
		identity_name(agent->identity, name);
}

static void on_view(void *data, const struct own_event *view)
{
	struct agent *agent = data;

	/* A node that has come has a name and an address. */
	learn_names(agent);
	runner_view(agent->runner, view);
	tell_status(agent);
}

static void on_event(void *data, unsigned int from, uint64_t request,
		     const struct own_event *event)
{
	struct agent *agent = data;

	runner_event(agent->runner, from, request, event);
}

static const struct exchange_ops exchange_ops = {
	.send = on_send,
	.number = on_number,
	.view = on_view,
	.event = on_event,
};

/* ---- group ---- */

static void on_joined(void *data, unsigned int node)
{
	struct agent *agent = data;

	if (agent->node == node)
		return;
	/* Its keys, and what the others know of it, bear the old one. */
	if (agent->node) {
		log_error("this node was number %u and is %u now; beginning anew", agent->node,
			  node);
		fail(agent);
		return;
	}
	agent->node = node;
	log_node(node);
	exchange_init(&agent->exchange, &exchange_ops, agent, runner_state(agent->runner), node,
		      agent->boot);
	runner_attach(agent->runner, &agent->exchange);
}

static void on_members(void *data, own_nodes members)
{
	struct agent *agent = data;

	exchange_members(&agent->exchange, members);
}

static void on_ring(void *data, own_nodes up, own_nodes together)
{
	struct agent *agent = data;

	exchange_ring(&agent->exchange, up, together);
}

static void on_quorum(void *data, bool known, bool quorate, bool two_node)
{
	struct agent *agent = data;

	exchange_quorum(&agent->exchange, known, quorate, two_node);
}

static void on_names(void *data)
{
	struct agent *agent = data;

	/* Else the first view brings them. */
	if (agent->kernel.node)
		learn_names(agent);
}

static void on_message(void *data, unsigned int from, const uint8_t *bytes, size_t length)
{
	struct agent *agent = data;
	int error = exchange_deliver(&agent->exchange, from, bytes, length);

	if (error == -EPROTO)
		log_about(LOG_ERR, LOG_ID_GROUP, NULL,
			  "the agent of node %u is of another version; nothing goes on until all nodes have the same",
			  from);
	else if (error)
		log_about(LOG_ERR, LOG_ID_GROUP, NULL, "a message from node %u cannot be used: %s",
			  from, strerror(-error));
}

static void on_lost(void *data, const char *why)
{
	struct agent *agent = data;

	sd_notifyf(0, "STATUS=no group: %s", why);
	if (agent->node && agent->exchange.members)
		exchange_alone(&agent->exchange);
}

static const struct group_events group_events = {
	.joined = on_joined,
	.members = on_members,
	.ring = on_ring,
	.quorum = on_quorum,
	.names = on_names,
	.message = on_message,
	.lost = on_lost,
};

static int open_group(struct agent *agent)
{
	const struct config *config = agent->config;

	if (config->backend == CONFIG_STANDALONE)
		return group_standalone_open(&agent->group, agent->event, config->node,
					     &group_events, agent);
	return group_corosync_open(&agent->group, agent->event, &group_events, agent);
}

/* ---- life ---- */

static void on_fact(void *data, const uint8_t uuid[16])
{
	struct agent *agent = data;

	runner_fact(agent->runner, uuid);
}

static void on_stuck(void *data, const uint8_t uuid[16], unsigned int node)
{
	struct agent *agent = data;

	runner_stuck(agent->runner, uuid, node);
}

static void on_changed(void *data)
{
	struct agent *agent = data;

	if (agent->bus)
		bus_changed(agent->bus);
}

static void load_tls(void *data)
{
	struct agent *agent = data;

	agent->tls_error = ready_tls();
}

static void loaded_tls(void *data)
{
	const struct agent *agent = data;

	if (agent->tls_error)
		log_warning("kernel TLS, which sessions need, cannot be tried: %s (is the module tls there?)",
			    strerror(-agent->tls_error));
}

static int start(struct agent *agent)
{
	struct runner_setup setup = {
		.event = agent->event,
		.pool = agent->pool,
		.driver = &kernel_driver,
		.driver_data = &agent->kernel,
		.state_directory = agent->config->state_directory,
		.changed = on_changed,
		.changed_data = agent,
	};
	const struct image_driver images = {
		.kernel = &agent->kernel,
		.ask = image_job_ask,
		.attach = image_job_attach,
		.detach = image_job_detach,
	};
	int error = kernel_open(&agent->kernel, agent->config, agent->event, agent->pool,
				on_fact, on_stuck, agent);

	agent->kernel_open = true;
	if (agent->config->certificate)
		pool_submit(agent->pool, load_tls, loaded_tls, agent);
	if (!error)
		error = runner_create(&agent->runner, &setup);
	if (!error)
		error = identity_open(&agent->identity, agent->event, agent->pool, agent->config);
	if (!error)
		error = bus_open(&agent->bus, agent->event, agent->pool, agent->runner,
				 agent->identity, &images);
	if (!error)
		error = open_group(agent);
	if (error < 0)
		return error;
	sd_notify(0, "READY=1\nSTATUS=waiting for the group");
	return 0;
}

/* Nothing of the agent before this one may run any more: not even a thread in the kernel. */
static int on_lock(sd_event_source *source, uint64_t usec, void *data)
{
	struct agent *agent = data;
	int error = 0;

	(void)source;
	(void)usec;
	agent->lock = boot_lock(agent->config->runtime_directory);
	if (agent->lock == -EAGAIN) {
		if (!agent->told)
			log_info("waiting for the covold before this one to end");
		agent->told = true;
		sd_notify(0, "STATUS=waiting for the covold before this one to end");
		error = sd_event_source_set_time_relative(agent->wait, LOCK_AGAIN_USEC);
		if (error >= 0)
			error = sd_event_source_set_enabled(agent->wait, SD_EVENT_ONESHOT);
	} else if (agent->lock < 0) {
		log_error("%s/lock: %s", agent->config->runtime_directory,
			  strerror(-agent->lock));
		error = agent->lock;
	} else {
		error = start(agent);
	}
	if (error < 0)
		fail(agent);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct agent *agent = data;

	(void)source;
	(void)info;
	sd_notify(0, "STOPPING=1");
	return sd_event_exit(agent->event, 0);
}

static int set_up(struct agent *agent)
{
	sigset_t signals;
	int error = boot_id(&agent->boot);

	/* Without it nobody would know what an earlier life has left behind. */
	if (error) {
		log_error("this node's boot id cannot be read: %s; is /proc mounted?",
			  strerror(-error));
		return error;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	error = sd_event_new(&agent->event);
	if (error >= 0)
		error = sd_event_set_watchdog(agent->event, true);
	if (error >= 0)
		error = sd_event_add_signal(agent->event, NULL, SIGTERM, on_signal, agent);
	if (error >= 0)
		error = sd_event_add_signal(agent->event, NULL, SIGINT, on_signal, agent);
	if (error >= 0)
		error = pool_create(&agent->pool, agent->event, SPARE_WORKERS,
				    agent->config->workers);
	if (error >= 0)
		error = sd_event_add_time_relative(agent->event, &agent->wait, CLOCK_MONOTONIC, 0,
						   0, on_lock, agent);
	if (error < 0)
		log_error("cannot begin: %s", strerror(-error));
	return error;
}

/* Leaves the group first: the others need not wait until they notice. */
static void tear_down(struct agent *agent)
{
	if (agent->group)
		agent->group->ops->close(agent->group);
	/* What waits in the kernel may do so for ever; the lock tells the next agent. */
	if (agent->pool && pool_busy(agent->pool)) {
		log_info("ending with %u tasks under way", pool_busy(agent->pool));
		_exit(agent->failed);
	}
	if (agent->pool)
		pool_destroy(agent->pool);
	if (agent->runner)
		runner_destroy(agent->runner);
	if (agent->bus)
		bus_close(agent->bus);
	if (agent->identity)
		identity_close(agent->identity);
	if (agent->kernel_open)
		kernel_close(&agent->kernel);
	if (agent->node)
		exchange_exit(&agent->exchange);
	sd_event_source_disable_unref(agent->wait);
	sd_event_unref(agent->event);
	if (agent->lock >= 0)
		close(agent->lock);
}

int agent_run(const struct config *config)
{
	struct agent agent = {
		.config = config,
		.lock = -1,
	};
	int error = set_up(&agent);

	if (error >= 0)
		error = sd_event_loop(agent.event);
	if (error < 0) {
		log_error("%s", strerror(-error));
		agent.failed = true;
	}
	tear_down(&agent);
	return agent.failed;
}
