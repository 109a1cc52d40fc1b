# broker/hypervisor/storage: the machine's datastores, for drivers and for the broker.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/storage/bin_job.c broker/hypervisor/storage/bin_job.h \
	broker/hypervisor/storage/bins.c broker/hypervisor/storage/bins.h \
	broker/hypervisor/storage/found_disk.c broker/hypervisor/storage/found_disk.h \
	broker/hypervisor/storage/image_job.c broker/hypervisor/storage/image_job.h \
	broker/hypervisor/storage/image_work.c broker/hypervisor/storage/image_work.h \
	broker/hypervisor/storage/order.c broker/hypervisor/storage/order.h \
	broker/hypervisor/storage/placed.c broker/hypervisor/storage/placed.h \
	broker/hypervisor/storage/storage.c broker/hypervisor/storage/storage.h \
	broker/hypervisor/storage/store.c broker/hypervisor/storage/store.h \
	broker/hypervisor/storage/store_directory.c \
	broker/hypervisor/storage/store_type.h broker/hypervisor/storage/store_types.c \
	broker/hypervisor/storage/stores.c broker/hypervisor/storage/stores.h \
	broker/hypervisor/storage/stores_place.c \
	broker/hypervisor/storage/stores_priv.h \
	broker/hypervisor/storage/stores_watch.c \
	broker/hypervisor/storage/volume_record.c broker/hypervisor/storage/volume_record.h
