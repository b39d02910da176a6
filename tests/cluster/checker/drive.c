// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of the checker: tells nodes what to do, keeps the log, asks the judge. Each node is a
 * child process that runs node.c there and is its standard input and output.
 *
 * Commands on standard input, a line each; each is answered by a line that begins with "ok" or
 * "bad", and the next is read after that:
 *
 *	start N [MODE]	start node N: rw; ro: it only reads; data: it only reads and writes
 *	go		let I/O begin
 *	stop		begin no more, wait until all that is under way has ended
 *	quiet N		the same for one node
 *	resume N	it may go on
 *	end N		quiet, and no node any more
 *	doom N		node N is being fenced: it is given up when it fails (resume N: it is not)
 *	gone N		node N was killed, or doomed; what was under way may or may not be done ...
 *	fenced N	... and will not be done from now on
 *	crash		the coordinator was killed
 *	flows [COUNT]	wait until every node that may has ended so many operations more (10)
 *	verify		stop, and have every node read everything
 *	snap_begin	a snapshot is going to be taken ...
 *	snap_taken	... and has been
 *	start N snap	start node N, which has the snapshot
 *	snap_verify N	have it read everything: does that fit together?
 *	report		what was done since the last report; "bad" if anything was wrong
 *
 * The log has all operations with their answers, in the order in which they came: what `checker
 * judge` reads.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checker.h"
#include "judge.h"
#include "stamp.h"

#define LINE_MAX_LEN	(64 << 10)
#define FOLLOWS	16
/* Most I/O goes to a window that wanders, so that nodes meet. */
#define WINDOW	(4 << 20)
#define WINDOW_OPS	400

struct range {
	uint64_t offset, length;
};

struct node {
	bool running, readonly, data, quiet, snapshot, doomed;
	bool hello;
	bool missing; /* ended, and nobody has said why */
	pid_t pid;
	int in, out;
	char line[LINE_MAX_LEN];
	size_t len;
	struct range follow[FOLLOWS]; /* to be read soon: somebody has just written there */
	unsigned int follow_head, follow_tail;
	uint64_t verified; /* while verifying: how far */
	uint64_t ended, wanted; /* operations */
};

struct op {
	bool used;
	char what;
	uint32_t seq;
	unsigned int node;
	struct range range;
};

#define OPS_MAX	(NODES_MAX * 64)

static struct node nodes[NODES_MAX];
static struct op ops[OPS_MAX];
static struct judge *judge;
static FILE *log_file;
static uint64_t size, began, window, random_state = 1;
static uint32_t seq;
static unsigned int depth = 8;
/* Within so many seconds all that is under way must end when it is waited for. */
static unsigned int patience = 120;
static char **command;
static int command_words;
static bool going, verifying;
static uint64_t counts[128], bytes[128], wrong_reported;

/* ---- small things ---- */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static uint64_t rnd(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state * 0x2545f4914f6cdd1dULL >> 11) % below;
}

static void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void log_line(const char *format, ...)
{
	va_list args;

	fprintf(log_file, "%" PRIu64 " ", now_ms() - began);
	va_start(args, format);
	vfprintf(log_file, format, args);
	va_end(args);
	fputc('\n', log_file);
}

