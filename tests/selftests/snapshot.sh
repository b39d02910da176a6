#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An image in use is cloned: its layouts are taken back from all nodes, nobody writes while its file is being cloned, and what is
# written then leaves the clone alone (invariants I1, I2, I5).

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG=/dev/mapper/img IMG2=/dev/mapper/n2-img IMG3=/dev/mapper/n3-img
# What is stamped: 2 MiB for each member, from these on.
readonly STAMPS2=$((4 * MIB)) STAMPS3=$((8 * MIB)) BLOCKS=512

up() {
	module_up
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	image 1 48M 2 3
	layouts 1
	route 2 direct
	route 3 direct
	device 1 img image:1 48
	device 2 n2-img image:1 48
	device 3 n3-img image:1 48
	# To discard by: Linux lets nobody seek in a device that discards.
	device 1 again image:1 48
	pattern one "$MIB" >"$RUN/one"
	pattern two "$MIB" >"$RUN/two"
}

share() {
	kernel 1 image share "$1" "$UUID" 1
}

# of WHAT: of image 1 on the coordinator.
of() {
	kernel 1 image show "$UUID" 1 --json | value "$1"
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

recalled() {
	# Not near the beginning: chunks would be prepared ahead, and granted after the recall.
	local at=$((32 * MIB))

	put "$RUN/one" "$IMG2" "$at" 1M
	everyone "$at" data
	kernel 1 image recall "$UUID" 1
	nobody "$at"
	equal holders "$(of holders)" 0
	# and is granted again
	everyone "$at" data
	same "$RUN/one" "$IMG3" "$at" "$MIB"
}

# Between begin and end: nobody is granted anything, reads are served, writes wait, of whatever kind, from whatever node.
in_between() {
	local i

	put "$RUN/one" "$IMG2" "$MIB" 1M
	everyone "$MIB" data
	share begin
	nobody "$MIB"
	equal sharing "$(of sharing)" true
	kernel 1 map set "$UUID" image:1 --peer 2 --seq "$(of layout-seq)" "data:$MIB:65536:0"
	start write2 dd if="$RUN/two" of="$IMG2" bs=4k count=1 seek="$MIB" oflag=direct,seek_bytes conv=notrunc
	start write3 dd if="$RUN/two" of="$IMG3" bs=4k count=1 seek=$((40 * MIB)) oflag=direct,seek_bytes conv=notrunc
	start write1 blkdiscard -f -o $((MIB + 65536)) -l 65536 /dev/mapper/again
	same "$RUN/one" "$IMG3" "$MIB" "$MIB"
	same "$RUN/one" "$IMG" "$MIB" "$MIB"
	sleep 1
	for i in 1 2 3; do
		alive "write$i" || fail "node $i has changed the image"
	done
	nobody "$MIB"
	same "$RUN/one" "$MNT/image1" "$MIB" "$MIB"
}

# Whoever has begun it may be gone: it stays until somebody ends it.
stays() {
	fails share begin 2>"$RUN/error"
	grep -q 'image: it is being shared already' "$RUN/error" || fail "$(<"$RUN/error")"
	fails kernel 1 image remove "$UUID" 1
	equal sharing "$(of sharing)" true
	share end
	equal sharing "$(of sharing)" false
	for i in 1 2 3; do
		within 20 dead "write$i"
	done
	head -c 4096 "$RUN/two" >"$RUN/piece"
	same "$RUN/piece" "$IMG3" "$MIB" 4096
	same "$RUN/piece" "$IMG2" $((40 * MIB)) 4096
	fails share end 2>"$RUN/error"
	grep -q 'image: it is not being shared' "$RUN/error" || fail "$(<"$RUN/error")"
	everyone "$MIB" data
}

# stamps NODE OFFSET: starts a writer there.
stamps() {
	start "stamps$1" "$HERE/../bin/stamp" write "/dev/mapper/n$1-img" "$2" "$BLOCKS" "$RUN/count$1"
	within 20 test -s "$RUN/count$1"
}

acked() {
	od -An -td8 "$RUN/count$1" | tr -d ' '
}

wrote() {
	[[ $(acked "$1") -ge $2 ]]
}

# snapshot NAME
snapshot() {
	share begin
	cp --reflink=always "$MNT/image1" "$MNT/$1"
	share end
}

# check NAME NODE OFFSET LEAST MOST
check() {
	helper stamp check "$MNT/$1" "$3" "$BLOCKS" "$4" "$5" >"$RUN/$1.$2"
}

# Clones under writes: each is the image at one moment, and stays so.
under_load() {
	local i node n least most

	stamps 2 "$STAMPS2"
	stamps 3 "$STAMPS3"
	for i in 1 2 3; do
		for node in 2 3; do
			n=$(acked "$node")
			within 60 wrote "$node" $((n + 600))
		done
		within 20 direct_now 2
		least=("$(acked 2)" "$(acked 3)")
		snapshot "snap$i"
		# one more may be under way
		most=($(($(acked 2) + 1)) $(($(acked 3) + 1)))
		check "snap$i" 2 "$STAMPS2" "${least[0]}" "${most[0]}"
		check "snap$i" 3 "$STAMPS3" "${least[1]}" "${most[1]}"
		md5sum "$MNT/snap$i" >"$RUN/snap$i.sum"
	done
	for node in 2 3; do
		n=$(acked "$node")
		within 60 wrote "$node" $((n + 600))
		stop "stamps$node"
	done
	for i in 1 2 3; do
		echo 1 >/proc/sys/vm/drop_caches
		md5sum --quiet -c "$RUN/snap$i.sum" || fail "snapshot $i has changed"
	done
	for node in 2 3; do
		n=$(acked "$node")
		[[ $node -eq 2 ]] && i=$STAMPS2 || i=$STAMPS3
		helper stamp check "/dev/mapper/n$((5 - node))-img" "$i" "$BLOCKS" "$n" "$n"
		helper stamp check "$MNT/image1" "$i" "$BLOCKS" "$n" "$n"
	done
}

# direct_now NODE: it writes to the LUN by itself, some of the time.
direct_now() {
	local before

	counters "/dev/mapper/n$1-img"
	before=${COUNT[direct.writes]}
	sleep 0.3
	counters "/dev/mapper/n$1-img"
	[[ ${COUNT[direct.writes]} -gt $before ]]
}

# What was copied after one clone is shared again after the next: who reads it must not go on reading the old blocks.
shared_again() {
	local at=$((12 * MIB))

	put "$RUN/one" "$IMG2" "$at" 1M
	snapshot again1
	head -c 65536 "$RUN/two" >"$RUN/piece"
	put "$RUN/piece" "$IMG2" "$at"
	everyone "$at" data
	snapshot again2
	everyone "$at" shared
	stop layout
	head -c 65536 "$RUN/one" >"$RUN/piece"
	put "$RUN/piece" "$IMG2" "$at"
	same "$RUN/piece" "$IMG3" "$at" 65536
	same "$RUN/piece" "$IMG" "$at" 65536
	# I1: it is on the LUN, in blocks of its own.
	crashed
	cmp -n 65536 -i "0:$at" "$RUN/piece" "$CRASHED/image1" || fail 'an acknowledged write is lost'
	head -c 65536 "$RUN/two" | cmp - <(part "$CRASHED/again2" "$at" 65536) || fail 'the clone has changed'
	crashed_down
	layouts 1
}

# A holder that cannot be asked is waited for; meanwhile the others go on writing.
lost_holder() {
	put "$RUN/one" "$IMG2" $((16 * MIB)) 1M
	everyone $((16 * MIB)) data
	kernel 3 session remove "$UUID" 1
	within 20 no_session 1 3
	start begin "$HERE/../bin/covol" kernel image share begin "$UUID" 1
	sleep 1
	alive begin || fail 'it did not wait for node 3'
	# Not into a hole: that would change the map, and wait, too.
	head -c 65536 "$RUN/two" >"$RUN/piece"
	put "$RUN/piece" "$IMG2" $((16 * MIB)) 64k
	put "$RUN/piece" "$IMG" $((16 * MIB + 524288)) 64k
	fails share end 2>"$RUN/error"
	grep -q 'has not ended yet' "$RUN/error" || fail "$(<"$RUN/error")"
	alive begin || fail 'it did not wait for node 3'
	session 1 3
	within 20 dead begin
	nobody $((16 * MIB))
	share end
	everyone $((16 * MIB)) data
	same "$RUN/piece" "$IMG3" $((16 * MIB)) 65536
	same "$RUN/piece" "$IMG3" $((16 * MIB + 524288)) 65536
}

no_session() {
	! session_live "$1" "$2"
}

down() {
	nodes_down
	module_down
}

first 'a coordinator and two members come up' up
it 'all layouts of an image are taken back in one step' recalled
it 'while an image is being shared nobody holds it, reads are served, writes wait' in_between
it 'it stays so until it is ended; what waited goes on' stays
it 'clones of an image that two members write to: each is of one moment' under_load
it 'what was unshared and is shared again is copied again' shared_again
it 'a member that is lost: sharing waits for it, the others write on' lost_holder
last 'all is taken down; the module unloads' down
ktap_run
