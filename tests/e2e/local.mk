# tests/e2e: what this directory adds to the build (lists are declared in the top Makefile.am).
EXTRA_DIST += \
	tests/e2e/browser.mjs \
	tests/e2e/chromium.mjs \
	tests/e2e/clients.mjs \
	tests/e2e/clipboard.test.mjs \
	tests/e2e/console.test.mjs \
	tests/e2e/day.test.mjs \
	tests/e2e/deploy.test.mjs \
	tests/e2e/desktop.mjs \
	tests/e2e/drop.test.mjs \
	tests/e2e/enter.mjs \
	tests/e2e/hostile.test.mjs \
	tests/e2e/input.test.mjs \
	tests/e2e/installation.mjs \
	tests/e2e/isolation.test.mjs \
	tests/e2e/kiosk.mjs \
	tests/e2e/launch.mjs \
	tests/e2e/motion.test.mjs \
	tests/e2e/novnc.test.mjs \
	tests/e2e/package-lock.json \
	tests/e2e/package.json \
	tests/e2e/portal.test.mjs \
	tests/e2e/relay.mjs \
	tests/e2e/resize.test.mjs \
	tests/e2e/run \
	tests/e2e/services.test.mjs \
	tests/e2e/viewers.test.mjs \
	tests/e2e/workload.mjs
