# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A set of guests and their networks. To be sourced after cache.sh, image.sh and accel.sh.
#
# The set lives in a run directory (VM_DIR, absolute) and in one pair of namespaces that belong to the set's holder:
#   holder.pid      the holder as the host sees it; killing it ends everything
#   N.pid N.qmp     QEMU of guest N
#   N.console       its serial console, all boots

# Networks and what their guests' addresses start with: management 10.9.0, san 10.1.0, cluster 10.2.0.
readonly NETWORKS="management san cluster"

# pci=noacpi: the guests' devices use MSI-X; without it a debug kernel interprets ACPI's routing tables for minutes.
# norandmaps: TCG keeps what it translated by virtual address, and would translate a program anew at each start.
# A virtual processor that the host does not run for 20 s is no stall; a real one lasts.
# init_on_alloc=0: what is used before it is written must not look fine because it is zero (and it is faster).
readonly KERNEL_ARGUMENTS="console=ttyS0 panic=-1 loglevel=5 log_buf_len=4M mitigations=off nokaslr norandmaps \
no_timer_check random.trust_cpu=on cryptomgr.notests 8250.nr_uarts=1 net.ifnames=0 scsi_mod.scan=sync pci=noacpi \
rcupdate.rcu_cpu_stall_timeout=60 init_on_alloc=0"

# started_as PID WORD: whether a process is the one we think, and not another that got its number.
started_as() {
	[[ -n $1 ]] && { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null | grep -qF -- "$2"
}

# wait_gone PID: until a killed process is no more.
wait_gone() {
	while [[ -d /proc/$1 && $(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) != Z ]]; do
		sleep 0.02
	done
}

# close_files: what runs on in the background must not keep our caller's pipes or our locks open.
close_files() {
	local file fd

	for file in "/proc/$BASHPID/fd"/*; do
		fd=${file##*/}
		[[ $fd -le 2 ]] || exec {fd}>&-
	done
}

holder_pid() {
	local pid

	pid=$(cat "$VM_DIR/holder.pid" 2>/dev/null) || return 1
	started_as "$pid" "$VM/lib/holder $VM_DIR " && printf '%s\n' "$pid"
}

# vm_open LIMIT NODE...: the holder with the networks, for LIMIT seconds. What an earlier one left is removed first.
# With VM_TIED=yes in the environment it also ends with this script, even if that is killed.
vm_open() {
	local limit=$1 outer tie=() deadline=$((SECONDS + 60))
	shift

	[[ $EUID -eq 0 ]] || die "namespaces and networks for guests need root"
	[[ ${VM_TIED-} != yes ]] || tie=(setpriv --pdeathsig KILL)
	vm_close
	mkdir -p "$VM_DIR"
	(
		close_files
		exec </dev/null >"$VM_DIR/holder.log" 2>&1
		exec "${tie[@]}" setsid unshare --net --pid --fork --kill-child=KILL -- \
			bash "$VM/lib/holder" "$VM_DIR" "$limit" "${VM_NETWORKS:-$NETWORKS}" "$@"
	) &
	outer=$!
	until [[ -e $VM_DIR/ready ]]; do
		[[ -d /proc/$outer && $SECONDS -lt $deadline ]] ||
			die "no namespaces for the guests: $(cat "$VM_DIR/holder.log")"
		sleep 0.01
	done
	pgrep -P "$outer" >"$VM_DIR/holder.pid"
	disown "$outer"
}

