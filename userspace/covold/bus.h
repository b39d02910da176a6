/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent on D-Bus: org.covol. covold(8) describes it.
 */
#ifndef COVOLD_BUS_H
#define COVOLD_BUS_H

#include "bus_image.h"
#include "group.h"
#include "identity.h"
#include "pool.h"
#include "runner.h"

struct bus;

/*
 * Begin; the name comes later, in the loop. Without a system bus, or if another process has the
 * name, it is tried again each second. 0 or a negative errno. @pool: for what waits for a disk.
 * @identity: NULL: nobody looks at it. @images: what is done for images.
 */
int bus_open(struct bus **bus, sd_event *event, struct pool *pool, struct runner *runner,
	     const struct identity *identity, const struct image_driver *images);
/* The volume whose object that path is; NULL: none. */
struct own_volume *bus_volume_at(struct runner *runner, const char *path);
/* Which group there is; NULL: none. */
void bus_group(struct bus *bus, const struct group *group, unsigned int node);
/* What volumes are may have changed. */
void bus_changed(struct bus *bus);
void bus_close(struct bus *bus);

#endif
