/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One command to the kernel and its answer, for the inside of libcovol.
 *
 *	struct covol_request req;
 *
 *	covol_request_begin(c, &req, COVOL_CMD_xxx, 0, &uuid);
 *	covol_request_put_u64(&req, COVOL_A_xxx, value);	any number of these
 *	error = covol_request_run(&req);
 *
 * A failure on the way is kept in the request and returned by covol_request_run(), which also frees
 * it, so nothing needs to be checked in between.
 */
#ifndef COVOL_LIB_REQUEST_H
#define COVOL_LIB_REQUEST_H

#include <netlink/attr.h>

#include "covol.h"

/* An attribute set of the interface: what may come in it, and the names for error lines. */
struct covol_attribute_set {
	const struct nla_policy *policy;
	const char *const *names;
	int max;
};

extern const struct covol_attribute_set covol_volume_set_of_attributes;
extern const struct covol_attribute_set covol_image_set_of_attributes;
extern const struct covol_attribute_set covol_map_set_of_attributes;
extern const struct covol_attribute_set covol_session_set_of_attributes;
extern const struct covol_attribute_set covol_lane_set_of_attributes;
extern const struct covol_attribute_set covol_event_set_of_attributes;

struct nl_msg;

struct covol_request {
	struct covol *c;
	uint8_t command;
	bool dump;
	const struct covol_attribute_set *set;
	char subject[160];	/* "map-set of volume ..., object 3" */
	struct nl_msg *message;
	int error;		/* of building it */
	uint32_t seq;		/* set when sent */

	/* Gets the attributes of each answer; 0: go on. May be NULL when no answer is expected. */
	int (*answer)(struct nlattr **attributes, void *data);
	void *data;
	unsigned int answers;
	int stopped;		/* what ->answer returned */
	bool disturbed;		/* the dump is not of one moment */
	const char *reason;	/* the kernel's message, in the receive buffer; or NULL */
	const char *attribute;	/* the name of the one that the kernel found bad; or NULL */
};

/* uuid may be NULL; the error line then names no volume. size_hint: bytes of large attributes. */
void covol_request_begin(struct covol *c, struct covol_request *req, uint8_t command,
			 size_t size_hint, const struct covol_uuid *uuid);
/* Adds to the subject of the error line: ", object 3". */
__attribute__((format(printf, 2, 3)))
void covol_request_about(struct covol_request *req, const char *format, ...);
void covol_request_put_u32(struct covol_request *req, int attribute, uint32_t value);
void covol_request_put_u64(struct covol_request *req, int attribute, uint64_t value);
void covol_request_put_fd(struct covol_request *req, int attribute, int fd);
void covol_request_put_flag(struct covol_request *req, int attribute);
void covol_request_put_extent(struct covol_request *req, int attribute,
			      const struct covol_extent *extent);
int covol_request_run(struct covol_request *req);
/* The same, for a command that must bring at least one answer. */
int covol_request_run_get(struct covol_request *req);
/* The same, for a dump. */
int covol_request_run_dump(struct covol_request *req);

/* For the transport's messages: 0: more to come; 1: that was the last; negative errno: refused. */
int covol_request_take(struct covol_request *req, const struct nlmsghdr *message);

/* -EBADMSG when the message does not hold what the set says. */
int covol_attributes_parse(const struct covol_attribute_set *set, const struct nlmsghdr *message,
			   struct nlattr **attributes);

/* Values of attributes that may be absent: then 0. */
uint32_t covol_get_u32(struct nlattr *const *attributes, int attribute);
uint64_t covol_get_u64(struct nlattr *const *attributes, int attribute);
void covol_get_uuid(struct nlattr *const *attributes, int attribute, struct covol_uuid *uuid);

const char *covol_command_name(uint8_t command);

#endif
