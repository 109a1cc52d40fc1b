# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a data directory: accounts of the services, folders, certificates, configuration, demo image, first credentials.
# Every step can be repeated: what is there stays. Sourced; wants say.sh and $DATA, $HOST, $HTTPS, $RDP, $VNC.

setup_accounts() {
	for account in puesto-broker puesto-gateway; do
		id "$account" >/dev/null 2>&1 && continue
		useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$account" ||
			fail "the system account $account could not be made." "Is another program changing /etc/passwd? Try again."
	done
}

setup_folders() {
	install -d -m 0755 "$DATA" "$DATA/etc" "$DATA/images"
	install -d -m 0755 -o puesto-broker -g puesto-broker "$DATA/run"
	install -d -m 0711 "$DATA/desktops"
	install -d -m 0755 -o puesto-broker -g puesto-broker "$DATA/run/agents"
	install -d -m 0700 -o puesto-broker -g puesto-broker "$DATA/db"
	install -d -m 0755 "$DATA/log" "$DATA/pki"
}

setup_certificates() {
	"$DATA/software/usr/libexec/puesto/puesto-pki" init "$DATA/pki" --host "$HOST" --host localhost --ip 127.0.0.1 >>"$DATA/log/setup.log" 2>&1 ||
		{ tail -n 3 "$DATA/log/setup.log" >&2; fail "the certificates could not be made (the reason stands above)."; }
}

# Ranges of uids for desktops and workers that differ between installations on one machine.
setup_uid_base() {
	[ -s "$DATA/etc/uid-base" ] || printf '%s\n' $((200000 + ($(stat -c %i "$DATA") % 4000) * 1000)) >"$DATA/etc/uid-base"
	cat "$DATA/etc/uid-base"
}

random_password() { head -c 15 /dev/urandom | base64 | tr '+/' '-_'; }

setup_credentials() {
	[ -s "$DATA/credentials" ] && return 0
	(
		umask 077
		printf 'user=%s password=%s\n' admin "$(random_password)" demo "$(random_password)" >"$DATA/credentials.new"
	) && mv "$DATA/credentials.new" "$DATA/credentials" || fail "the credentials file could not be written; is the disk full?"
}

credential() { sed -n "s/^user=$1 password=//p" "$DATA/credentials"; }
