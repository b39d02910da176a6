/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Session replacement. Node 0's write is in service at node 1, the coordinator, when the session ends. On the next
 * session it is repeated if it was not answered, and when it has been acknowledged node 2 writes the same place. Nothing that
 * node 0 had begun may land after that.
 *
 * NO_WAIT: the new session does not wait for the old one's requests. NO_ONCE: what was answered is repeated, too.
 */
byte disk;			/* version that is there */
byte acknowledged;		/* version that applications rely on */
bool executing = true;		/* the old session's request, version 1 */
bool answer;			/* its answer is on its way */
bool repeated, again;		/* the same on the new session */

inline land(version)
{
	atomic { disk = version; assert(disk >= acknowledged) }
}

inline acknowledge(version)
{
	atomic {
		if
		:: acknowledged < version -> acknowledged = version
		:: else
		fi
	}
}

active proctype old_service()
{
	/* As slow as it likes. */
	land(1);
	executing = false;
	answer = true
}

active proctype member()
{
	bool answered;

	/* The session ends before the answer has come, or after that. */
	if
	:: answer -> answered = true; acknowledge(1)
	:: true
	fi;
#ifndef NO_ONCE
	if
	:: answered -> goto out
	:: else
	fi;
#endif
	repeated = true;
	again;
	acknowledge(1);
out:	skip
}

active proctype new_service()
{
end:	repeated;
#ifndef NO_WAIT
	!executing;
#endif
	land(1);
	again = true
}

active proctype other_member()
{
	acknowledged >= 1;
	land(2);
	acknowledge(2)
}
