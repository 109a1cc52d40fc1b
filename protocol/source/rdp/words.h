/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a connection to an RDP server ended, in words. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rdp_reason {
	int code;          /* PST_E…, 0: the user logged off */
	const char *words; /* goes on after "The machine's screen cannot be shown: "; of 0 it is not shown */
};

/*
 * last_error: freerdp_get_last_error; info: freerdp_error_info, what the server said last ([MS-RDPBCGR] 2.2.5.1.1). was_shown:
 * there was a picture before. A constant.
 */
struct rdp_reason rdp_reason_of(uint32_t last_error, uint32_t info, bool was_shown);
