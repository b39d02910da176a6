#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# I/O that is held: it keeps its order, however often it is tried in vain, and device mapper can do with the device what
# it can do with others: suspend it, give it another table, remove it.
#
# Node 2's path is a device of device mapper, whose table is exchanged. The RAM disk below does what it is given at once
# and in order, so that what it has at the end tells the order.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG=/dev/mapper/n2-img
readonly WHOLE=$((LUN_MIB * 2048))
# Writes that are held together: more than a batch.
readonly WRITES=80

# path < TABLE: of node 2, from now on; what is under way ends the old way.
path() {
	dmsetup load path2
	dmsetup suspend --noudevsync --noflush --nolockfs path2
	dmsetup resume --noudevsync path2
}

break_path() {
	path <<<"0 $WHOLE error"
}

heal_path() {
	path <<<"0 $WHOLE linear /dev/ram0 0"
}

# reason_is REASON: node 2 is held, for this reason.
reason_is() {
	[[ $(dmsetup status n2-img) == *" held $1 "* ]]
}

held_is() {
	[[ $(held 2) -eq $1 ]]
}

suspended() {
	[[ $(dmsetup info -c --noheadings -o suspended "$1") == Suspended ]]
}

gone() {
	! dmsetup info "$1" >/dev/null 2>&1
}

# ---- writes whose order can be seen ----

# hold_writes [DEVICE]: in one go, each from its own sector to the end of the same few: in its own sector the last one is the
# write itself only if it came after all those before it.
hold_writes() {
	date +%s%N | cut -c 6-13 >"$RUN/seed"
	start order "$HERE/../bin/aio" writes "${1:-$IMG}" "$WRITES" "$(<"$RUN/seed")"
	within 20 grep -q submitted "$RUN/order.log"
}

writes_alive() {
	alive order || fail "the writes have ended: $(<"$RUN/order.log")"
	equal 'what the writes say' "$(<"$RUN/order.log")" submitted
}

# in_order: all have been done, each after those before it.
in_order() {
	within 20 dead order
	rm "$RUN/order.pid"
	equal 'what the writes say' "$(<"$RUN/order.log")" $'submitted\n'"$WRITES done"
	helper aio verify "$IMG" "$WRITES" "$(<"$RUN/seed")"
	held_is 0 || fail "still held: $(held 2)"
}

# writes_fail: all of them, with an I/O error; none has been done.
writes_fail() {
	within 20 dead order
	rm "$RUN/order.pid"
	equal 'writes that failed' "$(grep -c 'Input/output error' "$RUN/order.log")" "$WRITES"
}

# not_done: none of the writes has been done.
not_done() {
	same "$RUN/one" "$IMG" 0 $((WRITES * 512))
}

# ---- tests ----

up() {
	module_up
	dmsetup create --noudevsync path2 --table "0 $WHOLE linear /dev/ram0 0"
	dmsetup mknodes
	network_up 2
	coordinator_up
	volume_add 2 --lun /dev/mapper/path2 --lun-offset 1M
	session 1 2
	image 1 32M 2
	layouts 1
	route 2 direct
	device 2 n2-img image:1 32 /dev/mapper/path2
	# Longer than it takes to see that something is held, also where a moment takes seconds.
	device 2 n2-quick image:1 32 /dev/mapper/path2 "2 hold_timeout $((10000 + 2000 * SLOW))"
	pattern one "$MIB" >"$RUN/one"
	put "$RUN/one" "$IMG" 0
	within 20 has 2 "$IMG" 0 data
	put "$RUN/one" "$IMG" $((16 * MIB))
	within 20 has 2 "$IMG" $((16 * MIB)) data
}

order() {
	route 2 held
	hold_writes
	route 2 direct
	in_order
}

# Tried again while the path is broken still: the first of them finds out, and all are held once more.
order_in_vain() {
	local i

	break_path
	route 2 held
	hold_writes
	for i in 1 2; do
		route 2 direct
		within 20 reason_is no-disk-path
		sleep 1
		writes_alive
		held_is "$WRITES" || fail "held: $(held 2)"
	done
	heal_path
	route 2 direct
	in_order
}

# Those that must not wait any longer fail; the others, before and after them, keep their order.
order_some_late() {
	route 2 held
	start late1 dd if=/dev/mapper/n2-quick of=/dev/null bs=4k count=1 iflag=direct
	within 20 held_is 1
	hold_writes
	start late2 dd if=/dev/mapper/n2-quick of=/dev/null bs=4k count=1 iflag=direct
	within 20 dead late1
	within 20 dead late2
	grep -q 'Connection timed out' "$RUN/late1.log" || fail "$(<"$RUN/late1.log")"
	grep -q 'Connection timed out' "$RUN/late2.log" || fail "$(<"$RUN/late2.log")"
	writes_alive
	route 2 direct
	in_order
}

