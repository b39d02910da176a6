// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections between the nodes of a volume. For a session a member connects to the coordinator,
 * says in clear which volume, which node and which epoch it means, then both prove by TLS who they
 * are, and the connection goes to the kernels. What was said in clear is worth nothing without the
 * certificate of the node that it names, nor if that does not say it again where nobody else can.
 * Questions about images come the same way, and stay here.
 *
 * A session may have several connections, its lanes, which the kernels are given all at once. The
 * coordinator keeps them until all have come (lanes.h).
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "image.h"
#include "kernel.h"
#include "lanes.h"
#include "log.h"
#include "memory.h"
#include "pool.h"

#define CONNECT_MS	5000
/* Of a question about an image: somebody waits for the answer, and nobody asks again. */
#define ASK_MS		30000
/* Lines about strangers: anybody can make them. */
#define COMPLAIN_USEC	1000000
#define MAGIC		"covol/4"
/* To remove an image all layouts have to be taken back first. */
#define ANSWER_SECONDS	120
/* Connections that a worker has, most of which have not proved who they are; others wait. */
#define STRANGERS	16
/* So many: those of all nodes, if each makes four. */
#define BACKLOG		(4 * OWN_NODES)
/* By then a member has given a session up that is not whole: to connect, TLS, and its last byte. */
#define GATHER_USEC	(3 * CONNECT_MS * 1000ULL)
/* All memory is locked, stacks too. */
#define STACK_BYTES	(256 * 1024)
#define TROUBLE		256

/* What a connection is for. */
enum purpose {
	FOR_SESSION,
	FOR_IMAGES,
};

/* Nothing of it is aligned; numbers are little-endian. */
struct hello {
	char magic[8];
	uint8_t uuid[16];
	/* Sessions: */
	uint64_t epoch;
	uint64_t number;	/* random, and the same for all lanes */
	uint16_t lanes;		/* how many there are */
	uint16_t lane;		/* which this is, from 0 */
	/* All: */
	uint32_t from;
	uint32_t to;
	uint32_t purpose;
};

_Static_assert(sizeof(struct hello) == 56, "the hello has no holes");

struct stranger {
	struct kernel *kernel;
	int fd;			/* -1: it is kept, or belongs to a session */
	uint64_t accepted;	/* how many were before it */
	char text[256];		/* what is to be said of it; "": nothing */
};

