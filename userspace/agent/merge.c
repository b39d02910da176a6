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
	if (a->view != b->view)
		return a->view > b->view;
	if (a->restarted != b->restarted)
		return b->restarted;
	return a->seq > b->seq;
}

static struct own_volume *same(struct ownership *own, const struct own_volume *vol)
{
	size_t i;

	for (i = 0; i < own->count; i++)
		if (!memcmp(own->volumes[i]->uuid, vol->uuid, sizeof(vol->uuid)))
			return own->volumes[i];
	return NULL;
}

/* Who may have a key by what either of them knows is fenced before anybody relies on it. */
static void doubt(struct own_volume *vol, const struct own_volume *other)
{
	struct own_member *member;
	unsigned int node;

	own_for_each(node, ~0ULL) {
		member = own_member(vol, node);
		if (member->access != OWN_ACCESS_NONE ||
		    other->member[node - 1].access == OWN_ACCESS_NONE)
			continue;
		member->access = OWN_ACCESS_MAYBE;
		own_evict(vol, node);
	}
}

/* What comes from the one knows nothing of a boot that the other has dealt with. */
static void booted_since(struct own_volume *vol, const struct ownership *own,
			 const struct ownership *other)
{
	unsigned int node;

	own_for_each(node, ~0ULL)
		if (own->boots[node - 1] != other->boots[node - 1])
			own_member_booted(vol, node);
}

static void take_volumes(struct ownership *own, const struct ownership *other)
{
	const struct own_volume *theirs;
	struct own_volume *mine, before;
	size_t i;

	for (i = 0; i < other->count; i++) {
		theirs = other->volumes[i];
		mine = same(own, theirs);
		if (!mine)
			continue;
		if (theirs->term <= mine->term) {
			doubt(mine, theirs);
			continue;
		}
		before = *mine;
		*mine = *theirs;
		mine->id = before.id;
		booted_since(mine, own, other);
		doubt(mine, &before);
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
