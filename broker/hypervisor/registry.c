/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every driver is named here and nowhere else. */
#include "broker/hypervisor/registry.h"

#include "base/mem.h"

#include <string.h>

extern const struct driver_type driver_container;
extern const struct driver_type driver_fake;
extern const struct driver_type driver_kubevirt;
extern const struct driver_type driver_hyperv;
#ifdef HAVE_LIBVIRT
extern const struct driver_type driver_libvirt;
#define LIBVIRT_KIND "libvirt, "
#else
#define LIBVIRT_KIND ""
#endif
extern const struct driver_type driver_local;
#ifdef HAVE_LXC
extern const struct driver_type driver_lxc;
#define LXC_KIND ", lxc"
#else
#define LXC_KIND ""
#endif
extern const struct driver_type driver_vsphere;

extern const struct driver_type driver_seats;
extern const struct driver_type driver_ssh;
extern const struct driver_type driver_proxmox;
extern const struct driver_type driver_qemu;

static const struct driver_type *const drivers[] = {
	&driver_container,
	&driver_fake,
	&driver_seats,
	&driver_kubevirt,
	&driver_hyperv,
#ifdef HAVE_LIBVIRT
	&driver_libvirt,
#endif
	&driver_local,
#ifdef HAVE_LXC
	&driver_lxc,
#endif
	&driver_ssh,
	&driver_vsphere,
	&driver_proxmox,
	&driver_qemu,
};

const struct driver_type *registry_find(const char *kind)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(drivers); i++) {
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	}
	return NULL;
}

const char *registry_kinds(void)
{
	return "container, fake, hosts, hyperv, kubevirt, " LIBVIRT_KIND "local" LXC_KIND ", proxmox, qemu, ssh, vsphere";
}
