#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Chunks: several writers in one, the last one of an image, the smallest and the largest, and too little room for one.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
# A chunk of 1 MiB or 16 MiB does not end where the image does, nor does a block of the file system.
readonly SIZE=$((17 * MIB + 3 * 4096 + 5 * 512))

# dev NODE ID
dev() {
	if [[ $1 -eq 1 ]]; then
		echo "/dev/mapper/c$2"
	else
		echo "/dev/mapper/n$1-c$2"
	fi
}

# add ID BYTES
add() {
	local node name

	image "$1" "$2" 2 3
	for node in 1 2 3; do
		name=$(dev "$node" "$1")
		device "$node" "${name##*/}" "image:$1" $(($2 / 512))s
	done
}

up() {
	module_up
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	route 2 direct
	route 3 direct
	add 1 "$SIZE"
	add 2 "$SIZE"
	add 3 "$SIZE"
	add 4 $((64 * MIB))
	add 5 $((96 * MIB))
	layouts 1 2 3 4 5
	pattern data $((3 * MIB)) >"$RUN/data"
	head -c $((3 * MIB)) /dev/zero >"$RUN/zero"
}

chunk_size() {
	kernel 1 volume set "$UUID" --chunk-size "$1"
}

# everywhere FILE ID OFFSET BYTES: all nodes read it there, and so does the coordinator's file.
everywhere() {
	local node

	for node in 1 2 3; do
		same "$1" "$(dev "$node" "$2")" "$3" "$4"
	done
	same "$1" "$MNT/image$2" "$3" "$4"
}

# pieces NODE ID: every third piece of 32 KiB, by two writers at a time.
pieces() {
	local i writer writes writers=()

	for writer in 0 1; do
		writes=()
		for ((i = $1 - 1 + 3 * writer; i < 96; i += 6)); do
			writes+=(-c "pwrite -q -i $RUN/data -s $((i * 32768)) -b 32k $((i * 32768)) 32k")
		done
		xfs_io -d "${writes[@]}" "$(dev "$1" "$2")" &
		writers+=($!)
	done
	wait "${writers[0]}" && wait "${writers[1]}"
}

# together SIZE ID: all nodes write to the same chunks, which do not exist yet.
together() {
	local node pids=() pid

	chunk_size "$1"
	for node in 1 2 3; do
		pieces "$node" "$2" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	everywhere "$RUN/data" "$2" 0 $((3 * MIB))
	# What nobody has written to is zero.
	everywhere "$RUN/zero" "$2" $((4 * MIB)) "$MIB"
}

# at_end SIZE ID: the image's last sectors, from two nodes, and what is before them.
at_end() {
	local from=$((SIZE - 9 * 512 - 8192))

	chunk_size "$1"
	part "$RUN/data" 0 $((SIZE - from)) >"$RUN/tail"
	part "$RUN/tail" $((SIZE - from - 512)) 512 >"$RUN/last"
	put "$RUN/last" "$(dev 2 "$2")" $((SIZE - 512)) 512
	same "$RUN/last" "$(dev 3 "$2")" $((SIZE - 512)) 512
	head -c $((SIZE - from - 512)) "$RUN/tail" >"$RUN/before"
	put "$RUN/before" "$(dev 3 "$2")" "$from" 512
	everywhere "$RUN/tail" "$2" "$from" $((SIZE - from))
	equal 'size of the file' "$(stat -c %s "$MNT/image$2")" "$SIZE"
	put "$RUN/tail" "$(dev 1 "$2")" "$from" 512
	everywhere "$RUN/tail" "$2" "$from" $((SIZE - from))
}

# asks NODE ID OFFSET STATE: it reads there, and has that in its map.
asks() {
	dd if="$(dev "$1" "$2")" of=/dev/null bs=4k count=1 skip="$3" iflag=direct,skip_bytes status=none
	state_is "$1" "image:$2" "$3" "$4"
}

# Somebody reads the coordinator's file, and so has unwritten blocks in the page cache: to SEEK_DATA they are data. What is
# written there is stable (I1), and seen by who read zeroes there (I5).
read_unwritten() {
	local at=$((32 * MIB))

	chunk_size 64K
	fallocate -l 64M "$MNT/image6"
	add 6 $((64 * MIB))
	stop layout
	layouts 1 2 3 4 5 6
	put "$RUN/data" "$(dev 2 6)" 0 1M
	within 20 asks 3 6 "$at" unwritten
	# Nobody makes stable now what the kernel does not.
	stop layout
	dd if="$MNT/image6" of=/dev/null bs=1M skip=32 count=1 status=none
	head -c 65536 "$RUN/data" >"$RUN/some"
	put "$RUN/some" "$(dev 2 6)" "$at" 64k
	same "$RUN/some" "$(dev 3 6)" "$at" 65536
	crashed
	same "$RUN/some" "$CRASHED/image6" "$at" 65536
	crashed_down
	layouts 1 2 3 4 5 6
	blkdiscard -f "$(dev 2 6)"
}

free_space() {
	sync -f "$MNT"
	df --output=avail -B1 "$MNT" | tail -n 1
}

# leave BYTES: of the file system's room; the rest is in $MNT/filler.
leave() {
	rm -f "$MNT/filler"
	fallocate -l $(($(free_space) - $1)) "$MNT/filler"
	between 'room' "$(free_space)" $(($1 / 2)) "$1"
}

