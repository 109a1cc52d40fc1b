# tests/integration: what this directory adds to the build (lists are declared in the top Makefile.am).

# The local provider with real desktops; skips itself without root.
EXTRA_DIST += tests/integration/test_local.py
TESTS += tests/integration/test_local.py
