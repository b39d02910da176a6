#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An image's file is taken away and given while devices use the image, here and on another node that becomes coordinator:
# nothing fails, data I/O goes on, and what others were granted before is taken back from them (invariants I2, I3, I5, I7).

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
LUN=/dev/mapper/slow
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

# Chunks are prepared ahead of whoever writes: each test has a place of its own, far from the others.
readonly MIB=1048576 IMAGE_MIB=256
readonly IMG=/dev/mapper/img IMG2=/dev/mapper/n2-img IMG3=/dev/mapper/n3-img

up() {
	module_up
	slow_lun
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	image 1 "${IMAGE_MIB}M" 2 3
	layouts 1
	route 2 direct
	route 3 direct
	device 1 img image:1 "$IMAGE_MIB"
	device 2 n2-img image:1 "$IMAGE_MIB"
	device 3 n3-img image:1 "$IMAGE_MIB"
	# To discard by: Linux lets nobody seek in a device that discards.
	device 1 again image:1 "$IMAGE_MIB"
	echo 1 >"$RUN/epoch"
	pattern one "$MIB" >"$RUN/one"
	pattern two "$MIB" >"$RUN/two"
}

# volume_of NODE: its device.
volume_of() {
	[[ $1 -eq 1 ]] && echo volume || echo "n$1-volume"
}

# others NODE
others() {
	local node

	for node in 1 2 3; do
		[[ $node -eq $1 ]] || echo "$node"
	done
}

# take NODE [WORD...]: the file, of that node.
take() {
	kernel "$1" image set "$UUID" 1 --no-file "${@:2}"
}

# give NODE: the file. All others may hold layouts.
give() {
	kernel "$1" image set "$UUID" 1 --file "$MNT/image1" --holders "$(others "$1" | paste -sd ,)"
}

# served NODE: does it serve the image?
served() {
	kernel "$1" image show "$UUID" 1 --json | value served
}

# answers NODE: who asks for layouts there.
answers() {
	start layout nsenter --net="$(netns "$1")" "$HERE/../bin/covol-layout" -v "$UUID" "1=$MNT/image1"
	within 20 grep -q answering "$RUN/layout.log"
}

# leave NODE: it is coordinator no longer.
leave() {
	local node

	for node in $(others "$1"); do
		kernel "$1" session remove "$UUID" "$node" 2>/dev/null || true
	done
	take "$1" --keep-layouts
	equal served "$(served "$1")" false
	stop layout
	umount "$MNT"
	dmsetup remove --noudevsync "$(volume_of "$1")"
}

# become NODE: it is coordinator now.
become() {
	local node epoch

	epoch=$(($(<"$RUN/epoch") + 1))
	echo "$epoch" >"$RUN/epoch"
	for node in 1 2 3; do
		kernel "$node" volume set "$UUID" --coordinator "$1" --epoch "$epoch"
	done
	device "$1" "$(volume_of "$1")" volume "$VOLUME_MIB"
	mount "/dev/mapper/$(volume_of "$1")" "$MNT"
	give "$1"
	equal served "$(served "$1")" true
	for node in $(others "$1"); do
		session "$1" "$node"
	done
	answers "$1"
}

# everyone OFFSET STATE: all nodes come to have it there.
everyone() {
	within 20 has 1 "$IMG" "$1" "$2"
	within 20 has 2 "$IMG2" "$1" "$2"
	within 20 has 3 "$IMG3" "$1" "$2"
}

# nobody OFFSET: no node has anything there.
nobody() {
	local node

	for node in 1 2 3; do
		equal "state on node $node" "$(state "$node" image:1 "$1")" unknown
	done
}

# the same for one write, started as NAME: late NAME DEVICE OFFSET
writes() {
	start "$1" dd if="$RUN/two" of="$2" bs=64k count=1 seek="$3" oflag=direct,seek_bytes conv=notrunc
}

# well NAME: it has ended, and well.
well() {
	within 20 dead "$1"
	! grep -i error "$RUN/$1.log" || fail "$1 has failed"
	grep -q ' copied' "$RUN/$1.log" || fail "$1: $(<"$RUN/$1.log")"
}

loads() {
	load load1 "$IMG" --offset=0
	load load2 "$IMG2" --offset=20M
	load load3 "$IMG3" --offset=40M
}

loads_ok() {
	local node

	for node in 1 2 3; do
		load_ok "load$node"
	done
}

# Round, with all of them writing; each is coordinator, and member again.
moves() {
	local from=1 to

	loads
	for to in 2 3 1; do
		leave "$from"
		become "$to"
		goes_on img direct
		goes_on n2-img direct
		goes_on n3-img direct
		from=$to
	done
	loads_ok
}

