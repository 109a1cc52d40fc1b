/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's graphics and display control messages, and its clipboard text. */
#include <stdlib.h>

#include "protocol/front/rdp/disp.h"
#include "protocol/front/rdp/gfx_wire.h"
#include "protocol/link/utf16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gfx_client_pdu pdu;
	struct disp_layout layout = { 0 };
	struct pst_err err;
	struct pst_buf text;
	long used = gfx_wire_parse(data, size, &pdu, &err);
	if (used > (long)size || (used > 0 && pdu.kind == GFX_CLIENT_CAPS && pdu.caps.len > GFX_CAPSETS_MAX))
		abort();
	if (disp_parse(data, size, &layout, &err) == 1 && (layout.width < 1 || layout.height < 1 || layout.width > SCREEN_SIDE_MAX))
		abort();
	pst_buf_init(&text, 1 << 20);
	utf16_to_text(&text, data, size);
	pst_buf_finish(&text);
	return 0;
}
