#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Coherence: no node reads what is older than a completed write, whatever it has been granted (invariants I2, I5, I6).

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
LUN=/dev/mapper/slow
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly IMG2=/dev/mapper/n2-img IMG3=/dev/mapper/n3-img

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
	device 1 img image:1 64
	device 2 n2-img image:1 64
	device 3 n3-img image:1 64
	pattern one "$MIB" >"$RUN/one"
	pattern two "$MIB" >"$RUN/two"
	head -c "$MIB" /dev/zero >"$RUN/zero"
}

# fresh READER DEVICE WRITER DEVICE MIB...: who reads zeroes by itself sees what another writes as soon as it is written.
# Downwards: for a writer that goes upwards the coordinator fills holes ahead.
fresh() {
	local reader=$1 from=$2 to=$4 mib
	shift 4

	for mib in "$@"; do
		within 10 has "$reader" "$from" $((mib * MIB)) hole
		put "$RUN/one" "$to" $((mib * MIB)) 1M
		same "$RUN/one" "$from" $((mib * MIB)) "$MIB"
	done
}

# What allocates is on the LUN when it is acknowledged, data and mapping (I1); nobody asks for a flush.
crash() {
	local at

	# Now: what is written back later does not count.
	sync -f "$MNT"
	head -c 4096 "$RUN/two" >"$RUN/some"
	for at in 1 3 5 7; do
		put "$RUN/some" "$IMG2" $((at * MIB + 8192)) 4k
	done
	crashed
	for at in 1 3 5 7; do
		cmp -n 4096 -i "0:$((at * MIB + 8192))" "$RUN/some" "$CRASHED/image1" || fail "the write at $at MiB is lost"
		same "$RUN/some" "$IMG3" $((at * MIB + 8192)) 4096
	done
	crashed_down
}

# The writer has the hole, too, and reads before any grant can have come.
own_write() {
	local at=$((16 * MIB))

	within 10 has 2 "$IMG2" "$at" hole
	stop layout
	put "$RUN/one" "$IMG2" "$at" 1M
	same "$RUN/one" "$IMG2" "$at" "$MIB"
	layouts 1
}

# The coordinator does not know what the writer has, nobody asks it to give that back: the map is of this node's user space.
own_map() {
	# One chunk: what is prepared ahead would be granted, and node 2 have something again after the recall.
	image 3 1M 2
	device 2 n2-own image:3 1
	kernel 2 map set "$UUID" image:3 "hole:0:1M"
	counted n2-own same "$RUN/zero" /dev/mapper/n2-own 0 "$MIB" -- zero.reads=any zero.read-bytes="$MIB"
	put "$RUN/one" /dev/mapper/n2-own 0 1M
	same "$RUN/one" /dev/mapper/n2-own 0 "$MIB"
	dmsetup remove --noudevsync n2-own
	kernel 2 image remove "$UUID" 3
	kernel 1 image recall "$UUID" 3
	kernel 1 image remove "$UUID" 3
}

# ended NAME: on a slow machine node 2 was silent for so long that it was given up. It comes back, as an agent would have it.
ended() {
	dead "$1" && return
	session_live 1 2 || session 1 2
	return 1
}

