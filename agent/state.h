/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lease on disk: desktop, key, highest epoch, user. A file of mode 0600, synced and renamed into place.
 */
#pragma once

#include "agent/lease.h"

/* PST_ENOTFOUND when there is no file yet: ret is then zeroed. enrolled (65 bytes) gets the hash of the token
 * that was used up. */
int state_load(const char *path, struct lease *ret, char enrolled[PST_SHA256_HEX_SIZE], struct pst_err *err);

int state_save(const char *path, const struct lease *lease, const char *enrolled, struct pst_err *err);
