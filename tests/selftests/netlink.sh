#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The netlink family: who may ask, what is refused and with which words, dumps that need many messages.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly OTHER=22222222-2222-3333-4444-555555555555	# coordinated here, without a path
readonly NONE=99999999-2222-3333-4444-555555555555
readonly V="VOLUME_UUID=uuid:$UUID" I="IMAGE_UUID=uuid:$UUID" M="MAP_UUID=uuid:$UUID" S="SESSION_UUID=uuid:$UUID"
readonly M1="$M MAP_OBJECT=u64:1"
readonly IMAGES=300 EXTENTS=10000

up() {
	module_up
	# A member with a path, and a coordinator.
	kernel 1 volume add "$UUID" --node 1 --coordinator 2 --epoch 5 --plaintext --lun "$LUN" --lun-offset 1M --size 64M
	kernel 1 image add "$UUID" 1 --size 16M
	kernel 1 volume add "$OTHER" --node 1 --coordinator 1 --epoch 1 --size 64M
	mkdir -p "$RUN/disk"
	truncate -s 320M "$RUN/disk.img"
	mkfs.ext4 -q -F "$RUN/disk.img" 16M
	mount -o loop "$RUN/disk.img" "$RUN/disk"
	truncate -s 1M "$RUN/disk/image"
}

# What must not have changed, whatever was asked.
snapshot() {
	kernel 1 volume show --json
	kernel 1 image show --json
	kernel 1 map show "$UUID" image:1 --json
}

# refusals [OPTION...] <TABLE: asks, and looks whether anything has changed.
refusals() {
	local before after

	before=$(snapshot)
	helper rawnl "$@"
	after=$(snapshot)
	equal 'state after refusals' "$after" "$before"
}

no_privilege() {
	refusals --nobody <<-TABLE
		EPERM | VOLUME_NEW VOLUME_UUID=uuid:$NONE VOLUME_NODE=u32:1 VOLUME_EPOCH=u64:1 VOLUME_COORDINATOR=u32:2 VOLUME_SIZE=u64:1048576
		EPERM | VOLUME_SET $V VOLUME_ROUTE=u32:0
		EPERM | VOLUME_DEL VOLUME_UUID=uuid:$OTHER
		EPERM | VOLUME_GET $V
		EPERM | IMAGE_NEW $I IMAGE_ID=u64:2 IMAGE_SIZE=u64:512
		EPERM | IMAGE_SET $I IMAGE_ID=u64:1 IMAGE_SIZE=u64:512
		EPERM | IMAGE_DEL $I IMAGE_ID=u64:1
		EPERM | IMAGE_RECALL $I IMAGE_ID=u64:1
		EPERM | IMAGE_SHARE_BEGIN $I IMAGE_ID=u64:1
		EPERM | IMAGE_SHARE_END $I IMAGE_ID=u64:1
		EPERM | IMAGE_GET $I IMAGE_ID=u64:1
		EPERM | MAP_SET $M1 MAP_OFFSET=u64:0 MAP_LENGTH=u64:512
		EPERM | MAP_CLEAR $M1 MAP_OFFSET=u64:0 MAP_LENGTH=u64:512
		EPERM | MAP_GET $M1 MAP_OFFSET=u64:0
		EPERM | SESSION_NEW $S SESSION_PEER=u32:2 SESSION_FD=socket:tcp
		EPERM | SESSION_DEL $S SESSION_PEER=u32:2
		EPERM | SESSION_GET $S SESSION_PEER=u32:2
	TABLE
	refusals --nobody --dump <<-TABLE
		EPERM | VOLUME_GET
		EPERM | IMAGE_GET
		EPERM | MAP_GET $M1
		EPERM | SESSION_GET
	TABLE
}

