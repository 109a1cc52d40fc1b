# tests/unit/link: the display link's codec and channel.
check_PROGRAMS += tests/unit/link/test-link
TESTS += tests/unit/link/test-link

tests_unit_link_test_link_SOURCES = \
	tests/unit/link/test_channel.c \
	tests/unit/link/test_input_wire.c \
	tests/unit/link/test_link.c \
	tests/unit/link/test_places.c \
	tests/unit/link/test_utf16.c
tests_unit_link_test_link_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_link_test_link_LDADD = protocol/link/liblink.a $(BASE_LIBS) $(CRITERION_LIBS)
