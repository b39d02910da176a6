#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A session that is lost, and an epoch that differs: I/O is held and goes on, none fails.

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
	network_up 2
	coordinator_up
	volume_add 2
	session 1 2
	image 1 64M 2
	layouts 1
	route 2 direct
	device 2 n2-img image:1 64
	pattern one 1048576 >"$RUN/one"
	pattern two 1048576 >"$RUN/two"
}

no_session() {
	! session_live "$1" "$2"
}

# lost_under_load NAME COMMAND...: which ends the session; twice.
lost_under_load() {
	local name=$1 i
	shift

	route 2 fs-redirected
	load "$name" "$IMG"
	for i in 1 2; do
		sleep 0.5
		"$@"
		within 10 no_session 2 1
		within 10 is_held 2
		[[ $(kernel 2 volume show --json) == *coordinator-lost* ]] || fail "no reason in $(kernel 2 volume show --json)"
		session 1 2
	done
	load_ok "$name"
	equal 'bios that are held' "$(held 2)" 0
	[[ $(kernel 2 volume show --json) != *coordinator-lost* ]] || fail 'the reason has stayed'
	route 2 direct
}

removed_here() {
	lost_under_load here kernel 2 session remove "$UUID" 1
}

removed_there() {
	lost_under_load there kernel 1 session remove "$UUID" 2
}

reset() {
	log_mark
	lost_under_load reset ss -K -H -t dst 10.7.0.2
	must_log 'session with node'
}

# A new session replaces one that is live.
replaced() {
	route 2 fs-redirected
	load replaced "$IMG"
	sleep 0.5
	session 1 2
	sleep 0.5
	session 1 2
	load_ok replaced
	route 2 direct
}

# I3: a write is still on its way to the LUN when its session is lost. It is repeated in the next session, then the same
# sectors are written again. The first one must not be done after that.
late_service() {
	local at=$((48 << 20))

	put "$RUN/one" "$IMG" "$at"
	route 2 fs-redirected
	late_write "$RUN/one" "$IMG" "$at"
	kernel 2 session remove "$UUID" 1
	has_late || fail 'too slow: the write has ended before its session'
	session 1 2
	within 20 dead late
	put "$RUN/two" "$IMG" "$at"
	within 20 none_late
	same "$RUN/two" "$IMG" "$at" 1048576
	route 2 direct
	same "$RUN/two" "$IMG" "$at" 1048576
}

direct_goes_on() {
	put "$RUN/one" "$IMG" 32M
	within 10 has 2 "$IMG" $((32 << 20)) data
	kernel 2 session remove "$UUID" 1
	counted n2-img put "$RUN/one" "$IMG" 32M 64k -- direct.writes=16
	start hole dd if="$RUN/one" of="$IMG" bs=64k count=1 seek=640 oflag=direct conv=notrunc
	within 10 is_held 2
	same "$RUN/one" "$IMG" $((32 << 20)) 1048576
	session 1 2
	within 10 dead hole
	head -c 65536 "$RUN/one" >"$RUN/some"
	same "$RUN/some" "$IMG" $((640 * 65536)) 65536
}

# epoch_differs FIRST SECOND: raised on one node, then on the other.
epoch_differs() {
	local first=$1 second=$2 epoch

	epoch=$(($(kernel 1 volume show --json | jq '.volumes[0].epoch') + 1))
	route 2 fs-redirected
	load epoch "$IMG"
	sleep 0.5
	kernel "$first" volume set "$UUID" --epoch "$epoch"
	within 10 is_held 2
	sleep 0.5
	counters n2-img
	alive epoch || fail "the load has ended: $(tail -n 5 "$RUN/epoch.log")"
	is_held 2 || fail 'nothing is held any more'
	kernel "$second" volume set "$UUID" --epoch "$epoch"
	load_ok epoch
	equal 'bios that are held' "$(held 2)" 0
	route 2 direct
}

event() {
	start events "$HERE/../bin/covol" kernel events --timeout 20 --count 1
	within 10 grep -q following "$RUN/events.log"
	kernel 2 session remove "$UUID" 1
	within 10 dead events
	grep -q '^session-lost .* peer 2' "$RUN/events.log" || fail "$(<"$RUN/events.log")"
	session 1 2
}

down() {
	nodes_down
	module_down
}

# From a live session and route direct, whatever the test before has left.
ready() {
	stop_load
	session_live 1 2 || session 1 2
	route 2 direct
	"$@"
}

stop_load() {
	local name

	for name in here there reset replaced epoch hole late; do
		stop "$name" KILL
	done
}

first 'a coordinator and a member come up' up
it 'the member ends the session under load' 'ready removed_here'
it 'the coordinator ends the session under load' 'ready removed_there'
it 'the connection is reset under load' 'ready reset'
it 'a new session replaces a live one under load' 'ready replaced'
it 'a write that the old session has in service is not done after those of the new one' 'ready late_service'
it 'without a session direct I/O goes on, what needs the coordinator is held' 'ready direct_goes_on'
it 'the coordinator has another epoch: STALE, I/O is held until the member has it too' 'ready epoch_differs 1 2'
it 'the member has another epoch: I/O is held until the coordinator has it too' 'ready epoch_differs 2 1'
it 'a lost session is an event' 'ready event'
last 'all is taken down; the module unloads' down
ktap_run
