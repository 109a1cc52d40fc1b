# tests/bench: what this directory adds to the build (lists are declared in the top Makefile.am).

# The encoder without a network; built by make check, run by hand: tests/bench/encoder_bench
check_PROGRAMS += tests/bench/encoder_bench
tests_bench_encoder_bench_SOURCES = tests/bench/encoder_bench.c tests/bench/scene.c tests/bench/scene.h
tests_bench_encoder_bench_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
tests_bench_encoder_bench_LDADD = $(ENCODER_LIBS) $(BASE_LIBS) -lm

# What draws on a desktop for tests/e2e and tests/bench/run.
check_PROGRAMS += tests/bench/workload
tests_bench_workload_SOURCES = tests/bench/workload.c tests/bench/scene.c tests/bench/scene.h
tests_bench_workload_CPPFLAGS = $(AM_CPPFLAGS) $(X11_CFLAGS)
tests_bench_workload_LDADD = $(X11_LIBS) -lm

EXTRA_DIST += \
	tests/bench/bench.mjs \
	tests/bench/cost.mjs \
	tests/bench/run \
	tests/bench/wires.mjs
