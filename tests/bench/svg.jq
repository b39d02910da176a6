# SPDX-License-Identifier: GPL-2.0-only
#
# From bench.json to a chart: for each case a group of bars, instructions per I/O; each case has its own scale.

def color:
	{"raw": "#bbbbbb", "dm-linear": "#888888", "loop": "#c9a227", "nvme-tcp": "#c0504d", "iscsi": "#d98880", "nbd": "#e6b0aa"}[.]
	// "#2f6db5";

.kernel as $kernel | .results as $all |
(reduce $all[].case as $c ([]; if index([$c]) then . else . + [$c] end)) as $cases |
16 as $row | 190 as $left | 420 as $width |
(reduce $cases[] as $case ({y: 44, out: []};
	($all | map(select(.case == $case))) as $group | ($group | map(.insn_per_io) | max) as $max |
	.out += ["<text x=\"8\" y=\"\(.y + 12)\" font-weight=\"bold\">\($case)</text>"] | .y += 20 |
	reduce $group[] as $r (.;
		.out += [
			"<text x=\"\($left - 6)\" y=\"\(.y + 11)\" text-anchor=\"end\">\($r.target)</text>",
			"<rect x=\"\($left)\" y=\"\(.y + 1)\" width=\"\($r.insn_per_io / $max * $width | round)\" height=\"\($row - 3)\" fill=\"\($r.target | color)\"/>",
			"<text x=\"\($left + 5 + ($r.insn_per_io / $max * $width | round))\" y=\"\(.y + 11)\">\($r.insn_per_io)</text>"
		] | .y += $row) | .y += 12)) |
"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\($left + $width + 80)\" height=\"\(.y)\" font-family=\"sans-serif\" font-size=\"11\">",
"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
"<text x=\"8\" y=\"22\" font-size=\"15\">Instructions per I/O (fewer is better), kernel \($kernel)</text>",
.out[],
"</svg>"
