# tests/unit/ws: what this directory adds to the build (lists are declared in the top Makefile.am).
if CRITERION
check_PROGRAMS += tests/unit/ws/test_ws
TESTS += tests/unit/ws/test_ws

tests_unit_ws_test_ws_SOURCES = \
	tests/unit/encoder/decode.c \
	tests/unit/encoder/decode.h \
	tests/unit/encoder/decode_bars.c \
	tests/unit/encoder/decode_bars.h \
	tests/unit/ws/test_group.c \
	tests/unit/ws/test_member.c \
	tests/unit/ws/test_message.c \
	tests/unit/ws/test_parse.c \
	tests/unit/ws/test_snapshot.c \
	tests/unit/ws/test_ws.c
tests_unit_ws_test_ws_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_ws_test_ws_LDADD = $(FRONT_WS_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(CRITERION_LIBS) -lm
endif