missing() {
	local all="VOLUME_UUID=uuid:$NONE VOLUME_NODE=u32:1 VOLUME_EPOCH=u64:1 VOLUME_COORDINATOR=u32:2 VOLUME_SIZE=u64:4096"

	# shellcheck disable=SC2086
	set -- $all
	refusals <<-TABLE
		EINVAL uuid: missing                     | VOLUME_NEW $2 $3 $4 $5
		EINVAL node: missing                     | VOLUME_NEW $1 $3 $4 $5
		EINVAL epoch: missing                    | VOLUME_NEW $1 $2 $4 $5
		EINVAL coordinator: missing              | VOLUME_NEW $1 $2 $3 $5
		EINVAL size: missing                     | VOLUME_NEW $1 $2 $3 $4
		EINVAL uuid: missing                     | VOLUME_NEW
		EINVAL lun-fd and lun-offset             | VOLUME_NEW $all VOLUME_LUN_OFFSET=u64:0
		EINVAL lun-fd and lun-offset             | VOLUME_NEW $all VOLUME_LUN_FD=open:$LUN
		EINVAL uuid: missing                     | VOLUME_SET VOLUME_ROUTE=u32:0
		EINVAL uuid: missing                     | VOLUME_DEL
		EINVAL uuid: missing                     | VOLUME_GET
		EINVAL uuid: missing                     | IMAGE_NEW IMAGE_ID=u64:2 IMAGE_SIZE=u64:512
		EINVAL id or size: missing               | IMAGE_NEW $I IMAGE_SIZE=u64:512
		EINVAL id or size: missing               | IMAGE_NEW $I IMAGE_ID=u64:2
		EINVAL fd: missing                       | IMAGE_NEW IMAGE_UUID=uuid:$OTHER IMAGE_ID=u64:2 IMAGE_SIZE=u64:512
		EINVAL object: missing                   | IMAGE_SET $I IMAGE_SIZE=u64:512
		EINVAL size, fd or no-file: one of them, and no other | IMAGE_SET $I IMAGE_ID=u64:1
		EINVAL object: missing                   | IMAGE_DEL $I
		EINVAL object: missing                   | IMAGE_RECALL $I
		EINVAL object: missing                   | IMAGE_SHARE_BEGIN $I
		EINVAL object: missing                   | IMAGE_SHARE_END $I
		EINVAL object: missing                   | IMAGE_GET $I
		EINVAL uuid: missing                     | MAP_SET MAP_OBJECT=u64:1 MAP_OFFSET=u64:0 MAP_LENGTH=u64:512
		EINVAL object: missing                   | MAP_SET $M MAP_OFFSET=u64:0 MAP_LENGTH=u64:512
		EINVAL offset or length: missing         | MAP_SET $M1 MAP_LENGTH=u64:512
		EINVAL offset or length: missing         | MAP_SET $M1 MAP_OFFSET=u64:0
		EINVAL offset or length: missing         | MAP_CLEAR $M1
		EINVAL offset: missing                   | MAP_GET $M1
		EINVAL extent: without                   | MAP_SET $M1 MAP_OFFSET=u64:0 MAP_LENGTH=u64:512 MAP_EXTENT={ }
		EINVAL extent: without                   | MAP_SET $M1 MAP_OFFSET=u64:0 MAP_LENGTH=u64:512 MAP_EXTENT={ EXTENT_OFFSET=u64:0 EXTENT_LENGTH=u64:512 }
		EINVAL peer or fd: missing               | SESSION_NEW $S SESSION_PEER=u32:2
		EINVAL peer or fd: missing               | SESSION_NEW $S SESSION_FD=socket:tcp
		EINVAL peer: missing                     | SESSION_DEL $S
		EINVAL peer: missing                     | SESSION_GET $S
	TABLE
	refusals --dump <<-TABLE
		EINVAL uuid or object: missing           | MAP_GET $M
		EINVAL uuid or object: missing           | MAP_GET MAP_OBJECT=u64:1
	TABLE
}

