# broker/hypervisor/rest: what drivers over HTTP share; and those drivers.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/rest/claim.c broker/hypervisor/rest/claim.h \
	broker/hypervisor/rest/lookout.c broker/hypervisor/rest/lookout.h \
	broker/hypervisor/rest/nets.c broker/hypervisor/rest/nets.h \
	broker/hypervisor/rest/rest.c broker/hypervisor/rest/rest.h
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/proxmox/briefs.c \
	broker/hypervisor/proxmox/clone.c \
	broker/hypervisor/proxmox/found.c \
	broker/hypervisor/proxmox/hosts.c \
	broker/hypervisor/proxmox/inventory.c \
	broker/hypervisor/proxmox/life.c \
	broker/hypervisor/proxmox/migrate.c \
	broker/hypervisor/proxmox/network.c \
	broker/hypervisor/proxmox/place.c \
	broker/hypervisor/proxmox/power.c \
	broker/hypervisor/proxmox/proxmox.c \
	broker/hypervisor/proxmox/proxmox_priv.h \
	broker/hypervisor/proxmox/pve.c \
	broker/hypervisor/proxmox/resize.c \
	broker/hypervisor/proxmox/screen.c \
	broker/hypervisor/proxmox/seed.c \
	broker/hypervisor/proxmox/settings.c \
	broker/hypervisor/proxmox/snapshot.c \
	broker/hypervisor/proxmox/vm.c broker/hypervisor/proxmox/vm.h \
	broker/hypervisor/proxmox/vmconfig.c broker/hypervisor/proxmox/vmconfig.h
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/kubevirt/found.c \
	broker/hypervisor/kubevirt/k8s.c broker/hypervisor/kubevirt/k8s.h \
	broker/hypervisor/kubevirt/kubevirt.c broker/hypervisor/kubevirt/kubevirt_priv.h \
	broker/hypervisor/kubevirt/life.c \
	broker/hypervisor/kubevirt/list.c \
	broker/hypervisor/kubevirt/migrate.c \
	broker/hypervisor/kubevirt/await.c \
	broker/hypervisor/kubevirt/objects.c broker/hypervisor/kubevirt/objects.h \
	broker/hypervisor/kubevirt/pods.c broker/hypervisor/kubevirt/pods.h \
	broker/hypervisor/kubevirt/power.c \
	broker/hypervisor/kubevirt/screen.c \
	broker/hypervisor/kubevirt/quantity.c broker/hypervisor/kubevirt/quantity.h \
	broker/hypervisor/kubevirt/resize.c \
	broker/hypervisor/kubevirt/settings.c \
	broker/hypervisor/kubevirt/side.c \
	broker/hypervisor/kubevirt/snapshot.c \
	broker/hypervisor/kubevirt/watch.c
