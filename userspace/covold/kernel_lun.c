// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tasks do on the LUN: this node's key, the fence, the epoch in the header.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../lun/fence.h"
#include "boot.h"
#include "kernel.h"
#include "log.h"
#include "power.h"
#include "ready.h"

/* How long an agent has to be here before a node is fenced of which nothing is known; looks. */
#define AGENTS_MS	10000
#define AGENTS_LOOKS	100

/* The LUN has no keys, or they do not count. */
static bool keyless(const struct kernel_task *t)
{
	return t->vol->kernel->config->fence_method == LUN_METHOD_COMMAND;
}

/* Opened with its header read; or a result, with the reason. */
static enum own_result open_lun(struct kernel_task *t, struct lun *lun)
{
	char error[LUN_ERROR_LEN];
	int result = kernel_path_find(t->vol, lun, error);

	return result ? kernel_fail(t, result, "%s", error) : OWN_OK;
}

uint16_t kernel_cluster_id(struct kernel *kernel)
{
	uint16_t id;

	pthread_mutex_lock(&kernel->lock);
	id = lun_cluster_id(kernel->cluster);
	pthread_mutex_unlock(&kernel->lock);
	return id;
}

/* Keys that are made of no name would be strangers to those of all other nodes. */
static enum own_result need_cluster(struct kernel_task *t)
{
	struct kernel *kernel = t->vol->kernel;
	bool known;

	pthread_mutex_lock(&kernel->lock);
	known = kernel->cluster[0];
	pthread_mutex_unlock(&kernel->lock);
	return known ? OWN_OK :
		       kernel_fail(t, -EIO,
				   "the cluster has no name: set cluster_name in corosync.conf");
}

static uint64_t key_of(const struct kernel_task *t, unsigned int node)
{
	uint16_t cluster = kernel_cluster_id(t->vol->kernel);

	return lun_key_make(cluster, node, t->task->incarnation[node - 1]);
}

/* Which key this node is about to have, or 0: also for the agent after this one. */
static enum own_result set_incarnation(struct kernel_task *t, uint64_t incarnation)
{
	const char *directory = t->vol->kernel->config->runtime_directory;
	int error = boot_key_mark(directory, t->vol->uuid, incarnation);

	if (error)
		return kernel_fail(t, -EIO, "%s: which key this node has cannot be written: %s",
				   directory, strerror(-error));
	pthread_mutex_lock(&t->vol->kernel->lock);
	t->vol->facts.incarnation = incarnation;
	pthread_mutex_unlock(&t->vol->kernel->lock);
	return OWN_OK;
}

/* It has a new key, or none. */
static void set_key(struct kernel_volume *vol, uint64_t key)
{
	vol->key = key;
	pthread_mutex_lock(&vol->kernel->lock);
	vol->facts.conflict = false;
	pthread_mutex_unlock(&vol->kernel->lock);
}

/* Once for each key: what a fence of this volume relies on. */
static void say_drain(struct kernel_task *t, const struct lun *lun)
{
	const struct lun_array *array = &t->vol->header.array;
	char product[LUN_PRODUCT_LEN];

	lun_product(lun, "/sys", product);
	if (lun_array_shown(array, product))
		log_about(LOG_INFO, NULL, t->vol->name,
			  "fences drain by %s, which was shown to be enough on this array (%s)",
			  lun_drain_name(array->drain), product);
	else
		log_about(LOG_NOTICE, NULL, t->vol->name,
			  "fences drain by %s; that this is enough was not shown on this array (%s): run covol check --late-write",
			  lun_drain_name(array->drain), product[0] ? product : "unknown");
}

/* This node may have to mount it. If it cannot, that is said now. */
static void load_file_system(struct kernel_task *t)
{
	const char *type = lun_fs_name(t->vol->header.fs);
	int error = ready_file_system(type);

	if (error)
		log_about(LOG_WARNING, NULL, t->vol->name,
			  "this node cannot become coordinator: file system %s: %s", type,
			  strerror(-error));
}

/*
 * The state that told this task knows that this node has registered the key that it has: whoever
 * gives it up from now on takes that key away. Until here it may have been registered too late,
 * after the fence, by a node that had slept; and if there was a conflict, by one more path.
 */
