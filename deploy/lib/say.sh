# SPDX-License-Identifier: GPL-3.0-or-later
# Words for people: what is going on, and what went wrong with what to do next. Sourced by up, down and check.

say() { printf '%s\n' "$*"; }
step() { printf '• %s\n' "$*"; }
fail() {
	printf '\nError: %s\n' "$1" >&2
	shift
	for line in "$@"; do printf '  %s\n' "$line" >&2; done
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] && return 0
	command -v sudo >/dev/null 2>&1 || fail "this needs root, and sudo is not installed." "Run it as root."
	exec sudo -- "$@"
}
