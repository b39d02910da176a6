# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building kernels from source, for scripts that have sourced cache.sh.

# kernel_make SOURCE OUT [MAKE-ARGUMENT...]: make in a kernel tree, quietly, with the objects in OUT.
#
# Compiled files come from a compiler cache that all builds share; the fixed build time and name keep the
# few files that hold them out of the difference.
kernel_make() {
	local source=$1 out=$2
	shift 2

	CCACHE_DIR=$COVOL_CACHE/ccache CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G} CCACHE_NOHASHDIR=1 \
		KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=covol KBUILD_BUILD_HOST=covol \
		nice make -s -j"${COVOL_JOBS:-$(nproc)}" -C "$source" O="$out" \
		CC="ccache gcc" HOSTCC="ccache gcc" "$@"
}

# kernel_config SOURCE OUT FRAGMENT... [-- MAKE-ARGUMENT...]: configure: the fragments' options, and what Kconfig derives from
# them; what can be left out and is not named is left out. Kconfig drops an option whose dependencies are missing without
# a word; here that is an error.
kernel_config() {
	local source=$1 out=$2 fragments=()
	shift 2

	while [[ $# -gt 0 && $1 != -- ]]; do
		fragments+=("$1")
		shift
	done
	[[ $# -eq 0 ]] || shift
	cat "${fragments[@]}" >"$out/fragments.config"
	kernel_make "$source" "$out" "$@" KCONFIG_ALLCONFIG="$out/fragments.config" allnoconfig
	kernel_config_check "$out/.config" "$out/fragments.config"
}

# kernel_config_check CONFIG FRAGMENT...
kernel_config_check() {
	local config=$1 option lost=()
	shift

	while read -r option; do
		grep -qxF "$option" "$config" || lost+=("$option")
	done < <(grep -h '^CONFIG_' "$@")
	while read -r option; do
		! grep -q "^$option=" "$config" || lost+=("# $option is not set")
	done < <(sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p' "$@")
	[[ ${#lost[@]} -eq 0 ]] || die "Kconfig did not take: $(printf '%s; ' "${lost[@]}")(a dependency is missing, or another option selects it)"
}

# compiler_id: the C compiler, in one word.
compiler_id() {
	gcc -dumpfullversion | sed 's/^/gcc/'
}

# digest: of standard input, short enough for a file name.
digest() {
	sha256sum | cut -c -16
}
