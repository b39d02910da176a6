/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images, as people want them: made and removed by the coordinator, attached on any node. Whoever
 * is asked asks the node that has to do it.
 *
 * All of it may wait for the disk, for other nodes and for layouts; for workers.
 */
#ifndef COVOLD_IMAGE_H
#define COVOLD_IMAGE_H

#include "attach.h"
#include "image_wire.h"
#include "kernel.h"

/**
 * struct image_job - what is wanted of an image
 * @kernel: this node's
 * @volume: name of its volume
 * @coordinator: of the volume
 * @request: uuid, and what the operation takes
 * @answer: result
 * @path: attach: result
 */
struct image_job {
	struct kernel *kernel;
	char volume[OWN_NAME];
	unsigned int coordinator;
	struct image_request request;
	struct image_answer answer;
	char path[ATTACH_PATH];
};

/* What request.op says, by the node that does it. */
void image_job_ask(struct image_job *job);
/* request.name becomes a device on this node; one that it is already stays so. */
void image_job_attach(struct image_job *job);
/* -EBUSY: it is in use. */
void image_job_detach(struct image_job *job);

/* A request for this node, from whichever. */
void image_execute(struct kernel *kernel, const struct image_request *request,
		   struct image_answer *answer);

#endif