# The writer has the hole of the whole chunk. When the chunk is allocated others write to the rest of it; the writer must not
# make zeroes of that, however long its grant is on the way.
late_grant() {
	local at=$((28 * MIB)) before

	within 10 has 2 "$IMG2" "$at" hole
	within 10 has 2 "$IMG2" $((at + MIB - 4096)) hole
	head -c 4096 "$RUN/one" >"$RUN/first"
	head -c 4096 "$RUN/two" >"$RUN/rest"
	before=$(sequence)
	modprobe sch_netem
	# Nothing reaches node 2; what it sends arrives.
	tc qdisc add dev v2 root netem loss 100%
	start writer dd if="$RUN/first" of="$IMG2" bs=4k oflag=direct,seek_bytes seek="$at" conv=notrunc
	within 20 changed_since "$before"
	start beside dd if="$RUN/rest" of=/dev/mapper/img bs=4k oflag=direct,seek_bytes seek=$((at + MIB - 4096)) conv=notrunc
	sleep 2
	# It may wait for node 2. If it does not, node 2 must read it.
	! dead beside || timeout 20 dd if="$IMG2" of="$RUN/read" bs=4k count=1 iflag=direct,skip_bytes skip=$((at + MIB - 4096)) || true
	tc qdisc del dev v2 root
	within 40 ended beside
	within 40 ended writer
	[[ ! -s $RUN/read ]] || cmp "$RUN/rest" "$RUN/read" || fail 'node 2 has made zeroes of it'
	same "$RUN/rest" "$IMG2" $((at + MIB - 4096)) 4096
	same "$RUN/first" /dev/mapper/img "$at" 4096
}

changed_since() {
	[[ $(sequence) -gt $1 ]]
}

discard() {
	local at=$((22 * MIB))

	put "$RUN/one" "$IMG3" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	within 10 has 2 "$IMG2" "$at" data
	within 10 has 1 /dev/mapper/img "$at" data
	blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	for node in 1 2 3; do
		! state_is "$node" image:1 "$at" data || fail "node $node has the extent still"
	done
	same "$RUN/zero" "$IMG2" "$at" "$MIB"
	same "$RUN/zero" "$IMG3" "$at" "$MIB"
	same "$RUN/zero" /dev/mapper/img "$at" "$MIB"
}

# The coordinator remembers what may be written in place. What is a hole by now is not written in place: who reads zeroes there
# has to hear of it.
discard_forgets() {
	local at=$((22 * MIB))

	route 2 fs-redirected
	put "$RUN/one" "$IMG2" "$at" 1M
	put "$RUN/two" "$IMG2" "$at" 1M
	blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	within 10 has 3 "$IMG3" $((at + 8192)) hole
	same "$RUN/zero" "$IMG3" "$at" "$MIB"
	head -c 4096 "$RUN/one" >"$RUN/first"
	put "$RUN/first" "$IMG2" $((at + 8192)) 4096
	same "$RUN/first" "$IMG3" $((at + 8192)) 4096
	same "$RUN/zero" "$IMG3" $((at + 12288)) 4096
	route 2 direct
}

# Blocks that are freed are used again elsewhere while another node writes to where they were.
freed_blocks() {
	local at=$((26 * MIB)) i

	for i in 1 2 3; do
		put "$RUN/one" "$IMG2" "$at" 1M
		within 10 has 3 "$IMG3" "$at" data
		blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
		# fills what was freed
		put "$RUN/two" "$IMG2" $((at + i * MIB)) 1M
		# node 3 must not write to the old blocks
		put "$RUN/one" "$IMG3" "$at" 1M
		same "$RUN/two" "$IMG2" $((at + i * MIB)) "$MIB"
		same "$RUN/one" "$IMG2" "$at" "$MIB"
	done
}

# Blocks are not freed under a write that is on its way to them.
holder_writes() {
	local at=$((18 * MIB))

	put "$RUN/one" "$IMG2" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	counted n3-img late_write "$RUN/two" "$IMG3" "$at" -- direct.writes=1
	start discard blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	sleep 3
	alive discard || fail 'the discard did not wait for what node 3 writes'
	late_lands
	within 20 dead discard
	same "$RUN/zero" "$IMG2" "$at" "$MIB"
}

no_session() {
	! session_live "$1" "$2"
}

# Its session is lost, so that it cannot be asked; but it has what it was granted still.
lost_holder() {
	local at=$((20 * MIB))

	put "$RUN/one" "$IMG2" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	kernel 3 session remove "$UUID" 1
	within 10 no_session 1 3
	start discard blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	sleep 2
	alive discard || fail 'the discard did not wait for node 3'
	equal 'state on node 3' "$(state 3 image:1 "$at")" data
	session 1 3
	within 20 dead discard
	! state_is 3 image:1 "$at" data || fail 'node 3 has the extent still'
	same "$RUN/zero" "$IMG3" "$at" "$MIB"
}

