# tests/e2e: what this directory adds to the build (lists are declared in the top Makefile.am).
EXTRA_DIST += \
	tests/e2e/e2e.test.mjs \
	tests/e2e/installation.mjs \
	tests/e2e/package-lock.json \
	tests/e2e/package.json \
	tests/e2e/run