void kernel_told(struct kernel_task *t)
{
	const struct own_action *action = &t->task->action;
	struct kernel_volume *vol = t->vol;

	if (action->task == OWN_TASK_REGISTER || action->task == OWN_TASK_CLOSE || action->fenced ||
	    !action->incarnation || action->incarnation != vol->facts.incarnation ||
	    action->incarnation == vol->told || vol->facts.conflict)
		return;
	/* Without it this node counts as given up if ever nobody knows. */
	if (!boot_key_mark_told(vol->kernel->config->runtime_directory, vol->uuid,
				action->incarnation))
		vol->told = action->incarnation;
}

/*
 * I3: nobody remembers whether this node was given up. Nobody has done so without taking the key
 * away with which it was told last to go on.
 */
static enum own_result look_back(struct kernel_task *t, struct lun *lun)
{
	uint64_t told = boot_key_told(t->vol->kernel->config->runtime_directory, t->vol->uuid);
	struct lun_pr pr;
	bool there;
	int error;

	/* Where there are no keys who was given up has been switched off. */
	if (t->task->action.expelled != OWN_EXPELLED_UNKNOWN || keyless(t))
		return OWN_OK;
	error = lun_pr_read(lun, &pr);
	if (error)
		return kernel_fail(t, error, "%s", lun->error);
	there = told && lun_pr_has(&pr, lun_key_make(kernel_cluster_id(t->vol->kernel),
						     t->task->action.node, told));
	lun_pr_free(&pr);
	return there ? OWN_OK : kernel_route_fail(t);
}

/* Everything that an older key did has been given up, and has ended. */
enum own_result kernel_register(struct kernel_task *t)
{
	unsigned int node = t->task->action.node;
	enum own_result result;
	uint64_t key;
	struct lun lun;
	int error;

	result = need_cluster(t);
	if (result == OWN_OK)
		result = set_incarnation(t, t->task->action.incarnation);
	if (result == OWN_OK)
		result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
	result = look_back(t, &lun);
	if (result != OWN_OK) {
		lun_close(&lun);
		return result;
	}
	kernel_keys_paths(&lun);
	key = lun_key_make(kernel_cluster_id(t->vol->kernel), node, t->task->action.incarnation);
	/* Without keys the incarnation alone tells an earlier life from this one. */
	error = keyless(t) ? 0 : lun_pr_register(&lun, key);
	if (error >= 0 && !keyless(t))
		error = lun_pr_reserve(&lun, key);
	if (error < 0)
		result = kernel_fail(t, error, "%s", lun.error);
	else
		set_key(t->vol, key);
	if (result == OWN_OK && !keyless(t)) {
		kernel_keys_had(t, &lun);
		say_drain(t, &lun);
	}
	lun_close(&lun);
	if (result == OWN_OK)
		load_file_system(t);
	return result;
}

static void fence_trouble(void *data, const char *text)
{
	const struct kernel_task *t = data;

	log_about(LOG_WARNING, LOG_ID_FAILED, t->vol->name, "%s", text);
}

static void name_of(const struct kernel_task *t, unsigned int node, char name[GROUP_NAME_LEN])
{
	struct kernel *kernel = t->vol->kernel;

	pthread_mutex_lock(&kernel->lock);
	memcpy(name, kernel->names[node], GROUP_NAME_LEN);
	pthread_mutex_unlock(&kernel->lock);
}

/* Those that there are: the others are not in the list of nodes, or not any more. */
static own_nodes named(const struct kernel_task *t, own_nodes nodes)
{
	char name[GROUP_NAME_LEN];
	own_nodes result = 0;
	unsigned int node;

	own_for_each(node, nodes) {
		name_of(t, node, name);
		if (name[0])
			result |= own_bit(node);
	}
	return result;
}

/* One after the other: all have to be off. */
static enum own_result switch_off(struct kernel_task *t, own_nodes nodes)
{
	char name[GROUP_NAME_LEN], self[GROUP_NAME_LEN], text[POWER_TEXT];
	unsigned int node;
	int error;

	name_of(t, t->task->action.node, self);
	own_for_each(node, nodes) {
		name_of(t, node, name);
		if (!name[0])
			return kernel_fail(t, -EIO,
					   "not fenced: node %u is not in the list of nodes", node);
		error = power_off(t->vol->kernel->config, name, self, text);
		/* Its errors are not the LUN's. */
		if (error)
			return kernel_fail(t, -EIO, "%s", text);
		log_about(LOG_NOTICE, LOG_ID_TASK, t->vol->name, "%s", text);
	}
	return OWN_OK;
}

