#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Polled I/O (REQ_POLLED: io_uring with IORING_SETUP_IOPOLL) on a LUN that can be polled: it ends on each way that it may
# take, and on those that change meanwhile.
#
# The LUN is a null_blk device, which ends what is polled for only when it is polled, or fails it after 30 s.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
LUN=/dev/nullb0
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG=/dev/mapper/n2-img SMALL=/dev/mapper/n2-small
readonly NULLB=/sys/kernel/config/nullb/nullb0 QUEUE=/sys/block/nullb0/queue
readonly TRACING=/sys/kernel/tracing
# Polled I/O for fio.
readonly POLLED=(--ioengine=io_uring --hipri=1)

null_lun() {
	modprobe null_blk nr_devices=0
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
	mkdir "$NULLB"
	echo "$LUN_MIB" >"$NULLB/size"
	echo 1 >"$NULLB/memory_backed"
	echo 1 >"$NULLB/submit_queues"
	echo 1 >"$NULLB/poll_queues"
	echo 1 >"$NULLB/power"
}

# The debug kernel has no probes: there it is only seen whether all goes well.
has_probes() {
	[[ -d $TRACING/events ]] || mount -t tracefs nodev "$TRACING"
	[[ -e $TRACING/kprobe_events ]]
}

# What the LUN's driver finds when it is asked for what has ended.
watch_polls() {
	has_probes || return 0
	# shellcheck disable=SC2016
	echo 'r:polled/found null_blk:null_poll nr=$retval:s32' >>"$TRACING/kprobe_events"
	echo 'hist:keys=nr if nr > 0' >"$TRACING/events/polled/found/trigger"
}

# found: so many requests by now.
found() {
	has_probes || return 0
	awk '/^\{ nr:/ { sum += $3 * $6 } END { print sum + 0 }' "$TRACING/events/polled/found/hist"
}

up() {
	local at

	module_up
	null_lun
	watch_polls
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	session 2 3
	image 1 32M 2
	image 2 8M 2
	layouts 1 2
	route 2 direct
	route 3 direct
	device 2 n2-img image:1 32
	device 2 n2-small image:2 8
	pattern one $((16 * MIB)) >"$RUN/all"
	head -c "$MIB" "$RUN/all" >"$RUN/one"
	put "$RUN/all" "$IMG" 0 1M
	for ((at = 0; at < 16 * MIB; at += MIB)); do
		within 20 has 2 "$IMG" "$at" data
	done
}

# queue NAME FILE: of a device.
queue() {
	cat "/sys/block/$(dmsetup info -c --noheadings -o blkdevname "$1")/queue/$2"
}

# polled DEVICE OPTION...: fio does it, or fails.
polled() {
	local device=$1
	shift

	fio --name=polled --filename="$device" --thread "${POLLED[@]}" --direct=1 --bs=4k --iodepth=16 --randrepeat=0 "$@"
}

# verified DEVICE OPTION...: random writes, which are read again.
verified() {
	polled "$@" --rw=randwrite --verify=crc32c --verify_fatal=1
}

offers() {
	equal 'io_poll of the LUN' "$(<"$QUEUE/io_poll")" 1
	equal "io_poll of a member's image" "$(queue n2-img io_poll)" 1
	equal "io_poll of the coordinator's volume" "$(queue volume io_poll)" 1
}

# By nothing else but polling does it end.
direct() {
	local before

	before=$(found)
	counted n2-img verified "$IMG" --size=2M -- direct.writes=512 direct.reads=512
	# The LUN may get neighbours as one request.
	! has_probes || between 'requests found by polling' $(($(found) - before)) 512 1024
}

zeroes() {
	dd if="$SMALL" of=/dev/null bs=4k count=1 iflag=direct status=none
	within 20 state_is 2 image:2 0 hole
	counted n2-small polled "$SMALL" --rw=write --verify=pattern --verify_pattern=0x00 --verify_only --size=1M -- zero.reads=256
}

# known: node 2 has the layout of what is read.
known() {
	dd if="$SMALL" of=/dev/null bs=64k count=8 iflag=direct status=none
	state_is 2 image:2 0 data && state_is 2 image:2 131072 hole && state_is 2 image:2 262144 data
}

# A hole between data.
parts() {
	put "$RUN/one" "$SMALL" 0 1M
	blkdiscard -f -o 131072 -l 65536 "$SMALL"
	within 20 known
	counted n2-small polled "$SMALL" --rw=read --bs=512k --size=512k -- direct.reads=any zero.reads=1
}

