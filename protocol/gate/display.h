/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /display: a WebSocket with a ticket becomes a worker of its own, and its bytes are relayed both ways at the pace of the slower side. */
#pragma once

struct gate;
struct http_conn;

/* The request of c is an upgrade for /display; c is taken (and may be gone at return). */
void display_upgrade(struct http_conn *c);
/* Ends every relay with 1001, for the gate's stop. */
void display_close_all(struct gate *g);
