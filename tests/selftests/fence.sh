#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A node whose key on the LUN is taken away (SCSI-3 persistent reservations): it stops at once, comes back when it has a key
# again, and takes a conflict that is expected for none (I3).
#
# The LUN is LIO's loopback target on the RAM disk, with an initiator for each node; the nodes' paths are devices of device
# mapper on these.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
LUN=/dev/mapper/path1
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG=/dev/mapper/n2-img
readonly SECTORS=$((LUN_MIB * 2048))
readonly LIO=/sys/kernel/config/target
# Write Exclusive, All Registrants: as SCSI has it.
readonly TYPE=7

# ---- the LUN ----

# hba NODE: the initiator's folder.
hba() {
	echo "$LIO/loopback/naa.60014050000000$1/tpgt_1"
}

# disk NODE: the LUN as that initiator sees it.
disk() {
	local name

	for name in "/sys/bus/scsi/devices/$(<"$(hba "$1")/address"):0"/block/*; do
		[[ -b /dev/${name##*/} ]] && echo "/dev/${name##*/}"
	done
}

san_up() {
	local node

	mkdir -p /etc/target/pr /var/target/pr
	modprobe -a configfs target_core_mod target_core_iblock tcm_loop sd_mod sg
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	mkdir -p "$LIO/core/iblock_0/lun"
	printf udev_path=/dev/ram0 >"$LIO/core/iblock_0/lun/control"
	printf 1 >"$LIO/core/iblock_0/lun/enable"
	for node in 1 2; do
		mkdir -p "$(hba "$node")"
		printf 'naa.60014050000001%s' "$node" >"$(hba "$node")/nexus"
		mkdir "$(hba "$node")/lun/lun_0"
		ln -s "$LIO/core/iblock_0/lun" "$(hba "$node")/lun/lun_0/device"
		within 20 disk "$node"
		dmsetup create --noudevsync "path$node" --table "0 $SECTORS linear $(disk "$node") 0"
	done
	dmsetup mknodes
}

san_down() {
	local node

	for node in 1 2; do
		[[ ! -e /dev/mapper/path$node ]] || dmsetup remove --noudevsync "path$node"
		[[ -d $(hba "$node") ]] || continue
		rm "$(hba "$node")/lun/lun_0/device"
		rmdir "$(hba "$node")/lun/lun_0"
		echo NULL >"$(hba "$node")/nexus"
		rmdir "$(hba "$node")" "$(dirname "$(hba "$node")")"
	done
	[[ ! -d $LIO/core/iblock_0/lun ]] || rmdir "$LIO/core/iblock_0/lun"
	rmdir "$LIO/core/iblock_0" 2>/dev/null || true
}

# pr NODE WORD...: a persistent reserve out of that node. After a preempt the first command meets a unit attention.
pr() {
	local disk

	disk=$(disk "$1")
	sg_persist --out --no-inquiry "${@:2}" "$disk" || sg_persist --out --no-inquiry "${@:2}" "$disk"
}

# register NODE: its key is its number.
register() {
	pr "$1" --register-ignore --param-sark="$1"
}

# fence NODE BY: the second takes the first one's key away. Without the abort: in 6.12 the loopback target waits there for the
# work item that it runs in.
fence() {
	pr "$2" --preempt --param-rk="$2" --param-sark="$1" --prout-type="$TYPE"
}

# ---- looking ----

way_is() {
	[[ $(dmsetup status "$1" | cut -d ' ' -f 5,6) == "$2" ]]
}

# refused COMMAND...: it fails with the errno of a reservation conflict.
refused() {
	fails "$@" 2>"$RUN/error"
	grep -q 'Invalid exchange' "$RUN/error" || fail "$(<"$RUN/error")"
}

watch() {
	start events nsenter --net="$(netns 2)" "$HERE/../bin/covol" kernel events
	within 10 grep -q following "$RUN/events.log"
}

# ---- tests ----

up() {
	module_up
	san_up
	network_up 2
	coordinator_up
	volume_add 2 --lun /dev/mapper/path2 --lun-offset 1M
	session 1 2
	image 1 32M 2
	image 2 8M
	layouts 1 2
	route 2 direct
	device 1 img1 image:1 32
	device 1 img2 image:2 8
	device 2 n2-img image:1 32 /dev/mapper/path2
	pattern one "$MIB" >"$RUN/one"
	pattern two "$MIB" >"$RUN/two"
	register 1
	register 2
	pr 1 --reserve --param-rk=1 --prout-type="$TYPE"
	put "$RUN/one" "$IMG" "$MIB"
	same "$RUN/one" "$IMG" "$MIB" "$MIB"
	within 20 has 2 "$IMG" "$MIB" data
}

# What node 2 has been granted is where it writes; the reads that follow would succeed on the LUN.
fenced() {
	log_mark
	watch
	counted n2-img put "$RUN/one" "$IMG" "$MIB" 64k -- direct.writes=16
	fence 2 1
	refused put "$RUN/two" "$IMG" "$MIB"
	way_is n2-img 'unavailable fenced' || fail "$(dmsetup status n2-img)"
	must_log 'fenced: the LUN has refused a write of this node'
	within 10 grep -q "^route-changed uuid $UUID route unavailable reasons fenced$" "$RUN/events.log"
	! grep path-lost "$RUN/events.log" || fail 'it was taken for a path error'
	stop events
	counted n2-img refused dd if="$IMG" of=/dev/null bs=4k count=1 iflag=direct,skip_bytes skip="$MIB" -- direct.reads=0
	refused put "$RUN/two" "$IMG" 16M
	equal 'bios that are held' "$(held 2)" 0
	# Node 1 has its key.
	way_is volume 'direct -' || fail "$(dmsetup status volume)"
	put "$RUN/two" /dev/mapper/img2 0
	same "$RUN/one" /dev/mapper/img1 "$MIB" "$MIB"
}

