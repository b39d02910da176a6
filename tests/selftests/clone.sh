#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Images that share blocks with another file: what is written gets blocks of its own, is seen by all, and leaves the other
# file alone (invariants I1, I2, I5, I11).

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
# Data, a hole with two blocks of data in it, data; the end is in the middle of a block of the file system.
readonly DATA=$((12 * MIB)) HOLE=$((4 * MIB)) TAIL=$((MIB + 9 * 512))
readonly SIZE=$((DATA + HOLE + TAIL))
# So near to each other that XFS has blocks ready for a copy of the one when it copies the other.
readonly ISLANDS=($((DATA + MIB + 16384)) $((DATA + MIB + 81920)))
# A hole, and a block of data so near to it that XFS has blocks ready for a copy of both.
readonly NEAR=$((DATA + 2 * MIB))
readonly IMG2=/dev/mapper/n2-img IMG3=/dev/mapper/n3-img

# $RUN/base is what the file that was cloned has, $RUN/model what the image should have.
up() {
	module_up
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	pattern base "$DATA" >"$RUN/base"
	truncate -s $((DATA + HOLE)) "$RUN/base"
	pattern tail "$TAIL" >>"$RUN/base"
	pattern islands 8192 >"$RUN/piece"
	dd if="$RUN/piece" of="$RUN/base" bs=4k count=1 seek="${ISLANDS[0]}" oflag=seek_bytes conv=notrunc status=none
	dd if="$RUN/piece" of="$RUN/base" bs=4k count=1 skip=1 seek="${ISLANDS[1]}" oflag=seek_bytes conv=notrunc status=none
	dd if="$RUN/piece" of="$RUN/base" bs=4k count=1 seek=$((NEAR + 65536)) oflag=seek_bytes conv=notrunc status=none
	cp --sparse=always "$RUN/base" "$MNT/base"
	fallocate --dig-holes "$MNT/base"
	cp --reflink=always "$MNT/base" "$MNT/image1"
	cp "$RUN/base" "$RUN/model"
	image 1 "$SIZE" 2 3
	layouts 1
	route 2 direct
	route 3 direct
	device 1 img image:1 $((SIZE / 512))s
	device 2 n2-img image:1 $((SIZE / 512))s
	device 3 n3-img image:1 $((SIZE / 512))s
	pattern one "$MIB" >"$RUN/one"
	pattern two "$MIB" >"$RUN/two"
}

# right [OFFSET BYTES]: every node reads the model there, and the cloned file has not changed.
right() {
	local from=${1:-0} length=${2:-$SIZE} file

	part "$RUN/model" "$from" "$length" >"$RUN/should"
	for file in "$IMG2" "$IMG3" /dev/mapper/img; do
		same "$RUN/should" "$file" "$from" "$length"
	done
	part "$RUN/base" "$from" "$length" >"$RUN/should"
	same "$RUN/should" "$MNT/base" "$from" "$length"
}

# right_around OFFSET: in its chunk and in the one before it.
right_around() {
	local from=$(($1 / MIB * MIB - MIB)) length=$((2 * MIB))

	[[ $from -ge 0 ]] || from=0
	[[ $((from + length)) -le $SIZE ]] || length=$((SIZE - from))
	right "$from" "$length"
}

# write SOURCE DEVICE OFFSET BYTES [BLOCK]: to the image and to the model; then all is right there.
write() {
	head -c "$4" "$RUN/$1" >"$RUN/piece"
	put "$RUN/piece" "$2" "$3" "${5:-64k}"
	dd if="$RUN/piece" of="$RUN/model" bs=64k seek="$3" oflag=seek_bytes conv=notrunc status=none
	right_around "$3"
}

# all_have OFFSET STATE
all_have() {
	local node

	for node in 1 2 3; do
		within 10 has "$node" "$(device_of "$node")" "$1" "$2"
	done
}

device_of() {
	if [[ $1 -eq 1 ]]; then
		echo /dev/mapper/img
	else
		echo "/dev/mapper/n$1-img"
	fi
}

reads() {
	right
	all_have 0 shared
	# Directly: the place of shared blocks is known.
	counted "$IMG3" same "$RUN/model" "$IMG3" 0 65536 -- direct.reads=1
}