unknown() {
	refusals <<-TABLE
		ENOENT uuid: unknown volume              | VOLUME_GET VOLUME_UUID=uuid:$NONE
		ENOENT uuid: unknown volume              | VOLUME_SET VOLUME_UUID=uuid:$NONE VOLUME_ROUTE=u32:3
		ENOENT uuid: unknown volume              | VOLUME_DEL VOLUME_UUID=uuid:$NONE
		ENOENT uuid: unknown volume              | IMAGE_NEW IMAGE_UUID=uuid:$NONE IMAGE_ID=u64:2 IMAGE_SIZE=u64:512
		ENOENT uuid: unknown volume              | SESSION_NEW SESSION_UUID=uuid:$NONE SESSION_PEER=u32:2 SESSION_FD=socket:tcp
		ENOENT object: unknown in this volume    | IMAGE_GET $I IMAGE_ID=u64:7
		ENOENT object: unknown in this volume    | IMAGE_SET $I IMAGE_ID=u64:7 IMAGE_SIZE=u64:512
		ENOENT object: unknown in this volume    | IMAGE_DEL $I IMAGE_ID=u64:7
		ENOENT object: unknown in this volume    | MAP_SET $M MAP_OBJECT=u64:7 MAP_OFFSET=u64:0 MAP_LENGTH=u64:512
		ENOENT object: unknown in this volume    | MAP_GET $M MAP_OBJECT=u64:18446744073709551615 MAP_OFFSET=u64:0
		ENOENT peer: no session with this node   | SESSION_DEL $S SESSION_PEER=u32:2
		ENOENT peer: no session with this node   | SESSION_GET $S SESSION_PEER=u32:2
	TABLE
	refusals --dump <<-TABLE
		ENOENT uuid: unknown volume              | MAP_GET MAP_UUID=uuid:$NONE MAP_OBJECT=u64:1
		ENOENT object: unknown in this volume    | MAP_GET $M MAP_OBJECT=u64:7
	TABLE
}

malformed() {
	local new="VOLUME_EPOCH=u64:1 VOLUME_COORDINATOR=u32:2 VOLUME_SIZE=u64:4096" range="MAP_OFFSET=u64:0 MAP_LENGTH=u64:512"

	refusals <<-TABLE
		ERANGE    | VOLUME_GET VOLUME_UUID=zero:15
		ERANGE    | VOLUME_GET VOLUME_UUID=zero:17
		ERANGE    | VOLUME_GET VOLUME_UUID=zero:4000
		ERANGE    | VOLUME_GET VOLUME_UUID=zero:0
		EINVAL    | VOLUME_NEW VOLUME_UUID=uuid:$NONE VOLUME_NODE=u64:1 $new
		EINVAL    | VOLUME_NEW VOLUME_UUID=uuid:$NONE VOLUME_NODE=u16:1 $new
		EINVAL    | IMAGE_NEW $I IMAGE_ID=u32:2 IMAGE_SIZE=u64:512
		EINVAL    | IMAGE_NEW $I IMAGE_ID=u64:2 IMAGE_SIZE=zero:16
		ERANGE    | VOLUME_NEW VOLUME_UUID=uuid:$NONE VOLUME_NODE=u32:0 $new
		ERANGE    | VOLUME_SET $V VOLUME_COORDINATOR=u32:0
		ERANGE    | VOLUME_SET $V VOLUME_ROUTE=u32:6
		ERANGE    | VOLUME_SET $V VOLUME_ROLE=u32:2
		ERANGE    | SESSION_NEW $S SESSION_PEER=u32:0 SESSION_FD=socket:tcp
		ERANGE    | SESSION_NEW $S SESSION_PEER=u32:2 SESSION_FD=s32:-1
		EINVAL Un | VOLUME_GET $V 200=u32:1
		EINVAL Un | VOLUME_SET $V VOLUME_HELD=u64:1
		EINVAL Un | IMAGE_DEL $I IMAGE_ID=u64:1 IMAGE_SIZE=u64:512
		EINVAL Un | MAP_SET $M1 $range MAP_EXTENT={ EXTENT_OFFSET=u64:0 EXTENT_LENGTH=u64:512 EXTENT_STATE=u32:1 77=u32:1 }
		EINVAL    | MAP_SET $M1 $range MAP_EXTENT=[ EXTENT_OFFSET=u64:0 EXTENT_LENGTH=u64:512 EXTENT_STATE=u32:1 ]
		EINVAL    | MAP_SET $M1 $range MAP_EXTENT={ EXTENT_OFFSET=u32:0 EXTENT_LENGTH=u64:512 EXTENT_STATE=u32:1 }
		EINVAL    | VOLUME_GET $V trailer:8
		EINVAL    | VOLUME_GET $V trailer:3
		EOPNOTSUPP | LAYOUT_WANTED $V
		EOPNOTSUPP | 99 $V
	TABLE
}

