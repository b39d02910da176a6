#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The ways of I/O: data is right on each of them, and each bio takes the one that its extent says.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# Not a RAM disk: the device mapper offers write-zeroes only where what is below knows them.
LUN=/dev/sda
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly IMG=/dev/mapper/n2-img
readonly ODD=$((1048576 + 1536))	# of image 2: no whole number of blocks

up() {
	module_up
	modprobe sd_mod
	modprobe scsi_debug dev_size_mb="$LUN_MIB" delay=0 lbpu=1 lbpws=1 lbpws10=1
	within 20 test -b "$LUN"
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3 --lun-offset 1M --lun "$LUN"
	session 1 2
	session 1 3
	session 2 3
	image 1 64M 2 3
	image 2 "$ODD" 2 3
	image 3 16M 2
	layouts 1 2 3
	route 2 direct
	route 3 direct
	device 2 n2-img image:1 64
	device 3 n3-img image:1 64
	device 2 n2-odd image:2 $((ODD / 512))s
	device 3 n3-odd image:2 $((ODD / 512))s
	device 2 n2-digest image:3 16 "$LUN" '1 data_digest'
	pattern one 4194304 >"$RUN/one"
	pattern two 4194304 >"$RUN/two"
	head -c 4194304 /dev/zero >"$RUN/zero"
}

# read_bytes DEVICE OFFSET BYTES: one bio if it can be one.
read_bytes() {
	dd if="$1" of=/dev/null bs="$3" count=1 skip="$2" iflag=direct,skip_bytes status=none
}

zero_filled() {
	counted n2-img read_bytes "$IMG" 0 65536 -- fs.reads=1
	within 10 has 2 "$IMG" 0 hole
	counted n2-img read_bytes "$IMG" 0 65536 -- zero.reads=1 zero.read-bytes=65536
	same "$RUN/zero" "$IMG" 0 4194304
}

hole_to_direct() {
	head -c 65536 "$RUN/one" >"$RUN/some"
	counted n2-img put "$RUN/some" "$IMG" 0 64k -- fs.writes=1 fs.write-bytes=65536
	within 10 has 2 "$IMG" 0 data
	counted n2-img put "$RUN/some" "$IMG" 0 64k -- direct.writes=1 direct.write-bytes=65536
	counted n2-img read_bytes "$IMG" 0 65536 -- direct.reads=1
	# The rest of the chunk has come along, as zeroes on the LUN.
	equal 'state of the end of the chunk' "$(state 2 image:1 1048064)" data
	same "$RUN/some" "$IMG" 0 65536
	same "$RUN/zero" "$IMG" 65536 983040
}

# At 2 MiB, where the maps are known: data at 4 MiB and 4.5 MiB of the file, a hole between them.
crossing() {
	put "$RUN/one" "$IMG" 4M
	within 10 has 2 "$IMG" 8388096 data
	blkdiscard -f -o $((4194304 + 65536)) -l 65536 "$IMG"
	within 10 has 2 "$IMG" $((4194304 + 65536)) hole
	# data, hole, data
	counted n2-img read_bytes "$IMG" 4194304 196608 -- direct.reads=2 zero.reads=1 zero.read-bytes=65536 \
		direct.read-bytes=131072
	head -c 65536 "$RUN/one" >"$RUN/should"
	head -c 65536 /dev/zero >>"$RUN/should"
	part "$RUN/one" 131072 65536 >>"$RUN/should"
	same "$RUN/should" "$IMG" 4194304 196608
	head -c 196608 "$RUN/two" >"$RUN/some"
	counted n2-img put "$RUN/some" "$IMG" 4194304 192k -- direct.writes=2 fs.writes=1
	same "$RUN/some" "$IMG" 4194304 196608
	same "$RUN/some" /dev/mapper/n3-img 4194304 196608
}

