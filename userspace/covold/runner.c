// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "jobs.h"
#include "log.h"
#include "memory.h"
#include "runner.h"
#include "timers.h"

#define SAVE_AGAIN_USEC	1000000

/* What a volume was on a node when it was looked at last. */
struct seen {
	struct own_status status;
	uint64_t since;		/* 0: never */
};

/* A volume on this node. By its uuid: numbers change when states are merged. */
struct local {
	struct local *next;
	struct runner *runner;
	uint8_t uuid[16];
	char name[OWN_NAME];
	struct jobs jobs;
	unsigned int workers;	/* that have it */
	bool listed;		/* in the state */
	struct driver_task task;
	struct driver_answer answer;
	unsigned int ms;	/* that the task took */
	struct seen seen[OWN_NODES];
};

struct request {
	struct request *next;
	uint64_t number;
	struct own_event event;
	void (*done)(void *data, int error);
	void *data;
};

struct runner {
	struct runner_setup setup;
	struct store *store;
	struct exchange *exchange;
	struct ownership own;
	struct own_actions actions;
	struct timers timers;
	sd_event_source *save_again;
	uint32_t saved_view;
	struct local *locals;
	struct request *requests;
	uint64_t request_number;
};

static struct local *local_find(const struct runner *runner, const uint8_t uuid[16])
{
	struct local *local;

	for (local = runner->locals; local; local = local->next)
		if (!memcmp(local->uuid, uuid, sizeof(local->uuid)))
			return local;
	return NULL;
}

static struct local *local_get(struct runner *runner, const struct own_volume *vol)
{
	struct local *local = local_find(runner, vol->uuid);

	if (!local) {
		local = memory_new(sizeof(*local));
		local->runner = runner;
		memcpy(local->uuid, vol->uuid, sizeof(local->uuid));
		local->next = runner->locals;
		runner->locals = local;
	}
	memcpy(local->name, vol->name, sizeof(local->name));
	return local;
}

static void say(struct runner *runner, const struct own_event *event)
{
	/* Between two rounds: the view that comes tells, and asks, everything again. */
	exchange_say(runner->exchange, 0, event);
}

/* ---- tasks ---- */

static void start(struct local *local);

static uint64_t since_boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void work(void *data)
{
	uint64_t began = since_boot_ms();
	struct local *local = data;

	local->runner->setup.driver->run(local->runner->setup.driver_data, &local->task,
					 &local->answer);
	local->ms = since_boot_ms() - began;
}

static void log_answer(const struct local *local)
{
	const struct own_action *action = &local->jobs.running;
	const struct driver_answer *answer = &local->answer;

	if (answer->result == OWN_OK)
		log_about(LOG_INFO, LOG_ID_TASK, local->name, "%s: done in %u ms%s%s",
			  own_task_name(action->task), local->ms, *answer->note ? ": " : "",
			  answer->note);
	else
		log_about(LOG_WARNING, LOG_ID_FAILED, local->name, "%s failed: %s",
			  own_task_name(action->task), answer->reason);
}

static void worked(void *data)
{
	struct local *local = data;
	struct runner *runner = local->runner;
	const struct own_event *answer;
	const struct own_volume *vol;

	local->workers--;
	log_answer(local);
	answer = jobs_ended(&local->jobs, local->answer.result, local->answer.epoch);
	vol = answer ? ownership_volume(&runner->own, answer->volume) : NULL;
	if (vol && !memcmp(vol->uuid, local->uuid, sizeof(local->uuid)))
		say(runner, answer);
	start(local);
	runner_fact(runner, local->uuid);
}

/*
 * Whose key is which, as it is now: a fence keeps those of the nodes that it names. And who is to
 * be off, as it is now: one that was to be fenced may have booted since.
 */
static void tell_nodes(struct runner *runner, struct local *local)
{
	const struct own_volume *vol = ownership_volume(&runner->own, local->task.action.volume);
	unsigned int node;

	memset(&local->task.victims, 0, sizeof(local->task.victims));
	if (vol && local->task.action.task == OWN_TASK_FENCE)
		local->task.victims = ownership_victims(&runner->own, vol, &local->task.action);
	memset(local->task.incarnation, 0, sizeof(local->task.incarnation));
	for (node = 1; vol && node <= OWN_NODES; node++)
		local->task.incarnation[node - 1] = vol->member[node - 1].incarnation;
}

