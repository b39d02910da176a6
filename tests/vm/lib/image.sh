# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a guest boots from, made once and kept in the cache: the root image (Debian packages, the same for
# every kernel), and for each kernel its modules and an initramfs. To be sourced after cache.sh.

# Counted up whenever the functions below make another image out of the same input.
readonly ROOT_RECIPE=1 BOOT_RECIPE=2

# What the initramfs loads to reach the root image; and the processor's own CRC32C, as hosts have it, before anybody asks
# for one (libcrc32c stays with what it finds first).
readonly BOOT_MODULES="virtio_pci virtio_blk crc32c_intel crc32c_generic erofs overlay"

# How many entries of a kind stay in the cache, those used last.
declare -rA KEEP=([root-]=2 [boot-]=8 [state-]=3)

digest() {
	sha256sum | cut -c -16
}

# names FILE: the names in a list with comments.
names() {
	sed -E 's/[[:space:]]*(#.*)?$//; /^$/d' "$1"
}

# apt_sources: the Debian archives that this host itself uses, as lines for a sources.list.
apt_sources() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
		sed 's/^/deb /' | sort -u
}

# apt_options: the host's own way to its archives (proxy, checks), as options for mmdebstrap.
apt_options() {
	apt-config dump | sed -En 's/^(Acquire::(https?::|Check-|Retries|ForceIPv)[^ ]* "[^"]+");$/--aptopt=\1/p'
}

# use_entry KIND NAME FUNCTION [ARGUMENT...]: a cache entry below vm/, as cache_entry makes it, and notes its use.
use_entry() {
	local kind=$1 name=$2 dir old
	shift 2

	dir=$(cache_entry "vm/$name" "$@")
	touch "$dir"
	find "$COVOL_CACHE/vm" -maxdepth 1 -type d -name "$kind*" ! -name '*.tmp' -printf '%T@ %p\n' | sort -rn |
		tail -n "+$((KEEP[$kind] + 1))" | cut -d ' ' -f 2- |
		while read -r old; do
			rm -rf "$old"
		done
	printf '%s\n' "$dir"
}

# make_root CODENAME DIR
make_root() {
	local codename=$1 dir=$2 sources options include

	sources=$(apt_sources)
	[[ $sources == *" $codename "* ]] || die "apt knows no Debian archive of $codename: run 'apt-get update', then again"
	include=$(names "$VM/packages" | paste -sd,)
	mapfile -t options < <(apt_options)
	say "making the root image of the test bed (about a minute)"
	mmdebstrap --quiet --variant=minbase --format=directory "${options[@]}" \
		--aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
		--include="$include" "$codename" "$dir/root" - <<<"$sources"
	rm -rf "$dir/root/var/cache/apt" "$dir/root/var/lib/apt/lists"
	mkdir -p "$dir/root/usr/lib/modules"
	mkfs.erofs --quiet -T0 "$dir/root.erofs" "$dir/root"
	rm -rf "$dir/root"
}

# root_image: makes it if it is missing, prints the directory that has root.erofs. The name holds what went in,
# but for the archive's state of the day: remove the entry to get newer packages.
root_image() {
	local codename key

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	key=$(names "$VM/packages" | digest)
	use_entry root- "root-$codename-$key-r$ROOT_RECIPE" make_root "$codename"
}

# kernel_key DIR: names a kernel directory by what is in it.
kernel_key() {
	local dir=$1

	{
		cat "$dir/release" "$dir/vmlinux"
		[[ ! -d $dir/lib/modules ]] || find "$dir/lib/modules/" -name '*.ko*' -printf '%P %s %T@\n' | sort
	} | digest
}

