#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Images grow and shrink, volumes grow: under load, on all nodes, without an error.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# A part of the RAM disk that grows; lib/nodes.sh would take the whole.
LUN=/dev/mapper/lun
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG=/dev/mapper/n2-img
# Of the volume, before it grows.
readonly SMALL=300
# Not at the end of a chunk.
readonly ODD=$((48 * MIB - 262144))

# lun_is_mib MIB: so large is the LUN from now on.
lun_is_mib() {
	echo "0 $(($1 * 2048)) linear /dev/ram0 0"
}

# resize NODE ID SIZE
resize() {
	kernel "$1" image resize "$UUID" "$2" --size "$3"
}

# relength NODE NAME OBJECT MIB|SECTORSs: another table, in one step.
relength() {
	on "$1" dmsetup load "$2" --table "$(table "$3" "$4" "$LUN")"
	dmsetup resume --noudevsync --noflush "$2"
}

# bytes DEVICE
bytes() {
	blockdev --getsize64 "$1"
}

# size NODE: of image 1, as its kernel knows it.
size() {
	kernel "$1" image show "$UUID" 1 --json | value size
}

zeroes() {
	head -c "$3" /dev/zero >"$RUN/zeroes"
	same "$RUN/zeroes" "$1" "$2" "$3"
}

up() {
	local node

	module_up
	lun_is_mib $((SMALL + 1)) | dmsetup create --noudevsync lun
	dmsetup mknodes
	network_up 2 3
	for node in 1 2 3; do
		# As large as the LUN.
		kernel "$node" volume add "$UUID" --node "$node" --coordinator 1 --epoch 1 --plaintext --lun "$LUN" --lun-offset 1M
	done
	mounted
	session 1 2
	session 1 3
	image 1 32M 2 3
	layouts 1
	route 2 direct
	route 3 direct
	device 1 img image:1 32
	device 2 n2-img image:1 32
	device 3 n3-img image:1 32
	pattern one "$MIB" >"$RUN/one"
	pattern two "$MIB" >"$RUN/two"
	put "$RUN/one" "$IMG" $((31 * MIB))
	within 20 has 2 "$IMG" $((31 * MIB)) data
}

mounted() {
	route 1 direct
	device 1 volume volume "$SMALL"
	mkfs.xfs -q -f /dev/mapper/volume
	mkdir -p "$MNT"
	mount /dev/mapper/volume "$MNT"
}

grow() {
	local node

	load grow "$IMG"
	load grow3 /dev/mapper/n3-img --offset=16M --size=8M --rate_iops=50
	# On the coordinator first; that others do not know yet does no harm.
	resize 1 1 "$ODD"
	equal 'size of the file' "$(stat -c %s "$MNT/image1")" "$ODD"
	sleep 1
	for node in 2 3; do
		resize "$node" 1 "$ODD"
		equal "size on node $node" "$(size "$node")" "$ODD"
	done
	equal 'size of the device, until it has another table' "$(bytes "$IMG")" $((32 * MIB))
	relength 2 n2-img image:1 $((ODD / 512))s
	relength 3 n3-img image:1 $((ODD / 512))s
	relength 1 img image:1 $((ODD / 512))s
	equal 'size of the device' "$(bytes "$IMG")" "$ODD"
	zeroes "$IMG" $((32 * MIB)) $((4 * MIB))
	put "$RUN/two" "$IMG" $((45 * MIB))
	same "$RUN/two" /dev/mapper/n3-img $((45 * MIB)) "$MIB"
	same "$RUN/two" /dev/mapper/img $((45 * MIB)) "$MIB"
	same "$RUN/one" "$IMG" $((31 * MIB)) "$MIB"
	load_ok grow
	load_ok grow3
}

# lost: sessions that node 2 has lost.
lost() {
	kernel 2 volume show "$UUID" --json | value sessions-lost
}

# beyond NODE BYTE: extents of image 1 there that end behind that.
beyond() {
	kernel "$1" map show "$UUID" image:1 --json | jq "[.extents[] | select(.offset + .length > $2)] | length"
}

