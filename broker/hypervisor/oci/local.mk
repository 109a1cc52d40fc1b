# broker/hypervisor/oci: container images out of archives, and the program that reads them.
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/oci/capture.c broker/hypervisor/oci/capture.h \
	broker/hypervisor/oci/oci_layout.c broker/hypervisor/oci/oci_layout.h \
	broker/hypervisor/oci/oci_import.c broker/hypervisor/oci/oci_import.h \
	broker/hypervisor/oci/oci_record.c broker/hypervisor/oci/oci_record.h \
	broker/hypervisor/oci/saved.c broker/hypervisor/oci/saved.h \
	broker/hypervisor/oci/tree_write.c broker/hypervisor/oci/tree_write.h \
	broker/hypervisor/oci/unpacked.c broker/hypervisor/oci/unpacked.h
if ARCHIVE
pkglibexec_PROGRAMS += broker/hypervisor/oci/puesto-unpack
endif
broker_hypervisor_oci_puesto_unpack_SOURCES = broker/hypervisor/oci/unpack.c
broker_hypervisor_oci_puesto_unpack_CPPFLAGS = $(BASE_CPPFLAGS) $(ARCHIVE_CFLAGS)
broker_hypervisor_oci_puesto_unpack_LDADD = $(HYPERVISOR_LIBS) $(ARCHIVE_LIBS)
