# tests/unit/agent: the agent's pure parts; the rest is tested with a real X server in tests/integration/agent.
check_PROGRAMS += tests/unit/agent/test-agent
TESTS += tests/unit/agent/test-agent

tests_unit_agent_test_agent_SOURCES = \
	tests/unit/agent/test_identity.c \
	tests/unit/agent/test_keymap.c \
	tests/unit/agent/test_layout.c \
	tests/unit/agent/test_lease.c \
	tests/unit/agent/test_merge.c \
	tests/unit/agent/test_pointer.c \
	tests/unit/agent/test_pointer_shape.c \
	tests/unit/agent/test_scale.c \
	tests/unit/agent/test_spare.c \
	tests/unit/agent/test_state.c \
	tests/unit/agent/test_xwd.c
tests_unit_agent_test_agent_CPPFLAGS = $(agent_libagent_a_CPPFLAGS)
tests_unit_agent_test_agent_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_agent_test_agent_LDADD = $(AGENT_LIBS) $(CRITERION_LIBS)
