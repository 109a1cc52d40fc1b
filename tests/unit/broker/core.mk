# SPDX-License-Identifier: GPL-3.0-or-later
# tests/unit/broker: the core's part of this folder.
if CRITERION
check_PROGRAMS += tests/unit/broker/test_core
TESTS += tests/unit/broker/test_core
tests_unit_broker_test_core_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_broker_test_core_SOURCES = \
	tests/unit/broker/core_fixture.c tests/unit/broker/core_fixture.h \
	tests/unit/broker/test_agent_event.c tests/unit/broker/test_core.c tests/unit/broker/test_core_life.c \
	tests/unit/broker/test_core_owner.c tests/unit/broker/test_core_placement.c tests/unit/broker/test_drain.c \
	tests/unit/broker/test_estimate.c \
	tests/unit/broker/test_inventory.c tests/unit/broker/test_operation.c \
	tests/unit/broker/rollout_fixture.c tests/unit/broker/rollout_fixture.h \
	tests/unit/broker/test_judge.c tests/unit/broker/test_rollout.c \
	tests/unit/broker/test_foreign.c tests/unit/broker/test_personal.c tests/unit/broker/test_restore.c \
	tests/unit/broker/test_spare.c
tests_unit_broker_test_core_LDADD = broker/core/libcore.a base/libbase.a \
	$(CRITERION_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(UV_LIBS)

check_PROGRAMS += tests/unit/broker/test_reconciler
TESTS += tests/unit/broker/test_reconciler
tests_unit_broker_test_reconciler_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_broker_test_reconciler_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_broker_test_reconciler_SOURCES = tests/unit/broker/test_reconciler.c tests/unit/broker/test_reconciler_rollout.c
tests_unit_broker_test_reconciler_LDADD = broker/libreconciler.a broker/core/libcore.a db/libdb.a base/libbase.a \
	$(SQLITE_LIBS) $(CRITERION_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(UV_LIBS)
endif