static unsigned int views(const struct kernel_task *t)
{
	struct kernel *kernel = t->vol->kernel;
	unsigned int count;

	pthread_mutex_lock(&kernel->lock);
	count = kernel->views;
	pthread_mutex_unlock(&kernel->lock);
	return count;
}

/*
 * Where all agents were started again at once, the first of them knows nothing of the others, and
 * is here before they are. Who comes changes the view, and with it who is to be off.
 */
static enum own_result await_agents(struct kernel_task *t, unsigned int looks)
{
	const struct timespec pause = { .tv_nsec = AGENTS_MS / AGENTS_LOOKS * 1000000L };
	unsigned int before = views(t), i;

	for (i = 0; i < looks; i++) {
		if (views(t) != before)
			return kernel_fail(t, -EAGAIN,
					   "not fenced: a node has come or gone: looking again");
		nanosleep(&pause, NULL);
	}
	return OWN_OK;
}

static enum own_result switch_victims_off(struct kernel_task *t)
{
	const struct own_victims *victims = &t->task->victims;
	own_nodes forgotten = named(t, victims->forgotten);
	enum own_result result;
	unsigned int node;

	if (!victims->current)
		return kernel_fail(t, -ECANCELED, "not fenced: it is no longer wanted");
	/* A list without this node says nothing of the others. */
	if (!named(t, own_bit(t->task->action.node)))
		return kernel_fail(t, -EIO,
				   "not fenced: this node is not in the list of nodes itself");
	result = switch_off(t, victims->off);
	if (result == OWN_OK && forgotten)
		result = await_agents(t, AGENTS_LOOKS);
	if (result == OWN_OK)
		result = switch_off(t, forgotten);
	node = own_first(victims->spared);
	if (result != OWN_OK || !node)
		return result;
	return kernel_fail(t, -EBUSY,
			   "node %u has no path to the LUN, and is not switched off for that: its I/O is held",
			   node);
}

/* How to drain, as the header says. */
static void set_drain(const struct kernel_task *t, const struct lun *lun, struct lun_fence *fence)
{
	const struct lun_array *array = &t->vol->header.array;
	char product[LUN_PRODUCT_LEN];

	lun_product(lun, "/sys", product);
	fence->drain = array->drain;
	fence->wait = array->wait;
	fence->shown = lun_array_shown(array, product);
}

static enum own_result fence_by_command(struct kernel_task *t)
{
	struct lun_fence fence = { .trouble = fence_trouble, .trouble_data = t };
	enum own_result result = switch_victims_off(t);
	struct lun_fence_report report;
	struct lun lun;
	int error;

	if (result == OWN_OK)
		result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
	set_drain(t, &lun, &fence);
	error = lun_drain(&lun, &fence, &report);
	if (error)
		result = kernel_fail(t, error, "%s", report.text);
	else
		snprintf(t->answer->note, sizeof(t->answer->note), "%.255s", report.text);
	if (!error)
		error = lun_header_read(&lun, &t->vol->header, NULL);
	if (error && result == OWN_OK)
		result = kernel_fail(t, error, "%s", lun.error);
	t->answer->epoch = t->vol->header.epoch;
	lun_close(&lun);
	return result;
}

/* While this agent is as young: how many looks are left. */
static unsigned int looks_left(const struct kernel *kernel)
{
	struct timespec now;
	uint64_t age;

	clock_gettime(CLOCK_MONOTONIC, &now);
	age = now.tv_sec * 1000ULL + now.tv_nsec / 1000000 - kernel->began / 1000;
	return age < AGENTS_MS ? (AGENTS_MS - age) * AGENTS_LOOKS / AGENTS_MS : 0;
}

/* Who comes looks for its key, and was not given up if that is there. */
static enum own_result await_forgotten(struct kernel_task *t, struct lun *lun)
{
	own_nodes forgotten = named(t, t->task->victims.forgotten), there = 0;
	uint16_t cluster = kernel_cluster_id(t->vol->kernel);
	unsigned int looks = looks_left(t->vol->kernel);
	struct lun_key parts;
	struct lun_pr pr;
	int error;
	size_t i;

