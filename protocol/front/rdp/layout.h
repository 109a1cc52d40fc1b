/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows keyboard layout identifiers, as RDP clients name theirs, to XKB layouts. */
#pragma once

#include <stdint.h>

/* "es", "de", "us"…; NULL when unknown. A constant. */
const char *layout_name(uint32_t windows_id);
