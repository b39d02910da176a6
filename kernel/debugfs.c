// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in debugfs. See debugfs.h.
 *
 * A file is read with its volume as it is then; debugfs waits for readers when
 * a file is removed, and that is before the volume may go. So a reader needs
 * no reference of its own to the volume, but one to each session and object
 * that it looks at. No lock is held from one line to the next but where a list
 * is walked.
 */
#include <linux/bio.h>
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>

#include "chunk.h"
#include "debugfs.h"
#include "fault.h"
#include "holder.h"
#include "io.h"
#include "route.h"
#include "serve.h"
#include "session.h"
#include "volume.h"

/* So many held bios are printed one by one: hold_lock is held meanwhile. */
#define HELD_MAX	32

static struct dentry *root;

/* ---- held ------------------------------------------------------------- */

static u64 held_ms(struct bio *bio, u64 now)
{
	struct covol_io *io = dm_per_bio_data(bio, sizeof(*io));

	return div_u64(now - io->held_since, NSEC_PER_MSEC);
}

static void show_bio(struct seq_file *m, struct bio *bio, u64 now)
{
	struct covol_io *io = dm_per_bio_data(bio, sizeof(*io));

	seq_printf(m, "bio object %llu op %s offset %llu length %u age-ms %llu\n",
		   io->obj->id, covol_wire_op_name(covol_bio_opcode(bio)),
		   (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT,
		   bio->bi_iter.bi_size, held_ms(bio, now));
}

static void show_reasons(struct seq_file *m, u32 reasons)
{
	const char *comma = "";
	unsigned int bit;

	for (bit = 0; covol_reason_name(bit); bit++) {
		if (!(reasons & BIT(bit)))
			continue;
		seq_printf(m, "%s%s", comma, covol_reason_name(bit));
		comma = ",";
	}
	if (!reasons)
		seq_putc(m, '-');
}

static u64 oldest_ms(struct covol_volume *vol, u64 now)
{
	unsigned int list;
	struct bio *bio;
	u64 oldest = 0;

	for (list = 0; list < COVOL_HELD_LISTS; list++)
		bio_list_for_each(bio, &vol->held[list])
			oldest = max(oldest, held_ms(bio, now));
	return oldest;
}

static int held_show(struct seq_file *m, void *unused)
{
	struct covol_volume *vol = m->private;
	unsigned int list, nr = 0;
	struct bio *bio;
	u64 now;

	spin_lock_irq(&vol->hold_lock);
	now = ktime_get_ns();
	seq_printf(m, "route %s reasons ", covol_route_name(vol->route));
	show_reasons(m, vol->reasons);
	seq_printf(m, " held %llu oldest-ms %llu\n", vol->nr_held,
		   oldest_ms(vol, now));
	for (list = 0; list < COVOL_HELD_LISTS; list++)
		bio_list_for_each(bio, &vol->held[list])
			if (nr++ < HELD_MAX)
				show_bio(m, bio, now);
	spin_unlock_irq(&vol->hold_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(held);

/* ---- sessions --------------------------------------------------------- */

/* The session with the peer of the lowest id from @peer on. */
static struct covol_session *next_session(struct covol_volume *vol,
					  unsigned long peer)
{
	struct covol_session *s;

	rcu_read_lock();
	do {
		s = xa_find(&vol->sessions, &peer, ULONG_MAX, XA_PRESENT);
	} while (s && !kref_get_unless_zero(&s->ref) && ++peer);
	rcu_read_unlock();
	return s;
}

/* A call may be freed when the lock is dropped, so that what is printed of it
 * is copied.
 */
static void show_slot(struct seq_file *m, struct covol_session *s,
		      unsigned int slot)
{
	struct covol_call *call;
	unsigned long since = 0;
	struct covol_hdr hdr;

	spin_lock(&s->lock);
	call = s->slots[slot];
	if (call) {
		hdr = call->hdr;
		since = call->since;
	}
	spin_unlock(&s->lock);
	if (call)
		seq_printf(m, "call peer %u id %#llx op %s object %llu offset %llu length %llu age-ms %u\n",
			   s->peer, hdr.id, covol_wire_op_name(hdr.opcode),
			   hdr.object, hdr.offset, hdr.length,
			   jiffies_to_msecs(jiffies - since));
}

static void show_lane(struct seq_file *m, struct covol_session *s,
		      unsigned int nr)
{
	const struct covol_lane *lane = &s->lane[nr];

	seq_printf(m, "lane peer %u nr %u outstanding %u sent %llu served %llu tx-bytes %llu rx-bytes %llu silent %u paused %u\n",
		   s->peer, nr, READ_ONCE(lane->nr_outstanding),
		   READ_ONCE(lane->nr_sent), READ_ONCE(lane->nr_served),
		   READ_ONCE(lane->conn.tx_bytes),
		   READ_ONCE(lane->conn.rx_bytes),
		   READ_ONCE(lane->alive.silent), READ_ONCE(lane->paused));
}

static void show_session(struct seq_file *m, struct covol_session *s)
{
	bool live = READ_ONCE(s->state) == COVOL_SESSION_STATE_LIVE;
	unsigned int slot, i;

	seq_printf(m, "session peer %u state %s outstanding %u bytes %u queued %u serving %d\n",
		   s->peer, live ? "live" : "closing",
		   READ_ONCE(s->nr_outstanding),
		   READ_ONCE(s->bytes_outstanding), READ_ONCE(s->nr_queued),
		   atomic_read(&s->serving));
	for (i = 0; i < s->nr_lanes; i++)
		show_lane(m, s, i);
	for (slot = 0; slot < COVOL_WINDOW; slot++)
		show_slot(m, s, slot);
	covol_serve_show(m, s);
}

static int sessions_show(struct seq_file *m, void *unused)
{
	struct covol_volume *vol = m->private;
	struct covol_session *s;
	unsigned long peer = 0;

	while ((s = next_session(vol, peer))) {
		show_session(m, s);
		peer = (unsigned long)s->peer + 1;
		covol_session_put(s);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sessions);

/* ---- images ----------------------------------------------------------- */

static void show_changes(struct seq_file *m, struct covol_object *obj)
{
	struct covol_change *change;

	mutex_lock(&obj->layout.lock);
	list_for_each_entry(change, &obj->layout.open, entry)
		seq_printf(m, "change image %llu offset %llu length %llu age-ms %u\n",
			   obj->id, change->start << SECTOR_SHIFT,
			   change->len << SECTOR_SHIFT,
			   jiffies_to_msecs(jiffies - change->since));
	mutex_unlock(&obj->layout.lock);
}

static int images_show(struct seq_file *m, void *unused)
{
	struct covol_volume *vol = m->private;
	struct covol_object *obj = NULL;

	while ((obj = covol_object_next(vol, obj))) {
		if (!obj->id)
			continue;
		seq_printf(m, "image %llu served %u extents %llu holders %u seq %llu\n",
			   obj->id, covol_object_served(obj),
			   READ_ONCE(obj->map.count), covol_layout_holders(obj),
			   covol_layout_seq(obj));
		show_changes(m, obj);
		if (obj->chunks)
			covol_chunks_show(m, obj);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(images);

/* ---- lifetime --------------------------------------------------------- */

/**
 * covol_debugfs_add() - a volume is known now: its files
 * @vol: the volume
 *
 * Context: sleeps.
 */
void covol_debugfs_add(struct covol_volume *vol)
{
	char name[UUID_STRING_LEN + 12];
	struct dentry *dir;

	snprintf(name, sizeof(name), "%pUb-%u", &vol->uuid, vol->node);
	mutex_lock(&vol->lock);
	if (!vol->dead) {
		dir = debugfs_create_dir(name, root);
		debugfs_create_file("held", 0400, dir, vol, &held_fops);
		debugfs_create_file("sessions", 0400, dir, vol, &sessions_fops);
		debugfs_create_file("images", 0400, dir, vol, &images_fops);
		vol->debugfs = dir;
	}
	mutex_unlock(&vol->lock);
}

/**
 * covol_debugfs_remove() - a volume goes
 * @vol: the volume; dead, so that nobody adds its files any more
 *
 * Context: sleeps until nobody reads its files; without locks of the volume.
 */
void covol_debugfs_remove(struct covol_volume *vol)
{
	debugfs_remove(vol->debugfs);
}

int covol_debugfs_init(void)
{
	root = debugfs_create_dir("covol", NULL);
	covol_fault_init(root);
	return 0;
}

void covol_debugfs_exit(void)
{
	debugfs_remove(root);
}
