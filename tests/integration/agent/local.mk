# tests/integration/agent: the agent against a real X server.
check_PROGRAMS += tests/integration/test_agent
TESTS += tests/integration/test_agent

tests_integration_test_agent_SOURCES = \
	tests/integration/agent/desk.c tests/integration/agent/desk.h \
	tests/integration/agent/keys.c tests/integration/agent/keys.h \
	tests/integration/agent/input.c \
	tests/integration/agent/stories.h \
	tests/integration/agent/test_agent.c
tests_integration_test_agent_CPPFLAGS = $(agent_libagent_a_CPPFLAGS)
tests_integration_test_agent_LDADD = $(SOURCE_LIBS) encoder/libencoder.a $(X11_LIBS) $(BASE_LIBS)
EXTRA_tests_integration_test_agent_DEPENDENCIES = puesto-agent
