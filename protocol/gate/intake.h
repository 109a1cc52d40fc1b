/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection whose first bytes have not been judged: with a deadline, by our own parsers, before any library or worker sees it. HTTPS
 * goes on as an HTTP connection, a sound RDP or RFB hello becomes a session with a worker, everything else ends.
 */
#pragma once

#include "protocol/gate/config.h"
#include "protocol/gate/limits.h"

struct gate;

/* Takes fd, which counts as half-open under key. */
void intake_start(struct gate *g, enum gate_port kind, int fd, const struct limits_key *key, const char *remote);
/* The connection that waits longest: since when (monotonic ms, UINT64_MAX for none), and its end to make room. */
uint64_t intake_oldest_ms(const struct gate *g);
void intake_drop_oldest(struct gate *g);
void intake_close_all(struct gate *g);
