#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Peers that do anything, from a seed, for a time: the machine goes on, and so does the I/O of another volume; nothing of them
# is left (invariants I4, I7, I10). See helpers/mutate.c.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh
# shellcheck source-path=SCRIPTDIR source=lib/peers.sh
. lib/peers.sh

# On each side; more where the kernel watches its memory.
SEED=${COVOL_SEED:-$RANDOM$RANDOM} SECONDS_EACH=${COVOL_FUZZ_SECONDS:-$((SLOW > 1 ? 60 : 10))}
readonly SEED SECONDS_EACH

# available: MiB of memory.
available() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo
}

memory_back() {
	[[ $(available) -ge $(($1 - 32)) ]]
}

# no_session VOLUME
no_session() {
	[[ $(kernel 1 session show "$1" --json | jq '.sessions | length') -eq 0 ]]
}

# random VOLUME: afterwards nothing of it is left.
random() {
	local before

	before=$(available)
	helper mutate "$1" "$PEER" "$EPOCH" "$SECONDS_EACH" "$SEED"
	within 20 no_session "$1"
	within 20 memory_back "$before"
	other_is_well
}

# What the peer may answer to: reads and writes of the member's device, all the time. They fail when they are held for long.
ask() {
	local at

	while true; do
		at=$((RANDOM % 2048))
		dd if=/dev/mapper/member-short of=/dev/null bs=64k count=1 iflag=direct,skip_bytes skip=$((at * 4096)) || true
		dd if=/dev/zero of=/dev/mapper/member-short bs=4k count=1 seek="$at" oflag=direct conv=notrunc || true
	done 2>/dev/null
}

random_coordinator() {
	export -f ask
	dmsetup create member-short --noudevsync --table "0 16384 covol $MEMBER image:1 /dev/ram1 131072 2 hold_timeout 1000"
	dmsetup mknodes member-short
	start ask bash -c ask
	random "$MEMBER"
	alive ask
	stop ask KILL
	within 30 dmsetup remove --noudevsync member-short
}

first 'volumes to attack, and another under load, come up' up
it "$SECONDS_EACH s of anything as a member (COVOL_SEED=$SEED)" "random $SERVED"
it "$SECONDS_EACH s of anything as the coordinator (COVOL_SEED=$SEED)" random_coordinator
it 'after all that good requests are answered' still_works
last "the other volume's load saw no error; all is taken down; the module unloads" down
ktap_run
