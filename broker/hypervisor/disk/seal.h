/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seal of a golden image: its file belongs to root, has mode 0444 and, where the file
 * system can, is immutable. So neither a hypervisor's "commit" nor a second start with the
 * wrong disk can write into what all desktops of a pool read. Any thread.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/*
 * Seals the regular file at path, durably. PST_EBUSY while somebody has it open for writing
 * (whoever had would keep that right), PST_ECONFLICT when it has a second name,
 * PST_EDENIED without root. Sealing twice is fine. ret_immutable may be NULL.
 */
int seal_set(const char *path, bool *ret_immutable, struct pst_err *err);

/* Is it sealed, and does nobody write to it? PST_ECONFLICT with what is wrong; PST_ENOTFOUND. */
int seal_verify(const char *path, struct pst_err *err);

/* Makes it possible again to remove the file or to give it another name. 0 for an unsealed one. */
int seal_break(const char *path, struct pst_err *err);