contradictory_volume() {
	local new="VOLUME_UUID=uuid:$NONE VOLUME_EPOCH=u64:1" more
	local lun="VOLUME_LUN_OFFSET=u64:1048576 VOLUME_LUN_FD=open"
	new+=" VOLUME_NODE=u32:1 VOLUME_COORDINATOR=u32:2"
	more="$new VOLUME_SIZE=u64:1048576"

	refusals <<-TABLE
		EINVAL role: does not fit                | VOLUME_NEW $more VOLUME_ROLE=u32:1
		EINVAL role: does not fit                | VOLUME_SET $V VOLUME_ROLE=u32:1
		EINVAL role: does not fit                | VOLUME_SET $V VOLUME_ROLE=u32:0 VOLUME_COORDINATOR=u32:1
		EINVAL size or lun-offset                | VOLUME_NEW $new VOLUME_SIZE=u64:0
		EINVAL size or lun-offset                | VOLUME_NEW $new VOLUME_SIZE=u64:1000
		EINVAL size or lun-offset                | VOLUME_NEW $new VOLUME_SIZE=u64:18446744073709551104
		EINVAL size or lun-offset                | VOLUME_NEW $more VOLUME_LUN_OFFSET=u64:100 VOLUME_LUN_FD=open:$LUN
		ENOTBLK lun-fd: not a block device       | VOLUME_NEW $more $lun:/dev/null
		ENOTBLK lun-fd: not a block device       | VOLUME_NEW $more $lun:$RUN/disk/image
		EBADF lun-fd: not open for reading and w | VOLUME_NEW $more $lun-ro:$LUN
		EBADF lun-fd: not an open descriptor     | VOLUME_NEW $more VOLUME_LUN_OFFSET=u64:0 VOLUME_LUN_FD=s32:999
		ERANGE size: the volume ends past        | VOLUME_NEW $new VOLUME_SIZE=u64:$((LUN_MIB << 20)) $lun:$LUN
		ERANGE size: the volume ends past        | VOLUME_NEW $new VOLUME_SIZE=u64:9223372036854775296 $lun:$LUN
		ERANGE size: the volume ends past        | VOLUME_NEW $more VOLUME_LUN_OFFSET=u64:9223372036854775296 VOLUME_LUN_FD=open:$LUN
		EINVAL chunk-size: not a power of two    | VOLUME_NEW $more VOLUME_CHUNK_SIZE=u32:0
		EINVAL chunk-size: not a power of two    | VOLUME_NEW $more VOLUME_CHUNK_SIZE=u32:32768
		EINVAL chunk-size: not a power of two    | VOLUME_SET $V VOLUME_CHUNK_SIZE=u32:33554432
		EINVAL chunk-size: not a power of two    | VOLUME_SET $V VOLUME_CHUNK_SIZE=u32:100000
		EEXIST uuid: this volume is known        | VOLUME_NEW VOLUME_UUID=uuid:$UUID VOLUME_NODE=u32:1 VOLUME_EPOCH=u64:1 VOLUME_COORDINATOR=u32:2 VOLUME_SIZE=u64:512
		EINVAL redirect-peer: is this node       | VOLUME_SET $V VOLUME_ROUTE=u32:2 VOLUME_REDIRECT_PEER=u32:1
		EINVAL route: block-redirected needs     | VOLUME_SET $V VOLUME_ROUTE=u32:2
		EINVAL route: maintenance cannot be set  | VOLUME_SET $V VOLUME_ROUTE=u32:4
		ENOLINK route: direct needs a path       | VOLUME_SET VOLUME_UUID=uuid:$OTHER VOLUME_ROUTE=u32:0
		EINVAL size: a volume does not shrink    | VOLUME_SET $V VOLUME_SIZE=u64:512
		EINVAL size: too large, or not in        | VOLUME_SET $V VOLUME_SIZE=u64:9223372036854776320
		EINVAL size: too large, or not in        | VOLUME_SET $V VOLUME_SIZE=u64:1000
		ERANGE size: the volume ends past        | VOLUME_SET $V VOLUME_SIZE=u64:$((LUN_MIB << 20))
		EINVAL epoch: must not become smaller    | VOLUME_SET $V VOLUME_EPOCH=u64:4
		EBUSY volume: it has images              | VOLUME_DEL $V
	TABLE
}

