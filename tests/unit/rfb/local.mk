# tests/unit/rfb: the RFB front's parsers and the window of frames in flight.
check_PROGRAMS += tests/unit/rfb/test-rfb
TESTS += tests/unit/rfb/test-rfb

tests_unit_rfb_test_rfb_SOURCES = \
	tests/unit/rfb/test_message.c \
	tests/unit/rfb/test_pixel_format.c \
	tests/unit/rfb/test_transcript.c \
	tests/unit/rfb/test_vncclient.c \
	tests/unit/rfb/test_window.c
tests_unit_rfb_test_rfb_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_rfb_test_rfb_LDADD = $(FRONT_RFB_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(VNCCLIENT_LIBS) $(CRITERION_LIBS)
