# SPDX-License-Identifier: GPL-3.0-or-later
# db: the schema, and typed queries by noun.
noinst_LIBRARIES += db/libdb.a
db_libdb_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
db_libdb_a_SOURCES = \
	db/assignment.c db/assignment.h \
	db/audit.c db/audit.h \
	db/backup.c db/backup.h \
	db/datastore.c db/datastore.h \
	db/db.c db/db.h db/db_priv.h \
	db/desktop.c db/desktop.h \
	db/entitlement.c db/entitlement.h \
	db/group.c db/group.h \
	db/guest.c db/guest.h \
	db/host.c db/host.h \
	db/image.c db/image.h \
	db/image_job.c db/image_job.h \
	db/login.c db/login.h \
	db/migrate.c db/migrate.h \
	db/penalty.c db/penalty.h \
	db/personal.c db/personal.h \
	db/pool.c db/pool.h \
	db/provider.c db/provider.h \
	db/query.c \
	db/recycle.c db/recycle.h \
	db/rollout.c db/rollout.h \
	db/row.h \
	db/session.c db/session.h \
	db/snapshot.c db/snapshot.h \
	db/task.c db/task.h \
	db/ticket.c db/ticket.h \
	db/user.c db/user.h \
	db/users.c db/users.h \
	db/viewer.c db/viewer.h
nodist_db_libdb_a_SOURCES = db/migrations.c

db_migration_files = $(srcdir)/db/schema/0001_init.sql $(srcdir)/db/schema/0002_history.sql \
	$(srcdir)/db/schema/0003_end_reason_es.sql $(srcdir)/db/schema/0004_guests.sql \
	$(srcdir)/db/schema/0005_operations.sql $(srcdir)/db/schema/0006_versions.sql \
	$(srcdir)/db/schema/0007_hosts.sql $(srcdir)/db/schema/0008_storage.sql \
	$(srcdir)/db/schema/0009_backups.sql $(srcdir)/db/schema/0010_personal.sql \
	$(srcdir)/db/schema/0011_suspended.sql $(srcdir)/db/schema/0012_copies.sql \
	$(srcdir)/db/schema/0013_display.sql

db/migrations.c: $(db_migration_files) $(srcdir)/db/gen-migrations.sh
	$(AM_V_GEN)$(MKDIR_P) db && $(SHELL) $(srcdir)/db/gen-migrations.sh $(db_migration_files) > $@.tmp && mv $@.tmp $@

BUILT_SOURCES += db/migrations.c
CLEANFILES += db/migrations.c
EXTRA_DIST += db/gen-migrations.sh db/schema/0001_init.sql db/schema/0002_history.sql \
	db/schema/0003_end_reason_es.sql db/schema/0004_guests.sql db/schema/0005_operations.sql db/schema/0006_versions.sql \
	db/schema/0007_hosts.sql db/schema/0008_storage.sql db/schema/0009_backups.sql db/schema/0010_personal.sql \
	db/schema/0011_suspended.sql db/schema/0012_copies.sql \
	db/schema/0013_display.sql
