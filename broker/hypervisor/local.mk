# broker/hypervisor: the provisioner, its drivers, and the init of local desktops.
noinst_LIBRARIES += broker/hypervisor/libhypervisor.a

broker_hypervisor_libhypervisor_a_SOURCES = \
	broker/hypervisor/calls.c broker/hypervisor/calls.h \
	broker/hypervisor/console.c broker/hypervisor/console.h \
	broker/hypervisor/driver.c broker/hypervisor/driver.h broker/hypervisor/driver_report.h \
	broker/hypervisor/fake.c broker/hypervisor/fake.h \
	broker/hypervisor/fake_personal.c broker/hypervisor/fake_priv.h \
	broker/hypervisor/bridge.c broker/hypervisor/bridge.h \
	broker/hypervisor/http.c broker/hypervisor/http.h broker/hypervisor/http_priv.h \
	broker/hypervisor/http_stream.c \
	broker/hypervisor/websocket.c broker/hypervisor/websocket.h \
	broker/hypervisor/identity.c broker/hypervisor/identity.h \
	broker/hypervisor/iso.c broker/hypervisor/iso.h \
	broker/hypervisor/job.c broker/hypervisor/job.h \
	broker/hypervisor/machine.h \
	broker/hypervisor/mapped.c broker/hypervisor/mapped.h \
	broker/hypervisor/mark.c broker/hypervisor/mark.h \
	broker/hypervisor/operation.c broker/hypervisor/operation.h \
	broker/hypervisor/path.c broker/hypervisor/path.h \
	broker/hypervisor/poller.c broker/hypervisor/poller.h \
	broker/hypervisor/port.c broker/hypervisor/port.h \
	broker/hypervisor/process.c broker/hypervisor/process.h \
	broker/hypervisor/provisioner.c broker/hypervisor/provisioner.h \
	broker/hypervisor/answering.c broker/hypervisor/answering.h \
	broker/hypervisor/rdp_site.c broker/hypervisor/rdp_site.h \
	broker/hypervisor/registry.c broker/hypervisor/registry.h \
	broker/hypervisor/request.c broker/hypervisor/request.h \
	broker/hypervisor/retry.c broker/hypervisor/retry.h \
	broker/hypervisor/seed.c broker/hypervisor/seed.h \
	broker/hypervisor/uids.c broker/hypervisor/uids.h \
	broker/hypervisor/watches.c broker/hypervisor/watches.h \
	broker/hypervisor/windows_site.c broker/hypervisor/windows_site.h \
	broker/hypervisor/container/container.c \
	broker/hypervisor/container/container_dirs.c \
	broker/hypervisor/container/container_find.c \
	broker/hypervisor/container/container_image.c \
	broker/hypervisor/container/container_make.c \
	broker/hypervisor/container/container_personal.c \
	broker/hypervisor/container/container_priv.h \
	broker/hypervisor/container/container_snapshot.c \
	broker/hypervisor/container/container_watch.c \
	broker/hypervisor/container/engine.c broker/hypervisor/container/engine.h \
	broker/hypervisor/container/spec.c broker/hypervisor/container/spec.h \
	broker/hypervisor/container/tar.c broker/hypervisor/container/tar.h \
	broker/hypervisor/local/cgroup.c broker/hypervisor/local/cgroup.h \
	broker/hypervisor/local/layers.c \
	broker/hypervisor/local/life.c \
	broker/hypervisor/local/local.c \
	broker/hypervisor/local/local_priv.h \
	broker/hypervisor/local/files.c broker/hypervisor/local/files.h \
	broker/hypervisor/local/personal.c \
	broker/hypervisor/local/record.c \
	broker/hypervisor/local/tree.c broker/hypervisor/local/tree.h \
	broker/hypervisor/local/watch.c \
	broker/hypervisor/qemu/command.c broker/hypervisor/qemu/command.h \
	broker/hypervisor/qemu/disk.c \
	broker/hypervisor/qemu/instant.c broker/hypervisor/qemu/instant.h \
	broker/hypervisor/qemu/keeper.c \
	broker/hypervisor/qemu/spawn.c broker/hypervisor/qemu/spawn.h \
	broker/hypervisor/qemu/life.c \
	broker/hypervisor/qemu/line.c broker/hypervisor/qemu/line.h \
	broker/hypervisor/qemu/list.c \
	broker/hypervisor/qemu/machine.c \
	broker/hypervisor/qemu/memory.c broker/hypervisor/qemu/memory.h \
	broker/hypervisor/qemu/net.c broker/hypervisor/qemu/net.h \
	broker/hypervisor/qemu/op.c \
	broker/hypervisor/qemu/parent.h \
	broker/hypervisor/qemu/parent_make.c \
	broker/hypervisor/qemu/parents.c \
	broker/hypervisor/qemu/personal.c \
	broker/hypervisor/qemu/plan.c \
	broker/hypervisor/qemu/power.c \
	broker/hypervisor/qemu/qemu.c broker/hypervisor/qemu/qemu_priv.h \
	broker/hypervisor/qemu/tpm.c broker/hypervisor/qemu/tpm.h \
	broker/hypervisor/qemu/qmp.c broker/hypervisor/qemu/qmp.h \
	broker/hypervisor/qemu/qmp_message.c broker/hypervisor/qemu/qmp_message.h \
	broker/hypervisor/qemu/record.c broker/hypervisor/qemu/record.h \
	broker/hypervisor/qemu/resize.c \
	broker/hypervisor/qemu/seed.c \
	broker/hypervisor/qemu/settings.c broker/hypervisor/qemu/settings.h \
	broker/hypervisor/qemu/snapshot.c \
	broker/hypervisor/qemu/tap.c broker/hypervisor/qemu/tap.h
