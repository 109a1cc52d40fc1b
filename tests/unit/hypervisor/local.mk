# tests/unit/hypervisor: the drivers' contract, requests, processes and trees.
if CRITERION
check_PROGRAMS += tests/unit/hypervisor/unit-hypervisor
TESTS += tests/unit/hypervisor/unit-hypervisor
endif

tests_unit_hypervisor_unit_hypervisor_SOURCES = \
	tests/unit/fine.h \
	tests/unit/hypervisor/contract.c tests/unit/hypervisor/contract.h \
	tests/unit/hypervisor/contract_faults.c \
	tests/unit/hypervisor/http_peer.c tests/unit/hypervisor/http_peer.h \
	tests/unit/hypervisor/rest_double.c tests/unit/hypervisor/rest_double.h \
	tests/unit/hypervisor/test_address.c \
	tests/unit/hypervisor/test_answer.c \
	tests/unit/hypervisor/test_answering.c \
	tests/unit/hypervisor/test_calls.c \
	tests/unit/hypervisor/test_capture.c \
	tests/unit/hypervisor/test_cim.c \
	tests/unit/hypervisor/test_console.c \
	tests/unit/hypervisor/test_claim.c \
	tests/unit/hypervisor/test_clone_xml.c \
	tests/unit/hypervisor/test_domain.c \
	tests/unit/hypervisor/test_driver.c \
	tests/unit/hypervisor/test_engine.c \
	tests/unit/hypervisor/test_fault.c \
	tests/unit/hypervisor/test_greeting.c \
	tests/unit/hypervisor/test_home_volume.c broker/hypervisor/desktop/ext4.c broker/hypervisor/desktop/home.c broker/hypervisor/desktop/volume.c \
	tests/unit/hypervisor/test_hosts.c \
	tests/unit/hypervisor/test_http.c \
	tests/unit/hypervisor/test_hyperv.c \
	tests/unit/hypervisor/test_identity.c \
	tests/unit/hypervisor/test_init.c broker/hypervisor/desktop/init.c \
	tests/unit/hypervisor/test_job.c \
	tests/unit/hypervisor/test_keep.c broker/hypervisor/desktop/clock.c broker/hypervisor/desktop/grow.c \
	tests/unit/hypervisor/test_lease.c \
	tests/unit/hypervisor/test_mark.c \
	tests/unit/hypervisor/test_iso.c \
	tests/unit/hypervisor/test_lookout.c \
	tests/unit/hypervisor/test_metadata.c \
	tests/unit/hypervisor/test_net.c \
	tests/unit/hypervisor/test_nets.c \
	tests/unit/hypervisor/test_kubevirt.c \
	tests/unit/hypervisor/test_objects.c \
	tests/unit/hypervisor/test_operation.c \
	tests/unit/hypervisor/test_poller.c \
	tests/unit/hypervisor/test_port.c \
	tests/unit/hypervisor/test_pods.c \
	tests/unit/hypervisor/test_process.c \
	tests/unit/hypervisor/test_rdp_site.c \
	tests/unit/hypervisor/test_provisioner.c \
	tests/unit/hypervisor/test_pump.c \
	tests/unit/hypervisor/test_proxmox.c \
	tests/unit/hypervisor/test_qmp.c \
	tests/unit/hypervisor/test_quantity.c \
	tests/unit/hypervisor/test_oci_record.c \
	tests/unit/hypervisor/test_request.c \
	tests/unit/hypervisor/test_rest.c \
	tests/unit/hypervisor/test_retry.c \
	tests/unit/hypervisor/test_saved_domain.c \
	tests/unit/hypervisor/test_script.c \
	tests/unit/hypervisor/test_seat_probe.c \
	tests/unit/hypervisor/test_seats.c \
	tests/unit/hypervisor/test_seed.c \
	tests/unit/hypervisor/test_soap.c \
	tests/unit/hypervisor/test_spec.c \
	tests/unit/hypervisor/test_ssh.c \
	tests/unit/hypervisor/test_ssh_record.c \
	tests/unit/hypervisor/test_tar.c \
	tests/unit/hypervisor/test_template.c \
	tests/unit/hypervisor/test_tree.c \
	tests/unit/hypervisor/test_uids.c \
	tests/unit/hypervisor/test_vim.c \
	tests/unit/hypervisor/test_vsphere.c \
	tests/unit/hypervisor/test_vsphere_spec.c \
	tests/unit/hypervisor/test_wake.c \
	tests/unit/hypervisor/test_vmconfig.c \
	tests/unit/hypervisor/test_watches.c \
	tests/unit/hypervisor/test_windows_site.c \
	tests/unit/hypervisor/test_websocket.c \
	tests/unit/hypervisor/test_xml.c
if LIBVIRT
tests_unit_hypervisor_unit_hypervisor_SOURCES += tests/unit/hypervisor/test_libvirt.c
endif
if LXC
tests_unit_hypervisor_unit_hypervisor_SOURCES += tests/unit/hypervisor/test_config.c
endif
tests_unit_hypervisor_unit_hypervisor_CPPFLAGS = $(BASE_CPPFLAGS) $(LIBVIRT_CFLAGS)
tests_unit_hypervisor_unit_hypervisor_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_hypervisor_unit_hypervisor_LDADD = $(HYPERVISOR_LIBS) $(CRITERION_LIBS)

include tests/unit/hypervisor/disk.mk
include tests/unit/hypervisor/qemu.mk
