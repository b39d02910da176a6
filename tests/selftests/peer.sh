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
# shellcheck source-path=SCRIPTDIR source=lib/peers.sh
. lib/peers.sh

# attack VOLUME CASE
attack() {
	helper peer "$1" "$PEER" "$EPOCH" "$2" /dev/mapper/member
	other_goes_on
}

# bad CASE WORDS: by a peer.
bad() {
	it "$2" "attack $SERVED $1"
}

# asked CASE: on a route where nothing goes to the LUN.
asked() {
	kernel 1 volume set "$MEMBER" --route fs-redirected
	attack "$MEMBER" "$1"
	kernel 1 volume set "$MEMBER" --route direct
}

# bad_coordinator CASE WORDS
bad_coordinator() {
	it "$2" "attack $MEMBER $1"
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
it 'writes, FUA, flush and discard are asked for as documented' 'asked asked-right'
it 'data is sent from the pages that it is in, without a copy' 'asked no-copy'
bad_coordinator grant-bad 'grants with bad extents'
bad_coordinator grant-recall 'a grant is used, a recall ends it'
it 'after all that good requests are answered' still_works
last "the other volume's load saw no error; all is taken down; the module unloads" down
ktap_run
