# broker/hypervisor/hosts: seats that are lent, a part of the drivers' library.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/hosts/faults.c \
	broker/hypervisor/hosts/greeting.c broker/hypervisor/hosts/greeting.h \
	broker/hypervisor/hosts/hosts.c broker/hypervisor/hosts/hosts_priv.h \
	broker/hypervisor/hosts/inventory.c \
	broker/hypervisor/hosts/lease.c broker/hypervisor/hosts/lease.h \
	broker/hypervisor/hosts/life.c \
	broker/hypervisor/hosts/op.c \
	broker/hypervisor/hosts/probe.c broker/hypervisor/hosts/probe.h \
	broker/hypervisor/hosts/seats.c broker/hypervisor/hosts/seats.h \
	broker/hypervisor/hosts/take.c \
	broker/hypervisor/hosts/wake.c broker/hypervisor/hosts/wake.h
