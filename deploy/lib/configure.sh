# SPDX-License-Identifier: GPL-3.0-or-later
# Checks before a start, configuration files, the demo image and pool, and waiting until desktops are ready.
# Sourced; wants say.sh, services.sh and $DATA; set-up also $HTTPS, $RDP, $VNC, $HOST, $LISTEN.

# conf_get FILE SECTION KEY: a value of a configuration that is there already.
conf_get() { awk -v s="[$2]" -v k="$3" '$0 == s {on = 1; next} /^\[/ {on = 0} on && $1 == k {sub(/^[^=]*=[ ]*/, ""); print; exit}' "$1" 2>/dev/null; }

# Ports and host of an earlier set-up stay unless the options name others.
settle_options() {
	conf=$DATA/etc/gateway.conf
	old_listen=$(conf_get "$conf" listen https)
	LISTEN=${LISTEN:-${old_listen%:*}}
	HTTPS=${HTTPS:-${old_listen##*:}}
	old=$(conf_get "$conf" listen rdp) RDP=${RDP:-${old##*:}}
	old=$(conf_get "$conf" listen vnc) VNC=${VNC:-${old##*:}}
	HOST=${HOST:-$(conf_get "$DATA/etc/broker.conf" public host)}
	LISTEN=${LISTEN:-0.0.0.0} HTTPS=${HTTPS:-8443} RDP=${RDP:-3389} VNC=${VNC:-5900}
	HOST=${HOST:-$(hostname -f 2>/dev/null || hostname)}
	for port in "$HTTPS" "$RDP" "$VNC"; do
		case $port in '' | *[!0-9]* | ??????*) fail "\"$port\" is not a port number (1 to 65535)." ;; esac
		[ "$port" -ge 1 ] && [ "$port" -le 65535 ] || fail "\"$port\" is not a port number (1 to 65535)."
	done
	case $HOST in '' | *[!A-Za-z0-9.:-]*) fail "\"$HOST\" is not a host name or address." "Give one with --host NAME." ;; esac
	[ "$HTTPS" != "$RDP" ] && [ "$HTTPS" != "$VNC" ] && [ "$RDP" != "$VNC" ] || fail "the three ports must differ (https $HTTPS, rdp $RDP, vnc $VNC)."
}

# port_owner PORT: what listens there, or nothing. /proc has it without a tool; a pid needs ss.
port_owner() {
	hex=$(printf '%04X' "$1")
	awk -v p=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == p {found = 1} END {exit !found}' /proc/net/tcp /proc/net/tcp6 2>/dev/null || return 0
	who=$(ss -ltnpH "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (pid \2)/p' | head -n 1)
	printf '%s' "${who:-another program}"
}

check_ports() {
	settle_options
	service_pid gateway >/dev/null && return 0
	for pair in https:$HTTPS rdp:$RDP vnc:$VNC; do
		who=$(port_owner "${pair#*:}")
		[ -z "$who" ] || fail "port ${pair#*:} is taken by $who." "Stop that program, or choose another port: deploy/up --${pair%:*} PORT"
	done
}

# Room for the build, the programs and a few desktops.
check_disk() {
	at=$DATA
	while [ ! -d "$at" ]; do at=$(dirname "$at"); done
	free=$(df -Pk "$at" | awk 'NR == 2 {print $4}')
	[ "$free" -ge 524288 ] || fail "only $((free / 1024)) MB are free in $at, and Puesto needs 512 MB." "Free some space, or choose another place with --data DIR."
	[ "$BUILD" = yes ] || return 0
	free=$(df -Pk "$PUESTO_SOURCE" | awk 'NR == 2 {print $4}')
	[ "$free" -ge 524288 ] || fail "only $((free / 1024)) MB are free in $PUESTO_SOURCE, and the build needs 512 MB." "Free some space there."
}

software_sum() { (cd "$DATA/software/usr" 2>/dev/null && find sbin libexec -type f -exec sha256sum {} + | sort -k 2 | sha256sum); }
