#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Paths to the LUN break, heal, and break again. Nothing fails because of one: I/O is held until a route is set. Errors
# that another path would give, too, are passed up.
#
# Each node has a path of its own to the one RAM disk: a device of device mapper, whose table is exchanged.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# What lib/nodes.sh would take for the LUN: that is the path of node 1.
LUN=/dev/mapper/path1
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG=/dev/mapper/n2-img
readonly SECTORS=$((LUN_MIB * 2048))
# Where scsi_debug has its bad sectors by default, and a whole block within them.
readonly BAD=4660

# ---- paths ----

# path NODE < TABLE: from now on; what is under way ends the old way.
path() {
	dmsetup load "path$1"
	dmsetup suspend --noudevsync --noflush --nolockfs "path$1"
	dmsetup resume --noudevsync "path$1"
}

break_path() {
	path "$1" <<<"0 $SECTORS error"
}

heal_path() {
	path "$1" <<<"0 $SECTORS linear /dev/ram0 0"
}

paths_up() {
	local node

	for node in 1 2 3; do
		dmsetup create --noudevsync "path$node" --table "0 $SECTORS linear /dev/ram0 0"
	done
	dmsetup mknodes
}

paths_down() {
	local node

	for node in 1 2 3; do
		dmsetup remove --noudevsync "path$node"
	done
}

# way DEVICE: route and reasons, as its status has them.
way() {
	dmsetup status "$1" | cut -d ' ' -f 5,6
}

way_is() {
	[[ $(way "$1") == "$2" ]]
}

# lost DEVICE: within a time its volume is held for want of a path, and some I/O with it.
lost() {
	within 20 way_is "$1" 'held no-disk-path'
}

# watch NODE: its events go to $RUN/events.log.
watch() {
	start events nsenter --net="$(netns "$1")" "$HERE/../bin/covol" kernel events
	within 10 grep -q following "$RUN/events.log"
}

# seen WORDS: how many events there are that begin so.
seen() {
	grep -c "^$1 uuid $UUID $2\$" "$RUN/events.log" || true
}

seen_is() {
	[[ $(seen "$1" "$2") -eq $3 ]]
}

# ---- tests ----

up() {
	local node

	module_up
	paths_up
	network_up 2 3
	coordinator_up
	for node in 2 3; do
		volume_add "$node" --lun "/dev/mapper/path$node" --lun-offset 1M
	done
	session 1 2
	session 1 3
	session 2 3
	image 1 32M 2
	image 2 16M 2
	layouts 1 2
	route 2 direct
	route 3 direct
	device 1 img2 image:2 16
	device 2 n2-img image:1 32 /dev/mapper/path2
	pattern one "$MIB" >"$RUN/one"
	pattern two "$MIB" >"$RUN/two"
	put "$RUN/one" "$IMG" $((24 * MIB))
	same "$RUN/one" "$IMG" $((24 * MIB)) "$MIB"
	within 20 has 2 "$IMG" $((24 * MIB)) data
}

breaks() {
	log_mark
	watch 2
	load verify "$IMG"
	load other /dev/mapper/img2 --rate_iops=50
	goes_on n2-img direct
	break_path 2
	lost n2-img
	within 10 is_held 2
	within 10 seen_is route-changed 'route held reasons no-disk-path' 1
	must_log 'path to the LUN lost (-5): I/O is held'
	equal 'events of the loss' "$(seen path-lost 'object 1 error EIO')" 1
	# Another node of the volume does not notice.
	goes_on img2 direct
	equal 'way of node 1' "$(way img2)" 'direct -'
	alive verify || fail "the load has ended: $(<"$RUN/verify.log")"
	# By itself nothing is released.
	heal_path 2
	sleep 2
	equal 'way after the path has healed' "$(way n2-img)" 'held no-disk-path'
	route 2 direct
	goes_on n2-img direct
	equal 'way after the release' "$(way n2-img)" 'direct -'
	load_ok verify
	load_ok other
	equal 'bios that are held' "$(held 2)" 0
	equal 'events of the loss' "$(seen path-lost '.*')" 1
	stop events
}

# The path breaks under a load, which goes another way while it is broken, and back.
# around ROUTE WORD...
around() {
	load around "$IMG"
	goes_on n2-img direct
	break_path 2
	lost n2-img
	within 10 is_held 2
	route 2 "$@"
	goes_on n2-img "${1%-redirected}"
	sleep 1
	equal 'way' "$(way n2-img)" "$1 admin"
	heal_path 2
	route 2 direct
	goes_on n2-img direct
	load_ok around
	equal 'bios that are held' "$(held 2)" 0
}