redirected() {
	# Holes, whatever is prepared ahead of writers.
	blkdiscard -f -o $((28 * MIB)) -l $((2 * MIB)) "$IMG"
	counters n2-img
	verified "$IMG" --offset=28M --size=2M
	counter_over n2-img fs.writes "${COUNT[fs.writes]}"
	route 2 fs-redirected
	counted n2-img verified "$IMG" --size=1M -- fs.writes=256 fs.reads=256
	route 2 block-redirected --redirect-peer 3
	counted n2-img verified "$IMG" --size=1M -- block.writes=256 block.reads=256
	route 2 direct
}

# More than the LUN takes at once, and larger: then who polls is not made to wait.
crowded() {
	local requests sectors

	requests=$(<"$QUEUE/nr_requests")
	sectors=$(<"$QUEUE/max_sectors_kb")
	echo 4 >"$QUEUE/nr_requests"
	counters n2-img
	verified "$IMG" --size=2M --iodepth=64
	counter_over n2-img held.writes "${COUNT[held.writes]}"
	echo 64 >"$QUEUE/max_sectors_kb"
	verified "$IMG" --size=4M --bs=256k
	echo "$sectors" >"$QUEUE/max_sectors_kb"
	echo "$requests" >"$QUEUE/nr_requests"
	equal 'bios that are held' "$(held 2)" 0
}

switching() {
	local i way before

	before=$(found)
	counters n2-img
	load verify "$IMG" "${POLLED[@]}" --offset=8M
	wander
	goes_on n2-img direct
	load_ok verify
	for way in direct fs block held; do
		i=${COUNT[$way.writes]}
		counter_over n2-img "$way.writes" "$i" || fail "no writes $way"
	done
	! has_probes || [[ $(found) -gt $before ]] || fail 'nothing was polled for'
	equal 'bios that are held' "$(held 2)" 0
}

# stopped NAME: all threads of what was started so.
stopped() {
	[[ $(ps -L -o state= -s "$(<"$RUN/$1.pid")" | cut -c 1 | sort -u) == T ]]
}

# What goes on when it is released is for nobody to poll: a process that does not poll holds up no other, nor the change of
# route that waits for what is under way. If it did, the LUN would fail it in the end.
unattended() {
	load verify "$IMG" "${POLLED[@]}"
	goes_on n2-img direct
	route 2 held
	within 20 is_held 2
	kill -STOP -- "-$(<"$RUN/verify.pid")"
	within 20 stopped verify
	counters n2-img
	log_mark
	route 2 direct
	within 20 counter_over n2-img direct.writes "${COUNT[direct.writes]}"
	route 2 fs-redirected
	! logged 'timed out' || fail 'what was released waited to be polled for'
	! logged 'path to the LUN lost' || fail 'what was released failed'
	route 2 direct
	kill -CONT -- "-$(<"$RUN/verify.pid")"
	goes_on n2-img direct
	load_ok verify
}

# It ends by an error, too.
fails_in_time() {
	device 2 n2-quick image:1 32 "$LUN" "2 hold_timeout $((1000 * SLOW))"
	route 2 held
	fails polled /dev/mapper/n2-quick --rw=read --size=64k >"$RUN/quick.log" 2>&1
	grep -qi 'timed out' "$RUN/quick.log" || fail "$(<"$RUN/quick.log")"
	route 2 direct
	dmsetup remove --noudevsync n2-quick
}

down() {
	nodes_down
	if has_probes; then
		echo '!hist:keys=nr if nr > 0' >"$TRACING/events/polled/found/trigger"
		echo '-:polled/found' >>"$TRACING/kprobe_events"
	fi
	rmdir "$NULLB"
	rmmod null_blk
	module_down
}

first 'a coordinator and two members come up, on a LUN that can be polled' up
it 'the devices can be polled as the LUN can' offers
it 'direct: it ends by polling the LUN' direct
it 'zeroes are there at once' zeroes
it 'in parts: a hole between data' parts
it 'redirected, by each way: it ends by itself' redirected
it 'the LUN cannot take it at once: it does not fail' crowded
it 'fio verifies while the route changes every 200 ms: no error' switching
it 'what was held goes on although nobody polls' unattended
it 'hold_timeout: it fails after its time' fails_in_time
last 'all is taken down; the module unloads' down
ktap_run
