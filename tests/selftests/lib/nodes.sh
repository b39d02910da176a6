# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Nodes in one machine: a node is a network namespace. Node 1 is the machine itself and coordinator of the volume;
# nodes 2 and 3 are namespaces n2 and n3, on a bridge with it. The LUN of all is a RAM disk.
#
# To be sourced after ktap.sh.

readonly UUID=11111111-2222-3333-4444-555555555555
# What a suite has not set itself.
readonly LUN=${LUN:-/dev/ram0}
readonly LUN_MIB=336 VOLUME_MIB=320
readonly OFFSET_SECTORS=2048
readonly MNT=/mnt/volume
readonly CRASHED=/mnt/crashed
readonly PORT=7788
HERE=${BASH_SOURCE[0]%/*}
# shellcheck source-path=SCRIPTDIR source=value.sh
. "$HERE/value.sh"
export DM_DISABLE_UDEV=1

# on NODE COMMAND...
on() {
	local node=$1
	shift

	if [[ $node -eq 1 ]]; then
		"$@"
	else
		nsenter --net="/run/netns/n$node" "$@"
	fi
}

# kernel NODE WORD...: `covol kernel WORD...` there.
kernel() {
	local node=$1
	shift

	on "$node" "$HERE/../bin/covol" kernel "$@"
}

# helper NAME ARGUMENT...: a C helper of the tests.
helper() {
	local name=$1
	shift

	"$HERE/../bin/$name" "$@"
}

module_up() {
	modprobe -a dm_mod libcrc32c loop xfs
	# XFS writes its log every 30 s by itself: that must not hide what is not synced when it should be.
	sysctl -q fs.xfs.xfssyncd_centisecs=720000
	modprobe brd rd_nr=2 rd_size=$((LUN_MIB * 1024))
	insmod "$HERE/../bin/dm-covol.ko"
}

module_down() {
	local name

	rmmod dm_covol
	for name in slow late caching; do
		[[ ! -e /dev/mapper/$name ]] || dmsetup remove --noudevsync "$name"
	done
	rmmod brd
}

# ---- a LUN that is slow when it shall be ----

# slow_lun: makes /dev/mapper/slow, another name of the RAM disk. A suite that takes it for its LUN calls this first. What is
# late waits for late_lands; the time in its table is only the most that a test may take.
slow_lun() {
	local sectors

	modprobe -a dm_delay dm_switch
	sectors=$(blockdev --getsz /dev/ram0)
	dmsetup create late --noudevsync --table "0 $sectors delay /dev/ram0 0 0 /dev/ram0 0 $((60000 * PATIENCE))"
	dmsetup mknodes late
	dmsetup create slow --noudevsync --table "0 $sectors switch 2 $sectors 0 /dev/ram0 0 /dev/mapper/late 0"
	dmsetup mknodes slow
}

# lun_is late|fast: for the writes that come from now on. One that came while it was late is late in any case, and so may
# be done after one that came later.
lun_is() {
	local path=0

	[[ $1 == fast ]] || path=1
	dmsetup message slow 0 "set_region_mappings 0:$path"
}

# late_lands: what is late is done now.
late_lands() {
	has_late || fail 'too slow: what is late has been done already'
	nothing_late
	none_late || fail 'what is late has not been done'
}

# nothing_late: if there is anything, it is done now. A suspend waits for nothing.
nothing_late() {
	[[ -e /dev/mapper/late ]] || return 0
	dmsetup suspend --noudevsync late
	dmsetup resume --noudevsync late
}

# has_late: there are writes that have not been done yet.
has_late() {
	[[ $(dmsetup status late | cut -d ' ' -f 5) -gt 0 ]]
}

none_late() {
	! has_late
}

# late_under_way DEVICE: it has a bio under way, and something is late, which alone may also be a chunk that is prepared ahead.
late_under_way() {
	has_late || return 1
	[[ $(awk '{ print $9 }' "/sys/block/$(dmsetup info -c --noheadings -o blkdevname "${1##*/}")/stat") -gt 0 ]]
}

