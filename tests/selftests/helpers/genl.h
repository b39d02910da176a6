/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic netlink by hand: messages that no library would send.
 */
#ifndef SELFTESTS_GENL_H
#define SELFTESTS_GENL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request that is being put together; or a nest in it. */
struct genl_msg {
	union {
		struct nlmsghdr nlh;
		char buf[65536];
	};
};

/* What the kernel answered. */
struct genl_answer {
	int error;		/* 0 or a positive errno */
	char text[256];		/* of the extended ack, or empty */
	unsigned int objects;	/* messages that are no acknowledgment */
};

int genl_open(void);
uint16_t genl_family(int sock, const char *name);
void genl_begin(struct genl_msg *msg, uint16_t type, uint16_t flags, uint8_t cmd);
void genl_put(struct genl_msg *msg, uint16_t attr, const void *data, size_t len);
void *genl_nest(struct genl_msg *msg, uint16_t attr);
void genl_nest_end(struct genl_msg *msg, void *nest);
void genl_trailer(struct genl_msg *msg, const void *data, size_t len);
void genl_ask(int sock, struct genl_msg *msg, struct genl_answer *answer);

/* Parse 8-4-4-4-12 hexadecimal digits; false if text is none. */
bool uuid_parse(const char *text, unsigned char uuid[16]);

__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

#endif /* SELFTESTS_GENL_H */
