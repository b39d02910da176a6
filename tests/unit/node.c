// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/covold/log.h"
#include "node.h"
#include "test.h"

static void leave(struct node *node)
{
	node->facts.mounted = false;
	node->facts.serving = 0;
}

static void driver_do(struct node *node, const struct own_action *action,
		      struct driver_answer *answer)
{
	switch (action->task) {
	case OWN_TASK_REGISTER:
		node->facts.incarnation = action->incarnation;
		node->facts.conflict = false;
		leave(node);
		node->facts.route = OWN_ROUTE_NONE;
		break;
	case OWN_TASK_FENCE:
		answer->epoch = node->header;
		break;
	case OWN_TASK_MOUNT:
		node->facts.mounted = true;
		node->facts.route = OWN_ROUTE_DIRECT;
		break;
	case OWN_TASK_SERVE:
		node->facts.serving = action->epoch;
		break;
	case OWN_TASK_ROUTE:
		node->facts.held = false;
		node->facts.route = action->route;
		break;
	case OWN_TASK_WRITE_EPOCH:
		node->header = action->epoch;
		answer->epoch = action->epoch;
		break;
	case OWN_TASK_UNMOUNT:
	case OWN_TASK_BARRIER:
		leave(node);
		break;
	case OWN_TASK_CLOSE:
		leave(node);
		node->facts.incarnation = 0;
		node->facts.route = OWN_ROUTE_NONE;
		break;
	default:
		break;
	}
}

static void driver_run(void *driver, const struct driver_task *task, struct driver_answer *answer)
{
	struct node *node = driver;
	enum own_task kind = task->action.task;

	pthread_mutex_lock(&node->lock);
	if (node->running++)
		node->overlapped = true;
	snprintf(node->log + strlen(node->log), LOG_LEN - strlen(node->log), "%s ",
		 own_task_name(kind));
	while (node->stuck[kind] && !node->breaks)
		pthread_cond_wait(&node->free, &node->lock);
	node->breaks = false;
	answer->result = node->stuck[kind] ? OWN_FAILED : node->result[kind];
	if (answer->result == OWN_OK)
		driver_do(node, &task->action, answer);
	else
		snprintf(answer->reason, sizeof(answer->reason), "the test wants it");
	node->running--;
	pthread_mutex_unlock(&node->lock);
}

static void driver_break_off(void *driver, const uint8_t uuid[16])
{
	struct node *node = driver;

	(void)uuid;
	pthread_mutex_lock(&node->lock);
	node->broken_off++;
	node->breaks = true;
	pthread_cond_broadcast(&node->free);
	pthread_mutex_unlock(&node->lock);
}

static bool driver_facts(void *driver, const uint8_t uuid[16], struct own_facts *facts)
{
	struct node *node = driver;

	(void)uuid;
	pthread_mutex_lock(&node->lock);
	*facts = node->facts;
	pthread_mutex_unlock(&node->lock);
	return true;
}

static void driver_shut_out(void *driver, const uint8_t uuid[16], own_nodes nodes)
{
	(void)uuid;
	((struct node *)driver)->shut_out = nodes;
}

static void driver_redirects(void *driver, const uint8_t uuid[16], bool redirects)
{
	(void)uuid;
	((struct node *)driver)->redirects = redirects;
}

static void driver_forget(void *driver, const uint8_t uuid[16])
{
	memcpy(((struct node *)driver)->forgotten, uuid, 16);
}

static const struct driver_ops driver_ops = {
	.run = driver_run,
	.break_off = driver_break_off,
	.facts = driver_facts,
	.shut_out = driver_shut_out,
	.redirects = driver_redirects,
	.forget = driver_forget,
};

static void on_send(void *data, const uint8_t *bytes, size_t length)
{
	struct node *node = data;

	node->group->ops->send(node->group, bytes, length);
}

static uint64_t on_number(void *data)
{
	static uint64_t number;

	(void)data;
	return ++number;
}

static void on_view(void *data, const struct own_event *view)
{
	struct node *node = data;

	node->views++;
	runner_view(node->runner, view);
}

static void on_event(void *data, unsigned int from, uint64_t request,
		     const struct own_event *event)
{
	struct node *node = data;

	runner_event(node->runner, from, request, event);
}

static const struct exchange_ops exchange_ops = {
	.send = on_send,
	.number = on_number,
	.view = on_view,
	.event = on_event,
};

static void on_joined(void *data, unsigned int number)
{
	struct node *node = data;

	exchange_init(&node->exchange, &exchange_ops, node, runner_state(node->runner), number,
		      1);
	runner_attach(node->runner, &node->exchange);
}

static void on_members(void *data, own_nodes members)
{
	exchange_members(&((struct node *)data)->exchange, members);
}

static void on_ring(void *data, own_nodes up, own_nodes together)
{
	exchange_ring(&((struct node *)data)->exchange, up, together);
}

static void on_quorum(void *data, bool known, bool quorate, bool two_node)
{
	exchange_quorum(&((struct node *)data)->exchange, known, quorate, two_node);
}

static void on_message(void *data, unsigned int from, const uint8_t *bytes, size_t length)
{
	struct node *node = data;

	assert_int_equal(exchange_deliver(&node->exchange, from, bytes, length), 0);
}

static const struct group_events group_events = {
	.joined = on_joined,
	.members = on_members,
	.ring = on_ring,
	.quorum = on_quorum,
	.message = on_message,
};

void node_begin(struct node *node)
{
	struct runner_setup setup = { .driver = &driver_ops, .driver_data = node };

	assert_true(sd_event_new(&node->event) >= 0);
	assert_int_equal(pool_create(&node->pool, node->event, 2, 8), 0);
	setup.event = node->event;
	setup.pool = node->pool;
	setup.state_directory = node->directory;
	setup.changed = node->changed;
	setup.changed_data = node->changed_data;
	assert_int_equal(runner_create(&node->runner, &setup), 0);
	assert_int_equal(group_standalone_open(&node->group, node->event, NODE, &group_events,
					       node),
			 0);
	node->views = 0;
}

void node_end(struct node *node)
{
	node->group->ops->close(node->group);
	pool_destroy(node->pool);
	runner_destroy(node->runner);
	exchange_exit(&node->exchange);
	sd_event_unref(node->event);
}

void node_init(struct node *node)
{
	memset(node, 0, sizeof(*node));
	log_init(LOG_ERR - 1);
	strcpy(node->directory, "/tmp/covold-node-XXXXXX");
	assert_non_null(mkdtemp(node->directory));
	pthread_mutex_init(&node->lock, NULL);
	pthread_cond_init(&node->free, NULL);
	node->facts.path = true;
	node->shut_out = ~0ULL;
	node->redirects = true;
}

void node_exit(struct node *node)
{
	char command[80];

	snprintf(command, sizeof(command), "rm -rf %s", node->directory);
	assert_int_equal(system(command), 0);
}
