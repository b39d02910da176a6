#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Forward progress when memory is short: what a session has must do for all that its peer may ask, memory can be written out
# through covol while there is none, and an allocation that fails does not fail I/O (invariant I8). A deadlock ends at
# the time limit, with the stacks of what hangs in the kernel's log.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
LUN=/dev/mapper/slow
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG2=/dev/mapper/n2-img IMG3=/dev/mapper/n3-img
# Image 2, which is all data: for swap and file systems, on the coordinator and on a member.
readonly DISK1=/dev/mapper/disk DISK2=/dev/mapper/n2-disk
readonly DISK_MIB=96
# Left to the machine when memory is to be short, and what is then used of it.
readonly LEFT_MIB=64 USED_MIB=112
readonly DEBUG=/sys/kernel/debug

up() {
	module_up
	slow_lun
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	image 1 32M 2 3
	image 2 "${DISK_MIB}M" 2
	layouts 1 2
	route 2 direct
	route 3 direct
	device 2 n2-img image:1 32
	device 3 n3-img image:1 32
	device 1 disk image:2 "$DISK_MIB"
	device 2 n2-disk image:2 "$DISK_MIB"
	# The LUN is memory, too: what is written to it later must not need more.
	dd if=/dev/zero of="$DISK1" bs=1M oflag=direct status=none || [[ $(blockdev --getsize64 "$DISK1") -eq $((DISK_MIB * MIB)) ]]
	modprobe ext4
	# Nobody here needs large pages, and to make them while memory is short takes an emulator long.
	[[ ! -d /sys/kernel/mm/transparent_hugepage ]] || echo never >/sys/kernel/mm/transparent_hugepage/enabled
	[[ ! -e /proc/sys/vm/compaction_proactiveness ]] || echo 0 >/proc/sys/vm/compaction_proactiveness
}

# ---- waiting for each other ----

# fio NAME DEVICE FIRST-MIB MIB OPTION...: in the background; see ended_well.
fio_starts() {
	local name=$1 device=$2 first=$3 size=$4
	shift 4

	# shellcheck disable=SC2016
	start "$name" bash -c 'fio "$@"; echo "status $?"' - --name="$name" --filename="$device" --offset="${first}M" --size="${size}M" \
		--ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 --randrepeat=0 --output-format=terse \
		--terse-version=3 "$@"
}

ended_well() {
	within 100 grep -q '^status' "$RUN/$1.log"
	grep -q '^status 0$' "$RUN/$1.log" || fail "$1: $(grep -v '^3;' "$RUN/$1.log")"
}

# Image 1 is a hole again, and nodes 2 and 3 hold it.
both_hold_holes() {
	blkdiscard -f "$IMG2"
	within 20 has 2 "$IMG2" $((8 * MIB)) hole
	within 20 has 3 "$IMG3" $((24 * MIB)) hole
}

# Each chunk is recalled from the other, and zeroes from the writer itself, while as many writes as go at once are under way
# on the same connection.
each_recalls() {
	both_hold_holes
	fio_starts two "$IMG2" 0 16 --rw=randwrite --bs=1M --iodepth=16
	fio_starts three "$IMG3" 16 16 --rw=randwrite --bs=1M --iodepth=16
	ended_well two
	ended_well three
}

# Small ones: it is not bytes but requests that there are so many of.
each_recalls_small() {
	both_hold_holes
	fio_starts two "$IMG2" 0 16 --rw=randwrite --bs=4k --iodepth=256 --io_size=3M
	fio_starts three "$IMG3" 16 16 --rw=randwrite --bs=4k --iodepth=256 --io_size=3M
	ended_well two
	ended_well three
}

# What a recall waits for goes over the connection that is full of writes, which wait for the recall.
recall_waits_for_peer() {
	both_hold_holes
	put "$RUN/data" "$IMG2" 0 1M
	put "$RUN/data" "$IMG3" $((16 * MIB)) 1M
	within 20 has 2 "$IMG2" 0 data
	within 20 has 3 "$IMG3" $((16 * MIB)) data
	route 2 block-redirected --redirect-peer 1
	route 3 block-redirected --redirect-peer 1
	fio_starts two-data "$IMG2" 0 4 --rw=randwrite --bs=64k --iodepth=16 --loops=4
	fio_starts three-data "$IMG3" 16 4 --rw=randwrite --bs=64k --iodepth=16 --loops=4
	fio_starts two "$IMG2" 4 12 --rw=randwrite --bs=1M --iodepth=12
	fio_starts three "$IMG3" 20 12 --rw=randwrite --bs=1M --iodepth=12
	ended_well two
	ended_well three
	ended_well two-data
	ended_well three-data
	route 2 direct
	route 3 direct
}

# ---- bounds ----

in_use() {
	awk '/^MemTotal/ { total = $2 } /^MemAvailable/ { print total - $2 }' /proc/meminfo
}

