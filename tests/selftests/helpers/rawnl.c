// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink requests to covol, made of any attributes whatever. Standard input has one a line:
 *
 *	ANSWER | COMMAND WORD...
 *
 * ANSWER is what the kernel should say: "ok", with --dump "ok N", or an errno and its words (or
 * their beginning). COMMAND and the names of attributes are those of linux/covol.h without
 * COVOL_CMD_ and COVOL_A_, or numbers. A WORD:
 *
 *	NAME=u8:1 u16: u32: u64: s32:	a number
 *	NAME=uuid:1111...		16 bytes
 *	NAME=zero:17			17 bytes of 0
 *	NAME=flag
 *	NAME=open:PATH			a descriptor of it; open-ro:, open-direct: likewise
 *	NAME=socket:tcp			a descriptor of a socket without a connection; or udp
 *	NAME={ WORD... }		a nest; with [ ] one that does not say that it is one
 *	trailer:5			so many bytes that are no attribute
 *
 * Answers that are others are printed. Exit status: 0 all as they should be, 1 not.
 * --nobody: without any privilege; --dump: ask for dumps.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include <linux/covol.h>

#include "genl.h"

#define NOBODY 65534

#define NAME(what, name) { #name, COVOL_ ## what ## _ ## name }

struct name {
	const char *name;
	unsigned int value;
};

static const struct name commands[] = {
	NAME(CMD, VOLUME_NEW), NAME(CMD, VOLUME_SET), NAME(CMD, VOLUME_DEL), NAME(CMD, VOLUME_GET),
	NAME(CMD, IMAGE_NEW), NAME(CMD, IMAGE_SET), NAME(CMD, IMAGE_DEL), NAME(CMD, IMAGE_GET),
	NAME(CMD, IMAGE_RECALL), NAME(CMD, IMAGE_SHARE_BEGIN), NAME(CMD, IMAGE_SHARE_END),
	NAME(CMD, MAP_SET), NAME(CMD, MAP_CLEAR), NAME(CMD, MAP_GET),
	NAME(CMD, SESSION_NEW), NAME(CMD, SESSION_DEL), NAME(CMD, SESSION_GET),
	NAME(CMD, LAYOUT_WANTED), { NULL }
};

static const struct name attributes[] = {
	NAME(A, VOLUME_UUID), NAME(A, VOLUME_NODE), NAME(A, VOLUME_ROLE), NAME(A, VOLUME_EPOCH),
	NAME(A, VOLUME_ROUTE), NAME(A, VOLUME_COORDINATOR), NAME(A, VOLUME_REDIRECT_PEER),
	NAME(A, VOLUME_LUN_FD), NAME(A, VOLUME_LUN_OFFSET), NAME(A, VOLUME_SIZE),
	NAME(A, VOLUME_CHUNK_SIZE), NAME(A, VOLUME_HELD),
	NAME(A, IMAGE_UUID), NAME(A, IMAGE_ID), NAME(A, IMAGE_SIZE), NAME(A, IMAGE_FD),
	NAME(A, MAP_UUID), NAME(A, MAP_OBJECT), NAME(A, MAP_PEER), NAME(A, MAP_SEQ),
	NAME(A, MAP_OFFSET), NAME(A, MAP_LENGTH), NAME(A, MAP_EXTENT),
	NAME(A, EXTENT_OFFSET), NAME(A, EXTENT_LENGTH), NAME(A, EXTENT_STATE),
	NAME(A, EXTENT_PLACE),
	NAME(A, SESSION_UUID), NAME(A, SESSION_PEER), NAME(A, SESSION_FD), NAME(A, SESSION_FORGET),
	{ NULL }
};

static unsigned int value_of(const struct name *names, const char *word, size_t len)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	if (end == word + len)
		return number;
	for (; names->name; names++)
		if (strlen(names->name) == len && !strncmp(names->name, word, len))
			return names->value;
	die("unknown name: %s", word);
}

static int open_socket(const char *kind)
{
	return socket(AF_INET, strcmp(kind, "udp") ? SOCK_STREAM : SOCK_DGRAM, 0);
}

static void put_descriptor(struct genl_msg *msg, unsigned int attr, int fd, const char *word)
{
	int32_t value = fd;

	if (fd < 0)
		die("%s: %s", word, strerror(errno));
	genl_put(msg, attr, &value, sizeof(value));
}

/* "u32:7" and the like; text is behind the colon. */
static bool put_number(struct genl_msg *msg, unsigned int attr, const char *type,
		       const char *text)
{
	static const struct name sizes[] = {
		{ "u8:", 1 }, { "u16:", 2 }, { "u32:", 4 }, { "s32:", 4 }, { "u64:", 8 }, { NULL }
	};
	const struct name *size;
	uint64_t value;

	for (size = sizes; size->name; size++) {
		if (strncmp(type, size->name, strlen(size->name)))
			continue;
		value = text[0] == '-' ? (uint64_t)strtoll(text, NULL, 0) : strtoull(text, NULL, 0);
		genl_put(msg, attr, &value, size->value);	/* little endian */
		return true;
	}
	return false;
}

