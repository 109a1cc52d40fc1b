/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks this machine's own Remote Desktop service, again and again, whether it would take a viewer, and by what certificate a viewer will know it:
 * the first packet of each side, and a TLS handshake. Nothing here blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROBE_FAILURES 3 /* in a row, until one that was up counts as down */

struct probe;

/* Returns owned, NULL on no memory. */
struct probe *probe_create(uint16_t port);
void probe_destroy(struct probe *p);

void *probe_event(const struct probe *p); /* a HANDLE */
uint64_t probe_next_ms(const struct probe *p);
/* True when what is known has changed. */
bool probe_step(struct probe *p, uint64_t now_ms);

bool probe_is_up(const struct probe *p);
/* The SHA-256 of its certificate, in hex, as it was seen last; "" before. */
const char *probe_pin(const struct probe *p);
/* Why it is not. */
const char *probe_reason(const struct probe *p);
