/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's channel data: the guard before the library, and clipboard messages. */
#include <stdlib.h>

#include "protocol/front/rdp/clip_wire.h"
#include "protocol/front/rdp/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clip_message m;
	struct guard g = { 0 };
	struct pst_err err;
	guard_dynamic(data, size, 3);
	for (size_t i = 0; i + 4 <= size; i += 4) {
		guard_static(&g, (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2], data[i + 3] & 3u, (size_t)data[i + 3] << 16);
		if (g.held > GUARD_MESSAGE_MAX)
			abort();
	}
	if (clip_parse(data, size, &m, &err) < 0)
		return 0;
	if (m.len > size || m.body < data || m.body + m.len > data + size)
		abort();
	clip_general_flags(&m);
	clip_lists_text(&m, true);
	clip_lists_text(&m, false);
	clip_wanted(&m);
	return 0;
}
