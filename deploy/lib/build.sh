# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the checkout out of tree and installs it below a folder. Sourced; wants say.sh.

# build_tree: configures (once) and makes in $PUESTO_BUILD; the log stays beside it.
build_tree() {
	# A tree that was configured in place is built in place: automake takes no second build of it elsewhere.
	[ -f "$PUESTO_SOURCE/config.status" ] && PUESTO_BUILD=$PUESTO_SOURCE
	mkdir -p "$PUESTO_BUILD"
	log=$PUESTO_BUILD/build.log
	: >"$log"
	if [ ! -x "$PUESTO_SOURCE/configure" ] || [ "$PUESTO_SOURCE/configure.ac" -nt "$PUESTO_SOURCE/configure" ]; then
		step "Preparing the build"
		(cd "$PUESTO_SOURCE" && ./bootstrap) >>"$log" 2>&1 || build_failed "./bootstrap"
	fi
	if [ ! -f "$PUESTO_BUILD/config.status" ]; then
		step "Configuring"
		(cd "$PUESTO_BUILD" && "$PUESTO_SOURCE/configure" -q --prefix=/usr --sysconfdir=/etc --localstatedir=/var "$@") >>"$log" 2>&1 ||
			build_failed "./configure"
	fi
	step "Building"
	make -C "$PUESTO_BUILD" -j"$(nproc)" >>"$log" 2>&1 || build_failed "make"
}

build_failed() {
	tail -n 25 "$log" >&2
	fail "$1 failed (the last lines stand above)." "The whole log is $log" "A missing library is named by configure; without --no-install it is installed for you."
}

# build_install DIR: puts programs, web files and manuals below DIR/usr.
build_install() {
	make -C "$PUESTO_BUILD" install prefix=/usr DESTDIR="$1" >>"$PUESTO_BUILD/build.log" 2>&1 || build_failed "make install"
}
