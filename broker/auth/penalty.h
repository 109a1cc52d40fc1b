/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growing delays after failures, per key (an account or a source address), after OpenSSH's
 * PerSourcePenalties. Pure: the caller brings the time (ms of one clock).
 *
 * A key has some free failures; after them each one closes the door for base · 2^n, up to max.
 * Failures fade: one is forgotten for every `fade_ms` without another. The table is bounded;
 * when full, the entry nearest to its end makes room.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct penalty_rule {
	uint32_t free_failures;
	uint64_t base_ms;
	uint64_t max_ms;
	uint64_t fade_ms;
	uint32_t block_failures; /* from so many on the door stays closed until it is opened; 0: never */
};

#define PENALTY_BLOCKED UINT64_MAX /* as a wait, and as the end of one */

/* What is known of one key; all zeros is nothing. */
struct penalty_state {
	uint32_t failures;
	uint64_t last_ms, until_ms;
};

/* One more failure; returns the wait that now applies. */
uint64_t penalty_state_fail(const struct penalty_rule *rule, struct penalty_state *s, uint64_t now_ms);
/* Never longer than the rule's longest, whatever became of the clock; 0: come in. */
uint64_t penalty_state_wait_ms(const struct penalty_rule *rule, const struct penalty_state *s, uint64_t now_ms);

struct penalty;

#define PENALTY_ENTRIES_MAX 65536

/* NULL on no memory. entries is the ceiling of keys kept. */
struct penalty *penalty_create(const struct penalty_rule *rule, size_t entries);
void penalty_destroy(struct penalty *p);

/* Milliseconds this key has still to wait; 0: come in. */
uint64_t penalty_wait_ms(const struct penalty *p, const char *key, uint64_t now_ms);

/* One more failure; returns the wait that now applies. */
uint64_t penalty_fail(struct penalty *p, const char *key, uint64_t now_ms);

/* A success: the key starts anew. */
void penalty_clear(struct penalty *p, const char *key);

size_t penalty_count(const struct penalty *p);
