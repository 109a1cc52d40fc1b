/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forms of domains. */
#include "broker/hypervisor/libvirt/form.h"

#include "base/mem.h"

#include <string.h>

/* Of translated code, in the second row: QEMU's own choice is a gigabyte for each guest. */
#define TCG_CACHE_MIB "128"

#define ENDS "<clock offset='utc'/><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>"

#define QEMU_CMDLINE "root=/dev/vda rw quiet console=ttyS0 net.ifnames=0"
#define QEMU_DEVICES                                                                          \
	"<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>" \
	"<input type='tablet' bus='virtio'/><input type='keyboard' bus='virtio'/>"             \
	"<serial type='pty'/>"                                                                 \
	"<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"             \
	"<memballoon model='none'/>"
/* Written through to the host's cache: whole again after its crash, because the guest's flushes are kept. */
#define QEMU_DISK " cache='writeback' discard='unmap'"

static const struct lv_form forms[] = {
	{
		.virt = "kvm", .disk = "vda", .bus = "virtio", .disk_more = QEMU_DISK,
		.seed_file = "seed.json", .seed_disk = "", .cmdline = QEMU_CMDLINE,
		.platform = "<features><acpi/><apic/></features><cpu mode='host-model'/>" ENDS, .devices = QEMU_DEVICES,
		.names_layers = true, .is_virtio = true, .is_guarded = true,
	},
	{
		.virt = "qemu", .disk = "vda", .bus = "virtio", .disk_more = QEMU_DISK,
		.seed_file = "seed.json", .seed_disk = "", .cmdline = QEMU_CMDLINE,
		.platform = "<features><acpi/><apic/><tcg><tb-cache unit='MiB'>" TCG_CACHE_MIB "</tb-cache></tcg></features>"
			    "<cpu mode='maximum'/>" ENDS, .devices = QEMU_DEVICES,
		.names_layers = true, .is_virtio = true, .is_guarded = true,
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