static void limit_time(int fd, time_t seconds)
{
	struct timeval limit = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void lift_limit(int fd)
{
	struct timeval none = { 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
}

void kernel_group(struct kernel *kernel, const struct group *group, unsigned int node)
{
	const char *name, *address;
	unsigned int i, link;

	pthread_mutex_lock(&kernel->lock);
	kernel->node = node;
	kernel->views++;
	snprintf(kernel->cluster, sizeof(kernel->cluster), "%s", group->ops->cluster(group));
	for (i = 1; i <= OWN_NODES; i++) {
		name = group->ops->node_name(group, i);
		snprintf(kernel->names[i], GROUP_NAME_LEN, "%s", name ? name : "");
		for (link = 0; link < GROUP_LINKS; link++) {
			address = group->ops->node_address(group, i, link);
			snprintf(kernel->addresses[i][link], GROUP_NAME_LEN, "%s",
				 address ? address : "");
		}
	}
	pthread_mutex_unlock(&kernel->lock);
}

/* false: there is no such node. */
static bool identify(struct kernel *kernel, unsigned int peer, struct covol_identity *identity,
		     char name[GROUP_NAME_LEN])
{
	identity->certificate = kernel->config->certificate;
	identity->key = kernel->config->key;
	identity->authority = kernel->config->authority;
	identity->peer = name;
	pthread_mutex_lock(&kernel->lock);
	snprintf(name, GROUP_NAME_LEN, "%s",
		 peer >= 1 && peer <= OWN_NODES ? kernel->names[peer] : "");
	pthread_mutex_unlock(&kernel->lock);
	return *name;
}

/* ---- the coordinator ---- */

void kernel_shut_out(void *driver, const uint8_t uuid[16], own_nodes nodes)
{
	struct kernel *kernel = driver;
	struct kernel_volume *vol = kernel_volume_get(kernel, uuid);

	pthread_mutex_lock(&kernel->lock);
	vol->shut_out = nodes;
	/* I3: what they had begun does not come to be when they are let in again. */
	lanes_drop(&vol->lanes, nodes);
	pthread_mutex_unlock(&kernel->lock);
}

void kernel_close_door(struct kernel_volume *vol)
{
	pthread_mutex_lock(&vol->door);
	pthread_mutex_unlock(&vol->door);
}

/*
 * The volume, if a session with it is to be had here. NULL: it is not, or not for that node. The
 * kernel's lock is held.
 */
static struct kernel_volume *__serves(struct kernel *kernel, const struct hello *hello)
{
	struct kernel_volume *vol;

	for (vol = kernel->volumes; vol; vol = vol->next)
		if (!memcmp(vol->uuid, hello->uuid, sizeof(vol->uuid)) && vol->serving &&
		    vol->serving == le64toh(hello->epoch) && le32toh(hello->to) == kernel->node &&
		    !(vol->shut_out & own_bit(le32toh(hello->from))))
			return vol;
	return NULL;
}

static bool serves(struct kernel *kernel, const struct hello *hello)
{
	bool is;

	pthread_mutex_lock(&kernel->lock);
	is = __serves(kernel, hello);
	pthread_mutex_unlock(&kernel->lock);
	return is;
}

/* A question, and its answer. */
static void answer(struct stranger *stranger, const struct hello *hello)
{
	struct image_request request;
	struct image_answer result;
	int error = image_request_receive(stranger->fd, &request);

	if (!error) {
		memcpy(request.uuid, hello->uuid, sizeof(request.uuid));
		image_execute(stranger->kernel, &request, &result);
		error = image_answer_send(stranger->fd, &result);
		free(result.list.entry);
	}
	if (error)
		snprintf(stranger->text, sizeof(stranger->text), "node %u asks about images: %s",
			 le32toh(hello->from), strerror(-error));
}

static bool wanted_here(struct kernel *kernel, const struct hello *hello)
{
	bool is;

	if (le32toh(hello->purpose) == FOR_SESSION)
		return serves(kernel, hello);
	pthread_mutex_lock(&kernel->lock);
	is = le32toh(hello->to) == kernel->node;
	pthread_mutex_unlock(&kernel->lock);
	return is && le32toh(hello->purpose) == FOR_IMAGES;
}

/* The volume, if with this lane a session is whole; the lane is kept, if it is one. */
static struct kernel_volume *gather(struct stranger *stranger, const struct hello *hello,
				    struct lanes_set *whole)
{
	const struct lanes_offer offer = {
		.node = le32toh(hello->from),
		.epoch = le64toh(hello->epoch),
		.number = hello->number,
		.count = le16toh(hello->lanes),
		.lane = le16toh(hello->lane),
		.accepted = stranger->accepted,
	};
	struct kernel *kernel = stranger->kernel;
	enum lanes_result result = LANES_WAIT;
	struct kernel_volume *vol;

	pthread_mutex_lock(&kernel->lock);
	vol = __serves(kernel, hello);
	if (vol) {
		result = lanes_put(&vol->lanes, &offer, stranger->fd, kernel_usec(), whole);
		if (result == LANES_WAIT || result == LANES_WHOLE)
			stranger->fd = -1;
		else
			snprintf(stranger->text, sizeof(stranger->text), "node %u: %s", offer.node,
				 lanes_word(result));
	}
	pthread_mutex_unlock(&kernel->lock);
	return result == LANES_WHOLE ? vol : NULL;
}

/*
 * I3: not if this node has ended to serve meanwhile, or has given the other one up; nor if that one
 * has begun another session: what came over this one it has given up, and may bring it there.
 */
static bool still_wanted(struct kernel_volume *vol, const struct hello *hello)
{
	bool is;

	pthread_mutex_lock(&vol->kernel->lock);
	is = __serves(vol->kernel, hello) &&
	     lanes_wanted(&vol->lanes, le32toh(hello->from), hello->number);
	pthread_mutex_unlock(&vol->kernel->lock);
	return is;
}

static void open_door(struct stranger *stranger, struct covol *c, const struct hello *hello)
{
	unsigned int from = le32toh(hello->from), i;
	struct kernel_volume *vol;
	struct lanes_set whole;
	struct covol_uuid id;

	vol = gather(stranger, hello, &whole);
	if (!vol)
		return;
	memcpy(id.bytes, hello->uuid, sizeof(id.bytes));
	pthread_mutex_lock(&vol->door);
	if (still_wanted(vol, hello) && covol_session_new(c, &id, from, whole.fd, whole.count))
		snprintf(stranger->text, sizeof(stranger->text), "node %u: %s", from,
			 covol_error(c));
	pthread_mutex_unlock(&vol->door);
	for (i = 0; i < whole.count; i++)
		close(whole.fd[i]);
}

/* Whoever can write to the wire could have changed what was said in clear. */
static bool says_it_again(int fd, const struct hello *hello)
{
	struct hello again;

	return recv(fd, &again, sizeof(again), MSG_WAITALL) == sizeof(again) &&
	       !memcmp(&again, hello, sizeof(again));
}

static void let_in(struct stranger *stranger, struct covol *c)
{
	struct covol_identity identity;
	char name[GROUP_NAME_LEN];
	struct hello hello;
	unsigned int from, patience = CONNECT_MS;

	limit_time(stranger->fd, CONNECT_MS / 1000);
	if (recv(stranger->fd, &hello, sizeof(hello), MSG_WAITALL) != sizeof(hello) ||
	    memcmp(hello.magic, MAGIC, sizeof(hello.magic)))
		return;
	from = le32toh(hello.from);
	if (!identify(stranger->kernel, from, &identity, name)) {
		snprintf(stranger->text, sizeof(stranger->text),
			 "a connection says that it is of node %u, which is not in the cluster's list",
			 from);
		return;
	}
	/* It will come again when this node serves, or when it knows the epoch. */
	if (!wanted_here(stranger->kernel, &hello))
		return;
	if (le32toh(hello.purpose) == FOR_IMAGES)
		patience = ASK_MS;
	limit_time(stranger->fd, patience / 1000);
	if (covol_socket_encrypt(c, stranger->fd, true, &identity, patience)) {
		snprintf(stranger->text, sizeof(stranger->text), "node %u (%s): %s", from, name,
			 covol_error(c));
		return;
	}
	if (!says_it_again(stranger->fd, &hello)) {
		snprintf(stranger->text, sizeof(stranger->text),
			 "node %u (%s) does not say again by TLS what it has said in clear", from,
			 name);
		return;
	}
	if (le32toh(hello.purpose) == FOR_IMAGES) {
		answer(stranger, &hello);
		return;
	}
	lift_limit(stranger->fd);
	open_door(stranger, c, &hello);
}

static void receive(void *data)
{
	struct stranger *stranger = data;
	struct covol *c;

	if (covol_open(&c))
		return;
	let_in(stranger, c);
	covol_close(c);
}

static void complain(struct kernel *kernel, const char *text)
{
	uint64_t usec = kernel_usec();

	if (kernel->complained && usec < kernel->complained + COMPLAIN_USEC) {
		kernel->unsaid++;
		return;
	}
	if (kernel->unsaid)
		log_warning("%u more connections were refused", kernel->unsaid);
	log_warning("%s", text);
	kernel->complained = usec;
	kernel->unsaid = 0;
}

/* Nobody is refused because there are many: a member whose connection is refused has no session. */
static void mind_door(struct kernel *kernel, bool wide)
{
	if (kernel->listener_source)
		sd_event_source_set_enabled(kernel->listener_source,
					    wide && kernel->strangers < STRANGERS ? SD_EVENT_ON :
										    SD_EVENT_OFF);
}

static void received(void *data)
{
	struct stranger *stranger = data;

	stranger->kernel->strangers--;
	mind_door(stranger->kernel, true);
	if (*stranger->text)
		complain(stranger->kernel, stranger->text);
	if (stranger->fd >= 0)
		close(stranger->fd);
	free(stranger);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct kernel *kernel = data;
	struct stranger *stranger;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)source;
	(void)events;
	if (peer < 0) {
		/* It waits, and would be told of at once; kernel_peer_look() tries again. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			mind_door(kernel, false);
		return 0;
	}
	stranger = memory_new(sizeof(*stranger));
	stranger->kernel = kernel;
	stranger->fd = peer;
	stranger->accepted = kernel->accepted++;
	kernel->strangers++;
	mind_door(kernel, true);
	pool_submit(kernel->pool, receive, received, stranger);
	return 0;
}

void kernel_peer_look(struct kernel *kernel)
{
	struct kernel_volume *vol;
	unsigned int late = 0;

	pthread_mutex_lock(&kernel->lock);
	for (vol = kernel->volumes; vol; vol = vol->next)
		late += lanes_expire(&vol->lanes, kernel_usec(), GATHER_USEC);
	pthread_mutex_unlock(&kernel->lock);
	if (late)
		complain(kernel, "not all connections of a session have come");
	mind_door(kernel, true);
}

int kernel_listen(struct kernel *kernel)
{
	char address[32];
	int error;

	if (!kernel->config->certificate)
		return 0;
	snprintf(address, sizeof(address), "[::]:%u", kernel->config->port);
	kernel->listener = covol_socket_listen(kernel->events, address);
	/* A kernel without IPv6. */
	if (kernel->listener == -EAFNOSUPPORT) {
		snprintf(address, sizeof(address), "0.0.0.0:%u", kernel->config->port);
		kernel->listener = covol_socket_listen(kernel->events, address);
	}
	if (kernel->listener < 0) {
		log_error("%s", covol_error(kernel->events));
		return kernel->listener;
	}
	/* libcovol's is for one session. */
	if (listen(kernel->listener, BACKLOG))
		log_warning("connections of peers: %s", strerror(errno));
	error = sd_event_add_io(kernel->event, &kernel->listener_source, kernel->listener, EPOLLIN,
				on_connection, kernel);
	return error < 0 ? error : 0;
}

void kernel_listen_end(struct kernel *kernel)
{
	kernel->listener_source = sd_event_source_disable_unref(kernel->listener_source);
	if (kernel->listener >= 0)
		close(kernel->listener);
}

/* ---- a member ---- */

/* "ADDRESS:PORT" in figures; false: there is no such address. */
static bool resolve(struct kernel *kernel, unsigned int node, unsigned int link, char text[128])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	char address[GROUP_NAME_LEN], figures[NI_MAXHOST];
	bool good;

	pthread_mutex_lock(&kernel->lock);
	snprintf(address, sizeof(address), "%s", kernel->addresses[node][link]);
	pthread_mutex_unlock(&kernel->lock);
	if (!*address || getaddrinfo(address, NULL, &hints, &found))
		return false;
	good = !getnameinfo(found->ai_addr, found->ai_addrlen, figures, sizeof(figures), NULL, 0,
			    NI_NUMERICHOST);
	snprintf(text, 128, strchr(figures, ':') ? "[%.100s]:%u" : "%.100s:%u", figures,
		 kernel->config->port);
	freeaddrinfo(found);
	return good;
}

static bool say(int fd, const struct hello *hello)
{
	return send(fd, hello, sizeof(*hello), MSG_NOSIGNAL) == sizeof(*hello);
}

/* Who they are, both, and what this connection is for. 0, or a negative errno and *text. */
static int meet(struct kernel *kernel, struct covol *c, int fd, struct hello *hello,
		unsigned int patience, char text[TROUBLE])
{
	unsigned int node = le32toh(hello->to);
	struct covol_identity identity;
	char name[GROUP_NAME_LEN];

	memcpy(hello->magic, MAGIC, sizeof(hello->magic));
	if (!identify(kernel, node, &identity, name)) {
		snprintf(text, TROUBLE, "node %u is not in the cluster's list", node);
		return -ENOENT;
	}
	limit_time(fd, patience / 1000);
	if (!say(fd, hello)) {
		snprintf(text, TROUBLE, "node %u does not listen", node);
		return -EIO;
	}
	if (covol_socket_encrypt(c, fd, false, &identity, patience)) {
		snprintf(text, TROUBLE, "%s", covol_error(c));
		return -EIO;
	}
	if (!say(fd, hello)) {
		snprintf(text, TROUBLE, "node %u does not listen any more", node);
		return -EIO;
	}
	return 0;
}

/* One connection of a session that is being made. */
struct lane {
	struct kernel *kernel;
	const char *address;
	unsigned int ms;	/* to connect; TLS has CONNECT_MS */
	struct hello hello;
	int fd;			/* -1: none */
	int error;
	char text[TROUBLE];
	pthread_t thread;
};

static void lane_make(struct lane *lane, struct covol *c)
{
	lane->fd = covol_socket_connect(c, lane->address, lane->ms);
	if (lane->fd < 0) {
		snprintf(lane->text, sizeof(lane->text), "%s", covol_error(c));
		lane->error = -EIO;
		lane->fd = -1;
		return;
	}
	lane->error = meet(lane->kernel, c, lane->fd, &lane->hello, CONNECT_MS, lane->text);
	lift_limit(lane->fd);
}

static void *lane_thread(void *data)
{
	struct lane *lane = data;
	struct covol *c;

	if (covol_open(&c)) {
		snprintf(lane->text, sizeof(lane->text), "out of memory");
		lane->error = -ENOMEM;
		return NULL;
	}
	lane_make(lane, c);
	covol_close(c);
	return NULL;
}

/* Side by side: each is three round trips and a handshake, and a takeover waits for them. */
static void lanes_make(struct lane *lanes, unsigned int count, struct covol *c)
{
	bool started[COVOL_LANES_MAX] = { false };
	pthread_attr_t attributes;
	unsigned int i;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	/* Signals are blocked, as in all workers. */
	for (i = 0; i < count; i++)
		started[i] = !pthread_create(&lanes[i].thread, &attributes, lane_thread, &lanes[i]);
	pthread_attr_destroy(&attributes);
	for (i = 0; i < count; i++) {
		if (started[i])
			pthread_join(lanes[i].thread, NULL);
		else
			lane_make(&lanes[i], c);
	}
}

static enum own_result hand_over(struct kernel_task *t, const struct lane *lanes,
				 unsigned int count)
{
	int fds[COVOL_LANES_MAX];
	struct covol_uuid id;
	unsigned int i;

	if (lanes[0].error)
		return kernel_fail(t, lanes[0].error, "%s", lanes[0].text);
	for (i = 0; i < count; i++) {
		if (lanes[i].error)
			return kernel_fail(t, lanes[i].error, "connection %u of %u: %s", i + 1,
					   count, lanes[i].text);
		fds[i] = lanes[i].fd;
	}
	memcpy(id.bytes, t->vol->uuid, sizeof(id.bytes));
	if (covol_session_new(t->c, &id, t->task->action.other, fds, count))
		return kernel_fail(t, -EIO, "%s", covol_error(t->c));
	return OWN_OK;
}

/* The peer has handed it to its kernel only when the two have talked. */
static enum own_result wait_live(struct kernel_task *t)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct covol_session session;
	struct covol_uuid id;
	int left;

	memcpy(id.bytes, t->vol->uuid, sizeof(id.bytes));
	for (left = CONNECT_MS; left > 0; left -= 10) {
		if (covol_session_get(t->c, &id, t->task->action.other, &session))
			return kernel_fail(t, -EIO, "the coordinator has ended the session");
		if (session.state == COVOL_SESSION_STATE_LIVE && session.bytes_received)
			return OWN_OK;
		nanosleep(&pause, NULL);
	}
	return kernel_fail(t, -ETIMEDOUT, "the coordinator's kernel says nothing");
}

