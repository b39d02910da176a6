// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stamps of sectors. Every word of a sector follows from the stamp, so that any part that is from
 * elsewhere shows.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stamp.h"

#define MAGIC	0x726f746365734d31ULL
#define WORDS	(SECTOR / 8)
/* magic, offset, sequence and writer */
#define HEAD	3

static uint64_t next(uint64_t state)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^ state << 17;
}

static void fill(uint64_t *word, const struct stamp *stamp)
{
	uint64_t state;
	int i;

	word[0] = MAGIC;
	word[1] = stamp->offset;
	word[2] = (uint64_t)stamp->seq << 32 | stamp->writer;
	state = (word[1] * 0x9e3779b97f4a7c15ULL ^ word[2] * 0xc2b2ae3d27d4eb4fULL) | 1;
	for (i = HEAD; i < WORDS; i++) {
		state = next(state);
		word[i] = state;
	}
}

/**
 * stamp_write() - fill a sector
 * @sector: the sector
 * @stamp: what it shall say
 */
void stamp_write(void *sector, const struct stamp *stamp)
{
	fill(sector, stamp);
}

static void parse(const uint64_t *word, struct stamp *stamp)
{
	stamp->offset = word[1];
	stamp->seq = word[2] >> 32;
	stamp->writer = (uint32_t)word[2];
}

/* How many of the words are what the stamp makes of them. */
static int intact(const uint64_t *word, const struct stamp *stamp)
{
	uint64_t right[WORDS];
	int i, nr = 0;

	fill(right, stamp);
	for (i = 0; i < WORDS; i++)
		nr += word[i] == right[i];
	return nr;
}

static bool is_zero(const uint64_t *word)
{
	uint64_t any = 0;
	int i;

	for (i = 0; i < WORDS; i++)
		any |= word[i];
	return !any;
}

/**
 * stamp_read() - what does a sector say?
 * @sector: the sector
 * @offset: where it was read, bytes
 *
 * Return: the sequence of the operation that wrote it, STAMP_ZERO or STAMP_BAD.
 */
uint32_t stamp_read(const void *sector, uint64_t offset)
{
	struct stamp stamp;

	if (is_zero(sector))
		return STAMP_ZERO;
	parse(sector, &stamp);
	if (stamp.offset != offset || intact(sector, &stamp) != WORDS)
		return STAMP_BAD;
	return stamp.seq;
}

/**
 * stamp_describe() - what is wrong with a bad sector?
 * @sector: the sector
 * @offset: where it was read, bytes
 * @text: where to say so
 * @size: of @text
 */
void stamp_describe(const void *sector, uint64_t offset, char *text, size_t size)
{
	const uint64_t *word = sector;
	struct stamp stamp;
	int good;

	parse(word, &stamp);
	good = intact(word, &stamp);
	if (word[0] != MAGIC)
		snprintf(text, size, "no stamp, begins with %016" PRIx64 " %016" PRIx64, word[0],
			 word[1]);
	else if (good != WORDS)
		snprintf(text, size, "torn: %d of %d words of sequence %u, node %u, for %" PRIu64,
			 good, WORDS, stamp.seq, stamp.writer, stamp.offset);
	else
		snprintf(text, size,
			 "sequence %u of node %u for offset %" PRIu64 " and not %" PRIu64,
			 stamp.seq, stamp.writer, stamp.offset, offset);
}
