/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen file's header: an accepted one never points outside its file. */
#include <stdlib.h>

#include "agent/capture/xwd.h"
#include "encoder/rect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct xwd x;
	const uint64_t file_size = 7683232;

	if (xwd_parse(data, size, file_size, &x, &err) < 0)
		return 0;
	if (x.width > SCREEN_SIDE_MAX || x.stride < x.width * 4 ||
		x.offset + (uint64_t)x.stride * x.height > file_size)
		abort();
	return 0;
}
