# tests/integration: what this directory adds to the build (lists are declared in the top Makefile.am).

# The local provider with real desktops; skips itself without root.
LOCAL_TESTS = tests/integration/test_local.py tests/integration/test_kills.py tests/integration/test_rollout.py
EXTRA_DIST += $(LOCAL_TESTS)
TESTS += $(LOCAL_TESTS)
# Desktops in containers of an engine of its own; skips itself without root or the engine.
CONTAINER_TESTS = tests/integration/test_containers.py tests/integration/test_docker.py \
	tests/integration/test_container_capture.py tests/integration/test_container_kills.py tests/integration/test_lxc.py tests/integration/test_oci_pool.py tests/integration/test_personal.py
TESTS += $(CONTAINER_TESTS)
EXTRA_DIST += $(CONTAINER_TESTS) tests/integration/engine_harness.py tests/integration/pool_harness.py tests/integration/root_tree.py
# The harness starts the gateway that was just built; see its docstring.
GATE_TESTS = \
	tests/integration/test_console.py \
	tests/integration/test_gate_display.py \
	tests/integration/test_gate_http.py \
	tests/integration/test_gateway.py \
	tests/integration/test_gateway_attacks.py \
	tests/integration/test_lobby.py \
	tests/integration/test_pressure.py \
	tests/integration/test_wild_desktop.py \
	tests/integration/test_worker.py
TESTS += $(GATE_TESTS)
EXTRA_DIST += $(GATE_TESTS) tests/integration/gate_harness.py tests/integration/ports.py tests/integration/link_desk.py tests/integration/fake_worker.py tests/integration/rfb_client.py tests/integration/rdp_double.py
include tests/integration/agent/local.mk

# A real broker between a fake gate, a fake provisioner and agents.
BROKER_TESTS = \
	tests/integration/test_api_attacks.py \
	tests/integration/test_broker_api.py \
	tests/integration/test_broker_console.py \
	tests/integration/test_broker_display.py \
	tests/integration/test_suspended.py \
	tests/integration/test_puestoctl.py \
	tests/integration/test_remote_desktop.py \
	tests/integration/test_storage.py
TESTS += $(BROKER_TESTS)
EXTRA_DIST += $(BROKER_TESTS) tests/integration/broker_harness.py

# The agent for Windows under Wine (tier 2), and what goes into its images.
WINDOWS_TESTS = tests/integration/test_windows_agent.py tests/integration/test_windows_images.py
TESTS += $(WINDOWS_TESTS)
EXTRA_DIST += $(WINDOWS_TESTS)

# The RDP front with the real xfreerdp3; skips itself without Xvfb or the client.
check_PROGRAMS += tests/integration/front_host
tests_integration_front_host_SOURCES = tests/integration/front_host.c protocol/front/front.c protocol/front_registry_rdp.c
tests_integration_front_host_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
tests_integration_front_host_LDADD = $(FRONT_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)
check_PROGRAMS += tests/integration/rdp_client
tests_integration_rdp_client_SOURCES = tests/integration/rdp_client.c
tests_integration_rdp_client_CPPFLAGS = $(AM_CPPFLAGS) $(RDP_CFLAGS)
tests_integration_rdp_client_LDADD = $(RDP_LIBS)
TESTS += tests/integration/test_rdp.py
EXTRA_DIST += tests/integration/test_rdp.py tests/integration/rdp_harness.py

# Disks of virtual machines beside QEMU's own tools.
check_PROGRAMS += tests/integration/disk_tool
tests_integration_disk_tool_SOURCES = tests/integration/disk_tool.c
tests_integration_disk_tool_CPPFLAGS = $(BASE_CPPFLAGS)
tests_integration_disk_tool_LDADD = $(HYPERVISOR_LIBS)
TESTS += tests/integration/test_disk.py tests/integration/test_oci.py
EXTRA_DIST += tests/integration/test_disk.py tests/integration/test_oci.py tests/integration/oci_archive.py
# Desktops that are machines, under QEMU; see "tier" in docs/testing.md.
GUEST_TESTS = tests/integration/test_guest.py tests/integration/test_image_builder.py tests/integration/test_instant_clone.py \
	tests/integration/test_qemu_personal.py tests/integration/test_qemu_pool.py tests/integration/test_suspended_guest.py
check_PROGRAMS += tests/integration/instant_clone
tests_integration_instant_clone_SOURCES = tests/integration/instant_clone.c
tests_integration_instant_clone_CPPFLAGS = $(BASE_CPPFLAGS)
tests_integration_instant_clone_LDADD = $(HYPERVISOR_LIBS)
TESTS += $(GUEST_TESTS)
EXTRA_DIST += $(GUEST_TESTS) tests/integration/guest_harness.py

# The provider "libvirt" with real QEMU machines; skips itself without root or libvirtd.
check_PROGRAMS += tests/integration/driver_tool
tests_integration_driver_tool_SOURCES = tests/integration/driver_tool.c
tests_integration_driver_tool_CPPFLAGS = $(BASE_CPPFLAGS)
tests_integration_driver_tool_LDADD = $(HYPERVISOR_LIBS)
LIBVIRT_TESTS = tests/integration/test_libvirt.py tests/integration/test_libvirt_console.py tests/integration/test_libvirt_personal.py \
	tests/integration/test_libvirt_instant.py tests/integration/test_libvirt_pool.py \
	tests/integration/test_maintenance.py tests/integration/test_networks.py \
	tests/integration/test_storage_pool.py tests/integration/test_volumes.py tests/integration/test_san.py tests/integration/test_rbd.py
