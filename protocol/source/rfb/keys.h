/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys for RFB servers. Pure. */
#pragma once

#include <stdint.h>

/* The key that a character of finished text is typed by. */
uint32_t rfb_keysym_of_text(uint32_t code_point);
