/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path loss against redirect. Node 0's write is somewhere in the fabric when its path is lost. The write is
 * repeated through node 1, is acknowledged, and a newer one follows. Node 2 shares the LUN, and is not
 * to lose its key.
 *
 * NO_FENCE, NO_DRAIN: the mutations.
 */
bool key[3] = { true, true, true };
byte disk, acknowledged;
byte fabric = 1;		/* sent, and not yet at the LUN */
byte accepted;			/* by the LUN, and not yet on the medium */

active proctype lun()
{
end:	do
	:: atomic { fabric == 1 && key[0] -> fabric = 0; accepted = 1 }
	:: atomic { fabric == 1 && !key[0] -> fabric = 0 }
	:: atomic { accepted == 1 -> accepted = 0; disk = 1; assert(disk >= acknowledged) }
	od
}

active proctype coordinator()
{
#ifndef NO_FENCE
	key[0] = false;
#ifndef NO_DRAIN
	accepted == 0;
#endif
#endif
	assert(key[2]);
	atomic { disk = 1; acknowledged = 1 };
	atomic { disk = 2; acknowledged = 2 }
}
