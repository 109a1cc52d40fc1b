/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The in-memory driver of the tests: machines are rows of a table and end when told. */
#pragma once

#include "broker/hypervisor/driver.h"

extern const struct driver_type driver_fake;

#define FAKE_SNAPSHOTS_MAX 4
#define FAKE_MACHINES_MAX 256
#define FAKE_NETWORK "office" /* the only one, beside "host" and "none" */

/* The machine dies as if by itself. Loop thread. PST_ENOTFOUND. */
int fake_kill(struct driver *d, const char *desktop, const char *reason);

/* The host "one" or "two" cannot be asked, or can again: lists say so, nothing is made there. Any thread. */
void fake_host_silent(struct driver *d, const char *host, bool is_silent);

/* It cannot say which hosts it has. Any thread. */
void fake_hosts_fail(struct driver *d, bool fails);

/* The next n blocking calls fail with code. Any thread. */
void fake_fail_next(struct driver *d, unsigned n, int code);
