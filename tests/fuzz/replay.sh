#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Feeds every corpus to its target; a corpus without a target, or the other way round, fails.
top=${top_srcdir:-.} build=${top_builddir:-.} bad=0 targets=0 inputs=0

for corpus in "$top"/tests/fuzz/corpus/*/; do
	[ -d "$corpus" ] || continue
	name=$(basename "$corpus")
	if [ ! -x "$build/tests/fuzz/fuzz_$name" ]; then
		echo "$corpus: no target fuzz_$name was built; add its two lines to tests/fuzz/local.mk"
		bad=1
		continue
	fi
	set -- "$corpus"*
	targets=$((targets + 1)) inputs=$((inputs + $#))
	if ! "$build/tests/fuzz/fuzz_$name" "$@" > "fuzz_$name.replay.out" 2>&1; then
		tail -n 40 "fuzz_$name.replay.out"
		echo "fuzz_$name: fails on the input named last above"
		bad=1
	fi
	rm -f "fuzz_$name.replay.out"
done

for source in "$top"/tests/fuzz/fuzz_*.c; do
	[ -f "$source" ] || continue
	name=$(basename "$source" .c)
	if [ ! -d "$top/tests/fuzz/corpus/${name#fuzz_}" ]; then
		echo "$source: tests/fuzz/corpus/${name#fuzz_}/ is missing; add a few real inputs"
		bad=1
	fi
done

echo "replay: $targets targets, $inputs inputs"
exit $bad
