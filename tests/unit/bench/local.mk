# tests/unit/bench: the bench's instruments, since figures are worth what these are.
if CRITERION
check_PROGRAMS += tests/unit/bench/unit-bench
TESTS += tests/unit/bench/unit-bench
endif

tests_unit_bench_unit_bench_SOURCES = \
	tests/bench/clip.c \
	tests/bench/likeness.c \
	tests/bench/relay_pipe.c \
	tests/unit/bench/test_clip.c \
	tests/unit/bench/test_likeness.c \
	tests/unit/bench/test_relay_pipe.c
tests_unit_bench_unit_bench_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_bench_unit_bench_LDADD = $(CRITERION_LIBS) -lm
