/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The images of a volume on D-Bus: the interface org.covol.Images of its object.
 */
#ifndef COVOLD_BUS_IMAGE_H
#define COVOLD_BUS_IMAGE_H

#include <systemd/sd-bus.h>

#include "image.h"
#include "pool.h"
#include "runner.h"

/**
 * struct image_driver - what does it; tests have one of their own
 * @kernel: for the jobs
 * @ask: image_job_ask()
 * @attach: image_job_attach()
 * @detach: image_job_detach()
 */
struct image_driver {
	struct kernel *kernel;
	void (*ask)(struct image_job *job);
	void (*attach)(struct image_job *job);
	void (*detach)(struct image_job *job);
};

struct bus_images {
	struct pool *pool;
	struct runner *runner;
	struct image_driver driver;
};

/* A vtable for all objects below @prefix; 0 or a negative errno. @images stays. */
int bus_images_add(sd_bus *bus, const char *prefix, struct bus_images *images);

#endif
