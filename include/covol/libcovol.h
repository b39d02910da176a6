/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcovol: the kernel's covol interface (generic netlink family "covol") for C programs.
 *
 * Functions return 0 (or a count, or a descriptor, where that is said) or a negative errno. After a
 * failure covol_error() gives one line for people: what was asked, of which volume and object, and
 * the kernel's own reason.
 *
 * A handle may be used by one thread at a time. Nothing here keeps state outside of a handle. All
 * offsets, lengths and sizes are in bytes.
 *
 * All of the kernel's commands need CAP_NET_ADMIN.
 */
#ifndef COVOL_LIBCOVOL_H
#define COVOL_LIBCOVOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/covol.h>

#ifdef __cplusplus
extern "C" {
#endif

struct covol;

/* ---- handle ---- */

/**
 * covol_open() - Make a handle. It talks to the kernel when the first command does.
 * @c: where to put it
 *
 * Return: 0 or -ENOMEM.
 */
int covol_open(struct covol **c);

/**
 * covol_connect() - Connect to the kernel now instead of with the first command.
 * @c: handle
 *
 * Return: 0; -ENOENT when the kernel has no family "covol" (the module is not loaded).
 */
int covol_connect(struct covol *c);

/**
 * covol_close() - Close a handle, and end its subscription to events.
 * @c: handle or NULL
 */
void covol_close(struct covol *c);

/**
 * covol_error() - What went wrong last.
 * @c: handle
 *
 * Return: one line without a newline, owned by the handle and good until its next call; "" when
 * nothing has gone wrong yet.
 */
const char *covol_error(const struct covol *c);

/* ---- identities and names ---- */

/**
 * struct covol_uuid - A volume's identity.
 * @bytes: in the order in which it is printed (RFC 4122)
 */
struct covol_uuid {
	unsigned char bytes[COVOL_UUID_LEN];
};

/* Length of a printed uuid, with the terminating NUL. */
#define COVOL_UUID_TEXT_LEN	37

/**
 * covol_uuid_parse() - Read "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", in either case.
 * @text: nothing but the uuid
 * @uuid: result, unchanged on failure
 *
 * Return: 0 or -EINVAL.
 */
int covol_uuid_parse(const char *text, struct covol_uuid *uuid);

/**
 * covol_uuid_format() - Print a uuid, in lower case.
 * @uuid: what to print
 * @text: where to
 *
 * Return: @text.
 */
const char *covol_uuid_format(const struct covol_uuid *uuid, char text[COVOL_UUID_TEXT_LEN]);

/*
 * Names, in exactly the words that the kernel's interface and every other surface of covol use. The
 * *_name() functions return "?" for a value that this library does not know; the *_parse()
 * functions return the value, or -EINVAL.
 */
const char *covol_role_name(uint32_t role);
int covol_role_parse(const char *name);
const char *covol_route_name(uint32_t route);
int covol_route_parse(const char *name);
const char *covol_extent_state_name(uint32_t state);
int covol_extent_state_parse(const char *name);
const char *covol_session_state_name(uint32_t state);
const char *covol_event_name(uint32_t type);

/**
 * covol_reason_name() - The name of one reason.
 * @reason: one of enum covol_reason
 *
 * Return: its name, or "?".
 */
const char *covol_reason_name(uint32_t reason);

/**
 * covol_reasons_format() - Print a set of reasons.
 * @reasons: bits of enum covol_reason; those that are not known are printed in hexadecimal
 * @separator: what to put between two
 * @text: where to; always terminated
 * @size: its size; 128 is enough for all reasons
 *
 * Return: @text.
 */
const char *covol_reasons_format(uint32_t reasons, const char *separator, char *text, size_t size);

/* ---- volumes ---- */

/**
 * struct covol_volume - A volume, as this node's kernel knows it.
 * @uuid: identity
 * @node: this node's id
 * @role: what this node is for the volume
 * @epoch: number of the coordinator's term
 * @route: the way that I/O takes
 * @reasons: why, bits of enum covol_reason
 * @coordinator: node id of the coordinator
 * @redirect_peer: node through which block-redirected I/O goes; 0: none
 * @lun_fd: to covol_volume_new() only: open read-write descriptor of the LUN; -1: no path
 * @lun_major: device number of the LUN; 0 with @lun_minor 0: no path
 * @lun_minor: see @lun_major
 * @lun_offset: where the volume's data begins on the LUN
 * @size: size of the volume's data
 * @chunk_size: unit of allocation; to covol_volume_new(), 0: the kernel's default
 * @held: bios that are held now
 * @images: images known
 * @sessions: sessions known
 * @devices: device-mapper devices that use the volume
 * @plaintext: sessions may do without TLS
 * @holds: times that a bio was held
 * @releases: times that a held bio tried again
 * @replays: requests that were sent again, over a new session
 * @sessions_lost: sessions that have ended
 */
struct covol_volume {
	struct covol_uuid uuid;
	uint32_t node;
	uint32_t role;
	uint64_t epoch;
	uint32_t route;
	uint32_t reasons;
	uint32_t coordinator;
	uint32_t redirect_peer;
	int lun_fd;
	uint32_t lun_major;
	uint32_t lun_minor;
	uint64_t lun_offset;
	uint64_t size;
	uint32_t chunk_size;
	uint64_t held;
	uint32_t images;
	uint32_t sessions;
	uint32_t devices;
	bool plaintext;
	uint64_t holds;
	uint64_t releases;
	uint64_t replays;
	uint64_t sessions_lost;
};

/* Members of struct covol_volume that covol_volume_set() is to change. */
enum covol_volume_field {
	COVOL_VOLUME_ROLE = 1,
	COVOL_VOLUME_EPOCH = 2,
	COVOL_VOLUME_ROUTE = 4,
	COVOL_VOLUME_COORDINATOR = 8,
	COVOL_VOLUME_REDIRECT_PEER = 16,
	COVOL_VOLUME_CHUNK_SIZE = 32,
	COVOL_VOLUME_SIZE = 64,
};

/**
 * covol_volume_new() - Make a volume known to this node. It starts held, for the reason admin.
 * @c: handle
 * @volume: uuid, node, role, epoch, coordinator, lun_fd, lun_offset, size and chunk_size are used
 */
int covol_volume_new(struct covol *c, const struct covol_volume *volume);

/**
 * covol_volume_set() - Change a volume.
 * @c: handle
 * @volume: uuid says which; the members that @fields names are the new values
 * @fields: bits of enum covol_volume_field
 *
 * A change of route returns when all I/O of the old route has ended (unavailable: has failed, if it
 * was held). A volume may grow, if its LUN has; else -EINVAL, -ERANGE past the LUN's end.
 */
int covol_volume_set(struct covol *c, const struct covol_volume *volume, unsigned int fields);

/**
 * covol_volume_del() - Forget a volume. -EBUSY while devices, images or sessions use it.
 * @c: handle
 * @uuid: which
 */
int covol_volume_del(struct covol *c, const struct covol_uuid *uuid);

/**
 * covol_volume_get() - Read one volume.
 * @c: handle
 * @uuid: which
 * @volume: result; lun_fd is -1
 */
int covol_volume_get(struct covol *c, const struct covol_uuid *uuid, struct covol_volume *volume);

/*
 * Callbacks of dumps return 0 to go on; anything else ends the dump, which then returns that. They
 * must not use the handle. A dump that was disturbed by a change returns -EAGAIN at its end: what
 * the callback was given may lack something or hold it twice, so begin again.
 */
typedef int (*covol_volume_fn)(const struct covol_volume *volume, void *data);

/**
 * covol_volume_dump() - Read all volumes.
 * @c: handle
 * @fn: called with each
 * @data: for @fn
 */
int covol_volume_dump(struct covol *c, covol_volume_fn fn, void *data);

/* ---- images ---- */

/**
 * struct covol_io_stat - Counters of one way that I/O took.
 * @reads: reads
 * @read_bytes: their bytes
 * @writes: writes
 * @write_bytes: their bytes
 * @others: flushes, discards, write-zeroes
 */
struct covol_io_stat {
	uint64_t reads;
	uint64_t read_bytes;
	uint64_t writes;
	uint64_t write_bytes;
	uint64_t others;
};

/**
 * struct covol_latency - What has ended, and how long it took.
 * @reads: reads
 * @read_ns: sum of their times in nanoseconds
 * @writes: writes
 * @write_ns: sum of their times
 * @others: flushes, discards, write-zeroes
 * @other_ns: sum of their times
 */
struct covol_latency {
	uint64_t reads;
	uint64_t read_ns;
	uint64_t writes;
	uint64_t write_ns;
	uint64_t others;
	uint64_t other_ns;
};

/**
 * struct covol_image - An image, as this node's kernel knows it; id 0 stands for the volume itself.
 * @uuid: the volume
 * @id: the image
 * @size: its size
 * @fd: to covol_image_new() only: open read-write descriptor of its file; -1: not the coordinator
 * @may_hold: to covol_image_new() only, with a file: as for covol_image_serve()
 * @may_hold_count: how many
 * @served: this node has the image's file and serves it
 * @sharing: between covol_image_share_begin() and covol_image_share_end()
 * @extents: extents in this node's map
 * @layout_seq: sequence of the last change of the map
 * @holders: nodes that hold a layout of it, on the coordinator
 * @devices: device-mapper devices that use it
 * @direct: I/O that went straight to the LUN
 * @fs_redirected: I/O that went through the coordinator's file system
 * @block_redirected: I/O that went to the LUN through another node
 * @zero_filled: reads that were answered with zeroes here
 * @held: I/O that had to wait; it is counted again under the way that it took in the end
 * @fs_redirected_latency: from when it took that way to its end; begins anew after a wait
 * @block_redirected_latency: the same
 * @served_latency: requests of peers, from header to answer
 * @grants_sent: grants to peers
 * @grants_received: grants from the coordinator
 * @recalls_sent: recalls from peers
 * @recalls_received: recalls by the coordinator
 */
struct covol_image {
	struct covol_uuid uuid;
	uint64_t id;
	uint64_t size;
	int fd;
	const uint32_t *may_hold;
	size_t may_hold_count;
	bool served;
	bool sharing;
	uint64_t extents;
	uint64_t layout_seq;
	uint32_t holders;
	uint32_t devices;
	struct covol_io_stat direct;
	struct covol_io_stat fs_redirected;
	struct covol_io_stat block_redirected;
	struct covol_io_stat zero_filled;
	struct covol_io_stat held;
	struct covol_latency fs_redirected_latency;
	struct covol_latency block_redirected_latency;
	struct covol_latency served_latency;
	uint64_t grants_sent;
	uint64_t grants_received;
	uint64_t recalls_sent;
	uint64_t recalls_received;
};

typedef int (*covol_image_fn)(const struct covol_image *image, void *data);

/**
 * covol_image_new() - Make an image known to this node.
 * @c: handle
 * @image: uuid, id, size, fd and may_hold are used
 */
int covol_image_new(struct covol *c, const struct covol_image *image);

/**
 * covol_image_serve() - Serve an image from now on, while devices use it or not.
 * @c: handle
 * @uuid: the volume; this node is its coordinator
 * @id: the image, without a file until now
 * @fd: open read-write descriptor of its file
 * @may_hold: nodes that may hold layouts of the image, which another coordinator has given them;
 *	      this node and all who have a session with it are taken for such in any case
 * @count: how many
 *
 * Before a range is changed all of them return it. One that has no session is waited for, until it
 * has, or is forgotten. One that is left out goes on using what it has: data is lost.
 */
int covol_image_serve(struct covol *c, const struct covol_uuid *uuid, uint64_t id, int fd,
		      const uint32_t *may_hold, size_t count);

enum covol_image_release_flags {
	COVOL_IMAGE_KEEP_LAYOUTS	= 1 << 0,	/* who holds layouts keeps them */
	COVOL_IMAGE_NO_WAIT		= 1 << 1,	/* begin; keeps layouts, too */
};

/**
 * covol_image_release() - Serve an image no longer, while devices use it or not.
 * @c: handle
 * @uuid: the volume
 * @id: the image; one without a file is left as it is
 * @flags: of enum covol_image_release_flags
 *
 * Returns when the file is used no more; with COVOL_IMAGE_NO_WAIT at once, and is to be called
 * again. What fails from then on is done by whoever serves the image next; until then I/O that
 * needs its coordinator waits. -EBUSY while it is being shared.
 */
int covol_image_release(struct covol *c, const struct covol_uuid *uuid, uint64_t id,
			unsigned int flags);

/**
 * covol_image_resize() - Change the size of an image on this node.
 * @c: handle
 * @uuid: the volume
 * @id: the image
 * @size: in bytes
 *
 * On the coordinator its file becomes as long; before it shrinks all nodes return what they hold
 * beyond its end, for which this waits. -EBUSY while a device of this node is longer.
 */
int covol_image_resize(struct covol *c, const struct covol_uuid *uuid, uint64_t id, uint64_t size);

/**
 * covol_image_del() - Forget an image. -EBUSY while a device uses it.
 * @c: handle
 * @uuid: the volume
 * @id: the image
 */
int covol_image_del(struct covol *c, const struct covol_uuid *uuid, uint64_t id);

/**
 * covol_image_recall() - Take all layouts of an image back from all nodes.
 * @c: handle
 * @uuid: the volume; this node is its coordinator
 * @id: the image
 *
 * Returns when no I/O relies on them any more. Nodes that want them ask again.
 */
int covol_image_recall(struct covol *c, const struct covol_uuid *uuid, uint64_t id);

/**
 * covol_image_share_begin() - Make an image ready for FICLONE of its file.
 * @c: handle
 * @uuid: the volume; this node is its coordinator
 * @id: the image
 *
 * Returns when no node holds a layout of it and no write is under way. Until
 * covol_image_share_end() no layout is granted, reads go through this node, and writes wait:
 * also when the caller has died. -EBUSY while it is being shared already.
 */
int covol_image_share_begin(struct covol *c, const struct covol_uuid *uuid, uint64_t id);

/**
 * covol_image_share_end() - The file is cloned, or will not be: let writes go on.
 * @c: handle
 * @uuid: the volume
 * @id: the image
 *
 * Whoever clones the file must have ended. -EBUSY when it is not being shared.
 */
int covol_image_share_end(struct covol *c, const struct covol_uuid *uuid, uint64_t id);

/**
 * covol_image_get() - Read one image.
 * @c: handle
 * @uuid: the volume
 * @id: the image
 * @image: result; fd is -1
 */
int covol_image_get(struct covol *c, const struct covol_uuid *uuid, uint64_t id,
		    struct covol_image *image);

/**
 * covol_image_dump() - Read all images.
 * @c: handle
 * @uuid: of this volume only; NULL: of all
 * @fn: called with each
 * @data: for @fn
 */
int covol_image_dump(struct covol *c, const struct covol_uuid *uuid, covol_image_fn fn, void *data);

/* ---- extent maps ---- */

/**
 * struct covol_extent - A run of an object with one state.
 * @offset: where it begins in the object
 * @length: how long it is
 * @state: enum covol_extent_state
 * @place: where it lies in the volume's data, for the states shared and data; otherwise 0
 */
struct covol_extent {
	uint64_t offset;
	uint64_t length;
	uint32_t state;
	uint64_t place;
};

typedef int (*covol_extent_fn)(const struct covol_extent *extent, void *data);

/**
 * struct covol_map - A range of an object's map.
 * @uuid: the volume
 * @object: image id, or 0: the volume itself
 * @peer: node that is granted the range; 0: this node
 * @seq: the sequence that the layout-wanted event gave, if @with_seq
 * @with_seq: leave out what changed after @seq
 * @offset: where the range begins
 * @length: how long it is
 * @extents: what is in it: ascending, not overlapping; what they leave out of this node's own map
 *	     becomes unknown, in a grant it stays as it is
 * @count: how many
 */
struct covol_map {
	struct covol_uuid uuid;
	uint64_t object;
	uint32_t peer;
	uint64_t seq;
	bool with_seq;
	uint64_t offset;
	uint64_t length;
	const struct covol_extent *extents;
	size_t count;
};

/* Extents in one message to the kernel; covol_map_set() sends as many messages as it takes. */
#define COVOL_MAP_MESSAGE_EXTENTS	256

/**
 * covol_map_set() - Set a range of an object's map, here or by a grant on a peer.
 * @c: handle
 * @map: what to set
 *
 * A map of more than COVOL_MAP_MESSAGE_EXTENTS extents is set piece by piece, from its beginning;
 * after a failure the pieces before the refused one are set.
 */
int covol_map_set(struct covol *c, const struct covol_map *map);

/**
 * covol_map_clear() - Forget a range of an object's map on this node.
 * @c: handle
 * @uuid: the volume
 * @object: image id, or 0
 * @offset: where the range begins
 * @length: how long it is
 *
 * Returns when direct I/O under way in the range has ended.
 */
int covol_map_clear(struct covol *c, const struct covol_uuid *uuid, uint64_t object,
		    uint64_t offset, uint64_t length);

/**
 * covol_map_get() - Read the extent at one offset.
 * @c: handle
 * @uuid: the volume
 * @object: image id, or 0
 * @offset: an offset in the object
 * @extent: the extent that holds it
 */
int covol_map_get(struct covol *c, const struct covol_uuid *uuid, uint64_t object, uint64_t offset,
		  struct covol_extent *extent);

/**
 * covol_map_dump() - Read all extents of an object.
 * @c: handle
 * @uuid: the volume
 * @object: image id, or 0
 * @fn: called with each, in ascending order
 * @data: for @fn
 */
int covol_map_dump(struct covol *c, const struct covol_uuid *uuid, uint64_t object,
		   covol_extent_fn fn, void *data);

/* ---- sessions ---- */

/**
 * struct covol_lane - One connection of a session.
 * @outstanding: requests to the peer that wait for an answer on this lane
 * @silent: seconds, about, since something came from the peer
 * @requests_sent: requests to the peer so far
 * @requests_served: requests of the peer so far
 * @bytes_sent: so far
 * @bytes_received: so far
 */
struct covol_lane {
	uint32_t outstanding;
	uint32_t silent;
	uint64_t requests_sent;
	uint64_t requests_served;
	uint64_t bytes_sent;
	uint64_t bytes_received;
};

/**
 * struct covol_session - The connections of a volume to one peer.
 * @uuid: the volume
 * @peer: the peer's node id
 * @state: enum covol_session_state
 * @outstanding: requests to the peer that wait for an answer
 * @queued: requests to the peer that wait for a place in the window
 * @serving: requests of the peer that are being served
 * @requests_sent: requests to the peer so far
 * @requests_served: requests of the peer so far
 * @bytes_sent: so far
 * @bytes_received: so far
 * @tls: the connections are encrypted, and both ends have proved who they are
 * @grants_sent: so far
 * @grants_received: so far
 * @recalls_sent: so far
 * @recalls_received: so far
 * @lanes: how many lanes it has
 * @lane: the lanes, from the control lane on
 */
struct covol_session {
	struct covol_uuid uuid;
	uint32_t peer;
	uint32_t state;
	uint32_t outstanding;
	uint32_t queued;
	uint32_t serving;
	uint64_t requests_sent;
	uint64_t requests_served;
	uint64_t bytes_sent;
	uint64_t bytes_received;
	bool tls;
	uint64_t grants_sent;
	uint64_t grants_received;
	uint64_t recalls_sent;
	uint64_t recalls_received;
	uint32_t lanes;
	struct covol_lane lane[COVOL_LANES_MAX];
};

typedef int (*covol_session_fn)(const struct covol_session *session, void *data);

/**
 * covol_session_new() - Hand connected sockets to the kernel.
 * @c: handle
 * @uuid: the volume
 * @peer: the peer's node id: the caller answers for it that the peer is who it says
 * @fds: connected TCP sockets, encrypted (covol_socket_encrypt()) unless the volume allows
 *	 plaintext; the caller keeps its descriptors and should close them. After an error they are
 *	 of no more use
 * @lanes: how many: one for each lane, at most COVOL_LANES_MAX. The first is the control lane
 */
int covol_session_new(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
		      const int *fds, uint32_t lanes);

/**
 * covol_session_del() - End the session with a peer. Its unanswered requests are held.
 *
 * The peer is told that this is planned, unless it is to be forgotten; if it does not say a word
 * that takes five seconds.
 * @c: handle
 * @uuid: the volume
 * @peer: the peer
 * @forget: the peer has been fenced or is down, so take back what it holds without asking it
 */
int covol_session_del(struct covol *c, const struct covol_uuid *uuid, uint32_t peer, bool forget);

/**
 * covol_session_get() - Read one session.
 * @c: handle
 * @uuid: the volume
 * @peer: the peer
 * @session: result
 */
int covol_session_get(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
		      struct covol_session *session);

/**
 * covol_session_dump() - Read all sessions.
 * @c: handle
 * @uuid: of this volume only; NULL: of all
 * @fn: called with each
 * @data: for @fn
 */
int covol_session_dump(struct covol *c, const struct covol_uuid *uuid, covol_session_fn fn,
		       void *data);

/**
 * covol_socket_connect() - Connect to a peer by plain TCP.
 * @c: handle, for covol_error(); the kernel is not asked anything
 * @address: "ADDRESS:PORT" or "[ADDRESS]:PORT", in figures
 * @timeout_ms: how long to try; a peer that refuses or cannot be reached is tried again until then
 *
 * Return: a descriptor (blocking, close-on-exec) or a negative errno, -ETIMEDOUT among them.
 */
int covol_socket_connect(struct covol *c, const char *address, unsigned int timeout_ms);

/**
 * covol_socket_listen() - Let peers connect by plain TCP.
 * @c: handle, for covol_error(); the kernel is not asked anything
 * @address: where: "ADDRESS:PORT" or "[ADDRESS]:PORT", in figures
 *
 * Return: a descriptor for covol_socket_accept(), to be closed when nobody is to come any more; or
 * a negative errno.
 */
int covol_socket_listen(struct covol *c, const char *address);

/**
 * covol_socket_accept() - Wait for one plain TCP connection.
 * @c: handle, for covol_error(); the kernel is not asked anything
 * @listener: from covol_socket_listen()
 * @from: accept it from this address only (in figures, no port); NULL: from anyone. Connections
 *        from elsewhere are closed, and the wait goes on.
 * @timeout_ms: how long to wait
 *
 * Return: a descriptor (blocking, close-on-exec) or a negative errno, -ETIMEDOUT among them.
 */
int covol_socket_accept(struct covol *c, int listener, const char *from, unsigned int timeout_ms);

/**
 * struct covol_identity - Who this node is, and who the peer must be.
 * @certificate: file with this node's certificate (PEM), and those between it and the authority
 * @key: file with its private key (PEM)
 * @authority: file with the certificates (PEM) of those whose word on others is taken
 * @peer: the name that the peer's certificate must have, as a DNS name
 */
struct covol_identity {
	const char *certificate;
	const char *key;
	const char *authority;
	const char *peer;
};

/**
 * covol_socket_encrypt() - Make sure who the peer of a connection is, and encrypt it from now on.
 * @c: handle, for covol_error(); the kernel's module is not asked anything
 * @fd: a blocking TCP socket that nothing has been sent over; after an error it is of no use
 * @server: this end accepted the connection
 * @identity: of both ends; the peer checks this node in the same way
 * @timeout_ms: how long to wait for the peer
 *
 * TLS 1.3 (RFC 8446) with certificates on both sides; then kernel TLS has the keys.
 *
 * Return: 0, or a negative errno: -EACCES: the peer's certificate is not what it should be, or the
 * peer refuses this node's; -ETIMEDOUT; -EINVAL: a file cannot be used; -EPROTO; what setsockopt(2)
 * says.
 */
int covol_socket_encrypt(struct covol *c, int fd, bool server,
			 const struct covol_identity *identity, unsigned int timeout_ms);

/* ---- events ---- */

/**
 * struct covol_event - Something that happened in the kernel.
 * @type: COVOL_CMD_LAYOUT_WANTED, _PATH_LOST, _SESSION_LOST, _RECALL_TIMEOUT or _ROUTE_CHANGED
 * @present: which of the members below are set: bit COVOL_A_EVENT_xxx for each
 * @uuid: the volume
 * @object: image id, or 0: the volume itself
 * @peer: the node that it is about
 * @seq: to be given back to covol_map_set()
 * @offset: where the range begins
 * @length: how long it is
 * @error: a negative errno; of _SESSION_LOST only when its end was not planned (then
 *	   COVOL_A_EVENT_PLANNED is present)
 * @route: enum covol_route
 * @reasons: bits of enum covol_reason
 */
struct covol_event {
	uint32_t type;
	uint32_t present;
	struct covol_uuid uuid;
	uint64_t object;
	uint32_t peer;
	uint64_t seq;
	uint64_t offset;
	uint64_t length;
	int32_t error;
	uint32_t route;
	uint32_t reasons;
};

typedef int (*covol_event_fn)(const struct covol_event *event, void *data);

/**
 * covol_event_has() - Whether an event has a member.
 * @event: the event
 * @attribute: COVOL_A_EVENT_xxx of the member
 */
static inline bool covol_event_has(const struct covol_event *event, unsigned int attribute)
{
	return event->present & (1U << attribute);
}

/**
 * covol_event_subscribe() - Start to receive events.
 * @c: handle
 */
int covol_event_subscribe(struct covol *c);

/**
 * covol_event_fd() - The descriptor to poll for events (POLLIN).
 * @c: handle
 *
 * Return: a descriptor that belongs to the handle, or -ENOTCONN before covol_event_subscribe().
 */
int covol_event_fd(const struct covol *c);

/**
 * covol_event_receive() - Handle all events that have arrived. Never waits.
 * @c: handle
 * @fn: called with each; it may use the handle for commands. When it returns anything but 0, that
 *      is returned; events of the same message after that one are lost.
 * @data: for @fn
 *
 * Return: 0 when all that had come are handled; -ENOBUFS when the kernel had to drop some because
 * they were not fetched in time: those are lost, the next ones will come.
 */
int covol_event_receive(struct covol *c, covol_event_fn fn, void *data);

/* ---- layouts ---- */

/**
 * covol_layout_read() - Read where a range of a file lies (FIEMAP).
 * @fd: the file
 * @offset: where the range begins, a multiple of 512
 * @length: how long it is, a multiple of 512
 * @fn: called with each extent, in ascending order, within the range; neighbours that continue
 *      each other are given as one
 * @data: for @fn
 *
 * Holes are given as extents of the state hole. What the file system cannot tell or has not
 * allocated yet (delayed allocation, inline data, encoded or unaligned extents) is left out.
 * Nothing is flushed: whoever grants what was read must fsync(2) the file after this call and
 * before the grant, so that the mapping is in the journal.
 *
 * Return: 0; what @fn returned, if that was not 0; -EINVAL for an unaligned or overlong range;
 * -EOPNOTSUPP when the file system has no FIEMAP.
 */
int covol_layout_read(int fd, uint64_t offset, uint64_t length, covol_extent_fn fn, void *data);

#ifdef __cplusplus
}
#endif

#endif
