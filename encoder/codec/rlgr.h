/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RLGR3, the adaptive run-length and Golomb-Rice code of RemoteFX, [MS-RDPRFX] 3.1.8.1.7.3. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Packs n coefficients into at most max bytes; returns the bytes, 0 when they do not fit. */
size_t rlgr3_encode(const int16_t *data, size_t n, uint8_t *out, size_t max);
