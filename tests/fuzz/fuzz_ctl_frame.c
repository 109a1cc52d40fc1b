/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer's byte stream as control frames: each ends, counts right and is an object. */
#include "base/ctl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	while (size > 0) {
		struct pst_err err;
		json_t *msg;
		bool has_fd;
		long used = pst_ctl_frame_parse(data, size, 4096, &msg, &has_fd, &err);

		if (used <= 0)
			break;
		if ((size_t)used > size || !json_is_object(msg))
			abort();
		json_decref(msg);
		data += used;
		size -= (size_t)used;
	}
	return 0;
}