# of_fio: what the load's own processes have. Others may end while their files are listed.
of_fio() {
	{ cat /proc/[0-9]*/status 2>/dev/null || true; } |
		awk '/^Name:/ { fio = $2 == "fio" } fio && /^Rss(Anon|Shmem)/ { sum += $2 } END { print sum + 0 }'
}

# 16 MiB wait for a LUN that is late. What a session needs it has from its beginning: both sides together take less than one
# copy of the data.
thousand() {
	local before taken most=0 i

	route 2 fs-redirected
	dd if="$RUN/large" of="$IMG2" bs=1M count=16 oflag=direct conv=notrunc status=none
	before=$(in_use)
	lun_is late
	start many fio --name=many --filename="$IMG2" --rw=write --bs=16k --size=16M --iodepth=1024 --ioengine=libaio --direct=1
	within 30 has_late
	within 30 many_wait
	for ((i = 0; i < 10; i++)); do
		taken=$(($(in_use) - before - $(of_fio)))
		[[ $taken -le $most ]] || most=$taken
		sleep 0.1
	done
	lun_is fast
	between 'KiB taken by a thousand requests' "$most" 0 12288
	late_lands
	within 100 dead many
	route 2 direct
}

many_wait() {
	[[ $(queued) -gt 700 ]]
}

queued() {
	kernel 2 session show "$UUID" --json | value queued peer 1
}

# ---- past the file system ----

# I/O on data takes nothing of what the file system may have to wait for, also if it has not been known yet to be data and
# where: nobody has written to that part through the coordinator's service. While the file system is frozen, whoever needs it
# waits.
past_file_system() {
	local some=$RUN/some

	head -c $((4 * MIB)) "$RUN/large" >"$some"
	blkdiscard -f "$IMG3"
	route 2 fs-redirected
	put "$RUN/data" "$DISK2" 0 1M
	fsfreeze --freeze "$MNT"
	start in-hole dd if="$some" of="$IMG3" bs=1M count=1 oflag=direct conv=notrunc status=none
	start in-data dd if="$some" of="$DISK2" bs=1M oflag=direct conv=notrunc status=none
	start in-unknown dd if="$some" of="$DISK2" bs=1M seek=40 oflag=direct conv=notrunc status=none
	within 20 dead in-data
	within 20 dead in-unknown
	same "$some" "$DISK2" 0 $((4 * MIB))
	alive in-hole || fail 'a write was allocated in a frozen file system'
	fsfreeze --unfreeze "$MNT"
	within 20 dead in-hole
	equal 'errors' "$(cat "$RUN"/in-{data,unknown,hole}.log)" ''
	same "$some" "$DISK1" 0 $((4 * MIB))
	same "$some" "$DISK1" $((40 * MIB)) $((4 * MIB))
	same "$some" "$IMG3" 0 "$MIB"
	route 2 direct
}

# ---- without memory ----

available() {
	awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo
}

# affordable: page by page, a debug kernel takes hours to find memory where there is none.
affordable() {
	[[ $SLOW -eq 1 ]] || skip 'not on a slow kernel'
}

# squeeze: only LEFT_MIB are left, the rest is locked.
squeeze() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	start ballast "$HERE/../bin/hog" lock $(($(available) - LEFT_MIB))
	echo 1000 >"/proc/$(<"$RUN/ballast.pid")/oom_score_adj"
	within 100 grep -q locked "$RUN/ballast.log"
}

relax() {
	alive ballast || fail "the machine ran out of memory: $(dmesg | grep -A 40 'invoked oom-killer' | tail -n 40)"
	stop ballast KILL
}

pages_out() {
	awk '/^pswpout/ { print $2 }' /proc/vmstat
}

# swap NODE DEVICE: more memory than there is; the rest is swapped out to the device, and comes back as it was.
swap() {
	local device=$1 before

	affordable
	mkswap "$device" >/dev/null
	squeeze
	swapon "$device"
	before=$(pages_out)
	start hog "$HERE/../bin/hog" swap "$USED_MIB" 1
	within 100 dead hog
	[[ ! -s $RUN/hog.log ]] || fail "$(<"$RUN/hog.log")"
	between 'pages swapped out' $(($(pages_out) - before)) 1024 10000000
	relax
	swapoff "$device"
}

swap_redirected() {
	affordable
	route 2 fs-redirected
	counted n2-disk swap "$DISK2" -- fs.reads=any fs.writes=any fs.others=any
	route 2 direct
}

swap_direct() {
	affordable
	within 20 covered
	swap "$DISK2"
}

# covered: node 2 has all of image 2 as data.
covered() {
	dd if="$DISK2" of=/dev/null bs=1M iflag=direct status=none
	[[ $(kernel 2 map show "$UUID" image:2 --json | jq '[.extents[] | select(.state == "data") | .length] | add') -eq \
		$((DISK_MIB * MIB)) ]]
}

swap_coordinator() {
	swap "$DISK1"
}

