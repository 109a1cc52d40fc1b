#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The encoder takes as many bytes for each trace as golden.txt says. Under sanitizers the unit tests say enough.
[ -z "$SANITIZED" ] || exit 77
exec "${top_builddir:-build}/tests/bench/encoder_bench" --check "${top_srcdir:-.}/tests/bench/golden.txt"