# A member that has not been told yet gets grants that go past its end: they end there, nothing is torn down.
grow_late() {
	local before

	before=$(lost)
	resize 1 1 $((49 * MIB - 512))
	# The chunk that this prepares reaches behind the member's end.
	head -c $((MIB / 2)) "$RUN/one" >"$RUN/half"
	put "$RUN/half" "$IMG" $((47 * MIB))
	within 20 has 2 "$IMG" $((47 * MIB)) data
	equal 'extents behind the end' "$(beyond 2 "$ODD")" 0
	equal 'sessions lost' "$(lost)" "$before"
	resize 2 1 $((49 * MIB - 512))
	resize 3 1 $((49 * MIB - 512))
	relength 2 n2-img image:1 $((49 * 2048 - 1))s
	same "$RUN/half" "$IMG" $((47 * MIB)) $((MIB / 2))
}

# rewritten FILE OFFSET BYTES: direct, after somebody has read in the coordinator's file what was there before.
rewritten() {
	within 20 has 2 "$IMG" "$2" data
	cat "$MNT/image1" >/dev/null
	head -c "$3" "$1" >"$RUN/tail"
	counted n2-img put "$RUN/tail" "$IMG" "$2" "$3" -- direct.writes=1
}

# The rest of the block in which the end lies is zeroed through the page cache, where older data may be (I11).
length_cached() {
	local at=$((49 * MIB - 4096))

	relength 2 n2-img image:1 $((49 * 2048 - 2))s
	head -c 3072 "$RUN/one" >"$RUN/tail"
	put "$RUN/tail" "$IMG" "$at" 512
	rewritten "$RUN/two" "$at" 3072
	resize 2 1 $((49 * MIB - 1024))
	resize 1 1 $((49 * MIB - 1024))
	same "$RUN/tail" "$IMG" "$at" 3072
	rewritten "$RUN/one" "$at" 3072
	resize 1 1 $((49 * MIB - 512))
	resize 2 1 $((49 * MIB - 512))
	same "$RUN/tail" "$IMG" "$at" 3072
	relength 2 n2-img image:1 $((49 * 2048 - 1))s
}

# The block in which the end lies is not a whole one: what is written directly in it survives.
grow_odd() {
	local at=$((49 * MIB - 4096))

	head -c 3584 "$RUN/two" >"$RUN/tail"
	put "$RUN/tail" "$IMG" "$at" 3584
	within 20 has 2 "$IMG" "$at" data
	start odd bash -c "while :; do dd if=$RUN/tail of=$IMG bs=3584 count=1 oflag=direct,seek_bytes seek=$at conv=notrunc \
		status=none || exit; done"
	resize 1 1 50M
	resize 2 1 50M
	relength 2 n2-img image:1 50
	sleep 1
	alive odd || fail "a write has failed: $(<"$RUN/odd.log")"
	stop odd
	same "$RUN/tail" "$IMG" "$at" 3584
	zeroes "$IMG" $((49 * MIB - 512)) "$MIB"
}

# What is cut off is taken back from all first, and is gone.
shrink() {
	local node

	resize 3 1 50M
	relength 3 n3-img image:1 50
	relength 1 img image:1 50
	put "$RUN/two" "$IMG" $((40 * MIB))
	within 20 has 2 "$IMG" $((40 * MIB)) data
	same "$RUN/two" /dev/mapper/n3-img $((40 * MIB)) "$MIB"
	# The coordinator learns that this is data of the image's own.
	route 2 fs-redirected
	put "$RUN/two" "$IMG" $((40 * MIB))
	route 2 direct
	load shrink "$IMG"
	for node in 1 2 3; do
		fails resize "$node" 1 36M 2>"$RUN/error"
		grep -q 'device of this node is longer' "$RUN/error" || fail "$(<"$RUN/error")"
	done
	relength 2 n2-img image:1 36
	relength 3 n3-img image:1 36
	relength 1 img image:1 36
	resize 2 1 36M
	# Node 3 has not been told: the coordinator takes back what it holds.
	resize 1 1 36M
	equal 'size of the file' "$(stat -c %s "$MNT/image1")" $((36 * MIB))
	equal 'extents of node 3 beyond the end' "$(beyond 3 $((36 * MIB)))" 0
	equal 'extents of node 2 beyond the end' "$(beyond 2 $((36 * MIB)))" 0
	resize 3 1 36M
	load_ok shrink
	fails on 2 dmsetup load n2-img --table "$(table image:1 40 "$LUN")"
	dmsetup clear n2-img
	same "$RUN/one" "$IMG" $((31 * MIB)) "$MIB"
}