# module_files DIR MODULE...: modules and what they depend on, as paths below DIR (a lib/modules/<release>), each
# behind what it depends on. A module is a name, or a folder with / behind it. What is built into the kernel has no
# file, and is left out like what is not there at all: the guest's init says so if it misses it.
module_files() {
	local dir=$1
	shift

	[[ -f $dir/modules.dep ]] || return 0
	awk -v wanted="$*" '
	function name(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
	function add(path) { if (!seen[path]++) print path }
	BEGIN {
		count = split(wanted, words, " ")
		for (i = 1; i <= count; i++)
			if (words[i] ~ /\/$/)
				folders[++nfolders] = "kernel/" words[i]
			else {
				gsub(/-/, "_", words[i])
				names[++nnames] = words[i]
			}
	}
	{
		path = $1; sub(/:$/, "", path)
		depends[path] = substr($0, length($1) + 2)
		by_name[name(path)] = path
		for (i = 1; i <= nfolders; i++)
			if (index(path, folders[i]) == 1)
				found[++nfound] = path
	}
	END {
		for (i = 1; i <= nnames; i++)
			if (names[i] in by_name)
				found[++nfound] = by_name[names[i]]
		for (i = 1; i <= nfound; i++) {
			for (j = split(depends[found[i]], words, " "); j > 0; j--)
				add(words[j])
			add(found[i])
		}
	}' "$dir/modules.dep"
}

# unpack_module FILE DIR: copy a module, uncompressed.
unpack_module() {
	local file=$1 dir=$2 name

	name=${file##*/}
	case $name in
	*.xz) xz -dc "$file" >"$dir/${name%.xz}" ;;
	*.zst) zstd -qdc "$file" >"$dir/${name%.zst}" ;;
	*) cp -L "$file" "$dir/" ;;
	esac
}

# make_initramfs MODULES OUT
make_initramfs() {
	local modules=$1 out=$2 tree path name

	tree=$out.tree
	mkdir -p "$tree"/{bin,modules,proc,sys,dev,lower,tmpfs,root}
	cp -L "$(type -P busybox)" "$tree/bin/busybox"
	: >"$tree/modules/order"
	# shellcheck disable=SC2086
	while read -r path; do
		unpack_module "$modules/$path" "$tree/modules"
		name=${path##*/}
		printf '%s\n' "${name%.ko*}.ko" >>"$tree/modules/order"
	done < <(module_files "$modules" $BOOT_MODULES)
	cp -r "$VM/guest" "$tree/guest"
	mv "$tree/guest/initramfs" "$tree/init"
	chmod 755 "$tree/init" "$tree"/guest/*
	(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) >"$out"
	rm -r "$tree"
}

# make_modules MODULES RELEASE OUT: an image of what belongs to /lib/modules.
make_modules() {
	local modules=$1 release=$2 out=$3 tree path folder wanted

	tree=$out.tree
	mkdir -p "$tree/lib/modules/$release"
	for path in "$modules"/modules.{builtin,builtin.modinfo,order}; do
		[[ ! -f $path ]] || cp "$path" "$tree/lib/modules/$release/"
	done
	wanted=$(names "$VM/modules")
	# shellcheck disable=SC2086
	while read -r path; do
		folder=$tree/lib/modules/$release/${path%/*}
		mkdir -p "$folder"
		unpack_module "$modules/$path" "$folder"
	done < <(module_files "$modules" $wanted)
	depmod -b "$tree" "$release"
	mkfs.erofs --quiet -T0 "$out" "$tree/lib/modules"
	rm -r "$tree"
}

make_boot() {
	local kernel=$1 dir=$2 release

	release=$(<"$kernel/release")
	make_initramfs "$kernel/lib/modules/$release" "$dir/initramfs"
	make_modules "$kernel/lib/modules/$release" "$release" "$dir/modules.erofs"
}

# boot_image KERNEL: makes them if they are missing, prints the directory that has initramfs and modules.erofs.
boot_image() {
	local kernel=$1 file key

	for file in release vmlinux; do
		[[ -f $kernel/$file ]] || die "$kernel: no kernel directory, $file is missing (scripts/kernel-fetch makes one)"
	done
	key=$({ kernel_key "$kernel"; cat "$VM"/guest/* "$VM/modules" "$(type -P busybox)"; } | digest)
	use_entry boot- "boot-$(<"$kernel/release")-$key-r$BOOT_RECIPE" make_boot "$kernel"
}
