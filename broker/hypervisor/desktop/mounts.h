/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desktop's file tree: overlay, private /proc /dev /tmp /run, and pivot_root. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/desktop/launch.h"

/* Where things are inside. */
#define DESKTOP_RUN "/run/puesto"
#define DESKTOP_X_DIR "/run/puesto-x" /* frame buffer and Xauthority; the desktop's uid, 0700 */
#define DESKTOP_LIBEXEC "/usr/libexec/puesto"
#define DESKTOP_HOME "/home/user"

/*
 * Called once as root in fresh mount and PID namespaces. On success "/" is the desktop's
 * own tree and nothing of the outside can be reached by a path.
 */
int mounts_enter(const struct launch *l, struct pst_err *err);
