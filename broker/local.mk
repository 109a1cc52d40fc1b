# SPDX-License-Identifier: GPL-3.0-or-later
# broker: who calls, the API, the control connections, and the daemon.
noinst_LIBRARIES += broker/libbroker.a

BROKER_CPPFLAGS = $(BASE_CPPFLAGS) $(SQLITE_CFLAGS) $(ARGON2_CFLAGS)
BROKER_LIBS = broker/libbroker.a broker/libreconciler.a broker/core/libcore.a db/libdb.a base/libbase.a \
	$(SQLITE_LIBS) $(ARGON2_LIBS) $(UV_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) -lm

broker_libbroker_a_CPPFLAGS = $(BROKER_CPPFLAGS)
broker_libbroker_a_SOURCES = \
	broker/auth/account.c \
	broker/auth/auth.c broker/auth/auth.h broker/auth/auth_priv.h \
	broker/auth/cookie.c broker/auth/cookie.h \
	broker/auth/hasher.c broker/auth/hasher.h \
	broker/auth/names.c broker/auth/names.h \
	broker/auth/password.c broker/auth/password.h \
	broker/auth/penalty.c broker/auth/penalty.h \
	broker/auth/tokens.c \
	broker/api/api.c broker/api/api.h broker/api/api_priv.h \
	broker/api/backups.c \
	broker/api/call.c broker/api/call.h \
	broker/api/consoles.c \
	broker/api/desktops.c broker/api/desktops.h \
	broker/api/operations.c \
	broker/api/entitlements.c \
	broker/api/events.c \
	broker/api/explain.c \
	broker/api/fields.c broker/api/fields.h \
	broker/api/groups.c \
	broker/api/guard.c \
	broker/api/hosts.c \
	broker/api/hub.c broker/api/hub.h \
	broker/api/datastores.c \
	broker/api/image_files.c \
	broker/api/images.c \
	broker/api/rollouts.c \
	broker/api/me.c \
	broker/api/openapi.c broker/api/openapi.h \
	broker/api/page.c broker/api/page.h \
	broker/api/passwords.c \
	broker/api/pool_write.c \
	broker/api/pools.c broker/api/pools.h \
	broker/api/problem.c broker/api/problem.h \
	broker/api/words.c broker/api/words.h \
	broker/api/providers.c \
	broker/api/query.c broker/api/query.h \
	broker/api/personal.c broker/api/personal.h \
	broker/api/recycled.c \
	broker/api/replay.c broker/api/replay.h \
	broker/api/route.c broker/api/route.h \
	broker/api/sessions.c \
	broker/api/status.c \
	broker/api/users.c broker/api/users.h \
	broker/api/watch.c \
	broker/api/write.c \
	broker/storage/backup_end.c broker/storage/backup_priv.h broker/storage/backup_row.h \
	broker/storage/backup_jobs.c broker/storage/backup_jobs.h \
	broker/storage/datastores.c broker/storage/datastores.h \
	broker/storage/forecast.c broker/storage/forecast.h \
	broker/storage/image_jobs.c broker/storage/image_jobs.h \
	broker/storage/personal_removals.c broker/storage/personal_removals.h \
	broker/storage/ops.h \
	broker/control/agents.c \
	broker/control/certify.c broker/control/certify.h \
	broker/control/console_ticket.c \
	broker/control/consoles.c broker/control/consoles.h \
	broker/control/control.c broker/control/control.h broker/control/control_priv.h \
	broker/control/gateway.c broker/control/gateway.h \
	broker/control/dial.c broker/control/dial.h \
	broker/control/grant.c broker/control/grant.h \
	broker/control/guests.c broker/control/guests.h \
	broker/control/provisioner.c \
	broker/control/storage.c \
	broker/control/viewer.c
nodist_broker_libbroker_a_SOURCES = broker/api/openapi_json.c

broker/api/openapi_json.c: $(srcdir)/docs/api/openapi.yaml $(srcdir)/broker/api/gen-openapi.py
	$(AM_V_GEN)$(MKDIR_P) broker/api && $(PYTHON) $(srcdir)/broker/api/gen-openapi.py \
		$(srcdir)/docs/api/openapi.yaml > $@.tmp && mv $@.tmp $@

BUILT_SOURCES += broker/api/openapi_json.c
CLEANFILES += broker/api/openapi_json.c
EXTRA_DIST += broker/api/gen-openapi.py docs/api/openapi.yaml

sbin_PROGRAMS += broker/puesto-broker
broker_puesto_broker_CPPFLAGS = $(BROKER_CPPFLAGS) $(SECCOMP_CFLAGS)
broker_puesto_broker_SOURCES = broker/main.c broker/bootstrap.c broker/bootstrap.h \
	broker/sandbox.c broker/sandbox.h broker/settings.c broker/settings.h
broker_puesto_broker_LDADD = $(BROKER_LIBS) $(SECCOMP_LIBS)
