// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which node is to be coordinator of which volume. Volumes are spread evenly; one that has a
 * coordinator keeps it unless that leaves the spread off by more than one.
 */
#include "internal.h"

bool own_fit(const struct ownership *own, const struct own_volume *vol, unsigned int node)
{
	const struct own_member *member = &vol->member[node - 1];
	own_nodes bit = own_bit(node);

	return own->present & bit && !((vol->excluded | vol->evict) & bit) &&
	       member->access == OWN_ACCESS_REGISTERED && !member->no_path && !member->damped;
}

static own_nodes all_fit(const struct ownership *own, const struct own_volume *vol)
{
	own_nodes fit = 0;
	unsigned int node;

	own_for_each(node, own->present)
		if (own_fit(own, vol, node))
			fit |= own_bit(node);
	return fit;
}

/* Without those, if anybody is left. */
static own_nodes rather(own_nodes nodes, own_nodes without)
{
	return nodes & ~without ? nodes & ~without : nodes;
}

/*
 * Where the operator put it, else where it is preferred, else anywhere, as far as there is
 * anybody.
 */
static own_nodes wished(const struct own_volume *vol, own_nodes fit)
{
	if (fit & own_bit(vol->placed))
		return own_bit(vol->placed);
	return fit & vol->preferred ? fit & vol->preferred : fit;
}

own_nodes own_candidates(const struct ownership *own, const struct own_volume *vol)
{
	return wished(vol, all_fit(own, vol));
}

/* Volumes that each node has, or is about to have. */
static void count_volumes(const struct ownership *own, unsigned int counts[OWN_NODES + 1])
{
	const struct own_volume *vol;
	unsigned int node;
	size_t i;

	for (node = 0; node <= OWN_NODES; node++)
		counts[node] = 0;
	for (i = 0; i < own->count; i++) {
		vol = own->volumes[i];
		counts[vol->target ? vol->target : vol->coordinator]++;
	}
}

static unsigned int least(own_nodes nodes, const unsigned int counts[OWN_NODES + 1])
{
	unsigned int node, best = 0;

	own_for_each(node, nodes)
		if (!best || counts[node] < counts[best])
			best = node;
	return best;
}

/*
 * Who takes a volume that nobody has: the planned one, else the one with the fewest. 0: nobody
 * can.
 */
unsigned int own_spread_target(const struct ownership *own, const struct own_volume *vol)
{
	own_nodes fit = rather(rather(all_fit(own, vol), vol->tried), own->unreached);
	unsigned int counts[OWN_NODES + 1];

	if (vol->target && own_fit(own, vol, vol->target) && !(vol->avoid & own_bit(vol->target)))
		return vol->target;
	count_volumes(own, counts);
	return least(rather(wished(vol, fit), vol->avoid), counts);
}

/* Who takes it from a coordinator that nobody gets a session with. 0: all have been tried. */
unsigned int own_spread_untried(const struct ownership *own, const struct own_volume *vol)
{
	own_nodes fit = rather(all_fit(own, vol) & ~vol->tried, own->unreached);
	unsigned int counts[OWN_NODES + 1];

	count_volumes(own, counts);
	return least(wished(vol, fit), counts);
}

/*
 * One after the other: a volume on its way counts where it goes, one that waits for a node
 * nowhere.
 */
static bool changing(const struct ownership *own)
{
	uint8_t phase;
	size_t i;

	for (i = 0; i < own->count; i++) {
		phase = own->volumes[i]->phase;
		if (phase >= OWN_MOUNT && phase != OWN_ONLINE && phase != OWN_MAINTENANCE)
			return true;
	}
	return false;
}

/* How much better it would be elsewhere: more than one, or it is where it should not be. */
static unsigned int gain(const struct own_volume *vol, own_nodes candidates, unsigned int to,
			 const unsigned int counts[OWN_NODES + 1])
{
	unsigned int from = vol->coordinator;

	if (!to || to == from)
		return 0;
	if (!(candidates & own_bit(from)))
		return OWN_VOLUMES + 1;
	return counts[from] > counts[to] + 1 ? counts[from] - counts[to] : 0;
}

void own_spread_pump(struct own_step *step)
{
	struct ownership *own = step->own;
	struct own_volume *vol, *best = NULL;
	unsigned int counts[OWN_NODES + 1], to, better, most = 0;
	own_nodes candidates;
	size_t i;

	if (!own->quorate || changing(own))
		return;
	count_volumes(own, counts);
	for (i = 0; i < own->count; i++) {
		vol = own->volumes[i];
		if (vol->phase != OWN_ONLINE || vol->target ||
		    !(own->present & own_bit(vol->coordinator)))
			continue;
		candidates = own_candidates(own, vol);
		/* It would come back. */
		to = least(candidates & ~own->unreached, counts);
		better = gain(vol, candidates, to, counts);
		if (better <= most)
			continue;
		most = better;
		best = vol;
	}
	if (!best)
		return;
	best->target = least(own_candidates(own, best) & ~own->unreached, counts);
	own_volume_advance(step, best);
}
