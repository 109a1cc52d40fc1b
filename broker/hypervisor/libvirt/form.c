/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forms of domains. */
#include "broker/hypervisor/libvirt/form.h"

#include "base/mem.h"

#include <string.h>

/* Of translated code, in the second row: QEMU's own choice is a gigabyte for each guest. */
#define TCG_CACHE_MIB "128"

#define TCG_FEATURES "<features><acpi/><apic/><tcg><tb-cache unit='MiB'>" TCG_CACHE_MIB "</tb-cache></tcg></features><cpu mode='maximum'/>"

#define ENDS "<clock offset='utc'/>" LIFE
#define LIFE "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>"

#define QEMU_CMDLINE "root=/dev/vda rw quiet console=ttyS0 net.ifnames=0"
#define QEMU_DEVICES                                                                          \
	"<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>" \
	"<input type='tablet' bus='virtio'/><input type='keyboard' bus='virtio'/>"             \
	"<serial type='pty'/>"                                                                 \
	"<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"             \
	"<memballoon model='none'/>"
/* Written through to the host's cache: whole again after its crash, because the guest's flushes are kept. */
#define QEMU_DISK " cache='writeback' discard='unmap'"

/*
 * Windows keeps local time in its clock, and misses ticks where it has to count them: a clock and enlightenments of Hyper-V's kind spare it
 * that under KVM (https://libvirt.org/formatdomain.html#hypervisor-features). Its screen and its input need no drivers of the image.
 */
#define WINDOWS_CLOCK "<clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/><timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/>"
#define WINDOWS_KVM                                                                                                                    \
	"<features><acpi/><apic/><hyperv mode='custom'><relaxed state='on'/><vapic state='on'/><spinlocks state='on' retries='8191'/>" \
	"<vpindex state='on'/><synic state='on'/><stimer state='on'/></hyperv></features><cpu mode='host-model'/>"                    \
	WINDOWS_CLOCK "<timer name='hypervclock' present='yes'/></clock>" LIFE
#define WINDOWS_TCG TCG_FEATURES WINDOWS_CLOCK "</clock>" LIFE
#define WINDOWS_DEVICES "<input type='tablet' bus='usb'/><serial type='pty'/><memballoon model='none'/>"
#define WINDOWS_VIRTIO .disk = "vda", .bus = "virtio", .card = "virtio"
#define WINDOWS_OWN .disk = "sda", .bus = "sata", .card = "e1000e"
#define WINDOWS(type, have)                                                                                                     \
	.virt = type, .disk_more = QEMU_DISK, .seed_file = "seed.iso", .seed_disk = "sdb", .seed_bus = "sata", .cmdline = "", .video = "vga",       \
	.platform = have, .devices = WINDOWS_DEVICES, .names_layers = true, .is_guarded = true

static const struct lv_form windows[] = {
	{ WINDOWS("kvm", WINDOWS_KVM), WINDOWS_VIRTIO },
	{ WINDOWS("kvm", WINDOWS_KVM), WINDOWS_OWN },
	{ WINDOWS("qemu", WINDOWS_TCG), WINDOWS_VIRTIO },
	{ WINDOWS("qemu", WINDOWS_TCG), WINDOWS_OWN },
};

static const struct lv_form forms[] = {
	{
		.virt = "kvm", .disk = "vda", .bus = "virtio", .personal = "vdb", .disk_more = QEMU_DISK,
		.seed_file = "seed.json", .seed_disk = "", .cmdline = QEMU_CMDLINE,
		.platform = "<features><acpi/><apic/></features><cpu mode='host-model'/>" ENDS, .devices = QEMU_DEVICES,
		.names_layers = true, .card = "virtio", .is_guarded = true,
	},
	{
		.virt = "qemu", .disk = "vda", .bus = "virtio", .personal = "vdb", .disk_more = QEMU_DISK,
		.seed_file = "seed.json", .seed_disk = "", .cmdline = QEMU_CMDLINE,
		.platform = TCG_FEATURES ENDS, .devices = QEMU_DEVICES,
		.names_layers = true, .card = "virtio", .is_guarded = true,
	},
	{
		/* Its disks are QEMU's matter, which finds what lies below by the overlay's own header. */
		.virt = "xen", .disk = "xvda", .bus = "xen", .disk_more = "",
		.seed_file = "seed.iso", .seed_disk = "xvdb", .cmdline = "root=/dev/xvda rw quiet console=hvc0 net.ifnames=0",
		.platform = ENDS, .devices = "<console type='pty'/>",
		.needs_kernel = true, .is_saved_awake = true,
	},
	{ .virt = "test", .disk = "", .bus = "", .disk_more = "", .seed_file = "", .seed_disk = "", .cmdline = "", .platform = "", .devices = "", .is_guarded = true },
};

const struct lv_form *lv_form_of(const char *virt)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(forms); i++) {
		if (strcmp(forms[i].virt, virt) == 0)
			return &forms[i];
	}
	return NULL;
}

const struct lv_form *lv_form_windows(const char *virt, bool is_emulated)
{
	for (size_t i = is_emulated; i < PST_ARRAY_LEN(windows); i += 2) {
		if (strcmp(windows[i].virt, virt) == 0)
			return &windows[i];
	}
	return NULL;
}