# file_system DEVICE: page cache of a file system on the device is written out while memory is short, and read again.
file_system() {
	local device=$1 sum i

	affordable
	mkfs.ext4 -q -F -O ^has_journal -E nodiscard "$device"
	mkdir -p "$RUN/disk"
	mount "$device" "$RUN/disk"
	squeeze
	for i in 1 2; do
		cp "$RUN/large" "$RUN/disk/file$i" || fail "copy $i"
	done
	sum=$(sha256sum <"$RUN/large")
	for i in 1 2; do
		equal "file $i" "$(sha256sum <"$RUN/disk/file$i")" "$sum"
	done
	umount "$RUN/disk"
	relax
}

written_back_redirected() {
	affordable
	route 2 fs-redirected
	file_system "$DISK2"
	route 2 direct
}

# The file system on the image and the one below it are in the same machine, and both need memory to write out pages.
# Holes, so that the one below allocates.
reentry() {
	blkdiscard -f "$DISK1"
	file_system "$DISK1"
}

# ---- allocations that fail ----

can_fail() {
	[[ -d $DEBUG/failslab && -d $DEBUG/fail_page_alloc ]]
}

# failing PERCENT: so many allocations of who is in the module, or was called by it.
failing() {
	local what name range=()

	mapfile -t range < <(awk '$4 == "[dm_covol]" && ($2 == "t" || $2 == "T") { print "0x" $1 }' /proc/kallsyms | sort)
	for what in failslab fail_page_alloc; do
		for name in verbose=0 times=-1 interval=1 ignore-gfp-wait=N min-order=0 stacktrace-depth=32 require-start="${range[0]}" \
			require-end="${range[-1]}" probability="$1"; do
			[[ ! -e $DEBUG/$what/${name%=*} ]] || echo "${name#*=}" >"$DEBUG/$what/${name%=*}"
		done
	done
}

none_failing() {
	! can_fail || failing 0
}

# On all ways: to data directly and through the coordinator, to holes.
io_while_failing() {
	can_fail || skip 'needs a kernel that can fail allocations'
	both_hold_holes
	failing 10
	fio_starts two "$IMG2" 0 8 --rw=randwrite --bs=64k --iodepth=8
	fio_starts three "$IMG3" 16 8 --rw=randwrite --bs=64k --iodepth=8
	ended_well two
	ended_well three
	route 2 fs-redirected
	route 3 block-redirected --redirect-peer 1
	fio_starts two "$IMG2" 0 8 --rw=randwrite --bs=16k --iodepth=8
	fio_starts three "$IMG3" 16 8 --rw=randwrite --bs=16k --iodepth=8
	ended_well two
	ended_well three
	failing 0
	route 2 direct
	route 3 direct
	session_live 1 2 || fail 'node 2 has lost its session'
	session_live 1 3 || fail 'node 3 has lost its session'
}

# ---- the suite ----

# From live sessions and enough memory, whatever the test before has left.
ready() {
	local name

	none_failing
	fsfreeze --unfreeze "$MNT" 2>/dev/null || true
	for name in two three two-data three-data many in-hole in-data in-unknown hog ballast; do
		stop "$name" KILL
	done
	lun_is fast
	! mountpoint -q "$RUN/disk" || umount "$RUN/disk"
	for name in "$DISK1" "$DISK2"; do
		! grep -q "^$(realpath "$name") " /proc/swaps || swapoff "$name"
	done
	[[ -e $RUN/data ]] || pattern data $((4 * MIB)) >"$RUN/data"
	[[ -e $RUN/large ]] || pattern large $((24 * MIB)) >"$RUN/large"
	session_live 1 2 || session 1 2
	session_live 1 3 || session 1 3
	route 2 direct
	route 3 direct
	"$@"
}

down() {
	none_failing
	fsfreeze --unfreeze "$MNT" 2>/dev/null || true
	nodes_down
	module_down
}

first 'a coordinator and two members come up' up
it 'who writes into holes waits for the other, over full connections: no deadlock' 'ready each_recalls'
it 'the same with many small requests' 'ready each_recalls_small'
it 'a recall that waits for I/O through a peer passes what waits for the recall' 'ready recall_waits_for_peer'
it 'a thousand requests wait for a slow LUN in bounded memory' 'ready thousand'
it 'redirected I/O on data needs nothing of the file system' 'ready past_file_system'
it 'swap on a redirected image when memory is short' 'ready swap_redirected'
it 'swap on an image that goes direct' 'ready swap_direct'
it 'swap on an image of this node, which is the coordinator' 'ready swap_coordinator'
it 'a file system on a redirected image writes out its pages when memory is short' 'ready written_back_redirected'
it 'a file system on an image of the coordinator, over the one that has the image' 'ready reentry'
it 'I/O goes on while allocations fail' 'ready io_while_failing'
last 'all is taken down; the module unloads' down
ktap_run