static void start(struct local *local)
{
	struct runner *runner = local->runner;
	const struct own_action *action;

	/* A worker that breaks off what ran must not meet what comes next. */
	if (local->workers || runner->saved_view < runner->own.view)
		return;
	action = jobs_start(&local->jobs);
	if (!action)
		return;
	memset(&local->answer, 0, sizeof(local->answer));
	local->task.action = *action;
	memcpy(local->task.uuid, local->uuid, sizeof(local->task.uuid));
	memcpy(local->task.name, local->name, sizeof(local->task.name));
	tell_nodes(runner, local);
	local->workers++;
	pool_submit(runner->setup.pool, work, worked, local);
}

static void break_off(void *data)
{
	struct local *local = data;

	local->runner->setup.driver->break_off(local->runner->setup.driver_data, local->uuid);
}

static void broken_off(void *data)
{
	struct local *local = data;

	local->workers--;
	start(local);
}

static void told(struct runner *runner, const struct own_action *action)
{
	const struct own_volume *vol = ownership_volume(&runner->own, action->volume);
	struct local *local;

	/* The same event has forgotten it. */
	if (!vol)
		return;
	local = local_get(runner, vol);
	switch (jobs_told(&local->jobs, action)) {
	case JOBS_AGAIN:
		say(runner, &local->jobs.answer);
		break;
	case JOBS_BREAK_OFF:
		local->workers++;
		pool_submit(runner->setup.pool, break_off, broken_off, local);
		break;
	case JOBS_START:
		start(local);
		break;
	default:
		break;
	}
}

static void fire(void *data, const struct own_event *event)
{
	say(data, event);
}

static void carry_out(struct runner *runner)
{
	const struct own_action *action;
	size_t i;
	int error;

	for (i = 0; i < runner->actions.count; i++) {
		action = &runner->actions.list[i];
		if (action->node != runner->exchange->node)
			continue;
		if (action->type == OWN_ACT_TASK) {
			told(runner, action);
			continue;
		}
		error = timers_set(&runner->timers, action);
		/* Without it the volume might wait for ever; systemd starts the agent again. */
		if (error < 0) {
			log_error("cannot set a timer: %s", strerror(-error));
			abort();
		}
	}
	runner->actions.count = 0;
}

/* ---- what is so on this node ---- */

static void say_facts(struct runner *runner, struct own_volume *vol)
{
	const struct local *local = local_find(runner, vol->uuid);
	struct own_event events[OWN_DIFFERS];
	struct own_facts facts;
	unsigned int i, count;

	if (!runner->own.quorate ||
	    !runner->setup.driver->facts(runner->setup.driver_data, vol->uuid, &facts))
		return;
	facts.busy = local && (local->workers || jobs_busy(&local->jobs));
	facts.changing_key = local && jobs_change_key(&local->jobs);
	count = ownership_differs(vol, runner->exchange->node, &facts, events);
	for (i = 0; i < count; i++)
		say(runner, &events[i]);
}

static struct own_volume *volume_of(struct runner *runner, const uint8_t uuid[16])
{
	size_t i;

	for (i = 0; i < runner->own.count; i++)
		if (!memcmp(runner->own.volumes[i]->uuid, uuid, 16))
			return runner->own.volumes[i];
	return NULL;
}

/* Who is here returns it, if late; an agent that is awaited may be the reason why it is late. */
void runner_stuck(struct runner *runner, const uint8_t uuid[16], unsigned int node)
{
	struct own_volume *vol = volume_of(runner, uuid);
	struct own_event event = { .type = OWN_EV_FENCE_WANTED, .node = node };

	if (!vol || !runner->exchange || node < 1 || node > OWN_NODES ||
	    (runner->own.present | runner->own.absent) & own_bit(node) ||
	    own_member(vol, node)->access == OWN_ACCESS_NONE)
		return;
	event.volume = vol->id;
	say(runner, &event);
}

/* ---- what volumes are ---- */

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static const char *reasons_text(unsigned int reasons, char text[128])
{
	unsigned int bit;

	text[0] = 0;
	for (bit = 0; reasons >> bit; bit++)
		if (reasons & 1U << bit)
			snprintf(text + strlen(text), 128 - strlen(text), "%s%s",
				 *text ? ", " : "", own_reason_name(bit));
	return text;
}

/*
 * A node that was fenced may be the last to hear of it, or be cut off from who knows; and one that
 * was given up fails all I/O until it is told a route.
 */
