/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The broker's words for what a driver may carry beyond making machines. */
#pragma once

#include "broker/hypervisor/driver.h"

struct operation;

/* "start", "stop", "suspend", "snapshot", "revert", "drop", "resize", "migrate"; NULL for another word. */
const struct operation *operation_find(const char *op);
/* Is arg what the operation is about: "", a name, or "MEMORY_MB,CPU_PERCENT,DISK_MB"? PST_EINVAL. */
int operation_check(const struct operation *o, const char *arg, struct pst_err *err);
/* Blocking, on any thread. arg was checked. */
int operation_run(const struct operation *o, struct driver *d, const char *desktop, const char *arg, struct pst_err *err);
