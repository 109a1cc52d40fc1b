/* SPDX-License-Identifier: GPL-3.0-or-later */
/* First bytes of VNC viewers. */
#include <stdlib.h>

#include "protocol/gate/rfb_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int version = rfb_hello_parse(data, size);

	if (version != 8 && version != 0 && version != -1 && version != -2)
		abort();
	if (version == 0 && size >= RFB_HELLO_SIZE)
		abort();
	return 0;
}
