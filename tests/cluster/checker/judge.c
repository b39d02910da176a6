// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge. See judge.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "checker.h"
#include "judge.h"
#include "stamp.h"

/* Values that a sector may have at once, from the oldest to the newest. Discards add to them and
 * take none away; some places are kept for others.
 */
#define VALUES	8
#define VALUES_DISCARD	4
#define COMPLAINTS_MAX	40

enum kind { DATA, ZERO, DISCARDED };

struct value {
	uint32_t seq;
	uint8_t kind;
	bool passed; /* something newer was seen */
};

struct sector {
	struct value value[VALUES];
	uint32_t zeroed;   /* the last operation that may have made zeroes of it */
	uint32_t acked_by; /* node of the last acknowledged */
	uint8_t nr;
	bool busy;
};

struct op {
	struct op *next;
	char what;
	bool lost;
	uint32_t seq;
	unsigned int node;
	uint64_t first, nr;  /* sectors */
	struct sector was[]; /* of a read: what they were when it began */
};

/* An operation that changes has begun, or was acknowledged. */
struct event {
	bool acked;
	char what;
	uint32_t seq;
	unsigned int node;
	uint64_t first, nr;
};

/* A snapshot: what the sectors were when it began, what happened until it was taken, and what it
 * has.
 */
struct snapshot {
	bool open;
	struct sector *sectors;
	struct event *events;
	size_t nr_events, room;
	uint32_t began, taken; /* the last sequence by then */
	uint32_t *seen;
};

struct judge {
	FILE *complaints;
	struct sector *sectors;
	uint64_t nr;
	struct op *ops;
	uint32_t seq; /* the last one */
	struct snapshot snapshot;
	uint64_t wrong;
};

static void complain(struct judge *judge, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct judge *judge, const char *format, ...)
{
	va_list args;

	if (judge->wrong++ >= COMPLAINTS_MAX)
		return;
	fputs("# WRONG ", judge->complaints);
	va_start(args, format);
	vfprintf(judge->complaints, format, args);
	va_end(args);
	fputc('\n', judge->complaints);
	fflush(judge->complaints);
}

struct judge *judge_create(uint64_t size, FILE *complaints)
{
	struct judge *judge = calloc(1, sizeof(*judge));
	uint64_t i;

	if (!judge)
		die("no memory");
	judge->complaints = complaints;
	judge->nr = size / SECTOR;
	judge->sectors = calloc(judge->nr, sizeof(*judge->sectors));
	if (!judge->sectors)
		die("no memory");
	/* A new image: zeroes that sequence 0 has written. */
	for (i = 0; i < judge->nr; i++) {
		judge->sectors[i].nr = 1;
		judge->sectors[i].value[0].kind = ZERO;
	}
	return judge;
}

/* ---- operations under way ---- */

static struct op **find(struct judge *judge, uint32_t seq)
{
	struct op **link = &judge->ops;

	while (*link && (*link)->seq != seq)
		link = &(*link)->next;
	return link;
}

static struct op *take(struct judge *judge, uint32_t seq)
{
	struct op **link = find(judge, seq), *op = *link;

	if (!op)
		complain(judge, "an answer to %u, which is not under way", seq);
	else
		*link = op->next;
	return op;
}

static bool changes(const struct op *op)
{
	return !strchr("rps", op->what);
}

static void note_event(struct judge *judge, const struct op *op, bool acked)
{
	struct snapshot *snap = &judge->snapshot;

	if (!snap->open || !changes(op))
		return;
	if (snap->nr_events == snap->room) {
		snap->room = 2 * snap->room + 64;
		snap->events = realloc(snap->events, snap->room * sizeof(*snap->events));
		if (!snap->events)
			die("no memory");
	}
	snap->events[snap->nr_events++] = (struct event){
		.acked = acked,
		.what = op->what,
		.seq = op->seq,
		.node = op->node,
		.first = op->first,
		.nr = op->nr,
	};
}

/* ---- values ---- */

static bool reads_zero(const struct value *value)
{
	return value->kind != DATA;
}

static void add_value(struct sector *sector, char what, uint32_t seq)
{
	struct value value = { .seq = seq };

	value.kind = what == 'z' ? ZERO : what == 'd' ? DISCARDED : DATA;
	if (sector->busy || sector->nr == VALUES)
		die("sequence %u has no room", seq);
	sector->busy = true;
	if (value.kind != DATA)
		sector->zeroed = seq;
	sector->value[sector->nr++] = value;
}

