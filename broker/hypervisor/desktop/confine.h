/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a desktop's processes may never do: uid, capabilities, seccomp, rlimits, landlock. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/desktop/launch.h"

/* Ceilings that hold for every process of the desktop. Called as root. */
int confine_limits(const struct launch *l, struct pst_err *err);

/*
 * Gives up root for good: uid and gid of the desktop, no capability in any set,
 * no_new_privs, not dumpable, the system-call filter, and, where the kernel has it,
 * no abstract sockets or signals to the outside.
 */
int confine_drop(const struct launch *l, struct pst_err *err);

/*
 * The same of a process that an engine has started as that uid without any privilege, which is checked:
 * what it lacks is the system-call filter and what goes with it.
 */
int confine_contained(const struct launch *l, struct pst_err *err);
