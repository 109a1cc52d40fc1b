/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Spanish of what a problem says in detail. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* field may be NULL; else detail begins with it and a colon. False: nobody has translated this. */
bool words_spanish(const char *detail, const char *field, char *ret, size_t size);
