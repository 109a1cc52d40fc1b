# SPDX-License-Identifier: GPL-3.0-or-later
# noVNC beside our own web files: fetched from the npm registry, never a part of this repository. Sourced; wants say.sh.

NOVNC_VERSION=1.7.0
NOVNC_INTEGRITY=sha512-ucEJOx4T2avIRCleodk7YobZj5O2Ga2AeLfQ69A/yjG9HHba2+PDgwSkN3FttrmG+70ZGx21sElNFouK13RzyA==

# novnc_is_there WEB: this very version stands below the web folder already.
novnc_is_there() { [ "$(cat "$1/novnc/upstream/integrity" 2>/dev/null)" = "$NOVNC_INTEGRITY" ]; }

# novnc_is_ours FILE: its SHA-512 is the one above, which npm writes in base64.
novnc_is_ours() {
	want=$(printf '%s' "${NOVNC_INTEGRITY#sha512-}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
	printf '%s  %s\n' "$want" "$1" | sha512sum --check --status
}

# novnc_fetch DIR SECONDS: the package into DIR/novnc.tgz; false, with the reason in DIR/log, when it cannot be had or is another one.
novnc_fetch() {
	timeout "$2" npm pack "@novnc/novnc@$NOVNC_VERSION" --pack-destination "$1" --ignore-scripts --no-update-notifier --fetch-retries=0 >"$1/log" 2>&1 ||
		{ printf 'npm pack @novnc/novnc@%s failed or took longer than %s s\n' "$NOVNC_VERSION" "$2" >>"$1/log"; return 1; }
	mv "$1"/*.tgz "$1/novnc.tgz" 2>>"$1/log" || return 1
	novnc_is_ours "$1/novnc.tgz" || { printf 'the package is not the one whose checksum is in deploy/lib/novnc.sh\n' >>"$1/log"; return 1; }
}

# novnc_unpack WEB DIR: its core, what the core needs, its licence; all of it or nothing.
novnc_unpack() {
	new=$1/novnc/upstream.new
	rm -rf "$new" "$2/package"
	tar -xzf "$2/novnc.tgz" -C "$2" >>"$2/log" 2>&1 && mkdir -p "$new" || return 1
	for part in core vendor LICENSE.txt package.json; do cp -r "$2/package/$part" "$new/" 2>>"$2/log" || return 1; done
	printf '%s\n' "$NOVNC_INTEGRITY" >"$new/integrity" && chmod -R u=rwX,go=rX "$new" && rm -rf "$1/novnc/upstream" && mv "$new" "$1/novnc/upstream"
}

# novnc_add WEB SECONDS: noVNC below the web folder. False, with a sentence in $NOVNC_REASON, when that did not work.
novnc_add() {
	NOVNC_REASON=
	novnc_is_there "$1" && return 0
	command -v npm >/dev/null 2>&1 || { NOVNC_REASON="npm is not installed"; return 1; }
	work=$(mktemp -d) || { NOVNC_REASON="no temporary folder could be made"; return 1; }
	if novnc_fetch "$work" "$2" && novnc_unpack "$1" "$work"; then rm -rf "$work"; return 0; fi
	NOVNC_REASON=$(tail -n 1 "$work/log")
	rm -rf "$work" "$1/novnc/upstream.new"
	return 1
}
