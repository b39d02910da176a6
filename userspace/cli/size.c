// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes as people write and read them. K, M, G, T and P are powers of 1024.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char units[] = "KMGTP";

/* "", "K", "KiB", "k": how far to shift; -1: no unit. */
static int unit_shift(const char *unit)
{
	const char *found;

	if (!*unit)
		return 0;
	found = strchr(units, toupper((unsigned char)*unit));
	if (!found || (unit[1] && strcmp(unit + 1, "iB")))
		return -1;
	return 10 * (found - units + 1);
}

bool parse_size(const char *text, uint64_t *bytes)
{
	unsigned long long number;
	char *end;
	int shift;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	shift = unit_shift(end);
	if (errno || shift < 0 || number > UINT64_MAX >> shift)
		return false;
	*bytes = (uint64_t)number << shift;
	return true;
}

const char *format_size(uint64_t bytes, char text[SIZE_TEXT_LEN])
{
	int unit = -1;

	while (bytes && bytes % 1024 == 0 && units[unit + 1]) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, SIZE_TEXT_LEN, "%" PRIu64 "%.1s", bytes, unit < 0 ? "" : &units[unit]);
	return text;
}

const char *format_amount(uint64_t bytes, char text[SIZE_TEXT_LEN])
{
	double amount = bytes;
	int unit = -1;

	while (amount >= 1023.95 && units[unit + 1]) {
		amount /= 1024;
		unit++;
	}
	snprintf(text, SIZE_TEXT_LEN, "%.*f%.1s", unit < 0 ? 0 : 1, amount,
		 unit < 0 ? "" : &units[unit]);
	return text;
}

const char *format_object(uint64_t object, char text[SIZE_TEXT_LEN])
{
	if (object)
		snprintf(text, SIZE_TEXT_LEN, "image:%" PRIu64, object);
	else
		snprintf(text, SIZE_TEXT_LEN, "volume");
	return text;
}
