#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Very many extents in one map: what they take, and what is changed among them. COVOL_EXTENTS says how many.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

# Even.
readonly EXTENTS=${COVOL_EXTENTS:-150000}
readonly BLOCK=4096 PLACES=65536
# At most so many bytes an extent, ten times.
readonly MOST=400

up() {
	module_up
	network_up 2
	volume_add 2
	kernel 2 image add "$UUID" 1 --size $((EXTENTS * BLOCK))
}

# place NUMBER: where extent NUMBER lies; none continues the one before it.
place() {
	echo $(($1 * 7919 % PLACES * BLOCK))
}

count() {
	kernel 2 image show "$UUID" 1 --json | value extents
}

# nodes: bytes of all maple trees of the machine. Nodes that were replaced are freed some time later.
nodes() {
	awk '$1 == "maple_node" { print $2 * $4 }' /proc/slabinfo
}

# few BEFORE: there are not more than there may be for all extents. Sets bytes: tenths of one, for each.
few() {
	bytes=$((($(nodes) - $1) * 10 / EXTENTS))
	[[ $bytes -le $MOST ]]
}

fewer() {
	[[ $(nodes) -lt $1 ]]
}

load_all() {
	local before begin bytes

	before=$(nodes)
	begin=$SECONDS
	on 2 "$HERE/../bin/extents" "$UUID" 1 "$EXTENTS" "$BLOCK" "$PLACES"
	begin=$((SECONDS - begin))
	equal 'extents' "$(count)" "$EXTENTS"
	if grep -q ' kasan_report$' /proc/kallsyms; then
		# It keeps what was freed for a while, and so the nodes that were replaced.
		few "$before" || true
	else
		within 20 few "$before"
	fi
	echo "covol scale: $EXTENTS extents: loaded in $begin s; $((bytes / 10)).$((bytes % 10)) bytes an extent" | tee /dev/kmsg
	[[ $bytes -ge 80 ]] || fail "that is less than it can be"
}

look_up() {
	local i

	for i in 0 1 $((EXTENTS / 2)) $((EXTENTS - 1)); do
		equal "extent $i" "$(kernel 2 map show "$UUID" image:1 --offset $((i * BLOCK)) --json |
			jq -c '.extents[0] | [.offset, .length, .state, .place]')" "[$((i * BLOCK)),$BLOCK,\"data\",$(place "$i")]"
	done
}

split() {
	local i=$((EXTENTS / 3)) at
	at=$((i * BLOCK))

	kernel 2 map clear "$UUID" image:1 --offset $((at + 512)) --length 512
	equal 'extents' "$(count)" $((EXTENTS + 1))
	equal 'state of what was cut out' "$(state 2 image:1 $((at + 512)))" unknown
	equal 'state behind it' "$(state 2 image:1 $((at + 1024)))" data
	kernel 2 map set "$UUID" image:1 "data:$((at + 512)):512:$(($(place "$i") + 512))"
	equal 'extents' "$(count)" "$EXTENTS"
	look_up
}

# One extent in place of half of them; then nothing.
forget() {
	local begin now half=$((EXTENTS * BLOCK / 2))

	kernel 2 map set "$UUID" image:1 "hole:0:$half"
	equal 'extents' "$(count)" $((EXTENTS - EXTENTS / 2 + 1))
	equal 'state' "$(state 2 image:1 $((half - 512)))" hole
	equal 'state' "$(state 2 image:1 "$half")" data
	now=$(nodes)
	begin=$SECONDS
	kernel 2 map clear "$UUID" image:1
	echo "covol scale: half of them forgotten in $((SECONDS - begin)) s" | tee /dev/kmsg
	equal 'extents' "$(count)" 0
	within 20 fewer "$now"
}

down() {
	nodes_down
	module_down
}

first 'a member with an image' up
it "$EXTENTS extents are loaded, of at most $((MOST / 10)) bytes" load_all
it 'each is found' look_up
it 'one is cut in pieces, and is whole again' split
it 'most are replaced by one, and all are forgotten' forget
last 'all is taken down; the module unloads' down
ktap_run
