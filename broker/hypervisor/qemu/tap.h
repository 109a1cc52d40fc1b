/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's cable to a bridge of this host: a TAP device that lives as long as somebody has its descriptor. Needs
 * root. Any thread.
 */
#pragma once

#include "base/err.h"

#include <net/if.h>
#include <stdbool.h>

/* May it be a bridge's name? Letters, digits, '.', '_' and '-', at most 15. */
bool tap_bridge_valid(const char *name);

/*
 * Makes the device name, puts it on the bridge, isolated from other such ports (they reach the bridge and what is
 * behind it, not each other), and switches it on. Returns its descriptor (owned). PST_ENOTFOUND without that bridge,
 * PST_EBUSY while another process has a device of that name.
 */
int tap_open(const char *name, const char *bridge, struct pst_err *err);
