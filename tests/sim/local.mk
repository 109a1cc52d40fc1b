# SPDX-License-Identifier: GPL-3.0-or-later
# tests/sim: the seeded simulator of the decision core.
check_PROGRAMS += tests/sim/puesto-sim
tests_sim_puesto_sim_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS)
tests_sim_puesto_sim_SOURCES = \
	tests/sim/main.c tests/sim/sim.h tests/sim/sim_admin.c tests/sim/sim_admin.h tests/sim/sim_agent.c tests/sim/sim_broker.c \
	tests/sim/sim_check.c tests/sim/sim_fault.c tests/sim/sim_host.c tests/sim/sim_host.h tests/sim/sim_machine.c tests/sim/sim_message.h \
	tests/sim/sim_personal.c tests/sim/sim_personal.h \
	tests/sim/sim_rand.c tests/sim/sim_rollout.c tests/sim/sim_rollout.h \
	tests/sim/sim_sleep.c tests/sim/sim_sleep.h tests/sim/sim_user.c
tests_sim_puesto_sim_LDADD = broker/libreconciler.a broker/core/libcore.a db/libdb.a base/libbase.a \
	$(SQLITE_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(UV_LIBS)

TESTS += tests/sim/test_sim.sh
EXTRA_DIST += tests/sim/test_sim.sh
