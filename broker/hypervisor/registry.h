/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drivers that this build knows. */
#pragma once

#include "broker/hypervisor/driver.h"

/* NULL when there is no such kind. */
const struct driver_type *registry_find(const char *kind);

/* "fake, local", for messages. */
const char *registry_kinds(void);
