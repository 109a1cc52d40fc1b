# SPDX-License-Identifier: GPL-3.0-or-later
# tests/unit/broker: who calls, and the pure parts of the API (the core's part is in core.mk).
if CRITERION
check_PROGRAMS += tests/unit/broker/unit-broker
TESTS += tests/unit/broker/unit-broker
endif

tests_unit_broker_unit_broker_SOURCES = \
	broker/sandbox.c \
	tests/unit/broker/storage_world.c tests/unit/broker/storage_world.h \
	tests/unit/broker/test_auth.c \
	tests/unit/broker/test_certify.c \
	tests/unit/broker/test_cookie.c \
	tests/unit/broker/test_datastores.c \
	tests/unit/broker/test_forecast.c \
	tests/unit/broker/test_grant.c \
	tests/unit/broker/test_hasher.c \
	tests/unit/broker/test_backup_jobs.c \
	tests/unit/broker/test_image_jobs.c \
	tests/unit/broker/test_names.c \
	tests/unit/broker/test_password.c \
	tests/unit/broker/test_penalty.c \
	tests/unit/broker/test_personal_removals.c \
	tests/unit/broker/test_route.c \
	tests/unit/broker/test_sandbox.c \
	tests/unit/broker/test_words.c
tests_unit_broker_unit_broker_CPPFLAGS = $(BROKER_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_unit_broker_unit_broker_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_broker_unit_broker_LDADD = $(BROKER_LIBS) $(SECCOMP_LIBS) $(CRITERION_LIBS)
