# SPDX-License-Identifier: GPL-2.0-only
#
# From the guest's lines to bench.json: results, and the figures that covol is judged by. A figure whose measurements
# were not asked for is left out.

def per_io:
	{case: .[0], target: .[1], iops: ((.[2] | tonumber) * 1e9 / (.[3] | tonumber) | round),
		insn_per_io: ((.[3] | tonumber) / $ns / (.[2] | tonumber) | round)};

def met:
	if .relation == "<=" then {must: (.value <= .must), aim: (.value <= .aim)}
	else {must: (.value >= .must), aim: (.value >= .aim)} end |
	if .aim then "aim met" elif .must then "met" else "MISSED" end;

def figure($name; $relation; $must; $aim; value):
	[value] | map(select(. != null)) | .[] |
	{name: $name, value: ((. * 1000 | round) / 1000), relation: $relation, must: $must, aim: $aim} | .met = met;

[inputs | split("\t")] |
(map(select(.[0] == "=") | {key: .[1], value: (.[2] | tonumber)}) | from_entries) as $said |
(map(select(.[0] != "=") | per_io)) as $results |
($results | map({key: "\(.target) \(.case)", value: .insn_per_io}) | from_entries) as $insn |
# instructions of one target against another, in one case
def ratio($a; $b; $case):
	$insn["\($a) \($case)"] as $x | $insn["\($b) \($case)"] as $y | if $x and $y then $x / $y else null end;
# a rewrite's against a first write's: how fast the first one is
def first($case):
	$insn["covol-thin rewrite-\($case)"] as $x | $insn["covol-thin firstwrite-\($case)"] as $y |
	if $x and $y then $x / $y else null end;
{
	kernel: $kernel,
	results: $results,
	figures: [
		(("randread", "randwrite") as $op | figure("direct / dm-linear, \($op) 4 KiB"; "<="; 1.05; 1.02;
			ratio("covol-direct"; "dm-linear"; "\($op)-4k-qd1"))),
		(("randread", "randwrite") as $op | figure("direct / dm-linear, 1 million extents, \($op)"; "<="; 1.15; 1.05;
			ratio("covol-direct-1m"; "dm-linear"; "\($op)-4k-qd1"))),
		(("randread-4k-qd1", "randwrite-4k-qd1", "randread-4k-qd32", "randwrite-4k-qd32") as $case |
			figure("redirected / nvme-tcp, \($case)"; "<="; 1.0; 0.8; ratio("covol-redirected"; "nvme-tcp"; $case))),
		(("seqread", "seqwrite") as $op | figure("redirected / nvme-tcp, bytes per insn, \($op)"; ">="; 1.0; 1.2;
			ratio("nvme-tcp"; "covol-redirected"; "\($op)-128k-qd1"))),
		figure("first write / rewrite, sequential"; ">="; 0.5; 0.8; first("seq-128k")),
		figure("first write / rewrite, 4 KiB random"; ">="; 0.5; 0.9; first("rand-4k")),
		figure("memory per extent, bytes"; "<="; 64; 40; $said["extent-bytes"]),
		figure("locks, allocations, copies, messages of direct I/O"; "<="; 0; 0; $said["direct-calls"])
	]
}