static void correct(struct runner *runner, const struct own_volume *vol, struct own_status *status)
{
	struct own_facts facts;

	if (!runner->setup.driver->facts(runner->setup.driver_data, vol->uuid, &facts))
		return;
	if (facts.conflict || facts.failing)
		status->state = OWN_STATE_UNAVAILABLE;
	if (facts.conflict || facts.failing == OWN_EXPELLED)
		status->reasons |= OWN_REASON_FENCED;
}

struct own_status runner_status(struct runner *runner, const struct own_volume *vol,
				unsigned int node)
{
	struct own_status status = ownership_status(&runner->own, vol, node);

	if (status.state != OWN_STATE_UNAVAILABLE && runner->exchange &&
	    node == runner->exchange->node)
		correct(runner, vol, &status);
	return status;
}

static bool look(struct runner *runner, const struct own_volume *vol, struct local *local,
		 unsigned int node)
{
	struct own_status status = runner_status(runner, vol, node);
	struct seen *seen = &local->seen[node - 1];
	char text[128];

	if (seen->since && seen->status.state == status.state &&
	    seen->status.reasons == status.reasons)
		return false;
	seen->status = status;
	seen->since = now_usec();
	if (node == runner->exchange->node)
		log_about(LOG_NOTICE, LOG_ID_STATE, local->name, "%s%s%s%s",
			  own_state_name(status.state), status.reasons ? " (" : "",
			  reasons_text(status.reasons, text), status.reasons ? ")" : "");
	return true;
}

/* Forget what is no longer in the state, as soon as no worker has it. */
static void sweep(struct runner *runner)
{
	struct local **link = &runner->locals, *local;

	while ((local = *link)) {
		if (local->listed || local->workers) {
			link = &local->next;
			continue;
		}
		*link = local->next;
		runner->setup.driver->forget(runner->setup.driver_data, local->uuid);
		free(local);
	}
}

static void look_all(struct runner *runner)
{
	const struct own_volume *vol;
	struct local *local;
	unsigned int node;
	size_t i;

	for (local = runner->locals; local; local = local->next)
		local->listed = false;
	for (i = 0; i < runner->own.count; i++) {
		vol = runner->own.volumes[i];
		local = local_get(runner, vol);
		local->listed = true;
		for (node = 1; node <= OWN_NODES; node++)
			look(runner, vol, local, node);
	}
	sweep(runner);
	if (runner->setup.changed)
		runner->setup.changed(runner->setup.changed_data);
}

void runner_fact(struct runner *runner, const uint8_t uuid[16])
{
	struct own_volume *vol = volume_of(runner, uuid);

	if (!vol || !runner->exchange)
		return;
	say_facts(runner, vol);
	if (look(runner, vol, local_get(runner, vol), runner->exchange->node) &&
	    runner->setup.changed)
		runner->setup.changed(runner->setup.changed_data);
}

uint64_t runner_since(const struct runner *runner, const uint8_t uuid[16], unsigned int node)
{
	const struct local *local = local_find(runner, uuid);

	return local ? local->seen[node - 1].since : 0;
}

/* ---- requests ---- */

void runner_request(struct runner *runner, const struct own_event *event,
		    void (*done)(void *data, int error), void *data)
{
	struct request *request = memory_new(sizeof(*request)), **link;

	request->number = ++runner->request_number;
	request->event = *event;
	request->done = done;
	request->data = data;
	for (link = &runner->requests; *link; link = &(*link)->next)
		;
	*link = request;
	/* Between two rounds it is said when the view is there. */
	if (runner->exchange)
		exchange_say(runner->exchange, request->number, event);
}

static void answer_request(struct runner *runner, uint64_t number, int error)
{
	struct request **link, *request;

	for (link = &runner->requests; *link; link = &(*link)->next)
		if ((*link)->number == number)
			break;
	request = *link;
	if (!request)
		return;
	*link = request->next;
	request->done(request->data, error);
	free(request);
}

/* What was said before this view has been heard by nobody, or has been answered. */
static void requests_again(struct runner *runner)
{
	struct request *request;

	for (request = runner->requests; request; request = request->next)
		exchange_say(runner->exchange, request->number, &request->event);
}

static void requests_fail(struct runner *runner, int error)
{
	while (runner->requests)
		answer_request(runner, runner->requests->number, error);
}

/* ---- events ---- */

/*
 * Before anybody is told that all who were given up hold nothing any more, and before a fence, of
 * which nodes may come that are redirected.
 */