# Nobody may read the old blocks, the writer neither, though nothing was granted since.
moved() {
	local node

	all_have $((2 * MIB)) shared
	stop layout
	write one "$IMG2" $((2 * MIB + 65536)) 65536
	for node in 1 2 3; do
		equal "state on node $node" "$(state "$node" image:1 $((2 * MIB)))" unknown
		equal 'state of the next chunk' "$(state "$node" image:1 $((3 * MIB)))" shared
	done
	write two "$IMG3" $((2 * MIB + 131072)) 65536
	write two /dev/mapper/img $((4 * MIB)) 4096
	layouts 1
	all_have $((2 * MIB)) data
	all_have $((4 * MIB)) data
}

# The whole chunk was unshared: every write in it goes direct now.
direct_then() {
	all_have $((2 * MIB + 983040)) data
	head -c 65536 "$RUN/one" >"$RUN/piece"
	counted "$IMG2" put "$RUN/piece" "$IMG2" $((2 * MIB + 983040)) -- direct.writes=1
	write two "$IMG2" $((2 * MIB + 983040)) 65536
}

# I11: nothing of the image is in the coordinator's page cache.
nothing_cached() {
	equal 'pages in the cache' "$(fincore --noheadings --raw --output pages "$MNT/image1")" 0
}

# Less than a block of the file system: its other parts stay, whoever wrote them.
small() {
	local i

	stop layout
	for i in 0 2 4 6; do
		write one "$IMG2" $((6 * MIB + i * 512)) 512 512
		write two "$IMG3" $((6 * MIB + (i + 1) * 512)) 512 512
	done
	layouts 1
	all_have $((6 * MIB)) data
	write two "$IMG2" $((6 * MIB)) 512 512
	write one "$IMG3" $((6 * MIB + 512)) 512 512
	nothing_cached
}

# What is data in the chunk is copied, however the file system tells of it.
islands() {
	all_have "${ISLANDS[0]}" shared
	all_have $((ISLANDS[0] + 4096)) hole
	write one "$IMG2" "${ISLANDS[1]}" 4096
}

# What is known as data of this file alone stays where it is: those who hold a layout are not asked when another writes there.
stays() {
	all_have "$NEAR" hole
	all_have $((NEAR + 65536)) shared
	write one "$IMG2" "$NEAR" 4096 4096
	all_have "$NEAR" data
	stop layout
	route 3 fs-redirected
	write two "$IMG3" "$NEAR" 4096 4096
	write two "$IMG3" $((NEAR + 61440)) 8192 8192
	route 3 direct
	equal 'state on node 2' "$(state 2 image:1 "$NEAR")" data
	head -c 4096 "$RUN/one" >"$RUN/piece"
	counted "$IMG2" put "$RUN/piece" "$IMG2" "$NEAR" 4k -- direct.writes=1
	write one "$IMG2" "$NEAR" 4096 4096
	layouts 1
}

# has_two NODE STATE: at the beginning of image 2, where it reads.
has_two() {
	dd if="/dev/mapper/n$1-two" of=/dev/null bs=4k count=1 iflag=direct status=none
	state_is "$1" image:2 0 "$2"
}

# The same in a file with a hint that XFS goes by: blocks are ready where it was filled, and data may move.
hinted() {
	xfs_io -f -c "pwrite -q -i $RUN/two 64k 4k" -c 'truncate 1m' "$MNT/base2"
	xfs_io -f -c 'extsize 256k' "$MNT/image2"
	cp --reflink=always "$MNT/base2" "$MNT/image2"
	image 2 1M 2 3
	device 2 n2-two image:2 2048s
	device 3 n3-two image:2 2048s
	stop layout
	layouts 1 2
	head -c 4096 "$RUN/one" >"$RUN/piece"
	put "$RUN/piece" /dev/mapper/n2-two 0 4k
	within 10 has_two 2 data
	stop layout
	route 3 fs-redirected
	head -c 4096 "$RUN/two" >"$RUN/piece"
	put "$RUN/piece" /dev/mapper/n3-two 0 4k
	route 3 direct
	same "$RUN/piece" /dev/mapper/n2-two 0 4096
	same "$RUN/piece" /dev/mapper/n3-two 0 4096
	layouts 1
}

