/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a machine finds its seed: what the hypervisor put beside it. */
#pragma once

#include "base/err.h"

#include <stddef.h>

/*
 * The first of these under root ("" for the running system) that is there; what is there and damaged is an
 *error, and hides the others.
 *
 *	1. /sys/firmware/qemu_fw_cfg/by_name/opt/org.puesto/seed/raw    QEMU and KVM: -fw_cfg
 *name=opt/org.puesto/seed,file=…
 *	2. a disk whose ISO 9660 volume is CIDATA, with puesto.json in it
 *	3. an SMBIOS OEM string "org.puesto.seed=" + base64 of the JSON
 *	4. guestinfo.puesto.seed of vSphere: base64 of the JSON (guestinfo.h)
 *	5. the key org.puesto.seed in /var/lib/hyperv/.kvp_pool_0 Hyper-V, by the guest's hv_kvp_daemon
 *	6. /var/lib/puesto/seed.json, which the host wrote into it
 *
 * Returns owned (wipe it, free()), and its name in words; PST_ENOTFOUND when there is none.
 */
int seed_find(
	const char *root, char **ret_text, size_t *ret_len, const char **ret_where, struct pst_err *err);

/* It was used: whoever looks at that place (seed_find's name of it) later finds nothing, where that can be had. */
void seed_forget(const char *root, const char *where);
