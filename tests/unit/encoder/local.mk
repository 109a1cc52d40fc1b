# tests/unit/encoder: what this directory adds to the build (lists are declared in the top Makefile.am).
if CRITERION
check_PROGRAMS += tests/unit/encoder/test_encoder
TESTS += tests/unit/encoder/test_encoder

tests_unit_encoder_test_encoder_SOURCES = \
	tests/unit/encoder/decode.c \
	tests/unit/encoder/decode.h \
	tests/unit/encoder/decode_bars.c \
	tests/unit/encoder/decode_bars.h \
	tests/unit/encoder/desk.c \
	tests/unit/encoder/desk.h \
	tests/unit/encoder/model.c \
	tests/unit/encoder/model.h \
	tests/unit/encoder/pages.c \
	tests/unit/encoder/pages.h \
	tests/unit/encoder/test_anchor.c \
	tests/unit/encoder/test_avx2.c \
	tests/unit/encoder/test_chroma.c \
	tests/unit/encoder/test_blank.c \
	tests/unit/encoder/test_classify.c \
	tests/unit/encoder/test_clear_cut.c \
	tests/unit/encoder/test_codec.c \
	tests/unit/encoder/test_cost.c \
	tests/unit/encoder/test_dsp.c \
	tests/unit/encoder/test_encoder.c \
	tests/unit/encoder/test_film.c \
	tests/unit/encoder/test_flat.c \
	tests/unit/encoder/test_gradient.c \
	tests/unit/encoder/test_join.c \
	tests/unit/encoder/test_jpeg.c \
	tests/unit/encoder/test_layers.c \
	tests/unit/encoder/test_marks.c \
	tests/unit/encoder/test_motion.c \
	tests/unit/encoder/test_palette.c \
	tests/unit/encoder/test_pixmap.c \
	tests/unit/encoder/test_plan.c \
	tests/unit/encoder/test_quality.c \
	tests/unit/encoder/test_quantiser.c \
	tests/unit/encoder/test_rect.c \
	tests/unit/encoder/test_refine.c \
	tests/unit/encoder/test_region.c \
	tests/unit/encoder/test_rfx_tile.c \
	tests/unit/encoder/test_rlgr.c \
	tests/unit/encoder/test_select.c \
	tests/unit/encoder/test_slot_ring.c \
	tests/unit/encoder/test_still.c \
	tests/unit/encoder/test_tight.c \
	tests/unit/encoder/test_tiles.c \
	tests/unit/encoder/test_twin.c \
	tests/unit/encoder/test_video.c \
	tests/unit/encoder/test_words.c \
	tests/unit/encoder/test_x264.c \
	tests/unit/encoder/test_zrle.c \
	tests/unit/encoder/test_zstream.c
tests_unit_encoder_test_encoder_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_encoder_test_encoder_LDADD = $(ENCODER_LIBS) $(BASE_LIBS) $(CRITERION_LIBS) -lm
endif