# no_space COMMAND...
no_space() {
	fails "$@" 2>"$RUN/error"
	grep -qF 'No space left on device' "$RUN/error" || fail "not for want of room: $(<"$RUN/error")"
}

# There is room for a write, but not for its chunk: it is written, wherever in the chunk it is.
little_room() {
	local at=$((8 * MIB))

	# With chunks of 16 MiB all of the image would be prepared ahead of this.
	chunk_size 64K
	put "$RUN/data" "$(dev 2 4)" 0 1M
	sleep 2
	chunk_size 16M
	leave $((3 * MIB))
	head -c 65536 "$RUN/data" >"$RUN/some"
	put "$RUN/some" "$(dev 2 4)" $((47 * MIB + 4096)) 4k
	everywhere "$RUN/some" 4 $((47 * MIB + 4096)) 65536
	# There is no room for this one. Nothing else is lost.
	head -c 1M "$RUN/data" >"$RUN/mib"
	# shellcheck disable=SC2016
	no_space bash -c 'for ((i = 0; i < 12; i++)); do dd if="$1" of="$2" bs=1M oflag=direct,seek_bytes seek=$(($3 + i * 1048576)) conv=notrunc status=none || exit 1; done' \
		- "$RUN/mib" "$(dev 2 4)" $((32 * MIB))
	everywhere "$RUN/data" 4 0 $((3 * MIB))
	everywhere "$RUN/some" 4 $((47 * MIB + 4096)) 65536
	rm "$MNT/filler"
	put "$RUN/data" "$(dev 3 4)" "$at" 1M
	put "$RUN/data" "$(dev 2 4)" $((32 * MIB)) 1M
	everywhere "$RUN/data" 4 "$at" $((3 * MIB))
	everywhere "$RUN/data" 4 $((32 * MIB)) $((3 * MIB))
}

# A writer for whom chunks are prepared ahead gets all the room there is; what was acknowledged is there.
full_ahead() {
	local room wrote at=$((2 * MIB))

	chunk_size 1M
	leave $((6 * MIB))
	room=$(free_space)
	pattern much $((room + MIB)) >"$RUN/much"
	no_space dd if="$RUN/much" of="$(dev 2 5)" bs=64k seek="$at" oflag=direct,seek_bytes conv=notrunc
	wrote=$(($(sed -n 's/+0 records out$//p' "$RUN/error") * 65536))
	echo "room $room, wrote $wrote"
	between 'what was written before there was no room' "$wrote" $((room - 3 * MIB)) $((room + MIB))
	head -c 65536 "$RUN/much" >"$RUN/some"
	everywhere "$RUN/some" 5 "$at" 65536
	part "$RUN/much" $((wrote - 65536)) 65536 >"$RUN/last"
	everywhere "$RUN/last" 5 $((at + wrote - 65536)) 65536
	# What is there can be written, with or without room.
	put "$RUN/some" "$(dev 3 5)" $((at + wrote - 65536)) 64k
	rm "$MNT/filler"
	put "$RUN/some" "$(dev 2 5)" $((at + wrote)) 64k
	everywhere "$RUN/some" 5 $((at + wrote)) 65536
}

# writes WAY: of node 2, so far.
writes() {
	counters "$(dev 2 5)"
	printf '%s\n' "${COUNT[$1.writes]}"
}

# A writer that goes on and on: its writes go direct, but for the first of a chunk that is not ready yet. A RAM disk does not
# write zeroes by itself, so that chunks are hardly ready sooner than the writer is: 25 to 40 of 512 are redirected here on
# XFS. On others user space grants, when it gets to it: most are, on a slow day.
steady() {
	local i redirected direct

	blkdiscard -f "$(dev 2 5)"
	for ((i = 0; i < 3; i++)); do
		redirected=$(writes fs) direct=$(writes direct)
		dd if=/dev/zero of="$(dev 2 5)" bs=64k count=512 seek=$((i * 32 * MIB)) oflag=direct,seek_bytes conv=notrunc status=none
		redirected=$(($(writes fs) - redirected)) direct=$(($(writes direct) - direct))
		echo "covol chunk: from $((i * 32)) MiB on: $redirected writes redirected, $direct direct" | tee /dev/kmsg
		equal 'writes of 64 KiB' $((redirected + direct)) 512
		between 'direct writes of 512' "$direct" 1 512
		[[ ${FILE_SYSTEM:-xfs} != xfs || $i -lt 1 ]] || between 'redirected writes of 512' "$redirected" 0 256
	done
}

down() {
	nodes_down
	module_down
}

first 'a coordinator and two members come up' up
it 'all nodes write to the same chunks of 64 KiB' 'together 64K 1'
it 'all nodes write to the same chunks of 1 MiB' 'together 1M 2'
it 'all nodes write to the same chunk of 16 MiB' 'together 16M 3'
it 'the end of an image is not that of a chunk: 64 KiB' 'at_end 64K 1'
it 'the end of an image is not that of a chunk: 1 MiB' 'at_end 1M 2'
it 'the end of an image is not that of a chunk: 16 MiB' 'at_end 16M 3'
it 'what somebody has read of unwritten blocks is no data' read_unwritten
it 'room for a write, but not for its chunk' little_room
it 'the file system becomes full under a writer that has chunks prepared ahead' full_ahead
it 'a sequential writer goes direct' steady
last 'all is taken down; the module unloads' down
ktap_run
