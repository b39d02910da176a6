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

has_reason() {
	[[ $(kernel 2 volume show --json) == *"$1"* ]]
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
		# I/O is held a moment before the reason is there.
		within 10 has_reason coordinator-lost
		session 1 2
	done
	load_ok "$name"
	equal 'bios that are held' "$(held 2)" 0
	[[ $(kernel 2 volume show --json) != *coordinator-lost* ]] || fail 'the reason has stayed'
	route 2 direct
}

# sum NODE FIELD [LANE...]: over these lanes of the node's session, or all.
sum() {
	local shown lane sum=0

	shown=$(kernel "$1" session show "$UUID" --lanes --json)
	for lane in "${@:3}"; do
		sum=$((sum + $(value "$2" lane "$lane" <<<"$shown")))
	done
	[[ $# -gt 2 ]] || sum=$(($(value "$2" <<<"$shown" | paste -sd +)))
	printf '%s\n' "$sum"
}

# Data on the lanes for it, on all of them; nothing else there.
lanes() {
	local before

	LANES=3 session 1 2
	equal 'lanes of the coordinator' "$(kernel 1 session show "$UUID" --json | value lanes)" 3
	before=$(sum 2 requests-sent 0)
	route 2 fs-redirected
	load lanes "$IMG" --cpus_allowed=0
	load more "$IMG" --cpus_allowed=1 --offset=16M
	within 20 busy 1
	within 20 busy 2
	load_ok lanes
	load_ok more
	route 2 direct
	[[ $(sum 2 requests-sent 0) -le $((before + 20)) ]] || fail "data on the control lane: $(kernel 2 session show --lanes)"
	equal 'requests of the lanes' "$(sum 2 requests-sent)" "$(kernel 2 session show --json | value requests-sent)"
	equal 'requests served' "$(sum 1 requests-served 1 2)" "$(sum 2 requests-sent 1 2)"
}

# busy LANE
busy() {
	[[ $(sum 2 requests-sent "$1") -gt 100 ]]
}

# lanes_are NETWORK NUMBER: connections of the session before may still be going.
lanes_are() {
	[[ $(ss -Htn "sport = :$PORT" dst "10.$1.0.2" | wc -l) -eq $2 ]]
}

# The last of three lanes.
cut_one() {
	local port

	within 10 lanes_are 7 3
	port=$(ss -Htn "sport = :$PORT" dst 10.7.0.2 | awk 'END { sub(".*:", "", $5); print $5 }')
	ss -K -Htn dst "10.7.0.2:$port" | grep -q . || fail "no connection to port $port"
}

lane_cut() {
	export LANES=3
	session 1 2
	log_mark
	lost_under_load cut cut_one
	must_log 'session with node'
}

# Two networks, and more lanes than addresses.
spread() {
	local network

	ip address add 10.8.0.1/24 dev covol0
	ip -n n2 address add 10.8.0.2/24 dev eth0
	ADDRESSES=10.7.0.1:$PORT,10.8.0.1:$PORT LANES=4 session 1 2
	for network in 7 8; do
		within 10 lanes_are "$network" 2
	done
	route 2 fs-redirected
	put "$RUN/one" "$IMG" 8M
	same "$RUN/one" "$IMG" $((8 << 20)) 1048576
	route 2 direct
	session 1 2
	ip -n n2 address delete 10.8.0.2/24 dev eth0
	ip address delete 10.8.0.1/24 dev covol0
}

# The network is gone, without a word: both ends notice, with requests under way and without.
network_gone() {
	export LANES=2
	session 1 2
	log_mark
	route 2 fs-redirected
	load gone "$IMG"
	sleep 0.5
	ip link set v2 down
	within 30 no_session 2 1
	within 30 no_session 1 2
	within 10 is_held 2
	must_log 'the peer does not answer'
	ip link set v2 up
	# Where a network has just come back a connection may be reset that had come about.
	within 30 session 1 2
	load_ok gone
	route 2 direct
}

# The LUN stops for longer than a silent peer has: whoever reads is not silent. What waits is not given up, and not kept quiet.
slow_coordinator() {
	local lost

	log_mark
	lost=$(kernel 2 volume show --json | value sessions-lost)
	route 2 fs-redirected
	load slowly "$IMG"
	sleep 0.5
	dmsetup suspend --noudevsync --noflush --nolockfs slow
	sleep 23
	must_log 'node 1 has not answered a '
	dmsetup resume --noudevsync slow
	load_ok slowly
	within 5 logged 'node 1 answers again'
	route 2 direct
	equal 'sessions lost' "$(kernel 2 volume show --json | value sessions-lost)" "$lost"
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
	local at=$((48 << 20)) last=no session

	put "$RUN/one" "$IMG" "$at"
	route 2 fs-redirected
	late_write "$RUN/one" "$IMG" "$at"
	kernel 2 session remove "$UUID" 1
	has_late || fail 'too slow: the write has ended before its session'
	session 1 2 &
	session=$!
	# It should wait for the old session's. If it does not, nothing waits for what comes now either.
	sleep 4
	if dead late; then
		last=yes
		put "$RUN/two" "$IMG" "$at"
	fi
	late_lands
	# Node 2 may have thought meanwhile that nobody answers.
	wait "$session" || within 30 session 1 2
	within 20 dead late
	[[ $last == yes ]] || put "$RUN/two" "$IMG" "$at"
	same "$RUN/two" "$IMG" "$at" 1048576
	route 2 direct
	same "$RUN/two" "$IMG" "$at" 1048576
}

# What was lost with a session can be failed when its peer is forgotten, not before: the peer may be doing it still.
lost_fails() {
	local at=$((48 << 20))

	put "$RUN/one" "$IMG" "$at"
	route 2 fs-redirected
	late_write "$RUN/two" "$IMG" "$at"
	kernel 2 session remove "$UUID" 1
	within 10 is_held 2
	route 2 held
	dmsetup message n2-img 0 fail_held
	sleep 1
	alive late || fail 'what node 1 may be doing still has failed'
	kernel 2 session remove "$UUID" 1 --forget
	dmsetup message n2-img 0 fail_held
	within 10 dead late
	grep -q 'Input/output error' "$RUN/late.log" || fail "$(<"$RUN/late.log")"
	late_lands
	equal 'bios that are held' "$(held 2)" 0
	session 1 2
	route 2 direct
	put "$RUN/one" "$IMG" "$at"
	same "$RUN/one" "$IMG" "$at" 1048576
}

direct_goes_on() {
	# Where the loads have written: ahead of a new writer chunks are prepared, and below there has to be a hole.
	put "$RUN/one" "$IMG" 8M
	within 10 has 2 "$IMG" $((8 << 20)) data
	kernel 2 session remove "$UUID" 1
	counted n2-img put "$RUN/one" "$IMG" 8M 64k -- direct.writes=16
	start hole dd if="$RUN/one" of="$IMG" bs=64k count=1 seek=640 oflag=direct conv=notrunc
	within 10 is_held 2
	same "$RUN/one" "$IMG" $((8 << 20)) 1048576
	session 1 2
	within 10 dead hole
	head -c 65536 "$RUN/one" >"$RUN/some"
	same "$RUN/some" "$IMG" $((640 * 65536)) 65536
}

# epoch_differs FIRST SECOND: raised on one node, then on the other.
epoch_differs() {
	local first=$1 second=$2 epoch

	epoch=$(($(kernel 1 volume show --json | value epoch) + 1))
	route 2 fs-redirected
	load epoch "$IMG"
	sleep 0.5
	kernel "$first" volume set "$UUID" --epoch "$epoch"
	within 10 is_held 2
	sleep 0.5
	counters n2-img
	alive epoch || fail "the load has ended: $(tail -n 5 "$RUN/epoch.log")"
	# It is tried again every second, and then is under way for a moment.
	within 10 is_held 2
	kernel "$second" volume set "$UUID" --epoch "$epoch"
	load_ok epoch
	equal 'bios that are held' "$(held 2)" 0
	route 2 direct
}

# events NODE: its next two (the session's end, and the route's reason if it is the member) to $RUN/events.log.
events() {
	start events nsenter --net="$(netns "$1")" "$HERE/../bin/covol" kernel events --timeout $((20 * SLOW)) --count "$1"
	within 10 grep -q following "$RUN/events.log"
}

# had PATTERN
had() {
	within 20 dead events
	grep -q "$1" "$RUN/events.log" || fail "not \"$1\": $(<"$RUN/events.log")"
}

# An end that was planned is one on both sides, and nowhere an error.
event() {
	log_mark
	events 1
	kernel 2 session remove "$UUID" 1
	had '^session-lost .* peer 2 planned$'
	must_log 'session with node 2 ended as planned'
	session 1 2
	events 2
	kernel 2 session remove "$UUID" 1
	had '^session-lost .* peer 1 planned$'
	session 1 2
	events 1
	ss -K -H -t dst 10.7.0.2 >/dev/null
	had '^session-lost .* peer 2 error '
	within 10 no_session 1 2
	within 10 no_session 2 1
	session 1 2
}

down() {
	nodes_down
	module_down
}

# From a live session and route direct, whatever the test before has left.
ready() {
	nothing_late
	# First: what is held cannot be stopped.
	session_live 1 2 || within 30 session 1 2
	route 2 direct
	stop_load
	"$@"
}

stop_load() {
	local name

	for name in here there reset replaced epoch hole late lanes more cut gone slowly; do
		stop "$name" KILL
	done
}

first 'a coordinator and a member come up' up
it 'the member ends the session under load' 'ready removed_here'
it 'the coordinator ends the session under load' 'ready removed_there'
it 'the connection is reset under load' 'ready reset'
it 'a new session replaces a live one under load' 'ready replaced'
it 'what was lost with a session fails when its peer is forgotten, not before' 'ready lost_fails'
it 'a write that the old session has in service is not done after those of the new one' 'ready late_service'
it 'without a session direct I/O goes on, what needs the coordinator is held' 'ready direct_goes_on'
it 'the coordinator has another epoch: STALE, I/O is held until the member has it too' 'ready epoch_differs 1 2'
it 'the member has another epoch: I/O is held until the coordinator has it too' 'ready epoch_differs 2 1'
it 'a lost session is an event, and so is one that was ended as planned' 'ready event'
it 'three lanes: data on two of them' 'ready lanes'
it 'one lane of three is cut under load' 'ready lane_cut'
it 'four lanes over two networks' 'ready spread'
it 'the network is gone without a word: noticed, and nothing is lost' 'ready network_gone'
it 'a coordinator that is slow for long keeps its sessions' 'ready slow_coordinator'
last 'all is taken down; the module unloads' down
ktap_run
