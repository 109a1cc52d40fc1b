/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libvirt's event loop, on one thread of the process: it serves every connection's events and
 * keep-alives. Counted: as many stops as starts.
 */
#pragma once

#include "base/err.h"

/* Before the first connection. Any thread. */
int lv_events_start(struct pst_err *err);
void lv_events_stop(void);
