/* SPDX-License-Identifier: GPL-3.0-or-later */
/* First packets of RDP clients. */
#include <stdlib.h>
#include <string.h>

#include "protocol/gate/x224.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x224_request r;
	int n = x224_request_parse(&r, data, size);

	if (n > 0 && ((size_t)n > size || n > X224_REQUEST_MAX || !r.has_negotiation || strlen(r.cookie) >= X224_COOKIE_MAX))
		abort();
	/* More bytes never make a refused beginning good. */
	if (n < 0 && n != X224_NO_TLS && size > 11 && x224_request_parse(&r, data, size - 1) > 0)
		abort();
	return 0;
}
