# broker/hypervisor/hyperv: machines of Microsoft's Hyper-V, a part of the drivers' library.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/hyperv/cim.c broker/hypervisor/hyperv/cim.h \
	broker/hypervisor/hyperv/hyperv.c broker/hypervisor/hyperv/hyperv_priv.h \
	broker/hypervisor/hyperv/inventory.c \
	broker/hypervisor/hyperv/life.c \
	broker/hypervisor/hyperv/op.c \
	broker/hypervisor/hyperv/power.c \
	broker/hypervisor/hyperv/vm.c broker/hypervisor/hyperv/vm.h \
	broker/hypervisor/hyperv/wsman.c broker/hypervisor/hyperv/wsman.h
