# tests/unit/gate: what this directory adds to the build (lists are declared in the top Makefile.am).
if CRITERION
check_PROGRAMS += tests/unit/gate/unit-gate
TESTS += tests/unit/gate/unit-gate
endif

tests_unit_gate_unit_gate_SOURCES = \
	protocol/front/front.c \
	protocol/sandbox.c \
	protocol/sandbox_gate.c \
	protocol/spawn_open.c \
	protocol/worker_words.c \
	tests/unit/gate/test_config.c \
	tests/unit/gate/test_front.c \
	tests/unit/gate/test_http_head.c \
	tests/unit/gate/test_http_reply.c \
	tests/unit/gate/test_limits.c \
	tests/unit/gate/test_network.c \
	tests/unit/gate/test_rfb_hello.c \
	tests/unit/gate/test_sandbox.c \
	tests/unit/gate/test_sandbox_gate.c \
	tests/unit/gate/test_spawn_open.c \
	tests/unit/gate/test_webfile.c \
	tests/unit/gate/test_worker_words.c \
	tests/unit/gate/test_ws_frame.c \
	tests/unit/gate/test_x224.c
tests_unit_gate_unit_gate_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)
tests_unit_gate_unit_gate_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_gate_unit_gate_LDADD = $(GATE_LIBS) $(SECCOMP_LIBS) $(CRITERION_LIBS)
