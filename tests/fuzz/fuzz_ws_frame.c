/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WebSocket frames: the same bytes in one piece and in pieces of the first byte's size give the same messages. */
#include <stdlib.h>

#include "protocol/gate/ws_frame.h"

static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
	static struct ws_parser parser;
	uint64_t hash = 14695981039346656037u;
	size_t at = 0;
	int rc = 0;

	ws_parser_init(&parser);
	while (at < size && rc >= 0) {
		struct ws_event ev;
		size_t n = size - at < piece ? size - at : piece, used;

		rc = ws_parser_feed(&parser, data + at, n, &used, &ev);
		if (used > n || (rc == 0 && used != n))
			abort();
		at += used;
		if (rc != 1)
			continue;
		if (ev.len > (ev.opcode == WS_BINARY ? WS_MESSAGE_MAX : WS_CONTROL_MAX))
			abort();
		hash = (hash ^ ev.opcode) * 1099511628211u;
		for (size_t i = 0; i < ev.len; i++)
			hash = (hash ^ ev.data[i]) * 1099511628211u;
	}
	/* Where the last cut falls decides between 0 and 1; a refusal is a refusal everywhere. */
	return (hash ^ (uint64_t)(rc < 0 ? -rc : 0)) * 1099511628211u;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && run(data + 1, size - 1, size) != run(data + 1, size - 1, (size_t)data[0] + 1))
		abort();
	return 0;
}
