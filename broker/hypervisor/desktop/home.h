/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's home, made from /etc/skel at the first start. */
#pragma once

#include "base/err.h"

#include <sys/types.h>

/*
 * Copies skel (directories, files, symbolic links; at most HOME_ENTRIES_MAX) to home and
 * gives it to uid. An existing home is left alone. Neither may be changed by others meanwhile.
 */
#define HOME_ENTRIES_MAX 4096
#define HOME_DEPTH_MAX 16
int home_make(const char *skel, const char *home, uid_t uid, struct pst_err *err);

/* The same into an open folder, which is not given away itself. Borrows both. */
int home_fill(int skel, int home, uid_t uid, struct pst_err *err);
