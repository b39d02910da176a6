# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A small KTAP library. A suite names its tests with `it`, and ends with `ktap_run`:
#
#	it 'the LUN is smaller than the volume: refused' small_lun
#
# Every test is a function and runs in a subshell of its own, under `set -e` and a time limit; its output is shown only
# when it fails. What `first` names must succeed for the others to mean anything; what `last` names runs in any case.
# A test that cannot be made here calls `skip`, and counts as neither passed nor failed.

# How much slower than a stock kernel this kernel is: for times that a test sets, to be told apart from what is done meanwhile.
SLOW=${COVOL_SLOW:-1}
# Limits only end what would not end by itself. No test is to fail for a machine that has other things to do, so a limit
# allows this many times what was seen to be enough on a quiet one.
readonly PATIENCE=$((SLOW > 5 ? SLOW : 5))
readonly TEST_LIMIT=$((120 * PATIENCE))

ktap_names=() ktap_functions=() ktap_first='' ktap_last=''
KTAP_LOG=$(mktemp)
readonly KTAP_LOG
# Why the test was skipped, and the status that says so; kselftest has the same.
readonly KTAP_SKIPPED=$KTAP_LOG.skipped KTAP_SKIP=4

it() {
	ktap_names+=("$1")
	ktap_functions+=("$2")
}

first() {
	it "$@"
	ktap_first=$2
}

last() {
	it "$@"
	ktap_last=$2
}

# Called without errexit.
# ktap_one FUNCTION [ARGUMENT]: its own process group, so that the time limit ends all of it.
ktap_one() {
	local pid watch status=0

	: >"$KTAP_LOG"
	rm -f "$KTAP_SKIPPED"
	set -m
	(
		set -eE
		trap 'printf "FAILED: %s (status %s, line %s)\n" "$BASH_COMMAND" "$?" "$LINENO" >>"$KTAP_LOG"' ERR
		# shellcheck disable=SC2086
		$1
	) >>"$KTAP_LOG" 2>&1 </dev/null &
	pid=$!
	(
		sleep "$TEST_LIMIT"
		printf 'over the time limit of %s s; stacks of what hangs:\n' "$TEST_LIMIT" >>"$KTAP_LOG"
		echo w >/proc/sysrq-trigger
		dmesg | sed -n '/sysrq: Show Blocked State/,$p' | cut -c -150 | head -n 100 >>"$KTAP_LOG"
		kill -KILL -- "-$pid"
	) >/dev/null 2>&1 &
	watch=$!
	set +m
	wait "$pid" 2>/dev/null || status=$?
	kill -KILL -- "-$watch" 2>/dev/null || true
	wait "$watch" 2>/dev/null || true
	return "$status"
}

ktap_result() {
	printf '%s %s - %s\n' "$1" "$2" "$3"
	[[ $1 == ok ]] || tail -n 120 "$KTAP_LOG" | sed 's/^/# /'
}

# ktap_took SECONDS: said of what would seem to hang.
ktap_took() {
	[[ $1 -lt 60 ]] || printf '# took %s s\n' "$1"
}

ktap_run() {
	local i function status start broken=no failed=0

	printf 'KTAP version 1\n1..%s\n' "${#ktap_names[@]}"
	for i in "${!ktap_names[@]}"; do
		function=${ktap_functions[i]}
		if [[ $broken == yes && $function != "$ktap_last" ]]; then
			echo 'not run: what it needs has failed' >"$KTAP_LOG"
			ktap_result 'not ok' $((i + 1)) "${ktap_names[i]}"
			failed=$((failed + 1))
			continue
		fi
		# Not as a condition: errexit would be off in all that it calls, subshells included.
		start=$SECONDS
		ktap_one "$function"
		status=$?
		ktap_took $((SECONDS - start))
		if [[ $status -eq 0 ]]; then
			ktap_result ok $((i + 1)) "${ktap_names[i]}"
			continue
		fi
		# Other commands end with that status, too.
		if [[ $status -eq $KTAP_SKIP && -s $KTAP_SKIPPED ]]; then
			ktap_result ok $((i + 1)) "${ktap_names[i]} # SKIP $(<"$KTAP_SKIPPED")"
			continue
		fi
		ktap_result 'not ok' $((i + 1)) "${ktap_names[i]}"
		failed=$((failed + 1))
		[[ $function != "$ktap_first" ]] || broken=yes
	done
	rm -f "$KTAP_LOG" "$KTAP_SKIPPED"
	[[ $failed -eq 0 ]]
}

# ---- for tests ----

fail() {
	printf 'FAILED: %s (line %s)\n' "$*" "${BASH_LINENO[1]:-?}"
	exit 1
}

# skip WHY: this cannot be tested here.
skip() {
	printf '%s\n' "$*" >"$KTAP_SKIPPED"
	exit "$KTAP_SKIP"
}

# equal WHAT IS SHOULD
equal() {
	[[ $2 == "$3" ]] || fail "$1 is '$2', should be '$3'"
}

# between WHAT IS LEAST MOST
between() {
	[[ $2 -ge $3 && $2 -le $4 ]] || fail "$1 is $2, should be from $3 to $4"
}

# within SECONDS COMMAND...: until the command succeeds; PATIENCE times that long at most.
within() {
	local limit=$(($1 * PATIENCE)) start=$SECONDS
	shift

	until "$@" >/dev/null 2>&1; do
		[[ $((SECONDS - start)) -lt $limit ]] || fail "not within $limit s: $*"
		sleep 0.1
	done
}

# fails COMMAND...: it must, by itself (not by a signal). Its output is printed.
fails() {
	local status=0

	"$@" || status=$?
	[[ $status -ne 0 ]] || fail "should have failed: $*"
	[[ $status -lt 124 ]] || fail "ended with status $status: $*"
}

# ---- the kernel's log ----

ktap_marks=0
mark=

# log_mark: what comes now is told apart from what was there before.
log_mark() {
	ktap_marks=$((ktap_marks + 1))
	mark="selftest mark $$.$BASHPID.$ktap_marks"
	printf '%s\n' "$mark" >/dev/kmsg
}

# log_since: the kernel's log since log_mark.
log_since() {
	dmesg | sed "1,/$mark/d"
}

# logged TEXT: it is in the log since log_mark.
logged() {
	log_since | grep -F -- "$1"
}

must_log() {
	logged "$1" >/dev/null && return
	log_since | tail -n 20
	fail "not in the kernel's log: $1"
}

# ---- processes that a suite starts ----

RUN=$(mktemp -d)
export RUN

# start NAME COMMAND...: in the background, output to $RUN/NAME.log.
start() {
	local name=$1
	shift

	setsid "$@" >"$RUN/$name.log" 2>&1 </dev/null &
	printf '%s\n' $! >"$RUN/$name.pid"
	disown
}

alive() {
	kill -0 "$(<"$RUN/$1.pid")" 2>/dev/null
}

dead() {
	! alive "$1"
}

# stop NAME [SIGNAL]: and wait for it.
stop() {
	[[ -f $RUN/$1.pid ]] || return 0
	kill "-${2:-TERM}" -- "-$(<"$RUN/$1.pid")" 2>/dev/null || true
	within 20 dead "$1"
	rm -f "$RUN/$1.pid"
}

kill_all() {
	local pid

	for pid in "$RUN"/*.pid; do
		[[ ! -e $pid ]] || kill -KILL -- "-$(<"$pid")" 2>/dev/null || true
	done
}

stop_all() {
	local pid name

	for pid in "$RUN"/*.pid; do
		name=${pid##*/}
		[[ ! -e $pid ]] || stop "${name%.pid}" KILL
	done
}
