#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every header of the programs compiles on its own.
[ -z "$SANITIZED" ] || exit 77 # it compiles, and nothing runs
top=$(cd "${top_srcdir:-.}" && pwd) || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
: "${CC:=cc}"
build=$(cd "${top_builddir:-.}" && pwd) || exit 99

cd "$top" || exit 99
find base encoder db broker protocol agent -name '*.h' 2>/dev/null | sort > "$work/list"
# One compiler run per header: a header that only compiles after another one is the fault we look for.
while read -r header; do
	printf '#include "%s"\n' "$header" > "$work/one.c"
	if ! $CC -std=gnu11 -D_GNU_SOURCE -I"$top" -I"$build" -include "$build/config.h" $CHECK_CPPFLAGS \
		-Wall -Wextra -Wno-unused-parameter -Werror -fsyntax-only "$work/one.c" > "$work/out" 2>&1; then
		echo "$header: does not compile on its own; include what it uses:"
		grep -m 3 -E 'error|warning' "$work/out"
		echo x >> "$work/bad"
	fi
done < "$work/list"

if [ -s "$work/bad" ]; then
	echo "headers: $(wc -l < "$work/bad") findings."
	exit 1
fi
echo "headers: ok, $(wc -l < "$work/list") of them"
