# broker/hypervisor/ssh: machines of hosts that are told what to do by ssh, a part of the drivers' library.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/ssh/answer.c broker/hypervisor/ssh/answer.h \
	broker/hypervisor/ssh/exec.c broker/hypervisor/ssh/exec.h \
	broker/hypervisor/ssh/inventory.c \
	broker/hypervisor/ssh/life.c \
	broker/hypervisor/ssh/op.c \
	broker/hypervisor/ssh/power.c \
	broker/hypervisor/ssh/record.c broker/hypervisor/ssh/record.h \
	broker/hypervisor/ssh/remote.c broker/hypervisor/ssh/remote.h \
	broker/hypervisor/ssh/script.c broker/hypervisor/ssh/script.h \
	broker/hypervisor/ssh/sets.c broker/hypervisor/ssh/sets.h \
	broker/hypervisor/ssh/ssh.c broker/hypervisor/ssh/ssh_priv.h \
	broker/hypervisor/ssh/template.c broker/hypervisor/ssh/template.h
