// SPDX-License-Identifier: GPL-2.0-only
/*
 * extents UUID IMAGE COUNT BLOCKS: gives an image a map of COUNT extents of 4 KiB, no two of which
 * are neighbours on the LUN, whose first BLOCKS blocks of 4 KiB they use.
 */
#include <covol/libcovol.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK 4096u

int main(int argc, char **argv)
{
	struct covol_map map = { 0 };
	struct covol_extent *extents;
	struct covol *c;
	uint64_t blocks, i;
	int error;

	if (argc != 5 || covol_uuid_parse(argv[1], &map.uuid)) {
		fprintf(stderr, "usage: extents UUID IMAGE COUNT BLOCKS\n");
		return 2;
	}
	map.object = strtoull(argv[2], NULL, 10);
	map.count = strtoull(argv[3], NULL, 10);
	blocks = strtoull(argv[4], NULL, 10);
	map.length = map.count * BLOCK;
	extents = calloc(map.count, sizeof(*extents));
	if (!extents)
		return 1;
	for (i = 0; i < map.count; i++)
		extents[i] = (struct covol_extent){
			.offset = i * BLOCK,
			.length = BLOCK,
			.state = COVOL_EXTENT_STATE_DATA,
			.place = i * 7 % blocks * BLOCK,
		};
	map.extents = extents;
	error = covol_open(&c);
	if (!error) {
		error = covol_map_set(c, &map);
		if (error)
			fprintf(stderr, "extents: %s\n", covol_error(c));
		covol_close(c);
	}
	free(extents);
	return error ? 1 : 0;
}
