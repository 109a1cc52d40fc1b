/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display control messages, [MS-RDPEDISP] 2.2.2: pure writer and parser. The client's bytes are hostile. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct disp_layout {
	int32_t width, height;
	uint32_t scale_pct; /* 100 … 500 */
};

/* DISPLAYCONTROL_CAPS_PDU: one monitor of at most side × side pixels. */
void disp_put_caps(struct pst_buf *out, uint32_t side);
/* The primary monitor of a layout. 1: a layout; 0: another message; negative with err. */
int disp_parse(const uint8_t *data, size_t len, struct disp_layout *ret, struct pst_err *err);
