# tests/unit/hypervisor: disks of virtual machines.
if CRITERION
check_PROGRAMS += tests/unit/hypervisor/unit-disk
TESTS += tests/unit/hypervisor/unit-disk
endif

tests_unit_hypervisor_unit_disk_SOURCES = \
	tests/unit/fine.h \
	tests/unit/hypervisor/disk_folder.c tests/unit/hypervisor/disk_folder.h \
	tests/unit/hypervisor/disk_stack.c tests/unit/hypervisor/disk_stack.h \
	tests/unit/hypervisor/stores_folder.c tests/unit/hypervisor/stores_folder.h \
	tests/unit/hypervisor/test_backup.c \
	tests/unit/hypervisor/test_blocks.c \
	tests/unit/hypervisor/test_bin_job.c \
	tests/unit/hypervisor/test_bins.c \
	tests/unit/hypervisor/test_child.c \
	tests/unit/hypervisor/test_datastore.c \
	tests/unit/hypervisor/test_digest.c \
	tests/unit/hypervisor/test_edit.c \
	tests/unit/hypervisor/test_firmware.c \
	tests/unit/hypervisor/test_format.c \
	tests/unit/hypervisor/test_governor.c \
	tests/unit/hypervisor/test_image_job.c \
	tests/unit/hypervisor/test_import.c \
	tests/unit/hypervisor/test_info.c \
	tests/unit/hypervisor/test_layout.c \
	tests/unit/hypervisor/test_level.c \
	tests/unit/hypervisor/test_manifest.c \
	tests/unit/hypervisor/test_name.c \
	tests/unit/hypervisor/test_note.c \
	tests/unit/hypervisor/test_order.c \
	tests/unit/hypervisor/test_overlay.c \
	tests/unit/hypervisor/test_personal.c \
	tests/unit/hypervisor/test_place.c \
	tests/unit/hypervisor/test_placed.c \
	tests/unit/hypervisor/test_placement.c \
	tests/unit/hypervisor/test_pool_kind.c \
	tests/unit/hypervisor/test_probe.c \
	tests/unit/hypervisor/test_progress.c \
	tests/unit/hypervisor/test_qcow2.c \
	tests/unit/hypervisor/test_recycle.c \
	tests/unit/hypervisor/test_references.c \
	tests/unit/hypervisor/test_sandbox.c \
	tests/unit/hypervisor/test_seal.c \
	tests/unit/hypervisor/test_storage.c \
	tests/unit/hypervisor/test_store.c \
	tests/unit/hypervisor/test_stores.c \
	tests/unit/hypervisor/test_sync.c \
	tests/unit/hypervisor/test_target.c \
	tests/unit/hypervisor/test_temp.c \
	tests/unit/hypervisor/test_version.c \
	tests/unit/hypervisor/test_loop.c broker/hypervisor/desktop/ext4.c broker/hypervisor/desktop/home.c broker/hypervisor/desktop/loop.c \
	tests/unit/hypervisor/test_volume.c \
	tests/unit/hypervisor/test_volume_record.c \
	tests/unit/hypervisor/test_walk.c \
	tests/unit/hypervisor/test_work.c
tests_unit_hypervisor_unit_disk_CPPFLAGS = $(BASE_CPPFLAGS)
tests_unit_hypervisor_unit_disk_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_hypervisor_unit_disk_LDADD = $(HYPERVISOR_LIBS) $(CRITERION_LIBS)
