# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a scenario tells its reader: steps, one line for each check, figures as JSON. To be sourced by scripts that run under
# `set -euo pipefail`. Everything lies in a directory of its own (REPORT, absolute):
#   log           output of all checks
#   steps.jsonl   title, seconds and checks of each step
#   NAME.json     figures, by the scenario itself

report_open() {
	REPORT=$1
	mkdir -p "$REPORT"
	rm -rf "${REPORT:?}"/{log,output.*,sums.*,samples.*,fresh.*,*.json,*.jsonl}
	: >"$REPORT/log"
	: >"$REPORT/checks.jsonl"
	: >"$REPORT/steps.jsonl"
	passed=0 failed=0 step='' step_began=0 report_began=$(now)
}

# now: in milliseconds.
now() {
	printf '%s\n' $((${EPOCHREALTIME/./} / 1000))
}

# seconds MS: "3.2".
seconds() {
	printf '%d.%d\n' $(($1 / 1000)) $(($1 % 1000 / 100))
}

# report_seconds: since report_open.
report_seconds() {
	seconds $(($(now) - report_began))
}

# step TITLE
step() {
	end_step
	step=$1
	step_began=$(now)
	printf '\n%s\n\n' "$step"
}

end_step() {
	[[ -n $step ]] || return 0
	jq -cn --arg title "$step" --arg seconds "$(seconds $(($(now) - step_began)))" --slurpfile checks "$REPORT/checks.jsonl" \
		'{ title: $title, seconds: ($seconds | tonumber), checks: $checks }' >>"$REPORT/steps.jsonl"
	: >"$REPORT/checks.jsonl"
	step=''
}

# note TEXT...: a sentence a line.
note() {
	printf '  %s\n' "$@"
}

# verdict STATUS MS OUTPUT-FILE TEXT: one line; the output of what failed, or the last line of what it printed when it did not.
verdict() {
	local status=$1 ms=$2 output=$3 text=$4 detail='' took=''

	[[ $ms -lt 100 ]] || took=" ($(seconds "$ms") s)"
	printf -- '---- %s: %s (status %s)\n' "$step" "$text" "$status" >>"$REPORT/log"
	cat "$output.err" "$output" >>"$REPORT/log"
	if [[ $status -eq 0 ]]; then
		passed=$((passed + 1))
		detail=$(tail -n 1 "$output")
		printf '  ok      %s\n' "$text${detail:+: $detail}$took"
	else
		failed=$((failed + 1))
		detail=$(cat "$output" "$output.err" | tail -n 15)
		printf '  FAILED  %s, status %s\n' "$text$took" "$status"
		printf '%s\n' "$detail" | sed 's/^/          | /'
	fi
	record "$status" "$ms" "$text" "$detail"
}

# transcript STATUS MS OUTPUT-FILE TEXT: TEXT is a command line with its prompt; all that it printed follows.
transcript() {
	local status=$1 ms=$2 output=$3 text=$4 took=''

	[[ $ms -lt 1000 ]] || took="    ($(seconds "$ms") s)"
	printf -- '---- %s: %s (status %s)\n' "$step" "$text" "$status" >>"$REPORT/log"
	cat "$output" "$output.err" >>"$REPORT/log"
	printf '  %s%s\n' "$text" "$took"
	cat "$output" "$output.err" | sed 's/^/    /; s/ *$//'
	if [[ $status -eq 0 ]]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '  FAILED  status %s\n' "$status"
	fi
	record "$status" "$ms" "$text" "$(tail -n 15 "$output")"
}

# record STATUS MS TEXT DETAIL: for end_step.
record() {
	jq -cn --arg text "$3" --arg detail "$4" --argjson ok "$([[ $1 -eq 0 ]] && echo true || echo false)" \
		--arg seconds "$(seconds "$2")" '{ $text, $ok, seconds: ($seconds | tonumber), $detail }' >>"$REPORT/checks.jsonl"
}

# timed OUTPUT-FILE COMMAND...: its status and the time that it took go to OUTPUT-FILE.end.
timed() {
	local output=$1 began status=0
	shift

	began=$(now)
	# errexit counts in a subshell that is no condition.
	set +e
	(set -e; "$@") >"$output" 2>"$output.err" </dev/null
	status=$?
	set -e
	printf '%s %s\n' "$status" $(($(now) - began)) >"$output.end"
}

# check TEXT COMMAND...: returns 0 in any case.
check() {
	check_each "$1" '' "${@:2}"
}

# check_each TEXT WORDS COMMAND...: COMMAND WORD for each of the words at once; %s in TEXT is the word.
check_each() {
	tell_each verdict "$@"
}

# tell_each TELLER TEXT WORDS COMMAND...: TELLER is verdict or transcript.
tell_each() {
	local teller=$1 text=$2 words=$3 word files=() pids=() output i=0 status ms
	shift 3

	for word in ${words:-.}; do
		output=$REPORT/output.$i
		if [[ -n $words ]]; then
			timed "$output" "$@" "$word" &
		else
			timed "$output" "$@" &
		fi
		pids+=($!)
		files+=("$output")
		i=$((i + 1))
	done
	wait "${pids[@]}"
	i=0
	for word in ${words:-.}; do
		read -r status ms <"${files[i]}.end"
		"$teller" "$status" "$ms" "${files[i]}" "${text//%s/$word}"
		i=$((i + 1))
	done
	rm -f "$REPORT"/output.*
}

# need, need_each: as check and check_each; there is no use in going on after a failure.
need() {
	need_each "$1" '' "${@:2}"
}

need_each() {
	local before=$failed

	check_each "$@"
	[[ $failed -eq $before ]] || exit 1
}

# table: tab-separated lines, aligned; the first line is the head, the first column text and the others figures.
table() {
	awk -F '\t' '
		{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } columns = NF }
		END {
			for (row = 1; row <= NR; row++) {
				line = sprintf("  %-" width[1] "s", cell[row, 1])
				for (i = 2; i <= columns; i++)
					line = line sprintf("  %" width[i] "s", cell[row, i])
				print line
			}
		}'
}