	if (!forgotten || !looks)
		return OWN_OK;
	error = lun_pr_read(lun, &pr);
	if (error)
		return kernel_fail(t, error, "%s", lun->error);
	for (i = 0; i < pr.count; i++)
		if (lun_key_parse(pr.keys[i], &parts) && parts.cluster == cluster &&
		    parts.node <= OWN_NODES)
			there |= own_bit(parts.node);
	lun_pr_free(&pr);
	return there & forgotten ? await_agents(t, looks) : OWN_OK;
}

static enum own_result fence_by_keys(struct kernel_task *t)
{
	struct lun_fence_report report;
	uint64_t keep[OWN_NODES];
	struct lun_fence fence = {
		.keep = keep, .cluster = kernel_cluster_id(t->vol->kernel),
		.trouble = fence_trouble, .trouble_data = t,
	};
	enum own_result result;
	unsigned int node;
	struct lun lun;
	int error;

	fence.key = key_of(t, t->task->action.node);
	own_for_each(node, t->task->action.nodes)
		if (node != t->task->action.node)
			keep[fence.keeps++] = key_of(t, node);
	result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
	result = await_forgotten(t, &lun);
	if (result != OWN_OK) {
		lun_close(&lun);
		return result;
	}
	set_drain(t, &lun, &fence);
	error = lun_fence(&lun, &fence, &report);
	if (error) {
		result = kernel_fail(t, error, "%s", report.text);
		lun_close(&lun);
		return result;
	}
	/* The epoch as it is after the drain: nobody else can change it now. */
	error = lun_header_read(&lun, &t->vol->header, NULL);
	if (error)
		result = kernel_fail(t, error, "%s", lun.error);
	t->answer->epoch = t->vol->header.epoch;
	snprintf(t->answer->note, sizeof(t->answer->note), "%.255s", report.text);
	lun_close(&lun);
	return result;
}

enum own_result kernel_fence(struct kernel_task *t)
{
	enum own_result result = need_cluster(t);

	if (result != OWN_OK)
		return result;
	return keyless(t) ? fence_by_command(t) : fence_by_keys(t);
}

enum own_result kernel_write_epoch(struct kernel_task *t)
{
	struct lun_header *header = &t->vol->header;
	enum own_result result;
	struct lun lun;
	int error;

	result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
	header->epoch = header->epoch >= t->task->action.epoch ? header->epoch + 1 :
								  t->task->action.epoch;
	header->coordinator = t->task->action.node;
	error = lun_header_write(&lun, header);
	if (error)
		result = kernel_fail(t, error, "%s", lun.error);
	t->answer->epoch = header->epoch;
	lun_close(&lun);
	return result;
}

static enum own_result forget_key(struct kernel_task *t)
{
	enum own_result result = set_incarnation(t, 0);

	boot_key_mark_told(t->vol->kernel->config->runtime_directory, t->vol->uuid, 0);
	t->vol->told = 0;
	if (result == OWN_OK)
		set_key(t->vol, 0);
	return result;
}

enum own_result kernel_unregister(struct kernel_task *t)
{
	enum own_result result;
	struct lun lun;
	int error;

	/* It was fenced, or has never had one; there need not be a path. */
	if (keyless(t) || t->task->action.fenced || (!t->task->action.incarnation && !t->vol->key))
		return forget_key(t);
	result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
	kernel_keys_paths(&lun);
	error = lun_pr_unregister(&lun, key_of(t, t->task->action.node));
	/* A path that is down keeps its registration: the next fence takes it. */
	if (error < 0 && error != -EBADE)
		result = kernel_fail(t, error, "%s", lun.error);
	else
		result = forget_key(t);
	lun_close(&lun);
	return result;
}

/* Whether this node's key is there, and the LUN reserved: without, others might write, too. */
enum own_result kernel_check_key(struct kernel_task *t)
{
	enum own_result result;
	struct lun_pr pr;
	struct lun lun;
	int error;

	result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
	if (keyless(t)) {
		lun_close(&lun);
		return OWN_OK;
	}
	error = lun_pr_read(&lun, &pr);
	if (error) {
		result = kernel_fail(t, error, "%s", lun.error);
		lun_close(&lun);
		return result;
	}
	if (!lun_pr_has(&pr, key_of(t, t->task->action.node)))
		result = kernel_fail(t, -EBADE, "this node's key is not on the LUN");
	else if (!pr.held || pr.type != LUN_PR_TYPE)
		result = kernel_fail(t, -EPROTO, "the LUN is not reserved for registrants");
	lun_pr_free(&pr);
	lun_close(&lun);
	return result;
}