# While there is no coordinator: direct I/O goes on on all nodes, the one that was it included; other I/O waits.
meanwhile() {
	put "$RUN/one" "$IMG2" $((72 * MIB)) 1M
	everyone $((72 * MIB)) data
	leave 1
	counted img put "$RUN/two" "$IMG" $((72 * MIB)) 64k -- direct.writes=16
	counted n3-img same "$RUN/two" "$IMG3" $((72 * MIB)) "$MIB" -- direct.reads=16
	writes write1 "$IMG" $((88 * MIB))
	writes write3 "$IMG3" $((104 * MIB))
	within 10 is_held 1
	within 10 is_held 3
	sleep 1
	alive write1 || fail 'node 1 has written without a coordinator'
	alive write3 || fail 'node 3 has written without a coordinator'
	become 2
	well write1
	well write3
	same "$RUN/two" "$IMG2" $((88 * MIB)) 65536
	same "$RUN/two" "$IMG2" $((104 * MIB)) 65536
	same "$RUN/two" "$IMG2" $((72 * MIB)) "$MIB"
}

# What the coordinator before has granted, to others and to itself, is recalled by the next.
recalled() {
	put "$RUN/one" "$IMG3" $((120 * MIB)) 1M
	everyone $((120 * MIB)) data
	leave 2
	become 1
	equal 'state on node 2' "$(state 2 image:1 $((120 * MIB)))" data
	equal 'state on node 3' "$(state 3 image:1 $((120 * MIB)))" data
	stop layout
	blkdiscard -f -o $((120 * MIB)) -l "$MIB" /dev/mapper/again
	nobody $((120 * MIB))
	answers 1
	put "$RUN/two" "$IMG" $((120 * MIB)) 64k
	same "$RUN/two" "$IMG2" $((120 * MIB)) "$MIB"
	same "$RUN/two" "$IMG3" $((120 * MIB)) "$MIB"
}

# I3: what is in service ends before the file is given up; what comes meanwhile waits.
waits() {
	lun_is late
	writes late "$IMG2" $((136 * MIB))
	within 10 has_late
	lun_is fast
	start take "$HERE/../bin/covol" kernel image set "$UUID" 1 --no-file --keep-layouts
	within 10 not_served
	writes write1 "$IMG" $((148 * MIB))
	writes write3 "$IMG3" $((160 * MIB))
	within 10 is_held 1
	within 10 is_held 3
	sleep 1
	alive take || fail 'it did not wait for what was in service'
	late_lands
	within 20 dead take
	well late
	alive write1 || fail 'node 1 has written'
	alive write3 || fail 'node 3 has written'
	give 1
	well write1
	well write3
	same "$RUN/two" "$IMG3" $((136 * MIB)) 65536
	same "$RUN/two" "$IMG2" $((148 * MIB)) 65536
	same "$RUN/two" "$IMG2" $((160 * MIB)) 65536
}

not_served() {
	[[ $(served 1) == false ]]
}

# What waits for a holder gives up: that may be waiting for the next coordinator.
gives_up() {
	put "$RUN/one" "$IMG3" $((172 * MIB)) 1M
	everyone $((172 * MIB)) data
	kernel 3 session remove "$UUID" 1
	start discard blkdiscard -f -o $((172 * MIB)) -l "$MIB" /dev/mapper/again
	# Behind that, when it has been taken back from node 2.
	within 10 state_is 2 image:1 $((172 * MIB)) unknown
	writes write2 "$IMG2" $((172 * MIB))
	sleep 1
	alive discard || fail 'it did not wait for node 3'
	take 1 --keep-layouts
	alive discard || fail 'the discard was not held'
	# The write may have had its turn.
	part "$RUN/one" 65536 $((MIB - 65536)) >"$RUN/rest"
	same "$RUN/rest" "$IMG3" $((172 * MIB + 65536)) $((MIB - 65536))
	give 1
	sleep 1
	alive discard || fail 'it did not wait for node 3'
	session 1 3
	within 20 dead discard
	! grep -i 'failed' "$RUN/discard.log" || fail 'the discard has failed'
	well write2
	nobody_but_zeroes $((172 * MIB + 65536))
}

# nobody_but_zeroes OFFSET: whoever reads there reads zeroes.
nobody_but_zeroes() {
	local device

	for device in "$IMG" "$IMG2" "$IMG3"; do
		cmp -n 65536 /dev/zero <(dd if="$device" bs=64k count=1 skip="$1" iflag=direct,skip_bytes status=none) ||
			fail "$device has the old data"
	done
}

# Without --keep-layouts nobody has any when it returns.
taken_back() {
	put "$RUN/one" "$IMG2" $((184 * MIB)) 1M
	everyone $((184 * MIB)) data
	take 1
	nobody $((184 * MIB))
	equal holders "$(kernel 1 image show "$UUID" 1 --json | value holders)" 0
	take 1
	give 1
	everyone $((184 * MIB)) data
}

