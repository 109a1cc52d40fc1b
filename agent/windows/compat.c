/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two functions of other systems' libraries. */
#include "agent/windows/compat.h"

#include <windows.h>

#include <string.h>

void explicit_bzero(void *p, size_t n)
{
	SecureZeroMemory(p, n);
}

char *strerror_r(int errnum, char *buf, size_t size)
{
	if (strerror_s(buf, size, errnum) != 0 && size > 0)
		buf[0] = '\0';
	return buf;
}