# every_way DEVICE OTHER OFFSET BYTES: written in each route, read in each, by another node and from the file.
every_way() {
	local device=$1 other=$2 offset=$3 bytes=$4 way seed

	for way in fs-redirected block-redirected direct; do
		if [[ $way == block-redirected ]]; then
			route 2 "$way" --redirect-peer 3
		else
			route 2 "$way"
		fi
		pattern "$way" "$bytes" >"$RUN/some"
		put "$RUN/some" "$device" "$offset" "${5:-64k}"
		for seed in fs-redirected direct; do
			route 2 "$seed"
			same "$RUN/some" "$device" "$offset" "$bytes"
		done
		same "$RUN/some" "$other" "$offset" "$bytes"
		same "$RUN/some" "$6" "$offset" "$bytes"
	done
}

each_route() {
	every_way "$IMG" /dev/mapper/n3-img $((16 << 20)) 1048576 64k "$MNT/image1"
}

fs_counted() {
	route 2 fs-redirected
	counted n2-img read_bytes "$IMG" 0 4096 -- fs.reads=1 fs.read-bytes=4096
	head -c 4096 "$RUN/two" >"$RUN/some"
	counted n2-img put "$RUN/some" "$IMG" 0 4k -- fs.writes=1
	route 2 direct
	counted n2-img read_bytes "$IMG" 0 4096 -- direct.reads=1
}

served() {
	kernel "$1" session show "$UUID" --json | value requests-served peer "$2"
}

block_third() {
	local before

	head -c 65536 "$RUN/two" >"$RUN/some"
	route 2 block-redirected --redirect-peer 3
	before=$(served 3 2)
	counted n2-img put "$RUN/some" "$IMG" 0 64k -- block.writes=1 block.write-bytes=65536
	counted n2-img read_bytes "$IMG" 0 65536 -- block.reads=1
	between 'requests that node 3 has served' $(($(served 3 2) - before)) 2 3
	route 2 direct
	same "$RUN/some" "$IMG" 0 65536
}

flush_fua() {
	head -c 4096 "$RUN/one" >"$RUN/some"
	put "$RUN/some" "$IMG" 0 4k
	counted n2-img put_fsync "$RUN/some" -- direct.writes=1 direct.others=1
	route 2 fs-redirected
	counted n2-img put_fsync "$RUN/some" -- fs.writes=1 fs.others=1
	# With FUA; Linux flushes all the same. That FUA is sent is tested in peer.sh.
	counted n2-img put "$RUN/some" "$IMG" 0 4k dsync -- fs.writes=1 fs.others=1
	route 2 direct
	counted n2-img put "$RUN/some" "$IMG" 0 4k dsync -- direct.writes=1 direct.others=1
	same "$RUN/some" "$IMG" 0 4096
}

put_fsync() {
	dd if="$1" of="$IMG" bs=4k oflag=direct conv=notrunc,fsync status=none
}

# allocated OFFSET BYTES: does image 1's file have something there? Bytes that are allocated.
allocated() {
	xfs_io -r -c "fiemap $1 $2" "$MNT/image1" | awk '$3 != "hole" && $2 ~ /^\[/ { print; n++ } END { print n + 0 }' | tail -n 1
}

discard() {
	local at=$((24 << 20))

	put "$RUN/one" "$IMG" "$at"
	within 10 has 2 "$IMG" "$at" data
	counted n2-img blkdiscard -f -o "$at" -l 1048576 "$IMG" -- fs.others=1
	same "$RUN/zero" "$IMG" "$at" 1048576
	same "$RUN/zero" /dev/mapper/n3-img "$at" 1048576
	tail -c +1048577 "$RUN/one" >"$RUN/some"
	same "$RUN/some" "$IMG" $((at + 1048576)) 3145728
	equal 'extents in the file' "$(allocated "$at" 1m)" 0
}