around_block() {
	around block-redirected --redirect-peer 3
}

around_fs() {
	around fs-redirected
}

# The route is set to direct too early: as often as that, the same again.
still_broken() {
	local before i

	watch 2
	load still "$IMG"
	goes_on n2-img direct
	break_path 2
	for i in 1 2 3; do
		lost n2-img
		within 10 seen_is path-lost 'object 1 error EIO' "$i"
		within 10 is_held 2
		# What is held is not tried again all the time.
		sleep 1
		before=$(counter n2-img direct.writes)
		sleep 2
		equal 'direct writes while it is held' "$(counter n2-img direct.writes)" "$before"
		[[ $i -eq 3 ]] || route 2 direct
	done
	heal_path 2
	route 2 direct
	goes_on n2-img direct
	load_ok still
	equal 'events of the loss' "$(seen path-lost '.*')" 3
	stop events
}

# times_out DD-WORD...: it fails after hold_timeout, not before.
times_out() {
	local begin=${EPOCHREALTIME/./} took

	fails dd bs=4k count=1 status=none "$@" 2>"$RUN/error"
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
	grep -q 'Connection timed out' "$RUN/error" || fail "$(<"$RUN/error")"
	between 'ms until it failed' "$took" $((1900 * SLOW)) $((100000 * SLOW))
}

hold_timeout() {
	local quick=/dev/mapper/n2-quick

	device 2 n2-quick image:1 32 /dev/mapper/path2 "2 hold_timeout $((2000 * SLOW))"
	log_mark
	break_path 2
	start patient dd if="$IMG" of="$RUN/read" bs=64k count=16 skip=$((24 * MIB)) iflag=direct,skip_bytes
	lost n2-quick
	within 10 is_held 2
	times_out if="$quick" of=/dev/null iflag=direct,skip_bytes skip=$((24 * MIB))
	times_out if="$RUN/two" of="$quick" oflag=direct,seek_bytes seek=$((24 * MIB)) conv=notrunc
	must_log 'held I/O failed after hold_timeout'
	# Here the loss itself is what the I/O meets.
	route 2 direct
	within 20 way_is n2-quick 'held no-disk-path'
	heal_path 2
	route 2 direct
	within 20 dead patient
	cmp "$RUN/one" "$RUN/read"
	same "$RUN/one" "$quick" $((24 * MIB)) "$MIB"
	dmsetup remove --noudevsync n2-quick
}

# The I/O that meets the broken path has its time from when it came.
hold_timeout_first() {
	local quick=/dev/mapper/n2-quick

	device 2 n2-quick image:1 32 /dev/mapper/path2 "2 hold_timeout $((2000 * SLOW))"
	equal 'way' "$(way n2-quick)" 'direct -'
	break_path 2
	times_out if="$quick" of=/dev/null iflag=direct,skip_bytes skip=$((24 * MIB))
	equal 'way' "$(way n2-quick)" 'held no-disk-path'
	heal_path 2
	route 2 direct
	same "$RUN/one" "$quick" $((24 * MIB)) "$MIB"
	dmsetup remove --noudevsync n2-quick
}

# A path whose medium is bad where 24 MiB of image 1 lie.
bad_medium() {
	local place disk

	modprobe -a sd_mod
	modprobe scsi_debug dev_size_mb=8 opts=2
	within 20 has_scsi_disk
	disk=$(scsi_disk)
	place=$(kernel 2 map show "$UUID" image:1 --offset $((24 * MIB)) --json | jq '.extents[0] | .place - .offset')
	place=$(((place + 24 * MIB + MIB) / 512))
	path 2 <<TABLE
0 $place linear /dev/ram0 0
$place 8 linear $disk $BAD
$((place + 8)) $((SECTORS - place - 8)) linear /dev/ram0 $((place + 8))
TABLE
}

good_medium() {
	heal_path 2
	rmmod scsi_debug
}

# medium_error: a read of the first block there.
medium_error() {
	fails dd if="$IMG" of=/dev/null bs=4k count=1 iflag=direct,skip_bytes skip=$((24 * MIB)) 2>"$RUN/error"
	grep -q 'No data available' "$RUN/error" || fail "$(<"$RUN/error")"
}

