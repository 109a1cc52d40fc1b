/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reconcile(state, event, now) → changes, commands, timer. No I/O, no clock and
 * no chance of its own: the same calls give the same answers. The caller writes
 * the changes in one transaction, calls core_commit() or core_undo(), and then
 * sends the commands.
 */
#pragma once

#include "broker/core/out.h"

struct core_ids {
	void (*uuid)(void *arg, char ret[CORE_ID_SIZE]);
	void *arg;
};

void reconcile(struct core_state *st, const struct core_event *event, const struct core_now *now,
               const struct core_ids *ids, struct core_out *ret);

/* After the rows were loaded at a start: deadlines begin anew, agents are to be
 * heard again, unfinished tasks are due. */
void core_state_resume(struct core_state *st, const struct core_now *now);
