/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between our UTF-8 and Windows' UTF-16, and Windows' own words for an error. */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* Returns owned (free()); NULL for no UTF-8, or on no memory. */
wchar_t *wide_from(const char *utf8);

/* Writes out, cut where it does not fit; returns out. */
char *wide_to(const wchar_t *text, char *out, size_t out_size);

/* As pst_err_sys, with the words for an error of GetLastError(), or for a status of security functions. */
int wide_err(struct pst_err *err, int code, unsigned long error, const char *what);