static bool put_bytes(struct genl_msg *msg, unsigned int attr, const char *type, const char *text)
{
	static const char zero[4096];
	unsigned char uuid[16];

	if (!strncmp(type, "uuid:", 5)) {
		if (!uuid_parse(text, uuid))
			die("not a uuid: %s", text);
		genl_put(msg, attr, uuid, sizeof(uuid));
	} else if (!strncmp(type, "zero:", 5)) {
		genl_put(msg, attr, zero, atoi(text) % sizeof(zero));
	} else if (!strcmp(type, "flag")) {
		genl_put(msg, attr, NULL, 0);
	} else {
		return false;
	}
	return true;
}

static bool put_fd(struct genl_msg *msg, unsigned int attr, const char *type, const char *text)
{
	if (!strncmp(type, "open:", 5))
		put_descriptor(msg, attr, open(text, O_RDWR), text);
	else if (!strncmp(type, "open-ro:", 8))
		put_descriptor(msg, attr, open(text, O_RDONLY | O_DIRECT), text);
	else if (!strncmp(type, "open-direct:", 12))
		put_descriptor(msg, attr, open(text, O_RDWR | O_DIRECT), text);
	else if (!strncmp(type, "socket:", 7))
		put_descriptor(msg, attr, open_socket(text), text);
	else
		return false;
	return true;
}

static void put_word(struct genl_msg *msg, const char *word)
{
	static void *nest;
	const char *type = strchr(word, '='), *text;
	unsigned int attr;

	if (!strcmp(word, "}") || !strcmp(word, "]")) {
		genl_nest_end(msg, nest);
		return;
	}
	if (!strncmp(word, "trailer:", 8)) {
		genl_trailer(msg, NULL, atoi(word + 8));
		return;
	}
	if (!type)
		die("not NAME=VALUE: %s", word);
	attr = value_of(attributes, word, type - word);
	type++;
	text = strchr(type, ':');
	text = text ? text + 1 : "";
	if (!strcmp(type, "{") || !strcmp(type, "["))
		nest = genl_nest(msg, *type == '{' ? attr | NLA_F_NESTED : attr);
	else if (!put_number(msg, attr, type, text) && !put_bytes(msg, attr, type, text) &&
		 !put_fd(msg, attr, type, text))
		die("unknown type: %s", word);
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		die("becoming nobody: %s", strerror(errno));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One line; true if the answer is as it should be. */
static bool ask(int sock, uint16_t family, uint16_t flags, char *line)
{
	static struct genl_msg msg;
	struct genl_answer answer;
	char *request = strchr(line, '|'), *end, *word, text[320];
	size_t len;

	if (!request)
		die("not ANSWER | REQUEST: %s", line);
	for (end = request; end > line && is_space(end[-1]); end--)
		;
	*end = 0;
	len = end - line;
	word = strtok(request + 1, " \t\n");
	if (!word)
		die("no request after: %s", line);
	genl_begin(&msg, family, flags, value_of(commands, word, strlen(word)));
	while ((word = strtok(NULL, " \t\n")))
		put_word(&msg, word);
	genl_ask(sock, &msg, &answer);
	if (answer.error)
		snprintf(text, sizeof(text), "%s %s", strerrorname_np(answer.error) ?: "?",
			 answer.text);
	else if (flags)
		snprintf(text, sizeof(text), "ok %u", answer.objects);
	else
		snprintf(text, sizeof(text), "ok");
	if (answer.error ? !strncmp(text, line, len) && len : !strcmp(text, line))
		return true;
	printf("answer \"%s\", should be \"%s\"\n", text, line);
	return false;
}

int main(int argc, char **argv)
{
	static char line[65536], copy[65536];
	bool nobody = false, dump = false, good = true;
	unsigned int asked = 0;
	uint16_t family;
	int i, sock;

	for (i = 1; i < argc; i++) {
		nobody |= !strcmp(argv[i], "--nobody");
		dump |= !strcmp(argv[i], "--dump");
	}
	if (nobody)
		become_nobody();
	sock = genl_open();
	family = genl_family(sock, COVOL_GENL_NAME);
	while (fgets(line, sizeof(line), stdin)) {
		strcpy(copy, line);
		if (!ask(sock, family, dump ? NLM_F_DUMP : 0, line)) {
			printf("\tto %s", copy);
			good = false;
		}
		asked++;
	}
	if (!asked)
		die("nothing was asked");
	return good ? 0 : 1;
}
