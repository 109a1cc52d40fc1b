# tests/bench: what this directory adds to the build (lists are declared in the top Makefile.am).

SCENE = tests/bench/glyphs.c tests/bench/glyphs.h tests/bench/page.c tests/bench/page.h tests/bench/scene.c \
	tests/bench/scene.h

# The encoder without a network; its bytes are checked against golden.txt.
check_PROGRAMS += tests/bench/encoder_bench
TESTS += tests/bench/golden.sh
tests_bench_encoder_bench_SOURCES = tests/bench/encoder_bench.c tests/bench/golden.c tests/bench/golden.h \
	tests/bench/trace.c tests/bench/trace.h $(SCENE)
tests_bench_encoder_bench_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
tests_bench_encoder_bench_LDADD = $(FRONT_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) -lm

# What one viewer's picture holds in memory.
check_PROGRAMS += tests/bench/memory_bench
TESTS += tests/bench/memory_bench
tests_bench_memory_bench_SOURCES = tests/bench/memory_bench.c tests/bench/trace.c tests/bench/trace.h $(SCENE)
tests_bench_memory_bench_LDADD = $(FRONT_WS_LIBS) $(FRONT_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) -lm

# The pixel kernels of each table, run by hand: tests/bench/dsp_bench
check_PROGRAMS += tests/bench/dsp_bench
tests_bench_dsp_bench_SOURCES = tests/bench/dsp_bench.c
tests_bench_dsp_bench_LDADD = $(ENCODER_LIBS) $(BASE_LIBS)

# One picture for many browsers; run by hand.
check_PROGRAMS += tests/bench/fan_bench
tests_bench_fan_bench_SOURCES = tests/bench/fan_bench.c tests/bench/trace.c tests/bench/trace.h protocol/front/front.c $(SCENE)
tests_bench_fan_bench_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS)
tests_bench_fan_bench_LDADD = $(FRONT_WS_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) -lm

# Linked overlays beside qemu-img; run by hand: tests/bench/disk_bench
check_PROGRAMS += tests/bench/disk_bench
tests_bench_disk_bench_SOURCES = tests/bench/disk_bench.c
tests_bench_disk_bench_LDADD = $(HYPERVISOR_LIBS)

# What draws on a desktop for tests/e2e and tests/bench/run; its typeface is the lobby's.
check_PROGRAMS += tests/bench/workload
tests_bench_workload_SOURCES = tests/bench/workload.c tests/bench/clip.c tests/bench/clip.h tests/bench/desk.c tests/bench/desk.h \
	tests/bench/document.c tests/bench/document.h $(SCENE) tests/bench/window.c tests/bench/window.h
tests_bench_workload_CPPFLAGS = $(AM_CPPFLAGS) $(X11_CFLAGS)
tests_bench_workload_LDADD = protocol/source/libsource.a $(FREETYPE_LIBS) $(BASE_LIBS) $(ENCODER_LIBS) $(X11_LIBS) -lm

# The pictures of its clip.
check_PROGRAMS += tests/bench/landscape
tests_bench_landscape_SOURCES = tests/bench/landscape.c
tests_bench_landscape_LDADD = -lm

# The path to a client, and who looks at the client's screen.
check_PROGRAMS += tests/bench/relay tests/bench/probe
tests_bench_relay_SOURCES = tests/bench/relay.c tests/bench/relay_pipe.c tests/bench/relay_pipe.h
tests_bench_probe_SOURCES = tests/bench/probe.c tests/bench/clip.c tests/bench/clip.h tests/bench/likeness.c tests/bench/likeness.h \
	tests/bench/look.c tests/bench/look.h tests/bench/screen.c tests/bench/screen.h
tests_bench_probe_CPPFLAGS = $(AM_CPPFLAGS) $(X11_CFLAGS)
tests_bench_probe_LDADD = $(ENCODER_LIBS) $(X11_LIBS) -lm

EXTRA_DIST += \
	tests/bench/ahead.mjs \
	tests/bench/bench.mjs \
	tests/bench/console_sources.py \
	tests/bench/cost.mjs \
	tests/bench/docs.mjs \
	tests/bench/drawings.mjs \
	tests/bench/goals.mjs \
	tests/bench/golden.sh \
	tests/bench/golden.txt \
	tests/bench/machine.mjs \
	tests/bench/measure.mjs \
	tests/bench/media.mjs \
	tests/bench/options.mjs \
	tests/bench/own.mjs \
	tests/bench/painter.mjs \
	tests/bench/path.mjs \
	tests/bench/peer.mjs \
	tests/bench/peers_rdp.mjs \
	tests/bench/peers_vnc.mjs \
	tests/bench/plot.mjs \
	tests/bench/probe.mjs \
	tests/bench/report.mjs \
	tests/bench/scale_bench.py \
	tests/bench/screens.mjs \
	tests/bench/stats.mjs \
	tests/bench/text.mjs \
	tests/bench/tool.mjs \
	tests/bench/wires.mjs \
	tests/bench/run
