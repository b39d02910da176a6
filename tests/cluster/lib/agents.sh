# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Nodes that run corosync and covold, as one sets them up: by "covol cluster". To be sourced after nodes.sh. From the script:
# series.

readonly AGENT_STATE=/var/lib/covol

# agent N COMMAND [WORD...]: of guest/agent.
agent() {
	local number=$1
	shift

	bed run --timeout "$NODE_TIMEOUT" "$number" "/root/covol/agent ${*@Q}"
}

# at COMMAND WORD... N: the same with the number last, as check_each has it.
at() {
	agent "${!#}" "${@:1:$#-1}"
}

# keep_invitations: node 1 has made them.
keep_invitations() {
	rm -rf "$REPORT/invitations"
	bed pull 1 /root/invitations "$REPORT/invitations"
}

# join N: with the node's invitation.
join() {
	bed push "$1" "$REPORT/invitations/node$1" /root/invitation
	agent "$1" join_cluster
}

# keep_state N: what its agent has on a disk; see boot.
keep_state() {
	rm -rf "$REPORT/state/$1"
	mkdir -p "$REPORT/state"
	bed pull "$1" "$AGENT_STATE" "$REPORT/state/$1"
}

# boot N [kept]: it is in the cluster again. Nothing that was written there outlives a boot of the bed's nodes; with "kept" the
# agent's state is as keep_state has it.
boot() {
	bed start "$1"
	install_payload "$1"
	join "$1"
	[[ $# -eq 1 ]] || bed push "$1" "$REPORT/state/$1" "$AGENT_STATE"
	agent "$1" start
}

# make_cluster: the bed, for bed_limit seconds and with bed_options if the script sets these, and a cluster that all nodes are in;
# nothing runs there yet.
make_cluster() {
	need "test bed is up" bed up --series "$series" ${bed_limit:+--limit "$bed_limit"} "${bed_options[@]}"
	need_each "guest %s has the programs" '1 2 3' install_payload
	need "a cluster is made" agent 1 init_cluster
	need "it has invited all nodes" keep_invitations
	need_each "node %s joins" '2 3' join
}

# start_cluster: corosync and covold on all nodes.
start_cluster() {
	need_each "node %s runs corosync and covold" '1 2 3' at start
	need_each "node %s sees three agents and a quorum" '1 2 3' at together 3
}

# all_links cut|heal: of the SAN.
all_links() {
	local number

	for number in 1 2 3; do
		bed "$1" "$number" san
	done
}

# same_parts: all nodes read the same everywhere.
same_parts() {
	local sums

	sums=$(for number in 1 2 3; do agent "$number" sum_parts 1 2 3; done | sort -u)
	[[ $(wc -l <<<"$sums") -eq 1 && ${#sums} -eq 64 ]]
}
