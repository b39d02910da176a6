#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Changes of route: nothing fails because of one; what is held is released, or fails after its time.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
LUN=/dev/mapper/slow
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly IMG=/dev/mapper/n2-img

up() {
	module_up
	slow_lun
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	session 2 3
	image 1 32M 2
	image 2 16M 2
	layouts 1 2
	route 2 direct
	route 3 direct
	device 2 n2-img image:1 32
	device 2 n2-impatient image:2 16 "$LUN" "2 hold_timeout $((2000 * SLOW))"
	pattern one 1048576 >"$RUN/one"
	pattern two 1048576 >"$RUN/two"
}

switching() {
	local way

	load verify "$IMG"
	wander
	load_ok verify
	counters n2-img
	for way in direct fs block held; do
		between "writes $way" "${COUNT[$way.writes]}" 1 1000000
	done
	equal 'bios that are held' "$(held 2)" 0
}

# I3: who is told that the route has changed may write the same sectors by the new one.
waits() {
	local at=$((24 << 20))

	put "$RUN/one" "$IMG" "$at"
	within 10 has 2 "$IMG" "$at" data
	counted n2-img late_write "$RUN/two" "$IMG" "$at" -- direct.writes=1
	start change nsenter --net="$(netns 2)" "$HERE/../bin/covol" kernel volume set "$UUID" --route fs-redirected
	sleep 1
	alive change || fail 'the change did not wait'
	start meanwhile dd if="$RUN/two" of="$IMG" bs=64k skip=1 count=1 seek=$((at + 65536)) oflag=direct,seek_bytes conv=notrunc
	within 5 is_held 2
	sleep 1
	alive change || fail 'the change did not wait'
	late_lands
	within 20 dead change
	within 10 dead late
	within 10 dead meanwhile
	same "$RUN/two" "$IMG" "$at" 131072
	route 2 direct
	same "$RUN/two" "$IMG" "$at" 131072
}

# Routes change on the coordinator, too: its own device is served without a socket.
coordinator_switching() {
	local i way

	device 1 img image:1 32
	load verify1 /dev/mapper/img
	for ((i = 0; i < 4; i++)); do
		for way in fs-redirected direct; do
			route 1 "$way"
			sleep 0.2
		done
	done
	load_ok verify1
	dmsetup remove --noudevsync img
}

release() {
	route 2 held
	start held dd if="$RUN/one" of="$IMG" bs=64k oflag=direct conv=notrunc
	within 10 is_held 2
	[[ $(dmsetup status n2-img) == *' member held admin '* ]] || fail "status: $(dmsetup status n2-img)"
	sleep 1
	alive held || fail 'held I/O has ended'
	route 2 direct
	within 10 dead held
	same "$RUN/one" "$IMG" 0 1048576
}

hold_timeout() {
	local begin took

	put "$RUN/one" /dev/mapper/n2-impatient 0
	route 2 held
	begin=${EPOCHREALTIME/./}
	fails dd if=/dev/mapper/n2-impatient of=/dev/null bs=4k count=1 iflag=direct
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
	between 'ms until it failed' "$took" $((1900 * SLOW)) $((100000 * SLOW))
	must_log 'held I/O failed after hold_timeout'
	route 2 direct
	same "$RUN/one" /dev/mapper/n2-impatient 0 1048576
}

# An I/O that is released in time does not fail, however slow the machine.
no_timeout() {
	device 2 n2-patient image:2 16 "$LUN" '2 hold_timeout 3600000'
	route 2 held
	start patient dd if=/dev/mapper/n2-patient of=/dev/null bs=4k count=1 iflag=direct
	within 10 is_held 2
	sleep 1
	route 2 direct
	within 10 dead patient
	dmsetup remove --noudevsync n2-patient
	grep -q '4096 bytes' "$RUN/patient.log" || fail "$(<"$RUN/patient.log")"
}

events() {
	start events "$HERE/../bin/covol" kernel events --count 2 --timeout $((20 * SLOW))
	within 10 grep -q following "$RUN/events.log"
	route 1 fs-redirected
	route 1 direct
	within 10 dead events
	grep -q '^route-changed .* route fs-redirected .*reasons admin' "$RUN/events.log" || fail "$(<"$RUN/events.log")"
	grep -q '^route-changed .* route direct .*reasons -' "$RUN/events.log" || fail "$(<"$RUN/events.log")"
}

down() {
	nodes_down
	module_down
}

first 'a coordinator and two members come up' up
it 'fio verifies while the route changes every 200 ms: no error' switching
it 'the same on the coordinator itself' coordinator_switching
it 'a change of route waits for I/O under way, and holds what comes meanwhile' waits
it 'held I/O waits, and goes on when it is released' release
it 'hold_timeout: held I/O fails after its time' 'hold_timeout_logged'
it 'hold_timeout: what is released in time does not fail' no_timeout
it 'a change of route is an event' events
last 'all is taken down; the module unloads' down

hold_timeout_logged() {
	log_mark
	hold_timeout
}

ktap_run
