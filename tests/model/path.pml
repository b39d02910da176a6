/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path loss against redirect. Node 0's write is somewhere in the fabric when its path is lost. It is repeated through
 * node 1, and newer ones follow; then the path is back, and node 0 writes to the LUN again. Nothing older may land after what
 * was acknowledged. Node 2 writes to the LUN all the time, and is not to be disturbed.
 *
 * The mutations. NO_FENCE: node 0 keeps its key. NO_DRAIN: what the LUN has accepted is not waited for. NO_NAMES: the fence takes
 * other keys, too. NO_ENDED: node 0 registers again while something of its old key is under way. NO_LOST: what was lost with
 * the session to node 1 is done again directly while it may be under way there.
 */
bool key[3] = { true, true, true };
byte fabric[3];			/* version that is sent, and not yet at the LUN; 0: none */
byte accepted[3];		/* by the LUN, and not yet on the medium */
bool done[3], refused[3];
byte disk, acknowledged;	/* of the place that node 0 writes; node 2 has another one */
bool lost;			/* node 0's path */
bool redirected;
byte asked, served;		/* through node 1 */

active proctype lun()
{
	byte n;

end:	do
	:: atomic { fabric[0] && key[0] -> accepted[0] = fabric[0]; fabric[0] = 0 }
	:: atomic { fabric[1] && key[1] -> accepted[1] = fabric[1]; fabric[1] = 0 }
	:: atomic { fabric[2] && key[2] -> accepted[2] = fabric[2]; fabric[2] = 0 }
	:: atomic { fabric[0] && !key[0] -> fabric[0] = 0; refused[0] = true }
	:: atomic { fabric[1] && !key[1] -> fabric[1] = 0; refused[1] = true }
	:: atomic { fabric[2] && !key[2] -> fabric[2] = 0; refused[2] = true }
	:: atomic { accepted[0] -> disk = accepted[0]; accepted[0] = 0; done[0] = true; assert(disk >= acknowledged) }
	:: atomic { accepted[1] -> disk = accepted[1]; accepted[1] = 0; done[1] = true; assert(disk >= acknowledged) }
	:: atomic { accepted[2] -> accepted[2] = 0; done[2] = true }
	od
}

active proctype member()
{
	fabric[0] = 1;
	/* The transport gives it up: it is not known what has become of it. */
	lost = true;
	redirected;
	asked = 1;
	served == 1;
	acknowledged = 1;
	asked = 2;
	served == 2;
	acknowledged = 2;
	asked = 3;
	/* The session ends before the answer. The path is back. */
#ifndef NO_ENDED
	/* The old session of the transport has ended, and all that was sent on it. */
	fabric[0] == 0 && accepted[0] == 0;
#endif
	atomic { done[0] = false; key[0] = true };
#ifdef NO_LOST
	fabric[0] = 3;
	done[0];
	done[0] = false;
#else
	/* Again by the same way; node 1 begins when the first has ended, which comes to the same. */
	served == 3;
#endif
	acknowledged = 3;
	fabric[0] = 4;
	done[0];
	acknowledged = 4
}

active proctype coordinator()
{
	lost;
#ifndef NO_FENCE
	key[0] = false;
#ifdef NO_NAMES
	key[2] = false;
#endif
#ifndef NO_DRAIN
	accepted[0] == 0;
#endif
#endif
	redirected = true;
end:	do
	:: asked > served ->
		fabric[1] = asked;
		done[1];
		atomic { done[1] = false; served = asked }
	od
}

active proctype other_member()
{
end:	do
	:: fabric[2] = 1;
		if
		:: done[2] -> done[2] = false
		:: refused[2] -> assert(false)
		fi
	od
}
