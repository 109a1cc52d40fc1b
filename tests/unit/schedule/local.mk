# tests/unit/schedule: the encoder and the window of frames in flight over a simulated path, in simulated time.
if CRITERION
check_PROGRAMS += tests/unit/schedule/test_schedule
TESTS += tests/unit/schedule/test_schedule

tests_unit_schedule_test_schedule_SOURCES = \
	tests/unit/schedule/path.c \
	tests/unit/schedule/path.h \
	tests/unit/schedule/test_schedule.c
tests_unit_schedule_test_schedule_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_schedule_test_schedule_LDADD = protocol/front/libwindow.a $(ENCODER_LIBS) $(BASE_LIBS) $(CRITERION_LIBS) -lm
endif
