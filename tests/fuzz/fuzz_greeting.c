/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What answers at a seat's address: the protocol's letter, how much was replied, and the bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "broker/hypervisor/hosts/greeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t reply[GREETING_HELLO_MAX];
	enum seat_protocol p;
	size_t sent;

	if (size < 2)
		return 0;
	p = data[0] == 'v' ? SEAT_VNC : data[0] == 'r' ? SEAT_RDP : SEAT_AGENT;
	sent = p == SEAT_VNC && data[1] ? 12 : 0;
	/* A reply brings it forward: at most two of them. */
	for (int i = 0; greeting_check(p, data + 2, size - 2, sent) == GREETING_REPLY; i++) {
		size_t n = greeting_reply(p, data + 2, size - 2, sent, reply);

		if (i == 2 || n == 0 || n > sizeof(reply))
			abort();
		sent += n;
	}
	return 0;
}
