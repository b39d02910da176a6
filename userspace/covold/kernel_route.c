// SPDX-License-Identifier: GPL-2.0-only
/*
 * The route that the kernel is given.
 */
#include <errno.h>
#include <string.h>

#include "kernel.h"
#include "log.h"

static const uint32_t kernel_routes[OWN_ROUTES] = {
	[OWN_ROUTE_NONE] = COVOL_ROUTE_HELD,
	[OWN_ROUTE_DIRECT] = COVOL_ROUTE_DIRECT,
	[OWN_ROUTE_FS] = COVOL_ROUTE_FS_REDIRECTED,
	[OWN_ROUTE_BLOCK] = COVOL_ROUTE_BLOCK_REDIRECTED,
};

enum own_route kernel_route_of(const struct covol_volume *volume)
{
	enum own_route route;

	for (route = OWN_ROUTE_DIRECT; route < OWN_ROUTES; route++)
		if (kernel_routes[route] == volume->route)
			return route;
	return OWN_ROUTE_NONE;
}

/* A route is about to be set; if it meets a lost path the kernel says so again. */
static void routed_anew(struct kernel_volume *vol)
{
	pthread_mutex_lock(&vol->kernel->lock);
	vol->facts.held = false;
	vol->facts.route = OWN_ROUTE_NONE;
	pthread_mutex_unlock(&vol->kernel->lock);
}

enum own_result kernel_route_set(struct kernel_task *t, enum own_route route, uint32_t peer)
{
	struct covol_volume volume = {
		.uuid = kernel_id(t->vol), .route = kernel_routes[route], .redirect_peer = peer,
	};
	int error;

	routed_anew(t->vol);
	error = covol_volume_set(t->c, &volume,
				 COVOL_VOLUME_ROUTE | (peer ? COVOL_VOLUME_REDIRECT_PEER : 0));
	if (error)
		return kernel_fail_covol(t, error);
	pthread_mutex_lock(&t->vol->kernel->lock);
	t->vol->facts.route = route;
	t->vol->facts.failing = OWN_NOT_EXPELLED;
	pthread_mutex_unlock(&t->vol->kernel->lock);
	return OWN_OK;
}

/* Answered when all I/O of the route before has ended, or is held; UNAVAILABLE: has failed. */
static int give(struct kernel_task *t, uint32_t route)
{
	struct covol_volume volume = { .uuid = kernel_id(t->vol), .route = route };

	routed_anew(t->vol);
	return covol_volume_set(t->c, &volume, COVOL_VOLUME_ROUTE);
}

enum own_result kernel_route_hold(struct kernel_task *t)
{
	int error = give(t, COVOL_ROUTE_HELD);

	return error && error != -ENOENT ? kernel_fail_covol(t, error) : OWN_OK;
}

enum own_expelled kernel_route_failing(struct kernel_volume *vol)
{
	enum own_expelled why;

	pthread_mutex_lock(&vol->kernel->lock);
	why = vol->facts.failing;
	pthread_mutex_unlock(&vol->kernel->lock);
	return why;
}

void kernel_route_set_failing(struct kernel_volume *vol, enum own_expelled why)
{
	pthread_mutex_lock(&vol->kernel->lock);
	vol->facts.failing = why;
	pthread_mutex_unlock(&vol->kernel->lock);
}

enum own_result kernel_route_fail(struct kernel_task *t)
{
	enum own_expelled why = t->task->action.expelled;
	int error = give(t, COVOL_ROUTE_UNAVAILABLE);

	/* Nothing waits where the kernel does not know the volume: the node has booted, say. */
	if (error == -ENOENT) {
		kernel_route_set_failing(t->vol, OWN_NOT_EXPELLED);
		return OWN_OK;
	}
	if (error)
		return kernel_fail_covol(t, error);
	if (why <= kernel_route_failing(t->vol))
		return OWN_OK;
	kernel_route_set_failing(t->vol, why);
	log_about(LOG_WARNING, NULL, t->vol->name,
		  "%s: what waited here fails, and what comes before it goes on",
		  why == OWN_EXPELLED ? "this node was given up and fenced" :
					"nobody knows whether this node was given up");
	return OWN_OK;
}
