# SPDX-License-Identifier: GPL-3.0-or-later
# Debian packages: reads the lists in deploy/packages, installs what is missing. Sourced; wants say.sh.

debian_release() { (. /etc/os-release && printf '%s' "${VERSION_ID:-0}"); }

# The packages of the named lists, one a line. "name:12" counts on Debian 12 only; "command:name" only where the command is missing.
packages_wanted() {
	release=$(debian_release)
	for list in "$@"; do
		sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$PUESTO_SOURCE/deploy/packages/$list"
	done | while read -r entry; do
		case $entry in
		*:[0-9]*) [ "${entry#*:}" = "$release" ] && printf '%s\n' "${entry%:*}" ;;
		*:*) command -v "${entry%%:*}" >/dev/null 2>&1 || printf '%s\n' "${entry#*:}" ;;
		*) printf '%s\n' "$entry" ;;
		esac
	done | sort -u
}

packages_missing() {
	packages_wanted "$@" | while read -r name; do
		dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q '^install ok installed' || printf '%s\n' "$name"
	done
}

# The mirror that this machine's own sources use for its release: "uri signed-by".
apt_mirror() {
	codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		awk -v want="$codename" '
			function flush() { if (uri != "" && hit) { print uri, key; exit } uri = ""; key = ""; hit = 0 }
			/^[[:space:]]*$/ { flush() }
			/^URIs:/ { uri = $2 }
			/^Suites:/ { for (i = 2; i <= NF; i++) if ($i == want) hit = 1 }
			/^Signed-By:/ { key = $2 }
			END { if (uri != "" && hit) print uri, key }' "$file"
	done | head -n 1 | grep . && return 0
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -n "s/^deb[[:space:]]*\(\[[^]]*\]\)\{0,1\}[[:space:]]*\([^[:space:]]*\)[[:space:]]$codename[[:space:]].*/\2/p" | head -n 1 | grep .
}

# FreeRDP 3 stands in backports on Debian 12.
apt_add_backports() {
	[ "$(debian_release)" = 12 ] || return 0
	grep -rqs bookworm-backports /etc/apt/sources.list /etc/apt/sources.list.d && return 0
	mirror=$(apt_mirror) || fail "no Debian mirror found in this machine's apt sources, so backports cannot be added." \
		"Add bookworm-backports to /etc/apt/sources.list.d by hand and try again."
	set -- $mirror
	step "Adding bookworm-backports (for FreeRDP 3) from this machine's own mirror"
	{
		printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\n' "$1"
		printf 'Signed-By: %s\n' "${2:-/usr/share/keyrings/debian-archive-keyring.gpg}"
	} >/etc/apt/sources.list.d/puesto-backports.sources
}

# packages_install LIST...: installs what the lists name and the machine lacks.
packages_install() {
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || { step "All packages are there"; return 0; }
	command -v apt-get >/dev/null 2>&1 || fail "apt-get is missing: this is not a Debian machine." "Install by hand: $(echo $missing)"
	apt_add_backports
	step "Installing $(echo "$missing" | wc -l) packages (this takes a few minutes the first time)"
	log=$(mktemp) || fail "no temporary file could be made; is the disk full?"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >"$log" 2>&1 || { tail -n 5 "$log" >&2; fail "apt-get update failed." "Check the network and /etc/apt, then run this again."; }
	backports=$(echo "$missing" | grep -E 'freerdp|winpr' || true)
	stock=$(echo "$missing" | grep -vE 'freerdp|winpr' || true)
	if [ -n "$stock" ]; then
		apt-get install -y -q --no-install-recommends $stock >>"$log" 2>&1 ||
			{ tail -n 15 "$log" >&2; fail "a package could not be installed (the lines above say which)." "Mend that with apt-get and run this again; --no-install skips this step."; }
	fi
	if [ -n "$backports" ]; then
		target=
		[ "$(debian_release)" = 12 ] && target="-t bookworm-backports"
		apt-get install -y -q --no-install-recommends $target $backports >>"$log" 2>&1 ||
			{ tail -n 15 "$log" >&2; fail "FreeRDP 3 could not be installed (the lines above say why)." "On Debian 12 it comes from bookworm-backports."; }
	fi
	rm -f "$log"
}
