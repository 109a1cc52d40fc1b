# The driver of QEMU's own processes.
tests_unit_hypervisor_unit_hypervisor_SOURCES += \
	tests/unit/hypervisor/test_command.c \
	tests/unit/hypervisor/test_memory.c \
	tests/unit/hypervisor/test_qemu.c \
	tests/unit/hypervisor/test_qemu_seed.c \
	tests/unit/hypervisor/test_spawn.c \
	tests/unit/hypervisor/test_tap.c
