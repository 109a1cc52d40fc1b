# SPDX-License-Identifier: GPL-3.0-or-later
# broker/core: the decisions of the broker; no I/O.
noinst_LIBRARIES += broker/core/libcore.a
broker_core_libcore_a_SOURCES = \
	broker/core/agent_event.c broker/core/agent_priv.h \
	broker/core/assign.c \
	broker/core/axes.c broker/core/axes.h \
	broker/core/breaker.c \
	broker/core/core_priv.h broker/core/lease_priv.h broker/core/machine_priv.h broker/core/task_priv.h \
	broker/core/deadline.c broker/core/desktop.h \
	broker/core/drain.c \
	broker/core/estimate.c broker/core/estimate.h \
	broker/core/event.h \
	broker/core/foreign.c broker/core/foreign.h \
	broker/core/hygiene.c \
	broker/core/host.c broker/core/host.h broker/core/host_priv.h \
	broker/core/idmap.c broker/core/idmap.h \
	broker/core/lease.c \
	broker/core/limits.h \
	broker/core/inventory.c \
	broker/core/judge.c \
	broker/core/machine.c \
	broker/core/operate.c \
	broker/core/out.c broker/core/out.h \
	broker/core/personal.c broker/core/personal_priv.h \
	broker/core/phrase.c broker/core/phrase.h \
	broker/core/operation.c \
	broker/core/placement.c broker/core/placement.h \
	broker/core/pool_plan.c \
	broker/core/reaper.c \
	broker/core/reason.c broker/core/reason.h \
	broker/core/reconcile.c broker/core/reconcile.h \
	broker/core/renew.c \
	broker/core/restore.c \
	broker/core/rollout.c broker/core/rollout.h broker/core/rollout_priv.h \
	broker/core/rollout_act.c broker/core/rollout_view.c \
	broker/core/session.c \
	broker/core/share.c \
	broker/core/spare.c broker/core/spare_priv.h \
	broker/core/state.c broker/core/state.h \
	broker/core/task.c broker/core/task.h \
	broker/core/timing.c \
	broker/core/verify.c \
	broker/core/view.c broker/core/view.h \
	broker/core/wait.c

# The shell around it: rows in, rows out, commands.
noinst_LIBRARIES += broker/libreconciler.a
broker_libreconciler_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(GNUTLS_CFLAGS) $(SQLITE_CFLAGS)
broker_libreconciler_a_SOURCES = \
	broker/reconciler.c broker/reconciler.h broker/reconciler_guests.h broker/reconciler_ops.h broker/reconciler_priv.h broker/recycling.h \
	broker/reconciler_guests.c broker/reconciler_late.c broker/reconciler_load.c broker/reconciler_peers.c \
	broker/reconciler_rollout.c broker/reconciler_rollout.h broker/reconciler_send.c broker/reconciler_write.c

EXTRA_DIST += docs/broker-core.md