write_zeroes() {
	local at=$((32 << 20))

	put "$RUN/one" "$IMG" "$at"
	within 10 has 2 "$IMG" "$at" data
	# with NOUNMAP: stays allocated; a flush may follow
	counted n2-img fallocate -z -o "$at" -l 1048576 "$IMG" -- fs.others=1 direct.others=any
	same "$RUN/zero" "$IMG" "$at" 1048576
	between 'extents in the file' "$(allocated "$at" 1m)" 1 64
	# without: deallocated
	fallocate -p -o $((at + 1048576)) -l 1048576 "$IMG"
	same "$RUN/zero" "$IMG" $((at + 1048576)) 1048576
	equal 'extents in the file' "$(allocated $((at + 1048576)) 1m)" 0
	# not in whole blocks
	fallocate -p -o $((at + 2097152 + 512)) -l 8192 "$IMG"
	part "$RUN/one" 2097152 512 >"$RUN/should"
	head -c 8192 /dev/zero >>"$RUN/should"
	part "$RUN/one" $((2097152 + 512 + 8192)) 7680 >>"$RUN/should"
	same "$RUN/should" "$IMG" $((at + 2097152)) 16384
	same "$RUN/should" /dev/mapper/n3-img $((at + 2097152)) 16384
}

# I1: a hole that is not on the LUN when the coordinator dies would show the old data again.
zeroes_crash() {
	local at=$((48 << 20))

	put "$RUN/one" "$IMG" "$at"
	sync -f "$MNT"
	# Deallocates. What follows it at most is a flush, which on this route only the LUN sees.
	counted n2-img fallocate -p -o "$at" -l 1048576 "$IMG" -- fs.others=1 direct.others=any
	crashed
	part "$CRASHED/image1" "$at" 1048576 | cmp -n 1048576 - "$RUN/zero" || fail 'acknowledged zeroes are lost'
	part "$CRASHED/image1" $((at + 1048576)) 1048576 >"$RUN/some"
	part "$RUN/one" 1048576 1048576 | cmp - "$RUN/some" || fail 'what is behind them has changed'
	crashed_down
}

sectors() {
	local at=$((40 << 20))

	# in a hole: the neighbours stay zero
	head -c 512 "$RUN/one" >"$RUN/some"
	put "$RUN/some" "$IMG" $((at + 3 * 512)) 512
	head -c 1536 /dev/zero >"$RUN/should"
	cat "$RUN/some" >>"$RUN/should"
	head -c 2048 /dev/zero >>"$RUN/should"
	same "$RUN/should" "$IMG" "$at" 4096
	# in data, direct
	within 10 has 2 "$IMG" "$at" data
	counted n2-img put "$RUN/some" "$IMG" $((at + 512)) 512 -- direct.writes=1 direct.write-bytes=512
	# in data, by the coordinator
	route 2 fs-redirected
	put "$RUN/some" "$IMG" $((at + 5 * 512)) 512
	route 2 direct
	dd if="$RUN/some" of="$RUN/should" bs=512 seek=1 conv=notrunc status=none
	dd if="$RUN/some" of="$RUN/should" bs=512 seek=5 conv=notrunc status=none
	same "$RUN/should" "$IMG" "$at" 4096
	same "$RUN/should" /dev/mapper/n3-img "$at" 4096
}

odd_end() {
	every_way /dev/mapper/n2-odd /dev/mapper/n3-odd $((ODD - 2560)) 2560 512 "$MNT/image2"
	equal 'size of the file' "$(stat -c %s "$MNT/image2")" "$ODD"
	fails dd if="$RUN/one" of=/dev/mapper/n2-odd bs=512 count=1 seek=$((ODD / 512)) oflag=direct conv=notrunc
}

cached() {
	fincore --noheadings --raw --output pages "$MNT/image$1"
}

cached_data() {
	read_bytes /dev/mapper/n2-cached 0 4096
	state_is 2 image:4 0 data
}

