/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sentences of the provisioner's, which come in English, in Spanish as far as we know them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* False: it is none of those, and out is untouched. */
bool foreign_spanish(const char *en, char *out, size_t size);
