/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel played in memory: keeps what libcovol sends, and answers what a test has laid ready.
 *
 * Programs of tests are linked with --wrap=covol_open, so that who opens one gets this kernel.
 */
#ifndef COVOL_TEST_FAKE_KERNEL_H
#define COVOL_TEST_FAKE_KERNEL_H

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <covol/libcovol.h>

#define FAKE_FAMILY	29

/* Forget everything: to be called before each test. */
void fake_reset(void);
/* From now on there is no such family. */
void fake_absent(void);

/* ---- what was sent ---- */

size_t fake_requests(void);
/* Attributes of request number, which must be this command. */
struct nlattr **fake_request(size_t number, uint8_t command);
uint16_t fake_request_flags(size_t number);
size_t fake_request_length(size_t number);
/* The message as it was sent, for walking attributes that come many times. */
struct nlmsghdr *fake_request_message(size_t number);
/* Whether the attributes are these, in any order, and no others; 0 ends the list. */
bool fake_has_only(struct nlattr **attributes, ...);

/*
 * ---- what will be answered ----
 *
 * Answers are used up in order, one for each request; without one a request is acknowledged. An
 * answer is made of messages and ends with fake_ack(), fake_refuse(), fake_done() or their like.
 */

/* A message of the family; fill it, and give it to fake_add(). */
struct nl_msg *fake_message(uint8_t command, uint16_t flags);
void fake_add(struct nl_msg *message);
/* The next messages come in another datagram. */
void fake_next_datagram(void);
void fake_ack(void);
/* Attributes of 0 and a message of NULL are left out. bad: attribute of the request, by type. */
void fake_refuse(int error, const char *message, int bad, int missing);
void fake_done(int error, const char *message);
/* receive() fails so. */
void fake_fail(int error);

/* ---- events ---- */

void fake_event(struct nl_msg *message);
/* The next receive of an event fails so; -ENOBUFS. */
void fake_event_fail(int error);
bool fake_subscribed(void);

/* A volume that fills every attribute, as the kernel would send it. */
extern const struct covol_uuid fake_uuid;
#define FAKE_UUID	"01234567-89ab-cdef-0123-456789abcdef"
void fake_put_volume(struct nl_msg *message);
void fake_put_image(struct nl_msg *message, uint64_t id);

/* What --wrap makes of covol_open(). */
int __wrap_covol_open(struct covol **c);

#endif
