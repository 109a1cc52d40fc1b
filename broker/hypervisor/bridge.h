/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A console that its hypervisor has behind a WebSocket, as a connection of this host: a thread carries the bytes to
 * and fro until either side ends. It holds nothing but what one read gives, so the slower side sets the pace. A server
 * that says nothing for BRIDGE_SILENCE_MS, pings included, and a side that takes nothing for BRIDGE_STALL_MS, is given up.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/http.h"

#define BRIDGES_MAX 64 /* at a time */
#define BRIDGE_PING_MS 30000
#define BRIDGE_SILENCE_MS 90000
#define BRIDGE_STALL_MS 30000

/* headers as of websocket_request, at most HTTP_HEADERS_MAX. A descriptor (owned, non-blocking), or a negative PST_E…; blocks until the handshake is over. Any thread. */
int bridge_open(struct http *h, const char *path, const char *protocol, const char *const *headers, uint64_t timeout_ms, struct pst_err *err);
