/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Request heads: whatever is accepted keeps to its ceilings, and reading it again gives the same. */
#include <stdlib.h>
#include <string.h>

#include "protocol/gate/config.h"
#include "protocol/gate/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head head;
	struct gate_config none = { 0 };
	int n = http_head_parse(&head, data, size);

	if (n > 0 && ((size_t)n > size || n > HTTP_HEAD_MAX || head.path[0] != '/' || head.n_fields > HTTP_FIELDS_MAX || head.length > HTTP_BODY_MAX))
		abort();
	if (n > 0 && http_head_get(&head, "host") && gate_config_has_host(&none, http_head_get(&head, "host")))
		abort();
	if (n < 0 && n != -400 && n != -411 && n != -413 && n != -431 && n != -501 && n != -505)
		abort();
	return 0;
}
