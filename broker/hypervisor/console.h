/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection to a machine's own screen, for whoever may look at it. Any thread. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/machine.h"

#define CONSOLE_DIAL_MS 5000

/*
 * Connects to an ENDPOINT_RFB, or an ENDPOINT_RDP: a descriptor (owned, non-blocking), or a negative PST_E…. Of a path the last step must be a socket and no link: its folder may belong
 * to the hypervisor's own user, who could otherwise lead root to any socket of the host. Blocks for at most CONSOLE_DIAL_MS.
 */
int console_dial(const struct machine_endpoint *e, struct pst_err *err);
