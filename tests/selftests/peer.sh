#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Peers that misbehave: the session ends with a line in the log, or the request is answered; the machine goes on, and so
# does the I/O of another volume (invariants I4, I7, I10). See helpers/peer.c for what each case does.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly SERVED=22222222-2222-3333-4444-555555555555	# coordinated here; the peer is a member
readonly MEMBER=33333333-2222-3333-4444-555555555555	# the peer is the coordinator
readonly PEER=9 EPOCH=3
readonly MESSAGES=2000
SEED=${COVOL_SEED:-$RANDOM$RANDOM}
readonly SEED

up() {
	module_up
	network_up 2
	coordinator_up
	volume_add 2
	session 1 2
	image 1 32M 2
	layouts 1
	route 2 direct
	device 2 n2-img image:1 32

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
	dmsetup create member --noudevsync --table "0 16384 covol $MEMBER image:1 /dev/ram1 131072 1 data_digest"
	dmsetup mknodes
	# Goes on beside all that follows; what ends it is down().
	route 2 fs-redirected
	load other /dev/mapper/n2-img --iodepth=4 --rate_iops=40
}

# fio ends at the first error, and at the first wrong data.
other_goes_on() {
	alive other || fail "the other volume's load has ended: $(tail -n 3 "$RUN/other.log")"
}

nothing_held() {
	! is_held 2
}

other_is_well() {
	other_goes_on
	session_live 1 2 || fail 'the other volume has lost its session'
	within 10 nothing_held
}

# attack VOLUME CASE
attack() {
	helper peer "$1" "$PEER" "$EPOCH" "$2" /dev/mapper/member
	other_goes_on
}

# bad CASE WORDS: by a peer.
bad() {
	it "$2" "attack $SERVED $1"
}

# On a route where nothing goes to the LUN.
asked_right() {
	kernel 1 volume set "$MEMBER" --route fs-redirected
	attack "$MEMBER" asked-right
	kernel 1 volume set "$MEMBER" --route direct
}

# bad_coordinator CASE WORDS
bad_coordinator() {
	it "$2" "attack $MEMBER $1"
}

# mutations VOLUME
mutations() {
	helper mutate "$1" "$PEER" "$EPOCH" "$MESSAGES" "$SEED"
	other_is_well
}

# After all that both volumes do what they should.
still_works() {
	helper peer "$SERVED" "$PEER" "$EPOCH" good
	helper peer "$MEMBER" "$PEER" "$EPOCH" grant-recall /dev/mapper/member
	other_is_well
}

down() {
	load_ok other
	nodes_down
	module_down
}

first 'volumes to attack, and another under load, come up' up
bad good 'good requests are answered'
bad refused 'out of range, unknown object, other epoch, not for members: answered, nothing done'
bad garbage 'garbage'
bad magic 'wrong magic'
bad version 'wrong version'
bad crc 'wrong header checksum'
bad opcode 'unknown opcode'
bad opcode-next 'the first unknown opcode'
bad flag 'a flag that the opcode does not have'
bad flag-unknown 'an unknown flag'
bad status 'a request with a status'
bad no-length 'a read of nothing'
bad too-long 'a read that is too long'
bad write-too-long 'a write of 2 GiB'
bad payload-too-long 'a payload of 4 GiB'
bad write-payload 'a payload that is not as long as the write'
bad not-in-sectors 'a range that is not in sectors'
bad overflow 'a range that overflows'
bad flush-range 'a flush with a range'
bad extents-too-many 'a grant with too many extents'
bad extents-odd 'a grant with a part of an extent'
bad grant-response 'a response to a grant'
bad response 'a response to nothing that was asked'
bad response-slot 'a response with an impossible id'
bad other-volume 'a message for another volume'
bad half-header 'half a header, silence, close'
bad half-payload 'close in mid-payload'
bad digest 'data with a wrong checksum'
bad closed 'closed without a word'
bad byte-by-byte 'a request that comes byte by byte is answered'
bad many-at-once '300 requests at once are answered, each once'
bad flood 'requests without end, answers not read: bounded memory, nothing hangs'
bad_coordinator answer-id 'an answer with another id'
bad_coordinator answer-offset 'an answer for another range'
bad_coordinator answer-length 'an answer that is longer than the question'
bad_coordinator answer-opcode 'an answer with another opcode'
bad_coordinator answer-status 'an answer with an unknown status'
bad_coordinator answer-digest 'an answer with a wrong checksum of its data'
bad_coordinator answer-half 'close in the middle of an answer'
bad_coordinator answer-twice 'a second answer'
bad_coordinator answer-refusal 'refusals: some hold the I/O, some fail it'
it 'writes, FUA, flush and discard are asked for as documented' asked_right
bad_coordinator grant-bad 'grants with bad extents'
bad_coordinator grant-recall 'a grant is used, a recall ends it'
it "$MESSAGES random mutations as a member (COVOL_SEED=$SEED)" "mutations $SERVED"
it "$MESSAGES random mutations as the coordinator (COVOL_SEED=$SEED)" "mutations $MEMBER"
it 'after all that good requests are answered' still_works
last "the other volume's load saw no error; all is taken down; the module unloads" down
ktap_run
