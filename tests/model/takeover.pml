/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takeover against a slow old coordinator. Node 0 has the volume mounted, is cut off and goes on for as
 * long as it likes. Node 1 takes over, node 2 is a member that listens to node 0.
 *
 * NO_FENCE, NO_DRAIN, NO_BARRIER: the mutations.
 */
#define OLD	0
#define NEW	1
#define MEMBER	2
#define WRITES	2

bool key[3] = { true, true, true };
byte flying[3];			/* metadata that the LUN has accepted and that has not landed */
byte owner = OLD;		/* who mounted last */
byte listens = OLD;		/* MEMBER's session */
bool asked, confirmed, serving;

/* It does not know that it is out until the LUN refuses it. */
proctype coordinator_old()
{
	byte count = 0;

	do
	:: atomic { count < WRITES && key[OLD] -> flying[OLD]++; count++ }
	:: !key[OLD] -> break
	:: count == WRITES -> break
	od
}

/* The LUN takes its time. */
active proctype lun()
{
end:	do
	:: atomic { flying[OLD] > 0 -> assert(owner == OLD); flying[OLD]-- }
	:: atomic { flying[NEW] > 0 -> assert(owner == NEW); flying[NEW]-- }
	od
}

/* An answer of the old coordinator, however late, must find nobody who takes it. */
active proctype late_answer()
{
	if
	:: atomic { listens == OLD -> assert(!serving) }
	:: true
	fi
}

active proctype member()
{
end:	do
	:: asked && !confirmed -> atomic { listens = 255; confirmed = true }
	:: serving && listens != NEW -> listens = NEW
	od
}

active proctype coordinator_new()
{
	run coordinator_old();
#ifndef NO_FENCE
	key[OLD] = false;
#ifndef NO_DRAIN
	flying[OLD] == 0;
#endif
#endif
#ifndef NO_BARRIER
	asked = true;
	confirmed;
#endif
	owner = NEW;
	flying[NEW]++;
	serving = true
}
