# broker/hypervisor/disk: disks of virtual machines, a part of the drivers' library.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/disk/backup.c broker/hypervisor/disk/backup.h \
	broker/hypervisor/disk/child.c broker/hypervisor/disk/child.h \
	broker/hypervisor/disk/datastore.c broker/hypervisor/disk/datastore.h \
	broker/hypervisor/disk/digest.c broker/hypervisor/disk/digest.h \
	broker/hypervisor/disk/edit.c broker/hypervisor/disk/edit.h \
	broker/hypervisor/disk/firmware.c broker/hypervisor/disk/firmware.h \
	broker/hypervisor/disk/format.c broker/hypervisor/disk/format.h \
	broker/hypervisor/disk/governor.c broker/hypervisor/disk/governor.h \
	broker/hypervisor/disk/import.c broker/hypervisor/disk/import.h \
	broker/hypervisor/disk/info.c broker/hypervisor/disk/info.h \
	broker/hypervisor/disk/layout.c broker/hypervisor/disk/layout.h \
	broker/hypervisor/disk/level.c broker/hypervisor/disk/level.h \
	broker/hypervisor/disk/manifest.c broker/hypervisor/disk/manifest.h \
	broker/hypervisor/disk/name.c broker/hypervisor/disk/name.h \
	broker/hypervisor/disk/overlay.c \
	broker/hypervisor/disk/personal.c broker/hypervisor/disk/personal.h \
	broker/hypervisor/disk/personal_file.c \
	broker/hypervisor/disk/place.c broker/hypervisor/disk/place.h \
	broker/hypervisor/disk/place_io.c broker/hypervisor/disk/place_io.h \
	broker/hypervisor/disk/placement.c broker/hypervisor/disk/placement.h \
	broker/hypervisor/disk/probe.c broker/hypervisor/disk/probe.h \
	broker/hypervisor/disk/progress.c broker/hypervisor/disk/progress.h \
	broker/hypervisor/disk/qcow2.c broker/hypervisor/disk/qcow2.h \
	broker/hypervisor/disk/recycle.c broker/hypervisor/disk/recycle.h \
	broker/hypervisor/disk/references.c broker/hypervisor/disk/references.h \
	broker/hypervisor/disk/sandbox.c broker/hypervisor/disk/sandbox.h \
	broker/hypervisor/disk/seal.c broker/hypervisor/disk/seal.h \
	broker/hypervisor/disk/sync.c broker/hypervisor/disk/sync.h \
	broker/hypervisor/disk/temp.c broker/hypervisor/disk/temp.h \
	broker/hypervisor/disk/version.c broker/hypervisor/disk/version.h \
	broker/hypervisor/disk/version_list.c broker/hypervisor/disk/version_oci.c broker/hypervisor/disk/version_priv.h \
	broker/hypervisor/disk/volume.c broker/hypervisor/disk/volume.h \
	broker/hypervisor/disk/walk.c broker/hypervisor/disk/walk.h