static void lane_init(struct lane *lane, const struct kernel_task *t, uint64_t number,
		      unsigned int place)
{
	struct hello *hello = &lane->hello;

	lane->kernel = t->vol->kernel;
	lane->fd = -1;
	memcpy(hello->uuid, t->vol->uuid, sizeof(hello->uuid));
	hello->epoch = htole64(t->task->action.epoch);
	hello->number = number;
	hello->lanes = htole16(lane->kernel->config->lanes);
	hello->lane = htole16(place);
	hello->from = htole32(t->task->action.node);
	hello->to = htole32(t->task->action.other);
	hello->purpose = htole32(FOR_SESSION);
}

/* The first shows whether there is a way at all; then come the others. */
static enum own_result connect_by(struct kernel_task *t, const char *address, unsigned int ms)
{
	unsigned int count = t->vol->kernel->config->lanes, i;
	struct lane lanes[COVOL_LANES_MAX] = { 0 };
	enum own_result result;
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return kernel_fail(t, -EIO, "there are no random numbers");
	for (i = 0; i < count; i++) {
		lane_init(&lanes[i], t, number, i);
		lanes[i].address = address;
		lanes[i].ms = ms;
	}
	lane_make(&lanes[0], t->c);
	if (!lanes[0].error)
		lanes_make(lanes + 1, count - 1, t->c);
	result = hand_over(t, lanes, count);
	for (i = 0; i < count; i++)
		if (lanes[i].fd >= 0)
			close(lanes[i].fd);
	return result;
}

