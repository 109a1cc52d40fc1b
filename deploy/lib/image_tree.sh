# SPDX-License-Identifier: GPL-3.0-or-later
# The root tree of an image: packages, Puesto's own files, an account. Sourced by image-builder; wants say.sh, packages.sh, $LISTS, $FROM, $CACHE, $LOG.

IMAGE_PROGRAMS="puesto-agent agent/puesto-seed broker/hypervisor/desktop/puesto-desktop"

# image_key: changes with everything that goes into an image.
image_key() {
	{
		echo "$KIND $FROM $FORMAT $BOOT $SIZE $NAME $VERSION $SOURCE_DATE_EPOCH"
		for program in $IMAGE_PROGRAMS; do
			[ -x "$PUESTO_BUILD/$program" ] || fail "$PUESTO_BUILD/$program is missing." "Build Puesto first, or name the folder with --build DIR."
			sha256sum <"$PUESTO_BUILD/$program"
		done
		packages_key
		[ -z "$OVERLAY" ] || tar -C "$OVERLAY" --sort=name --mtime=@0 -cf - . | sha256sum
		find "$PUESTO_SOURCE/deploy/image" "$PUESTO_SOURCE/deploy/image-builder" "$PUESTO_SOURCE"/deploy/lib/image_* -type f | sort | xargs sha256sum | cut -d' ' -f1
	} | sha256sum | cut -d' ' -f1
}

# What the packages depend on: the lists, and for those of this machine its own state.
packages_key() {
	echo "$FROM $SOURCE_DATE_EPOCH"
	packages_wanted $LISTS
	[ "$FROM" = mirror ] || dpkg-query -W -f '${Package} ${Version}\n' | sha256sum
}

# tree_make DIR: the whole tree.
tree_make() {
	mkdir -p "$1"
	"packages_from_$FROM" "$1"
	step "Adding the desktop and Puesto's programs"
	tree_programs "$1"
	tree_layer "$1"
	tree_accounts "$1"
	# What is in the way goes first: through a link of the tree, which may be absolute, it would be written into this machine.
	[ -z "$OVERLAY" ] || cp -R --remove-destination "$OVERLAY/." "$1/"
	tree_settle "$1"
}

