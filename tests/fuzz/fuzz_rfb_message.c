/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A viewer's byte stream through the message parser: it ends, uses what it says, and reads nothing outside. */
#include <stdlib.h>

#include "protocol/front/rfb/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rfb_message m;
	struct pst_err err;
	while (size > 0) {
		ssize_t used = rfb_message_parse(data, size, &m, &err);
		if (used <= 0)
			break;
		if ((size_t)used > size)
			abort();
		data += used;
		size -= (size_t)used;
	}
	return 0;
}