void judge_begin(struct judge *judge, char what, uint32_t seq, unsigned int node, uint64_t offset,
		 uint64_t length)
{
	uint64_t first = offset / SECTOR, nr = length / SECTOR, i;
	struct op *op;

	if (first > judge->nr || nr > judge->nr - first || node >= NODES_MAX)
		die("sequence %u is out of bounds", seq);
	op = calloc(1, sizeof(*op) + (what == 'r' ? nr * sizeof(op->was[0]) : 0));
	if (!op)
		die("no memory");
	op->what = what;
	op->seq = seq;
	op->node = node;
	op->first = first;
	op->nr = what == 's' ? 0 : nr;
	op->next = judge->ops;
	judge->ops = op;
	judge->seq = seq;
	if (what == 'r')
		memcpy(op->was, judge->sectors + first, nr * sizeof(op->was[0]));
	for (i = 0; changes(op) && i < op->nr; i++)
		add_value(judge->sectors + first + i, what, seq);
	note_event(judge, op, false);
}

/* An acknowledged write is all that a sector may be. A discard may have done anything. */
static void acknowledge(struct sector *sector, char what, unsigned int node)
{
	struct value value;

	sector->busy = false;
	if (what == 'd')
		return;
	value = sector->value[sector->nr - 1];
	value.passed = false;
	sector->value[0] = value;
	sector->nr = 1;
	sector->acked_by = node;
}

void judge_end(struct judge *judge, uint32_t seq)
{
	struct op *op = take(judge, seq);
	uint64_t i;

	if (!op)
		return;
	if (strchr("rp", op->what))
		die("sequence %u is a read, and says nothing", seq);
	for (i = 0; changes(op) && i < op->nr; i++)
		acknowledge(judge->sectors + op->first + i, op->what, op->node);
	note_event(judge, op, true);
	free(op);
}

void judge_fail(struct judge *judge, uint32_t seq, int err)
{
	struct op *op = take(judge, seq);
	uint64_t i;

	if (!op)
		return;
	complain(judge, "node %u: %c %u, sectors %" PRIu64 " to %" PRIu64 ", failed: %s", op->node,
		 op->what, seq, op->first, op->first + op->nr, strerror(err));
	for (i = 0; changes(op) && i < op->nr; i++)
		judge->sectors[op->first + i].busy = false;
	free(op);
}

/* ---- reads ---- */

static bool matches(const struct value *value, uint32_t seen)
{
	return seen == STAMP_ZERO ? reads_zero(value) : value->kind == DATA && value->seq == seen;
}

static bool among(const struct sector *sector, uint32_t seen)
{
	unsigned int i;

	for (i = 0; i < sector->nr; i++)
		if (!sector->value[i].passed && matches(&sector->value[i], seen))
			return true;
	return false;
}

/* What began and was replaced while the read was under way is in neither list; a stamp proves that
 * it was for this sector.
 */
static bool newer(const struct sector *sector, uint32_t seen, uint32_t began)
{
	return seen == STAMP_ZERO ? sector->zeroed > began : seen > began;
}

/* What is older than what was seen must not be seen any more. A stamp says which write that was.
 * Zeroes are taken for the oldest that there were when the read began; others may have come and
 * gone meanwhile, and who knows which were seen.
 */
static void pass(struct sector *sector, const struct sector *was, uint32_t seen)
{
	uint32_t seq = seen;
	unsigned int i, at;

	if (seen == STAMP_ZERO) {
		for (i = 0; i < was->nr; i++)
			if (!was->value[i].passed && reads_zero(&was->value[i]))
				break;
		if (i == was->nr)
			return;
		seq = was->value[i].seq;
	}
	for (at = 0; at < sector->nr && sector->value[at].seq != seq; at++)
		;
	for (i = 0; at < sector->nr && i < at; i++)
		sector->value[i].passed = true;
}

static const char *list(const struct sector *sector, char *text, size_t size)
{
	static const char *const kinds[] = { "", " (zeroes)", " (discard)" };
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < sector->nr && len < size; i++)
		len += snprintf(text + len, size - len, "%s%u%s%s", i ? ", " : "",
				sector->value[i].seq, kinds[sector->value[i].kind],
				sector->value[i].passed ? " passed" : "");
	return text;
}