# More than a batch, under a load that goes on: nothing is lost, nothing fails.
many() {
	local i

	load many "$IMG" --iodepth=256 --size=8M --offset=8M --rate_iops=0
	for i in 1 2 3; do
		route 2 held
		within 20 many_held
		sleep 0.5
		route 2 direct
		sleep 0.5
	done
	load_ok many
	held_is 0 || fail "still held: $(held 2)"
}

many_held() {
	[[ $(held 2) -ge 40 ]]
}

noflush() {
	put "$RUN/one" "$IMG" 0
	route 2 held
	hold_writes
	dmsetup suspend --noudevsync --noflush n2-img
	suspended n2-img || fail 'it is not suspended'
	equal 'bios that are held while it is suspended' "$(held 2)" 0
	writes_alive
	# Released meanwhile, they wait for the resume.
	route 2 direct
	sleep 0.5
	writes_alive
	dmsetup resume --noudevsync n2-img
	in_order
}

noflush_held() {
	put "$RUN/one" "$IMG" 0
	route 2 held
	hold_writes
	dmsetup suspend --noudevsync --noflush n2-img
	dmsetup resume --noudevsync n2-img
	within 20 held_is "$WRITES"
	writes_alive
	route 2 direct
	in_order
}

# The other device of the image is not concerned.
noflush_other() {
	start other dd if="$RUN/one" of=/dev/mapper/n2-quick bs=4k count=1 oflag=direct,seek_bytes seek=$((16 * MIB)) conv=notrunc
	within 20 dead other
	route 2 held
	start other dd if=/dev/mapper/n2-img of="$RUN/read" bs=4k count=1 iflag=direct
	within 20 held_is 1
	dmsetup suspend --noudevsync --noflush n2-quick
	equal 'bios that are held' "$(held 2)" 1
	dmsetup resume --noudevsync n2-quick
	route 2 direct
	within 20 dead other
	cmp -n 4096 "$RUN/read" <(dd if="$IMG" bs=4k count=1 iflag=direct status=none)
}

# What has no coordinator to go to is held by itself; device mapper can have that, too.
noflush_no_coordinator() {
	kernel 2 session remove "$UUID" 1
	start asks dd if="$RUN/one" of="$IMG" bs=64k count=1 oflag=direct,seek_bytes seek=$((24 * MIB)) conv=notrunc
	within 20 held_is 1
	dmsetup suspend --noudevsync --noflush n2-img
	equal 'bios that are held while it is suspended' "$(held 2)" 0
	dmsetup resume --noudevsync n2-img
	sleep 0.5
	alive asks || fail "it has ended: $(<"$RUN/asks.log")"
	session 1 2
	within 20 dead asks
	same "$RUN/one" "$IMG" $((24 * MIB)) 65536
}

# It promises that all has ended: it waits, and can be interrupted.
flush() {
	local status=0

	put "$RUN/one" "$IMG" 0
	route 2 held
	hold_writes
	held_is "$WRITES" || fail "held: $(held 2)"
	timeout --signal=INT $((2 * SLOW)) dmsetup suspend --noudevsync --nolockfs n2-img || status=$?
	held_is "$WRITES" || fail "held now: $(held 2)"
	equal 'status of the suspend (124: it waited)' "$status" 124
	! suspended n2-img || fail 'it is suspended'
	writes_alive
	start suspends dmsetup suspend --noudevsync --nolockfs n2-img
	sleep 1
	alive suspends || fail 'it did not wait'
	route 2 direct
	within 20 dead suspends
	suspended n2-img || fail 'it is not suspended'
	dmsetup resume --noudevsync n2-img
	in_order
}

# reload: to the same table again, in one step, as who resizes does.
reload() {
	put "$RUN/one" "$IMG" 0
	route 2 held
	hold_writes
	on 2 dmsetup load n2-img --table "$(table image:1 32 /dev/mapper/path2 '1 data_digest')"
	dmsetup resume --noudevsync --noflush n2-img
	within 20 held_is "$WRITES"
	[[ $(dmsetup table n2-img) == *data_digest ]] || fail "table: $(dmsetup table n2-img)"
	route 2 direct
	in_order
	on 2 dmsetup load n2-img --table "$(table image:1 32 /dev/mapper/path2)"
	dmsetup resume --noudevsync n2-img
}

fail_held() {
	put "$RUN/one" "$IMG" 0
	route 2 held
	start other dd if=/dev/mapper/n2-img of="$RUN/read" bs=4k count=1 iflag=direct
	within 20 held_is 1
	device 2 n2-third image:1 32 /dev/mapper/path2
	hold_writes /dev/mapper/n2-third
	start suspends dmsetup suspend --noudevsync --nolockfs n2-third
	sleep 1
	writes_alive
	dmsetup message n2-third 0 fail_held
	writes_fail
	within 20 dead suspends
	# Of that device only.
	alive other || fail "it has ended: $(<"$RUN/other.log")"
	dmsetup resume --noudevsync n2-third
	dmsetup remove --noudevsync n2-third
	route 2 direct
	within 20 dead other
	cmp -n 4096 "$RUN/one" "$RUN/read"
	not_done
}

