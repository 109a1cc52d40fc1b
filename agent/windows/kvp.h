/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seed among the keys that a Hyper-V host gives its guest, org.puesto.seed, as Windows' data exchange service writes them down in the registry:
 * HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Virtual Machine\External.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* Of at most max bytes. Returns owned (wipe it, free()), terminated; PST_ENOTFOUND when there is none. */
int kvp_read(size_t max, char **ret_text, size_t *ret_len, struct pst_err *err);

/* Users of the machine may read it, so it goes when it was used. */
void kvp_clear(void);
