#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the module shows of itself: tracepoints with the right fields, what is under way in debugfs, counters that
# add up, and faults on demand.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
LUN=/dev/mapper/slow
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG2=/dev/mapper/n2-img IMG3=/dev/mapper/n3-img
readonly TRACING=/sys/kernel/tracing
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
	image 1 64M 2 3
	layouts 1
	route 2 direct
	route 3 direct
	device 2 n2-img image:1 64
	device 3 n3-img image:1 64
	pattern one "$MIB" >"$RUN/one"
	head -c 65536 "$RUN/one" >"$RUN/some"
	[[ -d $TRACING/events ]] || mount -t tracefs nodev "$TRACING"
	[[ -d $TRACING/events/covol ]]
	[[ -d $DEBUG/covol ]] || mount -t debugfs nodev "$DEBUG"
	[[ -d $DEBUG/covol ]]
}

# ---- looking at events ----

# tracing on|off: all events; on begins anew.
tracing() {
	if [[ $1 == on ]]; then
		echo >"$TRACING/trace"
		echo 1 >"$TRACING/events/covol/enable"
	else
		echo 0 >"$TRACING/events/covol/enable"
		grep -v '^#' "$TRACING/trace" >"$RUN/trace" || true
	fi
}

# traced COMMAND...: its events into $RUN/trace.
traced() {
	tracing on
	"$@"
	tracing off
}

# events NAME WORD...: lines of this event that have all the words ("node=2").
events() {
	local name=$1 word lines
	shift

	lines=$(grep " covol_$name: " "$RUN/trace") || return 1
	for word in "volume=$UUID" "$@"; do
		lines=$(awk -v word="$word" '{ for (i = 1; i <= NF; i++) if ($i == word) { print; next } }' <<<"$lines")
	done
	[[ -n $lines ]] && printf '%s\n' "$lines"
}

# event NAME WORD...: there is one.
event() {
	events "$@" >/dev/null && return
	grep -m 20 " covol_$1: " "$RUN/trace" || true
	fail "no event $*"
}

no_event() {
	! events "$@" || fail "an event $*"
}

# field NAME: of the line on stdin.
field() {
	head -n 1 | grep -o " $1=[^ ]*" | cut -d = -f 2
}

# ---- tests ----

# A first write, through the coordinator: one request on both nodes, and what it does to the layout.
redirected() {
	local at=$((4 * MIB)) id words

	traced put "$RUN/some" "$IMG2" "$at"
	words=(op=write object=1 "offset=$at" length=65536)
	event route node=2 "${words[@]}" way=fs-redirected
	id=$(events call_sent node=2 peer=1 "${words[@]}" | field id)
	[[ -n $id && $id != 0x0 ]] || fail "id is '$id'"
	event serve_begin node=1 peer=2 "id=$id" "${words[@]}" err=0
	event serve_end node=1 peer=2 "id=$id" "${words[@]}" err=0
	event call_answered node=2 peer=1 "id=$id" "${words[@]}" err=0
	between 'ns to serve' "$(events serve_end "id=$id" node=1 | field ns)" 1000 60000000000
	event change_begin node=1 object=1
	event change_end node=1 object=1
	event chunk_prepared node=1 peer=2 object=1 err=0
	event grant_sent node=1 peer=2 object=1 err=0
	event grant_installed node=2 peer=1 object=1 err=0
	# The file system's own I/O, on the coordinator.
	event route node=1 object=0 op=write way=direct state=data
}

direct() {
	local at=$((8 * MIB))

	put "$RUN/one" "$IMG2" "$at" 1M
	within 10 has 2 "$IMG2" "$at" data
	traced put "$RUN/one" "$IMG2" "$at" 64k
	event route node=2 object=1 op=write "offset=$((at + 65536))" length=65536 way=direct state=data
	equal 'bios that went direct' "$(events route node=2 op=write way=direct | wc -l)" 16
	no_event call_sent op=write
	no_event hold
}

zeroes() {
	local at=$((60 * MIB))

	within 10 has 2 "$IMG2" "$at" hole
	traced part "$IMG2" "$at" 4096 >/dev/null
	event route node=2 object=1 op=read way=zero-filled state=hole
}

recalled() {
	local at=$((12 * MIB)) node

	put "$RUN/one" "$IMG3" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	within 10 has 2 "$IMG2" "$at" data
	traced blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	event route node=2 object=1 op=discard way=fs-redirected
	for node in 2 3; do
		event recall_sent node=1 "peer=$node" object=1 "offset=$at" "length=$MIB"
		event recall_drained "node=$node" peer=1 object=1 "offset=$at" "length=$MIB"
		event recall_answered node=1 "peer=$node" object=1 "offset=$at" "length=$MIB" err=0
		event serve_end "node=$node" peer=1 op=recall err=0
	done
}