/* By one network after the other, the preferred one first. */
static enum own_result connect_any(struct kernel_task *t)
{
	struct kernel *kernel = t->vol->kernel;
	unsigned int peer = t->task->action.other, count = 0, i;
	char addresses[GROUP_LINKS][128];
	enum own_result result = OWN_FAILED;

	for (i = 0; i < GROUP_LINKS; i++)
		count += resolve(kernel, peer, i, addresses[count]);
	if (!count)
		return kernel_fail(t, -EIO, "node %u has no address", peer);
	for (i = 0; i < count && result != OWN_OK; i++)
		result = connect_by(t, addresses[i], CONNECT_MS / count);
	if (result == OWN_OK && *t->answer->reason)
		log_warning("node %u is reached by %s, after: %s", peer, addresses[i - 1],
			    t->answer->reason);
	if (result == OWN_OK)
		t->answer->reason[0] = 0;
	return result;
}

enum own_result kernel_connect(struct kernel_task *t)
{
	struct kernel *kernel = t->vol->kernel;
	enum own_result result;

	if (!kernel->config->certificate)
		return kernel_fail(t, -EINVAL, "no certificate is configured: covol-cluster(8)");
	result = kernel_know(t, t->task->action.other, t->task->action.epoch);
	if (result == OWN_OK)
		result = connect_any(t);
	if (result == OWN_OK)
		result = wait_live(t);
	if (result != OWN_OK)
		return result;
	t->vol->connect = *t->task;
	pthread_mutex_lock(&kernel->lock);
	t->vol->lost = 0;
	t->vol->facts.session_epoch = t->task->action.epoch;
	pthread_mutex_unlock(&kernel->lock);
	/* That it has broken meanwhile was said before anybody asked for it. */
	if (!kernel_session_live(t))
		kernel_session_lost(t->vol);
	return OWN_OK;
}

