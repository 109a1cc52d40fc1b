/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seed that vSphere keeps for a machine, guestinfo.puesto.seed, asked for by VMware's own tool
 * (open-vm-tools: vmware-rpctool, or vmtoolsd --cmd). Anybody in the guest may ask for it, so it is emptied
 * when it was used.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

#define GUESTINFO_SEED "guestinfo.puesto.seed"

/*
 * Its text, base64 of at most max bytes. Returns owned (wipe it, free()), terminated; PST_ENOTFOUND on other
 * hypervisors, without the tool, and when there is none. Waits for the tool, at most ten seconds:
 * PST_ETIMEOUT.
 */
int guestinfo_read(const char *root, size_t max, char **ret_text, struct pst_err *err);

/* Nobody reads it any more, until the hypervisor sets another one. */
void guestinfo_clear(const char *root);
