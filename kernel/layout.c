// SPDX-License-Identifier: GPL-2.0-only
/*
 * Layouts: grant, recall, sequences. See layout.h.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "event.h"
#include "file.h"
#include "holder.h"
#include "layout.h"
#include "log.h"
#include "session.h"
#include "trace.h"
#include "volume.h"

/* How long a holder may take before user space is told. */
#define RECALL_TIME	(10 * HZ)

/* A node asks for the layout of 64 MiB at a time, and not again within a
 * second.
 */
#define ASK_SHIFT	(26 - SECTOR_SHIFT)
#define ASK_AGAIN	HZ

void covol_layout_init(struct covol_layout *layout)
{
	mutex_init(&layout->lock);
	INIT_LIST_HEAD(&layout->open);
	INIT_LIST_HEAD(&layout->holders);
	/*
	 * Later than any of an object of the same id that was here before: who
	 * still has extents that were read then has an old sequence (I6). In
	 * units of 64 ns, so that 53 bits, all that JSON has, are enough.
	 */
	layout->seq = ktime_get_boottime_ns() >> 6;
	layout->floor = layout->seq;
}

void covol_layout_exit(struct covol_layout *layout)
{
	covol_holders_free(layout);
	mutex_destroy(&layout->lock);
}

/* ---- changes ---------------------------------------------------------- */

static u64 next_seq(struct covol_layout *layout)
{
	u64 seq = layout->seq + 1;

	lockdep_assert_held(&layout->lock);
	/* I6: who reads this in covol_layout_seq(), and then extents, reads what
	 * was changed before
	 */
	smp_store_release(&layout->seq, seq);
	return seq;
}

/**
 * covol_layout_begin() - a range's map is going to change
 * @obj: an image that is served here
 * @change: the caller's, until covol_layout_end()
 * @start: first sector
 * @len: sectors
 *
 * From now on nothing is granted in the range.
 */
void covol_layout_begin(struct covol_object *obj, struct covol_change *change,
			u64 start, u64 len)
{
	struct covol_layout *layout = &obj->layout;

	change->start = start;
	change->len = len;
	change->seq = U64_MAX;
	change->since = jiffies;
	mutex_lock(&layout->lock);
	next_seq(layout);
	list_add(&change->entry, &layout->open);
	trace_covol_change_begin(obj, 0, start, len, layout->seq, 0);
	mutex_unlock(&layout->lock);
}

/**
 * covol_layout_end() - a range's map has changed
 * @obj: the image
 * @change: as given to covol_layout_begin()
 */
void covol_layout_end(struct covol_object *obj, struct covol_change *change)
{
	struct covol_layout *layout = &obj->layout;
	struct covol_change *slot;

	mutex_lock(&layout->lock);
	list_del(&change->entry);
	change->seq = next_seq(layout);
	slot = &layout->past[layout->next];
	layout->next = (layout->next + 1) % COVOL_CHANGES;
	if (slot->len)
		layout->floor = slot->seq;
	*slot = *change;
	trace_covol_change_end(obj, 0, change->start, change->len, change->seq,
			       0);
	mutex_unlock(&layout->lock);
}

/* ---- recall ----------------------------------------------------------- */

struct recall {
	struct covol_call	call;
	struct completion	done;
	int			err;
};

/* Count a message about a layout that was sent. */
static void count_sent(struct covol_session *s, struct covol_object *obj,
		       enum covol_layout_message what)
{
	atomic64_inc(&s->layout[what]);
	this_cpu_inc(obj->stats->layout[what]);
}

static void recall_done(struct covol_call *call, int err)
{
	struct recall *recall = container_of(call, struct recall, call);

	recall->err = err;
	complete(&recall->done);
}

static void report_slow(struct covol_object *obj, u32 peer,
			const struct covol_change *change)
{
	covol_warn(obj->vol, "image %llu: node %u has not returned a layout\n",
		   obj->id, peer);
	covol_event_recall_timeout(obj, peer, change->start << SECTOR_SHIFT,
				   change->len << SECTOR_SHIFT);
}

