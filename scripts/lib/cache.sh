# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The cache of what is dear to make and the same for every checkout: unpacked kernel packages, built
# kernels, root images. To be sourced by scripts that run under `set -euo pipefail`.
#
# An entry is a directory whose name says everything that went into it, so a changed input makes a new
# entry and nothing is ever refreshed in place. It is made under a temporary name and renamed when it is
# whole: an entry that exists can be used without a look inside.

# A function that fails must also stop what called it as $(function).
shopt -s inherit_errexit

COVOL_CACHE=${COVOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/covol}
export COVOL_CACHE

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# need_commands COMMAND...: stop with one line that names all that is missing.
need_commands() {
	local command missing=()

	for command in "$@"; do
		type -P "$command" >/dev/null || missing+=("$command")
	done
	[[ ${#missing[@]} -eq 0 ]] || die "not installed: ${missing[*]} (run: make setup)"
}

# cache_path ENTRY: where an entry is, or will be.
cache_path() {
	printf '%s/%s\n' "$COVOL_CACHE" "$1"
}

cache_discard() {
	[[ -z ${cache_unfinished:-} ]] || rm -rf "$cache_unfinished"
}

# cache_entry ENTRY FUNCTION [ARGUMENT...]: make ENTRY unless it is there, and print its directory.
#
# FUNCTION gets the arguments and then the temporary directory, which it fills. It must not depend on that
# directory's name, except by cache_path of ENTRY. Its standard output goes to standard error. A second
# caller that wants the same entry waits for the first.
#
# FUNCTION is called where errexit counts: do not call cache_entry itself as a condition (`if`, `||`).
cache_entry() {
	local entry=$1 dir lock
	shift

	dir=$(cache_path "$entry")
	if [[ ! -d $dir ]]; then
		mkdir -p "${dir%/*}"
		exec {lock}>"$dir.lock"
		flock "$lock"
		if [[ ! -d $dir ]]; then
			rm -rf "$dir.tmp"
			cache_unfinished=$dir.tmp
			trap cache_discard EXIT
			mkdir "$dir.tmp"
			"$@" "$dir.tmp" >&2
			mv -T "$dir.tmp" "$dir"
			cache_unfinished=
		fi
		exec {lock}>&-
	fi
	printf '%s\n' "$dir"
}
