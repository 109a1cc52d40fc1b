# SPDX-License-Identifier: GPL-3.0-or-later
# The three services of one data directory: start, stop, is it running. Sourced; wants say.sh and $DATA.

SERVICES="broker provisioner gateway"

service_pid() {
	pid=$(cat "$DATA/run/$1.pid" 2>/dev/null) || return 1
	# A pid file outlives a crash: believe it only while that process is this service of this directory.
	[ -r "/proc/$pid/cmdline" ] || return 1
	tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "$DATA/etc/$1.conf" || return 1
	printf '%s' "$pid"
}

service_start() {
	service_pid "$1" >/dev/null && return 0
	rm -f "$DATA/run/$1.pid"
	setsid "$DATA/software/usr/sbin/puesto-$1" --config "$DATA/etc/$1.conf" </dev/null >>"$DATA/log/$1.log" 2>&1 &
	printf '%s\n' "$!" >"$DATA/run/$1.pid"
}

# service_stop NAME: asks, waits up to 10 s, then insists.
service_stop() {
	pid=$(service_pid "$1") || { rm -f "$DATA/run/$1.pid"; return 0; }
	kill -TERM "$pid" 2>/dev/null
	tries=0
	while [ -d "/proc/$pid" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -le 100 ] || { kill -KILL "$pid" 2>/dev/null; break; }
		sleep 0.1
	done
	rm -f "$DATA/run/$1.pid"
}

# service_check NAME: fails with the end of its log when it is not running.
service_check() {
	service_pid "$1" >/dev/null && return 0
	tail -n 5 "$DATA/log/$1.log" >&2
	fail "puesto-$1 did not start or has stopped (the end of its log stands above)." "The whole log is $DATA/log/$1.log"
}
