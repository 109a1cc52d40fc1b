/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several hosts of the provider: which one a machine is on, and what happens to them. */
#pragma once

#include "tests/sim/sim.h"

void host_choose_all(struct world *w);
int host_index(const struct world *w, const char *name);
const char *host_name(int host);
bool host_is_silent(const struct world *w, int host);
size_t host_reports(struct world *w, struct host_report *ret);
void host_check_command(struct world *w, const struct provider_command *cmd, int host);
void host_check_gone(struct world *w, const char *desktop);
bool host_can_do(struct world *w, const struct message *m);
void host_move(struct world *w, struct machine *m, int host);
void host_fails(struct world *w);
void host_maintenance(struct world *w);
void host_settle(struct world *w);
void host_check_rest(struct world *w, const struct core_state *st);
