/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seed that vSphere keeps for a machine, guestinfo.puesto.seed, asked for by VMware Tools' own program (vmtoolsd --cmd). Anybody in the machine
 * may ask for it, so it is emptied when it was used.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

/*
 * Of at most max bytes. Returns owned (wipe it, free()), terminated; PST_ENOTFOUND without VMware Tools, and when there is none. Waits for the program,
 * at most ten seconds: PST_ETIMEOUT.
 */
int guestinfo_read(size_t max, char **ret_text, size_t *ret_len, struct pst_err *err);

/* Nobody reads it any more, until the hypervisor sets another one. */
void guestinfo_clear(void);
