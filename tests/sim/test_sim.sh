#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The simulator as a test: a seed replays byte for byte, a broken rule is found,
# and thousands of schedules keep every invariant. PUESTO_SIM_SECONDS, PUESTO_SIM_FROM.
set -eu
sim="$top_builddir/tests/sim/puesto-sim"
seconds=${PUESTO_SIM_SECONDS:-20}
from=${PUESTO_SIM_FROM:-1}

for seed in 3 77 1001; do
	first=$("$sim" --seed "$seed" | grep trace)
	again=$("$sim" --seed "$seed" | grep trace)
	if [ "$first" != "$again" ]; then
		echo "seed $seed does not replay: $first, then $again"
		exit 1
	fi
done

# A simulator that cannot fail proves nothing.
for rule in fence dirty verify spare personal sleep; do
	if "$sim" --from 1 --count 200 --mutate "$rule" > /dev/null; then
		echo "200 schedules without the rule \"$rule\" found nothing"
		exit 1
	fi
done

exec "$sim" --from "$from" --count 1000000 --seconds "$seconds"
