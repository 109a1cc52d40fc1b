/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker needs to show one desktop to one user, and the proof of it for the agent. */
#pragma once

#include "broker/reconciler.h"

#include <jansson.h>

/*
 * The text for the agent: base64url(JSON) "." base64url(HMAC-SHA-256 with the desktop's key).
 * Returns owned (free()), NULL on no memory. Pure.
 */
char *grant_sign(const struct grant *g);

/* The whole GRANT of the gate's connect and redeem. Returns owned; wipes nothing of g. */
json_t *grant_json(const struct grant *g);
/* The desktop is shown by a server of its machine's own: the connection goes with the grant, and nobody reads its text. */
bool grant_is_agentless(const json_t *grant);
