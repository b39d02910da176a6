/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the tests of the router: a volume with an image, a LUN, and bios as
 * device mapper hands them to a target.
 *
 * The LUN has one sector, so that a bio which the router submits by itself
 * comes back from the block layer at once, past its end: it has arrived. Without
 * a session what goes to a peer is held until there is one.
 */
#ifndef COVOL_ROUTE_RIG_H
#define COVOL_ROUTE_RIG_H

#include <kunit/test.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/workqueue.h>

/* drivers/md/dm-core.h, where this is built: how a bio comes to a target */
#include "../../../dm-core.h"

#include "io.h"
#include "volume.h"

#define NODE		5
#define COORDINATOR	2
#define PEER		9	/* to whom block-redirected I/O goes */
#define LUN_SECTOR	2048	/* where the volume begins on the LUN */

#define DATA_ORDER	2	/* pages for the data of one bio */
#define JUNK		0xa5	/* in them when it comes */

#define DIRECT		COVOL_ROUTE_DIRECT
#define BY_FS		COVOL_ROUTE_FS_REDIRECTED
#define BY_BLOCK	COVOL_ROUTE_BLOCK_REDIRECTED
#define HELD		COVOL_ROUTE_HELD
#define UNAVAILABLE	COVOL_ROUTE_UNAVAILABLE

/*
 * The map of every object, sectors:
 *
 *	  0  data at 1000	300  hole
 *	100  unwritten		400  unknown
 *	200  shared at 2000	500  data at 3000, from 600 at 5000, to 699
 */
enum rig_object {
	SELF,		/* the volume, on its coordinator */
	MEMBER,		/* the volume, on a member */
	FORWARD,	/* the same, with meta_policy forward */
	IMAGE,		/* an image, on a member */
	HERE,		/* an image, on the coordinator */
};

/* Device mapper sends the flush of a write apart, before it. */
enum rig_op {
	READ_PLAIN, READ_META, READ_NOWAIT, READ_POLLED,
	WRITE_PLAIN, WRITE_FUA, WRITE_PREFLUSH, WRITE_META, WRITE_NOWAIT,
	WRITE_POLLED,
	FLUSH, DISCARD, ZEROES, ZEROES_FUA,
};

/* What a bio says, and how a peer or the service is asked for it. */
struct rig_op_info {
	const char	*name;
	blk_opf_t	opf;
	u8		opcode;
	u16		flags;
};

extern const struct rig_op_info covol_rig_ops[];

struct rig {
	struct covol_volume	*vol;
	struct covol_object	*obj;		/* that bios come for */
	struct covol_device	dev;
	struct page		*data;

	struct block_device	lun;
	struct gendisk		disk;
	struct request_queue	queue;
	sector_t		arrived[4];
	unsigned int		nr_arrived;
	unsigned int		nr_attended;	/* of them: not to be waited for */

	/* what runs beside the test */
	struct work_struct	work;
	struct completion	done;
};

/* A bio as device mapper hands it to the target. */
struct clone {
	struct rig		*rig;
	enum rig_op		op;
	u64			start;
	unsigned int		sectors;	/* device mapper's *len_ptr */
	u64			before[COVOL_WAYS];
	bool			remapped;
	bool			ended;
	blk_status_t		status;
	struct bio_vec		bvec;
	struct covol_io		io;
	struct dm_io		dm;
};

/* where dm_per_bio_data() looks */
static_assert(offsetof(struct clone, dm) ==
	      offsetof(struct clone, io) + sizeof(struct covol_io));

static inline struct bio *bio_of(struct clone *c)
{
	return &c->dm.tio.clone;
}

/* Bios that are counted; the rig has the references in one place. */
static inline long under_way(struct covol_drain *drain)
{
	return atomic_long_read(&drain->ref.data->count) - 1;
}

int covol_rig_init(struct kunit *test);
void covol_rig_exit(struct kunit *test);
void covol_rig_choose(struct kunit *test, enum rig_object object);
void covol_rig_set(struct rig *rig, enum covol_route route, u32 reasons);
void covol_rig_route(struct kunit *test, enum covol_route route);
void covol_rig_no_retry(struct rig *rig);
void covol_rig_session(struct kunit *test, u32 peer);
void covol_rig_answer(struct clone *c, int err);
u64 covol_rig_counted(struct rig *rig, enum covol_way way);

struct clone *covol_clone_new(struct kunit *test, enum rig_op op, u64 start,
			      unsigned int sectors);
int covol_clone_map(struct clone *c);
void covol_clone_end(struct clone *c, blk_status_t status);

void covol_expect_asked(struct kunit *test, struct clone *c, u32 peer,
			u64 object, u64 sector);
void covol_expect_held(struct kunit *test, struct clone *c);
void covol_expect_ended(struct kunit *test, struct clone *c, int err);
bool covol_expect_way(struct kunit *test, struct clone *c, char letter,
		      u64 place, unsigned int sectors, const char *what);

#endif /* COVOL_ROUTE_RIG_H */
