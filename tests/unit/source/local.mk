# tests/unit/source: what this directory adds to the build (lists are declared in the top Makefile.am).
if CRITERION
check_PROGRAMS += tests/unit/source/unit-source
TESTS += tests/unit/source/unit-source
endif

tests_unit_source_unit_source_SOURCES = \
	tests/unit/source/test_canvas.c \
	tests/unit/source/test_dbus_picture.c \
	tests/unit/source/test_dbus_source.c \
	tests/unit/source/test_dbus_typing.c \
	tests/unit/source/test_font.c \
	tests/unit/source/test_layout.c \
	tests/unit/source/test_lobby.c \
	tests/unit/source/test_pattern.c \
	tests/unit/source/test_reply.c \
	tests/unit/source/test_rfb_client.c \
	tests/unit/source/test_rfb_decoder.c \
	tests/unit/source/test_rfb_source.c \
	tests/unit/source/test_rfb_typing.c \
	tests/unit/source/test_source.c
tests_unit_source_unit_source_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_source_unit_source_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_source_unit_source_LDADD = $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(CRITERION_LIBS)
