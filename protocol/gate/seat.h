/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Screens of machines without an agent: the connection to the machine's own server comes from the broker beside the grant. An RFB server's goes to the worker
 * as it is. One to an RDP server goes to a process of its own, which shows it to the worker as a display link: neither the machine's bytes nor
 * its password ever come to the worker. Loop thread only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct gate;
struct seat;

/* The grant's endpoint is a server of the machine's own. */
bool seat_is_wanted(const json_t *grant);

/*
 * What the worker gets for it: a descriptor (owned), or -1 when no process could be asked for. Takes fd; changes the grant to what the worker may know. *ret_seat is
 * the process, borrowed, or NULL.
 */
int seat_open(struct gate *g, json_t *grant, int fd, struct seat **ret_seat);
/* Its worker has gone: it ends by itself, and after a moment it is killed. Accepts NULL. The pointer dies. */
void seat_leave(struct seat *s);
void seat_close_all(struct gate *g);
