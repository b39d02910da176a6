#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What was flushed, what was written with FUA, and what allocates, is on the LUN's medium when it is acknowledged, on each
# route and on each node (I1).
#
# The LUN has a volatile cache, which keeps what nobody flushes. So that nobody else does: all of image 1 is allocated, its
# layout is known, and covol-layout has ended, before the first test.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
LUN=/dev/mapper/caching
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly SOME=$RUN/some
# Of image 1 on each node: node 3 has no path to the LUN.
declare -Ar DEVICE=([1]=img [2]=n2-img [3]=n3-img)
declare -Ar ROUTES=([1]='direct fs-redirected block-redirected' [2]='direct fs-redirected block-redirected'
	[3]='fs-redirected block-redirected')
# Through whom, if it is block-redirected.
declare -Ar THROUGH=([1]=2 [2]=1 [3]=2)

# ---- nodes ----

# go NODE ROUTE: unless it is there already.
go() {
	local at=$RUN/route$1 peer=()

	[[ ! -s $at || $(<"$at") != "$2" ]] || return 0
	[[ $2 != block-redirected ]] || peer=(--redirect-peer "${THROUGH[$1]}")
	: >"$at"
	route "$1" "$2" "${peer[@]}"
	echo "$2" >"$at"
}

# known NODE DEVICE OBJECT: it has the layout.
known() {
	dd if="/dev/mapper/$2" of=/dev/null bs=4k count=1 iflag=direct status=none
	state_is "$1" "$3" 0 data
}

# whole NODE DEVICE OBJECT MIB: all of it is data now, and the node knows.
whole() {
	dd if=/dev/zero of="/dev/mapper/$2" bs=1M count="$4" oflag=direct conv=notrunc status=none
	within 10 known "$1" "$2" "$3"
}

up() {
	local node

	module_up
	modprobe ext4
	caching_lun
	network_up 2 3
	coordinator_up
	volume_add 2
	kernel 3 volume add "$UUID" --node 3 --coordinator 1 --epoch 1 --size "${VOLUME_MIB}M" --plaintext
	session 1 2
	session 1 3
	session 2 3
	image 1 4M 2 3
	image 2 16M 2 3
	image 3 8M 2
	layouts 1 2 3
	device 1 img image:1 4
	device 1 big image:2 16
	device 2 n2-img image:1 4
	device 2 n2-big image:2 16
	device 2 n2-ext image:3 8
	device 3 n3-img image:1 4 -
	device 3 n3-big image:2 16 -
	go 2 direct
	go 3 block-redirected
	whole 2 n2-img image:1 4
	whole 2 n2-ext image:3 8
	within 10 known 1 img image:1
	within 10 known 3 n3-img image:1
	stop layout
	for node in 1 2 3; do
		without_flush "${DEVICE[$node]}"
	done
	# Where what the tests write is on the LUN.
	kernel 2 map show "$UUID" image:1 --offset 0 --json | value place >"$RUN/place"
}

# ---- writing, flushing, looking ----

# some_new: 4 KiB that have not been there before.
serial=0
some_new() {
	local text

	serial=$((serial + 1))
	printf -v text "$BASHPID.$serial %.0f: data that no other block has\n" {1..128}
	printf '%s' "${text:0:4096}" >"$SOME"
}

# write_some NODE: to image 1.
write_some() {
	put "$SOME" "/dev/mapper/${DEVICE[$1]}" 0 4k
}

# is_kept: what was written is on the LUN's medium.
is_kept() {
	power_cut "$SOME" $((OFFSET_SECTORS * 512 + $(<"$RUN/place")))
}

# kept WHEN
kept() {
	is_kept || fail "$*: what was acknowledged is lost"
}

# cached WHEN: it is not there. If it was, a flush that follows would show nothing.
cached() {
	! is_kept || fail "$*: the LUN has been flushed already"
}

# write_and_flush NODE ROUTE: the flush on that route.
write_and_flush() {
	write_some "$1"
	go "$1" "$2"
	cached "$2"
	sync "/dev/mapper/${DEVICE[$1]}"
}

# covers NODE ROUTE OTHER: a flush on the other route covers what is written on the first; both take the route that is set.
covers() {
	some_new
	go "$1" "$2"
	counted "${DEVICE[$1]}" write_and_flush "$1" "$3" -- "${2%-redirected}.writes=1" "${3%-redirected}.others=1"
	kept "$2, then $3"
}

# ---- tests ----

forgets() {
	local node

	for node in 1 2; do
		some_new
		write_some "$node"
		cached "after a write on node $node"
		# Nor does a flush get there that does not reach the module.
		sync "/dev/mapper/${DEVICE[$node]}-fua"
		cached 'after a flush that was kept from the module'
	done
	same "$SOME" "$LUN" $((OFFSET_SECTORS * 512 + $(<"$RUN/place"))) 4096
	sync "$LUN"
	kept 'after a flush of the LUN'
}

# each_flush NODE
each_flush() {
	local way

	for way in ${ROUTES[$1]}; do
		covers "$1" "$way" "$way"
	done
}

# each_pair NODE
each_pair() {
	local way other

	for way in ${ROUTES[$1]}; do
		for other in ${ROUTES[$1]}; do
			[[ $way == "$other" ]] || covers "$1" "$way" "$other"
		done
	done
}

# each_fua NODE
each_fua() {
	local way

	for way in ${ROUTES[$1]}; do
		some_new
		go "$1" "$way"
		counted "${DEVICE[$1]}" put "$SOME" "/dev/mapper/${DEVICE[$1]}-fua" 0 4k dsync -- "${way%-redirected}.writes=1"
		kept "$way"
	done
}