# The session goes while the member is asked.
lost_in_recall() {
	local at=$((20 * MIB))

	put "$RUN/one" "$IMG2" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	ip link set v3 down
	start discard blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	sleep 1
	alive discard || fail 'the discard did not wait for node 3'
	# Each end says goodbye to the other, and hears nothing.
	leave 3 1 &
	leave 1 3
	wait $!
	sleep 1
	alive discard || fail 'the discard did not wait for the session to come back'
	equal 'state on node 3' "$(state 3 image:1 "$at")" data
	ip link set v3 up
	within 10 reachable 3
	within 30 session 1 3
	within 20 dead discard
	! state_is 3 image:1 "$at" data || fail 'node 3 has the extent still'
	same "$RUN/zero" "$IMG3" "$at" "$MIB"
}

reachable() {
	ping -c 1 -W 1 "10.7.0.$1"
}

# With node 3 in a session, whatever the test before has left.
ready() {
	ip link set v3 up
	session_live 1 3 || within 30 session 1 3
	"$@"
}

sequence() {
	kernel 1 image show "$UUID" 1 --json | value layout-seq
}

# grant SEQ EXTENT...: from the coordinator to node 2.
grant() {
	kernel 1 map set "$UUID" image:1 --peer 2 --seq "$@"
}

old_grant() {
	local at=$((36 * MIB)) seq

	stop layout
	seq=$(sequence)
	blkdiscard -f -o "$at" -l 65536 "$IMG2"
	# What has not changed is granted, what has is not.
	grant "$seq" "hole:$at:65536" "hole:$((at + 65536)):65536"
	within 10 state_is 2 image:1 $((at + 65536)) hole
	equal 'state of what has changed' "$(state 2 image:1 "$at")" unknown
	# One extent over both is cut.
	grant "$seq" "hole:$((at - 65536)):196608"
	within 10 state_is 2 image:1 $((at - 65536)) hole
	equal 'state of what has changed' "$(state 2 image:1 "$at")" unknown
	equal 'state behind it' "$(state 2 image:1 $((at + 65536)))" hole
	# With the sequence of now it is granted.
	grant "$(sequence)" "hole:$at:65536"
	within 10 state_is 2 image:1 "$at" hole
	layouts 1
}

too_old_grant() {
	local at=$((40 * MIB)) seq

	seq=$(sequence)
	# More changes than are remembered (COVOL_CHANGES, 256); each is a change, and counts twice.
	blkdiscard -f --step 4096 -o "$at" -l $((264 * 4096)) "$IMG2"
	echo "sequence $seq before, $(sequence) after"
	between 'changes' $(($(sequence) - seq)) 528 590
	helper rawnl <<-TABLE
		ESTALE seq: too much has changed | MAP_SET MAP_UUID=uuid:$UUID MAP_OBJECT=u64:1 MAP_PEER=u32:2 MAP_SEQ=u64:$seq MAP_OFFSET=u64:$at MAP_LENGTH=u64:4096
	TABLE
	fails grant "$seq" "hole:$at:4096" 2>"$RUN/error"
	grep -q 'too much has changed' "$RUN/error" || fail "$(<"$RUN/error")"
	fails kernel 1 map set "$UUID" image:1 --peer 2 "hole:$at:4096" 2>"$RUN/error"
	grep -q 'seq: missing' "$RUN/error" || fail "$(<"$RUN/error")"
	fails grant "$(sequence)" --offset "$at" --length 4096 "data:$at:4096:$((VOLUME_MIB * MIB))" 2>"$RUN/error"
	grep -q "past the volume's end" "$RUN/error" || fail "$(<"$RUN/error")"
}

