// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tasks do on the LUN: this node's key, the fence, the epoch in the header.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lun/fence.h"
#include "boot.h"
#include "find.h"
#include "kernel.h"
#include "log.h"

/* Opened with its header read; or a result, with the reason. */
static enum own_result open_lun(struct kernel_task *t, struct lun *lun)
{
	char error[LUN_ERROR_LEN];
	int result = find_lun(lun, &t->vol->header, t->vol->uuid, t->vol->device, error);

	return result ? kernel_fail(t, result, "%s", error) : OWN_OK;
}

static uint16_t cluster_id(struct kernel *kernel)
{
	uint16_t id;

	pthread_mutex_lock(&kernel->lock);
	id = lun_cluster_id(kernel->cluster);
	pthread_mutex_unlock(&kernel->lock);
	return id;
}

static uint64_t key_of(const struct kernel_task *t, unsigned int node)
{
	return lun_key_make(cluster_id(t->vol->kernel), node, t->task->incarnation[node - 1]);
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

/* Everything that an older key did has been given up, and has ended. */
enum own_result kernel_register(struct kernel_task *t)
{
	unsigned int node = t->task->action.node;
	enum own_result result;
	uint64_t key;
	struct lun lun;
	int error;

	result = set_incarnation(t, t->task->action.incarnation);
	if (result == OWN_OK)
		result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
	key = lun_key_make(cluster_id(t->vol->kernel), node, t->task->action.incarnation);
	error = lun_pr_register(&lun, key);
	if (error >= 0)
		error = lun_pr_reserve(&lun, key);
	if (error < 0)
		result = kernel_fail(t, error, "%s", lun.error);
	else
		set_key(t->vol, key);
	if (result == OWN_OK)
		say_drain(t, &lun);
	lun_close(&lun);
	return result;
}

static void fence_trouble(void *data, const char *text)
{
	const struct kernel_task *t = data;

	log_about(LOG_WARNING, LOG_ID_FAILED, t->vol->name, "%s", text);
}

enum own_result kernel_fence(struct kernel_task *t)
{
	const struct lun_array *array = &t->vol->header.array;
	struct lun_fence_report report;
	char product[LUN_PRODUCT_LEN];
	uint64_t keep[OWN_NODES];
	struct lun_fence fence = {
		.keep = keep, .cluster = cluster_id(t->vol->kernel), .trouble = fence_trouble,
		.trouble_data = t,
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
	lun_product(&lun, "/sys", product);
	fence.drain = array->drain;
	fence.wait = array->wait;
	fence.shown = lun_array_shown(array, product);
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
	lun_close(&lun);
	return result;
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
	if (t->task->action.fenced || (!t->task->action.incarnation && !t->vol->key))
		return forget_key(t);
	result = open_lun(t, &lun);
	if (result != OWN_OK)
		return result;
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
