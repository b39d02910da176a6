# SPDX-License-Identifier: GPL-2.0-only
#
# From the samples ({name, value}, a line each; slurped) and the simulation's figures ($simulated): failover.json.
# --arg kernel.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

# What each must be less than (or equal to where it is 0), and what is aimed at.
def bars: {
	"planned-move-metadata-held-ms": [300, 100],
	"planned-move-data-held-ms": [0, 0],
	"coordinator-killed-data-held-ms": [0, 0],
	"coordinator-killed-metadata-resumed-ms": [1000, 300],
	"kill-to-metadata-resumed-ms": [8000, 4000],
	"path-cut-redirected-ms": [1000, 300],
	"fence-ms": [500, 200]
};

def reached($bar): if $bar == 0 then . == 0 else . < $bar end;

def judged:
	bars[.name] as $bar
	| if $bar then . + { must: $bar[0], aim: $bar[1],
		met: (if .max | reached($bar[1]) then "aim" elif .max | reached($bar[0]) then "met"
			elif .median | reached($bar[0]) then "median" else "missed" end) }
	  else . end;

{
	kernel: $kernel,
	figures: ((to_entries | map(.value + { order: .key }) | group_by(.name) | map({
		name: .[0].name,
		median: (map(.value) | median),
		max: (map(.value) | max),
		runs: length,
		first: (map(.order) | min)
	}) | sort_by(.first) | map(del(.first) | judged)) + $simulated)
}