TESTS += $(LIBVIRT_TESTS)
# The provider "vsphere" with VMware's own simulator; skips itself without golang-go or govmomi.
TESTS += tests/integration/test_vsphere.py
EXTRA_DIST += tests/integration/test_vsphere.py tests/integration/vsphere_host.py tests/integration/vsphere/simulator.go
EXTRA_DIST += $(LIBVIRT_TESTS) tests/integration/san_host.py tests/integration/ceph_host.py tests/integration/laid.py tests/integration/libvirt_host.py tests/integration/driver_harness.py tests/integration/uefi_disk.py \
	tests/integration/tpm_state.py
# A Linux that uses a TPM, in machines of both; tier 2.
TESTS += tests/integration/test_tpm_guest.py
EXTRA_DIST += tests/integration/test_tpm_guest.py

# The RFB source before real servers; each test skips itself without its server.
check_PROGRAMS += tests/integration/rfb_look
tests_integration_rfb_look_SOURCES = tests/integration/rfb_look.c
tests_integration_rfb_look_CPPFLAGS = $(AM_CPPFLAGS) -DLOOK_SOURCE='"rfb"' $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
tests_integration_rfb_look_LDADD = $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)
TESTS += tests/integration/test_rfb_source.py
EXTRA_DIST += tests/integration/test_rfb_source.py
# QEMU's D-Bus display as a source, before a real QEMU.
check_PROGRAMS += tests/integration/dbus_look
tests_integration_dbus_look_SOURCES = tests/integration/rfb_look.c
tests_integration_dbus_look_CPPFLAGS = $(AM_CPPFLAGS) -DLOOK_SOURCE='"dbus"' $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
tests_integration_dbus_look_LDADD = $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)
TESTS += tests/integration/test_dbus_source.py
EXTRA_DIST += tests/integration/test_dbus_source.py
# The RDP source before real servers; each test skips itself without its server.
check_PROGRAMS += tests/integration/rdp_look
tests_integration_rdp_look_SOURCES = tests/integration/rfb_look.c
tests_integration_rdp_look_CPPFLAGS = $(AM_CPPFLAGS) -DLOOK_SOURCE='"rdp"' $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
tests_integration_rdp_look_LDADD = $(SOURCE_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)
TESTS += tests/integration/test_rdp_source.py
EXTRA_DIST += tests/integration/test_rdp_source.py
# A machine that speaks RDP, through the gateway.
TESTS += tests/integration/test_rdp_seat.py
EXTRA_DIST += tests/integration/test_rdp_seat.py
# …and as a desktop, with xrdp, FreeRDP's shadow server and real viewers; tier 2.
TESTS += tests/integration/test_rdp_pool.py
EXTRA_DIST += tests/integration/test_rdp_pool.py
# …and as a virtual machine, with xrdp in it; tier 2.
TESTS += tests/integration/test_rdp_guest.py
EXTRA_DIST += tests/integration/test_rdp_guest.py tests/integration/rdp_guest.py
# The providers "ssh" and "hosts" with an sshd of their own; they skip themselves without root or openssh-server.
FOREIGN_TESTS = tests/integration/test_ssh.py tests/integration/test_hosts.py tests/integration/test_foreign_pool.py
TESTS += $(FOREIGN_TESTS)
EXTRA_DIST += $(FOREIGN_TESTS) tests/integration/ssh_host.py tests/integration/seat_server.py
# The provider "qemu"; skips itself without QEMU.
QEMU_TESTS = tests/integration/test_qemu.py tests/integration/test_backup_api.py tests/integration/test_backup_qemu.py tests/integration/test_backup_libvirt.py
TESTS += $(QEMU_TESTS)
EXTRA_DIST += $(QEMU_TESTS) tests/integration/backup_harness.py
# Drivers over HTTP against doubles of their hypervisors.
REST_TESTS = tests/integration/test_kubevirt.py tests/integration/test_proxmox.py
TESTS += $(REST_TESTS)
EXTRA_DIST += $(REST_TESTS) tests/integration/rest_double.py tests/integration/rest_harness.py \
	tests/integration/kubevirt_double.py tests/integration/kubevirt_schema.json \
	tests/integration/proxmox_double.py tests/integration/proxmox_schema.json
# The provider "hyperv" with a double of a host.
TESTS += tests/integration/test_hyperv.py
EXTRA_DIST += tests/integration/test_hyperv.py tests/integration/hyperv_host.py
# Machines with a kernel of their own, tier 3.
NESTED_TESTS = tests/integration/test_nested.py tests/integration/test_nested_kvm.py tests/integration/test_nested_xen.py tests/integration/test_nested_storage.py tests/integration/test_nested_zfs.py
TESTS += $(NESTED_TESTS)
EXTRA_DIST += $(NESTED_TESTS) tests/integration/nested.py tests/integration/zfs_host.py