back() {
	register 2
	route 2 direct
	way_is n2-img 'direct -' || fail "$(dmsetup status n2-img)"
	put "$RUN/two" "$IMG" "$MIB"
	same "$RUN/two" "$IMG" "$MIB" "$MIB"
	same "$RUN/two" /dev/mapper/img1 "$MIB" "$MIB"
}

# What waits for the coordinator does not wait any longer when the node is fenced.
held_fails() {
	kernel 2 session remove "$UUID" 1
	start waits dd if="$RUN/one" of="$IMG" bs=4k count=1 oflag=direct,seek_bytes seek=24M conv=notrunc
	within 10 is_held 2
	fence 2 1
	refused put "$RUN/one" "$IMG" "$MIB" 4k
	within 20 dead waits
	grep -q 'Invalid exchange' "$RUN/waits.log" || fail "$(<"$RUN/waits.log")"
	equal 'bios that are held' "$(held 2)" 0
	session 1 2
	back
}

# Node 2 is given up while two zero the same place: behind the first, which waits, the other waits in its ioctl. When the
# first has failed the block layer may write zeroes in its place, and the other is sent; that must not wait once more (I3).
given_up() {
	local name

	put "$RUN/two" "$IMG" "$MIB"
	route 2 held
	start first blkdiscard -f --zeroout -o "$MIB" -l "$MIB" "$IMG"
	within 20 is_held 2
	start second blkdiscard -f --zeroout -o "$MIB" -l "$MIB" "$IMG"
	sleep 1
	for name in first second; do
		alive "$name" || fail "$name has ended: $(<"$RUN/$name.log")"
	done
	dmsetup message n2-img 0 fail_held
	within 20 is_held 2
	route 2 unavailable
	equal 'bios that are held' "$(held 2)" 0
	for name in first second; do
		within 20 dead "$name"
		grep -q 'Input/output error' "$RUN/$name.log" || fail "$name: $(<"$RUN/$name.log")"
	done
	way_is n2-img 'unavailable admin' || fail "$(dmsetup status n2-img)"
	fails dd if="$RUN/one" of="$IMG" bs=4k count=1 oflag=direct,seek_bytes seek="$MIB" conv=notrunc 2>"$RUN/error"
	grep -q 'Input/output error' "$RUN/error" || fail "$(<"$RUN/error")"
	equal 'bios that are held' "$(held 2)" 0
	same "$RUN/two" /dev/mapper/img1 "$MIB" "$MIB"
	route 2 direct
	way_is n2-img 'direct -' || fail "$(dmsetup status n2-img)"
	same "$RUN/two" "$IMG" "$MIB" "$MIB"
	put "$RUN/one" "$IMG" "$MIB"
	same "$RUN/one" /dev/mapper/img1 "$MIB" "$MIB"
}

# A bio is on its way to the LUN when node 2 goes block-redirected, for which it is fenced.
expected() {
	trap 'dmsetup resume --noudevsync path2' EXIT
	dmsetup suspend --noudevsync --noflush --nolockfs path2
	start late dd if="$RUN/one" of="$IMG" bs=64k count=16 oflag=direct,seek_bytes seek="$MIB" conv=notrunc
	within 10 is_under_way
	start changes nsenter --net="$(netns 2)" "$HERE/../bin/covol" kernel volume set "$UUID" --route block-redirected \
		--redirect-peer 1
	within 10 way_is n2-img 'held moving'
	fence 2 1
	dmsetup resume --noudevsync path2
	within 20 dead changes
	within 20 dead late
	! grep -i error "$RUN/late.log" || fail 'the write has failed'
	way_is n2-img 'block-redirected admin' || fail "$(dmsetup status n2-img)"
	same "$RUN/one" /dev/mapper/img1 "$MIB" "$MIB"
	back
}

# The one bio of a dd is in the path's queue.
is_under_way() {
	[[ $(awk '{ print $9 }' "/sys/dev/block/$(dmsetup info -c --noheadings -o major,minor --separator : n2-img)/stat") -gt 0 ]]
}

# A coordinator that is fenced says "not here" to others: theirs waits, and fails by its own time limit only.
coordinator() {
	local patient=/dev/mapper/n2-patient

	device 2 n2-patient image:1 32 /dev/mapper/path2 "2 hold_timeout $((4000 * SLOW))"
	fence 1 2
	fails dd if="$RUN/one" of="$patient" bs=64k count=1 oflag=direct,seek_bytes seek=28M conv=notrunc 2>"$RUN/error"
	grep -q 'Connection timed out' "$RUN/error" || fail "$(<"$RUN/error")"
	way_is volume 'unavailable fenced' || fail "$(dmsetup status volume)"
	# What node 2 has it goes on with.
	way_is n2-img 'direct -' || fail "$(dmsetup status n2-img)"
	put "$RUN/two" "$IMG" "$MIB"
	same "$RUN/two" "$IMG" "$MIB" "$MIB"
	dmsetup remove --noudevsync n2-patient
}

down() {
	dmsetup resume --noudevsync path2
	nodes_down
	san_down
	module_down
}

first 'a LUN with reservations, a coordinator and a member with keys' up
it 'a member that is fenced: the write fails, the volume is unavailable at once, and says why' fenced
it 'it has a key again: a route is set, and it goes on' back
it 'what was held fails, too' held_fails
it 'given up: what waits fails, what comes when it has failed too, and nothing of it is done later' given_up
it 'a conflict while the route is changed: the bio takes the new route' expected
it 'a coordinator that is fenced: I/O of members waits' coordinator
last 'all is taken down; the module unloads' down
ktap_run