# vm_close: everything away.
vm_close() {
	local holder pid file

	if holder=$(holder_pid); then
		kill -9 "$holder" 2>/dev/null || true
		wait_gone "$holder"
		for file in "$VM_DIR"/*.pid; do
			pid=$(<"$file")
			! started_as "$pid" "$VM_DIR/" || wait_gone "$pid"
		done
	fi
	rm -rf "$VM_DIR"/{ready,holder.pid,*.pid,*.qmp}
}

# inside COMMAND...: in the network namespace of the set.
inside() {
	local holder

	holder=$(holder_pid) || die "nothing runs in $VM_DIR (tests/vm/bed up)"
	nsenter -t "$holder" -n "$@"
}

vm_pid() {
	local pid

	pid=$(cat "$VM_DIR/$1.pid" 2>/dev/null) || return 1
	started_as "$pid" "$VM_DIR/$1.console" && printf '%s\n' "$pid"
}

# mac NETWORK NODE
mac() {
	case $1 in
	management) printf '52:54:00:09:00:%02x' "$2" ;;
	san) printf '52:54:00:01:00:%02x' "$2" ;;
	cluster) printf '52:54:00:02:00:%02x' "$2" ;;
	esac
}

# clock_arguments: under TCG a guest's time stamp counter is the host's (with icount, one of 1 GHz), but the guest measures
# it badly, takes it for broken and falls back to a clock that is slow to read. So tell it. (bogomips is twice the frequency.)
clock_arguments() {
	case $VM_ACCEL in
	*icount*) printf 'tsc=reliable tsc_early_khz=1000000' ;;
	*tcg*) awk '$1 == "bogomips" { printf "tsc=reliable tsc_early_khz=%d", $3 * 500; exit }' /proc/cpuinfo ;;
	esac
}

# processors: for -smp. With one possible processor QEMU leaves out what orders its memory accesses, but its devices run beside
# it in another thread: now and then a driver and its device would wait for each other for ever. So a second one is possible,
# and not there.
processors() {
	if [[ $VM_SMP -eq 1 && $VM_ACCEL == *thread=multi* ]]; then
		echo 1,maxcpus=2
	else
		echo "$VM_SMP"
	fi
}

# vm_start NODE [QEMU-OPTION...]: in the background; returns when QEMU is set up. From the environment:
# VM_KERNEL (kernel directory), VM_ROOT and VM_BOOT (directories of image.sh), VM_ACCEL, VM_MEM (MiB), VM_SMP, VM_APPEND.
vm_start() {
	local node=$1 holder net drive tsc options=()
	shift

	holder=$(holder_pid) || die "nothing runs in $VM_DIR"
	for drive in "$VM_ROOT/root.erofs" "$VM_BOOT/modules.erofs"; do
		options+=(-drive "if=virtio,file=$drive,format=raw,readonly=on,aio=threads,file.locking=off")
	done
	for net in ${VM_NETWORKS:-$NETWORKS}; do
		options+=(-netdev "tap,id=$net,ifname=$net$node,script=no,downscript=no"
			-device "virtio-net-pci,netdev=$net,romfile=,mac=$(mac "$net" "$node")")
	done
	tsc=$(clock_arguments)
	# shellcheck disable=SC2086
	(close_files && cd "$VM_DIR" && nsenter -t "$holder" -n -p qemu-system-x86_64 $VM_ACCEL -m "$VM_MEM" -smp "$(processors)" \
		-display none -nodefaults -no-user-config -no-reboot -daemonize \
		-chardev "file,id=console,path=$VM_DIR/$node.console,append=on" -serial chardev:console \
		-qmp "unix:$node.qmp,server=on,wait=off" \
		-kernel "$VM_KERNEL/vmlinux" -initrd "$VM_BOOT/initramfs" \
		-append "$KERNEL_ARGUMENTS $tsc node=$node ${VM_APPEND-}" "${options[@]}" "$@") ||
		die "QEMU of guest $node did not start"
	"$VM/lib/guest.py" pid "$VM_DIR/$node.qmp" >"$VM_DIR/$node.pid"
}

# vm_wait NODE LIMIT: until the guest's agent answers.
vm_wait() {
	local node=$1 limit=$2

	inside "$VM/lib/guest.py" wait "10.9.0.$node" "$(<"$VM_DIR/$node.pid")" "$limit" || {
		say "guest $node did not come up; the end of its console ($VM_DIR/$node.console):"
		tail -n 25 "$VM_DIR/$node.console" >&2
		return 1
	}
}

# vm_run [--stdin] NODE LIMIT SCRIPT: run a script (bash) in the guest.
vm_run() {
	local options=() pid

	if [[ $1 == --stdin ]]; then
		options+=(--stdin)
		shift
	fi
	[[ ${VM_ACCEL-} != *icount* ]] || options+=(--host-clock)
	pid=$(vm_pid "$1") || die "guest $1 is not running"
	inside "$VM/lib/guest.py" run "${options[@]}" "10.9.0.$1" "$pid" "$2" "$3"
}

vm_qmp() {
	"$VM/lib/guest.py" qmp "$VM_DIR/$1.qmp" "${@:2}"
}

# vm_kill NODE: as if its power was cut.
vm_kill() {
	local pid

	pid=$(vm_pid "$1") || die "guest $1 is not running"
	kill -9 "$pid"
	wait_gone "$pid"
	rm -f "$VM_DIR/$1".{pid,qmp}
}

# vm_push NODE LIMIT SOURCE... DESTINATION: as cp -r: into DESTINATION if that is a directory, ends in / or there are several
# sources; else DESTINATION is the copy's name.
vm_push() {
	local node=$1 limit=$2 sources=("${@:3:$#-3}") to=${!#} source arguments=() script

	for source in "${sources[@]}"; do
		[[ -e $source ]] || die "push: $source does not exist"
		source=$(realpath -s "$source")
		arguments+=(-C "${source%/*}/" "${source##*/}")
	done
	# shellcheck disable=SC2016
	printf -v script 'to=%q name=%q many=%q; %s' "$to" "${source##*/}" "$((${#sources[@]} > 1))" '
		set -e
		if [[ -d $to || $to == */ || $many == 1 ]]; then
			mkdir -p "$to"
			exec tar -x -C "$to"
		fi
		mkdir -p "$(dirname "$to")"
		stage=$(mktemp -d -p "$(dirname "$to")")
		tar -x -C "$stage"
		mv -T "$stage/$name" "$to"
		rmdir "$stage"'
	tar -c --owner=0 --group=0 "${arguments[@]}" | vm_run --stdin "$node" "$limit" "$script"
}

# vm_pull NODE LIMIT SOURCE DESTINATION: the same the other way.
vm_pull() {
	local node=$1 limit=$2 from=$3 to=$4 script stage

	printf -v script 'tar -c -C %q %q' "$(dirname "$from")" "$(basename "$from")"
	if [[ -d $to || $to == */ ]]; then
		mkdir -p "$to"
		vm_run "$node" "$limit" "$script" | tar -x --no-same-owner -C "$to"
		return
	fi
	mkdir -p "$(dirname "$to")"
	stage=$(mktemp -d -p "$(dirname "$to")")
	vm_run "$node" "$limit" "$script" | tar -x --no-same-owner -C "$stage" || {
		rm -r "$stage"
		die "pull: $from of guest $node is not copied"
	}
	mv -T "$stage/$(basename "$from")" "$to"
	rmdir "$stage"
}
