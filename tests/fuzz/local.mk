# tests/fuzz: fuzz targets. With --enable-fuzzers (CC=clang) each is a libFuzzer program; without,
# each replays the files it is given, and `make check` feeds it tests/fuzz/corpus/NAME/.
#
# A new target NAME is a file tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput, a folder
# tests/fuzz/corpus/NAME/ with a few real inputs, and these two lines:
#
#	FUZZ_TARGETS += tests/fuzz/fuzz_NAME
#	tests_fuzz_fuzz_NAME_LDADD = $(FUZZ_MAIN) your/lib.a $(BASE_LIBS)

if FUZZERS
FUZZ_MAIN = $(FUZZ_ENGINE)
else
FUZZ_MAIN = tests/fuzz/libreplay.a
endif
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c

FUZZ_TARGETS =
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/replay.sh

FUZZ_TARGETS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_LDADD = $(FUZZ_MAIN) $(BASE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_ctl_frame
tests_fuzz_fuzz_ctl_frame_LDADD = $(FUZZ_MAIN) $(BASE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_LDADD = $(FUZZ_MAIN) $(BASE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_LDADD = $(FUZZ_MAIN) $(BASE_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_rdp_gfx
tests_fuzz_fuzz_rdp_gfx_LDADD = $(FUZZ_MAIN) $(FRONT_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_rdp_channel
tests_fuzz_fuzz_rdp_channel_LDADD = $(FUZZ_MAIN) $(FRONT_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)

# The broker, a seed's disk and Remote Desktop, as the agent for Windows reads them.
FUZZ_TARGETS += tests/fuzz/fuzz_windows
tests_fuzz_fuzz_windows_LDADD = $(FUZZ_MAIN) agent/windows/libwindows.a agent/libagent.a $(BASE_LIBS)

# Text of administrators and users, and keys of clients, on a page.
FUZZ_TARGETS += tests/fuzz/fuzz_lobby
tests_fuzz_fuzz_lobby_LDADD = $(FUZZ_MAIN) $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)

# Consoles behind WebSockets.
FUZZ_TARGETS += tests/fuzz/fuzz_websocket
tests_fuzz_fuzz_websocket_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)

# What a hypervisor's console, or any VNC server, sends.
FUZZ_TARGETS += tests/fuzz/fuzz_rfb_client
tests_fuzz_fuzz_rfb_client_LDADD = $(FUZZ_MAIN) $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)

# …and what QEMU's D-Bus display says of its screen.
FUZZ_TARGETS += tests/fuzz/fuzz_dbus_picture
tests_fuzz_fuzz_dbus_picture_LDADD = $(FUZZ_MAIN) $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_rfb_message
tests_fuzz_fuzz_rfb_message_LDADD = $(FUZZ_MAIN) $(FRONT_RFB_LIBS) $(BASE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_ws_message
tests_fuzz_fuzz_ws_message_LDADD = $(FUZZ_MAIN) $(FRONT_WS_LIBS) $(BASE_LIBS)

# The first bytes that the gate reads.
FUZZ_TARGETS += tests/fuzz/fuzz_http_head tests/fuzz/fuzz_ws_frame tests/fuzz/fuzz_x224 tests/fuzz/fuzz_rfb_hello
tests_fuzz_fuzz_http_head_LDADD = $(FUZZ_MAIN) $(GATE_LIBS)
tests_fuzz_fuzz_ws_frame_LDADD = $(FUZZ_MAIN) $(GATE_LIBS)
tests_fuzz_fuzz_x224_LDADD = $(FUZZ_MAIN) $(GATE_LIBS)
tests_fuzz_fuzz_rfb_hello_LDADD = $(FUZZ_MAIN) $(GATE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_link
tests_fuzz_fuzz_link_LDADD = $(FUZZ_MAIN) protocol/link/liblink.a $(BASE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_xwd
tests_fuzz_fuzz_xwd_LDADD = $(FUZZ_MAIN) agent/libagent.a $(BASE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_grant
tests_fuzz_fuzz_grant_LDADD = $(FUZZ_MAIN) agent/libagent.a $(BASE_LIBS)

# Headers of disks.
FUZZ_TARGETS += tests/fuzz/fuzz_qcow2
tests_fuzz_fuzz_qcow2_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_seed
tests_fuzz_fuzz_seed_LDADD = $(FUZZ_MAIN) $(SEED_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_seed_iso
tests_fuzz_fuzz_seed_iso_LDADD = $(FUZZ_MAIN) $(SEED_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_seed_kvp
tests_fuzz_fuzz_seed_kvp_LDADD = $(FUZZ_MAIN) $(SEED_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_seed_smbios
tests_fuzz_fuzz_seed_smbios_LDADD = $(FUZZ_MAIN) $(SEED_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_disk_info
tests_fuzz_fuzz_disk_info_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_manifest
tests_fuzz_fuzz_manifest_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)
# What a container engine gives.
FUZZ_TARGETS += tests/fuzz/fuzz_tar
tests_fuzz_fuzz_tar_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)

# QEMU's monitor: a machine may have its QEMU in hand.
FUZZ_TARGETS += tests/fuzz/fuzz_answer
tests_fuzz_fuzz_answer_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_cim
tests_fuzz_fuzz_cim_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_greeting
tests_fuzz_fuzz_greeting_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_qmp
tests_fuzz_fuzz_qmp_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)

# Answers of a vSphere server.
FUZZ_TARGETS += tests/fuzz/fuzz_soap
tests_fuzz_fuzz_soap_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)

# libvirt's documents: a domain may be of anybody.
FUZZ_TARGETS += tests/fuzz/fuzz_libvirt
tests_fuzz_fuzz_libvirt_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)

# What stands beside machines of hypervisors over HTTP.
FUZZ_TARGETS += tests/fuzz/fuzz_claim
tests_fuzz_fuzz_claim_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)

# Indexes of container images, and the words of the program that unpacks them.
FUZZ_TARGETS += tests/fuzz/fuzz_oci
tests_fuzz_fuzz_oci_LDADD = $(FUZZ_MAIN) $(HYPERVISOR_LIBS)
