# tests/unit/encoder: what this directory adds to the build (lists are declared in the top Makefile.am).
if CRITERION
check_PROGRAMS += tests/unit/encoder/test_encoder
TESTS += tests/unit/encoder/test_encoder

tests_unit_encoder_test_encoder_SOURCES = \
	tests/unit/encoder/decode.c tests/unit/encoder/decode.h \
	tests/unit/encoder/model.c tests/unit/encoder/model.h \
	tests/unit/encoder/test_codec.c \
	tests/unit/encoder/test_dsp.c \
	tests/unit/encoder/test_encoder.c \
	tests/unit/encoder/test_join.c \
	tests/unit/encoder/test_rect.c \
	tests/unit/encoder/test_x264.c
tests_unit_encoder_test_encoder_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_encoder_test_encoder_LDADD = $(ENCODER_LIBS) $(BASE_LIBS) $(CRITERION_LIBS) -lm
endif
