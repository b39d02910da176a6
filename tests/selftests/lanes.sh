#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A peer with several lanes, seen from its end: which message comes on which lane (I6), PING and GOODBYE, and what happens to
# a peer that is silent (I7). See helpers/lanes.c for what each case does.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly SERVED=22222222-2222-3333-4444-555555555555	# coordinated here; the peer is a member
readonly MEMBER=33333333-2222-3333-4444-555555555555	# the peer is the coordinator
readonly PEER=9 EPOCH=3
# Cases that mostly wait: each has a node of its own, so that they wait together.
declare -rA PATIENT=([silent]=11 [deaf]=12 [goodbye-deaf]=13 [slow]=$PEER)

up() {
	module_up
	ip link set lo up
	kernel 1 volume add "$SERVED" --node 1 --coordinator 1 --epoch "$EPOCH" --plaintext --lun /dev/ram1 --lun-offset 0 --size 64M
	kernel 1 volume set "$SERVED" --route direct
	dmsetup create served-volume --noudevsync --table "0 131072 covol $SERVED volume /dev/ram1 0"
	dmsetup mknodes
	mkfs.ext4 -q -F /dev/mapper/served-volume
	mkdir -p "$RUN/served"
	mount /dev/mapper/served-volume "$RUN/served"
	truncate -s 8M "$RUN/served/image"
	kernel 1 image add "$SERVED" 1 --size 8M --file "$RUN/served/image"

	kernel 1 volume add "$MEMBER" --node 1 --coordinator "$PEER" --epoch "$EPOCH" --plaintext --lun /dev/ram1 --lun-offset 64M --size 64M
	kernel 1 volume set "$MEMBER" --route direct
	kernel 1 image add "$MEMBER" 1 --size 8M
	dmsetup create member --noudevsync --table "0 16384 covol $MEMBER image:1 /dev/ram1 131072"
	dmsetup mknodes
}

# member CASE: the peer is a member.
member() {
	helper lanes "$SERVED" "$PEER" "$EPOCH" "$@"
}

# coordinator CASE: the peer is the coordinator.
coordinator() {
	helper lanes "$MEMBER" "$PEER" "$EPOCH" "$1" /dev/mapper/member
}

# patient_begin: the cases in PATIENT, in the background. They end sessions at times of their own, of which the log has so many
# and no more: not beside those that end many.
patient_begin() {
	local name volume device

	for name in "${!PATIENT[@]}"; do
		volume=$SERVED device=
		[[ $name != slow ]] || volume=$MEMBER device=/dev/mapper/member
		# shellcheck disable=SC2016
		start "$name" bash -c '"$@"; echo "status $?"' - "$HERE/../bin/lanes" "$volume" "${PATIENT[$name]}" "$EPOCH" \
			"$name" $device
	done
}

# patient CASE: it has ended well.
patient() {
	within 90 grep -q '^status' "$RUN/$1.log"
	equal "what $1 says" "$(<"$RUN/$1.log")" 'status 0'
}

# What the peer's map of the image is to be, as user space would say it. Three grants.
control() {
	cat >"$RUN/grant" <<-SCRIPT
		set -e
		. $HERE/value.sh
		covol=$HERE/../bin/covol
		for i in 1 2 3; do
			seq=\$("\$covol" kernel image show $SERVED --json | value layout-seq)
			"\$covol" kernel map set $SERVED 1 hole:0:64K --offset 0 --length 64K --peer $PEER --seq "\$seq"
		done
	SCRIPT
	member control "bash $RUN/grant"
}

# From every CPU.
data_lanes() {
	local cpu

	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		taskset -c "$cpu" "$HERE/../bin/lanes" "$MEMBER" "$PEER" "$EPOCH" data-lanes /dev/mapper/member
	done
}

planned() {
	start events "$HERE/../bin/covol" kernel events --timeout $((20 * SLOW)) --count 1 --json
	within 10 grep -q following "$RUN/events.log"
	member goodbye
	within 10 dead events
	grep -q '"event":"session-lost".*"peer":9,"planned":true' "$RUN/events.log" || fail "$(<"$RUN/events.log")"
}

down() {
	nodes_down
	module_down
}

first 'volumes come up' up
it 'data is asked for on the other lanes, layouts on the control lane' data_lanes
it 'an answer on another lane than the question ends the session; the I/O is asked again' 'coordinator other-lane'
it 'the peer says goodbye: the end is planned, and an event says so' planned
it 'PING and GOODBYE with what they do not have end the session' 'member ping-malformed'
it 'peers that are silent, deaf and slow begin to be so' patient_begin
it 'requests on three lanes are answered where they came' 'member each-lane'
it 'a session with a lane that is unfit, or twice the same, is refused as a whole' 'member all-or-none'
it 'grants and recalls come on the control lane, in order' control
it 'one lane is closed: all end' 'member cut'
it '200 PINGs at once are answered, each once' 'member ping'
it 'a PING comes as soon as a session begins' 'member ping-first'
it 'answers to a PING that was not sent end the session' 'member ping-unasked'
it 'a session that is removed says goodbye on the control lane' 'member goodbye-comes'
it 'a peer that does not care for the goodbye is not waited for' 'patient goodbye-deaf'
it 'a peer that is silent on one of its lanes is given up' 'patient silent'
it 'a peer that does not read is given up' 'patient deaf'
it 'a peer that is slow, and answers PINGs, is waited for' 'patient slow'
last 'all is taken down; the module unloads' down
ktap_run
