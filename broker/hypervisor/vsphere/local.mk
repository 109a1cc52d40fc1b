# broker/hypervisor/vsphere: machines of a vCenter, a part of the drivers' library.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/vsphere/address.c broker/hypervisor/vsphere/address.h \
	broker/hypervisor/vsphere/clone.c \
	broker/hypervisor/vsphere/configure.c \
	broker/hypervisor/vsphere/fault.c broker/hypervisor/vsphere/fault.h \
	broker/hypervisor/vsphere/found.c \
	broker/hypervisor/vsphere/hosts.c \
	broker/hypervisor/vsphere/life.c \
	broker/hypervisor/vsphere/list.c \
	broker/hypervisor/vsphere/migrate.c \
	broker/hypervisor/vsphere/place.c \
	broker/hypervisor/vsphere/power.c \
	broker/hypervisor/vsphere/property.c broker/hypervisor/vsphere/property.h \
	broker/hypervisor/vsphere/settings.c \
	broker/hypervisor/vsphere/snapshot.c \
	broker/hypervisor/vsphere/soap.c broker/hypervisor/vsphere/soap.h \
	broker/hypervisor/vsphere/spec.c broker/hypervisor/vsphere/spec.h \
	broker/hypervisor/vsphere/task.c broker/hypervisor/vsphere/task.h \
	broker/hypervisor/vsphere/vim.c broker/hypervisor/vsphere/vim.h \
	broker/hypervisor/vsphere/vsphere.c broker/hypervisor/vsphere/vsphere_priv.h \
	broker/hypervisor/vsphere/watch.c
