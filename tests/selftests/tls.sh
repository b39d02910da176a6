#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sessions over kernel TLS: who gets one and who does not, data on all ways, and what is not data (I9).

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=lib/nodes.sh
. lib/nodes.sh

readonly CERTS=$RUN/certs LANES=2
readonly IMG2=/dev/mapper/n2-img IMG3=/dev/mapper/n3-img

# authority NAME
authority() {
	printf 'cn = "%s"\nca\ncert_signing_key\nexpiration_days = 10\n' "$1" >"$CERTS/$1.template"
	certtool --generate-privkey --key-type ed25519 --no-text --outfile "$CERTS/$1.key" 2>/dev/null
	certtool --generate-self-signed --load-privkey "$CERTS/$1.key" --template "$CERTS/$1.template" \
		--no-text --outfile "$CERTS/$1.crt" 2>/dev/null
}

# certificate FILE NAME AUTHORITY [LINE...]: lines are more of the template.
certificate() {
	local file=$1 name=$2 authority=$3
	shift 3

	[[ $# -gt 0 ]] || set -- 'expiration_days = 10'
	{
		printf 'cn = "%s"\ndns_name = "%s"\nsigning_key\ntls_www_server\ntls_www_client\n' "$name" "$name"
		printf '%s\n' "$@"
	} >"$CERTS/$file.template"
	certtool --generate-privkey --key-type ed25519 --no-text --outfile "$CERTS/$file.key" 2>/dev/null
	certtool --generate-certificate --load-privkey "$CERTS/$file.key" --load-ca-certificate "$CERTS/$authority.crt" \
		--load-ca-privkey "$CERTS/$authority.key" --template "$CERTS/$file.template" --no-text \
		--outfile "$CERTS/$file.crt" 2>/dev/null
}

up() {
	local node

	modprobe tls
	mkdir -p "$CERTS"
	authority ca
	authority other
	for node in 1 2 3; do
		certificate "node$node" "node$node" ca
	done
	certificate stranger node2 other
	certificate namesake node9 ca
	certificate expired node2 ca 'activation_date = "2020-01-01 00:00:00"' 'expiration_date = "2020-02-01 00:00:00"'
	module_up
	network_up 2 3
	coordinator_up
	volume_add 2
	volume_add 3
	session 1 2
	session 1 3
	session 2 3
	image 1 32M 2 3
	layouts 1
	route 2 direct
	route 3 direct
	device 1 img image:1 32
	device 2 n2-img image:1 32 "$LUN" '1 data_digest'
	device 3 n3-img image:1 32
	equal 'sessions with TLS' "$(kernel 1 session show "$UUID" --json | jq '[.sessions[] | select(.tls == 1)] | length')" 2
}

# offer FILE: node 1 waits for node 2, who comes with this certificate. Node 1's words go to $RUN/offer.log.
offer() {
	start offer nsenter --net="$(netns 1)" "$HERE/../bin/covol" kernel session listen "$UUID" --peer 2 \
		--address "10.7.0.1:$PORT" --timeout 20 --cert "$CERTS/node1.crt" --key "$CERTS/node1.key" \
		--ca "$CERTS/ca.crt" --peer-name node2
	kernel 2 session connect "$UUID" --peer 1 --address "10.7.0.1:$PORT" --timeout 20 --cert "$CERTS/$1.crt" \
		--key "$CERTS/$1.key" --ca "$CERTS/ca.crt" --peer-name "${2:-node1}" 2>"$RUN/connect.log" || true
	within 20 dead offer
}

# turned_away FILE WORDS: this certificate gets nothing, and node 1 says why.
turned_away() {
	kernel 1 session remove "$UUID" 2
	kernel 2 session remove "$UUID" 1 || true
	offer "$1"
	grep -F -- "$2" "$RUN/offer.log" || fail "node 1 says: $(<"$RUN/offer.log")"
	! session_live 1 2 || fail 'there is a session'
	kernel 2 session remove "$UUID" 1 2>/dev/null || true
	session 1 2
}

strangers() {
	turned_away stranger "The certificate issuer is unknown"
	turned_away namesake 'does not match'
	turned_away expired 'expired'
}

# The other way round: node 2 does not take anybody for node 1.
wrong_server() {
	kernel 1 session remove "$UUID" 2
	kernel 2 session remove "$UUID" 1 || true
	offer node2 node7
	grep -F 'does not match' "$RUN/connect.log" || fail "node 2 says: $(<"$RUN/connect.log")"
	! session_live 2 1 || fail 'there is a session'
	kernel 1 session remove "$UUID" 2 2>/dev/null || true
	session 1 2
}

plain() {
	local name

	start plain nsenter --net="$(netns 1)" "$HERE/../bin/covol" kernel session listen "$UUID" --peer 9 \
		--address "10.7.0.1:$PORT" --timeout 20
	fails kernel 2 session connect "$UUID" --peer 9 --address "10.7.0.1:$PORT" --timeout 20 2>"$RUN/error"
	grep -F 'no TLS, and the volume was not made for plaintext' "$RUN/error" || fail "$(<"$RUN/error")"
	within 20 dead plain
	grep -F 'no TLS' "$RUN/plain.log" || fail "$(<"$RUN/plain.log")"
	fails kernel 2 session connect "$UUID" --peer 9 --address "10.7.0.1:$PORT" --cert x --key y 2>"$RUN/error"
	grep -F 'go together' "$RUN/error" || fail "$(<"$RUN/error")"
	for name in nothere.crt ca.template; do
		start listen9 socat "TCP-LISTEN:$PORT,reuseaddr" /dev/null
		within 10 listening
		fails kernel 1 session connect "$UUID" --peer 9 --address "10.7.0.1:$PORT" --timeout 5 \
			--cert "$CERTS/node1.crt" --key "$CERTS/node1.key" --ca "$CERTS/$name" --peer-name node9 2>"$RUN/error"
		grep -F "$name" "$RUN/error" || fail "$(<"$RUN/error")"
		within 10 dead listen9
	done
}

ways() {
	local way

	load two "$IMG2" --offset=0 --size=8M
	load three "$IMG3" --offset=8M --size=8M
	for way in fs-redirected 'block-redirected --redirect-peer 3' direct fs-redirected; do
		# shellcheck disable=SC2086
		route 2 $way
		way=${way%% *}
		goes_on n2-img "${way%-redirected}"
		sleep 1
	done
	route 3 fs-redirected
	goes_on n3-img fs
	sleep 1
	load_ok two
	load_ok three
	route 2 direct
	route 3 direct
}

# Large requests: records, pages and headers meet in all ways.
large() {
	pattern large $((4 * 1048576)) >"$RUN/large"
	route 2 fs-redirected
	put "$RUN/large" "$IMG2" $((16 * 1048576)) 1M
	same "$RUN/large" "$IMG2" $((16 * 1048576)) $((4 * 1048576))
	dd if="$IMG2" bs=3584 skip=$((16 * 1048576)) count=$((4 * 1048576)) iflag=direct,fullblock,skip_bytes,count_bytes \
		status=none | cmp - "$RUN/large"
	route 2 direct
	same "$RUN/large" "$IMG3" $((16 * 1048576)) $((4 * 1048576))
}

torn_down() {
	local i

	load two "$IMG2" --offset=0 --size=8M
	route 2 fs-redirected
	for i in 1 2 3; do
		goes_on n2-img fs
		ss -K "( sport = :$PORT or dport = :$PORT )" dst 10.7.0.2 >/dev/null
		within 20 session_is_gone 1 2
		within 20 session_is_gone 2 1
		session 1 2
	done
	load_ok two
	route 2 direct
}

session_is_gone() {
	! session_live "$1" "$2"
}

listening() {
	ss -Hltn "sport = :$PORT" | grep -q .
}

# meets COMMAND [WORD...]: a peer that shows a good certificate says what this prints (to gnutls-cli); the session ends.
meets() {
	kernel 1 session remove "$UUID" 2
	kernel 2 session remove "$UUID" 1 || true
	log_mark
	start offer nsenter --net="$(netns 1)" "$HERE/../bin/covol" kernel session listen "$UUID" --peer 2 \
		--address "10.7.0.1:$PORT" --timeout 20 --cert "$CERTS/node1.crt" --key "$CERTS/node1.key" \
		--ca "$CERTS/ca.crt" --peer-name node2
	within 10 listening
	{
		within 20 dead offer
		session_live 1 2 && echo live >"$RUN/was"
		"$@"
	} | on 2 gnutls-cli --inline-commands --x509cafile "$CERTS/ca.crt" --x509certfile "$CERTS/node2.crt" \
		--x509keyfile "$CERTS/node2.key" --verify-hostname node1 --port "$PORT" 10.7.0.1 >"$RUN/cli.log" 2>&1 || true
	[[ -s $RUN/was ]] || fail "no session: $(<"$RUN/offer.log") $(<"$RUN/cli.log")"
	rm -f "$RUN/was"
	within 10 session_is_gone 1 2
	session 1 2
}

# says TEXT INPUT: the session ends with these words in the log.
says() {
	meets utter "$1" "$2"
	within 10 logged "$1"
}

utter() {
	printf '%b' "$2"
	# Nothing to say: the end of the input is what it is about.
	[[ -z $2 ]] || within 10 logged "$1"
}

# The beginning of a record of 16 KiB, and nothing more: as who is cut off in the midst of sending leaves it.
begin_record() {
	"$HERE/../bin/inject" "$(pgrep -x gnutls-cli)" "1703034000$(printf '00%.0s' {1..100})"
	within 40 logged 'the peer does not answer'
}

half_record() {
	meets begin_record
	logged 'the peer does not answer' || fail 'the session has ended for another reason'
}

not_data() {
	says 'TLS: the peer wants other keys' '^rekey^\n'
	says 'TLS: closed by the peer, or an alert' ''
	says 'session with node 2 ended' "$(printf 'no header of covol %.0s' 1 2 3 4 5 6 7 8 9)\\n"
}

down() {
	nodes_down
	module_down
}

first 'sessions over TLS between a coordinator and two members' up
it 'plain TCP is refused; what is missing or wrong is named' plain
it 'an unknown authority, another name, an expired certificate: turned away' strangers
it 'a coordinator with another name than expected is turned away' wrong_server
it 'fio verifies on all ways while the route changes' ways
it 'requests of all sizes' large
it 'connections are reset under load: no error' torn_down
it 'a change of keys, an alert, garbage: never taken for data' not_data
it 'a peer that is silent after half a record is given up' half_record
last 'all is taken down; the module unloads' down
ktap_run
