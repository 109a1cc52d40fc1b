# tests/unit/base: one Criterion program for the folder; the pattern for every other one.
if CRITERION
check_PROGRAMS += tests/unit/base/unit-base
TESTS += tests/unit/base/unit-base
endif

tests_unit_base_unit_base_SOURCES = \
	tests/unit/base/test_buf.c \
	tests/unit/base/test_clock.c \
	tests/unit/base/test_conf.c \
	tests/unit/base/test_ctl.c \
	tests/unit/base/test_ctl_client.c \
	tests/unit/base/test_cursor.c \
	tests/unit/base/test_daemon.c \
	tests/unit/base/test_err.c \
	tests/unit/base/test_file.c \
	tests/unit/base/test_hash.c \
	tests/unit/base/test_json.c \
	tests/unit/base/test_landlock.c \
	tests/unit/base/test_log.c \
	tests/unit/base/test_loop.c \
	tests/unit/base/test_mem.c \
	tests/unit/base/test_seccomp.c \
	tests/unit/base/test_secret.c \
	tests/unit/base/test_text.c \
	tests/unit/base/test_tls.c \
	tests/unit/base/test_tls_listener.c \
	tests/unit/base/test_tls_pipe.c \
	tests/unit/base/test_unixsock.c \
	tests/unit/base/util.h tests/unit/fine.h
tests_unit_base_unit_base_CPPFLAGS = $(BASE_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_unit_base_unit_base_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_base_unit_base_LDADD = $(BASE_LIBS) $(SECCOMP_LIBS) $(CRITERION_LIBS)
