// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coming together again. A quorum that went on is in a later view than the rest; where none did,
 * who has heard more events knows more, and nobody has acted on the difference without a key on
 * the LUN.
 *
 * Two nodes may both have been quorate. Then the reservation has decided, volume by volume: who
 * took one over has fenced the other, and that is what its term counts.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static bool later(const struct ownership *a, const struct ownership *b)
{
	return a->view != b->view ? a->view > b->view : a->seq > b->seq;
}

static struct own_volume *same(struct ownership *own, const struct own_volume *vol)
{
	size_t i;

	for (i = 0; i < own->count; i++)
		if (!memcmp(own->volumes[i]->uuid, vol->uuid, sizeof(vol->uuid)))
			return own->volumes[i];
	return NULL;
}

static void take_volumes(struct ownership *own, const struct ownership *other)
{
	const struct own_volume *theirs;
	struct own_volume *mine;
	uint32_t id;
	size_t i;

	for (i = 0; i < other->count; i++) {
		theirs = other->volumes[i];
		mine = same(own, theirs);
		if (!mine || theirs->term <= mine->term)
			continue;
		id = mine->id;
		*mine = *theirs;
		mine->id = id;
	}
}

void ownership_merge(struct ownership *own, const struct ownership *other)
{
	struct ownership base;

	if (!later(other, own)) {
		if (own->two_node)
			take_volumes(own, other);
		return;
	}
	ownership_copy(&base, other);
	if (own->two_node)
		take_volumes(&base, own);
	ownership_exit(own);
	*own = base;
}