bad_image() {
	local new="$I IMAGE_ID=u64:2" served="IMAGE_UUID=uuid:$OTHER IMAGE_ID=u64:2 IMAGE_SIZE=u64:1048576 IMAGE_FD"

	refusals <<-TABLE
		EINVAL id: not from 1                    | IMAGE_NEW $I IMAGE_ID=u64:0 IMAGE_SIZE=u64:512
		EINVAL id: not from 1                    | IMAGE_NEW $I IMAGE_ID=u64:9223372036854775808 IMAGE_SIZE=u64:512
		EINVAL size: zero, too large             | IMAGE_NEW $new IMAGE_SIZE=u64:0
		EINVAL size: zero, too large             | IMAGE_NEW $new IMAGE_SIZE=u64:1000
		EINVAL size: zero, too large             | IMAGE_NEW $new IMAGE_SIZE=u64:18446744073709551104
		EEXIST id: the volume has this image     | IMAGE_NEW $I IMAGE_ID=u64:1 IMAGE_SIZE=u64:512
		EINVAL id: 0 is the volume itself        | IMAGE_DEL $I IMAGE_ID=u64:0
		EINVAL id: not an image that this node   | IMAGE_RECALL $I IMAGE_ID=u64:0
		EINVAL id: not an image that this node   | IMAGE_RECALL $I IMAGE_ID=u64:1
		EINVAL id: not an image that this node   | IMAGE_SHARE_BEGIN $I IMAGE_ID=u64:1
		EINVAL id: not an image that this node   | IMAGE_SHARE_END $I IMAGE_ID=u64:1
		EINVAL fd: an image is a regular file    | IMAGE_NEW $served=open-direct:$LUN
		EINVAL fd: must be open for reading      | IMAGE_NEW $served=open:$RUN/disk/image
		EINVAL fd: must be open for reading      | IMAGE_NEW $served=open-ro:$RUN/disk/image
		EINVAL fd: not on a file system that     | IMAGE_NEW $served=open-direct:$RUN/disk/image
		EBADF fd: not an open descriptor         | IMAGE_NEW $served=s32:999
		EINVAL fd: the file is smaller           | IMAGE_NEW IMAGE_UUID=uuid:$OTHER IMAGE_ID=u64:2 IMAGE_SIZE=u64:1049088 IMAGE_FD=open-direct:$RUN/disk/image
	TABLE
}

# e OFFSET LENGTH STATE [PLACE]: an extent, in sectors; states: 1 hole, 2 unwritten, 3 shared, 4 data.
e() {
	printf 'MAP_EXTENT={ EXTENT_OFFSET=u64:%s EXTENT_LENGTH=u64:%s EXTENT_STATE=u32:%s %s } ' \
		"$(($1 * 512))" "$(($2 * 512))" "$3" "${4+EXTENT_PLACE=u64:$(($4 * 512))}"
}

# range OFFSET LENGTH: in sectors.
range() {
	printf 'MAP_SET %s MAP_OFFSET=u64:%s MAP_LENGTH=u64:%s' "$M1" $(($1 * 512)) $(($2 * 512))
}

