// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink by hand. See genl.h.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "genl.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

bool uuid_parse(const char *text, unsigned char uuid[16])
{
	int i, used = 0;
	unsigned int byte;

	for (i = 0; i < 16; i++) {
		if (*text == '-')
			text++;
		if (sscanf(text, "%2x%n", &byte, &used) != 1 || used != 2)
			return false;
		uuid[i] = byte;
		text += 2;
	}
	return !*text;
}

int genl_open(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int on = 1, room = 1 << 20;

	if (sock < 0)
		die("netlink: %s", strerror(errno));
	setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return sock;
}

void genl_begin(struct genl_msg *msg, uint16_t type, uint16_t flags, uint8_t cmd)
{
	struct genlmsghdr *genl = NLMSG_DATA(&msg->nlh);

	memset(msg, 0, NLMSG_SPACE(GENL_HDRLEN));
	msg->nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	msg->nlh.nlmsg_type = type;
	msg->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	msg->nlh.nlmsg_seq = 1;
	genl->cmd = cmd;
	genl->version = 1;
}

void genl_trailer(struct genl_msg *msg, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(msg->nlh.nlmsg_len);

	if (at + len + NLA_ALIGNTO > sizeof(msg->buf))
		die("the message is too long");
	memset(msg->buf + at, 0, NLA_ALIGN(len));
	if (data)
		memcpy(msg->buf + at, data, len);
	msg->nlh.nlmsg_len = at + len;
}

void genl_put(struct genl_msg *msg, uint16_t attr, const void *data, size_t len)
{
	struct nlattr nla = { .nla_len = NLA_HDRLEN + len, .nla_type = attr };

	genl_trailer(msg, &nla, sizeof(nla));
	if (len)
		genl_trailer(msg, data, len);
	msg->nlh.nlmsg_len = NLMSG_ALIGN(msg->nlh.nlmsg_len);
}

void *genl_nest(struct genl_msg *msg, uint16_t attr)
{
	void *nest = msg->buf + NLMSG_ALIGN(msg->nlh.nlmsg_len);

	genl_put(msg, attr, NULL, 0);
	return nest;
}

void genl_nest_end(struct genl_msg *msg, void *nest)
{
	struct nlattr *nla = nest;

	nla->nla_len = msg->buf + msg->nlh.nlmsg_len - (char *)nest;
}

/* The kernel's words are in an attribute behind the error. */
static void read_words(const struct nlmsghdr *nlh, const char *at, struct genl_answer *answer)
{
	const char *end = (const char *)nlh + nlh->nlmsg_len;
	const struct nlattr *nla;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(nla->nla_len)) {
		nla = (const struct nlattr *)at;
		if (nla->nla_len < NLA_HDRLEN)
			break;
		if (nla->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(answer->text, sizeof(answer->text), "%s", at + NLA_HDRLEN);
	}
}

static void read_ack(const struct nlmsghdr *nlh, struct genl_answer *answer)
{
	const struct nlmsgerr *err = NLMSG_DATA(nlh);
	const char *at = (const char *)(err + 1);

	answer->error = -err->error;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		at += err->msg.nlmsg_len - sizeof(err->msg);
	read_words(nlh, at, answer);
}

/* True: that was all. */
static bool read_message(const struct nlmsghdr *nlh, struct genl_answer *answer)
{
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		read_ack(nlh, answer);
		return true;
	case NLMSG_DONE:
		answer->error = -*(const int *)NLMSG_DATA(nlh);
		read_words(nlh, (const char *)NLMSG_DATA(nlh) + sizeof(int), answer);
		return true;
	default:
		answer->objects++;
		return false;
	}
}

void genl_ask(int sock, struct genl_msg *msg, struct genl_answer *answer)
{
	static char buf[1 << 17];
	const struct nlmsghdr *nlh;
	ssize_t len;

	memset(answer, 0, sizeof(*answer));
	if (send(sock, msg->buf, msg->nlh.nlmsg_len, 0) < 0)
		die("sending to the kernel: %s", strerror(errno));
	for (;;) {
		len = recv(sock, buf, sizeof(buf), 0);
		if (len < 0)
			die("the kernel's answer: %s", strerror(errno));
		for (nlh = (void *)buf; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len))
			if (read_message(nlh, answer))
				return;
	}
}

uint16_t genl_family(int sock, const char *name)
{
	static char buf[1 << 14];
	const struct nlmsghdr *nlh = (void *)buf;
	const struct nlattr *nla;
	struct genl_msg msg;
	char *at, *end;
	uint16_t family = 0;
	ssize_t len;

	genl_begin(&msg, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	msg.nlh.nlmsg_flags &= ~NLM_F_ACK;
	genl_put(&msg, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	if (send(sock, msg.buf, msg.nlh.nlmsg_len, 0) < 0)
		die("sending to the kernel: %s", strerror(errno));
	len = recv(sock, buf, sizeof(buf), 0);
	if (len < (ssize_t)NLMSG_HDRLEN || nlh->nlmsg_type == NLMSG_ERROR)
		die("there is no netlink family %s", name);
	at = (char *)NLMSG_DATA(nlh) + GENL_HDRLEN;
	end = buf + len;
	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(nla->nla_len)) {
		nla = (const struct nlattr *)at;
		if (nla->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&family, at + NLA_HDRLEN, sizeof(family));
	}
	return family;
}