medium() {
	bad_medium
	watch 2
	counted n2-img medium_error -- direct.reads=1
	equal 'way' "$(way n2-img)" 'direct -'
	part "$RUN/one" 4096 4096 >"$RUN/next"
	same "$RUN/next" "$IMG" $((24 * MIB + 4096)) 4096
	# Had there been an event, it would be before this one.
	route 2 direct
	within 10 seen_is route-changed 'route direct reasons -' 1
	equal 'events' "$(grep -c uuid "$RUN/events.log")" 1
	stop events
	good_medium
	same "$RUN/one" "$IMG" $((24 * MIB)) "$MIB"
}

suspend() {
	load suspend "$IMG"
	goes_on n2-img direct
	dmsetup suspend --noudevsync --noflush n2-img
	dmsetup resume --noudevsync n2-img
	goes_on n2-img direct
	load_ok suspend
	dmsetup remove --noudevsync n2-img
	device 2 n2-img image:1 32 /dev/mapper/path2
	same "$RUN/one" "$IMG" $((24 * MIB)) "$MIB"
}

# A member has no map of the volume itself: what it reads there comes from the coordinator, and needs no path.
member_volume() {
	device 2 n2-vol volume "$VOLUME_MIB" /dev/mapper/path2
	dd if="$LUN" of="$RUN/super" bs=64k count=1 skip="$MIB" iflag=direct,skip_bytes status=none
	break_path 2
	counted n2-vol same "$RUN/super" /dev/mapper/n2-vol 0 65536 -- fs.reads=any fs.read-bytes=65536
	equal 'way' "$(way n2-vol)" 'direct -'
	heal_path 2
	dmsetup remove --noudevsync n2-vol
}

# lose_coordinator: the file system meets the broken path of its node.
lose_coordinator() {
	break_path 1
	start plain dd if="$RUN/two" of="$MNT/plain" bs=64k oflag=direct
	lost volume
	within 10 is_held 1
}

# good: what went into the file system while its path was broken is there.
good() {
	within 20 dead plain
	sync -f "$MNT"
	cmp "$RUN/two" "$MNT/plain"
	[[ $(<"$RUN/plain.log") == *"$MIB bytes"* ]] || fail "$(<"$RUN/plain.log")"
	rm "$MNT/plain"
	equal 'bios that are held' "$(held 1)" 0
	! logged 'XFS' || fail 'the file system has seen it'
}

coordinator() {
	log_mark
	watch 1
	load verify "$IMG"
	goes_on n2-img direct
	# Chunks are prepared ahead of a writer; of the tests before, one may have come as far as this.
	blkdiscard -f -o $((28 * MIB)) -l "$MIB" "$IMG"
	within 20 has 2 "$IMG" $((28 * MIB)) hole
	lose_coordinator
	within 10 seen_is path-lost 'object 0 error EIO' 1
	# Members go on where they have the map; what the file system must do waits.
	goes_on n2-img direct
	same "$RUN/one" "$IMG" $((24 * MIB)) "$MIB"
	start allocates dd if="$RUN/two" of="$IMG" bs=64k oflag=direct,seek_bytes seek=$((28 * MIB)) conv=notrunc
	sleep 2
	alive plain || fail "held I/O has ended: $(<"$RUN/plain.log")"
	alive allocates || fail "what the coordinator must do has ended: $(<"$RUN/allocates.log")"
	heal_path 1
	route 1 direct
	good
	within 20 dead allocates
	same "$RUN/two" "$IMG" $((28 * MIB)) "$MIB"
	load_ok verify
	stop events
}

# The file system's own I/O is not redirected through the file system: that route is as direct as the other one.
coordinator_fs() {
	local before

	log_mark
	watch 1
	lose_coordinator
	# The next loss is an event of its own only when this one has been told.
	within 10 seen_is path-lost 'object 0 error EIO' 1
	route 1 fs-redirected
	within 10 seen_is path-lost 'object 0 error EIO' 2
	lost volume
	sleep 1
	before=$(counter volume direct.writes)
	sleep 2
	equal 'direct writes while it is held' "$(counter volume direct.writes)" "$before"
	heal_path 1
	route 1 fs-redirected
	good
	equal 'way' "$(way volume)" 'fs-redirected admin'
	route 1 direct
	stop events
}