bad_extents() {
	local size=32768 volume=131072 many

	many=$(for ((i = 0; i < 257; i++)); do e "$i" 1 1; done)
	refusals <<-TABLE
		EINVAL extents overlap                   | $(range 0 64) $(e 0 8 4 0) $(e 7 8 4 100)
		EINVAL extents overlap                   | $(range 0 64) $(e 0 8 4 0) $(e 0 8 1)
		EINVAL extents overlap                   | $(range 0 64) $(e 16 8 4 0) $(e 0 8 4 100)
		EINVAL extents overlap                   | $(range 8 64) $(e 0 8 4 0)
		EINVAL extent ends past the range        | $(range 0 64) $(e 60 8 4 0)
		EINVAL extent ends past the range        | $(range 0 64) $(e 64 8 1)
		EINVAL extent lies past the volume       | $(range 0 64) $(e 0 8 4 $volume)
		EINVAL extent lies past the volume       | $(range 0 64) $(e 0 8 4 $((volume - 7)))
		EINVAL extent lies past the volume       | $(range 0 64) $(e 0 8 3 $((volume - 7)))
		EINVAL extent                            | $(range 0 64) $(e 0 8 4 $((1 << 54)))
		EINVAL extent is not valid               | $(range 0 64) $(e 0 0 1)
		EINVAL extent is not valid               | $(range 0 64) $(e 0 8 0)
		ERANGE                                   | $(range 0 64) $(e 0 8 5 0)
		EINVAL extent: place belongs to          | $(range 0 64) $(e 0 8 4)
		EINVAL extent: place belongs to          | $(range 0 64) $(e 0 8 3)
		EINVAL extent: place belongs to          | $(range 0 64) $(e 0 8 1 0)
		EINVAL extent: place belongs to          | $(range 0 64) $(e 0 8 2 0)
		EINVAL extent: not in sectors            | $(range 0 64) MAP_EXTENT={ EXTENT_OFFSET=u64:1 EXTENT_LENGTH=u64:512 EXTENT_STATE=u32:1 }
		EINVAL extent: not in sectors            | $(range 0 64) MAP_EXTENT={ EXTENT_OFFSET=u64:0 EXTENT_LENGTH=u64:100 EXTENT_STATE=u32:1 }
		EINVAL extent: not in sectors            | $(range 0 64) MAP_EXTENT={ EXTENT_OFFSET=u64:0 EXTENT_LENGTH=u64:512 EXTENT_STATE=u32:4 EXTENT_PLACE=u64:511 }
		EINVAL                                   | $(range 0 64) MAP_EXTENT={ EXTENT_OFFSET=u64:18446744073709551104 EXTENT_LENGTH=u64:1024 EXTENT_STATE=u32:1 }
		EINVAL                                   | $(range 0 64) MAP_EXTENT={ EXTENT_OFFSET=u64:0 EXTENT_LENGTH=u64:18446744073709551104 EXTENT_STATE=u32:1 }
		EINVAL offset and length:                | $(range 0 $((size + 1))) $(e 0 8 1)
		EINVAL offset and length:                | $(range $size 8) $(e $size 8 1)
		EINVAL offset and length:                | $(range 0 0)
		EINVAL offset and length:                | MAP_SET $M1 MAP_OFFSET=u64:18446744073709551104 MAP_LENGTH=u64:1024
		EINVAL offset and length:                | MAP_CLEAR $M1 MAP_OFFSET=u64:100 MAP_LENGTH=u64:512
		EINVAL offset: missing, or past          | MAP_GET $M1 MAP_OFFSET=u64:$((size * 512))
		E2BIG extent: more than 256              | $(range 0 512) $many
		EPERM peer: only who serves              | $(range 0 8) MAP_PEER=u32:7 $(e 0 8 1)
	TABLE
}

good_extents() {
	helper rawnl <<-TABLE
		ok | $(range 0 64) $(e 0 8 4 131064) $(e 8 8 1) $(e 20 44 2)
		ok | MAP_GET $M1 MAP_OFFSET=u64:0
		ok | $(range 0 64)
	TABLE
	equal 'extents' "$(kernel 1 map show "$UUID" image:1 --json | jq '.extents | length')" 0
}

bad_session() {
	refusals <<-TABLE
		EINVAL peer: is this node                | SESSION_NEW $S SESSION_PEER=u32:1 SESSION_FD=socket:tcp
		EPERM fd: no TLS                         | SESSION_NEW SESSION_UUID=uuid:$OTHER SESSION_PEER=u32:2 SESSION_FD=socket:tcp
		ENOTSOCK fd: not a socket                | SESSION_NEW $S SESSION_PEER=u32:2 SESSION_FD=open:/dev/null
		EBADF fd: not a socket                   | SESSION_NEW $S SESSION_PEER=u32:2 SESSION_FD=s32:999
		EPROTONOSUPPORT fd: not a TCP socket     | SESSION_NEW $S SESSION_PEER=u32:2 SESSION_FD=socket:udp
		ENOTCONN fd: not connected               | SESSION_NEW $S SESSION_PEER=u32:2 SESSION_FD=socket:tcp
		ENOTSOCK fd: not a socket                | SESSION_NEW $S SESSION_PEER=u32:2 SESSION_FD=socket:tcp SESSION_FD=open:/dev/null
		E2BIG fd: more lanes than                | SESSION_NEW $S SESSION_PEER=u32:2$(printf ' SESSION_FD=socket:tcp%.0s' {1..17})
		ok                                       | SESSION_DEL $S SESSION_PEER=u32:2 SESSION_FORGET=flag
	TABLE
}

