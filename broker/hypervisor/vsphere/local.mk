# broker/hypervisor/vsphere: machines of a vCenter, a part of the drivers' library.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/vsphere/fault.c broker/hypervisor/vsphere/fault.h \
	broker/hypervisor/vsphere/property.c broker/hypervisor/vsphere/property.h \
	broker/hypervisor/vsphere/soap.c broker/hypervisor/vsphere/soap.h \
	broker/hypervisor/vsphere/task.c broker/hypervisor/vsphere/task.h \
	broker/hypervisor/vsphere/vim.c broker/hypervisor/vsphere/vim.h
