# tests/unit/agent: the agent's pure parts; the rest is tested with a real X server in tests/integration/agent.
check_PROGRAMS += tests/unit/agent/test-agent
TESTS += tests/unit/agent/test-agent

tests_unit_agent_test_agent_SOURCES = \
	tests/unit/agent/test_health.c \
	tests/unit/agent/test_identity.c \
	tests/unit/agent/test_keymap.c \
	tests/unit/agent/test_layout.c \
	tests/unit/agent/test_lease.c \
	tests/unit/agent/test_clock_step.c \
	tests/unit/agent/test_merge.c \
	tests/unit/agent/test_personal.c \
	tests/unit/agent/test_pointer.c \
	tests/unit/agent/test_pointer_shape.c \
	tests/unit/agent/test_scale.c \
	tests/unit/agent/test_spare.c \
	tests/unit/agent/test_state.c \
	tests/unit/agent/test_xwd.c
tests_unit_agent_test_agent_CPPFLAGS = $(agent_libagent_a_CPPFLAGS)
tests_unit_agent_test_agent_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_agent_test_agent_LDADD = $(AGENT_LIBS) $(CRITERION_LIBS)

check_PROGRAMS += tests/unit/agent/test-seed
TESTS += tests/unit/agent/test-seed

tests_unit_agent_test_seed_SOURCES = \
	tests/unit/agent/seed_kit.c tests/unit/agent/seed_kit.h tests/unit/fine.h \
	tests/unit/agent/test_apply.c \
	tests/unit/agent/test_find.c \
	tests/unit/agent/test_guestinfo.c \
	tests/unit/agent/test_iso.c \
	tests/unit/agent/test_port.c \
	tests/unit/agent/test_seed.c \
	tests/unit/agent/test_kvp.c \
	tests/unit/agent/test_smbios.c
tests_unit_agent_test_seed_CPPFLAGS = $(BASE_CPPFLAGS)
tests_unit_agent_test_seed_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_agent_test_seed_LDADD = $(SEED_LIBS) agent/libagent.a $(BASE_LIBS) $(CRITERION_LIBS)

# The agent for Windows, as far as it knows no system.
check_PROGRAMS += tests/unit/agent/test-windows
TESTS += tests/unit/agent/test-windows

tests_unit_agent_test_windows_SOURCES = \
	tests/unit/agent/test_windows_fields.c \
	tests/unit/agent/test_windows_hold.c \
	tests/unit/agent/test_windows_talk.c
tests_unit_agent_test_windows_CPPFLAGS = $(agent_libagent_a_CPPFLAGS)
tests_unit_agent_test_windows_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_agent_test_windows_LDADD = agent/windows/libwindows.a agent/libagent.a $(BASE_LIBS) $(CRITERION_LIBS)