held_flush() {
	local way

	for way in ${ROUTES[2]}; do
		go 2 direct
		some_new
		write_some 2
		go 2 held
		start flush sync "/dev/mapper/${DEVICE[2]}"
		within 10 is_held 2
		cached 'while the flush is held'
		go 2 "$way"
		within 10 dead flush
		[[ ! -s $RUN/flush.log ]] || fail "$(<"$RUN/flush.log")"
		kept "$way"
	done
}

other_member() {
	local way

	for way in ${ROUTES[3]}; do
		go 3 "$way"
		some_new
		write_some 2
		cached "$way"
		sync "/dev/mapper/${DEVICE[3]}"
		kept "$way"
	done
}

volume_flush() {
	local way

	device 2 n2-volume volume "$VOLUME_MIB"
	for way in ${ROUTES[2]}; do
		go 2 "$way"
		some_new
		write_some 2
		cached "$way"
		counted n2-volume sync /dev/mapper/n2-volume -- "${way%-redirected}.others=1"
		kept "$way"
	done
	dmsetup remove --noudevsync n2-volume
}

# The block layer has no such request; the protocol does.
zeroes_fua() {
	# Nobody uses the last MiB of the volume.
	local at=$(((VOLUME_MIB - 1) * MIB)) place=$((VOLUME_MIB * MIB))

	some_new
	put "$SOME" "$LUN" "$place" 4k dsync
	power_cut "$SOME" "$place"
	helper peer "$UUID" 9 1 zeroes-fua "$at"
	head -c 4096 /dev/zero >"$SOME"
	power_cut "$SOME" "$place" || fail 'acknowledged zeroes are lost'
}

# A journal's commit record is written with PREFLUSH and FUA; no other flush comes with it.
journal() {
	local way

	trap crashed_down EXIT
	mkfs.ext4 -q -F -b 1024 -J size=1 -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/n2-ext
	mkdir -p "$CRASHED"
	# Nor may it commit by itself.
	mount -o commit=30000 /dev/mapper/n2-ext "$CRASHED"
	for way in ${ROUTES[2]}; do
		go 2 "$way"
		echo "$way" >"$CRASHED/$way"
		some_new
		write_some 2
		cached "$way"
		counted n2-ext sync "$CRASHED/$way" -- "${way%-redirected}".{reads,writes,others}=any
		kept "$way"
	done
	crashed_down
}

# cut_off: what the coordinator's file system has after a power cut is at $CRASHED.
cut_off() {
	power_cut
	cp --sparse=always "$RUN/medium" "$RUN/crashed"
	crashed_up
}

coordinator_journal() {
	local way

	for way in direct block-redirected; do
		go 1 "$way"
		echo "$way" >"$MNT/$way"
		some_new
		write_some 2
		cached "$way"
		counted volume sync "$MNT/$way" -- "${way%-redirected}".{reads,writes,others}=any
		kept "$way"
		cut_off
		cmp "$MNT/$way" "$CRASHED/$way" || fail "$way: what was committed is lost"
		crashed_down
	done
}

# allocates NODE ROUTE DEVICE OFFSET
allocates() {
	some_new
	go "$1" "$2"
	counted "$3" put "$SOME" "/dev/mapper/$3" "$4" 4k -- fs.writes=1
	cut_off
	cmp -n 4096 -i "0:$4" "$SOME" "$CRASHED/image2" || fail "node $1, $2: what was acknowledged is lost"
	crashed_down
}

# Not upwards: for who goes on upwards more is allocated ahead, some time.
allocating() {
	local at=$((15 * MIB + 8192)) node way
	local -A device=([1]=big [2]=n2-big [3]=n3-big)

	for node in 1 2 3; do
		for way in ${ROUTES[$node]}; do
			allocates "$node" "$way" "${device[$node]}" "$at"
			at=$((at - MIB))
		done
		go "$node" "${ROUTES[$node]%% *}"
	done
}

down() {
	nodes_down
	module_down
}

# In the first of its routes, whatever the test before has left.
begin() {
	local node

	for node in 1 2 3; do
		go "$node" "${ROUTES[$node]%% *}"
	done
	"$@"
}

first 'a coordinator, a member and one without a path come up, on a LUN with a volatile cache' up
it 'what nobody has flushed is not kept' 'begin forgets'
it 'a flush covers what was written: a member on each route' 'begin each_flush 2'
it 'a flush covers what was written: a member without a path on each route' 'begin each_flush 3'
it 'a flush covers what was written: the coordinator on each route' 'begin each_flush 1'
it 'a write with FUA is kept: a member on each route' 'begin each_fua 2'
it 'a write with FUA is kept: a member without a path on each route' 'begin each_fua 3'
it 'a write with FUA is kept: the coordinator on each route' 'begin each_fua 1'
it 'a flush covers what was written on another route: a member' 'begin each_pair 2'
it 'a flush covers what was written on another route: a member without a path' 'begin each_pair 3'
it 'a flush covers what was written on another route: the coordinator' 'begin each_pair 1'
it 'a flush that was held covers what was written before, on each route that follows' 'begin held_flush'
it 'a flush covers what another member has written directly' 'begin other_member'
it 'a flush of the volume on a member, on each route' 'begin volume_flush'
it 'zeroes that a peer writes to the LUN with FUA are kept' 'begin zeroes_fua'
it 'a file system on an image: its commit covers what was written before, on each route' 'begin journal'
it "the coordinator's file system: its commit is kept, and covers what was written before" 'begin coordinator_journal'
it 'a write that allocates is kept, data and map, on each node and route' 'begin allocating'
last 'all is taken down; the module unloads' down
ktap_run
