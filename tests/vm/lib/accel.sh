# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How QEMU runs the guests' processors. To be sourced after cache.sh.

# TCG does "rep movsb" and "rep stosb" byte by byte: a kernel is not to take them for the fast way to copy and to clear.
readonly TCG="-accel tcg,thread=multi -cpu max,-erms,-fsrm" KVM="-accel kvm -cpu host"

# kvm_boots KERNEL: whether a kernel gets to its first process under KVM within 10 s. That /dev/kvm opens says little.
kvm_boots() {
	local kernel=$1 dir console

	[[ -r /dev/kvm && -w /dev/kvm ]] || return 1
	dir=$(mktemp -d)
	console=$dir/console
	mkdir -p "$dir/tree/bin"
	cp -L "$(type -P busybox)" "$dir/tree/bin/busybox"
	printf '#!/bin/busybox sh\necho KVM-WORKS\n/bin/busybox poweroff -f\n' >"$dir/tree/init"
	chmod 755 "$dir/tree/init"
	(cd "$dir/tree" && find . | cpio --quiet -o -H newc) >"$dir/initramfs"
	# shellcheck disable=SC2086
	timeout -s KILL 10 qemu-system-x86_64 $KVM -m 256 -smp 2 -display none -nodefaults -no-user-config -no-reboot \
		-serial "file:$console" -kernel "$kernel/vmlinux" -initrd "$dir/initramfs" \
		-append "console=ttyS0 panic=-1 quiet" >/dev/null 2>&1 </dev/null || true
	grep -q KVM-WORKS "$console" 2>/dev/null && status=0 || status=1
	rm -r "$dir"
	return "$status"
}

make_accel() {
	local kernel=$1 dir=$2

	if kvm_boots "$kernel"; then
		say "KVM boots a kernel here: guests use it"
		echo kvm >"$dir/accel"
	else
		say "no KVM that boots a kernel here: guests run on TCG"
		echo tcg >"$dir/accel"
	fi
}

# accel KERNEL: QEMU's options; found out once per boot of this host.
accel() {
	local kernel=$1 entry

	entry=vm/accelerator-$(</proc/sys/kernel/random/boot_id)
	case $(<"$(cache_entry "$entry" make_accel "$kernel")/accel") in
	kvm) printf '%s\n' "$KVM" ;;
	*) printf '%s\n' "$TCG" ;;
	esac
}
