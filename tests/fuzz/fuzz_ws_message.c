/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The browser client's messages: parsed values stay inside what input.h and the wire promise. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "protocol/front/ws/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ws_message *m)
{
	if (m->type == WS_C_HELLO && strlen(m->hello.client) > 63)
		abort();
	if (m->type == WS_C_TEXT && (m->input.text.len > INPUT_TEXT_MAX || !pst_utf8_valid(m->input.text.utf8, m->input.text.len)))
		abort();
	if (m->type == WS_C_TOUCH && m->input.touch.finger >= INPUT_TOUCH_MAX)
		abort();
	if (m->type == WS_C_RESIZE && (m->resize.width == 0 || m->resize.width > SCREEN_SIDE_MAX))
		abort();
	if (m->is_part && m->type != WS_C_CLIPBOARD)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct ws_message m;

	if (ws_message_parse(data, size, &m, &err) == 0)
		check(&m);
	else if (err.code != PST_EPROTO || !err.text[0])
		abort();
	return 0;
}
