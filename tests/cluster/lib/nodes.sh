# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The nodes of the test bed, as scenarios use them. To be sourced after report.sh; TOP is the checkout.

# Bigger than what any command of a scenario takes.
readonly NODE_TIMEOUT=600

bed() {
	"$TOP/tests/vm/bed" "$@"
}

# build SERIES: module and user space, and from both what goes to the nodes.
build() {
	local module payload=$REPORT/payload/covol

	rm -rf "$payload"
	mkdir -p "$payload"
	module=$("$TOP/scripts/modules" "$1")
	make -s -C "$TOP/userspace" -j"${COVOL_JOBS:-$(nproc)}" >&2
	# Most of a module is what a debugger wants to know.
	strip --strip-debug -o "$payload/dm-covol.ko" "$module"
	cp "$TOP"/build/user/{covol,covold,covol-layout,libcovol.so.0} "$TOP"/userspace/covold/org.covol.conf \
		"$TOP"/tests/cluster/guest/* "$payload/"
}

# install_payload N
install_payload() {
	bed push "$1" "$REPORT/payload/covol" /root/
}

# node N COMMAND [WORD...]: of guest/node.
node() {
	local number=$1
	shift

	bed run --timeout "$NODE_TIMEOUT" "$number" "/root/covol/node ${*@Q}"
}

# on COMMAND WORD... N: the same with the number last, as check_each has it.
on() {
	node "${!#}" "${@:1:$#-1}"
}

# keep_logs DIR: of the guests, and of the programs in them.
keep_logs() {
	local number

	mkdir -p "$1"
	bed logs "$1"
	for number in 1 2 3; do
		bed run --timeout 30 "$number" 'tail -n 2000 /root/*.log /root/*.err /root/*.json; dmsetup table; dmsetup status; /root/covol/covol kernel volume show
			/root/covol/covol kernel session show; /root/covol/covol kernel image show; cat /proc/mounts' >"$1/$number.state" 2>&1 </dev/null || true
	done
}

# end_children PID: all that PID has started, and what that has.
end_children() {
	local child

	for child in $(pgrep -P "$1"); do
		end_children "$child"
		kill "$child" 2>/dev/null
	done
}
