/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hypervisor's answer to a WebSocket, and its frames: the first byte is the size of the pieces that they come in, the second says which of both it is. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/hypervisor/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frames(const uint8_t *data, size_t size, size_t piece)
{
	struct websocket w = { 0 };
	struct pst_buf in, out;
	struct pst_err err;
	int rc = 0;

	pst_buf_init(&in, 65536);
	pst_buf_init(&out, 65536);
	for (size_t at = 0; at < size && rc == 0; at += piece) {
		rc = websocket_take(&w, data + at, PST_MIN(piece, size - at), &in, &out, &err);
		if (in.len > size || w.control_len > sizeof(w.control) || w.head_len > sizeof(w.head))
			abort();
	}
	pst_buf_finish(&in);
	pst_buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err;
	char *head;

	if (size < 2)
		return 0;
	if (data[1] & 1) {
		frames(data + 2, size - 2, data[0] + 1u);
		return 0;
	}
	head = pst_zalloc(1, size - 1);
	if (head) {
		memcpy(head, data + 2, size - 2);
		(void)websocket_answer(head, "dGhlIHNhbXBsZSBub25jZQ==", "binary", &err);
	}
	free(head);
	return 0;
}
