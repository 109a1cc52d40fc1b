/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows keyboard layout identifiers, as RDP clients name theirs, to XKB layouts and back. */
#pragma once

#include <stdint.h>

/* "es", "de", "us"…; NULL when unknown. A constant. */
const char *layout_name(uint32_t windows_id);
/* Back; of an unknown variant its language's, 0 when that is unknown too. */
uint32_t layout_id(const char *name);
