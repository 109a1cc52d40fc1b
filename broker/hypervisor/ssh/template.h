/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands of an administrator with {placeholders}, for /bin/sh. A placeholder becomes the expansion of a
 * shell variable, "${pst_NAME}", never text of the program: whatever a value holds, it is one word. Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

#define TEMPLATE_MAX 4096

enum template_name {
	TEMPLATE_DESKTOP, TEMPLATE_NAME, TEMPLATE_NUMBER, TEMPLATE_HOSTNAME,
	TEMPLATE_IMAGE, TEMPLATE_IMAGE_NAME, TEMPLATE_IMAGE_VERSION,
	TEMPLATE_MEMORY_MB, TEMPLATE_CPUS, TEMPLATE_CPU_PERCENT, TEMPLATE_PIDS, TEMPLATE_DISK_MB,
	TEMPLATE_ADDRESS, TEMPLATE_MAC, TEMPLATE_NETWORK, TEMPLATE_LOCALE, TEMPLATE_LAYOUT,
	TEMPLATE_ROOT, TEMPLATE_SEED, TEMPLATE_SNAPSHOT, TEMPLATE_SNAPSHOT_UUID,
	TEMPLATE_COUNT,
};

/*
 * The command for a script that has the variables. PST_EINVAL for an unknown placeholder, one in single quotes (where
 * nothing expands), quotes that do not end, and control characters. Returns owned, NULL with err.
 */
char *template_compile(const char *text, struct pst_err *err);

/* Does that compiled command use it? */
bool template_uses(const char *compiled, enum template_name name);

/* Appends the assignment of a variable, a line. */
void template_assign(struct pst_buf *out, enum template_name name, const char *value);

/* Appends text as one word of /bin/sh. */
void template_quote(struct pst_buf *out, const char *text);
