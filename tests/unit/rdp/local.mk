# tests/unit/rdp: the RDP front's messages and texts.
if CRITERION
check_PROGRAMS += tests/unit/rdp/unit-rdp
TESTS += tests/unit/rdp/unit-rdp
endif

tests_unit_rdp_unit_rdp_SOURCES = \
	tests/unit/rdp/test_avc444.c \
	tests/unit/rdp/test_clear.c \
	tests/unit/rdp/test_clip_wire.c \
	tests/unit/rdp/test_detect.c \
	tests/unit/rdp/test_disp.c \
	tests/unit/rdp/test_gfx_cache.c \
	tests/unit/rdp/test_gfx_cells.c \
	tests/unit/rdp/test_gfx_pixels.c \
	tests/unit/rdp/test_gfx_wire.c \
	tests/unit/rdp/test_guard.c \
	tests/unit/rdp/test_parts.c \
	tests/unit/rdp/test_planar.c \
	tests/unit/rdp/test_remotefx.c \
	tests/unit/rdp/test_zgfx.c
tests_unit_rdp_unit_rdp_CFLAGS = $(CRITERION_TEST_CFLAGS) $(RDP_CFLAGS)
tests_unit_rdp_unit_rdp_LDADD = $(FRONT_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(CRITERION_LIBS) -lm