enum own_result kernel_connect_again(struct kernel_task *t)
{
	enum own_result result = kernel_connect(t);
	struct kernel_volume *vol = t->vol;

	if (result == OWN_OK)
		log_about(LOG_INFO, LOG_ID_TASK, vol->name, "there is a session again");
	else if (strcmp(vol->trouble, t->answer->reason))
		log_about(LOG_WARNING, LOG_ID_FAILED, vol->name,
			  "the session has broken and cannot be made again: %s; metadata waits",
			  t->answer->reason);
	memcpy(vol->trouble, t->answer->reason, sizeof(vol->trouble));
	return result;
}

/* ---- questions ---- */

__attribute__((format(printf, 3, 4)))
static void cannot(struct image_answer *answer, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer->text, sizeof(answer->text), format, args);
	va_end(args);
	answer->error = error;
}

static void converse(int fd, unsigned int node, const struct image_request *request,
		     struct image_answer *answer)
{
	int error;

	limit_time(fd, ANSWER_SECONDS);
	error = image_request_send(fd, request);
	if (!error)
		error = image_answer_receive(fd, answer);
	if (error)
		cannot(answer, error, "node %u does not answer: %s", node, strerror(-error));
}

static void ask(struct kernel *kernel, struct covol *c, int fd, unsigned int node,
		const struct image_request *request, struct image_answer *answer)
{
	struct hello hello = {
		.from = htole32(kernel->node),
		.to = htole32(node),
		.purpose = htole32(FOR_IMAGES),
	};
	char text[TROUBLE];
	int error;

	memcpy(hello.uuid, request->uuid, sizeof(hello.uuid));
	error = meet(kernel, c, fd, &hello, ASK_MS, text);
	if (error)
		cannot(answer, error, "%s", text);
	else
		converse(fd, node, request, answer);
}

/* By whichever network. */
static int connect_to(struct kernel *kernel, struct covol *c, unsigned int node)
{
	char address[128];
	int fd = -EHOSTUNREACH;
	unsigned int i;

	for (i = 0; i < GROUP_LINKS && fd < 0; i++)
		if (resolve(kernel, node, i, address))
			fd = covol_socket_connect(c, address, CONNECT_MS);
	return fd;
}

void kernel_ask(struct kernel *kernel, unsigned int node, const struct image_request *request,
		struct image_answer *answer)
{
	struct covol *c;
	int fd;

	memset(answer, 0, sizeof(*answer));
	if (!node) {
		cannot(answer, -EAGAIN, "the volume has no coordinator now");
		return;
	}
	if (!kernel->config->certificate) {
		cannot(answer, -EINVAL, "no certificate is configured: covol-cluster(8)");
		return;
	}
	if (covol_open(&c)) {
		cannot(answer, -ENOMEM, "out of memory");
		return;
	}
	fd = connect_to(kernel, c, node);
	if (fd < 0) {
		cannot(answer, fd, "node %u cannot be reached: %s", node, strerror(-fd));
	} else {
		ask(kernel, c, fd, node, request, answer);
		close(fd);
	}
	covol_close(c);
}