static void tell_driver(struct runner *runner)
{
	const struct driver_ops *driver = runner->setup.driver;
	void *data = runner->setup.driver_data;
	const struct own_volume *vol;
	size_t i;

	for (i = 0; i < runner->own.count; i++) {
		vol = runner->own.volumes[i];
		driver->shut_out(data, vol->uuid, ownership_given_up(vol));
		driver->redirects(data, vol->uuid,
				  ownership_redirects(&runner->own, vol, runner->exchange->node));
	}
}

static int step(struct runner *runner, const struct own_event *event)
{
	int error = ownership_step(&runner->own, event, &runner->actions);

	store_save(runner->store, &runner->own);
	tell_driver(runner);
	carry_out(runner);
	look_all(runner);
	return error;
}

void runner_view(struct runner *runner, const struct own_event *view)
{
	size_t i;

	log_about(LOG_NOTICE, LOG_ID_VIEW, NULL, "view: agents %#llx of nodes %#llx, %squorate",
		  (unsigned long long)view->nodes, (unsigned long long)view->up,
		  view->quorate ? "" : "not ");
	/* The view arms them again. */
	timers_clear(&runner->timers);
	step(runner, view);
	if (!runner->exchange->synced) {
		requests_fail(runner, -ENOTCONN);
		return;
	}
	for (i = 0; i < runner->own.count; i++)
		say_facts(runner, runner->own.volumes[i]);
	requests_again(runner);
}

static bool is_request(const struct own_event *event)
{
	return event->type >= OWN_EV_FENCE_WANTED;
}

void runner_event(struct runner *runner, unsigned int from, uint64_t request,
		  const struct own_event *event)
{
	struct own_volume *vol;
	int error = step(runner, event);

	if (is_request(event))
		log_about(LOG_NOTICE, LOG_ID_REQUEST, NULL, "node %u: %s of volume %u%s%s: %s",
			  from, own_event_name(event->type), event->volume,
			  *event->name ? " " : "", event->name,
			  error ? strerror(-error) : "accepted");
	/* What has been said of this node may be wrong by now. */
	vol = ownership_volume(&runner->own, event->volume);
	if (event->node == runner->exchange->node && vol)
		say_facts(runner, vol);
	if (from == runner->exchange->node && request)
		answer_request(runner, request, error);
}

/* ---- life ---- */

static int on_save_again(sd_event_source *source, uint64_t usec, void *data)
{
	struct runner *runner = data;

	(void)usec;
	sd_event_source_unref(source);
	runner->save_again = NULL;
	store_save(runner->store, &runner->own);
	return 0;
}

/* Nothing is done that the disk does not know of: it is tried again until it can be written. */
static void on_saved(void *data, uint32_t view, int error)
{
	struct runner *runner = data;
	struct local *local;

	if (error) {
		if (!runner->save_again)
			sd_event_add_time_relative(runner->setup.event, &runner->save_again,
						   CLOCK_MONOTONIC, SAVE_AGAIN_USEC, 0,
						   on_save_again, runner);
		return;
	}
	runner->saved_view = view;
	for (local = runner->locals; local; local = local->next)
		start(local);
}

int runner_create(struct runner **result, const struct runner_setup *setup)
{
	struct runner *runner = memory_new(sizeof(*runner));
	int error;

	runner->setup = *setup;
	ownership_init(&runner->own, false);
	timers_init(&runner->timers, setup->event, fire, runner);
	error = store_open(&runner->store, setup->pool, setup->state_directory, on_saved, runner);
	if (!error)
		error = store_load(runner->store, &runner->own);
	if (error < 0) {
		runner_destroy(runner);
		return error;
	}
	ownership_restart(&runner->own);
	*result = runner;
	return 0;
}

void runner_attach(struct runner *runner, struct exchange *exchange)
{
	runner->exchange = exchange;
}

struct ownership *runner_state(struct runner *runner)
{
	return &runner->own;
}

void runner_destroy(struct runner *runner)
{
	struct local *local;

	requests_fail(runner, -ESHUTDOWN);
	timers_clear(&runner->timers);
	sd_event_source_disable_unref(runner->save_again);
	while ((local = runner->locals)) {
		runner->locals = local->next;
		free(local);
	}
	if (runner->store)
		store_close(runner->store);
	free(runner->actions.list);
	ownership_exit(&runner->own);
	free(runner);
}
