# tests/checks: scripts that read the tree. Each names the file and what to do.
CHECKS = \
	tests/checks/banner.py \
	tests/checks/errors.py \
	tests/checks/floors.py \
	tests/checks/hardening.py \
	tests/checks/headers.sh \
	tests/checks/machine.py \
	tests/checks/size.py \
	tests/checks/tested.py

TESTS += $(CHECKS)
EXTRA_DIST += $(CHECKS) \
	tests/checks/machine-exceptions \
	tests/checks/size-exceptions \
	tests/checks/tree.py \
	tests/checks/untested
