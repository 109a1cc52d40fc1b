# tests/unit/seat: the RDP source's own parts.
if CRITERION
check_PROGRAMS += tests/unit/seat/unit-seat
TESTS += tests/unit/seat/unit-seat
endif

tests_unit_seat_unit_seat_SOURCES = \
	tests/unit/seat/test_account.c \
	tests/unit/seat/test_mailbox.c \
	tests/unit/seat/test_typing.c \
	tests/unit/seat/test_words.c
tests_unit_seat_unit_seat_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(RDP_CLIENT_CFLAGS)
tests_unit_seat_unit_seat_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_seat_unit_seat_LDADD = $(SOURCE_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(CRITERION_LIBS)