held_and_released() {
	put "$RUN/one" "$IMG2" 16M 1M
	within 10 has 2 "$IMG2" $((16 * MIB)) data
	tracing on
	route 2 held
	start waits dd if="$RUN/one" of="$IMG2" bs=4k count=1 seek=4096 oflag=direct conv=notrunc
	within 10 is_held 2
	sleep 0.2
	route 2 direct
	within 10 dead waits
	tracing off
	event route_changed node=2 route=held reasons=admin
	event hold node=2 object=1 op=write offset=$((16 * MIB)) length=4096 route=held reasons=admin held=1
	event release node=2 object=1 op=write offset=$((16 * MIB)) length=4096
	between 'ns that it was held' "$(events release node=2 | field ns)" 100000000 60000000000
	event route_changed node=2 route=direct reasons=
	event route node=2 op=write offset=$((16 * MIB)) way=direct
}

session_events() {
	tracing on
	kernel 2 session remove "$UUID" 1
	session 1 2
	tracing off
	event session_lost node=2 peer=1
	event session_lost node=1 peer=2
	event session_up node=2 peer=1 err=0
	event session_up node=1 peer=2 err=0
	event route_changed node=2 reasons=coordinator-lost
}

waits_for_room() {
	[[ $(kernel 2 session show "$UUID" --json | value queued) -gt 0 ]]
}

# stand_still: all that uses the LUN waits, until go_on.
stand_still() {
	trap go_on EXIT
	dmsetup suspend --noudevsync --noflush --nolockfs slow
}

go_on() {
	dmsetup resume --noudevsync slow
}

# More than the window takes at once.
queued() {
	route 2 fs-redirected
	tracing on
	stand_still
	start reads dd if="$IMG2" of=/dev/null bs=4M count=1 skip=1 iflag=direct
	within 10 waits_for_room
	go_on
	within 20 dead reads
	tracing off
	route 2 direct
	event call_queued node=2 peer=1 op=read object=1 id=0x0
}

# A bio that goes direct passes one tracepoint, and it is off.
off() {
	local at=$((8 * MIB))

	echo >"$TRACING/trace"
	put "$RUN/one" "$IMG2" "$at" 1M
	equal 'events while all are off' "$(grep -c -v '^#' "$TRACING/trace")" 0
}

# ---- debugfs ----

# shown NODE FILE: of the volume.
shown() {
	cat "$DEBUG/covol/$UUID-$1/$2"
}

# shows NODE FILE REGEX: one of its lines does.
shows() {
	shown "$1" "$2" | grep -E "^$3\$"
}

held_file() {
	put "$RUN/one" "$IMG2" 16M 1M
	within 10 has 2 "$IMG2" $((16 * MIB)) data
	shows 2 held 'route direct reasons - held 0 oldest-ms 0'
	route 2 held
	start waits dd if="$RUN/one" of="$IMG2" bs=4k count=1 seek=4096 oflag=direct conv=notrunc
	within 10 is_held 2
	sleep 0.3
	shows 2 held 'route held reasons admin held 1 oldest-ms [1-9][0-9]{2,}'
	shows 2 held "bio object 1 op WRITE offset $((16 * MIB)) length 4096 age-ms [1-9][0-9]{2,}"
	route 2 direct
	within 10 dead waits
	shows 2 held 'route direct reasons - held 0 oldest-ms 0'
}

# A discard waits for a recall from node 3, whose direct I/O is slow to end.
under_way() {
	local at=$((20 * MIB))

	put "$RUN/one" "$IMG3" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	late_write "$RUN/some" "$IMG3" "$at"
	start discards blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	within 10 shows 1 images "change image 1 offset $at length $MIB age-ms [0-9]+"
	shows 1 images "range image 1 offset $at length $MIB exclusive age-ms [0-9]+"
	shows 1 images 'image 1 served 1 extents [0-9]+ holders [0-9]+ seq [0-9]+'
	shows 1 sessions "serving peer 2 id 0x[0-9a-f]+ op DISCARD object 1 offset $at length $MIB age-ms [0-9]+"
	within 10 shows 1 sessions "call peer 3 id 0x[0-9a-f]+ op RECALL object 1 offset $at length $MIB age-ms [0-9]+"
	shows 2 sessions "call peer 1 id 0x[0-9a-f]+ op DISCARD object 1 offset $at length $MIB age-ms [0-9]+"
	shows 2 sessions 'session peer 1 state live outstanding [1-9][0-9]* .*'
	late_lands
	within 20 dead discards
	within 10 dead late
	within 10 not_shown 1 images 'change .*'
	within 10 not_shown 1 images 'range .*'
	within 10 not_shown 1 sessions '(serving|call) .*'
}