/* Ask a holder over its session and wait for the answer. */
static int recall_call(struct covol_session *s, struct covol_object *obj,
		       struct covol_change *change, u16 flags)
{
	struct recall recall = {
		.call.hdr = {
			.opcode = COVOL_OP_RECALL,
			.flags = flags,
			.object = obj->id,
			.offset = change->start << SECTOR_SHIFT,
			.length = change->len << SECTOR_SHIFT,
			.seq = obj->layout.seq,
		},
		.call.done = recall_done,
	};
	int err;

	init_completion(&recall.done);
	trace_covol_recall_sent(obj, s->peer, change->start, change->len,
				recall.call.hdr.seq, 0);
	err = covol_session_call(s, &recall.call);
	if (err)
		return err;
	count_sent(s, obj, COVOL_RECALLS_SENT);
	while (!wait_for_completion_timeout(&recall.done, RECALL_TIME))
		report_slow(obj, s->peer, change);
	trace_covol_recall_answered(obj, s->peer, change->start, change->len,
				    recall.call.hdr.seq, recall.err);
	return recall.err;
}

/*
 * Recall from one peer. It ends only when the peer has answered or user space
 * has said that it is fenced (covol_layout_forget_holder()): a holder that
 * does not answer may still write (I2). Or with -ENOENT when the asker's session
 * has ended: the holder's next session may be waiting for a request that waits
 * for the asker in turn. Or when the file is taken away: it may be waiting for
 * another coordinator.
 */
static int recall_peer(struct covol_object *obj, struct covol_change *change,
		       u32 peer, const struct covol_asker *asker)
{
	struct covol_volume *vol = obj->vol;
	struct covol_session *s;
	int forgets;
	int err;

	while (forgets = atomic_read(&vol->forgets), covol_holder_is(obj, peer)) {
		if (covol_file_gives_up(obj, asker))
			return -ENOENT;
		s = covol_session_find(vol, peer);
		err = -ENOTCONN;
		if (s) {
			err = recall_call(s, obj, change, 0);
			covol_session_put(s);
		}
		if (!err)
			return 0;
		if (!wait_event_timeout(vol->session_wait,
					covol_session_live(vol, peer) ||
					covol_file_gives_up(obj, asker) ||
					atomic_read(&vol->forgets) != forgets,
					RECALL_TIME))
			report_slow(obj, peer, change);
	}
	return 0;
}

static void recall_local(struct covol_object *obj, u64 start, u64 len)
{
	covol_map_forget(&obj->map, start, len);
	covol_object_drain(obj);
	trace_covol_recall_drained(obj, obj->vol->node, start, len, 0, 0);
}

/*
 * Recall from the node for which the change is made. It is given up when the
 * session ends: a new one waits until what that node asks for over the old
 * one has ended, and so must not wait for it.
 */
static int recall_asker(struct covol_object *obj, struct covol_change *change,
			u32 peer, bool zeroes)
{
	struct covol_session *s;
	int err = -ENOTCONN;

	if (peer == obj->vol->node) {
		if (zeroes)
			covol_map_forget_zeroes(&obj->map, change->start,
						change->len);
		else
			recall_local(obj, change->start, change->len);
		return 0;
	}
	s = covol_session_find(obj->vol, peer);
	if (s) {
		err = recall_call(s, obj, change,
				  zeroes ? COVOL_WIRE_ZEROES : 0);
		covol_session_put(s);
	}
	return err ? -ENOENT : 0;
}