packages_from_mirror() {
	local kept='' release
	release=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	[ -z "$CACHE" ] || { mkdir -p "$CACHE"; kept=$CACHE/packages-$(packages_key | sha256sum | cut -c1-16).tar; }
	if [ -n "$kept" ] && [ -f "$kept" ]; then
		step "Unpacking the packages that were kept"
		tar -xpf "$kept" -C "$1" >>"$LOG" 2>&1
		return
	fi
	command -v mmdebstrap >/dev/null || fail "mmdebstrap is not installed." "Install what deploy/packages/image names, or use --from host."
	step "Fetching and unpacking packages of $release (two to three minutes)"
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | grep -E "[[:space:]]$release(-security|-updates)?[[:space:]]" >"$WORK/sources.list" || true
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$file" ] || [ "${file##*/}" = puesto-backports.sources ] || cp "$file" "$WORK/"
	done
	mmdebstrap --variant=minbase --mode=root --format=tar --include="$(packages_wanted $LISTS | grep -v '^-' | paste -sd,)" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		"$release" "$WORK/packages.tar" $(ls "$WORK"/sources.list "$WORK"/*.sources 2>/dev/null) >>"$LOG" 2>&1 || fail "mmdebstrap failed."
	tar -xpf "$WORK/packages.tar" -C "$1" >>"$LOG" 2>&1
	[ -z "$kept" ] || { cp "$WORK/packages.tar" "$kept.new" && mv "$kept.new" "$kept"; }
	rm -f "$WORK/packages.tar"
}

# The files of the listed packages and of what these need, as dpkg has them here, and what their installation made from them.
packages_from_host() {
	step "Copying the packages as this machine has them"
	local lacking dir
	lacking=$(packages_missing $LISTS | grep -v '^-' || true)
	[ -z "$lacking" ] || fail "these packages are not installed here: $(echo $lacking)." "Install them, or use --from mirror."
	for dir in bin sbin lib lib64; do mkdir -p "$1/usr/$dir"; ln -s "usr/$dir" "$1/$dir"; done
	{
		"$PUESTO_SOURCE/deploy/lib/closure" $(packages_wanted $LISTS) | xargs dpkg -L | grep '^/'
		find /etc/fonts /usr/share/mime /usr/share/glib-2.0/schemas/gschemas.compiled /usr/share/icons/*/icon-theme.cache \
			/usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders.cache /usr/lib/*/gio/modules/giomodule.cache /etc/alternatives /etc/inputrc 2>/dev/null || true
		find /usr/bin /usr/sbin -lname '/etc/alternatives/*'
	} | sed -E -e 's#^/(bin|sbin|lib|lib64)/#/usr/\1/#' -e 's#^/##' |
		grep -vE '^(\.|bin|sbin|lib|lib64|usr/share/(man|doc|info|locale|lintian|bug)/.*|usr/include/.*|var/cache/.*)?$' | sort -u >"$WORK/files"
	tar -C / --no-recursion --ignore-failed-read -T "$WORK/files" -cf - 2>>"$LOG" | tar -C "$1" -xpf - 2>>"$LOG"
	mkdir -p "$1"/{proc,sys,dev,run,tmp,root,home,etc,var/log,var/lib,var/cache/fontconfig}
	# Links that an installation made and whose target is not among the packages.
	find "$1/etc/alternatives" "$1/usr/bin" "$1/usr/sbin" -type l | while read -r link; do
		chroot "$1" test -e "${link#"$1"}" || rm -f "$link"
	done
	cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
	cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
	sed 's/:.*/:*:19000:0:99999:7:::/' "$1/etc/passwd" >"$1/etc/shadow"
	chmod 0640 "$1/etc/shadow"
}

tree_programs() {
	local at=$1/usr/libexec/puesto program
	mkdir -p "$at/guest" "$1/etc/puesto" "$1/etc/acpi/PWRF"
	for program in $IMAGE_PROGRAMS; do
		install -m 0755 -s "$PUESTO_BUILD/$program" "$at/${program##*/}"
	done
	install -m 0755 "$PUESTO_SOURCE"/deploy/image/guest/{start,net,lease,wait,power} "$at/guest/"
	install -m 0644 "$PUESTO_SOURCE/deploy/image/guest/inittab" "$1/etc/inittab"
	printf '#!/bin/sh\nexec busybox poweroff\n' >"$1/etc/acpi/PWRF/00000080"
	chmod 0755 "$1/etc/acpi/PWRF/00000080"
	rm -f "$1/usr/sbin/init"
	ln -s ../bin/busybox "$1/usr/sbin/init"
	for program in $IMAGE_PROGRAMS; do
		if chroot "$1" ldd "/usr/libexec/puesto/${program##*/}" 2>&1 | grep -E 'not found|version .* not' >>"$LOG"; then
			fail "${program##*/} lacks a library in the image (the log names it)." "Add its package to deploy/packages/guest; a build for another Debian release needs that release's libraries."
		fi
	done
}

tree_layer() {
	"$PUESTO_SOURCE/deploy/image/build" "$WORK/layer" >>"$LOG" 2>&1
	cp -R --remove-destination "$WORK/layer/layer/." "$1/"
	rm -rf "$WORK/layer"
}

tree_accounts() {
	grep -q '^user:' "$1/etc/passwd" || {
		echo 'user:x:1000:1000:Desktop:/home/user:/bin/bash' >>"$1/etc/passwd"
		echo 'user:x:1000:' >>"$1/etc/group"
		echo 'user:*:19000:0:99999:7:::' >>"$1/etc/shadow"
	}
	# A link that a package left there would lead into this machine's own /etc or /run.
	rm -f "$1/etc/hostname" "$1/etc/hosts" "$1/etc/resolv.conf"
	echo desktop >"$1/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 desktop\n' >"$1/etc/hosts"
	: >"$1/etc/resolv.conf"
}

# Caches that programs would make at their first start, nothing that tells one build from another, one date for all.
tree_settle() {
	step "Making caches"
	find "$1" -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	ldconfig -r "$1" >>"$LOG" 2>&1
	chroot "$1" fc-cache -s >>"$LOG" 2>&1 || true
	rm -rf "$1"/var/log/* "$1"/var/cache/apt "$1"/var/cache/ldconfig "$1"/var/lib/apt/lists/* "$1"/var/cache/debconf "$1"/etc/ssh/ssh_host_* "$1"/tmp/* "$1"/run/* \
		"$1"/etc/apt/sources.list.d "$1"/etc/apt/sources.list "$1"/var/lib/dbus/machine-id "$1"/etc/.pwd.lock "$1"/etc/passwd- "$1"/etc/group- "$1"/etc/shadow- 2>/dev/null || true
	rm -f "$1/etc/machine-id"
	: >"$1/etc/machine-id"
	find "$1" -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# tree_keep WORK OUTPUT: the tree itself is the image.
tree_keep() {
	step "Putting the tree into place"
	rm -rf "$2/tree.old"
	[ ! -d "$2/tree" ] || mv "$2/tree" "$2/tree.old"
	mv "$1/tree" "$2/tree"
	rm -rf "$2/tree.old"
}
