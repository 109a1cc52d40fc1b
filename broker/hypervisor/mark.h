/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The installation's own mark: two that meet on one hypervisor tell their machines apart by it. Any thread. */
#pragma once

#include "base/err.h"

#define MARK_SIZE 33

/* Reads DATA/instance, 32 hexadecimal digits; the first call makes it. */
int mark_read(const char *data, char out[MARK_SIZE], struct pst_err *err);
