/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The administrator of desktops and pools, who does everything at any time; the recycle bin, and what must hold of what comes out of it. */
#pragma once

#include "tests/sim/sim.h"

struct audit_entry;

/* In half of the worlds. */
void meddle_choose(struct world *w);
void meddle_on_acts(struct world *w, const struct message *m);
/* Once it is calm: pools take users again. */
void meddle_calm(struct world *w);
/* Was something of this pool set anew since the beginning? */
bool meddle_has_set(const struct world *w, const char *pool_id);

/* The host: a destroyed machine's disk stays for a while; false: there is none to make it of. */
void bin_put(struct world *w, const struct machine *m);
bool bin_has(const struct world *w, const struct message *cmd);
void bin_take(struct world *w, struct machine *m);
/* What the broker says of a desktop: one that came back is its user's until he has had it. */
void bin_audit(struct world *w, const struct audit_entry *entry);
void bin_granted(struct world *w, const char *desktop);
/* How many desktops of the pool came back (NULL: of all): nobody counts them against a maximum. */
int bin_restored(const struct world *w, const struct core_state *st, const char *pool_id);
