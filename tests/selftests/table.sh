#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tables of the target: what is wrong in one is named in the kernel's log; what dmsetup prints makes the same device.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly GOOD="$UUID image:1 $LUN $OFFSET_SECTORS"
readonly SECTORS=32768	# of image 1

up() {
	module_up
	network_up 2
	# A member: its images need no files.
	kernel 1 volume add "$UUID" --node 1 --coordinator 2 --epoch 1 --plaintext --lun "$LUN" --lun-offset 1M --size 64M
	kernel 1 image add "$UUID" 1 --size 16M
	# Without a path.
	kernel 2 volume add "$UUID" --node 2 --coordinator 3 --epoch 1 --plaintext --size 64M
}

expected=()

# refused ERROR TABLE...: table lines; the first one begins at 0. What it says is looked at by errors_named.
refused() {
	local error=$1
	shift

	expected+=("$error")
	printf '%s\n' "$@" | fails dmsetup create bad --noudevsync 2>/dev/null
}

# word ERROR WORDS: a table of the right size with these words.
word() {
	refused "$1" "0 $SECTORS covol $2"
}

# errors_named FUNCTION: the tables in it are refused, each with its error in the kernel's log.
errors_named() {
	local found

	log_mark
	"$1"
	[[ ! -e /dev/mapper/bad ]] || fail 'a device was made'
	# The first of them is followed by the names of all words.
	found=$(log_since | sed 's/\(too few words\): .* (/\1 (/' | sed -n 's/.*device-mapper: table: [0-9:]*: covol: \(.*\) (-.*/\1/p')
	diff <(printf '%s\n' "${expected[@]}") <(printf '%s\n' "$found") || fail 'errors in the log (>), errors expected (<)'
}

few_words() {
	word 'too few words' "$UUID"
	word 'too few words' "$UUID image:1"
	word 'too few words' "$UUID image:1 $LUN"
}

bad_uuid() {
	word 'volume-uuid: not a UUID' "${GOOD/$UUID/volume1}"
	word 'volume-uuid: not a UUID' "${GOOD/$UUID/${UUID%5}}"
	word 'volume-uuid: not a UUID' "${GOOD/$UUID/${UUID%5}x}"
}

unknown_volume() {
	word 'volume-uuid: unknown volume' "${GOOD/$UUID/99999999-2222-3333-4444-555555555555}"
}

other_node() {
	ip netns add n3
	expected+=('volume-uuid: unknown volume')
	fails on 3 dmsetup create bad --noudevsync --table "0 $SECTORS covol $GOOD"
	ip netns delete n3
}

bad_object() {
	local object

	for object in disk image image: image:0 image:x image:-1 image:1x image:18446744073709551616 Volume; do
		word 'object: neither volume nor image:<id>' "${GOOD/image:1/$object}"
	done
}

unknown_object() {
	word 'object: the volume has no such image' "${GOOD/image:1/image:2}"
	word 'object: the volume has no such image' "${GOOD/image:1/image:18446744073709551615}"
}

bad_lun() {
	word 'lun-dev: the volume has a LUN here' "${GOOD/$LUN/-}"
	word 'lun-dev: cannot be opened' "${GOOD/$LUN//dev/nothing}"
	word 'lun-dev: cannot be opened' "${GOOD/$LUN//dev/null}"
	word 'lun-dev: not the volume'\''s LUN' "${GOOD/$LUN//dev/ram1}"
}

no_lun() {
	expected+=('lun-dev: the volume has no LUN here')
	fails on 2 dmsetup create bad --noudevsync --table "0 131072 covol $UUID volume $LUN 0"
}

bad_offset() {
	local offset

	for offset in 0 2047 2049 x -1 2048x 18446744073709551616; do
		word 'lun-offset: not where the volume begins' "${GOOD/$OFFSET_SECTORS/$offset}"
	done
}

# A LUN that has become smaller since the volume was made known.
small_lun() {
	local loop uuid=77777777-2222-3333-4444-555555555555

	truncate -s 16M "$RUN/lun"
	loop=$(losetup -f --show "$RUN/lun")
	fails kernel 1 volume add "$uuid" --node 1 --coordinator 2 --epoch 1 --plaintext --lun "$loop" --lun-offset 1M --size 16M 2>&1 |
		grep -q 'ends past the LUN' || fail 'a volume larger than its LUN'
	kernel 1 volume add "$uuid" --node 1 --coordinator 2 --epoch 1 --plaintext --lun "$loop" --lun-offset 1M --size 15M
	truncate -s 8M "$RUN/lun"
	losetup -c "$loop"
	refused 'lun-dev: smaller than the volume' "0 30720 covol $uuid volume $loop 2048"
	truncate -s 512K "$RUN/lun"
	losetup -c "$loop"
	refused 'lun-dev: smaller than the volume' "0 30720 covol $uuid volume $loop 2048"
	kernel 1 volume remove "$uuid"
	losetup -d "$loop"
}

bad_length() {
	local end="start or length: not 0, or past the object's end"

	refused "$end" "0 $((SECTORS + 8)) covol $GOOD"
	refused "$end" '0 8 zero' "8 $((SECTORS - 8)) covol $GOOD"
	refused "$end" "0 131080 covol ${GOOD/image:1/volume}"
}