# late_write FILE DEVICE OFFSET: starts "late", which writes 64 KiB of the file there; ends when they are under way.
late_write() {
	lun_is late
	start late dd if="$1" of="$2" bs=64k count=1 seek="$3" oflag=direct,seek_bytes conv=notrunc
	within 10 late_under_way "$2"
	lun_is fast
}

# ---- disks of scsi_debug ----

# scsi_disk: all of them
scsi_disk() {
	local name

	for name in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
		[[ ! -b /dev/${name##*/} ]] || echo "/dev/${name##*/}"
	done
}

has_scsi_disk() {
	[[ -n $(scsi_disk) ]]
}

# ---- a LUN with a volatile cache ----

# caching_lun: makes /dev/mapper/caching, another name of the RAM disk; the other RAM disk has its log. What was neither
# written with FUA nor flushed afterwards is not on its medium. A suite that takes it for its LUN calls this first.
caching_lun() {
	modprobe -a dm_log_writes dm_delay
	dmsetup create caching --noudevsync --table "0 $(blockdev --getsz /dev/ram0) log-writes /dev/ram0 /dev/ram1"
	dmsetup mknodes caching
	truncate -s "${LUN_MIB}M" "$RUN/medium"
}

# power_cut [FILE OFFSET]: $RUN/medium is what the LUN has if its power is cut now. True if it has, at OFFSET, what is in FILE.
power_cut() {
	local status=0

	helper medium caching /dev/ram1 "$RUN/medium" "$@" || status=$?
	[[ $status -le 1 ]] || fail "what is on the LUN's medium cannot be found out"
	return "$status"
}

# without_flush NAME: makes device NAME-fua, which is NAME, but a flush does not get there: of a synchronous write only the
# write with FUA does.
without_flush() {
	local sectors

	sectors=$(blockdev --getsz "/dev/mapper/$1")
	dmsetup create "$1-fua" --noudevsync --table "0 $sectors delay /dev/mapper/$1 0 0 /dev/mapper/$1 0 0 /dev/ram0 0 0"
	dmsetup mknodes "$1-fua"
}

without_flush_down() {
	local name

	for name in /dev/mapper/*-fua; do
		[[ ! -b $name ]] || dmsetup remove --noudevsync "${name##*/}"
	done
}

# ---- networks ----

# network_up NODE...: namespaces for these (not 1).
network_up() {
	local node

	modprobe -a bridge veth
	ip link set lo up
	ip link add covol0 type bridge
	ip address add 10.7.0.1/24 dev covol0
	ip link set covol0 up
	for node in "$@"; do
		ip netns add "n$node"
		ip link add "v$node" type veth peer name eth0 netns "n$node"
		ip link set "v$node" master covol0 up
		ip -n "n$node" address add "10.7.0.$node/24" dev eth0
		ip -n "n$node" link set eth0 up
		ip -n "n$node" link set lo up
	done
}

network_down() {
	local name

	for name in n2 n3; do
		[[ ! -e /run/netns/$name ]] || ip netns delete "$name"
	done
	[[ ! -e /sys/class/net/covol0 ]] || ip link delete covol0
}

# ---- volumes and images ----

# volume_add NODE [WORD...]: the common volume, with a path to the LUN unless the words say otherwise.
volume_add() {
	local node=$1
	shift

	[[ $# -gt 0 ]] || set -- --lun "$LUN" --lun-offset 1M
	[[ -n ${CERTS-} ]] || set -- "$@" --plaintext
	kernel "$node" volume add "$UUID" --node "$node" --coordinator 1 --epoch 1 --size "${VOLUME_MIB}M" "$@"
}

route() {
	kernel "$1" volume set "$UUID" --route "${@:2}"
}

# wander: node 2 goes through all routes, some by node 3, three times, and is direct at last.
wander() {
	local i way ways=(fs-redirected direct block-redirected held direct block-redirected fs-redirected held)

	for ((i = 0; i < 24; i++)); do
		way=${ways[i % 8]}
		if [[ $way == block-redirected ]]; then
			route 2 "$way" --redirect-peer 3
		else
			route 2 "$way"
		fi
		sleep 0.2
	done
	route 2 direct
}

# table OBJECT MIB|SECTORSs LUN [FEATURES]
table() {
	local size=$2 offset=$OFFSET_SECTORS

	[[ $3 != - ]] || offset=0
	if [[ $size == *s ]]; then
		size=${size%s}
	else
		size=$((size * 2048))
	fi
	echo "0 $size covol $UUID $1 $3 $offset ${4-}"
}

# device NODE NAME OBJECT SIZE [LUN [FEATURES]]: on that node; sizes as for table.
device() {
	# What writes to a device that has just gone leaves a file in its place.
	[[ -b /dev/mapper/$2 ]] || rm -f "/dev/mapper/$2"
	on "$1" dmsetup create "$2" --noudevsync --table "$(table "$3" "$4" "${5:-$LUN}" "${6-}")"
	dmsetup mknodes "$2"
}

# coordinator_up: the volume on node 1, its file system mounted: XFS, or what FILE_SYSTEM says.
coordinator_up() {
	local options=()

	volume_add 1
	route 1 direct
	device 1 volume volume "$VOLUME_MIB"
	if [[ ${FILE_SYSTEM:-xfs} == xfs ]]; then
		mkfs.xfs -q -f /dev/mapper/volume
	else
		modprobe "$FILE_SYSTEM"
		# Nor may it write its log by itself; nor tables, after which it flushes.
		options=(-o commit=30000 -o noinit_itable)
		"mkfs.$FILE_SYSTEM" -q -F -m 0 /dev/mapper/volume
	fi
	mkdir -p "$MNT"
	mount "${options[@]}" /dev/mapper/volume "$MNT"
}

# image ID SIZE NODE...: a thin file on node 1, known to node 1 and the others. SIZE as for truncate.
image() {
	local id=$1 size=$2 node
	shift 2

	truncate -s "$size" "$MNT/image$id"
	kernel 1 image add "$UUID" "$id" --size "$size" --file "$MNT/image$id"
	for node in "$@"; do
		kernel "$node" image add "$UUID" "$id" --size "$size"
	done
}

session_live() {
	[[ $(kernel "$1" session show "$UUID" --json | value state peer "$2") == live ]]
}

# identity NODE PEER: options for a session, if the suite has certificates (CERTS, a directory).
identity() {
	[[ -z ${CERTS-} ]] || printf '%s\n' --cert "$CERTS/node$1.crt" --key "$CERTS/node$1.key" --ca "$CERTS/ca.crt" \
		--peer-name "node$2"
}

# session LISTENER CONNECTOR: both ends, with one lane, or as many as LANES says.
session() {
	local mine=() peers=() where=${ADDRESSES:-10.7.0.$1:$PORT}

	# If it was tried before, in vain, one may be listening still.
	stop "listen$1-$2" KILL
	mapfile -t mine < <(identity "$1" "$2")
	mapfile -t peers < <(identity "$2" "$1")
	start "listen$1-$2" nsenter --net="$(netns "$1")" "$HERE/../bin/covol" kernel session listen "$UUID" \
		--peer "$2" --address "$where" --lanes "${LANES:-1}" --timeout 20 "${mine[@]}"
	kernel "$2" session connect "$UUID" --peer "$1" --address "$where" --lanes "${LANES:-1}" --timeout 20 "${peers[@]}"
	within 20 dead "listen$1-$2"
	rm -f "$RUN/listen$1-$2.pid"
	session_live "$1" "$2"
}

netns() {
	if [[ $1 -eq 1 ]]; then
		echo /proc/1/ns/net
	else
		echo "/run/netns/n$1"
	fi
}

# layouts ID...: node 1 answers who asks for layouts of these images.
layouts() {
	local id words=()

	for id in "$@"; do
		words+=("$id=$MNT/image$id")
	done
	start layout "$HERE/../bin/covol-layout" -v "$UUID" "${words[@]}"
	within 20 grep -q answering "$RUN/layout.log"
}

# ---- looking ----

# state NODE OBJECT BYTE: of the extent there, in the node's map.
state() {
	kernel "$1" map show "$UUID" "$2" --offset "$3" --json | value state
}

state_is() {
	[[ $(state "$1" "$2" "$3") == "$4" ]]
}

# has NODE DEVICE OFFSET STATE: of image 1. It reads there: who reads where it has no layout asks for one.
has() {
	dd if="$2" of=/dev/null bs=4k count=1 skip="$3" iflag=direct,skip_bytes status=none
	state_is "$1" image:1 "$3" "$4"
}

# counters DEVICE: into the array COUNT: COUNT[direct.writes] and so on.
declare -A COUNT=()
counters() {
	local way what words at=8

	read -ra words <<<"$(dmsetup status "$1")"
	# start length covol role route reasons epoch extents, then the counters
	for way in direct fs block zero held; do
		for what in reads read-bytes writes write-bytes others; do
			COUNT[$way.$what]=${words[at]}
			at=$((at + 1))
		done
	done
}

# counter DEVICE WAY.WHAT
counter() {
	counters "$1"
	echo "${COUNT[$2]}"
}

counter_over() {
	[[ $(counter "$1" "$2") -gt $3 ]]
}

# goes_on DEVICE WAY: there are more writes that way.
goes_on() {
	within 20 counter_over "$1" "$2.writes" $(($(counter "$1" "$2.writes") + 5))
}

# counted DEVICE COMMAND -- WAY.WHAT=N...: what the command adds to the counters (N or any); those not named stay.
counted() {
	local device=$1 command=() name pair wrong=
	local -A before should=()
	shift

	while [[ $1 != -- ]]; do
		command+=("$1")
		shift
	done
	shift
	for pair in "$@"; do
		should[${pair%=*}]=${pair#*=}
	done
	counters "$device"
	for name in "${!COUNT[@]}"; do
		before[$name]=${COUNT[$name]}
	done
	"${command[@]}"
	counters "$device"
	for name in "${!COUNT[@]}"; do
		[[ $name != *-bytes || -v should[$name] ]] || continue
		[[ ${should[$name]:-} != any ]] || continue
		[[ $((COUNT[$name] - before[$name])) -ne ${should[$name]:-0} ]] || continue
		wrong+=" $name=$((COUNT[$name] - before[$name]))(${should[$name]:-0})"
	done
	[[ -z $wrong ]] || fail "counted, (and should be), after ${command[*]}:$wrong"
}

# held NODE: bios that are held there now.
held() {
	kernel "$1" volume show "$UUID" --json | value held
}

is_held() {
	[[ $(held "$1") -gt 0 ]]
}

# pattern SEED BYTES: the same bytes for the same seed, every block of them different.
pattern() {
	seq -f "$1 %.0f: data that no other block has" 1 $(($2 / 30 + 1)) | {
		head -c "$2"
		cat >/dev/null
	}
}

# part FILE OFFSET BYTES: of it.
part() {
	dd if="$1" bs=64k skip="$2" count="$3" iflag=fullblock,skip_bytes,count_bytes status=none
}

# same FILE DEVICE OFFSET BYTES: the device has there what the file begins with. Past the page cache.
same() {
	dd if="$2" bs=64k skip="$3" count="$4" iflag=direct,fullblock,skip_bytes,count_bytes status=none |
		cmp -n "$4" - "$1" || fail "$2 at $3: not the data of $1"
}

# put FILE DEVICE OFFSET [BLOCK [FLAGS]]: all of it, past the page cache.
put() {
	dd if="$1" of="$2" bs="${4:-64k}" oflag="direct,seek_bytes${5:+,$5}" seek="$3" conv=notrunc status=none
}

# ---- the coordinator's crash ----

# crashed: the LUN as it is when the coordinator dies now, its log not written back, is mounted at $CRASHED.
crashed() {
	dd if="$LUN" of="$RUN/crashed" bs=1M iflag=direct conv=sparse status=none
	crashed_up
}

# crashed_up: the copy of a LUN in $RUN/crashed is mounted there.
crashed_up() {
	local options

	mkdir -p "$CRASHED"
	[[ ${FILE_SYSTEM:-xfs} != xfs ]] || options=nouuid,
	mount -o "${options-}loop,offset=$((OFFSET_SECTORS * 512))" "$RUN/crashed" "$CRASHED"
}

crashed_down() {
	! mountpoint -q "$CRASHED" || umount "$CRASHED"
}

# ---- all of it down ----

# nodes_down: devices, images, sessions, volumes of all nodes; in the order that the kernel asks for.
nodes_down() {
	local node

	crashed_down
	# What waits for held I/O does not end before that does; nor what waits for a recall.
	kill_all
	nothing_late
	# A session ends when its requests have: each may wait for a recall from the other.
	for node in 2 3; do
		kernel 1 session remove "$UUID" "$node" --forget 2>/dev/null &
	done
	wait
	kernel 1 image share end "$UUID" 1 2>/dev/null || true
	for node in 3 2 1; do
		[[ $node -eq 1 || -e /run/netns/n$node ]] || continue
		route "$node" direct 2>/dev/null || true
	done
	stop_all
	without_flush_down
	for node in 3 2 1; do
		[[ $node -eq 1 || -e /run/netns/n$node ]] || continue
		on "$node" "$HERE/../lib/down" "$HERE/../bin/covol" "$node"
	done
	network_down
}

# ---- load ----

# load NAME DEVICE [FIO-OPTION...]: writes and verifies in the background, until load_ok or its first error. As fast as
# an emulated machine can and still do something else. A thread, not a process: that would have a session, and so a process
# group, of its own, and `stop` would miss it.
load() {
	local name=$1 device=$2 before
	shift 2

	before=$(opens "$device")
	# shellcheck disable=SC2016
	start "$name" bash -c 'trap : INT; fio "$@"; echo "status $?"' - --name="$name" --filename="$device" --thread --rw=randwrite --bs=8k \
		--size=16M --iodepth=16 --rate_iops=120 --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 --verify_backlog=64 \
		--randrepeat=0 --time_based --runtime=100000 --output-format=terse --terse-version=3 "$@"
	within 30 is_open "$device" "$before"
}

# opens DEVICE: how often it is open.
opens() {
	dmsetup info -c --noheadings -o open "$1"
}

# is_open DEVICE NUMBER: more often than that.
is_open() {
	[[ $(opens "$1") -gt $2 ]]
}

# load_ends NAME: it has ended by itself.
load_ends() {
	within 60 grep -q '^status' "$RUN/$1.log"
}

# load_told NAME: it has ended, as it was told to; fio may miss that once.
load_told() {
	! grep -q '^status' "$RUN/$1.log" || return 0
	kill -INT -- "-$(<"$RUN/$1.pid")"
	sleep 2
	grep -q '^status' "$RUN/$1.log"
}

# load_ok NAME: it is still going on; ended now, it has seen no error and no wrong data.
load_ok() {
	! grep '^status' "$RUN/$1.log" || fail "the load has ended: $(grep -v '^3;' "$RUN/$1.log")"
	within 60 load_told "$1"
	# The fifth field of its result is the error.
	equal "error of fio" "$(awk -F ';' '/^3;fio/ { print $5 }' "$RUN/$1.log")" 0
	! grep -i 'verify:' "$RUN/$1.log" || fail "fio of $1 has read wrong data"
	rm -f "$RUN/$1.pid"
}