# A table of errors in place of the device's: what was held fails, the device can go.
error_table() {
	route 2 held
	device 2 n2-third image:1 32 /dev/mapper/path2
	hold_writes /dev/mapper/n2-third
	fails dmsetup remove --noudevsync n2-third 2>"$RUN/error"
	grep -q busy "$RUN/error" || fail "$(<"$RUN/error")"
	writes_alive
	dmsetup wipe_table --noudevsync --noflush n2-third
	writes_fail
	dmsetup remove --noudevsync n2-third
	route 2 direct
	not_done
}

remove_force() {
	route 2 held
	device 2 n2-third image:1 32 /dev/mapper/path2
	hold_writes /dev/mapper/n2-third
	# With --deferred it goes when the last who has it open closes it.
	dmsetup remove --noudevsync --force --noflush --deferred n2-third
	writes_fail
	within 20 gone n2-third
	route 2 direct
	not_done
}

remove_deferred() {
	put "$RUN/one" "$IMG" 0
	route 2 held
	device 2 n2-third image:1 32 /dev/mapper/path2
	hold_writes /dev/mapper/n2-third
	dmsetup remove --noudevsync --deferred n2-third
	writes_alive
	route 2 direct
	in_order
	within 20 gone n2-third
}

# again COMMAND...: refused at once, to be sent again by who may wait.
again() {
	fails helper aio "$@" >"$RUN/error"
	grep -q 'Resource temporarily unavailable' "$RUN/error" || fail "$(<"$RUN/error")"
	held_is 0 || fail "it is held: $(held 2)"
}

# What is at hand at once is done; nothing waits.
nowait() {
	local hole=$((30 * MIB)) data=$((16 * MIB + 4096))

	# what is prepared ahead of writers may have come here
	blkdiscard -f -o "$hole" -l "$MIB" "$IMG"
	within 20 has 2 "$IMG" "$hole" hole
	counted n2-img helper aio nowait-read "$IMG" "$data" 4096 -- direct.reads=1
	counted n2-img helper aio nowait-write "$IMG" "$data" 4096 -- direct.writes=1
	counted n2-img helper aio nowait-read "$IMG" "$hole" 4096 -- zero.reads=1
	counted n2-img again nowait-write "$IMG" "$hole" 4096 --
	equal 'the extent that was not written' "$(state 2 image:1 "$hole")" hole
	route 2 fs-redirected
	counted n2-img again nowait-read "$IMG" "$data" 4096 --
	route 2 held
	counted n2-img again nowait-write "$IMG" "$data" 4096 --
	route 2 direct
	counted n2-img helper aio nowait-read "$IMG" "$data" 4096 -- direct.reads=1
}

down() {
	heal_path || true
	nodes_down
	dmsetup remove --noudevsync path2
	module_down
}

# clean FUNCTION: the test; after one that fails the next begins anew.
clean() {
	trap '[[ $? -eq 0 ]] || anew' EXIT
	"$1"
}

anew() {
	local pid name

	heal_path
	for name in n2-img n2-quick n2-third; do
		gone "$name" || dmsetup resume --noudevsync "$name"
	done
	session_live 1 2 || session 1 2
	route 2 direct
	for pid in "$RUN"/*.pid; do
		[[ $pid == */layout.pid ]] || stop "$(basename "$pid" .pid)" KILL
	done
	gone n2-third || dmsetup remove --noudevsync n2-third
	put "$RUN/one" "$IMG" 0
}

first 'a coordinator and a member, whose path is a device of its own' up
it 'what is held goes on in the order in which it came' 'clean order'
it 'so it does after it was tried in vain' 'clean order_in_vain'
it 'and when some between are too late, and fail' 'clean order_some_late'
it 'many are held and released again and again, under load' 'clean many'
it 'suspend without a flush: at once; goes on in order after the resume' 'clean noflush'
it 'the same, and it is held still after the resume' 'clean noflush_held'
it 'of another device of the image nothing is taken back' 'clean noflush_other'
it 'suspend without a flush while the coordinator cannot be asked' 'clean noflush_no_coordinator'
it 'suspend with a flush: waits for what is held, and can be interrupted' 'clean flush'
it 'another table without a flush: nothing fails, the order stays' 'clean reload'
it 'fail_held: fails what is held of this device, and ends the suspend that waits' 'clean fail_held'
it 'a table of errors without a flush: what is held fails' 'clean error_table'
it 'remove by force: what is held fails, the device goes' 'clean remove_force'
it 'remove deferred: when what is held has ended' 'clean remove_deferred'
it 'REQ_NOWAIT: direct or zeroes at once; all else is refused, and does not wait' 'clean nowait'
last 'all is taken down; the module unloads' down
ktap_run