bad_features() {
	local count

	for count in x -1 6 1x; do
		word '#features: not a number of features' "$GOOD $count data_digest"
	done
	word '#features: not a number of features' "$GOOD 1"
	word '#features: not a number of features' "$GOOD 2 data_digest"
	word 'feature: unknown, or without its value' "$GOOD 1 fast"
	word 'feature: unknown, or without its value' "$GOOD 1 hold_timeout"
	word 'feature: unknown, or without its value' "$GOOD 1 meta_policy"
	word 'hold_timeout: not a number of ms, or over a day' "$GOOD 2 hold_timeout soon"
	word 'hold_timeout: not a number of ms, or over a day' "$GOOD 2 hold_timeout -1"
	word 'hold_timeout: not a number of ms, or over a day' "$GOOD 2 hold_timeout 86400001"
	word 'hold_timeout: not a number of ms, or over a day' "$GOOD 2 hold_timeout 4294967296"
	word 'meta_policy: neither forward nor refuse' "$GOOD 2 meta_policy ask"
	word 'words after the last feature' "$GOOD 0 data_digest"
	word 'words after the last feature' "$GOOD 1 data_digest more"
}

# again NODE LINE PRINTED: LINE makes a device whose table is PRINTED, and that makes it again.
again() {
	local table

	on "$1" dmsetup create good --noudevsync --table "$2"
	table=$(dmsetup table good)
	dmsetup remove --noudevsync good
	equal 'the table' "$table" "$3"
	on "$1" dmsetup create good --noudevsync --table "$table"
	equal 'the table of the second device' "$(dmsetup table good)" "$table"
	dmsetup remove --noudevsync good
}

recreate() {
	local all='data_digest hold_timeout 5000 meta_policy forward'
	local image="0 $SECTORS covol $UUID image:1"

	again 1 "0 $SECTORS covol $GOOD" "$image 1:0 2048"
	again 1 "0 8 covol $GOOD" "0 8 ${image#0 * } 1:0 2048"
	again 1 "$image 1:0 2048 0" "$image 1:0 2048"
	again 1 "$image $LUN 2048 1 data_digest" "$image 1:0 2048 1 data_digest"
	again 1 "$image $LUN 2048 5 meta_policy forward hold_timeout 5000 data_digest" "$image 1:0 2048 5 $all"
	again 1 "$image $LUN 2048 2 meta_policy refuse" "$image 1:0 2048"
	again 1 "0 131072 covol $UUID volume $LUN 2048" "0 131072 covol $UUID volume 1:0 2048"
	again 2 "0 131072 covol $UUID volume - 0" "0 131072 covol $UUID volume - 0"
}

status_words() {
	local status

	dmsetup create good --noudevsync --table "0 $SECTORS covol $GOOD"
	# Nobody has told it yet that there is a coordinator.
	status=$(dmsetup status good)
	equal status "${status/admin,coordinator-lost/admin}" "0 $SECTORS covol member held admin 1 0$(printf ' 0%.0s' {1..25})"
	kernel 1 volume set "$UUID" --route direct
	kernel 1 map set "$UUID" image:1 hole:0:1M data:1M:1M:8M
	[[ $(dmsetup status good) == "0 $SECTORS covol member direct "*" 1 2 0 "* ]] || fail "status: $(dmsetup status good)"
	dmsetup message good 0 forget_layout
	[[ $(dmsetup status good) == "0 $SECTORS covol member direct "*" 1 0 0 "* ]] || fail "status: $(dmsetup status good)"
	dmsetup message good 0 fail_held
	log_mark
	fails dmsetup message good 0 make_coffee
	fails dmsetup message good 0 fail_held now
	fails dmsetup message good 0 forget_layout now
	must_log 'unknown message'
	dmsetup remove --noudevsync good
}

nothing_left() {
	equal 'devices of the volume' "$(kernel 1 volume show --json | value devices)" 0
	! dmsetup ls --target covol | grep -v '^No devices' || fail 'a device is left'
	nodes_down
	module_down
}

first 'a member with and one without a path come up' up
it 'too few words' 'errors_named few_words'
it 'volume-uuid: what is no UUID' 'errors_named bad_uuid'
it 'volume-uuid: unknown volume' 'errors_named unknown_volume'
it 'volume-uuid: the volume of another network namespace' 'errors_named other_node'
it 'object: neither volume nor image' 'errors_named bad_object'
it 'object: unknown image' 'errors_named unknown_object'
it 'lun-dev: missing, not there, no block device, another device' 'errors_named bad_lun'
it 'lun-dev: given where the volume has no path' 'errors_named no_lun'
it 'lun-offset: not where the volume begins' 'errors_named bad_offset'
it 'a LUN smaller than the volume' 'errors_named small_lun'
it 'start and length: not at the beginning, or past the end' 'errors_named bad_length'
it 'features: bad number, unknown, without or with a bad value, too many words' 'errors_named bad_features'
it 'dmsetup table prints what makes the same device' recreate
it 'status and messages' status_words
last 'refused tables leave nothing; the module unloads' nothing_left
ktap_run