# I11: it must not be seen by who reads through the page cache once another node has written.
was_cached() {
	cp "$RUN/one" "$MNT/image4"
	cat "$MNT/image4" >/dev/null
	between 'pages in the cache' "$(cached 4)" 512 1024
	image 4 4M 2
	equal 'pages in the cache' "$(cached 4)" 0
	stop layout
	layouts 1 2 3 4
	device 2 n2-cached image:4 4
	same "$RUN/one" /dev/mapper/n2-cached 0 4194304
	within 10 cached_data
	counted n2-cached put "$RUN/two" /dev/mapper/n2-cached 0 -- direct.writes=64
	cmp "$RUN/two" "$MNT/image4" || fail 'the coordinator reads what is older than the write'
	dmsetup remove --noudevsync n2-cached
}

# Data on the wire has a checksum, both ways.
digest() {
	route 2 fs-redirected
	put "$RUN/one" /dev/mapper/n2-digest 0
	same "$RUN/one" /dev/mapper/n2-digest 0 4194304
	route 2 direct
	same "$RUN/one" /dev/mapper/n2-digest 0 4194304
	same "$RUN/one" "$MNT/image3" 0 4194304
}

member_volume() {
	local before

	device 2 n2-volume volume "$VOLUME_MIB"
	device 3 n3-volume volume "$VOLUME_MIB" "$LUN" '2 meta_policy forward'
	counted n2-volume read_bytes /dev/mapper/n2-volume 0 4096 -- fs.reads=1
	equal 'first bytes, as a member sees them' "$(head -c 4 /dev/mapper/n2-volume)" XFSB
	before=$(dd if="$LUN" bs=1M skip=1 count=1 iflag=direct status=none | md5sum)
	log_mark
	fails dd if="$RUN/one" of=/dev/mapper/n2-volume bs=4k count=1 oflag=direct conv=notrunc
	fails blkdiscard -f -l 1048576 /dev/mapper/n2-volume
	fails fallocate -z -l 1048576 /dev/mapper/n2-volume
	must_log 'refused: only the coordinator may (meta_policy)'
	equal 'what is on the LUN' "$(dd if="$LUN" bs=1M skip=1 count=1 iflag=direct status=none | md5sum)" "$before"
	# Nobody uses the last MiB of the file system's device.
	tail -c 65536 "$RUN/two" >"$RUN/some"
	counted n3-volume put "$RUN/some" /dev/mapper/n3-volume $((VOLUME_MIB * 1048576 - 65536)) 64k -- fs.writes=1
	same "$RUN/some" "$LUN" $((VOLUME_MIB * 1048576 + 1048576 - 65536)) 65536
}

down() {
	nodes_down
	module_down
	within 10 rmmod scsi_debug
}

# In route direct, whatever the test before has left.
direct() {
	route 2 direct
	"$@"
}

first 'a coordinator and two members come up' up
it 'a hole reads as zeroes, made here once its layout has come' 'direct zero_filled'
it 'a write to a hole goes to the coordinator, its extents come back, the next goes direct' 'direct hole_to_direct'
it 'a bio that crosses extents is split, and each part takes its way' 'direct crossing'
it 'data is right in each route, on each node and in the file' 'direct each_route'
it 'fs-redirected and direct I/O is counted as such' 'direct fs_counted'
it 'block-redirected I/O goes through the third node' 'direct block_third'
it 'flush and FUA, direct and redirected' 'direct flush_fua'
it 'discard deallocates, and reads as zeroes on all nodes' 'direct discard'
it 'write-zeroes keeps blocks or not, as asked, and does what is not whole blocks' 'direct write_zeroes'
it 'write-zeroes survives the coordinator' 'direct zeroes_crash'
it 'single sectors leave their neighbours alone' 'direct sectors'
it 'the end of an image that is no whole number of blocks' 'direct odd_end'
it 'a file that was written through the page cache becomes an image' 'direct was_cached'
it 'data_digest' 'direct digest'
it 'the volume on a member: reads forwarded, writes refused, or forwarded if allowed' 'direct member_volume'
last 'all is taken down; the module unloads' down
ktap_run