many_images() {
	local i shown

	for ((i = 2; i <= IMAGES; i++)); do
		printf 'ok | IMAGE_NEW %s IMAGE_ID=u64:%s IMAGE_SIZE=u64:%s\n' "$I" "$i" $((i * 512))
	done | helper rawnl
	shown=$(kernel 1 image show "$UUID" --json | jq -r '.images[] | "\(.id) \(.size)"')
	equal 'images of the dump' "$(sort -n <<<"$shown" | md5sum)" \
		"$( (echo 1 $((16 << 20)) && seq 2 "$IMAGES" | awk '{ print $1, $1 * 512 }') | md5sum)"
	# The volume itself is an object, too; so is that of the other volume.
	helper rawnl --dump <<<"ok $((IMAGES + 1)) | IMAGE_GET $I"
	helper rawnl --dump <<<"ok $((IMAGES + 2)) | IMAGE_GET"
	for ((i = 2; i <= IMAGES; i++)); do
		printf 'ok | IMAGE_DEL %s IMAGE_ID=u64:%s\n' "$I" "$i"
	done | helper rawnl
	helper rawnl --dump <<<"ok 2 | IMAGE_GET $I"
}

many_volumes() {
	local i

	for ((i = 20; i < 100; i++)); do
		printf 'ok | VOLUME_NEW VOLUME_UUID=uuid:%s VOLUME_NODE=u32:1 VOLUME_EPOCH=u64:1 ' "${UUID/11111111/111111$i}"
		printf 'VOLUME_COORDINATOR=u32:2 VOLUME_SIZE=u64:4096\n'
	done | helper rawnl
	helper rawnl --dump <<<"ok 82 | VOLUME_GET"
	for ((i = 20; i < 100; i++)); do
		printf 'ok | VOLUME_DEL VOLUME_UUID=uuid:%s\n' "${UUID/11111111/111111$i}"
	done | helper rawnl
	helper rawnl --dump <<<"ok 2 | VOLUME_GET"
}

many_extents() {
	local set got

	# Data on every other sector, far apart, so that no two are one; unwritten between some of them.
	set=$(awk -v n="$EXTENTS" 'BEGIN { for (i = 0; i < n; i++)
		printf i % 3 == 2 ? "unwritten:%d:512\n" : "data:%d:512:%d\n", i * 1024, (n - i) * 1024 }')
	# shellcheck disable=SC2086
	kernel 1 map set "$UUID" image:1 $set
	got=$(kernel 1 map show "$UUID" image:1 --json |
		jq -r '.extents[] | if .place == null then "\(.state):\(.offset):\(.length)"
			else "\(.state):\(.offset):\(.length):\(.place)" end')
	equal 'extents of the dump' "$(wc -l <<<"$got")" "$EXTENTS"
	[[ $got == "$set" ]] || fail 'the map that is dumped is not the one that was set'
	helper rawnl --dump <<<"ok $EXTENTS | MAP_GET $M1"
	equal 'extents of the image' "$(kernel 1 image show "$UUID" 1 --json | value extents)" "$EXTENTS"
	kernel 1 map clear "$UUID" image:1 --offset 1024 --length 512
	kernel 1 map clear "$UUID" image:1 --offset 4M
	helper rawnl --dump <<<"ok 4095 | MAP_GET $M1"
	kernel 1 map clear "$UUID" image:1
	helper rawnl --dump <<<"ok 0 | MAP_GET $M1"
}

down() {
	umount "$RUN/disk"
	nodes_down
	module_down
}

first 'a member and a coordinator come up' up
it 'without privilege every command is refused' no_privilege
it 'missing attributes are named' missing
it 'unknown volumes, objects and peers' unknown
it 'malformed: too long, too short, out of range, unknown attributes and commands' malformed
it 'volumes: contradictory, past the LUN, bad descriptors' contradictory_volume
it 'images: bad id, size, file' bad_image
it 'extents: overlapping, unaligned, past the object or the volume, without or with place' bad_extents
it 'extents at the limits are taken' good_extents
it 'sessions: no socket, not TCP, not connected, with this node' bad_session
it "$IMAGES images in a dump" many_images
it '80 volumes in a dump' many_volumes
it "a map of $EXTENTS extents, set and dumped" many_extents
last 'all is taken down; the module unloads' down
ktap_run
