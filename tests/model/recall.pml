/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recall against grant. Node 0, the coordinator, reads the extents of a range; what it read travels to node
 * 1 as a grant. Meanwhile node 2 has the range changed, which recalls it first. What node 1 holds once the
 * change is acknowledged must be what the map says.
 *
 * NO_SEQUENCE: a grant is taken however old it is. NO_CHANGING: what is read during a change is granted.
 * NO_RECALL: the change does not wait for the holder.
 */
#define NOTHING	255

byte map;			/* which version is mapped */
byte sequence;			/* of the last change */
bool changing;			/* a change is under way */
byte held = NOTHING;
byte floor;			/* node 1: sequence of the last recall that it has answered */
bool acknowledged;
chan grants = [2] of { byte, byte };	/* version, sequence when it was read */

active [2] proctype grant()
{
	byte version, seq;

#ifdef NO_CHANGING
	atomic { version = map; seq = sequence };
#else
	atomic { !changing -> version = map; seq = sequence };
#endif
	grants!version, seq
}

active proctype holder()
{
	byte version, seq;

end:	do
	:: atomic {
		grants?version, seq;
		if
#ifndef NO_SEQUENCE
		:: seq < floor -> skip
#endif
		:: else -> held = version
		fi;
		assert(!acknowledged || held == NOTHING || held == map)
	   }
	:: atomic { sequence > floor -> held = NOTHING; floor = sequence }
	od
}

active proctype change()
{
	atomic { changing = true; sequence++ };
#ifndef NO_RECALL
	floor == sequence;
#endif
	map++;
	atomic { changing = false; acknowledged = true; assert(held == NOTHING || held == map) }
}