silent_holder() {
	local at=$((8 * MIB))

	put "$RUN/one" "$IMG2" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	start events "$HERE/../bin/covol" kernel events --timeout $((50 * SLOW))
	within 10 grep -q following "$RUN/events.log"
	ip link set v3 down
	start discard blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	within 30 grep -q '^recall-timeout .* object 1 peer 3' "$RUN/events.log"
	alive discard || fail 'the discard did not wait for node 3'
	# What needs no recall from node 3 goes on meanwhile. By another device: Linux lets nobody seek in one that discards.
	put "$RUN/two" /dev/mapper/img $((16 * MIB)) 1M
	same "$RUN/two" /dev/mapper/img $((16 * MIB)) "$MIB"
	kernel 1 session remove "$UUID" 3 --forget
	within 10 dead discard
	stop events
	same "$RUN/zero" "$IMG2" "$at" "$MIB"
	ip link set v3 up
}

# Node 3 has no session and is forgotten. An extent on its way to it must not make it a holder, whom a change would wait for.
forgotten_holder() {
	local at=$((12 * MIB))

	session_live 1 3 && kernel 1 session remove "$UUID" 3
	kernel 1 session remove "$UUID" 3 --forget
	put "$RUN/one" "$IMG2" "$at" 1M
	within 10 has 2 "$IMG2" "$at" data
	fails kernel 1 map set "$UUID" image:1 --peer 3 --seq "$(sequence)" "hole:$((60 * MIB)):4096" 2>"$RUN/error"
	grep -q 'peer: no session with this node' "$RUN/error" || fail "$(<"$RUN/error")"
	timeout 20 blkdiscard -f -o "$at" -l "$MIB" "$IMG2" || fail 'the discard waits for node 3'
	same "$RUN/zero" "$IMG2" "$at" "$MIB"
}

# deaf NODE: nothing reaches it; what it sends arrives.
deaf() {
	modprobe sch_netem
	tc qdisc add dev "v$1" root netem loss 100%
}

# leave NODE PEER: its session ends, unless it has by itself: a peer of which nothing comes is not waited for.
leave() {
	kernel "$1" session remove "$UUID" "$2" || no_session "$1" "$2"
}

# comes_back NODE: its session is lost at both ends; it can hear again, and connects.
comes_back() {
	ss -K -H -t dst "10.7.0.$1" >/dev/null
	within 10 no_session 1 "$1"
	leave "$1" 1
	tc qdisc del dev "v$1" root
	session 1 "$1"
}

# soon NODE COMMAND...: until it succeeds. Fails when the session of NODE, which is deaf, ends before, as it does after 10 s.
soon() {
	local node=$1
	shift

	until "$@" >/dev/null 2>&1; do
		session_live 1 "$node" || return
		sleep 0.1
	done
}

recalls() {
	kernel "$1" image show "$UUID" 1 --json | value recalls-received
}

recalled_since() {
	[[ $(recalls "$1") -gt $2 ]]
}

# Two members are lost, and what each of them has asked for waits for the other: both can come back.
crossed() {
	local at=$((30 * MIB)) beside=$((32 * MIB)) before late=''

	put "$RUN/one" "$IMG2" "$at" 1M
	put "$RUN/one" "$IMG3" "$beside" 1M
	within 10 has 3 "$IMG3" "$at" data
	within 10 has 2 "$IMG2" "$beside" data
	before=$(recalls 2)
	deaf 3
	start discard2 blkdiscard -f -o "$at" -l "$MIB" "$IMG2"
	# It has returned the range itself; now it is node 3's turn.
	within 10 recalled_since 2 "$before"
	sleep 1
	deaf 2
	before=$(sequence)
	start discard3 blkdiscard -f -o "$beside" -l "$MIB" "$IMG3"
	soon 3 changed_since "$before" || late=yes
	ss -K -H -t dst 10.7.0.3 >/dev/null
	ss -K -H -t dst 10.7.0.2 >/dev/null
	comes_back 2
	comes_back 3
	within 30 dead discard2
	within 30 dead discard3
	same "$RUN/zero" "$IMG3" "$at" "$MIB"
	same "$RUN/zero" "$IMG2" "$beside" "$MIB"
	[[ -z $late ]] || skip 'too slow: node 3 was lost before it had asked'
}

