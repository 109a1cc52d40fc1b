/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What agent_event.c offers to the other files of the core: what agents say, and what they are told.
 */
#pragma once

#include "broker/core/reason.h"

#include <stdint.h>

#define AGENT_WAIT_MS 120000   /* from the machine's start to its agent's report */
#define BESIDE_WAIT_MS 900000  /* the same of an agent beside the machine's own server: Windows gets its name first, and starts twice */

struct core_desktop;
struct core_round;

void agent_on_enrolled(struct core_round *c);
void agent_on_hello(struct core_round *c);
void agent_on_report(struct core_round *c);
void agent_on_gone(struct core_round *c);
void agent_tell_logoff(struct core_round *c, struct core_desktop *d, enum reason why);
/* It could show a picture now, as far as the desktop itself is concerned. */
void agent_is_ready(struct core_round *c, struct core_desktop *d);
void agent_tell_lease(struct core_round *c, struct core_desktop *d);
/* What it said before counts no more: the connection that it may have is of another time. */
void agent_tell_hello(struct core_round *c, const struct core_desktop *d);
/* A machine that is to be stopped shuts itself down, where an agent can do that better than a power button. */
void agent_tell_shutdown(struct core_round *c, const struct core_desktop *d);
/* From its machine's start to its report. */
int64_t agent_wait_ms(const struct core_desktop *d);
void agent_tell_epoch(struct core_round *c, struct core_desktop *d, int64_t epoch);
