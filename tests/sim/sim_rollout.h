/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions on their way to the pools: who publishes them, what they are like, what must hold. */
#pragma once

#include "tests/sim/sim.h"

void rollout_choose(struct world *w);
enum trait rollout_trait(const struct world *w, const char *version);
void admin_on_acts(struct world *w, const struct message *m);
void rollout_calm(struct world *w);
void rollout_saw(struct world *w, const char *desktop);
void rollout_check_grant(struct world *w, const struct grant *g);
void rollout_check_replaced(struct world *w, const char *desktop);
void rollout_check_told(struct world *w, const char *desktop);
void rollout_check_forced(struct world *w, const char *session);
void rollout_check_step(struct world *w);
void rollout_check_tables(struct world *w, const struct core_state *fresh);
void rollout_check_rest(struct world *w);
