# broker/hypervisor/backup: back-ups of desktops' disks, for every driver whose disks are QEMU's.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/backup/backups.c broker/hypervisor/backup/backups.h \
	broker/hypervisor/backup/blank.c broker/hypervisor/backup/blank.h \
	broker/hypervisor/backup/blocks.c broker/hypervisor/backup/blocks.h \
	broker/hypervisor/backup/daemon.c broker/hypervisor/backup/daemon.h \
	broker/hypervisor/backup/forget.c broker/hypervisor/backup/forget.h \
	broker/hypervisor/backup/make.c \
	broker/hypervisor/backup/note.c broker/hypervisor/backup/note.h \
	broker/hypervisor/backup/restore.c \
	broker/hypervisor/backup/target.c broker/hypervisor/backup/target.h \
	broker/hypervisor/backup/task.c broker/hypervisor/backup/task.h \
	broker/hypervisor/backup/work.c broker/hypervisor/backup/work.h