# A request for what has just been cut off changes nothing, and does not make the file grow again.
shrink_late() {
	relength 1 img image:1 32
	resize 1 1 32M
	fails dd if="$RUN/one" of="$IMG" bs=64k count=1 oflag=direct,seek_bytes seek=$((34 * MIB)) conv=notrunc 2>/dev/null
	equal 'size of the file' "$(stat -c %s "$MNT/image1")" $((32 * MIB))
	relength 2 n2-img image:1 32
	resize 2 1 32M
	relength 3 n3-img image:1 32
	resize 3 1 32M
}

# What was cut off does not come back.
grow_again() {
	local node

	for node in 1 2 3; do
		resize "$node" 1 48M
	done
	relength 2 n2-img image:1 48
	zeroes "$IMG" $((40 * MIB)) "$MIB"
	zeroes "$IMG" $((47 * MIB)) "$MIB"
	# A hole again for the coordinator, too: who has it as zeroes is told of a write.
	relength 3 n3-img image:1 48
	within 20 has 3 /dev/mapper/n3-img $((40 * MIB)) hole
	head -c 4096 "$RUN/one" >"$RUN/first"
	route 2 fs-redirected
	put "$RUN/first" "$IMG" $((40 * MIB)) 4096
	route 2 direct
	same "$RUN/first" /dev/mapper/n3-img $((40 * MIB)) 4096
}

# Held I/O does not keep an image from growing, nor from being released.
grow_held() {
	route 2 held
	start held dd if="$IMG" of="$RUN/read" bs=64k count=16 iflag=direct,skip_bytes skip=$((31 * MIB))
	within 20 is_held 2
	resize 1 1 52M
	resize 2 1 52M
	relength 2 n2-img image:1 52
	alive held || fail "held I/O has ended: $(<"$RUN/held.log")"
	route 2 direct
	within 20 dead held
	cmp "$RUN/one" "$RUN/read"
	equal 'size of the device' "$(bytes "$IMG")" $((52 * MIB))
}

grow_volume() {
	local node

	load volume "$IMG"
	fails kernel 1 volume resize "$UUID" --size "${VOLUME_MIB}M" 2>"$RUN/error"
	grep -q 'ends past the LUN' "$RUN/error" || fail "$(<"$RUN/error")"
	dmsetup load lun --table "$(lun_is_mib $((VOLUME_MIB + 1)))"
	dmsetup resume --noudevsync lun
	for node in 2 3 1; do
		kernel "$node" volume resize "$UUID"
	done
	equal 'size of the volume' "$(kernel 1 volume show "$UUID" --json | value size)" $((VOLUME_MIB * MIB))
	relength 1 volume volume "$VOLUME_MIB"
	xfs_growfs "$MNT" >/dev/null
	equal 'size of the device' "$(bytes /dev/mapper/volume)" $((VOLUME_MIB * MIB))
	# The load's blocks are older; these are new, and may lie in what came.
	put "$RUN/two" "$IMG" $((50 * MIB))
	within 20 has 2 "$IMG" $((50 * MIB)) data
	same "$RUN/two" /dev/mapper/n2-img $((50 * MIB)) "$MIB"
	load_ok volume
	fails kernel 2 volume resize "$UUID" --size 100M 2>"$RUN/error"
	grep -q 'does not shrink' "$RUN/error" || fail "$(<"$RUN/error")"
}

down() {
	nodes_down
	dmsetup remove --noudevsync lun
	module_down
}

first 'a coordinator and two members' up
it 'an image grows under load, on all nodes' grow
it 'a member that is told late gets no more than it knows of' grow_late
it 'what somebody has read of a block is not written back when the end moves in it' length_cached
it 'the end is not that of a block: what is written there survives' grow_odd
it 'an image shrinks under load: what lies beyond is taken back from all' shrink
it 'what was cut off cannot be written any more' shrink_late
it 'what was cut off does not come back when it grows again' grow_again
it 'an image grows while I/O is held' grow_held
it 'a volume grows with its LUN, and the file system in it' grow_volume
last 'all is taken down; the module unloads' down
ktap_run
