# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The data checker (tests/cluster/checker) on the nodes of the test bed. To be sourced after nodes.sh, by a script that runs the
# checker's end on node N when it is called as `SCRIPT --node N rw|ro`. From the script: seed, length (of a scenario, in
# seconds), ending.

readonly CHECKER=$TOP/build/checker/checker

# build_checker: for the nodes, too. A checker that finds nothing must be one that would find something.
build_checker() {
	"$TOP/tests/cluster/checker/selftest"
	cp "$CHECKER" "$REPORT/payload/covol/"
}

# run_checker GUEST NODE PATH rw|ro: the checker's end, in place of this script.
run_checker() {
	exec "$TOP/tests/vm/bed" run --timeout 86400 --stdin "$1" "exec /root/covol/checker node $2 $3 $4"
}

# start_driver MIB [PATIENCE [DEPTH]]: for so much of the image; whatever is waited for may take so many seconds; so many I/Os of
# a node at once.
start_driver() {
	local mib=$1

	patience=${2:-120}
	coproc driver {
		exec "$CHECKER" drive --size $((mib << 20)) --seed "$seed" --patience "$patience" --depth "${3:-8}" --log "$REPORT/checker.log" \
			"$0" --node 2>"$REPORT/driver.err"
	}
	# Those of a coprocess are not there in subshells.
	exec {to_driver}>&"${driver[1]}" {from_driver}<&"${driver[0]}"
}

# tell WORD...: to the driver. Prints its answer; fails unless that is "ok". To verify is to wait twice.
tell() {
	local answer

	printf '%s\n' "$*" >&"$to_driver"
	read -r -t $((2 * patience + 60)) answer <&"$from_driver" ||
		die "the driver does not answer to \"$*\": $(cat "$REPORT/driver.err")"
	if [[ $answer != ok* ]]; then
		printf '%s\n' "$answer"
		grep -ae '# ' "$REPORT/checker.log" | grep -av '# command' | tail -n 12
		return 1
	fi
	printf '%s\n' "${answer#ok}"
}

# quietly COMMAND...: its output is of no interest unless it fails.
quietly() {
	local output

	output=$("$@" 2>&1) || {
		printf '%s\n' "$output"
		return 1
	}
}

# all_flow: every node does I/O, and it ends.
all_flow() {
	quietly tell flows
}

# begin_io: on all nodes.
begin_io() {
	quietly tell go
	all_flow
}

# cycles COMMAND...: again and again, for as many seconds as length says.
cycles() {
	cycles_at_least 1 "$@"
}

# cycles_at_least N COMMAND...: and not less often than that.
cycles_at_least() {
	local end=$((SECONDS + length)) least=$1 nr=0
	shift

	until [[ $SECONDS -ge $end && $nr -ge $least ]]; do
		"$@"
		nr=$((nr + 1))
	done
	echo "$nr times"
}

# finish: on every way out. A way out that is not the end of main is a failure, even if no check says so. The last line is what
# ending says: run or check.
finish() {
	local status=$?

	trap - EXIT
	set +e
	# What goes on below may wait for ever.
	end_children $$
	if [[ $status -ne 0 && $failed -eq 0 ]]; then
		failed=1
		printf '  FAILED  %s\n' "the run ended early (status $status)"
	fi
	[[ ! -v to_driver ]] || exec {to_driver}>&-
	if bed status >/dev/null 2>&1; then
		[[ -n $step ]] || step "End"
		check "no kernel of the bed has complained" bed check-dmesg
		[[ $failed -eq 0 ]] || keep_logs "$REPORT/logs" >>"$REPORT/log" 2>&1
	fi
	end_children $$
	end_step
	echo
	if [[ ${KEEP-} == 1 ]]; then
		note "KEEP=1: the bed is up; $TOP/tests/vm/bed shell N"
	else
		bed down
	fi
	[[ $failed -eq 0 ]] || note "Logs: $REPORT/log (all output), $REPORT/checker.log (every I/O), $REPORT/logs (the guests). SEED=$seed repeats it."
	case $ending in
	run) echo "${0##*/}: $passed checks passed, $failed failed ($(report_seconds) s)" ;;
	check) echo "$passed passed, $failed failed" ;;
	esac
	[[ $failed -eq 0 && $passed -gt 0 ]]
	exit $?
}
