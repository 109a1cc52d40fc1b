/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text of the Windows clipboard: UTF-16, little-endian, CR LF line ends, a closing zero. */
#pragma once

#include "base/buf.h"

/* Appends UTF-8 with LF line ends up to the closing zero; a lone half of a pair becomes U+FFFD. */
void utf16_to_text(struct pst_buf *out, const uint8_t *data, size_t len);
/* Appends UTF-16 with CR LF line ends and the closing zero. utf8 is valid. */
void utf16_from_text(struct pst_buf *out, const char *utf8, size_t len);