# All of the coordinator's own I/O through a member: nobody has to wait for the path.
coordinator_block() {
	log_mark
	load verify /dev/mapper/img2
	lose_coordinator
	route 1 block-redirected --redirect-peer 3
	good
	goes_on img2 block
	equal 'way' "$(way volume)" 'block-redirected admin'
	heal_path 1
	route 1 direct
	load_ok verify
}

# Not here, not now, says a node whose own path is broken: who asked holds the I/O.
both() {
	load both "$IMG"
	goes_on n2-img direct
	break_path 2
	lost n2-img
	break_path 3
	route 2 block-redirected --redirect-peer 3
	within 20 is_held 2
	sleep 3
	heal_path 3
	goes_on n2-img block
	heal_path 2
	route 2 direct
	load_ok both
}

# serves NODE PEER: a request of that peer is under way there.
serves() {
	[[ $(kernel "$1" session show "$UUID" --json | value serving peer "$2") -gt 0 ]]
}

serves_not() {
	! serves "$@"
}

# late NODE ROUTE WORD...: node 2 gives a write to another one, which is slow, loses the session, and is told to write by
# itself. What it writes then, at the same place, must not be overwritten by what the other one does at last (I3).
late() {
	local node=$1 at=$((31 * MIB)) last=no
	shift

	put "$RUN/one" "$IMG" "$at"
	head -c 4096 "$RUN/two" >"$RUN/given-up"
	part "$RUN/two" 4096 4096 >"$RUN/last"
	within 20 has 2 "$IMG" "$at" data
	route 2 "$@"
	dmsetup suspend --noudevsync --noflush --nolockfs "path$node"
	start late dd if="$RUN/given-up" of="$IMG" bs=4k oflag=direct,seek_bytes seek="$at" conv=notrunc
	within 20 serves "$node" 2
	kernel 2 session remove "$UUID" "$node"
	within 10 is_held 2
	route 2 direct
	sleep 2
	# It may wait for the other node. If it has not, nothing waits for what comes now either.
	if dead late; then
		last=yes
		put "$RUN/last" "$IMG" "$at" 4k
	fi
	dmsetup resume --noudevsync "path$node"
	if [[ $node -eq 1 ]]; then
		session 1 2
	else
		session 2 "$node"
	fi
	within 20 dead late
	within 20 serves_not "$node" 2
	[[ $last == yes ]] || put "$RUN/last" "$IMG" "$at" 4k
	same "$RUN/last" "$IMG" "$at" 4096
}

late_fs() {
	late 1 fs-redirected
}

late_block() {
	late 3 block-redirected --redirect-peer 3
}

# healed FUNCTION: the test; after one that fails the next begins with whole paths, and without its load.
healed() {
	trap '[[ $? -eq 0 ]] || whole' EXIT
	"$1"
}

whole() {
	local node pid name

	for node in 1 2 3; do
		dmsetup resume --noudevsync "path$node"
		heal_path "$node"
		[[ ! -e $(netns "$node") ]] || route "$node" direct
	done
	for pid in "$RUN"/*.pid; do
		[[ $pid == */layout.pid ]] || stop "$(basename "$pid" .pid)" KILL
	done
	for name in n2-quick n2-vol; do
		[[ ! -e /dev/mapper/$name ]] || dmsetup remove --noudevsync "$name"
	done
}

down() {
	whole || true
	nodes_down
	paths_down
	module_down
}

first 'a coordinator and two members, each with a path of its own' up
it 'the path breaks under load: held, told once, goes on when it is released' 'healed breaks'
it 'around the broken path through another node' 'healed around_block'
it 'around the broken path through the file system' 'healed around_fs'
it 'direct while it is still broken: held again, without haste' 'healed still_broken'
it 'hold_timeout: held I/O fails after its time, the data is as it was' 'healed hold_timeout'
it 'hold_timeout: so does what meets the broken path itself' 'healed hold_timeout_first'
it 'a medium error is passed up, and changes no route' 'healed medium'
it 'a write that was given up to the coordinator does not land after a later one' 'healed late_fs'
it 'nor one that was given up to another node' 'healed late_block'
it 'suspend and removal under load' 'healed suspend'
it 'the volume on a member needs no path' 'healed member_volume'
it 'the path of the coordinator breaks: the file system waits' 'healed coordinator'
it 'the coordinator, fs-redirected: held again' 'healed coordinator_fs'
it 'the coordinator, around through a member' 'healed coordinator_block'
it 'the path of the other node breaks, too' 'healed both'
last 'all is taken down; the module unloads' down
ktap_run
