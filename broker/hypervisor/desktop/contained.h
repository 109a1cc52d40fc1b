/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop in a container that an engine has made: what is left to be made there. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/desktop/launch.h"

/*
 * As the desktop's uid, in fresh /run and /tmp: the directories that the session expects. Whatever
 * stands there already is taken as it is.
 */
int contained_dirs(const struct launch *l, struct pst_err *err);
