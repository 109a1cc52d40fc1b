/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The in-memory driver of the tests: machines are rows of a table and end when told. */
#pragma once

#include "broker/hypervisor/driver.h"

extern const struct driver_type driver_fake;

#define FAKE_SNAPSHOTS_MAX 4
#define FAKE_MACHINES_MAX 256

/* The machine dies as if by itself. Loop thread. PST_ENOTFOUND. */
int fake_kill(struct driver *d, const char *desktop, const char *reason);

/* The next n blocking calls fail with code. Any thread. */
void fake_fail_next(struct driver *d, unsigned n, int code);