static void wrong_value(struct judge *judge, const struct op *op, uint64_t i, uint32_t seen)
{
	char before[256], after[256];

	complain(judge,
		 "node %u: read %u sees %u in sector %" PRIu64
		 "; when it began that was %s (acknowledged to node %u), now %s",
		 op->node, op->seq, seen, op->first + i, list(&op->was[i], before, sizeof(before)),
		 op->was[i].acked_by, list(judge->sectors + op->first + i, after, sizeof(after)));
}

static void judge_sector(struct judge *judge, struct op *op, uint64_t i, uint32_t seen)
{
	struct sector *sector = judge->sectors + op->first + i;

	if (among(&op->was[i], seen) || among(sector, seen) || newer(sector, seen, op->seq))
		pass(sector, &op->was[i], seen);
	else
		wrong_value(judge, op, i, seen);
}

/* "VALUE*SECTORS": returns how many sectors, or 0 for nothing. */
static unsigned long parse_run(const char **text, uint32_t *seen)
{
	unsigned long count;
	char *end;

	while (**text == ' ')
		(*text)++;
	if (**text == '!') {
		*seen = STAMP_BAD;
		end = (char *)*text + 1;
	} else {
		*seen = strtoul(*text, &end, 10);
	}
	if (end == *text || *end != '*')
		return 0;
	count = strtoul(end + 1, &end, 10);
	*text = end;
	return count;
}

void judge_read(struct judge *judge, uint32_t seq, const char *values)
{
	struct op *op = take(judge, seq);
	unsigned long count;
	uint64_t at = 0;
	uint32_t seen;

	if (!op)
		return;
	while ((count = parse_run(&values, &seen))) {
		if (seen == STAMP_BAD)
			complain(judge, "node %u: read %u has %lu bad sectors from %" PRIu64 " on",
				 op->node, seq, count, op->first + at);
		while (count-- && at < op->nr) {
			if (op->what == 'p' && judge->snapshot.seen)
				judge->snapshot.seen[op->first + at] = seen;
			else if (seen != STAMP_BAD)
				judge_sector(judge, op, at, seen);
			at++;
		}
	}
	if (at != op->nr)
		complain(judge, "node %u: read %u ended after %" PRIu64 " of %" PRIu64 " sectors",
			 op->node, seq, at, op->nr);
	free(op);
}

/* ---- snapshots ---- */

void judge_snapshot_begin(struct judge *judge)
{
	struct snapshot *snap = &judge->snapshot;
	uint64_t i;

	free(snap->sectors);
	free(snap->seen);
	snap->sectors = malloc(judge->nr * sizeof(*snap->sectors));
	snap->seen = malloc(judge->nr * sizeof(*snap->seen));
	if (!snap->sectors || !snap->seen)
		die("no memory");
	memcpy(snap->sectors, judge->sectors, judge->nr * sizeof(*snap->sectors));
	for (i = 0; i < judge->nr; i++)
		snap->seen[i] = STAMP_BAD;
	snap->nr_events = 0;
	snap->began = judge->seq;
	snap->open = true;
}

void judge_snapshot_taken(struct judge *judge)
{
	judge->snapshot.taken = judge->seq;
	judge->snapshot.open = false;
}

static void replay(struct snapshot *snap, const struct event *event)
{
	uint64_t i;

	for (i = event->first; i < event->first + event->nr; i++) {
		if (event->acked) {
			acknowledge(&snap->sectors[i], event->what, event->node);
		} else {
			/* what was given up meanwhile is no event */
			snap->sectors[i].busy = false;
			add_value(&snap->sectors[i], event->what, event->seq);
		}
	}
}

/* When the newest write that the snapshot has began, what was acknowledged by then had been done:
 * it must be there, too.
 */
static uint32_t newest(const struct judge *judge)
{
	const struct snapshot *snap = &judge->snapshot;
	uint32_t seq = snap->began;
	uint64_t i;

	for (i = 0; i < judge->nr; i++)
		if (snap->seen[i] != STAMP_ZERO && snap->seen[i] != STAMP_BAD &&
		    snap->seen[i] > seq)
			seq = snap->seen[i];
	return seq;
}

