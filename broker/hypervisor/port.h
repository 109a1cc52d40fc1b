/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine says on its port org.puesto.seed (puesto-seed(8)): one JSON object a line. Pure. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define PORT_LINE_MAX 65536u /* bytes */

/*
 * Is the line (without its end) the word that is waited for, "waiting" or "applied"? PST_EINVAL with the machine's reason
 * when it refuses its seed, PST_EPROTO for what is no JSON.
 */
int port_hear(const char *line, size_t len, const char *word, bool *ret_is_it, struct pst_err *err);
