# broker/hypervisor/libvirt: machines of libvirt, a part of the drivers' library; --without-libvirt leaves it out.
LIBVIRT_SOURCES = \
	broker/hypervisor/libvirt/backup.c broker/hypervisor/libvirt/backup.h \
	broker/hypervisor/libvirt/base.c broker/hypervisor/libvirt/base.h \
	broker/hypervisor/libvirt/call.c broker/hypervisor/libvirt/call.h \
	broker/hypervisor/libvirt/channel.c broker/hypervisor/libvirt/channel.h \
	broker/hypervisor/libvirt/clone.c \
	broker/hypervisor/libvirt/connection.c \
	broker/hypervisor/libvirt/disk.c \
	broker/hypervisor/libvirt/error.c \
	broker/hypervisor/libvirt/events.c broker/hypervisor/libvirt/events.h \
	broker/hypervisor/libvirt/found.c broker/hypervisor/libvirt/found.h \
	broker/hypervisor/libvirt/hosts.c \
	broker/hypervisor/libvirt/inventory.c \
	broker/hypervisor/libvirt/known.c broker/hypervisor/libvirt/known.h \
	broker/hypervisor/libvirt/libvirt.c broker/hypervisor/libvirt/libvirt_priv.h \
	broker/hypervisor/libvirt/life.c \
	broker/hypervisor/libvirt/migrate.c \
	broker/hypervisor/libvirt/screen.c \
	broker/hypervisor/libvirt/nature.c \
	broker/hypervisor/libvirt/network.c broker/hypervisor/libvirt/network.h \
	broker/hypervisor/libvirt/opening.c \
	broker/hypervisor/libvirt/parent_make.c broker/hypervisor/libvirt/parent.h \
	broker/hypervisor/libvirt/parents.c \
	broker/hypervisor/libvirt/personal.c broker/hypervisor/libvirt/personal.h \
	broker/hypervisor/libvirt/plan.c \
	broker/hypervisor/libvirt/pool.c broker/hypervisor/libvirt/pool.h \
	broker/hypervisor/libvirt/pool_copy.c \
	broker/hypervisor/libvirt/pool_grow.c \
	broker/hypervisor/libvirt/pool_lun.c \
	broker/hypervisor/libvirt/pool_zfs.c \
	broker/hypervisor/libvirt/power.c \
	broker/hypervisor/libvirt/resize.c \
	broker/hypervisor/libvirt/seed.c \
	broker/hypervisor/libvirt/settings.c \
	broker/hypervisor/libvirt/snapshot.c \
	broker/hypervisor/libvirt/store.c broker/hypervisor/libvirt/store.h \
	broker/hypervisor/libvirt/tpm.c broker/hypervisor/libvirt/tpm.h \
	broker/hypervisor/libvirt/volume_disk.c \
	broker/hypervisor/libvirt/volume_version.c \
	broker/hypervisor/libvirt/volumes.c broker/hypervisor/libvirt/volumes.h \
	broker/hypervisor/libvirt/watch.c
# Documents and records know nothing of the library.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/libvirt/address.c broker/hypervisor/libvirt/address.h \
	broker/hypervisor/libvirt/clone_xml.c broker/hypervisor/libvirt/clone_xml.h \
	broker/hypervisor/libvirt/domain.c broker/hypervisor/libvirt/domain.h \
	broker/hypervisor/libvirt/form.c broker/hypervisor/libvirt/form.h \
	broker/hypervisor/libvirt/mac.c broker/hypervisor/libvirt/mac.h \
	broker/hypervisor/libvirt/net.c broker/hypervisor/libvirt/net.h \
	broker/hypervisor/libvirt/pool_kind.c broker/hypervisor/libvirt/pool_kind.h \
	broker/hypervisor/libvirt/pump.c broker/hypervisor/libvirt/pump.h \
	broker/hypervisor/libvirt/record.c broker/hypervisor/libvirt/record.h \
	broker/hypervisor/libvirt/saved_domain.c broker/hypervisor/libvirt/saved_domain.h \
	broker/hypervisor/libvirt/xml.c broker/hypervisor/libvirt/xml.h
if LIBVIRT
broker_hypervisor_libhypervisor_a_SOURCES += $(LIBVIRT_SOURCES)
endif
