/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does a seat answer, and in its protocol's words? Many at once, on the calling thread. Any thread. */
#pragma once

#include "broker/hypervisor/hosts/greeting.h"

#include <sys/socket.h>

struct probe {
	const struct seat *seat; /* borrowed */
	bool answers;
	char reason[96]; /* why not */
};

/* Of a numeric address; 0 for another text. */
socklen_t probe_address(const char *address, uint16_t port, struct sockaddr_storage *ret);

/* Fills each. cancel_fd (or -1) readable: those that have not answered are left as "not asked to the end". */
void probe_run(struct probe *list, size_t n, uint32_t timeout_ms, int cancel_fd);