/**
 * covol_layout_recall() - take a range back from all holders
 * @obj: an image that is served here
 * @change: begun, so that nobody is granted the range meanwhile
 * @asker: for whom the change is made
 * @zeroes: of that node only what reads as zeroes
 *
 * Context: sleeps until all have returned it: until their I/O under way in it
 * has ended.
 *
 * Return: 0, or -ENOENT: the asker cannot be asked, or is gone, or this node
 * is to serve the image no longer; nothing must be changed, and it asks again.
 */
int covol_layout_recall(struct covol_object *obj, struct covol_change *change,
			const struct covol_asker *asker, bool zeroes)
{
	u32 peer = 0;
	int err = 0;

	while (!err && (peer = covol_holder_next(obj, peer))) {
		if (peer == asker->peer)
			err = recall_asker(obj, change, peer, zeroes);
		else if (peer == obj->vol->node)
			recall_local(obj, change->start, change->len);
		else
			err = recall_peer(obj, change, peer, asker);
	}
	return err;
}

/**
 * covol_layout_recall_all() - take all of an image back from all nodes
 * @obj: an image that is served here
 * @change: of all of the image, begun
 *
 * As long as the change is under way nobody holds any of it.
 *
 * Context: sleeps until all have returned it, see covol_layout_recall().
 *
 * Return: 0, or -ENOENT: the file is being taken away.
 */
int covol_layout_recall_all(struct covol_object *obj,
			    struct covol_change *change)
{
	struct covol_layout *layout = &obj->layout;
	struct covol_asker nobody = { };
	int err = covol_layout_recall(obj, change, &nobody, false);

	if (err)
		return err;
	mutex_lock(&layout->lock);
	covol_holders_free(layout);
	mutex_unlock(&layout->lock);
	return 0;
}

/**
 * covol_layout_serve() - this node serves an image from now on
 * @obj: an image that it has not served, or not for a while
 * @holders: nodes that may hold layouts of another coordinator's
 * @nr: how many
 *
 * Nothing is known of what they hold. So each is a holder of all of it, and is
 * asked before anything is changed (I2, I5), and when it is to be reached again.
 *
 * Return: 0 or -ENOMEM.
 */
int covol_layout_serve(struct covol_object *obj, const u32 *holders,
		       unsigned int nr)
{
	struct covol_layout *layout = &obj->layout;
	unsigned int i;
	int err = 0;

	mutex_lock(&layout->lock);
	/* I6: what was read when it was served here before is out of date */
	layout->floor = next_seq(layout);
	for (i = 0; i < nr && !err; i++)
		err = covol_holder_add(layout, holders[i]);
	if (err)
		covol_holders_free(layout);
	mutex_unlock(&layout->lock);
	return err;
}

/**
 * covol_layout_leave() - this node does not serve an image any more
 * @obj: the image
 *
 * Who holds layouts of it is the concern of whoever serves it next.
 */
void covol_layout_leave(struct covol_object *obj)
{
	struct covol_layout *layout = &obj->layout;

	mutex_lock(&layout->lock);
	covol_holders_free(layout);
	mutex_unlock(&layout->lock);
}

/* ---- grant ------------------------------------------------------------ */

/**
 * covol_layout_seq() - an image's sequence
 * @obj: an image that is served here
 *
 * Context: any; takes no lock, as who has that may wait for memory, and who
 * receives asks this (I8).
 *
 * Return: the sequence; extents that are read later are granted with it.
 */
u64 covol_layout_seq(struct covol_object *obj)
{
	/* pairs with next_seq() */
	return smp_load_acquire(&obj->layout.seq);
}

/**
 * covol_layout_want() - ask user space for the extents of a range
 * @obj: an image that is served here
 * @peer: who wants them
 * @start: first sector
 * @len: sectors
 */
void covol_layout_want(struct covol_object *obj, u32 peer, u64 start, u64 len)
{
	covol_event_layout_wanted(obj, peer, covol_layout_seq(obj),
				  start << SECTOR_SHIFT, len << SECTOR_SHIFT);
}

