# encoder: what this directory adds to the build (lists are declared in the top Makefile.am).
noinst_LIBRARIES += encoder/libencoder.a

encoder_libencoder_a_SOURCES = \
	encoder/anchor.c encoder/anchor.h \
	encoder/chroma.c encoder/chroma.h \
	encoder/blank.c encoder/blank.h \
	encoder/classify.c \
	encoder/codec.h \
	encoder/codec/clear.c \
	encoder/codec/clear_bars.c encoder/codec/clear_bars.h \
	encoder/codec/clear_cut.c encoder/codec/clear_cut.h \
	encoder/codec/codec.c \
	encoder/codec/flat.c \
	encoder/codec/gradient.c encoder/codec/gradient.h \
	encoder/codec/jpeg.c encoder/codec/jpeg.h \
	encoder/codec/layers.c encoder/codec/layers.h \
	encoder/codec/marks.c encoder/codec/marks.h \
	encoder/codec/rfx_tile.c encoder/codec/rfx_tile.h \
	encoder/codec/rlgr.c encoder/codec/rlgr.h \
	encoder/codec/slot_ring.c encoder/codec/slot_ring.h \
	encoder/codec/tight.c encoder/codec/tight.h \
	encoder/codec/zrle.c \
	encoder/codec/zstream.c encoder/codec/zstream.h \
	encoder/cost.c encoder/cost.h \
	encoder/dsp/avx2.c encoder/dsp/avx2.h \
	encoder/dsp/avx512.c \
	encoder/dsp/dsp.c encoder/dsp/dsp.h \
	encoder/dsp/neon.c \
	encoder/encoder.c encoder/encoder.h encoder/encoder_priv.h \
	encoder/film.c encoder/film.h \
	encoder/join.c encoder/join.h \
	encoder/motion.c encoder/motion.h \
	encoder/op.h \
	encoder/palette.c encoder/palette.h \
	encoder/pixmap.c encoder/pixmap.h \
	encoder/plan.c encoder/plan.h \
	encoder/quality.c encoder/quality.h \
	encoder/quantiser.c encoder/quantiser.h \
	encoder/rect.c encoder/rect.h \
	encoder/refine.c \
	encoder/region.c encoder/region.h \
	encoder/select.c encoder/select.h \
	encoder/still.c encoder/still.h \
	encoder/tiles.c encoder/tiles.h \
	encoder/twin.c encoder/twin.h \
	encoder/video.c encoder/video.h \
	encoder/words.c encoder/words.h \
	encoder/x264.c encoder/x264.h
encoder_libencoder_a_CPPFLAGS = $(AM_CPPFLAGS) $(X264_CFLAGS) $(JPEG_CFLAGS) $(ZSTD_CFLAGS) $(ZLIB_CFLAGS) $(XXHASH_CFLAGS)

# What a program adds to its LDADD, before BASE_LIBS, to use the library.
ENCODER_LIBS = encoder/libencoder.a $(X264_LIBS) $(JPEG_LIBS) $(ZSTD_LIBS) $(ZLIB_LIBS)
