#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module in use: it stays, devices are suspended, reloaded and removed during I/O, the file system is full, the
# coordinator crashes.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG=/dev/mapper/n2-img

# stays REASON
stays() {
	fails rmmod dm_covol 2>"$RUN/error"
	grep -q 'is in use' "$RUN/error" || fail "with $1: $(<"$RUN/error")"
	[[ -d /sys/module/dm_covol ]] || fail "the module is gone, with $1"
}

# fails_with WORDS COMMAND...
fails_with() {
	local text=$1
	shift

	fails "$@" 2>"$RUN/error"
	grep -qF -- "$text" "$RUN/error" || fail "not \"$text\" but: $(<"$RUN/error")"
}

up() {
	module_up
	network_up 2
	rmmod dm_covol
	insmod "$HERE/../bin/dm-covol.ko"
	volume_add 1
	stays 'a volume'
	volume_add 2
	session 1 2
	stays 'sessions'
	route 1 direct
	device 1 volume volume "$VOLUME_MIB"
	stays 'a device'
	mkfs.xfs -q -f /dev/mapper/volume
	mkdir -p "$MNT"
	mount /dev/mapper/volume "$MNT"
	image 1 48M 2
	layouts 1
	route 2 direct
	device 2 n2-img image:1 48
	pattern one $((4 * MIB)) >"$RUN/one"
	pattern two $((4 * MIB)) >"$RUN/two"
}

in_use() {
	fails_with 'volume: a device uses it' kernel 1 volume remove "$UUID"
	fails_with 'image: a device uses it' kernel 2 image remove "$UUID" 1
	put "$RUN/one" "$IMG" 0
	fails_with 'image: other nodes may hold' kernel 1 image remove "$UUID" 1
	stays 'all'
}

suspend() {
	local i

	load suspend "$IMG"
	for i in 1 2 3 4 5; do
		sleep 0.3
		dmsetup suspend --noudevsync n2-img
		sleep 0.2
		dmsetup resume --noudevsync n2-img
	done
	load_ok suspend
}

reload() {
	local i table

	load reload "$IMG"
	for i in 1 2 3; do
		for table in '1 data_digest' '2 hold_timeout 30000'; do
			on 2 dmsetup reload n2-img --table "$(table image:1 48 "$LUN" "$table")"
			dmsetup suspend --noudevsync n2-img
			dmsetup resume --noudevsync n2-img
			equal 'features' "$(dmsetup table n2-img | cut -d ' ' -f 8-)" "$table"
		done
	done
	load_ok reload
	# A bad table leaves the old one in place.
	fails on 2 dmsetup reload n2-img --table "$(table image:9 48 "$LUN")"
	dmsetup clear n2-img
	on 2 dmsetup reload n2-img --table "$(table image:1 48 "$LUN")"
	dmsetup suspend --noudevsync n2-img
	dmsetup resume --noudevsync n2-img
}

# Held I/O is I/O under way: a suspend waits for it, and can be given up.
suspend_held() {
	local status=0

	route 2 held
	start held dd if="$IMG" of=/dev/null bs=4k count=1 iflag=direct
	within 10 is_held 2
	timeout --signal=INT $((2 * SLOW)) dmsetup suspend --noudevsync n2-img || status=$?
	equal 'status of the suspend (124: it waited)' "$status" 124
	alive held || fail 'held I/O has ended'
	route 2 direct
	within 20 dead held
	dmsetup resume --noudevsync n2-img || true
	put "$RUN/one" "$IMG" 0
	same "$RUN/one" "$IMG" 0 $((4 * MIB))
}

gone() {
	! dmsetup info "$1"
}

remove() {
	local open

	# fio closes and opens it from time to time; the other name goes at once.
	exec {open}<"$IMG"
	load remove "/dev/$(dmsetup info -c --noheadings -o blkdevname n2-img)"
	fails_with 'busy' dmsetup remove --noudevsync n2-img
	dmsetup remove --noudevsync --deferred n2-img
	load_ok remove
	exec {open}<&-
	within 10 gone n2-img
	dmsetup mknodes
	device 2 n2-img image:1 48
	# By force: errors, but nothing worse.
	load force "$IMG"
	goes_on n2-img direct
	dmsetup remove --noudevsync --force n2-img || true
	load_ends force
	! grep -qx 'status 0' "$RUN/force.log" || fail 'fio saw no error on a device that was replaced by errors'
	dmsetup remove --noudevsync n2-img || true
	device 2 n2-img image:1 48
}

no_space() {
	local free at=$((32 * MIB))

	trap 'rm -f "$MNT/filler" "$MNT/filler2"' EXIT
	put "$RUN/one" "$IMG" $((8 * MIB))
	blkdiscard -f -o "$at" -l $((8 * MIB)) "$IMG"
	sync -f "$MNT"
	free=$(df --output=avail -B 1M "$MNT" | tail -n 1)
	fallocate -l "$((free - 2))M" "$MNT/filler" || fallocate -l "$((free - 8))M" "$MNT/filler"
	dd if=/dev/zero of="$MNT/filler2" bs=64k status=none 2>/dev/null || true
	sync -f "$MNT"
	fails_with 'No space left on device' dd if="$RUN/two" of="$IMG" bs=1M seek="$at" oflag=direct,seek_bytes conv=notrunc
	# What is there can be written and read as before.
	put "$RUN/two" "$IMG" $((8 * MIB))
	same "$RUN/two" "$IMG" $((8 * MIB)) $((4 * MIB))
	rm "$MNT/filler" "$MNT/filler2"
	sync -f "$MNT"
	put "$RUN/one" "$IMG" "$at"
	same "$RUN/one" "$IMG" "$at" $((4 * MIB))
	same "$RUN/two" "$MNT/image1" $((8 * MIB)) $((4 * MIB))
}

# I1: the LUN as it is when the coordinator dies, its log not written back, has every write that was acknowledged.
crash() {
	local at

	image 2 32M 2
	device 2 n2-crash image:2 32
	# All of these allocate; nobody asks for a flush. Nothing of it may wait for one.
	put "$RUN/one" /dev/mapper/n2-crash 0 64k
	for at in 9 13 17 21 25; do
		head -c 4096 "$RUN/two" >"$RUN/some"
		put "$RUN/some" /dev/mapper/n2-crash $((at * MIB + 8192)) 4k
	done
	# Now.
	crashed
	cmp -n $((4 * MIB)) "$RUN/one" "$CRASHED/image2" || fail 'acknowledged writes are lost'
	for at in 9 13 17 21 25; do
		cmp -n 4096 -i "0:$((at * MIB + 8192))" "$RUN/some" "$CRASHED/image2" || fail "the write at $at MiB is lost"
	done
	crashed_down
	dmsetup remove --noudevsync n2-crash
}

down() {
	nodes_down
	module_down
}

first 'the module stays while there are volumes, sessions, devices' up
it 'volumes and images in use cannot be removed' in_use
it 'suspend and resume during I/O' suspend
it 'reload during I/O' reload
it 'suspend with held I/O can be given up' suspend_held
it 'a full file system: ENOSPC, nothing is lost' no_space
it 'every acknowledged allocating write is on the LUN when the coordinator dies' crash
it 'remove during I/O: refused, deferred, forced' remove
last 'all is taken down; the module unloads' down
ktap_run
