/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The display link from both sides: the first byte says who speaks. What is understood is said again in the
 * same bytes. */
#include <stdlib.h>
#include <string.h>

#include "protocol/link/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct link_message m;
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf again;

	if (size == 0)
		return 0;
	enum link_side from = data[0] & 1 ? LINK_AGENT : LINK_WORKER;
	data++;
	size--;
	pst_buf_init(&again, LINK_FRAME_MAX);
	while (size > 0) {
		long used = link_decode(data, size, from, &m, &err);
		if (used <= 0)
			break;
		pst_buf_reset(&again);
		if ((size_t)used > size || link_encode(&again, &m) != 0 || again.len != (size_t)used ||
			memcmp(again.data, data, again.len) != 0)
			abort();
		data += used;
		size -= (size_t)used;
	}
	pst_buf_finish(&again);
	return 0;
}
