/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Suspending and resuming, and their faults. */
#pragma once

#include "tests/sim/sim.h"

void sleep_suspend(struct world *w, struct machine *m);
/* False: it has nothing to go on with, and boots. */
bool sleep_resume(struct world *w, struct machine *m);
/* Whoever is asked for the desktop has been told that it is there. */
void sleep_answered(struct world *w, const char *desktop);
void sleep_check_assigned(struct world *w, const char *desktop);
void sleep_check_step(struct world *w, const struct core_state *st);
/* Before this step, the broker had it suspended. */
bool sleep_was_said(struct world *w, const char *desktop);
/* At rest: true when it is suspended, and rightly so. */
bool sleep_rests(struct world *w, const struct core_desktop *d);
void sleep_check_rest(struct world *w, const struct core_state *st);