void judge_snapshot(struct judge *judge)
{
	struct snapshot *snap = &judge->snapshot;
	const struct event *event = snap->events, *end = event + snap->nr_events;
	char text[256];
	uint32_t seq;
	uint64_t i;
	bool found;

	if (!snap->sectors)
		die("there is no snapshot");
	seq = newest(judge);
	for (found = seq == snap->began; event < end && !found; event++) {
		replay(snap, event);
		found = !event->acked && event->seq == seq;
	}
	/* of what began later zeroes say nothing about when */
	for (; event < end; event++)
		for (i = 0; !event->acked && strchr("zd", event->what) && i < event->nr; i++)
			snap->sectors[event->first + i].zeroed = event->seq;
	for (i = 0; i < judge->nr; i++) {
		const struct sector *sector = &snap->sectors[i];
		uint32_t seen = snap->seen[i];

		if (seen > snap->taken && seen != STAMP_ZERO)
			complain(judge,
				 "snapshot: sector %" PRIu64 " has %u, the last before it was %u",
				 i, seen, snap->taken);
		else if (!among(sector, seen) &&
			 (seen != STAMP_ZERO || sector->zeroed <= seq))
			complain(judge,
				 "snapshot: sector %" PRIu64 " has %u; when %u began that was %s",
				 i, seen, seq, list(sector, text, sizeof(text)));
	}
}

/* ---- events ---- */

void judge_lost(struct judge *judge, unsigned int node)
{
	struct op *op;

	for (op = judge->ops; op; op = op->next)
		if (op->node == node)
			op->lost = true;
}

void judge_fenced(struct judge *judge, unsigned int node)
{
	struct op **link = &judge->ops, *op;
	uint64_t i;

	while ((op = *link)) {
		if (op->node != node || !op->lost) {
			link = &op->next;
			continue;
		}
		for (i = 0; changes(op) && i < op->nr; i++)
			judge->sectors[op->first + i].busy = false;
		*link = op->next;
		free(op);
	}
}

void judge_crash(struct judge *judge)
{
	uint64_t i;
	int n;

	for (i = 0; i < judge->nr; i++)
		for (n = 0; n < VALUES; n++)
			judge->sectors[i].value[n].passed = false;
}

/* ---- questions ---- */

bool judge_room(const struct judge *judge, char what, uint64_t offset, uint64_t length)
{
	const struct sector *sector = judge->sectors + offset / SECTOR;
	const struct sector *end = sector + length / SECTOR;
	int limit = what == 'd' ? VALUES_DISCARD : VALUES;

	for (; sector < end; sector++)
		if (sector->busy || sector->nr >= limit)
			return false;
	return true;
}

unsigned int judge_under_way(const struct judge *judge, int node)
{
	unsigned int nr = 0;
	struct op *op;

	for (op = judge->ops; op; op = op->next)
		nr += !op->lost && (node < 0 || op->node == (unsigned int)node);
	return nr;
}

uint64_t judge_wrong(const struct judge *judge)
{
	return judge->wrong;
}

/* ---- the log ---- */

bool judge_line(struct judge *judge, const char *line)
{
	unsigned long a = 0, b = 0;
	uint64_t offset, length;
	int text = 0, fields;
	char what;

	if (*line == '#')
		return true;
	/* the time is for people */
	line += strcspn(line, " ");
	fields = sscanf(line, " %c %lu%n %lu %" SCNu64 " %" SCNu64, &what, &a, &text, &b, &offset,
			&length);
	if (fields < 1)
		return false;
	if (strchr("wWzdsrp", what) && fields == 5)
		judge_begin(judge, what, a, b, offset, length);
	else if (what == 'a' && fields >= 2)
		judge_end(judge, a);
	else if (what == 'e' && fields >= 3)
		judge_fail(judge, a, b);
	else if (what == 'v' && fields >= 2)
		judge_read(judge, a, line + text);
	else if (what == 'l' && fields >= 2)
		judge_lost(judge, a);
	else if (what == 'f' && fields >= 2)
		judge_fenced(judge, a);
	else if (what == 'x')
		judge_crash(judge);
	else if (what == 'b')
		judge_snapshot_begin(judge);
	else if (what == 't')
		judge_snapshot_taken(judge);
	else if (what == 'j')
		judge_snapshot(judge);
	else
		return what == '#';
	return true;
}

int cmd_judge(int argc, char **argv)
{
	struct judge *judge;
	char *line = NULL;
	size_t room = 0;

	if (argc != 3 || strcmp(argv[1], "--size"))
		return usage();
	judge = judge_create(strtoull(argv[2], NULL, 10), stdout);
	while (getline(&line, &room, stdin) > 0)
		if (!judge_line(judge, line))
			die("not a line of a log: %s", line);
	printf("%" PRIu64 " wrong\n", judge_wrong(judge));
	return judge_wrong(judge) ? 1 : 0;
}
