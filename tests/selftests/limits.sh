#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a device tells the block layer of itself, on LUNs of several kinds, and device mapper's statistics of it.
#
# The nodes are members, each with a volume of its own on a null_blk device that keeps its data: no file system is needed, the
# maps are set by hand. Then a coordinator with a file system on a LUN of 4096 bytes a block, and a member of it.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# The third null_blk device: older kernels number them.
LUN=/dev/nullb2
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly MIB=1048576
readonly NULLB=/sys/kernel/config/nullb
declare -A ID=([small]=21111111-2222-3333-4444-555555555555 [big]=31111111-2222-3333-4444-555555555555)

# null_lun NAME BLOCK [MIB]: with blocks of that size.
null_lun() {
	local dir=$NULLB/$1

	mkdir "$dir"
	echo "${3:-64}" >"$dir/size"
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

# shown NAME FILE: of a device.
shown() {
	cat "/sys/block/$(dmsetup info -c --noheadings -o blkdevname "$1")/$2"
}

# limit NAME FILE: of the queue of the image's device on that LUN.
limit() {
	shown "$1" "queue/$2"
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

# ---- what begins within a block that the LUN has inside ----

# offset_shown DISK SECTOR BYTES: a volume that begins there begins so far before a whole block.
offset_shown() {
	local uuid=51111111-2222-3333-4444-555555555555

	kernel 1 volume add "$uuid" --node 1 --coordinator 2 --epoch 1 --plaintext --lun "$1" --lun-offset $(($2 * 512)) --size 4M
	dmsetup create inside --noudevsync --table "0 8192 covol $uuid volume $1 $2"
	equal "logical blocks at sector $2" "$(limit inside logical_block_size)" 512
	equal "physical blocks at sector $2" "$(limit inside physical_block_size)" 4096
	equal "alignment_offset at sector $2" "$(shown inside alignment_offset)" "$3"
	dmsetup remove --noudevsync inside
	kernel 1 volume remove "$uuid"
}

alignment() {
	local disk

	modprobe -a sd_mod
	modprobe scsi_debug dev_size_mb=8 sector_size=512 physblk_exp=3
	within 20 has_scsi_disk
	disk=$(scsi_disk)
	offset_shown "$disk" 2048 0
	offset_shown "$disk" 2049 3584
	within 10 rmmod scsi_debug
}

# ---- a coordinator on a LUN of 4096 bytes a block ----

coordinated() {
	null_lun nullb2 4096 "$LUN_MIB"
	network_up 2
	coordinator_up
	volume_add 2
	session 1 2
	image 1 16M 2
	layouts 1
	route 2 direct
	device 1 img image:1 16
	device 2 n2-img image:1 16
}

coordinator_blocks() {
	local name file its

	for name in volume img n2-img; do
		for file in logical_block_size physical_block_size minimum_io_size; do
			equal "$file of $name" "$(limit "$name" "$file")" 4096
		done
		equal "alignment_offset of $name" "$(shown "$name" alignment_offset)" 0
		for file in max_sectors_kb max_hw_sectors_kb; do
			its=$(<"/sys/block/nullb2/queue/$file")
			between "$file of $name" "$(limit "$name" "$file")" 4 "$its"
		done
	done
	xfs_info "$MNT" | grep -q 'sectsz=4096' || fail "not the blocks that the file system has: $(xfs_info "$MNT")"
}

# not_in_blocks COMMAND...
not_in_blocks() {
	fails "$@" >"$RUN/error" 2>&1
	grep -q 'Invalid argument' "$RUN/error" || fail "$(<"$RUN/error")"
}

parts_refused() {
	local name device

	put "$RUN/one" /dev/mapper/img 0
	for name in volume img n2-img; do
		device=/dev/mapper/$name
		not_in_blocks dd if="$device" of=/dev/null bs=512 count=1 iflag=direct
		not_in_blocks dd if="$device" of=/dev/null bs=4k count=1 skip=512 iflag=direct,skip_bytes
	done
	for name in img n2-img; do
		device=/dev/mapper/$name
		not_in_blocks dd if=/dev/zero of="$device" bs=512 count=1 oflag=direct conv=notrunc
		not_in_blocks dd if=/dev/zero of="$device" bs=4k count=1 seek=512 oflag=direct,seek_bytes conv=notrunc
		same "$RUN/one" "$device" 0 "$MIB"
	done
}

# Of a node without a path, which does not see what blocks the LUN has.
parts_answered() {
	helper peer "$UUID" 9 1 parts-of-blocks
}

# around FILE AT: on both nodes the first 4096 bytes of the file are at AT, and before and behind them zeroes.
around() {
	local device

	for device in /dev/mapper/img /dev/mapper/n2-img; do
		same "$1" "$device" "$2" 4096
		same /dev/zero "$device" $(($2 - 4096)) 4096
		same /dev/zero "$device" $(($2 + 4096)) 4096
	done
}

redirected() {
	local at=$((12 * MIB + 12288)) way

	head -c 4096 "$RUN/one" >"$RUN/block"
	route 2 fs-redirected
	xfs_io -r -c "seek -h $at" "$MNT/image1" | grep -qw "$at" || fail "no hole at $at"
	counted n2-img put "$RUN/block" /dev/mapper/n2-img "$at" 4096 -- fs.writes=1
	around "$RUN/block" "$at"
	# 1 MiB that begins and ends within a chunk.
	at=$((8 * MIB + 4096))
	put "$RUN/one" /dev/mapper/n2-img "$at" 4096
	same "$RUN/one" /dev/mapper/n2-img "$at" "$MIB"
	same "$RUN/one" /dev/mapper/img "$at" "$MIB"
	# The same places, without the coordinator's file system.
	for way in direct 'block-redirected --redirect-peer 1'; do
		# shellcheck disable=SC2086
		route 2 $way
		within 20 has 2 /dev/mapper/n2-img "$at" data
		pattern "$way" 4096 >"$RUN/block"
		counted n2-img put "$RUN/block" /dev/mapper/n2-img "$at" 4096 -- "${way%-redirected*}.writes=1"
		same "$RUN/block" /dev/mapper/img "$at" 4096
		part "$RUN/one" 4096 61440 >"$RUN/behind"
		counted n2-img same "$RUN/behind" /dev/mapper/n2-img $((at + 4096)) 61440 -- "${way%-redirected*}.reads=1"
	done
	route 2 direct
}

discarded() {
	local at=$((8 * MIB + 131072))

	blkdiscard -f -o "$at" -l 8192 /dev/mapper/n2-img
	same /dev/zero /dev/mapper/n2-img "$at" 8192
	same /dev/zero /dev/mapper/img "$at" 8192
	part "$RUN/one" $((131072 + 8192 - 4096)) 4096 >"$RUN/behind"
	same "$RUN/behind" /dev/mapper/n2-img $((at + 8192)) 4096
}

down() {
	local name

	for name in small big; do
		dmsetup remove --noudevsync "$name"
		kernel 1 image remove "${ID[$name]}" 1
		kernel 1 volume remove "${ID[$name]}"
		rmdir "$NULLB/$name"
	done
	nodes_down
	rmdir "$NULLB/nullb2"
	rmmod null_blk
	module_down
}

first 'members with LUNs of 512 and of 4096 bytes a block' up
it 'blocks are those of the LUN' blocks
it 'what is not in whole blocks of the LUN is refused' unaligned
it 'discards have limits of their own' discards
it 'sizes of I/O: a chunk is best, the LUN knows what is too large' sizes
it 'statistics of device mapper count the I/O' statistics
it 'a volume within a block that the LUN has inside says where the next begins' alignment
it 'a coordinator and a member on a LUN of 4096 bytes a block come up' coordinated
it 'blocks and sizes on the coordinator, of volume and image, and on the member' coordinator_blocks
it 'I/O that is not in whole blocks is refused, on the coordinator, too' parts_refused
it 'a peer that asks for parts of blocks gets an error, which is not the path'"'"'s' parts_answered
it 'redirected I/O of the member, into holes and data' redirected
it 'discards of the member' discarded
last 'all is taken down; the module unloads' down
ktap_run