/* A list of extents that grows as changes cut it. */
struct cut {
	struct covol_extent	*ext;
	unsigned int		nr;
	unsigned int		max;
};

/* Take [start, start + len) out of every extent; their order stays. False: no
 * room for one that falls in two.
 */
static bool cut_out(struct cut *cut, u64 start, u64 len)
{
	u64 end = start + len;
	unsigned int i;

	for (i = 0; i < cut->nr; i++) {
		struct covol_extent *ext = &cut->ext[i], tail = *ext;
		u64 ext_end = ext->start + ext->len;

		if (!ext->len || ext->start >= end || ext_end <= start)
			continue;
		ext->len = ext->start < start ? start - ext->start : 0;
		if (ext_end <= end)
			continue;
		if (cut->nr == cut->max)
			return false;
		if (covol_state_mapped(tail.state))
			tail.place += end - tail.start;
		tail.start = end;
		tail.len = ext_end - end;
		memmove(ext + 2, ext + 1, (cut->nr - i - 1) * sizeof(*ext));
		ext[1] = tail;
		cut->nr++;
	}
	return true;
}

/* I6: what changed after the extents were read is not granted. */
static int cut_changes(struct covol_layout *layout, struct cut *cut, u64 seq)
{
	struct covol_change *change;
	unsigned int i;

	lockdep_assert_held(&layout->lock);
	if (seq < layout->floor)
		return -ESTALE;
	list_for_each_entry(change, &layout->open, entry)
		if (!cut_out(cut, change->start, change->len))
			return -ESTALE;
	for (i = 0; i < COVOL_CHANGES; i++) {
		change = &layout->past[i];
		if (change->len && change->seq > seq &&
		    !cut_out(cut, change->start, change->len))
			return -ESTALE;
	}
	return 0;
}

struct grant_msg {
	struct covol_msg		msg;
	struct kvec			kv;
	struct covol_wire_extent	ext[];
};

static void grant_sent(struct covol_msg *msg, int err)
{
	kfree(container_of(msg, struct grant_msg, msg));
}

static int send_grant(struct covol_session *s, struct covol_object *obj,
		      u64 start, u64 len, const struct cut *cut)
{
	struct covol_hdr hdr = {
		.opcode = COVOL_OP_GRANT,
		.object = obj->id,
		.offset = start << SECTOR_SHIFT,
		.length = len << SECTOR_SHIFT,
		.seq = obj->layout.seq,
	};
	struct grant_msg *grant;
	unsigned int i, nr = 0;

	grant = kmalloc(struct_size(grant, ext, cut->nr), GFP_NOIO);
	if (!grant)
		return -ENOMEM;
	for (i = 0; i < cut->nr; i++)
		if (cut->ext[i].len)
			covol_wire_extent_encode(&grant->ext[nr++],
						 &cut->ext[i]);
	memset(&grant->msg, 0, sizeof(grant->msg));
	grant->msg.sent = grant_sent;
	grant->kv.iov_base = grant->ext;
	grant->kv.iov_len = nr * sizeof(grant->ext[0]);
	iov_iter_kvec(&grant->msg.payload, ITER_SOURCE, &grant->kv, 1,
		      grant->kv.iov_len);
	covol_session_send(s, &grant->msg, &hdr);
	count_sent(s, obj, COVOL_GRANTS_SENT);
	return 0;
}

/*
 * A peer becomes a holder only while it has a session: one that user space has
 * forgotten has none (covol_layout_forget_holder() comes after the session's
 * end), and must not be waited for again.
 */
static int grant_peer(struct covol_object *obj, u32 peer, u64 start, u64 len,
		      const struct cut *cut)
{
	struct covol_session *s = covol_session_find(obj->vol, peer);
	int err;

	if (!s)
		return -ENOTCONN;
	err = covol_holder_add(&obj->layout, peer);
	if (!err)
		err = send_grant(s, obj, start, len, cut);
	trace_covol_grant_sent(obj, peer, start, len, obj->layout.seq, err);
	covol_session_put(s);
	return err;
}

