# tests/web: the browser client's tests run by tests/web/run (node and Chromium); here is only the C program that they drive.
check_PROGRAMS += tests/web/harness

tests_web_harness_SOURCES = tests/web/harness.c
tests_web_harness_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS)
tests_web_harness_LDADD = $(FRONT_WS_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) -lm

EXTRA_DIST += \
	tests/web/package.json tests/web/package-lock.json \
	tests/web/axe.test.mjs tests/web/browser.test.mjs tests/web/bundle.test.mjs tests/web/front.test.mjs tests/web/keyboard.test.mjs tests/web/novnc.test.mjs tests/web/pages.test.mjs tests/web/units.test.mjs \
	tests/web/fake-api.mjs tests/web/fake-world.mjs tests/web/machine.mjs tests/web/run tests/web/server.mjs tests/web/tsconfig.json
