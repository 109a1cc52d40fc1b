/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What machines and agents say of themselves, and what their failures lead to, as the other files of this
 * folder see it.
 */
#pragma once

#include "broker/core/out.h"
#include "broker/core/reason.h"
#include "broker/core/state.h"

struct core_round;

#define MACHINE_TRIES 3        /* restarts of a machine that goes down by itself */
#define INVENTORY_SOON_MS 5000
#define INVENTORY_MS 300000
#define INVENTORY_LISTS 2      /* in a row without a desktop, before it is gone */
#define BREAKER_FAILURES 3
#define BREAKER_FIRST_MS 30000
#define BREAKER_MAX_MS 600000
#define FAILED_KEEP_MS 120000  /* a failed desktop stays to be looked at */
#define REAP_FEW 5             /* or a tenth of all, in a round without an operator */

/* machine.c */
/* Health and capacity, from the provisioner's last hello. */
void machine_serve(struct core_state *st, struct core_provider *pr);
void machine_on_hello(struct core_round *c);
void machine_on_gone(struct core_round *c);
void machine_on_report(struct core_round *c);
void machine_down(struct core_round *c, struct core_desktop *d, const char *text);
void machine_gone(struct core_round *c, struct core_desktop *d);
/* A desktop with an unfinished task, or one that failed, is left alone. */
void machine_apply(struct core_round *c, struct core_desktop *d, const struct machine_report *m);

/* inventory.c */
void inventory_take(struct core_round *c);
void inventory_on_allow(struct core_round *c);

/* reaper.c */
void reaper_sight(struct core_round *c, const char *machine);
void reaper_after_inventory(struct core_round *c, size_t machine_count);
void reaper_on_allow(struct core_round *c);
void reaper_failed(struct core_round *c);

/* breaker.c */
struct core_breaker *breaker_find(const struct core_state *st, const char *provider, const char *image,
                                  const char *version);
/* May a desktop be made now? When not, ret says why. */
bool breaker_allows(struct core_round *c, const char *provider, const char *image, const char *version,
                    struct core_reason *ret);
/* This desktop is being tried; no other until it has worked or failed, or time has passed. */
void breaker_probe(struct core_round *c, const struct core_desktop *d);
void breaker_fail(struct core_round *c, const struct core_desktop *d, const struct core_reason *why);
void breaker_pass(struct core_round *c, const struct core_desktop *d);
/* The cause may be gone (provider NULL: of any): one desktop is tried at once, and the pauses begin anew. */
void breaker_try_now(struct core_round *c, const char *provider);