static int grant_local(struct covol_object *obj, u64 start, u64 len,
		       const struct cut *cut)
{
	u32 node = obj->vol->node;
	int err = covol_holder_add(&obj->layout, node);

	if (!err)
		err = covol_layout_install(obj, cut->ext, cut->nr);
	trace_covol_grant_installed(obj, node, start, len, obj->layout.seq,
				    err);
	return err;
}

static int grant_locked(struct covol_object *obj, u32 peer, u64 seq, u64 start,
			u64 len, struct cut *cut)
{
	int err = cut_changes(&obj->layout, cut, seq);

	if (err)
		return err;
	/* who serves next is not told of it */
	if (READ_ONCE(obj->file_state) == COVOL_FILE_LEAVING)
		return -ENOENT;
	if (peer == obj->vol->node)
		return grant_local(obj, start, len, cut);
	return grant_peer(obj, peer, start, len, cut);
}

/**
 * covol_layout_grant() - give extents to a node
 * @obj: an image that is served here
 * @peer: to whom; this node's own id for this node
 * @seq: the image's sequence when the extents were read
 * @start: first sector of the range that they describe
 * @len: sectors
 * @ext: the extents, checked by covol_layout_check()
 * @nr: how many, at most half of COVOL_WIRE_EXTENTS_MAX
 *
 * The mapping is stable: user space has called fsync() after it read it (I2).
 *
 * Context: may sleep.
 *
 * Return: 0; -ESTALE: too much has changed since @seq; -ENOTCONN: there is no
 * session with @peer; -ENOENT: the image's file is being taken away; -ENOMEM.
 */
int covol_layout_grant(struct covol_object *obj, u32 peer, u64 seq, u64 start,
		       u64 len, const struct covol_extent *ext, unsigned int nr)
{
	struct cut cut = { .nr = nr, .max = COVOL_WIRE_EXTENTS_MAX };
	int err;

	cut.ext = kvmalloc_array(cut.max, sizeof(*ext), GFP_KERNEL);
	if (!cut.ext)
		return -ENOMEM;
	memcpy(cut.ext, ext, nr * sizeof(*ext));
	mutex_lock(&obj->layout.lock);
	err = grant_locked(obj, peer, seq, start, len, &cut);
	mutex_unlock(&obj->layout.lock);
	kvfree(cut.ext);
	return err;
}

/* ---- the holder's side ------------------------------------------------ */

/**
 * covol_layout_clip() - leave out what lies past the object's end
 * @obj: the object
 * @start: first sector of the range that the extents describe
 * @len: sectors; made smaller, 0 if none are left
 * @ext: the extents; made smaller
 * @nr: how many
 *
 * An image grows on its coordinator first, and shrinks there last.
 *
 * Return: how many are left.
 */
unsigned int covol_layout_clip(struct covol_object *obj, u64 start, u64 *len,
			       struct covol_extent *ext, unsigned int nr)
{
	u64 end = max(start, READ_ONCE(obj->size) >> SECTOR_SHIFT);
	unsigned int i, left = 0;

	if (*len <= end - start)
		return nr;
	*len = end - start;
	for (i = 0; i < nr; i++) {
		if (ext[i].start >= end)
			continue;
		ext[left] = ext[i];
		ext[left].len = min(ext[i].len, end - ext[i].start);
		left++;
	}
	return left;
}

/**
 * covol_layout_check() - are extents from outside in bounds?
 * @obj: the object
 * @start: first sector of the range that they describe
 * @len: sectors
 * @ext: the extents
 * @nr: how many
 *
 * Return: NULL, or what is wrong.
 */
const char *covol_layout_check(struct covol_object *obj, u64 start, u64 len,
			       const struct covol_extent *ext, unsigned int nr)
{
	return covol_extents_check(READ_ONCE(obj->size) >> SECTOR_SHIFT,
				   READ_ONCE(obj->vol->size) >> SECTOR_SHIFT,
				   start, len, ext, nr);
}

