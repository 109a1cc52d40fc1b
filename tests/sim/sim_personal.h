/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks in the simulated world: where each one is, as the host knows it. */
#pragma once

#include "tests/sim/sim.h"

/* Pools that give them, by the seed. */
int personal_choose(struct world *w, const char *pool_id, int i, struct pst_err *err);
/* The host attaches or detaches; a disk that is somewhere else, and one that the guest still uses, are violations. */
void personal_do(struct world *w, struct machine *m, const struct message *cmd);
/* Its disk is made new. */
void personal_check_refresh(struct world *w, const struct machine *m);
/* The guest is told to mount or to let go. */
void personal_told(struct world *w, struct machine *m, enum agent_tell tell);
/* A user is let in: with his files. */
void personal_check_grant(struct world *w, int user, const struct grant *g);
void personal_check_step(struct world *w, const struct core_state *st);
void personal_check_rest(struct world *w, const struct core_state *st);
