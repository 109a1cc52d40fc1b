/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What base/ asks of a C library and Windows' has not; included before every file of the agent for Windows. */
#pragma once

#include <stddef.h>

void explicit_bzero(void *p, size_t n);
/* As GNU's: returns the words. */
char *strerror_r(int errnum, char *buf, size_t size);