/**
 * covol_layout_install() - put granted extents into this node's map
 * @obj: the object
 * @ext: the extents, ascending; those of no length are passed over
 * @nr: how many
 *
 * What lies between them stays as it is: what this node has there it was
 * granted, too, and it has not been recalled.
 *
 * Context: may sleep; does not start I/O for memory.
 *
 * Return: 0; -ENOMEM: some of them are unknown now.
 */
int covol_layout_install(struct covol_object *obj,
			 const struct covol_extent *ext, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr; i++) {
		if (!ext[i].len || !covol_map_set(&obj->map, &ext[i]))
			continue;
		covol_map_forget(&obj->map, ext[i].start, ext[i].len);
		err = -ENOMEM;
	}
	return err;
}

/**
 * covol_layout_replace() - set what this node's map has in a range
 * @obj: the object
 * @start: first sector of the range
 * @len: sectors
 * @ext: the extents in it, ascending
 * @nr: how many
 *
 * What they leave out of the range becomes unknown.
 *
 * Context: may sleep; does not start I/O for memory.
 *
 * Return: 0; -ENOMEM: some of the range is unknown now.
 */
int covol_layout_replace(struct covol_object *obj, u64 start, u64 len,
			 const struct covol_extent *ext, unsigned int nr)
{
	unsigned int i;
	u64 at = start;

	for (i = 0; i < nr; i++) {
		if (ext[i].start > at)
			covol_map_forget(&obj->map, at, ext[i].start - at);
		at = ext[i].start + ext[i].len;
	}
	if (at < start + len)
		covol_map_forget(&obj->map, at, start + len - at);
	return covol_layout_install(obj, ext, nr);
}

static void ask_done(struct covol_call *call, int err)
{
	kfree(call);
}

static void ask_peer(struct covol_object *obj, u64 start, u64 len)
{
	struct covol_volume *vol = obj->vol;
	struct covol_session *s;
	struct covol_call *call;

	call = kzalloc(sizeof(*call), GFP_NOWAIT | __GFP_NOWARN);
	if (!call)
		return;		/* the next I/O asks again */
	call->hdr.opcode = COVOL_OP_LAYOUT_GET;
	call->hdr.object = obj->id;
	call->hdr.offset = start << SECTOR_SHIFT;
	call->hdr.length = len << SECTOR_SHIFT;
	call->done = ask_done;
	s = covol_session_find(vol, READ_ONCE(vol->coordinator));
	if (!s || covol_session_call(s, call))
		kfree(call);
	if (s)
		covol_session_put(s);
}

/**
 * covol_layout_ask() - this node has I/O where it has no layout
 * @obj: the object
 * @sector: where
 *
 * Asks the coordinator for the layout of the neighbourhood, unless it has
 * done so just now. The answer is a grant, some time later, or nothing.
 *
 * Context: process context, may sleep for memory, without I/O.
 */
void covol_layout_ask(struct covol_object *obj, u64 sector)
{
	u64 window = sector >> ASK_SHIFT, start = window << ASK_SHIFT;
	u64 len = min(1ull << ASK_SHIFT,
		      (READ_ONCE(obj->size) >> SECTOR_SHIFT) - start);
	struct covol_asked *asked = &obj->asked;
	bool recent;

	spin_lock(&asked->lock);
	recent = asked->when && asked->window == window &&
		 time_before(jiffies, asked->when + ASK_AGAIN);
	if (!recent) {
		asked->window = window;
		asked->when = jiffies | 1;
	}
	spin_unlock(&asked->lock);
	if (recent)
		return;
	if (covol_volume_serves(obj->vol))
		covol_layout_want(obj, obj->vol->node, start, len);
	else
		ask_peer(obj, start, len);
}
