// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills the map of an image with extents of one length, none of which continues the one before it.
 *
 *	extents UUID IMAGE NUMBER LENGTH PLACES	extent I lies at (I * 7919 % PLACES) * LENGTH
 */
#include <linux/covol.h>
#include <stdlib.h>
#include <string.h>

#include "genl.h"

/* Extents in a message: the most that the kernel takes. */
#define BATCH 256

struct map {
	unsigned char uuid[16];
	uint64_t image;
	uint64_t nr;
	uint64_t len;
	uint64_t places;
};

static void put_extent(struct genl_msg *msg, const struct map *map, uint64_t i)
{
	uint64_t offset = i * map->len, place = i * 7919 % map->places * map->len;
	uint32_t state = COVOL_EXTENT_STATE_DATA;
	void *nest = genl_nest(msg, COVOL_A_MAP_EXTENT | NLA_F_NESTED);

	genl_put(msg, COVOL_A_EXTENT_OFFSET, &offset, sizeof(offset));
	genl_put(msg, COVOL_A_EXTENT_LENGTH, &map->len, sizeof(map->len));
	genl_put(msg, COVOL_A_EXTENT_STATE, &state, sizeof(state));
	genl_put(msg, COVOL_A_EXTENT_PLACE, &place, sizeof(place));
	genl_nest_end(msg, nest);
}

static void set(int sock, uint16_t family, const struct map *map, uint64_t first, uint64_t nr)
{
	uint64_t offset = first * map->len, len = nr * map->len, i;
	struct genl_answer answer;
	struct genl_msg msg;

	genl_begin(&msg, family, 0, COVOL_CMD_MAP_SET);
	genl_put(&msg, COVOL_A_MAP_UUID, map->uuid, sizeof(map->uuid));
	genl_put(&msg, COVOL_A_MAP_OBJECT, &map->image, sizeof(map->image));
	genl_put(&msg, COVOL_A_MAP_OFFSET, &offset, sizeof(offset));
	genl_put(&msg, COVOL_A_MAP_LENGTH, &len, sizeof(len));
	for (i = first; i < first + nr; i++)
		put_extent(&msg, map, i);
	genl_ask(sock, &msg, &answer);
	if (answer.error)
		die("extent %lu: %s: %s", first, strerror(answer.error), answer.text);
}

int main(int argc, char **argv)
{
	uint64_t first, left;
	uint16_t family;
	struct map map;
	int sock;

	if (argc != 6 || !uuid_parse(argv[1], map.uuid))
		die("usage: extents UUID IMAGE NUMBER LENGTH PLACES");
	map.image = strtoull(argv[2], NULL, 0);
	map.nr = strtoull(argv[3], NULL, 0);
	map.len = strtoull(argv[4], NULL, 0);
	map.places = strtoull(argv[5], NULL, 0);
	sock = genl_open();
	family = genl_family(sock, COVOL_GENL_NAME);
	for (first = 0; first < map.nr; first += BATCH) {
		left = map.nr - first;
		set(sock, family, &map, first, left < BATCH ? left : BATCH);
	}
	return 0;
}
