/* SPDX-License-Identifier: GPL-3.0-or-later */
/* API requests: forwarded to the broker as control messages, answered when it has answered; event streams piece by piece. */
#pragma once

struct http_conn;

/* Takes the request of c over until http_conn_done. */
void api_forward(struct http_conn *c);