# What a member has asked for waits for a range, and who has that waits for the member: it can come back.
waits_for_range() {
	local at=$((30 * MIB)) before late=''

	put "$RUN/one" "$IMG2" "$at" 1M
	within 10 has 3 "$IMG3" "$at" data
	deaf 3
	before=$(sequence)
	start discard blkdiscard -f -o "$at" -l "$MIB" /dev/mapper/img
	within 10 changed_since "$before"
	start waits blkdiscard -f -o "$at" -l "$MIB" "$IMG3"
	soon 3 serving 3 || late=yes
	comes_back 3
	within 30 dead discard
	within 30 dead waits
	same "$RUN/zero" "$IMG3" "$at" "$MIB"
	[[ -z $late ]] || skip 'too slow: node 3 was lost before it had asked'
}

# serving PEER: node 1 has a request of its in service.
serving() {
	[[ $(kernel 1 session show "$UUID" --json | value serving peer "$1") -gt 0 ]]
}

# A recall waits for a write that went through the coordinator, and with the session is lost: both are done over the next one.
recall_of_lost() {
	local at=$((30 * MIB)) before session

	put "$RUN/one" "$IMG3" "$at" 1M
	within 10 has 2 "$IMG2" "$at" data
	kernel 2 volume set "$UUID" --route block-redirected --redirect-peer 1
	late_write "$RUN/two" "$IMG2" "$at"
	before=$(recalls 2)
	start discard blkdiscard -f -o "$at" -l "$MIB" "$IMG3"
	within 10 recalled_since 2 "$before"
	ss -K -H -t dst 10.7.0.2 >/dev/null
	within 10 no_session 1 2
	within 10 no_session 2 1
	session 2 1 &
	session=$!
	sleep 1
	late_lands
	# Node 2 may have thought meanwhile that nobody answers.
	wait "$session" || within 30 session 2 1
	within 30 dead late
	within 30 dead discard
	same "$RUN/zero" "$IMG2" "$at" "$MIB"
	route 2 direct
}

down() {
	nodes_down
	module_down
}

first 'a coordinator and two members come up' up
it 'what one member writes another sees at once, where it made zeroes before' "fresh 2 $IMG2 3 $IMG3 62 54 46"
it 'the same with the coordinator as reader' "fresh 1 /dev/mapper/img 3 $IMG3 60 52"
it 'the same with the coordinator as writer' "fresh 2 $IMG2 1 /dev/mapper/img 58 50"
it 'a writer sees its own write where it made zeroes before' own_write
it 'every acknowledged allocating write survives the coordinator' crash
it 'the same with a map that user space has given it' own_map
it 'a writer makes no zeroes of what others write beside it, even without its grant' late_grant
it 'a discard takes the extents back from all nodes' discard
it 'what was written in place before a discard is not after it' discard_forgets
it 'blocks that were freed and used again are not written by who had them' freed_blocks
it 'a recall waits for what the holder is writing' 'ready holder_writes'
# What is of sessions and layouts is the same on every file system.
if [[ ${FILE_SYSTEM:-xfs} == xfs ]]; then
	it 'a grant is cut by what changed since its extents were read' old_grant
	it 'a grant that is too old is refused' too_old_grant
	it 'a member that is lost: the change waits until it is back, and has returned' 'ready lost_holder'
	it 'a member that is lost while it is asked: the same' 'ready lost_in_recall'
	it 'two members are lost, and what each has asked for waits for the other: both come back' 'ready crossed'
	it 'what a lost member has asked for waits for a range that waits for the member: it comes back' 'ready waits_for_range'
	it 'a recall waits for a write that is lost: the member comes back, both are done' 'ready recall_of_lost'
	it 'a member that does not answer a recall: the change waits, an event says so, forget ends it' 'ready silent_holder'
	it 'who was forgotten does not become a holder without a session' forgotten_holder
fi
last 'all is taken down; the module unloads' down
ktap_run
