/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A folder whose files are seen as another uid's: a detached mount with mapped ids (open_tree(2),
 * mount_setattr(2); Linux 5.12 and a file system that knows them). Any thread.
 */
#pragma once

#include "base/err.h"

#include <sys/types.h>

/*
 * The folder at path as a mount that move_mount(2) can put somewhere: what belongs to the folder's owner there is
 * to's here, with its group. No setuid programs and no devices in it. Returns owned, a descriptor.
 */
int mapped_open(const char *path, uid_t to, struct pst_err *err);

/* The same with a mount that nobody sees yet (fsmount(2)), which its caller has. name is for the error. */
int mapped_mount(int mount, const char *name, uid_t to, struct pst_err *err);

/* Does the file system of that folder take it? PST_EUNSUPPORTED with the reason. */
int mapped_check(const char *path, struct pst_err *err);
