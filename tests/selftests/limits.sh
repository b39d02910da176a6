#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a device tells the block layer of itself, on LUNs of several kinds, and device mapper's statistics of it.
#
# The nodes here are members, each with a volume of its own on a null_blk device that keeps its data: no file system is
# needed, the maps are set by hand.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly NULLB=/sys/kernel/config/nullb
declare -A ID=([small]=21111111-2222-3333-4444-555555555555 [big]=31111111-2222-3333-4444-555555555555)

# null_lun NAME BLOCK: 64 MiB with blocks of that size.
null_lun() {
	local dir=$NULLB/$1

	mkdir "$dir"
	echo 64 >"$dir/size"
	echo "$2" >"$dir/blocksize"
	echo 1 >"$dir/memory_backed"
	echo 1 >"$dir/discard"
	echo 1 >"$dir/power"
}

# lun NAME: newer kernels name the disk as configfs does.
lun() {
	if [[ -b /dev/$1 ]]; then
		echo "/dev/$1"
	else
		echo "/dev/nullb$(<"$NULLB/$1/index")"
	fi
}

# line NAME OBJECT SECTORS [OFFSET]: of a table.
line() {
	echo "0 $3 covol ${ID[$1]} $2 $(lun "$1") ${4:-2048}"
}

# limit NAME FILE: of the queue of the image's device on that LUN.
limit() {
	local node

	node=$(dmsetup info -c --noheadings -o blkdevname "$1")
	cat "/sys/block/$node/queue/$2"
}

up() {
	local name

	module_up
	modprobe null_blk nr_devices=0
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
	null_lun small 512
	null_lun big 4096
	for name in small big; do
		kernel 1 volume add "${ID[$name]}" --node 1 --coordinator 2 --epoch 1 --plaintext --lun "$(lun "$name")" --lun-offset 1M \
			--size 32M
		kernel 1 image add "${ID[$name]}" 1 --size 16M
		kernel 1 map set "${ID[$name]}" image:1 data:0:8M:8M
		kernel 1 volume set "${ID[$name]}" --route direct
		dmsetup create --noudevsync "$name" --table "$(line "$name" image:1 32768)"
	done
	dmsetup mknodes
	pattern one "$MIB" >"$RUN/one"
}

blocks() {
	equal 'logical blocks on 512' "$(limit small logical_block_size)" 512
	equal 'logical blocks on 4096' "$(limit big logical_block_size)" 4096
	equal 'physical blocks on 4096' "$(limit big physical_block_size)" 4096
	put "$RUN/one" /dev/mapper/small 512 512
	same "$RUN/one" /dev/mapper/small 512 65536
	put "$RUN/one" /dev/mapper/big 4096 4096
	same "$RUN/one" /dev/mapper/big 4096 "$MIB"
	fails dd if=/dev/mapper/big of=/dev/null bs=512 count=1 iflag=direct status=none
}

# Nothing of a device lies across the LUN's blocks.
unaligned() {
	local uuid=41111111-2222-3333-4444-555555555555

	kernel 1 image add "${ID[big]}" 2 --size $((MIB + 512))
	fails dmsetup create --noudevsync bad --table "$(line big image:2 2049)"
	kernel 1 image remove "${ID[big]}" 2
	kernel 1 volume add "$uuid" --node 1 --coordinator 2 --epoch 1 --plaintext --lun "$(lun big)" --lun-offset $((MIB + 512)) --size 8M
	fails dmsetup create --noudevsync bad --table "0 16384 covol $uuid volume $(lun big) 2049"
	kernel 1 volume remove "$uuid"
}

# Whatever the LUN can: the coordinator does them.
discards() {
	local name

	for name in small big; do
		equal "largest discard on $name" "$(limit "$name" discard_max_bytes)" $((256 * MIB))
		equal "unit of discards on $name" "$(limit "$name" discard_granularity)" 4096
	done
}

sizes() {
	local name mine its

	for name in small big; do
		equal "best size on $name" "$(limit "$name" optimal_io_size)" "$MIB"
		mine=$(limit "$name" max_hw_sectors_kb)
		its=$(cat "/sys/block/$(basename "$(lun "$name")")/queue/max_hw_sectors_kb")
		[[ $mine -le $its ]] || fail "largest I/O on $name is $mine KiB, the LUN's $its"
	done
}

statistics() {
	local words

	dmsetup message small 0 @stats_create - 16384
	dd if=/dev/mapper/small of=/dev/null bs=64k count=16 iflag=direct status=none
	read -ra words <<<"$(dmsetup message small 0 @stats_print 0 | head -n 1)"
	# area, reads, merged, sectors read
	equal 'sectors of the first area' "${words[0]}" 0+16384
	equal 'reads' "${words[1]}" 16
	equal 'sectors read' "${words[3]}" 2048
	dmsetup message small 0 @stats_delete 0
}

down() {
	local name

	for name in small big; do
		dmsetup remove --noudevsync "$name"
		kernel 1 image remove "${ID[$name]}" 1
		kernel 1 volume remove "${ID[$name]}"
		rmdir "$NULLB/$name"
	done
	rmmod null_blk
	module_down
}

first 'members with LUNs of 512 and of 4096 bytes a block' up
it 'blocks are those of the LUN' blocks
it 'what is not in whole blocks of the LUN is refused' unaligned
it 'discards have limits of their own' discards
it 'sizes of I/O: a chunk is best, the LUN knows what is too large' sizes
it 'statistics of device mapper count the I/O' statistics
last 'all is taken down; the module unloads' down
ktap_run