static void reply(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void reply(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	fflush(log_file);
}

/* ---- operations ---- */

static struct op *new_op(char what, unsigned int node, const struct range *range)
{
	struct op *op = ops;

	while (op->used)
		op++; /* there are more than can be under way */
	op->used = true;
	op->what = what;
	op->seq = ++seq;
	op->node = node;
	op->range = *range;
	return op;
}

static struct op *find_op(uint32_t number, unsigned int node)
{
	struct op *op;

	for (op = ops; op < ops + OPS_MAX; op++)
		if (op->used && op->seq == number && op->node == node)
			return op;
	return NULL;
}

static unsigned int under_way(unsigned int node)
{
	unsigned int nr = 0;
	struct op *op;

	for (op = ops; op < ops + OPS_MAX; op++)
		nr += op->used && op->node == node;
	return nr;
}

/* It counts as begun from here on, whether it reaches the node or not. */
static void begin(unsigned int node, char what, const struct range *range)
{
	struct op *op = new_op(what, node, range);
	char line[128];
	int len;

	log_line("%c %u %u %" PRIu64 " %" PRIu64, what, op->seq, node, range->offset,
		 range->length);
	judge_begin(judge, what, op->seq, node, range->offset, range->length);
	len = snprintf(line, sizeof(line), "%c %u %" PRIu64 " %" PRIu64 "\n",
		       what == 'p' ? 'r' : what, op->seq, range->offset, range->length);
	if (write(nodes[node].in, line, len) != len)
		log_line("# node %u takes no command: %s", node, strerror(errno));
}

/* Somebody else is to read soon what was written. */
static void follow(unsigned int writer, const struct range *range)
{
	unsigned int at = rnd(NODES_MAX), i;
	struct node *node = NULL;

	for (i = 0; i < NODES_MAX; i++) {
		node = &nodes[(at + i) % NODES_MAX];
		if (node->running && !node->snapshot && (node != &nodes[writer] || !rnd(4)))
			break;
	}
	if (i < NODES_MAX && node->follow_head - node->follow_tail < FOLLOWS)
		node->follow[node->follow_head++ % FOLLOWS] = *range;
}

static void answered(unsigned int node, char how, uint32_t number, const char *rest)
{
	struct op *op = find_op(number, node);

	if (!op)
		die("node %u answers %u, which it was not asked", node, number);
	op->used = false;
	nodes[node].ended++;
	log_line("%c %u%s", how, number, rest);
	counts[(int)op->what]++;
	bytes[(int)op->what] += op->range.length;
	if (how == 'e')
		judge_fail(judge, number, strtol(rest, NULL, 10));
	else if (strchr("rp", op->what))
		judge_read(judge, number, rest);
	else
		judge_end(judge, number);
	if (how == 'a' && op->what != 's' && op->range.length <= IO_MAX && !verifying && rnd(2))
		follow(node, &op->range);
}

/* ---- what to do next ---- */

static uint64_t sectors_of(char what)
{
	/* as many small ones as big ones */
	uint64_t most = 1ULL << (1 + rnd(what == 'd' ? 12 : 9)), nr = 1 + rnd(most);

	/* half of them whole blocks of a file system */
	return rnd(2) ? nr : (nr + 7) & ~7ULL;
}

static void choose_range(char what, struct range *range)
{
	uint64_t nr = sectors_of(what), area = rnd(10) < 7 ? WINDOW : size, first;

	if (area == size)
		first = rnd(size / SECTOR);
	else
		first = window / SECTOR + rnd(area / SECTOR);
	if (!(nr & 7))
		first &= ~7ULL;
	first %= size / SECTOR;
	if (nr > size / SECTOR - first)
		nr = size / SECTOR - first;
	range->offset = first * SECTOR;
	range->length = nr * SECTOR;
}

static char choose_what(const struct node *node)
{
	unsigned int dice = rnd(node->data ? 89 : 100);

	if (node->readonly || dice < 35)
		return 'r';
	if (dice < 78)
		return 'w';
	if (dice < 89)
		return 'W';
	if (dice < 93)
		return 'd';
	return dice < 96 ? 'z' : 's';
}

static void begin_one(unsigned int number)
{
	struct node *node = &nodes[number];
	struct range range = { 0, 0 };
	char what;
	int tries;

	if (seq % WINDOW_OPS == 0)
		window = rnd(size);
	if (node->follow_head != node->follow_tail) {
		begin(number, 'r', &node->follow[node->follow_tail++ % FOLLOWS]);
		return;
	}
	what = choose_what(node);
	for (tries = 0; tries < 20; tries++) {
		if (what != 's')
			choose_range(what, &range);
		if (strchr("rs", what) || judge_room(judge, what, range.offset, range.length)) {
			begin(number, what, &range);
			return;
		}
	}
	begin(number, 'r', &range);
}

static void begin_verify(unsigned int number, char what)
{
	struct node *node = &nodes[number];
	struct range range = { .offset = node->verified };

	range.length = size - range.offset < IO_MAX ? size - range.offset : IO_MAX;
	node->verified += range.length;
	begin(number, what, &range);
}

static void feed(void)
{
	unsigned int i, most;

	for (i = 0; i < NODES_MAX; i++) {
		struct node *node = &nodes[i];

		/* readers read along, no more */
		most = node->readonly && !verifying ? 2 : depth;
		while (node->running && under_way(i) < most) {
			if (node->snapshot && node->verified < size)
				begin_verify(i, 'p');
			else if (node->snapshot)
				break;
			else if (verifying && node->verified < size)
				begin_verify(i, 'r');
			else if (going && !verifying && !node->quiet)
				begin_one(i);
			else
				break;
		}
	}
}

/* ---- nodes ---- */

static void node_line(unsigned int number, char *line)
{
	struct node *node = &nodes[number];
	uint32_t op;
	int rest;

	if (!strcmp(line, "hello"))
		node->hello = true;
	else if (line[0] == '#')
		log_line("# node %u: %s", number, line + 1);
	else if (line[0] == 'e' && node->doomed)
		kill(-node->pid, SIGKILL);
	else if (strchr("ave", line[0]) && sscanf(line + 1, " %" SCNu32 "%n", &op, &rest) == 1)
		answered(number, line[0], op, line + 1 + rest);
	else
		die("node %u says: %s", number, line);
}

static void node_ended(unsigned int number)
{
	struct node *node = &nodes[number];
	int status;

	if (node->in >= 0)
		close(node->in);
	close(node->out);
	waitpid(node->pid, &status, 0);
	node->running = false;
	node->missing = true;
	node->len = 0;
	node->follow_tail = node->follow_head;
	log_line("# node %u has ended", number);
	log_line("l %u", number);
	judge_lost(judge, number);
}

static void node_input(unsigned int number)
{
	struct node *node = &nodes[number];
	ssize_t got = read(node->out, node->line + node->len, sizeof(node->line) - node->len - 1);
	char *line = node->line, *end;

	if (got <= 0) {
		node_ended(number);
		return;
	}
	node->len += got;
	node->line[node->len] = 0;
	while ((end = strchr(line, '\n'))) {
		*end = 0;
		node_line(number, line);
		line = end + 1;
	}
	node->len -= line - node->line;
	memmove(node->line, line, node->len);
	if (node->len == sizeof(node->line) - 1)
		die("node %u: a line without end", number);
}

static void node_spawn(unsigned int number, const char *mode)
{
	struct node *node = &nodes[number];
	char **words = calloc(command_words + 3, sizeof(*words)), id[16];
	int in[2], out[2];

	memset(node, 0, sizeof(*node));
	if (!words || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("no pipe: %s", strerror(errno));
	memcpy(words, command, command_words * sizeof(*words));
	snprintf(id, sizeof(id), "%u", number);
	words[command_words] = id;
	words[command_words + 1] = strcmp(mode, "rw") && strcmp(mode, "data") ? "ro" : "rw";
	node->pid = fork();
	if (node->pid < 0)
		die("fork: %s", strerror(errno));
	if (!node->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		signal(SIGPIPE, SIG_DFL);
		/* an interruption is ours to handle */
		setpgid(0, 0);
		execvp(words[0], words);
		die("%s: %s", words[0], strerror(errno));
	}
	close(in[0]);
	close(out[1]);
	node->in = in[1];
	node->out = out[0];
	node->running = true;
	node->readonly = !strcmp(mode, "ro");
	node->data = !strcmp(mode, "data");
	/* it reads when it is told to */
	node->snapshot = !strcmp(mode, "snap");
	node->verified = size;
	free(words);
}

/* One round of what comes from nodes. */
static void turn(int timeout, bool control, bool *readable)
{
	struct pollfd fds[NODES_MAX + 1];
	unsigned int who[NODES_MAX + 1], nr = 0, i;

	feed();
	for (i = 0; i < NODES_MAX; i++) {
		if (!nodes[i].running)
			continue;
		who[nr] = i;
		fds[nr++] = (struct pollfd){ .fd = nodes[i].out, .events = POLLIN };
	}
	fds[nr] = (struct pollfd){ .fd = control ? 0 : -1, .events = POLLIN };
	poll(fds, nr + 1, timeout);
	for (i = 0; i < nr; i++)
		if (fds[i].revents)
			node_input(who[i]);
	if (readable)
		*readable = fds[nr].revents;
}

/* Until @done or for so many seconds. */
static bool await(bool (*done)(unsigned int), unsigned int number)
{
	uint64_t deadline = now_ms() + patience * 1000ULL;

	while (!done(number) && now_ms() < deadline)
		turn(200, false, NULL);
	return done(number);
}

static bool is_idle(unsigned int number)
{
	return !under_way(number) || !nodes[number].running;
}

static bool all_idle(unsigned int unused)
{
	unsigned int i, busy = 0;

	(void)unused;
	for (i = 0; i < NODES_MAX; i++)
		busy += !is_idle(i) || (verifying && nodes[i].running && nodes[i].verified < size);
	return !busy;
}

static bool is_gone(unsigned int number)
{
	return !nodes[number].running;
}

static bool flows(unsigned int number)
{
	const struct node *node = &nodes[number];

	return !node->running || node->quiet || node->snapshot || node->ended >= node->wanted;
}

static bool all_flow(unsigned int unused)
{
	unsigned int i, still = 0;

	(void)unused;
	for (i = 0; i < NODES_MAX; i++)
		still += !flows(i);
	return !still;
}

static bool has_read_all(unsigned int number)
{
	return is_idle(number) && (nodes[number].verified >= size || !nodes[number].running);
}

static bool is_up(unsigned int number)
{
	return nodes[number].hello || !nodes[number].running;
}

/* ---- commands ---- */

static void say_busy(const char *what)
{
	struct op *op;

	for (op = ops; op < ops + OPS_MAX; op++)
		if (op->used && nodes[op->node].running)
			log_line("# %s: node %u has not ended %c %u, offset %" PRIu64
				 ", length %" PRIu64,
				 what, op->node, op->what, op->seq, op->range.offset,
				 op->range.length);
}

static void do_start(unsigned int number, const char *mode)
{
	node_spawn(number, mode);
	if (!await(is_up, number) || !nodes[number].running)
		reply("bad node %u does not start", number);
	else
		reply("ok node %u", number);
}

static void do_stop(void)
{
	going = false;
	if (await(all_idle, 0)) {
		reply("ok stopped");
		return;
	}
	say_busy("stop");
	reply("bad I/O did not end within %u s (log: \"has not ended\")", patience);
}

static void do_flows(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < NODES_MAX; i++)
		nodes[i].wanted = nodes[i].ended + (count ? count : 10);
	if (going && await(all_flow, 0)) {
		reply("ok");
		return;
	}
	say_busy("flows");
	for (i = 0; i < NODES_MAX; i++)
		if (!flows(i)) {
			reply("bad node %u does hardly any I/O", i);
			return;
		}
	reply("bad no I/O is to be done");
}

static void do_quiet(unsigned int number)
{
	nodes[number].quiet = true;
	if (await(is_idle, number)) {
		reply("ok node %u is quiet", number);
		return;
	}
	say_busy("quiet");
	reply("bad node %u: I/O did not end within %u s", number, patience);
}

static void do_end(unsigned int number)
{
	nodes[number].quiet = true;
	if (await(is_idle, number) && nodes[number].running) {
		close(nodes[number].in);
		nodes[number].in = -1;
	}
	if (await(is_gone, number))
		reply("ok node %u has ended", number);
	else
		reply("bad node %u does not end", number);
	nodes[number].missing = false;
}

static void do_gone(unsigned int number)
{
	if (nodes[number].doomed && nodes[number].running)
		kill(-nodes[number].pid, SIGKILL);
	if (await(is_gone, number))
		reply("ok node %u is gone with %u under way", number, under_way(number));
	else
		reply("bad node %u is still there", number);
	nodes[number].missing = false;
}

static void do_fenced(unsigned int number)
{
	struct op *op;

	for (op = ops; op < ops + OPS_MAX; op++)
		if (op->node == number && !nodes[number].running)
			op->used = false;
	log_line("f %u", number);
	judge_fenced(judge, number);
	reply("ok");
}

static void do_report(const char *prefix)
{
	uint64_t wrong = judge_wrong(judge) - wrong_reported;
	unsigned int i, missing = 0;
	uint64_t mib = (bytes['r'] + bytes['w'] + bytes['W']) >> 20;

	for (i = 0; i < NODES_MAX; i++)
		missing += nodes[i].missing;
	wrong_reported += wrong;
	if (missing)
		reply("bad %u nodes have ended by themselves", missing);
	else if (wrong)
		reply("bad %" PRIu64 " findings", wrong);
	else
		reply("ok %s%" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64 " zeroed, %" PRIu64
		      " discarded, %" PRIu64 " flushes, %" PRIu64 " MiB",
		      prefix, counts['r'], counts['w'] + counts['W'], counts['z'], counts['d'],
		      counts['s'], mib);
	memset(counts, 0, sizeof(counts));
	memset(bytes, 0, sizeof(bytes));
}

static void do_verify(void)
{
	unsigned int i, nr = 0;

	going = false;
	if (!await(all_idle, 0)) {
		say_busy("verify");
		reply("bad I/O did not end within %u s", patience);
		return;
	}
	if (!(counts['w'] + counts['W'])) {
		reply("bad nothing was written, so there is nothing to verify");
		return;
	}
	verifying = true;
	for (i = 0; i < NODES_MAX; i++) {
		if (nodes[i].snapshot)
			continue;
		nodes[i].verified = 0;
		nr += nodes[i].running;
	}
	if (await(all_idle, 0)) {
		char prefix[64];

		verifying = false;
		snprintf(prefix, sizeof(prefix), "all read by %u, ", nr);
		do_report(prefix);
		return;
	}
	say_busy("verify");
	verifying = false;
	reply("bad reading everything did not end within %u s", patience);
}

static void do_snap_begin(void)
{
	log_line("b");
	judge_snapshot_begin(judge);
	reply("ok");
}

static void do_snap_taken(void)
{
	log_line("t");
	judge_snapshot_taken(judge);
	reply("ok");
}

static void do_snap_verify(unsigned int number)
{
	uint64_t before = judge_wrong(judge);

	if (!nodes[number].snapshot)
		die("node %u has no snapshot", number);
	nodes[number].verified = 0;
	if (!await(has_read_all, number) || !nodes[number].running) {
		reply("bad reading the snapshot did not end within %u s", patience);
		return;
	}
	log_line("j");
	judge_snapshot(judge);
	before = judge_wrong(judge) - before;
	reply(before ? "bad %" PRIu64 " findings" : "ok", before);
}

/* False: that is the end. */
static bool control(void)
{
	char line[128], word[16] = "", mode[8] = "rw";
	unsigned int number = 0;

	if (!fgets(line, sizeof(line), stdin))
		return false;
	log_line("# command: %.*s", (int)strcspn(line, "\n"), line);
	if (sscanf(line, "%15s %u %7s", word, &number, mode) < 1 ||
	    (number >= NODES_MAX && strcmp(word, "flows")))
		die("no command: %s", line);
	if (!strcmp(word, "start")) {
		do_start(number, mode);
	} else if (!strcmp(word, "go")) {
		going = true;
		reply("ok");
	} else if (!strcmp(word, "flows")) {
		do_flows(number);
	} else if (!strcmp(word, "stop")) {
		do_stop();
	} else if (!strcmp(word, "quiet")) {
		do_quiet(number);
	} else if (!strcmp(word, "resume")) {
		nodes[number].quiet = false;
		nodes[number].doomed = false;
		reply("ok");
	} else if (!strcmp(word, "doom")) {
		nodes[number].doomed = true;
		reply("ok");
	} else if (!strcmp(word, "end")) {
		do_end(number);
	} else if (!strcmp(word, "gone")) {
		do_gone(number);
	} else if (!strcmp(word, "fenced")) {
		do_fenced(number);
	} else if (!strcmp(word, "crash")) {
		log_line("x");
		judge_crash(judge);
		reply("ok");
	} else if (!strcmp(word, "verify")) {
		do_verify();
	} else if (!strcmp(word, "snap_begin")) {
		do_snap_begin();
	} else if (!strcmp(word, "snap_taken")) {
		do_snap_taken();
	} else if (!strcmp(word, "snap_verify")) {
		do_snap_verify(number);
	} else if (!strcmp(word, "report")) {
		do_report("");
	} else {
		die("no command: %s", line);
	}
	return true;
}

static void parse_options(int argc, char **argv)
{
	const char *path = NULL;
	int i;

	for (i = 1; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (!strcmp(argv[i], "--size"))
			size = strtoull(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--seed"))
			random_state = strtoull(argv[i + 1], NULL, 10) * 2 + 1;
		else if (!strcmp(argv[i], "--depth"))
			depth = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--patience"))
			patience = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--log"))
			path = argv[i + 1];
		else
			die("no option %s", argv[i]);
	}
	if (!path || size < WINDOW || size % SECTOR || i >= argc || !depth || depth > 48)
		exit(usage());
	command = argv + i;
	command_words = argc - i;
	log_file = fopen(path, "we");
	if (!log_file)
		die("%s: %s", path, strerror(errno));
}

int cmd_drive(int argc, char **argv)
{
	bool readable;
	unsigned int i;

	parse_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	/* poll() must see what stdio has not taken */
	setvbuf(stdin, NULL, _IONBF, 0);
	began = now_ms();
	judge = judge_create(size, log_file);
	do {
		turn(200, true, &readable);
	} while (!readable || control());
	for (i = 0; i < NODES_MAX; i++)
		if (nodes[i].running)
			close(nodes[i].in);
	fclose(log_file);
	return judge_wrong(judge) ? 1 : 0;
}
