/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver that carries tasks out, with the kernel's module, the LUN and the file system. Who
 * says what to whom is in Documentation/cluster.rst; what each task promises in agent/ownership.h.
 */
#ifndef COVOLD_KERNEL_H
#define COVOLD_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "../lun/device.h"
#include "config.h"
#include "driver.h"
#include "group.h"
#include "lanes.h"

/* A volume on this node. */
struct kernel_volume {
	struct kernel_volume *next;
	/* Set once. */
	struct kernel *kernel;
	uint8_t uuid[16];

	/* Who has @work. */
	char name[OWN_NAME];
	char device[PATH_MAX];		/* where the LUN was last */
	uint64_t key;			/* 0: none */
	uint64_t told;			/* boot_key_told(), if this agent has written it; or 0 */
	char trouble[256];		/* why a session cannot be made again; "": it can */
	struct lun_header header;	/* as it was read last; all 0: it was not */

	/* Protected by the kernel's lock. */
	bool known;			/* the facts are */
	bool looking;			/* a worker looks at what there is */
	struct own_facts facts;
	uint64_t serving;		/* epoch at which peers are let in; 0: not */
	struct lanes lanes;		/* connections of sessions that are not whole */
	bool unheard;			/* events may have been lost; there is more to look at */
	bool looking_unheard;		/* a worker does */
	bool unheard_news;		/* and has changed facts */
	uint64_t lost;			/* when the session broke, in us; 0: it has not */
	bool redirects;			/* I/O of others may go to the LUN through this node */
	bool looking_at_keys;		/* a worker does */
	bool keys_news;			/* and has changed facts */
	char wwid[LUN_WWID_LEN];	/* of the LUN, as the header has it; "": not known */
	struct lun_path down[LUN_PATHS];	/* paths without the key that do not work */
	size_t downs;

	/* Of the worker that looks. */
	bool waits_detach;		/* see kernel_path_good() */

	/* Held by who makes and removes images, or attaches them; a task may wait for it. */
	pthread_mutex_t images;
	/* Protected by images. */
	struct answerer *answerer;	/* NULL: nothing is served here */

	own_nodes shut_out;		/* were given up: no session before they begin anew */

	/* Held while a node is let in. */
	pthread_mutex_t door;

	/* Held by the task that runs, and by who makes a session again, or looks at keys. */
	pthread_mutex_t work;
	/* Protected by work. */
	struct driver_task connect;	/* how the session was made */
	bool recalled;			/* nobody has layouts before this mounts or serves */
	uint64_t keyed_with;		/* incarnation of the key of these paths */
	struct lun_path keyed[LUN_PATHS];
	size_t keyeds;
	unsigned int disks;		/* the kernel's, when others were looked for */
	uint64_t keys_after;		/* after a failure: not to be tried before, in us */
};

struct kernel {
	/* Set once. */
	const struct config *config;
	sd_event *event;
	struct pool *pool;
	void (*changed)(void *data, const uint8_t uuid[16]);
	/* In the loop: a node has not returned a layout. */
	void (*stuck)(void *data, const uint8_t uuid[16], unsigned int node);
	void *changed_data;
	uint64_t began;			/* this agent, in us */
	struct covol *events;
	sd_event_source *events_source;
	sd_event_source *looks;		/* the timer that tries paths */
	sd_event_source *keys;		/* the timer that looks whether all paths have the key */
	uint64_t keys_all;		/* when it is to look at all, in us */
	sd_event_source *disks_source;	/* what the kernel says of disks that come */
	unsigned int strangers;		/* connections that a worker has */
	uint64_t accepted;		/* connections so far */
	uint64_t complained;		/* when one was last spoken of, in us */
	unsigned int unsaid;		/* how many were not, since */
	int listener;			/* for peers; -1: none */
	sd_event_source *listener_source;

	pthread_mutex_t lock;
	/* Protected by lock. */
	struct kernel_volume *volumes;
	unsigned int node;
	unsigned int views;		/* how often the group has told of itself */
	unsigned int disks;		/* how often disks have come, or may have */
	char cluster[GROUP_NAME_LEN];
	char names[OWN_NODES + 1][GROUP_NAME_LEN];
	char addresses[OWN_NODES + 1][GROUP_LINKS][GROUP_NAME_LEN];
};

extern const struct driver_ops kernel_driver;

/* 0 or a negative errno, after a message. @changed: in the loop: facts of a volume have changed. */
int kernel_open(struct kernel *kernel, const struct config *config, sd_event *event,
		struct pool *pool, void (*changed)(void *data, const uint8_t uuid[16]),
		void (*stuck)(void *data, const uint8_t uuid[16], unsigned int node), void *data);
void kernel_close(struct kernel *kernel);

/* What the group says of itself and its nodes. */
void kernel_group(struct kernel *kernel, const struct group *group, unsigned int node);

/* NULL: not known here. The lock is held. */
struct kernel_volume *__kernel_volume_find(struct kernel *kernel, const uint8_t uuid[16]);
/* For the files that carry tasks out. */
struct kernel_volume *kernel_volume_get(struct kernel *kernel, const uint8_t uuid[16]);
const char *kernel_directory(const struct kernel_volume *vol, char path[PATH_MAX]);

static inline uint64_t kernel_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

/* A task's parts. Each returns a result, and the reason in *answer. */
struct kernel_task {
	struct kernel_volume *vol;
	const struct driver_task *task;
	struct driver_answer *answer;
	struct covol *c;
};

__attribute__((format(printf, 3, 4)))
enum own_result kernel_fail(struct kernel_task *t, int error, const char *format, ...);

