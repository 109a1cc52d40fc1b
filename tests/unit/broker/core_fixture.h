/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A small world for the tests of the core: one provider, one image, one pool, a
 * clock and uuids that count. Each call runs one round and keeps its result.
 */
#pragma once

#include "broker/core/reason.h"
#include "broker/core/reconcile.h"
#include "broker/core/view.h"

struct fixture {
	struct core_state st;
	struct core_now now;
	struct core_ids ids;
	struct core_out out; /* of the last round */
	int next_id;
};

void fixture_init(struct fixture *f, int min, int max, int spare);
void fixture_finish(struct fixture *f);
struct core_pool *fixture_pool(struct fixture *f);

void fixture_run(struct fixture *f, const struct core_event *ev); /* and commits */
void fixture_tick(struct fixture *f, int64_t ms);                 /* later by ms */
void fixture_hello(struct fixture *f, const struct machine_report *machines, size_t count);
void fixture_result(struct fixture *f, const char *task, bool ok, bool retryable);
/* The unfinished task of the desktop succeeds, its agent enrols and reports. */
void fixture_finish_task(struct fixture *f, struct core_desktop *d);
void fixture_agent(struct fixture *f, struct core_desktop *d);
/* Every unfinished task succeeds, until there is none. */
void fixture_settle(struct fixture *f);
const struct connect_answer *fixture_connect(struct fixture *f, const char *user);
/* Connects, and a viewer comes. */
struct core_desktop *fixture_work(struct fixture *f, const char *user);
int fixture_grant(struct fixture *f, const char *user, const char *desktop, int64_t lease_epoch);
int fixture_operate(struct fixture *f, enum core_event_kind kind, const char *desktop);

/* Of the last round. */
const struct core_command *fixture_command(const struct fixture *f, enum command_kind kind);
const struct core_change *fixture_change(const struct fixture *f, enum change_kind kind);
size_t fixture_count(const struct fixture *f, enum lifecycle lifecycle);
