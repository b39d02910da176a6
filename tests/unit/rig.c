// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "test.h"

void rig_init(struct rig *rig, own_nodes nodes)
{
	memset(rig, 0, sizeof(*rig));
	ownership_init(&rig->own, false);
	rig_view(rig, nodes, nodes, nodes, true);
}

void rig_started(struct rig *rig, own_nodes nodes)
{
	rig_init(rig, nodes);
	rig_volume(rig, 1);
	assert_int_equal(rig_vol(rig)->phase, OWN_ONLINE);
	assert_int_equal(rig_vol(rig)->coordinator, 1);
	rig_clear(rig);
}

void rig_exit(struct rig *rig)
{
	ownership_exit(&rig->own);
	free(rig->actions.list);
}

static void note(struct rig *rig, const struct own_action *action)
{
	size_t used = strlen(rig->log);

	if (action->volume != 1)
		return;
	assert_true(used + 32 < sizeof(rig->log));
	sprintf(rig->log + used, "%s%s:%u", used ? " " : "", own_task_name(action->task),
		action->node);
	if (action->task == OWN_TASK_FENCE)
		rig->kept = action->nodes;
	if (action->task == OWN_TASK_SERVE || action->task == OWN_TASK_RELEASE ||
	    action->task == OWN_TASK_UNMOUNT)
		rig->holders = action->nodes;
	if (action->task == OWN_TASK_SERVE)
		rig->served = action->nodes;
	if (action->task == OWN_TASK_UNMOUNT)
		rig->recalled = action->recall;
	if (action->task == OWN_TASK_BARRIER && action->fenced)
		rig->fenced |= own_bit(action->node);
	if (action->expelled)
		rig->expelled |= own_bit(action->node);
	if (action->expelled == OWN_EXPELLED_UNKNOWN)
		rig->unknown |= own_bit(action->node);
	if (action->apart)
		rig->apart |= own_bit(action->node);
	if (action->task == OWN_TASK_CLOSE && action->fenced)
		rig->keyless |= own_bit(action->node);
}

static void answer(struct rig *rig, const struct own_action *action)
{
	struct own_event event = {
		.type = OWN_EV_DONE,
		.node = action->node,
		.volume = action->volume,
		.serial = action->serial,
		.result = rig->answer[action->task][action->node],
	};

	if (action->task == OWN_TASK_CONNECT && rig->deaf & own_bit(action->other))
		event.result = OWN_FAILED;
	note(rig, action);
	if (rig->silent[action->task][action->node])
		return;
	if (event.result == OWN_OK && action->task == OWN_TASK_FENCE)
		event.epoch = rig->header;
	if (event.result == OWN_OK && action->task == OWN_TASK_WRITE_EPOCH) {
		event.epoch = action->epoch > rig->header ? action->epoch : rig->header + 1;
		rig->header = event.epoch;
	}
	ownership_step(&rig->own, &event, &rig->actions);
}

static void fire(struct rig *rig, const struct own_action *action)
{
	struct own_event event = {
		.type = OWN_EV_TIMER,
		.volume = action->volume,
		.timer = action->timer,
		.node = action->subject,
		.serial = action->serial,
	};

	ownership_step(&rig->own, &event, &rig->actions);
}

/* One that is out of date does no harm. */
static void wait(struct rig *rig, const struct own_action *action)
{
	rig->timer = *action;
	if (action->timer != OWN_TIMER_VOLUME && action->timer != OWN_TIMER_MEMBER)
		return;
	assert_true(rig->wait_count < RIG_WAITS);
	rig->waits[rig->wait_count++] = *action;
}

static void work(struct rig *rig)
{
	struct own_action action;
	int limit = 100000;

	while (rig->next < rig->actions.count) {
		assert_true(limit--);
		action = rig->actions.list[rig->next++];
		assert_true(action.node && rig->own.present & own_bit(action.node));
		if (action.type == OWN_ACT_TASK)
			answer(rig, &action);
		else if (rig->timers)
			fire(rig, &action);
		else
			wait(rig, &action);
	}
	rig->actions.count = 0;
	rig->next = 0;
}

int rig_event(struct rig *rig, const struct own_event *event)
{
	int err = ownership_step(&rig->own, event, &rig->actions);

	work(rig);
	return err;
}

int rig_simple(struct rig *rig, enum own_event_type type, unsigned int node, bool on)
{
	struct own_event event = { .type = type, .volume = 1, .node = node, .on = on };

	return rig_event(rig, &event);
}

void rig_view(struct rig *rig, own_nodes nodes, own_nodes up, own_nodes booted, bool quorate)
{
	struct own_event event = {
		.type = OWN_EV_VIEW,
		.nodes = nodes,
		.up = up,
		.boots = rig->boots,
		.quorate = quorate,
	};
	unsigned int node;

	own_for_each(node, booted)
		rig->boots[node - 1]++;
	rig->up = up;
	rig_event(rig, &event);
}

void rig_volume(struct rig *rig, uint32_t id)
{
	struct own_event event = { .type = OWN_EV_ADD };

	sprintf(event.name, "vol%u", id);
	event.uuid[0] = id;
	assert_int_equal(rig_event(rig, &event), 0);
	event = (struct own_event){ .type = OWN_EV_START, .volume = id };
	assert_int_equal(rig_event(rig, &event), 0);
}

void rig_fire(struct rig *rig)
{
	struct own_action action = rig->timer;

	assert_true(action.serial);
	rig->timer = (struct own_action){ 0 };
	fire(rig, &action);
	work(rig);
}

void rig_retry(struct rig *rig, unsigned int times)
{
	struct own_action waits[RIG_WAITS];
	unsigned int count, i;

	while (times--) {
		count = rig->wait_count;
		memcpy(waits, rig->waits, sizeof(waits));
		rig->wait_count = 0;
		for (i = 0; i < count; i++) {
			fire(rig, &waits[i]);
			work(rig);
		}
	}
}

struct own_volume *rig_vol(struct rig *rig)
{
	struct own_volume *vol = ownership_volume(&rig->own, 1);

	assert_non_null(vol);
	return vol;
}

struct own_member *rig_member(struct rig *rig, unsigned int node)
{
	return own_member(rig_vol(rig), node);
}

void rig_clear(struct rig *rig)
{
	rig->log[0] = '\0';
	rig->kept = 0;
	rig->holders = 0;
	rig->served = 0;
	rig->fenced = 0;
	rig->expelled = 0;
	rig->unknown = 0;
	rig->apart = 0;
	rig->keyless = 0;
	rig->recalled = false;
}