refused() {
	fails kernel 1 image set "$UUID" 1 --file "$MNT/image1" 2>"$RUN/error"
	grep -q 'image: it has a file' "$RUN/error" || fail "$(<"$RUN/error")"
	fails kernel 2 image set "$UUID" 1 --file "$MNT/image1" 2>"$RUN/error"
	grep -q "fd: this node is not the volume's coordinator" "$RUN/error" || fail "$(<"$RUN/error")"
	kernel 1 image share begin "$UUID" 1
	fails take 1 --keep-layouts 2>"$RUN/error"
	grep -q 'image: it is being shared' "$RUN/error" || fail "$(<"$RUN/error")"
	kernel 1 image share end "$UUID" 1
	# Extents that were read before are of no worth now.
	take 1
	fails kernel 1 map set "$UUID" image:1 --seq 1 "data:0:65536:0" 2>"$RUN/error"
	grep -q 'seq: this node does not serve the image' "$RUN/error" || fail "$(<"$RUN/error")"
	give 1
	fails kernel 1 map set "$UUID" image:1 --seq 1 "data:0:65536:0" 2>"$RUN/error"
	grep -q 'seq: too much has changed' "$RUN/error" || fail "$(<"$RUN/error")"
}

# A coordinator whose file system has lost its disk goes: what was in service has failed there, and is done again elsewhere.
broken() {
	loads
	take 1 --no-wait
	fails take 1 2>"$RUN/error"
	grep -q 'layouts are kept' "$RUN/error" || fail "$(<"$RUN/error")"
	dmsetup load volume --table "0 $((VOLUME_MIB * 2048)) error"
	dmsetup suspend --noflush --nolockfs --noudevsync volume
	dmsetup resume --noudevsync volume
	leave 1
	become 2
	goes_on n2-img direct
	goes_on n3-img direct
	loads_ok
	leave 2
	become 1
}

# suspends NAME: that dmsetup blocks what comes, and waits for what is under way.
suspends() {
	grep -Eq '^(__dm_suspend|dm_wait)' "/proc/$(<"$RUN/$1.pid")/wchan"
}

# In the middle of what it serves.
broken_in_service() {
	lun_is late
	writes late2 "$IMG2" $((196 * MIB))
	writes late1 "$IMG" $((208 * MIB))
	within 10 has_late
	take 1 --no-wait
	dmsetup load volume --table "0 $((VOLUME_MIB * 2048)) error"
	start break dmsetup suspend --noflush --nolockfs --noudevsync volume
	within 10 suspends break
	lun_is fast
	late_lands
	within 20 dead break
	dmsetup resume --noudevsync volume
	leave 1
	alive late1 || fail 'node 1 has failed or ended'
	become 2
	well late1
	well late2
	same "$RUN/two" "$IMG3" $((196 * MIB)) 65536
	same "$RUN/two" "$IMG3" $((208 * MIB)) 65536
	leave 2
	become 1
}

# What this node knew to be data of the file alone it does not know any more when it is coordinator again.
shared_elsewhere() {
	local at=$((224 * MIB))

	head -c 65536 "$RUN/two" >"$RUN/piece"
	put "$RUN/one" "$IMG2" "$at" 1M
	# Through the file, which the coordinator remembers.
	route 2 fs-redirected
	put "$RUN/piece" "$IMG2" "$at"
	route 2 direct
	leave 1
	become 2
	kernel 2 image share begin "$UUID" 1
	cp --reflink=always "$MNT/image1" "$MNT/clone"
	kernel 2 image share end "$UUID" 1
	leave 2
	become 1
	everyone "$at" shared
	stop layout
	head -c 65536 "$RUN/one" >"$RUN/piece"
	put "$RUN/piece" "$IMG2" "$at"
	same "$RUN/piece" "$IMG3" "$at" 65536
	same "$RUN/piece" "$IMG" "$at" 65536
	head -c 65536 "$RUN/two" | cmp - <(part "$MNT/clone" "$at" 65536) || fail 'the clone has changed'
}

down() {
	nodes_down
	module_down
}

first 'a coordinator and two members come up, devices on all' up
it 'the volume moves round; fio verifies on all nodes: no error' moves
it 'while there is no coordinator direct I/O goes on, other I/O waits' meanwhile
it 'what another coordinator has granted is taken back before it changes' recalled
it 'what is in service ends first; what comes meanwhile waits' waits
it 'what waits for a lost holder gives up, and is done when there is a coordinator' gives_up
it 'without --keep-layouts all are taken back' taken_back
it 'refused: twice, on a member, while it is shared, extents read before' refused
it 'the coordinator loses its disk and goes: no error' broken
it 'the same in the middle of a request' broken_in_service
it 'what another coordinator has shared meanwhile is copied' shared_elsewhere
last 'all is taken down; the module unloads' down
ktap_run
