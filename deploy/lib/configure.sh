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

# The services leave root behind: every folder above the data directory has to let their accounts through.
check_reach() {
	account=puesto-broker at=
	id "$account" >/dev/null 2>&1 || account=nobody
	for part in $(dirname "$DATA" | tr / ' '); do
		at=$at/$part
		[ -d "$at" ] || return 0
		setpriv --reuid="$account" --regid="$(id -g "$account")" --init-groups test -x "$at" ||
			fail "$at lets nobody but its owner through ($(stat -c 'mode %a, owner %U' "$at")), and Puesto's services run as accounts of their own." \
				"Allow it with: chmod o+x $at" "Or choose another place with --data DIR."
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

# write_conf NAME OWNER-GROUP: the file from standard input, only when its content changed.
write_conf() {
	new=$DATA/etc/$1.new
	cat >"$new" || fail "$new could not be written; is the disk full?"
	chgrp "$2" "$new" && chmod 0640 "$new"
	mv "$new" "$DATA/etc/$1"
}

configure_all() {
	uid_base=$(setup_uid_base)
	libexec=$DATA/software/usr/libexec/puesto
	write_conf broker.conf puesto-broker <<CONF
# Puesto's broker; every key is explained in puesto-broker(8). Written by deploy/up.
[data]
dir = $DATA

[uids]
broker = puesto-broker
gateway = puesto-gateway

[public]
host = $HOST
hosts = $HOST localhost 127.0.0.1 [::1]
rdp_port = $RDP
vnc_port = $VNC
CONF
	write_conf provisioner.conf root <<CONF
# Puesto's provisioner; see puesto-provisioner(8). Written by deploy/up.
[provisioner]
data = $DATA
libexec = $libexec

[provider-local]
kind = local
uid_base = $uid_base
uid_count = 500
CONF
	write_conf gateway.conf puesto-gateway <<CONF
# Puesto's gateway; see puesto-gateway(8). Written by deploy/up.
[listen]
https = $LISTEN:$HTTPS
rdp = $LISTEN:$RDP
vnc = $LISTEN:$VNC

[http]
hosts = $HOST localhost 127.0.0.1 [::1]
web_dir = $DATA/software/usr/share/puesto/web

[tls]
cert = $DATA/pki/server.pem
key = $DATA/pki/server.key

[broker]
socket = $DATA/run/gateway.sock

[gate]
user = puesto-gateway

[worker]
path = $libexec/puesto-worker
rdp_path = $libexec/puesto-worker-rdp
seat_path = $libexec/puesto-worker-seat
desktops_dir = $DATA/desktops
uid_first = $((uid_base + 500))
uid_count = 400
CONF
}

# The demo image is a layer on the machine's own root: made once, kept after that.
setup_image() {
	[ -s "$DATA/images/demo/1/image.json" ] && return 0
	step "Making the demo image"
	rm -rf "$DATA/images/demo/1"
	"$PUESTO_SOURCE/deploy/image/build" "$DATA/images/demo/1" >>"$DATA/log/setup.log" 2>&1 ||
		{ tail -n 5 "$DATA/log/setup.log" >&2; fail "the demo image could not be made (the reason stands above)."; }
}

# First objects: what stands already is left as it is. Passwords go through a pipe, never over a command line.
broker_bootstrap() {
	service_pid broker >/dev/null && return 0
	"$DATA/software/usr/sbin/puesto-broker" --config "$DATA/etc/broker.conf" bootstrap - <<JSON >>"$DATA/log/setup.log" 2>&1 || bootstrap_failed
{"providers": [{"name": "local", "kind": "local"}],
 "images": [{"name": "demo", "display_name": "Puesto demo desktop",
   "versions": [{"version": "1", "base": "host", "path": "$DATA/images/demo/1"}], "publish": "1"}],
 "pools": [{"name": "demo", "display_name": "Demo desktop", "description": "A Linux desktop, fresh at every log-on",
   "kind": "floating", "provider": "local", "image": "demo", "min": 2, "max": 6, "spare": 1, "on_logoff": "refresh"}],
 "users": [{"name": "admin", "display_name": "Administrator", "password": "$(credential admin)", "role": "admin"},
   {"name": "demo", "display_name": "Demo user", "password": "$(credential demo)", "role": "user"}],
 "entitlements": [{"pool": "demo", "user": "demo"}]}
JSON
}

bootstrap_failed() {
	tail -n 3 "$DATA/log/setup.log" >&2
	fail "the first pool and users could not be made (the reason stands above)." "The whole log is $DATA/log/setup.log"
}

# Ends every desktop of the directory: process 1 takes all the others and the mounts of its namespace with it. A pid
# file is believed only while that process has the start time that stands in it.
desktops_stop() {
	for file in "$DATA"/desktops/*/pid; do
		[ -f "$file" ] || continue
		pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$file") start=$(sed -n 's/.*"start": *\([0-9]*\).*/\1/p' "$file")
		[ -n "$pid" ] && [ -r "/proc/$pid/stat" ] || continue
		[ "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)" = "$start" ] && kill -KILL "$pid" 2>/dev/null
	done
	return 0
}

# wait_ready: until the gateway answers and the demo pool has a desktop that can be used; says the reason while it waits.
wait_ready() {
	step "Waiting for the first desktop"
	deadline=$(($(date +%s) + 120)) told=
	while :; do
		for name in $SERVICES; do service_check "$name"; done
		if state=$(pool_state 2>/dev/null); then
			printf '%s' "$state" | grep -Eq '"ready": *[1-9]' && return 0
		fi
		reason=$(printf '%s' "${state:-}" | sed -n 's/.*"reason": *{[^}]*"en": *"\([^"]*\)".*/\1/p' | head -n 1)
		[ -n "$reason" ] && [ "$reason" != "$told" ] && { say "  $reason"; told=$reason; }
		[ "$(date +%s)" -lt "$deadline" ] || fail "no desktop became ready within 120 s." "${told:-The services gave no reason.}" "Logs: $DATA/log/"
		sleep 0.3
	done
}

pool_state() { ctl -o json get pool demo; }

ctl() {
	"$DATA/software/usr/bin/puestoctl" --url "https://localhost:$HTTPS" --ca "$DATA/pki/ca.pem" --credentials "$DATA/credentials" "$@"
}