not_shown() {
	! shows "$@"
}

# ---- counters ----

# count NODE WHAT: a counter of image 1, or of the volume if it is one of those.
count() {
	kernel "$1" image show "$UUID" 1 --json | value "$2"
}

count_volume() {
	kernel "$1" volume show "$UUID" --json | value "$2"
}

count_session() {
	kernel "$1" session show "$UUID" --json | value "$3" peer "$2"
}

# stat NODE WAY WHAT: of image 1.
stat() {
	kernel "$1" stats "$UUID" image:1 --json | jq -r ".stats[] | select(.way == \"$2\") | .\"$3\""
}

layout_counters() {
	local at=$((28 * MIB)) sent received grants granted told session

	put "$RUN/one" "$IMG3" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	sent=$(count 1 recalls-sent) received=$(count 3 recalls-received) session=$(count_session 3 1 recalls-received)
	blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	[[ $(count 1 recalls-sent) -gt $sent ]]
	equal 'recalls of node 3' "$(count 3 recalls-received)" $((received + 1))
	equal 'recalls of its session' "$(count_session 3 1 recalls-received)" $((session + 1))
	grants=$(count 1 grants-sent) granted=$(count 2 grants-received) told=$(count_session 1 2 grants-sent)
	put "$RUN/some" "$IMG2" "$at"
	within 10 has 2 "$IMG2" "$at" data
	[[ $(count 1 grants-sent) -gt $grants && $(count 2 grants-received) -gt $granted ]]
	within 10 all_arrived "$granted" "$told"
	equal 'grants that node 2 has sent' "$(count 2 grants-sent)" 0
}

# all_arrived RECEIVED SENT: since then node 2 has received as many grants as node 1 has sent it.
all_arrived() {
	[[ $(($(count 2 grants-received) - $1)) -eq $(($(count_session 1 2 grants-sent) - $2)) ]]
}

latency() {
	local ios served

	route 2 fs-redirected
	ios=$(stat 2 fs-redirected ios) served=$(stat 1 served writes)
	put "$RUN/one" "$IMG2" 28M 64k
	route 2 direct
	equal 'redirected' "$(stat 2 fs-redirected ios)" $((ios + 16))
	equal 'served' "$(stat 1 served writes)" $((served + 16))
	between 'us of a redirected write' "$(stat 2 fs-redirected write-us)" 10 10000000
	between 'us of serving a write' "$(stat 1 served write-us)" 1 10000000
	equal 'us of a direct write, which is not timed' "$(stat 2 direct write-us)" null
}

replays() {
	local holds releases replays lost

	holds=$(count_volume 2 holds) releases=$(count_volume 2 releases)
	replays=$(count_volume 2 replays) lost=$(count_volume 2 sessions-lost)
	route 2 fs-redirected
	stand_still
	start reads dd if="$IMG2" of=/dev/null bs=64k count=1 skip=64 iflag=direct
	within 10 asks
	kernel 2 session remove "$UUID" 1
	within 10 is_held 2
	go_on
	session 1 2
	within 20 dead reads
	route 2 direct
	equal 'sessions lost' "$(count_volume 2 sessions-lost)" $((lost + 1))
	equal 'replays' "$(count_volume 2 replays)" $((replays + 1))
	[[ $(count_volume 2 holds) -gt $holds && $(count_volume 2 releases) -gt $releases ]]
	equal 'held' "$(held 2)" 0
	equal 'releases, all in all' "$(count_volume 2 releases)" "$(count_volume 2 holds)"
}

asks() {
	[[ $(kernel 2 session show "$UUID" --json | value outstanding) -gt 0 ]]
}

# ---- debugfs under load ----