/* With what libcovol says of it. */
static inline enum own_result kernel_fail_covol(struct kernel_task *t, int error)
{
	return kernel_fail(t, error == -EBADE ? -EBADE : -EIO, "%s", covol_error(t->c));
}

static inline struct covol_uuid kernel_id(const struct kernel_volume *vol)
{
	struct covol_uuid id;

	memcpy(id.bytes, vol->uuid, sizeof(id.bytes));
	return id;
}

enum own_result kernel_know(struct kernel_task *t, unsigned int coordinator, uint64_t epoch);
enum own_result kernel_end_sessions(struct kernel_task *t, bool forget);

/* In the loop: a worker that looked at what there is has ended; @data: the volume. */
void kernel_looked(void *data);

/* kernel_event.c: what the kernel says; what is lost: paths, sessions */
int kernel_watch(struct kernel *kernel);
void kernel_watch_end(struct kernel *kernel);
/* Whether the one that the task is about is. */
bool kernel_session_live(struct kernel_task *t);
/* It is, and is to be made again. */
void kernel_session_lost(struct kernel_volume *vol);
/* In a worker: makes it again, if it is lost. */
void kernel_session_look(struct kernel_volume *vol);

/* kernel_lun.c: keys and header */
uint16_t kernel_cluster_id(struct kernel *kernel);
/* Whether the key that this node has is the one with which it is told to go on. */
void kernel_told(struct kernel_task *t);
enum own_result kernel_register(struct kernel_task *t);
enum own_result kernel_fence(struct kernel_task *t);
enum own_result kernel_write_epoch(struct kernel_task *t);
enum own_result kernel_unregister(struct kernel_task *t);
enum own_result kernel_check_key(struct kernel_task *t);

/*
 * kernel_keys.c: paths that were down, or were not there, when the key was registered.
 * Driver's operation, see driver.h.
 */
void kernel_redirects(void *driver, const uint8_t uuid[16], bool redirects);
/* The LUN with all its paths, those too that multipath has not taken yet. */
void kernel_keys_paths(struct lun *lun);
/* By which paths it was, by @done of each. */
void kernel_keys_had(struct kernel_task *t, const struct lun *lun);
/* In a worker: registers it by what works by now. */
void kernel_keys_look(struct kernel_volume *vol);
int kernel_keys_watch(struct kernel *kernel);
void kernel_keys_end(struct kernel *kernel);

/*
 * kernel_route.c: the route that the kernel is given.
 * What it has been given, in our words.
 */
enum own_route kernel_route_of(const struct covol_volume *volume);
/* @peer: BLOCK: through which node; else 0. */
enum own_result kernel_route_set(struct kernel_task *t, enum own_route route, uint32_t peer);
enum own_result kernel_route_hold(struct kernel_task *t);
/*
 * I3: what waits fails, and so does what comes until the node is given a route: the block layer may
 * send again what has failed, and what waited behind it comes only then.
 */
enum own_result kernel_route_fail(struct kernel_task *t);
/* Whether it does, and why. */
enum own_expelled kernel_route_failing(struct kernel_volume *vol);
void kernel_route_set_failing(struct kernel_volume *vol, enum own_expelled why);

/*
 * kernel_path.c: the way to the LUN.
 * Whether there is one that can be used: what the kernel has been told of without its LUN it uses
 * without it as long as devices of images use the volume.
 */
bool kernel_path_good(struct kernel_volume *vol, struct covol *c);
/* The LUN, open, with vol->header read. Who has @work. See find_lun(). */
int kernel_path_find(struct kernel_volume *vol, struct lun *lun, char error[LUN_ERROR_LEN]);
/* The kernel forgets such a volume, and is told of it anew by who connects. */
enum own_result kernel_path_anew(struct kernel_task *t);
/* The kernel is told of the volume, with its LUN, or on a member without; the rest *volume has. */
enum own_result kernel_path_tell(struct kernel_task *t, struct covol_volume *volume);

/* kernel_image.c: images */
enum own_result kernel_images_serve(struct kernel_task *t);
void kernel_images_resume(struct kernel_volume *vol, struct covol *c);
enum own_result kernel_images_break(struct kernel_task *t);
void kernel_images_break_off(struct kernel *kernel, const uint8_t uuid[16]);
enum own_result kernel_images_release(struct kernel_task *t);
void kernel_images_drop(struct kernel_task *t);
enum own_result kernel_images_clear(struct kernel_task *t);
enum own_result kernel_images_forget(struct kernel_task *t);
enum own_result kernel_images_recall(struct kernel_task *t);
enum own_result kernel_images_close(struct kernel_task *t);

/* kernel_peer.c: sessions */
/* Driver's operation, see driver.h. */
void kernel_shut_out(void *driver, const uint8_t uuid[16], own_nodes nodes);
/* Who was let in until now has its session; nobody gets one any more who must not. */
void kernel_close_door(struct kernel_volume *vol);
int kernel_listen(struct kernel *kernel);
/* In the loop, each second: what is to be given up, and who has had to wait. */
void kernel_peer_look(struct kernel *kernel);
void kernel_listen_end(struct kernel *kernel);
enum own_result kernel_connect(struct kernel_task *t);
/* kernel_connect(), and a line in the journal when that goes otherwise than the last time. */
enum own_result kernel_connect_again(struct kernel_task *t);

struct image_request;
struct image_answer;

/* Another node's agent. */
void kernel_ask(struct kernel *kernel, unsigned int node, const struct image_request *request,
		struct image_answer *answer);

#endif
