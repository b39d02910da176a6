# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Volumes for peers that misbehave, and another one under load, which must not notice. To be sourced after nodes.sh.

readonly SERVED=22222222-2222-3333-4444-555555555555	# coordinated here; the peer is a member
readonly MEMBER=33333333-2222-3333-4444-555555555555	# the peer is the coordinator
readonly PEER=9 EPOCH=3

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
	# The LUN is memory: what the load allocated later would be missing where memory is to come back.
	dd if=/dev/zero of=/dev/mapper/n2-img bs=1M count=32 oflag=direct status=none

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