# Readers of all files, all the time; errors are those of files that go.
readers() {
	while true; do
		cat "$DEBUG"/covol/*/* >/dev/null 2>&1 || true
	done
}

under_load() {
	route 2 fs-redirected
	export -f readers
	export DEBUG
	start readers bash -c readers
	load debugfs "$IMG2"
	sleep 2
	kernel 2 session remove "$UUID" 1
	session 1 2
	sleep 1
	load_ok debugfs
	route 2 direct
	alive readers
}

# The readers go on while all that they read is taken away.
removed_while_read() {
	local node i

	for node in 2 3; do
		dmsetup remove --noudevsync "n$node-img"
	done
	for i in 1 2; do
		for node in 2 3; do
			kernel 1 session remove "$UUID" "$node" --forget 2>/dev/null || true
			kernel "$node" session remove "$UUID" 1 2>/dev/null || true
			kernel "$node" image remove "$UUID" 1
			kernel "$node" volume remove "$UUID"
			[[ ! -e $DEBUG/covol/$UUID-$node ]] || fail "the files of node $node are still there"
			volume_add "$node"
			kernel "$node" image add "$UUID" 1 --size 64M
			session 1 "$node"
			[[ -e $DEBUG/covol/$UUID-$node/held ]] || fail "the files of node $node are not there again"
		done
	done
	alive readers
	stop readers KILL
}

# ---- faults ----

# fault NAME: once, at the next occasion.
fault() {
	local dir=$DEBUG/covol/fault/$1

	echo 0 >"$dir/verbose"
	echo 1 >"$dir/times"
	echo 100 >"$dir/probability"
}

happened() {
	[[ $(<"$DEBUG/covol/fault/$1/times") -eq 0 ]]
}

no_more_faults() {
	local dir

	for dir in "$DEBUG"/covol/fault/*/; do
		echo 0 >"$dir/probability"
	done
}

path_lost() {
	[[ $(kernel 1 volume show --json; kernel 2 volume show --json) == *no-disk-path* ]]
}

both_live() {
	session_live 1 2 || session 1 2
	session_live 1 3 || session 1 3
}

# ends_anyhow NAME: one end of a session may notice later than the other that it is lost.
ends_anyhow() {
	both_live
	dead "$1"
}

# Each of them once, under a write: nothing fails, and the data is right.
faults() {
	if [[ ! -d $DEBUG/covol/fault ]]; then
		skip 'this kernel has no fault injection'
	fi
	put "$RUN/one" "$IMG2" 32M 1M
	within 10 has 2 "$IMG2" $((32 * MIB)) data
	fault fail-direct
	start writes dd if="$RUN/one" of="$IMG2" bs=64k seek=512 oflag=direct conv=notrunc
	within 10 path_lost
	route 1 direct
	route 2 direct
	within 10 dead writes
	same "$RUN/one" "$IMG2" $((32 * MIB)) "$MIB"

	route 2 fs-redirected
	fault end-session
	start writes dd if="$RUN/one" of="$IMG2" bs=64k seek=528 oflag=direct conv=notrunc
	within 10 happened end-session
	within 20 ends_anyhow writes
	same "$RUN/one" "$IMG2" $((33 * MIB)) "$MIB"

	fault drop-message
	start writes dd if="$RUN/one" of="$IMG2" bs=64k seek=544 oflag=direct conv=notrunc
	within 10 happened drop-message
	sleep 1
	session 1 2
	session 1 3
	within 20 dead writes
	same "$RUN/one" "$IMG2" $((34 * MIB)) "$MIB"

	tracing on
	fault delay-reply
	put "$RUN/some" "$IMG2" 35M
	tracing off
	between 'ns to serve' "$(events serve_end op=write node=1 | field ns)" 900000000 100000000000
	no_more_faults
	route 2 direct
}

down() {
	echo 0 >"$TRACING/events/covol/enable"
	nodes_down
	module_down
}

first 'a coordinator and two members come up; the events are there' up
it 'a redirected write: the same request on both nodes, and the layout that it changes' redirected
it 'a direct write: one event a bio, nothing between nodes' direct
it 'a read that is filled with zeroes here' zeroes
it 'a discard: recalls sent, drained and answered' recalled
it 'a bio is held and released: how long, and why' held_and_released
it 'sessions come and go' session_events
it 'requests beyond the window are queued' queued
it 'no events when they are off' off
it 'debugfs: what is held, and how long' held_file
it 'debugfs: requests, changes and ranges that wait for a recall' under_way
it 'grants and recalls are counted at both ends' layout_counters
it 'what is redirected and served is timed, what is direct is not' latency
it 'a lost session: holds, releases and replays are counted' replays
it 'faults on demand: I/O survives each' faults
it 'debugfs is read under load' under_load
it 'debugfs is read while sessions, images and volumes go and come' removed_while_read
last 'all is taken down; the module unloads' down
ktap_run
