# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What `covol kernel ... show --json` prints, taken apart by bash itself: jq takes as long to start here as four other programs.

# value KEY [KEY VALUE]: KEY of each object, or only of those whose second KEY is VALUE; one a line. Of objects that have no
# others in them; nothing of those that do not have the key.
value() {
	local json object

	read -r -d '' json || true
	while [[ $json == *'}'* ]]; do
		object=${json%%'}'*}
		json=${json#*'}'}
		[[ $# -eq 1 || $object =~ \"$2\":\ ?\"?"$3"[\",[:space:]] ]] || continue
		[[ ! $object =~ \"$1\":\ ?\"?([^\",[:space:]]+) ]] || printf '%s\n' "${BASH_REMATCH[1]}"
	done
}
