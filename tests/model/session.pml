/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Session replacement. A client's write is being executed when the session breaks; it is repeated on the
 * next session, is acknowledged, and a newer one to the same place follows. The old session's request must
 * not land after that. Node 0 is the client, nodes 1 and 2 are lanes of service on the coordinator.
 *
 * NO_WAIT: the new session does not wait for the old one's requests.
 */
byte disk;			/* version that is there */
byte acknowledged;		/* version that the client may rely on */
bool executing = true;		/* the old session's request, version 1 */
bool broken;

active proctype old_session()
{
	broken = true;
	/* As slow as it likes. */
	atomic { disk = 1; executing = false; assert(disk >= acknowledged) }
}

active proctype new_session()
{
	broken;
#ifndef NO_WAIT
	!executing;
#endif
	atomic { disk = 1; acknowledged = 1 }
	atomic { disk = 2; acknowledged = 2 };
	assert(disk >= acknowledged)
}