if LXC
broker_hypervisor_libhypervisor_a_SOURCES += \
	broker/hypervisor/lxc/config.c broker/hypervisor/lxc/config.h \
	broker/hypervisor/lxc/lxc.c
pkglibexec_PROGRAMS += broker/hypervisor/lxc/puesto-lxc
endif
broker_hypervisor_lxc_puesto_lxc_SOURCES = broker/hypervisor/lxc/main.c
broker_hypervisor_lxc_puesto_lxc_CPPFLAGS = $(BASE_CPPFLAGS) $(LXC_CFLAGS)
broker_hypervisor_lxc_puesto_lxc_LDADD = $(HYPERVISOR_LIBS) $(LXC_LIBS)
broker_hypervisor_libhypervisor_a_CPPFLAGS = $(BASE_CPPFLAGS) $(CURL_CFLAGS) $(EXPAT_CFLAGS) $(LIBVIRT_CFLAGS)

include broker/hypervisor/disk/local.mk
include broker/hypervisor/oci/local.mk
include broker/hypervisor/storage/local.mk
include broker/hypervisor/backup/local.mk
include broker/hypervisor/libvirt/local.mk
include broker/hypervisor/ssh/local.mk
include broker/hypervisor/hosts/local.mk
include broker/hypervisor/hyperv/local.mk
include broker/hypervisor/vsphere/local.mk
include broker/hypervisor/rest/local.mk

HYPERVISOR_LIBS = broker/hypervisor/libhypervisor.a $(BASE_LIBS) $(CURL_LIBS) $(EXPAT_LIBS) $(LIBVIRT_LIBS) $(NETTLE_LIBS)

sbin_PROGRAMS += broker/hypervisor/puesto-provisioner
broker_hypervisor_puesto_provisioner_SOURCES = broker/hypervisor/provisioner_main.c
broker_hypervisor_puesto_provisioner_CPPFLAGS = $(BASE_CPPFLAGS) \
	-DPKGLIBEXECDIR='"$(pkglibexecdir)"' -DSYSCONFDIR='"$(sysconfdir)"'
broker_hypervisor_puesto_provisioner_LDADD = $(HYPERVISOR_LIBS)

pkglibexec_PROGRAMS += broker/hypervisor/desktop/puesto-desktop
broker_hypervisor_desktop_puesto_desktop_SOURCES = \
	broker/hypervisor/desktop/attach.c broker/hypervisor/desktop/attach.h \
	broker/hypervisor/desktop/card.c broker/hypervisor/desktop/card.h \
	broker/hypervisor/desktop/clock.c broker/hypervisor/desktop/clock.h \
	broker/hypervisor/desktop/confine.c broker/hypervisor/desktop/confine.h \
	broker/hypervisor/desktop/contained.c broker/hypervisor/desktop/contained.h \
	broker/hypervisor/desktop/display.c broker/hypervisor/desktop/display.h \
	broker/hypervisor/desktop/ext4.c broker/hypervisor/desktop/ext4.h \
	broker/hypervisor/desktop/grow.c broker/hypervisor/desktop/grow.h \
	broker/hypervisor/desktop/guest.c broker/hypervisor/desktop/guest.h \
	broker/hypervisor/desktop/home.c broker/hypervisor/desktop/home.h \
	broker/hypervisor/desktop/init.c broker/hypervisor/desktop/init.h \
	broker/hypervisor/desktop/keep.c broker/hypervisor/desktop/keep.h \
	broker/hypervisor/desktop/launch.c broker/hypervisor/desktop/launch.h \
	broker/hypervisor/desktop/loop.c broker/hypervisor/desktop/loop.h \
	broker/hypervisor/desktop/main.c \
	broker/hypervisor/desktop/mounts.c broker/hypervisor/desktop/mounts.h \
	broker/hypervisor/desktop/painted.c broker/hypervisor/desktop/painted.h \
	broker/hypervisor/desktop/personal.c broker/hypervisor/desktop/personal.h \
	broker/hypervisor/desktop/screen.c broker/hypervisor/desktop/screen.h \
	broker/hypervisor/desktop/session.c broker/hypervisor/desktop/session.h \
	broker/hypervisor/desktop/volume.c broker/hypervisor/desktop/volume.h
broker_hypervisor_desktop_puesto_desktop_CPPFLAGS = $(BASE_CPPFLAGS) $(SECCOMP_CFLAGS) $(X11_CFLAGS)
broker_hypervisor_desktop_puesto_desktop_LDADD = $(HYPERVISOR_LIBS) $(SECCOMP_LIBS) $(X11_LIBS)

dist_man_MANS += docs/man/puesto-provisioner.8
EXTRA_DIST += docs/images.md docs/local-provider.md