edges() {
	# over the edge of the data into the hole, and out of it
	write one "$IMG2" $((DATA - 65536)) 131072
	write two "$IMG3" $((DATA + HOLE - 65536)) 131072
	# the last sector, and what is before it
	write one "$IMG2" $((SIZE - 512)) 512 512
	write two "$IMG3" $((SIZE - 5120)) 5120 5120
	write one /dev/mapper/img $((SIZE - 1024)) 1024 512
	nothing_cached
}

deallocated() {
	all_have $((8 * MIB)) shared
	blkdiscard -f -o $((8 * MIB)) -l 65536 "$IMG2"
	blkdiscard -f -z -o $((9 * MIB + 512)) -l 65536 "$IMG3"
	dd if=/dev/zero of="$RUN/model" bs=64k count=1 seek=$((8 * MIB)) oflag=seek_bytes conv=notrunc status=none
	dd if=/dev/zero of="$RUN/model" bs=64k count=1 seek=$((9 * MIB + 512)) oflag=seek_bytes conv=notrunc status=none
	right
	write one "$IMG3" $((8 * MIB)) 65536
}

redirected() {
	all_have $((10 * MIB)) shared
	route 2 fs-redirected
	write two "$IMG2" $((10 * MIB + 4096)) 4096
	write one "$IMG2" $((10 * MIB + 4096)) 512 512
	route 2 direct
}

# Writers of one chunk at the same time: each part is right, and the chunk was copied under none of them.
together() {
	local at=$((11 * MIB)) i writer from writes writers=()

	# Four writers: the pieces of 64 KiB in turn.
	for writer in 0 1 2 3; do
		from=$RUN/one
		[[ $((writer % 2)) -eq 0 ]] || from=$RUN/two
		writes=()
		for ((i = writer; i < 16; i += 4)); do
			writes+=(-c "pwrite -q -i $from -s $((i * 65536)) -b 64k $((at + i * 65536)) 64k")
		done
		xfs_io -d "${writes[@]}" "/dev/mapper/n$((2 + writer % 2))-img" &
		writers+=($!)
		xfs_io "${writes[@]}" "$RUN/model"
	done
	for writer in "${writers[@]}"; do
		wait "$writer"
	done
	right
}

# What is acknowledged is on the LUN, in blocks of its own, when the coordinator dies.
crash() {
	local at=$((MIB + 8192))

	stop layout
	write two "$IMG2" "$at" 4096
	crashed
	layouts 1
	cmp -n "$MIB" -i "$MIB" "$RUN/model" "$CRASHED/image1" || fail 'an acknowledged write is lost'
	cmp "$RUN/base" "$CRASHED/base" || fail 'the cloned file has changed'
	crashed_down
}

# Less room than a chunk: only the block that must be is copied.
little_room() {
	local free

	all_have 0 shared
	free=$(df --output=avail -B1 "$MNT" | tail -n 1)
	fallocate -l $((free - 640 * 1024)) "$MNT/filler"
	write one "$IMG2" 512 512 512
	rm "$MNT/filler"
	# At last all of it, the chunks that nobody wrote to included.
	right
}

down() {
	nodes_down
	module_down
}

first 'an image is the clone of a file' up
it 'shared blocks are read where they lie' reads
it 'a write moves its chunk: nobody reads the old blocks any more' moved
it 'later writes to the chunk go direct' direct_then
it 'writes of less than a block, from two nodes into one' small
it 'data between holes, near what is written' islands
it 'what was copied, or filled beside it, does not move any more' stays
it 'where it could, it is taken back from those who hold it' hinted
it 'writes over the edge of a hole, and at an end within a block' edges
it 'discard and write-zeroes' deallocated
it 'the same when all is redirected' redirected
it 'two nodes write to one chunk at the same time' together
it 'what is acknowledged survives the coordinator' crash
it 'a nearly full file system' little_room
last 'all is taken down; the module unloads' down
ktap_run
