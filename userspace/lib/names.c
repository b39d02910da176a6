// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Words for the numbers of the kernel's interface, and uuids as text.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <covol/libcovol.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static const char *const roles[] = {
	[COVOL_ROLE_MEMBER]		= "member",
	[COVOL_ROLE_COORDINATOR]	= "coordinator",
};

static const char *const routes[] = {
	[COVOL_ROUTE_DIRECT]		= "direct",
	[COVOL_ROUTE_FS_REDIRECTED]	= "fs-redirected",
	[COVOL_ROUTE_BLOCK_REDIRECTED]	= "block-redirected",
	[COVOL_ROUTE_HELD]		= "held",
	[COVOL_ROUTE_MAINTENANCE]	= "maintenance",
	[COVOL_ROUTE_UNAVAILABLE]	= "unavailable",
};

/* By the number of the bit. */
static const char *const reasons[] = {
	"admin",
	"no-disk-path",
	"coordinator-lost",
	"stale-epoch",
	"moving",
	"fenced",
};

_Static_assert(1 << (ARRAY_SIZE(reasons) - 1) == COVOL_REASON_FENCED, "a name for each reason");

static const char *const extent_states[] = {
	[COVOL_EXTENT_STATE_UNKNOWN]	= "unknown",
	[COVOL_EXTENT_STATE_HOLE]	= "hole",
	[COVOL_EXTENT_STATE_UNWRITTEN]	= "unwritten",
	[COVOL_EXTENT_STATE_SHARED]	= "shared",
	[COVOL_EXTENT_STATE_DATA]	= "data",
};

static const char *const session_states[] = {
	[COVOL_SESSION_STATE_LIVE]	= "live",
	[COVOL_SESSION_STATE_CLOSING]	= "closing",
};

static const char *const events[] = {
	[COVOL_CMD_LAYOUT_WANTED]	= "layout-wanted",
	[COVOL_CMD_PATH_LOST]		= "path-lost",
	[COVOL_CMD_SESSION_LOST]	= "session-lost",
	[COVOL_CMD_RECALL_TIMEOUT]	= "recall-timeout",
	[COVOL_CMD_ROUTE_CHANGED]	= "route-changed",
};

static const char *name_of(const char *const *names, size_t count, uint32_t value)
{
	return value < count && names[value] ? names[value] : "?";
}

static int value_of(const char *const *names, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -EINVAL;
}

const char *covol_role_name(uint32_t role)
{
	return name_of(roles, ARRAY_SIZE(roles), role);
}

int covol_role_parse(const char *name)
{
	return value_of(roles, ARRAY_SIZE(roles), name);
}

const char *covol_route_name(uint32_t route)
{
	return name_of(routes, ARRAY_SIZE(routes), route);
}

int covol_route_parse(const char *name)
{
	return value_of(routes, ARRAY_SIZE(routes), name);
}

const char *covol_extent_state_name(uint32_t state)
{
	return name_of(extent_states, ARRAY_SIZE(extent_states), state);
}

int covol_extent_state_parse(const char *name)
{
	return value_of(extent_states, ARRAY_SIZE(extent_states), name);
}

const char *covol_session_state_name(uint32_t state)
{
	return name_of(session_states, ARRAY_SIZE(session_states), state);
}

const char *covol_event_name(uint32_t type)
{
	return name_of(events, ARRAY_SIZE(events), type);
}

const char *covol_reason_name(uint32_t reason)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reason == 1U << i)
			return reasons[i];
	return "?";
}

static void append(char *text, size_t size, const char *separator, const char *word)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? separator : "", word);
}

const char *covol_reasons_format(uint32_t set, const char *separator, char *text, size_t size)
{
	uint32_t known = (1U << ARRAY_SIZE(reasons)) - 1;
	char rest[16];
	size_t i;

	if (!size)
		return text;
	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (set & 1U << i)
			append(text, size, separator, reasons[i]);
	if (set & ~known) {
		snprintf(rest, sizeof(rest), "0x%x", set & ~known);
		append(text, size, separator, rest);
	}
	return text;
}

static bool dash_belongs_at(size_t position)
{
	return position == 8 || position == 13 || position == 18 || position == 23;
}

static unsigned int hex_digit(char c)
{
	return c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

int covol_uuid_parse(const char *text, struct covol_uuid *uuid)
{
	struct covol_uuid result = { 0 };
	size_t i, digits = 0;

	if (strlen(text) != COVOL_UUID_TEXT_LEN - 1)
		return -EINVAL;
	for (i = 0; text[i]; i++) {
		if (dash_belongs_at(i)) {
			if (text[i] != '-')
				return -EINVAL;
			continue;
		}
		if (!isxdigit((unsigned char)text[i]))
			return -EINVAL;
		result.bytes[digits / 2] = result.bytes[digits / 2] << 4 | hex_digit(text[i]);
		digits++;
	}
	*uuid = result;
	return 0;
}

const char *covol_uuid_format(const struct covol_uuid *uuid, char text[COVOL_UUID_TEXT_LEN])
{
	size_t i, used = 0;

	for (i = 0; i < sizeof(uuid->bytes); i++) {
		if (dash_belongs_at(used))
			text[used++] = '-';
		used += sprintf(text + used, "%02x", uuid->bytes[i]);
	}
	return text;
}
